"""What a mail says beside its calendar object: a person's words, which message it is about, or that one did not arrive.

References
----------
RFC 3464, sections 2.2 and 2.3 (delivery reports); RFC 8098 (read receipts); RFC 3834 and [MS-OXCMAIL], section 2.2.3.2.14
(automatic answers); RFC 5322, section 3.6.4 (In-Reply-To, References).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from html.parser import HTMLParser
from itertools import islice

from calendars.wording import flatten

MAX_WORDS = 20_000
"""Most characters of a person's words that are kept."""

MAX_PARTS, MAX_REFERENCES = 50, 20

_MESSAGE_ID = re.compile(r"<([^<>\s@]{1,200})@[^<>\s]{1,200}>")
_ADDRESS = re.compile(r"(?:rfc822|utf-8)\s*;\s*<?([^\s<>;]{1,320})>?", re.IGNORECASE)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_PROGRAMS = re.compile(
    r"(has|have) (tentatively )?(accepted|declined)\b.*(invitation|event|meeting)|^(accepted|declined|tentative):",
    re.IGNORECASE,
)
"""Lines that calendar programs write of their own accord into an answer."""

_GOOGLE = "calendar.google.com"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """That a message did not arrive, for now or at all: whose it was, as far as the report says, and the status code."""

    is_final: bool
    recipients: tuple[str, ...] = ()
    status: str | None = None


def is_automatic(mail: EmailMessage) -> bool:
    """Return whether nobody has written a mail: it is an automatic answer, a receipt, or one of a list."""
    if str(mail.get("Auto-Submitted", "no")).strip().casefold().partition(";")[0] != "no":
        return True
    if str(mail.get("Precedence", "")).strip().casefold() in ("bulk", "junk", "list", "auto_reply"):
        return True
    suppressed = {part.strip() for part in str(mail.get("X-Auto-Response-Suppress", "")).casefold().split(",")}
    return bool(suppressed & {"all", "oof", "autoreply"}) or any(mail.get(name) for name in ("X-Autoreply", "X-Autorespond"))


def read_report(mail: EmailMessage) -> DeliveryReport | None:
    """Return what a delivery report says, None for a mail that is none; a receipt is a report that nothing is wrong."""
    if mail.get_content_type() != "multipart/report":
        return _read_informal_report(mail)
    kind = str(mail.get_param("report-type", "")).casefold()
    fields = [
        block
        for part in _list_parts(mail)
        if part.get_content_type() == "message/delivery-status"
        for block in _list_blocks(part)
    ]
    if kind == "disposition-notification" or (kind and kind != "delivery-status" and not fields):
        return DeliveryReport(False)
    actions = {str(block.get("Action", "")).strip().casefold() for block in fields} - {""}
    recipients = (str(block.get(name, "")) for block in fields for name in ("Original-Recipient", "Final-Recipient"))
    addresses = (match[1].casefold() for text in recipients if (match := _ADDRESS.search(text)) is not None)
    statuses = (match[0] for block in fields if (match := _STATUS.search(str(block.get("Status", "")))) is not None)
    return DeliveryReport(not actions or "failed" in actions, tuple(dict.fromkeys(addresses)), next(statuses, None))


def _read_informal_report(mail: EmailMessage) -> DeliveryReport | None:
    """Return what a mail server's letter says that is no report by its form: that a message has failed."""
    sender = str(mail.get("From", "")).casefold()
    if not re.search(r"\b(mailer-daemon|postmaster)@|<>", sender) and str(mail.get("Return-Path", "")).strip() != "<>":
        return None
    if not mail.get("X-Failed-Recipients") and not re.search(r"\bmailer-daemon@", sender):
        return None
    failed = tuple(part.strip().casefold() for part in str(mail.get("X-Failed-Recipients", "")).split(",") if part.strip())
    return DeliveryReport(True, failed)


def find_references(mail: EmailMessage) -> tuple[str, ...]:
    """Return the local parts of the Message-IDs that a mail answers to, or whose message it returns."""
    texts = [str(mail.get(name, "")) for name in ("In-Reply-To", "References")]
    for part in _list_parts(mail):
        if part is not mail and part.get("Message-ID"):
            texts.append(str(part["Message-ID"]))
        if part.get_content_type() == "text/rfc822-headers":
            texts += re.findall(r"^Message-ID:\s*(.*)$", _get_text(part), re.IGNORECASE | re.MULTILINE)
    if mail.get_content_maintype() == "text" and _read_informal_report(mail) is not None:
        texts.append(_get_text(mail))
    references = (match[1] for text in texts for match in _MESSAGE_ID.finditer(text))
    return tuple(islice(dict.fromkeys(references), MAX_REFERENCES))


def find_words(mail: EmailMessage, is_answer: bool = False) -> str:
    """Return what a person has written: the subject and the text, without what it quotes.

    Of a mail that carries an answer (``is_answer``), what calendar programs write by themselves is no words, and the subject
    neither.
    """
    texts = [
        _get_text(part) for part in _list_parts(mail) if part.get_content_type() == "text/plain" and not _is_attached(part)
    ]
    if not any(map(str.strip, texts)):
        texts = [_strip_tags(_get_text(part)) for part in _list_parts(mail) if part.get_content_type() == "text/html"]
    lines = [line.rstrip() for text in texts for line in text.splitlines() if not line.lstrip().startswith(">")]
    subject = flatten(str(mail.get("Subject", "")))
    text = "\n".join(_drop_program_lines(lines) if is_answer else (subject, *lines)).strip()
    return re.sub(r"\n{3,}", "\n\n", "".join(char for char in text if char.isprintable() or char == "\n"))[:MAX_WORDS]


def find_raw_words(content: bytes) -> str:
    """Return the beginning of a mail that cannot be taken apart."""
    text = content[: 4 * MAX_WORDS].decode("utf-8", "replace")
    return "".join(char for char in text if char.isprintable() or char == "\n")[:MAX_WORDS]


def _drop_program_lines(lines: list[str]) -> Iterator[str]:
    is_google = any(_GOOGLE in line for line in lines)
    for line in lines:
        if _PROGRAMS.search(line):
            if is_google:  # what follows are the appointment's details; a note stands in COMMENT too
                return
            continue
        yield line


def _list_parts(mail: EmailMessage) -> Iterator[Message]:
    return islice(mail.walk(), MAX_PARTS)


def _list_blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _get_text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # a character set that nobody knows
        return content.decode("utf-8", "replace")


class _TextOnly(HTMLParser):
    """Gathers the text of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script")
        if tag in ("br", "p", "div", "li", "tr"):
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _strip_tags(text: str) -> str:
    parser = _TextOnly()
    parser.feed(text[: 10 * MAX_WORDS])
    parser.close()
    return "".join(parser.pieces)
