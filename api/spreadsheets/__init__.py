"""Spreadsheets in and out: a table with a heading, as CSV or XLSX, held against the columns that it may have.

What a file holds is foreign: it is bounded before it is unpacked, nothing of it is computed, and whatever cannot be taken as
text or as a date is a fault of its row and column.
"""

from __future__ import annotations

from api.spreadsheets.cells import Cell, Unreadable
from api.spreadsheets.table import MAX_FILE_BYTES, Record, Table, read_table

__all__ = ["MAX_FILE_BYTES", "Cell", "Record", "Table", "Unreadable", "read_table"]
