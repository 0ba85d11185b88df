"""What every module of queries does with rows: put them, find them, hold them against the version somebody has read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from sqlalchemy import inspect
from sqlmodel import Session, SQLModel, col, select

from api.store.errors import StaleVersion
from scheduling.errors import UnknownId

R = TypeVar("R", bound=SQLModel)

NOT_COMPARED = ("version", "created_at", "email")
"""What a row that is put does not bring, and so leaves as it is."""


class Versioned(Protocol):
    """A row with a version."""

    version: int


def found(session: Session, kind: type[R], noun: str, identifier: str | int) -> R:
    """Return a row by its id; ``noun`` names it in ``UnknownId``."""
    row = session.get(kind, identifier)
    if row is None:
        raise UnknownId(noun, str(identifier))
    return row


def expect_version(row: Versioned, noun: str, identifier: str, expected: int | None) -> None:
    """Raise ``StaleVersion`` unless a row has the version on which its change was decided (None: any will do)."""
    if expected is not None and row.version != expected:
        raise StaleVersion(noun, identifier, expected)


def put(session: Session, kind: type[R], rows: Iterable[R]) -> None:
    """Add rows of one table, or bring those of the same key to their values; the version grows of those that change."""
    mapper = inspect(kind)
    given = {tuple(mapper.primary_key_from_instance(row)): row for row in rows}
    first = mapper.primary_key[0]
    present = session.exec(select(kind).where(col(first).in_({key[0] for key in given})))
    known = {tuple(mapper.primary_key_from_instance(row)): row for row in present}
    for key, row in given.items():
        if key in known:
            _bring_to(known[key], row)
        else:
            session.add(row)
    session.flush()


def _bring_to(row: SQLModel, values: SQLModel) -> None:
    wanted: dict[str, Any] = {name: getattr(values, name) for name in type(row).model_fields if name not in NOT_COMPARED}
    changes = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in changes.items():
        setattr(row, name, value)
    if changes and isinstance(getattr(row, "version", None), int):
        row.version += 1  # type: ignore[attr-defined]
