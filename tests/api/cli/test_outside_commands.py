"""Calendars elsewhere from the machine itself: one is read without a store, kept with one, and listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.service import SECRET, peopled

from api.store.database import Database

ODD = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Europe/Berlin:20261103T180000\r\nDTEND:None\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20261104T090000\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "teaching.ics"
    path.write_text(ODD)
    return path


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a store with providers, which the commands find by the environment."""
    monkeypatch.setenv("CLINICWEAVE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CLINICWEAVE_SECRET", SECRET)
    database = Database(sqlite_url)
    peopled(database)
    database.close()


def test_a_file_is_read_and_what_is_odd_is_told(run: Any, file: Path) -> None:
    arguments = ("outside", "read", str(file), "--timezone", "America/New_York", "--from", "2026-11-01")
    assert run(*arguments, "--json").json == {
        "busy": [
            {"start": "2026-11-03T17:00:00+00:00", "end": "2026-11-03T18:00:00+00:00"},
            {"start": "2026-11-04T14:00:00+00:00", "end": "2026-11-04T15:00:00+00:00"},
        ],
        "unread": 1,
        "unread_parts": [{"property": "DTEND", "start": "2026-11-03T17:00:00+00:00"}],
    }
    shown = run(*arguments)
    assert "2026-11-04 09:00 to 2026-11-04 10:00" in shown.out and "DTEND" in shown.err


@pytest.mark.parametrize(
    ("source", "more", "fault"),
    [
        ("nowhere.ics", (), "no such file"),
        ("http://calendars.example/a.ics", (), "no https address"),
        ("https://127.0.0.1/a.ics", (), "not one of the public internet"),
        ("", ("--timezone", "Atlantis/Capital"), "time zone"),
    ],
)
def test_what_cannot_be_read_says_why(run: Any, file: Path, source: str, more: tuple[str, ...], fault: str) -> None:
    result = run("outside", "read", source or str(file), *more)
    assert result.code == 2 and fault in result.err.lower()


def test_a_calendar_is_added_and_listed(run: Any, store: None, file: Path) -> None:
    added = run("outside", "add", "ana", str(file), "--json").json
    assert (added["name"], added["kind"], added["provider"]) == ("teaching", "file", "ana")
    assert run("outside", "list", "ana", "--json").json == {"items": [added]}
    assert added["id"] in run("outside", "list", "ana").out
    assert run("outside", "list", "ben", "--json").json == {"items": []}


def test_nobodys_calendar_is_not_added(run: Any, store: None, file: Path) -> None:
    result = run("outside", "add", "nobody", str(file))
    assert result.code == 2 and "nobody" in result.err
