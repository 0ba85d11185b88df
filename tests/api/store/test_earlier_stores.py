"""Stores and backups that earlier code has made open with the present code, and answer what they answered then."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlmodel import select
from support.postgres import PostgresServer
from support.service import SECRET, bearer

from api.context import create_context
from api.http.app import create_app
from api.runtime.settings import Settings
from api.store import audit
from api.store.backup import restore
from api.store.database import Database
from api.store.errors import ConstraintViolated
from api.store.migrations import migrate
from api.store.tables import AuditRow

EARLIER = Path(__file__).parent / "fixtures" / "b551c0b"
ANSWERS = json.loads(gzip.decompress((EARLIER / "answers.json.gz").read_bytes()))

Open = Callable[[str], str]
"""Makes a database of its own of what earlier code has made, by its name, and returns its URL."""


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[str], Path]:
    """Return what puts a backup into a file of its own."""

    def write(name: str) -> Path:
        file = tmp_path / f"{name}.backup"
        file.write_bytes(gzip.decompress((EARLIER / f"{name}.backup.gz").read_bytes()))
        return file

    return write


@pytest.fixture
def as_it_was(request: pytest.FixtureRequest, unpack: Callable[[str], Path]) -> Iterator[Open]:
    """Return what makes a store that only the earlier code has ever opened."""
    created: list[str] = []

    def make(name: str) -> str:
        file = unpack(name)
        if name.endswith("-sqlite"):
            return f"sqlite:///{file}"
        server: PostgresServer = request.getfixturevalue("postgres")
        created.append(name)
        url = server.create(name)
        subprocess.run(["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", str(file)], check=True)
        return url

    yield make
    for name in created:
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def put_back(request: pytest.FixtureRequest, unpack: Callable[[str], Path]) -> Open:
    """Return what puts the earlier code's backup into a store of the present code."""

    def make(name: str) -> str:
        url: str = request.getfixturevalue(f"{name.rpartition('-')[2]}_url")
        database = Database(url)
        restore(database, unpack(name))
        database.close()
        return url

    return make


@pytest.fixture(params=["as_it_was", "put_back"])
def open_earlier(request: pytest.FixtureRequest) -> Open:
    """Return what opens a store of the earlier code, in each way in turn."""
    made: Open = request.getfixturevalue(request.param)
    return made


def get_answers(url: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return what the service answers to the requests that the earlier code was sent."""
    context = create_context(Settings(database_url=url, secret=SECRET), clock=lambda: datetime.fromisoformat(told["now"]))
    migrate(context.database)
    answers = {}
    with TestClient(create_app(context), raise_server_exceptions=False) as client:
        for path in told["answers"]:
            answer = client.get(path, headers=bearer(told["admin" if "/accounts" in path else "scheduler"]))
            assert answer.status_code == 200, (path, answer.text)
            answers[path] = answer.json() if "json" in answer.headers["content-type"] else answer.text
    return answers


NOTHING: tuple[Any, ...] = (None, [], 0, False, "", "00:00")

SAID_OTHERWISE = {"/calendars/": ("CONTACT",), "/calendars/patient/": ("CONTACT", "DTSTART", "DESCRIPTION")}
"""Properties of events that have come since or say another thing: a patient's begin when they are to arrive."""


def without_later_keys(answer: Any, earlier: Any) -> Any:
    """Return an answer without the keys that its earlier form does not have, where they hold nothing.

    Who supervises what stands, who a patient is and when nobody is on duty, the store knew before its answers said so; feeds
    had no end before.
    """
    if isinstance(answer, dict) and isinstance(earlier, dict):
        added = answer.keys() - earlier.keys()
        empty = {key for key in added if key in ("supervisors", "expires_at", "name", "uncovered") or answer[key] in NOTHING}
        return {key: without_later_keys(value, earlier.get(key)) for key, value in answer.items() if key not in empty}
    if isinstance(answer, list) and isinstance(earlier, list) and len(answer) == len(earlier):
        return [without_later_keys(value, before) for value, before in zip(answer, earlier, strict=True)]
    return answer


def list_kept_lines(calendar: str, path: str) -> list[str]:
    """Return the unfolded lines of a calendar that are to be as they were."""
    changed = max((prefix for prefix in SAID_OTHERWISE if path.startswith(prefix)), key=len)
    without_alarms = re.sub(r"BEGIN:VALARM.*?END:VALARM\r\n", "", calendar.replace("\r\n ", ""), flags=re.DOTALL)
    return [line for line in without_alarms.splitlines() if not line.startswith(SAID_OTHERWISE[changed])]


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_earlier_store_answers_as_it_did(open_earlier: Open, name: str) -> None:
    told = ANSWERS[name]
    answers = get_answers(open_earlier(name), told)
    assert len(answers) > 20
    for path, answer in told["answers"].items():
        if path.startswith("/calendars/"):
            assert list_kept_lines(answers[path], path) == list_kept_lines(answer, path), path
        elif path.endswith(("/alerts", "/weeks/next")):  # held time is what the catalogue of today would hold
            assert without_later_keys(answers[path] | {"reserves": answer["reserves"]}, answer) == answer, path
        elif path.endswith("/plan"):  # that no plan says why somebody has no place, answers did not say
            assert all(left["reasons"] for left in answers[path]["unscheduled"])
            assert without_later_keys(answers[path] | {"unscheduled": answer["unscheduled"]}, answer) == answer, path
        else:
            assert without_later_keys(answers[path], answer) == answer, path


@pytest.mark.parametrize("name", ["week-sqlite", "week-postgresql"])
def test_an_earlier_audit_holds_and_goes_on(open_earlier: Open, name: str) -> None:
    database = Database(open_earlier(name))
    migrate(database)
    with database.writing() as session:
        before = len(list(session.exec(select(AuditRow.sequence))))
        audit.append(
            session,
            audit.AuditEntry("desk", "scheduler", "read", "visit", "own", "allowed", {}),
            datetime.fromisoformat(ANSWERS[name]["now"]),
        )
    with database.reading() as session:
        assert audit.verify(session).sequence == before + 1
    with pytest.raises(ConstraintViolated), database.writing() as session:
        session.exec(delete(AuditRow))
    database.close()


def test_an_answer_that_changes_is_noticed(as_it_was: Open) -> None:
    url, told = as_it_was("week-sqlite"), ANSWERS["week-sqlite"]
    database = Database(url)
    with database.writing() as session:
        session.connection().exec_driver_sql("UPDATE patients SET email = NULL")
    database.close()
    assert get_answers(url, told) != told["answers"]
