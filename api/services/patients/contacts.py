"""Where patients are written to: an address of the store alone, which no scenario, plan or calendar holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.messages.notifications import notify_patient
from api.services.patients.finding import get_unmerged
from api.services.records import write_audit
from api.store.queries import people
from api.store.rows import expect_version
from api.store.tables import PatientRow
from calendars.mailbox import compose_address, is_address
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.names import compose_id


def get_contact(session: Session, patient: str) -> PatientRow:
    """Return a patient with the address. Raises ``UnknownId``."""
    return people.get_patient(session, patient)


def set_address(
    session: Session, by: Actor, patient: str, email: str | None, now: datetime, version: int | None = None
) -> PatientRow:
    """Set, change or remove a patient's address; at a new one they are told of all that is ahead of them.

    Raises
    ------
    UnknownId
        When there is no such patient.
    InvalidFile
        When it is no address.
    Conflict
        When the record was merged into another.
    StaleVersion
        When somebody else has changed the patient.
    """
    email = None if email is None else compose_address(email)
    if email is not None and not is_address(email):
        raise InvalidFile("contact", [Fault("email", "is no mail address")])
    row = get_unmerged(session, patient)
    expect_version(row, "patient", patient, version)
    if row.email == email:
        return row
    row.email = email
    row.version += 1
    session.add(row)
    session.flush()
    told = notify_patient(session, patient, now)
    write_audit(session, by, "patient.contact", "patient", patient, now, has_address=email is not None, messages=told)
    return row


def set_addresses(session: Session, by: Actor, addresses: Mapping[str, str | None], now: datetime) -> int:
    """Set the addresses of several patients, all or none, and return how many were new.

    Raises
    ------
    InvalidFile
        With each that is no address, or of nobody.
    """
    faults, changed = [], 0
    for patient, email in ((compose_id(given), email) for given, email in addresses.items()):
        try:
            before = people.get_patient(session, patient).version
            changed += set_address(session, by, patient, email or None, now).version != before
        except UnknownId:
            faults.append(Fault(patient, "is no patient"))
        except Conflict as error:
            faults.append(Fault(patient, str(error)))
        except InvalidFile as error:
            faults += [Fault(patient, fault.message) for fault in error.faults]
    if faults:
        raise InvalidFile("contacts", faults)
    return changed
