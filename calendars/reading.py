"""Calendar objects from outside, read within limits: whoever sends them may mean harm.

What is read is a tree of components with their lines as they stand; no rule is expanded here and no zone looked up. Bytes,
lines, components and depth are counted while reading, before anything is made of them.

References
----------
RFC 5545, sections 3.1 (content lines and folding), 3.2 (parameters) and 3.6 (components).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scheduling.errors import Fault, InvalidFile

MAX_BYTES = 8_000_000
"""Longest calendar object that is looked at."""

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

MAX_LINES, MAX_COMPONENTS = 120_000, 30_000
"""Most lines of the properties that are read, and most components."""

MAX_DEPTH = 4
"""VCALENDAR, VTIMEZONE, STANDARD, and one to spare."""

MAX_LINE = 100_000
"""Longest content line, unfolded, in characters; longer ones are left out."""

PROPERTIES = (
    *("BEGIN", "END", "METHOD", "UID", "SEQUENCE", "DTSTAMP", "ATTENDEE", "STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"),
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "FREEBUSY"),
    *("TZID", "TZOFFSETFROM", "TZOFFSETTO", "X-LIC-LOCATION", "X-WR-TIMEZONE"),
    *("COMMENT", "X-RESPONSE-COMMENT"),
)
"""What is read; any other property, such as a description or a picture, is passed over."""

# Possessive, so that no line makes it try again and again.
_PARAMETERS = r'(?:;[A-Z0-9-]++=(?:"[^"\n]*+"|[^":;\n]++)*+)*+'
_LINES = re.compile(rf"^({'|'.join(PROPERTIES)})({_PARAMETERS}):(.*)$", re.ASCII | re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r';([A-Za-z0-9-]++)=(?:"([^"]*+)"|([^":;]*+))')
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_FOLD = re.compile(r"\n[ \t]")


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One property: its name in capitals, its parameters as they stand, and its value."""

    name: str
    written: str
    value: str

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value; of several the first."""
        for match in _PARAMETER.finditer(self.written):
            if match[1].upper() == name:
                return str(match[2] if match[2] is not None else match[3])
        return None


@dataclass(slots=True)
class Component:
    """A component: its name in capitals, its lines and the components in it, in order."""

    name: str
    lines: list[ContentLine] = field(default_factory=list)
    parts: list[Component] = field(default_factory=list)

    def first(self, name: str) -> ContentLine | None:
        """Return the first property of a name."""
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str | None:
        """Return the first value of a name, without the blanks around it."""
        line = self.first(name)
        return None if line is None else line.value.strip()

    def number(self, name: str) -> int | None:
        """Return the first value of a name as a whole number; None when it is none, or has more than nine digits."""
        text = self.value(name) or ""
        return int(text) if _NUMBER.fullmatch(text) else None

    def named(self, name: str) -> Iterator[Component]:
        """Yield the components in it that have a name."""
        return (part for part in self.parts if part.name == name)


def read_calendars(content: bytes, source: str = "calendar") -> list[Component]:
    """Read the VCALENDARs of a file: of their properties those of ``PROPERTIES``.

    Raises
    ------
    InvalidFile
        When there is no VCALENDAR, one does not end, or a limit is passed.
    """
    if len(content) > MAX_BYTES:
        raise InvalidFile(source, [Fault("", f"longer than {MAX_BYTES:,} bytes")])
    return _Reader(source).read(_unfold(content))


class _Reader:
    """Puts lines together to components, and counts."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: list[Component] = []
        self._done: list[Component] = []
        self._components = 0

    def read(self, text: str) -> list[Component]:
        for count, match in enumerate(_LINES.finditer(text)):
            if count == MAX_LINES:
                raise self._make_refusal(text, match.start(), f"more than {MAX_LINES:,} lines")
            if match.end() - match.start() <= MAX_LINE:
                trouble = self._take(ContentLine(match[1].upper(), match[2], match[3]))
                if trouble is not None:
                    raise self._make_refusal(text, match.start(), trouble)
        if self._open:
            raise self._make_refusal(text, len(text), f"{self._open[-1].name[:20]} does not end")
        if not self._done:
            raise InvalidFile(self._source, [Fault("", "no calendar in it")])
        return self._done

    def _take(self, line: ContentLine) -> str | None:
        """Take in a line; return what is wrong with it."""
        if line.name == "BEGIN":
            return self._begin(line.value.strip().upper())
        if line.name == "END":
            return self._end(line.value.strip().upper())
        if self._open:
            self._open[-1].lines.append(line)
        return None

    def _begin(self, name: str) -> str | None:
        self._components += 1
        if self._components > MAX_COMPONENTS:
            return f"more than {MAX_COMPONENTS:,} components"
        if len(self._open) == MAX_DEPTH:
            return f"components nested deeper than {MAX_DEPTH}"
        if not self._open and name != "VCALENDAR":
            return "a component outside of any calendar"
        component = Component(name)
        if self._open:
            self._open[-1].parts.append(component)
        self._open.append(component)
        return None

    def _end(self, name: str) -> str | None:
        if not self._open or self._open[-1].name != name:
            return "the end of something that has not begun"
        done = self._open.pop()
        if not self._open:
            self._done.append(done)
        return None

    def _make_refusal(self, text: str, at: int, reason: str) -> InvalidFile:
        return InvalidFile(self._source, [Fault(f"line {text.count(chr(10), 0, at) + 1}", reason)])


def _unfold(content: bytes) -> str:
    """Return the content lines: UTF-8, else Latin-1, or UTF-16 by its mark; any line end; folds undone (section 3.1)."""
    try:
        text = content.decode("utf-16" if content.startswith(UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return _FOLD.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
