"""A plan is published while many clients book: nothing overlaps, and nothing that a client was told is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support import factories
from support.factories import Wish, booking, visit
from support.frontdesk import FrontDesk, front_desk, furnish, wanted
from support.races import at_once, half_written, overlaps, two_processes
from support.service import Clock
from support.stored import NOW, StoredWeek

from api.services.bookings import by_hand, publishing
from api.store.database import Database
from api.store.guards import undoing_statements
from api.store.queries import bookings, periods
from scheduling.scenario import Scenario

CLIENTS = 32
PLANNED = 6
DAYS = factories.WORKDAYS
PLACES = [f"{day} {hour:02}:00" for day in DAYS for hour in range(8, 12)]
"""Where clients book, with ana: each place is wanted by one or two of them, and some by a plan."""


@pytest.fixture
def asked() -> Scenario:
    """Return a week with visits that clients book by hand, and others that are planned."""
    names = [f"p-{number:02}" for number in range(CLIENTS + PLANNED)]
    by_hand = [visit(f"v-{number:02}", name) for number, name in enumerate(names[:CLIENTS])]
    planned = [visit(f"w-{number}", name) for number, name in enumerate(names[CLIENTS:])]
    return factories.scenario(*by_hand, *planned, patients=[factories.patient(name) for name in names])


def wishes(first: int) -> list[Wish]:
    """Return one of two plans: half of it where clients want to be too, half where nobody else does."""
    taken = [PLACES[(first + number) % len(PLACES)] for number in range(PLANNED // 2)]
    free = [f"{day} {first + 13}:00" for day in DAYS[: PLANNED // 2]]
    return [booking(f"w-{number}", start) for number, start in enumerate([*taken, *free])]


def starts(stands: Sequence[Wish] | None) -> dict[str, str]:
    return {one.id: factories.at(one.start) for one in stands or ()}


def clear(database: Database) -> None:
    """Cancel what clients have booked."""
    with database.writing() as session:
        for (_, name, _), one in bookings.list_standing(session, "test-week").items():
            if name.startswith("v-"):
                bookings.cancel(session, one.row.id, Clock().now)
        periods.touch(session, "test-week")


MOST_MORE = 20


def compete(database: Database, asked: Scenario, rounds: int) -> None:
    """In each round publish one of two plans while all clients book, and hold the store against what they were told.

    Rounds go on until a plan was fast enough to be published.
    """
    url = database.url.render_as_string(hide_password=False)
    scheduler, _ = furnish(database, asked, None, Clock())
    week = StoredWeek(database, asked)
    both = [wishes(0), wishes(1)]
    made = [week.made(factories.plan(asked, *one)) for one in both]
    published: list[Wish] | None = None
    with two_processes(url, scheduler, CLIENTS + 1, NOW) as processes:
        for number in range(rounds + MOST_MORE):
            if number >= rounds and published is not None:
                break

            def act(client: int, number: int = number) -> Any:
                if client == CLIENTS:
                    return processes[number % 2].post("/v1/publications", json={"plan": made[number % 2]})
                place = wanted(PLACES[client % len(PLACES)])
                return processes[client % 2].post(f"/v1/visits/v-{client:02}/booking", json=place)

            *booked, publication = at_once(act, CLIENTS + 1)
            assert {answer.status_code for answer in (*booked, publication)} <= {201, 409}, [one.text for one in booked]
            published = both[number % 2] if publication.status_code == 201 else published
            told = {one.json()["visit"]: one.json()["start"] for one in booked if one.status_code == 201}
            assert told, "else nothing was decided"
            assert told | starts(published) == {one.visit: f"{one.start:%Y-%m-%dT%H:%M}" for one in week.standing().visits}
            assert overlaps(database) == []
            clear(database)
    assert published is not None, "else no plan was ever published"


def test_nothing_overlaps_and_nothing_is_lost(store: Database, asked: Scenario) -> None:
    compete(store, asked, 2)


@pytest.mark.heavy
def test_nothing_overlaps_and_nothing_is_lost_each_time(store: Database, asked: Scenario) -> None:
    compete(store, asked, 50)


@pytest.fixture
def desk(sqlite_url: str, asked: Scenario) -> Iterator[FrontDesk]:
    with front_desk(sqlite_url, asked, None) as desk:
        yield desk


def published_over(desk: FrontDesk, asked: Scenario) -> int:
    """Book a place that a plan has too, and publish the plan; return the status."""
    made = StoredWeek(desk.context.database, asked).made(factories.plan(asked, *wishes(0)))
    assert desk.book("v-00", PLACES[0]).status_code == 201
    return int(desk.ask("POST", "/v1/publications", {"plan": made}).status_code)


def test_a_plan_over_what_was_booked_is_refused_by_its_rules(desk: FrontDesk, asked: Scenario) -> None:
    assert (published_over(desk, asked), overlaps(desk.context.database)) == (409, [])
    assert list(desk.stands()) == ["v-00"]


def test_without_the_rules_the_database_refuses_it(desk: FrontDesk, asked: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_expect_rules_kept", lambda *_: None)
    assert (published_over(desk, asked), overlaps(desk.context.database)) == (409, [])
    assert list(desk.stands()) == ["v-00"]


def test_without_rules_and_constraint_the_overlap_is_found(
    desk: FrontDesk, asked: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_expect_rules_kept", lambda *_: None)
    with desk.context.database.engine.begin() as connection:
        for statement in undoing_statements("sqlite"):
            connection.exec_driver_sql(statement)
    assert published_over(desk, asked) == 201
    assert [overlap.split()[:2] for overlap in overlaps(desk.context.database)] == [
        ["provider", "ana"],
        ["room", "wang-exam-1"],
    ]


def test_a_booking_without_its_audit_or_its_people_is_found(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.book("v-00", PLACES[0]).status_code == 201
    assert half_written(desk.context.database) == []
    monkeypatch.setattr(by_hand, "write_audit", lambda *_, **__: None)
    assert desk.book("v-01", PLACES[1]).status_code == 201
    assert half_written(desk.context.database) == ["v-01"]
