"""Reminders by mail: written once it is time, and never ahead, so that what is moved or cancelled meanwhile leaves none.

When they come, and how long after news of an appointment they do not, stands with the catalogue's instructions. A reminder
tells what the patient was told last: where that is no longer so, it is not sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.context import AppContext
from api.store.queries import messages, periods, reminders
from api.store.queries.messages import REMINDER, AppointmentNotice, Claimed
from api.store.tables import InvitationRow
from scheduling.fields import ONE_DAY
from scheduling.instructions import Reminders, load_instructions


def write_due_reminders(context: AppContext) -> int:
    """Write the reminders that are due now, and return how many."""
    with context.database.writing() as session:
        return write_reminders(session, load_instructions().reminders, context.clock())


def write_reminders(session: Session, times: Reminders, now: datetime) -> int:
    """Write the reminders whose time has come, and return how many."""
    if not times.mail_minutes:
        return 0
    until = now + timedelta(minutes=max(times.mail_minutes)) + ONE_DAY  # those who arrive long before the start among them
    remindable = reminders.list_remindable(session, now, until)
    notices = {identifier: periods.get_notice(session, identifier) for identifier in {row.period_id for row, _ in remindable}}
    waiting = messages.find_waiting(session, [invitation.id for _, invitation in remindable])
    written = 0
    for row, invitation in remindable:
        assert invitation.told is not None
        told = AppointmentNotice.of(invitation.told)
        if invitation.id in waiting or told.appointment.starts_at != row.starts_at:
            continue  # news are on their way
        moment = _Moment(told.appointment.arrives_at, notices[row.period_id], now)
        minutes = moment.find_due(times, invitation)
        if minutes is not None:
            reminders.put_reminder(session, invitation, told, minutes, now)
            written += 1
    return written


def is_outdated(session: Session, claimed: Claimed, now: datetime) -> bool:
    """Return whether a message is a reminder that must not be sent any more."""
    if claimed.message.method != REMINDER:
        return False
    if claimed.booking.state != "booked" or messages.find_waiting(session, [claimed.invitation.id]):
        return True
    told, notice = claimed.invitation.told, periods.get_notice(session, claimed.booking.period_id)
    is_told = told is not None and AppointmentNotice.of(told) == claimed.tells
    return not is_told or claimed.tells.appointment.arrives_at < now + notice


@dataclass(frozen=True, slots=True)
class _Moment:
    """When somebody is to arrive, the least notice, and what time it is."""

    arrives_at: datetime
    notice: timedelta
    now: datetime

    def find_due(self, times: Reminders, invitation: InvitationRow) -> int | None:
        """Return how many minutes before arriving a reminder is due now; None: none is.

        Of several whose time has come the last one is: who was not reminded in time is not reminded twice at once.
        """
        if self.arrives_at < self.now + self.notice:
            return None
        for minutes in sorted(times.mail_minutes):
            due_at = self.arrives_at - timedelta(minutes=minutes)
            if due_at > self.now:
                continue
            is_past = invitation.reminded_at is not None and invitation.reminded_at >= due_at
            return None if is_past or _get_last_news(invitation) > due_at - timedelta(minutes=times.quiet_minutes) else minutes
        return None


def _get_last_news(invitation: InvitationRow) -> datetime:
    """Return when a patient was last told of an appointment, or has answered."""
    assert invitation.stamp is not None
    return max(invitation.stamp, invitation.replied_at or invitation.stamp)
