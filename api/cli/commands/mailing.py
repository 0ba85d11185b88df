"""Mail, from the machine itself: where patients are written to, sending what waits, and taking in answers."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands.accounts import opened
from api.cli.console import Commands, print_json
from api.cli.options import AsJson
from scheduling.errors import Fault, InvalidFile

mail_app = typer.Typer(cls=Commands, help="Look after the mail to patients, and their answers.", no_args_is_help=True)


@mail_app.command("contacts", epilog="Example: clinicweave mail contacts addresses.csv")
def contacts(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lines of a patient's id and address.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Set patients' addresses from a CSV file, all or none: a line each of an id and an address; an empty one removes it."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.patients.contacts import set_addresses

    addresses = _addresses(file)
    with opened() as context, context.database.writing() as session:
        changed = set_addresses(session, SYSTEM, addresses, context.clock())
    if as_json:
        print_json({"read": len(addresses), "changed": changed})
    else:
        typer.echo(f"{changed} of {len(addresses)} addresses are new.")


@mail_app.command("send", epilog="Example: clinicweave mail send")
def send(as_json: AsJson = False) -> None:
    """Write the reminders that are due, and send the messages that wait, once; what the server puts off waits on.

    The service does so by itself.
    """
    from api.background.mail.sender_supervisor import send_once
    from api.services.messages.reminders import write_due_reminders

    with opened() as context:
        if context.settings.smtp_host is None:
            raise InvalidFile("environment", [Fault("CLINICWEAVE_SMTP_HOST", "must be set to send mail")])
        write_due_reminders(context)
    found = send_once()
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['sent']} sent, {found['later']} put off, {found['refused']} refused.")


@mail_app.command("day", epilog="Example: clinicweave mail day physician-1 physician@clinic.example")
def set_day_mail(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose day it is.", show_default=False)],
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help="Where to; without one, nowhere any more.")] = None,
    as_json: AsJson = False,
) -> None:
    """Mail a clinician when their day changes, or no more: times, services and rooms, and no patient."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.messages import day_mails

    with opened() as context, context.database.writing() as session:
        email = day_mails.set_day_mail(session, SYSTEM, provider, address, context.clock())
    if as_json:
        print_json({"provider": provider, "email": email})
    else:
        typer.echo(f"{provider} is mailed at {email}." if email else f"{provider} is not mailed.")


def _addresses(file: Path) -> dict[str, str | None]:
    addresses: dict[str, str | None] = {}
    faults = []
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.reader(lines)
        try:
            for fields in reader:
                if len(fields) != 2 or not fields[0].strip():
                    faults += [Fault(f"line {reader.line_num}", "is not a patient's id and an address")] if fields else []
                else:
                    addresses[fields[0].strip()] = fields[1].strip() or None
        except csv.Error as error:
            faults.append(Fault(f"line {reader.line_num + 1}", f"cannot be read: {error}"))
    if faults:
        raise InvalidFile(str(file), faults)
    return addresses
