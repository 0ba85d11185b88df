"""Episodes from the machine itself: a patient's care over months, seen and continued."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.commands.accounts import opened
from api.cli.console import Commands, print_json, show
from api.cli.options import AsJson
from scheduling.care.episodes import EventKind

episode_app = typer.Typer(cls=Commands, help="See and continue a patient's care over months.", no_args_is_help=True)

Identifier = Annotated[str, typer.Argument(metavar="EPISODE", help="Its id.", show_default=False)]


@episode_app.command("list", epilog="Example: clinicweave episode list --patient mrn-4711")
def list_all(
    patient: Annotated[str | None, typer.Option("--patient", help="Of one patient.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the episodes that are open."""
    from api.store.queries import episodes
    from scheduling.names import compose_id

    with opened() as context, context.database.reading() as session:
        composed = None if patient is None else compose_id(patient)
        rows = episodes.list_episodes(session, "", sys.maxsize, composed, None if every else True)
    if as_json:
        print_json([{"id": one.id, "patient": one.patient_id, "pathway": one.pathway, "open": one.is_open} for one in rows])
        return
    table = Table("episode", "patient", "pathway", "priority", "referred", "")
    for one in rows:
        table.add_row(
            one.id, one.patient_id, one.pathway, one.priority, f"{one.referred_at:%Y-%m-%d}", "" if one.is_open else "over"
        )
    show(table)


@episode_app.command("show", epilog="Example: clinicweave episode show episode-1f0c2a9b77de")
def show_one(episode: Identifier, as_json: AsJson = False) -> None:
    """Show what has been of an episode, and what is open."""
    from pydantic_core import to_jsonable_python

    from api.services.care.episodes import describe_episode

    with opened() as context, context.database.reading() as session:
        found = to_jsonable_python(describe_episode(session, episode, context.clock()))
    if as_json:
        print_json(found)
        return
    history = Table("known", "what", "visit", "on", "by", title=f"{found['pathway']} of {found['patient']}: {found['state']}")
    for event in found["history"]:
        visit = "" if event["step"] is None else f"{event['step']}.{event['number'] or ''}".rstrip(".")
        told = event["outcome"] or event["name"] or (f"relief {event['relief_percent']} %" if event["relief_percent"] else "")
        history.add_row(event["known"], f"{event['kind']} {told}".strip(), visit, event["date"] or "", ", ".join(event["team"]))
    opens = Table("visit", "service", "earliest", "target", "latest", "stands", title="Open")
    for step in found["open"]:
        opens.add_row(*(str(step[name] or "") for name in ("visit", "service", "earliest", "target", "latest", "planned")))
    show(history, opens)


@episode_app.command("tell", epilog="Example: clinicweave episode tell EPISODE outcome --step assessment --outcome positive")
def tell(
    episode: Identifier,
    kind: Annotated[EventKind, typer.Argument(help="What became known.", show_default=False)],
    step: Annotated[str | None, typer.Option("--step", help="Of which step.", show_default=False)] = None,
    number: Annotated[int | None, typer.Option("--number", min=1, help="Of a series, which visit.", show_default=False)] = None,
    day: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Its date.", show_default=False)] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="What came of the step.", show_default=False)] = None,
    relief: Annotated[int | None, typer.Option("--relief", min=0, max=100, help="Pain relief, %.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of a date: low-reservoir.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Take down what became known: an outcome, a date, a stop, a new start; what follows from it is done."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.care.episodes import ReportedEvent, record_event

    on = None if day is None else day.date()
    told = ReportedEvent(kind=kind, step=step, number=number, date=on, outcome=outcome, relief_percent=relief, name=name)
    with opened() as context, context.database.writing() as session:
        found = record_event(session, SYSTEM, episode, None, told, context.clock())
    result: dict[str, Any] = {"episode": episode, "asked": list(found.asked), "given_up": list(found.given_up)}
    if as_json:
        print_json(result)
        return
    typer.echo(f"Asked for: {', '.join(found.asked) or 'nothing in weeks that are built'}.")
    if found.given_up:
        typer.echo(f"Given up, tell their patients: {', '.join(found.given_up)}.")
