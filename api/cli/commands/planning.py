"""Making scenarios and plans, and judging them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from api.cli.commands.serving import open_service
from api.cli.commands.stored_plans import plan_week
from api.cli.console import ExitCode, end_command, err, out, print_json, say, show
from api.cli.demo import demonstrate, show_demo
from api.cli.demo_service import serve_demo
from api.cli.files import read_scenario, read_with_doubts
from api.cli.options import (
    AsJson,
    Gap,
    Now,
    Output,
    PlanFile,
    ScenarioFile,
    Seconds,
    Seed,
    Size,
    Start,
    Workers,
    answered_scenario,
    expect_directory,
    expect_writable,
    generated,
)
from api.cli.progress import solve_with_progress
from api.reports.calendar_files import take_over_uids
from api.reports.changes import moves_document, moves_table
from api.reports.documents import plan_summary, scenario_json, verdict_document
from api.reports.summary import misstated, pins_conflict, plan_tables, reasons_table, violations_table
from scheduling.catalogue import use_catalogue
from scheduling.catalogue.sources import PAIN_CENTRE, find_shipped_workbook
from scheduling.check import check as judge
from scheduling.fields import ItemKind
from scheduling.files import write_text
from scheduling.plan import Booking, GroupBooking, Plan
from scheduling.publishing import is_published, publish, read_earlier, rebase, upcoming
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import Move

MOVES_SECONDS = 10.0
"""Longest time to find out why people are moved."""


def generate(
    size: Annotated[Size, typer.Argument(help="How much.", show_default=False)],
    seed: Seed = 0,
    output: Output = None,
    start: Start = None,
    with_needs: Annotated[
        bool,
        typer.Option("--with-needs", help="With needs of single visits, on a first morning: uses every key of the format."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make up a scenario over the whole catalogue of services.

    The same size, seed and start give the same scenario. Without --output it is written to the terminal.
    """
    made = generated(size, seed, start, with_needs)
    if output is None:
        typer.echo(scenario_json(made))
        return
    made.write(output)
    summary = {"file": str(output), "id": made.id, "visits": len(made.visits), "providers": len(made.providers)}
    if as_json:
        print_json(summary)
    else:
        say(f"Wrote {output}: {len(made.visits):,} visits, {len(made.providers)} providers.")


Clinic = Annotated[
    str,
    typer.Option("--clinic", help="Whose week: pain-centre, two-rooms, or a clinic's workbook in TOML."),
]


