"""What a database refused, as an error of the tree: the one place that reads the messages of SQLite and PostgreSQL."""

from __future__ import annotations

import re
import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError

from api.store.errors import (
    AlreadyThere,
    ConstraintViolated,
    DoubleBooked,
    StillReferenced,
    StoreBusy,
    StoreError,
    StoreUnusable,
    StoreUnwritable,
)

DOUBLE_BOOKED = "double_booked"
"""Names the exclusion constraint of PostgreSQL, and is what the triggers of SQLite raise."""

APPEND_ONLY = "append only: a row of the audit or of a history is neither changed nor removed"
"""What the triggers over the audit and over histories raise."""

UNWRITABLE_STATES = ("53", "58", "25006")
"""SQLSTATE, or how it begins: out of disk or memory, an error of the system, a transaction that may only read."""

PRIMARY_CODE = 0xFF
"""The part of an extended result code of SQLite that is the primary one."""

UNWRITABLE_CODES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk fails",
    sqlite3.SQLITE_READONLY: "it may only be read",
    sqlite3.SQLITE_CORRUPT: "its file is damaged",
    sqlite3.SQLITE_NOTADB: "its file is no database",
}
"""What keeps SQLite from writing, by its primary result code (https://www.sqlite.org/rescode.html)."""

BUSY_STATES = ("55P03", "40P01", "40001")
"""SQLSTATE: lock not available, deadlock, serialisation failure."""


def to_domain_error(error: DBAPIError) -> StoreError | None:
    """Return the error of the tree for what a driver raised, or None when it is a defect of ours."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None and isinstance(error.orig, psycopg.OperationalError):  # the server has gone, so it says no state
        return StoreUnusable("the database cannot be reached")
    if state:
        return _of_postgresql(error, state)
    reason = UNWRITABLE_CODES.get((getattr(error.orig, "sqlite_errorcode", None) or 0) & PRIMARY_CODE)
    return StoreUnwritable(reason) if reason else _of_sqlite(str(error.orig))


def _of_postgresql(error: DBAPIError, state: str) -> StoreError | None:
    constraint = str(getattr(getattr(error.orig, "diag", None), "constraint_name", None) or "")
    match state:
        case "23P01":
            return DoubleBooked()
        case "23505":
            return AlreadyThere(constraint)
        case "23503":
            return StillReferenced()
        case "23514":
            return ConstraintViolated(constraint)
        case "P0001":
            return ConstraintViolated(str(error.orig).partition("\n")[0])
        case "42501":
            return StoreUnusable("the service's role may not do that while the audit is protected; `audit protect --release`")
        case "42P01":
            return StoreUnusable("the database has no tables of this version; migrate it")
    if state in BUSY_STATES:
        return StoreBusy()
    if state.startswith(UNWRITABLE_STATES):
        return StoreUnwritable(str(error.orig).partition("\n")[0])
    return StoreUnusable("the database cannot be reached") if state.startswith(("08", "57P")) else None


def _of_sqlite(message: str) -> StoreError | None:
    if message == DOUBLE_BOOKED:
        return DoubleBooked()
    if match := re.match(r"UNIQUE constraint failed: (.*)", message):
        return AlreadyThere(match[1])
    if message.startswith("FOREIGN KEY constraint failed"):
        return StillReferenced()
    if match := re.match(r"CHECK constraint failed: (.*)", message):
        return ConstraintViolated(match[1])
    if message == APPEND_ONLY:
        return ConstraintViolated(message)
    if "is locked" in message or "is busy" in message:
        return StoreBusy()
    if message.startswith("no such table"):
        return StoreUnusable("the database has no tables of this version; migrate it")
    return StoreUnusable(f"the database cannot be used: {message}") if "unable to open" in message else None
