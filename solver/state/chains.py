"""The free places of visits that go together, whole and cheapest first.

Each visit's teams and dates are put together best first, their starts as masks that the links narrow. What the masks do not
know, such as one provider of two of the visits, shows when they are placed one after another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count

from scheduling.requests import Link
from scheduling.rules import patients, requests
from scheduling.timegrid import get_first_slot
from solver.state.occupancy import Occupancy, OpenTeam
from solver.state.placements import Placement
from solver.state.tasks import Key, Task
from solver.state.unary import start_mask

MOST_COMBINED = 3_000
"""Combinations of teams that are looked at, at most, for one chain."""

MOST_SETTLED = 40
"""Starts that are tried, at most, for one combination of teams."""


@dataclass(frozen=True, slots=True)
class ChainPlaces:
    """Free places for each visit of a chain, and the least that they add to the cost of the plan."""

    cost: float
    placements: Mapping[Key, Placement]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A team with those of its starts that cost the same."""

    cost: float
    team: OpenTeam


@dataclass(frozen=True, slots=True)
class _Tie:
    """A link to an earlier visit of the chain, by its position, and the slots between the starts of both on one day."""

    link: Link
    earlier: int
    ahead: tuple[int, int]
    behind: tuple[int, int] | None


def find_chain_places(occupancy: Occupancy, chain: Sequence[Task], most: int = MOST_COMBINED) -> Iterator[ChainPlaces]:
    """Yield free places for all visits of a chain, none of which is placed, cheapest first.

    Parameters
    ----------
    occupancy
        What is placed. It is as it was whenever something is yielded, and has to be when the next is asked for.
    chain
        The visits, each after those that it follows, as :meth:`~solver.state.occupancy.Occupancy.chain` gives them.
    most
        Combinations of teams that are looked at, at most.
    """
    search = _ChainSearch(occupancy, chain)
    for cost, teams in search.combine(most):
        placements = search.settle(teams)
        if placements is not None:
            yield ChainPlaces(cost, placements)


