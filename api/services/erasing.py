"""A patient's data, deleted when the law asks for it.

What is to come has to be cancelled first, as the desk cancels, and told to the patient and to partners: a deletion tells
nobody. Then every row of theirs goes; plans and scenarios that are kept as they were hold a stand-in without a name. The audit
stays: it tells by ids what was done, and that it was deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.access.credentials import Signer
from api.runtime.exceptions import Conflict, ErrorDetail
from api.services.erasure_reasons import ErasureReason
from api.services.patients.finding import get_unmerged
from api.services.records import AuditFilter, list_audit, write_audit
from api.store import erasures
from api.store.queries import bookings, people, periods, requests
from api.store.queries.patient_data import Rows, delete_rows, find_rows, list_records
from api.store.stand_ins import StandIns, put_into_all
from api.store.tables import BookingRow

ERASED = "patient.erase"

ENTRIES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ErasedPatient:
    """What was deleted: how many rows, by table; and how many others named the patient, and name a stand-in now."""

    patient: str
    deleted: dict[str, int]
    changed: int


def erase_patient(
    session: Session, signer: Signer, by: Actor, patient: str, reason: ErasureReason, now: datetime
) -> ErasedPatient:
    """Delete all that is kept of a patient, but for the audit.

    Raises
    ------
    UnknownId
        When there is no such patient.
    Conflict
        When the record was merged into another, or something of the patient is to come or under way; the details name each.
    """
    get_unmerged(session, patient)
    records = list_records(session, patient)
    rows = find_rows(session, records)
    if in_the_way := list(_list_obstacles(session, signer, records, rows, now)):
        raise Conflict(f'something of patient "{patient}" is to come or under way', in_the_way)
    erased = _erase(session, signer, patient, records, rows, now)
    detail = {"reason": reason.value, "deleted": sum(erased.deleted.values()), "changed": erased.changed}
    write_audit(session, by, ERASED, "patient", patient, now, **detail)
    return erased


def erase_again(session: Session, signer: Signer, by: Actor, now: datetime) -> list[str]:
    """Delete those patients again whom a restore has brought back, whatever is to come of them, and return their ids."""
    after, again = 0, []
    while entries := list_audit(session, AuditFilter(action=ERASED), after, ENTRIES_AT_ONCE):
        after = entries[-1].sequence
        for entry in entries:
            patient = entry.object_id
            if people.is_known(session, patient) and people.get_patient(session, patient).created_at <= entry.at:
                records = list_records(session, patient)
                _erase(session, signer, patient, records, find_rows(session, records), now)
                again.append(patient)
    for patient in again:
        write_audit(session, by, ERASED, "patient", patient, now, reason="restored")
    return again


def _erase(
    session: Session, signer: Signer, patient: str, records: Collection[str], rows: Rows, now: datetime
) -> ErasedPatient:
    touched = _list_periods(records, rows, session)
    stand_ins = StandIns.of([*records, *_ids(rows, "visits"), *_ids(rows, "episodes")])
    erasures.leave_groups(session, records, now)
    delete_rows(session, rows)
    erasures.delete_naming(session, stand_ins, signer.opened)
    changed = put_into_all(session, stand_ins)
    session.expire_all()
    for period in touched:
        periods.touch(session, period)
    return ErasedPatient(patient, {name: len(found) for name, found in rows.items()}, changed)


def _list_periods(records: Collection[str], rows: Rows, session: Session) -> list[str]:
    asking = {period for patient in records for period in requests.list_periods_of_patient(session, patient)}
    return sorted(asking.union(row["period_id"] for row in rows.get(BookingRow.__tablename__, ())))


def _ids(rows: Rows, table: str) -> list[str]:
    return [row["id"] for row in rows.get(table, ())]


def _list_obstacles(
    session: Session, signer: Signer, records: Collection[str], rows: Rows, now: datetime
) -> Iterator[ErrorDetail]:
    """Yield what has to end before a patient can be deleted."""
    zone = periods.get_zone(session)
    for patient in records:
        for standing in bookings.list_of_patient(session, patient):
            if standing.row.ends_at > now:
                start = zone.wall(standing.row.starts_at)
                yield ErrorDetail(
                    f'{standing.row.kind} "{standing.row.subject_id}" on {start:%Y-%m-%d at %H:%M}: cancel it first'
                )
    for message in (*rows.get("messages", ()), *rows.get("hl7_messages_out", ())):
        if message["state"] in ("waiting", "sending"):
            yield ErrorDetail(f'message "{message["id"]}" has not left yet: wait until it has')
    for number in erasures.list_unread(session, records, signer.opened):
        yield ErrorDetail(f"HL7 message {number} has come and is not done yet: wait until it is")
    for job in erasures.list_running(session, StandIns.of([*records, *_ids(rows, "visits")])):
        yield ErrorDetail(f'plan "{job}" is being made: wait for it, or cancel it')
