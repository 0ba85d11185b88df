"""The page of the domain: its glossary, its tables of the files, and its lines of Python are those of the package."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner, Result

import api.context
import scheduling
from api.cli.main import app
from scheduling.catalogue import use_catalogue
from scheduling.catalogue.sources import VARIABLE
from scheduling.clinic import Clinic, Service
from scheduling.costs import COSTS
from scheduling.people import Patient, Provider
from scheduling.plan import Plan
from scheduling.reference import write_reference
from scheduling.requests import Group, Link, Reserve, Visit
from scheduling.rules import RULES, get_rule_name
from scheduling.scenario import Policy, Scenario

SUNDAY_BEFORE = datetime(2026, 11, 29, 12, tzinfo=UTC)

PACKAGE = Path(scheduling.__file__).parent
PAGE = (PACKAGE / "README.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    level = heading.split()[0]
    match = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match is not None, f"the page has no {heading}"
    return match[1]


def first_column(text: str) -> list[str]:
    """Return the first cells of tables, headings apart."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return [cell for cell, after in zip(cells, [*cells[1:], ""], strict=True) if cell != "---" and after != "---"]


def public_classes() -> set[tuple[str, str]]:
    """Return the names of the classes that modules of the package define for others, each with its module."""
    return {
        (node.name, file.relative_to(PACKAGE).as_posix())
        for file in PACKAGE.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def test_the_glossary_has_one_line_for_each_word_of_the_domain() -> None:
    glossary = section("## Glossary")
    words = first_column(glossary)
    assert len(words) == len(set(words)), "a word has two lines"
    assert set(re.findall(r"^\| (\w+) \| .+ \| `([^`]+)` \|$", glossary, re.MULTILINE)) == public_classes()


def test_the_page_lists_every_rule_and_every_cost() -> None:
    assert first_column(section("### Rules")) == [f"`{name}`" for name in dict.fromkeys(map(get_rule_name, RULES))]
    assert first_column(section("### Costs")) == [f"`{get_rule_name(cost)}`" for cost in COSTS]


@pytest.mark.parametrize("model", [Scenario, Clinic, Service, Provider, Patient, Visit, Link, Group, Reserve, Policy])
def test_the_page_names_every_key_of_a_scenario(model: type[BaseModel]) -> None:
    named = set(re.findall(r"`(\w+)(?:\[\])?`", section("### Scenario")))
    assert {field.alias or name for name, field in model.model_fields.items()} <= named


def test_the_page_names_every_key_of_a_plan() -> None:
    named = set(re.findall(r"`(\w+)(?:\[\])?`", section("### Plan")))
    assert set(Plan.model_fields) <= named


@pytest.mark.parametrize("model", [Scenario, Plan])
def test_the_tables_of_the_files_are_what_the_schema_says(model: type[BaseModel]) -> None:
    name = model.__name__.lower()
    written = re.search(rf"<!-- {name}: begin -->\n\n(.*?)\n<!-- {name}: end -->", PAGE, re.DOTALL)
    assert written is not None
    assert written[1] == write_reference(model), f"write it again with: clinicweave schema {name} --markdown"


STEPS = 10


def follow(commands: Iterable[str], catalogues: ExitStack) -> Iterator[tuple[str, Result]]:
    """Run the lines of a guide one by one as a shell would, and yield each command's result."""
    for command in commands:
        name, *words = shlex.split(command)
        if name == "export":
            variable, _, value = words[0].partition("=")
            assert variable == VARIABLE
            catalogues.enter_context(use_catalogue(value))
        else:
            assert name == "clinicweave"
            yield command, CliRunner().invoke(app, words)


def unfold(calendar: Path) -> str:
    """Return a calendar's text with its long lines put together again."""
    return calendar.read_bytes().decode().replace("\r\n ", "")


def test_the_guide_leads_from_nothing_to_a_published_week_with_calendars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = section("## Your clinic in an hour")
    lines = "\n".join(re.findall(r"```console\n(.*?)```", guide, re.DOTALL))
    commands = [line.strip() for line in lines.splitlines() if line.strip()]
    assert len(re.findall(r"^\d+\. \*\*", guide, re.MULTILINE)) == STEPS
    assert len(commands) <= 15
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api.context, "create_context", partial(api.context.create_context, clock=lambda: SUNDAY_BEFORE))
    with ExitStack() as catalogues:
        answers = dict(follow(commands, catalogues))
    assert {command: answer.output for command, answer in answers.items() if answer.exit_code} == {}
    assert {command for command, answer in answers.items() if "Note:" in answer.stderr} == set()
    listed = answers["clinicweave list first-week --print"].stdout
    assert "Robin Example" in listed
    assert "Tuesday 2026-12-01 09:00" in answers["clinicweave move v-1 2026-12-01T09:00"].stderr
    assert "Physiotherapy" in answers["clinicweave list first-week --provider ada --csv"].stdout
    calendars = [file.read_text("utf-8") for file in (tmp_path / "my-clinic" / "calendars").glob("*/*.ics")]
    (visit,) = json.loads((tmp_path / "my-clinic" / "first-week.plan.json").read_text("utf-8"))["visits"]
    assert any(visit["start"].translate({ord("-"): None, ord(":"): None}) in calendar for calendar in calendars)
    (told,) = (tmp_path / "my-clinic" / "calendars" / "patients").glob("*.ics")
    assert [word in unfold(told) for word in ("A towel.", "+49 30 5550100", "medicines")] == [True, True, False]


def test_the_lines_of_python_build_a_scenario_solve_it_and_read_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    (lines,) = re.findall(r"^```python\n(.*?)^```", section("## Ten lines of Python"), re.MULTILINE | re.DOTALL)
    exec(compile(lines, "README.md", "exec"), {})
    assert re.fullmatch(r"v1: Mon \d\d:\d\d, wang-exam-\d+, lee\n", capsys.readouterr().out)
