"""What patients answer to invites: read from a mail or a file, and judged by what is known of the event.

An answer changes nothing but what is noted of its own attendee's wish to come. Anything else that people and their programs
send (of another sender, about one occurrence, a counter-proposal, a delegation, of an event that nobody knows) is for staff
to look at.

References
----------
RFC 5546, sections 2.1.5 (which message is the newer one), 3.2.3 (REPLY), 3.2.7 (COUNTER) and 4.2.2 to 4.2.5 (delegation);
RFC 6047, section 2 (iMIP); RFC 3834 (automatic answers); RFC 3464 (delivery reports).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from calendars.letters import MAX_WORDS, DeliveryReport, find_raw_words, find_references, find_words, is_automatic, read_report
from calendars.mailbox import Mailbox
from calendars.moments import Length, Misread, MomentReader
from calendars.reading import Component, ContentLine, read_calendars
from calendars.tally import Tally
from calendars.wording import flatten
from scheduling.errors import InvalidFile

MAX_MAIL = 3_000_000
"""Longest mail that is looked at, in bytes."""

MAX_MAIL_LINES = 60_000
"""Most lines of a mail: half as many again as the longest mail has in base64. More would be headers without end."""

MAX_PARTS, MAX_ANSWERS, MAX_HEADER = 50, 10, 300

MOST_AHEAD = timedelta(days=1)
"""How far clocks that are wrong, or set to local time, may be ahead: an answer of next year would outdo all to come."""

Reason = Literal[
    "no-calendar",
    "unreadable",
    "undelivered",
    "not-a-reply",
    "counter-proposal",
    "unknown-event",
    "ended-event",
    "one-occurrence",
    "other-sender",
    "other-attendee",
    "several-attendees",
    "no-attendee",
    "delegated",
    "no-answer-in-it",
    "undated",
    "dated-ahead",
]
"""Why staff has to look at it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The patient comes."""

    stamp: datetime | None


@dataclass(frozen=True, slots=True)
class Declined:
    """The patient does not come."""

    stamp: datetime | None


@dataclass(frozen=True, slots=True)
class Tentative:
    """The patient may come."""

    stamp: datetime | None


@dataclass(frozen=True, slots=True)
class ForStaff:
    """Somebody has to look at it; nothing changes."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing changes, and nobody has to look at it."""

    reason: Literal["older", "repeated", "about-an-earlier-invite", "automatic"]


Verdict = Accepted | Declined | Tentative | ForStaff | Ignored


