"""The weeks to come: who works, what next week is asked for, and how long new patients will wait."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from api.cli.commands.accounts import opened
from api.cli.console import print_json, show
from api.cli.files import read_scenario_text
from api.cli.options import AsJson, ScenarioFile

if TYPE_CHECKING:
    from scheduling.care.rolling import NextWeek

First = Annotated[
    datetime | None,
    typer.Option("--start", formats=["%Y-%m-%d"], metavar="DATE", help="The first day; else next Monday.", show_default=False),
]


def roster(
    scenario: ScenarioFile,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", formats=["%Y-%m-%d"], metavar="DATE", help="Last day of a workbook's usual week.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in the clinic and who works when from a scenario file; what it asks for is left alone.

    Whom it does not name does not work on its dates. What stands and cannot be any more is a task for staff each.
    """
    from api.services.accounts.accounts import SYSTEM
    from api.services.clinic.rosters import import_roster

    text = read_scenario_text(scenario, None if until is None else until.date())
    with opened(may_make=True) as context, context.database.writing() as session:
        imported = import_roster(session, SYSTEM, text, context.clock())
    taken = imported.scenario
    shifts = sum(len(one.shifts) for one in taken.providers)
    found = {"start": taken.horizon.start.isoformat(), "end": taken.horizon.end.isoformat(), "shifts": shifts}
    upset = {booking.id: booking for booking in imported.concerns}
    if as_json:
        print_json({**found, "concerns": sorted(upset)})
    else:
        typer.echo(f"{shifts:,} shifts from {taken.horizon.start} to before {taken.horizon.end} are known.")
        if upset:
            typer.echo(f"Cannot be any more, each a task: {', '.join(sorted(upset))}.")


def next_week(
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=8, help="How many weeks are planned together.")] = 1,
    start: First = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, and keep nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the next week from all that is open, and keep it to be planned; what stands stays.

    Building it again takes in what has become known since. Warnings say what will be too late unless somebody acts.
    """
    from api.services.accounts.accounts import SYSTEM
    from api.services.care import rolling

    with opened() as context:
        first = None if start is None else start.date()
        if dry_run:
            with context.database.reading() as session:
                horizon = rolling.get_next_horizon(session, context.clock(), weeks, first)
                found = rolling.draft_week(session, horizon, context.clock())
        else:
            with context.database.writing() as session:
                horizon = rolling.get_next_horizon(session, context.clock(), weeks, first)
                found = rolling.build_week(session, SYSTEM, horizon, context.clock()).next_week
    if as_json:
        print_json(rolling.summarise_week(found))
        return
    _show(found)
    if not dry_run:
        typer.echo(f"Kept as {found.scenario.id}: ask for its plan.")


def outlook(
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=26, help="How far to look.")] = 12,
    as_json: AsJson = False,
) -> None:
    """Show demand against capacity in the weeks to come, and the wait that a new patient should be told today.

    Percent of the time of a skill or kind of room at a site that is asked for, week by week. A fluid model over the shifts,
    closures and special clinics that are known, with patients to come at the rate at which they came.
    """
    from api.services.care import outlook as looking_ahead

    with opened() as context, context.database.reading() as session:
        found = looking_ahead.look_ahead(session, context.clock(), weeks)
    if as_json:
        print_json(looking_ahead.describe_outlook(found))
        return
    table = Table("", "at", *(f"{week:%m-%d}" for week in found.weeks), title="Percent of the time that is asked for")
    for load in found.loads:
        percents = [
            f"{100 * asked / given:.0f}" if given else ("!" if asked else "")
            for asked, given in zip(load.demand, load.capacity, strict=True)
        ]
        if any(load.demand):
            table.add_row(load.resource.name, load.resource.site, *percents)
    waits = Table("service", "days", "for want of", title="A new patient waits")
    for wait in found.waits:
        longer = f"over {7 * weeks}" if wait.days is None else str(wait.days)
        waits.add_row(wait.service, longer, looking_ahead.name_resource(wait.scarce) or "")
    show(table, waits)


def _show(found: NextWeek) -> None:
    scenario = found.scenario
    asked = Counter(visit.service for visit in scenario.visits)
    sums = f"{len(scenario.visits):,} visits, {len(scenario.groups)} groups, {len(scenario.reserves)} places held"
    table = Table("service", "visits", title=f"{scenario.id}: {sums}")
    for service, number in asked.most_common():
        table.add_row(service, str(number))
    show(table)
    if found.alerts:
        alerts = Table("warning", "visit", "patient", "service", "latest", title="To be acted on")
        for one in found.alerts:
            alerts.add_row(one.kind, one.visit, one.patient, one.service, str(one.latest or ""))
        show(alerts)
