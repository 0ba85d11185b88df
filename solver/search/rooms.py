"""Rooms, once all else is decided: whatever stays where it stands keeps its room too.

A room costs nothing, so a search deals rooms as they come. People have noted theirs all the same, and calendars show it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from scheduling.timegrid import minute_of_day
from solver.state.domains import Domains
from solver.state.placements import Placement
from solver.state.tasks import Key
from solver.state.unary import get_current


def keep_standing_rooms(domains: Domains, placements: Mapping[Key, Placement]) -> dict[Key, Placement]:
    """Return placements in which what has its current start, location and team has its current room, wherever that can be.

    What is new or moved makes way, to another room that suits it at the same time; where it has none, what stands gives way.
    """
    dealer = _RoomDealer(domains, placements)
    standing = dealer.list_standing_rooms()
    while True:
        rooms, in_the_way = dealer.deal(standing)
        if not in_the_way:
            break
        standing = {key: room for key, room in standing.items() if key not in in_the_way}
    return {key: replace(place, room=rooms[key]) if key in rooms else place for key, place in placements.items()}


class _RoomDealer:
    """Deals rooms to placements that break no rule in the rooms that they have."""

    def __init__(self, domains: Domains, placements: Mapping[Key, Placement]) -> None:
        self._domains, self._placements = domains, placements
        self._rooms = {key: place.room for key, place in placements.items() if place.room is not None}
        self._spans = {key: self._measure_span(key) for key in self._rooms}
        self._on_day: dict[int, list[Key]] = defaultdict(list)
        for key in self._rooms:
            self._on_day[placements[key].day].append(key)

    def _measure_span(self, key: Key) -> tuple[int, int]:
        """Return the minutes of the day between which a room is taken, cleaning included."""
        place, service = self._placements[key], self._domains.by_key[key].service
        begin = place.slot * self._domains.scenario.grid.grid_minutes
        return begin, begin + service.minutes + service.turnover

    def list_standing_rooms(self) -> dict[Key, str]:
        """Return the current rooms of what has its current start, location and team, as far as they may still be used."""
        grid = self._domains.scenario.grid
        standing: dict[Key, str] = {}
        for key in self._rooms:
            place, current = self._placements[key], get_current(self._domains.by_key[key])
            if current is None or current.room is None or current.room not in self._list_open_rooms(key):
                continue
            start = (grid.day_index(current.start.date()), minute_of_day(current.start))
            stands = (*start, current.location, current.team)
            team = tuple(shift.provider for shift in place.team)
            if stands == (place.day, place.slot * grid.grid_minutes, place.location, team):
                standing[key] = current.room
        return standing

    def _list_open_rooms(self, key: Key) -> list[str]:
        """Return the rooms that suit a task where it is and are not closed then, whatever else is in them."""
        place, task = self._placements[key], self._domains.by_key[key]
        rooms = self._domains.rooms_of(task, place.location)
        return [room for room in rooms if self._domains.room_starts(task.service, room, place.day) >> place.slot & 1]

    def deal(self, standing: Mapping[Key, str]) -> tuple[dict[Key, str], set[Key]]:
        """Return rooms in which what stands keeps its own; and, where that cannot be, what stands in the way of others."""
        rooms = {**self._rooms, **standing}
        for key in sorted(rooms, key=lambda key: (self._spans[key], key)):
            others = self._list_meeting(key)
            clashing = {other for other in others if rooms[other] == rooms[key]}
            if not clashing:
                continue
            if key in standing:
                if both := clashing & standing.keys():
                    return rooms, both
                continue
            taken = {rooms[other] for other in others}
            free = next((room for room in self._list_open_rooms(key) if room not in taken), None)
            if free is None:
                return rooms, clashing & standing.keys()
            rooms[key] = free
        return rooms, set()

    def _list_meeting(self, key: Key) -> list[Key]:
        """Return what is at the same time, cleaning included, whatever its room."""
        begin, end = self._spans[key]
        keys = self._on_day[self._placements[key].day]
        return [other for other in keys if other != key and self._spans[other][0] < end and begin < self._spans[other][1]]
