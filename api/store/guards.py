"""What the database itself refuses, stated once for SQLite and once for PostgreSQL, in the words of each.

Double booking: two rows of ``occupancies`` of one resource never overlap, supervision apart, nor do those count that are known
to be doubled. On PostgreSQL that is an
exclusion constraint over a gist index. SQLite has none: its triggers look for a row that overlaps among those that begin at
most ``LONGEST_DAYS`` before, so that they read a few entries of an index and not the whole past; therefore none is longer.

Append only: rows of ``audit``, and of an episode's history, are neither changed nor removed.
"""

from __future__ import annotations

from collections.abc import Iterator

from api.store.driver_errors import APPEND_ONLY, DOUBLE_BOOKED

LONGEST_DAYS = 2
"""Longest time for which a booking takes a resource, cleaning or recovery included."""

TOO_LONG = "occupancy_too_long"


def _look_for_overlap(counted: str) -> str:
    """Return what SQLite does before a row, of those that ``counted`` says."""
    return f"""
SELECT RAISE(ABORT, 'CHECK constraint failed: {TOO_LONG}')
WHERE julianday(NEW.ends_at) - julianday(NEW.starts_at) > {LONGEST_DAYS};
SELECT RAISE(ABORT, '{DOUBLE_BOOKED}')
WHERE {counted.format("NEW")} AND EXISTS (
    SELECT 1 FROM occupancies AS other
    WHERE other.resource = NEW.resource AND other.resource_id = NEW.resource_id AND {counted.format("other")}
      AND other.starts_at >= datetime(NEW.starts_at, '-{LONGEST_DAYS} days') AND other.starts_at < NEW.ends_at
      AND other.ends_at > NEW.starts_at AND other.rowid <> NEW.rowid
);"""


_BUT_SUPERVISION = "{0}.kind <> 'supervisor'"
_BUT_DOUBLED = "{0}.kind <> 'supervisor' AND NOT {0}.is_doubled"

_SQLITE = (
    ("double_booked_insert", "INSERT", "occupancies", _look_for_overlap(_BUT_SUPERVISION)),
    ("double_booked_update", "UPDATE", "occupancies", _look_for_overlap(_BUT_SUPERVISION)),
    ("audit_update", "UPDATE", "audit", f"SELECT RAISE(ABORT, '{APPEND_ONLY}');"),
    ("audit_delete", "DELETE", "audit", f"SELECT RAISE(ABORT, '{APPEND_ONLY}');"),
)
"""Triggers: name, event, table, and what is done before each row."""

_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    f"""ALTER TABLE occupancies ADD CONSTRAINT {DOUBLE_BOOKED} EXCLUDE USING gist
        (resource WITH =, resource_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (kind <> 'supervisor')""",
    f"ALTER TABLE occupancies ADD CONSTRAINT {TOO_LONG} CHECK (ends_at - starts_at <= interval '{LONGEST_DAYS} days')",
    f"""CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$""",
    "CREATE TRIGGER audit_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)

_POSTGRESQL_UNDONE = (
    "DROP TRIGGER audit_truncate ON audit",
    "DROP TRIGGER audit_change ON audit",
    "DROP FUNCTION refuse_change() CASCADE",
    f"ALTER TABLE occupancies DROP CONSTRAINT {TOO_LONG}",
    f"ALTER TABLE occupancies DROP CONSTRAINT {DOUBLE_BOOKED}",
)


def statements(dialect: str) -> Iterator[str]:
    """Yield the statements that put the first guards over the tables, for ``sqlite`` or ``postgresql``."""
    if dialect == "postgresql":
        yield from _POSTGRESQL
    else:
        for name, happening, table, body in _SQLITE:
            yield f"CREATE TRIGGER {name} BEFORE {happening} ON {table} FOR EACH ROW BEGIN {body} END"


def count_doubled(dialect: str, is_counted: bool) -> Iterator[str]:
    """Yield the statements by which rows that are known to be doubled may overlap, or may not (``is_counted``) as at first."""
    counted = _BUT_SUPERVISION if is_counted else _BUT_DOUBLED
    if dialect == "postgresql":
        where = "kind <> 'supervisor'" if is_counted else "kind <> 'supervisor' AND NOT is_doubled"
        yield f"ALTER TABLE occupancies DROP CONSTRAINT {DOUBLE_BOOKED}"
        yield f"""ALTER TABLE occupancies ADD CONSTRAINT {DOUBLE_BOOKED} EXCLUDE USING gist
            (resource WITH =, resource_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE ({where})"""
        return
    for name, happening in (("double_booked_insert", "INSERT"), ("double_booked_update", "UPDATE")):
        yield f"DROP TRIGGER {name}"
        yield f"CREATE TRIGGER {name} BEFORE {happening} ON occupancies FOR EACH ROW BEGIN {_look_for_overlap(counted)} END"


def append_only(table: str, dialect: str) -> Iterator[str]:
    """Yield the statements that keep the rows of a table as they are; they go when the table goes."""
    if dialect == "postgresql":
        refusal = "EXECUTE FUNCTION refuse_change()"
        yield f"CREATE TRIGGER {table}_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refusal}"
        yield f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refusal}"
    else:
        body = f"SELECT RAISE(ABORT, '{APPEND_ONLY}');"
        yield f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} FOR EACH ROW BEGIN {body} END"
        yield f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW BEGIN {body} END"


def append_only_undone(table: str, dialect: str) -> Iterator[str]:
    """Yield the statements that let the rows of a table change again."""
    on = f" ON {table}" if dialect == "postgresql" else ""
    for name in ("change", "truncate") if dialect == "postgresql" else ("update", "delete"):
        yield f"DROP TRIGGER {table}_{name}{on}"


def undoing_statements(dialect: str) -> Iterator[str]:
    """Yield the statements that take the guards away. The extension of PostgreSQL stays: others may use it."""
    if dialect == "postgresql":
        yield from _POSTGRESQL_UNDONE
    else:
        yield from (f"DROP TRIGGER {name}" for name, *_ in _SQLITE)
