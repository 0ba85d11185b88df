"""Programs of hospital systems that may come in by FHIR: which there are, by which keys, and what they may do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands.accounts import opened
from api.cli.console import Commands, print_json
from api.cli.options import AsJson
from scheduling.errors import Fault, InvalidFile
from scheduling.files import read_json

client_app = typer.Typer(
    cls=Commands, help="Let programs of hospital systems come in by FHIR, each by keys of its own.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its client id.", show_default=False)]


@client_app.command("add", epilog="Example: clinicweave client add ehr --jwks keys.json --scopes 'system/Appointment.rs'")
def add(
    name: Name,
    scopes: Annotated[
        str, typer.Option("--scopes", help="What it may do, as SMART writes it, with blanks between.", show_default=False)
    ],
    jwks: Annotated[
        Path | None, typer.Option("--jwks", help="A file with its public keys, a JSON Web Key Set.", show_default=False)
    ] = None,
    jwks_url: Annotated[
        str | None,
        typer.Option("--jwks-url", help="Where it keeps its keys, by https, and may change them.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a program come in by its keys (SMART Backend Services); it gets its tokens at /oauth/token."""
    from pydantic_core import from_json

    from api.services.accounts.accounts import SYSTEM
    from api.services.accounts.clients import add_client
    from api.services.client_keys import fetch_key_set

    if (jwks is None) == (jwks_url is None):
        raise InvalidFile("client", [Fault("keys", "give either --jwks or --jwks-url")])
    with opened(may_make=True) as context:
        keys = from_json(read_json(jwks)) if jwks is not None else fetch_key_set(context, str(jwks_url))
        with context.database.writing() as session:
            row = add_client(session, SYSTEM, name, keys, scopes.split(), context.clock(), jwks_url)
    if as_json:
        print_json({"id": row.id, "scopes": row.scopes})
    else:
        typer.echo(f"{name} may come in.")


@client_app.command("list", epilog="Example: clinicweave client list")
def list_all(as_json: AsJson = False) -> None:
    """List all programs, and what each may do."""
    from api.store.queries import clients

    with opened() as context, context.database.reading() as session:
        rows = clients.list_clients(session)
    if as_json:
        print_json([{"id": row.id, "scopes": row.scopes, "active": row.is_active} for row in rows])
        return
    for row in rows:
        typer.echo(f"{row.id}  {' '.join(row.scopes)}{'' if row.is_active else '  ended'}")


@client_app.command("end", epilog="Example: clinicweave client end hospital")
def end(name: Name, as_json: AsJson = False) -> None:
    """Let a program in no more; its tokens end at once."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.accounts.clients import end_client

    with opened() as context, context.database.writing() as session:
        end_client(session, SYSTEM, name, context.clock())
    if as_json:
        print_json({"id": name, "active": False})
    else:
        typer.echo(f"{name} comes in no more.")
