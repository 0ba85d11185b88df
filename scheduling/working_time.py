"""Working time: what is left of providers' shifts once their busy times and the closures are taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from scheduling.clinic import Closure
from scheduling.people import Provider, Shift


@dataclass(frozen=True)
class FreeInterval:
    """Free time of a provider at one location, within one shift."""

    provider: Provider
    location: str
    start: datetime
    end: datetime


def list_free_intervals(provider: Provider, shift: Shift, location: str, closures: Iterable[Closure]) -> Iterator[FreeInterval]:
    """Yield what busy times and closures leave of a shift, were it spent at a location."""
    taken = [(meeting.start, meeting.end) for meeting in provider.busy]
    taken += [(closure.start, closure.end) for closure in closures if closure.closes_location(location)]
    start = shift.start
    for begin, end in sorted(taken):
        if end > start and begin < shift.end:
            if begin > start:
                yield FreeInterval(provider, location, start, begin)
            start = end
    if start < shift.end:
        yield FreeInterval(provider, location, start, shift.end)


def count_working_minutes(provider: Provider, closures: Sequence[Closure]) -> int:
    """Return a provider's minutes for patients: shifts less busy times and closures, each day within its limit.

    A shift with several locations counts as spent where most of it is left.
    """
    by_day: dict[date, int] = {}
    for shift in provider.shifts:
        left = max(
            (
                sum(
                    int((s.end - s.start).total_seconds()) // 60
                    for s in list_free_intervals(provider, shift, location, closures)
                )
                for location in shift.locations
            ),
            default=0,
        )
        by_day[shift.start.date()] = by_day.get(shift.start.date(), 0) + left
    return sum(min(minutes, provider.max_minutes_per_day) for minutes in by_day.values())
