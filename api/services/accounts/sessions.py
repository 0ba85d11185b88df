"""Coming in and leaving: by password or by the identity provider, and who rests after too many wrong guesses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlmodel import Session

from api.access import second_factor
from api.access.actor import NOBODY, UNKNOWN, AccessRole, Actor
from api.access.credentials import SESSION, Signer, hash_secret, make_secret
from api.access.limits import get_network
from api.access.oidc import IdentityProvider, read_cookie
from api.access.passwords import hash_password, is_password
from api.context import AppContext
from api.runtime.exceptions import CodeNeeded, Conflict, Unauthenticated
from api.runtime.settings import Settings
from api.services.accounts.accounts import AccountChange, change_account
from api.services.records import write_audit, write_refusal
from api.store.columns import new_id
from api.store.queries import accounts
from api.store.rows import expect_version
from api.store.tables import AccountRow, LogInSourceRow, SessionRow

EVERYWHERE = 10
"""How many times as many wrong passwords, from wherever, keep addresses that are new to an account from it."""

FORGET_GUESSES, FORGET_SOURCES = timedelta(days=1), timedelta(days=180)
"""How long it is known from where somebody has guessed, and from where somebody has come in."""


@dataclass(frozen=True, slots=True)
class LogInAttempt:
    """What somebody says of themselves, and from which network address."""

    address: str
    name: str
    password: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that has just begun, with the secret that is told once."""

    secret: str
    session: SessionRow
    account: AccountRow


def log_in(context: AppContext, attempt: LogInAttempt) -> OpenedSession:
    """Begin a session for the right password, and the right code where there is a second factor.

    A wrong name takes as long and reads the same as a wrong password, and so does an account that rests: whoever could tell
    one that rests from one that is not there would learn which names there are.

    Raises
    ------
    CodeNeeded
        When the password is right, and the code that it needs beside it is missing, wrong, or was taken before.
    Unauthenticated
        For any reason that a wrong password could have had too.
    TooMany
        When this address has failed too often.
    """
    context.log_ins.expect(f"log-in from {get_network(attempt.address)}")
    now = context.clock()
    with context.database.reading() as session:
        account = accounts.find_account_by_name(session, attempt.name)
    tried = account.password_hash if account else None
    right = is_password(tried, attempt.password)
    most, minutes = context.settings.failures_before_lock, context.settings.lock_minutes
    refusal = Unauthenticated(f"wrong name or password; after {most} wrong ones in a row none is let in for {minutes} minutes")
    with context.database.writing() as session:
        account = accounts.find_account_by_name(session, attempt.name)  # it may have been changed while the password was tried
        right = right and account is not None and account.password_hash == tried and account.is_active
        lacks_code = False
        if right and account is not None and not _is_locked(session, account, attempt.address, now):
            lacks_code = account.totp_secret is not None and not attempt.code
            if account.totp_secret is None or (
                attempt.code and second_factor.accept_code(context.signer, account, attempt.code, now)
            ):
                return _open_session(session, context.settings, account, attempt.address, now, "password")
            refusal = CodeNeeded("that is no code of the second factor, or it was taken before")
        if lacks_code and account is not None:  # whoever tries passwords is told by this that one is right
            said = {"address": attempt.address, "reason": "a code is needed"}
            write_refusal(session, account.id, account.role, "session.log-in", "account", account.id, now, **said)
        else:
            _refuse(session, context.settings, account, attempt.address, now)
    if lacks_code:
        context.log_ins.take(f"code asked of {get_network(attempt.address)}")
        raise CodeNeeded("send the code of the second factor too, as code")
    context.log_ins.take(f"log-in from {get_network(attempt.address)}")
    raise refusal


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
    context.log_ins.expect(f"log-in from {get_network(address)}")
    now = context.clock()
    try:
        subject = provider.subject(read_cookie(cookie, context.signer), state, code)
    except Unauthenticated:
        with context.database.writing() as session:
            _refuse(session, context.settings, None, address, now)
        context.log_ins.take(f"log-in from {get_network(address)}")
        raise
    with context.database.writing() as session:
        account = accounts.find_account_by_identity(session, context.settings.oidc_issuer or "", subject)
        if account is not None and account.is_active:
            return _open_session(session, context.settings, account, address, now, "provider")
        _refuse(session, context.settings, account, address, now)
    context.log_ins.take(f"log-in from {get_network(address)}")
    raise Unauthenticated("nobody here has this identity")


def log_out(session: Session, by: Actor, now: datetime) -> None:
    """End the session, or the token, by which somebody came."""
    accounts.revoke_credential(session, by.credential, now)
    write_audit(session, by, "session.log-out", "account", by.id, now, credential=by.credential)


def change_password(context: AppContext, by: Actor, address: str, present: str, wanted: str) -> None:
    """Change one's own password, and end all of one's sessions.

    Raises
    ------
    Unauthenticated
        When the present one is wrong, or the account rests.
    InvalidFile
        When the wanted one is no good.
    StaleVersion
        When the account has changed since the present one was found right.
    """
    account = _expect_password(context, by, address, present)
    password_hash = hash_password(wanted, account.name)
    with context.database.writing() as session:
        change_account(session, by, by.id, account.version, AccountChange(), password_hash, context.clock())


