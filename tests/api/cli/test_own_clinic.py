"""A clinic of one's own on the command line: begun, checked, and turned into other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from scheduling.scenario import Scenario

NEW = (
    "--name",
    "Two Rooms",
    "--timezone",
    "Europe/Berlin",
    "--phone",
    "",
    "--sites",
    "Main, West",
    "--first-day",
    "2026-11-30",
)


@pytest.fixture
def clinic(run: Any) -> Path:
    """Return the TOML workbook of a new clinic."""
    assert run("init", "my", *NEW, "--format", "toml").code == 0
    return Path("my/clinic.toml")


def test_init_writes_a_workbook_that_can_be_planned(run: Any) -> None:
    assert run("init", "my", *NEW).code == 0
    result = run("check", "my/clinic.xlsx")
    assert (result.code, result.out) == (0, "first-week can be planned: 1 visits, 1 providers.\n")


def test_init_asks_for_what_no_option_says(run: Any) -> None:
    answers = "Two Rooms\nEurope/Paris\n+33 1\nMain\n2026-11-30\n"
    result = CliRunner().invoke(app, ["init", "my", "--format", "toml"], input=answers)
    assert result.exit_code == 0
    text = Path("my/clinic.toml").read_text()
    assert all(f'"{answer}"' in text for answer in ("Two Rooms", "Europe/Paris", "+33 1", "Main"))
    assert "first_day = 2026-11-30" in text


def test_init_leaves_a_workbook_alone_that_is_there(run: Any, clinic: Path) -> None:
    before = clinic.read_bytes()
    result = run("init", "my", *NEW, "--format", "toml")
    assert (result.code, clinic.read_bytes()) == (2, before)
    assert "is there already" in result.err


@pytest.mark.parametrize(("option", "value"), [("--timezone", "Mars"), ("--first-day", "Monday")])
def test_init_refuses_a_bad_answer_and_writes_nothing(run: Any, option: str, value: str) -> None:
    assert run("init", "other", *NEW, option, value).code == 2
    assert not Path("other/clinic.xlsx").exists()


def test_a_zone_that_nobody_knows_is_told_which_was_meant(run: Any, clinic: Path) -> None:
    clinic.write_text(clinic.read_text().replace("Europe/Berlin", "Berlin"))
    told = run("check", str(clinic))
    assert 'clinic, row 2, timezone: unknown zone "Berlin"; did you mean "Europe/Berlin"?' in told.err
    assert 'unknown zone "new york"; did you mean "America/New_York"?' in run("init", "b", *NEW, "--timezone", "new york").err


@pytest.mark.parametrize("suffix", [".xls", ".ods", ".csv", ".xlsm"])
def test_a_spreadsheet_of_another_kind_is_to_be_saved_as_xlsx(run: Any, suffix: str) -> None:
    Path(f"clinic{suffix}").write_bytes(b"\xd0\xcf\x11\xe0")
    for command in (
        ("check", f"clinic{suffix}"),
        ("convert", f"clinic{suffix}", "a.toml"),
        ("convert", "week.json", f"b{suffix}"),
    ):
        told = run(*command)
        assert (told.code, "save it as .xlsx" in told.err) == (2, True)


def test_check_names_each_fault_by_sheet_row_and_column(run: Any, clinic: Path) -> None:
    clinic.write_text(clinic.read_text().replace('service = "treatment"', 'service = "treatmend"'))
    result = run("check", str(clinic))
    assert result.code == 2
    assert 'requests, row 2, service: "treatmend" is not in the sheet services; did you mean "treatment"?' in result.err


def test_check_doubts_a_skill_that_nobody_has_and_plan_only_says_so(run: Any, clinic: Path) -> None:
    clinic.write_text(clinic.read_text().replace('team = [["physio"]]', 'team = [["fysio"]]'))
    result = run("check", str(clinic))
    assert result.code == 2
    doubt = 'services, row 2, team: "fysio" is in no row of the sheet people, column skills; did you mean "physio"?'
    assert f"Probably not meant: {doubt}" in result.out
    assert run("check", str(clinic), "--json").json["doubts"][0]["path"] == "services, row 2, team"
    assert doubt in run("show", str(clinic), "plan.json").err


def test_check_of_a_scenario_alone_says_that_it_can_be_planned(run: Any, asked: Scenario) -> None:
    result = run("check", "week.json")
    assert (result.code, result.out) == (
        0,
        f"{asked.id} can be planned: {len(asked.visits)} visits, {len(asked.providers)} providers.\n",
    )


def test_convert_goes_both_ways_and_loses_nothing(run: Any, clinic: Path, asked: Scenario) -> None:
    for source, target in (
        ("my/clinic.toml", "a.xlsx"),
        ("a.xlsx", "b.toml"),
        ("week.json", "week.xlsx"),
        ("week.xlsx", "back.json"),
    ):
        assert run("convert", source, target).code == 0
    assert Path("b.toml").read_text() == clinic.read_text()
    assert Scenario.read("back.json") == asked


def test_convert_names_what_a_scenario_does_not_hold(run: Any, clinic: Path) -> None:
    result = run("convert", str(clinic), "clinic.json", "--json")
    assert {"pathways", "kinds", "services.bring"} <= set(result.json["left_out"])
    assert run("convert", "week.json", "week.toml", "--json").json["left_out"] == []


def test_convert_of_a_workbook_with_faults_writes_nothing(run: Any, clinic: Path) -> None:
    clinic.write_text(clinic.read_text().replace("minutes = 45", 'minutes = "long"'))
    result = run("convert", str(clinic), "clinic.json")
    assert (result.code, Path("clinic.json").exists()) == (2, False)
    assert "services, row 2, minutes: expected a whole number" in result.err
