"""An outbox in tests: what waits in it, a server that takes or refuses it, and a calendar that reads what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from api.services.accounts.accounts import SYSTEM
from api.services.patients.contacts import set_address
from api.store.database import Database
from api.store.queries import messages
from api.store.queries.messages import AppointmentNotice, Claimed
from api.store.tables import InvitationRow, MessageRow

LEASE = timedelta(minutes=5)


def address_of(patient: str) -> str:
    """Return the address of a patient of the tests."""
    return f"{patient}@patients.example"


def give_addresses(database: Database, now: datetime, *patients: str) -> None:
    """Give patients addresses."""
    with database.writing() as session:
        for patient in patients:
            set_address(session, SYSTEM, patient, address_of(patient), now)


def waiting(database: Database) -> list[tuple[str, str, int]]:
    """Return what waits: patient, method and SEQUENCE."""
    with database.reading() as session:
        query = select(MessageRow, InvitationRow).join(InvitationRow).where(MessageRow.state == "waiting")
        rows = session.exec(query.order_by(col(InvitationRow.patient_id), col(MessageRow.created_at)))
        return [(row.patient_id, message.method, message.sequence) for message, row in rows]


def send_all(database: Database, now: datetime) -> list[Claimed]:
    """Send all that is due, as a courier does; return it in its order."""
    taken = []
    with database.writing() as session:
        while (claimed := messages.claim_next(session, "courier", now, LEASE)) is not None:
            messages.mark_sent(session, claimed.message.id, now)
            taken.append(claimed)
    return taken


@dataclass
class Calendar:
    """A patient's calendar program: it applies what is newer than what it knows, and nothing else.

    References
    ----------
    RFC 5546, section 2.1.5: of two messages about one UID the higher SEQUENCE holds, then the newer DTSTAMP.
    """

    known: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    shown: dict[str, AppointmentNotice] = field(default_factory=dict)

    def take(self, claimed: Claimed) -> bool:
        """Apply a message; say whether it changed anything."""
        uid, version = claimed.invitation.uid, (claimed.message.sequence, claimed.message.stamp)
        if uid in self.known and version <= self.known[uid]:
            return False
        before, self.known[uid] = dict(self.shown), version
        if claimed.message.method == "CANCEL":
            self.shown.pop(uid, None)
        else:
            self.shown[uid] = claimed.tells
        return self.shown != before


def all_messages(session: Session) -> list[MessageRow]:
    """Return every message, the oldest first."""
    return list(session.exec(select(MessageRow).order_by(col(MessageRow.created_at), col(MessageRow.id))))
