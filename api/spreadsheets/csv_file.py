"""CSV: text in some encoding, its cells apart by some separator; both are found out."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence

from api.spreadsheets.cells import Cell, text_cell
from scheduling.errors import Fault, InvalidFile

SEPARATORS = (",", ";", "\t", "|")

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

FALLBACK = "cp1252"
"""What Windows writes into a CSV that is no UTF-8; of Latin-1 it differs in characters that nobody types."""

FALLBACK_NOTE = "is no UTF-8 and was read as Windows-1252: look at names with accents, or save it as CSV UTF-8"

ADVICE = 'save it as "CSV UTF-8"'


def csv_rows(
    content: bytes, source: str, recognised: Callable[[Sequence[str]], int]
) -> tuple[Iterator[tuple[int, list[Cell]]], tuple[str, ...]]:
    """Return the rows of a CSV file, each with its number from 1, and notes about how it was read.

    Parameters
    ----------
    recognised
        Says how many headings of a row are known; the separator that makes most of them known is the file's.

    Raises
    ------
    InvalidFile
        When it is no text, or a quotation mark in it has no end.
    """
    text, notes = _decoded(content, source)
    separator, text = _separator(text, recognised)
    return _rows(text, separator, source), notes


def _decoded(content: bytes, source: str) -> tuple[str, tuple[str, ...]]:
    encoding = next((name for bom, name in BOMS if content.startswith(bom)), "utf-8")
    notes: tuple[str, ...] = ()
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if encoding != "utf-8":
            raise InvalidFile(
                source, [Fault(f"line {line}", f"is not in the encoding that the file begins with; {ADVICE}")]
            ) from None
        text, notes = _fallback(content, source, line), (FALLBACK_NOTE,)
    if "\0" in text:
        raise InvalidFile(source, [Fault("", f"is no text of a known encoding; {ADVICE}")])
    return text, notes


def _fallback(content: bytes, source: str, line: int) -> str:
    try:
        return content.decode(FALLBACK)
    except UnicodeDecodeError:
        raise InvalidFile(source, [Fault(f"line {line}", f"is neither UTF-8 nor Windows-1252; {ADVICE}")]) from None


def _separator(text: str, recognised: Callable[[Sequence[str]], int]) -> tuple[str, str]:
    """Return the separator, and the text without the line by which Excel is told of it."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == len("sep=;"):
        return first[4], "\n" + rest  # the line stays, empty: rows keep their numbers
    heading = next((line for line in text.splitlines() if line.strip()), "")
    try:
        return max(SEPARATORS, key=lambda separator: recognised(next(csv.reader([heading], delimiter=separator), []))), text
    except csv.Error:  # a field that is longer than any may be: reading the rows says so
        return SEPARATORS[0], text


def _rows(text: str, separator: str, source: str) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            yield number, [text_cell(value) for value in row]
    except csv.Error as error:
        raise InvalidFile(source, [Fault(f"row {number + 1}", f"cannot be read: {error}")]) from None
