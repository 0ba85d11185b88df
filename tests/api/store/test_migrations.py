"""Migrations bring any store to the tables of this version and back, whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlmodel import SQLModel
from support.postgres import PostgresServer

from api.store import guards, migrations
from api.store.database import Database
from api.store.errors import StoreUnusable
from api.store.migrations import HEAD, NOTHING, expect_migrated, migrate, revision_of
from api.store.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return a store without tables, on each database in turn."""
    if request.param == "sqlite":
        store = Database(f"sqlite:///{tmp_path}/empty.db")
        yield store
        store.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    store = Database(server.create("empty"))
    yield store
    store.close()
    server.drop("empty")


def tables(store: Database) -> set[str]:
    with store.reading() as session:
        return set(inspect(session.connection()).get_table_names()) - {"alembic_version"}


def columns(store: Database) -> dict[str, set[tuple[str, str, bool]]]:
    """Return the columns of each table: name, type, and whether they may be null."""
    names = tables(store)
    with store.reading() as session:
        found = inspect(session.connection())
        return {
            table: {(column["name"], str(column["type"]), bool(column["nullable"])) for column in found.get_columns(table)}
            for table in names
        }


def guarded(store: Database) -> set[str]:
    """Return the names of what guards the tables."""
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    postgresql = """SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION
        SELECT conname FROM pg_constraint WHERE contype = 'x' UNION
        SELECT proname FROM pg_proc WHERE proname = 'refuse_change'"""
    with store.reading() as session:
        return set(session.connection().exec_driver_sql(sqlite if store.is_sqlite else postgresql).scalars())


def test_a_migrated_store_has_exactly_the_tables_of_the_code(empty: Database) -> None:
    migrate(empty)
    expect_migrated(empty)
    with empty.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    assert differences == []
    assert len(guarded(empty)) == 6


def test_a_table_that_no_migration_makes_would_be_noticed(empty: Database) -> None:
    migrate(empty)
    with empty.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE tasks")
    with empty.reading() as session:
        assert compare_metadata(MigrationContext.configure(session.connection()), metadata) != []


def test_down_leaves_nothing_and_up_again_everything(empty: Database) -> None:
    migrate(empty)
    made, guards_made = tables(empty), guarded(empty)
    migrate(empty, NOTHING)
    assert (tables(empty), guarded(empty), revision_of(empty)) == (set(), set(), None)
    migrate(empty)
    assert (tables(empty), guarded(empty)) == (made, guards_made)


def test_each_step_down_leaves_what_was_before_its_step_up(empty: Database) -> None:
    revisions = [NOTHING, *reversed([step.revision for step in migrations.known_revisions()])]
    before = {}
    for revision in revisions:
        migrate(empty, revision)
        before[revision] = (columns(empty), guarded(empty))
    assert before[revisions[0]] == ({}, set()) and len(before[revisions[-1]][0]) == len(metadata.tables)
    for revision in reversed(revisions):
        migrate(empty, revision)
        assert (columns(empty), guarded(empty)) == before[revision], revision
        assert revision_of(empty) == (None if revision == NOTHING else revision)


@pytest.mark.heavy
def test_each_revision_can_be_reached_from_each(empty: Database) -> None:
    revisions = [NOTHING, *reversed([step.revision for step in migrations.known_revisions()])]
    for here in revisions:
        for there in revisions:
            migrate(empty, here)
            migrate(empty, there)
            assert revision_of(empty) == (None if there == NOTHING else there)


def test_a_migration_that_fails_leaves_nothing_half_done(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_dialect: str) -> Iterator[str]:
        yield "CREATE TABLE half_done (id INTEGER)"
        yield "this is no statement"

    monkeypatch.setattr(guards, "statements", broken)
    with pytest.raises(Exception, match="syntax error"):
        migrate(empty)
    assert (tables(empty), revision_of(empty)) == (set(), None)


def test_several_processes_may_migrate_at_once(empty: Database) -> None:
    others = [Database(empty.url.render_as_string(hide_password=False)) for _ in range(3)]
    failed: list[Exception] = []

    def run(store: Database) -> None:
        try:
            migrate(store)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(store,)) for store in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in others:
        store.close()
    assert failed == []
    expect_migrated(empty)


def test_a_store_that_is_not_migrated_is_refused(empty: Database) -> None:
    with pytest.raises(StoreUnusable, match="at revision none"):
        expect_migrated(empty)


def test_a_store_of_a_newer_version_is_refused_and_left_alone(empty: Database) -> None:
    migrate(empty)
    with empty.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = 'newer'")
    for revision in (HEAD, NOTHING):
        with pytest.raises(StoreUnusable, match="newer"):
            migrate(empty, revision)
    with pytest.raises(StoreUnusable, match="newer"):
        expect_migrated(empty)
    assert tables(empty)


def test_every_table_belongs_to_the_store() -> None:
    assert not SQLModel.metadata.tables
    assert len(metadata.tables) > 20
