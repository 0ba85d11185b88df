"""A clinic's own workbook: begun, and turned into other forms."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from api.cli.console import ExitCode, end_command, print_json, say
from api.cli.files import read_scenario
from api.cli.options import AsJson, expect_writable
from api.spreadsheets.clinic_workbook import is_workbook_file, read_workbook_file, write_workbook
from scheduling.errors import Fault, InvalidFile
from scheduling.files import write_bytes, write_text
from scheduling.timegrid import suggest_zone
from scheduling.workbook import Book, load_sheets, write_scenario
from scheduling.workbook.new import create_book
from scheduling.workbook.scenarios import CARE_SHEETS
from scheduling.workbook.toml_file import format_book

DEFAULT_TIMEZONE = "Europe/Berlin"
MONDAY, DAYS_OF_WEEK = 0, 7
DEFAULT_SITE = "Main"


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where to write it.", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="The clinic's name.", show_default=False)] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Like Europe/Berlin.", show_default=False)] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="The desk's phone number.", show_default=False)] = None,
    sites: Annotated[str | None, typer.Option("--sites", help="Names, separated by commas.", show_default=False)] = None,
    first_day: Annotated[
        datetime | None,
        typer.Option("--first-day", formats=["%Y-%m-%d"], metavar="DATE", help="First day to plan.", show_default=False),
    ] = None,
    form: Annotated[Literal["xlsx", "toml"], typer.Option("--format", help="A spreadsheet, or TOML.")] = "xlsx",
    as_json: AsJson = False,
) -> None:
    """Begin a clinic of one's own: a workbook to fill in.

    Asks for what no option says: name, time zone, phone, sites and first day. Every sheet has an example row, and every heading
    a note; the workbook can be planned as it stands. A file that is there already is left alone.
    """
    file = directory / f"clinic.{form}"
    if file.exists():
        raise end_command(ExitCode.BAD_INPUT, f"Error: {file} is there already; it is left alone.")
    expect_writable(file)
    name = name or typer.prompt("Name of the clinic", default=directory.resolve().name, err=True)
    timezone = timezone or typer.prompt("Time zone", default=DEFAULT_TIMEZONE, err=True)
    _expect_zone(timezone)
    phone = typer.prompt("Phone of the desk", default="", show_default=False, err=True) if phone is None else phone
    named = sites or typer.prompt("Sites, separated by commas", default=DEFAULT_SITE, err=True)
    start = first_day.date() if first_day else _ask_first_day(ZoneInfo(timezone))
    book = create_book(name, timezone, phone, [site.strip() for site in named.split(",") if site.strip()], start)
    _write_book(book, file)
    if as_json:
        print_json({"file": str(file)})
    else:
        say(f"Wrote {file}. Fill it in, then: clinicweave check {file}")


def _ask_first_day(zone: ZoneInfo) -> date:
    today = datetime.now(zone).date()
    monday = today + timedelta(days=(MONDAY - today.weekday()) % DAYS_OF_WEEK or DAYS_OF_WEEK)
    answer = typer.prompt("First day to plan", default=monday.isoformat(), err=True)
    try:
        return date.fromisoformat(answer)
    except ValueError as error:
        raise typer.BadParameter(f'"{answer}": {error}', param_hint="--first-day") from None


def _expect_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = suggest_zone(timezone) or "; give one like Europe/Berlin"
        raise typer.BadParameter(f'unknown zone "{timezone}"{near}', param_hint="--timezone") from None


def convert(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A .xlsx, .toml or .json file.", show_default=False)],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The file to write, likewise.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Turn a clinic's workbook into TOML or a scenario's JSON, or one of these into another.

    Workbook and TOML hold the same. A scenario has shifts by their dates, and nothing of care over months: what it leaves out
    is named.
    """
    expect_writable(target)
    left_out: list[str] = []
    if is_workbook_file(target):
        _write_book(_read_book(source), target)
    else:
        left_out = _list_left_out(_read_book(source)) if is_workbook_file(source) else []
        read_scenario(source).write(target)
    if as_json:
        print_json({"file": str(target), "left_out": left_out})
        return
    say(f"Wrote {target}.")
    if left_out:
        say(f"A scenario does not hold: {', '.join(left_out)}.")


def _read_book(file: Path) -> Book:
    """Return the workbook that a file holds, or that says what a scenario does. Raises ``InvalidFile``."""
    if not is_workbook_file(file):
        return write_scenario(read_scenario(file))
    reading = read_workbook_file(file)
    if reading.faults:
        raise InvalidFile(str(file), reading.faults)
    return reading.book


def _write_book(book: Book, file: Path) -> None:
    if file.suffix.lower() == ".toml":
        write_text(file, format_book(book))
        return
    try:
        write_bytes(file, write_workbook(book))
    except InvalidFile as error:
        raise InvalidFile(str(file), [Fault(fault.path, fault.message) for fault in error.faults]) from None


def _list_left_out(book: Book) -> list[str]:
    """Return the sheets and columns that hold something which no scenario does."""
    sheets = [key for key in CARE_SHEETS if book.of(key)]
    columns = [
        f"{key}.{column.key}"
        for key, sheet in load_sheets().items()
        for column in sheet.columns
        if column.beside and any(column.key in row.cells for row in book.of(key))
    ]
    return [*sheets, *columns]
