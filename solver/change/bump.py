"""Room for a visit that has to be, when moving others does not make any: the fewest others give way.

Holds give way before all. Then visits of one provider that follow each other are taken out, as few as possible, until the
visit fits; those taken out are put back wherever there is a place, or wait. Nothing pinned, started or about to start gives
way, no group, nobody with cancer, and nobody who has to be seen that day; where that is enough, nor whose visit is linked,
nor whose last day is in the horizon, unless they find another place by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from scheduling.costs import get_omission_cost
from scheduling.plan import Plan
from scheduling.publishing import rebase
from scheduling.requests import Visit
from scheduling.scenario import Policy, PriorityWeights, Scenario
from solver.change.proposals import Present, checked_plan
from solver.limits import Limits
from solver.search.construct import drop_broken_links, insert, retain_feasible
from solver.solve import solve
from solver.state.occupancy import Occupancy
from solver.state.placements import Placement, get_placements
from solver.state.tasks import Key, Task

MOST_DISPLACED = 4
"""Visits of one provider that give way, at most: as long as the longest visit takes."""


def bump(scenario: Scenario, plan: Plan, visit: str) -> Plan | None:
    """Return a plan in which a visit that was left out has a place, because others give way; None: nothing helps.

    Holds give way first, those for such visits before the others. Whose last day is in the horizon gives way only to another
    place, and only where nobody else does. To visits that go together only holds give way here: :func:`reoptimise_day` does
    the rest.

    Raises
    ------
    InvalidFile
        The plan breaks a rule: it has to be made anew first.
    """
    present = Present(scenario, plan)
    task = present.domains.by_key["visit", visit]
    occupancy = Occupancy(present.domains, present.placements)
    held = [key for key in occupancy.placements if key[0] == "hold"]
    bundle = scenario.find_bundle(visit)
    services = {scenario.visit(member).service for member in bundle}
    own = [key for key in held if present.domains.service(key).id in services]
    for holds in (own, held):
        for key in [key for key in holds if key in occupancy.placements]:
            occupancy.remove(key)
        if insert(occupancy, task):
            return _reinsert_rest(present, occupancy, {})
    if len(bundle) > 1:
        return None
    last = find_expiring_visits(scenario)
    sets = [
        visits
        for unmovable in (last, ())
        for visits in sorted(_ways(present, task, unmovable), key=lambda keys: _harm(present, keys))
    ]
    for displaced in dict.fromkeys(sets):
        removed = {key: occupancy.remove(key) for key in displaced}
        place = occupancy.best(task)
        if place is not None:
            occupancy.put(task.key, place.placement)
            if all(insert(occupancy, present.domains.by_key[key]) for key in displaced if key[1] in last):
                return _reinsert_rest(present, occupancy, removed)
        for key in (task.key, *displaced):
            if key in occupancy.placements:
                occupancy.remove(key)
        for key, placement in removed.items():
            occupancy.put(key, placement)
    return None


def find_expiring_visits(scenario: Scenario) -> frozenset[str]:
    """Return the visits whose last day is in the horizon."""
    visits = (visit for visit in scenario.visits if visit.deadline is not None and visit.deadline < scenario.horizon.end)
    return frozenset(visit.id for visit in visits)


def place_expiring_visits(scenario: Scenario, plan: Plan, limits: Limits, visits: Collection[str] | None = None) -> Plan:
    """Return a plan with visits that it left out although their last day is in the horizon, as far as others give way.

    Those whose last day is in the horizon too give way only by moving within their own dates.

    Parameters
    ----------
    limits
        Of the exact plan of one visit's days, where the fewest others do not make room.
    visits
        Those that matter; None: all.
    """
    last = find_expiring_visits(scenario)
    for left in plan.unscheduled:
        if left.visit in last and left.visit not in plan.visits_by_id and (visits is None or left.visit in visits):
            plan = bump(scenario, plan, left.visit) or reoptimise_day(scenario, plan, left.visit, limits, last)[0] or plan
    return plan


def reoptimise_day(
    scenario: Scenario, plan: Plan, visit: str, limits: Limits, unmovable: Collection[str] = ()
) -> tuple[Plan | None, bool]:
    """Return a plan with a visit that was left out, whoever gives way; None, and whether it is proven that there is none.

    What cannot give way on the days that the visit can be on is planned anew by itself, exactly; all others find their places
    around it. There is proof when the visit has no day, or the exact plan of those alone, the visit among them, leaves one of
    them out. Those that have to come with the visit are planned with it. Nobody is called again for a better day.

    Parameters
    ----------
    unmovable
        Visits that give way to nobody either.
    """
    present = Present(scenario, plan)
    bundle = scenario.find_bundle(visit)
    if not all(present.domains.options_for(("visit", member)) for member in bundle):
        return None, True
    days = {option.day for member in bundle for option in present.domains.options_for(("visit", member))}
    there = {key[1] for key, placement in present.placements.items() if placement.day in days}
    kept = {
        member.id
        for member in scenario.visits
        if member.id in there and (member.id in unmovable or _is_unmovable(present, member))
    } | bundle
    alone = scenario.restrict_to(kept).changed(
        groups=tuple(member for member in scenario.groups if member.id in there and member.current is not None),
        reserves=(),
        policy=_without_wishes(scenario.policy),
    )
    replanned = solve(alone, limits, start=rebase(plan, alone))
    if replanned.unscheduled:
        return None, replanned.status == "optimal"
    occupancy = Occupancy(present.domains, get_placements(scenario, replanned))
    others = {key: member for key, member in present.placements.items() if key not in occupancy.placements and key[0] != "hold"}
    for key, placement in retain_feasible(present.domains, others, dict(occupancy.placements)).items():
        occupancy.put(key, placement)
    return _reinsert_rest(present, occupancy, others), False


NOTHING = PriorityWeights(routine=0, soon=0, urgent=0, cancer=0)


def _without_wishes(policy: Policy) -> Policy:
    """Return a policy by which only leaving out and calling again cost anything."""
    return policy.changed(
        late_per_day=NOTHING,
        delay_per_day=NOTHING,
        not_preferred_provider=0,
        not_preferred_site=0,
        not_preferred_half=0,
        extra_trip=0,
        site_change=0,
    )


def _is_unmovable(present: Present, visit: Visit) -> bool:
    """Return whether a planned visit gives way to nobody."""
    key: Key = ("visit", visit.id)
    return key in present.placements and not _gives_way(present, key)


def _reinsert_rest(present: Present, occupancy: Occupancy, taken: dict[Key, Placement]) -> Plan:
    """Put back what was taken out, and the holds, where they still fit."""
    for key in taken:
        if key not in occupancy.placements:
            insert(occupancy, present.domains.by_key[key])
    drop_broken_links(occupancy)
    for task in present.domains.tasks:
        if task.kind == "hold" and task.key not in occupancy.placements:
            insert(occupancy, task)
    return checked_plan(present.domains, occupancy.placements, present.reasons)


def _ways(present: Present, task: Task, unmovable: Collection[str]) -> Iterator[tuple[Key, ...]]:
    """Yield what could be taken out: some visits of one provider, on one day, that follow each other.

    Neither those of ``unmovable``, nor any that is linked.
    """
    busy: dict[tuple[str, int], list[tuple[int, Key]]] = defaultdict(list)
    days = {option.day for option in present.domains.options[task.key]}
    linked = {end for link in present.grown.links for end in (link.before, link.after)}
    for key, placement in present.placements.items():
        if placement.day in days and key[1] not in linked and key[1] not in unmovable and _gives_way(present, key):
            for shift in (*placement.team, *placement.supervisors):
                busy[shift.provider, placement.day].append((placement.slot, key))
    for visits in busy.values():
        ordered = [key for _, key in sorted(visits)]
        for count in range(1, MOST_DISPLACED + 1):
            yield from (tuple(ordered[n : n + count]) for n in range(len(ordered) - count + 1))


def _gives_way(present: Present, key: Key) -> bool:
    visit = present.domains.by_key[key].visit
    return visit is not None and visit.priority != "cancer" and not visit.same_day and present.may_move(key)


def _harm(present: Present, keys: Sequence[Key]) -> tuple[int, int]:
    visits = (present.domains.by_key[key].visit for key in keys)
    return len(keys), sum(get_omission_cost(present.grown, visit) for visit in visits if visit is not None)