class _ChainSearch:
    def __init__(self, occupancy: Occupancy, chain: Sequence[Task]) -> None:
        self.occupancy = occupancy
        self.scenario = occupancy.scenario
        self.chain = chain
        self.ties = [self._list_ties(position) for position in range(len(chain))]
        self.pieces: list[dict[int, list[_Piece]]] = []
        for task in chain:
            pieces = self._list_pieces(task)
            if not pieces:
                break
            self.pieces.append(pieces)

    # --- combining ---------------------------------------------------------------------------------------------------

    def combine(self, most: int) -> Iterator[tuple[float, list[OpenTeam]]]:
        """Yield teams for all visits whose starts the links leave, cheapest first (A*, doi:10.1109/TSSC.1968.300136)."""
        if len(self.pieces) < len(self.chain):
            return
        least = [min(piece.cost for pieces in by_day.values() for piece in pieces) for by_day in self.pieces]
        ahead = [sum(least[position:]) for position in range(len(least) + 1)]
        order = count()
        waiting: list[tuple[float, int, int, float, list[OpenTeam]]] = [(ahead[0], 0, next(order), 0.0, [])]
        looked = 0
        while waiting and looked < most:
            total, _, _, cost, teams = heappop(waiting)
            position = len(teams)
            if position == len(self.chain):
                yield total, teams
                continue
            for piece in self._follow(position, teams):
                looked += 1
                spent = cost + piece.cost + self._trip(position, piece.team, teams)
                state = (spent + ahead[position + 1], -position, next(order), spent, [*teams, piece.team])
                heappush(waiting, state)

    def _follow(self, position: int, teams: Sequence[OpenTeam]) -> Iterator[_Piece]:
        """Yield the pieces of a visit that keep its links to the teams of those before it, with the starts that are left."""
        ties = self.ties[position]
        for day, pieces in self.pieces[position].items():
            if all(_has_right_days(tie.link, day - teams[tie.earlier].day) for tie in ties):
                for piece in pieces:
                    starts = piece.team.starts
                    for tie in ties:
                        starts &= self._narrow(tie, teams[tie.earlier], piece.team)
                    if starts:
                        yield _Piece(piece.cost, replace(piece.team, starts=starts))

    def _narrow(self, tie: _Tie, before: OpenTeam, after: OpenTeam) -> int:
        """Return the starts of the later of two visits that a link leaves."""
        if tie.link.same_location and before.location != after.location:
            return 0
        if tie.link.same_provider and _people(before) != _people(after):
            return 0
        if before.day != after.day:
            return -1
        starts = _spread(before.starts, *tie.ahead)
        return starts if tie.behind is None else starts | _spread_back(before.starts, *tie.behind)

    def _trip(self, position: int, team: OpenTeam, teams: Sequence[OpenTeam]) -> int:
        """Return what it costs that a visit is on a date of its own."""
        patient = self.chain[position].patient
        mine = {earlier.day for task, earlier in zip(self.chain, teams, strict=False) if task.patient == patient}
        return self.scenario.policy.extra_trip if mine and team.day not in mine else 0

    # --- settling ----------------------------------------------------------------------------------------------------

    def settle(self, teams: Sequence[OpenTeam]) -> dict[Key, Placement] | None:
        """Return the first places of some teams that are free beside each other; the occupancy is left as it was."""
        masks = [team.starts for team in teams]
        for position in range(len(teams) - 1, 0, -1):
            for tie in self.ties[position]:
                if teams[tie.earlier].day == teams[position].day:
                    ahead = _spread_back(masks[position], *tie.ahead)
                    behind = 0 if tie.behind is None else _spread(masks[position], *tie.behind)
                    masks[tie.earlier] &= ahead | behind
        placements: dict[Key, Placement] = {}
        is_settled = self._settle_from(teams, masks, placements, iter(range(MOST_SETTLED)))
        for key in placements:
            self.occupancy.remove(key)
        return placements if is_settled else None

    def _settle_from(
        self, teams: Sequence[OpenTeam], masks: Sequence[int], placements: dict[Key, Placement], tries: Iterator[int]
    ) -> bool:
        """Place the teams after those that are placed, each at its first start that leaves all others one."""
        position = len(placements)
        if position == len(teams):
            return True
        task, wanted, starts = self.chain[position], teams[position], masks[position]
        while starts and next(tries, None) is not None:
            place = self.occupancy.first_place(task, wanted, starts)
            if place is None:
                return False
            starts &= -1 << place.slot + 1
            self.occupancy.put(task.key, place)
            placements[task.key] = place
            if self._settle_from(teams, masks, placements, tries):
                return True
            self.occupancy.remove(task.key)
            del placements[task.key]
        return False

    # --- pieces ------------------------------------------------------------------------------------------------------

    def _list_pieces(self, task: Task) -> dict[int, list[_Piece]]:
        """Return the teams of a visit by date, in pieces of starts that cost the same, cheapest first."""
        occupancy, keys, pieces = self.occupancy, {task.key for task in self.chain}, defaultdict(list)
        reduced_costs = occupancy.reduced_costs.get(task.key, {})
        prices = {(o.seat, o.shift, o.day, o.location): price for o, price in reduced_costs.items()}
        for team in occupancy.open_teams(task, keys):
            extra = sum(
                prices.get((seat, shift, team.day, team.location), 0.0) for seat, shift in enumerate(team.team or (None,))
            )
            for starts in self._split(task, team):
                slot = get_first_slot(starts)
                cost = occupancy.cost_of_place(task, team.day, team.location, slot, team.team)
                piece = _Piece(cost + extra * occupancy.guide_weight, replace(team, starts=starts))
                pieces[team.day].append(piece)
        for some in pieces.values():
            some.sort(key=lambda piece: (piece.cost, get_first_slot(piece.team.starts)))
        return dict(pieces)

    def _split(self, task: Task, team: OpenTeam) -> Iterator[int]:
        """Yield a team's starts: where the visit stands, those of the morning, those of the afternoon."""
        noon, current = 1 << self.scenario.grid.noon_slot, None if task.visit is None else task.visit.current
        stands = team.starts & start_mask(self.scenario, current.start) if current is not None else 0
        rest = team.starts & ~stands
        yield from (starts for starts in (stands, rest & noon - 1, rest & -noon) if starts)

    def _list_ties(self, position: int) -> list[_Tie]:
        """Return the links of a visit to those before it in the chain."""
        names = {task.id: number for number, task in enumerate(self.chain[:position])}
        task, ties = self.chain[position], []
        for link in self.occupancy.links.get(task.key, ()) if requests.link not in self.occupancy.ignoring else ():
            if link.after == task.id and link.before in names:
                earlier = names[link.before]
                behind = self._count_apart(task, self.chain[earlier], link) if link.any_order else None
                ties.append(_Tie(link, earlier, self._count_apart(self.chain[earlier], task, link), behind))
        return ties

    def _count_apart(self, first: Task, second: Task, link: Link) -> tuple[int, int]:
        """Return the least and the most slots from one start to another on one day."""
        grid, minutes = self.scenario.grid, first.service.minutes
        least = minutes + link.min_gap_minutes
        is_one_patient = first.patient is not None and first.patient == second.patient
        if is_one_patient and patients.patient_overlap not in self.occupancy.ignoring:
            least = max(least, minutes + first.service.recovery)
        most = grid.slots_per_day if link.max_gap_minutes is None else (minutes + link.max_gap_minutes) // grid.grid_minutes
        return grid.count_slots(least), most


def _people(team: OpenTeam) -> tuple[str, ...]:
    return tuple(shift.provider for shift in team.team)


def _has_right_days(link: Link, days: int) -> bool:
    apart = abs(days) if link.any_order else days
    return link.min_days <= apart and (link.max_days is None or apart <= link.max_days)


def _spread(starts: int, least: int, most: int) -> int:
    """Return the slots that follow some starts by a number of slots from the least to the most."""
    spread = 0
    for slots in range(least, most + 1):
        spread |= starts << slots
    return spread


def _spread_back(starts: int, least: int, most: int) -> int:
    """Return the slots that some starts follow by a number of slots from the least to the most."""
    spread = 0
    for slots in range(least, most + 1):
        spread |= starts >> slots
    return spread
