"""Programmes: who has a seat and who waits for one, and who came to their sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.records import write_down
from api.store import programmes as store
from api.store.bookings import Change
from api.store.periods import zone
from api.store.rows import expect_version
from scheduling import catalogue
from scheduling.care.programmes import Programme, opened, seated
from scheduling.clinic import Clinic
from scheduling.errors import UnknownId
from scheduling.fields import Model, Positive, Weekday


def open_workshops(session: Session, clinic: Clinic) -> None:
    """Let the catalogue's workshops that a clinic can hold be programmes, where they are not yet."""
    offered, known = {service.id for service in clinic.services}, store.known(session)
    new = (one for one in catalogue.workshops() if one.service in offered and one.id not in known)
    store.put_programmes(session, map(opened, new))


def note_sessions(session: Session, changes: Iterable[Change]) -> None:
    """Give those who waited, and have a place in a session that is published, their seats for some months."""
    placed = [change.after for change in changes if change.row.kind == "group" and change.after is not None]
    if not placed:
        return
    months = catalogue.limits().membership_months
    for before in store.load(session):
        after = before
        for placing in placed:
            _, subject, month = placing.subject
            if subject == f"{before.id}-{month}":
                after = seated(after, month, placing.ids("patient"), months)
        if after is not before:
            store.put_people(session, before, after)


class Changes(Model):
    """What is to be different about a programme; what is left out stays."""

    weekday: Weekday | None = None
    capacity: Positive | None = None
    min_attendees: Positive | None = None
    required: bool | None = None


def change(session: Session, by: Actor, identifier: str, version: int, changes: Mapping[str, Any], now: datetime) -> Programme:
    """Change how a programme meets. Raises ``UnknownId`` and ``StaleVersion``."""
    expect_version(store.row(session, identifier), "programme", identifier, version)
    given = {name: value for name, value in changes.items() if value is not None or name == "weekday"}
    wanted = one(session, identifier).changed(**given)
    store.put_programmes(session, [wanted])
    write_down(session, by, "programme.change", "programme", identifier, now, fields=sorted(changes))
    return wanted


def leave(session: Session, by: Actor, identifier: str, patient: str, now: datetime) -> None:
    """Let a patient have no seat in a programme any more, and wait for none. Raises ``UnknownId``."""
    today = zone(session).wall(now).date()
    if not store.leave(session, store.row(session, identifier).id, patient, today):
        raise UnknownId("member", patient)
    write_down(session, by, "programme.leave", "programme", identifier, now, patient=patient)


def one(session: Session, identifier: str) -> Programme:
    """Return a programme with its people and sessions. Raises ``UnknownId``."""
    store.row(session, identifier)
    return next(found for found in store.load(session) if found.id == identifier)


def note_attendance(session: Session, by: Actor, programme: str, month: str, came: Collection[str], now: datetime) -> None:
    """Note who came to a month's session; the others who had a place did not.

    Raises
    ------
    UnknownId
        When there is no such programme.
    Conflict
        When no session of that month has begun, or somebody who came had no place in it.
    """
    store.row(session, programme)
    found = next((one for one in store.sessions(session, [programme])[programme] if f"{one.date:%Y-%m}" == month), None)
    if found is None or found.starts_at > now:
        raise Conflict(f'no session of "{programme}" in {month} has begun')
    if strange := sorted(set(came) - set(found.seats)):
        raise Conflict(f"had no place in it: {', '.join(strange)}")
    store.note_attendance(session, found.booking, {who: who in came for who in found.seats}, now)
    write_down(session, by, "programme.attendance", "programme", programme, now, month=month, came=sorted(came))
