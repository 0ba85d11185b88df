"""The clinic: where care takes place, with what, and what is offered."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from scheduling.fields import Clock, Count, Id, Minutes, Model, Positive, Stamp, Weekday


class Site(Model):
    """A town: its locations share travel that counts as no change of site."""

    id: Id
    name: str


class Location(Model):
    """A building of a site; everything in it, recovery included, ends by ``closes``."""

    id: Id
    site: Id
    name: str
    address: str
    closes: Clock


class Travel(Model):
    """Minutes between two locations, the same both ways."""

    between: tuple[Id, Id]
    minutes: Minutes


class Closure(Model):
    """A time at which a location (null: every one) takes no item."""

    start: Stamp
    end: Stamp
    location: Id | None
    reason: str


class Room(Model):
    """A room of one kind; ``seats`` bounds the attendees of a group."""

    id: Id
    location: Id
    kind: str
    features: tuple[str, ...]
    seats: Count


class Equipment(Model):
    """A pool of like devices at one location; the same id may have a pool at several."""

    id: Id
    location: Id
    units: Count


class Recovery(Model):
    """Recovery bays at a location; a location without an entry has none."""

    location: Id
    bays: Count


class Seat(Model):
    """A place in a team, for one provider with any one of the skills."""

    any_of: tuple[str, ...]


class RoomNeed(Model):
    """What a service asks of its room: the kind and every feature."""

    kind: str
    features: tuple[str, ...]

    def suits(self, room: Room) -> bool:
        """Return whether a room is of the kind and has every feature."""
        return room.kind == self.kind and set(self.features) <= set(room.features)


class Service(Model):
    """Something offered. ``attention`` is a provider's load of 2: 1 for an office visit, 2 for a procedure."""

    id: Id
    name: str
    minutes: Annotated[Positive, Field(le=1440)]
    turnover: Minutes
    recovery: Minutes
    attention: Count
    team: tuple[Seat, ...]
    room: RoomNeed | None
    equipment: tuple[Id, ...]
    locations: tuple[Id, ...]


class Block(Model):
    """A special clinic: weekly hours at one location, for its services and of its providers alone."""

    id: Id
    location: Id
    weekday: Weekday
    start: Clock
    end: Clock
    services: tuple[Id, ...]
    providers: tuple[Id, ...]


class Clinic(Model):
    """Places, resources and services, in one time zone."""

    name: str
    timezone: str
    start_grid_minutes: Annotated[Positive, Field(le=1440)]
    sites: tuple[Site, ...]
    locations: tuple[Location, ...]
    travel: tuple[Travel, ...]
    closures: tuple[Closure, ...]
    rooms: tuple[Room, ...]
    equipment: tuple[Equipment, ...]
    recovery: tuple[Recovery, ...]
    services: tuple[Service, ...]
    blocks: tuple[Block, ...]
