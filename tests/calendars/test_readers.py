"""What other programs read from our feeds and invites: the same instants through a year and both changes of the clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ical.calendar_stream
import icalendar
import pytest

from calendars.appointments import make_appointment
from calendars.busy import read_busy_times
from calendars.entries import CalendarEntry, TeamMember
from calendars.feeds import make_feed
from calendars.invites import Invitation, make_message, make_scheduling_object
from calendars.mailbox import Mailbox
from scheduling.scenario import Scenario

Times = set[tuple[datetime, datetime]]

ZONES = (
    "America/New_York",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Asia/Jerusalem",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC",
)


def instants(start: date, end: date) -> tuple[datetime, datetime]:
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    return start.astimezone(UTC), end.astimezone(UTC)


def by_icalendar(content: bytes) -> Times:
    return {instants(event["DTSTART"].dt, event["DTEND"].dt) for event in icalendar.Calendar.from_ical(content).walk("VEVENT")}


def by_ical(content: bytes) -> Times:
    calendar = ical.calendar_stream.IcsCalendarStream.calendar_from_ics(content.decode())
    return {instants(event.dtstart, event.dtend) for event in calendar.events}


def by_ourselves(content: bytes) -> Times:
    """Read with the reader for calendars elsewhere, which trusts nobody; events that touch are one there."""
    return set(read_busy_times(content, "UTC", datetime(2025, 12, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)).intervals)


def by_our_definition_alone(content: bytes) -> Times:
    """Read with the VTIMEZONE of the file and no other knowledge of its zone."""
    name = icalendar.Calendar.from_ical(content).timezones[0].tz_name
    return by_ourselves(content.replace(f"TZID:{name}".encode(), b"TZID:Other").replace(f"TZID={name}".encode(), b"TZID=Other"))


READERS = (by_icalendar, by_ical, by_ourselves, by_our_definition_alone)


def moments(zone: str) -> list[datetime]:
    """Return starts through a year, and every half hour of the days around each change of the clocks in it."""
    info = ZoneInfo(zone)
    begin = datetime(2026, 1, 1, 15, tzinfo=UTC)
    found = {begin + timedelta(days=day) for day in range(0, 366, 5)}
    for day in range(366):
        at = begin + timedelta(days=day)
        if at.astimezone(info).utcoffset() != (at + timedelta(days=1)).astimezone(info).utcoffset():
            found |= {at + timedelta(minutes=30 * step) for step in range(-24, 96)}
    return sorted(found)


def entry(scenario: Scenario, number: int, start: datetime) -> CalendarEntry:
    return CalendarEntry(
        kind="visit",
        uid=f"b{number}@clinicweave",
        sequence=0,
        changed_at=datetime(2026, 1, 1, tzinfo=UTC),
        starts_at=start,
        ends_at=start + timedelta(minutes=20),
        service=scenario.services["cancer-consult"],
        location=scenario.locations["yawkey"],
        room=None,
        team=(TeamMember("physician-1", "Dr. Iris Vane"),),
        supervisors=(),
    )


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("zone", ZONES)
def test_a_feed_is_read_at_the_same_instants(zone: str, reader: Callable[[bytes], Times], scenario: Scenario) -> None:
    starts = moments(zone)
    clinic = scenario.clinic.changed(timezone=zone)
    entries = [entry(scenario, number, start) for number, start in enumerate(starts)]
    content = make_feed(clinic, "provider", "physician-1", "Dr. Iris Vane", entries, date(2026, 1, 1))
    assert reader(content) == {(start, start + timedelta(minutes=20)) for start in starts}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 1, 15, 14, tzinfo=UTC),
        *[datetime(2026, 3, 8, hour, 30, tzinfo=UTC) for hour in (6, 7, 8)],
        *[datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (4, 5, 6, 7)],
        datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
        datetime(2027, 1, 1, 4, 50, tzinfo=UTC),
    ],
)
def test_an_invite_and_its_cancellation_are_read_at_the_same_instants(
    start: datetime, reader: Callable[[bytes], Times], scenario: Scenario
) -> None:
    end = start + timedelta(minutes=45)
    told = make_appointment(scenario.clinic, "inpatient-consult", "wang", start, end)
    known = Invitation("u1@clinicweave", Mailbox("ada@example.org", "Ada"))
    asked = make_message(known, told, start - timedelta(days=9))
    assert asked is not None
    gone = make_message(asked.to_invitation(), None, start - timedelta(days=8))
    assert gone is not None
    organizer = Mailbox("appointments@clinic.example")
    assert reader(make_scheduling_object(asked, organizer)) == {(start, end)}
    takes_time = reader in (by_icalendar, by_ical)  # the others list what takes time alone
    assert reader(make_scheduling_object(gone, organizer)) == ({(start, end)} if takes_time else set())


@pytest.mark.parametrize("reader", [by_ourselves, by_our_definition_alone])
def test_control_another_rule_for_the_zone_is_noticed_where_the_definition_is_read(
    reader: Callable[[bytes], Times], scenario: Scenario
) -> None:
    start = datetime(2026, 3, 12, 14, tzinfo=UTC)
    content = make_feed(scenario.clinic, "provider", "p", "P", [entry(scenario, 1, start)], date(2026, 1, 1))
    wrong = content.replace(b"BYDAY=2SU;BYMONTH=3", b"BYDAY=3SU;BYMONTH=3")
    assert wrong != content
    moved = reader(wrong) != reader(content)
    assert moved == (reader is by_our_definition_alone), "a name that is known counts more than a definition"
