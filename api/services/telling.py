"""What patients are told: messages written in the transaction that changes their bookings, and sent afterwards.

What stands now is held against what a patient was last told. So whoever stays where they are gets nothing, however often a
plan is published; a change that is changed again before its message is sent gives one message; and what comes and goes
before its message is sent gives none. A place that is only offered is told by nobody here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.store import messages
from api.store.bookings import Change
from api.store.messages import Told
from api.store.tables import BookingRow, InvitationRow, MessageRow

BEGUN = ("arrived", "done", "no-show")
"""States in which there is nothing to tell any more."""

SUPERSEDED, RETURNED = "a newer one takes its place", "it says nothing new"


def tell_changes(session: Session, changes: Iterable[Change], now: datetime) -> int:
    """Write the messages about bookings that were made, changed or cancelled, and return how many."""
    return tell(session, (change.row for change in changes), now)


def tell(session: Session, rows: Iterable[BookingRow], now: datetime) -> int:
    """Write whatever the patients of bookings have not been told yet, and return how many messages that is.

    Call it in the transaction that changes the bookings, once they are as they shall be.
    """
    bookings = [row for row in rows if row.kind != "hold" and row.state not in BEGUN]
    session.flush()
    ids = [row.id for row in bookings]
    attending = messages.patients_of(session, ids)
    invitations = messages.invitations_of(session, ids)
    waiting = messages.waiting_of(session, [row.id for row in invitations.values()])
    known: dict[str, set[str]] = {identifier: set(attending.get(identifier, ())) for identifier in ids}
    for booking_id, patient in invitations:
        known[booking_id].add(patient)
    addresses = messages.addresses(session, set().union(*known.values()))
    desk = _Desk(session, invitations, waiting, addresses, now)
    return sum(
        desk.tell(row, patient, patient in attending.get(row.id, ())) for row in bookings for patient in sorted(known[row.id])
    )


def tell_patient(session: Session, patient: str, now: datetime) -> int:
    """Write what a patient, whose address is new, has not been told there; return how many messages that is."""
    return tell(session, messages.upcoming_of(session, patient, now), now)


@dataclass
class _Desk:
    """What is known of the bookings that are looked at, read at once: a publication changes hundreds."""

    session: Session
    invitations: dict[tuple[str, str], InvitationRow]
    waiting: dict[str, MessageRow]
    addresses: dict[str, str]
    now: datetime

    def tell(self, row: BookingRow, patient: str, attends: bool) -> bool:
        """Write a message to one patient about one booking, if there is anything to say."""
        invitation = self.invitations.get((row.id, patient))
        told = None if invitation is None or invitation.told is None else Told.of(invitation.told)
        wanted = self._wanted(row, patient, attends, told)
        if wanted == told:
            self._drop(invitation, RETURNED)
            return False
        if wanted is not None:
            self._put(invitation or self._begin(row, patient), wanted)
            return True
        assert invitation is not None and told is not None
        return self._withdraw(invitation, told)

    def _wanted(self, row: BookingRow, patient: str, attends: bool, told: Told | None) -> Told | None:
        """Return what the patient should know: of what is past, and of somebody without address, what they know."""
        stands = attends and row.state == "booked"
        if stands and row.starts_at <= self.now:
            return told
        if not stands:
            return None
        address = self.addresses.get(patient)
        return told if address is None else Told(row.service, row.location, row.starts_at, row.ends_at, address)

    def _withdraw(self, invitation: InvitationRow, told: Told) -> bool:
        if told.starts_at <= self.now:
            self._drop(invitation, RETURNED)
            return False
        self._drop(invitation, SUPERSEDED)
        messages.put_message(self.session, invitation, "CANCEL", told, self.now)
        return True

    def _put(self, invitation: InvitationRow, wanted: Told) -> None:
        waiting = self.waiting.get(invitation.id)
        if waiting is not None and waiting.method == "REQUEST" and Told.of(waiting.tells) == wanted:
            return
        self._drop(invitation, SUPERSEDED)
        messages.put_message(self.session, invitation, "REQUEST", wanted, self.now)

    def _begin(self, row: BookingRow, patient: str) -> InvitationRow:
        return messages.add_invitation(self.session, row.id, patient)

    def _drop(self, invitation: InvitationRow | None, reason: str) -> None:
        waiting = None if invitation is None else self.waiting.pop(invitation.id, None)
        if waiting is not None:
            messages.drop(self.session, waiting, reason, self.now)
