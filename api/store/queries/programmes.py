"""The queries about programmes: who has a seat, who waits for one, and the sessions that have been."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from api.store.queries.periods import get_zone
from api.store.rows import get_row, put
from api.store.tables import AttendanceRow, BookingRow, MemberRow, OccupancyRow, ProgrammeRow, WaitingRow
from scheduling.care.programmes import Programme
from scheduling.fields import Priority

PEOPLE = ("members", "waiting", "sessions")
"""The fields of a programme that are no part of its own document."""


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A session that has been or stands: its booking, who has a place, and of them those who did not come."""

    booking: str
    starts_at: datetime
    date: date
    seats: tuple[str, ...]
    absent: frozenset[str]

    @property
    def attended(self) -> list[str]:
        """Those who came, or are to come."""
        return [who for who in self.seats if who not in self.absent]


def get_programme(session: Session, identifier: str) -> ProgrammeRow:
    """Return a programme's row. Raises ``UnknownId``."""
    return get_row(session, ProgrammeRow, "programme", identifier)


def put_programmes(session: Session, programmes: Iterable[Programme]) -> None:
    """Add programmes, or bring known ones to what is given, but for their people and sessions."""
    rows = (dict(id=programme.id, document=programme.model_dump_json(exclude=set(PEOPLE))) for programme in programmes)
    put(session, ProgrammeRow, rows)


def list_ids(session: Session) -> set[str]:
    """Return the ids of all programmes."""
    return set(session.exec(select(ProgrammeRow.id)))


@dataclass(frozen=True, slots=True)
class ListedProgramme:
    """A programme and how many have a seat in it and wait for one."""

    id: str
    name: str
    members: int
    waiting: int


def list_programmes(session: Session, after: str, count: int) -> list[ListedProgramme]:
    """Return programmes by id, those after one, without reading their people."""
    ordered = select(ProgrammeRow).where(ProgrammeRow.id > after).order_by(col(ProgrammeRow.id)).limit(count)
    rows = list(session.exec(ordered))
    seats, queues = (_count_people(session, people, [row.id for row in rows]) for people in (MemberRow, WaitingRow))
    return [
        ListedProgramme(row.id, json.loads(row.document)["name"], seats.get(row.id, 0), queues.get(row.id, 0)) for row in rows
    ]


def _count_people(session: Session, people: type[MemberRow] | type[WaitingRow], programmes: Collection[str]) -> dict[str, int]:
    of = col(people.programme_id)
    return dict(session.exec(select(of, func.count()).where(of.in_(programmes)).group_by(of)).all())


def load(session: Session) -> tuple[Programme, ...]:
    """Return every programme with its people and its sessions, by id."""
    people: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for seated in session.exec(select(MemberRow).order_by(col(MemberRow.since), col(MemberRow.patient_id))):
        seat = {"patient": seated.patient_id, "priority": seated.priority, "since": seated.since, "until": seated.until}
        people[seated.programme_id, "members"].append(seat)
    for queued in session.exec(select(WaitingRow).order_by(col(WaitingRow.since), col(WaitingRow.patient_id))):
        wish = {"patient": queued.patient_id, "priority": queued.priority, "since": queued.since}
        people[queued.programme_id, "waiting"].append(wish)
    rows = list(session.exec(select(ProgrammeRow).order_by(col(ProgrammeRow.id))))
    met = list_sessions(session, [row.id for row in rows])
    documents = (
        {
            **json.loads(row.document),
            "members": people[row.id, "members"],
            "waiting": people[row.id, "waiting"],
            "sessions": [{"date": held.date, "attended": held.attended} for held in met[row.id]],
        }
        for row in rows
    )
    return tuple(Programme.model_validate_json(json.dumps(document, default=str)) for document in documents)


