"""Kinds of room: rooms that no task can tell apart are one resource with a count; those that a pin names stand alone.

Rooms get their names when a solution is read (interval colouring: Gupta, Lee and Leung, 1979, doi:10.1109/TC.1979.1675260).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from solver.state.domains import Domains
from solver.state.placements import Placement
from solver.state.tasks import Key
from solver.state.unary import get_current


@dataclass(frozen=True)
class RoomKind:
    """Rooms of one location that no task can tell apart."""

    location: str
    rooms: tuple[str, ...]
    seats: int


def list_room_kinds(domains: Domains) -> tuple[RoomKind, ...]:
    """Return the kinds of room: those that are alike in location, kind, features and seats, unless something names them."""
    pinned = {visit.pinned.room for visit in domains.scenario.visits if visit.pinned is not None}
    begun = (domains.get_begun(task) for task in domains.tasks)
    named = pinned | {current.room for current in begun if current is not None}
    named |= {closure.room for closure in domains.scenario.clinic.closures}
    kinds: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for room in domains.scenario.clinic.rooms:
        apart = room.id if room.id in named else ""
        kinds[room.location, room.kind, frozenset(room.features), room.seats, apart].append(room.id)
    return tuple(RoomKind(str(kind[0]), tuple(rooms), int(str(kind[3]))) for kind, rooms in kinds.items())


def name_rooms(
    domains: Domains,
    placements: Mapping[Key, Placement],
    kinds: Mapping[RoomKind, Sequence[Key]],
    fixed: Mapping[Key, Placement],
) -> dict[Key, Placement]:
    """Colour each kind's intervals by start: a task keeps the room that it has now when that one is free."""
    grid, named = domains.scenario.grid, dict[Key, Placement]()
    for kind, keys in kinds.items():
        free_from = dict.fromkeys(kind.rooms, -1)
        for key in sorted(keys, key=lambda key: (placements[key].day, placements[key].slot, key)):
            begin = (placements[key].day * grid.slots_per_day + placements[key].slot) * grid.grid_minutes
            free = [room for room in kind.rooms if free_from[room] <= begin]
            before = fixed[key].room if key in fixed else _get_current_room(domains, key)
            room = before if before in free else (free or list(kind.rooms))[0]
            service = domains.service(key)
            free_from[str(room)] = begin + service.minutes + service.turnover
            named[key] = replace(placements[key], room=room)
    return named


def _get_current_room(domains: Domains, key: Key) -> str | None:
    current = get_current(domains.by_key[key])
    return None if current is None else current.room
