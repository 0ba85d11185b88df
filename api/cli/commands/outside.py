"""Providers' calendars elsewhere, from the machine itself: reading one, and having the service read it from now on."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from api.cli.commands.accounts import opened
from api.cli.console import Commands, print_json
from api.cli.options import AsJson
from api.runtime.settings import read_settings
from scheduling.errors import Fault, InvalidFile, UnknownId

if TYPE_CHECKING:
    from api.services.calendars.outside import NewCalendar
    from api.store.tables import OutsideCalendarRow
    from calendars.busy import BusyTimes

outside_app = typer.Typer(
    cls=Commands, help="Read providers' calendars elsewhere, whose events are busy times here.", no_args_is_help=True
)

Source = Annotated[str, typer.Argument(metavar="FILE|ADDRESS", help="An .ics file, or an https address.", show_default=False)]


@outside_app.command("read", epilog="Example: clinicweave outside read teaching.ics --timezone America/New_York")
def read(
    source: Source,
    timezone: Annotated[str, typer.Option("--timezone", help="The clinic's zone: of times without one.")] = "UTC",
    begin: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day; today.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="How many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show when the owner of a calendar is busy, and what of it cannot be understood; nothing is kept."""
    from calendars.busy import read_busy_times

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownId("time zone", timezone) from None
    first = datetime.combine(begin.date() if begin is not None else datetime.now(zone).date(), time(), zone)
    last = datetime.combine(first.date() + timedelta(days=days), time(), zone)
    busy = read_busy_times(_read_content(source), timezone, first, last, source)
    if as_json:
        intervals = [{"start": start.isoformat(), "end": end.isoformat()} for start, end in busy.intervals]
        print_json({"busy": intervals, "unread": busy.unread, "unread_parts": _list_unread(busy)})
        return
    for start, end in busy.intervals:
        typer.echo(f"{start.astimezone(zone):%Y-%m-%d %H:%M} to {end.astimezone(zone):%Y-%m-%d %H:%M}")
    _tell_unread(busy.unread, _list_unread(busy))


@outside_app.command("add", epilog="Example: clinicweave outside add physician-1 https://calendars.example/teaching.ics")
def add(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose calendar it is.", show_default=False)],
    source: Source,
    name: Annotated[str | None, typer.Option("--name", help="What it is called; the file's or the server's name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read a calendar from now on: its events become busy times, and a visit that they meet a task."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.calendars import outside

    new = _find_source(source, name)
    with opened() as context:
        now = context.clock()
        read = outside.read_calendar(context, new, now)
        with context.database.writing() as session:
            row = outside.add_calendar(session, context.settings, context.signer, SYSTEM, provider, read, now)
            shown = _show(row)
    if as_json:
        print_json(shown)
    else:
        typer.echo(f'The calendar {shown["id"]}, "{shown["name"]}", of {provider} is read from now on.')
        _tell_unread(shown["unread"], shown["unread_parts"])


@outside_app.command("list", epilog="Example: clinicweave outside list physician-1")
def list_(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose calendars.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """List a provider's calendars elsewhere, when each was read last, and what is wrong with it."""
    from api.services.calendars import outside

    with opened() as context, context.database.reading() as session:
        shown = [_show(row) for row in outside.list_calendars(session, provider)]
    if as_json:
        print_json({"items": shown})
        return
    for calendar in shown:
        state = calendar["failure"] or f"read at {calendar['read_at'] or 'no time'}"
        unread = f", {calendar['unread']} parts unread" if calendar["unread"] else ""
        typer.echo(f'{calendar["id"]}  {calendar["kind"]}  "{calendar["name"]}"  {state}{unread}')


def _find_source(source: str, name: str | None) -> NewCalendar:
    """Return a calendar at an address, or in a file. Raises ``InvalidFile`` for a file that cannot be read."""
    from urllib.parse import urlsplit

    from api.services.calendars.outside import NewCalendar

    if "://" in source:
        return NewCalendar(name or urlsplit(source).hostname or "calendar", url=source)
    return NewCalendar(name or Path(source).stem, content=_read_file(source))


def _read_content(source: str) -> bytes:
    from api.runtime.fetching import Fetcher, Unfetchable

    if "://" not in source:
        return _read_file(source)
    settings = read_settings()
    try:
        content = Fetcher(settings.outside_max_bytes, settings.outside_seconds).fetch(source).content
    except Unfetchable as error:
        raise InvalidFile(source, [Fault("", str(error))]) from None
    assert content is not None  # nothing was asked to be unchanged
    return content


def _read_file(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise InvalidFile(source, [Fault("", (error.strerror or str(error)).lower())]) from None


def _show(row: OutsideCalendarRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "provider": row.provider_id,
        "name": row.name,
        "kind": "file" if row.url is None else "address",
        "read_at": row.read_at and row.read_at.isoformat(),
        "failure": row.failure,
        "unread": row.unread,
        "unread_parts": row.unread_parts,
    }


def _list_unread(busy: BusyTimes) -> list[dict[str, str | None]]:
    return [
        {"property": part.property, "start": None if part.start is None else part.start.isoformat()}
        for part in busy.unread_parts
    ]


def _tell_unread(count: int, parts: list[dict[str, str | None]]) -> None:
    if count:
        listed = "; ".join(f"{part['property']} of the event at {part['start'] or 'an unknown time'}" for part in parts)
        typer.echo(f"{count} parts cannot be understood: {listed}.", err=True)
