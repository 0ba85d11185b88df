"""HL7 version 2 messages as text: segments, fields, repetitions, components and sub-components, and their escapes.

A value to be written is a text, a tuple of components (each a text or a tuple of sub-components), or a list of repetitions.
Texts are always escaped on the way out and unescaped on the way in, so no name can begin a field or a segment.

References
----------
HL7 version 2.5.1, chapter 2: sections 2.5 (message construction rules), 2.7 (escape sequences), 2.15.9 (MSH).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Value = str | tuple[str | tuple[str, ...], ...]
Field = Value | list[Any]
"""What a field is written from; a list holds ``Value`` repetitions."""

HEADER = "MSH"
MAX_SEGMENTS = 5_000

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HIGHLIGHT = {"H": "", "N": ""}
_FORMAT = re.compile(r"\.(?:(?P<line>br|sp|ce)|(?P<blank>sk)|in|ti|fi|nf)[+-]?[0-9]{0,4}")
"""Commands of formatted text: those that begin a line, those that move on in it, and those that say how lines are filled."""


class InvalidMessage(Exception):
    """A text that is no HL7 message; says where and why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that part a message (MSH-1 and MSH-2)."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """The four of MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent

    def escaped(self, text: str) -> str:
        """Return a text that holds no delimiter and no control character: those become spaces."""
        letters = {self.escape: "E", self.field: "F", self.component: "S", self.repetition: "R", self.subcomponent: "T"}
        plain = _CONTROL.sub(" ", text)
        return "".join(f"{self.escape}{letters[char]}{self.escape}" if char in letters else char for char in plain)

    def unescaped(self, text: str) -> str:
        """Return a text as it was meant; an escape sequence that nobody knows stays as it is."""
        if self.escape not in text:
            return text
        mark = re.escape(self.escape)
        return re.sub(f"{mark}([^{mark}]*){mark}", self._meant, text)

    def _meant(self, match: re.Match[str]) -> str:
        code = match[1]
        letters = {"E": self.escape, "F": self.field, "S": self.component, "R": self.repetition, "T": self.subcomponent}
        if code in letters:
            return letters[code]
        if code in _HIGHLIGHT:
            return _HIGHLIGHT[code]
        if (command := _FORMAT.fullmatch(code)) is not None:
            return "\n" if command["line"] else " " if command["blank"] else ""
        return _of_hexadecimal(code) or match[0]

    def written(self, value: Field) -> str:
        """Return a field's text; what is empty at an end is left out."""
        if isinstance(value, list):
            return self.repetition.join(self.written(repetition) for repetition in value)
        if isinstance(value, str):
            return self.escaped(value)
        return _joined(self.component, (self._component(component) for component in value))

    def _component(self, value: str | tuple[str, ...]) -> str:
        if isinstance(value, str):
            return self.escaped(value)
        return _joined(self.subcomponent, (self.escaped(part) for part in value))


