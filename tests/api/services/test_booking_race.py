"""Many clients book one place at once, through two processes: one wins, and everybody else hears why not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import factories
import httpx2
import pytest
from factories import visit
from frontdesk import FrontDesk, front_desk, furnish, wanted
from service import SECRET, Clock, bearer

from api.services import bookings as service
from api.store import bookings, periods
from api.store.database import Database
from api.store.guards import undoing_statements
from scheduling.scenario import Scenario

ROOT = Path(__file__).parents[3]
CLIENTS = 64
PLACES = [f"{day} {hour:02}:00" for day in factories.WORKDAYS for hour in range(8, 12)]
COMMAND = (sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0", "--no-worker")


@pytest.fixture
def asked() -> Scenario:
    """Return a week in which one visit of each client waits."""
    names = [f"p-{number:02}" for number in range(CLIENTS)]
    visits = [visit(f"v-{number:02}", name) for number, name in enumerate(names)]
    return factories.scenario(*visits, patients=[factories.patient(name) for name in names])


@contextmanager
def process(url: str) -> Iterator[str]:
    """Start a process of the service, and yield its address."""
    given = {"CLINICWEAVE_DATABASE_URL": url, "CLINICWEAVE_SECRET": SECRET, "CLINICWEAVE_REQUESTS_PER_MINUTE": "1000000"}
    environment = os.environ | given | {"PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    found = (re.search(r"running on (http://[\d.:]+)", line) for line in running.stderr)
    address = next((one[1] for one in found if one), "")
    reader = Thread(target=running.stderr.read)  # else the process would stop at a full pipe
    reader.start()
    try:
        yield address
    finally:
        running.kill()
        running.wait()
        reader.join()
        running.stderr.close()


def at_once(book: Callable[[int], int], clients: int = CLIENTS) -> Counter[int]:
    """Let clients book at the same moment; return how many got which status."""
    together = Barrier(clients)

    def one(number: int) -> int:
        together.wait()
        return book(number)

    with ThreadPoolExecutor(clients) as pool:
        return Counter(pool.map(one, range(clients)))


def compete(url: str, asked: Scenario, rounds: int) -> list[Counter[int]]:
    """Let all clients book one place in each round, half of them through each of two processes."""
    database = Database(url)
    scheduler, _ = furnish(database, asked, None, Clock())
    found = []
    with ExitStack() as stack:
        addresses = [stack.enter_context(process(url)) for _ in range(2)]
        limits = httpx2.Limits(max_connections=CLIENTS)
        clients = [
            stack.enter_context(httpx2.Client(base_url=one, headers=bearer(scheduler), timeout=60, limits=limits))
            for one in addresses
        ]
        for number in range(rounds):
            place = wanted(PLACES[number % len(PLACES)])

            def book(client: int, place: dict[str, Any] = place) -> int:
                return clients[client % 2].post(f"/v1/visits/v-{client:02}/booking", json=place).status_code

            found.append(at_once(book))
            clear(database)
    database.close()
    return found


def clear(database: Database) -> None:
    """Cancel whatever stands."""
    with database.writing() as session:
        for one in bookings.standing(session, "test-week").values():
            bookings.cancel(session, one.row.id, Clock().now)
        periods.touch(session, "test-week")


def test_of_many_clients_exactly_one_books_the_place(store_url: str, asked: Scenario) -> None:
    assert compete(store_url, asked, 1) == [Counter({409: CLIENTS - 1, 201: 1})]


@pytest.mark.heavy
def test_of_many_clients_exactly_one_books_the_place_each_time(store_url: str, asked: Scenario) -> None:
    assert compete(store_url, asked, 100) == [Counter({409: CLIENTS - 1, 201: 1})] * 100


@pytest.fixture
def desk(sqlite_url: str, asked: Scenario) -> Iterator[FrontDesk]:
    with front_desk(sqlite_url, asked, None) as desk:
        yield desk


def race(desk: FrontDesk, clients: int = 8) -> Counter[int]:
    return at_once(lambda number: int(desk.book(f"v-{number:02}", PLACES[0]).status_code), clients)


def leave_out_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_broken", lambda *_: [])


def test_where_the_rules_are_not_checked_the_database_refuses_all_but_one(
    desk: FrontDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_the_check(monkeypatch)
    assert race(desk) == Counter({409: 7, 201: 1})


def test_without_check_and_constraint_the_place_is_booked_by_everybody(
    desk: FrontDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_the_check(monkeypatch)
    with desk.shell.database.engine.begin() as connection:
        for statement in undoing_statements("sqlite"):
            connection.exec_driver_sql(statement)
    assert race(desk) == Counter({201: 8})


def test_bookings_of_different_places_at_once_are_all_made(desk: FrontDesk) -> None:
    found = at_once(lambda number: int(desk.book(f"v-{number:02}", PLACES[number]).status_code), 8)
    assert found == Counter({201: 8})
    assert len(desk.stands()) == 8
