"""The routes that a desk waits for: the board, a visit picked up, a place hovered over, what others change, a live plan.

Run it in the project's environment, never as a part of the test suite; it takes a minute::

    python tests/benchmarks/bench_desk.py [--week week] [--plan PLAN] [--database URL] [--visits 60]

The week is a scenario file, or a size of ``clinicweave generate``, with seed 0; without a PLAN it is planned first, for 20 s.
``clinicweave serve`` serves it from a new store: an SQLite file, or the empty PostgreSQL database that the URL names. Times are
those of a caller on the same machine, HTTP included. Each visit that is picked up is hovered over at one of its free places
and put there, so every picking up meets a new version of the week.

The exit code is 1 when an answer is not what it should be, or a time is above ``MOST_SECONDS``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from random import Random
from threading import Thread
from typing import Any

import httpx2
from bench_plans import machine, scenario_of
from bench_service import PLAN_SECONDS, Stored, Times, expected, percentile, published

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS)]

from support.processes import served

from scheduling.plan import Plan
from solver import Limits, solve

BOARDS = 20
CHANGES = 10
"""Changes of which is measured when another reader hears of them."""

MOST_SECONDS = {
    "board": {50: 0.25},
    "pick up": {50: 0.05, 95: 0.1},
    "hover": {50: 0.08, 95: 0.15},
    "others hear": {95: 2.0},
    "first progress": {50: 1.0},
    "stop and keep": {50: 5.0},
}
"""For each row the percentiles that must stay below how many seconds."""


class Desk:
    """Who asks the service about the week, and how long each answer takes."""

    def __init__(self, client: httpx2.Client, stored: Stored) -> None:
        self.client, self.stored, self.times = client, stored, Times()
        self.week = f"/v1/scenarios/{stored.scenario.id}"

    def timed(self, name: str, ask: Callable[[], httpx2.Response], status: int = 200) -> Any:
        """Return an answer, and keep how long it took."""
        begun = time.perf_counter()
        answer = ask()
        self.times.seconds[name].append(time.perf_counter() - begun)
        expected(answer, status)
        return answer.json() if status == 200 else answer

    def measure_boards(self) -> None:
        """Read the board, and again as somebody who knows it."""
        for _ in range(BOARDS):
            self.timed("board", lambda: self.client.get(f"{self.week}/board"))
        known = {"If-None-Match": self.tag()}
        for _ in range(BOARDS):
            self.timed("board, known", lambda: self.client.get(f"{self.week}/board", headers=known), 304)

    def measure_moves(self, count: int) -> None:
        """Pick visits up, hover over a free place of each, and put it there."""
        random = Random(0)
        for visit in random.sample([booking.visit for booking in self.stored.plan.visits], count):
            places = self.timed("pick up", lambda visit=visit: self.client.get(f"/v1/visits/{visit}/places"))
            if not places["best"]:
                continue
            body = {"changes": [place_at(visit, random.choice(places["best"])["place"])]}
            judged = self.timed("hover", lambda body=body: self.client.post(f"{self.week}/judgements", json=body))
            if judged["broken"]:
                self.times.faults.append(f"{visit}: a free place breaks {judged['broken'][0]['rule']}")
            self.apply(body)

    def apply(self, body: dict[str, Any]) -> None:
        """Apply changes to the week as it stands."""
        tag = {"If-Match": self.tag()}
        self.timed("apply", lambda: self.client.post(f"{self.week}/changes", json=body, headers=tag), 201)

    def measure_stream(self) -> None:
        """Let another reader listen while visits are pinned."""
        with heard(self.client, f"{self.week}/changes") as events:
            events.get(timeout=30)
            for booking in self.stored.plan.visits[:CHANGES]:
                path = f"/v1/visits/{booking.visit}"
                tag = self.client.get(f"{path}/booking").headers["etag"]
                expected(self.client.put(f"{path}/pin", headers={"If-Match": tag}), 200)
                begun = time.perf_counter()
                told = json.loads(events.get(timeout=30))
                self.times.seconds["others hear"].append(time.perf_counter() - begun)
                if told["visits"] != [booking.visit]:
                    self.times.faults.append(f"others hear of {told['visits']}, not of {booking.visit}")

    def measure_plan(self) -> None:
        """Ask for a plan, hear the first of it, and stop with the best."""
        body = {"scenario": self.stored.ahead, "seconds": 60, "now": None}
        begun = time.perf_counter()
        plan = expected(self.client.post("/v1/plans", json=body), 202).json()["id"]
        with heard(self.client, f"/v1/plans/{plan}/events") as events:
            events.get(timeout=30)
            self.times.seconds["first progress"].append(time.perf_counter() - begun)
            while json.loads(events.get(timeout=300)).get("cost") is None:
                pass
        begun = time.perf_counter()
        expected(self.client.post(f"/v1/plans/{plan}/end"), 202)
        while (state := self.client.get(f"/v1/plans/{plan}?fields=kpis").json()["state"]) == "running":
            time.sleep(0.1)
        self.times.seconds["stop and keep"].append(time.perf_counter() - begun)
        if state != "done":
            self.times.faults.append(f"the plan that was stopped is {state}")

    def tag(self) -> str:
        """Return the week's ETag."""
        return str(self.client.get(f"{self.week}/board").headers["etag"])


