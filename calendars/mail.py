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

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from typing import cast

from calendars.appointments import Appointment
from calendars.invites import InviteMessage, make_scheduling_object
from calendars.mailbox import Mailbox
from calendars.updates import has_moved, list_changes
from calendars.wording import format_clock, format_day, list_instructions, make_discreet

ENCODED_BYTES = 39
"""Bytes in one encoded word, so that no line is longer than 76 characters."""

_PLAIN = re.compile(r"[A-Za-z0-9 ,.'()&-]{1,60}", re.ASCII)
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9 ,.:'()&-]{1,200}", re.ASCII)
FILE_NAMES = {"REQUEST": "invite.ics", "CANCEL": "cancel.ics"}


def make_mail(message: InviteMessage, organizer: Mailbox) -> bytes:
    """Return a message as mail, with the line ends and only the characters that every server takes."""
    content = make_scheduling_object(message, organizer)
    alternative, mixed = _make_part(), _make_part()
    alternative["Content-Type"] = "multipart/alternative"
    alternative.attach(_make_text("\n".join(_list_paragraphs(message)) + "\n", "plain"))
    alternative.attach(_make_text(_make_html(_list_paragraphs(message)), "html"))
    alternative.attach(_make_calendar_part(content, message.method))
    mixed["Content-Type"] = "multipart/mixed"
    mixed.attach(alternative)
    mixed.attach(_make_attachment(content, FILE_NAMES[message.method]))
    for number, part in enumerate((mixed, alternative)):
        part.set_boundary(f"=_{number}_{make_reference(message.uid, message.sequence, message.attendee)}")
    head = _make_head(organizer, message.attendee, make_subject(message), message.stamp, make_message_id(message, organizer))
    return head + mixed.as_bytes()


def make_reminder(appointment: Appointment, attendee: Mailbox, organizer: Mailbox, stamp: datetime, reference: str) -> bytes:
    """Return the mail that reminds of an appointment, of when to arrive first; ``reference`` is that of its Message-ID.

    It has no calendar object: the event stands in the patient's calendar already, or was taken out of it by them.
    """
    arrival, clinic = appointment.local_arrival, make_discreet(appointment.clinic)
    when = f"{format_day(arrival)}, {format_clock(arrival)}"
    subject = ", ".join(filter(None, (f"Reminder: please arrive on {when}", clinic)))
    if appointment.arrive_text is not None:
        subject = ", ".join(filter(None, (f"Reminder: appointment on {when}", clinic)))
    lines = (f"This is a reminder of your appointment on {when}.", *list_instructions(appointment))
    alternative = _make_part()
    alternative["Content-Type"] = "multipart/alternative"
    alternative.attach(_make_text("\n".join(lines) + "\n", "plain"))
    alternative.attach(_make_text(_make_html(lines), "html"))
    alternative.set_boundary(f"=_0_{reference}")
    return _make_head(organizer, attendee, subject, stamp, _make_id(reference, organizer)) + alternative.as_bytes()


def _make_head(organizer: Mailbox, attendee: Mailbox, subject: str, stamp: datetime, message_id: str) -> bytes:
    headers = (
        f"From: {_format_address(organizer)}",
        f"To: {_format_address(attendee)}",
        f"Subject: {_format_header(subject)}",
        f"Date: {format_datetime(stamp)}",
        f"Message-ID: {message_id}",
        "MIME-Version: 1.0\r\n",
    )
    # UTF-8 beyond ASCII is in the attendee's address alone, for which the server has to know SMTPUTF8 (RFC 6532, section 3.2).
    return "\r\n".join(headers).encode()


def make_message_id(message: InviteMessage, organizer: Mailbox) -> str:
    """Return the Message-ID, the same for the same version of an event for the same attendee."""
    return _make_id(make_reference(message.uid, message.sequence, message.attendee), organizer)


