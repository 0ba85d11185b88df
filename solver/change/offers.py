"""Places for visits that a plan does not have yet, ranked as a caller on the line should hear them.

First those for which nobody moves, then those for which nobody is given up, then by the number of patients to call. Places
that leave everything as it is come before those that move a hold. Then one start of each half-day and team comes before
further starts there, and the cheaper place before the dearer. When there are too many, one of each half-day and location (of
the first visit of a pathway) is kept before other teams there. What is offered is in the order of its rank.
"""

from __future__ import annotations

from dataclasses import dataclass

from scheduling.additions import Addition
from scheduling.plan import Plan, Reason, Unscheduled
from scheduling.scenario import Scenario
from scheduling.timegrid import write_clock
from solver.change.openings import OpeningSearch
from solver.change.proposals import Present, Proposal, checked_plan
from solver.clock import Clock
from solver.search.explain import explain
from solver.state.placements import Placement, make_plan

REASON_SECONDS = 0.5
"""Time for reasons: enough to try every rule, not to search all ways of making room for a visit."""


@dataclass(frozen=True)
class SlotOffer(Proposal):
    """A place for each of some new visits, and the plan that they make; its cost leaves their being left out apart.

    ``again``: a better offer has the same half-days and teams.
    """

    again: bool

    @property
    def rank(self) -> tuple[int, int, bool, bool, int]:
        """The order of offers: by harm, people to call, whether anything else changes, other half-days or teams, and cost."""
        return self.harm, self.notified, not self.is_free, self.again, self.cost


@dataclass(frozen=True)
class OfferResult:
    """What can be offered, best first, and the scenario that the offers' plans answer.

    ``reasons`` say, when there is no offer, what stands in the way of each visit that does not fit.
    """

    scenario: Scenario
    offers: tuple[SlotOffer, ...]
    reasons: tuple[Unscheduled, ...]


def find_offers(
    scenario: Scenario, plan: Plan, addition: Addition, count: int = 5, seconds: float = 0.5, deterministic: bool = False
) -> OfferResult:
    """Return the best places for some new visits, all or none of them, beside a plan that stands.

    Parameters
    ----------
    scenario, plan
        The scenario, and its plan as people live by it, which keeps every rule. Nothing pinned, started, or about to start
        within ``freeze_minutes`` of ``now`` moves, no visit is given up, and the budget of notified changes is kept.
    addition
        The visits; several are a pathway. Waiting visits of the scenario that they need come with them.
    count
        Most offers, 1 or more.
    seconds
        When to stop looking for places to make; free places are always all seen. Reasons take up to
        ``REASON_SECONDS`` more.
    deterministic
        Count work instead of time: the same offers on every run. Reasons are found by time still.

    Returns
    -------
    OfferResult
        At most ``count`` offers, best first, each checked; without any, the verified reasons.

    Raises
    ------
    InvalidFile
        The plan breaks a rule: it has to be made anew first.
    """
    clock = Clock(seconds, deterministic)
    try:
        present = Present(scenario, plan, addition.add_to(scenario))
        about = tuple(visit.id for visit in addition.visits)
        openings = OpeningSearch(present, about, clock)
        made = [(present.proposal(way.changes, about), way.again) for way in openings.best(count)]
    finally:
        clock.end()
    offers = [SlotOffer(proposal.bookings, proposal.comparison, proposal.plan, again) for proposal, again in made]
    ranked = tuple(sorted(offers, key=lambda offer: offer.rank))
    return OfferResult(present.grown, ranked, () if offers else _reasons(present, openings))


def insert_visits(
    scenario: Scenario, plan: Plan, addition: Addition, seconds: float = 0.5, deterministic: bool = False
) -> tuple[Scenario, Plan]:
    """Return the scenario with some new visits, and the plan that takes the best offer for them.

    Without any offer the plan stays as it is, and leaves the visits out with their verified reasons. The parameters and
    errors are those of :func:`find_offers`.
    """
    result = find_offers(scenario, plan, addition, 1, seconds, deterministic)
    if result.offers:
        return result.scenario, result.offers[0].plan
    present = Present(scenario, plan, result.scenario)
    waits = Reason(rule="together", detail="it is planned only with the other visits that were added")
    reasons: dict[str, tuple[Reason, ...]] = {visit.id: (waits,) for visit in addition.visits}
    reasons |= {left.visit: left.reasons for left in result.reasons}
    return result.scenario, checked_plan(present.domains, present.placements, {**present.reasons, **reasons})


def _reasons(present: Present, openings: OpeningSearch) -> tuple[Unscheduled, ...]:
    """Return why the first of the new visits that has no place has none, those before it being where they fit best."""
    judged: list[Reason] = []
    for task in openings.chain:
        place = openings.occupancy.best(task)
        if place is not None:
            openings.occupancy.put(task.key, place.placement)
            judged.append(Reason(rule="pathway", detail=f"judged with {task.id} {_words(present, place.placement)}"))
            continue
        plan = make_plan(present.domains, openings.occupancy.placements)
        explained = explain(present.grown, plan, task.id, REASON_SECONDS)
        reasons = [*judged, *(reason for reason in explained if reason.rule != "not-examined"), _no_room(openings)]
        return (Unscheduled(visit=task.id, reasons=tuple(reasons)),)
    several = Reason(rule="several", detail="each of these visits would fit, but no places were found for all together")
    return tuple(Unscheduled(visit=task.id, reasons=(several,)) for task in openings.chain)


def _no_room(openings: OpeningSearch) -> Reason:
    if openings.over_budget:
        return Reason(rule="notification-budget", detail="others could make room, but more of them than may be called")
    tried = "moving one visit or hold, or two that follow one another, to free places made no room"
    return Reason(rule="making-room", detail=f"{tried}{', as far as the time allowed' if openings.over else ''}")


def _words(present: Present, place: Placement) -> str:
    minute = place.slot * present.grown.grid.grid_minutes
    day = present.grown.grid.date(place.day)
    return f"on {day:%a %d %b} at {write_clock(minute)}, {place.location}"
