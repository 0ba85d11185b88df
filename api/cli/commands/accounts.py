"""Who may come in, from the machine itself: the first account is made here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.access.actor import AccessRole
from api.cli.console import Commands, print_json
from api.cli.options import AsJson
from api.runtime.settings import read_settings
from scheduling.errors import UnknownId

if TYPE_CHECKING:
    from sqlmodel import Session

    from api.context import AppContext
    from api.store.tables import AccountRow

account_app = typer.Typer(cls=Commands, help="Make, list, change and close the accounts of staff.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name by which it logs in.", show_default=False)]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input, for machines.")]


@contextmanager
def opened(may_make: bool = False) -> Iterator[AppContext]:
    """Open the store of the settings, with the tables of this version.

    Parameters
    ----------
    may_make
        Where there is no store yet, one is made.

    Raises
    ------
    StoreUnusable
        When there is none, and none may be made.
    """
    from api.context import create_context
    from api.store.database import Database
    from api.store.migrations import expect_store, migrate

    settings = read_settings()
    database = Database(settings.database_url)
    if not may_make:
        expect_store(database)
    context = create_context(settings, database)
    migrate(database)
    try:
        yield context
    finally:
        context.close()


@account_app.command("add", epilog="Example: clinicweave account add dana --role scheduler")
def add(
    name: Name,
    role: Annotated[AccessRole, typer.Option("--role", help="What it may do.", show_default=False)],
    provider: Annotated[str | None, typer.Option("--provider", help="Who a clinician is.", show_default=False)] = None,
    subject: Annotated[
        str | None,
        typer.Option("--subject", help="Who the identity provider knows, instead of a password.", show_default=False),
    ] = None,
    password_stdin: FromInput = False,
    as_json: AsJson = False,
) -> None:
    """Make an account; its password is asked for, unless the identity provider knows its owner."""
    from api.access.passwords import hash_password
    from api.services.accounts.accounts import SYSTEM, NewAccount, add_account

    new = NewAccount(name, role, provider, subject)
    password_hash = None if subject is not None else hash_password(_password(password_stdin), name)
    with opened(may_make=True) as context, context.database.writing() as session:
        row = add_account(session, SYSTEM, new, password_hash, context.settings.oidc_issuer, context.clock())
    _told(as_json, {"id": row.id, "name": name, "role": role}, f"{name} may come in as {role}.")


@account_app.command("list", epilog="Example: clinicweave account list")
def list_all(as_json: AsJson = False) -> None:
    """List all accounts."""
    from api.store.queries import accounts

    with opened() as context, context.database.reading() as session:
        rows = accounts.list_accounts(session, "", sys.maxsize)
    shown = [{"id": row.id, "name": row.name, "role": row.role, "active": row.is_active} for row in rows]
    lines = [f"{one['name']}  {one['role']}{'' if one['active'] else '  closed'}" for one in shown]
    _told(as_json, shown, "\n".join(lines))


@account_app.command("change", epilog="Example: clinicweave account change dana --close")
def change(
    name: Name,
    role: Annotated[AccessRole | None, typer.Option("--role", help="What it may do.", show_default=False)] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Who a clinician is.", show_default=False)] = None,
    close: Annotated[bool | None, typer.Option("--close/--open", help="Whether it may come in.", show_default=False)] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,
    password_stdin: FromInput = False,
    as_json: AsJson = False,
) -> None:
    """Change or close an account; its sessions end."""
    from api.access.passwords import hash_password
    from api.services.accounts.accounts import SYSTEM, AccountChange, change_account

    password_hash = hash_password(_password(password_stdin), name) if password or password_stdin else None
    asked = AccountChange(role, provider, None if close is None else not close)
    with opened() as context, context.database.writing() as session:
        found = _named(session, name)
        change_account(session, SYSTEM, found.id, found.version, asked, password_hash, context.clock())
    _told(as_json, {"id": found.id, "name": name}, f"{name} is changed, and must log in again.")


@account_app.command("unlock", epilog="Example: clinicweave account unlock dana")
def unlock(
    name: Name,
    second_factor: Annotated[bool, typer.Option("--drop-second-factor", help="Of a lost phone: take it away too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let an account be logged in to again at once, after wrong passwords."""
    from api.services.accounts.accounts import SYSTEM, AccountChange, change_account

    with opened() as context, context.database.writing() as session:
        row = _named(session, name)
        change = AccountChange(unlocks=True, drops_second_factor=second_factor)
        change_account(session, SYSTEM, row.id, row.version, change, None, context.clock())
    _told(as_json, {"id": row.id, "name": name}, f"{name} may log in again.")


@account_app.command("token", epilog="Example: clinicweave account token dana --name 'nightly report' --days 90")
def token(
    account: Name,
    name: Annotated[str, typer.Option("--name", help="What it is for.", show_default=False)],
    days: Annotated[int, typer.Option("--days", min=1, max=3660, help="How long it is good for.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program that acts for an account, and tell it once."""
    from api.services.accounts.accounts import SYSTEM, add_token

    with opened() as context, context.database.writing() as session:
        now = context.clock()
        found = _named(session, account)
        secret, row = add_token(session, SYSTEM, found.id, name, now + timedelta(days=days), now)
    _told(
        as_json, {"id": row.id, "token": secret, "expires_at": row.expires_at.isoformat() if row.expires_at else None}, secret
    )


def _named(session: Session, name: str) -> AccountRow:
    from api.store.queries import accounts

    found = accounts.find_account_by_name(session, name)
    if found is None:
        raise UnknownId("account", name)
    return found


def _password(from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _told(as_json: bool, document: Any, text: str) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(text)
