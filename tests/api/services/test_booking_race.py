"""Many clients book one place at once, through two processes: one wins, and everybody else hears why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support import factories
from support.factories import visit
from support.frontdesk import FrontDesk, front_desk, furnish, wanted
from support.races import at_once, two_processes
from support.service import Clock
from support.stored import NOW

from api.services.weeks.week import WeekSnapshot
from api.store.database import Database
from api.store.guards import undoing_statements
from api.store.queries import bookings, periods
from scheduling.scenario import Scenario

CLIENTS = 64
PLACES = [f"{day} {hour:02}:00" for day in factories.WORKDAYS for hour in range(8, 12)]


@pytest.fixture
def asked() -> Scenario:
    """Return a week in which one visit of each client waits."""
    names = [f"p-{number:02}" for number in range(CLIENTS)]
    visits = [visit(f"v-{number:02}", name) for number, name in enumerate(names)]
    return factories.scenario(*visits, patients=[factories.patient(name) for name in names])


def compete(database: Database, asked: Scenario, rounds: int) -> list[Counter[int]]:
    """Let all clients book one place in each round, half of them through each of two processes."""
    url = database.url.render_as_string(hide_password=False)
    scheduler, _ = furnish(database, asked, None, Clock())
    found = []
    with two_processes(url, scheduler, CLIENTS, NOW) as clients:
        for number in range(rounds):
            place = wanted(PLACES[number % len(PLACES)])

            def book(client: int, place: dict[str, Any] = place) -> int:
                return clients[client % 2].post(f"/v1/visits/v-{client:02}/booking", json=place).status_code

            found.append(Counter(at_once(book, CLIENTS)))
            clear(database)
    return found


def clear(database: Database) -> None:
    """Cancel whatever stands."""
    with database.writing() as session:
        for one in bookings.list_standing(session, "test-week").values():
            bookings.cancel(session, one.row.id, Clock().now)
        periods.touch(session, "test-week")


def test_of_many_clients_exactly_one_books_the_place(store: Database, asked: Scenario) -> None:
    assert compete(store, asked, 1) == [Counter({409: CLIENTS - 1, 201: 1})]


@pytest.mark.heavy
def test_of_many_clients_exactly_one_books_the_place_each_time(store: Database, asked: Scenario) -> None:
    assert compete(store, asked, 100) == [Counter({409: CLIENTS - 1, 201: 1})] * 100


@pytest.fixture
def desk(sqlite_url: str, asked: Scenario) -> Iterator[FrontDesk]:
    with front_desk(sqlite_url, asked, None) as desk:
        yield desk


def race(desk: FrontDesk, clients: int = 8) -> Counter[int]:
    return Counter(at_once(lambda number: int(desk.book(f"v-{number:02}", PLACES[0]).status_code), clients))


def leave_out_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WeekSnapshot, "find_newly_broken", lambda *_: ())


def test_where_the_rules_are_not_checked_the_database_refuses_all_but_one(
    desk: FrontDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_the_check(monkeypatch)
    assert race(desk) == Counter({409: 7, 201: 1})


def test_without_check_and_constraint_the_place_is_booked_by_everybody(
    desk: FrontDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_the_check(monkeypatch)
    with desk.context.database.engine.begin() as connection:
        for statement in undoing_statements("sqlite"):
            connection.exec_driver_sql(statement)
    assert race(desk) == Counter({201: 8})


def test_bookings_of_different_places_at_once_are_all_made(desk: FrontDesk) -> None:
    found = at_once(lambda number: int(desk.book(f"v-{number:02}", PLACES[number]).status_code), 8)
    assert found == [201] * 8
    assert len(desk.stands()) == 8
