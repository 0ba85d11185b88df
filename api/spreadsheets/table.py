"""A table with a heading: its rows by the names of its columns, and every fault of them by row and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from api.spreadsheets.cells import Cell, Unreadable
from api.spreadsheets.csv_file import csv_rows
from api.spreadsheets.xlsx_file import OLE, ZIP, xlsx_rows
from scheduling.errors import Fault, InvalidFile

MAX_FILE_BYTES = 5_000_000
MAX_ROWS = 10_000
"""Most rows of a table: five times the largest that a clinic is expected to bring."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row: its number in the sheet, and its values by column."""

    number: int
    values: Mapping[str, str | date]

    def place(self, column: str) -> str:
        """Return the path of a value, as faults name it."""
        return f"row {self.number}, {column}"


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds.

    Attributes
    ----------
    records : tuple of Record
        Every row that is not empty, those with faults too.
    faults : tuple of Fault
        What is wrong with headings and cells.
    notes : tuple of str
        What should be known of how the file was read.
    """

    records: tuple[Record, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def read_table(content: bytes, source: str, columns: Sequence[str]) -> Table:
    """Read a CSV or XLSX file; which of them, its first bytes tell.

    Parameters
    ----------
    columns
        The names that columns may have; capitals, blanks and hyphens in a heading make no difference.

    Raises
    ------
    InvalidFile
        When it is too large, or no such file at all.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InvalidFile(
            source, [Fault("", f"{len(content) / 1e6:.1f} MB is over the limit of {MAX_FILE_BYTES / 1e6:.0f} MB")]
        )
    if content.startswith(OLE):
        raise InvalidFile(source, [Fault("", "is an old .xls, or has a password; save it as .xlsx without one")])
    rows, notes = _rows(content, source, columns)
    filled = (row for row in rows if any(cell is not None for cell in row[1]))
    heading = next(filled, None)
    if heading is None:
        raise InvalidFile(source, [Fault("", "holds no row")])
    names, faults = _headings(*heading, columns)
    records: list[Record] = []
    for number, row in filled:
        if len(records) == MAX_ROWS:
            raise InvalidFile(source, [Fault(f"row {number}", f"a table has at most {MAX_ROWS:,} rows; split it")])
        record, wrong = _record(number, row, names)
        records.append(record)
        faults += wrong
    return Table(tuple(records), tuple(faults), notes)


def _rows(content: bytes, source: str, columns: Sequence[str]) -> tuple[Iterator[tuple[int, list[Cell]]], tuple[str, ...]]:
    if content.startswith(ZIP):
        return xlsx_rows(content, source), ()
    return csv_rows(content, source, lambda headings: len({_name(heading) for heading in headings}.intersection(columns)))


def _name(heading: str) -> str:
    return "_".join(heading.lower().replace("-", " ").replace("_", " ").split())


def _headings(number: int, row: Sequence[Cell], columns: Sequence[str]) -> tuple[dict[int, str | None], list[Fault]]:
    """Return the columns' names by their places (None: not one of ours), and what is wrong with the headings."""
    names: dict[int, str | None] = {}
    faults: list[Fault] = []
    for place, cell in enumerate(row):
        if cell is None:
            continue
        heading = cell if isinstance(cell, str) else ""
        name = _name(heading)
        where = f"row {number}, column {letter(place)}"
        known = name in columns and name not in names.values()
        names[place] = name if known else None
        if isinstance(cell, Unreadable):
            faults.append(Fault(where, cell.reason))
        elif name not in columns:
            near = get_close_matches(name, columns, 1)
            hint = f'did you mean "{near[0]}"?' if near else f"columns are {', '.join(columns)}"
            faults.append(Fault(where, f'unknown column "{heading or cell}"; {hint}'))
        elif not known:
            faults.append(Fault(where, f'"{name}" is repeated'))
    return names, faults


def _record(number: int, row: Iterable[Cell], names: Mapping[int, str | None]) -> tuple[Record, list[Fault]]:
    values: dict[str, str | date] = {}
    faults = []
    for place, cell in enumerate(row):
        if cell is None:
            continue
        name = names.get(place)
        where = f"row {number}, {name or f'column {letter(place)}'}"
        if isinstance(cell, Unreadable):
            faults.append(Fault(where, cell.reason))
        elif name is not None:
            values[name] = cell
        elif place not in names:
            faults.append(Fault(where, "stands in a column without a heading"))
    return Record(number, values), faults


def letter(place: int) -> str:
    """Return how spreadsheets call a column: A, B, ..., Z, AA."""
    name, rest = "", place + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        name = chr(ord("A") + digit) + name
    return name
