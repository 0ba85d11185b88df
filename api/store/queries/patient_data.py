"""All rows that tell of one patient, whichever table they are in: exported whole, or emptied of what tells who it is.

Which tables these are is read from their foreign keys, so that a table that comes later is not forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, or_, select
from sqlmodel import Session

from api.store.tables import metadata

PATIENTS, VISITS, EPISODES = "patients", "visits", "episodes"
SUBJECTS = {"patient": PATIENTS, "visit": VISITS, "episode": EPISODES}

SECRET = ("secret_hash", "password_hash", "hash", "previous_hash")
"""Columns that are nobody's data."""


def list_rows(session: Session, patient: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table that tell of a patient, by the table's name; tables without any are left out."""
    ids: dict[str, list[str]] = {PATIENTS: [patient]}
    for name in (VISITS, EPISODES):
        table = metadata.tables[name]
        ids[name] = list(session.connection().execute(select(table.c.id).where(table.c.patient_id == patient)).scalars())
    found = {}
    for table in metadata.sorted_tables:
        conditions = list(_conditions(table, ids))
        if conditions and table.name != "audit":
            rows = session.connection().execute(select(table).where(or_(*conditions))).mappings()
            if kept := [_shown(dict(row)) for row in rows]:
                found[table.name] = kept
    return found


def _conditions(table: Table, ids: dict[str, list[str]]) -> Iterator[ColumnElement[bool]]:
    """Yield how a row of a table may tell of a patient: it is theirs, or refers to them, a visit or an episode of theirs."""
    if table.name in ids:
        yield table.c.id.in_(ids[table.name])
    for column in table.columns:
        for key in column.foreign_keys:
            if key.column.table.name in ids and key.column.name == "id":
                yield column.in_(ids[key.column.table.name])
    for kind, identifier in (("subject_kind", "subject_id"), ("kind", "subject_id")):
        if {kind, identifier} <= {*table.columns.keys()}:
            for subject, name in SUBJECTS.items():
                yield _are(table.c[kind], subject, table.c[identifier], ids[name])


def _are(kind: Column[Any], subject: str, identifier: Column[Any], ids: list[str]) -> ColumnElement[bool]:
    return (kind == subject) & identifier.in_(ids)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without secrets; what is sealed or binary is said to be there."""
    return {
        name: f"{len(value)} bytes" if isinstance(value, bytes) else value for name, value in row.items() if name not in SECRET
    }
