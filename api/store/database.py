"""The database: opened from a URL, read and written in transactions that mean the same on SQLite and on PostgreSQL.

``with database.reading() as session`` sees one moment, and cannot write; ``with database.looking() as connection`` is the same
for a single query, without what a transaction and a session take. ``with database.writing() as session`` is the only
writer while it lasts, over all processes and machines: it waits for the one before, commits at the end of the block, and
undoes everything when the block raises. So what a writer has read stays true until it commits, on both databases alike.
Transactions are short: nothing is solved, sent or waited for in one, and no session is held while an answer is streamed.
Nobody who reads opens another session: a writer of a rollback journal lets no more readers in and waits for those that are
there, so both would wait for each other until one of them gives up.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, StatementError, TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from api.store.driver_errors import to_domain_error
from api.store.errors import StoreBusy, StoreError, StoreUnusable, StoreUnwritable
from api.store.versioned_cache import CACHE_KEY, CARRIED, VersionedCache

T = TypeVar("T")

WAIT_SECONDS = 10.0
"""Longest wait for other writers before ``StoreBusy``."""

WRITER_LOCK = 0x636C696E
"""The advisory lock that a writer holds on PostgreSQL until its transaction ends; any number, the same on every machine."""

PRIVATE = 0o600
"""What only a file's owner may do with it: read and write."""

