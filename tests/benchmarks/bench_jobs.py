"""Ten clinics' weeks as plan jobs on PostgreSQL: how many an hour are done by one worker, by two, and so on.

Run it in the project's environment, never as a part of the test suite::

    python tests/benchmarks/bench_jobs.py [--jobs 10] [--seconds 10] [--workers 1 2]

Each worker is a process, ``clinicweave worker --at-once 1``; each job is a made-up week of its own, planned on one thread. The
server is PostgreSQL on this machine, with its files in memory. Throughput is by wall clock. Processor time tells what more
cores would do: a job takes so many seconds of one, whoever works beside it. Nothing else is simulated.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from time import monotonic, sleep

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from sqlmodel import col, select
from support.postgres import HOW_TO_GET_ONE, binaries, server

from api.runtime.job_queue import JobQueue
from api.store.columns import utc_now
from api.store.database import Database
from api.store.migrations import migrate
from api.store.tables import PeriodRow, PlanJobRow, ScenarioRow
from scheduling.generate import generate
from solver import Limits

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 600.0


def ask_for_plans(store: Database, queue: JobQueue, jobs: int, seconds: float) -> None:
    """Put weeks into a store, and ask for a plan of each."""
    with store.writing() as session:
        for number in range(jobs):
            name, week = f"clinic-{number + 1}", generate("week", number + 1)
            session.add(PeriodRow(id=name, starts_on=date(2026, 11, 30), ends_on=date(2026, 12, 7), policy="{}"))
            session.flush()
            text = week.changed(id=name).model_dump_json(exclude_unset=True)
            scenario = ScenarioRow(id=name, period_id=name, period_version=1, digest="", document=text, created_at=utc_now())
            session.add(scenario)
            session.flush()
            queue.ask(session, name, Limits(seconds=seconds, workers=1), "bench")


def wait_for_plans(store: Database) -> list[PlanJobRow]:
    """Wait until every job has ended, and return them in the order of their ends."""
    until = monotonic() + PATIENCE_SECONDS
    while monotonic() < until:
        with store.reading() as session:
            rows = list(session.exec(select(PlanJobRow).order_by(col(PlanJobRow.ended_at))))
        if all(row.ended_at is not None for row in rows):
            return rows
        sleep(LOOK_SECONDS)
    raise SystemExit("the jobs did not end")


def measure(url: str, workers: int, jobs: int, seconds: float) -> str:
    """Return the row of the table for some workers."""
    store = Database(url)
    migrate(store)
    queue = JobQueue(store, capacity=jobs)
    ask_for_plans(store, queue, jobs, seconds)
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), monotonic()
    environment = os.environ | {
        "CLINICWEAVE_DATABASE_URL": url,
        "CLINICWEAVE_SECRET": "s" * 64,
        "CLINICWEAVE_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-c", "from api.cli.entry import main; main()", "worker", "--at-once", "1"]
    processes = [subprocess.Popen(command, env=environment) for _ in range(workers)]
    ended = wait_for_plans(store)
    took = monotonic() - begun
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    queue.close()
    store.close()
    done = sum(row.state == "done" for row in ended)
    cells = [str(workers), f"{done} of {jobs}", f"{took:.1f} s", f"{3600 * done / took:.0f}", f"{spent / jobs:.1f} s"]
    return f"| {' | '.join([*cells, f'{spent / took:.2f}'])} |"


def main() -> int:
    """Print a row for each number of workers; return the exit code."""
    parser = argparse.ArgumentParser(description="Plan ten weeks as jobs on PostgreSQL.")
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0, help="the limit of each job")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    programs = binaries()
    if programs is None:
        raise SystemExit(HOW_TO_GET_ONE)
    print("| workers | done | took | jobs an hour | processor time a job | cores busy |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    with server(programs) as running:
        for workers in given.workers:
            print(measure(running.create(f"bench-{workers}"), workers, given.jobs, given.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