@dataclass(frozen=True, slots=True)
class KnownInvite:
    """What is known of the event that an answer is about.

    Attributes
    ----------
    sequence : int
        Of the last invite that was sent.
    replied_at : datetime or None
        DTSTAMP of the last answer that was taken; aware.
    is_over : bool
        Whether the event was cancelled or has ended.
    """

    attendee: Mailbox
    sequence: int
    replied_at: datetime | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One event of a calendar object that came in, as it stands there.

    ``comment`` is what the attendee has written into it; ``proposed`` the start and the end that a counter-proposal asks for,
    aware.
    """

    uid: str
    method: str
    attendee: str | None
    participation: str | None
    stamp: datetime | None
    sequence: int | None
    is_occurrence: bool
    is_alone: bool
    is_delegated: bool
    comment: str = ""
    proposed: tuple[datetime, datetime | None] | None = None


@dataclass(frozen=True, slots=True)
class ReceivedReplies:
    """What came in: its answers, or why there are none; ``sender`` is None for a file.

    ``words`` are a person's, ``references`` the local parts of the Message-IDs that it is about, and ``report`` what it says
    of a message that did not arrive.
    """

    answers: tuple[Reply, ...]
    sender: str | None = None
    message_id: str | None = None
    trouble: ForStaff | Ignored | None = None
    words: str = ""
    references: tuple[str, ...] = ()
    report: DeliveryReport | None = None


def read_mail(content: bytes, timezone: str = "UTC") -> ReceivedReplies:
    """Read a mail; whatever it holds, this raises nothing. ``timezone`` is that of proposed times without one."""
    unreadable = ReceivedReplies((), trouble=ForStaff("unreadable"))
    if len(content) > MAX_MAIL or max(map(content.count, (b"\n", b"\r"))) > MAX_MAIL_LINES:
        return replace(unreadable, words=find_raw_words(content))
    try:
        mail = message_from_bytes(content, policy=policy.default)
        objects = list(islice(_list_calendar_parts(mail), MAX_PARTS))
        report = None if objects else read_report(mail)
        received = ReceivedReplies(
            (),
            _read_sender(mail),
            _read_header(mail, "Message-ID"),
            None if objects else _classify_mail(mail, report),
            "" if report is not None else find_words(mail, bool(objects)),
            find_references(mail),
            report,
        )
    except Exception:  # the parser of mail raises what it likes on what nobody ever sent in good faith
        return replace(unreadable, words=find_raw_words(content))
    if not objects:
        return received
    best = _choose_best([read_file(part, timezone) for part in objects])
    words = received.words if best.answers else find_words(mail)
    return replace(received, answers=best.answers, trouble=best.trouble, words=words)


def read_file(content: bytes, timezone: str = "UTC") -> ReceivedReplies:
    """Read a calendar file; whatever it holds, this raises nothing. ``timezone`` is that of proposed times without one."""
    try:
        objects = read_calendars(content)
        answers = tuple(dict.fromkeys(answer for calendar in objects for answer in _read_replies(calendar, timezone)))
    except InvalidFile:
        return ReceivedReplies((), trouble=ForStaff("unreadable"))
    if not answers:
        return ReceivedReplies((), trouble=ForStaff("no-answer-in-it"))
    return ReceivedReplies(answers[:MAX_ANSWERS])


def judge_reply(answer: Reply, invited: KnownInvite | None, sender: str | None, now: datetime) -> Verdict:
    """Return what an answer means.

    Parameters
    ----------
    answer : Answer
        Of :class:`ReceivedReplies`.
    invited : Invited or None
        What is known of the event with the answer's UID; None: nothing.
    sender : str or None
        Who has sent the mail; None for a file that the patient or staff has handed in.
    now : datetime
        The present instant, aware.

    References
    ----------
    RFC 5546, section 2.1.5: of two answers the one with the newer DTSTAMP counts.
    """
    reason = _find_unusual(answer, invited, sender)
    if reason is not None or invited is None:
        return ForStaff(reason or "unknown-event")
    if answer.stamp is not None and answer.stamp > now + MOST_AHEAD:
        return ForStaff("dated-ahead")
    if invited.replied_at is not None:
        if answer.stamp is None:
            return ForStaff("undated")
        if answer.stamp == invited.replied_at:
            return Ignored("repeated")
        if answer.stamp < invited.replied_at:
            return Ignored("older")
    if answer.sequence is not None and answer.sequence < invited.sequence:
        return Ignored("about-an-earlier-invite")
    made = _ANSWERS.get(answer.participation or "")
    return ForStaff("no-answer-in-it") if made is None else made(answer.stamp)


_YEARS = (2020, 2060)
"""For which zones that a file defines are read."""

_ANSWERS: dict[str, Callable[[datetime | None], Verdict]] = {
    "ACCEPTED": Accepted,
    "DECLINED": Declined,
    "TENTATIVE": Tentative,
}


def _find_unusual(answer: Reply, invited: KnownInvite | None, sender: str | None) -> Reason | None:
    """Return why staff has to look at an answer, None when nobody has to."""
    if answer.method == "COUNTER":
        return "counter-proposal"
    if answer.method != "REPLY":
        return "not-a-reply"
    if invited is None:
        return "unknown-event"
    if answer.is_occurrence:
        return "one-occurrence"
    if answer.participation == "DELEGATED" or answer.is_delegated:
        return "delegated"
    if answer.attendee is None:
        return "no-attendee"
    if not answer.is_alone:
        return "several-attendees"
    if answer.attendee.casefold() != invited.attendee.key:
        return "other-attendee"
    if sender is not None and sender.casefold() != invited.attendee.key:
        return "other-sender"
    return "ended-event" if invited.is_over else None


# --- reading ---------------------------------------------------------------------------------------------------------


def _read_replies(calendar: Component, timezone: str) -> Iterator[Reply]:
    method = (calendar.value("METHOD") or "").upper()
    for event in islice(calendar.named("VEVENT"), 2 * MAX_ANSWERS):
        attendees = [line for line in event.lines if line.name == "ATTENDEE"]
        first = attendees[0] if attendees else None
        said = {(_read_address(line), (line.parameter("PARTSTAT") or "").upper()) for line in attendees}
        yield Reply(
            uid=event.value("UID") or "",
            method=method,
            attendee=None if first is None else re.sub(r"^mailto:", "", first.value.strip(), flags=re.IGNORECASE),
            participation=None if first is None else (first.parameter("PARTSTAT") or "").upper() or None,
            stamp=_read_stamp(event.value("DTSTAMP")),
            sequence=event.number("SEQUENCE"),
            is_occurrence=event.first("RECURRENCE-ID") is not None,
            is_alone=len(said) == 1,
            is_delegated=any(line.parameter(name) for line in attendees for name in ("DELEGATED-TO", "DELEGATED-FROM")),
            comment=_read_comment(event),
            proposed=_read_proposal(calendar, event, timezone) if method == "COUNTER" else None,
        )


def _read_address(line: ContentLine) -> str:
    return re.sub(r"^mailto:", "", line.value.strip().casefold())


def _read_comment(event: Component) -> str:
    """Return what an attendee has written: COMMENT (RFC 5545, section 3.8.1.4), or Google's X-RESPONSE-COMMENT."""
    texts = [_unescape(line.value) for line in event.lines if line.name == "COMMENT"]
    responses = (line.parameter("X-RESPONSE-COMMENT") for line in event.lines if line.name == "ATTENDEE")
    texts += [text for text in responses if text]
    texts += [_unescape(line.value) for line in event.lines if line.name == "X-RESPONSE-COMMENT"]
    return "\n".join(dict.fromkeys(text.strip() for text in texts if text.strip()))[:MAX_WORDS]


