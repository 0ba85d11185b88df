"""The picture of a plan: a band for each week, a row for each provider, half-days from left to right, for print on A3.

A week fills a sheet. More weeks share one as long as rows keep their least height; what does not fit goes on further A3
sheets below it, each complete with title and legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.reports.picture.bands import HEADER, Band, BandPen, bands
from api.reports.picture.legend import Legend, legend
from api.reports.picture.look import GREY, MARGIN, PAGE_HEIGHT, PAGE_WIDTH, Look
from api.reports.picture.svg import Drawing
from scheduling.plan import Plan
from scheduling.scenario import Scenario

TITLE_HEIGHT = 14.0
GAP = 3.0
LEAST_ROW, MOST_ROW = 4.0, 20.0


@dataclass(frozen=True)
class Layout:
    """Which bands stand on which sheet, and the size of everything, mm."""

    sheets: tuple[tuple[Band, ...], ...]
    row_height: float
    sheet_height: float


def draw_picture(scenario: Scenario, plan: Plan) -> bytes:
    """Return a plan's picture as an SVG file. It names providers, rooms and visits, never patients."""
    key, look = legend(scenario, plan), Look.of(scenario)
    layout = lay_out(bands(scenario, plan), key.height)
    drawing = Drawing(PAGE_WIDTH, layout.sheet_height * len(layout.sheets), _title(scenario))
    pen = BandPen(drawing, scenario, look, layout.row_height, drawing.hatch("away", "#b8b8b8"))
    for index, sheet in enumerate(layout.sheets):
        top = index * layout.sheet_height
        _heading(drawing, scenario, plan, top + MARGIN)
        y = top + MARGIN + TITLE_HEIGHT
        for band in sheet:
            y = pen.draw(band, y) + GAP
        if not sheet:
            drawing.text(MARGIN, y + 8, "Nobody works on these dates, and nothing is planned.", 4)
        key.draw(drawing, look, pen.away_fill, top + layout.sheet_height - MARGIN - key.height)
    return drawing.to_bytes()


def lay_out(weeks: Sequence[Band], legend_height: float) -> Layout:
    """Spread weeks evenly over as few sheets as let rows keep their least height; a sheet of one week grows if it must."""
    for count in range(1, max(len(weeks), 1) + 1):
        per_sheet = -(-len(weeks) // count) or 1
        sheets = tuple(tuple(weeks[start : start + per_sheet]) for start in range(0, len(weeks), per_sheet)) or ((),)
        rows = max(sum(len(week.providers) for week in sheet) for sheet in sheets) or 1
        lost = 2 * MARGIN + TITLE_HEIGHT + legend_height + per_sheet * (HEADER + GAP)
        row_height = (PAGE_HEIGHT - lost) / rows
        if row_height >= LEAST_ROW or per_sheet == 1:
            break
    return Layout(sheets, min(max(row_height, LEAST_ROW), MOST_ROW), max(PAGE_HEIGHT, lost + rows * LEAST_ROW))


def _title(scenario: Scenario) -> str:
    grid = scenario.grid
    return f"{scenario.clinic.name}, {grid.first:%d %B %Y} to {grid.date(grid.days - 1):%d %B %Y}"


def _heading(drawing: Drawing, scenario: Scenario, plan: Plan, y: float) -> None:
    drawing.text(MARGIN, y + 5, _title(scenario), 5.5, font_weight="bold")
    parts = (
        scenario.id,
        f"{len(plan.visits):,} of {len(scenario.visits):,} visits planned",
        f"{len(plan.groups)} of {len(scenario.groups)} groups, {len(plan.holds)} of {len(scenario.reserves)} holds",
        f"cost {plan.cost:,}" + ("" if plan.bound is None else f", proven that no plan costs less than {plan.bound:,}"),
    )
    drawing.text(MARGIN, y + 10, " · ".join(parts), 3, fill=GREY)


__all__ = ["Layout", "Legend", "laid_out", "picture"]
