"""XLSX: a zip of XML. It is bounded before anything of it is unpacked, and no formula of it is believed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from api.spreadsheets.cells import Cell, Unreadable, typed_cell
from scheduling.errors import Fault, InvalidFile

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"
"""What an old .xls begins with, and an .xlsx with a password."""

MAX_UNPACKED_BYTES = 30_000_000
MAX_PARTS = 1_000
MAX_SHEET_ROWS, MAX_SHEET_COLUMNS = 20_000, 100
"""How far a sheet may reach, cells that only look empty included."""

SHEET = "referrals"
"""The sheet that is read when there are several; else the first."""


def xlsx_rows(content: bytes, source: str) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the rows of a workbook's sheet, each with its number from 1.

    Raises
    ------
    InvalidFile
        When it is no workbook, or holds more than any table of ours.
    """
    _expect_bounded(content, source)
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), keep_links=False)
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
    except Exception as error:  # a parser of foreign bytes: whatever it meets, the file is what is wrong
        raise InvalidFile(source, [Fault("", f"is no XLSX workbook that can be read ({type(error).__name__})")]) from None
    if sheet.max_row > MAX_SHEET_ROWS or sheet.max_column > MAX_SHEET_COLUMNS:
        reach = f"the sheet reaches to row {sheet.max_row:,} and column {sheet.max_column:,}"
        raise InvalidFile(source, [Fault("", f"{reach}; delete what is empty below and beside the table")])
    merged = _merged(sheet)
    for number, row in enumerate(sheet.iter_rows(), 1):
        yield number, [merged.get((number, cell.column)) or _cell(cell) for cell in row]


def _expect_bounded(content: bytes, source: str) -> None:
    """Refuse what unpacks to more than is ever needed; a part that lies about its length is cut off where it says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
    except zipfile.BadZipFile:
        raise InvalidFile(source, [Fault("", "is a damaged XLSX workbook")]) from None
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED_BYTES or len(parts) > MAX_PARTS:
        limits = f"the limits are {MAX_UNPACKED_BYTES / 1e6:.0f} MB and {MAX_PARTS:,}"
        message = f"unpacks to {unpacked / 1e6:.0f} MB in {len(parts):,} parts; {limits}"
        raise InvalidFile(source, [Fault("", message)])


def _merged(sheet: Worksheet) -> dict[tuple[int, int], Cell]:
    """Return the cells that are merged: nobody can say for which row their value is."""
    found: dict[tuple[int, int], Cell] = {}
    for area in sheet.merged_cells.ranges:
        reason = Unreadable(f"is merged ({area.coord}); undo the merge and fill in every cell")
        rows, columns = range(area.min_row, area.max_row + 1), range(area.min_col, area.max_col + 1)
        found |= {(row, column): reason for row in rows for column in columns}
    return found


def _cell(cell: Any) -> Cell:
    if cell.data_type == "f":
        return Unreadable("holds a formula; paste its value")
    if cell.data_type == "e":
        return Unreadable(f"holds the error {cell.value}")
    return typed_cell(cell.value)
