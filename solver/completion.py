"""From a rounded relaxation to placements: exact searches that follow what the dive decided, day by day.

Linked visits, groups and teams of several come first, over all days, because a later day cannot mend them. Then each day in
turn: the tasks decided for it at their session and location, and the undecided ones that the master's prices would let come
that day; leaving one of those out costs little while a later day is as good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scheduling.costs import leaving_out
from solver.construct import drop_broken_links, insert
from solver.domains import Domains, Option
from solver.improve import Effort, Search
from solver.master import Master
from solver.neighbourhoods import Guide
from solver.occupancy import Occupancy
from solver.placements import Placement
from solver.rounding import Rounded
from solver.tasks import Key

NEAR = 20.0
"""Options up to this reduced cost above a task's best are open to it."""

LATER = 30
"""What leaving an undecided task to a later day costs, beside the difference of the days' prices."""


class Completion:
    """The tasks of a scenario on their way from a rounded relaxation to placements."""

    def __init__(self, search: Search, master: Master, guide: Guide, rounded: Rounded) -> None:
        self.search = search
        self.domains = search.domains
        self.master = master
        self.rounded = rounded
        self.guide = guide

    def run(self, seconds: float, workers: int, seed: int) -> dict[Key, Placement]:
        """Return placements that break no rule."""
        days = sorted({choice.day for choice in self.rounded.choices.values()})
        effort = Effort(max(0.1, seconds / (len(days) + 1)), workers, seed)
        tied = self._tied()
        placements = self._solve({}, {key: self._near(key, None) for key in tied}, effort, None)
        candidates = self._candidates(tied)
        for day in days:
            options = {key: self._as_decided(key) for key, choice in self.rounded.choices.items() if choice.day == day}
            worth: dict[Key, int] = {}
            for key, prices in candidates.items():
                if key not in placements and day in prices:
                    options[key] = self._near(key, day)
                    later = [price for other, price in prices.items() if other > day]
                    if later and key[0] == "visit":
                        full = leaving_out(self.domains.scenario, self.domains.scenario.visits_by_id[key[1]])
                        worth[key] = max(5, min(full, round(min(later) - prices[day]) + LATER))
            options = {key: some for key, some in options.items() if some and key not in tied}
            placements = self._solve(placements, options, effort, worth)
        return self._filled(placements)

    def _tied(self) -> set[Key]:
        links = self.domains.scenario.links
        linked: set[Key] = {("visit", visit) for link in links for visit in (link.before, link.after)}
        return {t.key for t in self.domains.tasks if t.key in linked or t.group is not None or len(t.service.team) > 1}

    def _solve(
        self,
        placements: Mapping[Key, Placement],
        options: Mapping[Key, Sequence[Option]],
        effort: Effort,
        worth: Mapping[Key, int] | None,
    ) -> dict[Key, Placement]:
        answer = self.search.solve(placements, options, effort, worth) if options and not self.search.clock.over else None
        return dict(placements) if answer is None or answer.placements is None else answer.placements

    def _open(self, key: Key) -> Iterable[Option]:
        """Return a task's options, shifts being where the dive has put them."""
        at = self.rounded.shift_at
        return (o for o in self.domains.options[key] if o.shift is None or at.get(o.shift, o.location) == o.location)

    def _near(self, key: Key, day: int | None) -> list[Option]:
        """Return a task's options near its best reduced cost."""
        prices, options = self.guide[key], list(self._open(key))
        best = min((prices.get(option, 0.0) for option in options if option.seat == 0), default=0.0)
        return [
            option
            for option in options
            if (day is None or option.day == day) and (option.seat > 0 or prices.get(option, 0.0) <= best + NEAR)
        ]

    def _as_decided(self, key: Key) -> list[Option]:
        choice = self.rounded.choices[key]
        return [
            option
            for option in self._open(key)
            if (option.day, option.location) == (choice.day, choice.location)
            and (option.shift is None or self.master.windows[option.shift].session == choice.session)
            and choice.shift in (None, option.shift)
        ]

    def _candidates(self, tied: set[Key]) -> dict[Key, dict[int, float]]:
        """Return, for each undecided task, the days near its best one and their prices."""
        candidates: dict[Key, dict[int, float]] = {}
        for task in self.domains.tasks:
            if task.key in self.rounded.choices or task.key in tied:
                continue
            by_day: dict[int, float] = {}
            for option in self._open(task.key):
                price = self.guide[task.key].get(option, 0.0)
                by_day[option.day] = min(by_day.get(option.day, price), price)
            best = min(by_day.values(), default=0.0)
            near = sorted((day for day, price in by_day.items() if price <= best + NEAR), key=lambda day: by_day[day])
            candidates[task.key] = {day: by_day[day] for day in near[:4]}
        return candidates

    def _filled(self, placements: Mapping[Key, Placement]) -> dict[Key, Placement]:
        """Insert what was left out at the best prices that are still free."""
        occupancy = Occupancy(self.domains, placements)
        drop_broken_links(occupancy)
        at, guide = self.rounded.shift_at, self.guide
        occupancy.guide = {
            key: {o: p if o.shift is None or at.get(o.shift, o.location) == o.location else p + 1000 for o, p in some.items()}
            for key, some in guide.items()
        }
        for task in sorted(self.domains.tasks, key=lambda task: -task.service.minutes):
            if task.key not in occupancy.placements:
                insert(occupancy, task)
        drop_broken_links(occupancy)
        return occupancy.placements