def _make_id(reference: str, organizer: Mailbox) -> str:
    return f"<{reference}@{organizer.address.partition('@')[2]}>"


def make_reference(uid: str, sequence: int, attendee: Mailbox) -> str:
    """Return the local part of a Message-ID, by which answers and reports name the message; it tells nobody anything."""
    parts = (uid, str(sequence), attendee.key)
    return f"{sha256(chr(10).join(parts).encode()).hexdigest()[:32]}.{sequence}"


def make_subject(message: InviteMessage) -> str:
    """Return the heading of the mail: what has happened, when and with whom; no clinical word."""
    appointment = message.appointment
    start, clinic = appointment.local_start, make_discreet(appointment.clinic)
    heading = f"{_KINDS[message.method, message.is_update]}: {format_day(start)}, {format_clock(start)}"
    return ", ".join(filter(None, (heading, clinic)))


_KINDS = {
    ("REQUEST", False): "Appointment",
    ("REQUEST", True): "Changed appointment",
    ("CANCEL", True): "Cancelled appointment",
}


def _list_paragraphs(message: InviteMessage) -> Iterator[str]:
    """Yield the lines that a person reads."""
    appointment = message.appointment
    start = appointment.local_start
    when = f"{format_day(start)}, {format_clock(start)}"
    if message.method == "CANCEL":
        yield f"Your appointment on {when} is cancelled."
        if appointment.phone:
            yield f"Questions: {appointment.phone}"
        return
    if message.previous is None:
        yield f"You have an appointment on {when}."
    elif has_moved(message.previous, appointment):
        yield f"Your appointment has changed. It is now on {when}."
        yield from list_changes(message.previous, appointment)
    else:
        yield f"A detail of your appointment on {when} has changed; time and place stay as they are."
        yield from list_changes(message.previous, appointment)
    yield from list_instructions(appointment)


def _make_html(lines: Iterable[str]) -> str:
    paragraphs = "".join(f"<p>{escape(line)}</p>\n" for line in lines)
    return f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"></head><body>\n{paragraphs}</body></html>\n'


def _make_text(text: str, kind: str) -> EmailMessage:
    part = _make_part()
    part.set_content(text, subtype=kind, charset="utf-8", cte="base64")
    return part


def _make_calendar_part(content: bytes, method: str) -> EmailMessage:
    """Return the part that programs act on: its ``method`` is METHOD of the calendar object (RFC 6047, section 2.4)."""
    part = _make_part()
    part.set_content(content, "text", "calendar", cte="base64", params={"charset": "utf-8", "method": method})
    return part


def _make_attachment(content: bytes, name: str) -> EmailMessage:
    part = _make_part()
    part.set_content(content, "application", "ics", cte="base64", disposition="attachment", filename=name)
    return part


def _make_part() -> EmailMessage:
    """Return a part: a message without MIME-Version, which the outermost one alone has (RFC 2045, section 4)."""
    return cast("EmailMessage", MIMEPart(policy=SMTP))


def _format_address(mailbox: Mailbox) -> str:
    """Return an address with its name, quoted or encoded (RFC 5322, section 3.4)."""
    if not mailbox.name:
        return f"<{mailbox.address}>"
    name = f'"{mailbox.name}"' if _PLAIN.fullmatch(mailbox.name) else _encode(mailbox.name)
    return f"{name}\r\n <{mailbox.address}>"


def _format_header(text: str) -> str:
    """Return a header's text, encoded where it has to be.

    The library's own folding decodes what looks like an encoded word, and so lets line breaks in (RFC 2047, section 5).
    """
    return text if _PLAIN_TEXT.fullmatch(text) else _encode(text)


def _encode(text: str) -> str:
    """Return a text as encoded words, whole characters in each (RFC 2047, sections 2 and 5)."""
    words, word = [], b""
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(word) + len(encoded) > ENCODED_BYTES:
            words.append(word)
            word = b""
        word += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(part).decode()}?=" for part in (*words, word))
