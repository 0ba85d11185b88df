"""Why a visit was left out: which rules stand in its way, and what single change would let it in.

Nothing here reads an unsatisfiable core, which presolve can falsify (or-tools issue 5141): every sentence is a place that was
found by solving again with one rule or one thing changed, the rest of the plan staying as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from math import inf
from time import monotonic

from scheduling.obstacles import find_staff_obstacles
from scheduling.people import Provider
from scheduling.plan import Plan, Reason
from scheduling.requests import Visit
from scheduling.rules import RULES, Rule, get_rule_name, patients, places, providers, requests
from scheduling.scenario import Scenario
from scheduling.timegrid import write_clock
from solver.clock import Clock
from solver.search.large_neighbourhoods import FORCED, SearchLimits, SubproblemSolver
from solver.state.chains import find_chain_places
from solver.state.domains import Domains
from solver.state.ledger import Ledger
from solver.state.occupancy import Occupancy
from solver.state.placement_costs import cost_of_leaving_out
from solver.state.placements import Placement, get_placements, make_plan
from solver.state.tasks import Key, Task, visit_key
from solver.state.unary import DOMAINS

SHARED = (
    providers.provider_overlap,
    providers.attention,
    providers.daily_limit,
    providers.shift,
    providers.travel,
    providers.supervision,
    places.room,
    places.room_overlap,
    places.equipment,
    places.recovery,
    patients.patient_overlap,
    patients.patient_travel,
    requests.link,
    patients.required_provider,
)
"""Rules between a visit and what else is planned, as :class:`~solver.state.occupancy.Occupancy` can ignore them."""

NEVER_NAMED: Mapping[Rule, str] = {
    providers.team: "nobody can be two people",
    requests.group_size: "it is about sessions, whose reasons are their own",
}
"""Rules that free places keep, and that are never told as what keeps a visit out, with why."""

UNARY: tuple[Rule, ...] = tuple(next(rule for rule in RULES if rule.__name__ == domain.__name__) for domain in DOMAINS)
"""Rules of a visit alone, in the order of :data:`~solver.state.unary.DOMAINS`."""

UNCHANGEABLE: tuple[Rule, ...] = (places.start_grid, places.horizon, places.service_location, places.block, providers.qualified)
"""Rules that nobody gives up for one visit: named only when no other stands in its way alone."""

LONGER_SHIFT = timedelta(minutes=30)
"""A change that is tried: shifts that end later by this much (ours)."""

MOST_TRIED = 200
"""Places of visits that go together that are tried, at most, in search of some by which the plan costs less."""

MOST_MOVING = 150
"""Visits and holds that may move, at most, when room is made for a visit."""


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
        if monotonic() > ends and not explanation.is_judged(visit):
            reasons[visit.id] = (Reason(rule="not-examined", detail="the time for reasons was over; ask for this visit alone"),)
        else:
            reasons[visit.id] = explanation.rules(visit, ends)
    return reasons


@dataclass(frozen=True, slots=True)
class Fit:
    """Places for visits that go together, the points that they add, and what the plan's cost changes by."""

    places: dict[Key, Placement]
    cost: int
    change: int


