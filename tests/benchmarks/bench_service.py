"""The service beside a plan that is being made, and same-day referrals: how long callers wait, as two Markdown tables.

Run it in the project's environment, never as a part of the test suite; it takes three minutes::

    python tests/benchmarks/bench_service.py [--week week] [--plan PLAN] [--database URL] [--seconds 60] [--rate 20]

The week is a scenario file, or a size of ``clinicweave generate``, with seed 0; without a PLAN it is planned first, for 20 s.
It is published in a new store: an SQLite file, or the empty PostgreSQL database that the URL names.

*Reads*: ``clinicweave serve`` plans the week after it all the while, from nothing, so that the search uses all of its time: a
published week planned again is soon proven to be optimal. It is asked at a fixed rate for what :data:`READS` lists, in turn. A
request counts from the moment at which it was due, so that one which has to wait for others before it counts as slow. Every
``CHANGE_SECONDS`` a visit is pinned or let go again, so that the week has a new version and nothing kept of it is of use; each
row's readers that know the version before get 304.

*Referrals*: at ``MOMENTS`` of each day cancer patients are referred, by HTTP to a server in this process whose clock goes
through the week. A referral counts until its answer is there.

The exit code is 1 when an answer is not what it should be, or a time is above ``MOST_SECONDS``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import quantiles
from threading import Thread

import httpx2
import uvicorn
from bench_plans import machine, scenario_of

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS)]

from support.processes import served
from support.service import SECRET, Clock, bearer
from support.stored import NOW, StoredWeek

from api.access.actor import AccessRole
from api.context import create_context
from api.http.app import create_app
from api.runtime.settings import Settings
from api.services.accounts.accounts import SYSTEM, NewAccount, add_account, add_token
from api.store.columns import utc_now
from api.store.database import Database
from api.store.migrations import migrate
from api.store.queries import periods
from scheduling.generate import generate
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver import Limits, solve

PLAN_SECONDS = 20.0
WARM_SECONDS = 5.0
"""How long a plan is being made before anything is measured: its process starts, and so does the search."""

CHANGE_SECONDS = 5.0
THREADS = 40
MOMENTS = (450, 560, 640, 720, 840, 920)
"""Minutes of the day at which patients are referred."""

MOST_SECONDS = {"reads": (99, 0.3), "referrals": (95, 1.5)}
"""The percentile that must stay below how many seconds."""

READS = (
    "scenarios/{week}",
    "visits/{visit}",
    "scenarios/{week}/plan",
    "visits/{visit}/booking",
    "scenarios/{week}/kpis",
    "plans/{plan}",
    "scenarios/{week}/visits?limit=200",
    "patients/{patient}",
    "plans",
    "scenarios",
)


@dataclass
class Times:
    """Seconds that callers have waited, by what they asked for; and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)

    def all(self) -> list[float]:
        """Return them together."""
        return [one for some in self.seconds.values() for one in some]

    def table(self, percent: int) -> str:
        """Return a row for each kind of request, and one for all, with one percentile beside median and maximum."""
        heads = ("request", "number", "p50", f"p{percent}", "max")
        lines = [f"| {' | '.join(heads)} |", "| --- | ---: | ---: | ---: | ---: |"]
        for name, some in [*sorted(self.seconds.items()), ("all", self.all())]:
            shown = [f"{1000 * one:,.0f} ms" for one in (percentile(some, 50), percentile(some, percent), max(some))]
            lines.append(f"| {name} | {len(some)} | {' | '.join(shown)} |")
        return "\n".join(lines)


@dataclass(frozen=True)
class Stored:
    """A published week in a store, one that is to be planned, and the header by which a scheduler is known."""

    url: str
    scenario: Scenario
    plan: Plan
    ahead: str
    headers: dict[str, str]


def percentile(seconds: Sequence[float], percent: int) -> float:
    """Return a percentile; the only one of one value."""
    return quantiles(seconds, n=100, method="inclusive")[percent - 1] if len(seconds) > 1 else seconds[0]


