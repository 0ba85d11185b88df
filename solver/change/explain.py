"""Why a visit was left out: which rules stand in its way, and what single change would let it in.

Nothing here reads an unsatisfiable core, which presolve can falsify (or-tools issue 5141): every sentence is a place that was
found by solving again with one rule or one thing changed, the rest of the plan staying as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from time import monotonic

from scheduling.costs import get_omission_cost
from scheduling.people import Provider
from scheduling.plan import Plan, Reason, VisitBooking
from scheduling.requests import Visit
from scheduling.rules import RULES, get_rule_name
from scheduling.scenario import Scenario
from solver.clock import Clock
from solver.search.improve import SearchLimits, SubproblemSolver
from solver.state.domains import DOMAINS, Domains
from solver.state.occupancy import CostedPlacement, Occupancy
from solver.state.placements import Placement, get_placements, make_plan
from solver.state.tasks import Key, Task

SHARED = (
    "provider-overlap",
    "attention",
    "daily-limit",
    "shift",
    "room-overlap",
    "equipment",
    "recovery",
    "patient-overlap",
    "link",
    "required-provider",
)
"""Rules between a visit and what else is planned, as :class:`~solver.state.occupancy.Occupancy` can ignore them."""

UNCHANGEABLE = ("start-grid", "horizon", "service-location", "block", "qualified")
"""Rules that nobody gives up for one visit: named only when no other stands in its way alone."""

LONGER_SHIFT = timedelta(minutes=30)
"""A change that is tried: shifts that end later by this much (ours)."""

FORCED = 10**6
"""Stands for a visit that must come in, when the cheapest way to make room for it is searched."""


def explain(scenario: Scenario, plan: Plan, visit_id: str, seconds: float = 10.0) -> tuple[Reason, ...]:
    """Return why a visit is not in a plan, each reason verified by solving again; none when it is planned.

    Raises
    ------
    UnknownId
        The scenario has no such visit.
    """
    visit = scenario.visit(visit_id)
    if visit_id in plan.visits_by_id:
        return ()
    return _Explanation(Domains(scenario), get_placements(scenario, plan)).reasons(visit, seconds)


def reasons_left_out(
    domains: Domains, placements: Mapping[Key, Placement], deterministic: bool, seconds: float, skip: Collection[str] = ()
) -> dict[str, Sequence[Reason]]:
    """Return the reasons of every visit left out: the rules in the way of each, as far as the time allows."""
    explanation = _Explanation(domains, placements)
    ends = monotonic() + (1e9 if deterministic else seconds)
    reasons: dict[str, Sequence[Reason]] = {}
    for visit in domains.scenario.visits:
        if ("visit", visit.id) in placements or visit.id in skip:
            continue
        if monotonic() > ends:
            reasons[visit.id] = (Reason(rule="not-examined", detail="the time for reasons was over; ask for this visit alone"),)
        else:
            reasons[visit.id] = explanation.rules(visit)
    return reasons


class _Explanation:
    def __init__(self, domains: Domains, placements: Mapping[Key, Placement]) -> None:
        self.domains = domains
        self.scenario = domains.scenario
        self.placements = placements
        self.around = Occupancy(domains, placements)
        self._ignoring: dict[str, Occupancy] = {}

    def reasons(self, visit: Visit, seconds: float) -> tuple[Reason, ...]:
        """Return the rules in a visit's way, then the single changes that would let it in, cheapest first."""
        task = self.domains.by_key["visit", visit.id]
        ends = monotonic() + seconds
        reasons = list(self.rules(visit))
        longer = self._longer_shift(task)
        if longer is not None:
            reasons.append(longer)
        left = ends - monotonic()
        if left > 0.5 and self.domains.options_for(task.key):
            reasons.append(self._making_room(task, left))
        elif self.domains.options_for(task.key):
            reasons.append(Reason(rule="not-examined", detail="whether moving others would make room"))
        return tuple(reasons)

    def rules(self, visit: Visit) -> tuple[Reason, ...]:
        """Return each rule without which alone the visit would have a place, with the cheapest such place."""
        task = self.domains.by_key["visit", visit.id]
        here = self.around.best(task)
        if here is not None:
            return (self._too_dear(visit, here),)
        waits = self._waits_for(visit)
        if waits is not None:
            return (waits,)
        reasons: list[Reason] = []
        for rule in [
            *SHARED,
            *(get_rule_name(domain) for domain in DOMAINS if get_rule_name(domain) not in UNCHANGEABLE),
            *UNCHANGEABLE,
        ]:
            if reasons and rule in UNCHANGEABLE:
                break
            place = self._without(rule).best(task)
            if place is not None:
                reasons.append(Reason(rule=rule, detail=f"without this rule it would fit {self._words(place)}"))
        if not reasons:
            reasons.append(Reason(rule="several", detail="no single rule stands in its way: at least two would have to give"))
        return tuple(reasons)

    def _without(self, rule: str) -> Occupancy:
        if rule not in self._ignoring:
            unary = rule.replace("-", "_") in {domain.__name__ for domain in DOMAINS} and rule not in SHARED
            domains = Domains(self.scenario, ignoring=[rule.replace("-", "_")]) if unary else self.domains
            self._ignoring[rule] = self.around.viewed_with(domains, [] if unary else [rule])
        return self._ignoring[rule]

    def _too_dear(self, visit: Visit, place: CostedPlacement) -> Reason:
        worth = get_omission_cost(self.scenario, visit)
        if place.cost >= worth:
            return Reason(rule="cost", detail=f"it fits {self._words(place)}, but leaving it out costs less ({worth})")
        return Reason(rule="not-found", detail=f"it would fit {self._words(place)}: the search ended before it got there")

    def _waits_for(self, visit: Visit) -> Reason | None:
        for link in self.scenario.links:
            if link.after == visit.id and ("visit", link.before) not in self.placements:
                return Reason(rule="link", detail=f"it follows {link.before}, which is left out")
        return None

    def _words(self, place: CostedPlacement) -> str:
        """Say where and with whom, and at what cost."""
        at, grid = place.placement, self.scenario.grid
        minute = at.slot * grid.grid_minutes
        team = ", ".join(shift.provider for shift in at.team)
        when = f"on {grid.date(at.day):%a %d %b} at {minute // 60:02}:{minute % 60:02}"
        return f"{when}, {at.location}, with {team} (cost {place.cost:.0f})"

    def _longer_shift(self, task: Task) -> Reason | None:
        """Try every shift half an hour longer, where no other shift follows so soon."""
        longer = self.scenario.changed(providers=tuple(_with_longer_shifts(p) for p in self.scenario.providers))
        place = self.around.viewed_with(Domains(longer)).best(task)
        if place is None:
            return None
        minutes = int(LONGER_SHIFT.total_seconds()) // 60
        return Reason(rule="shift", detail=f"with shifts {minutes} minutes longer it would fit {self._words(place)}")

    def _making_room(self, task: Task, seconds: float) -> Reason:
        """Search the cheapest way to bring the visit in by moving or leaving out others on the shifts it could use."""
        wanted = {option.shift for option in self.domains.options[task.key]}
        others = [key for key, placement in self.placements.items() if wanted & set(placement.team)]
        clock = Clock(seconds)
        try:
            search = SubproblemSolver(self.domains, clock)
            chain = {step.key for step in self.around.chain(task)}
            free = chain | set(others[:150])
            options = {key: self.domains.options[key] for key in sorted(free)}
            worth = {task.key: FORCED}
            answer = search.solve(self.placements, options, SearchLimits(seconds, 2, 0), worth)
        finally:
            clock.end()
        if answer.placements is None or task.key not in answer.placements:
            proof = "none exists among the visits of its shifts" if answer.optimal else "none was found in the time"
            return Reason(rule="making-room", detail=f"no way to make room for it by moving others: {proof}")
        before, after = make_plan(self.domains, self.placements), make_plan(self.domains, answer.placements)
        moved = sorted(
            key[1]
            for key in self.placements
            if key in free and _where(self.placements[key]) != _where(answer.placements.get(key))
        )
        best = "the cheapest way" if answer.optimal else "a way"
        what = f"{best} changes {len(moved)} others ({', '.join(moved[:6])}{', ...' if len(moved) > 6 else ''})"
        return Reason(rule="making-room", detail=f"{what}; the plan's cost changes by {after.cost - before.cost:+d}")


