"""What keeps a service from taking place at all, whatever else is planned: said first, and as such."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scheduling.clinic import Seat, Service
from scheduling.people import Provider
from scheduling.plan import Reason
from scheduling.scenario import Scenario


def find_obstacles(scenario: Scenario, service: Service) -> Iterator[Reason]:
    """Yield why a service cannot take place in a scenario: no room of its kind, or nobody to give it at any time."""
    if service.room is not None and not any(
        room.location in service.locations and service.room.suits(room) for room in scenario.clinic.rooms
    ):
        wanted = " with ".join(filter(None, (f"no {service.room.kind} room", " and ".join(service.room.features))))
        yield Reason(rule="room", detail=f"the clinic has {wanted} at {', '.join(service.locations) or 'any location'}")
    yield from find_staff_obstacles(scenario, service)


def find_staff_obstacles(scenario: Scenario, service: Service) -> Iterator[Reason]:
    """Yield why nobody can give a service at any time."""
    for seat in service.team:
        yield from _find_seat_obstacle(scenario, seat)


def _find_seat_obstacle(scenario: Scenario, seat: Seat) -> Iterator[Reason]:
    able = [provider for provider in scenario.providers if provider.can_fill(seat.any_of)]
    skills = " or ".join(seat.any_of)
    names = ", ".join(provider.id for provider in able)
    if not able:
        yield Reason(rule="qualified", detail=f"nobody has the skill {skills}")
    elif not any(provider.shifts for provider in able):
        yield Reason(rule="shift", detail=f"who has the skill {skills} has no shift at all: {names}")
    elif not any(0 <= day < scenario.grid.days for day in _list_days(scenario, able)):
        yield Reason(rule="shift", detail=f"who has the skill {skills} has shifts outside of the horizon alone: {names}")


def _list_days(scenario: Scenario, able: Iterable[Provider]) -> Iterator[int]:
    return (scenario.grid.day_index(shift.start.date()) for provider in able for shift in provider.shifts)
