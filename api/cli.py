"""The command ``clinicweave``: every command parses, asks the domain, and shows the answer."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.board import Board
from api.calendar_files import Owner, export_all, export_one
from api.console import Commands, Outcome, ended, err, out, print_json, say, show
from api.demo import demonstrate, show_demo
from api.documents import board_document, plan_summary, scenario_json, schema_of, verdict_document
from api.lanes import busy_dates
from api.options import (
    AsJson,
    Gap,
    Output,
    PlanFile,
    ScenarioFile,
    Seconds,
    Seed,
    Size,
    Start,
    Workers,
    day_of,
    expect_directory,
    expect_writable,
    generated,
)
from api.picture import picture
from api.progress import solved
from api.summary import misstated, pins_conflict, plan_tables, reasons_table, violations_table
from scheduling.check import check as judge
from scheduling.files import write_bytes
from scheduling.plan import Plan
from scheduling.scenario import Scenario

EXIT_CODES = """[bold]Exit codes[/bold]

0  fine

1  a rule is broken, or a plan states a wrong cost

2  a bad file or argument

3  the pins cannot be kept together with the rules

4  a defect of Clinicweave

130  interrupted before any plan"""

app = typer.Typer(
    cls=Commands,
    name="clinicweave",
    help="Plan a clinic's appointments and group workshops: no rule broken, and a proof of how good the plan is.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line."""
    app(prog_name="clinicweave")


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"clinicweave {version('clinicweave')}")
        except PackageNotFoundError:
            typer.echo("clinicweave (not installed)")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command(epilog="Example: clinicweave demo --size tiny --seconds 5")
