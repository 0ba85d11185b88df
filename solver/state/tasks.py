"""Tasks: visits, group sessions and reserves as one kind of thing to be given a time, a place and a team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scheduling.clinic import Service
from scheduling.requests import Group, Reserve, Visit
from scheduling.scenario import Scenario

Kind = Literal["visit", "group", "hold"]
Key = tuple[Kind, str]
"""A task's name: ids are unique only among their own kind."""


def visit_key(identifier: str) -> Key:
    """Return the name of a visit's task."""
    return "visit", identifier


Needs = tuple[str, int, tuple[str, ...]]
"""What tells a service, as one visit needs it, from others: its id, minutes and equipment."""


def get_needs(service: Service) -> Needs:
    """Return the name under which what holds for a service, as one visit needs it, is remembered."""
    return service.id, service.minutes, service.equipment


@dataclass(frozen=True, slots=True)
class Task:
    """One visit, group session or reserve; ``service`` is as a visit needs it, of its own length and equipment."""

    kind: Kind
    id: str
    service: Service
    visit: Visit | None = None
    group: Group | None = None
    reserve: Reserve | None = None

    @property
    def key(self) -> Key:
        """The task's name."""
        return self.kind, self.id

    @property
    def patient(self) -> str | None:
        """The patient of a visit."""
        return None if self.visit is None else self.visit.patient


def list_tasks(scenario: Scenario) -> tuple[Task, ...]:
    """Return a scenario's tasks: visits, then groups, then reserves, in the file's order."""
    services = scenario.services
    return (
        *(Task("visit", visit.id, scenario.service_of(visit), visit=visit) for visit in scenario.visits),
        *(Task("group", group.id, services[group.service], group=group) for group in scenario.groups),
        *(Task("hold", reserve.id, services[reserve.service], reserve=reserve) for reserve in scenario.reserves),
    )
