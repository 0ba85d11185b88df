"""Ruin and recreate: take out visits that stand near each other, put them back greedily, keep what is good enough.

After Schrimpf, Schneider, Stamm-Wilbrandt and Dueck (2000), doi:10.1006/jcph.1999.6413, with the strings and blinks of
Christiaens and Vanden Berghe, Slack induction by string removals (2020), doi:10.1287/trsc.2019.0914: a string is a run of
neighbouring visits in one provider's shift. Acceptance is simulated annealing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import log
from random import Random
from time import monotonic

from scheduling.costs import leaving_out
from solver.construct import insert_chain, seat
from solver.domains import Domains, Option, ShiftId, is_frozen
from solver.occupancy import Occupancy
from solver.placements import Placement
from solver.tasks import Key, Task

BLINK = 0.02
"""Share of free places that a recreation overlooks."""


TELL_SECONDS = 1.0
"""How often a better plan is told."""

STRINGS, STRING = 2, 2
"""Most strings taken out at once, and most visits of one (after 15 s on a week, 3 and 5: 14,838; 2 and 2: 14,562)."""

RELOCATE = 0.03
"""Share of the ruins that send a shift to another location."""

TOURNAMENT = 3
"""Of so many random tasks the unhappiest is helped."""

HOT, COLD = 2.0, 0.3
"""Temperatures of the annealing, in points of cost, at the beginning and at the end."""


class Ruin:
    """A plan under ruin and recreate, with its exact cost."""

    def __init__(self, domains: Domains, placements: Mapping[Key, Placement], seed: int) -> None:
        self.domains = domains
        self.scenario = domains.scenario
        self.random = Random(seed)
        self.occupancy = Occupancy(domains, placements)
        self.on_shift: dict[ShiftId, set[Key]] = defaultdict(set)
        for key, placement in placements.items():
            for shift in placement.team:
                self.on_shift[shift].add(key)
        self.flexible = [
            ShiftId(provider.id, number)
            for provider in self.scenario.providers
            for number, shift in enumerate(provider.shifts)
            if len(shift.locations) > 1
        ]
        self.movable = [
            task.key
            for task in domains.tasks
            if domains.options[task.key]
            and not (task.visit is not None and task.visit.pinned is not None)
            and not is_frozen(domains.scenario, task)
        ]
        self.partners: dict[Key, set[Key]] = {key: self._bundle(key) for key in self.movable}
        self.change = 0
        self.out = {key for key in self.movable if key not in placements}
        self.worth = {task.key: self._worth(task) for task in domains.tasks}

    def _worth(self, task: Task) -> int:
        policy = self.scenario.policy
        if task.visit is not None:
            return leaving_out(self.scenario, task.visit)
        return policy.reserve_missing if task.reserve is not None else policy.group_not_run

    def _bundle(self, key: Key) -> set[Key]:
        """Return the visits that a visit is linked to, directly or not, itself included."""
        found, waiting = {key}, [key]
        while waiting:
            for link in self.occupancy.links[waiting.pop()]:
                for visit in (link.before, link.after):
                    other: Key = ("visit", visit)
                    if other not in found:
                        found.add(other)
                        waiting.append(other)
        return found

    # --- cost --------------------------------------------------------------------------------------------------------

    def _around(self, key: Key, placement: Placement) -> int:
        """Return the cost that a task at a placement has a part in: its own, its patients' trips, its providers' days."""
        task, policy = self.domains.by_key[key], self.scenario.policy
        patients = placement.attendees if task.patient is None else (task.patient,)
        trips = sum(max(0, self.occupancy.dates(patient) - 1) for patient in patients)
        providers = {shift.provider for shift in (*placement.team, *placement.supervisors)}
        changes = sum(self._changes(provider, placement.day) for provider in providers)
        return self._task_cost(key) + policy.extra_trip * trips + policy.site_change * changes

    def _task_cost(self, key: Key) -> int:
        task, placement = self.domains.by_key[key], self.occupancy.placements.get(key)
        if task.group is not None:
            weight = self.scenario.policy.group_seat
            attend = () if placement is None else placement.attendees
            cost = sum(weight.of(c.priority) for c in task.group.candidates if c.patient not in attend)
            missing = self.scenario.policy.group_not_run if placement is None and task.group.required else 0
            return cost + missing + self.occupancy.moved_attendees(task, placement)
        if placement is None:
            told = 0
            if task.visit is not None and task.visit.current is not None:
                policy = self.scenario.policy
                told = policy.moved_notified if task.visit.current.notified else policy.moved
            return self.worth[key] + told
        return self.occupancy.price(task, placement.day, placement.location, placement.slot, placement.team, trips=False)

    def _changes(self, provider: str, day: int) -> int:
        shifts = self.scenario.providers_by_id[provider].shifts
        on = self.scenario.grid.date(day)
        numbers = sorted((n for n, shift in enumerate(shifts) if shift.start.date() == on), key=lambda n: shifts[n].start)
        used = [self.occupancy.location(ShiftId(provider, number)) for number in numbers]
        sites = [self.scenario.site(location) for location in used if location is not None]
        return sum(one != other for one, other in pairwise(sites))

    # --- moves -------------------------------------------------------------------------------------------------------

    def _remove(self, key: Key) -> Placement:
        placement = self.occupancy.placements[key]
        before = self._around(key, placement)
        self.occupancy.remove(key)
        for shift in placement.team:
            self.on_shift[shift].discard(key)
        self.out.add(key)
        self.change += self._around(key, placement) - before
        return placement

    def _put(self, key: Key, placement: Placement) -> None:
        before = self._around(key, placement)
        self.occupancy.put(key, placement)
        for shift in placement.team:
            self.on_shift[shift].add(key)
        self.out.discard(key)
        self.change += self._around(key, placement) - before

    def _ruin(self) -> list[tuple[Key, Placement]]:
        """Take out strings from shifts that one task, left out or unhappy, would rather use."""
        removed: list[tuple[Key, Placement]] = []
        gone: set[Key] = set()
        seed, wanted = self._seed()
        self.seed = seed
        self.occupancy.shift_at = {}
        if self.flexible and self.random.random() < RELOCATE:
            gone |= self._relocate()
        for _ in range(self.random.randint(1, STRINGS)):
            shift = self.random.choice(wanted).shift
            line = sorted(self.on_shift[shift] - gone, key=lambda key: self.occupancy.placements[key].slot) if shift else []
            if line:
                length = min(len(line), self.random.randint(1, STRING))
                first = self.random.randint(0, len(line) - length)
                gone.update(line[first : first + length])
        if seed in self.occupancy.placements:
            gone.add(seed)
        movable = self.partners.keys()
        for key in sorted(gone):
            for partner in sorted(self.partners[key]) if key in movable else ():
                if partner in self.occupancy.placements and partner in movable:
                    removed.append((partner, self._remove(partner)))
        return removed

    def _relocate(self) -> set[Key]:
        """Send a shift to another of its locations; return the visits that it has to leave."""
        shift = self.random.choice(self.flexible)
        here = self.occupancy.location(shift)
        others = [location for location in self.domains.shift(shift).locations if location != here]
        self.occupancy.shift_at = {shift: self.random.choice(others)}
        day = self.scenario.grid.day_index(self.domains.shift(shift).start.date())
        supervised = {k for k, p in self.occupancy.placements.items() if p.day == day and shift in p.supervisors}
        return self.on_shift[shift] | supervised

    def _seed(self) -> tuple[Key, Sequence[Option]]:
        """Return a task, the least happy of a few or one that is left out, and the options that it would rather have."""
        out = sorted(self.out) if self.random.random() < 0.3 else []
        if out:
            seed = self.random.choice(out)
            return seed, self.domains.options[seed]
        few = [self.random.choice(self.movable) for _ in range(TOURNAMENT)]
        seed = max(few, key=self._unhappiness)
        now = self._task_cost(seed)
        better = [option for least, option in self.occupancy.by_least_cost(self.domains.by_key[seed]) if least < now]
        return seed, better or self.domains.options[seed]

    def _unhappiness(self, key: Key) -> float:
        """Return how much more a task costs than it could at the very least."""
        ranked = self.occupancy.by_least_cost(self.domains.by_key[key])
        return self._task_cost(key) - ranked[0][0]

    def _recreate(self, removed: Sequence[tuple[Key, Placement]]) -> list[Key]:
        """Put back what was taken out, and what may now fit, in an order that changes from time to time."""
        waiting = [key for key, _ in removed]
        idle = sorted(self.out.difference(waiting))
        waiting += self.random.sample(idle, min(len(idle), 8 if self.occupancy.shift_at else 1))
        order = self.random.random()
        if order < 0.4:
            waiting.sort(key=lambda key: (-self.worth[key], self.random.random()))
        elif order < 0.7:
            waiting.sort(key=lambda key: (len(self.domains.options[key]) - self.worth[key] / 10, self.random.random()))
        elif order < 0.85:
            waiting.sort(key=lambda key: (-self.domains.service(key).minutes, self.random.random()))
        else:
            self.random.shuffle(waiting)
        if self.seed in self.out and self.random.random() < 0.7:
            waiting = [self.seed, *(key for key in waiting if key != self.seed)]
        done: list[Key] = []
        for key in waiting:
            if key in self.out:
                self._insert_bundle(key, done)
        return done

    def _insert_bundle(self, key: Key, done: list[Key]) -> None:
        """Insert a task with what must come with it; all or none."""
        chain = self.occupancy.chain(self.domains.by_key[key])
        if len(chain) > 1:
            if insert_chain(self.occupancy, chain):
                placed = [(task.key, self.occupancy.remove(task.key)) for task in chain]
                for other, placement in placed:
                    self._put(other, placement)
                    done.append(other)
            return
        task = chain[0]
        place = self.occupancy.best(task, overlook=lambda: self.random.random() < BLINK)
        if place is not None and place.cost < self.worth[key]:
            seated = seat(self.occupancy, task, place.placement)
            if seated is not None:
                self._put(key, seated)
                done.append(key)

    def run(self, stop: Callable[[], float], on_better: Callable[[Mapping[Key, Placement]], object] | None = None) -> int:
        """Search until ``stop`` (the share of the time that is over) reaches 1; return the change of cost of the best.

        The best placements are left in ``best``, and told to ``on_better`` from time to time.
        """
        told = monotonic()
        self.change = best = 0
        best_placements = dict(self.occupancy.placements)
        while (share := stop()) < 1:
            before = self.change
            removed = self._ruin()
            done = self._recreate(removed)
            temperature = HOT * (COLD / HOT) ** share
            if self.change - before <= -temperature * log(max(self.random.random(), 1e-12)):
                if self.change < best:
                    best, best_placements = self.change, dict(self.occupancy.placements)
                    if on_better is not None and monotonic() > told + TELL_SECONDS:
                        on_better(best_placements)
                        told = monotonic()
            else:
                for key in done:
                    self._remove(key)
                for key, placement in removed:
                    if key in self.occupancy.placements:
                        self._remove(key)
                    self._put(key, placement)
        self.best = best_placements
        if on_better is not None:
            on_better(best_placements)
        return best
