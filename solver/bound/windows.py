"""Shifts as the master sees them: the sessions of each day, and how long each provider is free in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduling.clinic import Service
from scheduling.scenario import Scenario
from scheduling.timegrid import minutes_on
from solver.model.capacity import count_free_minutes
from solver.state.domains import Domains, ShiftId


@dataclass(frozen=True, slots=True)
class Window:
    """A shift as the master sees it: its session and the minutes that its provider is free.

    One of ``locations`` is chosen for it; ``beside`` are those where its items may be whichever that is.
    """

    day: int
    session: int
    free_minutes: int
    free_ahead: int
    locations: tuple[str, ...]
    beside: tuple[str, ...]
    trainee: bool

    @property
    def reachable(self) -> tuple[str, ...]:
        """Every location at which an item of the shift may be."""
        return (*self.locations, *self.beside)


def find_sessions(scenario: Scenario) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Return, for each day, the stretches of minutes in which shifts overlap."""
    by_day: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for provider in scenario.providers:
        for shift in provider.shifts:
            on = shift.start.date()
            by_day[scenario.grid.day_index(on)].append((minutes_on(shift.start, on), minutes_on(shift.end, on)))
    by_date: dict[int, list[tuple[int, int]]] = {}
    for day, intervals in by_day.items():
        merged: list[tuple[int, int]] = []
        for begin, end in sorted(intervals):
            if merged and begin < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((begin, end))
        by_date[day] = merged
    return by_date


def find_windows(domains: Domains, sessions: Mapping[int, Sequence[tuple[int, int]]]) -> dict[ShiftId, Window]:
    """Return every shift as the master sees it."""
    by_shift: dict[ShiftId, Window] = {}
    for provider in domains.scenario.providers:
        for number, times in enumerate(provider.shifts):
            shift, on = ShiftId(provider.id, number), times.start.date()
            day = domains.scenario.grid.day_index(on)
            begin = minutes_on(times.start, on)
            session = next(i for i, (starts, ends) in enumerate(sessions[day]) if starts <= begin < ends)
            now = domains.scenario.now
            since = 0 if now is None else max(0, minutes_on(now, on))
            free, ahead = count_free_minutes(domains, shift), count_free_minutes(domains, shift, since)
            by_shift[shift] = Window(day, session, free, ahead, domains.binding_locations(shift), times.also, provider.trainee)
    return by_shift


def find_supervisors(
    domains: Domains, windows: Mapping[ShiftId, Window], service: Service, seat: int, shift: ShiftId, location: str
) -> frozenset[ShiftId]:
    """Return the shifts whose providers may supervise a trainee in a seat of a service, during a shift at a location."""
    window = windows[shift]
    return frozenset(
        option.shift
        for option in domains.seat(service, seat)
        if option.shift is not None
        and (option.day, option.location) == (window.day, location)
        and windows[option.shift].session == window.session
        and not windows[option.shift].trainee
    )


def shift_order(shift: ShiftId) -> tuple[str, int]:
    """Return what shifts are sorted by."""
    return shift.provider, shift.number
