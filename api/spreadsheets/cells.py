"""One cell of a spreadsheet: text, a date, nothing, or why it is none of these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from scheduling.errors import printable

MAX_CHARACTERS = 500
"""Longest text of a cell."""

FORMULA_SIGNS = ("=", "+", "-", "@")
"""What a text begins with that a spreadsheet would take for a formula when it is opened there again."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that cannot be taken, and what would be right."""

    reason: str


Cell = str | date | Unreadable | None


def text_cell(text: str) -> Cell:
    """Return what a text says: white space is one blank, an empty text is nothing."""
    plain = " ".join(text.split())
    if not plain:
        return None
    if len(plain) > MAX_CHARACTERS:
        return Unreadable(f"has {len(plain):,} characters; at most {MAX_CHARACTERS} are kept")
    if plain.startswith(FORMULA_SIGNS):
        return Unreadable(f'begins with "{plain[0]}" as formulas do; write plain text')
    if not plain.isprintable():
        return Unreadable(f"holds a character that cannot be shown: {printable(plain)}")
    return plain


def typed_cell(value: Any) -> Cell:
    """Return what a value says whose type the file tells: a whole number is the text of its digits."""
    match value:
        case None:
            return None
        case str():
            return text_cell(value)
        case bool():
            return Unreadable(f"is {str(value).upper()}; write text")
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else Unreadable(f"is the number {value:g}; write text or a date")
        case datetime():
            return value.date() if value.time() == time() else Unreadable("has a time of day; give the date alone")
        case date():
            return value
    return Unreadable("is a length of time; write text or a date")