def list_sessions(session: Session, programmes: Collection[str]) -> dict[str, list[HeldSession]]:
    """Return the sessions of programmes that have been or stand, in order."""
    query = select(BookingRow).where(BookingRow.kind == "group", BookingRow.state != "cancelled")
    rows = list(session.exec(query.order_by(col(BookingRow.starts_at))))
    taken = select(OccupancyRow.booking_id, OccupancyRow.resource_id).where(OccupancyRow.kind == "patient")
    taken = taken.join(BookingRow, col(BookingRow.id) == col(OccupancyRow.booking_id)).where(BookingRow.kind == "group")
    seats: dict[str, list[str]] = defaultdict(list)
    for booking, patient in session.exec(taken.order_by(col(OccupancyRow.position))):
        seats[booking].append(patient)
    missed = select(AttendanceRow.booking_id, AttendanceRow.patient_id).where(col(AttendanceRow.came).is_(False))
    absent = {(booking, patient) for booking, patient in session.exec(missed)}
    owners = {f"{programme}-{row.month}": programme for row in rows for programme in programmes}
    wall = get_zone(session).wall
    met: dict[str, list[HeldSession]] = {programme: [] for programme in programmes}
    for row in rows:
        if row.subject_id in owners:
            away = frozenset(who for booking, who in absent if booking == row.id)
            held = HeldSession(row.id, row.starts_at, wall(row.starts_at).date(), tuple(seats[row.id]), away)
            met[owners[row.subject_id]].append(held)
    return met


def add_waiting(session: Session, programme: str, patient: str, priority: Priority, since: date) -> None:
    """Let a patient wait for a seat. Raises ``AlreadyThere``."""
    session.add(WaitingRow(programme_id=programme, patient_id=patient, priority=priority, since=since))


def waiting_and_members(session: Session, patients: Collection[str], day: date) -> set[tuple[str, str]]:
    """Return the programmes that patients wait for, or have a seat in from a day on, with the patients."""
    waits = select(WaitingRow.programme_id, WaitingRow.patient_id).where(col(WaitingRow.patient_id).in_(list(patients)))
    seats = select(MemberRow.programme_id, MemberRow.patient_id).where(col(MemberRow.patient_id).in_(list(patients)))
    seats = seats.where(col(MemberRow.until).is_(None) | (col(MemberRow.until) > day))
    return {(programme, who) for query in (waits, seats) for programme, who in session.exec(query)}


def put_people(session: Session, before: Programme, after: Programme) -> None:
    """Make who has a seat in a programme, and who waits for one, as it is after a change."""
    gone = {entry.patient for entry in before.waiting} - {entry.patient for entry in after.waiting}
    session.exec(delete(WaitingRow).where(col(WaitingRow.programme_id) == after.id, col(WaitingRow.patient_id).in_(gone)))
    put(
        session,
        MemberRow,
        (
            dict(programme_id=after.id, patient_id=seat.patient, since=seat.since, until=seat.until, priority=seat.priority)
            for seat in after.members
        ),
    )


def remove_person(session: Session, programme: str, patient: str, day: date) -> bool:
    """End a patient's seat on a day, and their wait for one; say whether there was any."""
    waiting = delete(WaitingRow).where(col(WaitingRow.programme_id) == programme, col(WaitingRow.patient_id) == patient)
    left = bool(session.exec(waiting).rowcount)
    seats = select(MemberRow).where(MemberRow.programme_id == programme, MemberRow.patient_id == patient)
    for seat in session.exec(seats.where(col(MemberRow.until).is_(None) | (col(MemberRow.until) > day))):
        seat.until, left = max(day, seat.since), True
    session.flush()
    return left


def skip_month(session: Session, programme: str, patient: str, month: str) -> None:
    """Let a patient have no seat in a programme for one calendar month; what they have before and after it stays."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    seats = select(MemberRow).where(MemberRow.programme_id == programme, MemberRow.patient_id == patient)
    seats = seats.where(col(MemberRow.since) < following, col(MemberRow.until).is_(None) | (col(MemberRow.until) > first))
    for seat in session.exec(seats).all():
        goes_on = seat.until is None or seat.until > following
        if goes_on:
            session.add(MemberRow(**seat.model_dump(exclude={"since"}), since=following))
        seat.until = max(first, seat.since)
        session.add(seat)
    session.flush()


def note_attendance(session: Session, booking: str, came: Mapping[str, bool], now: datetime) -> None:
    """Note who came to a session and who did not; its booking has another version then."""
    rows = (dict(booking_id=booking, patient_id=who, came=did, noted_at=now) for who, did in came.items())
    put(session, AttendanceRow, rows)
    noted = update(BookingRow).where(col(BookingRow.id) == booking)
    session.exec(noted.values(version=col(BookingRow.version) + 1, updated_at=now))
