"""What a worksheet says of itself, found by one pass that keeps no cell: how far it reaches, and what is merged.

References
----------
ECMA-376, part 1: sections 18.3.1.73 (row), 18.3.1.4 (c), 18.3.1.55 (mergeCell).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from openpyxl.worksheet.cell_range import CellRange

MAX_MERGED_CELLS = 10_000
"""Most cells that a sheet may merge; each of them is a fault of its own."""

MAX_CELLS = 500_000
"""Most cells that a sheet writes out, the empty and the repeated included: twice the largest table with every column."""

MAX_OTHERS = 50_000
"""Most elements of a sheet that are in no row: columns, views, merges, links, rules."""


class Overfull(ValueError):
    """A sheet holds more than any table of ours; says what."""


@dataclass(slots=True)
class Outline:
    """How far a sheet reaches, merged areas included: rows and columns, from 1; and its first merged areas.

    Of these there are never more than one over ``MAX_MERGED_CELLS``.
    """

    rows: int = 1
    columns: int = 1
    merged: list[CellRange] = field(default_factory=list)

    def reach(self, row: int, column: int) -> None:
        """Take in a cell."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)


def outline_of(part: IO[bytes]) -> Outline:
    """Return the outline of a worksheet's XML.

    Raises
    ------
    Overfull
        When there is more in it than is ever needed.
    ExpatError, ValueError, KeyError
        When it is no worksheet.
    """
    from openpyxl.utils.cell import coordinate_to_tuple
    from openpyxl.worksheet.cell_range import CellRange

    outline, row, column, cells, others = Outline(), 0, 0, 0, 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, cells, others
        match name.rpartition(" ")[2]:
            case "row":
                row, column, cells = int(float(attributes.get("r", row + 1))), 0, cells + 1
            case "c":
                cells += 1
                row, column = coordinate_to_tuple(attributes["r"]) if "r" in attributes else (row, column + 1)
                outline.reach(row, column)
            case "mergeCell" if len(outline.merged) <= MAX_MERGED_CELLS:
                area = CellRange(attributes["ref"])
                outline.reach(area.max_row, area.max_col)
                outline.merged.append(area)
            case "v" | "f" | "is" | "t":
                pass
            case _:
                others += 1
        if cells > MAX_CELLS or others > MAX_OTHERS:
            raise Overfull(f"the sheet writes out more than {MAX_CELLS:,} cells, or {MAX_OTHERS:,} rules beside them")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = begin
    parser.ParseFile(part)
    return outline
