"""A network of clinics as one scenario: its first plan, cost, proven bound and gap over time, and memory, beside a baseline.

Run it in the project's environment, never as a part of the test suite::

    python tests/benchmarks/bench_network.py [CLINIC ...] [--clinics 10] [--joint 20] [--seconds 30 120 300 600] [--workers 2]

A CLINIC is a scenario file, or ``tiny``, ``week`` or ``month`` for one made by ``clinicweave generate``; ``week`` alone when
none is given. They are taken in turn, made-up ones with another seed each, until there are as many as there shall be. The
baseline is first come, first served. The checker judges both plans; the exit code is 1 when it finds a fault.
"""

from __future__ import annotations

import argparse
import resource
import sys
from itertools import cycle, islice
from pathlib import Path

from marks import Clock, Point, first_plan_seconds, reached

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.networks import join_clinics

from scheduling.check import check
from scheduling.generate import SIZES, generate
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver import Limits, Progress, plan_first_come, solve


def network_of(names: list[str], clinics: int, joint: int) -> Scenario:
    """Make a network of clinics."""
    chosen = islice(cycle(names), clinics)
    asked = [generate(name, seed + 1) if name in SIZES else Scenario.read(Path(name)) for seed, name in enumerate(chosen)]
    return join_clinics(asked, joint)


def planned(network: Scenario, seconds: float, workers: int, clock: Clock) -> Plan:
    """Plan a network, marking each better cost and bound."""

    def progressed(progress: Progress) -> None:
        clock.mark(progress.cost, progress.bound)

    plan = solve(network, Limits(seconds=seconds, workers=workers), on_progress=progressed)
    clock.mark(plan.cost, plan.bound)
    return plan


def row(name: str, points: list[Point], limits: list[float]) -> str:
    """Write one line of the table."""
    first = first_plan_seconds(points)
    cells = [name, "none" if first is None else f"{first:.1f} s"]
    for limit in limits:
        at = reached(points, limit if limit < max(limits) else float("inf"))
        gap = "no gap" if at.gap is None else f"{100 * at.gap:.2f} %"
        cells.append(f"{at.cost} / {at.bound} / {gap}")
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Plan the network, print the table, and name every fault; return the exit code."""
    parser = argparse.ArgumentParser(description="Plan a network of clinics as one scenario.")
    parser.add_argument("names", nargs="*", metavar="CLINIC", help="a file, or one of tiny, week, month")
    parser.add_argument("--clinics", type=int, default=10)
    parser.add_argument("--joint", type=int, default=20, help="visits of patients of another clinic")
    parser.add_argument("--seconds", nargs="+", type=float, default=[30.0, 120.0, 300.0, 600.0], help="the limits")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    network, limits = network_of(given.names or ["week"], given.clinics, given.joint), sorted(given.seconds)
    print(f"{len(network.visits)} visits of {len(network.patients)} patients. Cells: cost / proven bound / gap.\n")
    print(f"| planner | first plan | {' | '.join(f'at {limit:g} s' for limit in limits)} |")
    print(f"| --- {'| ---: ' * (len(limits) + 1)}|")
    points: list[Point] = []
    try:
        plan = planned(network, max(limits), given.workers, Clock(points.append))
    finally:
        print(row("clinicweave", points, limits), flush=True)
    baseline: list[Point] = []
    clock = Clock(baseline.append)
    simple = plan_first_come(network)
    clock.mark(simple.cost, None)
    print(row("first-come", baseline, limits))
    print(f"\n{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
    faults = [violation.rule for made in (plan, simple) for violation in check(network, made).violations]
    for fault in sorted(set(faults)):
        print(f"breaks {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
