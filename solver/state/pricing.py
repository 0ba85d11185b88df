"""What a place of a task costs beside what is placed."""

from __future__ import annotations

from collections.abc import Sequence

from scheduling.costs import QUARTER_MINUTES
from scheduling.timegrid import stamp
from solver.state.domains import ShiftId
from solver.state.holdings import Holdings
from solver.state.placement_costs import (
    cost_at,
    cost_of_half,
    cost_of_moving,
    cost_of_moving_to,
    cost_of_stays,
    cost_of_team,
)
from solver.state.placements import Placement
from solver.state.tasks import Task
from solver.state.unary import get_current, start_mask


class PricedHoldings(Holdings):
    """Holdings that know what one more task costs at a place."""

    def cost_of_moved_attendees(self, task: Task, placement: Placement | None) -> int:
        """Return what it costs that a group's attendees have to be called."""
        current = None if task.group is None else task.group.current
        if current is None:
            return 0
        grid, cost = self.scenario.grid, 0
        for patient in current.attendees:
            if placement is None or patient not in placement.attendees:
                cost += cost_of_moving(self.scenario, current, None)
            elif (placement.day, placement.location) != (grid.day_index(current.start.date()), current.location) or (
                start_mask(self.scenario, current.start) != 1 << placement.slot
            ):
                cost += cost_of_moving(self.scenario, current, grid.date(placement.day))
        return cost

    def cost_of_place(
        self, task: Task, day: int, location: str, slot: int, team: Sequence[ShiftId], shared: bool = True
    ) -> int:
        """Return what a place adds to the cost: all components of a visit, but for site changes of its team.

        Not ``shared``: without what the patient's other items decide, which are trips, waiting and journeys.
        """
        visit, scenario = task.visit, self.scenario
        if visit is None:
            return 0
        cost = cost_at(scenario, task, day, location) + cost_of_team(scenario, visit, [shift.provider for shift in team])
        cost += cost_of_half(scenario, visit, slot * scenario.grid.grid_minutes)
        dates = {self.placements[key].day for key in self._patient[visit.patient] if key != task.key} if shared else set()
        if dates and day not in dates:
            cost += scenario.policy.extra_trip
        if day in dates:
            cost += self._cost_of_order(task, visit.patient, day, location, slot)
        if visit.current is not None and not self.is_current(task, day, location, slot, team):
            cost += cost_of_moving_to(scenario, visit, stamp(scenario.grid.date(day), slot * scenario.grid.grid_minutes))
        return cost

    def _cost_of_order(self, task: Task, patient: str, day: int, location: str, slot: int) -> int:
        """Return what a start changes of a patient's waiting and journeys of a day, below 0 where it fills a wait."""
        policy = self.scenario.policy
        if not policy.waiting and not policy.patient_site_change:
            return 0
        stays = [self.stay(key) for key in self._patient[patient] if key != task.key and self.placements[key].day == day]
        begin = slot * self.scenario.grid.grid_minutes
        mine = begin, begin + task.service.minutes + task.service.recovery, location
        return cost_of_stays(self.scenario, [*stays, mine]) - cost_of_stays(self.scenario, stays)

    def _most_saved(self, task: Task) -> int:
        """Return the most points that a start may save of its patient's waiting."""
        if not self.scenario.policy.waiting or task.patient is None or len(self._patient[task.patient]) < 2:
            return 0
        return self.scenario.policy.waiting * (1 + (task.service.minutes + task.service.recovery) // QUARTER_MINUTES)

    def is_current(self, task: Task, day: int, location: str, slot: int, team: Sequence[ShiftId]) -> bool:
        """Return whether a place is a task's current start, location and team."""
        current = get_current(task)
        if current is None or current.location != location or self.scenario.grid.date(day) != current.start.date():
            return False
        same = tuple(shift.provider for shift in team) == current.team
        return same and start_mask(self.scenario, current.start) == 1 << slot

    def _depends_on_start(self, task: Task, day: int) -> bool:
        """Return whether each start of a date may cost a visit something else: beside its patient's other items, or its own."""
        policy, visit = self.scenario.policy, task.visit
        if visit is None:
            return False
        if (policy.waiting or policy.patient_site_change) and self._has_company(task, visit.patient, day):
            return True
        today = visit.current is not None and self.scenario.grid.date(day) == visit.current.start.date()
        return bool(policy.moved_notified_per_hour) and today and visit.current is not None and visit.current.notified

    def _has_company(self, task: Task, patient: str, day: int) -> bool:
        return any(key != task.key and self.placements[key].day == day for key in self._patient[patient])
