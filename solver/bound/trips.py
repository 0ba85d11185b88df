"""Trips in the master: each patient's dates beyond the first.

A date is paid for as far as a visit is on it. Spread over several dates, a fractional visit would share each with a fractional
other one, so visits of which no two can be on one day (:meth:`Trips._apart`) ask for as many dates as they are. On a week that
row raises the bound by 32 points of 12,777.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from solver.bound.relaxation import LinearProgram
from solver.state.domains import Domains
from solver.state.tasks import Key, visit_key


class Trips:
    """The dates of every patient who may have several things to come to; ``columns`` are those of each task by day."""

    def __init__(
        self,
        domains: Domains,
        program: LinearProgram,
        columns: Mapping[Key, Mapping[int, Sequence[int]]],
        left_out: Mapping[Key, int],
        attends: Mapping[tuple[str, str], int],
    ) -> None:
        self.domains = domains
        self.program = program
        self.columns = columns
        self.left_out = left_out
        self.attends = attends
        self._followers: dict[Key, list[tuple[Key, int]]] = defaultdict(list)
        self._never_together: set[frozenset[Key]] = set()
        for link in domains.scenario.links:
            if link.any_order:
                if link.min_days:
                    self._never_together.add(frozenset((visit_key(link.before), visit_key(link.after))))
                continue
            self._followers[visit_key(link.before)].append((visit_key(link.after), link.min_days))

    def rows(self) -> None:
        """Count each patient's dates beyond the first."""
        visits: dict[str, list[Key]] = defaultdict(list)
        seats: dict[str, list[tuple[int, Key]]] = defaultdict(list)
        for task in self.domains.tasks:
            if task.patient is not None:
                visits[task.patient].append(task.key)
        for (group, patient), column in self.attends.items():
            seats[patient].append((column, ("group", group)))
        for patient in sorted(visits.keys() | seats.keys()):
            if len(visits[patient]) + len(seats[patient]) > 1:
                self._patient(visits[patient], seats[patient])

    def _patient(self, visits: Sequence[Key], seats: Sequence[tuple[int, Key]]) -> None:
        needed: list[tuple[list[int], Key]] = [*(([], key) for key in visits), *(([seat], key) for seat, key in seats)]
        trip, comes = self.domains.scenario.policy.extra_trip, []
        for day in sorted({day for _, key in needed for day in self.columns[key]}):
            on_day = self.program.add_column(trip)
            for seat, key in needed:
                there = self.columns[key].get(day)
                if there:  # whoever has the seat, if it takes one, comes when it is on the day
                    self.program.add_refining_row([on_day, *seat, *there], [-1] + [1] * (len(seat) + len(there)), len(seat))
            comes.append(on_day)
        once = self.program.add_column(-trip)
        self.program.add_implication(once, comes)
        for apart in self._apart(visits):
            outs = [self.left_out[key] for key in apart]
            self.program.add_row([*comes, *outs], [1] * (len(comes) + len(outs)), low=len(apart))

    def _apart(self, visits: Sequence[Key]) -> list[tuple[Key, ...]]:
        """Return sets of visits no two of which can be on one day; each is as large as a first visit lets it be."""
        days = {key: set(self.columns[key]) for key in visits}
        later = {key: self._later(key) for key in visits}
        clash = {
            frozenset((visit, other_visit))
            for visit, other_visit in combinations(visits, 2)
            if days[visit].isdisjoint(days[other_visit])
            or frozenset((visit, other_visit)) in self._never_together
            or other_visit in later[visit]
            or visit in later[other_visit]
        }
        cliques: set[tuple[Key, ...]] = set()
        for first in visits:
            together = [first]
            for key in visits:
                if all(frozenset((key, visit)) in clash for visit in together):
                    together.append(key)
            cliques.add(tuple(sorted(together)))
        return sorted(apart for apart in cliques if len(apart) > 1)

    def _later(self, key: Key) -> set[Key]:
        """Return what links, one after another, put at least a day later; it is planned only together with those before it."""
        later: set[Key] = set()
        seen: set[tuple[Key, int]] = set()
        ahead = [(key, 0)]
        while ahead:
            at, days = ahead.pop()
            for follower, least in self._followers[at]:
                step = (follower, min(1, days + least))
                if step not in seen:
                    seen.add(step)
                    ahead.append(step)
                if step[1]:
                    later.add(follower)
        return later
