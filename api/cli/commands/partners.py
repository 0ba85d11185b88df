"""Exchanging messages with hospital systems: the process that does it, the messages, and whether a partner answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.commands.accounts import opened
from api.cli.console import Commands, ExitCode, end_command, print_json, say
from api.cli.options import AsJson
from api.runtime.settings import Settings, read_settings
from scheduling.errors import Fault, InvalidFile, UnknownId

if TYPE_CHECKING:
    from api.context import AppContext
    from api.hl7.partners import Partners
    from api.store.tables import InMessageRow, OutMessageRow

hl7_app = typer.Typer(cls=Commands, help="Exchange HL7 messages with hospital systems.", invoke_without_command=True)
partner_app = typer.Typer(cls=Commands, help="Look after the partners of the file CLINICWEAVE_PARTNERS.", no_args_is_help=True)

MAX_LISTED = 1_000

OfPartner = Annotated[str | None, typer.Option("--partner", help="Only those of one partner.", show_default=False)]
InState = Annotated[
    str | None,
    typer.Option("--state", help="Only those in a state: waiting, parked, sent, received, done, task …", show_default=False),
]
Message = Annotated[str, typer.Argument(metavar="MESSAGE", help="As the list names it: in:7 or out:4f…", show_default=False)]


@hl7_app.callback(epilog="Example: clinicweave hl7")
def hl7(command: typer.Context) -> None:
    """Send appointments to hospital systems and take in what they send, until stopped; or look after the messages.

    One process does it, beside the service and its workers. Who the systems are is in the file that CLINICWEAVE_PARTNERS names.
    """
    if command.invoked_subcommand is not None:
        return
    from api.hl7.process import exchange_messages
    from api.runtime.logs import write_logs

    partners, folder = _read_partners(read_settings())
    with opened() as context:
        write_logs(context.settings.log_level)
        asyncio.run(exchange_messages(context, partners, folder, say))


@hl7_app.command("list", epilog="Example: clinicweave hl7 list --state parked")
def list_messages(
    of_partner: OfPartner = None,
    state: InState = None,
    count: Annotated[int, typer.Option("--count", min=1, max=MAX_LISTED, help="How many of each way.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the latest messages out and in, the newest first, without names."""
    from api.store.queries import hl7 as store

    with opened() as context, context.database.reading() as session:
        rows = [_out(row) for row in store.out_messages(session, of_partner, state, count)]
        rows += [_in(row) for row in store.in_messages(session, of_partner, state, count)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo("  ".join(str(value) for value in row.values() if value is not None))
    if not rows:
        typer.echo("There are no such messages.")


@hl7_app.command("show", epilog="Example: clinicweave hl7 show in:7")
def show(message: Message) -> None:
    """Show what a message is about, without anybody's name or illness."""
    from api.hl7.showing import lines_without_names

    with opened() as context:
        for line in lines_without_names(_content(context, message)):
            typer.echo(line)


@hl7_app.command("resend", epilog="Example: clinicweave hl7 resend out:4f2a9c0b1d3e5f607182")
def resend(message: Message) -> None:
    """Send a message to its partner once more, or do once more what one asks for that came in, as after a code was added."""
    from api.hl7.outbox import send_again
    from api.hl7.worker import do_again

    way, identifier = _parsed(message)
    with opened() as context, context.database.writing() as session:
        if way == "out":
            send_again(session, identifier, context.clock())
        else:
            do_again(session, int(identifier))
    typer.echo(f"{message} is taken up by clinicweave hl7.")


@partner_app.command("check", epilog="Example: clinicweave partner check hospital")
def check(name: Annotated[str, typer.Argument(metavar="NAME", help="The partner in the file.", show_default=False)]) -> None:
    """Look whether messages can go to a partner and come from it, with a test message that changes nothing."""
    from api.hl7.checking import CheckResult, check_partner
    from api.store.columns import utc_now

    partners, folder = _read_partners(read_settings())
    if name not in partners.partners:
        raise UnknownId("partner", name)

    async def look() -> list[CheckResult]:
        results = check_partner(partners.partners[name], partners.listen, folder, utc_now())
        return [result async for result in results]

    results = asyncio.run(look())
    for result in results:
        typer.echo(f"{'fine ' if result.is_fine else 'wrong'}  {result.words}")
    if not all(result.is_fine for result in results):
        raise end_command(ExitCode.BAD_INPUT)


def _read_partners(settings: Settings) -> tuple[Partners, Path]:
    """Return the partners, and the folder at which paths in their file begin. Raises ``InvalidFile``."""
    from api.hl7.partners import Partners

    if settings.partners is None:
        raise InvalidFile("environment", [Fault("CLINICWEAVE_PARTNERS", "must name the file of partners")])
    return Partners.read(settings.partners), settings.partners.parent


def _content(context: AppContext, message: str) -> bytes:
    from api.hl7.outbox import message_content
    from api.store.queries import hl7 as store

    way, identifier = _parsed(message)
    with context.database.reading() as session:
        if way == "in":
            return context.signer.opened(store.in_message(session, int(identifier)).content) or b""
        row = store.out_message(session, identifier)
        partners, _ = _read_partners(context.settings)
        if row.partner not in partners.partners:
            raise UnknownId("partner", row.partner)
        return message_content(session, row, partners.partners[row.partner])


def _parsed(message: str) -> tuple[str, str]:
    way, _, identifier = message.partition(":")
    if way not in ("in", "out") or not identifier or (way == "in" and not (identifier.isascii() and identifier.isdigit())):
        raise UnknownId("message", message)
    return way, identifier


def _out(row: OutMessageRow) -> dict[str, Any]:
    return _row(f"out:{row.id}", row.created_at.isoformat(), row.partner, f"SIU^{row.trigger}", row.state, row.reason)


def _in(row: InMessageRow) -> dict[str, Any]:
    return _row(f"in:{row.number}", row.received_at.isoformat(), row.partner, row.kind, row.state, row.reason)


def _row(message: str, at: str, partner: str, event: str, state: str, reason: str | None) -> dict[str, Any]:
    return {"message": message, "at": at, "partner": partner, "event": event, "state": state, "reason": reason}
