"""Who serves from a store: services and workers together, a restore alone.

Of an SQLite file a lock on a file beside it says so, of PostgreSQL an advisory lock of a connection; both end with the process,
however that ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from api.store.database import PRIVATE, Database
from api.store.errors import StoreInUse

IN_USE_LOCK = 0x636C696F
"""The advisory lock of PostgreSQL; any number but that of writers, the same on every machine."""

LOCK_FILE = ".lock"
"""How the name ends of the file beside an SQLite file."""


@contextmanager
def occupied(database: Database, alone: bool = False) -> Iterator[None]:
    """Serve from a store within the block, beside others; or ``alone``.

    Raises
    ------
    StoreInUse
        When others serve from it and one wants to be alone, or somebody is alone with it.
    """
    if database.is_sqlite:
        with _of_sqlite(database.file, alone):
            yield
    else:
        with _of_postgresql(database, alone):
            yield


@contextmanager
def _of_sqlite(file: str | None, alone: bool) -> Iterator[None]:
    # In memory, and where there is no store yet, nobody else is; Windows lets nobody replace what is open.
    if file is None or sys.platform == "win32" or (alone and not os.path.exists(file)):
        yield
        return
    import fcntl

    descriptor = os.open(f"{file}{LOCK_FILE}", os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreInUse from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _of_postgresql(database: Database, alone: bool) -> Iterator[None]:
    function = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
    connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT", looks_once=True, reads_only=True)
    try:
        if not connection.exec_driver_sql(f"SELECT {function}({IN_USE_LOCK})").scalar():
            raise StoreInUse
        yield
    finally:
        connection.invalidate()  # the lock is the connection's, and ends with it
        connection.close()
