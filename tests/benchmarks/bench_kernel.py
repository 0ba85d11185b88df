"""Ruin and recreate alone: what so many ruins from the first plan come to, and how many a second of one core does.

Run it in the project's environment, never as a part of the test suite::

    python tests/benchmarks/bench_kernel.py [SCENARIO ...] [--ruins 200000] [--seeds 3]

A SCENARIO is a file, or ``tiny``, ``week`` or ``month`` for one made by ``clinicweave generate``; ``week`` when none is given.
The processor time is that of the search, so that other programs hardly change it; the plans of a seed are the same on every
machine. The baseline is the first plan.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from statistics import median

from bench_plans import machine, scenario_of

from solver.clock import Clock
from solver.parameters import DEFAULTS
from solver.search.construct import construct
from solver.search.kernel.annealing import compile_kernel
from solver.search.ruin import STEPS, CoolingSchedule, RuinAndRecreate
from solver.search.shift_locations import choose_shift_locations
from solver.state.domains import Domains
from solver.state.placements import Placement, make_plan
from solver.state.tasks import Key


def cool(domains: Domains, begin: Mapping[Key, Placement], ruins: int, seed: int) -> tuple[int, float]:
    """Anneal for so many ruins; return what the best plan costs, and the seconds of processor time."""
    annealing, better, clock = DEFAULTS.annealing, [begin], Clock(ruins, deterministic=True)
    cooling = CoolingSchedule(clock, ruins, annealing)

    def temperature() -> float:
        degrees = cooling.temperature if cooling.progress < 1 else 0.0
        clock.spend(STEPS)
        return degrees

    search = RuinAndRecreate(domains, begin, seed, annealing)
    begun = time.thread_time()
    search.run(temperature, better.append)
    seconds = time.thread_time() - begun
    clock.end()
    return make_plan(domains, better[-1]).cost, seconds


def main() -> None:
    """Anneal each scenario from its first plan, and print the table."""
    parser = argparse.ArgumentParser(description="Time ruin and recreate alone.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="a file, or one of tiny, week, month")
    parser.add_argument("--ruins", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    compile_kernel()
    print(f"{machine()}; {given.ruins} ruins, medians of {given.seeds} seeds.\n")
    print("| scenario | first plan | cost | ruins a second |\n| --- | ---: | ---: | ---: |")
    for name in given.scenarios or ["week"]:
        domains = Domains(scenario_of(name))
        begin = construct(domains, {}, choose_shift_locations(domains, {}))
        runs = [cool(domains, begin, given.ruins, seed) for seed in range(given.seeds)]
        cost, speed = median(cost for cost, _ in runs), median(given.ruins / seconds for _, seconds in runs)
        print(f"| {name} | {make_plan(domains, begin).cost} | {cost} | {speed:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
