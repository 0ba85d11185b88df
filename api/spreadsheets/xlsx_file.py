"""XLSX: a zip of XML. It is bounded before anything of it is unpacked, and no formula of it is believed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from api.spreadsheets.cells import Cell, Unreadable, typed_cell
from api.spreadsheets.xlsx_outline import MAX_MERGED_CELLS, Outline, Overfull, outline_of
from scheduling.errors import Fault, InvalidFile

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"
"""What an old .xls begins with, and an .xlsx with a password."""

MAX_UNPACKED_BYTES = 30_000_000
MAX_PARTS = 1_000
TABLES = ("xl/worksheets/", "xl/sharedStrings.xml")
MAX_BESIDE_BYTES = 1_000_000
"""Most XML that is no table, unpacked: formats above all, of which the parser makes objects a hundred times as large."""
MAX_SHEET_ROWS, MAX_SHEET_COLUMNS = 20_000, 100
"""How far a sheet may reach, cells that only look empty included."""

PART = "_worksheet_path"
"""Where openpyxl keeps which part of the file a sheet is."""

SHEET = "referrals"
"""The sheet that is read when there are several; else the first."""


def xlsx_rows(content: bytes, source: str) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the rows of a workbook's sheet, each with its number from 1.

    Rows are read one after the other, and nothing is made of cells that the sheet only declares.

    Raises
    ------
    InvalidFile
        When it is no workbook, or holds more than any table of ours.
    """
    with _opened(content, source) as book:
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        yield from _rows(content, sheet, source, typed_cell)


class SheetTable(NamedTuple):
    """A sheet: its title, whether people see its tab, and its rows, each with its number from 1."""

    title: str
    is_hidden: bool
    rows: list[tuple[int, list[Any]]]


def xlsx_sheets(content: bytes, source: str, titles: Container[str]) -> Iterator[SheetTable]:
    """Yield the sheets of these titles; of others that hold anything, none of their rows.

    Hidden and protected sheets, rows and columns are read as any.

    Cells are values as the file types them, or :class:`Unreadable`. Raises ``InvalidFile`` as :func:`xlsx_rows`.
    """
    with _opened(content, source) as book:
        for sheet in book.worksheets:
            rows = _rows(content, sheet, source, lambda value: value)
            is_hidden = sheet.sheet_state != "visible"
            if sheet.title in titles:
                yield SheetTable(sheet.title, is_hidden, list(rows))
            elif any(not is_blank(cell) for _, cells in rows for cell in cells):
                yield SheetTable(sheet.title, is_hidden, [])


def is_blank(cell: Any) -> bool:
    """Return whether a cell holds nothing, or nothing that can be seen."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


@contextmanager
def _opened(content: bytes, source: str) -> Iterator[Any]:
    _expect_bounded(content, source)
    from openpyxl import load_workbook

    try:
        yield load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except (InvalidFile, GeneratorExit):
        raise
    except Overfull as error:
        raise InvalidFile(source, [Fault("", f"{error}; delete what is empty below and beside the table")]) from None
    except Exception as error:  # a parser of foreign bytes: whatever it meets, the file is what is wrong
        raise InvalidFile(source, [Fault("", f"is no XLSX workbook that can be read ({type(error).__name__})")]) from None


def _rows(content: bytes, sheet: Any, source: str, typed: Callable[[Any], Any]) -> Iterator[tuple[int, list[Any]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed, packed.open(getattr(sheet, PART)) as part:
        outline = outline_of(part)
    _expect_small(outline, source)
    merged = _merged(outline)
    rows = sheet.iter_rows(1, outline.rows, 1, outline.columns)
    for number, row in enumerate(islice(rows, outline.rows), 1):  # what comes after the last row is not looked at
        yield number, [merged.get((number, column)) or _cell(cell, typed) for column, cell in enumerate(row, 1)]


def _expect_bounded(content: bytes, source: str) -> None:
    """Refuse what unpacks to more than is ever needed; a part that lies about its length is cut off where it says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
    except Exception as error:  # a directory of foreign bytes: whatever it is that cannot be read
        raise InvalidFile(source, [Fault("", f"is a damaged XLSX workbook ({type(error).__name__})")]) from None
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED_BYTES or len(parts) > MAX_PARTS:
        limits = f"the limits are {MAX_UNPACKED_BYTES / 1e6:.0f} MB and {MAX_PARTS:,}"
        message = f"unpacks to {unpacked / 1e6:.0f} MB in {len(parts):,} parts; {limits}"
        raise InvalidFile(source, [Fault("", message)])
    beside = sum(part.file_size for part in parts if part.filename.endswith(".xml") and not part.filename.startswith(TABLES))
    if beside > MAX_BESIDE_BYTES:
        message = f"has {beside / 1e6:.1f} MB of formats and drawings; copy the table's values into a new workbook"
        raise InvalidFile(source, [Fault("", message)])


def _expect_small(outline: Outline, source: str) -> None:
    """Refuse a sheet that reaches further than any table of ours, or merges more."""
    if outline.rows > MAX_SHEET_ROWS or outline.columns > MAX_SHEET_COLUMNS:
        reach = f"the sheet reaches to row {outline.rows:,} and column {outline.columns:,}"
        raise InvalidFile(source, [Fault("", f"{reach}; delete what is empty below and beside the table")])
    merged = sum(area.size["rows"] * area.size["columns"] for area in outline.merged)
    if merged > MAX_MERGED_CELLS:
        raise InvalidFile(source, [Fault("", f"merges {merged:,} cells; undo the merges and fill in every cell")])


def _merged(outline: Outline) -> dict[tuple[int, int], Cell]:
    """Return the cells that are merged: nobody can say for which row their value is."""
    cells: dict[tuple[int, int], Cell] = {}
    for area in outline.merged:
        reason = Unreadable(f"is merged ({area.coord}); undo the merge and fill in every cell")
        rows, columns = range(area.min_row, area.max_row + 1), range(area.min_col, area.max_col + 1)
        cells |= {(row, column): reason for row in rows for column in columns}
    return cells


def _cell(cell: Any, typed: Callable[[Any], Any]) -> Any:
    if cell.data_type == "f":
        return Unreadable("holds a formula; paste its value")
    if cell.data_type == "e":
        return Unreadable(f"holds the error {cell.value}")
    return typed(cell.value)
