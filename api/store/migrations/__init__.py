"""Migrations: :func:`migrate` brings a database to the tables of this version, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from api.store.database import Database, translate_errors
from api.store.epoch import begin_epoch
from api.store.errors import StoreUnusable

HEAD = "head"
"""The revision of this version's tables."""

NOTHING = "base"
"""The revision of an empty database."""


def migrate(database: Database, revision: str = HEAD) -> None:
    """Bring a database to a revision, up or down; several processes at once take their turns, and nothing is half-done.

    Raises
    ------
    StoreUnusable
        When the database is of a newer version than this one, or there is no such revision.
    """
    with translate_errors(), database.engine.begin() as connection:
        try:
            if revision == NOTHING or _is_behind(connection, revision):
                command.downgrade(_config(connection), revision)
            else:
                command.upgrade(_config(connection), revision)
                if revision == HEAD:
                    begin_epoch(connection)
        except CommandError as error:
            raise StoreUnusable(f"the database cannot be migrated: {error}") from None


def write_migration(database: Database, message: str) -> None:
    """Write a migration that brings a database at the newest revision to the tables of the code, to be read and tested."""
    with database.engine.begin() as connection:
        number = len(list(known_revisions())) + 1
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{number:04}")


def expect_migrated(database: Database) -> None:
    """Raise ``StoreUnusable`` unless the database has the tables of this version."""
    revision, wanted = revision_of(database), _newest()
    if revision != wanted:
        raise StoreUnusable(f"the database is at revision {revision or 'none'}, not {wanted}; migrate it")


def expect_store(database: Database) -> None:
    """Raise ``StoreUnusable`` unless there is a store, of whatever version; where there is none, nothing is made."""
    missing = database.file is not None and not Path(database.file).exists()
    if missing or revision_of(database) is None:
        makers = "clinicweave serve, account add, roster or restore"
        raise StoreUnusable(f"there is no store at {database.url.render_as_string()}; {makers} makes one")


def expect_known(revision: str | None) -> None:
    """Raise ``StoreUnusable`` unless this version made a revision, or can bring it to its own."""
    if revision not in {step.revision for step in known_revisions()}:
        raise StoreUnusable(f"revision {revision or 'none'} is none that this version of Clinicweave knows")


def known_revisions() -> Iterator[Script]:
    """Yield every revision that this version knows, the newest first."""
    return _scripts().walk_revisions()


def revision_of(database: Database) -> str | None:
    """Return the revision of a database's tables, None of an empty one."""
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def _is_behind(connection: Connection, revision: str) -> bool:
    """Say whether a revision lies behind where the database is."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None or revision == HEAD:
        return False
    return revision != current and revision in {step.revision for step in _scripts().iterate_revisions(current, NOTHING)}


@cache
def _newest() -> str | None:
    """Return the revision of this version's tables; reading the files for it takes longer than all else that readiness asks."""
    return _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
