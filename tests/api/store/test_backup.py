"""A backup holds a moment of the store; restoring it gives that moment back, or changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlmodel import select
from support.stored import NOW

from api.store import audit
from api.store.audit import AuditEntry
from api.store.backup import backup, restore
from api.store.database import Database
from api.store.errors import ConstraintViolated, StoreUnusable
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
    assert not list(tmp_path.glob(".*unfinished"))


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
