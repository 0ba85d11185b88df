"""Ways to fit visits into a plan that stands: free places first, then places that others can make room for.

The free places are found exhaustively, as masks (:class:`~solver.state.occupancy.Occupancy`). To make room, a hold or a visit
is taken out, or two visits that follow one another, the new visit put where it could not be before, and what was taken out put
back at the cheapest place that is still free. Visits never make room when they are pinned, have started or are about to start;
group sessions never do. A hold may move, and is given up only to a patient for whom such capacity is held: one with the hold's
service and the priority ``cancer``. A visit is given up only when nothing else helps and leaving it out costs less than leaving
out the new one: its patient then waits for another week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from scheduling.clinic import Service
from scheduling.costs import get_omission_cost
from scheduling.requests import Visit
from solver.change.proposals import Present
from solver.clock import Clock
from solver.search.large_neighbourhoods import FORCED, SearchLimits, SubproblemSolver
from solver.state.chains import find_chain_places
from solver.state.domains import ShiftId
from solver.state.ledger import Ledger
from solver.state.occupancy import CostedPlacement, Occupancy
from solver.state.placements import Placement
from solver.state.tasks import Key, Task

REHOUSINGS = 3
"""Cheapest places that are tried, at exact cost, for what has to make room."""

FOLLOWING = 6
"""Places of each later visit of a pathway that are tried for each place of the earlier ones."""

GIVEN_UP = 2
"""The harm of a way that gives up a visit."""

EXACT_SHARE, LEAST_EXACT_SECONDS = 0.6, 0.2
"""The share of what time is left that an exact search may take, and its least time; making its model is not counted."""

TRY_SECONDS = 0.0005
"""What trying one way counts for where work is counted instead of time: about as long as it takes at most on a week."""

MOST_WHOLE = 60
"""Most free places of visits that go together, of different dates, halves or teams."""

MOVERS = 25
"""Most visits and holds that an exact search may move."""


@dataclass(frozen=True)
class Way:
    """Changes of a plan that place all new visits, and what they mean for those who are planned.

    Attributes
    ----------
    changes : dict
        Where every task is that is not where it was; None: a hold or visit that is given up.
    new : tuple of Placement
        The places of the new visits.
    harm : int
        0 when no planned visit changes, 1 when some move, 2 when some are given up.
    notified : int
        Patients to call.
    is_free : bool
        Nothing else that is planned changes, no hold either.
    cost : int
        Points that the plan costs more.
    again : bool
        A better way has the same half-days and teams.
    """

    changes: dict[Key, Placement | None]
    new: tuple[Placement, ...]
    harm: int
    notified: int
    is_free: bool
    cost: int
    again: bool = False

    @property
    def rank(self) -> tuple[int, int, bool, int, list[tuple[int, int, str]]]:
        """The order of ways: nobody moved first, nobody given up next, then by people to call, holds kept, cost and time."""
        places = [(place.day, place.slot, place.location) for place in self.new]
        return self.harm, self.notified, not self.is_free, self.cost, places


class OpeningSearch:
    """The ways to place some new visits, all or none.

    Parameters
    ----------
    present
        The plan that stands.
    new
        The visits.
    clock
        When to stop looking for more.
    """

    def __init__(self, present: Present, new: Sequence[str], clock: Clock) -> None:
        self.scenario = present.grown
        self.domains = present.domains
        self.occupancy = Occupancy(self.domains, present.placements)
        self.clock = clock
        self.over_budget = False
        self._at_once = False  # whether all is tried that is at hand, whatever the time
        keys: list[Key] = [("visit", visit) for visit in new]
        chained = {task.key: task for key in keys for task in self.occupancy.chain(self.domains.by_key[key])}
        self.chain = list(chained.values())
        self.ledger = Ledger(self.occupancy, keys)
        self._present = present
        self._noon = self.scenario.grid.noon_slot
        self._movable = {key for key in present.placements if present.may_move(key)}
        self._worth = sum(get_omission_cost(self.scenario, self.scenario.visit(visit)) for visit in new)

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.clock.over

    # --- ways --------------------------------------------------------------------------------------------------------

    def best(self, count: int) -> list[Way]:
        """Return the ways to offer: those that move nobody; when too few, those that do; without any, the last resort.

        Those that change nothing else come first, and of any kind one start of each half-day and team of the first visit.
        """
        ways: dict[object, Way] = {}
        decent = 0
        if len(self.chain) > 1:
            self._whole(ways)
        for number, (sources, is_free) in enumerate(self._stages()):
            self._at_once = is_free and len(self.chain) == 1
            for _ in self._placed(0, sources):
                self._keep(ways)
            if not number and not ways and len(self.chain) > 1:
                self._exactly(ways)
            decent = sum(way.harm < GIVEN_UP for way in ways.values())
            if self.over or decent >= (count if is_free else 1):
                break
        else:
            if near := self._nearby():
                self._exactly(ways, near)
                decent = sum(way.harm < GIVEN_UP for way in ways.values())
        return self._chosen([way for way in ways.values() if way.harm < GIVEN_UP or not decent], count)

    def _whole(self, ways: dict[object, Way]) -> None:
        """Keep the cheapest free places of visits that go together, whatever the time."""
        for places in islice(find_chain_places(self.occupancy, self.chain), MOST_WHOLE):
            self.clock.spend(TRY_SECONDS)
            for key, placement in places.placements.items():
                self.ledger.place(key, placement)
            self._keep(ways)
            self.ledger.undo_to(0)

    def _chosen(self, ways: Collection[Way], count: int) -> list[Way]:
        """Return the first ways: of each kind the best of every half-day and location, then of all teams there, then others.

        What moves others has to have a half-day or a team of its own.
        """
        turns: list[tuple[int, bool, int, Way]] = []
        seen: set[object] = set()
        for way in sorted(ways, key=lambda way: way.rank):
            half, teams = (way.harm, way.is_free, self._half(way.new[0])), self._halves(way)
            if way.is_free or teams not in seen:
                turns.append((way.harm, not way.is_free, (half in seen) + (teams in seen), replace(way, again=teams in seen)))
            seen |= {half, teams}
        return [way for *_, way in sorted(turns, key=lambda turn: turn[:3])[:count]]

    def _halves(self, way: Way) -> tuple[object, ...]:
        return tuple((self._half(place), *(shift.provider for shift in place.team)) for place in way.new)

    def _half(self, place: Placement) -> tuple[int, bool, str]:
        return place.day, place.slot >= self._noon, place.location

    def _stages(self) -> Iterator[tuple[Sequence[Source], bool]]:
        """Yield what is tried, one after another, and whether it harms nobody, so that as many as are asked for are wanted."""
        if len(self.chain) == 1:
            yield (self._free,), True
            yield (self._at_every_start,), True
            yield (self._by_usable_holds,), True
            yield (self._by_holds, self._by_visits), False
            yield (self._by_pairs,), False
            return
        yield (self._free, self._by_usable_holds), True
        yield (self._free, self._by_holds, self._by_visits), False
        yield (self._free, self._by_pairs), False

    def _placed(self, index: int, sources: Sequence[Source]) -> Iterator[None]:
        """Place the chain's tasks from one on in every way that is tried, and yield while all of them are placed."""
        if index == len(self.chain):
            yield
            return
        mark = self.ledger.mark
        for number, _ in enumerate(step for source in sources for step in source(self.chain[index])):
            self.clock.spend(TRY_SECONDS)
            yield from self._placed(index + 1, sources)
            if (self.over and not self._at_once) or (index and number + 1 >= FOLLOWING):
                break
        self.ledger.undo_to(mark)

    def _exactly(self, ways: dict[object, Way], movers: Collection[Key] = ()) -> None:
        """Search exactly for the cheapest places of the chain, ``movers`` going elsewhere and all others staying."""
        seconds = max(LEAST_EXACT_SECONDS, EXACT_SHARE * self.clock.left)
        worth = dict.fromkeys([key for key in movers if key[0] == "visit"], FORCED // 2)
        worth |= {task.key: FORCED for task in self.chain}
        options = {key: self.domains.options_for(key) for key in (*worth, *movers)}
        result = SubproblemSolver(self.domains, self.clock).solve(
            self._present.placements, options, SearchLimits(seconds, 2, 0), worth
        )
        places = result.placements
        if places is None or any(task.key not in places for task in self.chain):
            return
        mark = self.ledger.mark
        for key in movers:
            self.ledger.place(key, None)
        wanted = {key: places[key] for key in options if key in places}
        stay = [key for key in movers if key in wanted and not self._elsewhere(key, wanted[key])]
        if all([self._put_back(key, self._present.placements[key]) for key in stay]) and all(
            [self._put_back(key, place) for key, place in wanted.items() if key not in stay]
        ):
            self._keep(ways)
        self.ledger.undo_to(mark)

    def _nearby(self) -> list[Key]:
        """Return visits and usable holds on the shifts that the chain would rather use, up to ``MOVERS`` of them."""
        on_shift: dict[ShiftId, list[Key]] = defaultdict(list)
        for key in sorted(self._movable):
            usable = any(self._usable(key, task.visit) for task in self.chain)
            place = self.occupancy.placements[key]
            for shift in (*place.team, *place.supervisors) if usable or key[0] == "visit" else ():
                on_shift[shift].append(key)
        ranked = [pair for task in self.chain for pair in self.occupancy.by_least_cost(task)]
        near: dict[Key, None] = {}
        for _, option in sorted(ranked, key=lambda pair: pair[0]):
            if option.shift is not None and len(near) + len(on_shift[option.shift]) <= MOVERS:
                near |= dict.fromkeys(on_shift[option.shift])
        return list(near)

    def _keep(self, ways: dict[object, Way]) -> None:
        """Keep the present state as a way: every start that is free, else the best of those with its half-days and teams."""
        way = self._way()
        if way is None:
            return
        starts = tuple((place.day, place.slot, place.location, place.team) for place in way.new)
        places = (way.is_free, starts if way.is_free else self._halves(way))
        if places not in ways or way.rank < ways[places].rank:
            ways[places] = way

    def _way(self) -> Way | None:
        changes = self.ledger.changed()
        mine = {task.key for task in self.chain}
        moved = [key for key, place in changes.items() if key not in mine and key[0] == "visit" and self._elsewhere(key, place)]
        given_up = any(changes[key] is None for key in moved)
        if given_up and self.ledger.change >= self._worth:
            return None
        patients = {self.domains.by_key[key].patient for key in moved if self._called(key, changes[key])}
        if not self._present.keeps_budget(changes):
            self.over_budget = True
            return None
        new = tuple(self.occupancy.placements[task.key] for task in self.chain)
        harm = GIVEN_UP if given_up else min(1, len(moved))
        return Way(changes, new, harm, len(patients), changes.keys() <= mine, self.ledger.change)

    def _elsewhere(self, key: Key, place: Placement | None) -> bool:
        """Return whether a place differs from the present one by more than room and supervisors."""
        before = self._present.placements[key]
        then = (before.day, before.slot, before.location, before.team)
        return place is None or (place.day, place.slot, place.location, place.team) != then

    def _called(self, key: Key, place: Placement | None) -> bool:
        """Return whether a visit's patient has been told of something else than a place."""
        visit = self._present.told.visits_by_id[key[1]]
        if visit.current is None or not visit.current.notified or place is None:
            return visit.current is not None and visit.current.notified
        team = tuple(shift.provider for shift in place.team)
        current = visit.current
        return (self._present.begins(place), place.location, team) != (current.start, current.location, current.team)

    # --- places of one task, put into the ledger one after another ------------------------------------------------------

    def _open(self, task: Task, days: Collection[int] | None = None) -> list[CostedPlacement]:
        """Return the free places of a task, the first start of each half of the day, cheapest first."""
        halves = ((1 << self._noon) - 1, -1 << self._noon)
        places = [place for half in halves for place in self.occupancy.places(task, days, half)]
        return sorted(places, key=lambda place: (place.cost, place.placement.day, place.placement.slot))

    def _free(self, task: Task) -> Iterator[None]:
        """Put a task at each free place; with every start when another visit may follow on the same day."""
        places = [place.placement for place in self._open(task)]
        later = {step.id for step in self.chain[self.chain.index(task) + 1 :]}
        if any(link.after in later and not link.min_days for link in self.occupancy.links.get(task.key, ())):
            places += [place.placement for place in self.occupancy.every_start(task)]
        for placement in dict.fromkeys(places):
            yield from self._put((task.key, placement))

    def _at_every_start(self, task: Task) -> Iterator[None]:
        """Put a task at each free place, with every start."""
        for place in self.occupancy.every_start(task):
            yield from self._put((task.key, place.placement))

    def _put(self, *places: tuple[Key, Placement | None]) -> Iterator[None]:
        mark = self.ledger.mark
        for key, placement in places:
            self.ledger.place(key, placement)
        yield
        self.ledger.undo_to(mark)

    def _by_usable_holds(self, task: Task) -> Iterator[None]:
        return self._instead_of(task, [(key,) for key in self._others("hold") if self._usable(key, task.visit)])

    def _by_holds(self, task: Task) -> Iterator[None]:
        return self._instead_of(task, [(key,) for key in self._others("hold")])

    def _by_visits(self, task: Task) -> Iterator[None]:
        return self._instead_of(task, [(key,) for key in self._others("visit")])

    def _by_pairs(self, task: Task) -> Iterator[None]:
        """Put a task in the place of two visits, or holds, that follow one another in one provider's shift."""
        lines: dict[object, list[Key]] = defaultdict(list)
        for key in sorted(self._untouched(), key=lambda key: (self.occupancy.placements[key].slot, key)):
            for shift in self.occupancy.placements[key].team:
                lines[shift].append(key)
        wanted = {option.shift for option in self.domains.options_for(task.key)}
        pairs = [pair for shift, line in lines.items() if shift in wanted for pair in pairwise(line)]
        return self._instead_of(task, sorted(pairs, key=lambda pair: max(self._reluctance(key) for key in pair)))

    def _others(self, kind: str) -> list[Key]:
        """Return the movable tasks of a kind, those that are least loath to move first."""
        return sorted((key for key in self._untouched() if key[0] == kind), key=self._reluctance)

    def _untouched(self) -> set[Key]:
        """Return the movable tasks that are where they were, whatever made room for the visits of a pathway so far."""
        return self._movable - self.ledger.changed().keys()

    def _reluctance(self, key: Key) -> tuple[int, int, Key]:
        visit = self.domains.by_key[key].visit
        if visit is None:
            return 0, 0, key
        current = self._present.told.visits_by_id[visit.id].current
        return int(current is not None and current.notified), self.scenario.policy.unscheduled.of(visit.priority), key

    def _usable(self, key: Key, visit: Visit | None) -> bool:
        """Return whether a hold's capacity is held for such a visit."""
        return (
            visit is not None
            and key[0] == "hold"
            and visit.priority == "cancer"
            and visit.service == self.domains.service(key).id
        )

    def _instead_of(self, task: Task, others: Sequence[tuple[Key, ...]]) -> Iterator[None]:
        """Put a task where it can be only without some others, and these at their cheapest places elsewhere."""
        days = {day for (day, _), _ in self.domains.places(task.key)}
        before: dict[int, set[Placement]] = {}
        for keys in others:
            day = self.occupancy.placements[keys[0]].day
            if day not in days or self.over:
                continue
            self.clock.spend(TRY_SECONDS)
            if day not in before:
                before[day] = {place.placement for place in self._open(task, [day])}
            longest = sorted(keys, key=lambda key: -self.domains.service(key).minutes)
            mark = self.ledger.mark
            for key in keys:
                self.ledger.place(key, None)
            for place in self._open(task, [day]):
                if place.placement not in before[day]:
                    inner = self.ledger.mark
                    self.ledger.place(task.key, place.placement)
                    if all(self._rehouse(key, task.visit) or self._dispensable(key) for key in longest):
                        yield
                    self.ledger.undo_to(inner)
            self.ledger.undo_to(mark)

    def _rehouse(self, key: Key, visit: Visit | None) -> bool:
        """Put back what made room: where it was if that is free, else where it costs least, a usable hold perhaps nowhere."""
        if self._put_back(key, self._present.placements[key]):
            return True
        places = self._open(self.domains.by_key[key])[:REHOUSINGS]
        mark, best = self.ledger.mark, None
        for place in places:
            self.ledger.place(key, place.placement)
            if best is None or self.ledger.change < best[0]:
                best = self.ledger.change, place.placement
            self.ledger.undo_to(mark)
        if best is not None:
            self.ledger.place(key, best[1])
        return best is not None or self._usable(key, visit)

    def _dispensable(self, key: Key) -> bool:
        """Return whether a visit may be given up: nobody planned needs it, and it costs less left out than the new visits."""
        visit = self.domains.by_key[key].visit
        for link in self.occupancy.links.get(key, ()):
            other: Key = ("visit", link.after if link.before == key[1] else link.before)
            if other in self.occupancy.placements and (link.together or link.before == key[1]):
                return False
        return visit is not None and get_omission_cost(self.scenario, visit) < self._worth

    def _put_back(self, key: Key, wanted: Placement) -> bool:
        """Put a task at a place, perhaps in another room or under another supervisor, if that is free."""
        task = self.domains.by_key[key]
        for place in self.occupancy.places(task, [wanted.day], 1 << wanted.slot):
            free = place.placement
            if (free.location, free.team) == (wanted.location, wanted.team):
                room = wanted.room if self._empty(wanted, task.service) else free.room
                self.ledger.place(key, replace(free, room=room))
                return True
        return False

    def _empty(self, place: Placement, service: Service) -> bool:
        """Return whether nobody else uses a place's room."""
        grid = self.scenario.grid.grid_minutes
        for key, other in self.occupancy.placements.items():
            if (other.room, other.day) == (place.room, place.day):
                theirs, apart = self.domains.service(key), (place.slot - other.slot) * grid
                if -service.minutes - service.turnover < apart < theirs.minutes + theirs.turnover:
                    return False
        return True


Source = Callable[[Task], Iterator[None]]
