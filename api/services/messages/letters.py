"""Whose mail it is and what about, as far as the store can tell: by the message that it answers to, else by its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.context import AppContext
from api.store.queries import bookings, messages, people, tasks
from api.store.tables import BookingRow, MessageRow
from calendars.replies import ReceivedReplies

MOST_VISITS = 5
"""Visits that a task names of somebody who has several ahead."""


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Who has written, or was not reached, and about what.

    Attributes
    ----------
    patients : tuple of str
        One, as a rule; several who share an address; none.
    booking : BookingRow or None
        What it is about, when there is only one thing that it can be about.
    message : MessageRow or None
        The message of ours that it answers to or returns.
    ahead : tuple of str
        The appointments that it may be about, by id, when they are several.
    """

    patients: tuple[str, ...] = ()
    booking: BookingRow | None = None
    message: MessageRow | None = None
    ahead: tuple[str, ...] = ()

    @property
    def patient(self) -> str | None:
        """The patient, when it can be only one."""
        return self.patients[0] if len(self.patients) == 1 else None

    @property
    def subject(self) -> tuple[str, str]:
        """What a task about it is about, by kind and id."""
        if self.booking is not None:
            return self.booking.kind, self.booking.subject_id
        return ("mailbox", "") if self.patient is None else ("patient", self.patient)


def find_correspondent(session: Session, received: ReceivedReplies, now: datetime) -> Correspondent:
    """Return whose mail it is and what about."""
    message = messages.find_message_by_reference(session, received.references)
    if message is None and received.report is not None:
        message = messages.find_last_sent_to(session, received.report.recipients)
    if message is not None:
        invitation = messages.get_invitation(session, message.invitation_id)
        booking = bookings.get_booking(session, invitation.booking_id)
        return Correspondent((invitation.patient_id,), booking, message)
    addresses = (received.sender or "",) if received.report is None else received.report.recipients
    patients = tuple(people.list_patients_at(session, addresses))
    if len(patients) != 1:
        return Correspondent(patients)
    ahead = messages.list_upcoming_of(session, patients[0], now)
    if len(ahead) == 1:
        return Correspondent(patients, ahead[0])
    return Correspondent(patients, ahead=tuple(booking.subject_id for booking in ahead[:MOST_VISITS]))


def delete_old_words(context: AppContext) -> int:
    """Forget what people wrote once its task has long been done, and return how many tasks that were."""
    before = context.clock() - timedelta(days=context.settings.words_days)
    with context.database.writing() as session:
        return tasks.delete_words(session, before)