def week_after(scenario: Scenario) -> Scenario:
    """Return a week of other patients' visits that comes after a scenario, to be planned from nothing."""
    text = generate("week", 0, scenario.horizon.end).model_dump_json()
    for kind in ("visit", "patient"):
        text = text.replace(f'"{kind}-', f'"later-{kind}-')
    return Scenario.parse(text).changed(groups=())


def published(url: str, scenario: Scenario, plan: Plan) -> Stored:
    """Publish the week in a new store, keep the one after it, and make a scheduler."""
    database, ahead = Database(url), week_after(scenario)
    migrate(database)
    with database.writing() as session:
        periods.keep_scenario(session, scenario, NOW)
        periods.keep_scenario(session, ahead, NOW)
        account = add_account(session, SYSTEM, NewAccount("bench", AccessRole.SCHEDULER, None), "", None, utc_now())
        secret, _ = add_token(session, SYSTEM, account.id, "bench", utc_now() + timedelta(days=3650), utc_now())
    StoredWeek(database, scenario).publish(plan)
    database.close()
    return Stored(url, scenario, plan, ahead.id, bearer(secret))


def expected(answer: httpx2.Response, *statuses: int) -> httpx2.Response:
    """Return an answer, or end the benchmark when it is another one than it should be."""
    if answer.status_code not in statuses:
        raise SystemExit(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer


def asked_plan(client: httpx2.Client, week: str, seconds: float) -> str:
    """Ask for a plan, and return its id."""
    body = {"scenario": week, "seconds": seconds, "now": None}
    return str(expected(client.post("/v1/plans", json=body), 202).json()["id"])


def state_of(client: httpx2.Client, plan: str) -> str:
    """Return how a plan is."""
    return str(expected(client.get(f"/v1/plans/{plan}"), 200).json()["state"])


def until(client: httpx2.Client, plan: str, *states: str) -> None:
    """Wait until a plan is in one of some states."""
    while state_of(client, plan) not in states:
        time.sleep(0.5)


def reads(stored: Stored, rate: float, seconds: float) -> Times:
    """Read at a fixed rate while a plan is being made."""
    times, known = Times(), dict[str, str]()
    booked = [one.visit for one in stored.plan.visits]
    patients = [one.id for one in stored.scenario.patients]
    limits = httpx2.Limits(max_connections=THREADS, keepalive_expiry=2)  # before the server ends idle connections
    with (
        served(stored.url) as service,
        httpx2.Client(base_url=service.address, headers=stored.headers, timeout=60, limits=limits) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        made = asked_plan(client, stored.scenario.id, 2.0)
        until(client, made, "done", "failed")
        running = asked_plan(client, stored.ahead, seconds + 2 * WARM_SECONDS)
        until(client, running, "running")
        time.sleep(WARM_SECONDS)

        def read(number: int, pattern: str, due: float) -> None:
            time.sleep(max(0.0, due - time.perf_counter()))
            visit, patient = booked[number % len(booked)], patients[number % len(patients)]
            path = pattern.format(week=stored.scenario.id, visit=visit, patient=patient, plan=made)
            knows = {"If-None-Match": known[path]} if number % 2 and path in known else {}
            answer = client.get(f"/v1/{path}", headers=knows)
            times.seconds[pattern].append(time.perf_counter() - due)
            if answer.status_code not in (200, 304):
                times.faults.append(f"{path}: {answer.status_code} {answer.text[:200]}")
            if "etag" in answer.headers:
                known[path] = answer.headers["etag"]

        def change(number: int, due: float) -> None:
            time.sleep(max(0.0, due - time.perf_counter()))
            path = f"/v1/visits/{booked[number]}"
            tag = client.get(f"{path}/booking").headers["etag"]
            answer = client.put(f"{path}/pin", headers={"If-Match": tag})
            if answer.status_code != 200:
                times.faults.append(f"{path}/pin: {answer.status_code} {answer.text[:200]}")

        begin = time.perf_counter() + 1
        waiting = [
            pool.submit(change, number, begin + number * CHANGE_SECONDS) for number in range(int(seconds / CHANGE_SECONDS))
        ]
        for number, pattern in enumerate(islice(cycle(READS), int(rate * seconds))):
            due = begin + number / rate
            time.sleep(max(0.0, due - 0.5 - time.perf_counter()))  # a thread is not held for longer than it has to be
            waiting.append(pool.submit(read, number, pattern, due))
        for one in waiting:
            one.result()
        if state_of(client, running) != "running":
            times.faults.append("the plan was done before the reads were")
        until(client, running, "done", "failed")
        times.faults += plan_faults(client, running)
    return times


def plan_faults(client: httpx2.Client, plan: str) -> Iterator[str]:
    """Print what became of the plan that was made meanwhile; yield what is wrong with it."""
    told = expected(client.get(f"/v1/plans/{plan}"), 200).json()
    if told["state"] != "done":
        yield f"the plan is {told['state']}: {told['reason']}"
        return
    print(
        f"The plan made meanwhile, in {told['seconds']:g} s: cost {told['plan']['cost']:,}, bound {told['plan']['bound']:,}.\n"
    )


@contextmanager
def served_here(url: str, clock: Clock) -> Iterator[str]:
    """Serve in a thread of this process, by a clock of its own; yield the address."""
    context = create_context(Settings(database_url=url, secret=SECRET), clock=clock)
    server = uvicorn.Server(uvicorn.Config(create_app(context), host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def referrals(stored: Stored) -> Times:
    """Refer patients through the week."""
    times, clock, random = Times(), Clock(), Random(0)
    patients = [one.id for one in stored.scenario.patients]
    services = sorted({one.service for one in stored.scenario.reserves})
    with (
        served_here(stored.url, clock) as address,
        httpx2.Client(base_url=address, headers=stored.headers, timeout=60) as client,
    ):
        for moment in moments(stored.scenario):
            clock.now = moment
            body = {"patient": random.choice(patients), "service": random.choice(services)}
            begun = time.perf_counter()
            answer = client.post("/v1/referrals", json=body)
            seconds = time.perf_counter() - begun
            told = expected(answer, 201).json()
            moved = [one for one in told["changes"] if one["kind"] == "visit"]
            kind = "no place today" if told["booking"] is None else "others move" if moved else "nobody moves"
            times.seconds[kind].append(seconds)
            if told["booking"] is None and not told["reasons"]:
                times.faults.append(f"{told['visit']} has neither place nor reason")
    return times


def moments(scenario: Scenario) -> Iterator[datetime]:
    """Yield the instants at which patients are referred, by time."""
    days = sorted({shift.start.date() for one in scenario.providers for shift in one.shifts})
    for day in days:
        for minute in MOMENTS:
            yield scenario.grid.utc(datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute))


def main() -> int:
    """Measure both, print the tables and name every fault; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the service beside a plan that is being made, and referrals.")
    parser.add_argument("--week", default="week", help="a file, or one of tiny, week, month")
    parser.add_argument("--plan", type=Path, help="the plan of the week")
    parser.add_argument("--database", help="the URL of an empty PostgreSQL database")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0)
    given = parser.parse_args()
    week = scenario_of(given.week)
    plan = Plan.read(given.plan, week) if given.plan else solve(week, Limits(seconds=PLAN_SECONDS, workers=2))
    faults = []
    with tempfile.TemporaryDirectory() as place:
        stored = published(given.database or f"sqlite:///{place}/clinic.db", week, plan)
        print(f"{machine()}; {stored.url.partition(':')[0]}, {given.rate:g} reads a second for {given.seconds:g} s.\n")
        for name, times in (("reads", reads(stored, given.rate, given.seconds)), ("referrals", referrals(stored))):
            percent, most = MOST_SECONDS[name]
            print(times.table(percent), end="\n\n")
            faults += times.faults
            if (reached := percentile(times.all(), percent)) > most:
                faults.append(f"{name}: p{percent} is {reached:.2f} s, more than {most:g} s")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
