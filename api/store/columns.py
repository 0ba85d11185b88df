"""What every table shares: its base, the type of instants, ids."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import DateTime, Dialect, MetaData
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

from api.store.errors import NaiveTime


class TableRow(SQLModel):
    """Base of every table; its constraints have names, so that migrations can speak of them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Utc(TypeDecorator[datetime]):
    """An instant: stored as UTC, given back as an aware datetime in UTC. A naive datetime raises ``NaiveTime``.

    PostgreSQL keeps ``timestamptz``; SQLite keeps text of one width, so that its order is that of time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into UTC."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise NaiveTime(value.isoformat())
        try:
            moment = value.astimezone(UTC)
        except OverflowError:  # beyond the first or last instant that there is: some hours do not matter there
            moment = value.replace(tzinfo=UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the database has into an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def process_literal_param(self, value: datetime | None, dialect: Dialect) -> str:
        """Refuse to be written into a statement's text; instants are always parameters."""
        raise NotImplementedError("instants are bound, never written into a statement")

    @property
    def python_type(self) -> type[Any]:
        """The type of its values."""
        return datetime


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


_NUMBERS: ContextVar[Iterator[int] | None] = ContextVar("numbers of ids", default=None)


def new_id() -> str:
    """Return an id that nobody can guess and nobody else makes: 32 hexadecimal digits."""
    numbers = _NUMBERS.get()
    return uuid4().hex if numbers is None else f"{next(numbers):012x}".ljust(32, "0")


@contextmanager
def numbered_ids() -> Iterator[None]:
    """Let ids be numbers in the order in which they are made: of a store in memory whose life is to be the same each time."""
    token = _NUMBERS.set(count(1))
    try:
        yield
    finally:
        _NUMBERS.reset(token)