def _expect_password(context: AppContext, by: Actor, address: str, password: str) -> AccountRow:
    """Return one's own account as it was when its password was found right; a wrong one counts as at a log-in.

    Raises
    ------
    Unauthenticated
        When it is wrong, or the account rests.
    """
    now = context.clock()
    with context.database.reading() as session:
        account = accounts.get_account(session, by.id)
    tried = account.password_hash
    right = is_password(tried, password)
    with context.database.writing() as session:
        account = accounts.get_account(session, by.id)
        right = right and account.password_hash == tried and not _is_locked(session, account, address, now)
        if not right:
            _refuse(session, context.settings, account, address, now)
    if not right:
        raise Unauthenticated("the present password is wrong, or wrong ones were tried too often")
    return account


@dataclass(frozen=True, slots=True)
class OwnSecondFactor:
    """How an account is guarded: by a second factor, by none, or elsewhere; and what waits for its first code.

    Attributes
    ----------
    pending : tuple of (str, str) or None
        The secret, and that as an address for apps.
    """

    name: str
    state: Literal["on", "off", "elsewhere"]
    pending: tuple[str, str] | None


def get_second_factor(session: Session, signer: Signer, by: Actor) -> OwnSecondFactor:
    """Return how one's own account is guarded."""
    account = accounts.get_account(session, by.id)
    state: Literal["on", "off", "elsewhere"] = "off" if account.password_hash is not None else "elsewhere"
    if account.totp_secret is not None:
        state = "on"
    return OwnSecondFactor(account.name, state, second_factor.find_pending(signer, account))


def begin_second_factor(context: AppContext, by: Actor, address: str, password: str) -> tuple[str, str]:
    """Give one's account a second factor that counts once its first code was sent; return its secret, and an address for apps.

    It needs the password: who has but a stolen session could lock out the owner by it.

    Raises
    ------
    Conflict
        When it has one, or the identity provider knows its owner.
    Unauthenticated
        When the password is wrong, or the account rests.
    StaleVersion
        When the account has changed since the password was found right.
    """
    with context.database.reading() as session:
        _expect_password_alone(accounts.get_account(session, by.id))
    version = _expect_password(context, by, address, password).version
    with context.database.writing() as session:
        account = accounts.get_account(session, by.id)
        expect_version(account, "account", by.id, version)
        _expect_password_alone(account)
        made = second_factor.make_pending(context.signer, account)
        session.add(account)
        write_audit(session, by, "second-factor.begin", "account", by.id, context.clock())
    return made


def _expect_password_alone(account: AccountRow) -> None:
    if account.totp_secret is not None or account.password_hash is None:
        raise Conflict("the account has a second factor, or logs in by the identity provider")


def confirm_second_factor(session: Session, signer: Signer, by: Actor, code: str, now: datetime) -> None:
    """Let the second factor that was begun count, by its first code. Raises ``Conflict`` when that is not right."""
    account = accounts.get_account(session, by.id)
    if not second_factor.confirm(signer, account, code, now):
        raise Conflict("that is no code of the second factor that was begun")
    session.add(account)
    write_audit(session, by, "second-factor.add", "account", by.id, now)


def _open_session(
    session: Session, settings: Settings, account: AccountRow, address: str, now: datetime, way: str
) -> OpenedSession:
    secret = make_secret(SESSION)
    row = SessionRow(
        id=new_id(),
        secret_hash=hash_secret(secret),
        account_id=account.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(hours=settings.session_hours),
    )
    source = accounts.get_source(session, account.id, get_network(address), now)
    source.failures, source.rests_until, source.changed_at = 0, None, now
    source.known_since = source.known_since or now
    account.failures, account.rests_until = 0, None
    session.add_all((row, account, source))
    accounts.delete_old_sessions(session, now)
    actor = Actor(account.id, AccessRole(account.role), row.id)
    write_audit(session, actor, "session.log-in", "account", account.id, now, credential=row.id, way=way, address=address)
    return OpenedSession(secret, row, account)


def _is_locked(session: Session, account: AccountRow, address: str, now: datetime) -> bool:
    """Return whether nobody may log in to an account from an address; from a known one that is for its own guesses alone."""
    source = accounts.get_source(session, account.id, get_network(address), now)
    return _rests(source, now) or (source.known_since is None and _rests(account, now))


def _rests(row: AccountRow | LogInSourceRow, now: datetime) -> bool:
    return row.rests_until is not None and row.rests_until > now


def _refuse(session: Session, settings: Settings, account: AccountRow | None, address: str, now: datetime) -> None:
    # The name that was tried is not written down: people type passwords into the wrong field.
    if account is not None:
        accounts.delete_old_sources(session, now - FORGET_GUESSES, now - FORGET_SOURCES)
        source = accounts.get_source(session, account.id, get_network(address), now)
        source.changed_at = now
        # From a source that has rested once an account is no longer counted: one network alone never locks out the others.
        if source.rests_until is None:
            _count(account, EVERYWHERE * settings.failures_before_lock, settings, now)
        _count(source, settings.failures_before_lock, settings, now)
        session.add_all((source, account))
    who, role = (account.id, account.role) if account else (UNKNOWN, NOBODY)
    tried = account.id if account else ""
    write_refusal(session, who, role, "session.log-in", "account", tried, now, address=address)


def _count(row: AccountRow | LogInSourceRow, most: int, settings: Settings, now: datetime) -> None:
    """Count a wrong guess; trying while it rests makes the rest no longer."""
    if _rests(row, now):
        return
    row.failures += 1
    if row.failures >= most:
        row.failures, row.rests_until = 0, now + timedelta(minutes=settings.lock_minutes)
