"""Feeds: what subscribed calendars are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from time import perf_counter
from typing import get_args

import pytest
from icalendar import Calendar, Event

from calendars.busy import read_busy_times
from calendars.entries import CalendarEntry, GroupSeats, TeamMember, make_reference
from calendars.feeds import FeedKind, make_empty_feed, make_event, make_feed, make_tombstone
from scheduling.scenario import Scenario

HOUR = timedelta(hours=1)
START = datetime(2026, 12, 1, 14, 15, tzinfo=UTC)
FIRST = date(2026, 11, 3)
STAFF: tuple[FeedKind, ...] = ("provider", "room", "group", "location")


@pytest.fixture
def entries(scenario: Scenario) -> list[CalendarEntry]:
    services, locations = scenario.services, scenario.locations
    iris, omar = TeamMember("physician-1", "Dr. Iris Vane"), TeamMember("fellow-1", "Dr. Omar Pike")
    visit = CalendarEntry(
        kind="visit",
        uid="b1@clinicweave",
        sequence=3,
        changed_at=datetime(2026, 11, 20, 7, 30, 12, 345_678, tzinfo=UTC),
        starts_at=START,
        ends_at=START + HOUR / 2,
        service=services["epidural-steroid-injection"],
        location=locations["wang"],
        room="wang-procedure-1",
        team=(omar,),
        supervisors=(iris,),
        attending=1,
        reference="visit-1",
    )
    session = replace(
        visit,
        kind="group",
        uid="b2@clinicweave",
        starts_at=START + 24 * HOUR,
        ends_at=START + 26 * HOUR,
        service=services["behavioral-group"],
        team=(iris,),
        supervisors=(),
        group=GroupSeats("Coping skills", 6),
        attending=2,
        reference="coping-2026-12",
    )
    hold = replace(visit, kind="hold", uid="b3@clinicweave", starts_at=START - HOUR, ends_at=START, attending=0)
    return [visit, session, hold]


def document(scenario: Scenario, entries: list[CalendarEntry], kind: FeedKind = "provider") -> bytes:
    return make_feed(scenario.clinic, kind, "physician-1", "Dr. Iris Vane", entries, FIRST)


def events(content: bytes) -> list[Event]:
    return list(Calendar.from_ical(content).walk("VEVENT"))


def test_a_feed_says_its_name_and_how_often_to_look_again_in_new_words_and_old(
    scenario: Scenario, entries: list[CalendarEntry]
) -> None:
    lines = document(scenario, entries).decode().split("\r\n")
    for line in (
        "NAME:Dr. Iris Vane",
        "X-WR-CALNAME:Dr. Iris Vane",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
    ):
        assert line in lines
    assert not [line for line in lines if line.startswith("METHOD")]


def test_events_stand_by_time_after_the_zones_rules(scenario: Scenario, entries: list[CalendarEntry]) -> None:
    calendar = Calendar.from_ical(document(scenario, entries))
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE", *["VEVENT"] * 3]
    assert [str(event["UID"]) for event in calendar.walk("VEVENT")] == ["b3@clinicweave", "b1@clinicweave", "b2@clinicweave"]


def test_an_events_stamp_and_sequence_are_its_bookings(scenario: Scenario, entries: list[CalendarEntry]) -> None:
    event = events(document(scenario, entries[:1]))[0]
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == datetime(2026, 11, 20, 7, 30, 12, tzinfo=UTC)
    assert event["SEQUENCE"] == 3


@pytest.mark.parametrize("kind", STAFF)
def test_staffs_feeds_have_neither_attendee_nor_organizer_nor_alarm(
    kind: FeedKind, scenario: Scenario, entries: list[CalendarEntry]
) -> None:
    content = document(scenario, entries, kind)
    assert b"ATTENDEE" not in content
    assert b"ORGANIZER" not in content
    assert b"VALARM" not in content
    assert len(events(content)) == 3


def test_equal_entries_in_any_order_give_the_same_bytes_remembered_or_not(
    scenario: Scenario, entries: list[CalendarEntry]
) -> None:
    first = document(scenario, entries)
    for order in permutations(entries):
        assert document(scenario, list(order)) == first
    make_event.cache_clear()
    assert document(scenario, [replace(entry) for entry in entries]) == first


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 4},
        {"room": "wang-group-1"},
        {"ends_at": START + HOUR},
        {"reference": None},
        {"team": (), "supervisors": ()},
    ],
)
def test_any_change_that_is_shown_changes_the_bytes(
    change: dict[str, object], scenario: Scenario, entries: list[CalendarEntry]
) -> None:
    changed = [replace(entries[0], **change), *entries[1:]]
    assert document(scenario, changed) != document(scenario, entries)


def test_a_feed_without_entries_is_a_calendar_still(scenario: Scenario) -> None:
    calendar = Calendar.from_ical(document(scenario, []))
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE"]


def empty(scenario: Scenario, kind: FeedKind = "provider", owner: str = "physician-1", first: date = FIRST) -> bytes:
    return make_empty_feed(scenario.clinic, kind, owner, "Dr. Iris Vane", first)


@pytest.mark.parametrize("kind", get_args(FeedKind))
def test_a_subscribed_calendar_without_entries_says_so_by_an_event_of_the_past(kind: FeedKind, scenario: Scenario) -> None:
    content = empty(scenario, kind)
    assert [part.name for part in Calendar.from_ical(content).subcomponents] == ["VTIMEZONE", "VEVENT"]
    (event,) = events(content)
    assert event["SUMMARY"] == "Nothing is booked"
    assert event["DTSTART"].dt.isoformat() == "2026-01-01T00:00:00-05:00"
    assert b"physician-1" not in content.replace(b"\r\n ", b"")
    feeds_own, its = (content[: content.index(b"BEGIN:VTIMEZONE")] for content in (document(scenario, [], kind), content))
    assert feeds_own == its


def test_what_an_empty_calendar_says_is_the_same_all_year_and_another_event_in_each_calendar(scenario: Scenario) -> None:
    assert empty(scenario, first=date(2026, 1, 1)) == empty(scenario, first=date(2026, 12, 31))
    uids = {events(content)[0]["UID"] for content in (empty(scenario), empty(scenario, "room"), empty(scenario, owner="b"))}
    assert len(uids) == 3


def test_a_patients_feed_has_the_words_of_the_invite_and_the_clinics_name(
    scenario: Scenario, entries: list[CalendarEntry]
) -> None:
    content = make_feed(scenario.clinic, "patient", "patient-0007", "Ada Quillfeather", entries[:2], FIRST)
    for event in events(content):
        assert event["SUMMARY"] == "Appointment, Center for Pain Medicine"
        assert "What to bring" in str(event["DESCRIPTION"])
    assert b"X-WR-CALNAME:Appointments\\, Center for Pain Medicine\r\n" in content
    assert b"Ada" not in content
    assert b"Coping" not in content


def test_a_feed_that_was_revoked_says_so_once_and_always_the_same(scenario: Scenario) -> None:
    content = make_tombstone(scenario.clinic, "feed-1", START)
    (event,) = events(content)
    assert "no longer updated" in str(event["DESCRIPTION"])
    assert event["DTSTART"].dt == START
    assert content == make_tombstone(scenario.clinic, "feed-1", START)
    assert b"REFRESH-INTERVAL" in content


def test_every_kind_of_feed_can_be_made(scenario: Scenario, entries: list[CalendarEntry]) -> None:
    for kind in get_args(FeedKind):
        assert len(events(document(scenario, entries, kind))) == 3


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        ("visit-1", True),
        ("ann-lee-2", False),
        ("ANN_LEE/3", False),
        ("annlee", False),
        ("joann-leeds", True),
        ("p7-visit", False),
    ],
)
def test_an_id_that_gives_a_patient_away_is_no_reference(identifier: str, shown: bool) -> None:
    assert make_reference(identifier, [("p7", "Ann Lee")]) == (identifier if shown else None)


def test_a_feed_that_was_rendered_before_takes_a_fraction_of_the_first_time(
    scenario: Scenario, entries: list[CalendarEntry]
) -> None:
    many = [replace(entries[0], uid=f"{number}@clinicweave", starts_at=START + number * HOUR) for number in range(300)]
    make_event.cache_clear()
    times = []
    for _ in range(4):
        begun = perf_counter()
        document(scenario, many)
        times.append(perf_counter() - begun)
    assert min(times[1:]) < times[0] / 2


def test_what_a_feed_without_appointments_says_takes_no_time_of_anybody(scenario: Scenario) -> None:
    clinic = scenario.clinic
    for content in (
        make_empty_feed(clinic, "provider", "ana", "Ana", date(2026, 12, 1)),
        make_tombstone(clinic, "f1", datetime(2026, 12, 1, 15, tzinfo=UTC)),
    ):
        assert b"TRANSP:TRANSPARENT" in content
        busy = read_busy_times(content, clinic.timezone, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC))
        assert busy.intervals == ()
