"""Backup and restore: of SQLite by its online backup, of PostgreSQL by its own programs. The service may go on meanwhile.

A backup is one file, whole or not there. A restore puts the store back to what the backup holds, all or
nothing, and an older one is brought to the tables of this version.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from api.store.carried_over import kept_over_restore, put_back
from api.store.columns import utc_now
from api.store.database import WAIT_SECONDS, Database, keep_private
from api.store.epoch import begin_epoch
from api.store.errors import StoreUnusable
from api.store.migrations import expect_known, migrate
from api.store.tables import EpochRow, metadata

SQLITE_HEADER = b"SQLite format 3\x00"
POSTGRESQL_HEADER = b"PGDMP"

_REVISION_ALONE = ("--data-only", "--table=alembic_version", "--file=-")
"""Has ``pg_restore`` write the row of a backup that tells its revision, and restore nothing."""

DEADLOCK = "40P01"
"""SQLSTATE of a transaction that PostgreSQL has ended, since it and another one waited for each other."""

MOST_TRIES = 10
"""Most times that a restore is begun, where readers are in its way."""


def backup(database: Database, file: Path) -> None:
    """Write a backup of a moment of the store; what was in the file stays there until the new one is whole.

    Raises
    ------
    StoreUnusable
        When the store is in memory, PostgreSQL's programs are missing or fail, or the file is there and no backup.
    OSError
        When the file cannot be written.
    """
    expect_replaceable(database, file)
    with _draft_of(file) as draft:
        if database.is_sqlite:
            _copy_sqlite(database, draft)
        else:
            options = ("--format=custom", f"--exclude-table-data={EpochRow.__tablename__}", f"--file={draft}")
            _run("pg_dump", *_reaching(database.url), *options, password=database.url.password)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(file)


def restore(database: Database, file: Path, now: datetime | None = None) -> None:
    """Put the store back to what a backup holds, in an epoch of its own.

    What was written in the audit since stays, and that the store was restored follows it. Every session has ended then, and
    what was revoked since stays so: a backup must let nobody in again who was put out.

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
    with kept_over_restore(database) as kept:
        if database.is_sqlite:
            _restore_sqlite(database, file)
        else:
            _restore_postgresql(database, file)
        database.close()
        migrate(database)
        with database.engine.begin() as connection:
            begin_epoch(connection, anew=True)  # a copy of a store, other than a backup, has one
        put_back(database, kept, now or utc_now())


def expect_replaceable(database: Database, file: Path) -> None:
    """Refuse to write a backup over anything but an earlier one.

    A store is known from its backup by its epoch, which a backup does not hold.

    Raises
    ------
    StoreUnusable
        When the file is there, and is the store itself, another store, or no backup of one.
    OSError
        When it cannot be read.
    """
    if not os.path.lexists(file):
        return
    if not stat.S_ISREG(file.lstat().st_mode) or not _is_backup(file):
        raise StoreUnusable(f"{file} is there already and is no backup; nothing is written")


def _is_backup(file: Path) -> bool:
    with file.open("rb") as opened:
        begin = opened.read(len(SQLITE_HEADER))
    if begin.startswith(POSTGRESQL_HEADER):
        return _dumped_revision(file) is not None
    if begin != SQLITE_HEADER:
        return False
    try:
        # Immutable: nothing is written beside the file, whatever journal it asks for.
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            (stores,) = connection.execute("SELECT count(*) FROM alembic_version").fetchone()
            (epochs,) = connection.execute(f"SELECT count(*) FROM {EpochRow.__tablename__}").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(stores == 1 and epochs == 0)


@contextmanager
def _draft_of(file: Path) -> Iterator[Path]:
    """Make an empty file beside one, for its owner alone, under a name that nobody can have prepared; gone at the end."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _copy_sqlite(database: Database, draft: Path) -> None:
    """Copy the store into a file, as one that is in use nowhere: without an epoch, and without a journal beside it."""
    with closing(sqlite3.connect(_sqlite_file(database))) as source, closing(sqlite3.connect(draft)) as target:
        source.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        target.execute(f"DELETE FROM {EpochRow.__tablename__}")
        target.commit()


def _restore_sqlite(database: Database, file: Path) -> None:
    """Copy a backup over the store once it is known to be whole; SQLite does it as one transaction."""
    store = _sqlite_file(database)
    if os.path.exists(store) and os.path.samefile(file, store):
        raise StoreUnusable(f"{file} is the store itself")
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
        try:
            (verdict,) = source.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise StoreUnusable(f"{file} is damaged: {verdict}")
            expect_known(*source.execute("SELECT version_num FROM alembic_version").fetchone())
            keep_private(store)
            with closing(sqlite3.connect(store)) as target:
                target.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
                source.backup(target)
        except sqlite3.DatabaseError as error:
            raise StoreUnusable(f"{file} cannot be restored: {error}") from None


def _restore_postgresql(database: Database, file: Path) -> None:
    """Put a backup in the place of all tables, in one transaction: also of those that an older version did not have.

    It locks each table in turn, so who reads meanwhile may wait for it while it waits for them. PostgreSQL ends one of the
    two; where that is the restore, it has done nothing, and is begun again.
    """
    expect_known(_dumped_revision(file))
    every_table = ", ".join(table.name for table in metadata.sorted_tables)
    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "restore.sql"
        _run("pg_restore", "--clean", "--if-exists", "--no-owner", f"--file={script}", str(file))
        once = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose")
        steps = (f"--command=DROP TABLE IF EXISTS {every_table} CASCADE", f"--file={script}")
        for tries_left in reversed(range(MOST_TRIES)):
            try:
                _run("psql", *_reaching(database.url), *once, *steps, password=database.url.password)
            except StoreUnusable as error:
                if not tries_left or DEADLOCK not in str(error):
                    raise
            else:
                return


def _dumped_revision(file: Path) -> str | None:
    """Return the revision of the tables in a backup of PostgreSQL; None when it holds none."""
    match = re.search(r"^COPY .*;\n(.*)$", _run("pg_restore", *_REVISION_ALONE, str(file)), re.MULTILINE)
    return match[1] if match else None


def _sqlite_file(database: Database) -> str:
    if database.file is None:
        raise StoreUnusable("a store in memory is neither backed up nor restored")
    return database.file


def _reaching(url: URL) -> tuple[str, str]:
    without = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return "--no-password", f"--dbname={without.render_as_string()}"


def _run(program: str, *arguments: str, password: str | None = None) -> str:
    """Run one of PostgreSQL's programs and return what it wrote.

    The password goes by the environment, where other users cannot read it.
    """
    path = shutil.which(program)
    if path is None:
        raise StoreUnusable(f"{program} is not installed: it comes with PostgreSQL's client programs")
    environment = {**os.environ, "PGPASSWORD": password} if password else None
    done = subprocess.run([path, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise StoreUnusable(f"{program}: {done.stderr.strip()}")
    return done.stdout
