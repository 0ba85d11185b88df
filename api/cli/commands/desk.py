"""The desk from the machine itself: weeks taken in and published, visits booked, moved and cancelled, and who comes when."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from api.cli.commands.accounts import opened
from api.cli.console import Commands, ExitCode, end_command, print_json, say, show
from api.cli.files import note_unknown_to_catalogue, read_scenario_text
from api.cli.options import AsJson, ScenarioFile, day_of, expect_directory
from api.spreadsheets.cells import FORMULA_SIGNS

if TYPE_CHECKING:
    from api.context import AppContext
    from api.reports.agenda import AgendaLine
    from api.services.bookings.by_hand import RequestedPlace
    from api.services.weeks.week import WeekSnapshot

scenario_app = typer.Typer(cls=Commands, help="Take in weeks to plan, list them, write them as files.", no_args_is_help=True)

Week = Annotated[str, typer.Argument(metavar="WEEK", help="The week's id, as it was taken in.", show_default=False)]
VisitId = Annotated[str, typer.Argument(metavar="VISIT", help="The visit's id.", show_default=False)]
Start = Annotated[
    datetime | None,
    typer.Argument(formats=["%Y-%m-%dT%H:%M"], metavar="START", help="When, local; left out: the best.", show_default=False),
]
With = Annotated[list[str] | None, typer.Option("--with", help="A provider; once for each seat.", show_default=False)]
Room = Annotated[str | None, typer.Option("--room", help="The room.", show_default=False)]
Where = Annotated[str | None, typer.Option("--location", help="The building.", show_default=False)]
Because = Annotated[str | None, typer.Option("--override", help="Why rules may be broken; it is kept.", show_default=False)]


@scenario_app.command("import", epilog="Example: clinicweave scenario import my-clinic/clinic.xlsx")
def import_week(scenario: ScenarioFile, as_json: AsJson = False) -> None:
    """Take in a scenario or a clinic's workbook as a new week, with all that it asks for."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.clinic.scenarios import get_scenario, import_scenario

    text = read_scenario_text(scenario)
    with opened(may_make=True) as context, context.database.writing() as session:
        week = import_scenario(session, SYSTEM, text, context.clock())
        identifier, version = week.id, week.version
        clinic = get_scenario(session, identifier).clinic
    note_unknown_to_catalogue(clinic)
    _say_done(
        as_json, {"id": identifier, "version": version}, f"Took in {identifier}. Plan it: clinicweave plan --week {identifier}"
    )


@scenario_app.command("list", epilog="Example: clinicweave scenario list")
def list_weeks(as_json: AsJson = False) -> None:
    """List the weeks that were taken in or built."""
    from api.services.clinic.scenarios import list_periods

    with opened() as context, context.database.reading() as session:
        weeks = [(week.id, str(week.starts_on), str(week.ends_on)) for week in list_periods(session, "", MOST_WEEKS)]
    if as_json:
        print_json([{"id": name, "start": start, "end": end} for name, start, end in weeks])
        return
    table = Table("week", "from", "to before")
    for week in weeks:
        table.add_row(*week)
    show(table)


