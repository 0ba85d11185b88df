"""The places that an unfinished plan leaves free for one more task, and what they cost: well under a millisecond a task."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import reduce
from graphlib import TopologicalSorter
from itertools import product
from operator import itemgetter, or_

from scheduling.clinic import Service
from scheduling.requests import CurrentGroup
from scheduling.rules import Rule, patients, places, providers, requests
from scheduling.rules.stability import list_standing_attendees
from scheduling.timegrid import get_first_slot, iterate_slots, minute_of_day, stamp
from solver.state.domains import Domains, Option, ReducedCosts, ShiftId
from solver.state.free_starts import FreeStarts
from solver.state.holdings import runs
from solver.state.placement_costs import cost_at
from solver.state.placements import Placement
from solver.state.tasks import Key, Task, visit_key
from solver.state.unary import ANY, get_current, start_mask, unavailable_starts


@dataclass(frozen=True, slots=True)
class CostedPlacement:
    """A free place and what it adds to the cost of the plan, leaving out apart."""

    cost: float
    placement: Placement


@dataclass(frozen=True, slots=True)
class OpenTeam:
    """People on their shifts at a location on a date, and the mask of all starts that are free for them there."""

    day: int
    location: str
    team: tuple[ShiftId, ...]
    supervisors: tuple[ShiftId, ...]
    starts: int


def _order(place: CostedPlacement) -> tuple[float, int, int]:
    return place.cost, place.placement.day, place.placement.slot


class Occupancy(FreeStarts):
    """Holdings in which places are looked for.

    Parameters
    ----------
    ignoring
        Rules that are not kept when places are looked for.

    Attributes
    ----------
    reduced_costs, guide_weight
        Reduced costs of options, counted beside their cost, and their weight.
    """

    def __init__(
        self, domains: Domains, placements: Mapping[Key, Placement] | None = None, ignoring: Collection[Rule] = ()
    ) -> None:
        super().__init__(domains, ignoring)
        self._ranked: dict[Key, list[tuple[float, Option]]] = {}
        self.reduced_costs: ReducedCosts = {}
        self.guide_weight = 1000.0
        for key, placement in (placements or {}).items():
            self.put(key, placement)

    def viewed_with(self, domains: Domains, ignoring: Collection[Rule] = ()) -> Occupancy:
        """Return the same placements as other domains see them, or without some rules; for looking, not for changing."""
        other = copy(self)
        other.__dict__ |= {"domains": domains, "ignoring": frozenset(ignoring), "_open_at": {}, "_free_on": {}}
        other.__dict__ |= {"_ranked": {}, "_nearby": {}}
        return other

    def chain(self, task: Task) -> list[Task]:
        """Return a task with the unplaced ones that it needs or that must come with it, in the order of their links."""
        members, waiting = {task.key: task}, [task]
        while waiting:
            member = waiting.pop()
            for link in self.links.get(member.key, ()):
                for visit in (link.before, link.after):
                    key: Key = ("visit", visit)
                    if (link.together or visit == link.before) and key not in members and key not in self.placements:
                        members[key] = self.domains.by_key[key]
                        waiting.append(members[key])
        if len(members) == 1:
            return [task]
        before: dict[Key, list[Key]] = {key: [] for key in members}
        for key in members:
            for link in self.links.get(key, ()):
                leader = visit_key(link.before)
                if leader != key and leader in members and leader not in before[key]:
                    before[key].append(leader)
        return [members[key] for key in TopologicalSorter(before).static_order()]

    # --- finding -----------------------------------------------------------------------------------------------------

    def places(self, task: Task, days: Iterable[int] | None = None, within: int = ANY) -> Iterator[CostedPlacement]:
        """Yield free places of a task, for each date, location and team the cheapest starts of a mask, earliest first."""
        wanted = None if days is None else frozenset(days)
        reduced_costs = self.reduced_costs.get(task.key)
        for (day, location), options in self.domains.places(task.key):
            if wanted is not None and day not in wanted:
                continue
            starts = self._open_starts(task, day, location) & within
            for team in product(*options) if starts else ():
                extra = sum(reduced_costs.get(option, 0.0) for option in team) if reduced_costs else 0
                for place in self._with_team(task, day, location, starts, team):
                    yield CostedPlacement(extra * self.guide_weight + place.cost, place.placement) if reduced_costs else place

    def every_start(self, task: Task) -> Iterator[CostedPlacement]:
        """Yield free places of a task with every start, the earliest of the day first."""
        reduced_costs = self.reduced_costs.get(task.key)
        opened = [(place, self._open_starts(task, *place), options) for place, options in self.domains.places(task.key)]
        some = reduce(or_, (starts for _, starts, _ in opened), 0)
        for slot in range(self.scenario.grid.slots_per_day if some > 0 else 0):
            for (day, location), starts, options in opened if some >> slot & 1 else ():
                for team in product(*options) if starts >> slot & 1 else ():
                    extra = sum(reduced_costs.get(option, 0.0) for option in team) * self.guide_weight if reduced_costs else 0
                    for place in self._with_team(task, day, location, 1 << slot, team):
                        yield CostedPlacement(extra + place.cost, place.placement) if reduced_costs else place

    def narrow_options(self, task: Task, options: Iterable[Option], free: Collection[Key]) -> list[Option]:
        """Return options with the starts that what is placed leaves to them; the tasks of ``free`` are yet to be placed."""
        length, opened, kept = self.scenario.grid.count_slots(task.service.minutes), {}, []
        for option in options:
            place = (option.day, option.location)
            if place not in opened:
                opened[place] = self._open_starts(task, *place, free)
            starts = option.starts & opened[place]
            if starts and option.shift is not None:
                starts &= self._member_starts(option, task, length)
            if starts:
                kept.append(option if starts == option.starts else replace(option, starts=starts))
        return kept

    def best(self, task: Task) -> CostedPlacement | None:
        """Return the cheapest free place of a task, the earliest of those.

        Single seats are tried by what they cost at least, so that the search ends with the first that cannot be beaten.
        """
        best: CostedPlacement | None = None
        if len(task.service.team) != 1:
            for place in self.places(task):
                if best is None or _order(place) < _order(best):
                    best = place
            return best
        opened: dict[tuple[int, str], int] = {}
        reduced_costs, length = self.reduced_costs.get(task.key), self.scenario.grid.count_slots(task.service.minutes)
        saved = self._most_saved(task)
        for least, option in self.by_least_cost(task):
            if best is not None and least - saved > best.cost:
                break
            at = (option.day, option.location)
            if at not in opened:
                opened[at] = self._open_starts(task, *at)
            starts = opened[at] & option.starts
            if best is not None and least - saved == best.cost:  # only an earlier start is better
                day, slot = best.placement.day, best.placement.slot
                starts &= (1 << slot) - 1 if option.day == day else -(option.day < day)
            if starts and starts & self._member_starts(option, task, length):
                extra = reduced_costs.get(option, 0.0) * self.guide_weight if reduced_costs else 0
                for place in self._with_team(task, *at, starts, (option,)):
                    costed = CostedPlacement(place.cost + extra, place.placement) if reduced_costs else place
                    if best is None or _order(costed) < _order(best):
                        best = costed
        return best

    def by_least_cost(self, task: Task) -> list[tuple[float, Option]]:
        """Return a task's options with what each costs at least, cheapest first."""
        if task.key not in self._ranked:
            reduced_costs, groups = self.reduced_costs.get(task.key), self._group_by_cost(task)
            ranked: list[tuple[float, Option]] = [(least, option) for least, options in groups for option in options]
            if reduced_costs:
                ranked = [(least + reduced_costs.get(option, 0.0) * self.guide_weight, option) for least, option in ranked]
            self._ranked[task.key] = sorted(ranked, key=itemgetter(0))
        return self._ranked[task.key]

    def _group_by_cost(self, task: Task) -> Iterator[tuple[int, Sequence[Option]]]:
        """Yield options of a task that cost the same at least, a group for each date, location, and who is preferred."""
        wanted, dearer = task.visit and task.visit.preferred_providers, self.scenario.policy.not_preferred_provider
        for (day, location), seats in self.domains.places(task.key):
            least, options = cost_at(self.scenario, task, day, location), [option for seat in seats for option in seat]
            if wanted:
                yield least, [option for option in options if option.provider in wanted]
                yield least + dearer, [option for option in options if option.provider not in wanted]
            else:
                yield least, options

    def _with_team(self, task: Task, day: int, location: str, starts: int, team: Sequence[Option]) -> Iterator[CostedPlacement]:
        for open_team in self._open_teams(task, day, location, starts, team):
            yield from self._costed(task, day, location, open_team.starts, open_team.team, open_team.supervisors)
            return

    def open_teams(self, task: Task, free: Collection[Key] = ()) -> Iterator[OpenTeam]:
        """Yield every team and its supervisors with all the starts that are free for them, by date and location.

        Links to the visits of ``free``, which are yet to be placed, do not count.
        """
        for (day, location), options in self.domains.places(task.key):
            starts = self._open_starts(task, day, location, free)
            for team in product(*options) if starts else ():
                yield from self._open_teams(task, day, location, starts, team)

    def first_place(self, task: Task, wanted: OpenTeam, within: int) -> Placement | None:
        """Return the first place of a team within a mask that is free, under whatever supervisors; None without any."""
        day, location = wanted.day, wanted.location
        starts = self._open_starts(task, day, location) & within
        options = [Option(seat, shift, day, location, starts) for seat, shift in enumerate(wanted.team or (None,))]
        for team in self._open_teams(task, day, location, starts, options) if starts else ():
            slot = get_first_slot(team.starts)
            return Placement(day, slot, location, team.team, team.supervisors, (), self._room(task, location, day, slot))
        return None

    def open_rooms(self, task: Task, day: int, location: str) -> Iterator[tuple[str, int]]:
        """Yield the rooms that suit a task, with the starts at which each is free until it is cleaned again."""
        cleaned = self.scenario.grid.count_slots(task.service.minutes + task.service.turnover)
        for room in self.domains.rooms_of(task, location) if task.service.room is not None else ():
            free = runs(self._levels(("room", room, day), 1).free(1), cleaned)
            yield room, free & self.domains.room_starts(task.service, room, day)

    def _open_teams(self, task: Task, day: int, location: str, starts: int, team: Sequence[Option]) -> Iterator[OpenTeam]:
        """Yield the free starts of one team: once where nobody has to be supervised, else for each who could."""
        service, people = task.service, self.scenario.providers_by_id
        length = self.scenario.grid.count_slots(service.minutes)
        members = tuple(option.shift for option in team if option.shift is not None)
        if len({shift.provider for shift in members}) < len(members) or not self._team_allowed(task, members):
            return
        for option in team:
            starts &= option.starts
            if option.shift is not None and starts:
                starts &= self._member_starts(option, task, length)
        if not starts:
            return
        trainees = [option.seat for option in team if option.provider and people[option.provider].trainee]
        begun = self.domains.get_begun(task)
        needs_nobody = not trainees or providers.supervision in self.ignoring
        if needs_nobody and (begun is None or not begun.supervisors):
            yield OpenTeam(day, location, members, (), starts)
            return
        for supervisors in self._supervisors(task, day, location, trainees, members):
            watched = starts
            for option in supervisors:
                watched &= option.starts & self._supervisor_starts(option, task, length)
            if watched:
                shifts = tuple(option.shift for option in supervisors if option.shift is not None)
                yield OpenTeam(day, location, members, shifts, watched)

    def _team_allowed(self, task: Task, members: Sequence[ShiftId]) -> bool:
        if task.key not in self.links and (task.visit is None or task.visit.required_provider is None):
            return True
        team = tuple(shift.provider for shift in members)
        required = None if task.visit is None else task.visit.required_provider
        if required is not None and required not in team and patients.required_provider not in self.ignoring:
            return False
        for link in self.links.get(task.key, ()):
            other = self.placements.get(("visit", link.after if task.id == link.before else link.before))
            if (
                link.same_provider
                and requests.link not in self.ignoring
                and other is not None
                and team != tuple(shift.provider for shift in other.team)
            ):
                return False
        return True

    def _supervisors(
        self, task: Task, day: int, location: str, seats: Sequence[int], members: Sequence[ShiftId]
    ) -> Iterator[tuple[Option, ...]]:
        """Yield supervisors for the trainees in some seats: one for all of them, or else one for each.

        What has begun keeps those that it has, as far as they may supervise.
        """
        people, team = self.scenario.providers_by_id, {shift.provider for shift in members}
        able = [o for o in self.domains.list_supervisors(task.service, day, location) if o.provider not in team]
        fits = [[o for o in able if people[o.provider or ""].can_fill(task.service.team[seat].any_of)] for seat in seats]
        begun = self.domains.get_begun(task)
        if begun is not None:
            here, wanted = start_mask(self.scenario, begun.start), begun.supervisors or ()
            named = tuple(option for option in able if option.provider in wanted and option.starts & here)
            fill = all(not set(some).isdisjoint(named) for some in fits)
            useful = all(any(option in some for some in fits) for option in named)
            if fill and useful and len(named) == len(wanted):
                yield named
            return
        for option in fits[0]:
            if all(option in some for some in fits):
                yield (option,)
        if len(fits) > 1:
            for chosen in product(*fits):
                if len({option.provider for option in chosen}) == len(chosen):
                    yield chosen

    # --- costing -----------------------------------------------------------------------------------------------------

    def _costed(
        self, task: Task, day: int, location: str, starts: int, team: Sequence[ShiftId], supervisors: Sequence[ShiftId]
    ) -> Iterator[CostedPlacement]:
        """Yield the earliest start of each cost."""
        seen: set[int] = set()
        for slot in self._distinct_starts(task, day, location, starts, team):
            room = self._room(task, location, day, slot)
            place = Placement(day, slot, location, tuple(team), tuple(supervisors), (), room)
            cost = (
                self.cost_of_place(task, day, location, slot, team)
                if task.group is None
                else self._cost_of_session(task, place)
            )
            if cost not in seen:
                seen.add(cost)
                yield CostedPlacement(cost, place)

    def _distinct_starts(self, task: Task, day: int, location: str, starts: int, team: Sequence[ShiftId]) -> Iterator[int]:
        """Yield the starts that may differ in cost: the current one and the first of each half of the day; a group's all.

        Where any start may, all of them: the nearest to where the visit stands first, the later of two that are as near.
        """
        if task.group is not None:
            yield from iterate_slots(starts)
            return
        current = get_current(task)
        today = current is not None and self.scenario.grid.date(day) == current.start.date()
        if self._depends_on_start(task, day):
            stood = minute_of_day(current.start) if current is not None and today else 0
            yield from sorted(
                iterate_slots(starts),
                key=lambda slot: (abs(slot * self.scenario.grid.grid_minutes - stood), -slot if today else slot),
            )
            return
        if current is not None and today and (kept := starts & start_mask(self.scenario, current.start)):
            yield kept.bit_length() - 1
        first = get_first_slot(starts)
        yield first
        noon = self.scenario.grid.noon_slot
        if first < noon and (later := starts >> noon):
            yield noon + get_first_slot(later)

    def _room(self, task: Task, location: str, day: int, slot: int) -> str | None:
        if task.service.room is None:
            return None
        cleaned = self._slots(slot, 0, task.service.minutes + task.service.turnover)
        free = [
            room
            for room in self.domains.rooms_of(task, location)
            if not self._levels(("room", room, day), 1).levels[0] & cleaned
            and self.domains.room_starts(task.service, room, day) >> slot & 1
        ]
        current = get_current(task)
        if current is not None and current.room in free:
            return current.room
        return free[0] if free else None

    def _cost_of_session(self, task: Task, placement: Placement) -> int:
        """Return what a place costs a group: candidates who cannot come, attendees who have to be called."""
        assert task.group is not None
        attendees, weight = self.list_attendees(task, placement), self.scenario.policy.group_seat
        missing = sum(
            weight.of(candidate.priority) for candidate in task.group.candidates if candidate.patient not in attendees
        )
        return missing + self.cost_of_moved_attendees(task, replace(placement, attendees=tuple(attendees)))

    def list_attendees(self, task: Task, placement: Placement) -> list[str]:
        """Return the candidates who could attend a group at a place, most wanted first, as many as there are seats and bays."""
        group = task.group
        assert group is not None
        capacity, weight = group.capacity, self.scenario.policy.group_seat
        if placement.room is not None:
            capacity = min(capacity, self.scenario.rooms[placement.room].seats)
        if task.service.recovery and places.recovery not in self.ignoring:
            capacity = min(capacity, self._count_free_bays(task.service, placement))
        told = () if group.current is None else group.current.attendees
        if self.domains.get_begun(task) is not None:
            return [patient for patient in told if self._can_attend(task, patient, placement)]
        begin = stamp(self.scenario.grid.date(placement.day), placement.slot * self.scenario.grid.grid_minutes)
        standing = list_standing_attendees(self.scenario, group, begin)
        able = [
            candidate
            for candidate in group.candidates
            if (standing is None or candidate.patient in standing) and self._can_attend(task, candidate.patient, placement)
        ]
        able.sort(key=lambda candidate: (-weight.of(candidate.priority), candidate.patient not in told))
        return [candidate.patient for candidate in able[:capacity]]

    def _count_free_bays(self, service: Service, placement: Placement) -> int:
        """Return how many can lie in bays after a session at a place."""
        bays = self._bays(placement.location, placement.day)
        lying = self._slots(placement.slot, service.minutes, service.minutes + service.recovery)
        numbers = range(self.scenario.bays(placement.location), 0, -1)
        return next((number for number in numbers if not lying & ~bays.free(number)), 0)

    def can_meet(self, task: Task, attendees: Collection[str]) -> bool:
        """Return whether some attendees are enough for a group's session: of one that has begun, all who attend it."""
        assert task.group is not None
        begun = self.domains.get_begun(task)
        if isinstance(begun, CurrentGroup) and set(attendees) != set(begun.attendees):
            return False
        return len(attendees) >= task.group.min_attendees

    def _can_attend(self, task: Task, patient: str, placement: Placement) -> bool:
        """Return whether a patient can reach a session's site, and is free for all of it."""
        if self.scenario.site(placement.location) not in self.scenario.patients_by_id[patient].allowed_sites:
            return False
        away = unavailable_starts(self.scenario, patient, task.service, self.scenario.grid.date(placement.day))
        return bool(~away & self._patient_starts(task, patient, placement.day, placement.location) & 1 << placement.slot)