def place_at(visit: str, place: dict[str, Any]) -> dict[str, Any]:
    """Return the change that puts a visit at a place."""
    where = {name: place[name] for name in ("start", "location", "room", "team", "supervisors")}
    return {"kind": "place", "visit": visit, **where}


@contextmanager
def heard(client: httpx2.Client, path: str) -> Iterator[SimpleQueue[str]]:
    """Listen to a stream in a thread; yield the queue of its events' data."""
    events: SimpleQueue[str] = SimpleQueue()
    with httpx2.Client(base_url=client.base_url, headers=client.headers, timeout=120) as own, own.stream("GET", path) as stream:

        def listen() -> None:
            try:
                for line in stream.iter_lines():
                    if line.startswith("data: "):
                        events.put(line.removeprefix("data: "))
            except httpx2.HTTPError:
                return  # the reader has gone

        thread = Thread(target=listen, daemon=True)
        thread.start()
        yield events


def main() -> int:
    """Measure, print the table and name every fault; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the routes that a desk waits for.")
    parser.add_argument("--week", default="week", help="a file, or one of tiny, week, month")
    parser.add_argument("--plan", type=Path, help="the plan of the week")
    parser.add_argument("--database", help="the URL of an empty PostgreSQL database")
    parser.add_argument("--visits", type=int, default=60)
    given = parser.parse_args()
    week = scenario_of(given.week)
    plan = Plan.read(given.plan, week) if given.plan else solve(week, Limits(seconds=PLAN_SECONDS, workers=2))
    with tempfile.TemporaryDirectory() as place:
        stored = published(given.database or f"sqlite:///{place}/clinic.db", week, plan)
        print(f"{machine()}; {stored.url.partition(':')[0]}, {len(plan.visits)} visits planned.\n")
        with (
            served(stored.url) as service,
            httpx2.Client(base_url=service.address, headers=stored.headers, timeout=60) as client,
        ):
            desk = Desk(client, stored)
            desk.measure_boards()
            desk.measure_moves(given.visits)
            desk.measure_stream()
            desk.measure_plan()
    times = desk.times
    print(times.table(95), end="\n\n")
    for name, limits in MOST_SECONDS.items():
        for percent, most in limits.items():
            if (reached := percentile(times.seconds[name], percent)) > most:
                times.faults.append(f"{name}: p{percent} is {reached:.3f} s, more than {most:g} s")
    for fault in times.faults:
        print(fault, file=sys.stderr)
    return 1 if times.faults else 0


if __name__ == "__main__":
    sys.exit(main())
