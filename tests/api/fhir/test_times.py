"""In weeks in which clocks change, FHIR, HL7 and calendars tell the same instants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select
from support import factories
from support.factories import booking, visit
from support.hospital import Hospital, hospital_at
from support.partners import partner

from api.hl7.appointments import AppointmentEvent, Trigger
from api.hl7.charsets import decoded
from api.hl7.codec import Message
from api.hl7.fhir_appointments import make_partner_appointment
from api.hl7.outbox import standing_appointments
from api.hl7.siu import NamedPatient, make_siu
from api.store.tables import BookingRow

BOSTON = ZoneInfo("America/New_York")
CHANGES = [date(2026, 11, 1), date(2027, 3, 14)]
"""Sundays on which the clocks change."""


@contextmanager
def clinic_around(url: str, change: date) -> Iterator[tuple[Hospital, dict[str, datetime]]]:
    """Open a clinic in which a visit stands on the Friday before clocks change, and one on the Monday after."""
    days = {"before": change - timedelta(days=2), "after": change + timedelta(days=1)}
    week = factories.week(days=[day.isoformat() for day in days.values()])
    asked = factories.scenario(
        *(visit(name, "pat") for name in days),
        horizon={"start": (change - timedelta(days=6)).isoformat(), "end": (change + timedelta(days=6)).isoformat()},
        providers=factories.people(factories.provider("ana", shifts=week)),
    )
    plan = factories.plan(asked, *(booking(name, f"{day.isoformat()} 09:00") for name, day in days.items()))
    now = datetime.combine(change - timedelta(days=5), datetime.min.time(), UTC)
    starts = {name: datetime(day.year, day.month, day.day, 9, tzinfo=BOSTON).astimezone(UTC) for name, day in days.items()}
    with hospital_at(url, asked, plan, now) as hospital:
        yield hospital, starts


@pytest.mark.parametrize("change", CHANGES)
def test_all_tell_the_same_instants(sqlite_url: str, change: date) -> None:
    with clinic_around(sqlite_url, change) as (hospital, starts):
        assert starts["after"] - starts["before"] != timedelta(days=3), "the clocks do not change between them"
        for name, start in starts.items():
            told = [hospital.get(f"Appointment/{name}")["start"], *read_messages(hospital, name)]
            assert [datetime.fromisoformat(text).astimezone(UTC) for text in told] == [start] * 3, name
        assert read_calendar(hospital) == sorted(starts.values())


def read_messages(hospital: Hospital, name: str) -> Iterator[str]:
    """Yield the start of a visit as partners are told, by FHIR and by HL7."""
    with hospital.desk.context.database.reading() as session:
        row = session.exec(select(BookingRow).where(BookingRow.subject_id == name)).one()
        (told,) = standing_appointments(session, "hospital", row).values()
    yield make_partner_appointment(told, partner())["start"]
    message = make_siu(AppointmentEvent(Trigger.BOOKED, told), NamedPatient("pat", "Pat"), partner(), "C-1", datetime.now(UTC))
    timing = Message.parse(decoded(message)[0]).first("TQ1")
    assert timing is not None
    yield datetime.strptime(timing.raw(7), "%Y%m%d%H%M%S%z").isoformat()


def read_calendar(hospital: Hospital) -> list[datetime]:
    """Return when the events of the staff's calendar begin."""
    made = hospital.desk.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"})
    text = hospital.desk.client.get(urlsplit(made.json()["url"]).path).text
    starts = re.findall(r"BEGIN:VEVENT.*?DTSTART;TZID=([^:]+):(\d{8}T\d{6})", text, re.DOTALL)
    return sorted(
        datetime.strptime(when, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for zone, when in starts
    )
