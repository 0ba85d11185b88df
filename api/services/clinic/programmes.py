"""Programmes: who has a seat and who waits for one, and who came to their sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.records import write_audit
from api.store.queries import programmes as store
from api.store.queries.bookings import BookingChange
from api.store.queries.programmes import ListedProgramme
from api.store.rows import expect_version
from scheduling import catalogue
from scheduling.care.programmes import Programme, open_programme, seat_attendees
from scheduling.clinic import Clinic
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Model, Positive, Weekday


def open_workshops(session: Session, clinic: Clinic) -> None:
    """Open a programme for each workshop of the catalogue that a clinic can hold, where there is none yet."""
    offered, known = {service.id for service in clinic.services}, store.list_ids(session)
    new = (workshop for workshop in catalogue.list_workshops() if workshop.service in offered and workshop.id not in known)
    store.put_programmes(session, map(open_programme, new))


def seat_waiting_patients(session: Session, changes: Iterable[BookingChange]) -> None:
    """Give those who waited, and have a place in a session that is published, their seats for some months."""
    placed = [change.after for change in changes if change.row.kind == "group" and change.after is not None]
    if not placed:
        return
    months = catalogue.get_limits().membership_months
    for before in store.load(session):
        after = before
        for placing in placed:
            _, subject, month = placing.subject
            if subject == before.name_group(month):
                after = seat_attendees(after, month, placing.ids("patient"), months)
        if after is not before:
            store.put_people(session, before, after)


class Changes(Model):
    """What is to be different about a programme; what is left out stays."""

    weekday: Weekday | None = None
    capacity: Positive | None = None
    min_attendees: Positive | None = None
    required: bool | None = None


def list_programmes(session: Session, after: str, count: int) -> list[ListedProgramme]:
    """Return programmes by id, those after one, with how many have a seat and wait."""
    return store.list_programmes(session, after, count)


def get_version(session: Session, identifier: str) -> int:
    """Return the version of a programme. Raises ``UnknownId``."""
    return store.get_programme(session, identifier).version


def change_programme(
    session: Session, by: Actor, identifier: str, version: int, changes: Mapping[str, Any], now: datetime
) -> Programme:
    """Change how a programme meets.

    Raises
    ------
    UnknownId, StaleVersion
        When there is none, or somebody else has changed it.
    InvalidFile
        When no session could ever have as many people as it needs.
    """
    expect_version(store.get_programme(session, identifier), "programme", identifier, version)
    given = {name: value for name, value in changes.items() if value is not None or name == "weekday"}
    wanted = get_programme(session, identifier).changed(**given)
    if wanted.min_attendees > wanted.capacity:
        path = "body.min_attendees" if "min_attendees" in given else "body.capacity"
        told = f"a session needs {wanted.min_attendees} people, and has seats for {wanted.capacity}"
        raise InvalidFile("body", [Fault(path, f"{told}: it could never take place")])
    store.put_programmes(session, [wanted])
    write_audit(session, by, "programme.change", "programme", identifier, now, fields=sorted(changes))
    return wanted


def get_programme(session: Session, identifier: str) -> Programme:
    """Return a programme with its people and sessions. Raises ``UnknownId``."""
    store.get_programme(session, identifier)
    return next(programme for programme in store.load(session) if programme.id == identifier)


def record_attendance(session: Session, by: Actor, programme: str, month: str, came: Collection[str], now: datetime) -> None:
    """Note who came to a month's session; the others who had a place did not.

    Raises
    ------
    UnknownId
        When there is no such programme.
    Conflict
        When no session of that month has begun, or somebody who came had no place in it.
    """
    store.get_programme(session, programme)
    meetings = store.list_sessions(session, [programme])[programme]
    meeting = next((meeting for meeting in meetings if f"{meeting.date:%Y-%m}" == month), None)
    if meeting is None or meeting.starts_at > now:
        raise Conflict(f'no session of "{programme}" in {month} has begun')
    if strange := sorted(set(came) - set(meeting.seats)):
        raise Conflict(f"had no place in it: {', '.join(strange)}")
    store.note_attendance(session, meeting.booking, {patient: patient in came for patient in meeting.seats}, now)
    write_audit(session, by, "programme.attendance", "programme", programme, now, month=month, came=sorted(came))
