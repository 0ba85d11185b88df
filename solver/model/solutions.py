"""Placements in and out of the exact model's variables: hinted, and read from a solution."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ortools.sat.python import cp_model

from solver.model.room_kinds import RoomKind, name_rooms
from solver.model.variables import Literal, OptionLiteral, Variables
from solver.state.domains import Option, ShiftId
from solver.state.placements import Placement
from solver.state.tasks import Key


def hint(x: Variables, placements: Mapping[Key, Placement]) -> None:
    """Suggest placements; tasks without one, or whose placement is not open, are suggested to be left out."""
    allowed = {
        key: placement
        for key, placement in placements.items()
        if x.has(key) and has_room(x, key, placement) and has_people(x, key, placement)
    }
    hinted = {x.true.index}
    for variable, value in list_values(x, allowed):
        if isinstance(variable, cp_model.IntVar) and variable.index not in hinted:
            hinted.add(variable.index)
            x.model.add_hint(variable, value)


def has_room(x: Variables, key: Key, placement: Placement) -> bool:
    """Return whether the room of a placement has a literal in this model, or none is needed."""
    kinds = x.rooms(key)
    return any(placement.room in kind.rooms for kind in kinds) if kinds else placement.room is None


def has_people(x: Variables, key: Key, placement: Placement) -> bool:
    """Return whether every person of a placement has a literal in this model at its start."""
    wanted = placement.options(x.domains.by_key[key])
    if len(wanted) != len(x.seats(key)):
        return False
    seats = [*zip(wanted, x.seats(key), strict=True), *((o, x.supervisors(key)) for o in placement.supervision())]
    return all(any(_is(taken, option) for taken in ways) for option, ways in seats)


def _is(taken: OptionLiteral, option: Option) -> bool:
    same = (taken.option.shift, taken.option.day, taken.option.location) == (option.shift, option.day, option.location)
    return same and bool(taken.option.starts & option.starts)


def list_values(x: Variables, placements: Mapping[Key, Placement]) -> Iterator[tuple[Literal, int]]:
    """Yield each variable of what may change, with its value where these placements hold; some of them twice."""
    where: dict[ShiftId, str] = {}
    for task in x.tasks:
        key, placement = task.key, placements.get(task.key)
        if key in x.fixed:
            continue
        yield x.present(key), int(placement is not None)
        if placement is not None:
            yield x.start(key), placement.day * x.grid.slots_per_day + placement.slot
            committed = (*placement.team, *placement.supervisors)
            where |= {shift: placement.location for shift in committed if x.domains.binds(shift, placement.location)}
        options = () if placement is None else placement.options(task)
        for seat, ways in enumerate(x.seats(key)):
            for taken in ways:
                yield taken.literal, int(seat < len(options) and _is(taken, options[seat]))
        for taken in x.supervisors(key):
            yield taken.literal, int(placement is not None and any(_is(taken, o) for o in placement.supervision()))
        for place, literal in x.places(key).items():
            yield literal, int(placement is not None and (placement.day, placement.location) == place)
        for location, literal in x.locations(key).items():
            yield literal, int(placement is not None and placement.location == location)
        for kind, literal in x.rooms(key).items():
            yield literal, int(placement is not None and placement.room in kind.rooms)
        for patient in x.members(task):
            attends = placement is not None and patient in placement.attendees
            yield x.attends(task.id, patient), int(attends)
    for (shift, location), literal in x.shift_locations().items():
        if literal.index != x.true.index and shift in where:
            yield literal, int(where[shift] == location)


def extract(x: Variables, solver: cp_model.CpSolver | cp_model.CpSolverSolutionCallback) -> dict[Key, Placement]:
    """Read a solution: the placements of every task of this model that takes place, rooms named."""
    placements: dict[Key, Placement] = {}
    kinds: dict[RoomKind, list[Key]] = defaultdict(list)
    for task in x.tasks:
        key = task.key
        if not solver.boolean_value(x.present(key)):
            continue
        day, slot = divmod(solver.value(x.start(key)), x.grid.slots_per_day)
        team = [taken.option for ways in x.seats(key) for taken in ways if solver.boolean_value(taken.literal)]
        attendees = [patient for patient in x.members(task) if solver.boolean_value(x.attends(task.id, patient))]
        placements[key] = Placement(
            day,
            slot,
            team[0].location,
            tuple(option.shift for option in team if option.shift is not None),
            tuple(
                taken.option.shift
                for taken in x.supervisors(key)
                if taken.option.shift is not None and solver.boolean_value(taken.literal)
            ),
            tuple(attendees),
        )
        for kind, literal in x.rooms(key).items():
            if solver.boolean_value(literal):
                kinds[kind].append(key)
    return placements | name_rooms(x.domains, placements, kinds, x.fixed)
