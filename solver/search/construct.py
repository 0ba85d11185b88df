"""A first plan, at once: every task in turn gets the cheapest place that is still free.

Pinned and started visits first, then what stands in the current plan, then groups, then the rest by how much leaving it out
would cost. Visits that must go together are placed together or not at all. The answer breaks no rule, and is far from the
best: it is what the search starts from, and the answer when there is no time to search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scheduling.check import check
from solver.state.chains import find_chain_places
from solver.state.domains import Domains, ReducedCosts, ShiftId
from solver.state.occupancy import Occupancy
from solver.state.placement_costs import get_worth
from solver.state.placements import Placement, make_plan
from solver.state.tasks import Key, Task
from solver.state.unary import get_current, is_frozen


def construct(
    domains: Domains,
    start: Mapping[Key, Placement] | None = None,
    shift_at: Mapping[ShiftId, str] | None = None,
    reduced_costs: ReducedCosts | None = None,
    guide_weight: float = 1.0,
) -> dict[Key, Placement]:
    """Return placements that break no rule.

    Parameters
    ----------
    start
        Where to put tasks first, as far as it is still possible.
    shift_at
        Where shifts with several locations are to be spent.
    reduced_costs, guide_weight
        Reduced costs of options, counted beside their cost, and their weight. They say what is worth more than what stands.
    """
    occupancy = Occupancy(domains)
    waiting = sorted(domains.tasks, key=lambda task: _urgency(domains, task, by_worth=bool(reduced_costs)))
    pinned = [task for task in waiting if task.visit is not None and task.visit.pinned is not None]
    stands = retain_feasible(domains, start or {}, {}) if pinned else {}
    for task in pinned:  # with the supervisors that they have: chosen one by one, those of one may be in the way of another
        if task.key in stands:
            occupancy.put(task.key, stands[task.key])
    for task in pinned:  # before all else: what ``start`` puts in their way must give way
        if task.key not in occupancy.placements and (pin := occupancy.best(task)) is not None:
            occupancy.put(task.key, pin.placement)
    occupancy.shift_at = {shift: at for shift, at in (shift_at or {}).items() if occupancy.location(shift) in (None, at)}
    occupancy.reduced_costs, occupancy.guide_weight = reduced_costs or {}, guide_weight
    for key, placement in retain_feasible(domains, start or {}, dict(occupancy.placements)).items():
        occupancy.put(key, placement)
    for task in waiting:
        wanted = (start or {}).get(task.key)
        if wanted is not None and task.key not in occupancy.placements:
            put_at(occupancy, task, wanted)
    for task in waiting:
        if task.key not in occupancy.placements:
            insert(occupancy, task)
    drop_broken_links(occupancy)
    return occupancy.placements


def retain_feasible(domains: Domains, start: Mapping[Key, Placement], fixed: Mapping[Key, Placement]) -> dict[Key, Placement]:
    """Return what of ``start`` can stay exactly as it is beside ``fixed``, in its room and with its supervisors.

    All of it is judged at once, and whatever breaks a rule is taken out, until nothing does.
    """
    kept = {key: placement for key, placement in start.items() if key not in fixed and key in domains.by_key}
    while kept:
        giving_way: set[Key] = set()
        for violation in check(domains.scenario, make_plan(domains, {**fixed, **kept})).violations:
            if violation.rule != "notification-budget":
                items = {key for key in kept if key[1] in violation.ids}
                giving_way |= items or {key for key, placement in kept.items() if _has_any(placement, violation.ids)}
        if not giving_way:
            break
        kept = {key: placement for key, placement in kept.items() if key not in giving_way}
    return kept


def _has_any(placement: Placement, people: Sequence[str]) -> bool:
    return any(shift.provider in people for shift in (*placement.team, *placement.supervisors))


def _urgency(domains: Domains, task: Task, by_worth: bool) -> tuple[int, int, int]:
    """Return a rank: what is pinned, then what stands, unless the worth alone is to decide; groups; the rest."""
    pinned = task.visit is not None and task.visit.pinned is not None
    if pinned or (is_frozen(domains.scenario, task) and not by_worth):
        rank = 0
    elif get_current(task) is not None and not by_worth:
        rank = 1
    else:
        rank = 2 if task.group is not None else 3
    return rank, -get_worth(domains.scenario, task), len(domains.options[task.key])


def put_at(occupancy: Occupancy, task: Task, wanted: Placement) -> bool:
    """Put a task where it is wanted, if that is free; its supervisors and room may change."""
    for place in occupancy.places(task, [wanted.day], 1 << wanted.slot):
        free = place.placement
        same = (free.slot, free.location, free.team) == (wanted.slot, wanted.location, wanted.team)
        if same and seat_attendees_at(occupancy, task, free):
            return True
    return False


def insert(occupancy: Occupancy, task: Task) -> bool:
    """Put a task, and those that must go with it, at the cheapest free places; all or none."""
    return insert_chain(occupancy, occupancy.chain(task))


def insert_chain(occupancy: Occupancy, chain: Sequence[Task]) -> bool:
    """Put a chain of tasks, each after those that it follows, where they cost least together; all or none."""
    if len(chain) == 1:
        best = occupancy.best(chain[0])
        return best is not None and seat_attendees_at(occupancy, chain[0], best.placement)
    for places in find_chain_places(occupancy, chain):
        for key, placement in places.placements.items():
            occupancy.put(key, placement)
        return True
    return not chain


def seat_attendees_at(occupancy: Occupancy, task: Task, placement: Placement) -> bool:
    """Put a task at a place; a group with the attendees who can come, if they are enough."""
    if task.group is not None:
        attendees = occupancy.list_attendees(task, placement)
        if not occupancy.can_meet(task, attendees):
            return False
        if task.service.recovery and len(attendees) > occupancy.scenario.bays(placement.location):
            return False
        placement = replace(placement, attendees=tuple(attendees))
    occupancy.put(task.key, placement)
    return True


def drop_broken_links(occupancy: Occupancy) -> None:
    """Take out visits whose link is not kept: without the visit that they follow, or that must come with them."""
    changed = True
    while changed:
        changed = False
        for link in occupancy.scenario.links:
            before, after = ("visit", link.before), ("visit", link.after)
            has_before, has_after = before in occupancy.placements, after in occupancy.placements
            if has_after and not has_before:
                occupancy.remove(("visit", link.after))
                changed = True
            elif link.together and has_before and not has_after:
                occupancy.remove(("visit", link.before))
                changed = True