def _where(placement: Placement | None) -> tuple[object, ...]:
    return () if placement is None else (placement.day, placement.slot, placement.location, placement.team)


def _with_longer_shifts(provider: Provider) -> Provider:
    ordered = sorted(provider.shifts, key=lambda shift: shift.start)
    shifts = []
    for number, shift in enumerate(ordered):
        end = shift.end + LONGER_SHIFT
        following = ordered[number + 1].start if number + 1 < len(ordered) else None
        fits = end.date() == shift.start.date() and (following is None or end <= following)
        shifts.append(shift.changed(end=end) if fits else shift)
    numbers = {shift.start: number for number, shift in enumerate(provider.shifts)}
    return provider.changed(shifts=tuple(sorted(shifts, key=lambda shift: numbers[shift.start])))


# --- pins ------------------------------------------------------------------------------------------------------------

NOT_OF_PINS = {"supervision", "link", "pinned", "group-size"}
"""Rules that pins alone cannot be judged by: they depend on what is planned around them."""


def pin_conflicts(scenario: Scenario) -> dict[Key, tuple[Reason, ...]]:
    """Return the pinned visits that cannot be kept, because their pins break a rule alone or together, and which.

    As few as a greedy choice in the order of the file needs are given up.
    """
    pinned = [visit for visit in scenario.visits if visit.pinned is not None]
    if not pinned:
        return {}
    broken = {identifier for _, ids, _ in _violations(scenario, pinned) for identifier in ids}
    kept = [visit for visit in pinned if visit.id not in broken]
    conflicts: dict[Key, tuple[Reason, ...]] = {}
    for visit in pinned:
        if visit.id in broken:
            found = [v for v in _violations(scenario, [*kept, visit]) if visit.id in v[1]]
            if found:
                words = [f"the pin breaks {rule} ({', '.join(ids)}): {detail}" for rule, ids, detail in found]
                conflicts["visit", visit.id] = tuple(Reason(rule="pinned", detail=word) for word in words)
            else:
                kept.append(visit)
    return conflicts


def _violations(scenario: Scenario, visits: Sequence[Visit]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield what the pins of some visits break, as a plan of these visits alone."""
    bookings = []
    for visit in visits:
        pin = visit.pinned
        assert pin is not None
        end = pin.start + timedelta(minutes=scenario.services[visit.service].minutes)
        bookings.append(
            VisitBooking(
                visit=visit.id,
                start=pin.start,
                end=end,
                location=pin.location,
                room=pin.room,
                team=pin.team,
                supervisors=(),
            )
        )
    domains = Domains(scenario)
    alone = make_plan(domains, {}).changed(visits=tuple(bookings))
    placed = get_placements(scenario, alone)
    shifts = make_plan(domains, placed).shifts
    plan = alone.changed(shifts=shifts)
    for rule in RULES:
        if get_rule_name(rule) not in NOT_OF_PINS:
            for violation in rule(scenario, plan):
                yield violation.rule, violation.ids, violation.detail
