"""Transactions mean the same on both databases, and times are instants."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from api.store import database as module
from api.store.database import Database, UnsafeWal, loses_commits_in_wal, warn_of_unsafe_wal
from api.store.errors import AlreadyThere, NaiveTime, StillReferenced, StoreBusy, StoreUnusable, StoreUnwritable
from api.store.migrations import migrate
from api.store.tables import PatientRow, VisitRow

NOON = datetime(2026, 11, 30, 12, 0, 0, 250_000, tzinfo=UTC)


def patient(identifier: str, created_at: datetime = NOON) -> PatientRow:
    return PatientRow(id=identifier, name="A Name", document="{}", created_at=created_at)


def add(store: Database, *rows: PatientRow | VisitRow) -> None:
    with store.writing() as session:
        session.add_all(rows)


def names(store: Database) -> list[str]:
    with store.reading() as session:
        return sorted(row for (row,) in session.connection().exec_driver_sql("SELECT id FROM patients"))


def test_a_writer_commits_at_the_end_of_its_block(store: Database) -> None:
    add(store, patient("pat"))
    assert names(store) == ["pat"]


def test_a_writer_whose_block_raises_undoes_everything(store: Database) -> None:
    with pytest.raises(KeyError), store.writing() as session:
        session.add(patient("pat"))
        session.flush()
        raise KeyError
    assert names(store) == []


def test_a_reader_cannot_write(store: Database) -> None:
    with pytest.raises(StoreUnwritable, match="read"), store.reading() as session:
        session.add(patient("pat"))
        session.flush()
    add(store, patient("quin"))
    assert names(store) == ["quin"]


def test_a_look_sees_what_anybody_has_committed_and_cannot_write(store: Database) -> None:
    def seen() -> list[str]:
        with store.looking() as connection:
            return [row for (row,) in connection.exec_driver_sql("SELECT id FROM patients ORDER BY id")]

    other = Database(store.engine.url.render_as_string(hide_password=False))
    try:
        assert seen() == []
        add(other, patient("pat"))
        assert seen() == ["pat"]
        add(store, patient("quin"))
        assert seen() == ["pat", "quin"]
    finally:
        other.close()
    with pytest.raises(StoreUnwritable, match="read"), store.looking() as connection:
        connection.exec_driver_sql("DELETE FROM patients")
    assert seen() == ["pat", "quin"]


def test_an_instant_comes_back_as_the_same_instant_in_utc(store: Database) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    add(store, patient("pat", elsewhere))
    with store.reading() as session:
        found = session.get_one(PatientRow, "pat").created_at
    assert found == NOON
    assert found.utcoffset() == timedelta()


def test_a_time_without_zone_is_refused(store: Database) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(NaiveTime, match=r"2026-11-30T12:00:00.250000"):
        add(store, patient("pat", naive))
    assert names(store) == []


def test_what_the_database_refuses_has_its_own_error(store: Database) -> None:
    add(store, patient("pat"))
    with pytest.raises(AlreadyThere):
        add(store, patient("pat"))
    with pytest.raises(StillReferenced):
        visit = VisitRow(id="v", period_id="none", patient_id="pat", service="s", priority="soon", document="", created_at=NOON)
        visit.earliest = date(2026, 11, 30)
        add(store, visit)


def test_an_error_that_nobody_foresaw_tells_no_patient_data(store: Database) -> None:
    with pytest.raises(DBAPIError) as caught, store.writing() as session:
        session.add(patient("pat"))
        session.flush()
        session.connection().exec_driver_sql("UPDATE patients SET nothing = 1")
    assert "A Name" not in str(caught.value)


def test_writers_wait_for_each_other_so_no_update_is_lost(store: Database, store_url: str) -> None:
    add(store, patient("pat"))
    other = Database(store_url)

    def grow(database: Database) -> None:
        for _ in range(15):
            with database.writing() as session:
                session.get_one(PatientRow, "pat").version += 1

    threads = [threading.Thread(target=grow, args=(database,)) for database in (store, other) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    with store.reading() as session:
        assert session.get_one(PatientRow, "pat").version == 1 + 4 * 15


def test_a_writer_gives_up_when_another_holds_the_store_for_too_long(
    store: Database, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    other = Database(store_url)
    with store.writing() as session:
        session.add(patient("pat"))
        session.flush()
        with pytest.raises(StoreBusy):
            add(other, patient("quin"))
        with pytest.raises(StoreBusy):
            add(store, patient("rae"))
    add(other, patient("sol"))
    assert names(store) == ["pat", "sol"]
    other.close()


def test_a_reader_sees_one_moment_though_others_write(postgresql_url: str) -> None:
    store, other = Database(postgresql_url), Database(postgresql_url)
    with store.reading() as session:
        rows = "SELECT count(*) FROM patients"
        before = session.connection().exec_driver_sql(rows).scalar_one()
        add(other, patient("pat"))
        assert session.connection().exec_driver_sql(rows).scalar_one() == before
    assert names(store) == ["pat"]
    store.close()
    other.close()


def test_who_reads_opens_no_other_session(store: Database) -> None:
    """A writer who commits waits for readers, and lets no more of them in: within each other they would wait for good."""
    for opened in (store.reading, store.looking):
        with opened():
            for inner in (store.reading, store.looking, store.writing):
                with pytest.raises(RuntimeError, match="reads the database already"), inner():
                    pass
        with store.reading():
            pass


def test_a_connection_in_use_when_the_store_is_closed_is_closed_when_given_back(postgresql_url: str) -> None:
    store = Database(postgresql_url)
    with store.reading() as session:
        used: Any = session.connection().connection.dbapi_connection
        store.close()
        assert not used.closed
    assert used.closed


def test_a_store_in_memory_keeps_its_rows_between_sessions() -> None:
    store = Database("sqlite://")
    migrate(store)
    add(store, patient("pat"))
    assert names(store) == ["pat"]
    store.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://somewhere/db", "sqlite+none:///x.db"])
def test_a_url_of_no_known_database_is_refused(url: str) -> None:
    with pytest.raises(StoreUnusable):
        Database(url)


def test_a_file_that_cannot_be_opened_is_named_as_such(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path}/missing/store.db")
    with pytest.raises(StoreUnusable), store.reading() as session:
        session.connection()


@pytest.mark.parametrize(
    ("version", "loses"),
    [((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False)],
)
def test_the_versions_whose_wal_loses_commits_are_known(version: tuple[int, ...], loses: bool) -> None:
    assert loses_commits_in_wal(version) is loses


def journal(url: str) -> str:
    store = Database(url)
    try:
        with store.reading() as session:
            return str(session.connection().exec_driver_sql("PRAGMA journal_mode").scalar_one())
    finally:
        store.close()


def test_wal_is_used_only_with_a_library_that_keeps_it_safely(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    assert journal(sqlite_url) == "truncate"
    with pytest.warns(UnsafeWal):
        warn_of_unsafe_wal()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert journal(sqlite_url) == "wal"
    warn_of_unsafe_wal()


def test_a_file_that_somebody_holds_in_wal_mode_is_refused_by_a_library_that_loses_commits(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as holder:
        holder.execute("PRAGMA journal_mode = wal")
        holder.execute("SELECT * FROM patients").fetchall()
        with pytest.raises(StoreUnusable):
            journal(sqlite_url)
    assert journal(sqlite_url) == "truncate"


def test_only_an_append_leaves_its_journal_as_long_as_it_is(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 50, 4))
    store = Database(sqlite_url)
    left = Path(f"{store.file}-journal")
    try:
        with store.writing() as session:
            session.connection().exec_driver_sql("CREATE TABLE names (name TEXT)")
            session.connection().exec_driver_sql("INSERT INTO names VALUES ('Kim Nobody')")
        for _ in range(2):
            with store.writing(appends=True) as session:
                session.connection().exec_driver_sql("CREATE TABLE IF NOT EXISTS entries (entry TEXT)")
                session.connection().exec_driver_sql("INSERT INTO entries VALUES ('read')")
            assert left.stat().st_size > 0
        with store.writing() as session:
            session.connection().exec_driver_sql("DELETE FROM names")
        assert left.stat().st_size == 0
        assert b"Kim Nobody" not in Path(str(store.file)).read_bytes() + left.read_bytes()
        with store.reading() as session:
            assert session.connection().exec_driver_sql("SELECT count(*) FROM entries").scalar_one() == 2
    finally:
        store.close()


@pytest.mark.parametrize("known", [False, True])
def test_an_sqlite_store_and_its_journals_are_its_owners_alone(tmp_path: Path, known: bool) -> None:
    file = tmp_path / "clinic.db"
    before = os.umask(0o022)
    try:
        if known:
            file.touch(mode=0o644)
        store = Database(f"sqlite:///{file}")
        migrate(store)
        with store.writing() as session:
            session.add(patient("pat"))
            session.flush()
            modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert len(modes) > 1
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("is_ours", [True, False])
def test_every_sqlite_connection_counts_time_as_later_versions_do(tmp_path: Path, is_ours: bool) -> None:
    url = f"sqlite:///{tmp_path}/clinic.db"
    engine = Database(url).engine if is_ours else create_engine(url)
    before = datetime.now(UTC).timestamp()
    with engine.connect() as connection:
        now = connection.exec_driver_sql("SELECT unixepoch('subsec')").scalar_one()
    engine.dispose()
    assert before - 0.001 <= now <= datetime.now(UTC).timestamp()
