"""Stores to test with: each test that asks for ``store`` or ``store_url`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from support.postgres import HOW_TO_GET_ONE, MIGRATED, PostgresServer, binaries, server

from api.store.database import Database
from api.store.migrations import migrate

# How busy the machine is fails no test, and one commit has one answer; ``--hypothesis-profile anew`` draws other cases.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("anew", deadline=None)
settings.load_profile("same")

# Each test opens a store of its own, and SQLAlchemy keeps compiled statements by store: compiling them anew took a third of
# the time of a test. All stores of one kind are set up alike, so they may share them, if one dialect is as good as another.
COMPILED: dict[str, LRUCache[object, object]] = {"sqlite": LRUCache(5000), "postgresql": LRUCache(5000)}
for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
    dialect.__eq__ = lambda left, right: type(left) is type(right)  # type: ignore[method-assign]
    dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]


@event.listens_for(Engine, "engine_connect")
def _share_compiled(connection: Connection) -> None:
    connection.execution_options(compiled_cache=COMPILED[connection.dialect.name])


def _migrated(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server that the whole run shares."""
    programs = binaries()
    if programs is None:
        pytest.skip(HOW_TO_GET_ONE)
    with server(programs) as running:
        _migrated(running.create(MIGRATED))
        yield running


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with all tables and no rows."""
    file = tmp_path_factory.mktemp("store") / "migrated.db"
    _migrated(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """Return the URL of a store of the test's own on SQLite."""
    file = tmp_path / "store.db"
    shutil.copyfile(migrated_file, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """Return the URL of a store of the test's own on PostgreSQL."""
    name = f"store-{uuid4().hex[:12]}"
    yield postgres.create(name, MIGRATED)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a store of the test's own, on each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Database]:
    """Return a store of the test's own, on each database in turn."""
    database = Database(store_url)
    yield database
    database.close()
