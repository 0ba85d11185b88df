"""Bands of the picture: a week each, providers by half-days, every booking a rectangle at its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from api.reports.lanes import MINUTES_PER_HOUR, BoardRow, LaneItem, MinuteSpan, busy_dates, hours, make_rows
from api.reports.palette import colour, family
from api.reports.picture.look import DASHES, FAINT, GREY, LABEL_WIDTH, LEAST_TYPE, MARGIN, ON_DUTY, PAGE_WIDTH, TALL_ROW, Look
from api.reports.picture.svg import INK, Drawing, fitting, shortened
from scheduling.plan import GroupBooking, Plan
from scheduling.scenario import Scenario
from scheduling.timegrid import NOON_MINUTE, write_clock

HEADER = 8.0
"""Height of a band's dates and hours."""


@dataclass(frozen=True)
class Axis:
    """The time axis of a band: its dates side by side, each with the same hours."""

    days: tuple[date, ...]
    first_hour: int
    end_hour: int

    def x(self, day: date, minute: int) -> float:
        """Return where a minute of a date lies, mm from the left edge of the page."""
        share = (minute / MINUTES_PER_HOUR - self.first_hour) / (self.end_hour - self.first_hour)
        day_width = (PAGE_WIDTH - 2 * MARGIN - LABEL_WIDTH) / len(self.days)
        return MARGIN + LABEL_WIDTH + (self.days.index(day) + share) * day_width

    def span(self, day: date, part: MinuteSpan | LaneItem) -> tuple[float, float]:
        """Return where a part of a date starts, and its width."""
        x = self.x(day, part.start_minute)
        return x, self.x(day, part.end_minute) - x


@dataclass(frozen=True)
class Band:
    """A week: its axis and, for each provider of it, the row of each date."""

    axis: Axis
    providers: Mapping[str, Mapping[date, BoardRow]]


def bands(scenario: Scenario, plan: Plan) -> tuple[Band, ...]:
    """Return the weeks of a plan, Monday to Sunday, without the dates on which nobody works."""
    days = busy_dates(scenario, plan)
    first_hour, end_hour = hours(scenario, plan, days)
    drawn = []
    for _, week in groupby(days, key=lambda day: day.isocalendar()[:2]):
        axis = Axis(tuple(week), first_hour, end_hour)
        by_day = {day: {row.id: row for row in make_rows(scenario, plan, day, "provider")} for day in axis.days}
        present = [p.id for p in scenario.providers if any(p.id in by_day[day] for day in axis.days)]
        drawn.append(Band(axis, {name: {d: by_day[d][name] for d in axis.days if name in by_day[d]} for name in present}))
    return tuple(drawn)


