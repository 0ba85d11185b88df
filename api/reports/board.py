"""The terminal board: a day of a plan, one row a provider or a room, time from left to right, coloured by family."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from string import digits

from rich.style import Style
from rich.text import Text

from api.reports.labels import codes, elided
from api.reports.lanes import MINUTES_PER_HOUR, BoardRow, By, LaneItem, hours, make_rows
from api.reports.palette import colour, families, family, title
from scheduling.plan import GroupBooking, Plan
from scheduling.scenario import Scenario

MIN_LABEL_WIDTH = 18
MIN_PER_HOUR = 8
MAX_PER_HOUR = 16
LINES_PER_ROW = 2

DUTY = Style(dim=True)
QUIET = Style(dim=True)
STRONG = Style(bold=True)
ONLY_HELD = "grey23"


class Strip:
    """One line of character cells, written in any order."""

    def __init__(self, width: int) -> None:
        self.characters = [" "] * width
        self.styles = [Style.null()] * width

    def put(self, start: int, text: str, style: Style) -> None:
        """Write a text from a column on; what lies outside the line is cut off."""
        for column, character in enumerate(text, start):
            if 0 <= column < len(self.characters):
                self.characters[column] = character
                self.styles[column] = style

    def text(self) -> Text:
        """Return the line."""
        line = Text(no_wrap=True, overflow="crop")
        for character, style in zip(self.characters, self.styles, strict=True):
            line.append(character, style)
        return line


@dataclass(frozen=True)
class BoardLayout:
    """The columns of a part of the day, ``per_hour`` of them an hour, right of the labels."""

    first_hour: int
    end_hour: int
    per_hour: int
    label_width: int

    @property
    def columns(self) -> int:
        """Columns of the part."""
        return (self.end_hour - self.first_hour) * self.per_hour

    def column(self, minute: int) -> int:
        """Return the column in which a minute of the day lies; outside the part it lies outside the columns."""
        return (minute - self.first_hour * MINUTES_PER_HOUR) * self.per_hour // MINUTES_PER_HOUR


def sheets(first_hour: int, end_hour: int, width: int, longest_label: int) -> tuple[BoardLayout, ...]:
    """Lay out the hours of a day in a width: side by side where half an hour keeps 4 columns, else in equal parts."""
    room = max(width - MIN_LABEL_WIDTH - 1, MIN_PER_HOUR)
    most = max(room // MIN_PER_HOUR, 1)
    parts = -(-(end_hour - first_hour) // most)
    length = -(-(end_hour - first_hour) // parts)
    per_hour = min(room // length // 4 * 4, MAX_PER_HOUR)
    label_width = min(longest_label, max(width - 1 - per_hour * length, MIN_LABEL_WIDTH))
    starts = range(first_hour, end_hour, length)
    return tuple(BoardLayout(start, min(start + length, end_hour), per_hour, label_width) for start in starts)


@dataclass(frozen=True)
class Board:
    """A plan's boards, as lines for a terminal of some width."""

    scenario: Scenario
    plan: Plan
    by: By
    width: int

    @cached_property
    def service_codes(self) -> Mapping[str, str]:
        """Short codes of the services."""
        return codes(self.scenario.services)

    @cached_property
    def detail_codes(self) -> Mapping[str, str]:
        """Short codes of what an entry's second line names: the room, or the team where rows are rooms."""
        return codes(self.scenario.rooms if self.by == "provider" else self.scenario.providers_by_id)

    def day(self, day: date) -> Iterator[Text]:
        """Yield the lines of one date."""
        rows = make_rows(self.scenario, self.plan, day, self.by)
        drawn = [row for row in rows if not row.is_empty]
        entries = [entry for row in drawn for entry in row.entries]
        yield Text(f"{day:%A, %d %B %Y}", STRONG)
        longest = max((len(label) for row in drawn for label in _labels(row)), default=0)
        for sheet in sheets(*hours(self.scenario, self.plan, [day]), self.width, longest):
            yield self._ruler(sheet)
            for row in drawn:
                yield from self._row(sheet, row)
        idle = [row.id for row in rows if row.is_empty]
        if idle:
            yield from self._wrapped([("unused: ", STRONG), *((f"{name}  ", QUIET) for name in idle)])
        yield from self.legend(entries)

    def _ruler(self, sheet: BoardLayout) -> Text:
        strip = Strip(sheet.columns)
        for hour in range(sheet.first_hour, sheet.end_hour):
            strip.put(sheet.column(hour * MINUTES_PER_HOUR), f"{hour:02d}:00", STRONG)
        return Text(" " * (sheet.label_width + 1)) + strip.text()

    def _row(self, sheet: BoardLayout, row: BoardRow) -> Iterator[Text]:
        lanes = max((entry.lanes for entry in row.entries), default=1)
        strips = [Strip(sheet.columns) for _ in range(max(lanes, LINES_PER_ROW))]
        self._ground(sheet, row, strips)
        for entry in row.entries:
            self._entry(sheet, entry, strips)
        labels = _labels(row)
        for index, strip in enumerate(strips):
            label, style = labels[index] if index < len(labels) else "", QUIET if index else STRONG
            yield Text().append(elided(label, sheet.label_width).ljust(sheet.label_width + 1), style).append_text(strip.text())

    def _ground(self, sheet: BoardLayout, row: BoardRow, strips: Sequence[Strip]) -> None:
        """Dot the quarters of an hour on duty, shade the times away."""
        step = max(sheet.per_hour // 4, 1)
        for strip in strips:
            for stretch in row.duty:
                for column in range(sheet.column(stretch.start_minute), sheet.column(stretch.end_minute), step):
                    strip.put(column, "·", DUTY)
            for stretch in row.away:
                width = sheet.column(stretch.end_minute) - sheet.column(stretch.start_minute)
                strip.put(sheet.column(stretch.start_minute), "▒" * width, QUIET)

    def _entry(self, sheet: BoardLayout, entry: LaneItem, strips: Sequence[Strip]) -> None:
        start, end = sheet.column(entry.start_minute), sheet.column(entry.end_minute)
        width = max(end - start, 1)
        shade = colour(family(entry.item.service.id))
        held = entry.supervised or entry.item.kind == "hold"
        style = Style(color=shade, bgcolor=ONLY_HELD, italic=True) if held else Style(color="black", bgcolor=shade)
        edge = "◦" if entry.supervised else "┊" if held else "▏"
        texts = [(self._headline(entry), style + STRONG), (self._detail(entry, width - 1), style)]
        lines = [entry.lane] if entry.lanes > 1 else range(LINES_PER_ROW)
        for line, (text, shown) in zip(lines, texts, strict=False):
            framed = text if len(text) == width and not held else edge + text
            strips[line].put(start, framed[:width].ljust(width), shown)
        cleaned = sheet.column(entry.item.turnover_end_minute) - end
        if self.by == "room":
            for line in lines:
                strips[line].put(end, "░" * cleaned, QUIET)

    def _headline(self, entry: LaneItem) -> str:
        seats = f"({len(entry.item.booking.attendees)})" if isinstance(entry.item.booking, GroupBooking) else ""
        return self.service_codes[entry.item.service.id] + seats

    def _detail(self, entry: LaneItem, width: int) -> str:
        if entry.item.kind == "hold" and self.by == "provider":
            return "hold"
        booking = entry.item.booking
        names = booking.team if self.by == "room" else (booking.room,) if booking.room else ()
        if not names:
            return booking.location
        full = "+".join(names)
        return full if len(full) <= width else "+".join(self.detail_codes[name] for name in names)

    def legend(self, entries: Iterable[LaneItem]) -> Iterator[Text]:
        """Yield what the codes and marks of some entries mean."""
        used = list(entries)
        services = {entry.item.service.id: entry.item.service for entry in used}
        for name in families(services):
            shown = [service for service in services.values() if family(service.id) == name]
            chip = (f" {title(name)} ", Style(color="black", bgcolor=colour(name)))
            yield from self._wrapped([chip, *((f" {self.service_codes[s.id]} {s.name} ", Style.null()) for s in shown)])
        yield from self._wrapped([("places: " if self.by == "provider" else "people: ", STRONG), *self._names(used)])
        marks = [("┊ held for a referral  ", any(entry.item.kind == "hold" for entry in used))]
        marks += [("◦ supervised  ", any(entry.supervised for entry in used))]
        marks += [("▒ busy or closed  · on duty", self.by == "provider"), ("░ cleaning", self.by == "room")]
        yield Text("".join(mark for mark, shown in marks if shown), QUIET)

    def _names(self, entries: Iterable[LaneItem]) -> Iterator[tuple[str, Style]]:
        """Yield what the codes without their numbers stand for."""
        named = {entry.item.booking.room for entry in entries} if self.by == "provider" else set()
        named |= {provider for entry in entries for provider in entry.item.booking.team} if self.by == "room" else set()
        stems = {code.rstrip(digits): name for name, code in self.detail_codes.items() if name in named}
        for stem, name in stems.items():
            yield f"{stem} {_drop_number(name)}  ", QUIET

    def _wrapped(self, parts: Iterable[tuple[str, Style]]) -> Iterator[Text]:
        """Yield lines that hold the parts, broken only between parts and indented after the first."""
        line = Text()
        for text, style in parts:
            if line.cell_len and line.cell_len + len(text.rstrip()) > self.width:
                yield line
                line = Text("  ")
            line.append(text, style)
        yield line


def _drop_number(name: str) -> str:
    """Return a name without the number that it ends with, and what parts it from that."""
    stem = name.rstrip(digits)
    return stem[:-1] if stem != name and stem.endswith(("-", "_", " ")) else stem


def _labels(row: BoardRow) -> tuple[str, str]:
    """Return what stands left of a row: whose it is, and where they are."""
    return row.id, " · ".join(dict.fromkeys(stretch.location for stretch in row.duty if stretch.location))
