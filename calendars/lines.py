"""Content lines as they are written: escaped, folded, with parameters quoted.

References
----------
RFC 5545, sections 3.1 (folding), 3.2 (parameters), 3.3.5 (DATE-TIME) and 3.3.11 (TEXT).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MAX_OCTETS = 75
"""Longest line, its end not counted."""

_PLAIN = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def escape_text(value: str) -> str:
    """Return a TEXT value: escaped, its line breaks written out."""
    return value.translate(_ESCAPES)


def make_line(name: str, value: str, **parameters: str) -> bytes:
    """Return a content line, folded. Values and parameters must hold no line break; a quotation mark becomes an apostrophe."""
    written = "".join(f";{key}={_quote(given)}" for key, given in parameters.items())
    return fold(f"{name}{written}:{value}".encode(errors="replace"))


def _quote(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f'"{value.replace(chr(34), chr(39))}"'


def fold(content: bytes) -> bytes:
    """Return a line with its end, in pieces of at most 75 octets that split no character."""
    pieces = []
    room = MAX_OCTETS
    while len(content) > room:
        cut = room
        while content[cut] & 0b1100_0000 == 0b1000_0000:
            cut -= 1
        pieces.append(content[:cut])
        content, room = content[cut:], MAX_OCTETS - 1
    return b"\r\n ".join((*pieces, content)) + b"\r\n"


def make_instant(name: str, moment: datetime) -> bytes:
    """Return a property of an instant, in UTC (section 3.3.5, form 2)."""
    return make_line(name, f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}")


def make_local(name: str, moment: datetime, timezone: str) -> bytes:
    """Return a property of an instant as local time with its zone (section 3.3.5, form 3).

    A local time that occurs twice is written in UTC: it means its first occurrence, and many readers take the second.
    """
    there = moment.astimezone(ZoneInfo(timezone))
    if there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset():
        return make_instant(name, moment)
    return fold(f"{name};TZID={timezone}:{there:%Y%m%dT%H%M%S}".encode())
