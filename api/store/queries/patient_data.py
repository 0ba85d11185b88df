"""All rows that tell of one patient, whichever table they are in: exported whole, or deleted.

Which tables these are is read from their columns, so that a table that comes later is not forgotten. The audit is none of
them: it holds ids alone, and keeps what was done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, or_, select
from sqlmodel import Session, col

from api.store import guards
from api.store.rows import get_row, match_key
from api.store.tables import AuditRow, BookingRow, OccupancyRow, PatientRow, metadata

PATIENTS, VISITS, EPISODES = "patients", "visits", "episodes"
SUBJECTS = {"patient": PATIENTS, "visit": VISITS, "episode": EPISODES}
"""Tables by what their rows are called where another column says what an id is of."""

NAMED_BY = (("subject_kind", "subject_id"), ("kind", "subject_id"), ("resource", "resource_id"))
"""Columns that say together what a row is about: a kind, and an id."""

SECRET = ("secret_hash", "password_hash", "hash", "previous_hash")
"""Columns that are nobody's data."""

APPEND_ONLY = "episode_events"
"""The table of which the database refuses to delete a row."""

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by the name of their table, those first that others refer to."""


def list_records(session: Session, patient: str) -> list[str]:
    """Return a patient's own id and those of the records that were merged into it. Raises ``UnknownId``."""
    get_row(session, PatientRow, "patient", patient)
    merged = select(col(PatientRow.id)).where(col(PatientRow.merged_into) == patient).order_by(col(PatientRow.id))
    return [patient, *session.execute(merged).scalars()]


def find_rows(session: Session, records: Collection[str]) -> Rows:
    """Return the rows that tell of a patient, by the ids of their records; tables without any are left out."""
    ids: dict[str, list[str]] = {PATIENTS: list(records)}
    for name in (VISITS, EPISODES):
        table = metadata.tables[name]
        ids[name] = list(session.execute(select(table.c.id).where(table.c.patient_id.in_(ids[PATIENTS]))).scalars())
    ids[BookingRow.__tablename__] = _list_sessions_of_one(session, records)
    rows_by_table: dict[str, list[Mapping[str, Any]]] = {}
    for table in metadata.sorted_tables:
        conditions = list(_conditions(table, ids))
        if not conditions or table.name == AuditRow.__tablename__:
            continue
        if rows := list(session.execute(select(table).where(or_(*conditions))).mappings()):
            rows_by_table[table.name] = [dict(row) for row in rows]
            if "id" in table.c:
                ids[table.name] = [row["id"] for row in rows]
    return rows_by_table


def list_rows(session: Session, patient: str) -> dict[str, list[dict[str, Any]]]:
    """Return what tells of a patient for people to read: without secrets; what is sealed or binary is said to be there.

    Raises ``UnknownId``.
    """
    return {name: [_shown(row) for row in rows] for name, rows in find_rows(session, list_records(session, patient)).items()}


def delete_rows(session: Session, rows: Rows) -> None:
    """Delete rows, those first that refer to others; an episode's history too, which nothing else may shorten."""
    dialect, connection = session.get_bind().dialect.name, session.connection()
    if APPEND_ONLY in rows:
        for statement in guards.append_only_undone(APPEND_ONLY, dialect):
            connection.exec_driver_sql(statement)
    for table in reversed(metadata.sorted_tables):
        for row in rows.get(table.name, ()):
            connection.execute(delete(table).where(match_key(table, row)))
    if APPEND_ONLY in rows:
        for statement in guards.append_only(APPEND_ONLY, dialect):
            connection.exec_driver_sql(statement)
    session.expire_all()


def _list_sessions_of_one(session: Session, records: Collection[str]) -> list[str]:
    """Return the bookings of groups in which nobody else has a seat."""
    seats = select(col(OccupancyRow.booking_id)).where(col(OccupancyRow.kind) == "patient")
    others = seats.where(col(OccupancyRow.resource_id).not_in(records))
    mine = seats.where(col(OccupancyRow.resource_id).in_(records))
    query = select(col(BookingRow.id)).where(col(BookingRow.kind) == "group", col(BookingRow.id).in_(mine))
    return list(session.execute(query.where(col(BookingRow.id).not_in(others))).scalars())


def _conditions(table: Table, ids: Mapping[str, Collection[str]]) -> Iterator[ColumnElement[bool]]:
    """Yield how a row of a table may tell of a patient: it is theirs, or refers to them or to a row of theirs."""
    if table.name in ids:
        yield table.c.id.in_(ids[table.name])
    for column in table.columns:
        for key in column.foreign_keys:
            if key.column.table.name in ids and key.column.name == "id":
                yield column.in_(ids[key.column.table.name])
    for subject, name in SUBJECTS.items():
        if (named := table.columns.get(f"{subject}_id")) is not None and not named.foreign_keys:
            yield named.in_(ids[name])
        for kind, identifier in NAMED_BY:
            if {kind, identifier} <= {*table.columns.keys()}:
                yield _are(table.c[kind], subject, table.c[identifier], ids[name])


def _are(kind: Column[Any], subject: str, identifier: Column[Any], ids: Collection[str]) -> ColumnElement[bool]:
    return (kind == subject) & identifier.in_(ids)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"{len(value)} bytes" if isinstance(value, bytes) else value for name, value in row.items() if name not in SECRET
    }
