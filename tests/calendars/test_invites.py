"""Invites: which messages make patients know what stands, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from calendars.appointments import Appointment, make_appointment
from calendars.invites import Invitation, InviteMessage, list_messages, make_message, make_scheduling_object, make_stamp
from calendars.mailbox import Mailbox
from scheduling.errors import UnknownId
from scheduling.scenario import Scenario

NOW = datetime(2026, 11, 20, 7, 30, 12, 345_678, tzinfo=UTC)
CLINIC = Mailbox("appointments@clinic.example", "Center for Pain Medicine")
ADA = Mailbox("ada@example.org", "Ada Quillfeather")
HOUR = timedelta(hours=1)

Standing = Mapping[str, tuple[Mailbox, Appointment]]


@pytest.fixture
def injection(scenario: Scenario) -> Appointment:
    start = datetime(2026, 12, 1, 14, 15, tzinfo=UTC)
    return make_appointment(scenario.clinic, "epidural-steroid-injection", "wang", start, start + HOUR / 2)


def moved(appointment: Appointment, by: timedelta = HOUR) -> Appointment:
    return replace(appointment, starts_at=appointment.starts_at + by, ends_at=appointment.ends_at + by)


def read(message: InviteMessage) -> tuple[Calendar, Event]:
    calendar = Calendar.from_ical(make_scheduling_object(message, CLINIC))
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def after(told: Mapping[str, Invitation], sent: list[InviteMessage]) -> dict[str, Invitation]:
    return {**told, **{message.uid: message.to_invitation() for message in sent}}


# ------------------------------------------------------------------------------------------------- which are sent


def test_what_is_new_is_requested_once(injection: Appointment) -> None:
    standing = {"u1": (ADA, injection)}
    (first,) = list_messages({}, standing, NOW)
    assert (first.method, first.sequence, first.is_update) == ("REQUEST", 0, False)
    assert list(list_messages(after({}, [first]), standing, NOW + HOUR)) == []


def test_a_change_keeps_the_uid_and_raises_sequence_and_stamp(injection: Appointment) -> None:
    (first,) = list_messages({}, {"u1": (ADA, injection)}, NOW)
    (second,) = list_messages(after({}, [first]), {"u1": (ADA, moved(injection))}, NOW)
    assert (second.method, second.uid, second.is_update) == ("REQUEST", "u1", True)
    assert second.sequence > first.sequence
    assert second.stamp > first.stamp


def test_what_is_gone_is_cancelled_once_and_told_anew_when_it_comes_back(injection: Appointment) -> None:
    (first,) = list_messages({}, {"u1": (ADA, injection)}, NOW)
    told = after({}, [first])
    (gone,) = list_messages(told, {}, NOW + HOUR)
    assert (gone.method, gone.sequence, gone.appointment) == ("CANCEL", 1, injection)
    told = after(told, [gone])
    assert list(list_messages(told, {}, NOW + 2 * HOUR)) == []
    (back,) = list_messages(told, {"u1": (ADA, injection)}, NOW + 3 * HOUR)
    assert (back.method, back.sequence, back.is_update) == ("REQUEST", 2, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("building", "Another building"),
        ("address", "2 Other Street"),
        ("arrive_minutes", 45),
        ("hold", ("Nothing.",)),
        ("bring", ("Your card.",)),
        ("companion", "Bring an adult."),
        ("recovery_minutes", 60),
    ],
)
def test_whatever_a_patient_acts_upon_is_a_change(injection: Appointment, field: str, value: object) -> None:
    told = Invitation("u1", ADA, 0, NOW, injection)
    assert make_message(told, replace(injection, **{field: value}), NOW) is not None


@pytest.mark.parametrize(
    ("field", "value"), [("clinic", "New name"), ("phone", "1"), ("access", "By bus."), ("timezone", "UTC")]
)
def test_what_a_patient_does_not_act_upon_is_no_change(injection: Appointment, field: str, value: str) -> None:
    told = Invitation("u1", ADA, 0, NOW, injection)
    assert make_message(told, replace(injection, **{field: value}), NOW) is None


def test_at_a_new_address_the_patient_has_been_told_nothing(injection: Appointment) -> None:
    told = {"u1": Invitation("u1", ADA, 3, NOW, injection)}
    (message,) = list_messages(told, {"u1": (Mailbox("new@example.org"), injection)}, NOW)
    assert (message.attendee.address, message.sequence, message.is_update) == ("new@example.org", 4, False)
    assert list(list_messages(told, {"u1": (Mailbox("Ada@Example.org"), injection)}, NOW)) == []


publications = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2), max_size=4), st.integers(-5, 5)), max_size=6
)


@settings(max_examples=80, deadline=None)
@given(published=publications)
def test_the_sum_of_all_messages_is_always_what_stands(published: list[tuple[dict[str, int], int]]) -> None:
    at = datetime(2026, 12, 1, 14, tzinfo=UTC)
    base = Appointment(at, at + HOUR, "B", "", "S", 15, None, (), "C", (), 0, "America/New_York", "Clinic")
    told: dict[str, Invitation] = {}
    last: dict[str, InviteMessage] = {}
    now = NOW
    for standing_hours, clock_step in published:
        now += timedelta(hours=clock_step)  # the clock may go back
        standing: Standing = {uid: (ADA, moved(base, hours * HOUR)) for uid, hours in standing_hours.items()}
        sent = list(list_messages(told, standing, now))
        for message in sent:
            earlier = last.get(message.uid)
            assert earlier is None or (message.sequence > earlier.sequence and message.stamp > earlier.stamp)
            last[message.uid] = message
        told = after(told, sent)
        assert {uid: one.told for uid, one in told.items() if one.told} == {uid: one for uid, (_, one) in standing.items()}
        assert list(list_messages(told, standing, now)) == []
    assert len(last) <= len({uid for hours, _ in published for uid in hours})


def test_stamps_go_on_when_the_clock_goes_back() -> None:
    assert make_stamp(None, NOW) == NOW.replace(microsecond=0)
    assert make_stamp(NOW + HOUR, NOW) == NOW.replace(microsecond=0) + HOUR + timedelta(seconds=1)
    assert make_stamp(NOW - HOUR, NOW) == NOW.replace(microsecond=0)


# --------------------------------------------------------------------------------------------------- what they say


def test_a_request_asks_its_one_attendee_and_names_the_organizer(injection: Appointment) -> None:
    (message,) = list_messages({}, {"u1@clinic": (ADA, injection)}, NOW)
    calendar, event = read(message)
    assert (calendar["METHOD"], event["STATUS"], event["TRANSP"], event["CLASS"]) == (
        "REQUEST",
        "CONFIRMED",
        "OPAQUE",
        "PRIVATE",
    )
    assert (event["UID"], event["SEQUENCE"], event["DTSTAMP"].dt) == ("u1@clinic", 0, NOW.replace(microsecond=0))
    assert event["ORGANIZER"] == "mailto:appointments@clinic.example"
    assert event["ATTENDEE"] == "mailto:ada@example.org", "one, and not a list of them"
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (injection.starts_at - HOUR / 2, injection.ends_at), (
        "from the arrival on"
    )
    assert "before the start at 9:15 AM" in str(event["DESCRIPTION"])
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE", "VEVENT"]
    alarms = event.walk("VALARM")
    assert [(alarm["ACTION"], alarm["TRIGGER"].dt) for alarm in alarms] == [("DISPLAY", -24 * HOUR), ("DISPLAY", -2 * HOUR)]
    assert {str(alarm["DESCRIPTION"]) for alarm in alarms} == {str(event["SUMMARY"])}, "no clinical word on a locked screen"


@pytest.mark.parametrize(
    ("free_minutes", "arrives"),
    [(None, "8:45 AM, 30"), (-90, "8:45 AM, 30"), (-20, "8:55 AM, 20"), (0, "9:15 AM, when"), (15, "9:15 AM, when")],
)
def test_whoever_comes_from_another_appointment_arrives_when_that_is_over(
    scenario: Scenario, free_minutes: int | None, arrives: str
) -> None:
    start = datetime(2026, 12, 1, 14, 15, tzinfo=UTC)
    free_at = None if free_minutes is None else start + timedelta(minutes=free_minutes)
    times = (start, start + HOUR / 2)
    one = make_appointment(scenario.clinic, "epidural-steroid-injection", "wang", *times, free_at=free_at)
    (message,) = list_messages({}, {"u1": (ADA, one)}, NOW)
    event = read(message)[1]
    assert f"When to arrive: {arrives}" in str(event["DESCRIPTION"])
    assert event["DTSTART"].dt == one.arrives_at


def test_a_cancellation_is_of_the_same_event_and_says_so(injection: Appointment) -> None:
    told = Invitation("u1@clinic", ADA, 4, NOW, injection)
    message = make_message(told, None, NOW)
    assert message is not None
    calendar, event = read(message)
    assert (calendar["METHOD"], event["STATUS"], event["UID"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", "u1@clinic", 5)
    assert event["TRANSP"] == "TRANSPARENT"
    assert "RSVP" not in event["ATTENDEE"].params
    assert not event.walk("VALARM")
    assert "cancelled" in str(event["DESCRIPTION"])
    assert "What to bring" not in str(event["DESCRIPTION"])


def test_a_patient_is_told_where_when_to_arrive_what_to_bring_whom_and_what_to_hold(injection: Appointment) -> None:
    (message,) = list_messages({}, {"u1": (ADA, injection)}, NOW)
    told = str(read(message)[1]["DESCRIPTION"])
    parts = ("Where: Wang", "When to arrive: 8:45 AM", "What to bring:", "drives you home", "blood thinner", "617-726-8810")
    for part in parts:
        assert part in told


def test_heading_and_place_have_no_clinical_word(scenario: Scenario) -> None:
    start = datetime(2026, 12, 1, 14, 15, tzinfo=UTC)
    one = make_appointment(scenario.clinic, "cancer-consult", "yawkey", start, start + HOUR)
    (message,) = list_messages({}, {"u1": (ADA, one)}, NOW)
    _, event = read(message)
    shown = f"{event['SUMMARY']} {event['LOCATION']}".casefold()
    assert not [word for word in ("cancer", "consult", "pain consultation") if word in shown]
    assert "cancer" in str(event["DESCRIPTION"]).casefold(), "control: the building's full name is told inside"


def test_both_of_two_hours_of_one_name_are_written_as_instants(injection: Appointment) -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 1:30 for the first time
    for start, written in (
        (first, b"DTSTART:20261101T053000Z"),
        (first + HOUR, b"DTSTART:20261101T063000Z"),
    ):
        one = replace(injection, starts_at=start, ends_at=start + 3 * HOUR, arrive_minutes=0)
        (message,) = list_messages({}, {"u1": (ADA, one)}, NOW)
        assert written in make_scheduling_object(message, CLINIC)
        assert read(message)[1]["DTSTART"].dt.astimezone(UTC) == start


def test_an_appointment_survives_being_kept_as_json(injection: Appointment) -> None:
    assert Appointment.from_document(injection.document()) == injection
    assert Appointment.from_document(injection.document()).document() == injection.document()


@pytest.mark.parametrize(
    ("service", "location", "kind"), [("nothing", "wang", "service"), ("cancer-consult", "mars", "location")]
)
def test_an_unknown_service_or_location_is_refused(scenario: Scenario, service: str, location: str, kind: str) -> None:
    with pytest.raises(UnknownId) as caught:
        make_appointment(scenario.clinic, service, location, NOW, NOW + HOUR)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c",
        "a@b\r\nBcc: x@y",
        "a@b\n",
        "a\u00a0b@b.c",
        "a\u200b@b.c",
        "a@é.c",
        '"a"@b',
        "a@b, c@d",
        "a" * 65 + "@b",
        "a..b@c",
    ],
)
def test_what_is_no_address_becomes_no_mailbox(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Mailbox(address)


def test_control_usual_addresses_become_mailboxes() -> None:
    for address in ("a@b", "first.last+tag@mail.example.org", "o'neil@x-y.example"):
        assert Mailbox(address).uri == f"mailto:{address}"
