"""Every place that a visit could have while nothing else changes, and exactly what the plan would cost then.

The places are those of :class:`~solver.state.occupancy.Occupancy`, as masks of starts, and each cost is that of a
:class:`~solver.state.ledger.Ledger`: nothing is searched, so what is not here breaks a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from threading import Lock

from scheduling.plan import Plan, VisitBooking
from scheduling.rules.stability import list_notified_moves
from scheduling.scenario import Scenario
from scheduling.timegrid import get_first_slot, iterate_slots, stamp
from solver.state.domains import Domains
from solver.state.ledger import Ledger
from solver.state.occupancy import Occupancy, OpenTeam
from solver.state.placements import Placement, count_notified_changes, get_placements
from solver.state.tasks import Key, Task
from solver.state.unary import get_current, start_mask


@dataclass(frozen=True, slots=True)
class CostedStarts:
    """Every start of the grid from the first to the last minute of the day, both included, and what each costs, points.

    ``calls``: the patient has been told of another start, location or team, and has to be called again.
    """

    first_minute: int
    last_minute: int
    cost: int
    calls: bool


@dataclass(frozen=True, slots=True)
class RoomStarts:
    """A room, and the stretches of starts at which it is free: first and last minute of the day, both included."""

    room: str
    stretches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FreePlaces:
    """The starts that are free for one team, with its supervisors, at a location on a date.

    Attributes
    ----------
    starts : tuple of CostedStarts
        All of them, ascending. A cost is what the whole plan costs more than it does now; negative where it costs less.
    rooms : tuple of RoomStarts
        Which rooms are free at which of the starts; none for a service that needs none.
    """

    day: date
    location: str
    team: tuple[str, ...]
    supervisors: tuple[str, ...]
    starts: tuple[CostedStarts, ...]
    rooms: tuple[RoomStarts, ...]


@dataclass(frozen=True, slots=True)
class CostedBooking:
    """A place of a visit, and what the whole plan costs more with it than it does now."""

    booking: VisitBooking
    cost: int


class FreePlaceFinder:
    """Finds places of visits beside a plan that stands; made once for a plan, and asked by several threads.

    Parameters
    ----------
    scenario, plan
        The scenario, and its plan as people live by it, which keeps every rule.
    """

    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        self.scenario = scenario
        self._domains = Domains(scenario)
        self._occupancy = Occupancy(self._domains, get_placements(scenario, plan))
        self._spent = set(list_notified_moves(scenario, plan))
        self._lock = Lock()

    def find(self, visit: str) -> tuple[FreePlaces, ...]:
        """Return all places of a visit, planned or not, by date, location and team. Raises ``KeyError``.

        A visit that goes together with one that has no place has none either.
        """
        key: Key = ("visit", visit)
        ties = ({link.before, link.after} for link in self.scenario.links if link.together)
        partners = set().union(*(tie for tie in ties if visit in tie)) - {visit}
        if any(("visit", partner) not in self._occupancy.placements for partner in partners):
            return ()
        task = self._domains.by_key[key]
        with self._lock:
            ledger = Ledger(self._occupancy)
            ledger.place(key, None)
            try:
                return tuple(self._describe(ledger, task, team) for team in list(self._list_teams(task)))
            finally:
                ledger.undo_to(0)

    def list_cheapest(self, visit: str, places: Sequence[FreePlaces], count: int) -> list[CostedBooking]:
        """Return the cheapest of some places: the earliest of each cost and each team and location of a date."""
        minutes = timedelta(minutes=self._domains.service(("visit", visit)).minutes)
        ranked = sorted(
            (run.cost, place.day, run.first_minute, index) for index, place in enumerate(places) for run in place.starts
        )
        cheapest = []
        for cost, day, minute, index in ranked[:count]:
            place, start = places[index], stamp(day, minute)
            room = next((rooms.room for rooms in place.rooms if _holds(rooms, minute)), None)
            booking = VisitBooking(
                visit=visit,
                start=start,
                end=start + minutes,
                location=place.location,
                room=room,
                team=place.team,
                supervisors=place.supervisors,
            )
            cheapest.append(CostedBooking(booking, cost))
        return cheapest

    def count_called(self, visit: str) -> int:
        """Return how many patients have to be called again as it stands, for anything but a visit."""
        return len(self._spent - {visit})

    def _list_teams(self, task: Task) -> Iterator[OpenTeam]:
        """Yield the teams of a task at the starts that keep the budget of those who are called."""
        budget = self.scenario.policy.max_notified_moves
        left = None if budget is None else budget - len(self._spent - {task.id})
        for team in self._occupancy.open_teams(task):
            if left is None or left > 0:
                yield team
                continue
            kept = sum(1 << slot for slot in iterate_slots(team.starts) if left == 0 and not self._calls(task, team, slot))
            if kept:
                yield OpenTeam(team.day, team.location, team.team, team.supervisors, kept)

    def _calls(self, task: Task, team: OpenTeam, slot: int) -> int:
        return count_notified_changes(self._domains, task, _place(team, slot))

    def _called_slots(self, task: Task, team: OpenTeam) -> int:
        """Return the starts of a team at which the patient has to be called again: all but the one that was told."""
        current = get_current(task)
        if current is None or not current.notified:
            return 0
        told = start_mask(self.scenario, current.start) & team.starts
        return team.starts & ~sum(1 << slot for slot in iterate_slots(told) if not self._calls(task, team, slot))

    def _describe(self, ledger: Ledger, task: Task, team: OpenTeam) -> FreePlaces:
        grid, occupancy = self.scenario.grid, self._occupancy
        first = get_first_slot(team.starts)

        def own_cost(slot: int) -> int:
            return int(occupancy.cost_of_place(task, team.day, team.location, slot, team.team))

        def whole_cost(slot: int) -> int:
            mark = ledger.mark
            ledger.place(task.key, _place(team, slot))
            change = ledger.change
            ledger.undo_to(mark)
            return change

        if self._order_counts(team):
            costs = [(slot, whole_cost(slot)) for slot in iterate_slots(team.starts)]
        else:
            # What all starts of a team share, such as its change of site, is counted once; the rest is the visit's own.
            shared = whole_cost(first) - own_cost(first)
            costs = [(slot, shared + own_cost(slot)) for slot in iterate_slots(team.starts)]
        rooms = (
            RoomStarts(room, tuple(_stretches(starts & team.starts, grid.grid_minutes)))
            for room, starts in occupancy.open_rooms(task, team.day, team.location)
            if starts & team.starts
        )
        return FreePlaces(
            day=grid.date(team.day),
            location=team.location,
            team=tuple(shift.provider for shift in team.team),
            supervisors=tuple(shift.provider for shift in team.supervisors),
            starts=tuple(_costed_runs(costs, self._called_slots(task, team), grid.grid_minutes)),
            rooms=tuple(rooms),
        )

    def _order_counts(self, team: OpenTeam) -> bool:
        """Return whether what a place costs depends on what stands before and after it on its day."""
        policy = self.scenario.policy
        people = (*team.team, *team.supervisors)
        return bool(policy.waiting or policy.patient_site_change or any(self._domains.shift(shift).also for shift in people))


def _place(team: OpenTeam, slot: int) -> Placement:
    return Placement(team.day, slot, team.location, team.team, team.supervisors)


def _stretches(mask: int, grid_minutes: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last minute of each stretch of starts that follow one another on the grid."""
    for _, run in groupby(enumerate(iterate_slots(mask)), key=lambda numbered: numbered[1] - numbered[0]):
        slots = [slot for _, slot in run]
        yield slots[0] * grid_minutes, slots[-1] * grid_minutes


def _costed_runs(costs: Sequence[tuple[int, int]], called: int, grid_minutes: int) -> Iterator[CostedStarts]:
    """Yield stretches of starts that follow one another at one cost, and call the patient alike."""

    def alike(numbered: tuple[int, tuple[int, int]]) -> tuple[int, int, int]:
        number, (slot, cost) = numbered
        return slot - number, cost, called >> slot & 1

    for (_, cost, calls), run in groupby(enumerate(costs), key=alike):
        slots = [slot for _, (slot, _) in run]
        yield CostedStarts(slots[0] * grid_minutes, slots[-1] * grid_minutes, cost, bool(calls))


def _holds(rooms: RoomStarts, minute: int) -> bool:
    return any(first <= minute <= last for first, last in rooms.stretches)
