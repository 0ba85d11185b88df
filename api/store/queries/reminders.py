"""The queries about reminders: what patients may be reminded of, and the message that does it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.queries.messages import REMINDER, AppointmentNotice
from api.store.tables import BookingRow, InvitationRow, MessageRow
from calendars.mail import make_reference
from calendars.mailbox import Mailbox


def list_remindable(session: Session, now: datetime, until: datetime) -> list[tuple[BookingRow, InvitationRow]]:
    """Return what patients were told of bookings that stand and begin before an instant, and have not declined, by start."""
    query = (
        select(BookingRow, InvitationRow)
        .join(InvitationRow, col(InvitationRow.booking_id) == col(BookingRow.id))
        .where(BookingRow.state == "booked", col(BookingRow.starts_at) > now, col(BookingRow.starts_at) <= until)
        .where(col(InvitationRow.ended_at).is_(None), col(InvitationRow.told).is_not(None))
        .where(InvitationRow.participation != "declined")
    )
    return list(session.exec(query.order_by(col(BookingRow.starts_at), col(InvitationRow.id))))


def put_reminder(session: Session, row: InvitationRow, notice: AppointmentNotice, minutes: int, now: datetime) -> None:
    """Put the reminder of what a patient was told, so many minutes before it, into the outbox."""
    session.add(
        MessageRow(
            id=new_id(),
            invitation_id=row.id,
            method=REMINDER,
            sequence=row.sequence,
            stamp=now,
            tells=notice.document(),
            due_at=now,
            created_at=now,
            reference=make_reference(f"{row.uid} {minutes}", row.sequence, Mailbox(notice.address)),
        )
    )
    row.reminded_at = now
    session.add(row)
