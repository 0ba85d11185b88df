"""Finding patients, what is booked of one, and two records of one patient that become one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from api.cli.commands.accounts import opened
from api.cli.console import Commands, print_json, show
from api.cli.options import AsJson

MOST = 200
"""Most lines that are shown."""

patient_app = typer.Typer(cls=Commands, help="Find patients, and what is booked of them.", no_args_is_help=True)

PatientArgument = Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.", show_default=False)]


@patient_app.command("find", epilog="Example: clinicweave patient find 'robin ex'")
def find(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help="Words of a name or id; or a date, of birth or of a booking.", show_default=False),
    ],
    as_json: AsJson = False,
) -> None:
    """Find patients by words of name or id, whatever their case, or by a date."""
    from api.services.patients.finding import find_patients

    with opened() as context, context.database.reading() as session:
        rows = find_patients(session, text, "", MOST)
        found = [
            {"id": row.id, "name": row.name, "birth_date": None if row.birth_date is None else str(row.birth_date)}
            for row in rows
        ]
    if as_json:
        print_json(found)
        return
    table = Table("patient", "name", "born")
    for patient in found:
        table.add_row(patient["id"], patient["name"], patient["birth_date"] or "")
    show(table)


@patient_app.command("visits", epilog="Example: clinicweave patient visits mrn-4711")
def list_visits(patient: PatientArgument, as_json: AsJson = False) -> None:
    """List a patient's visits and groups' sessions of all weeks by start; what waits comes last."""
    from api.services.patients.finding import list_items
    from scheduling.names import compose_id

    with opened() as context, context.database.reading() as session:
        items = list_items(session, compose_id(patient), "", MOST)
    if as_json:
        print_json(
            [
                {
                    "kind": item.kind,
                    "id": item.id,
                    "scenario": item.scenario,
                    "service": item.service,
                    "state": item.state,
                    "start": None if item.start is None else item.start.isoformat(timespec="minutes"),
                    "location": item.location,
                    "room": item.room,
                    "team": list(item.team),
                    "tags": list(item.tags),
                }
                for item in items
            ]
        )
        return
    table = Table("start", "what", "service", "state", "where", "with")
    for item in items:
        start = "" if item.start is None else f"{item.start:%a %Y-%m-%d %H:%M}"
        where = ", ".join(place for place in (item.location, item.room) if place)
        table.add_row(start, item.id, item.service, item.state, where, ", ".join(item.team))
    show(table)


@patient_app.command("merge", epilog="Example: clinicweave patient merge mrn-4712 mrn-4711")
def merge(
    patient: PatientArgument,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The record that stays.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Let a record of a patient be another's: visits, bookings, episodes, seats and calendars follow.

    It can be undone on the same day.
    """
    from api.services.accounts.accounts import SYSTEM
    from api.services.patients.merging import merge_patients
    from scheduling.names import compose_id

    with opened() as context, context.database.writing() as session:
        merged = merge_patients(session, SYSTEM, compose_id(patient), compose_id(into), context.clock())
    overlapping = [booking.id for booking in merged.concerns]
    if as_json:
        moved = {"visits": list(merged.visits), "groups": list(merged.groups), "episodes": list(merged.episodes)}
        print_json({"patient": merged.patient, "into": merged.into, **moved, "concerns": overlapping})
        return
    typer.echo(f"{merged.patient} is {merged.into} now: {len(merged.visits)} visits went there.")
    if overlapping:
        typer.echo(f"Cannot be any more, each a task: {', '.join(overlapping)}.")


@patient_app.command("unmerge", epilog="Example: clinicweave patient unmerge mrn-4712")
def unmerge(patient: PatientArgument) -> None:
    """Let a record that was merged into another today be its own again, with all that is still where it went."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.patients.merging import undo_merge
    from scheduling.names import compose_id

    with opened() as context, context.database.writing() as session:
        undo_merge(session, SYSTEM, compose_id(patient), context.clock())
    typer.echo(f"{compose_id(patient)} is a record of its own again.")
