"""The legend of the picture: families and their services, buildings, and what dashes and hatching mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.reports.palette import colour, families, family, title
from api.reports.picture.look import DASHES, MARGIN, ON_DUTY, PAGE_WIDTH, Look
from api.reports.picture.svg import INK, Drawing, fitting, shortened, text_width
from scheduling.clinic import Service
from scheduling.plan import Plan
from scheduling.scenario import Scenario

COLUMNS = 6
LINE = 2.9
TYPE = 2.2
CHIP_WIDTH, CHIP_HEIGHT = 3.6, 2.4
CODE_WIDTH = 8.4


@dataclass(frozen=True)
class LegendLine:
    """A line of the legend: the title of a family (no service), or a service."""

    family: str
    service: Service | None


@dataclass(frozen=True)
class Legend:
    """The legend of a plan: only what occurs in it."""

    scenario: Scenario
    columns: tuple[tuple[LegendLine, ...], ...]

    @property
    def height(self) -> float:
        """Height, with the line of marks under the columns."""
        return (max(map(len, self.columns), default=0) + 2) * LINE

    def draw(self, drawing: Drawing, look: Look, away_fill: str, y: float) -> None:
        """Draw the legend from ``y`` on."""
        width = (PAGE_WIDTH - 2 * MARGIN) / COLUMNS
        for index, column in enumerate(self.columns):
            for number, line in enumerate(column):
                self._line(drawing, look, line, MARGIN + index * width, y + (number + 1) * LINE, width - 2)
        self._marks(drawing, look, away_fill, y + self.height - LINE * 0.4)

    def _line(self, drawing: Drawing, look: Look, line: LegendLine, x: float, baseline: float, width: float) -> None:
        _chip(drawing, x, baseline, colour(line.family))
        x, width = x + CHIP_WIDTH + 1, width - CHIP_WIDTH - 1
        if line.service is None:
            drawing.text(x, baseline, title(line.family), TYPE, font_weight="bold")
            return
        drawing.text(x, baseline, look.service_codes[line.service.id], TYPE, font_weight="bold")
        fit = fitting(shortened(line.service.name), width - CODE_WIDTH, (TYPE * 0.9, TYPE))
        if fit is not None:
            drawing.text(x + CODE_WIDTH, baseline, *fit)

    def _marks(self, drawing: Drawing, look: Look, away_fill: str, y: float) -> None:
        marks: list[tuple[str, str, Mapping[str, str]]]
        marks = [(look.place_colours[place.id], place.name, {}) for place in self.scenario.clinic.locations]
        marks.append(("#888888", "held for a referral, or supervised (italic)", DASHES))
        marks += [(away_fill, "busy or closed", {}), (ON_DUTY, "on duty", {})]
        x = MARGIN
        for fill, text, style in marks:
            _chip(drawing, x, y, fill, **style)
            drawing.text(x + CHIP_WIDTH + 1, y, text, TYPE)
            x += CHIP_WIDTH + 4 + text_width(text, TYPE)


def legend(scenario: Scenario, plan: Plan) -> Legend:
    """Lay out the legend of a plan."""
    used = {item.service.id for item in plan.items(scenario)}
    services = [service for service in scenario.clinic.services if service.id in used]
    blocks = [list(_block(name, services)) for name in families(used)]
    height = -(-sum(map(len, blocks)) // COLUMNS)
    while len(columns := list(_columns(blocks, height))) > COLUMNS:
        height += 1
    return Legend(scenario, tuple(tuple(column) for column in columns))


def _block(name: str, services: Sequence[Service]) -> Iterator[LegendLine]:
    yield LegendLine(name, None)
    yield from (LegendLine(name, service) for service in services if family(service.id) == name)


def _columns(blocks: Sequence[Sequence[LegendLine]], height: int) -> Iterator[list[LegendLine]]:
    """Fill columns of a height, in order; no title is the last line of a column."""
    column: list[LegendLine] = []
    for block in blocks:
        for line in block:
            if len(column) >= height - (line.service is None):
                yield column
                column = []
            column.append(line)
    if column:
        yield column


def _chip(drawing: Drawing, x: float, baseline: float, fill: str, **style: str) -> None:
    drawing.rect(x, baseline - 1.9, CHIP_WIDTH, CHIP_HEIGHT, fill, stroke=INK, stroke_width="0.1", **style)
