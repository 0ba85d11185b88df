"""Who may come in: accounts, their sessions, programs' tokens, and patients' links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import NOBODY, UNKNOWN, AccessRole, Actor
from api.access.credentials import SESSION, TOKEN, Signer, hash_secret, make_secret
from api.access.oidc import IdentityProvider, read_cookie
from api.access.passwords import hash_password, is_password
from api.context import AppContext
from api.runtime.exceptions import Conflict, Unauthenticated
from api.runtime.settings import Settings
from api.services.records import write_audit
from api.store import accounts, audit, feeds
from api.store.columns import new_id
from api.store.rows import expect_version, get_row
from api.store.tables import AccountRow, PatientLinkRow, ProviderRow, SessionRow, TokenRow, VisitRow
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


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that has just begun, with the secret that is told once."""

    secret: str
    session: SessionRow
    account: AccountRow


def list_accounts(session: Session, after: str, count: int) -> list[AccountRow]:
    """Return accounts by id, those after an id."""
    return accounts.list_accounts(session, after, count)


def get_account(session: Session, identifier: str) -> AccountRow:
    """Return an account. Raises ``UnknownId``."""
    return accounts.get_account(session, identifier)


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
    """Change an account, and end its sessions, begun by what no longer holds; closing it ends its tokens and feeds too.

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
    row.role, row.provider_id = STAFF[role], provider
    row.is_active = row.is_active if change.is_active is None else change.is_active
    row.password_hash = password_hash or row.password_hash
    row.version += 1
    session.add(row)
    session.flush()
    if not accounts.has_active_admin(session):
        raise Conflict("one active account must stay an admin")
    accounts.revoke_sessions(session, identifier, now)
    if not row.is_active:
        accounts.revoke_tokens(session, identifier, now)
        feeds.revoke_feeds(session, identifier, now)
    write_audit(session, by, "account.change", "account", identifier, now)
    return row


def log_in(context: AppContext, address: str, name: str, password: str) -> OpenedSession:
    """Begin a session for the right password.

    A wrong name takes as long and reads the same as a wrong password, and so does an account that rests: whoever could tell
    one that rests from one that is not there would learn which names there are.

    Raises
    ------
    Unauthenticated
        For any reason that a wrong password could have had too.
    TooMany
        When this address has failed too often.
    """
    context.log_ins.expect(f"log-in from {address}")
    now = context.clock()
    with context.database.reading() as session:
        account = accounts.find_account_by_name(session, name)
    right = is_password(account.password_hash if account else None, password)
    with context.database.writing() as session:
        account = accounts.find_account_by_name(session, name)  # it may have been closed while the password was tried
        if right and account is not None and account.is_active and not _is_locked(account, now):
            return _open_session(session, context.settings, account, now)
        _refuse(session, context.settings, account, now)
    context.log_ins.take(f"log-in from {address}")
    most, minutes = context.settings.failures_before_lock, context.settings.lock_minutes
    raise Unauthenticated(f"wrong name or password; after {most} wrong ones in a row none is let in for {minutes} minutes")


def log_in_by_provider(
    context: AppContext, provider: IdentityProvider, address: str, cookie: str, state: str, code: str
) -> OpenedSession:
    """Begin a session for somebody who comes back from the identity provider.

    Raises
    ------
    Unauthenticated
        When it does not vouch for them, or they have no account.
    TooMany, Unavailable
        When this address has failed too often, or the provider does not answer.
    """
    context.log_ins.expect(f"log-in from {address}")
    now = context.clock()
    try:
        subject = provider.subject(read_cookie(cookie, context.signer), state, code)
    except Unauthenticated:
        with context.database.writing() as session:
            _refuse(session, context.settings, None, now)
        context.log_ins.take(f"log-in from {address}")
        raise
    with context.database.writing() as session:
        account = accounts.find_account_by_identity(session, context.settings.oidc_issuer or "", subject)
        if account is not None and account.is_active:
            return _open_session(session, context.settings, account, now)
        _refuse(session, context.settings, account, now)
    raise Unauthenticated("nobody here has this identity")


def log_out(session: Session, by: Actor, now: datetime) -> None:
    """End the session, or the token, by which somebody came."""
    accounts.revoke_credential(session, by.credential, now)


def change_password(context: AppContext, by: Actor, present: str, wanted: str) -> None:
    """Change one's own password, and end all of one's sessions.

    Raises
    ------
    Unauthenticated
        When the present one is wrong.
    """
    context.log_ins.take(f"password of {by.id}")
    now = context.clock()
    with context.database.reading() as session:
        account = accounts.get_account(session, by.id)
    if not is_password(account.password_hash, present):
        with context.database.writing() as session:
            _refuse(session, context.settings, accounts.get_account(session, by.id), now)
        raise Unauthenticated("the present password is wrong")
    password_hash = hash_password(wanted)
    with context.database.writing() as session:
        change_account(session, by, by.id, account.version, AccountChange(), password_hash, now)


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
    """Make the link by which a patient acts on one visit, and return its secret."""
    get_row(session, VisitRow, "visit", visit)
    row = PatientLinkRow(id=new_id(), visit_id=visit, created_by=by.id, created_at=now, expires_at=expires_at)
    session.add(row)
    session.flush()
    write_audit(session, by, "link.add", "visit", visit, now)
    return signer.link(row.id, visit), row


def end_link(session: Session, by: Actor, identifier: str, now: datetime) -> None:
    """End a patient's link."""
    row = accounts.get_patient_link(session, identifier)
    row.revoked_at = row.revoked_at or now
    session.add(row)
    write_audit(session, by, "link.end", "visit", row.visit_id, now)


def _open_session(session: Session, settings: Settings, account: AccountRow, now: datetime) -> OpenedSession:
    secret = make_secret(SESSION)
    row = SessionRow(
        id=new_id(),
        secret_hash=hash_secret(secret),
        account_id=account.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(hours=settings.session_hours),
    )
    account.failures, account.rests_until = 0, None
    session.add_all((row, account))
    accounts.delete_old_sessions(session, now)
    return OpenedSession(secret, row, account)


def _is_locked(account: AccountRow, now: datetime) -> bool:
    return account.rests_until is not None and account.rests_until > now


def _refuse(session: Session, settings: Settings, account: AccountRow | None, now: datetime) -> None:
    # The name that was tried is not written down: people type passwords into the wrong field.
    if account is not None and not _is_locked(account, now):
        account.failures += 1
        if account.failures >= settings.failures_before_lock:
            account.failures, account.rests_until = 0, now + timedelta(minutes=settings.lock_minutes)
        session.add(account)
    who, role = (account.id, account.role) if account else (UNKNOWN, NOBODY)
    tried = account.id if account else ""
    audit.append(session, audit.AuditEntry(who, role, "session.log-in", "account", tried, "denied", {}), now)


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