def demo(
    directory: Annotated[Path, typer.Option("--out", "-o", help="The directory to write into.")] = Path("demo"),
    size: Annotated[Size, typer.Option("--size", help="How much to plan.")] = "week",
    seconds: Seconds = 30.0,
    workers: Workers = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make up a week, plan it, check it, show it, write it all.

    Writes the scenario, the plan, every calendar and a picture; calendars of an earlier demo in the directory are removed.
    """
    expect_directory(directory)
    asked = generated(size, seed, None)
    from solver import Limits

    made = demonstrate(asked, Limits(seconds=seconds, workers=workers, seed=seed), directory, err())
    if as_json:
        print_json({**plan_summary(asked, made.plan), "files": {what: str(file) for what, file in made.files.items()}})
    else:
        show_demo(made, out())


@app.command(epilog="Example: clinicweave plan week.json -o week.plan.json --seconds 30 --gap 0.01")
def plan(
    scenario: ScenarioFile,
    output: Output = None,
    seconds: Seconds = 60.0,
    workers: Workers = 2,
    seed: Seed = 0,
    gap: Gap = 0.0,
    start: Annotated[Path | None, typer.Option("--from", help="A plan to start from.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Plan a scenario.

    Ctrl-C ends the search with the best plan so far. Shows what the plan costs and leaves out, or with --json the plan
    itself. Writes it only with --output.
    """
    asked = Scenario.read(scenario)
    begin = None if start is None else Plan.read(start, asked)
    if output is not None:
        expect_writable(output)
    from solver import Limits

    made = solved(asked, Limits(seconds=seconds, workers=workers, seed=seed, gap=gap), begin, err())
    if output is not None:
        made.write(output)
        say(f"Wrote {output}.")
    if as_json:
        typer.echo(made.model_dump_json(indent=1))
    else:
        show(*plan_tables(asked, made))
    if made.status == "unknown":
        raise ended(Outcome.PINS_CONFLICT, pins_conflict(asked, made))


@app.command(epilog="Example: clinicweave check week.json week.plan.json")
def check(scenario: ScenarioFile, plan: PlanFile, as_json: AsJson = False) -> None:
    """Judge a plan by every rule, and whether it costs what it says.

    Exit code 1 when a rule is broken or a cost or bound is not as stated.
    """
    asked = Scenario.read(scenario)
    given = Plan.read(plan, asked)
    verdict = judge(asked, given)
    wrong = list(misstated(given, verdict))
    if as_json:
        print_json(verdict_document(given, verdict, wrong))
    elif verdict.violations:
        show(violations_table(verdict.violations))
    else:
        typer.echo(f"Every rule is kept. Cost {verdict.cost:,}.")
    if not as_json:
        for statement in wrong:
            typer.echo(f"Wrong: {statement}.")
    if verdict.violations or wrong:
        raise ended(Outcome.RULE_BROKEN)


@app.command(epilog="Example: clinicweave why week.json week.plan.json visit-0042 --seconds 20")
def why(
    scenario: ScenarioFile,
    plan: PlanFile,
    visit: Annotated[str, typer.Argument(metavar="VISIT", help="The id of a visit.", show_default=False)],
    seconds: Seconds = 10.0,
    as_json: AsJson = False,
) -> None:
    """Tell why a visit is left out, and what would let it in.

    Every finding is tried by solving again; what the time was too short for says so.
    """
    asked = Scenario.read(scenario)
    given = Plan.read(plan, asked)
    asked.visit(visit)
    booking = given.visits_by_id.get(visit)
    if booking is not None:
        found = {"visit": visit, "planned": booking.model_dump(mode="json"), "reasons": []}
        text = f"{visit} is planned on {booking.start:%A %d %B at %H:%M}, {booking.room or booking.location}."
        print_json(found) if as_json else typer.echo(text)
        return
    from solver import explain

    with err().status(f"trying what would let {visit} in ..."):
        reasons = explain(asked, given, visit, seconds)
    if as_json:
        print_json({"visit": visit, "planned": None, "reasons": [reason.model_dump() for reason in reasons]})
    else:
        show(reasons_table(visit, reasons))


@app.command("show", epilog="Example: clinicweave show week.json week.plan.json --day wed --by room")
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
    asked = Scenario.read(scenario)
    given = Plan.read(plan, asked)
    days = busy_dates(asked, given) if day is None else (day_of(asked, day),)
    if as_json:
        print_json({**plan_summary(asked, given), "days": board_document(asked, given, days, by)})
    if svg is not None:
        write_bytes(svg, picture(asked, given))
        say(f"Wrote {svg}.")
    elif not as_json:
        console = out()
        board = Board(asked, given, by, console.width)
        for line in (line for one in days for line in (*board.day(one), "")):
            console.print(line, soft_wrap=True)
    broken = len(judge(asked, given).violations)
    if broken:
        raise ended(Outcome.RULE_BROKEN, f"Warning: this plan breaks rules {broken} times; see clinicweave check.")


@app.command(epilog="Example: clinicweave export week.json week.plan.json --all -o calendars")
def export(
    scenario: ScenarioFile,
    plan: PlanFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, or with --all the directory.", show_default=False)],
    provider: Annotated[str | None, typer.Option("--provider", help="A provider's id.", show_default=False)] = None,
    room: Annotated[str | None, typer.Option("--room", help="A room's id.", show_default=False)] = None,
    patient: Annotated[str | None, typer.Option("--patient", help="A patient's id.", show_default=False)] = None,
    group: Annotated[str | None, typer.Option("--group", help="A group's id.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every calendar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write iCalendar files of a plan that keeps every rule.

    The events' identifiers are kept in a file beside the plan, so that calendars see a later plan as changes.
    """
    owners: dict[Owner, str | None] = {"provider": provider, "room": room, "patient": patient, "group": group}
    chosen = [(kind, identifier) for kind, identifier in owners.items() if identifier is not None]
    if len(chosen) + everything != 1:
        raise typer.BadParameter("give exactly one of --provider, --room, --patient, --group and --all")
    asked = Scenario.read(scenario)
    given = Plan.read(plan, asked)
    if broken := judge(asked, given).violations:
        raise ended(Outcome.RULE_BROKEN, f"Nothing is written: the plan breaks rules {len(broken)} times.")
    files = [export_one(asked, given, plan, kind, identifier, output) for kind, identifier in chosen]
    files += export_all(asked, given, plan, output) if everything else ()
    if as_json:
        print_json({"files": [str(file) for file in files]})
    else:
        typer.echo(f"Wrote {len(files)} calendars to {output}." if everything else f"Wrote {files[0]}.")


@app.command(epilog="Example: clinicweave generate week --seed 7 -o week.json")
def generate(
    size: Annotated[Size, typer.Argument(help="How much.", show_default=False)],
    seed: Seed = 0,
    output: Output = None,
    start: Start = None,
    as_json: AsJson = False,
) -> None:
    """Make up a scenario over the whole catalogue of services.

    The same size, seed and start give the same scenario. Without --output it is written to the terminal.
    """
    made = generated(size, seed, start)
    if output is None:
        typer.echo(scenario_json(made))
        return
    made.write(output)
    found = {"file": str(output), "id": made.id, "visits": len(made.visits), "providers": len(made.providers)}
    if as_json:
        print_json(found)
    else:
        say(f"Wrote {output}: {len(made.visits):,} visits, {len(made.providers)} providers.")


@app.command(epilog="Example: clinicweave schema plan > plan.schema.json")
def schema(
    file: Annotated[Literal["scenario", "plan"], typer.Argument(help="Which file.", show_default=False)],
) -> None:
    """Write the JSON Schema of scenario or plan files."""
    print_json(schema_of(Scenario if file == "scenario" else Plan))
