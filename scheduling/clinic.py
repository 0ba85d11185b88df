"""The clinic: where care takes place, with what, and what is offered.

A key that a file need not have shows its default; where that depends on other keys, its description says so, and
:mod:`scheduling.defaults` gives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from functools import cached_property
from typing import Annotated

from pydantic import Field

from scheduling.fields import Clock, Count, Id, Minutes, Model, Positive, Stamp, VisitMinutes, Weekday


class Site(Model):
    """A town: its locations share travel that counts as no change of site."""

    id: Id = Field(description="what other parts of the file call the site")
    name: str = Field(description="the site's name, for people")


class Location(Model):
    """A building of a site; everything in it begins at or after ``opens`` and, recovery included, ends by ``closes``."""

    id: Id = Field(description="what other parts of the file call the location")
    site: Id = Field(description="the site that the building belongs to")
    name: str = Field(description="the building's name, for people")
    address: str = Field(description="where patients find it")
    opens: Clock = Field(
        time(),
        description="clock time before which nothing starts here; before closes",
        json_schema_extra={"default": "00:00"},
    )
    closes: Clock = Field(description="clock time by which every item and its recovery have ended")


class Travel(Model):
    """Minutes between two locations, the same both ways."""

    between: tuple[Id, Id] = Field(description="two locations")
    minutes: Minutes = Field(description="travel time between them, whole minutes, the same both ways")


class Closure(Model):
    """A time at which a location (null: every one), or one room alone, takes no item."""

    start: Stamp = Field(description="first closed moment, wall-clock time in the clinic's zone")
    end: Stamp = Field(description="first moment after it, wall-clock time in the clinic's zone")
    location: Id | None = Field(None, description="the location that is closed; null: all, unless room is given")
    room: Id | None = Field(None, description="the one room that is closed; null: the whole location")
    reason: str = Field(description="why, for people")

    @property
    def closes_clinic(self) -> bool:
        """Whether every location is closed."""
        return self.room is None and self.location is None

    def closes_location(self, location: str) -> bool:
        """Return whether the whole of a location is closed."""
        return self.room is None and self.location in (None, location)

    def closes_room(self, room: str | None) -> bool:
        """Return whether a room alone is closed, which a closure of its location is not."""
        return room is not None and self.room == room


class Room(Model):
    """A room of one kind; ``seats`` bounds the attendees of a group."""

    id: Id = Field(description="what other parts of the file call the room")
    location: Id = Field(description="the building that it is in")
    kind: str = Field(description="what sort of room it is; a service asks for one kind")
    features: tuple[str, ...] = Field((), description="what it has that services ask for")
    seats: Count = Field(1, description="most attendees of a group session in it")


class Equipment(Model):
    """A pool of like devices at one location; the same id may have a pool at several."""

    id: Id = Field(description="what services and visits call the device, at every location")
    location: Id = Field(description="where the pool is")
    units: Count = Field(description="how many items may use one at once")


class Recovery(Model):
    """Recovery bays at a location; a location without an entry has none."""

    location: Id = Field(description="where the bays are")
    bays: Count = Field(description="how many patients may recover at once")


class Seat(Model):
    """A place in a team, for one provider with any one of the skills."""

    any_of: tuple[str, ...] = Field(description="skills, any one of which is enough")


class RoomNeed(Model):
    """What a service asks of its room: the kind and every feature."""

    kind: str = Field(description="the kind that the room has to be of")
    features: tuple[str, ...] = Field(description="what the room has to have, all of it")

    def suits(self, room: Room) -> bool:
        """Return whether a room is of the kind and has every feature."""
        return room.kind == self.kind and set(self.features) <= set(room.features)


class Service(Model):
    """Something offered. ``attention`` is a provider's load of 2: 1 for an office visit, 2 for a procedure."""

    id: Id = Field(description="what other parts of the file call the service")
    name: str = Field(description="the service's name, for people")
    minutes: VisitMinutes = Field(description="length of an item, whole minutes")
    turnover: Minutes = Field(0, description="cleaning of the room after an item, whole minutes")
    recovery: Minutes = Field(0, description="rest in a recovery bay after an item, whole minutes")
    attention: Count = Field(1, description="load on each member of the team and supervisor, of the 2 that a person has")
    team: tuple[Seat, ...] = Field(description="the seats of the team, each for another provider")
    room: RoomNeed | None = Field(None, description="the room that it needs; null: none")
    equipment: tuple[Id, ...] = Field((), description="one device of each of these pools, at the item's location")
    locations: tuple[Id, ...] = Field(default_factory=tuple, description="where it may take place; absent: everywhere")

    def adapt(self, minutes: int | None, equipment: Sequence[str]) -> Service:
        """Return the service as one visit needs it: of another length (null: its own), with more equipment."""
        if minutes in (None, self.minutes) and not equipment:
            return self
        return self.changed(minutes=minutes or self.minutes, equipment=(*self.equipment, *equipment))


class Block(Model):
    """A special clinic: weekly hours at one location, for its services and of its providers alone."""

    id: Id = Field(description="the special clinic's name")
    location: Id = Field(description="where it is held")
    weekday: Weekday = Field(description="the day of the week on which it is held")
    start: Clock = Field(description="clock time of its first moment")
    end: Clock = Field(description="clock time of the first moment after it")
    services: tuple[Id, ...] = Field(description="services that take place only inside such a block")
    providers: tuple[Id, ...] = Field(description="those whose time in it is reserved for these services")
    welcomes: tuple[Id, ...] = Field(
        (), description="other services that these providers may do during it, at its location; they are not bound to it"
    )

    def admits(self, service: str, location: str) -> bool:
        """Return whether the block's providers may do a service at a location while it is held."""
        return service in self.services or (service in self.welcomes and location == self.location)


class Clinic(Model):
    """Places, resources and services, in one time zone."""

    name: str = Field(description="the clinic's name, for people")
    timezone: str = Field(description="zone of every stamp, date and clock time of the file, by its name in the IANA database")
    start_grid_minutes: Annotated[Positive, Field(le=1440)] = Field(
        description="every start is a multiple of it, whole minutes counted from midnight"
    )
    sites: tuple[Site, ...] = Field(description="the towns")
    locations: tuple[Location, ...] = Field(description="the buildings")
    travel: tuple[Travel, ...] = Field((), description="times between locations; 0 minutes where none is given")
    closures: tuple[Closure, ...] = Field((), description="when locations or rooms are closed")
    rooms: tuple[Room, ...] = Field(description="the rooms")
    equipment: tuple[Equipment, ...] = Field((), description="the pools of devices")
    recovery: tuple[Recovery, ...] = Field((), description="the recovery bays")
    services: tuple[Service, ...] = Field(description="what is offered")
    blocks: tuple[Block, ...] = Field((), description="the special clinics")

    @cached_property
    def _travel(self) -> Mapping[frozenset[str], int]:
        return {frozenset(travel.between): travel.minutes for travel in self.travel}

    def travel_minutes(self, origin: str, destination: str) -> int:
        """Return the minutes between two locations: 0 within one, and where none are given."""
        return 0 if origin == destination else self._travel.get(frozenset((origin, destination)), 0)
