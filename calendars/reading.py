"""Calendar objects from outside, read within limits: whoever sends them may mean harm.

What is read is a tree of components with their lines as they stand; no rule is expanded here and no zone looked up. Bytes,
lines, components and depth are counted while reading, before anything is made of them.

References
----------
RFC 5545, sections 3.1 (content lines and folding), 3.2 (parameters) and 3.6 (components).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scheduling.errors import Fault, InvalidFile

MAX_BYTES = 4_000_000
"""Longest calendar object that is looked at."""

MAX_LINES = 100_000
MAX_COMPONENTS = 20_000
MAX_DEPTH = 4
"""VCALENDAR, VTIMEZONE, STANDARD, and one to spare."""

MAX_LINE = 100_000
"""Longest content line, unfolded, in characters; longer ones, such as pictures, are left out."""

_LINE = re.compile(r'([A-Za-z0-9-]{1,100})((?:;[A-Za-z0-9-]{1,100}=(?:"[^"]*"|[^":;]*))*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=(?:"([^"]*)"|([^":;]*))')


@dataclass(frozen=True, slots=True)
class Line:
    """One property: its name in capitals, its parameters as they stand, and its value."""

    name: str
    written: str
    value: str

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value; of several the first."""
        for found in _PARAMETER.finditer(self.written):
            if found[1].upper() == name:
                return str(found[2] if found[2] is not None else found[3])
        return None


@dataclass(slots=True)
class Component:
    """A component: its name in capitals, its lines and the components in it, in order."""

    name: str
    lines: list[Line] = field(default_factory=list)
    parts: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """Return the first property of a name."""
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str | None:
        """Return the first value of a name, without the blanks around it."""
        line = self.first(name)
        return None if line is None else line.value.strip()

    def named(self, name: str) -> Iterator[Component]:
        """Yield the components in it that have a name."""
        return (part for part in self.parts if part.name == name)


def read(content: bytes, source: str = "calendar") -> list[Component]:
    """Read the VCALENDARs of a file; lines that are none are passed over.

    Raises
    ------
    InvalidFile
        When there is no VCALENDAR, one does not end, or a limit is passed.
    """
    if len(content) > MAX_BYTES:
        raise InvalidFile(source, [Fault("", f"longer than {MAX_BYTES:,} bytes")])
    return _Reader(source).read(content)


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._open: list[Component] = []
        self._done: list[Component] = []
        self._components = 0

    def read(self, content: bytes) -> list[Component]:
        for number, text in enumerate(_unfolded(content), 1):
            if number > MAX_LINES:
                raise self._refusal(number, f"more than {MAX_LINES:,} lines")
            found = _LINE.fullmatch(text) if len(text) <= MAX_LINE else None
            if found is not None:
                self._take(number, Line(found[1].upper(), found[2], found[3]))
        if self._open:
            raise self._refusal(number, f"{self._open[-1].name} does not end")
        if not self._done:
            raise InvalidFile(self._source, [Fault("", "no calendar in it")])
        return self._done

    def _take(self, number: int, line: Line) -> None:
        if line.name == "BEGIN":
            self._begin(number, line.value.strip().upper())
        elif line.name == "END":
            self._end(number, line.value.strip().upper())
        elif self._open:
            self._open[-1].lines.append(line)

    def _begin(self, number: int, name: str) -> None:
        self._components += 1
        if self._components > MAX_COMPONENTS:
            raise self._refusal(number, f"more than {MAX_COMPONENTS:,} components")
        if len(self._open) == MAX_DEPTH:
            raise self._refusal(number, f"components nested deeper than {MAX_DEPTH}")
        component = Component(name)
        if self._open:
            self._open[-1].parts.append(component)
        elif name != "VCALENDAR":
            raise self._refusal(number, "a component outside of any calendar")
        self._open.append(component)

    def _end(self, number: int, name: str) -> None:
        if not self._open or self._open[-1].name != name:
            raise self._refusal(number, "the end of something that has not begun")
        done = self._open.pop()
        if not self._open:
            self._done.append(done)

    def _refusal(self, number: int, reason: str) -> InvalidFile:
        return InvalidFile(self._source, [Fault(f"line {number}", reason)])


def _unfolded(content: bytes) -> Iterator[str]:
    """Yield content lines: UTF-8, else Latin-1; any kind of line end; what begins with a blank goes on (section 3.1)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    whole = re.sub(r"(?:\r\n|\r|\n)[ \t]", "", text)
    return (line for line in re.split(r"\r\n|\r|\n", whole) if line)
