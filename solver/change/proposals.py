"""What a scheduler may say yes to: one change of a plan, already made, checked and compared with what it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.comparison import Change, Comparison, compare
from scheduling.errors import Fault, InvalidFile, RuleBroken
from scheduling.plan import Booking, Plan, Reason, VisitBooking
from scheduling.publishing import is_published, publish, upcoming
from scheduling.rules import find_violations
from scheduling.rules.stability import list_notified_moves
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver.state.domains import Domains
from solver.state.placements import Placement, count_notified_changes, get_bookings, get_placements, make_plan
from solver.state.tasks import Key
from solver.state.unary import is_frozen

Changes = Mapping[Key, Placement | None]
"""Where tasks are that are not where they were; None: nowhere any more."""

EXCUSED = frozenset({"pinned"})
"""Rules that a present plan may break: pins that cannot be kept are named by the plan itself."""


@dataclass(frozen=True)
class Proposal:
    """A plan that differs from the present one by what is proposed, and breaks no rule.

    Attributes
    ----------
    bookings : tuple of VisitBooking
        Where the visits that it is all about would be.
    comparison : Comparison
        The present plan beside ``plan``.
    plan : Plan
        The whole plan if it is accepted.
    """

    bookings: tuple[VisitBooking, ...]
    comparison: Comparison
    plan: Plan

    @property
    def cost(self) -> int:
        """Points that the plan costs more than the present one: below 0 when it costs less."""
        return self.comparison.cost.difference

    @property
    def notified(self) -> int:
        """Number of patients who would have to be called: they have been told of something else."""
        return len(self.comparison.notify)

    @property
    def moves(self) -> tuple[Change, ...]:
        """What else changes: visits and holds that move or are given up, and rooms and supervisors that change."""
        proposed = {booking.visit for booking in self.bookings}
        return tuple(change for change in self.comparison.changes if change.kind != "visit" or change.id not in proposed)

    @property
    def harm(self) -> int:
        """0 when no planned visit changes its start, location or team; 1 when some move; 2 when some are given up."""
        harms = {"moved": 1, "dropped": 2}
        return max((harms.get(change.difference, 0) for change in self.moves if change.kind == "visit"), default=0)

    @property
    def is_free(self) -> bool:
        """Whether nothing that is planned changes, no hold either."""
        return all(change.difference == "added" for change in self.moves)


class Present:
    """The plan that stands: what proposals start from and are compared with.

    Holds whose time has come are taken out of it: nobody came for them, and a plan made now cannot hold the past.

    Parameters
    ----------
    scenario, plan
        The scenario and its plan, which keeps every rule (but for pins that its reasons name).
    grown
        The scenario that proposals answer, when it asks for more.

    Attributes
    ----------
    told : Scenario
        The scenario with what people have been told: where nobody stands anywhere yet, they have been told of the plan.

    Raises
    ------
    InvalidFile
        The plan breaks a rule: it has to be made anew first.
    """

    def __init__(self, scenario: Scenario, plan: Plan, grown: Scenario | None = None) -> None:
        self.scenario = scenario
        self.plan = upcoming(scenario, plan)
        broken = sorted({v.rule for v in find_violations(scenario, self.plan)} - EXCUSED)
        if broken:
            raise InvalidFile("the present plan", [Fault("", f"breaks {rule}: plan again first") for rule in broken])
        self.grown = grown or scenario
        self.told = scenario if is_published(scenario) else publish(scenario, self.plan)
        self.domains = Domains(self.grown)
        self.placements = get_placements(self.grown, self.plan)
        self.reasons = {left.visit: left.reasons for left in self.plan.unscheduled}
        self._spent = sum(1 for _ in list_notified_moves(self.grown, self.plan))

    def begins(self, placement: Placement) -> datetime:
        """Return when a placement begins."""
        grid = self.grown.grid
        return stamp(grid.date(placement.day), placement.slot * grid.grid_minutes)

    def may_move(self, key: Key) -> bool:
        """Return whether something planned may move: no group session, nothing pinned, started or about to start."""
        task, now = self.domains.by_key[key], self.grown.now
        if task.group is not None or (task.visit is not None and task.visit.pinned is not None):
            return False
        ahead = timedelta(minutes=0 if task.visit is None else self.grown.freeze_minutes)
        return not is_frozen(self.grown, task) and (now is None or self.begins(self.placements[key]) >= now + ahead)

    def keeps_budget(self, changes: Changes) -> bool:
        """Return whether some changes leave the notified changes within their budget."""
        budget, more = self.grown.policy.max_notified_moves, 0
        if budget is None:
            return True
        for key, place in changes.items():
            task = self.domains.by_key[key]
            more += count_notified_changes(self.domains, task, place)
            more -= count_notified_changes(self.domains, task, self.placements.get(key))
        return self._spent + more <= budget

    def proposal(self, changes: Changes, about: tuple[str, ...]) -> Proposal:
        """Return the proposal that some changes make, about some visits. Raises ``RuleBroken``."""
        changed = {**self.placements, **changes}
        placements = {key: placement for key, placement in changed.items() if placement is not None}
        known = {key: booking for key, booking in get_bookings(self.plan).items() if key not in changes}
        plan = checked_plan(self.domains, placements, self.reasons, known)
        return Proposal(
            bookings=tuple(plan.visits_by_id[visit] for visit in about),
            comparison=compare(self.scenario, self.plan, plan, self.grown),
            plan=plan,
        )


def checked_plan(
    domains: Domains,
    placements: Mapping[Key, Placement],
    reasons: Mapping[str, Sequence[Reason]],
    known: Mapping[Key, Booking] | None = None,
) -> Plan:
    """Return the plan that placements make; as :func:`make_plan`. Raises ``RuleBroken``: a defect of whoever found them."""
    plan = make_plan(domains, placements, reasons=reasons, known=known)
    for violation in find_violations(domains.scenario, plan):
        if violation.rule not in EXCUSED:
            raise RuleBroken(violation.rule, violation.ids, violation.detail)
    return plan
