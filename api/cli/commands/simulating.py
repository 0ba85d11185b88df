"""Living through months of a clinic that does not exist."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.console import ExitCode, end_command, print_json, say, show
from api.cli.options import AsJson, Seconds, Seed, Workers, expect_directory
from scheduling.catalogue.sources import PAIN_CENTRE, find_shipped_workbook
from scheduling.files import write_text
from scheduling.generate import DEFAULT_START

if TYPE_CHECKING:
    from api.simulation.setting import Setting

Policies = Literal["optimised", "first-come", "first-come-holding", "all"]


def simulate(
    weeks: Annotated[int, typer.Option("--weeks", "-w", min=1, max=104, help="How many weeks to live through.")] = 26,
    seed: Seed = 0,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="How many worlds, from --seed on.")] = 1,
    policy: Annotated[Policies, typer.Option("--policy", help="How weeks are planned.")] = "all",
    seconds: Seconds = 4.0,
    workers: Workers = 2,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Count work instead of seconds; with --workers 1 the same weeks each time.")
    ] = False,
    scale: Annotated[
        float, typer.Option("--scale", min=0.05, max=3.0, help="Of the referrals; 1 makes 500 visits a week.")
    ] = 1.0,
    start: Annotated[datetime | None, typer.Option("--start", formats=["%Y-%m-%d"], help="The first Monday.")] = None,
    clinic: Annotated[
        str | None,
        typer.Option("--clinic", help="A clinic's workbook, or one that ships: two-rooms.", show_default=PAIN_CENTRE),
    ] = None,
    output: Annotated[Path | None, typer.Option("--out", "-o", help="A directory for report.json and report.svg.")] = None,
    as_json: AsJson = False,
) -> None:
    """Live through months of a clinic, planned by the solver and first come, first served.

    All policies meet the same referrals, cancellations, no-shows, illness and closures. "optimised" plans by the solver,
    "first-come" gives each in turn the earliest free time, and "first-come-holding" does so once it has held the time for
    referrals to come that the solver would hold. The exit code is 1 when the solver's weeks broke a rule of care. --seconds
    are for the plan of a week; every change of it gets a share of them. Of a clinic's own, people and weeks are those of its
    workbook, and patients are referred as its sheet kinds says (per_week).
    """
    from api.simulation import simulate_clinic
    from api.simulation.policies import POLICIES, PlanningPolicy
    from api.simulation.report import Report, build_result, draw_report, tabulate_report
    from api.simulation.world import World

    if output is not None:
        expect_directory(output)
    if start is not None and start.weekday() != 0:
        raise typer.BadParameter(f"{start.date()} is no Monday", param_hint="--start")
    own = _read_own_setting(clinic or PAIN_CENTRE, start, weeks)
    first = own.dates.start if own is not None else DEFAULT_START if start is None else start.date()
    results = []
    for number in range(seed, seed + seeds):
        for name in POLICIES:
            if policy in (name, "all"):
                world = World(number, first, weeks, scale, own)
                tally = simulate_clinic(world, PlanningPolicy(name, seconds, number, workers, deterministic), say)
                results.append(build_result(tally, name))
    report = Report(weeks=weeks, seconds=seconds, results=tuple(results))
    if output is not None:
        write_text(output / "report.json", report.model_dump_json(indent=1) + "\n")
        (output / "report.svg").write_bytes(draw_report(report))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        show(*tabulate_report(report))
    broken = any(result.broken for result in results if result.policy == "optimised")
    raise end_command(ExitCode.RULE_BROKEN if broken else ExitCode.FINE)


def _read_own_setting(clinic: str, start: datetime | None, weeks: int) -> Setting | None:
    """Return the world of a clinic's own workbook; None: it is the pain centre's."""
    from api.simulation.own_setting import MAX_WEEKS, make_own_setting

    if clinic == PAIN_CENTRE:
        return None
    if weeks > MAX_WEEKS:
        raise typer.BadParameter(f"of a workbook, at most {MAX_WEEKS} can be lived through", param_hint="--weeks")
    return make_own_setting(find_shipped_workbook(clinic) or Path(clinic), start.date() if start else None, weeks)
