"""Feeds that calendars poll: how long they wait, as a Markdown table.

Run it in the project's environment, never as a part of the test suite; it takes two minutes::

    python tests/benchmarks/bench_feeds.py [--week week] [--plan PLAN] [--database URL] [--seconds 60] [--feeds 200]

The week is a scenario file, or a size of ``clinicweave generate``, with seed 0; without a PLAN its first plan is built. It is
published in a new store, and feeds of its providers, rooms, groups, locations and patients are subscribed to. Then each feed
is polled once a minute, at a moment of its own and over a connection of its own, by programs that know their last copy,
``FORGOTTEN`` of them not. Every ``CHANGE_SECONDS`` a visit is cancelled, after which the feeds that showed it are rendered
anew at their next poll. A poll counts from the moment at which it was due.

The exit code is 1 when an answer is not what it should be, or a time is above ``MOST_SECONDS``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from random import Random
from threading import Thread
from urllib.parse import urlsplit

import httpx2
from bench_plans import machine, scenario_of
from bench_service import THREADS, Stored, Times, expected, percentile, published

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS)]

from support.processes import served

from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver.search.construct import construct
from solver.state.domains import Domains
from solver.state.placements import make_plan

A_MINUTE = 60.0
CHANGE_SECONDS = 5.0
FORGOTTEN = 0.3

GIVEN, KNOWN = "given (200)", "still known (304)"
MOST_SECONDS = {GIVEN: 0.050, KNOWN: 0.010}
"""The 99th percentile that must stay below how many seconds."""


def subjects(week: Scenario) -> Iterator[tuple[str, str]]:
    """Yield whose feeds there are, patients last."""
    for kind, ids in (
        ("provider", week.providers_by_id),
        ("room", week.rooms),
        ("group", week.groups_by_id),
        ("location", week.locations),
        ("patient", week.patients_by_id),
    ):
        yield from ((kind, identifier) for identifier in ids)


def subscribed(client: httpx2.Client, kind: str, subject: str) -> str:
    """Make a feed, and return the path of its address."""
    if kind == "patient":
        answer = client.post(f"/v1/patients/{subject}/feeds")
    else:
        answer = client.post("/v1/feeds", json={"kind": kind, "subject": subject})
    return httpx2.URL(str(expected(answer, 201).json()["url"])).path


def polls(stored: Stored, feeds: int, seconds: float) -> Times:
    """Poll feeds once a minute each, for some seconds."""
    times, known = Times(), dict[str, str]()
    linked = {end for link in stored.scenario.links for end in (link.before, link.after)}
    visits = [visit.visit for visit in stored.plan.visits if visit.visit not in linked]
    with (
        served(stored.url, "--no-worker") as service,
        httpx2.Client(base_url=service.address, headers=stored.headers, timeout=60) as desk,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        paths = [subscribed(desk, *subject) for subject in islice(subjects(stored.scenario), feeds)]

        def poll(path: str, due: float, forgets: bool) -> None:
            time.sleep(max(0.0, due - time.perf_counter()))
            knows = {} if forgets else {"If-None-Match": known[path]}
            with closing(HTTPConnection(urlsplit(service.address).netloc, timeout=60)) as program:
                program.request("GET", path, headers={"Accept-Encoding": "gzip"} | knows)
                answer = program.getresponse()
                answer.read()
            sort = KNOWN if answer.status == 304 else GIVEN
            times.seconds[sort].append(time.perf_counter() - due)
            if answer.status not in (200, 304):
                times.faults.append(f"a feed: {answer.status}")
            known[path] = answer.headers["ETag"] or ""

        def change(number: int, due: float) -> None:
            time.sleep(max(0.0, due - time.perf_counter()))
            path = f"/v1/visits/{visits[number]}"
            tag = desk.get(f"{path}/booking").headers["etag"]
            expected(desk.delete(f"{path}/booking", headers={"If-Match": tag}), 200)

        for path in paths:  # every program has a copy
            poll(path, 0.0, True)
        times.seconds.clear()
        begin = time.perf_counter() + 1
        chance = Random(0)
        moments = sorted((begin + chance.uniform(0, A_MINUTE), path) for path in paths)
        rounds = range(max(1, round(seconds / A_MINUTE)))
        due = [(moment + number * A_MINUTE, path, chance.random() < FORGOTTEN) for number in rounds for moment, path in moments]
        changes = range(int(seconds / CHANGE_SECONDS))
        changing = [Thread(target=change, args=(one, begin + one * CHANGE_SECONDS), daemon=True) for one in changes]
        for thread in changing:
            thread.start()
        for waiting in [pool.submit(poll, path, moment, forgets) for moment, path, forgets in due]:
            waiting.result()
        for thread in changing:
            thread.join()
    return times


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--week", default="week")
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--database")
    parser.add_argument("--seconds", type=float, default=A_MINUTE)
    parser.add_argument("--feeds", type=int, default=200)
    options = parser.parse_args()
    week = scenario_of(options.week)
    if options.plan is None:
        domains = Domains(week)
        plan = make_plan(domains, construct(domains))
    else:
        plan = Plan.read(options.plan, week)
    with tempfile.TemporaryDirectory() as folder:
        times = polls(published(options.database or f"sqlite:///{folder}/store.db", week, plan), options.feeds, options.seconds)
    print(f"{machine()}; {options.feeds} feeds of {week.id}, {len(plan.visits)} visits, polled once a minute each\n")
    print(times.table(99))
    slow = [sort for sort, most in MOST_SECONDS.items() if percentile(times.seconds[sort], 99) > most]
    for fault in [*times.faults[:10], *(f"{sort}: too slow" for sort in slow)]:
        print(fault, file=sys.stderr)
    return 1 if times.faults or slow else 0


if __name__ == "__main__":
    sys.exit(main())
