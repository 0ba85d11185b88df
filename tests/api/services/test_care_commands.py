"""The commands of a newcomer's first days: who works, who is referred, next week, the outlook, and one patient's care."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.service import Clock
from typer.testing import CliRunner

from api import context as contexts
from api.cli.main import app
from scheduling.care.rolling import find_next_monday
from scheduling.generate import generate

MONDAY = find_next_monday(Clock().now.date())


class Ran:
    """What a command gave."""

    def __init__(self, *arguments: str) -> None:
        result = CliRunner().invoke(app, arguments, prog_name="clinicweave")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder whose store knows who works in the week after this one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINICWEAVE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CLINICWEAVE_SECRET", "a signing key of the tests, long enough")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(contexts, "create_context", partial(contexts.create_context, clock=Clock()))
    generate("tiny", 3, MONDAY).changed(visits=(), links=(), groups=(), reserves=()).write("roster.json")
    assert Ran("roster", "roster.json", "--json").json["start"] == str(MONDAY)
    yield tmp_path


def test_a_spreadsheet_comes_in_and_next_week_asks_for_it(here: Path) -> None:
    (here / "referrals.csv").write_text("kind,patient,name\nfollow-up,p-1,Robin\nphysical-therapy,p-2,Quin\n")
    assert "2 requests can be taken in" in Ran("intake", "import", "referrals.csv", "--dry-run").out
    taken = Ran("intake", "import", "referrals.csv", "--json").json["taken"]
    assert [(one["row"], one["patient"]) for one in taken] == [("row 2", "p-1"), ("row 3", "p-2")]
    looked = Ran("next-week", "--dry-run", "--json").json
    assert (looked["visits"] >= 2, looked["scenario"]) == (True, f"week-{MONDAY}")
    built = Ran("next-week")
    assert f"Kept as week-{MONDAY}" in built.out and "physical-therapy" in built.out
    shown = Ran("episode", "show", taken[0]["episode"])
    assert "follow-up of p-1: open" in shown.out
    told = Ran("episode", "tell", taken[0]["episode"], "stopped", "--json")
    assert told.json["given_up"] == []
    assert [one["open"] for one in Ran("episode", "list", "--patient", "p-1", "--all", "--json").json] == [False]
    assert Ran("episode", "tell", taken[0]["episode"], "stopped").code == 2


def test_a_bad_row_is_named_and_nothing_is_taken_in(here: Path) -> None:
    (here / "bad.csv").write_text("kind,patient,name\nfollow-up,p-1,Robin\njuggling,p-2,Quin\n")
    for more in ([], ["--dry-run"]):
        ran = Ran("intake", "import", "bad.csv", *more)
        assert (ran.code, "nothing was taken in" in ran.err) == (2, True)
        assert "juggling" in ran.out and "| 3 " in ran.out.replace("│", "|")
    assert Ran("episode", "list", "--json").json == []
    assert Ran("intake", "import", "nowhere.csv").code == 2


def test_the_template_is_written_and_every_kind_is_listed(here: Path) -> None:
    assert Ran("intake", "template", "-o", "referrals.xlsx").code == 0
    assert (here / "referrals.xlsx").read_bytes().startswith(b"PK")
    assert {one["kind"] for one in Ran("intake", "kinds", "--json").json} >= {"group", "referral-out", "pump-refill"}


def test_one_referral_comes_in_and_the_outlook_tells_the_wait(here: Path) -> None:
    added = Ran("intake", "add", "new-patient-chronic", "p-1", "--name", "Robin", "--json")
    assert added.json["episode"].startswith("episode-")
    assert "already" in Ran("intake", "add", "new-patient-chronic", "p-1").err
    assert "prefers" in Ran("intake", "add", "follow-up", "p-1", "--prefers", "noon").err
    ahead = Ran("outlook", "--weeks", "4", "--json").json
    assert len(ahead["weeks"]) == 4
    assert "spine-evaluation" in {wait["service"] for wait in ahead["waits"]}
    assert "A new patient waits" in Ran("outlook", "--weeks", "4").out


def test_who_is_away_what_is_closed_and_who_works_more_is_told_listed_and_taken_back(here: Path) -> None:
    day = str(MONDAY)
    for command, text in (
        ("away", f"physician-1:{day}:{day}"),
        ("close", f"wang:{day}T08:00:{day}T10:00"),
        ("open", f"physician-1:{day}T20:00:{day}T21:00:wang"),
    ):
        assert Ran(command).out.strip() == "None is known."
        (made,) = Ran(command, text, "--reason", "so it is", "--json").json
        assert (made["from"][:10], made["reason"], made["concerns"]) == (day, "so it is", [])
        assert Ran(command, "--json").json == [made]
        assert Ran(command, "--end", made["id"]).code == 0
        assert Ran(command, "--json").json == []
        assert Ran(command, "--end", made["id"]).code == 2
    assert Ran("away", f"nobody:{day}:{day}").code == 2


def test_a_dry_run_refuses_what_the_real_call_refuses(here: Path) -> None:
    assert Ran("next-week").code == 0
    later = str(MONDAY + timedelta(days=2))
    refused = [Ran("next-week", "--start", later, *more) for more in ([], ["--dry-run"])]
    assert [ran.code for ran in refused] == [2, 2]
    assert refused[0].err == refused[1].err and f"week-{MONDAY}" in refused[1].err
