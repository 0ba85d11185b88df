"""A backup holds a moment of the store; restoring it gives that moment back, or changes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, make_url
from sqlmodel import select
from support.postgres import PostgresServer
from support.stored import NOW

from api.store import audit
from api.store.audit import AuditEntry
from api.store.backup import backup, restore
from api.store.database import Database
from api.store.epoch import get_epoch
from api.store.errors import ConstraintViolated, StoreUnusable
from api.store.migrations import migrate
from api.store.tables import AuditRow, PatientRow


def add(store: Database, name: str) -> None:
    with store.writing() as session:
        session.add(PatientRow(id=name, name=name, document="{}", created_at=NOW))


def names(store: Database) -> list[str]:
    with store.reading() as session:
        return sorted(session.exec(select(PatientRow.id)))


def test_a_restored_store_has_what_the_backup_had_and_nothing_else(store: Database, tmp_path: Path) -> None:
    add(store, "pat")
    backup(store, tmp_path / "copy")
    add(store, "quin")
    restore(store, tmp_path / "copy")
    assert names(store) == ["pat"]
    add(store, "rae")
    assert names(store) == ["pat", "rae"]


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_else_behind(store: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup(store, folder / "copy")
    backup(store, folder / "copy")
    assert [file.name for file in folder.iterdir()] == ["copy"]
    assert (folder / "copy").stat().st_mode & 0o077 == 0


def test_a_restored_store_is_guarded_as_before(store: Database, tmp_path: Path) -> None:
    with store.writing() as session:
        audit.append(session, AuditEntry("desk", "scheduler", "read", "visit", "v-1", "allowed", {}), NOW)
    backup(store, tmp_path / "copy")
    restore(store, tmp_path / "copy")
    with pytest.raises(ConstraintViolated), store.writing() as session:
        session.exec(delete(AuditRow))


@pytest.mark.parametrize("content", [b"", b"PGDM", b"something else", b"SQLite format 3\x00 cut", b"PGDMP cut"])
def test_a_file_that_is_no_backup_is_refused_and_changes_nothing(store: Database, tmp_path: Path, content: bytes) -> None:
    add(store, "pat")
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(StoreUnusable):
        restore(store, tmp_path / "copy")
    assert names(store) == ["pat"]


def test_a_backup_of_a_newer_version_is_refused_and_changes_nothing(store: Database, tmp_path: Path) -> None:
    with store.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = 'newer'")
    backup(store, tmp_path / "copy")
    with store.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    add(store, "pat")
    with pytest.raises(StoreUnusable, match="newer"):
        restore(store, tmp_path / "copy")
    assert names(store) == ["pat"]


def test_an_earlier_backup_survives_one_that_fails(store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup(store, tmp_path / "copy")
    before = (tmp_path / "copy").read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise StoreUnusable("no")

    monkeypatch.setattr("api.store.backup._run", fail)
    monkeypatch.setattr("api.store.backup._sqlite_file", fail)
    with pytest.raises(StoreUnusable):
        backup(store, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == before
    assert not list(tmp_path.glob(".copy*"))


def test_without_postgresqls_programs_it_says_what_is_missing(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Database(postgresql_url)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreUnusable, match="pg_dump is not installed"):
        backup(store, tmp_path / "copy")
    store.close()


def test_a_store_in_memory_is_not_backed_up(tmp_path: Path) -> None:
    store = Database("sqlite://")
    with pytest.raises(StoreUnusable, match="in memory"):
        backup(store, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
    store.close()


def test_a_server_that_asks_for_a_password_is_given_it(postgres: PostgresServer, postgresql_url: str, tmp_path: Path) -> None:
    name = make_url(postgresql_url).database
    assert name is not None
    without = Database(postgres.guarded_url(name).replace(":p%40", ":q%40"))
    with pytest.raises(StoreUnusable):
        names(without)
    without.close()
    store = Database(postgres.guarded_url(name))
    add(store, "pat")
    backup(store, tmp_path / "copy")
    add(store, "quin")
    restore(store, tmp_path / "copy")
    assert names(store) == ["pat"]
    store.close()


def present(store: Database) -> str:
    with store.reading() as session:
        return get_epoch(session)


def test_a_restored_store_is_in_an_epoch_of_its_own(store: Database, tmp_path: Path) -> None:
    backup(store, tmp_path / "copy")
    epochs = [present(store)]
    for _ in range(2):
        assert present(store) == epochs[-1]
        restore(store, tmp_path / "copy")
        epochs.append(present(store))
    assert len(set(epochs)) == 3


def test_so_is_one_that_was_put_back_from_a_copy_of_the_file(sqlite_url: str, tmp_path: Path) -> None:
    store = Database(sqlite_url)
    before = present(store)
    store.close()
    shutil.copyfile(str(store.file), tmp_path / "copy")
    restore(store, tmp_path / "copy")
    assert present(store) != before
    store.close()


def test_without_an_epoch_nothing_that_was_kept_is_found(store: Database) -> None:
    with store.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM epochs")
    assert present(store) != present(store)
    migrate(store)
    assert present(store) == present(store)


@pytest.mark.parametrize("what", ["notes", "database", "other store", "link", "broken link", "folder"])
def test_what_is_no_backup_is_not_overwritten(store: Database, sqlite_url: str, tmp_path: Path, what: str) -> None:
    file, other = tmp_path / "copy", tmp_path / "other"
    other.write_text("kept")
    match what:
        case "notes":
            shutil.copyfile(other, file)
        case "database":
            with closing(sqlite3.connect(file)) as made:
                made.execute("CREATE TABLE notes (text)")
        case "other store":
            shutil.copyfile(str(make_url(sqlite_url).database), file)
        case "link":
            file.symlink_to(other)
        case "broken link":
            file.symlink_to(tmp_path / "nowhere")
        case "folder":
            file.mkdir()
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(StoreUnusable, match="is no backup"):
        backup(store, file)
    assert (file.read_bytes() if file.is_file() else None) == before
    assert not (tmp_path / "nowhere").exists()


def test_the_store_is_neither_overwritten_by_its_backup_nor_restored_from_itself(sqlite_url: str, tmp_path: Path) -> None:
    store = Database(sqlite_url)
    add(store, "pat")
    file = Path(str(store.file))
    twin = tmp_path / "twin.db"
    os.link(file, twin)
    for same in (file, twin):
        with pytest.raises(StoreUnusable, match="is no backup"):
            backup(store, same)
        with pytest.raises(StoreUnusable, match="is the store itself"):
            restore(store, same)
    assert (names(store), file.samefile(twin)) == (["pat"], True)
    store.close()


def test_a_link_that_was_put_where_a_draft_might_be_is_not_followed(store: Database, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / ".copy.unfinished").symlink_to(victim)
    backup(store, tmp_path / "copy")
    assert victim.read_text() == "kept"
