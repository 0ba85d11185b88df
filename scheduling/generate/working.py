"""Working time: what is left of providers' half-days, and where and when a service could take place in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

from scheduling.clinic import Clinic, Closure, Service
from scheduling.people import Patient, Provider, Shift


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
    taken += [(closure.start, closure.end) for closure in closures if closure.location in (None, location)]
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


class ServiceOpenings:
    """Where and when the working hours leave room for a service, other visits apart.

    Trainees count only where they are asked for by name: they need a supervisor. Recovery counts as if it were within
    the team's hours. Special clinics need no thought: their providers are rostered at the clinic's location, where
    nothing else is offered.
    """

    def __init__(self, clinic: Clinic, providers: Iterable[Provider]) -> None:
        self._services = {service.id: service for service in clinic.services}
        self._site = {location.id: location.site for location in clinic.locations}
        self._stretches: dict[tuple[date, str], list[FreeInterval]] = {}
        for provider in providers:
            for shift in provider.shifts:
                for location in shift.locations:
                    found = list_free_intervals(provider, shift, location, clinic.closures)
                    self._stretches.setdefault((shift.start.date(), location), []).extend(found)

    def is_open(self, service: str, patient: Patient, days: Iterable[date], provider: str | None = None) -> bool:
        """Say whether a patient could have a service, with a provider if one is named, on one of some days."""
        wanted = self._services[service]
        places = [location for location in wanted.locations if self._site[location] in patient.allowed_sites]
        return any(
            all(end <= away.start or away.end <= start for away in patient.unavailable)
            for day in days
            for location in places
            for start, end in self._spans(wanted, day, location, provider)
        )

    def days(self, service: str, days: Iterable[date]) -> tuple[date, ...]:
        """Return those of some days on which a service could take place somewhere."""
        wanted = self._services[service]
        return tuple(
            day for day in days if any(True for location in wanted.locations for _ in self._spans(wanted, day, location, None))
        )

    def providers(self, service: str, patient: Patient, days: Sequence[date]) -> tuple[str, ...]:
        """Return who could lead a service (fill its first seat) for a patient on one of some days."""
        wanted = self._services[service]
        able = [
            stretch.provider.id
            for (day, location), stretches in self._stretches.items()
            if day in days and location in wanted.locations
            for stretch in stretches
            if stretch.provider.can_fill(wanted.team[0].any_of)
        ]
        return tuple(found for found in dict.fromkeys(able) if self.is_open(service, patient, days, found))

    def _spans(self, service: Service, day: date, location: str, provider: str | None) -> Iterator[tuple[datetime, datetime]]:
        """Yield the common free times of possible teams that are long enough."""
        found = self._stretches.get((day, location), [])
        here = [stretch for stretch in found if not stretch.provider.trainee or stretch.provider.id == provider]
        seats = [[stretch for stretch in here if stretch.provider.can_fill(seat.any_of)] for seat in service.team]
        needed = timedelta(minutes=service.minutes + service.recovery)
        for team in product(*seats):
            members = {stretch.provider.id for stretch in team}
            start, end = max(stretch.start for stretch in team), min(stretch.end for stretch in team)
            if len(members) == len(team) and (provider is None or provider in members) and end - start >= needed:
                yield start, end
