"""From the secret that a request brings to who asks: looked up at every request, so a revocation holds from the next on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.credentials import LINK, MAX_CHARACTERS, SESSION, TOKEN, Signer, hashed
from api.runtime.context import AppContext
from api.runtime.exceptions import Unauthenticated
from api.store import accounts
from api.store.errors import StoreBusy
from api.store.tables import AccountRow, PatientLinkRow, SessionRow, TokenRow
from scheduling.errors import UnknownId

USE_NOTED_EVERY = timedelta(seconds=60)
"""How often at most a credential's use is written down: idle log-off is exact to this."""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whose credential is good, and when its use was last written down."""

    actor: Actor
    kind: type[SessionRow] | type[TokenRow] | type[PatientLinkRow]
    noted_at: datetime | None


def identify(context: AppContext, secret: str) -> Actor:
    """Return who brings a secret, and note that it is in use.

    Raises
    ------
    Unauthenticated
        When the secret is unknown, revoked, out of date, or idle for too long, or its account is closed.
    """
    now = context.clock()
    with context.database.reading() as session:
        known = _known(session, context, secret[:MAX_CHARACTERS], now)
    if known is None:
        raise Unauthenticated("the credential is unknown, revoked, or has run out")
    if known.noted_at is None or now - known.noted_at >= USE_NOTED_EVERY:
        # A store that is busy for seconds must not keep people from reading; the next request notes it.
        with suppress(StoreBusy), context.database.writing() as session:
            accounts.used(session, known.kind, known.actor.credential, now)
    return known.actor


def _known(session: Session, context: AppContext, secret: str, now: datetime) -> Known | None:
    if secret.startswith(SESSION):
        return _of_session(session, hashed(secret), now, timedelta(minutes=context.settings.session_idle_minutes))
    if secret.startswith(TOKEN):
        return _of_token(session, hashed(secret), now)
    return _of_link(session, context.signer, secret, now) if secret.startswith(LINK) else None


def _of_session(session: Session, secret_hash: str, now: datetime, idle: timedelta) -> Known | None:
    found = accounts.session_and_account(session, secret_hash)
    if found is None:
        return None
    row, account = found
    if row.revoked_at is not None or row.expires_at <= now or row.last_seen_at + idle <= now or not account.is_active:
        return None
    return Known(_staff(account, row.id), SessionRow, row.last_seen_at)


def _of_token(session: Session, secret_hash: str, now: datetime) -> Known | None:
    found = accounts.token_and_account(session, secret_hash)
    if found is None:
        return None
    row, account = found
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now) or not account.is_active:
        return None
    return Known(_staff(account, row.id), TokenRow, row.last_used_at)


def _of_link(session: Session, signer: Signer, secret: str, now: datetime) -> Known | None:
    try:
        row = accounts.patient_link(session, signer.link_id(secret))
    except UnknownId:
        return None
    if not signer.is_link(secret, row.id, row.visit_id) or row.revoked_at is not None or row.expires_at <= now:
        return None
    return Known(Actor(row.id, AccessRole.PATIENT, row.id, visit=row.visit_id), PatientLinkRow, row.last_used_at)


def _staff(account: AccountRow, credential: str) -> Actor:
    return Actor(account.id, AccessRole(account.role), credential, provider=account.provider_id)
