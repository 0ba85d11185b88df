"""The queries about who may come in: accounts, sessions, tokens, patients' links, and answers kept for repeated requests."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, delete, or_, update
from sqlmodel import Session, col, select

from api.store.rows import get_row
from api.store.tables import AccountRow, IdempotencyRow, LogInSourceRow, PatientLinkRow, SessionRow, TokenRow


def get_account(session: Session, identifier: str) -> AccountRow:
    """Return an account. Raises ``UnknownId``."""
    return get_row(session, AccountRow, "account", identifier)


def find_account_by_name(session: Session, name: str) -> AccountRow | None:
    """Return the account that logs in by a name."""
    return session.exec(select(AccountRow).where(AccountRow.name == name)).first()


def find_account_by_identity(session: Session, issuer: str, subject: str) -> AccountRow | None:
    """Return the account of somebody whom an identity provider knows."""
    query = select(AccountRow).where(AccountRow.issuer == issuer, AccountRow.subject == subject)
    return session.exec(query).first()


def list_accounts(session: Session, after: str, count: int) -> list[AccountRow]:
    """Return accounts by id, those after an id."""
    query = select(AccountRow).where(col(AccountRow.id) > after).order_by(col(AccountRow.id)).limit(count)
    return list(session.exec(query))


def get_names(session: Session, identifiers: Collection[str]) -> dict[str, str]:
    """Return the names of those ids that are accounts, by id."""
    query = select(AccountRow.id, AccountRow.name).where(col(AccountRow.id).in_(list(identifiers)))
    return dict(session.exec(query).all())


def find_session(session: Session, secret_hash: str) -> tuple[SessionRow, AccountRow] | None:
    """Return a log-in by the hash of its secret, with whose it is."""
    query = select(SessionRow, AccountRow).join(AccountRow).where(SessionRow.secret_hash == secret_hash)
    return session.exec(query).first()


def find_token(session: Session, secret_hash: str) -> tuple[TokenRow, AccountRow] | None:
    """Return a program's token by the hash of its secret, with for whom it acts."""
    query = select(TokenRow, AccountRow).join(AccountRow).where(TokenRow.secret_hash == secret_hash)
    return session.exec(query).first()


def list_tokens(session: Session, account_id: str) -> list[TokenRow]:
    """Return the tokens that act for an account, the revoked too."""
    return list(session.exec(select(TokenRow).where(TokenRow.account_id == account_id).order_by(col(TokenRow.id))))


def get_token(session: Session, identifier: str) -> TokenRow:
    """Return a token. Raises ``UnknownId``."""
    return get_row(session, TokenRow, "token", identifier)


def get_patient_link(session: Session, identifier: str) -> PatientLinkRow:
    """Return a patient's link. Raises ``UnknownId``."""
    return get_row(session, PatientLinkRow, "link", identifier)


def record_use(
    session: Session, kind: type[SessionRow] | type[TokenRow] | type[PatientLinkRow], identifier: str, now: datetime
) -> None:
    """Note that a credential is in use."""
    moment = {"last_seen_at": now} if kind is SessionRow else {"last_used_at": now}
    session.exec(update(kind).where(col(kind.id) == identifier).values(**moment))


def revoke_sessions(session: Session, account_id: str, now: datetime) -> int:
    """End all sessions of an account, and return how many were open."""
    query = update(SessionRow).where(col(SessionRow.account_id) == account_id, col(SessionRow.revoked_at).is_(None))
    return int(session.exec(query.values(revoked_at=now)).rowcount)


def revoke_tokens(session: Session, account_id: str, now: datetime) -> int:
    """End all tokens of an account, and return how many were good."""
    query = update(TokenRow).where(col(TokenRow.account_id) == account_id, col(TokenRow.revoked_at).is_(None))
    return int(session.exec(query.values(revoked_at=now)).rowcount)


def revoke_credential(session: Session, identifier: str, now: datetime) -> None:
    """End one session or token."""
    for kind in (SessionRow, TokenRow):
        session.exec(update(kind).where(col(kind.id) == identifier).values(revoked_at=now))


def get_source(session: Session, account_id: str, address: str, now: datetime) -> LogInSourceRow:
    """Return what is known of log-ins to an account from an address; of none, a row that is not kept yet."""
    row = session.get(LogInSourceRow, (account_id, address))
    return row or LogInSourceRow(account_id=account_id, address=address, changed_at=now)


def free_sources(session: Session, account_id: str) -> None:
    """Let every address try an account again."""
    query = update(LogInSourceRow).where(col(LogInSourceRow.account_id) == account_id)
    session.exec(query.values(failures=0, rests_until=None))


def delete_old_sources(session: Session, guessed_before: datetime, known_before: datetime) -> None:
    """Forget addresses from which nobody has come in or guessed for long."""
    changed_at, is_known = col(LogInSourceRow.changed_at), col(LogInSourceRow.known_since).is_not(None)
    session.exec(delete(LogInSourceRow).where(or_(changed_at < known_before, and_(~is_known, changed_at < guessed_before))))


def revoke_links(session: Session, account_id: str, now: datetime) -> int:
    """End all patients' links that an account has made, and return how many were good."""
    query = update(PatientLinkRow).where(col(PatientLinkRow.created_by) == account_id, col(PatientLinkRow.revoked_at).is_(None))
    return int(session.exec(query.values(revoked_at=now)).rowcount)


def list_links(session: Session, visit_id: str) -> list[PatientLinkRow]:
    """Return the links that patients were given for a visit, those that have ended too, the oldest first."""
    query = select(PatientLinkRow).where(PatientLinkRow.visit_id == visit_id)
    return list(session.exec(query.order_by(col(PatientLinkRow.created_at), col(PatientLinkRow.id))))


def has_made_link(session: Session, account_id: str, identifier: str) -> bool:
    """Return whether a link was made by an account."""
    row = session.get(PatientLinkRow, identifier)
    return row is not None and row.created_by == account_id


def has_active_admin(session: Session) -> bool:
    """Say whether anybody can change accounts."""
    return (
        session.exec(select(AccountRow.id).where(AccountRow.role == "admin", AccountRow.is_active).limit(1)).first() is not None
    )


def delete_old_sessions(session: Session, before: datetime) -> None:
    """Remove sessions that have ended by their age."""
    session.exec(delete(SessionRow).where(col(SessionRow.expires_at) < before))


def find_kept_answer(session: Session, caller: str, key: str) -> IdempotencyRow | None:
    """Return the answer that was kept for a caller's key."""
    return session.get(IdempotencyRow, (caller, key))


def delete_old_answers(session: Session, before: datetime) -> None:
    """Remove answers that were kept for long enough."""
    session.exec(delete(IdempotencyRow).where(col(IdempotencyRow.created_at) < before))
