"""Where shifts with several locations are best spent, before anything is placed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from solver.state.domains import Domains, ShiftId
from solver.state.placement_costs import get_worth
from solver.state.placements import Placement
from solver.state.tasks import Key


def choose_shift_locations(domains: Domains, placements: Mapping[Key, Placement]) -> dict[ShiftId, str]:
    """Return where each shift with a choice of locations has the most to do, but for those that ``placements`` use.

    A task's worth is shared out among its options. So whoever has nowhere else to go counts whole, and whoever could go to
    many places hardly counts. A shift has time for some tasks only: for those worth the most a minute.
    """
    used = {shift for place in placements.values() for shift in (*place.team, *place.supervisors)}
    shifts = {ShiftId(person.id, number) for person in domains.scenario.providers for number in range(len(person.shifts))}
    open_shifts = {shift for shift in shifts - used if len(domains.binding_locations(shift)) > 1}
    wishes: dict[tuple[ShiftId, str], list[tuple[float, int]]] = defaultdict(list)
    for task in domains.tasks if open_shifts else ():
        options = domains.options[task.key]
        share = get_worth(domains.scenario, task) / len(options) if options else 0
        for option in options:
            if option.shift in open_shifts:
                wishes[option.shift, option.location].append((share, task.service.minutes))
    best: dict[ShiftId, tuple[float, str]] = {}
    for (shift, location), wanted in wishes.items():
        times = domains.shift(shift)
        worth = _worth_within(wanted, (times.end - times.start).total_seconds() / 60)
        if domains.binds(shift, location) and worth > best.get(shift, (0.0, ""))[0]:
            best[shift] = (worth, location)
    return {shift: location for shift, (_, location) in best.items()}


def _worth_within(wanted: list[tuple[float, int]], minutes: float) -> float:
    """Return the worth of the tasks worth the most a minute, as many as there is time for."""
    worth = 0.0
    for share, needed in sorted(wanted, key=lambda wish: -wish[0] / wish[1]):
        minutes -= needed
        if minutes < 0:
            break
        worth += share
    return worth
