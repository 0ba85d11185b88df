"""From the secret that a request brings to who asks: looked up at every request, so a revocation holds from the next on."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.credentials import CLIENT, LINK, MAX_CHARACTERS, SESSION, TOKEN, Signer, hash_secret
from api.runtime.exceptions import Unauthenticated
from api.store.database import Database
from api.store.errors import StoreBusy, StoreUnwritable
from api.store.queries import accounts, clients
from api.store.tables import AccountRow, PatientLinkRow, SessionRow, TokenRow
from scheduling.errors import UnknownId

USE_NOTED_EVERY = timedelta(seconds=60)
"""How often at most a credential's use is written down: idle log-off is exact to this."""


OF_CLIENTS = "client:"
"""Precedes the id of a hospital system where it stands among others who act."""


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """Somebody whose credential is good, and when its use was last written down."""

    actor: Actor
    kind: type[SessionRow] | type[TokenRow] | type[PatientLinkRow]
    noted_at: datetime | None


def identify(
    database: Database,
    signer: Signer,
    secret: str,
    now: datetime,
    idle: timedelta,
    two_factors: Collection[str] = (),
) -> Actor:
    """Return who brings a secret, and note that it is in use.

    Parameters
    ----------
    idle
        How long a session lasts without a request.
    two_factors
        Roles whose passwords need a second factor.

    Raises
    ------
    Unauthenticated
        When the secret is unknown, revoked, out of date, or idle for too long, or its account is closed.
    """
    with database.reading() as session:
        credential = _verify(session, signer, secret[:MAX_CHARACTERS], now, idle, two_factors)
    if credential is None:
        raise Unauthenticated("the credential is unknown, revoked, or has run out")
    if credential.noted_at is None or now - credential.noted_at >= USE_NOTED_EVERY:
        # A store that is busy, or whose disk is full, must not keep people from reading; the next request notes it.
        with suppress(StoreBusy, StoreUnwritable), database.writing() as session:
            accounts.record_use(session, credential.kind, credential.actor.credential, now)
    return credential.actor


def is_live(database: Database, actor: Actor, now: datetime, idle: timedelta) -> bool:
    """Return whether the credential by which somebody came still holds, for what they are; nothing is noted."""
    with database.reading() as session:
        if actor.role is AccessRole.PATIENT:
            link = session.get(PatientLinkRow, actor.credential)
            return link is not None and _is_good(link, now)
        row = session.get(SessionRow, actor.credential) or session.get(TokenRow, actor.credential)
        if row is None or not _is_good(row, now) or (isinstance(row, SessionRow) and row.last_seen_at + idle <= now):
            return False
        account = accounts.get_account(session, row.account_id)
        return account.is_active and _staff(account, row.id) == replace(actor, is_confined=False)


def _is_good(row: SessionRow | TokenRow | PatientLinkRow, now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


def recognise_link(database: Database, signer: Signer, secret: str, now: datetime) -> Actor:
    """Return whose link a patient's page was opened by; nothing is noted, as mail scanners open every link.

    Raises
    ------
    Unauthenticated
        When it is no link, or one that was revoked or has run out.
    """
    with database.reading() as session:
        known = secret.startswith(LINK) and len(secret) <= MAX_CHARACTERS
        credential = _verify_link(session, signer, secret, now) if known else None
    if credential is None:
        raise Unauthenticated("the link is unknown, revoked, or has run out")
    return credential.actor


def _verify(
    session: Session, signer: Signer, secret: str, now: datetime, idle: timedelta, two_factors: Collection[str]
) -> VerifiedCredential | None:
    if secret.startswith(SESSION):
        return _verify_session(session, hash_secret(secret), now, idle, two_factors)
    if secret.startswith(TOKEN):
        return _verify_token(session, hash_secret(secret), now)
    if secret.startswith(CLIENT):
        return _verify_client(session, hash_secret(secret), now)
    return _verify_link(session, signer, secret, now) if secret.startswith(LINK) else None


def _verify_session(
    session: Session, secret_hash: str, now: datetime, idle: timedelta, two_factors: Collection[str]
) -> VerifiedCredential | None:
    found = accounts.find_session(session, secret_hash)
    if found is None:
        return None
    row, account = found
    if not _is_good(row, now) or row.last_seen_at + idle <= now or not account.is_active:
        return None
    is_confined = account.role in two_factors and account.password_hash is not None and account.totp_secret is None
    return VerifiedCredential(replace(_staff(account, row.id), is_confined=is_confined), SessionRow, row.last_seen_at)


def _verify_token(session: Session, secret_hash: str, now: datetime) -> VerifiedCredential | None:
    found = accounts.find_token(session, secret_hash)
    if found is None:
        return None
    row, account = found
    if not _is_good(row, now) or not account.is_active:
        return None
    return VerifiedCredential(_staff(account, row.id), TokenRow, row.last_used_at)


def _verify_client(session: Session, secret_hash: str, now: datetime) -> VerifiedCredential | None:
    credential = clients.find_token(session, secret_hash)
    if credential is None:
        return None
    token, client = credential
    if token.expires_at <= now or not client.is_active:
        return None
    actor = Actor(f"{OF_CLIENTS}{client.id}", AccessRole.SYSTEM, token.id, scopes=frozenset(token.scopes))
    return VerifiedCredential(actor, TokenRow, now)  # it lives for minutes: its use is nobody's interest


def _verify_link(session: Session, signer: Signer, secret: str, now: datetime) -> VerifiedCredential | None:
    try:
        row = accounts.get_patient_link(session, signer.link_id(secret))
    except UnknownId:
        return None
    if not signer.is_link(secret, row.id, row.visit_id) or not _is_good(row, now):
        return None
    account = session.get(AccountRow, row.created_by)
    maker = None if account is None else AccessRole(account.role)
    actor = Actor(row.id, AccessRole.PATIENT, row.id, visit=row.visit_id, maker=maker)
    return VerifiedCredential(actor, PatientLinkRow, row.last_used_at)


def _staff(account: AccountRow, credential: str) -> Actor:
    return Actor(account.id, AccessRole(account.role), credential, provider=account.provider_id)
