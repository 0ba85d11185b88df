"""The database itself refuses to give a provider, a room or a patient to two at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, update
from sqlmodel import Session, col

from api.store import guards
from api.store.database import Database, translate_errors
from api.store.errors import ConstraintViolated, DoubleBooked, StoreError
from api.store.queries.placings import RESOURCES
from api.store.tables import BookingRow, OccupancyRow, PeriodRow
from api.store.tables.plans import OccupancyKind

NINE = datetime(2026, 11, 30, 14, tzinfo=UTC)
KINDS: tuple[OccupancyKind, ...] = ("team", "room", "patient")


@pytest.fixture
def store(store: Database) -> Database:
    """Return a store with a period."""
    add_week(store)
    return store


def add_week(store: Database) -> None:
    """Put a period for bookings to be of."""
    with store.writing() as session:
        dates = {"starts_on": NINE.date(), "ends_on": NINE.date() + timedelta(days=7)}
        session.add(PeriodRow(id="week", policy="{}", **dates))


def put(session: Session, name: str, begin: int, end: int, kind: OccupancyKind = "room", what: str = "one") -> None:
    """Book something from one minute to another after nine, by rows alone."""
    when = {"starts_at": NINE + timedelta(minutes=begin), "ends_at": NINE + timedelta(minutes=end)}
    about = {"kind": "visit", "subject_id": name, "service": "s", "location": "wang"}
    session.add(BookingRow(id=name, period_id="week", updated_at=NINE, **about, **when))
    session.flush()
    taken = {"resource": RESOURCES[kind], "resource_id": what}
    session.add(OccupancyRow(booking_id=name, kind=kind, position=0, **taken, **when))
    session.flush()


def take(store: Database, name: str, begin: int, end: int, kind: OccupancyKind = "room", what: str = "one") -> None:
    """Book something in a transaction of its own."""
    with store.writing() as session:
        put(session, name, begin, end, kind, what)


@pytest.mark.parametrize("kind", KINDS)
def test_what_overlaps_is_refused_and_what_only_touches_is_taken(store: Database, kind: OccupancyKind) -> None:
    take(store, "first", 0, 30, kind)
    for begin, end in ((29, 60), (-30, 1), (0, 30), (10, 20), (-10, 40)):
        with pytest.raises(DoubleBooked):
            take(store, f"{begin} to {end}", begin, end, kind)
    take(store, "after", 30, 31, kind)
    take(store, "before", -5, 0, kind)


def test_another_of_the_same_id_but_not_the_same_thing_is_taken(store: Database) -> None:
    take(store, "first", 0, 30, "room", "one")
    take(store, "second", 0, 30, "room", "two")
    take(store, "third", 0, 30, "patient", "one")


def test_a_provider_may_supervise_two_at_once_and_be_in_a_team_besides(store: Database) -> None:
    take(store, "first", 0, 30, "supervisor")
    take(store, "second", 0, 30, "supervisor")
    take(store, "third", 0, 30, "team")
    with pytest.raises(DoubleBooked):
        take(store, "fourth", 0, 30, "team")


def test_the_longest_booking_is_seen_from_its_last_minute(store: Database) -> None:
    longest = guards.LONGEST_DAYS * 1440
    take(store, "first", 0, longest)
    with pytest.raises(DoubleBooked):
        take(store, "second", longest - 1, longest + 30)
    with pytest.raises(ConstraintViolated, match=guards.TOO_LONG):
        take(store, "third", longest, 2 * longest + 1)


def test_no_change_of_a_row_makes_it_overlap(store: Database) -> None:
    take(store, "first", 0, 30)
    take(store, "second", 30, 60)
    later = update(OccupancyRow).where(col(OccupancyRow.booking_id) == "first")
    with pytest.raises(DoubleBooked), store.writing() as session:
        session.exec(later.values(ends_at=NINE + timedelta(minutes=31)))
    with store.writing() as session:
        session.exec(later.values(ends_at=NINE + timedelta(minutes=29)))
    with pytest.raises(StoreError), store.writing() as session:
        session.exec(later.values(kind="team"))


def test_what_is_taken_begins_when_its_booking_does(store: Database) -> None:
    take(store, "first", 0, 30)
    moved = update(BookingRow).where(col(BookingRow.id) == "first")
    with pytest.raises(StoreError), store.writing() as session:
        session.exec(moved.values(starts_at=NINE - timedelta(minutes=10)))


def race(clients: int, book: Callable[[int], None]) -> list[int]:
    """Return who of some clients that book at once was let."""
    won: list[int] = []
    begin = threading.Barrier(clients)

    def client(number: int) -> None:
        begin.wait()
        try:
            book(number)
        except StoreError:
            return
        won.append(number)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def test_of_many_who_book_one_place_at_once_exactly_one_is_let(store: Database) -> None:
    won = race(16, lambda number: take(store, f"client-{number}", number, 60))
    assert len(won) == 1


def unguarded(store: Database) -> None:
    """Take the guards away."""
    with store.writing() as session:
        for statement in guards.undoing_statements(session.connection().dialect.name):
            session.connection().exec_driver_sql(statement)


def test_without_the_guards_all_of_them_would_be_let(store: Database) -> None:
    unguarded(store)
    won = race(4, lambda number: take(store, f"client-{number}", number, 60))
    assert len(won) == 4


def test_writers_that_do_not_wait_their_turn_are_refused_as_well(postgresql_url: str) -> None:
    """The constraint needs no help from the store's one writer at a time: here everybody writes at once."""
    store = Database(postgresql_url)
    add_week(store)
    everybody = create_engine(store.url, pool_size=8)

    def book(number: int) -> None:
        with translate_errors(), Session(everybody) as session, session.begin():
            put(session, f"client-{number}", number, 60)

    assert len(race(8, book)) == 1
    everybody.dispose()
    store.close()


def test_on_sqlite_the_guard_reads_an_index_and_not_the_whole_past(sqlite_url: str) -> None:
    store = Database(sqlite_url)
    with store.reading() as session:
        rows = session.connection()
        written = rows.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'double_booked_insert'").scalar_one()
        looks = re.search(r"EXISTS \((.*?)\n\);", written, re.DOTALL)
        assert looks is not None
        query = re.sub(r"NEW\.\w+", "'2026-11-30 14:00:00.000000'", looks[1])
        plan = str(rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
    assert "ix_occupancies_taken (resource=? AND resource_id=? AND starts_at>? AND starts_at<?)" in plan
    store.close()
