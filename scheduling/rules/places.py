"""Rules of time and place: grid, opening, rooms, equipment, recovery, special clinics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from scheduling.plan import Item, Plan, Violation
from scheduling.rules.sweep import find_overlaps, find_overloads
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day, minutes_on, weekday


def start_grid(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Every item starts on the clinic's start grid."""
    for item in plan.items(scenario):
        if not scenario.grid.on_grid(item.start_minute):
            yield Violation("start-grid", (item.id,), f"starts at {item.booking.start:%H:%M}")


def horizon(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Every item lies within one day of the planned dates."""
    for item in plan.items(scenario):
        if not 0 <= scenario.grid.day_index(item.date) < scenario.grid.days:
            yield Violation("horizon", (item.id,), f"is on {item.date}, outside the horizon")
        elif item.end_minute > MINUTES_PER_DAY:
            yield Violation("horizon", (item.id,), "crosses midnight")


def service_location(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A service takes place only where it is offered."""
    for item in plan.items(scenario):
        if item.booking.location not in item.service.locations:
            yield Violation("service-location", (item.id,), f"{item.service.id} is not offered at {item.booking.location}")


def opens(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Every item starts at or after the opening time of its location."""
    for item in plan.items(scenario):
        if item.start_minute < minute_of_day(scenario.locations[item.booking.location].opens):
            yield Violation("opens", (item.id,), f"starts before {item.booking.location} opens")


def closes(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Every item ends by the closing time of its location."""
    for item in plan.items(scenario):
        if item.end_minute > minute_of_day(scenario.locations[item.booking.location].closes):
            yield Violation("closes", (item.id,), f"ends after {item.booking.location} closes")


def recovery_closes(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Recovery after an item ends by the closing time of its location."""
    for item in plan.items(scenario):
        if item.recovery_end_minute > minute_of_day(scenario.locations[item.booking.location].closes):
            yield Violation("recovery-closes", (item.id,), f"recovers after {item.booking.location} closes")


def closure(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Nothing takes place at a location while it is closed, nor in a room, cleaning included."""
    for item in plan.items(scenario):
        cleaned = item.booking.end + timedelta(minutes=item.service.turnover)
        for closed in scenario.clinic.closures:
            ends = item.booking.end if closed.room is None else cleaned
            here = closed.closes_location(item.booking.location) or closed.closes_room(item.booking.room)
            if here and item.booking.start < closed.end and closed.start < ends:
                yield Violation("closure", (item.id,), f"meets the closure of {closed.start:%Y-%m-%d}: {closed.reason}")


def room(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """An item has a room of the kind and features that its service needs, where it takes place, and none if it needs none."""
    for item in plan.items(scenario):
        need, given = item.service.room, item.booking.room
        if need is None:
            if given is not None:
                yield Violation("room", (item.id,), f"{item.service.id} needs no room, has {given}")
        elif given is None:
            yield Violation("room", (item.id,), f"has no {need.kind} room")
        elif not need.suits(scenario.rooms[given]):
            yield Violation("room", (item.id,), f"{given} is not what {item.service.id} needs")
        elif scenario.rooms[given].location != item.booking.location:
            yield Violation("room", (item.id,), f"{given} is not at {item.booking.location}")


def room_overlap(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """No room is used for two items at once, cleaning included."""
    by_room: dict[str, list[Item]] = defaultdict(list)
    for item in plan.items(scenario):
        if item.booking.room is not None:
            by_room[item.booking.room].append(item)

    def begins(item: Item) -> int:
        return minutes_on(item.booking.start, scenario.horizon.start)

    def clean(item: Item) -> int:  # perhaps on a later date
        return minutes_on(item.booking.end, scenario.horizon.start) + item.service.turnover

    for used, items in by_room.items():
        for first, second in find_overlaps(items, clean, begins):
            yield Violation("room-overlap", (first.id, second.id), f"both need {used} at {second.booking.start:%H:%M}")


def equipment(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Items that run at once at a location use no more devices than its pool has."""
    pools: dict[tuple[str, str, date], list[Item]] = defaultdict(list)
    for item in plan.items(scenario):
        for device in item.service.equipment:
            pools[device, item.booking.location, item.date].append(item)
    for (device, location, _), items in pools.items():
        units = scenario.equipment_units(device, location)
        uses = [(item.start_minute, item.end_minute, 1, item) for item in items]
        for running in find_overloads(uses, units):
            yield Violation("equipment", running, f"need more than {units} {device} at {location}")


def recovery(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Patients who recover at once at a location are no more than its bays.

    Date by date: ``recovery_closes`` keeps recovery from going on past midnight.
    """
    places: dict[tuple[str, date], list[Item]] = defaultdict(list)
    for item in plan.items(scenario):
        if item.service.recovery:
            places[item.booking.location, item.date].append(item)
    for (location, _), items in places.items():
        bays = scenario.bays(location)
        uses = [(item.end_minute, item.recovery_end_minute, item.bays, item) for item in items]
        for running in find_overloads(uses, bays):
            yield Violation("recovery", running, f"need more than {bays} recovery bays at {location}")


def block(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A service of a special clinic takes place only inside its hours and building."""
    for item in plan.items(scenario):
        blocks = [block for block in scenario.clinic.blocks if item.service.id in block.services]
        inside = any(
            block.location == item.booking.location
            and block.weekday == weekday(item.date)
            and minute_of_day(block.start) <= item.start_minute
            and item.end_minute <= minute_of_day(block.end)
            for block in blocks
        )
        if blocks and not inside:
            yield Violation("block", (item.id,), f"{item.service.id} takes place only in {blocks[0].id}")
