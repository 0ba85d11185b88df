"""Which tasks to free next: four ways to choose tasks that may profit from being planned together.

- ``regret``: those whose place is dearest at the master's reduced costs, with some of those who hold the shifts they want;
- ``family``: visits of some services;
- ``providers``: visits of some providers;
- ``place``: a building's day.

Each keeps a size of its own, which grows while its searches are solved to proof and shrinks while they are not. Tasks that
are left out may join every time, and what is linked is freed together. On the week of 682 visits ``regret`` gains most a
second, then ``family``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from solver.parameters import DEFAULTS, NeighbourhoodParameters
from solver.state.domains import Domains, Option, ReducedCosts
from solver.state.placements import Placement
from solver.state.tasks import Key

MOST_OUT = 8
"""Tasks that are left out and join, but for those that go with the last of them."""

Freed = dict[Key, Sequence[Option]]


class Neighbourhoods:
    """A source of neighbourhoods, one after another."""

    def __init__(
        self,
        domains: Domains,
        reduced_costs: ReducedCosts,
        seed: int,
        parameters: NeighbourhoodParameters = DEFAULTS.neighbourhoods,
    ) -> None:
        self.domains = domains
        self.parameters = parameters
        self.reduced_costs = reduced_costs
        self.random = Random(seed)
        self.kinds: tuple[Callable[[Mapping[Key, Placement], int], list[Key]], ...] = (
            self._regret,
            self._family,
            self._regret,
            self._providers,
            self._place,
        )
        self.sizes = [parameters.initial_size] * len(self.kinds)
        self._turn = -1

    def next(self, placements: Mapping[Key, Placement]) -> Freed:
        """Return the options of the tasks to free next."""
        self._turn = (self._turn + 1) % len(self.kinds)
        window = self._window(placements)
        inside = {key: placement for key, placement in placements.items() if placement.day in window}
        chosen = self.kinds[self._turn](inside, round(self.sizes[self._turn])) if inside else []
        options = self.domains.options
        out = [task.key for task in self.domains.tasks if task.key not in placements and options[task.key]]
        keys = [*self._whole(chosen, len(chosen)), *self._whole(self.random.sample(out, min(len(out), MOST_OUT)), MOST_OUT)]
        freed = {key: [option for option in options[key] if option.day in window] for key in keys}
        return {key: self._open(key, some, placements.get(key)) for key, some in freed.items() if some}

    def _whole(self, keys: Sequence[Key], most: int) -> list[Key]:
        """Return the first of some tasks, each with all that it is linked to, until they are as many as they may be."""
        whole: dict[Key, None] = {}
        for key in keys:
            if len(whole) >= most:
                break
            whole |= dict.fromkeys(sorted(self.domains.get_linked(key)) if key in self.domains.links else (key,))
        return list(whole)

    def learn(self, proven: bool, seconds: float) -> None:
        """Adapt the size of the last kind of neighbourhood to how its search went."""
        size = self.sizes[self._turn]
        self.sizes[self._turn] = (
            min(self.parameters.max_size, size * 1.15)
            if proven and seconds < 1
            else max(self.parameters.min_size, size * (1.0 if proven else 0.9))
        )

    def _window(self, placements: Mapping[Key, Placement]) -> range:
        days = self.domains.scenario.grid.days
        if days <= self.parameters.window_days:
            return range(days)
        first = self.random.randint(0, days - self.parameters.window_days)
        return range(first, first + self.parameters.window_days)

    def _open(self, key: Key, options: Sequence[Option], placement: Placement | None) -> Sequence[Option]:
        """Return the options whose reduced cost is low, and the present one."""
        if not self.reduced_costs:
            return options
        reduced_costs = self.reduced_costs[key]
        now = set() if placement is None else {(seat, shift, placement.location) for seat, shift in enumerate(placement.team)}
        least = self._reduced_cost(key, placement) if placement else 40.0
        near = max(self.parameters.max_reduced_cost, least) + min(
            (reduced_costs.get(option, 0.0) for option in options if option.seat == 0), default=0.0
        )
        return [
            option
            for option in options
            if option.seat > 0 or reduced_costs.get(option, 0.0) <= near or (option.seat, option.shift, option.location) in now
        ]

    def _reduced_cost(self, key: Key, placement: Placement) -> float:
        reduced_costs = self.reduced_costs.get(key, {})
        seats = {(shift, placement.location) for shift in placement.team[:1]}
        return sum(
            cost for option, cost in reduced_costs.items() if option.seat == 0 and (option.shift, option.location) in seats
        )

    def _regret(self, inside: Mapping[Key, Placement], size: int) -> list[Key]:
        noisy = {key: self._reduced_cost(key, placement) + self.random.random() * 30 for key, placement in inside.items()}
        worst = sorted(noisy, key=lambda key: -noisy[key])[: max(1, size // 4)]
        wanted = set()
        for key in worst:
            reduced_costs = self.reduced_costs.get(key, {})
            options = [option for option in self.domains.options[key] if option.seat == 0]
            options.sort(key=lambda option: (reduced_costs.get(option, 0.0), self.random.random()))
            wanted |= {option.shift for option in options[:2]}
        near = [
            key for key, placement in inside.items() if key not in noisy.keys() & set(worst) and wanted & set(placement.team)
        ]
        return worst + self._some(near, size - len(worst))

    def _family(self, inside: Mapping[Key, Placement], size: int) -> list[Key]:
        services = sorted({self.domains.service(key).id for key in inside})
        chosen = set(self.random.sample(services, min(6, len(services))))
        return self._some([key for key in inside if self.domains.service(key).id in chosen], size)

    def _providers(self, inside: Mapping[Key, Placement], size: int) -> list[Key]:
        providers = sorted({shift.provider for placement in inside.values() for shift in placement.team})
        chosen = set(self.random.sample(providers, min(3, len(providers))))
        return self._some([k for k, p in inside.items() if any(shift.provider in chosen for shift in p.team)], size)

    def _place(self, inside: Mapping[Key, Placement], size: int) -> list[Key]:
        day, location = self.random.choice(sorted({(placement.day, placement.location) for placement in inside.values()}))
        return self._some([k for k, p in inside.items() if (p.day, p.location) == (day, location)], size)

    def _some(self, keys: list[Key], count: int) -> list[Key]:
        return self.random.sample(keys, min(len(keys), max(0, count)))
