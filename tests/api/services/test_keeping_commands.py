"""The record of who did what is held against its hashes by command, and the store goes to a file and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import update
from sqlmodel import col
from support.service import SECRET, peopled
from typer.testing import CliRunner

from api.cli.main import app
from api.store.database import Database
from api.store.guards import statements, undoing_statements
from api.store.queries import accounts
from api.store.tables import AccountRow, AuditRow


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """Return a store with people, whose accounts the audit tells of."""
    database = Database(sqlite_url)
    peopled(database)
    yield database
    database.close()


@pytest.fixture
def run(sqlite_url: str) -> Callable[..., Result]:
    """Return what runs a command on that store."""

    def command(*arguments: str, told: str = "") -> Result:
        environment = {"CLINICWEAVE_DATABASE_URL": sqlite_url, "CLINICWEAVE_SECRET": SECRET}
        return CliRunner().invoke(app, arguments, input=told, env=environment)

    return command


def altered(database: Database, change: Any) -> None:
    """Change the audit as only somebody can who takes the triggers away."""
    with database.engine.begin() as connection:
        for statement in undoing_statements("sqlite"):
            connection.exec_driver_sql(statement)
        connection.execute(change)
        for statement in statements("sqlite"):
            connection.exec_driver_sql(statement)


def test_an_audit_that_holds_tells_its_end_which_holds_later(run: Any, database: Database) -> None:
    told = json.loads(run("audit", "verify", "--json").stdout)
    assert (told["holds"], told["rows"]) == (True, 3)
    end = f"{told['rows']}:{told['hash']}"
    assert end in run("audit", "verify").stdout
    assert run("audit", "verify", "--known", end).exit_code == 0


def test_a_changed_row_is_found(run: Any, database: Database) -> None:
    altered(database, update(AuditRow).where(col(AuditRow.sequence) == 2).values(actor="somebody else"))
    found = run("audit", "verify", "--json")
    assert (found.exit_code, json.loads(found.stdout)["row"]) == (1, 2)
    assert "from row 2 on" in found.stderr


def test_an_end_that_is_not_there_any_more_is_found(run: Any, database: Database) -> None:
    assert run("audit", "verify", "--known", f"4:{'0' * 64}").exit_code == 1
    assert run("audit", "verify", "--known", f"3:{'0' * 64}").exit_code == 1


@pytest.mark.parametrize("known", ["", "3", "3:x", f"x:{'0' * 64}"])
def test_what_is_no_end_is_refused(run: Any, database: Database, known: str) -> None:
    found = run("audit", "verify", "--known", known)
    assert (found.exit_code, "ROW:HASH" in found.stderr) == (2, True)


def names(database: Database) -> set[str]:
    with database.reading() as session:
        return {row.name for row in accounts.list_accounts(session, "", 100)}


def test_a_restored_store_is_as_it_was_when_it_was_backed_up(run: Any, database: Database, tmp_path: Path) -> None:
    file, before = tmp_path / "clinic.backup", names(database)
    assert json.loads(run("backup", str(file), "--json").stdout) == {"backup": str(file)}
    with database.writing() as session:
        session.exec(update(AccountRow).where(col(AccountRow.name) == "admin").values(name="changed"))
    assert names(database) != before
    assert run("restore", str(file), told="n\n").exit_code == 1
    assert names(database) != before
    assert run("restore", str(file), "--yes").exit_code == 0
    assert names(database) == before
    assert run("audit", "verify").exit_code == 0


def test_what_is_no_backup_is_not_restored(run: Any, database: Database, tmp_path: Path) -> None:
    file, before = tmp_path / "notes.txt", names(database)
    file.write_text("no backup")
    found = run("restore", str(file), "--yes")
    assert (found.exit_code, "is no backup" in found.stderr) == (2, True)
    assert run("restore", str(tmp_path / "nowhere"), "--yes").exit_code == 2
    assert run("backup", str(tmp_path / "no" / "where")).exit_code == 2
    assert names(database) == before


@pytest.mark.parametrize(
    "command",
    [
        "backup copy",
        "audit verify",
        "account list",
        "account change dana --close",
        "account token dana --name n",
        "next-week --dry-run",
        "outlook",
        "intake add follow-up pat --name Pat",
        "episode list",
        "mail send",
        "restore notes.txt --yes",
    ],
)
def test_where_there_is_no_store_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("notes")
    found = CliRunner().invoke(app, command.split(), env={"CLINICWEAVE_DATABASE_URL": "", "CLINICWEAVE_SECRET": ""})
    assert found.exit_code == 2, found.output
    assert "no store" in found.stderr or "no backup" in found.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_the_first_account_makes_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"CLINICWEAVE_DATABASE_URL": "", "CLINICWEAVE_SECRET": ""}
    words = ["account", "add", "dana", "--role", "admin", "--password-stdin"]
    assert CliRunner().invoke(app, words, input="a long pass phrase\n", env=environment).exit_code == 0
    assert CliRunner().invoke(app, ["backup", "copy"], env=environment).exit_code == 0
    (tmp_path / "clinicweave.db").unlink()
    assert CliRunner().invoke(app, ["restore", "copy", "--yes"], env=environment).exit_code == 0
    assert (tmp_path / "clinicweave.db").stat().st_mode & 0o077 == 0
    assert "dana" in CliRunner().invoke(app, ["account", "list"], env=environment).stdout


def test_the_audit_is_shown_and_exported(run: Any, database: Database) -> None:
    shown = run("audit", "show", "--action", "account.add").stdout.splitlines()
    assert len(shown) == 3 and all("command-line (admin)  account.add" in line for line in shown)
    lines = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["action"] for line in lines[3:]] == ["audit.read", "audit.read"]
    assert lines[1]["previous_hash"] == lines[0]["hash"]
    assert json.loads(run("audit", "show", "--denied", "--json").stdout) == []
    assert json.loads(run("audit", "show", "--until", "2026-11-30", "--json").stdout) == []