def _unescape(text: str) -> str:
    """Return a TEXT value as it was meant (RFC 5545, section 3.3.11)."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text)


def _read_proposal(calendar: Component, event: Component, timezone: str) -> tuple[datetime, datetime | None] | None:
    """Return the start and the end that a counter-proposal asks for (RFC 5546, section 3.2.7)."""
    times = MomentReader(calendar, ZoneInfo(timezone), _YEARS, Tally("calendar").spend)
    begins, ends, lasts = event.first("DTSTART"), event.first("DTEND"), event.value("DURATION")
    try:
        start = None if begins is None else times.read(begins)
        if start is None:
            return None
        end = times.read(ends) if ends is not None else Length.parse(lasts).add_to(start) if lasts else None
    except Misread:
        return None
    return times.to_instant(start), None if end is None else times.to_instant(end)


def _read_stamp(text: str | None) -> datetime | None:
    """Read a DTSTAMP, always UTC (RFC 5545, section 3.8.7.2); what is none counts as missing."""
    match = re.fullmatch(r"(\d{8}T\d{6})Z?", text or "", re.ASCII)
    try:
        return datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def _read_sender(mail: EmailMessage) -> str:
    """Return whom a mail says that it is from; nothing when that is not exactly one address."""
    addresses = getaddresses([str(value) for value in mail.get_all("From", [])])
    return addresses[0][1] if len(addresses) == 1 else ""


def _read_header(mail: EmailMessage, name: str) -> str | None:
    value = mail.get(name)
    return None if value is None else flatten(str(value))[:MAX_HEADER]


def _list_calendar_parts(mail: EmailMessage) -> Iterator[bytes]:
    """Yield the calendar objects of a mail (RFC 6047, section 2.4), whatever type their senders give them."""
    for part in islice(mail.walk(), MAX_PARTS):
        name = (part.get_filename() or "").casefold()
        if part.get_content_type() in ("text/calendar", "application/ics") or name.endswith(".ics"):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                yield content


def _classify_mail(mail: EmailMessage, report: DeliveryReport | None) -> ForStaff | Ignored:
    """Return what a mail is that holds no calendar object: a report, an automatic answer, or words of a person."""
    if report is not None:
        return ForStaff("undelivered") if report.is_final else Ignored("automatic")
    return Ignored("automatic") if is_automatic(mail) else ForStaff("no-calendar")


def _choose_best(copies: list[ReceivedReplies]) -> ReceivedReplies:
    """Return the copy that could be read: a mail often carries the same object twice."""
    answers = tuple(dict.fromkeys(answer for received in copies for answer in received.answers))[:MAX_ANSWERS]
    return ReceivedReplies(answers) if answers else copies[0]
