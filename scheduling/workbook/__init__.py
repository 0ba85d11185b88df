"""A clinic's workbook: sheets that a manager fills in, and that are a scenario and a catalogue.

``sheets.toml`` describes every sheet and column. A workbook is read from XLSX (by the service) or TOML as rows of cells;
:func:`read_book` reads the cells, and :func:`read_scenario` makes the scenario of them. :func:`write_scenario` goes back.
Every fault names its sheet, row and column.
"""

from scheduling.workbook.book import Book, Reading, Row, place, read_book
from scheduling.workbook.scenarios import read_scenario, write_scenario
from scheduling.workbook.sheets import Column, Sheet, load_sheets

__all__ = ["Book", "Column", "Reading", "Row", "Sheet", "load_sheets", "place", "read_book", "read_scenario", "write_scenario"]
