"""A partner is told what it does not know, in an order that it understands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.hl7.appointments import ENDED, PartnerAppointment, Status, Trigger, next_event

NINE = datetime(2026, 11, 30, 15, tzinfo=UTC)
BOOKED = PartnerAppointment("v-1", "pat", "follow-up", NINE, NINE + timedelta(minutes=30), "wang", "wang-1", ("ana",))


def moved(appointment: PartnerAppointment, hours: int = 1) -> PartnerAppointment:
    later = timedelta(hours=hours)
    return replace(appointment, starts_at=appointment.starts_at + later, ends_at=appointment.ends_at + later)


def status(value: str) -> PartnerAppointment:
    return replace(BOOKED, status=Status(value))


def events(told: PartnerAppointment | None, stands: PartnerAppointment | None) -> list[tuple[str, str]]:
    """Return the triggers and states of all messages until nothing is left to say."""
    said = []
    while (event := next_event(told, stands)) is not None:
        assert len(said) < 5, "it never ends"
        said.append((event.trigger.value, event.appointment.status.value))
        told = event.appointment
    return said


@pytest.mark.parametrize(
    ("told", "stands", "said"),
    [
        (None, BOOKED, [("S12", "booked")]),
        (None, None, []),
        (None, status("cancelled"), []),
        (None, status("arrived"), [("S12", "booked"), ("S14", "arrived")]),
        (None, status("no-show"), [("S12", "booked"), ("S26", "no-show")]),
        (BOOKED, BOOKED, []),
        (BOOKED, moved(BOOKED), [("S13", "booked")]),
        (BOOKED, moved(status("arrived")), [("S13", "booked"), ("S14", "arrived")]),
        (BOOKED, replace(BOOKED, room="wang-2"), [("S14", "booked")]),
        (BOOKED, replace(BOOKED, team=("ben",)), [("S14", "booked")]),
        (BOOKED, status("done"), [("S14", "done")]),
        (BOOKED, status("no-show"), [("S26", "no-show")]),
        (status("no-show"), status("arrived"), [("S14", "arrived")]),
        (BOOKED, status("cancelled"), [("S15", "cancelled")]),
        (BOOKED, status("deleted"), [("S17", "deleted")]),
        (BOOKED, None, [("S15", "cancelled")]),
        (status("cancelled"), status("deleted"), []),
        (status("cancelled"), BOOKED, [("S12", "booked")]),
    ],
)
def test_a_partner_is_told_step_by_step(
    told: PartnerAppointment | None, stands: PartnerAppointment | None, said: list[tuple[str, str]]
) -> None:
    assert events(told, stands) == said


def test_a_cancellation_tells_of_the_time_that_is_known() -> None:
    event = next_event(BOOKED, replace(moved(BOOKED), status=Status.CANCELLED))
    assert event is not None
    assert event.appointment.starts_at == NINE


APPOINTMENTS = st.none() | st.builds(
    replace,
    st.sampled_from([BOOKED, moved(BOOKED)]),
    room=st.sampled_from([None, "wang-1"]),
    placer=st.sampled_from(["", "P-1"]),
    status=st.sampled_from(Status),
)


@given(APPOINTMENTS, APPOINTMENTS)
def test_the_messages_end_and_leave_nothing_untold(told: PartnerAppointment | None, stands: PartnerAppointment | None) -> None:
    known, said = told, 0
    while (event := next_event(known, stands)) is not None:
        known, said = event.appointment, said + 1
        assert said <= 3
    over = (None, *ENDED)
    assert known == stands or {getattr(known, "status", None), getattr(stands, "status", None)} <= set(over)


@given(APPOINTMENTS.filter(lambda appointment: appointment is not None))
def test_what_is_kept_is_read_again(appointment: PartnerAppointment) -> None:
    assert PartnerAppointment.of(json.loads(json.dumps(appointment.document()))) == appointment


def test_triggers_are_those_of_the_standard() -> None:
    assert [trigger.value for trigger in Trigger] == ["S12", "S13", "S14", "S15", "S16", "S17", "S26"]
