"""However long the past, next week is read in the same few queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import pytest
from sqlalchemy import event
from support.history import NOW, live_through

from api.services.accounts.accounts import SYSTEM
from api.services.care import rolling
from api.store.database import Database
from api.store.migrations import migrate

FEW = 32
"""Queries of a week: one for each thing that it depends on, and for what each of them names."""


@contextmanager
def counted(store: Database) -> Iterator[list[str]]:
    """Count the queries of a block."""
    seen: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", count)
    yield seen
    event.remove(store.engine, "before_cursor_execute", count)


def queries(weeks: int, visits: int) -> tuple[int, int]:
    """Return the queries of next week after a past, and the visits that it asks for."""
    store = Database("sqlite://")
    migrate(store)
    live_through(store, weeks, visits, going_on=visits // 4)
    with counted(store) as seen, store.reading() as session:
        found = rolling.draft_week(session, rolling.get_next_horizon(session, NOW, 1, None), NOW)
    store.close()
    return len(seen), len(found.scenario.visits)


def test_the_queries_of_a_week_do_not_grow_with_the_past() -> None:
    (short, few), (long, more) = queries(1, 100), queries(6, 600)
    assert few < more
    assert short == long < FEW


@pytest.mark.heavy
def test_next_week_is_built_within_two_seconds_after_a_year(sqlite_url: str) -> None:
    store = Database(sqlite_url)
    live_through(store, weeks=52, visits=25_010, going_on=800)
    times = []
    for _ in range(3):
        began = perf_counter()
        with store.writing() as session:
            rolling.build_week(session, SYSTEM, rolling.get_next_horizon(session, NOW, 1, None), NOW)
        times.append(perf_counter() - began)
    store.close()
    assert min(times) < 2
