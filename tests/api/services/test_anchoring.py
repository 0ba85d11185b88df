"""The audit's end is noted outside the store, and held against it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlmodel import col
from support.service import SECRET, Clock, peopled
from typer.testing import CliRunner

from api.cli.main import app
from api.context import AppContext, create_context
from api.runtime.settings import Settings
from api.services.anchoring import note_end, read_ends
from api.services.readiness import NO_TLS, OTHER_KEY, warn
from api.store import audit
from api.store.guards import statements, undoing_statements
from api.store.tables import AuditRow
from scheduling.errors import InvalidFile


@pytest.fixture
def context(sqlite_url: str) -> Iterator[AppContext]:
    context = create_context(Settings(database_url=sqlite_url, secret=SECRET), clock=Clock())
    peopled(context.database)
    yield context
    context.close()


def verify(context: AppContext) -> int:
    environment = {"CLINICWEAVE_DATABASE_URL": context.settings.database_url, "CLINICWEAVE_SECRET": SECRET}
    return CliRunner().invoke(app, ["audit", "verify"], env=environment).exit_code


def cut_off(context: AppContext) -> None:
    """Remove the last row, as only somebody can who takes the triggers away."""
    with context.database.engine.begin() as connection:
        for statement in undoing_statements("sqlite"):
            connection.exec_driver_sql(statement)
        connection.execute(delete(AuditRow).where(col(AuditRow.sequence) == 3))
        for statement in statements("sqlite"):
            connection.exec_driver_sql(statement)


def test_an_end_that_was_cut_off_is_found_without_being_told(context: AppContext) -> None:
    note_end(context)
    assert verify(context) == 0
    cut_off(context)
    assert verify(context) == 1


def test_without_a_note_it_would_not_be_found(context: AppContext) -> None:
    cut_off(context)
    assert verify(context) == 0


def test_an_end_is_noted_once_and_for_its_owner_alone(context: AppContext) -> None:
    file = context.settings.anchor_file
    assert file is not None and read_ends(file) == []
    note_end(context)
    note_end(context)
    assert [end.sequence for end in read_ends(file)] == [3]
    assert os.stat(file).st_mode & 0o077 == 0
    file.write_text(file.read_text() + '{"row": 4')  # the machine went down
    assert [end.sequence for end in read_ends(file)] == [3]
    for _ in range(2):  # and came up again
        with context.database.writing() as session:
            audit.append(session, audit.AuditEntry("dana", "admin", "week.export", "week", "", "allowed", {}), context.clock())
        note_end(context)
    assert [end.sequence for end in read_ends(file)] == [3, 4, 5]
    assert verify(context) == 0
    file.write_text("nonsense\n" + file.read_text())
    with pytest.raises(InvalidFile, match="line 1"):
        read_ends(file)


def test_a_service_with_another_key_says_so(context: AppContext) -> None:
    warn(context)
    assert context.warnings == []
    other = create_context(context.settings.model_copy(update={"secret": None}), context.database)
    warn(other)
    assert other.warnings == [OTHER_KEY]
    warn(other, accepts_key=True)
    assert other.warnings == []
    warn(context)
    assert context.warnings == [OTHER_KEY]


@pytest.mark.parametrize(("address", "is_private"), [("http://clinic.example", False), ("https://clinic.example", True)])
def test_an_address_without_tls_is_warned_of(context: AppContext, address: str, is_private: bool) -> None:
    context.settings = context.settings.model_copy(update={"public_url": address})
    warn(context)
    assert (NO_TLS in context.warnings) is not is_private


@pytest.mark.parametrize("content", ["", "short"])
def test_an_empty_key_signs_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "clinic.db.key").write_text(content)
    with pytest.raises(InvalidFile, match="holds no key"):
        Settings(database_url=f"sqlite:///{tmp_path}/clinic.db").signing_key()


def test_a_key_that_others_may_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/clinic.db")
    settings.signing_key()
    assert caplog.records == []
    (tmp_path / "clinic.db.key").chmod(0o644)
    settings.signing_key()
    assert "may read the key" in caplog.text


def test_what_is_noted_is_a_line_of_json(context: AppContext) -> None:
    note_end(context)
    file = context.settings.anchor_file
    assert file is not None
    assert sorted(json.loads(file.read_text())) == ["at", "hash", "row"]
