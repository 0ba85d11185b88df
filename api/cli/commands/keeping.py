"""Keeping what the service knows: the audit's chain, backup and restore."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic_core import to_json

from api.cli.commands.accounts import opened
from api.cli.console import Commands, ExitCode, end_command, print_json
from api.cli.options import AsJson
from api.runtime.settings import read_settings
from scheduling.errors import Fault, InvalidFile

if TYPE_CHECKING:
    from api.store.audit import Tail
    from api.store.tables import AuditRow


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

    It must still hold the ends that the service has noted (CLINICWEAVE_AUDIT_ANCHOR): only so it can tell that the last rows
    were cut off, or that all were made anew.
    """
    from api.services.anchoring import read_ends
    from api.store import audit
    from api.store.errors import AuditBroken

    noted = [] if known is None else [_tail(known)]
    try:
        with opened() as context, context.database.reading() as session:
            anchors = read_ends(context.settings.anchor_file) if context.settings.anchor_file else []
            last = audit.verify(session, *noted, *anchors)
    except AuditBroken as broken:
        if as_json:
            print_json({"holds": False, "row": broken.sequence, "finding": broken.finding})
        raise end_command(ExitCode.RULE_BROKEN, f"Error: {broken}") from None
    if as_json:
        print_json({"holds": True, "rows": last.sequence, "hash": last.hash, "anchors": len(anchors)})
    else:
        typer.echo(f"The audit holds, and {len(anchors)} noted ends with it. Its end: {last.sequence}:{last.hash}")


Patient = Annotated[str | None, typer.Option("--patient", help="Also what concerns their visits.", show_default=False)]
Account = Annotated[str | None, typer.Option("--account", help="Who has done it: an id.", show_default=False)]
Action = Annotated[str | None, typer.Option("--action", help="How the action begins.", show_default=False)]
Since = Annotated[datetime | None, typer.Option("--since", help="From this instant on, UTC.", show_default=False)]
Until = Annotated[datetime | None, typer.Option("--until", help="Before this instant, UTC.", show_default=False)]
Denied = Annotated[bool, typer.Option("--denied", help="Only what was refused.")]


@audit_app.command("show", epilog="Example: clinicweave audit show --patient mrn-4711 --since 2026-11-01")
def show(
    patient: Patient = None,
    account: Account = None,
    action: Action = None,
    since: Since = None,
    until: Until = None,
    denied: Denied = False,
    as_json: AsJson = False,
) -> None:
    """Show who has read and changed what, and who was refused, in its order."""
    rows = list(_entries(patient, account, action, since, until, denied))
    if as_json:
        print_json([_line(row) for row in rows])
        return
    for row in rows:
        typer.echo(f"{row.at:%Y-%m-%dT%H:%M:%SZ}  {row.actor} ({row.role})  {row.action}  {row.object_id}  {row.outcome}")


@audit_app.command("export", epilog="Example: clinicweave audit export --since 2026-11-01 > november.jsonl")
def export(
    patient: Patient = None,
    account: Account = None,
    action: Action = None,
    since: Since = None,
    until: Until = None,
    denied: Denied = False,
    fhir: Annotated[bool, typer.Option("--fhir", help="Each row as an AuditEvent of FHIR R4.")] = False,
) -> None:
    """Write the audit to standard output, a JSON object a line, with its hashes."""
    from api.fhir.audit_events import make_audit_event

    for row in _entries(patient, account, action, since, until, denied):
        typer.echo(to_json(make_audit_event(row)).decode() if fhir else json.dumps(_line(row), sort_keys=True))


@audit_app.command("protect", epilog="Example: clinicweave audit protect --service clinicweave | psql clinic")
def protect(
    service: Annotated[str, typer.Option("--service", help="The role as which the service logs in.")] = "clinicweave",
    owner: Annotated[str, typer.Option("--owner", help="The role that is to own the audit.")] = "clinicweave_audit",
    release: Annotated[bool, typer.Option("--release", help="Take it back, as before a migration.")] = False,
) -> None:
    """Print what an administrator of PostgreSQL runs once, so that the service itself cannot change or delete the audit."""
    from api.store.audit_protection import write_protection, write_release

    for statement in (write_release if release else write_protection)(owner, service):
        typer.echo(statement)


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
    force: Annotated[bool, typer.Option("--force", help="Also while a service or worker runs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the service's store back to what a backup holds: what has come since is lost, but for the audit.

    All sessions end, and what was revoked or closed since stays so.
    """
    from api.store.backup import restore as put_back
    from api.store.database import Database
    from api.store.serving import occupied

    if not yes:
        typer.confirm("What was stored since this backup is lost. Go on?", abort=True)
    with closing(Database(read_settings().database_url)) as database, nullcontext() if force else occupied(database, True):
        put_back(database, file)
    _told(as_json, "restored", file, f"The store is as it was when {file} was written.")


def _entries(
    patient: str | None,
    account: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    denied: bool,
) -> Iterator[AuditRow]:
    """Yield the rows that are asked for, a page of the store at a time."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.records import AuditFilter, list_audit, write_audit

    moments = (None if moment is None else moment.replace(tzinfo=UTC) for moment in (since, until))
    asked = AuditFilter(patient, account, action, None, "denied" if denied else None, *moments)
    with opened() as context:
        with context.database.writing() as session:
            write_audit(session, SYSTEM, "audit.read", "audit", patient or "", context.clock())
        last = 0
        while True:
            with context.database.reading() as session:
                rows = list_audit(session, asked, last, ROWS_AT_ONCE)
            yield from rows
            if len(rows) < ROWS_AT_ONCE:
                return
            last = rows[-1].sequence


def _line(row: AuditRow) -> dict[str, Any]:
    return {**row.model_dump(), "at": row.at.isoformat()}


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
