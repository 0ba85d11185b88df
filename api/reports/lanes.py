"""A plan as rows of entries by time: what the terminal board and the picture both draw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from scheduling.people import Provider
from scheduling.plan import Item, Plan
from scheduling.rules.sweep import Timed, is_overlapping
from scheduling.scenario import Scenario
from scheduling.timegrid import minutes_on

By = Literal["provider", "room"]
MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class LaneItem:
    """An item in a row; ``supervised``: the row's provider supervises it and is not in its team."""

    item: Item
    supervised: bool
    lane: int
    lanes: int

    @property
    def start_minute(self) -> int:
        """The minute of the day at which it starts."""
        return self.item.start_minute

    @property
    def end_minute(self) -> int:
        """The minute of the day at which it ends, cleaning apart."""
        return self.item.end_minute


@dataclass(frozen=True, slots=True)
class MinuteSpan:
    """Minutes ``[start, end)`` of a day: on duty at a location (None: not chosen), or away, busy or the place being closed."""

    start_minute: int
    end_minute: int
    location: str | None


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One provider's or one room's day."""

    id: str
    entries: tuple[LaneItem, ...]
    duty: tuple[MinuteSpan, ...]
    away: tuple[MinuteSpan, ...]

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to draw."""
        return not self.entries and not self.duty


def make_rows(scenario: Scenario, plan: Plan, day: date, by: By) -> tuple[BoardRow, ...]:
    """Return the rows of a date in the scenario's order: providers on duty or at work, or every room."""
    items: Mapping[str, list[tuple[Item, bool]]] = defaultdict(list)
    for item in plan.items(scenario):
        if item.date == day:
            for owner, supervised in _owners(item, by):
                items[owner].append((item, supervised))
    if by == "room":
        return tuple(BoardRow(room.id, _laned(items[room.id]), (), ()) for room in scenario.clinic.rooms)
    everybody = (_provider_row(scenario, plan, provider, day, items[provider.id]) for provider in scenario.providers)
    return tuple(row for row in everybody if not row.is_empty)


def _owners(item: Item, by: By) -> Iterator[tuple[str, bool]]:
    if by == "room":
        if item.booking.room is not None:
            yield item.booking.room, False
    else:
        yield from ((provider, False) for provider in item.booking.team)
        yield from ((provider, True) for provider in item.booking.supervisors if provider not in item.booking.team)


def _provider_row(
    scenario: Scenario, plan: Plan, provider: Provider, day: date, items: Sequence[tuple[Item, bool]]
) -> BoardRow:
    chosen = {(place.provider, place.start): place.location for place in plan.shifts}
    duty: list[MinuteSpan] = []
    away: list[MinuteSpan] = []
    for shift in sorted(provider.shifts, key=lambda shift: shift.start):
        if shift.start.date() == day:
            location = chosen.get((provider.id, shift.start))
            duty.append(MinuteSpan(minutes_on(shift.start, day), minutes_on(shift.end, day), location))
            places = {location} if location is not None else set(shift.locations)
            times: list[Timed] = [*provider.busy]
            times += (
                closure for closure in scenario.clinic.closures if all(closure.closes_location(place) for place in places)
            )
            away += filter(None, (_within(time, duty[-1], day) for time in times))
    return BoardRow(provider.id, _laned(items), tuple(duty), tuple(away))


def _within(time: Timed, bounds: MinuteSpan, day: date) -> MinuteSpan | None:
    start, end = (minutes_on(moment, day) for moment in (time.start, time.end))
    start, end = max(start, bounds.start_minute), min(end, bounds.end_minute)
    return MinuteSpan(start, end, None) if start < end else None


def _laned(items: Iterable[tuple[Item, bool]]) -> tuple[LaneItem, ...]:
    """Give items that overlap lanes of their own: what one does before what one supervises, then by time."""
    clusters: list[list[tuple[Item, bool]]] = []
    until = -1
    for item, supervised in sorted(items, key=lambda pair: (pair[0].start_minute, pair[0].end_minute, pair[0].id)):
        if item.start_minute >= until:
            clusters.append([])
        clusters[-1].append((item, supervised))
        until = max(until, item.end_minute)
    return tuple(entry for cluster in clusters for entry in _cluster(cluster))


def _cluster(cluster: Sequence[tuple[Item, bool]]) -> Iterator[LaneItem]:
    lanes: list[list[Item]] = []
    placed: list[tuple[Item, bool, int]] = []
    for item, supervised in sorted(cluster, key=lambda pair: (pair[1], pair[0].start_minute, pair[0].id)):
        free = (
            lane for lane, items in enumerate(lanes) if not any(is_overlapping(item.booking, other.booking) for other in items)
        )
        lane = next(free, len(lanes))
        lanes[lane : lane + 1] = [[*(lanes[lane] if lane < len(lanes) else ()), item]]
        placed.append((item, supervised, lane))
    return (LaneItem(item, supervised, lane, len(lanes)) for item, supervised, lane in placed)


def busy_dates(scenario: Scenario, plan: Plan) -> tuple[date, ...]:
    """Return the dates on which somebody is on duty or something is planned, in order."""
    planned = {item.date for item in plan.items(scenario)}
    duty = {shift.start.date() for provider in scenario.providers for shift in provider.shifts}
    return tuple(day for day in scenario.grid.dates() if day in planned or day in duty)


def hours(scenario: Scenario, plan: Plan, days: Iterable[date]) -> tuple[int, int]:
    """Return the whole hours ``(first, end)`` that hold every shift and item of some dates; 8 to 17 if there are none."""
    chosen = set(days)
    spans = [(item.start_minute, item.end_minute) for item in plan.items(scenario) if item.date in chosen]
    for provider in scenario.providers:
        for shift in provider.shifts:
            if (day := shift.start.date()) in chosen:
                spans.append((minutes_on(shift.start, day), minutes_on(shift.end, day)))
    if not spans:
        return 8, 17
    first, end = min(start for start, _ in spans), max(end for _, end in spans)
    return first // MINUTES_PER_HOUR, -(-end // MINUTES_PER_HOUR)
