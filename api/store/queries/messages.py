"""The queries about what patients are told: invitations, and the outbox of messages that wait, are being sent, or are.

Order is kept for each invitation: at most one of its messages is being sent, and at most one waits behind it. A newer one
takes the place of one that waits, so what was never sent is neither corrected nor cancelled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import delete, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.rows import get_row
from api.store.tables import BookingRow, InvitationRow, MessageRow, OccupancyRow, PatientRow
from api.store.tables.mail import MessageState, Method, Participation
from api.store.tables.plans import OccupancyKind
from calendars.appointments import Appointment
from calendars.invites import InviteMessage
from calendars.mail import make_reference

UID_DOMAIN = "clinicweave"

REMINDER: Method = "REMINDER"

UIDS_AT_ONCE = 500
"""UIDs that one query looks for."""
NO_HOLD = timedelta(0)

OPEN: tuple[MessageState, ...] = ("waiting", "sending")
"""The states of messages that may still be sent."""


@dataclass(frozen=True, slots=True)
class AppointmentNotice:
    """What a message says of an appointment, and to which address: equal ones tell a patient nothing new."""

    appointment: Appointment
    address: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read it as it is kept."""
        return cls(Appointment.from_document(document["appointment"]), document["address"])

    def document(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {"appointment": self.appointment.document(), "address": self.address}

    @property
    def starts_at(self) -> datetime:
        """When the appointment begins."""
        return self.appointment.starts_at


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that a sender has taken, and all that its making depends on.

    ``is_again`` says that a server may have it since an earlier attempt, of which nothing was heard.
    """

    message: MessageRow
    invitation: InvitationRow
    booking: BookingRow
    tells: AppointmentNotice
    is_again: bool


def get_invitation(session: Session, identifier: str) -> InvitationRow:
    """Return an invitation. Raises ``UnknownId``."""
    return get_row(session, InvitationRow, "invitation", identifier)


def find_invitation_by_uid(session: Session, uid: str) -> InvitationRow | None:
    """Return the invitation whose event has a UID."""
    return session.exec(select(InvitationRow).where(InvitationRow.uid == uid)).first()


def find_own_uids(session: Session, uids: Iterable[str]) -> set[str]:
    """Return those of some UIDs that are of the clinic's own events, in staff's calendars or patients'."""
    suffix = f"@{UID_DOMAIN}"
    own: set[str] = set()
    candidates = sorted({uid for uid in uids if uid.endswith(suffix)})
    for at in range(0, len(candidates), UIDS_AT_ONCE):
        chunk = candidates[at : at + UIDS_AT_ONCE]
        bookings = select(BookingRow.id).where(col(BookingRow.id).in_([uid.removesuffix(suffix) for uid in chunk]))
        own.update(f"{identifier}{suffix}" for identifier in session.exec(bookings))
        own.update(session.exec(select(InvitationRow.uid).where(col(InvitationRow.uid).in_(chunk))))
    return own


def list_invitations_of(session: Session, bookings: Iterable[str]) -> dict[tuple[str, str], InvitationRow]:
    """Return the invitations of bookings that have not ended, by booking and patient."""
    query = select(InvitationRow).where(
        col(InvitationRow.booking_id).in_(list(bookings)), col(InvitationRow.ended_at).is_(None)
    )
    return {(row.booking_id, row.patient_id): row for row in session.exec(query)}


def list_invitations_to(session: Session, patient_id: str) -> dict[str, InvitationRow]:
    """Return a patient's invitations that have not ended, by booking."""
    query = select(InvitationRow).where(InvitationRow.patient_id == patient_id, col(InvitationRow.ended_at).is_(None))
    return {row.booking_id: row for row in session.exec(query)}


def get_participation(session: Session, booking_id: str) -> Participation | None:
    """Return what the patient of a visit has answered to what was told last; None when they were told nothing."""
    query = select(InvitationRow).where(InvitationRow.booking_id == booking_id, col(InvitationRow.ended_at).is_(None))
    row = session.exec(query.limit(1)).first()
    if row is None:
        return None
    answer = list_participations(session, [booking_id])[booking_id]
    return None if row.told is None and answer == "needs-action" else answer


def list_participations(session: Session, bookings: Iterable[str]) -> dict[str, Participation]:
    """Return what the patients of visits have answered, by booking; whoever was told nothing yet has none."""
    return {booking: answer for (booking, _), answer in list_seat_participations(session, bookings).items()}


def list_seat_participations(session: Session, bookings: Iterable[str]) -> dict[tuple[str, str], Participation]:
    """Return what patients have answered, by booking and patient; whoever was told nothing yet has none."""
    rows = list_invitations_of(session, bookings)
    waiting = find_waiting(session, [row.id for row in rows.values()])
    query = select(BookingRow.id, BookingRow.updated_at).where(col(BookingRow.id).in_([booking for booking, _ in rows]))
    changed_at = {identifier: at for identifier, at in session.exec(query)}
    return {
        (booking, patient): row.participation
        if (row.id not in waiting if row.told is not None else _has_answered(row, changed_at[booking]))
        else "needs-action"
        for (booking, patient), row in rows.items()
    }


def _has_answered(row: InvitationRow, changed_at: datetime) -> bool:
    """Return whether a patient who was told nothing by mail has answered since the booking changed, on their own page."""
    return row.replied_at is not None and row.replied_at >= changed_at


def add_invitation(session: Session, booking_id: str, patient_id: str) -> InvitationRow:
    """Begin a patient's event of a booking; its UID is random and tells nothing."""
    identifier = new_id()
    row = InvitationRow(id=identifier, booking_id=booking_id, patient_id=patient_id, uid=f"{new_id()}@{UID_DOMAIN}")
    session.add(row)
    return row


def list_patients_of(session: Session, bookings: Iterable[str]) -> dict[str, list[str]]:
    """Return the patients of bookings, by booking."""
    return _list_occupants(session, "patient", bookings)


def list_team_of(session: Session, bookings: Iterable[str]) -> dict[str, list[str]]:
    """Return the providers who see the patients of bookings, by booking."""
    return _list_occupants(session, "team", bookings)


def _list_occupants(session: Session, kind: OccupancyKind, bookings: Iterable[str]) -> dict[str, list[str]]:
    query = select(OccupancyRow.booking_id, OccupancyRow.resource_id).where(
        OccupancyRow.kind == kind, col(OccupancyRow.booking_id).in_(list(bookings))
    )
    occupants: dict[str, list[str]] = defaultdict(list)
    for booking, occupant in session.exec(query.order_by(col(OccupancyRow.position))):
        occupants[booking].append(occupant)
    return occupants


def list_upcoming_of(session: Session, patient_id: str, now: datetime) -> list[BookingRow]:
    """Return a patient's bookings that have not begun, by start."""
    query = (
        select(BookingRow)
        .join(OccupancyRow, col(OccupancyRow.booking_id) == col(BookingRow.id))
        .where(OccupancyRow.kind == "patient", OccupancyRow.resource_id == patient_id)
        .where(col(BookingRow.starts_at) > now)
    )
    return list(session.exec(query.order_by(col(BookingRow.starts_at))))


def get_addresses(session: Session, patients: Iterable[str]) -> dict[str, str]:
    """Return where patients are written to, of those who have an address."""
    query = select(PatientRow.id, PatientRow.email).where(
        col(PatientRow.id).in_(list(patients)), col(PatientRow.email).is_not(None)
    )
    return {identifier: address for identifier, address in session.exec(query) if address is not None}


def list_patients_without_address(session: Session, period_id: str, now: datetime) -> list[str]:
    """Return the patients of a period's bookings to come who have no address, by id: somebody has to call them."""
    query = (
        select(OccupancyRow.resource_id)
        .join(BookingRow, col(OccupancyRow.booking_id) == col(BookingRow.id))
        .join(PatientRow, col(PatientRow.id) == col(OccupancyRow.resource_id))
        .where(OccupancyRow.kind == "patient", col(PatientRow.email).is_(None))
        .where(BookingRow.period_id == period_id, BookingRow.state == "booked", col(BookingRow.starts_at) > now)
    )
    return sorted(set(session.exec(query)))


def find_waiting(session: Session, invitations: Iterable[str]) -> dict[str, MessageRow]:
    """Return the messages that wait, reminders apart, by invitation."""
    query = select(MessageRow).where(
        MessageRow.state == "waiting",
        MessageRow.method != REMINDER,
        col(MessageRow.invitation_id).in_(list(invitations)),
    )
    return {row.invitation_id: row for row in session.exec(query)}


def put_message(session: Session, row: InvitationRow, message: InviteMessage, now: datetime) -> None:
    """Put a message into the outbox."""
    session.add(
        MessageRow(
            id=new_id(),
            invitation_id=row.id,
            method=message.method,
            sequence=message.sequence,
            stamp=message.stamp,
            tells=AppointmentNotice(message.appointment, message.attendee.address).document(),
            due_at=now,
            created_at=now,
            reference=make_reference(row.uid, message.sequence, message.attendee),
        )
    )


def drop_message(session: Session, message: MessageRow, reason: str, now: datetime) -> None:
    """Take a message that waits out of the outbox."""
    message.state, message.reason, message.ended_at = "dropped", reason, now
    session.add(message)


# --- sending ---------------------------------------------------------------------------------------------------------


def has_due(session: Session, now: datetime, hold: timedelta = NO_HOLD) -> bool:
    """Return whether there is a message to be sent now."""
    return session.exec(_due(now, hold).limit(1)).first() is not None


def claim_next(session: Session, sender: str, now: datetime, lease: timedelta, hold: timedelta = NO_HOLD) -> Claimed | None:
    """Take the oldest message that is due, so that no other sender does until the lease is over.

    A message is held for a while after it was written: what is undone meanwhile leaves nothing to send.

    From here on it counts as told: its sender may die at any moment, and nobody would know whether the server has it.
    """
    message = session.exec(_due(now, hold).order_by(col(MessageRow.created_at), col(MessageRow.id)).limit(1)).first()
    if message is None:
        return None
    row, is_again = get_invitation(session, message.invitation_id), message.state == "sending"
    booking = get_row(session, BookingRow, "booking", row.booking_id)
    if not is_again and message.method != REMINDER:
        message.replaces = row.told
        row.told = message.tells if message.method == "REQUEST" else None
        row.sequence, row.stamp = message.sequence, message.stamp
        if message.method == "REQUEST":
            row.participation, row.replied_at = "needs-action", None
    message.state, message.courier, message.claimed_until = "sending", sender, now + lease
    message.attempts += 1
    session.add_all((message, row))
    session.flush()
    return Claimed(message, row, booking, AppointmentNotice.of(message.tells), is_again)


def mark_sent(session: Session, identifier: str, now: datetime) -> None:
    """Note that a server has taken a message; after a cancellation its event is over, unless it was booked again."""
    message = get_row(session, MessageRow, "message", identifier)
    message.state, message.ended_at, message.claimed_until = "sent", now, None
    session.add(message)
    if message.method == "CANCEL" and not find_waiting(session, [message.invitation_id]):
        row = get_invitation(session, message.invitation_id)
        row.ended_at = now
        session.add(row)


def reschedule(session: Session, claimed: Claimed, due_at: datetime, reason: str, now: datetime) -> None:
    """Let a message that no server has taken wait for its next attempt, unless a newer one waits already.

    One that may have been taken in an earlier attempt stays under way: it can neither be dropped for a newer one, as if the
    patient knew nothing of it, nor count as told.
    """
    message = get_row(session, MessageRow, "message", claimed.message.id)
    if claimed.is_again:
        mark_open(session, message.id, due_at, reason)
        return
    row = _untold(session, message)
    newer = find_waiting(session, [message.invitation_id]).get(message.invitation_id)
    message.claimed_until, message.reason = None, reason
    if newer is None:
        message.state, message.due_at = "waiting", due_at
        session.add(message)
        return
    drop_message(session, message, "a newer one takes its place", now)
    newer.due_at = due_at
    told = None if row.told is None else AppointmentNotice.of(row.told)
    says_nothing = told == (AppointmentNotice.of(newer.tells) if newer.method == "REQUEST" else None)
    if says_nothing:
        drop_message(session, newer, "it says nothing new", now)
    session.add(newer)


def mark_open(session: Session, identifier: str, due_at: datetime, reason: str) -> None:
    """Let a message be sent again although a server may have taken it: its answer was lost."""
    message = get_row(session, MessageRow, "message", identifier)
    message.claimed_until, message.reason = due_at, reason
    session.add(message)


def mark_expired(session: Session, identifier: str, now: datetime) -> None:
    """Note that a message was not sent before what it tells of began."""
    message = get_row(session, MessageRow, "message", identifier)
    _untold(session, message)
    drop_message(session, message, "the appointment has begun", now)


def mark_refused(session: Session, identifier: str, reason: str, now: datetime) -> InvitationRow:
    """Note that a message will never be taken, and return whose it is: as far as we know they are told nothing now."""
    message = get_row(session, MessageRow, "message", identifier)
    row = _untold(session, message)
    if message.method != REMINDER:
        row.told = None
    message.state, message.reason, message.ended_at, message.claimed_until = "refused", reason, now, None
    session.add_all((message, row))
    return row


def mark_returned(session: Session, message: MessageRow, reason: str) -> None:
    """Note that a message came back after a server had taken it: if it is the last one, the patient was told nothing."""
    row = get_invitation(session, message.invitation_id)
    if message.state != "sent":
        return
    if message.method == "REQUEST" and message.sequence == row.sequence:
        row.told = None
    message.state, message.reason = "refused", reason
    session.add_all((message, row))


def find_message_by_reference(session: Session, references: Iterable[str]) -> MessageRow | None:
    """Return the newest message that one of some Message-IDs names, by their local parts."""
    query = select(MessageRow).where(col(MessageRow.reference).in_(list(references)))
    return session.exec(query.order_by(col(MessageRow.created_at).desc()).limit(1)).first()


def find_last_sent_to(session: Session, addresses: Iterable[str]) -> MessageRow | None:
    """Return the newest message that a server has taken for one of some addresses, to a patient who still has it."""
    query = (
        select(MessageRow)
        .join(InvitationRow, col(InvitationRow.id) == col(MessageRow.invitation_id))
        .join(PatientRow, col(PatientRow.id) == col(InvitationRow.patient_id))
        .where(MessageRow.state == "sent", func.lower(PatientRow.email).in_([address.lower() for address in addresses]))
    )
    return session.exec(query.order_by(col(MessageRow.ended_at).desc(), col(MessageRow.id)).limit(1)).first()


def find_failure(session: Session, booking_id: str) -> str | None:
    """Return why the last message about a booking did not arrive, None when none is known to have failed."""
    query = (
        select(MessageRow)
        .join(InvitationRow, col(InvitationRow.id) == col(MessageRow.invitation_id))
        .where(InvitationRow.booking_id == booking_id, MessageRow.state != "dropped")
    )
    last = session.exec(query.order_by(col(MessageRow.created_at).desc(), col(MessageRow.sequence).desc()).limit(1)).first()
    return (last.reason or "unknown") if last is not None and last.state == "refused" else None


def count_by_state(session: Session) -> dict[str, int]:
    """Return how many messages are in each state."""
    query = select(MessageRow.state, func.count()).group_by(MessageRow.state)
    return {state: int(number) for state, number in session.exec(query)}


def list_messages(session: Session, patient_id: str) -> list[MessageRow]:
    """Return the messages to a patient, the newest first."""
    query = select(MessageRow).join(InvitationRow).where(InvitationRow.patient_id == patient_id)
    return list(session.exec(query.order_by(col(MessageRow.created_at).desc(), col(MessageRow.id))))


def get_last_address(session: Session, invitation_id: str) -> str | None:
    """Return where the last message of an invitation went that may have left; None when none has."""
    query = select(MessageRow).where(MessageRow.invitation_id == invitation_id, col(MessageRow.attempts) > 0)
    last = session.exec(query.order_by(col(MessageRow.sequence).desc()).limit(1)).first()
    return None if last is None else AppointmentNotice.of(last.tells).address


def delete_old_messages(session: Session, before: datetime, most: int) -> int:
    """Forget messages that ended before an instant, of bookings that were over by then; return how many, ``most`` at most.

    While anything of an invitation waits or is being sent, all of its messages stay: they tell where it is to go.
    """
    other = aliased(MessageRow)
    is_open = select(other.id).where(other.invitation_id == MessageRow.invitation_id, col(other.state).in_(OPEN))
    ended = (
        select(MessageRow.id)
        .join(InvitationRow, col(InvitationRow.id) == col(MessageRow.invitation_id))
        .join(BookingRow, col(BookingRow.id) == col(InvitationRow.booking_id))
        .where(col(MessageRow.state).not_in(OPEN), col(MessageRow.ended_at) <= before, col(BookingRow.ends_at) <= before)
        .where(~is_open.correlate(MessageRow).exists())
    )
    gone = list(session.exec(ended.limit(most)))
    session.exec(delete(MessageRow).where(col(MessageRow.id).in_(gone)))
    return len(gone)


def list_answers(session: Session, period_id: str) -> list[tuple[BookingRow, InvitationRow]]:
    """Return the invitations to what stands in a period, with their bookings, by start."""
    query = (
        select(BookingRow, InvitationRow)
        .join(InvitationRow, col(InvitationRow.booking_id) == col(BookingRow.id))
        .where(BookingRow.period_id == period_id, BookingRow.state != "cancelled")
        .where(col(InvitationRow.ended_at).is_(None), col(InvitationRow.told).is_not(None))
    )
    return list(session.exec(query.order_by(col(BookingRow.starts_at), col(InvitationRow.id))))


def _untold(session: Session, message: MessageRow) -> InvitationRow:
    """Take back that a message was told; its SEQUENCE stays used. A reminder tells nothing new."""
    row = get_invitation(session, message.invitation_id)
    if message.method == REMINDER:
        return row
    row.told = message.replaces
    session.add(row)
    return row


def _due(now: datetime, hold: timedelta) -> Any:
    """Select what may be sent: what waits with nothing of its invitation under way, and what a dead sender had."""
    held = (col(MessageRow.attempts) == 0) & (col(MessageRow.created_at) > now - hold)
    other = aliased(MessageRow)
    under_way = (
        select(other.id).where(other.invitation_id == MessageRow.invitation_id, other.state == "sending").correlate(MessageRow)
    )
    waits = (col(MessageRow.state) == "waiting") & (col(MessageRow.due_at) <= now) & ~held & ~under_way.exists()
    abandoned = (col(MessageRow.state) == "sending") & (col(MessageRow.claimed_until) <= now)
    return select(MessageRow).where(or_(waits, abandoned))