JOURNALS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, by the ends of their names."""

QUERY_ONLY = "query_only"
"""Where an SQLite connection carries whether it refuses to write."""

JOURNAL = "journal"
"""Where an SQLite connection carries what becomes of its rollback journal; nowhere in WAL mode."""

WAL_LOSES_COMMITS = ((3, 7, 0), (3, 51, 3))
"""SQLite versions, first and after the last, in which a checkpoint can overlook a WAL that another connection has reset."""


KNOWS_SUBSECONDS = (3, 42, 0)
"""The first SQLite version with ``unixepoch('subsec')`` (https://www.sqlite.org/releaselog/3_42_0.html)."""


class UnsafeWal(UserWarning):
    """This SQLite library can lose commits in WAL mode, so another journal is used, with which readers wait for writers."""


class Database:
    """A store of one clinic.

    Parameters
    ----------
    url
        ``sqlite:///file.db``, ``sqlite://`` (in memory: one thread, one session at a time) or ``postgresql://...``.
    connections
        Most connections held at once by this process.

    Raises
    ------
    StoreUnusable
        When the URL names no database that Clinicweave knows.
    """

    def __init__(self, url: str, connections: int = 20) -> None:
        try:
            self.url = _known(make_url(url))
            # What an error tells must not name patients, so it never shows what a statement was given.
            self.engine: Engine = create_engine(self.url, hide_parameters=True, **_options(self.url, connections))
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreUnusable(f"not the URL of a database: {error}") from None
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._turn = threading.Lock()
        self._of_thread = threading.local()
        self._derived = VersionedCache()
        self._closed = False
        self.is_writable = True  # as the last writer found it
        event.listen(self.engine, "checkin", self._given_back)
        if self.file is not None:
            event.listen(self.engine, "do_connect", self._keep_private)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
        event.listen(self.engine, "begin", _begin_sqlite if self.is_sqlite else _begin_postgresql)
        self._reader = self.engine.execution_options(reads_only=True)
        self._appender = self.engine.execution_options(appends_only=True)
        self._looker = self.engine.execution_options(reads_only=True, looks_once=True)

    @property
    def file(self) -> str | None:
        """The path of an SQLite file; None of any other database."""
        return self.url.database if self.is_sqlite and self.url.database not in (None, "", ":memory:") else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one moment of the database and cannot write."""
        with (
            self._reading_alone(),
            Session(self._reader, expire_on_commit=False, info={CACHE_KEY: self._derived}) as session,
            translate_errors(),
        ):
            yield session

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """Open a connection for one query that cannot write: one query sees one moment by itself."""
        with self._reading_alone(), translate_errors(), self._looker.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, appends: bool = False) -> Iterator[Session]:
        """Open a session that is the only writer; it commits at the end of the block, or undoes all when the block raises.

        Parameters
        ----------
        appends
            Only adds rows that stay for good. What is left in a rollback journal of SQLite then tells nothing that was
            deleted, so its file keeps its length until the next other writer: no commit waits for another length of it.

        Raises
        ------
        StoreBusy
            When other writers hold the database for longer than ``WAIT_SECONDS``.
        StoreError
            When the database refuses a row; which of them, see :mod:`api.store.errors`.
        """
        self._expect_not_reading()
        try:
            with (
                self._next_in_turn(),
                translate_errors(),
                Session(self._appender if appends else self.engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                session.connection()
                yield session
        except StoreUnwritable:
            self.is_writable = False
            raise
        self.is_writable = True
        for name, version, value in session.info.get(CARRIED, ()):
            self._derived.put(name, version, value)

    def expect_writable(self) -> None:
        """Write nothing of note when the last writer could not write, to see whether that has passed.

        Raises
        ------
        StoreUnwritable
            When it has not.
        """
        if not self.is_writable:
            with self.writing() as session:
                session.connection().exec_driver_sql("UPDATE epochs SET id = id")

    def write(self, act: Callable[[Session], T]) -> T:
        """Run what writes in a session as :meth:`writing` opens it, and return what it returns."""
        with self.writing() as session:
            return act(session)

    @contextmanager
    def _reading_alone(self) -> Iterator[None]:
        self._expect_not_reading()
        self._of_thread.reads = True
        try:
            yield
        finally:
            self._of_thread.reads = False

    def _expect_not_reading(self) -> None:
        if getattr(self._of_thread, "reads", False):
            raise RuntimeError("this thread reads the database already, and would wait for who waits for it")

    @contextmanager
    def _next_in_turn(self) -> Iterator[None]:
        """Let this process's writers wait in a queue of their own: SQLite's own waiting polls, and starves under many."""
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise StoreBusy
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close every connection; one that is in use, when it is given back."""
        self._closed = True
        self.engine.dispose()

    def _keep_private(self, *_: object) -> None:
        assert self.file is not None
        keep_private(self.file)

    def _given_back(self, _connection: object, record: ConnectionPoolEntry) -> None:
        if self._closed:
            record.invalidate()  # it would stay open in a pool that nobody has any more


def _known(url: URL) -> URL:
    """Return a URL with the driver that Clinicweave comes with."""
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql", "postgres"):
        raise StoreUnusable(f"databases are SQLite or PostgreSQL, not {backend}")
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _options(url: URL, connections: int) -> dict[str, Any]:
    pooled = {"pool_size": connections, "max_overflow": 0, "pool_timeout": WAIT_SECONDS}
    if url.get_backend_name() != "sqlite":
        return {**pooled, "pool_pre_ping": True}  # a server may have closed what is in the pool; a file cannot
    if url.database in (None, "", ":memory:"):
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    return {**pooled, "connect_args": {"check_same_thread": False, "timeout": WAIT_SECONDS}}


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what the database, or a type of column, refuses into an error of the tree; what nobody foresaw passes."""
    try:
        yield
    except StatementError as error:
        refusal = error.orig if isinstance(error.orig, StoreError) else None
        if isinstance(error, DBAPIError):
            refusal = to_domain_error(error)
        if refusal is None:
            raise
        raise refusal from None
    except TimeoutError:
        raise StoreBusy from None


def keep_private(file: str) -> None:
    """Make an SQLite file for its owner alone, or take from others what they may do with it; its journals follow it.

    SQLite gives a journal the permissions of the file (https://www.sqlite.org/src/file/src/os_unix.c, findCreateFileMode).
    What belongs to somebody else is left as it is, and so is what cannot be made: opening it says why. A file that is there is
    never opened here: closing it would take away the locks that SQLite has on it in this process
    (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))
    for each in (file, *(f"{file}{ending}" for ending in JOURNALS)):
        with suppress(OSError):
            if stat.S_IMODE(os.stat(each).st_mode) & ~PRIVATE:
                os.chmod(each, PRIVATE)


def loses_commits_in_wal(version: tuple[int, ...]) -> bool:
    """Say whether an SQLite library must not be used in WAL mode by more than one connection."""
    first, mended = WAL_LOSES_COMMITS
    return first <= version < mended


def _prepare_sqlite(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    """Set up a new connection: transactions by our own BEGIN, foreign keys, and a journal that this library keeps safely.

    SQLite 3.7.0 to 3.51.2 can lose commits in WAL mode as soon as two connections write or checkpoint one file (mended in
    3.51.3, https://www.sqlite.org/wal.html#walresetbug). With such a library the journal is a rollback journal, which
    every version keeps safely; a file that somebody else holds in WAL mode is then refused.
    """
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted of a patient is not left in the file
    connection.execute("PRAGMA synchronous = FULL")
    wanted = "wal"
    if loses_commits_in_wal(sqlite3.sqlite_version_info):
        wanted = "truncate"
    try:
        (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
    except sqlite3.OperationalError as error:
        raise StoreUnusable(f"the database cannot be opened with a {wanted} journal: {error}") from None
    if wanted == "truncate" and mode == "wal":
        raise StoreUnusable(f"the database is in WAL mode, in which SQLite {sqlite3.sqlite_version} can lose commits")
    if mode == "truncate":
        record.info[JOURNAL] = mode


@event.listens_for(Engine, "connect")
def _add_subseconds(connection: object, _record: object) -> None:
    """Give each connection of this process, DBOS's own too, the function of a later SQLite in which DBOS counts time.

    With Python 3.12 and later DBOS takes for granted that SQLite has it; before 3.42 its rows would have no time.
    """
    if isinstance(connection, sqlite3.Connection) and sqlite3.sqlite_version_info < KNOWS_SUBSECONDS:
        connection.create_function("unixepoch", 1, lambda unit: time.time() if unit == "subsec" else None)


def warn_of_unsafe_wal() -> None:
    """Warn once, at start, when this SQLite library keeps the service from using WAL mode."""
    if loses_commits_in_wal(sqlite3.sqlite_version_info):
        warnings.warn(
            f"SQLite {sqlite3.sqlite_version} can lose commits in WAL mode; a rollback journal is used, so readers wait for"
            " writers. SQLite 3.51.3 or later, or PostgreSQL, would not need that.",
            UnsafeWal,
            stacklevel=2,
        )


def _reads_only(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("reads_only"))


def _looks_once(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("looks_once"))


def _begin_sqlite(connection: Connection) -> None:
    """Begin: a writer takes its lock at once, since one that has read before it could not wait for another's any more."""
    reads = _reads_only(connection)
    if connection.info.get(QUERY_ONLY) is not reads:  # else it is so from the last time
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.info[QUERY_ONLY] = reads
    journal = "persist" if connection.get_execution_options().get("appends_only") else "truncate"
    if not reads and connection.info.get(JOURNAL, journal) != journal:
        connection.exec_driver_sql(f"PRAGMA journal_mode = {journal}")
        connection.info[JOURNAL] = journal
    if not _looks_once(connection):
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    """Begin: a reader keeps one snapshot; a writer waits for the one before, and then sees all that it has committed."""
    if _reads_only(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(WAIT_SECONDS * 1000)}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
