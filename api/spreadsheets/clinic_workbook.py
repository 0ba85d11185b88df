"""A clinic's workbook as a spreadsheet: its sheets read and written, with notes in headings and lists to choose from."""

from __future__ import annotations

import io
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from api.spreadsheets.cells import Unreadable
from api.spreadsheets.table import MAX_FILE_BYTES, letter
from api.spreadsheets.xlsx_file import OLE, ZIP, is_blank, xlsx_sheets
from scheduling.errors import Fault, InvalidFile
from scheduling.files import read_bounded
from scheduling.scenario import Scenario
from scheduling.workbook import Book, Column, Reading, Row, Sheet, load_sheets, place, read_book, read_scenario
from scheduling.workbook.cells import ANSWERS, LEVELS, format_cell, suggest
from scheduling.workbook.documents import make_documents
from scheduling.workbook.toml_file import parse_rows

MAX_LISTED_ROWS = 2_000
"""How many rows of a sheet have lists to choose from."""

FORMATS = {"date": "yyyy-mm-dd", "clock": "hh:mm"}
COLUMN_CHARACTERS = 4
"""How much wider a column is than its heading, in characters."""

MAX_TITLE_ROWS = 20
"""How many rows are looked through for the headings."""

SUFFIXES = (".xlsx", ".toml")
"""What names of workbooks end with."""


OTHER_SUFFIXES = (".xls", ".xlsm", ".xlsb", ".ods", ".csv", ".numbers")
"""What names of spreadsheets end with that have to be saved as XLSX first."""


def is_workbook_file(file: Path) -> bool:
    """Return whether a file is a workbook, by its name. Raises ``InvalidFile`` for a spreadsheet of another kind."""
    if file.suffix.lower() in OTHER_SUFFIXES:
        raise InvalidFile(str(file), [Fault("", f"is a spreadsheet that cannot be read; save it as {SUFFIXES[0]}")])
    return file.suffix.lower() in SUFFIXES


def read_workbook(content: bytes, source: str) -> Reading:
    """Read a workbook, an XLSX file or TOML; which of them, its first bytes tell.

    Raises
    ------
    InvalidFile
        When it is no workbook at all. What is wrong with its cells are faults of the reading.
    """
    if content.startswith(OLE):
        raise InvalidFile(source, [Fault("", "is an old .xls, or has a password; save it as .xlsx without one")])
    if not content.startswith(ZIP):
        return read_book(parse_rows(content, source))
    rows, faults = dict[str, list[Row]](), list[Fault]()
    sheets = load_sheets()
    for title, is_hidden, table in xlsx_sheets(content, source, sheets):
        if title in sheets:
            rows[title] = list(_read_table(sheets[title], table, faults))
        else:
            where = ", which is hidden: show it, and rename or delete it" if is_hidden else ""
            faults.append(Fault(title, f"unknown sheet{where}{suggest(title, sheets)}"))
    reading = read_book(rows)
    known = {fault.path for fault in faults}
    reading.faults[:0] = faults
    reading.faults[len(faults) :] = [fault for fault in reading.faults[len(faults) :] if not _is_told(fault, known)]
    return reading


def _is_told(fault: Fault, known: Container[str]) -> bool:
    """Return whether a cell has a fault already, or its whole column is missing."""
    sheet, _, rest = fault.path.partition(", row ")
    return fault.path in known or (fault.message == "missing" and place(sheet, None, rest.partition(", ")[2]) in known)


def read_workbook_file(file: Path) -> Reading:
    """Read the workbook of a file. Raises ``InvalidFile`` as :func:`read_workbook`."""
    return read_workbook(read_bounded(file, MAX_FILE_BYTES), str(file))


def read_workbook_scenario(file: Path, until: date | None = None) -> tuple[Scenario, list[Fault]]:
    """Return the scenario of a workbook's file, and what of it is in doubt.

    Parameters
    ----------
    until
        Another last day than the workbook's; None: its own.

    Raises
    ------
    InvalidFile
        With every fault, each by its cell.
    """
    reading = read_workbook_file(file)
    if until is not None:
        reading = replace(reading, book=reading.book.until(until))
    return make_scenario(reading, str(file)), reading.doubts


def make_scenario(reading: Reading, source: str) -> Scenario:
    """Return the scenario of a workbook that was read. Raises ``InvalidFile`` with every fault."""
    scenario, faults = read_scenario(reading.book, source)
    _, of_care = make_documents(reading.book, source)
    named = {fault.path for fault in reading.faults}
    faults = [*reading.faults, *dict.fromkeys(fault for fault in (*faults, *of_care) if fault.path not in named)]
    if scenario is None or faults:
        raise InvalidFile(source, faults)
    return scenario


