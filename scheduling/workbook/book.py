"""The workbook as rows of cells, whatever file it is from: what each holds, and every fault by sheet, row and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from scheduling.errors import Fault
from scheduling.workbook.cells import UnreadableCell, find_near, offer, read_cell, suggest
from scheduling.workbook.sheets import Column, Sheet, load_sheets

MAX_FAULTS = 1_000
"""Most faults that are listed of a workbook; one with more is something else."""

MAX_SUGGESTIONS = 50
"""For how many unknown names of a column it is looked what was meant."""


SEPARATORS = re.compile(r"[;/+&|\n]|\b(?:and|und|et)\b")
"""What people write between the words of a list, in place of commas; the blanks around it are no part of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: its number there, and its cells by column; blank ones are left out."""

    number: int
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class Book:
    """A clinic's workbook: the rows of every sheet.

    Attributes
    ----------
    rows : mapping
        Rows by sheet, in order. Of a book that was read, cells hold what :func:`.cells.read_cell` returns.
    """

    rows: Mapping[str, Sequence[Row]]

    def of(self, sheet: str) -> Sequence[Row]:
        """Return the rows of a sheet."""
        return self.rows.get(sheet, ())

    def values(self, sheet: str, column: str) -> Iterator[Any]:
        """Yield the values of a column that are not blank, each element of a list by itself."""
        for row in self.of(sheet):
            value = row.cells.get(column)
            if isinstance(value, tuple):
                yield from value
            elif value is not None:
                yield value

    def until(self, last_day: date) -> Book:
        """Return the workbook with another last day: a usual week then goes on to it."""
        clinic = [Row(row.number, {**row.cells, "last_day": last_day}) for row in self.of("clinic")]
        return Book({**self.rows, "clinic": clinic})

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the cells of all rows by sheet, without the numbers of rows; sheets without any are left out."""
        return {sheet: [dict(row.cells) for row in rows] for sheet, rows in self.rows.items() if rows}


@dataclass(frozen=True)
class Reading:
    """What was made of a workbook's cells.

    Attributes
    ----------
    faults : list of Fault
        What keeps it from being used.
    doubts : list of Fault
        What can be used, but was probably not meant: a skill that nobody has.
    """

    book: Book
    faults: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)


def place(sheet: str, number: int | None = None, column: str | None = None) -> str:
    """Return how faults name a cell: sheet, row and column."""
    return ", ".join([sheet, *([f"row {number}"] if number is not None else []), *([column] if column else [])])


def find_origin(path: str, origins: Mapping[str, Any]) -> str:
    """Return the longest path with an origin that a path begins with; empty: there is none."""
    while path and path not in origins:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return path


def read_book(raw: Mapping[str, Sequence[Row]]) -> Reading:
    """Read every cell of a workbook, and judge what cells name of other sheets."""
    sheets, rows, faults = load_sheets(), dict[str, list[Row]](), list[Fault]()
    for key, sheet in sheets.items():
        rows[key] = []
        for row in raw.get(key, ()):
            cells, wrong = _read_row(sheet, row)
            rows[key].append(Row(row.number, cells))
            faults += wrong
    for title in raw.keys() - sheets.keys():
        faults.append(Fault(title, f"unknown sheet{suggest(title, sheets)}"))
    reading = Reading(Book(rows), faults)
    for key, sheet in sheets.items():
        _find_unknown_names(reading, sheet, rows[key])
        reading.faults.extend(_find_repetitions(sheet, rows[key]))
    order = {key: number for number, key in enumerate(sheets)}
    reading.faults.sort(key=lambda fault: _rank(fault, order))
    del reading.faults[MAX_FAULTS:]
    return reading


def _rank(fault: Fault, order: Mapping[str, int]) -> tuple[int, int]:
    sheet, _, rest = fault.path.partition(", row ")
    number = rest.partition(",")[0]
    return order.get(sheet.partition(",")[0], len(order)), int(number) if number.isdigit() else 0