STANDARD = Delimiters()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; ``fields[n]`` is the text of field ``n`` as it is in the message, ``fields[0]`` the segment's name."""

    fields: tuple[str, ...]
    delimiters: Delimiters = STANDARD

    @property
    def name(self) -> str:
        """Its three letters."""
        return self.fields[0]

    def raw(self, number: int) -> str:
        """Return a field as it is in the message, empty when it is absent."""
        return self.fields[number] if number < len(self.fields) else ""

    def get(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """Return a text of a field's first repetition, unescaped, without blanks around it; empty when it is absent.

        A null, which is written ``""``, is empty as well.
        """
        repetitions = self.repetitions(number)
        return repetitions[0].get(component, subcomponent) if repetitions else ""

    def repetitions(self, number: int) -> list[Repetition]:
        """Return the repetitions of a field that are not empty."""
        parts = self.raw(number).split(self.delimiters.repetition)
        return [Repetition(part, self.delimiters) for part in parts if part]


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field, as it is in the message."""

    text: str
    delimiters: Delimiters

    def get(self, component: int = 1, subcomponent: int = 1) -> str:
        """Return a text, unescaped, without blanks around it; empty when it is absent or null.

        Control characters, line breaks apart, are spaces: no database or screen has to bear them.
        """
        part = _part(_part(self.text, self.delimiters.component, component), self.delimiters.subcomponent, subcomponent)
        if part == '""':
            return ""
        lines = self.delimiters.unescaped(part).split("\n")
        return "\n".join(_CONTROL.sub(" ", line) for line in lines).strip()


@dataclass(frozen=True)
class Message:
    """A message's segments in their order; the first is the header, MSH."""

    segments: tuple[Segment, ...]

    @classmethod
    def parse(cls, text: str) -> Message:
        """Read a message whose segments end in CR, LF or both.

        A line that begins with no segment's name goes on with the field before it: some systems break notes.

        Raises
        ------
        InvalidMessage
            When it has no header, or more than ``MAX_SEGMENTS``.
        """
        lines = [line for line in re.split(r"\r\n|\r|\n", text.lstrip("\ufeff \t\r\n")) if line.strip()]
        if not lines or not lines[0].startswith(HEADER):
            raise InvalidMessage("line 1: does not begin with MSH")
        if len(lines) > MAX_SEGMENTS:
            raise InvalidMessage(f"line {MAX_SEGMENTS + 1}: more than {MAX_SEGMENTS} segments")
        delimiters = _delimiters(lines[0])
        segments: list[Segment] = []
        for line in _whole(lines, delimiters):
            fields = line.split(delimiters.field)
            if fields[0] == HEADER:
                fields.insert(1, delimiters.field)
            segments.append(Segment(tuple(fields), delimiters))
        return cls(tuple(segments))

    @property
    def header(self) -> Segment:
        """The segment MSH."""
        return self.segments[0]

    @property
    def control_id(self) -> str:
        """MSH-10 exactly as it is in the message, blanks included: it is repeated in MSA-2."""
        return self.header.raw(10)

    @property
    def code(self) -> str:
        """The message code, such as ``SIU``."""
        return self.header.get(9).upper()

    @property
    def trigger(self) -> str:
        """The trigger event, such as ``S12``."""
        return self.header.get(9, 2).upper()

    @cached_property
    def _by_name(self) -> Mapping[str, list[Segment]]:
        by_name: dict[str, list[Segment]] = {}
        for segment in self.segments:
            by_name.setdefault(segment.name, []).append(segment)
        return by_name

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        return next(iter(self._by_name.get(name, ())), None)

    def all(self, name: str) -> list[Segment]:
        """Return the segments of a name."""
        return self._by_name.get(name, [])

    def __str__(self) -> str:
        return "".join(f"{text_of(segment)}\r" for segment in self.segments)


def text_of(segment: Segment) -> str:
    """Return a segment as it stands in a message, without its end."""
    fields = segment.fields
    if segment.name == HEADER:
        fields = (fields[0], *fields[2:])
    return segment.delimiters.field.join(fields)


def make_segment(name: str, fields: Mapping[int, Field], delimiters: Delimiters = STANDARD) -> Segment:
    """Make a segment of values by field number; those that are not named are empty, and none stands empty at the end."""
    written = {number: delimiters.written(value) for number, value in fields.items()}
    if name == HEADER:
        written |= {1: delimiters.field, 2: delimiters.encoding_characters}
    last = max((number for number, text in written.items() if text), default=0)
    return Segment((name, *(written.get(number, "") for number in range(1, last + 1))), delimiters)


def _delimiters(header: str) -> Delimiters:
    if len(header) < 4:
        raise InvalidMessage("MSH-1: missing")
    field = header[3]
    given = header[4:].split(field, 1)[0]
    default = STANDARD.encoding_characters
    characters = given[:4] + default[len(given[:4]) :]
    parts = field + characters
    if len(set(parts)) != len(parts) or any(char.isalnum() or char.isspace() or not char.isprintable() for char in parts):
        raise InvalidMessage("MSH-1, MSH-2: five different signs must part the message")
    return Delimiters(field, *characters)


def _whole(lines: list[str], delimiters: Delimiters) -> Iterator[str]:
    """Yield segments, each with the lines that go on with it."""
    whole = ""
    for line in lines:
        if _NAME.match(line) and (len(line) == 3 or line[3] == delimiters.field):
            if whole:
                yield whole
            whole = line
        else:
            whole += f"{delimiters.escape}.br{delimiters.escape}{line}"
    yield whole


def _of_hexadecimal(code: str) -> str | None:
    """Return the text of an escape sequence such as ``XC3A9``: UTF-8, else Latin-1; None: it is no such sequence."""
    try:
        content = bytes.fromhex(code.removeprefix("X")) if code.startswith("X") else b""
    except ValueError:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _part(text: str, separator: str, number: int) -> str:
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""


def _joined(separator: str, parts: Iterator[str]) -> str:
    return separator.join(parts).rstrip(separator)
