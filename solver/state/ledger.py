"""An occupancy that keeps account: what a series of changes costs exactly, each of which can be taken back."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from solver.state.domains import ShiftId
from solver.state.occupancy import Occupancy
from solver.state.placement_costs import cost_of_leaving_out
from solver.state.placements import Placement
from solver.state.tasks import Key


class Ledger:
    """Changes of visits and holds in an occupancy, and their exact cost.

    Parameters
    ----------
    occupancy
        What is changed.
    uncounted
        Visits whose leaving out costs nothing here: those that are not yet part of the plan.

    Attributes
    ----------
    change : int
        What all changes that stand cost together, in points.
    """

    def __init__(self, occupancy: Occupancy, uncounted: Collection[Key] = ()) -> None:
        self.occupancy = occupancy
        self.scenario = occupancy.scenario
        self.uncounted = frozenset(uncounted)
        self.change = 0
        self._log: list[tuple[Key, Placement | None, int]] = []

    @property
    def mark(self) -> int:
        """The number of changes that stand, for :meth:`undo_to`."""
        return len(self._log)

    def place(self, key: Key, placement: Placement | None) -> None:
        """Place a visit or a hold, wherever it was before; None: take it out. Nothing is checked."""
        before, change = self.occupancy.placements.get(key), self.change
        self.change += self._switch(key, before, placement)
        self._log.append((key, before, change))

    def undo_to(self, mark: int) -> None:
        """Take back every change since a mark."""
        while len(self._log) > mark:
            key, before, self.change = self._log.pop()
            if key in self.occupancy.placements:
                self.occupancy.remove(key)
            if before is not None:
                self.occupancy.put(key, before)

    def changed(self) -> dict[Key, Placement | None]:
        """Return where each task is that is not where it was at first."""
        first: dict[Key, Placement | None] = {}
        for key, before, _ in self._log:
            first.setdefault(key, before)
        placements = self.occupancy.placements
        return {key: placements.get(key) for key, before in first.items() if placements.get(key) != before}

    def _switch(self, key: Key, before: Placement | None, after: Placement | None) -> int:
        days = {
            (shift.provider, placement.day)
            for placement in (before, after)
            if placement is not None
            for shift in (*placement.team, *placement.supervisors)
        }
        patient = self.occupancy.domains.by_key[key].patient
        dates = () if patient is None else {placement.day for placement in (before, after) if placement is not None}
        cost = -self._shared_cost(key, days, dates)
        if before is not None:
            self.occupancy.remove(key)
        if after is not None:
            self.occupancy.put(key, after)
        return cost + self._shared_cost(key, days, dates)

    def _shared_cost(self, key: Key, days: Collection[tuple[str, int]], dates: Collection[int]) -> int:
        """Return the cost that a task has a part in: its own, its patient's trips and dates, its providers' days."""
        patient, policy = self.occupancy.domains.by_key[key].patient, self.scenario.policy
        trips = 0 if patient is None else max(0, self.occupancy.dates(patient) - 1)
        changes = sum(self._site_changes(provider, day) for provider, day in days)
        order = sum(self.occupancy.cost_of_day(patient, date) for date in dates) if patient is not None else 0
        return self._own_cost(key) + policy.extra_trip * trips + policy.site_change * changes + order

    def _own_cost(self, key: Key) -> int:
        task, placement, policy = self.occupancy.domains.by_key[key], self.occupancy.placements.get(key), self.scenario.policy
        if task.visit is None:
            return policy.reserve_missing if placement is None else 0
        if placement is not None:
            at = placement
            return self.occupancy.cost_of_place(task, at.day, at.location, at.slot, at.team, shared=False)
        if key in self.uncounted:
            return 0
        return cost_of_leaving_out(self.scenario, task.visit)

    def _site_changes(self, provider: str, day: int) -> int:
        if (provider, day) in self.occupancy.domains.roaming:
            sites = [self.scenario.site(location) for _, _, location in self.occupancy.commitments(provider, day)]
            return sum(before != after for before, after in pairwise(sites))
        shifts, on = self.scenario.providers_by_id[provider].shifts, self.scenario.grid.date(day)
        numbers = sorted((n for n, shift in enumerate(shifts) if shift.start.date() == on), key=lambda n: shifts[n].start)
        used = [self.occupancy.location(ShiftId(provider, number)) for number in numbers]
        sites = [self.scenario.site(location) for location in used if location is not None]
        return sum(before != after for before, after in pairwise(sites))
