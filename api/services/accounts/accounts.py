"""Who may come in: accounts, their sessions, programs' tokens, and patients' links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.credentials import MAX_LIFE, TOKEN, Signer, hash_secret, make_secret
from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.records import write_audit
from api.store.columns import new_id
from api.store.queries import accounts, feeds
from api.store.rows import expect_version, get_row
from api.store.tables import AccountRow, PatientLinkRow, ProviderRow, TokenRow, VisitRow
from api.store.tables.people import Role
from scheduling.errors import Fault, InvalidFile

NAME = r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}"
"""How an account may be named: also by an address."""

SYSTEM = Actor("command-line", AccessRole.ADMIN)
"""Who works at the machine itself."""

STAFF: Mapping[AccessRole, Role] = {
    AccessRole.SCHEDULER: "scheduler",
    AccessRole.CLINICIAN: "clinician",
    AccessRole.ADMIN: "admin",
}
"""The roles that accounts have."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made; with a subject when the identity provider knows its owner, else with a password."""

    name: str
    role: AccessRole
    provider: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What is to be different about an account; None leaves it."""

    role: AccessRole | None = None
    provider: str | None = None
    is_active: bool | None = None
    unlocks: bool = False
    drops_second_factor: bool = False


def list_accounts(session: Session, after: str, count: int) -> list[AccountRow]:
    """Return accounts by id, those after an id."""
    return accounts.list_accounts(session, after, count)


def get_account(session: Session, identifier: str) -> AccountRow:
    """Return an account. Raises ``UnknownId``."""
    return accounts.get_account(session, identifier)


def get_name(context: AppContext, identifier: str) -> str:
    """Return the name by which an account logs in. Raises ``UnknownId``."""
    with context.database.reading() as session:
        return accounts.get_account(session, identifier).name


def add_account(
    session: Session, by: Actor, new: NewAccount, password_hash: str | None, issuer: str | None, now: datetime
) -> AccountRow:
    """Make an account; ``password_hash`` is made before, since that takes longer than a transaction should.

    Raises
    ------
    InvalidFile
        When it is not complete.
    AlreadyThere
        When there is one of that name or subject.
    """
    _expect_complete(session, new.name, new.role, new.provider)
    if (password_hash is None) == (new.subject is None):
        raise InvalidFile("account", [Fault("password", "an account has either a password or a subject")])
    if new.subject is not None and issuer is None:
        raise InvalidFile("account", [Fault("subject", "no identity provider is set")])
    row = AccountRow(
        id=new_id(),
        name=new.name,
        role=STAFF[new.role],
        provider_id=new.provider,
        password_hash=password_hash,
        issuer=issuer if new.subject is not None else None,
        subject=new.subject,
        created_at=now,
    )
    session.add(row)
    session.flush()
    write_audit(session, by, "account.add", "account", row.id, now)
    return row


def change_account(
    session: Session, by: Actor, identifier: str, version: int, change: AccountChange, password_hash: str | None, now: datetime
) -> AccountRow:
    """Change an account, and end its sessions, begun by what no longer holds.

    Closing it, or giving it another role or provider, ends its tokens, and the feeds and patients' links that it has made.
    A new password, as ``unlocks``, lets it be logged in to again after wrong guesses.

    Raises
    ------
    StaleVersion
        When somebody else has changed it.
    Conflict
        When nobody would be left who may change accounts.
    """
    row = accounts.get_account(session, identifier)
    expect_version(row, "account", identifier, version)
    role = change.role or AccessRole(row.role)
    provider = change.provider if change.provider is not None or role is not AccessRole.CLINICIAN else row.provider_id
    _expect_complete(session, row.name, role, provider)
    is_active = row.is_active if change.is_active is None else change.is_active
    is_another = (role, provider, is_active) != (AccessRole(row.role), row.provider_id, True)
    row.role, row.provider_id, row.is_active = STAFF[role], provider, is_active
    if password_hash is not None or change.unlocks:
        _unlock(session, row)
    if change.drops_second_factor:
        row.totp_secret = row.totp_pending = row.totp_step = None
    row.password_hash = password_hash or row.password_hash
    row.version += 1
    session.add(row)
    session.flush()
    if not accounts.has_active_admin(session):
        raise Conflict("one active account must stay an admin")
    if change != AccountChange(unlocks=True) or password_hash is not None:
        accounts.revoke_sessions(session, identifier, now)
    if is_another:
        accounts.revoke_tokens(session, identifier, now)
        feeds.revoke_feeds(session, identifier, now)
        accounts.revoke_links(session, identifier, now)
    done = {
        "unlocked": change.unlocks,
        "new_password": password_hash is not None,
        "second_factor_dropped": change.drops_second_factor,
    }
    told = {name: True for name, is_so in done.items() if is_so}
    write_audit(session, by, "account.change", "account", identifier, now, **told)
    return row


def _unlock(session: Session, row: AccountRow) -> None:
    row.failures, row.rests_until = 0, None
    accounts.free_sources(session, row.id)


def end_sessions(session: Session, by: Actor, identifier: str, now: datetime) -> int:
    """End all sessions of an account, and return how many were open."""
    accounts.get_account(session, identifier)
    ended = accounts.revoke_sessions(session, identifier, now)
    write_audit(session, by, "account.end-sessions", "account", identifier, now)
    return ended


def list_tokens(session: Session, account: str) -> list[TokenRow]:
    """Return the tokens that act for an account, the revoked too. Raises ``UnknownId``."""
    accounts.get_account(session, account)
    return accounts.list_tokens(session, account)


def add_token(
    session: Session, by: Actor, account: str, name: str, expires_at: datetime, now: datetime
) -> tuple[str, TokenRow]:
    """Make a token for a program that acts for an account, and return its secret, which is told once."""
    accounts.get_account(session, account)
    if expires_at <= now:
        raise InvalidFile("token", [Fault("days", "must end in the future")])
    secret = make_secret(TOKEN)
    row = TokenRow(
        id=new_id(), name=name, secret_hash=hash_secret(secret), account_id=account, created_at=now, expires_at=expires_at
    )
    session.add(row)
    session.flush()
    write_audit(session, by, "token.add", "token", row.id, now)
    return secret, row


def end_token(session: Session, by: Actor, identifier: str, now: datetime) -> None:
    """End a token."""
    row = accounts.get_token(session, identifier)
    row.revoked_at = row.revoked_at or now
    session.add(row)
    write_audit(session, by, "token.end", "token", identifier, now)


def add_link(
    session: Session, signer: Signer, by: Actor, visit: str, expires_at: datetime, now: datetime
) -> tuple[str, PatientLinkRow]:
    """Make the link by which a patient acts on one visit, and return its secret. Raises ``UnknownId``, ``InvalidFile``."""
    get_row(session, VisitRow, "visit", visit)
    if expires_at > now + MAX_LIFE:
        raise InvalidFile("link", [Fault("days", f"must end within {MAX_LIFE.days} days")])
    row = PatientLinkRow(id=new_id(), visit_id=visit, created_by=by.id, created_at=now, expires_at=expires_at)
    session.add(row)
    session.flush()
    write_audit(session, by, "link.add", "visit", visit, now, link=row.id)
    return signer.link(row.id, visit), row


def list_links(session: Session, visit: str) -> list[PatientLinkRow]:
    """Return the links that patients were given for a visit, those that have ended too. Raises ``UnknownId``."""
    get_row(session, VisitRow, "visit", visit)
    return accounts.list_links(session, visit)


def list_all_links(session: Session, after: str, count: int) -> list[PatientLinkRow]:
    """Return patients' links by id, those after an id."""
    return accounts.list_all_links(session, after, count)


def end_link(session: Session, by: Actor, identifier: str, now: datetime) -> None:
    """End a patient's link."""
    row = accounts.get_patient_link(session, identifier)
    row.revoked_at = row.revoked_at or now
    session.add(row)
    write_audit(session, by, "link.end", "visit", row.visit_id, now, link=row.id)


def _expect_complete(session: Session, name: str, role: AccessRole, provider: str | None) -> None:
    faults = []
    if not re.fullmatch(NAME, name):
        faults.append(Fault("name", "must be letters, digits and . _ @ + -, at most 100"))
    if role not in STAFF:
        faults.append(Fault("role", "patients act through links, and hospital systems are clients: neither has an account"))
    if (role is AccessRole.CLINICIAN) != (provider is not None):
        faults.append(Fault("provider", "a clinician's account, and no other, names a provider"))
    elif provider is not None and session.get(ProviderRow, provider) is None:
        faults.append(Fault("provider", f'unknown provider "{provider}"'))
    if faults:
        raise InvalidFile("account", faults)