@dataclass(frozen=True)
class BandPen:
    """Draws bands with rows of one height."""

    drawing: Drawing
    scenario: Scenario
    look: Look
    row_height: float
    away_fill: str

    @property
    def is_tall(self) -> bool:
        """Say whether rows have room for more than codes."""
        return self.row_height >= TALL_ROW

    @property
    def strip_height(self) -> float:
        """Height of the strip under a shift that tells its building."""
        return 1.9 if self.is_tall else 0.5

    def draw(self, band: Band, y: float) -> float:
        """Draw a band from ``y`` on and return where it ends."""
        top = y + HEADER
        bottom = top + self.row_height * len(band.providers)
        self._rulers(band.axis, y, bottom)
        for index, (provider, days) in enumerate(band.providers.items()):
            row_y = top + index * self.row_height
            self._label(provider, row_y)
            for day, row in days.items():
                self._row(band.axis, day, row, row_y)
            self.drawing.line(MARGIN, row_y, PAGE_WIDTH - MARGIN, row_y, FAINT, 0.15)
        self._frames(band.axis, y, bottom)
        return bottom

    def _rulers(self, axis: Axis, y: float, bottom: float) -> None:
        for day in axis.days:
            middle = axis.x(day, (axis.first_hour + axis.end_hour) * MINUTES_PER_HOUR // 2)
            self.drawing.text(middle, y + 3.6, f"{day:%A %d %B}", 3.4, text_anchor="middle", font_weight="bold")
            for hour in range(axis.first_hour, axis.end_hour + 1):
                x = axis.x(day, hour * MINUTES_PER_HOUR)
                self.drawing.line(x, y + HEADER - 0.8, x, bottom, FAINT, 0.1)
                if axis.first_hour < hour < axis.end_hour:
                    self.drawing.text(x, y + HEADER - 1.3, str(hour), 2.1, text_anchor="middle", fill=GREY)

    def _frames(self, axis: Axis, y: float, bottom: float) -> None:
        """Draw what parts dates (solid) and half-days (dashed)."""
        noon = axis.first_hour * MINUTES_PER_HOUR < NOON_MINUTE < axis.end_hour * MINUTES_PER_HOUR
        for day in axis.days:
            if noon:
                x = axis.x(day, NOON_MINUTE)
                self.drawing.line(x, y + HEADER - 0.8, x, bottom, INK, 0.2, stroke_dasharray="1 0.8")
            start = axis.x(day, axis.first_hour * MINUTES_PER_HOUR)
            self.drawing.line(start, y, start, bottom, INK, 0.35)
        for edge_y in (y + HEADER, bottom):
            self.drawing.line(MARGIN, edge_y, PAGE_WIDTH - MARGIN, edge_y, INK, 0.35)
        self.drawing.line(PAGE_WIDTH - MARGIN, y, PAGE_WIDTH - MARGIN, bottom, INK, 0.35)

    def _label(self, provider: str, y: float) -> None:
        name = self.scenario.providers_by_id[provider].name
        lines = [(name, 2.6, "bold", INK), (provider, 2.0, "normal", GREY)] if self.is_tall else [(name, 1.9, "bold", INK)]
        baseline = y + self.row_height / 2 + (0 if self.is_tall else 0.7)
        for text, most, weight, fill in lines:
            fit = fitting(shortened(text), LABEL_WIDTH - 2, (most * 0.7, most), bold=weight == "bold")
            if fit is not None:
                self.drawing.text(MARGIN, baseline, *fit, font_weight=weight, fill=fill)
            baseline += 3

    def _row(self, axis: Axis, day: date, row: BoardRow, y: float) -> None:
        for stretch in row.duty:
            x, width = axis.span(day, stretch)
            self.drawing.rect(x, y, width, self.row_height, ON_DUTY)
            if stretch.location is not None:
                self._place(stretch.location, x, y + self.row_height - self.strip_height, width)
        for stretch in row.away:
            x, width = axis.span(day, stretch)
            self.drawing.rect(x, y + 0.2, width, self.row_height - self.strip_height - 0.3, self.away_fill)
        for entry in row.entries:
            self._entry(axis, day, entry, y)

    def _place(self, location: str, x: float, y: float, width: float) -> None:
        self.drawing.rect(x, y, width, self.strip_height, self.look.place_colours[location])
        fit = fitting([location], width - 1, (LEAST_TYPE, 1.6)) if self.is_tall else None
        if fit is not None:
            self.drawing.text(x + 0.6, y + 1.45, *fit, fill="#ffffff")

    def _entry(self, axis: Axis, day: date, entry: LaneItem, row_y: float) -> None:
        x, width = axis.span(day, entry)
        lane_height = (self.row_height - self.strip_height - 0.3) / entry.lanes
        y, height = row_y + 0.15 + entry.lane * lane_height, lane_height - 0.1
        shade = colour(family(entry.item.service.id))
        style = DASHES if entry.supervised or entry.item.kind == "hold" else {}
        self.drawing.group(tooltip(entry))
        self.drawing.rect(x + 0.1, y, width - 0.2, height, shade, stroke=INK, stroke_width="0.12", rx="0.3", **style)
        self._inscription(entry, x + width / 2, y, width - 0.6, height)
        self.drawing.end_group()

    def _inscription(self, entry: LaneItem, x: float, y: float, width: float, height: float) -> None:
        """Write the service's code, then the room and the id, as far as they fit one under the other."""
        style = {"text_anchor": "middle", "font_style": "italic" if entry.supervised else "normal"}
        code = self._headline(entry)
        fit = fitting(code, width, (LEAST_TYPE, max(min(2.7, height - 0.3), LEAST_TYPE)), bold=True)
        if fit is None:
            return
        details = (self._room(entry), _identifier(entry)) if self.is_tall else ()
        others = [fitting(texts, width, (LEAST_TYPE, 2.0)) for texts in details]
        lines = [fit, *(other for other in others if other is not None)]
        while len(lines) > 1 and sum(size * 1.1 for _, size in lines) > height - 0.4:
            lines.pop()
        baseline = y + (height - sum(size * 1.1 for _, size in lines)) / 2
        for index, (text, size) in enumerate(lines):
            weight = "normal" if index else "bold"
            self.drawing.text(x, baseline + size * 0.91, text, size, font_weight=weight, **style)
            baseline += size * 1.1

    def _headline(self, entry: LaneItem) -> Sequence[str]:
        code = self.look.service_codes[entry.item.service.id]
        if isinstance(entry.item.booking, GroupBooking):
            return f"{code} ({len(entry.item.booking.attendees)})", code
        return (f"{code} hold", code) if entry.item.kind == "hold" else (code, code[:3])

    def _room(self, entry: LaneItem) -> Sequence[str]:
        room = entry.item.booking.room
        return (entry.item.booking.location,) if room is None else (room, self.look.room_codes[room])


def _identifier(entry: LaneItem) -> Sequence[str]:
    """Return a visit's id, and its number alone; groups and holds are known by their looks."""
    number = entry.item.id.rpartition("-")[2]
    return () if entry.item.kind != "visit" else (entry.item.id, number) if number.isdigit() else (entry.item.id,)


def tooltip(entry: LaneItem) -> str:
    """Return what a viewer shows under the pointer: everything but the patient."""
    item, booking = entry.item, entry.item.booking
    team = " and ".join(booking.team)
    supervised = f", supervised by {' and '.join(booking.supervisors)}" if booking.supervisors else ""
    when = f"{item.date:%a %d %b} {write_clock(item.start_minute)} to {write_clock(item.end_minute)}"
    return f"{item.id}: {item.service.name}, {when}, {booking.room or booking.location}, {team}{supervised}"
