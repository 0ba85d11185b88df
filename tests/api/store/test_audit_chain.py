"""Nobody changes, removes or puts in a row of the audit unnoticed."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import col
from support.stored import NOW

from api.store import audit, guards
from api.store.audit import BEFORE_THE_FIRST, AuditEntry, Tail
from api.store.database import Database
from api.store.errors import AuditBroken, ConstraintViolated
from api.store.tables import AuditRow


def entry(number: int = 0, **changed: Any) -> AuditEntry:
    fields = {"actor": "desk", "role": "scheduler", "action": "visit.move", "object_kind": "visit", "outcome": "allowed"}
    return AuditEntry(**{**fields, "object_id": f"v-{number}", "detail": {"from": 9.5, "ids": ["é", None]}, **changed})


@pytest.fixture
def store(store: Database) -> Database:
    """Return a store whose audit has five rows."""
    for number in range(1, 6):
        with store.writing() as session:
            audit.append(session, entry(number), NOW)
    return store


def verify(store: Database, known: Tail | None = None) -> Tail:
    with store.reading() as session:
        return audit.verify(session, *([] if known is None else [known]))


def unguarded(store: Database, *statements: Any) -> None:
    """Do what the guards refuse."""
    with store.writing() as session:
        for statement in guards.undoing_statements(session.connection().dialect.name):
            session.connection().exec_driver_sql(statement)
        for statement in statements:
            session.exec(statement)


def test_an_untouched_chain_holds(store: Database) -> None:
    end = verify(store)
    assert (end.sequence, len(end.hash)) == (5, 64)
    assert verify(store, end) == end


def test_an_empty_chain_holds(sqlite_url: str) -> None:
    store = Database(sqlite_url)
    assert verify(store) == Tail(0, BEFORE_THE_FIRST)
    store.close()


@pytest.mark.parametrize("statement", [update(AuditRow).values(actor="nobody"), delete(AuditRow)])
def test_the_database_refuses_to_change_or_remove_a_row(store: Database, statement: Any) -> None:
    with pytest.raises(ConstraintViolated, match="append only"), store.writing() as session:
        session.exec(statement)
    assert verify(store).sequence == 5


def test_postgresql_refuses_to_empty_the_audit(postgresql_url: str) -> None:
    store = Database(postgresql_url)
    with pytest.raises(ConstraintViolated, match="append only"), store.writing() as session:
        session.connection().exec_driver_sql("TRUNCATE audit")
    store.close()


def test_a_change_of_anything_that_a_row_tells_is_found(store: Database) -> None:
    changes: dict[str, Any] = {"actor": "nobody", "role": "admin", "action": "visit.read", "object_kind": "group"}
    changes |= {"object_id": "v-4", "outcome": "denied", "detail": {}, "at": NOW.replace(microsecond=1)}
    with store.reading() as session:
        as_written = session.get_one(AuditRow, 3).model_dump()
    unguarded(store)
    third = update(AuditRow).where(col(AuditRow.sequence) == 3)
    for name, value in changes.items():
        with store.writing() as session:
            session.exec(third.values({name: value}))
        with pytest.raises(AuditBroken, match="row 3 on: it is not as it was written"):
            verify(store)
        with store.writing() as session:
            session.exec(third.values({name: as_written[name]}))
        assert verify(store).sequence == 5


def test_a_removed_row_is_found(store: Database) -> None:
    unguarded(store, delete(AuditRow).where(col(AuditRow.sequence) == 3))
    with pytest.raises(AuditBroken, match="row 3 on: it is missing"):
        verify(store)


def test_rows_that_were_renumbered_over_a_removed_one_are_found(store: Database) -> None:
    sequence = col(AuditRow.sequence)
    renumbered = [update(AuditRow).where(sequence == number).values(sequence=number - 1) for number in (4, 5)]
    unguarded(store, delete(AuditRow).where(sequence == 3), *renumbered)
    with pytest.raises(AuditBroken, match="row 3 on: it does not follow"):
        verify(store)


def test_an_end_that_was_cut_off_is_found_by_who_noted_it(store: Database) -> None:
    noted = verify(store)
    unguarded(store, delete(AuditRow).where(col(AuditRow.sequence) == 5))
    assert verify(store).sequence == 4
    with pytest.raises(AuditBroken, match="row 5 on"):
        verify(store, noted)
    with store.writing() as session:
        audit.append(session, entry(6), NOW)
    with pytest.raises(AuditBroken, match="row 5 on: it is not the row that was noted"):
        verify(store, noted)


def test_rows_written_by_many_at_once_make_one_chain(store: Database) -> None:
    def write() -> None:
        for _ in range(5):
            with store.writing() as session:
                audit.append(session, entry(), NOW)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(store).sequence == 25


def test_rows_are_read_in_pages_and_by_what_they_tell_of(store: Database) -> None:
    with store.reading() as session:
        assert [row.sequence for row in audit.list_entries(session, after=2, count=2)] == [3, 4]
        assert [row.sequence for row in audit.list_entries(session, object_id="v-5")] == [5]


@pytest.mark.parametrize("is_undone", [False, True])
def test_only_what_is_committed_is_a_line_of_the_log(
    store: Database, caplog: pytest.LogCaptureFixture, is_undone: bool
) -> None:
    with caplog.at_level(logging.INFO, "api.store.audit"), suppress(RuntimeError), store.writing() as session:
        audit.append(session, entry(6), NOW)
        with session.begin_nested():
            session.flush()
        assert caplog.records == []
        if is_undone:
            raise RuntimeError
    assert [record.fields["sequence"] for record in caplog.records] == ([] if is_undone else [6])  # type: ignore[attr-defined]