def demo(
    directory: Annotated[Path, typer.Option("--out", "-o", help="The directory to write into.")] = Path("demo"),
    size: Annotated[Size, typer.Option("--size", help="How much to plan.")] = "week",
    seconds: Seconds = 30.0,
    workers: Workers = 2,
    seed: Seed = 0,
    clinic: Clinic = PAIN_CENTRE,
    serve: Annotated[bool, typer.Option("--serve", help="Then open it in a browser, with a throw-away account.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make up a week, plan it, check it, show it, write it all.

    Of another clinic than the pain centre, the week is that of its workbook, whatever --size says. Writes the scenario, the
    plan, every calendar and a picture; calendars of an earlier demo in the directory are removed.
    """
    expect_directory(directory)
    with use_catalogue(clinic):
        asked = (
            generated(size, seed, None)
            if clinic == PAIN_CENTRE
            else read_scenario(find_shipped_workbook(clinic) or Path(clinic))
        )
        _demonstrate(asked, directory, seconds, workers, seed, serve, as_json)


def _demonstrate(asked: Scenario, directory: Path, seconds: float, workers: int, seed: int, serve: bool, as_json: bool) -> None:
    from solver import KernelCompilation, Limits

    compilation = KernelCompilation()
    if not compilation.is_done:
        say("Compiling the search, once on this machine.")
        compilation.wait()

    limits = Limits(seconds=seconds, workers=workers, seed=seed)
    made = demonstrate(asked, limits, directory, err())
    if as_json:
        print_json({**plan_summary(asked, made.plan), "files": {what: str(file) for what, file in made.files.items()}})
    else:
        show_demo(made, out())
    if serve:
        serve_demo(asked, made.plan, limits, err(), open_service)


def plan(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file, or a clinic's workbook.", show_default=False)
    ] = None,
    output: Output = None,
    seconds: Seconds = 60.0,
    workers: Workers = 2,
    seed: Seed = 0,
    gap: Gap = 0.0,
    start: Annotated[Path | None, typer.Option("--from", help="An earlier plan to start from.", show_default=False)] = None,
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="Parameters of the search, as TOML.", show_default=False)
    ] = None,
    moved: Annotated[
        Path | None, typer.Option("--moves", help="Write who is moved, and why, as JSON.", show_default=False)
    ] = None,
    now: Now = None,
    week: Annotated[
        str | None, typer.Option("--week", help="A week of the service's store, instead of a file.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan a scenario, or a week of the service's store.

    With --from and --now, everybody in the earlier plan has been told of it: what is past or imminent stays, moves cost as they
    do, and --output writes the scenario that the plan answers too (NEW.scenario.json beside NEW.json). A week's plan is kept in
    the store: publish it.

    Ctrl-C ends the search with the best plan so far. Shows what the plan costs and leaves out, and when it is not the first
    (the scenario has current bookings, or --from is given) who is moved, and why; with --json only the plan itself. Writes
    the plan only with --output. An earlier plan may be of an earlier form of the scenario; its calendars' identifiers are kept.
    """
    if (scenario is None) == (week is None):
        raise typer.BadParameter("give a SCENARIO, or --week", param_hint="SCENARIO")
    if week is not None:
        if output is not None or start is not None or moved is not None:
            raise typer.BadParameter("goes without --output, --from and --moves", param_hint="--week")
        plan_week(week, seconds, workers, seed, gap, now, as_json)
        return
    assert scenario is not None
    asked = read_scenario(scenario)
    begin = None if start is None else read_earlier(start, asked)
    if now is not None:
        if begin is None:
            raise typer.BadParameter("needs --from, the plan that is lived by", param_hint="--now")
        asked = publish(asked, begin, now)
        begin = rebase(upcoming(asked, rebase(begin, asked)), asked)
    for file in (output, moved):
        if file is not None:
            expect_writable(file)
    from solver import Limits, SolverParameters

    tuning = None if parameters is None else SolverParameters.read(parameters)
    made = solve_with_progress(asked, Limits(seconds=seconds, workers=workers, seed=seed, gap=gap), begin, err(), tuning)
    if output is not None:
        made.write(output)
        if start is not None:
            take_over_uids(start, output)
        if now is not None:
            asked.write(answered_scenario(output))
        say(f"Wrote {output}.")
    changed = _moves(asked, begin, made, seconds) if moved is not None or not as_json else ()
    if moved is not None:
        write_text(moved, json.dumps(moves_document(changed), indent=1) + "\n")
        say(f"Wrote {moved}.")
    if as_json:
        typer.echo(made.model_dump_json(indent=1))
    else:
        show(*plan_tables(asked, made), *((Text(), moves_table(changed)) if changed else ()))
    if made.status == "unknown":
        raise end_command(ExitCode.PINS_CONFLICT, pins_conflict(asked, made))


def _moves(asked: Scenario, begin: Plan | None, made: Plan, seconds: float) -> tuple[Move, ...]:
    """Return who is moved from where they stand; nobody stands anywhere yet: from where the earlier plan has them, for free."""
    from solver import explain_moves

    if made.status == "unknown":
        return ()
    if not is_published(asked):
        if begin is None:
            return ()
        free = asked.policy.changed(max_notified_moves=None, moved=0, moved_notified=0, moved_notified_per_day=0)
        asked = publish(asked, begin).changed(now=None, policy=free)
    with err().status("trying what would keep each of them in its place ..."):
        return explain_moves(asked, made, min(seconds, MOVES_SECONDS))


def check(
    scenario: ScenarioFile,
    plan: Annotated[Path | None, typer.Argument(metavar="[PLAN]", help="A plan file.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a scenario or a clinic's workbook; with a plan: that, by every rule, and whether it costs what it says.

    Of a workbook, each fault is named by sheet, row and column. Exit code 1 when a rule is broken or a cost or bound is not as
    stated, and 2 when the file cannot be used, or names something that was probably not meant.
    """
    if plan is None:
        _check_scenario(scenario, as_json)
        return
    asked = read_scenario(scenario)
    given = Plan.read(plan, asked)
    verdict = judge(asked, given)
    wrong = list(misstated(given, verdict))
    if as_json:
        print_json(verdict_document(given, verdict, wrong))
    elif verdict.violations:
        show(violations_table(asked, given, verdict.violations))
    else:
        typer.echo(f"Every rule is kept. Cost {verdict.cost:,}.")
    if not as_json:
        for statement in wrong:
            typer.echo(f"Wrong: {statement}.")
    if verdict.violations or wrong:
        raise end_command(ExitCode.RULE_BROKEN)


def _check_scenario(file: Path, as_json: bool) -> None:
    asked, doubts = read_with_doubts(file)
    if as_json:
        faults = [{"path": doubt.path, "message": doubt.message} for doubt in doubts]
        print_json({"visits": len(asked.visits), "providers": len(asked.providers), "doubts": faults})
    else:
        typer.echo(f"{asked.id} can be planned: {len(asked.visits):,} visits, {len(asked.providers)} providers.")
        for doubt in doubts:
            typer.echo(f"Probably not meant: {doubt}.")
    if doubts:
        raise end_command(ExitCode.BAD_INPUT)


def why(
    scenario: ScenarioFile,
    plan: PlanFile,
    item: Annotated[str, typer.Argument(metavar="ID", help="The id of a visit, group or reserve.", show_default=False)],
    seconds: Seconds = 10.0,
    as_json: AsJson = False,
) -> None:
    """Tell why a visit, group session or hold is left out, and what would let it in.

    What can never be comes first: no room of the kind, nobody with the skill, no shift. Every other finding is tried by solving
    again; what the time was too short for says so. Of a session that meets, it is told who has no seat.
    """
    asked = read_scenario(scenario)
    given = Plan.read(plan, asked)
    kind: ItemKind = "group" if item in asked.groups_by_id else "hold" if item in asked.reserves_by_id else "visit"
    if item in asked.visits_by_id or kind == "visit":
        kind = "visit"
        asked.visit(item)
    booked: Mapping[str, Booking] = {
        "visit": given.visits_by_id,
        "group": given.groups_by_id,
        "hold": {hold.reserve: hold for hold in given.holds},
    }[kind]
    if item in booked:
        _tell_planned(asked, kind, item, booked[item], as_json)
        return
    from solver import explain, explain_session

    with err().status(f"trying what would let {item} in ..."):
        reasons = explain(asked, given, item, seconds) if kind == "visit" else explain_session(asked, given, item)
    if as_json:
        print_json({kind: item, "planned": None, "reasons": [reason.model_dump() for reason in reasons]})
    else:
        show(reasons_table(asked, item, reasons))


def _tell_planned(asked: Scenario, kind: ItemKind, item: str, booking: Booking, as_json: bool) -> None:
    without = []
    if isinstance(booking, GroupBooking):
        candidates = (candidate.patient for candidate in asked.groups_by_id[item].candidates)
        without = [patient for patient in candidates if patient not in booking.attendees]
    document = {kind: item, "planned": booking.model_dump(mode="json"), "reasons": []}
    if as_json:
        print_json(document | ({"without_seat": without} if kind == "group" else {}))
        return
    typer.echo(f"{item} is planned on {booking.start:%A %d %B at %H:%M}, {booking.room or booking.location}.")
    if without:
        typer.echo(f"No seat for {', '.join(without)}: it has {len(getattr(booking, 'attendees', ()))}.")
