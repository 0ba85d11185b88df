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
