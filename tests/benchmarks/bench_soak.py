"""A service that is asked all the while, with a plan now and then: whether it grows, as a Markdown table.

``bench_soak.py [--minutes 60] [--rate 20] [--database URL]``: a published week of an SQLite file or of an empty PostgreSQL
database is read by what ``bench_service.py`` reads, a visit is pinned or let go again every ``CHANGE_SECONDS``, and the week is
planned again every ``PLAN_MINUTES``. Each row tells of one moment: memory and open files of the service itself, and the
files beside the store. The exit code is 1 when an answer is not what it should be, the audit does not hold, or memory or
files grow by more than ``MOST_GROWTH`` from the first plan's end to the end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx2
from bench_plans import machine, scenario_of
from bench_service import READS, Stored, asked_plan, percentile, published, state_of, until

sys.path[:0] = [str(Path(__file__).parents[1])]

from support.attacks import read_memory
from support.processes import served

from api.store import audit
from api.store.database import Database
from solver import Limits, solve

FIRST_PLAN_SECONDS = 5.0
PLAN_SECONDS, PLAN_MINUTES = 60.0, 10
CHANGE_SECONDS = 15.0
THREADS = 8
MOST_GROWTH = 0.1


@dataclass(frozen=True)
class Moment:
    """What a service has at one moment: memory, MiB; open files; files beside its store."""

    minute: float
    memory_mib: float
    open_files: int
    stored_files: int

    def row(self) -> str:
        """Return it as a row of the table."""
        return f"| {self.minute:.0f} | {self.memory_mib:.0f} MiB | {self.open_files} | {self.stored_files} |"


@dataclass
class Soak:
    """A service that is asked, what it answered wrongly, and how long callers waited."""

    client: httpx2.Client
    stored: Stored
    plan: str
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def read(self, number: int) -> None:
        """Read one thing; the number tells which."""
        visits, patients = self.stored.plan.visits, self.stored.scenario.patients
        visit, patient = visits[number % len(visits)].visit, patients[number % len(patients)].id
        names = {"week": self.stored.scenario.id, "visit": visit, "patient": patient, "plan": self.plan}
        begun = time.perf_counter()
        self.expect(self.client.get(f"/v1/{READS[number % len(READS)].format(**names)}"))
        self.seconds.append(time.perf_counter() - begun)

    def change(self, number: int) -> None:
        """Pin a visit, or let it go again."""
        visit = self.stored.plan.visits[number // 2].visit
        version = self.client.get(f"/v1/visits/{visit}/booking").headers["etag"]
        method = "DELETE" if number % 2 else "PUT"
        self.expect(self.client.request(method, f"/v1/visits/{visit}/pin", headers={"If-Match": version}))

    def expect(self, answer: httpx2.Response) -> None:
        """Note an answer that is none of success."""
        if not answer.is_success:
            self.faults.append(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:200]}")

    def go_on(self, rate: float, minutes: float) -> Iterator[int]:
        """Ask at a fixed rate until time is up; yield the number of each minute once it is over, and plan when it is time."""
        begun, changes = time.perf_counter(), count()
        every, changing = int(60 * rate), max(1, int(CHANGE_SECONDS * rate))
        with ThreadPoolExecutor(THREADS) as pool:
            for number in range(int(minutes * every)):
                time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
                pool.submit(self._try, self.read, number)
                if number % changing == 0:
                    pool.submit(self._try, self.change, next(changes))
                if number % every == 0:
                    yield number // every

    def _try(self, act: object, number: int) -> None:
        try:
            act(number)  # type: ignore[operator]
        except (httpx2.TransportError, KeyError) as error:
            self.faults.append(repr(error))


def main() -> int:
    """Ask for so long, and tell what grew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--database")
    given = parser.parse_args()
    week = scenario_of("week")
    plan = solve(week, Limits(seconds=FIRST_PLAN_SECONDS, workers=2))
    with tempfile.TemporaryDirectory() as place:
        stored = published(given.database or f"sqlite:///{place}/clinic.db", week, plan)
        print(f"{machine()}; {stored.url.partition(':')[0]}, {given.rate:g} requests a second for {given.minutes:g} minutes.\n")
        print("| minute | memory | open files | files of the store |\n| ---: | ---: | ---: | ---: |")
        moments, faults = soak(stored, Path(place), given.rate, given.minutes)
        database = Database(stored.url)
        with database.reading() as session:
            print(f"\nThe audit holds: {audit.verify(session)}")
        database.close()
    faults += [] if is_flat(moments) else ["it grew"]
    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def soak(stored: Stored, place: Path, rate: float, minutes: float) -> tuple[list[Moment], list[str]]:
    """Serve and ask; return each minute's moment, and what was wrong."""
    moments = []
    with (
        served(stored.url) as service,
        httpx2.Client(base_url=service.address, headers=stored.headers, timeout=600) as client,
    ):
        first = asked_plan(client, stored.scenario.id, FIRST_PLAN_SECONDS)
        until(client, first, "done", "failed")
        asking = Soak(client, stored, first)
        plans, pid = [first], service.process.pid
        for minute in asking.go_on(rate, minutes):
            if minute % PLAN_MINUTES == 1:
                until(client, plans[-1], "done", "failed")
                plans.append(asked_plan(client, stored.scenario.id, PLAN_SECONDS))
            open_files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            moments.append(Moment(minute, read_memory(pid, "VmRSS"), open_files, len(list(place.iterdir()))))
            print(moments[-1].row(), flush=True)
        until(client, plans[-1], "done", "failed")
        states = [state_of(client, plan) for plan in plans]
    print(f"\n{len(asking.seconds)} reads, p99 {percentile(asking.seconds, 99):.2f} s; {len(plans)} plans.")
    return moments, asking.faults + [f"a plan is {state}" for state in states if state != "done"]


def is_flat(moments: list[Moment]) -> bool:
    """Return whether nothing grew after the first plan; reads hold connections of their own, so files may swing a little."""
    settled = moments[min(PLAN_MINUTES // 2, len(moments) - 1)]
    most = 1 + MOST_GROWTH
    last = moments[-1]
    grown = last.memory_mib > settled.memory_mib * most or last.stored_files > settled.stored_files
    return not grown and last.open_files <= settled.open_files + THREADS


if __name__ == "__main__":
    sys.exit(main())
