"""Changes of the world from the machine itself: who is away, what is closed, who works more."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from api.cli.commands.accounts import opened
from api.cli.console import print_json, show
from api.cli.options import AsJson
from scheduling.disruptions import Disruption, parse_absence, parse_closure, parse_extra_shift, repeat_weekly

if TYPE_CHECKING:
    from api.services.clinic.disruptions import DisruptionEffect
    from api.store.tables.disruptions import DisruptionKind

Given = Annotated[
    str | None, typer.Argument(help="As what-if takes it; without it, what is known is listed.", show_default=False)
]
Why = Annotated[str, typer.Option("--reason", help="For the desk alone.", show_default=False)]
Ended = Annotated[str | None, typer.Option("--end", metavar="ID", help="Take this one back.", show_default=False)]


Until = Annotated[
    datetime | None,
    typer.Option("--weekly-until", formats=["%Y-%m-%d"], help="Again each week, beginning on this date at the latest."),
]


def away(
    absence: Given = None, reason: Why = "", weekly_until: Until = None, end: Ended = None, as_json: AsJson = False
) -> None:
    """Let a provider be away, PROVIDER:FROM:TO; tell whom it concerns.

    What stands in the way stays until it is moved or planned again, and is a task for staff each.
    """

    def parse(text: str) -> Sequence[Disruption]:
        first = parse_absence(text)
        return (first,) if weekly_until is None else repeat_weekly(first, weekly_until.date())

    _run("absence", absence, parse, reason, end, as_json)


def close(closure: Given = None, reason: Why = "", end: Ended = None, as_json: AsJson = False) -> None:
    """Close a room or a location, ROOM:FROM:TO; tell whom it concerns.

    What stands in it stays until it is moved or planned again, and is a task for staff each.
    """
    _run("closure", closure, lambda text: (parse_closure(text),), reason, end, as_json)


def open_shift(shift: Given = None, reason: Why = "", end: Ended = None, as_json: AsJson = False) -> None:
    """Let a provider work more than the roster says, PROVIDER:FROM:TO:LOCATION[,LOCATION...]."""
    _run("extra-shift", shift, lambda text: (parse_extra_shift(text),), reason, end, as_json)


def _run(
    kind: DisruptionKind,
    text: str | None,
    parse: Callable[[str], Sequence[Disruption]],
    reason: str,
    end: str | None,
    as_json: bool,
) -> None:
    from api.services.accounts.accounts import SYSTEM
    from api.services.clinic import disruptions

    with opened() as context:
        now = context.clock()
        if text is None and end is None:
            with context.database.reading() as session:
                effects = disruptions.list_disruptions(session, kind, "", sys.maxsize, now)
        else:
            with context.database.writing() as session:
                effects = [] if end is None else [disruptions.end_disruption(session, SYSTEM, kind, end, None, now)]
                if text is not None:
                    effects += [disruptions.add_disruption(session, SYSTEM, told, reason, now) for told in parse(text)]
    if as_json:
        print_json([_to_document(effect) for effect in effects])
    else:
        show(*(table for effect in effects for table in _to_tables(effect)) if effects else ["None is known."])


def _to_document(effect: DisruptionEffect) -> dict[str, Any]:
    from pydantic_core import to_jsonable_python

    row = effect.row
    where = {"provider": row.provider_id, "location": row.location, "room": row.room, "locations": row.locations}
    times = {"from": f"{effect.start:%Y-%m-%dT%H:%M}", "to": f"{effect.end:%Y-%m-%dT%H:%M}"}
    return {"id": row.id, **where, **times, "reason": row.reason, "concerns": to_jsonable_python(effect.concerns)}


def _to_tables(effect: DisruptionEffect) -> list[Table]:
    row = effect.row
    what = row.provider_id or row.room or row.location
    title = f"{row.id}: {what}, {effect.start:%Y-%m-%d %H:%M} to {effect.end:%Y-%m-%d %H:%M} {row.reason}".strip()
    table = Table("visit or group", "start", "location", "patients", "to be called", title=title)
    for booking in effect.concerns:
        patients = ", ".join(booking.patients)
        table.add_row(booking.id, f"{booking.start:%a %H:%M}", booking.location, patients, "yes" if booking.notified else "")
    return [table]
