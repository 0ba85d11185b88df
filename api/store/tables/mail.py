"""What patients are told by mail: an invitation for each patient of a booking, and the outbox of messages about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, Index, String
from sqlmodel import Field

from api.store.columns import TableRow, Utc

Participation = Literal["needs-action", "accepted", "declined", "tentative"]
Method = Literal["REQUEST", "CANCEL", "REMINDER"]
"""iTIP's two, and a reminder, which is no calendar object."""
MessageState = Literal["waiting", "sending", "sent", "refused", "dropped"]


class InvitationRow(TableRow, table=True):
    """One patient's calendar event of one booking, as far as messages about it have left.

    ``told`` is what the last message said that a mail server may have taken, an
    :class:`api.store.queries.messages.AppointmentNotice`; null when nothing stands in the patient's calendar. ``sequence`` and
    ``stamp`` are the highest that any of them had, -1 and null before the first. Once a cancellation is sent it has ended:
    what is booked anew is another event. ``reminded_at`` is when the patient was last reminded of it.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        Index("ix_invitations_subject", "booking_id", "patient_id"),
        CheckConstraint(
            "participation IN ('needs-action', 'accepted', 'declined', 'tentative')", name="invitation_participation"
        ),
    )

    id: str = Field(primary_key=True)
    booking_id: str = Field(foreign_key="bookings.id")
    patient_id: str = Field(foreign_key="patients.id", index=True)
    uid: str = Field(unique=True)
    sequence: int = -1
    stamp: datetime | None = Field(default=None, sa_type=Utc)
    told: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    participation: Participation = Field(default="needs-action", sa_type=String(16))
    replied_at: datetime | None = Field(default=None, sa_type=Utc)
    reminded_at: datetime | None = Field(default=None, sa_type=Utc)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)


class MessageRow(TableRow, table=True):
    """One message to one patient about one booking, written in the transaction that changes the booking.

    One invitation has at most one message that waits, reminders apart, and one that is being sent. ``tells`` is what it says
    and to which address, ``replaces`` what the patient was told before it. A sender that takes it has it until
    ``claimed_until``. ``reference`` is the local part of its Message-ID.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_due", "state", "due_at"),
        CheckConstraint("method IN ('REQUEST', 'CANCEL', 'REMINDER')", name="message_method"),
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'refused', 'dropped')", name="message_state"),
    )

    id: str = Field(primary_key=True)
    invitation_id: str = Field(foreign_key="invitations.id", index=True)
    method: Method = Field(sa_type=String(8))
    sequence: int
    stamp: datetime = Field(sa_type=Utc)
    tells: dict[str, Any] = Field(sa_type=JSON)
    replaces: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    state: MessageState = Field(default="waiting", sa_type=String(8))
    attempts: int = 0
    due_at: datetime = Field(sa_type=Utc)
    courier: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=Utc)
    reason: str | None = None
    reference: str | None = Field(default=None, index=True)
    created_at: datetime = Field(sa_type=Utc, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)