class _Explanation:
    def __init__(self, domains: Domains, placements: Mapping[Key, Placement]) -> None:
        self.domains = domains
        self.scenario = domains.scenario
        self.placements = placements
        self.around = Occupancy(domains, placements)
        self._ignoring: dict[Rule, Domains] = {}
        self._judged: dict[frozenset[Key], tuple[Reason, ...]] = {}

    def reasons(self, visit: Visit, seconds: float) -> tuple[Reason, ...]:
        """Return the rules in a visit's way, then the single changes that would let it in, cheapest first."""
        chain = self.around.chain(self.domains.by_key["visit", visit.id])
        ends = monotonic() + seconds
        reasons = list(self.rules(visit))
        if any(reason.rule == "not-found" for reason in reasons):
            return tuple(reasons)
        longer = self._longer_shift(chain)
        if longer is not None:
            reasons.append(longer)
        left = ends - monotonic()
        if not all(self.domains.options_for(task.key) for task in chain):
            return tuple(reasons)
        if left > 0.5:
            reasons.append(self._making_room(chain, left))
        else:
            reasons.append(Reason(rule="not-examined", detail="whether moving others would make room"))
        return tuple(reasons)

    def rules(self, visit: Visit, ends: float = inf) -> tuple[Reason, ...]:
        """Return each rule without which alone the visit would have a place, with those that it goes with, and the place.

        Rules that it would be too late for, by the monotonic clock, are not tried.
        """
        task = self.domains.by_key["visit", visit.id]
        if obstacles := tuple(find_staff_obstacles(self.scenario, task.service)):
            return obstacles
        chain = self.around.chain(task)
        judged = self._judged.get(_names(chain)) or self._judge(chain, ends)
        if judged and judged[-1].rule != "not-examined":
            self._judged[_names(chain)] = judged
        waits = self._waits_for(visit)
        if waits is None or any(reason.rule in ("cost", "not-found") for reason in judged):
            return judged
        return (waits, *(reason for reason in judged if reason.rule != "several"))

    def is_judged(self, visit: Visit) -> bool:
        """Return whether the rules in the way of a visit, and of those that it goes with, are known."""
        return _names(self.around.chain(self.domains.by_key["visit", visit.id])) in self._judged

    def _judge(self, chain: Sequence[Task], ends: float) -> tuple[Reason, ...]:
        """Return each rule without which alone some visits would have places together, and the places."""
        here = self._fit(self.around, chain)
        if here is not None:
            return (self._too_dear(here),)
        reasons: list[Reason] = []
        for rule in [*SHARED, *(rule for rule in UNARY if rule not in UNCHANGEABLE), *UNCHANGEABLE]:
            if rule in UNCHANGEABLE and reasons:
                break
            if monotonic() > ends:
                reasons.append(Reason(rule="not-examined", detail="the time for reasons was over; ask for this visit alone"))
                break
            fit = self._fit_without(rule, chain)
            missing = "" if fit is None or rule is not places.room else self._missing_rooms(fit)
            if missing and fit is not None:
                reasons.append(Reason(rule=get_rule_name(rule), detail=f"{missing}: with one it would fit {self._words(fit)}"))
            elif fit is not None and rule is not places.room:
                reasons.append(Reason(rule=get_rule_name(rule), detail=f"without this rule it would fit {self._words(fit)}"))
        several = Reason(rule="several", detail="no place was found by leaving any single rule aside")
        return tuple(reasons) or (several,)

    # --- places ------------------------------------------------------------------------------------------------------

    def _fit_without(self, rule: Rule, chain: Sequence[Task]) -> Fit | None:
        """Return places without a rule; none at once where one visit alone, whatever its links, has none."""
        shared = [rule] if rule in SHARED else []
        if rule not in self._ignoring:
            self._ignoring[rule] = self.domains if shared else Domains(self.scenario, ignoring=[rule])
        if len(chain) > 1:
            alone = self.around.viewed_with(self._ignoring[rule], [*shared, requests.link])
            if any(alone.best(task) is None for task in chain):
                return None
        return self._fit(self.around.viewed_with(self._ignoring[rule], shared), chain)

    def _fit(self, around: Occupancy, chain: Sequence[Task]) -> Fit | None:
        """Return places for some visits, all or none, by which the plan costs less; if there are none, the cheapest."""
        ledger, best = Ledger(around), None
        for way in self._ways(around, chain):
            for key, placement in way.items():
                ledger.place(key, placement)
            if best is None or ledger.change < best.change:
                visits = [self.scenario.visit(task.id) for task in chain]
                cost = ledger.change + sum(cost_of_leaving_out(self.scenario, visit) for visit in visits)
                best = Fit(dict(way), cost, ledger.change)
            ledger.undo_to(0)
            if best.change < 0:
                break
        return best

    def _ways(self, around: Occupancy, chain: Sequence[Task]) -> Iterator[Mapping[Key, Placement]]:
        """Yield free places for some visits together, cheapest first, as many as are tried."""
        if len(chain) == 1:
            yield from ({chain[0].key: at.placement} for at in sorted(around.places(chain[0]), key=lambda place: place.cost))
        else:
            yield from (way.placements for way in islice(find_chain_places(around, chain), MOST_TRIED))

    # --- words -------------------------------------------------------------------------------------------------------

    def _too_dear(self, fit: Fit) -> Reason:
        if fit.change >= 0:
            worth = fit.cost - fit.change
            return Reason(rule="cost", detail=f"it fits {self._words(fit)}, but leaving it out costs no more ({worth})")
        return Reason(rule="not-found", detail=f"it would fit {self._words(fit)}: the search ended before it got there")

    def _waits_for(self, visit: Visit) -> Reason | None:
        for link in self.scenario.links:
            if link.after == visit.id and ("visit", link.before) not in self.placements:
                return Reason(rule="link", detail=f"it follows {link.before}, which is left out")
        return None

    def _missing_rooms(self, fit: Fit) -> str:
        """Return which places have no room that suits what is put there."""
        missing: dict[str, None] = {}
        for key, place in fit.places.items():
            service = self.domains.service(key)
            if service.room is not None and not self.domains.suitable_rooms(service, place.location):
                kind = " ".join((service.room.kind, "room", *(["with"] if service.room.features else [])))
                missing[f"{place.location} has no {kind} {' and '.join(service.room.features)}".rstrip()] = None
        return ", ".join(missing)

    def _words(self, fit: Fit) -> str:
        """Say where and with whom, and at what cost."""
        several = len(fit.places) > 1
        said = [f"{f'{key[1]} ' if several else ''}{self._place(place)}" for key, place in fit.places.items()]
        return f"{' and '.join(said)} (cost {fit.cost})"

    def _place(self, at: Placement) -> str:
        minute = at.slot * self.scenario.grid.grid_minutes
        team = ", ".join(shift.provider for shift in at.team)
        when = f"on {self.scenario.grid.date(at.day):%a %d %b} at {write_clock(minute)}, {at.location}"
        return f"{when}, with {team}" if team else when

    # --- single changes ----------------------------------------------------------------------------------------------

    def _longer_shift(self, chain: Sequence[Task]) -> Reason | None:
        """Try every shift half an hour longer, where no other shift follows so soon."""
        longer = self.scenario.changed(
            providers=tuple(lengthen_shifts(person, LONGER_SHIFT) for person in self.scenario.providers)
        )
        fit = self._fit(self.around.viewed_with(Domains(longer)), chain)
        if fit is None or fit.change >= 0:
            return None
        minutes = int(LONGER_SHIFT.total_seconds()) // 60
        return Reason(rule="shift", detail=f"with shifts {minutes} minutes longer it would fit {self._words(fit)}")

    def _making_room(self, chain: Sequence[Task], seconds: float) -> Reason:
        """Search the cheapest way to bring visits in by moving or leaving out others that take what they could use."""
        others = self._in_the_way(chain)
        keys = {task.key for task in chain}
        clock = Clock(seconds)
        try:
            options = {key: self.domains.options[key] for key in sorted(keys | set(others[:MOST_MOVING]))}
            worth = dict.fromkeys(keys, FORCED)
            answer = SubproblemSolver(self.domains, clock).solve(self.placements, options, SearchLimits(seconds, 2, 0), worth)
        finally:
            clock.end()
        after = answer.placements
        if after is None or not keys <= after.keys():
            whom = "those that take what it could use" if len(others) <= MOST_MOVING else f"{MOST_MOVING} others"
            proof = f"none exists among {whom}" if answer.optimal else "none was found in the time"
            return Reason(rule="making-room", detail=f"no way to make room for it by moving others: {proof}")
        moved = sorted(key for key in self.placements if _where(self.placements[key]) != _where(after.get(key)))
        best = "the cheapest way" if answer.optimal and len(others) <= MOST_MOVING else "a way"
        said = [f"{key[1]} {self._place(after[key]) if key in after else 'is left out'}" for key in moved[:6]]
        what = f"{best} changes {len(moved)} others ({'; '.join(said)}{'; ...' if len(moved) > 6 else ''})"
        change = make_plan(self.domains, after).cost - make_plan(self.domains, self.placements).cost
        return Reason(rule="making-room", detail=f"{what}; the plan's cost changes by {change:+d}")

    def _in_the_way(self, chain: Sequence[Task]) -> list[Key]:
        """Return who takes a shift, room, device or bay that some tasks could use, or their patient's time, or is linked."""
        wanted = {use for task in chain for use in self._could_use(task)}
        return [key for key, place in self.placements.items() if not wanted.isdisjoint(self._takes(key, place))]

    def _could_use(self, task: Task) -> Iterator[object]:
        service, options = task.service, self.domains.options_for(task.key)
        places = {(option.day, option.location) for option in options}
        trainee = any(option.provider and self.scenario.providers_by_id[option.provider].trainee for option in options)
        watching = self.domains.seat(service, None) if trainee else ()
        able = (option for option in (*options, *watching) if (option.day, option.location) in places)
        yield from (option.shift for option in able if option.shift is not None)
        for day, location in places:
            yield from ((day, room) for room in self.domains.suitable_rooms(service, location))
            yield from ((day, location, device) for device in service.equipment)
            if service.recovery:
                yield day, location, "bays"
        yield task.patient
        for link in self.around.links.get(task.key, ()):
            yield from (visit_key(link.before), visit_key(link.after))

    def _takes(self, key: Key, place: Placement) -> Iterator[object]:
        task = self.domains.by_key[key]
        service = task.service
        yield from (key, *place.team, *place.supervisors, *place.patients(task), (place.day, place.room))
        yield from ((place.day, place.location, device) for device in service.equipment)
        if service.recovery:
            yield place.day, place.location, "bays"


def _names(chain: Sequence[Task]) -> frozenset[Key]:
    return frozenset(task.key for task in chain)


def _where(placement: Placement | None) -> tuple[object, ...]:
    return () if placement is None else (placement.day, placement.slot, placement.location, placement.team)


def lengthen_shifts(provider: Provider, by: timedelta) -> Provider:
    """Return a provider whose shifts end later, but for those that another one follows so soon."""
    ordered = sorted(provider.shifts, key=lambda shift: shift.start)
    shifts = []
    for number, shift in enumerate(ordered):
        end = shift.end + by
        following = ordered[number + 1].start if number + 1 < len(ordered) else None
        fits = end.date() == shift.start.date() and (following is None or end <= following)
        shifts.append(shift.changed(end=end) if fits else shift)
    numbers = {shift.start: number for number, shift in enumerate(provider.shifts)}
    return provider.changed(shifts=tuple(sorted(shifts, key=lambda shift: numbers[shift.start])))
