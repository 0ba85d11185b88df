"""Many clients at once who read patients and cancel visits, as a Markdown table.

``bench_clients.py [--clients 64] [--seconds 60] [--database URL]``: one process serves a published week, from an SQLite file or
an empty PostgreSQL database. Each client keeps a connection and asks again as soon as it is answered. First all read, then each
cancels visits of its own. The processor time is the service's, by request. The exit code is 1 when an answer is not what it
should be, or a figure misses its bound.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

from bench_plans import machine, scenario_of
from bench_service import Stored, percentile, published

sys.path[:0] = [str(Path(__file__).parents[1])]

from support.processes import served

from solver import Limits, solve

PLAN_SECONDS = 5.0
MOST_READ_MILLISECONDS, LEAST_READS, MOST_READ_SECONDS, LEAST_CANCELLATIONS = 3.0, 200.0, 0.6, 30.0
LOADED = "import solver; from api.cli.entry import main; main()"
"""Else the service would load the solver while it is measured."""

RIGHT = (200, 404)
"""A visit that cannot be without another has gone with it."""

SHARE_OF_CANCELLING = 0.25
"""Of the seconds; a week has some 500 visits to cancel."""


@dataclass(frozen=True)
class Figures:
    """What clients found: answers a second, waits of half and of the slowest hundredth, processor time of one answer."""

    a_second: float
    p50_seconds: float
    p99_seconds: float
    processor_milliseconds: float
    wrong: int


def measure(pid: int, port: int, seconds: float, clients: Sequence[Callable[[HTTPConnection], int | None]]) -> Figures:
    """Let clients ask until time is up, or until they have nothing left to ask for."""
    begun, processor, until = monotonic(), processor_seconds(pid), monotonic() + seconds

    def go_on(ask: Callable[[HTTPConnection], int | None]) -> tuple[list[float], int]:
        connection, taken, wrong = HTTPConnection("127.0.0.1", port, timeout=60), list[float](), 0
        while (asked := monotonic()) < until and (status := ask(connection)) is not None:
            taken.append(monotonic() - asked)
            wrong += status not in RIGHT
        connection.close()
        return taken, wrong

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(go_on, clients))
    taken = [each for some, _ in answers for each in some]
    used = (processor_seconds(pid) - processor) * 1000 / len(taken)
    wrong = sum(wrong for _, wrong in answers)
    return Figures(len(taken) / (monotonic() - begun), percentile(taken, 50), percentile(taken, 99), used, wrong)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(connection: HTTPConnection, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Return the status of an answer, and its ETag."""
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("etag") or ""


def reader(stored: Stored, number: int) -> Callable[[HTTPConnection], int]:
    """Return what reads one patient again and again."""
    patients = stored.scenario.patients
    path = f"/v1/patients/{patients[number % len(patients)].id}"
    return lambda connection: ask(connection, "GET", path, stored.headers)[0]


def canceller(stored: Stored, number: int, clients: int) -> Callable[[HTTPConnection], int | None]:
    """Return what cancels one visit after the other, each once its version was read."""
    visits = iter(stored.plan.visits[number::clients])

    def cancel(connection: HTTPConnection) -> int | None:
        visit = next(visits, None)
        if visit is None:
            return None
        path = f"/v1/visits/{visit.visit}/booking"
        _, version = ask(connection, "GET", path, stored.headers)
        return ask(connection, "DELETE", path, {**stored.headers, "If-Match": version})[0]

    return cancel


def main() -> int:
    """Measure both, print them, and tell what misses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--database")
    given = parser.parse_args()
    week = scenario_of("week")
    plan = solve(week, Limits(seconds=PLAN_SECONDS, workers=2))
    with tempfile.TemporaryDirectory() as place:
        stored = published(given.database or f"sqlite:///{place}/clinic.db", week, plan)
        with served(stored.url, command=(sys.executable, "-c", LOADED, "serve", "--port", "0", "--no-worker")) as service:
            port, pid, numbers = int(service.address.rsplit(":", 1)[1]), service.process.pid, range(given.clients)
            read = measure(pid, port, given.seconds, [reader(stored, number) for number in numbers])
            cancelling = [canceller(stored, number, given.clients) for number in numbers]
            cancelled = measure(pid, port, given.seconds * SHARE_OF_CANCELLING, cancelling)
    print(f"{machine()}; {stored.url.partition(':')[0]}, {given.clients} clients.\n")
    print("| what | a second | p50 | p99 | processor | wrong |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, figures in (("audited reads", read), ("cancellations", cancelled)):
        waits = f"{figures.p50_seconds:.2f} s | {figures.p99_seconds:.2f} s"
        print(f"| {name} | {figures.a_second:.0f} | {waits} | {figures.processor_milliseconds:.1f} ms | {figures.wrong} |")
    is_good = not read.wrong and not cancelled.wrong and read.processor_milliseconds <= MOST_READ_MILLISECONDS
    is_fast = read.a_second >= LEAST_READS and read.p99_seconds <= MOST_READ_SECONDS
    return 0 if is_good and is_fast and cancelled.a_second >= LEAST_CANCELLATIONS else 1


if __name__ == "__main__":
    sys.exit(main())
