"""A message as mail: from what the outbox keeps of it alone, so that it is the same however often it is made."""

from __future__ import annotations

from api.runtime.settings import Settings
from api.store.messages import Claimed
from calendars.invites import InviteMessage
from calendars.mail import make_mail
from calendars.mailbox import Mailbox
from calendars.wording import make_discreet


def write_mail(settings: Settings, claimed: Claimed) -> bytes:
    """Return a message as the mail server takes it. Nobody is named in it but the clinic."""
    row, told = claimed.message, claimed.tells
    message = InviteMessage(
        method=row.method,
        uid=claimed.invitation.uid,
        attendee=Mailbox(told.address),
        sequence=row.sequence,
        stamp=row.stamp,
        appointment=told.appointment,
        is_update=row.replaces is not None,
    )
    return make_mail(message, Mailbox(settings.mail_from, settings.mail_name or make_discreet(told.appointment.clinic)))
