"""Invites as mail: a message that programs with a calendar act on, and that all others show.

::

    multipart/mixed
    ├── multipart/alternative
    │   ├── text/plain
    │   ├── text/html
    │   └── text/calendar; method=REQUEST
    └── application/ics

Equal messages give the same bytes, Message-ID and boundaries included, so one that is sent again can be known as the same.

References
----------
RFC 6047, section 2 (iMIP: the type and method of the calendar part, its encoding); RFC 2046, section 5.1.4 (in an
alternative the last part is preferred); RFC 2047 (names in headers); RFC 5322, section 3.6.4 (Message-ID). There is no
Auto-Submitted (RFC 3834): some programs take no invite from a message that has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from typing import cast

from calendars.invites import Message, scheduling_object
from calendars.mailbox import Mailbox
from calendars.wording import clock, day, discreet, told

FILE_NAMES = {"REQUEST": "invite.ics", "CANCEL": "cancel.ics"}


def mail_of(message: Message, organizer: Mailbox) -> bytes:
    """Return a message as mail, with the line ends and only the characters that every server takes."""
    content = scheduling_object(message, organizer)
    alternative = _part()
    alternative["Content-Type"] = "multipart/alternative"
    alternative.attach(_text("\n".join(_paragraphs(message)) + "\n", "plain"))
    alternative.attach(_text(_html(message), "html"))
    alternative.attach(_calendar(content, message.method))
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(organizer)
    mail["To"] = _address(message.attendee)
    mail["Subject"] = subject(message)
    mail["Date"] = format_datetime(message.stamp)
    mail["Message-ID"] = message_id(message, organizer)
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = "multipart/mixed"
    mail.attach(alternative)
    mail.attach(_attached(content, FILE_NAMES[message.method]))
    for number, part in enumerate((mail, alternative)):
        part.set_boundary(f"=_{number}_{_digest(message)}")
    return mail.as_bytes()


def message_id(message: Message, organizer: Mailbox) -> str:
    """Return the Message-ID, the same for the same version of an event for the same attendee."""
    return f"<{_digest(message)}.{message.sequence}@{organizer.address.partition('@')[2]}>"


def subject(message: Message) -> str:
    """Return the heading of the mail: what has happened, when and with whom; no clinical word."""
    appointment = message.appointment
    start, clinic = appointment.local_start, discreet(appointment.clinic)
    heading = f"{_KINDS[message.method, message.is_update]}: {day(start)}, {clock(start)}"
    return ", ".join(filter(None, (heading, clinic)))


_KINDS = {
    ("REQUEST", False): "Appointment",
    ("REQUEST", True): "Changed appointment",
    ("CANCEL", True): "Cancelled appointment",
}


def _paragraphs(message: Message) -> Iterator[str]:
    """Yield the lines that a person reads."""
    appointment = message.appointment
    start = appointment.local_start
    when = f"{day(start)}, {clock(start)}"
    if message.method == "CANCEL":
        yield f"Your appointment on {when} is cancelled."
        if appointment.phone:
            yield f"Questions: {appointment.phone}"
        return
    opening = "Your appointment has changed. It is now on" if message.is_update else "You have an appointment on"
    yield f"{opening} {when}."
    yield from told(appointment)


def _html(message: Message) -> str:
    lines = "".join(f"<p>{escape(line)}</p>\n" for line in _paragraphs(message))
    return f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"></head><body>\n{lines}</body></html>\n'


def _text(text: str, kind: str) -> EmailMessage:
    part = _part()
    part.set_content(text, subtype=kind, charset="utf-8", cte="base64")
    return part


def _calendar(content: bytes, method: str) -> EmailMessage:
    """Return the part that programs act on: its ``method`` is METHOD of the calendar object (RFC 6047, section 2.4)."""
    part = _part()
    part.set_content(content, "text", "calendar", cte="base64", params={"charset": "utf-8", "method": method})
    return part


def _attached(content: bytes, name: str) -> EmailMessage:
    part = _part()
    part.set_content(content, "application", "ics", cte="base64", disposition="attachment", filename=name)
    return part


def _part() -> EmailMessage:
    """Return a part: a message without MIME-Version, which the outermost one alone has (RFC 2045, section 4)."""
    return cast("EmailMessage", MIMEPart(policy=SMTP))


def _address(mailbox: Mailbox) -> Address:
    return Address(mailbox.name, addr_spec=mailbox.address)


def _digest(message: Message) -> str:
    parts: Iterable[str] = (message.uid, str(message.sequence), message.attendee.key)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
