"""Showing plans, and writing them in the forms of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from api.cli.console import ExitCode, end_command, out, print_json, say
from api.cli.files import note_unknown_to_catalogue, read_scenario
from api.cli.options import AsJson, PlanFile, ScenarioFile, day_of
from api.reports.board import Board
from api.reports.calendar_files import Owner, export_all, export_one
from api.reports.documents import board_document, plan_summary, schema_of
from api.reports.lanes import busy_dates
from api.reports.picture import draw_picture
from scheduling.check import check as judge
from scheduling.files import write_bytes
from scheduling.plan import Plan
from scheduling.reference import write_reference
from scheduling.scenario import Scenario


def show_plan(
    scenario: ScenarioFile,
    plan: PlanFile,
    day: Annotated[str | None, typer.Option("--day", "-d", help="A date, or a weekday: mon.", show_default=False)] = None,
    by: Annotated[Literal["provider", "room"], typer.Option("--by", help="What the rows stand for.")] = "provider",
    svg: Annotated[Path | None, typer.Option("--svg", help="Write a picture for print on A3.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Show a plan as a board, or write a picture of it.

    A board has a row for each provider or room and a column for each time; a picture (--svg) holds the whole plan. A plan
    that breaks rules is shown too, with exit code 1.
    """
    asked = read_scenario(scenario)
    given = Plan.read(plan, asked)
    days = busy_dates(asked, given) if day is None else (day_of(asked, day),)
    if as_json:
        print_json({**plan_summary(asked, given), "days": board_document(asked, given, days, by)})
    if svg is not None:
        write_bytes(svg, draw_picture(asked, given))
        say(f"Wrote {svg}.")
    elif not as_json:
        console = out()
        board = Board(asked, given, by, console.width)
        for line in (line for day in days for line in (*board.day(day), "")):
            console.print(line, soft_wrap=True)
    broken = len(judge(asked, given).violations)
    if broken:
        raise end_command(ExitCode.RULE_BROKEN, f"Warning: this plan breaks rules {broken} times; see clinicweave check.")


def export(
    scenario: ScenarioFile,
    plan: PlanFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, or with --all the directory.", show_default=False)],
    provider: Annotated[str | None, typer.Option("--provider", help="A provider's id.", show_default=False)] = None,
    room: Annotated[str | None, typer.Option("--room", help="A room's id.", show_default=False)] = None,
    patient: Annotated[str | None, typer.Option("--patient", help="A patient's id.", show_default=False)] = None,
    group: Annotated[str | None, typer.Option("--group", help="A group's id.", show_default=False)] = None,
    location: Annotated[str | None, typer.Option("--location", help="A location's id.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every calendar.")] = False,
    uids: Annotated[
        Path | None,
        typer.Option("--uids", help="The file of identifiers, instead of that beside the plan.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write iCalendar files of a plan that keeps every rule.

    The events' identifiers are kept in a file beside the plan, PLAN.uids.json, and travel to a plan that is made from it, so
    that calendars see a later plan as changes.
    """
    owners: dict[Owner, str | None] = {
        "provider": provider,
        "room": room,
        "patient": patient,
        "group": group,
        "location": location,
    }
    chosen = [(kind, identifier) for kind, identifier in owners.items() if identifier is not None]
    if len(chosen) + everything != 1:
        raise typer.BadParameter("give exactly one of --provider, --room, --patient, --group, --location and --all")
    asked = read_scenario(scenario)
    given = Plan.read(plan, asked)
    if broken := judge(asked, given).violations:
        raise end_command(ExitCode.RULE_BROKEN, f"Nothing is written: the plan breaks rules {len(broken)} times.")
    note_unknown_to_catalogue(asked.clinic)
    files = [export_one(asked, given, plan, kind, identifier, output, uids) for kind, identifier in chosen]
    files += export_all(asked, given, plan, output, uids) if everything else ()
    if as_json:
        print_json({"files": [str(file) for file in files]})
    else:
        typer.echo(f"Wrote {len(files)} calendars to {output}." if everything else f"Wrote {files[0]}.")


def schema(
    file: Annotated[Literal["scenario", "plan"], typer.Argument(help="Which file.", show_default=False)],
    markdown: Annotated[bool, typer.Option("--markdown", help="Write the reference: a table for each record.")] = False,
) -> None:
    """Write the JSON Schema of scenario or plan files: every key with its type, unit, default and meaning."""
    kind = Scenario if file == "scenario" else Plan
    if markdown:
        typer.echo(write_reference(kind), nl=False)
    else:
        print_json(schema_of(kind))
