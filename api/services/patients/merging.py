"""Two records of one patient become one, and two again on the same day.

Whatever was of the one is of the other then: visits, bookings, episodes, seats, referrals out, invitations and calendars.
Who and when it was that the other record says stays; what it does not know it takes over. When and where they can come is what
both say together: a record that knows of a journey, or of a site out of reach, is right about it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.messages.notifications import notify_bookings
from api.services.records import write_audit
from api.services.weeks.conflicts import AffectedBooking, Conflicts, find_conflicts, raise_tasks
from api.store.queries import merges, people, periods, requests
from api.store.queries.merges import Moved
from api.store.rows import read_document
from api.store.tables import BookingRow, EpisodeRow, PatientRow
from scheduling.errors import Fault, InvalidFile
from scheduling.people import Patient

TAKEN_OVER = ("birth_date", "email")
"""What the record that stays takes from the other where it does not know it."""

WISHES = ("preferred_site", "prefers", "allowed_sites", "unavailable")
"""When and where a patient can and would like to come."""


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
    moved["wishes"] = _join_wishes(row, kept)
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
    _part_wishes(kept, merge.moved.get("wishes", {}))
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


def join_wishes(patient: Patient, other: Patient) -> Patient:
    """Return a patient with the wishes of another record of them: their own first.

    They can be seen when both records say so, and where both do; where those have no site in common, the first record stays.
    """
    both = tuple(site for site in patient.allowed_sites if site in other.allowed_sites)
    return patient.changed(
        preferred_site=patient.preferred_site or other.preferred_site,
        prefers=patient.prefers or other.prefers,
        allowed_sites=both or patient.allowed_sites,
        unavailable=(*patient.unavailable, *(away for away in other.unavailable if away not in patient.unavailable)),
    )


def _join_wishes(row: PatientRow, kept: PatientRow) -> dict[str, list[Any]]:
    """Join the wishes of two records; return what each was that is another now, and what it is, as JSON can hold them."""
    patient = read_document(Patient, kept.document)
    joined = join_wishes(patient, read_document(Patient, row.document))
    kept.document = joined.model_dump_json()
    was, now = patient.model_dump(mode="json"), joined.model_dump(mode="json")
    return {name: [was[name], now[name]] for name in WISHES if was[name] != now[name]}


def _part_wishes(kept: PatientRow, wishes: Mapping[str, Sequence[Any]]) -> None:
    """Give a record its own wishes back, as far as nobody has changed them since."""
    document = json.loads(kept.document)
    own = {name: was for name, (was, joined) in wishes.items() if document[name] == joined}
    kept.document = Patient.model_validate_json(json.dumps(document | own)).model_dump_json()


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
