"""The service and the command line. Whoever imports anything of it can have a spreadsheet as the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scheduling.workbook_readers import WORKBOOK_READERS

if TYPE_CHECKING:
    from scheduling.workbook import Reading


def _read_spreadsheet(file: Path) -> Reading:
    from api.spreadsheets.clinic_workbook import read_workbook_file

    return read_workbook_file(file)


WORKBOOK_READERS[".xlsx"] = _read_spreadsheet
