"""Plans compared: cost, bound, gap and time to the first plan, of Clinicweave and two baselines, as a Markdown table.

Run it in the project's environment, never as a part of the test suite::

    python tests/benchmarks/bench_plans.py [SCENARIO ...] [--seconds 5 10 30 60] [--workers 2] [--seed 0]
                                           [--planners clinicweave first-come monolith]

A SCENARIO is a scenario file, or ``tiny``, ``week`` or ``month`` for one made by ``clinicweave generate`` with seed 0; all
three when none is given. The planners are

- ``clinicweave``: ``solver.solve``;
- ``first-come``: first come, first served (``solver.plan_first_come``);
- ``monolith``: one CP-SAT interval model of everything (:mod:`monolith`).

Each planner runs once for each scenario, with the longest of the limits, in a process of its own; what it had reached at
the shorter limits is read from its progress. So a shorter limit's figures are those of a search that was going to have more
time, and may differ a little from a run with that limit. Seconds count from the call of the planner, the scenario being
read. An answer up to ``LATE_SECONDS`` late counts for the longest limit; a planner that has not ended ``GRACE_SECONDS`` after
it is stopped. The checker judges every answer; the exit code is 1 when it finds a fault, or a planner was stopped. The memory
is the process's largest resident set.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

from marks import Clock, Point, first_plan_seconds, reached
from monolith import plan_monolith

from scheduling.check import check
from scheduling.generate import SIZES, generate
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver import plan_first_come

PLANNERS = ("clinicweave", "first-come", "monolith")
LATE_SECONDS = 1.0
GRACE_SECONDS = 60.0


@dataclass(frozen=True)
class Job:
    """One planner's run on one scenario."""

    scenario: str
    planner: str
    seconds: float
    workers: int
    seed: int


@dataclass(frozen=True)
class Ending:
    """How a run ended: when, with how much memory, and what the checker said."""

    seconds: float
    memory_mib: float
    faults: tuple[str, ...]


@dataclass
class Run:
    """What became of a job; ``ending`` is None when it was stopped or broke down."""

    job: Job
    points: list[Point] = field(default_factory=list)
    ending: Ending | None = None


def scenario_of(name: str) -> Scenario:
    """Make or read a scenario."""
    return generate(name, 0) if name in SIZES else Scenario.read(Path(name))


def planned(job: Job, scenario: Scenario, clock: Clock) -> Plan | None:
    """Run the job's planner."""
    if job.planner == "first-come":
        plan = plan_first_come(scenario)
        clock.mark(plan.cost, None)
        return plan
    if job.planner == "monolith":
        return plan_monolith(scenario, job.seconds, job.workers, job.seed, clock)
    from solver import Limits, Progress, solve

    def progressed(progress: Progress) -> None:
        clock.mark(progress.cost, progress.bound)

    plan = solve(scenario, Limits(seconds=job.seconds, workers=job.workers, seed=job.seed), on_progress=progressed)
    clock.mark(plan.cost, plan.bound)
    return plan


def faults_of(scenario: Scenario, plan: Plan | None) -> Iterator[str]:
    """Yield what the checker finds wrong with a plan."""
    if plan is None:
        return
    verdict = check(scenario, plan)
    yield from sorted({f"breaks {violation.rule}" for violation in verdict.violations})
    if plan.cost != verdict.cost:
        yield f"states cost {plan.cost}, costs {verdict.cost}"
    if plan.bound is not None and plan.bound > plan.cost:
        yield f"states bound {plan.bound} above its cost {plan.cost}"


def work(job: Job, pipe: Connection) -> None:
    """Run a job in this process, and send its points and ending."""
    scenario = scenario_of(job.scenario)
    pipe.send("started")
    clock = Clock(pipe.send)
    plan = planned(job, scenario, clock)
    seconds = clock.seconds
    memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(Ending(seconds, memory_mib, tuple(faults_of(scenario, plan))))


def run(job: Job) -> Run:
    """Run a job in a process of its own, and gather what it reports; stop it when it takes far too long."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(job, theirs))
    process.start()
    theirs.close()
    made, until = Run(job), time.monotonic() + job.seconds + GRACE_SECONDS
    try:
        while made.ending is None and mine.poll(max(0.0, until - time.monotonic())):
            message = mine.recv()
            if message == "started":
                until = time.monotonic() + job.seconds + GRACE_SECONDS
            elif isinstance(message, Ending):
                made.ending = message
            else:
                made.points.append(message)
    except EOFError:
        pass
    finally:
        if made.ending is None:
            process.kill()
        process.join()
    return made


def row(made: Run, limits: Sequence[float]) -> str:
    """Write one line of the table."""
    first, ending = first_plan_seconds(made.points), made.ending
    cells = [Path(made.job.scenario).name, made.job.planner, "none" if first is None else f"{first:.2f} s"]
    for limit in limits:
        found = reached(made.points, limit if limit < max(limits) else limit + LATE_SECONDS)
        cost = "no plan" if found.cost is None else f"{found.cost:,}"
        bound = "no bound" if found.bound is None else f"{found.bound:,}"
        cells.append(" / ".join([cost, bound] if found.gap is None else [cost, bound, f"{100 * found.gap:.2f} %"]))
    cells += ["stopped", ""] if ending is None else [f"{ending.seconds:.1f} s", f"{ending.memory_mib:,.0f} MiB"]
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Describe this machine, the versions that matter, and the date."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model, cpuinfo = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = (line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name"))
        model = next(names, model)
    today = datetime.now(UTC).date()
    return f"{cores} cores of {model}, Python {platform.python_version()}, OR-Tools {version('ortools')}, {today}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare Clinicweave's plans with two baselines.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="a file, or one of tiny, week, month")
    parser.add_argument("--seconds", nargs="+", type=float, default=[5.0, 10.0, 30.0, 60.0], help="the limits")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=PLANNERS)
    return parser.parse_args()


def main() -> int:
    """Run everything, print the table as it grows, and name every fault; return the exit code."""
    given = arguments()
    limits, faults = sorted(set(given.seconds)), []
    heads = ["scenario", "planner", "first plan", *(f"at {limit:g} s" for limit in limits), "ended", "memory"]
    print(f"{machine()}; {given.workers} workers, seed {given.seed}.", end=" ")
    print("Cells: cost / proven bound / gap; one run of each planner with the longest limit.\n")
    print(f"| {' | '.join(heads)} |\n| --- | --- {'| ---: ' * (len(heads) - 2)}|", flush=True)
    for scenario in given.scenarios or SIZES:
        for planner in given.planners:
            made = run(Job(scenario, planner, max(limits), given.workers, given.seed))
            print(row(made, limits), flush=True)
            ended = ("did not end by itself",) if made.ending is None else made.ending.faults
            faults += [f"{planner} on {scenario}: {fault}" for fault in ended]
    for fault in faults:
        print(f"\n{fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
