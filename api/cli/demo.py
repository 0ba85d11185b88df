"""The demonstration: a clinic made up, planned, judged, shown and written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from api.cli.console import ExitCode, end_command
from api.cli.progress import solve_with_progress
from api.reports.board import Board
from api.reports.calendar_files import export_all
from api.reports.lanes import busy_dates
from api.reports.picture import draw_picture
from api.reports.summary import plan_tables, violations_table
from scheduling.check import check
from scheduling.files import write_bytes
from scheduling.plan import Plan
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import Limits


@dataclass(frozen=True)
class Demo:
    """What a demonstration made."""

    scenario: Scenario
    plan: Plan
    files: Mapping[str, Path]
    calendars: int


def demonstrate(scenario: Scenario, limits: Limits, directory: Path, console: Console) -> Demo:
    """Plan a scenario, judge the plan and write everything into a directory.

    Parameters
    ----------
    scenario : Scenario
        What to plan.
    limits : Limits
        How long to search.
    directory : Path
        Where to write; made when it does not exist. Calendars of an earlier demonstration in it are removed.
    console : Console
        Where progress goes.
    """
    files = {
        "scenario": directory / "scenario.json",
        "plan": directory / "plan.json",
        "picture": directory / "plan.svg",
        "calendars": directory / "calendars",
    }
    scenario.write(files["scenario"])
    console.print(f"Planning {scenario.id}: {len(scenario.visits):,} visits, {len(scenario.providers)} providers")
    plan = solve_with_progress(scenario, limits, None, console)
    verdict = check(scenario, plan)
    if verdict.violations:
        console.print(violations_table(scenario, plan, verdict.violations))
        raise end_command(ExitCode.RULE_BROKEN, "Nothing more is written: the plan breaks rules.")
    plan.write(files["plan"])
    write_bytes(files["picture"], draw_picture(scenario, plan))
    for stale in files["calendars"].glob("*/*.ics"):
        stale.unlink()
    with console.status("writing calendars ..."):
        calendars = sum(1 for _ in export_all(scenario, plan, files["plan"], files["calendars"]))
    console.print(f"Every rule is kept; {calendars:,} calendars written.")
    return Demo(scenario, plan, files, calendars)


def show_demo(made: Demo, console: Console) -> None:
    """Show the board of the first day, the figures, and where everything is."""
    days = busy_dates(made.scenario, made.plan)
    for day in days[:1]:
        for line in Board(made.scenario, made.plan, "provider", console.width).day(day):
            console.print(line, soft_wrap=True)
    console.print()
    for part in plan_tables(made.scenario, made.plan):
        console.print(part)
    console.print()
    files = made.files
    console.print(Text("Written", "bold"))
    for what, name in (
        (files["picture"], "the whole plan as a picture, for print on A3"),
        (files["calendars"], f"{made.calendars:,} calendars: of providers, rooms, patients and groups"),
        (files["plan"], "the plan"),
        (files["scenario"], "what was asked for"),
    ):
        console.print(f"  {what}  ", name, sep="", soft_wrap=True)
    console.print(Text("Try", "bold"))
    for arguments in ("--day tue", "--by room --day wed"):
        console.print(f"  clinicweave show {files['scenario']} {files['plan']} {arguments}", soft_wrap=True)
