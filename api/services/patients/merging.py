"""Two records of one patient become one, and two again on the same day.

Whatever was of the one is of the other then: visits, bookings, episodes, seats, referrals out, invitations and calendars.
Who and when it was that the other record says stays; what it does not know it takes over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.messages.notifications import notify_bookings
from api.services.records import write_audit
from api.services.weeks.conflicts import AffectedBooking, Conflicts, find_conflicts, raise_tasks
from api.store.queries import merges, people, periods, requests
from api.store.queries.merges import Moved
from api.store.tables import BookingRow, EpisodeRow, PatientRow
from scheduling.errors import Fault, InvalidFile

TAKEN_OVER = ("birth_date", "email")
"""What the record that stays takes from the other where it does not know it."""


@dataclass(frozen=True, slots=True)
class MergedPatient:
    """What went from one record to another, and what of it overlaps now, each a task."""

    patient: str
    into: str
    visits: tuple[str, ...]
    groups: tuple[str, ...]
    episodes: tuple[str, ...]
    concerns: tuple[AffectedBooking, ...]


def merge_patients(session: Session, by: Actor, patient: str, into: str, now: datetime) -> MergedPatient:
    """Let a record be another's: all that is of the one patient is of the other.

    Raises
    ------
    UnknownId
        When there is no such patient.
    Conflict
        When the record was merged already.
    InvalidFile
        When the other one is the same, unknown, or merged itself.
    """
    row, kept = _expect_two(session, patient, into)
    asking, before = _note_conflicts(session, (patient, into), now)
    moved = merges.move_all(session, patient, into, now)
    moved["taken_over"] = _take_over(row, kept)
    row.merged_into = into
    for record in (row, kept):
        record.version += 1
        session.add(record)
    merge = merges.add_merge(session, patient, into, moved, by.id, now)
    concerns = _settle(session, asking, before, moved, now)
    write_audit(session, by, "patient.merge", "patient", patient, now, into=into, merge=merge.id, visits=len(moved["visits"]))
    groups = (booking.subject_id for booking in merges.list_bookings(session, moved) if booking.kind == "group")
    episodes = moved[EpisodeRow.__tablename__]
    return MergedPatient(patient, into, tuple(moved["visits"]), tuple(groups), tuple(episodes), tuple(concerns))


def undo_merge(session: Session, by: Actor, patient: str, now: datetime) -> PatientRow:
    """Let a record that was merged today be its own again, with all that moved.

    Raises
    ------
    UnknownId
        When there is no such patient.
    Conflict
        When the record is not merged, was on another day, or the other one was merged itself since.
    """
    row, merge = people.get_patient(session, patient), merges.find_merge(session, patient)
    if merge is None:
        raise Conflict(f'patient "{patient}" is merged into nobody')
    kept, zone = people.get_patient(session, merge.into_id), periods.get_zone(session)
    merged_on = zone.wall(merge.merged_at).date()
    if merged_on != zone.wall(now).date():
        raise Conflict(f"the merge of {merged_on} can be undone on the same day alone")
    if kept.merged_into is not None:
        raise Conflict(f'patient "{kept.id}" was merged into "{kept.merged_into}" since: undo that first')
    asking, before = _note_conflicts(session, (patient, kept.id), now)
    merges.move_back(session, merge, now)
    for name in merge.moved["taken_over"]:
        setattr(kept, name, None)
    row.merged_into = None
    merge.undone_at, merge.undone_by = now, by.id
    for record in (row, kept):
        record.version += 1
    session.add_all((row, kept, merge))
    _settle(session, asking, before, merge.moved, now)
    write_audit(session, by, "patient.unmerge", "patient", patient, now, into=kept.id, merge=merge.id)
    return row


def _expect_two(session: Session, patient: str, into: str) -> tuple[PatientRow, PatientRow]:
    row = people.get_patient(session, patient)
    if row.merged_into is not None:
        raise Conflict(f'patient "{patient}" was merged into "{row.merged_into}" already')
    if patient == into:
        raise InvalidFile("body", [Fault("body.into", "is the same record")])
    if not people.is_known(session, into):
        raise InvalidFile("body", [Fault("body.into", f'unknown patient "{into}"')])
    kept = people.get_patient(session, into)
    if kept.merged_into is not None:
        raise InvalidFile("body", [Fault("body.into", f'was merged into "{kept.merged_into}": name that one')])
    return row, kept


def _note_conflicts(session: Session, patients: Collection[str], now: datetime) -> tuple[list[str], Conflicts]:
    """Return the periods that some patients are asked for in, and what of them breaks rules as it stands."""
    asking = sorted({period for patient in patients for period in requests.list_periods_of_patient(session, patient)})
    return asking, find_conflicts(session, asking, now)


def _take_over(row: PatientRow, kept: PatientRow) -> list[str]:
    names = [name for name in TAKEN_OVER if getattr(kept, name) is None and getattr(row, name) is not None]
    for name in names:
        setattr(kept, name, getattr(row, name))
    return names


def _settle(session: Session, asking: Collection[str], before: Conflicts, moved: Moved, now: datetime) -> list[AffectedBooking]:
    """Hold periods valid after a move, raise a task for what overlaps, and tell patients where they are written to now."""
    session.flush()
    for period in asking:
        periods.touch(session, period)
        periods.load_scenario(session, period)
    concerns = raise_tasks(session, before, asking, now)
    notify_bookings(session, _list_to_come(session, moved, now), now)
    return concerns


def _list_to_come(session: Session, moved: Moved, now: datetime) -> list[BookingRow]:
    return [booking for booking in merges.list_bookings(session, moved) if booking.starts_at > now]
