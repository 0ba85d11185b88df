"""Keeping what the service knows: the audit's chain, backup and restore."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.commands.accounts import opened
from api.cli.console import Commands, ExitCode, end_command, print_json
from api.cli.options import AsJson
from api.runtime.settings import read_settings
from scheduling.errors import Fault, InvalidFile

if TYPE_CHECKING:
    from api.store.audit import Tail

ROWS_AT_ONCE = 1_000

audit_app = typer.Typer(cls=Commands, help="Look after the record of who has read and changed what.", no_args_is_help=True)


@audit_app.command("verify", epilog="Example: clinicweave audit verify --known 1041:9f2c...")
def verify(
    known: Annotated[
        str | None,
        typer.Option("--known", metavar="ROW:HASH", help="The end that an earlier call told: it must be there still."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold every row of the audit against its hash and the row before, and tell the end; 1 when it does not hold.

    Note the end elsewhere: only with it can a later call tell that the last rows were cut off.
    """
    from api.store import audit
    from api.store.errors import AuditBroken

    noted = None if known is None else _tail(known)
    try:
        with opened() as context, context.database.reading() as session:
            last = audit.verify(session, noted)
    except AuditBroken as broken:
        if as_json:
            print_json({"holds": False, "row": broken.sequence, "finding": broken.finding})
        raise end_command(ExitCode.RULE_BROKEN, f"Error: {broken}") from None
    if as_json:
        print_json({"holds": True, "rows": last.sequence, "hash": last.hash})
    else:
        typer.echo(f"The audit holds. Its end: {last.sequence}:{last.hash}")


@audit_app.command("export", epilog="Example: clinicweave audit export --after 1200 > audit.ndjson")
def export(
    after: Annotated[int, typer.Option("--after", min=0, help="Only rows after this one.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write the audit as FHIR: a line of JSON, an AuditEvent, for each row; --json changes nothing."""
    from pydantic_core import to_json

    from api.fhir.audit_events import make_audit_event
    from api.store import audit

    with opened() as context, context.database.reading() as session:
        while rows := audit.list_entries(session, after, ROWS_AT_ONCE):
            for row in rows:
                typer.echo(to_json(make_audit_event(row)).decode())
            after = rows[-1].sequence


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Write a backup of the service's store; the service may go on meanwhile."""
    from api.store.backup import backup as write

    with opened() as context:
        write(context.database, file)
    _told(as_json, "backup", file, f"The store is in {file}. Keep the signing key apart: a backup does not hold it.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the service's store back to what a backup holds: what has come since is lost."""
    from api.store.backup import restore as put_back
    from api.store.database import Database

    if not yes:
        typer.confirm("What was stored since this backup is lost. Go on?", abort=True)
    with closing(Database(read_settings().database_url)) as database:
        put_back(database, file)
    _told(as_json, "restored", file, f"The store is as it was when {file} was written.")


def _tail(text: str) -> Tail:
    from api.store.audit import Tail

    row, _, digest = text.partition(":")
    if not (row.isascii() and row.isdigit() and re.fullmatch("[0-9a-f]{64}", digest)):
        raise InvalidFile("--known", [Fault("", "is not ROW:HASH, as this command tells it")])
    return Tail(int(row), digest)


def _told(as_json: bool, what: str, file: Path, text: str) -> None:
    if as_json:
        print_json({what: str(file)})
    else:
        typer.echo(text)