def _read_table(sheet: Sheet, table: Sequence[tuple[int, list[Any]]], faults: list[Fault]) -> Iterator[Row]:
    rows = [(number, cells) for number, cells in table if not all(map(is_blank, cells))]
    if not rows:
        return
    first = _find_headings(sheet, rows)
    if first:
        faults.append(Fault(place(sheet.key, rows[0][0]), f"the headings are in row {rows[first][0]}; delete what is above"))
    names = _read_headings(sheet, *rows[first], faults)
    if len(rows) > first + 1:
        absent = (column.key for column in sheet.columns if column.required and column.key not in names.values())
        faults += [Fault(place(sheet.key, None, key), "the column is missing") for key in absent]
    for number, cells in rows[first + 1 :]:
        yield Row(number, dict(_read_row(sheet, number, cells, names, faults)))


def _find_headings(sheet: Sheet, rows: Sequence[tuple[int, list[Any]]]) -> int:
    """Return which row has the headings: the first, or one below a title that has none."""
    known = [sum(_name_heading(cell) in sheet.by_key for cell in cells) for _, cells in rows[:MAX_TITLE_ROWS]]
    return 0 if known[0] else next((number for number, count in enumerate(known) if count > 1), 0)


def _read_row(
    sheet: Sheet, number: int, cells: Sequence[Any], names: Mapping[int, str | None], faults: list[Fault]
) -> Iterator[tuple[str, Any]]:
    """Yield the cells of a row by their columns."""
    for column, cell in enumerate(cells):
        name = names.get(column)
        here = place(sheet.key, number, name or f"column {letter(column)}")
        if isinstance(cell, Unreadable):
            faults.append(Fault(here, cell.reason))
        elif column not in names and not is_blank(cell):
            faults.append(Fault(here, "stands in a column without a heading"))
        elif cell is not None and name is not None:
            yield name, cell


def _name_heading(cell: Any) -> str:
    return "_".join(str(cell).lower().replace("-", " ").replace("_", " ").split())


def _read_headings(sheet: Sheet, number: int, cells: Sequence[Any], faults: list[Fault]) -> dict[int, str | None]:
    """Return the columns by their places; None: one that has a fault already."""
    names: dict[int, str | None] = {}
    for column, cell in enumerate(cells):
        if is_blank(cell):
            continue
        name = _name_heading(cell)
        here = place(sheet.key, number, f"column {letter(column)}")
        if isinstance(cell, Unreadable):
            faults.append(Fault(here, cell.reason))
        elif name not in sheet.by_key:
            faults.append(Fault(here, f'unknown column "{cell}"{suggest(name, sheet.by_key)}'))
        elif name in names.values():
            faults.append(Fault(here, f'"{name}" is repeated'))
        names[column] = name if name in sheet.by_key and name not in names.values() else None
    return names


def write_workbook(book: Book) -> bytes:
    """Return a workbook as an XLSX file. Raises ``InvalidFile`` for a text that a spreadsheet cannot hold."""
    from openpyxl import Workbook

    made = Workbook()
    made.remove(made.worksheets[0])
    for sheet in load_sheets().values():
        _write_sheet(made.create_sheet(sheet.key), sheet, book.of(sheet.key))
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def _write_sheet(written: Any, sheet: Sheet, rows: Sequence[Row]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font
    from openpyxl.utils.exceptions import IllegalCharacterError

    for number, column in enumerate(sheet.columns, 1):
        heading = written.cell(1, number, column.key)
        heading.font = Font(bold=True, italic=not column.required)
        note = f"{sheet.note}\n\n{column.note}" if number == 1 else column.note
        heading.comment = Comment(f"{note}{' (needed)' if column.required else ''}", "Clinicweave", width=320, height=120)
        written.column_dimensions[letter(number - 1)].width = len(column.key) + COLUMN_CHARACTERS
        _write_choices(written, column, letter(number - 1))
    for number, row in enumerate(rows, 2):
        for place_of, column in enumerate(sheet.columns, 1):
            value = format_cell(column, row.cells.get(column.key))
            if value is None:
                continue
            try:
                cell = written.cell(number, place_of, value)
            except IllegalCharacterError:
                fault = Fault(place(sheet.key, number, column.key), "holds a character that no spreadsheet can")
                raise InvalidFile("workbook", [fault]) from None
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins like a formula is none
            cell.number_format = FORMATS.get(column.kind, "General")
    written.freeze_panes = "A2"


def _write_choices(written: Any, column: Column, place_of: str) -> None:
    """Let the cells of a column be chosen from a list; another value is asked about, and taken all the same."""
    from openpyxl.worksheet.datavalidation import DataValidation

    choices = _list_choices(column)
    if choices is None:
        return
    rule = DataValidation("list", formula1=choices, allow_blank=True, errorStyle="warning")
    rule.add(f"{place_of}2:{place_of}{MAX_LISTED_ROWS}")
    written.add_data_validation(rule)


def _list_choices(column: Column) -> str | None:
    match column.kind:
        case "yes":
            return f'"{",".join(list(ANSWERS)[:2])}"'
        case "level":
            return f'"{",".join(LEVELS)}"'
        case "id" if column.of is not None:
            return f"'{column.of}'!$A$2:$A${MAX_LISTED_ROWS}"
    return f'"{",".join(column.choices)}"' if column.choices else None
