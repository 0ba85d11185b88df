"""Load: how much of the working time of those who have a skill is asked for.

For a skill, let P be the providers who have it. Their *supply* is their minutes at work: shifts less busy times and
closures, each day at most ``max_minutes_per_day``. Their *demand* is the minutes of every seat that nobody outside P can
fill, of all visits, one session of each group, and all reserves. The load is demand / supply. Since those seats can be
filled by P alone, a plan of everything needs ``load <= 1`` for every skill (Hall's condition); it is not enough, for
rooms, travel, supervision and the patients' own times bind as well. The skill of the highest load is the bottleneck.

References
----------
P. Hall, On Representatives of Subsets, J. London Math. Soc. s1-10 (1935), doi:10.1112/jlms/s1-10.37.26.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scheduling.clinic import Closure, Service
from scheduling.people import Provider
from scheduling.scenario import Scenario
from scheduling.working_time import count_working_minutes


def measure_load(scenario: Scenario) -> Mapping[str, float]:
    """Return the load of each skill that a service asks for; ``inf`` where it is asked of nobody."""
    meter = Meter(scenario.clinic.services, scenario.providers, scenario.clinic.closures)
    for asked in (scenario.visits, scenario.groups, scenario.reserves):
        meter.count(request.service for request in asked)
    return meter.ratios()


class Meter:
    """The load of each skill, as requests are added."""

    def __init__(self, services: Iterable[Service], providers: Sequence[Provider], closures: Sequence[Closure]) -> None:
        offered = tuple(services)
        skills = dict.fromkeys(skill for service in offered for seat in service.team for skill in seat.any_of)
        minutes = [count_working_minutes(provider, closures) for provider in providers]
        having = {skill: {i for i, p in enumerate(providers) if skill in p.skills} for skill in skills}
        self._supply = {skill: sum(minutes[index] for index in having[skill]) for skill in skills}
        self._demand = dict.fromkeys(skills, 0)
        self._each = {service.id: _seat_minutes(service, having) for service in offered}

    def add(self, service: str) -> None:
        """Count a request for a service."""
        for skill, minutes in self._each[service].items():
            self._demand[skill] += minutes

    def count(self, services: Iterable[str]) -> None:
        """Count requests for several services."""
        for service in services:
            self.add(service)

    def ratios(self) -> dict[str, float]:
        """Return the load of every skill."""
        return {skill: self._ratio(skill, demand) for skill, demand in self._demand.items()}

    def highest(self) -> float:
        """Return the bottleneck's load."""
        return max(self.ratios().values())

    def highest_with(self, service: str) -> float:
        """Return the highest load among the skills that a service burdens, had it been asked for once more."""
        return max(self._ratio(skill, self._demand[skill] + minutes) for skill, minutes in self._each[service].items())

    def _ratio(self, skill: str, demand: int) -> float:
        supply = self._supply[skill]
        return demand / supply if supply else float("inf") if demand else 0.0


def _seat_minutes(service: Service, having: Mapping[str, set[int]]) -> dict[str, int]:
    """Return the minutes that a service asks of each skill's providers and of nobody else."""
    asked: dict[str, int] = {}
    for seat in service.team:
        able = set().union(*(having[skill] for skill in seat.any_of))
        burdened = [skill for skill in having if able <= having[skill]] if able else list(seat.any_of)
        for skill in burdened:
            asked[skill] = asked.get(skill, 0) + service.minutes
    return asked
