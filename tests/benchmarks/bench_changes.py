"""A published week planned again: cost, proof, calls and changes, and the gap over time, as one Markdown table.

Run it in the project's environment, never as a part of the test suite; it takes five minutes, with ``--offers`` seven::

    python tests/benchmarks/bench_changes.py REPLAN [--week week] [--workers 2] [--seed 0] [--offers]

REPLAN is a scenario file with ``now``: a week that people live by. The week is a scenario file, or a size of ``clinicweave
generate``, with seed 0. Measured are

- REPLAN at each of ``LIMITS``, each a run of its own;
- REPLAN with each of ``BUDGETS`` as ``max_notified_moves``, at the longest of these limits, each from the plan of the one
  before. A plan that is ``unknown`` cannot keep its budget and calls as few more as it can;
- the week planned, published and, unchanged, planned again from its own plan;
- the week in one run, read at each of ``MOMENTS``;
- with ``--offers`` what :mod:`bench_offers` measures, on the plan of the week, as tables of their own.

*Calls* are notified patients who have to be called again, *changes* what differs from the plan before, *same-day* the
same-day visits that are planned, always on their day. The checker judges every plan. The exit code is 1 when a plan has a
fault, a larger budget costs more than a smaller one, or the unchanged week is changed for nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import bench_offers
from bench_plans import faults_of, machine, scenario_of
from marks import Clock, Point, Reached, reached

from scheduling.comparison import compare
from scheduling.plan import Plan
from scheduling.publishing import publish
from scheduling.rules.stability import list_notified_moves
from scheduling.scenario import Scenario
from solver import Limits, Progress, solve

LIMITS = (3.0, 10.0, 30.0)
BUDGETS = (0, 5, 20, 50)
FIRST_SECONDS, AGAIN_SECONDS = 20.0, 10.0
"""For the week that is planned and then, unchanged, planned again."""

MOMENTS = (5.0, 10.0, 20.0, 30.0, 60.0)
HEADS = ("scenario", "what", "after", "status", "cost", "bound", "gap", "calls", "changes", "same-day")


@dataclass(frozen=True)
class Answer:
    """A plan, the seconds that it took, and what was reached on the way."""

    plan: Plan
    seconds: float
    points: tuple[Point, ...]

    @property
    def reached(self) -> Reached:
        """What the plan itself says."""
        return Reached(self.plan.cost, self.plan.bound)


class Bench:
    """Plans, prints a row for each plan, and gathers the faults."""

    def __init__(self, workers: int, seed: int) -> None:
        self.workers = workers
        self.seed = seed
        self.faults: list[str] = []

    def planned(self, scenario: Scenario, seconds: float, start: Plan | None = None) -> Answer:
        """Plan, and have the checker judge the plan."""
        points: list[Point] = []
        clock = Clock(points.append)

        def progressed(progress: Progress) -> None:
            clock.mark(progress.cost, progress.bound)

        plan = solve(scenario, Limits(seconds=seconds, workers=self.workers, seed=self.seed), start, progressed)
        clock.mark(plan.cost, plan.bound)
        excused = "breaks notification-budget" if plan.status == "unknown" else None
        self.faults += [f"{scenario.id}: {fault}" for fault in faults_of(scenario, plan) if fault != excused]
        return Answer(plan, clock.seconds, tuple(points))

    def row(self, scenario: Scenario, what: str, seconds: float, status: str, found: Reached, *rest: int | str) -> None:
        """Print one line of the table."""
        gap = "" if found.gap is None else f"{100 * found.gap:.2f} %"
        points = ["none" if value is None else f"{value:,}" for value in (found.cost, found.bound)]
        cells = [scenario.id, what, f"{seconds:.1f} s", status, *points, gap, *map(str, rest)]
        print(f"| {' | '.join(cells + [''] * (len(HEADS) - len(cells)))} |", flush=True)

    def answer(self, scenario: Scenario, what: str, made: Answer, before: Plan | None = None) -> None:
        """Print the line of an answer."""
        calls = sum(1 for _ in list_notified_moves(scenario, made.plan))
        changes = "" if before is None else len(compare(scenario, before, made.plan).changes)
        self.row(scenario, what, made.seconds, made.plan.status, made.reached, calls, changes, same_day(scenario, made.plan))

    def again(self, scenario: Scenario) -> Iterator[str]:
        """Plan a week that people live by, at each limit; yield the same-day visits left out at the longest, and why."""
        for seconds in LIMITS:
            made = self.planned(scenario, seconds)
            self.answer(scenario, "planned again", made)
        for left in made.plan.unscheduled:
            if scenario.visits_by_id[left.visit].same_day:
                yield f"{left.visit} is left out: {'; '.join(f'{reason.rule}: {reason.detail}' for reason in left.reasons)}."

    def budgets(self, scenario: Scenario) -> None:
        """Plan it again with each budget, from the plan with the smaller one: what keeps that keeps this."""
        costs: list[int] = []
        before: Plan | None = None
        for budget in BUDGETS:
            limited = scenario.changed(policy=scenario.policy.changed(max_notified_moves=budget))
            made = self.planned(limited, LIMITS[-1], before)
            before = made.plan
            self.answer(limited, f"at most {budget} calls", made)
            costs.append(made.plan.cost)
        if any(less < more for less, more in pairwise(costs)):
            self.faults.append(f"{scenario.id}: a larger budget costs more than a smaller one: {costs}")

    def unchanged(self, week: Scenario) -> Plan:
        """Plan a week, publish it, plan it again unchanged; return its plan."""
        first = self.planned(week, FIRST_SECONDS)
        self.answer(week, "planned", first)
        told = publish(week, first.plan)
        made = self.planned(told, AGAIN_SECONDS, first.plan)
        self.answer(told, "unchanged, planned again", made, first.plan)
        changes = compare(told, first.plan, made.plan).changes
        if made.plan.cost > first.plan.cost or (changes and made.plan.cost == first.plan.cost):
            self.faults.append(f"{week.id}: {len(changes)} changes from cost {first.plan.cost} to {made.plan.cost}")
        return first.plan

    def over_time(self, week: Scenario) -> None:
        """Plan a week once, and print what was reached when."""
        made = self.planned(week, MOMENTS[-1])
        for moment in MOMENTS[:-1]:
            self.row(week, "over time", moment, "", reached(made.points, moment))
        self.answer(week, "over time", made)


def same_day(scenario: Scenario, plan: Plan) -> str:
    """Say how many of the same-day visits are planned."""
    asked = [visit.id for visit in scenario.visits if visit.same_day]
    return f"{sum(visit in plan.visits_by_id for visit in asked)} of {len(asked)}"


def main() -> int:
    """Run everything, print the table as it grows, and name every fault; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the planning of weeks that people live by.")
    parser.add_argument("replan", type=Path, help="a scenario file with now")
    parser.add_argument("--week", default="week", help="a file, or one of tiny, week, month")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--offers", action="store_true", help="measure offers and inserts too")
    given = parser.parse_args()
    changed, week = Scenario.read(given.replan), scenario_of(given.week)
    bench = Bench(given.workers, given.seed)
    print(f"{machine()}; {given.workers} workers, seed {given.seed}.\n")
    print(f"| {' | '.join(HEADS)} |\n| --- | ---{' | ---:' * (len(HEADS) - 2)} |", flush=True)
    left_out = list(bench.again(changed))
    bench.budgets(changed)
    plan = bench.unchanged(week)
    bench.over_time(week)
    for left in left_out:
        print(f"\n{left}")
    if given.offers:
        print()
        bench.faults += bench_offers.measured(week, plan, seed=given.seed)
    for fault in bench.faults:
        print(f"\n{fault}", file=sys.stderr)
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
