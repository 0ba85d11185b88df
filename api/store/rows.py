"""What every module of queries does with rows: put them, find them, hold them against the version somebody has read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import ColumnElement, Table, and_, insert, inspect
from sqlmodel import Session, SQLModel, col, select

from api.store.errors import StaleVersion
from scheduling.errors import InvalidFile, UnknownId
from scheduling.fields import Model
from scheduling.references import validate_text

D = TypeVar("D", bound=Model)
R = TypeVar("R", bound=SQLModel)

NOT_COMPARED = ("version", "created_at", "email")
"""What a row that is put does not bring, and so leaves as it is."""


MOST_READ = 20_000
"""Documents of rows that are remembered, some 2 KiB each: those of three periods of a month."""


class Versioned(Protocol):
    """A row with a version."""

    version: int


def get_row(session: Session, kind: type[R], noun: str, identifier: Any) -> R:
    """Return a row by its id; ``noun`` names it in ``UnknownId``."""
    row = session.get(kind, identifier)
    if row is None:
        raise UnknownId(noun, str(identifier))
    session.info[kind, identifier] = row  # a session forgets rows that nobody holds, and would read them each time
    return row


def match_key(table: Table, values: Mapping[Any, Any]) -> ColumnElement[bool]:
    """Return the condition that a row has the primary key that is among some values."""
    return and_(*(key == values[key.name] for key in table.primary_key))


def read_document(kind: type[D], text: str) -> D:
    """Return a row's document as the domain knows it, remembered: of a period that changes, nearly all stay the same.

    Raises
    ------
    InvalidFile
        With every fault of its shape, as when it was kept by another version.
    """
    return cast("D", _read(kind, text))


@lru_cache(MOST_READ)
def _read(kind: type[Model], text: str) -> Model:
    document, faults = validate_text(kind, text)
    if document is None:
        raise InvalidFile(f"stored {kind.__name__}", [fault for _, fault in faults])
    return document


def expect_version(row: Versioned, noun: str, identifier: str, expected: int | None) -> None:
    """Raise ``StaleVersion`` unless a row has the version on which its change was decided (None: any will do)."""
    if expected is not None and row.version != expected:
        raise StaleVersion(noun, identifier, expected)


def insert_all(session: Session, kind: type[R], rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows of one table by their values; what a value is not given for is as the table has it.

    No objects are made: of thousands of rows, most of the time would go into that.
    """
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in kind.model_fields.items()
        if not field.is_required()
    }
    usual = {name: value for name, value in defaults.items() if value is not None}
    if values := [{**usual, **row} for row in rows]:
        session.execute(insert(kind), values)


def put(session: Session, kind: type[R], rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows of one table by their values, or bring those of the same key to them; the version grows of those that change."""
    keys = [column.key for column in inspect(kind).primary_key]
    given = {tuple(row[key] for key in keys): row for row in rows}
    if not given:
        return
    compared = [*keys, *(name for name in next(iter(given.values())) if name not in (*keys, *NOT_COMPARED))]
    columns: Any = [getattr(kind, name) for name in compared]
    first = getattr(kind, keys[0])
    known: set[tuple[Any, ...]] = set()
    for values in session.exec(select(*columns).where(col(first).in_({key[0] for key in given}))):
        present = dict(zip(compared, values if len(compared) > 1 else (values,), strict=True))
        key = tuple(present[name] for name in keys)
        known.add(key)
        changes = {name: given[key][name] for name in compared if key in given and given[key][name] != present[name]}
        if changes:
            _change(get_row(session, kind, kind.__name__, key if len(key) > 1 else key[0]), changes)
    session.flush()
    insert_all(session, kind, (row for key, row in given.items() if key not in known))


def _change(row: SQLModel, changes: Mapping[str, Any]) -> None:
    version = getattr(row, "version", None)
    if isinstance(version, int):
        changes = {**changes, "version": version + 1}
    for name, value in changes.items():
        setattr(row, name, value)
