"""The audit on PostgreSQL, kept from the service itself: another role owns it, and the service may read it and add to it.

The triggers over the audit can be taken away by whoever owns the table. So an administrator gives it to a role that nobody logs
in as; a service that was broken into then cannot change what it has written.

References
----------
PostgreSQL, chapter "Privileges": only an owner, or a superuser, may alter, truncate or drop a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import text

from api.store.database import Database
from scheduling.errors import Fault, InvalidFile

TABLES = ("audit", "episode_events")
FUNCTION = "refuse_change"
"""The function of the triggers over them."""

_PRIVILEGES = text(
    "SELECT bool_or(pg_has_role(relowner, 'MEMBER') OR has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER'))"
    " FROM pg_class WHERE relname IN ('audit', 'episode_events') AND relkind = 'r'"
    " AND relnamespace = to_regnamespace(current_schema())"
)


def is_protected(database: Database) -> bool | None:
    """Return whether the role of a store's connections can neither change nor remove rows of the audit; None on SQLite."""
    if database.is_sqlite:
        return None
    with database.looking() as connection:
        return connection.execute(_PRIVILEGES).scalar() is False


def write_protection(owner: str, service: str) -> Iterator[str]:
    """Yield what an administrator runs, once, to give the audit to a role of its own.

    Raises
    ------
    InvalidFile
        When a name is none of a role.
    """
    for name in (owner, service):
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
            raise InvalidFile("role", [Fault("", f'"{name}" is no name of a role: small letters, digits and _')])
    yield f"CREATE ROLE {owner} NOLOGIN;"
    yield f"GRANT USAGE, CREATE ON SCHEMA public TO {owner};"
    for table in TABLES:
        yield f"ALTER TABLE {table} OWNER TO {owner};"
        yield f"REVOKE ALL ON {table} FROM {service};"
        yield f"GRANT SELECT, INSERT, REFERENCES ON {table} TO {service};"
    yield f"ALTER FUNCTION {FUNCTION}() OWNER TO {owner};"
    yield f"REVOKE {owner} FROM {service};"


def write_release(owner: str, service: str) -> Iterator[str]:
    """Yield what gives the audit back to the service's role, as before a migration that changes its tables."""
    list(write_protection(owner, service))
    for table in TABLES:
        yield f"ALTER TABLE {table} OWNER TO {service};"
    yield f"ALTER FUNCTION {FUNCTION}() OWNER TO {service};"
    yield f"DROP OWNED BY {owner};"
    yield f"DROP ROLE {owner};"