@scenario_app.command("export", epilog="Example: clinicweave scenario export first-week -o my-clinic")
def export_week(
    week: Week,
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a week of the store as it stands: WEEK.json, and the plan by which people live, WEEK.plan.json."""
    from calendars.filenames import make_file_name

    expect_directory(output)
    with opened() as context:
        scenario, plan = _load_standing(context, week)
    name = make_file_name(week)
    files = output / f"{name}.json", output / f"{name}.plan.json"
    scenario.write(files[0])
    plan.write(files[1])
    _say_done(as_json, {"scenario": str(files[0]), "plan": str(files[1])}, f"Wrote {files[0]} and {files[1]}.")


MOST_WEEKS = 500
"""Most weeks that are listed."""


def publish(
    week: Week,
    plan: Annotated[
        str | None, typer.Option("--plan", help="The plan; left out: the week's newest.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Publish a plan of a week: from now on people live by it.

    What was decided by hand since the plan was asked for stays as decided.
    """
    from api.services.accounts.accounts import SYSTEM
    from api.services.bookings import publishing
    from api.services.clinic.scenarios import get_scenario
    from api.services.weeks import planning

    with opened() as context, context.database.writing() as session:
        jobs = (job for job, _ in planning.list_jobs(session, week, None, MOST_JOBS) if job.state == "done")
        chosen = plan or next((job.id for job in jobs), None)
        if chosen is None:
            raise end_command(ExitCode.BAD_INPUT, f"Error: no plan of {week} is made yet; clinicweave plan --week {week}")
        published = publishing.publish(session, SYSTEM, chosen, context.clock())
        number, changed = published.row.id, len(published.changes)
        clinic = get_scenario(session, week).clinic
    note_unknown_to_catalogue(clinic)
    _say_done(as_json, {"publication": number, "changed": changed}, f"Published {week}: {changed} bookings are new or changed.")


MOST_JOBS = 100
"""How many plans of a week are looked through for one that is made."""


# ---- One visit ----


def book(
    visit: VisitId,
    start: Start = None,
    team: With = None,
    room: Room = None,
    location: Where = None,
    override: Because = None,
    as_json: AsJson = False,
) -> None:
    """Book a place for a visit that has none.

    Left out, room and team are the best that are free then. A place that breaks a rule is refused, with each rule.
    """
    _place("book", visit, start, team, room, location, override, as_json)


def move(
    visit: VisitId,
    start: Annotated[
        datetime, typer.Argument(formats=["%Y-%m-%dT%H:%M"], metavar="START", help="When, local.", show_default=False)
    ],
    team: With = None,
    room: Room = None,
    location: Where = None,
    override: Because = None,
    as_json: AsJson = False,
) -> None:
    """Move a visit to another start; else as book."""
    _place("move", visit, start, team, room, location, override, as_json)


def _place(
    verb: Literal["book", "move"],
    visit: str,
    start: datetime | None,
    team: Sequence[str] | None,
    room: str | None,
    location: str | None,
    override: str | None,
    as_json: bool,
) -> None:
    from api.services.accounts.accounts import SYSTEM
    from api.services.bookings import by_hand

    if override is not None and (start is None or not team or location is None):
        raise typer.BadParameter("needs START, --with and --location", param_hint="--override")

    def decide(week: WeekSnapshot, now: datetime) -> by_hand.PlacementDecision:
        place = _choose(week, visit, start, team, room, location)
        if verb == "book":
            return by_hand.decide_booking(week, SYSTEM, visit, place, override, now)
        return by_hand.decide_move(week, SYSTEM, visit, place, override, None, now)

    placed = _decide(visit, decide, by_hand.apply_placement)
    booking = placed.booking
    document = {"visit": visit, **booking.model_dump(mode="json", include={"start", "end", "location", "room", "team"})}
    where = booking.room or booking.location
    _say_done(
        as_json, document, f"{visit}: {booking.start:%A %Y-%m-%d %H:%M}, {where}, with {', '.join(booking.team) or 'nobody'}."
    )


def _choose(
    week: WeekSnapshot, visit: str, start: datetime | None, team: Sequence[str] | None, room: str | None, location: str | None
) -> RequestedPlace:
    from api.services.bookings.by_hand import RequestedPlace
    from api.services.weeks.free_places import choose_place

    if start is not None and team and location is not None:
        return RequestedPlace(start, location, room, tuple(team))
    chosen = choose_place(week, visit, start, location, team[0] if team else None)
    return RequestedPlace(chosen.start, chosen.location, room or chosen.room, chosen.team, chosen.supervisors)


def cancel(visit: VisitId, as_json: AsJson = False) -> None:
    """Cancel a visit's booking, and those of visits that cannot be without it: they wait again."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.bookings import by_hand

    cancelled: list[str] = []

    def decide(week: WeekSnapshot, now: datetime) -> by_hand.CancellationDecision:
        decision = by_hand.decide_cancellation(week, SYSTEM, visit, None, now)
        cancelled[:] = decision.cancelled
        return decision

    _decide(visit, decide, by_hand.apply_cancellation)
    _say_done(as_json, {"cancelled": cancelled}, f"Cancelled: {', '.join(cancelled)}.")


def arrive(visit: VisitId, as_json: AsJson = False) -> None:
    """Note that a visit's patient has arrived."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.bookings import marks

    with opened() as context, context.database.writing() as session:
        marks.mark(session, SYSTEM, visit, "arrived", None, context.clock())
    _say_done(as_json, {"visit": visit, "state": "arrived"}, f"{visit}: arrived.")


def _decide(visit: str, decide: Callable[[WeekSnapshot, datetime], Any], apply: Callable[..., Any]) -> Any:
    from api.services.bookings import by_hand
    from api.services.bookings.decisions import with_retries

    with opened() as context:

        def transact(act: Callable[..., Any]) -> Any:
            with context.database.writing() as session:
                return act(session)

        period = by_hand.find_period(context.database, visit)
        return with_retries(context, period, lambda week: decide(week, context.clock()), apply, transact)


# ---- Who comes when ----


def list_appointments(
    week: Week,
    day: Annotated[str | None, typer.Option("--day", "-d", help="A date, or a weekday: mon.", show_default=False)] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="A provider's id.", show_default=False)] = None,
    room: Room = None,
    patient: Annotated[str | None, typer.Option("--patient", help="A patient's id.", show_default=False)] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, for a spreadsheet.")] = False,
    to_print: Annotated[bool, typer.Option("--print", help="As plain text, a page a day.")] = False,
    as_json: AsJson = False,
) -> None:
    """List who comes when, with names: of a day, provider, room or patient, or the whole week."""
    from api.reports.agenda import HEADINGS, list_agenda

    with opened() as context:
        scenario, plan = _load_standing(context, week)
    chosen = None if day is None else day_of(scenario, day)
    for kind, identifier, known in (
        ("provider", provider, scenario.providers_by_id),
        ("room", room, scenario.rooms),
        ("patient", patient, scenario.patients_by_id),
    ):
        if identifier is not None and identifier not in known:
            raise end_command(ExitCode.BAD_INPUT, f'Error: unknown {kind} "{identifier}"')
    lines = list_agenda(scenario, plan, chosen, provider, room, patient)
    if as_json:
        print_json([dict(zip(HEADINGS, line.cells(), strict=True)) for line in lines])
    elif as_csv:
        typer.echo(_write_csv(HEADINGS, lines), nl=False)
    elif to_print:
        typer.echo(_write_pages(scenario.clinic.name, lines))
    else:
        table = Table(*HEADINGS)
        for line in lines:
            table.add_row(*line.cells())
        show(table)


