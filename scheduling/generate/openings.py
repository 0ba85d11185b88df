"""Where and when the working time leaves room for a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import product

from scheduling.clinic import Clinic, Service
from scheduling.people import Patient, Provider
from scheduling.working_time import FreeInterval, list_free_intervals


class ServiceOpenings:
    """Where and when the working hours leave room for a service, other visits apart.

    Trainees count only where they are asked for by name: they need a supervisor. Recovery counts as if it were within
    the team's hours. Special clinics need no thought: their providers are rostered at the clinic's location, where
    nothing else is offered.
    """

    def __init__(self, clinic: Clinic, providers: Iterable[Provider]) -> None:
        self._services = {service.id: service for service in clinic.services}
        self._site = {location.id: location.site for location in clinic.locations}
        self._free_intervals: dict[tuple[date, str], list[FreeInterval]] = {}
        for provider in providers:
            for shift in provider.shifts:
                for location in shift.locations:
                    free = list_free_intervals(provider, shift, location, clinic.closures)
                    self._free_intervals.setdefault((shift.start.date(), location), []).extend(free)

    def is_open(self, service: str, patient: Patient, days: Iterable[date], provider: str | None = None) -> bool:
        """Return whether a patient could have a service, with a provider if one is named, on one of some days."""
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
            interval.provider.id
            for (day, location), intervals in self._free_intervals.items()
            if day in days and location in wanted.locations
            for interval in intervals
            if interval.provider.can_fill(wanted.team[0].any_of)
        ]
        return tuple(provider for provider in dict.fromkeys(able) if self.is_open(service, patient, days, provider))

    def _spans(self, service: Service, day: date, location: str, provider: str | None) -> Iterator[tuple[datetime, datetime]]:
        """Yield the common free times of possible teams that are long enough."""
        free = self._free_intervals.get((day, location), [])
        here = [interval for interval in free if not interval.provider.trainee or interval.provider.id == provider]
        seats = [[interval for interval in here if interval.provider.can_fill(seat.any_of)] for seat in service.team]
        needed = timedelta(minutes=service.minutes + service.recovery)
        for team in product(*seats):
            members = {interval.provider.id for interval in team}
            start, end = max(interval.start for interval in team), min(interval.end for interval in team)
            if len(members) == len(team) and (provider is None or provider in members) and end - start >= needed:
                yield start, end