def _read_row(sheet: Sheet, row: Row) -> tuple[dict[str, Any], list[Fault]]:
    cells: dict[str, Any] = {}
    faults = [
        Fault(place(sheet.key, row.number, key), f'unknown column "{key}"{suggest(key, sheet.by_key)}')
        for key in row.cells.keys() - sheet.by_key.keys()
    ]
    for column in sheet.columns:
        try:
            value = read_cell(column, row.cells.get(column.key))
        except UnreadableCell as error:
            faults.append(Fault(place(sheet.key, row.number, column.key), str(error)))
            continue
        except ValueError as error:  # a year beyond the calendar
            faults.append(Fault(place(sheet.key, row.number, column.key), str(error)))
            continue
        if value is not None:
            cells[column.key] = value
        elif column.required:
            faults.append(Fault(place(sheet.key, row.number, column.key), "missing"))
    return cells, faults


IDENTIFIED = (
    "sites", "buildings", "rooms", "services", "special_clinics", "people", "patients", "requests", "groups", "holds", "kinds",
    "workshops", "departments", "weights", "limits",
)  # fmt: skip
"""Sheets of which every row has another name."""


def _find_repetitions(sheet: Sheet, rows: Sequence[Row]) -> Iterator[Fault]:
    if sheet.key not in IDENTIFIED:
        return
    known: dict[str, int] = {}
    for row in rows:
        name = row.cells.get(sheet.identity.key)
        if name is not None and name in known:
            yield Fault(place(sheet.key, row.number, sheet.identity.key), f'"{name}" stands in row {known[name]} already')
        elif name is not None:
            known[name] = row.number


def _find_unknown_names(reading: Reading, sheet: Sheet, rows: Sequence[Row]) -> None:
    """Add what a sheet names and no other sheet has: to the faults or, where nothing forbids it, to the doubts."""
    for column in sheet.columns:
        if column.of is None and not column.among:
            continue
        known = _list_known(reading.book, column)
        called = _list_calls(reading.book, column, known)
        what = column.of or column.among[0]
        faults = reading.faults if column.of is not None else reading.doubts
        words = ((row, word) for row in rows for word in _list_words(row.cells.get(column.key)) if word not in known)
        for count, (row, word) in enumerate(words):
            near = _suggest_name(word, called) if count < MAX_SUGGESTIONS else ""
            faults.append(Fault(place(sheet.key, row.number, column.key), _describe_unknown(word, what, near)))


def _describe_unknown(word: str, what: str, near: str) -> str:
    sheet, _, column = what.partition(".")
    if not column:
        return f'"{word}" is not in the sheet {sheet}{near}'
    return f'"{word}" is in no row of the sheet {sheet}, column {column}{near}'


def _list_known(book: Book, column: Column) -> frozenset[str]:
    if column.of is not None:
        return frozenset(book.values(column.of, load_sheets()[column.of].identity.key))
    return frozenset(word for source in column.among for word in book.values(*source.split(".")))


def _list_calls(book: Book, column: Column, known: Iterable[str]) -> dict[str, str]:
    """Return what the entries that a column may name are called, ids apart from capitals and leading zeros, and names."""
    calls = dict[str, str]()
    if column.of is not None:
        calls = {row.cells["name"].casefold(): row.cells.get("id", "") for row in book.of(column.of) if "name" in row.cells}
    calls |= {word.lstrip("0"): word for word in known if word.isdecimal()}
    return calls | {word.casefold(): word for word in known}


def _suggest_name(word: str, called: Mapping[str, str]) -> str:
    """Return which entry a word probably means, or which several of a list that is not separated by commas."""
    parts = [part.strip().casefold() for part in SEPARATORS.split(word)]
    if len(parts) > 1 and all(part in called for part in parts):
        return offer([", ".join(called[part] for part in parts)])
    near = word.lstrip("0") if word.isdecimal() else word.casefold()
    return offer([called[near]]) if near in called else offer([called[name] for name in find_near(near, called)])


def _list_words(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(word for element in value for word in _list_words(element))
    return () if value is None else (value,)
