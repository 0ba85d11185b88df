"""Acknowledgements: made for every message that comes in, and read for every message that went out.

An answer speaks as the message does: in its delimiters, character set and version; MSA-2 repeats MSH-10 byte for byte.

References
----------
HL7 version 2.5.1, section 2.9 (processing rules), 2.15.8 (MSA), 2.15.5 (ERR), 2.15.9.15 and 2.15.9.16 (MSH-15, MSH-16); tables
0008, 0155 and 0357.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from api.hl7.charsets import decoded, encoded
from api.hl7.codec import InvalidMessage, Message, Segment, make_segment
from api.hl7.frames import HEAD_BYTES

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6")
"""The versions that messages are written in."""

DEFAULT_VERSION = "2.5.1"


class AckVerdict(StrEnum):
    """What became of a message, as table 0008 has it in the original mode."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"


class Condition(StrEnum):
    """Why a message is not accepted (table 0357)."""

    SEGMENT_SEQUENCE = "100"
    FIELD_MISSING = "101"
    DATA_TYPE = "102"
    UNSUPPORTED_TYPE = "200"
    UNKNOWN_KEY = "204"
    DUPLICATE_KEY = "205"
    INTERNAL = "207"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not accepted: where (``SCH-11.4``), the condition, and words that quote nothing of it."""

    verdict: AckVerdict
    condition: Condition
    words: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An answer as it came: table 0008's code, the control id that it repeats, and what it says."""

    code: str
    control_id: str
    words: str

    @property
    def is_accepted(self) -> bool:
        """Whether the message was taken."""
        return self.code in ("AA", "CA")

    @property
    def is_rejected(self) -> bool:
        """Whether the message will never be taken as it is."""
        return self.code in ("AR", "CR")


def make_ack(content: bytes, control_id: str, now: datetime, refusal: Refusal | None = None) -> bytes:
    """Make the answer to what came in, readable or not.

    Parameters
    ----------
    control_id
        The answer's own MSH-10.
    refusal
        Why the message is not accepted; None: it is.
    """
    text, codec = decoded(content)
    header = _header(text)
    code = _code(header, AckVerdict.ACCEPTED if refusal is None else refusal.verdict)
    segments = [_ack_header(header, control_id, now), _segment(header, "MSA", code, header.raw(10))]
    if refusal is not None:
        segments[1] = _segment(header, "MSA", code, header.raw(10), header.delimiters.escaped(refusal.words))
        if header.get(12) not in ("2.1", "2.2", "2.3", "2.3.1", "2.4"):
            segments.append(_error(header, refusal))
    return encoded(str(Message(tuple(segments))), codec)


def read_ack(content: bytes) -> Acknowledgement:
    """Read an answer by its MSA alone: the headers of many are of no use.

    Raises
    ------
    InvalidMessage
        When it is none.
    """
    answer = Message.parse(decoded(content)[0]).first("MSA")
    if answer is None:
        raise InvalidMessage("MSA: missing")
    return Acknowledgement(answer.get(1).upper(), answer.raw(2), answer.get(3))


def _code(header: Segment, verdict: AckVerdict) -> str:
    """Return MSA-1: in the enhanced mode C for who waits until a message is kept, A for who waits for what it asks for.

    Over MLLP a sender waits for one answer, so each message gets one, even where neither MSH-15 nor MSH-16 wants any.
    """
    accept, application = (header.get(number).upper() for number in (15, 16))
    if not accept and not application:
        return verdict.value
    is_application = _is_wanted(application, verdict) and not _is_wanted(accept, verdict)
    return verdict.value if is_application else f"C{verdict[1]}"


def _is_wanted(condition: str, verdict: AckVerdict) -> bool:
    """Return whether table 0155 wants an answer: always, never, for errors, or for success."""
    wanted = {"AL": True, "ER": verdict is not AckVerdict.ACCEPTED, "SU": verdict is AckVerdict.ACCEPTED}
    return wanted.get(condition, False)


def _header(text: str) -> Segment:
    """Return the header of a message, as much of one as there is."""
    try:
        return Message.parse(re.split(r"[\r\n]", text.lstrip("\ufeff \t\r\n")[:HEAD_BYTES], maxsplit=1)[0]).header
    except InvalidMessage:
        return make_segment("MSH", {11: "P", 12: DEFAULT_VERSION})


def _ack_header(header: Segment, control_id: str, now: datetime) -> Segment:
    delimiters, version = header.delimiters, header.get(12) or DEFAULT_VERSION
    parts = ["ACK", header.get(9, 2), "ACK"] if version not in ("2.1", "2.2", "2.3") else ["ACK", header.get(9, 2)]
    kind = delimiters.component.join(map(delimiters.escaped, parts if parts[1] else parts[:1]))
    fields = {
        **{number: header.raw(other) for number, other in ((3, 5), (4, 6), (5, 3), (6, 4), (18, 18))},
        7: now.strftime("%Y%m%d%H%M%S%z"),
        9: kind,
        10: control_id,
        11: header.raw(11) or "P",
        12: header.raw(12) or DEFAULT_VERSION,
    }
    last = max(number for number, text in fields.items() if text)
    rest = (fields.get(number, "") for number in range(3, last + 1))
    return Segment(("MSH", delimiters.field, delimiters.encoding_characters, *rest), delimiters)


def _error(header: Segment, refusal: Refusal) -> Segment:
    fields = {2: _location(refusal.place), 3: refusal.condition.value, 4: "E", 8: refusal.words}
    return make_segment("ERR", fields, header.delimiters)


def _location(place: str) -> tuple[str, ...]:
    """Return ERR-2 of a place such as ``SCH-11.4``: segment, its number, field, repetition, component."""
    match = re.fullmatch(r"([A-Z][A-Z0-9]{2})(?:-(\d+)(?:\.(\d+))?)?", place)
    if match is None:
        return ()
    segment, field, component = match.groups()
    return (segment, "1", field or "", "1" if component else "", component or "")


def _segment(header: Segment, *fields: str) -> Segment:
    return Segment(fields, header.delimiters)