def _load_standing(context: AppContext, week: str) -> Any:
    from api.services.weeks.week import get_current_week

    snapshot = get_current_week(context, week, context.clock())
    return snapshot.scenario, snapshot.plan


def _write_csv(headings: Sequence[str], lines: Sequence[AgendaLine]) -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(headings)
    for line in lines:
        # A spreadsheet would take such a text for a formula.
        rows.writerow([f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell for cell in line.cells()])
    return text.getvalue()


PAGE_BREAK = "\f"


def _write_pages(clinic: str, lines: Sequence[AgendaLine]) -> str:
    """Return a page for each day; pages are parted by form feeds."""
    days: dict[str, list[str]] = {}
    for line in lines:
        _, start, end, patient, what, where, room, team, _ = line.cells()
        place = ", ".join(filter(None, (room, where)))
        heading = f"{clinic}: {line.start:%A %d %B %Y}"
        days.setdefault(heading, []).append(f"{start}-{end}  {patient or '-'}\n             {what}; {place}; {team}")
    return PAGE_BREAK.join("\n".join([heading, "=" * len(heading), *entries, ""]) for heading, entries in days.items())


def _say_done(as_json: bool, document: dict[str, Any], text: str) -> None:
    if as_json:
        print_json(document)
    else:
        say(text)
