"""A message as mail: from what the outbox keeps of it alone, so that it is the same however often it is made."""

from __future__ import annotations

from dataclasses import replace

from api.runtime.settings import Settings
from api.store.queries.messages import AppointmentNotice, Claimed
from calendars.appointments import Appointment
from calendars.invites import InviteMessage
from calendars.mail import make_mail, make_reminder
from calendars.mailbox import Mailbox
from calendars.wording import make_discreet


def write_mail(settings: Settings, claimed: Claimed) -> bytes:
    """Return a message as the mail server takes it. Nobody is named in it but the clinic and, unless
    the settings say otherwise, its clinicians."""
    row, told = claimed.message, claimed.tells
    organizer = Mailbox(settings.mail_from, settings.mail_name or make_discreet(told.appointment.clinic))
    if row.method == "REMINDER":
        assert row.reference is not None
        appointment = _fill_in(settings, told.appointment)
        return make_reminder(appointment, Mailbox(told.address), organizer, row.stamp, row.reference)
    previous = None if row.replaces is None else AppointmentNotice.of(row.replaces).appointment
    message = InviteMessage(
        method=row.method,
        uid=claimed.invitation.uid,
        attendee=Mailbox(told.address),
        sequence=row.sequence,
        stamp=row.stamp,
        appointment=_fill_in(settings, told.appointment),
        previous=None if previous is None else _fill_in(settings, previous),
    )
    return make_mail(message, organizer)


def _fill_in(settings: Settings, appointment: Appointment) -> Appointment:
    """Return an appointment with what the settings say of its page, and of naming clinicians."""
    clinicians = appointment.clinicians if settings.mail_names_clinicians else ()
    return replace(appointment, clinicians=clinicians, page=settings.patient_page)
