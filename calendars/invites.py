"""Invites: what patients are sent when something is published, changed or cancelled.

What each event's patient was last told is held against what stands now. Whoever would be told nothing new gets nothing. A
message goes to one attendee and names no other; a group's session is an event of its own for each of its patients.

References
----------
RFC 5546, sections 2.1.4 (SEQUENCE and DTSTAMP), 3.2.2 (REQUEST) and 3.2.5 (CANCEL).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from calendars.appointments import Appointment
from calendars.events import CalendarEvent, Status, get_zone_rules, make_calendar
from calendars.lines import make_line
from calendars.mailbox import Mailbox
from calendars.wording import Notice, make_patient_notice
from scheduling.instructions import load_instructions

Method = Literal["REQUEST", "CANCEL"]

_ONE_SECOND = timedelta(seconds=1)
"""What DTSTAMPs are written to."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An event in one patient's calendar, as they were last told of it.

    Attributes
    ----------
    sequence : int
        Of the last message, -1 before the first.
    stamp : datetime or None
        DTSTAMP of the last message, aware.
    told : Appointment or None
        None before the first message, and after a cancellation.
    """

    uid: str
    attendee: Mailbox
    sequence: int = -1
    stamp: datetime | None = None
    told: Appointment | None = None


@dataclass(frozen=True, slots=True)
class InviteMessage:
    """A message to one patient about one event; ``previous`` is what they know of it already, None for nothing."""

    method: Method
    uid: str
    attendee: Mailbox
    sequence: int
    stamp: datetime
    appointment: Appointment
    previous: Appointment | None = None

    @property
    def is_update(self) -> bool:
        """Whether the patient knows of the event already."""
        return self.previous is not None

    def to_invitation(self) -> Invitation:
        """Return what the patient has been told once this was sent."""
        appointment = self.appointment if self.method == "REQUEST" else None
        return Invitation(self.uid, self.attendee, self.sequence, self.stamp, appointment)


def list_messages(
    told: Mapping[str, Invitation], standing: Mapping[str, tuple[Mailbox, Appointment]], now: datetime
) -> Iterator[InviteMessage]:
    """Yield the messages that make patients know what stands: the difference of two publications.

    Parameters
    ----------
    told : mapping
        By UID, what was told up to now; it may hold events that are over or were cancelled.
    standing : mapping
        By UID, what stands now, and whose it is. An event that is past must stand in both or in neither.
    now : datetime
        Aware. Should the clock have gone back, DTSTAMPs go on from the last one all the same.
    """
    for uid in sorted(told.keys() | standing.keys()):
        attendee, wanted = standing.get(uid, (None, None))
        known = told.get(uid)
        if known is None:
            assert attendee is not None
            known = Invitation(uid, attendee)
        message = make_message(known, wanted, now, attendee)
        if message is not None:
            yield message


def make_message(
    known: Invitation, wanted: Appointment | None, now: datetime, attendee: Mailbox | None = None
) -> InviteMessage | None:
    """Return the message after which a patient knows what stands, None when they do already.

    Parameters
    ----------
    known : Invitation
        What they have been told.
    wanted : Appointment or None
        What they should know; None: that it is cancelled.
    now : datetime
        Aware.
    attendee : Mailbox or None
        Where they are written to now; None: as before. At a new address they have been told nothing.
    """
    recipient = attendee or known.attendee
    told = known.told if wanted is None or recipient.key == known.attendee.key else None
    appointment = wanted or told
    if appointment is None or wanted == told:
        return None
    method: Method = "CANCEL" if wanted is None else "REQUEST"
    stamp = make_stamp(known.stamp, now)
    return InviteMessage(method, known.uid, recipient, known.sequence + 1, stamp, appointment, told)


def make_stamp(last: datetime | None, now: datetime) -> datetime:
    """Return a DTSTAMP later than the last one, whole seconds in UTC, also when the clock has gone back."""
    present = now.astimezone(UTC).replace(microsecond=0)
    return present if last is None else max(present, last.astimezone(UTC).replace(microsecond=0) + _ONE_SECOND)


def make_scheduling_object(message: InviteMessage, organizer: Mailbox) -> bytes:
    """Return a message's calendar object (RFC 5546, sections 3.2.2 and 3.2.5): one event, one attendee.

    The event begins when the patient is to arrive, and reminds them of that.
    """
    appointment, zone = message.appointment, message.appointment.timezone
    is_cancelled = message.method == "CANCEL"
    notice = _make_cancellation(appointment) if is_cancelled else make_patient_notice(appointment)
    times = (message.stamp, appointment.arrives_at, appointment.ends_at)
    alarms = () if is_cancelled else load_instructions().reminders.alarm_minutes
    status: Status = "CANCELLED" if is_cancelled else "CONFIRMED"
    parties = (_make_party("ORGANIZER", organizer), _make_party("ATTENDEE", message.attendee, **_ROLE[message.method]))
    event = CalendarEvent(message.uid, message.sequence, *times, notice, status, alarm_minutes=alarms).content(zone, parties)
    rules = get_zone_rules(zone, appointment.local_arrival.year, appointment.local_end.year)
    return make_calendar((make_line("METHOD", message.method),), rules, (event,))


_ROLE: dict[Method, dict[str, str]] = {
    "REQUEST": {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"},
    "CANCEL": {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT"},
}
"""What an ATTENDEE's parameters say (RFC 5545, section 3.8.4.1)."""


def _make_cancellation(appointment: Appointment) -> Notice:
    notice = make_patient_notice(appointment)
    phone = f"Questions: {appointment.phone}" if appointment.phone else ""
    words = "\n".join(filter(None, ("This appointment is cancelled.", phone)))
    return replace(notice, description=words)


def _make_party(name: str, mailbox: Mailbox, **parameters: str) -> bytes:
    """Return an ORGANIZER or ATTENDEE (RFC 5545, sections 3.8.4.1 and 3.8.4.3)."""
    named = {"CN": mailbox.name} if mailbox.name else {}
    return make_line(name, mailbox.uri, **named, **parameters)
