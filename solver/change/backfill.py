"""What free time is best used for: waiting visits that a plan could take, by what taking them saves.

A visit waits when it is left out, or planned later than its target. It comes with the left out visits that it needs; nobody
else moves. What it saves is the difference of the plan's cost, with its patient's call when they have been told of another
time. One that is pinned, has started or is about to start does not wait.
"""

from __future__ import annotations

from collections.abc import Iterator

from scheduling.errors import UnknownId
from scheduling.plan import Booking, Plan
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import minutes_on
from solver.change.proposals import Present, Proposal, checked_plan
from solver.search.construct import insert_chain
from solver.state.domains import Domains
from solver.state.ledger import Ledger
from solver.state.occupancy import CostedPlacement, Occupancy
from solver.state.placements import Placement
from solver.state.tasks import Key, Task

Found = tuple[int, str, dict[Key, Placement | None]]
"""What taking a visit costs (less than 0), the visit, and the changes."""


class Backfill(Proposal):
    """A waiting visit that is taken: the first of ``bookings``, with those that it needs; the plan costs less with it."""

    @property
    def visit(self) -> str:
        """The visit."""
        return self.bookings[0].visit

    @property
    def saved(self) -> int:
        """Points that the plan costs less, above 0."""
        return -self.cost


def find_backfills(scenario: Scenario, plan: Plan, count: int = 5, freed: Booking | None = None) -> tuple[Backfill, ...]:
    """Return the waiting visits that would best use free time, each for itself, those that save most first.

    Parameters
    ----------
    scenario, plan
        The scenario, and its plan, which keeps every rule.
    count
        Most visits, 1 or more.
    freed
        A booking that is gone from the plan: only what would meet its time with one of its people, or in its room.

    Returns
    -------
    tuple of Backfill
        Each with a checked plan, in which that visit has the cheapest place that it could have.

    Raises
    ------
    InvalidFile
        The plan breaks a rule: it has to be made anew first.
    """
    present = Present(scenario, plan)
    search = _Search(present, freed)
    candidates = sorted(
        (candidate for visit in scenario.visits for candidate in search.found(visit)), key=lambda candidate: candidate[:2]
    )
    backfills = []
    for _, visit, changes in candidates[:count]:
        others = sorted(key[1] for key in changes if key[1] != visit)
        proposal = present.proposal(changes, (visit, *others))
        backfills.append(Backfill(proposal.bookings, proposal.comparison, proposal.plan))
    return tuple(backfills)


class _Search:
    def __init__(self, present: Present, freed: Booking | None) -> None:
        self.present = present
        self.freed = freed
        self.occupancy = Occupancy(present.domains, present.placements)
        self.ledger = Ledger(self.occupancy)

    def found(self, visit: Visit) -> Iterator[Found]:
        """Yield the cheapest place of a waiting visit, if taking it saves anything."""
        key: Key = ("visit", visit.id)
        task, now = self.present.domains.by_key[key], self.occupancy.placements.get(key)
        on = None if now is None else self.present.grown.grid.date(now.day)
        if on is not None and (visit.target is None or on <= visit.target or not self.present.may_move(key)):
            return
        chain = [task] if on is not None else self.occupancy.chain(task)
        best: Found | None = None
        for _ in self._each_place(task) if len(chain) == 1 else self._chained(chain):
            changes = self.ledger.changed()
            better = self.ledger.change < (0 if best is None else best[0])
            if better and any(self._uses_freed(place) for place in changes.values()) and self.present.keeps_budget(changes):
                best = self.ledger.change, visit.id, changes
        if best is not None:
            yield best

    def _each_place(self, task: Task) -> Iterator[None]:
        """Put a visit at each free place in turn."""
        mark = self.ledger.mark
        self.ledger.place(task.key, None)
        for place in list(self._places(task)):
            inner = self.ledger.mark
            self.ledger.place(task.key, place.placement)
            yield
            self.ledger.undo_to(inner)
        self.ledger.undo_to(mark)

    def _places(self, task: Task) -> Iterator[CostedPlacement]:
        if self.freed is None:
            return self.occupancy.places(task)
        grid, day = self.present.grown.grid, self.freed.start.date()
        begin, end = minutes_on(self.freed.start, day), minutes_on(self.freed.end, day)
        return self.occupancy.places(task, [grid.day_index(day)], grid.meeting(begin, end, 0, task.service.minutes))

    def _chained(self, chain: list[Task]) -> Iterator[None]:
        """Put a visit and those that it needs, all left out so far, at places that fit together."""
        if not insert_chain(self.occupancy, chain):
            return
        places = {task.key: self.occupancy.remove(task.key) for task in chain}
        mark = self.ledger.mark
        for key, place in places.items():
            self.ledger.place(key, place)
        yield
        self.ledger.undo_to(mark)

    def _uses_freed(self, place: Placement | None) -> bool:
        if self.freed is None:
            return True
        if place is None:
            return False
        people = {shift.provider for shift in (*place.team, *place.supervisors)}
        here = not people.isdisjoint(self.freed.team) or (place.room is not None and place.room == self.freed.room)
        return here and self.present.begins(place).date() == self.freed.start.date()


def cancel_visit(scenario: Scenario, plan: Plan, visit_id: str) -> tuple[Scenario, Plan]:
    """Return a scenario and its plan without a visit, and without those that cannot be without it.

    These are the visits that follow it, or that it comes together with, directly or not.

    Raises
    ------
    UnknownId
        The scenario has no such visit.
    InvalidFile
        The plan breaks a rule: it has to be made anew first.
    """
    if visit_id not in scenario.visits_by_id:
        raise UnknownId("visit", visit_id)
    present, gone = Present(scenario, plan), find_dependent_visits(scenario.links, visit_id)
    left = scenario.restrict_to(scenario.visits_by_id.keys() - gone)
    placements = {key: place for key, place in present.placements.items() if key[0] != "visit" or key[1] not in gone}
    return left, checked_plan(Domains(left), placements, present.reasons)


def find_dependent_visits(links: tuple[Link, ...], visit_id: str) -> set[str]:
    """Return a visit, and those that cannot be without it: that follow it, or that it comes together with, directly or not."""
    dependents, waiting = {visit_id}, [visit_id]
    while waiting:
        visit = waiting.pop()
        for link in links:
            other = link.after if link.before == visit else link.before if link.together and link.after == visit else visit
            if other not in dependents:
                dependents.add(other)
                waiting.append(other)
    return dependents
