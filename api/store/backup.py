"""Backup and restore: of SQLite by its online backup, of PostgreSQL by its own programs. The service may go on meanwhile.

A backup is one file, whole or not there. A restore puts the store back to what the backup holds, all or
nothing, and an older one is brought to the tables of this version.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from api.store.database import WAIT_SECONDS, Database
from api.store.errors import StoreUnusable
from api.store.migrations import expect_known, migrate

SQLITE_HEADER = b"SQLite format 3\x00"
POSTGRESQL_HEADER = b"PGDMP"

_REVISION_ALONE = ("--data-only", "--table=alembic_version", "--file=-")
"""Has ``pg_restore`` write the row of a backup that tells its revision, and restore nothing."""


def backup(database: Database, file: Path) -> None:
    """Write a backup of a moment of the store; what was in the file stays there until the new one is whole.

    Raises
    ------
    StoreUnusable
        When the store is in memory, or PostgreSQL's programs are missing or fail.
    OSError
        When the file cannot be written.
    """
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.touch(mode=0o600)
    try:
        if database.is_sqlite:
            with closing(sqlite3.connect(_sqlite_file(database))) as source, closing(sqlite3.connect(unfinished)) as target:
                source.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
                source.backup(target)
        else:
            options = ("--format=custom", f"--file={unfinished}")
            _run("pg_dump", *_reaching(database.url), *options, password=database.url.password)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def restore(database: Database, file: Path) -> None:
    """Put the store back to what a backup holds.

    Raises
    ------
    StoreUnusable
        When the file is no backup of such a database, is damaged, or was made by a newer version.
    OSError
        When the file cannot be read.
    """
    with file.open("rb") as opened:
        begin = opened.read(len(SQLITE_HEADER))
    wanted = SQLITE_HEADER if database.is_sqlite else POSTGRESQL_HEADER
    if not begin.startswith(wanted):
        raise StoreUnusable(f"{file} is no backup of {'an SQLite' if database.is_sqlite else 'a PostgreSQL'} store")
    if database.is_sqlite:
        _restore_sqlite(database, file)
    else:
        _restore_postgresql(database, file)
    database.close()
    migrate(database)


def _restore_sqlite(database: Database, file: Path) -> None:
    """Copy a backup over the store once it is known to be whole; SQLite does it as one transaction."""
    read_only = f"{file.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True)) as source, closing(sqlite3.connect(_sqlite_file(database))) as target:
        try:
            (verdict,) = source.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise StoreUnusable(f"{file} is damaged: {verdict}")
            expect_known(*source.execute("SELECT version_num FROM alembic_version").fetchone())
            target.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
            source.backup(target)
        except sqlite3.DatabaseError as error:
            raise StoreUnusable(f"{file} cannot be restored: {error}") from None


def _restore_postgresql(database: Database, file: Path) -> None:
    revision = re.search(r"^COPY .*;\n(.*)$", _run("pg_restore", *_REVISION_ALONE, str(file)), re.MULTILINE)
    expect_known(revision[1] if revision else None)
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _run("pg_restore", *_reaching(database.url), *options, str(file), password=database.url.password)


def _sqlite_file(database: Database) -> str:
    if database.url.database in (None, "", ":memory:"):
        raise StoreUnusable("a store in memory is neither backed up nor restored")
    return str(database.url.database)


def _reaching(url: URL) -> tuple[str, str]:
    shown = url.set(drivername="postgresql", password=None).render_as_string()
    return "--no-password", f"--dbname={shown}"


def _run(program: str, *arguments: str, password: str | None = None) -> str:
    """Run one of PostgreSQL's programs and return what it wrote.

    The password goes by the environment, where other users cannot read it.
    """
    found = shutil.which(program)
    if found is None:
        raise StoreUnusable(f"{program} is not installed: it comes with PostgreSQL's client programs")
    environment = {**os.environ, "PGPASSWORD": password} if password else None
    done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise StoreUnusable(f"{program}: {done.stderr.strip()}")
    return done.stdout
