"""The queries about programs of hospital systems: their keys and tokens, and what was proposed to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from api.store.rows import get_row
from api.store.tables import ClientAssertionRow, ClientRow, ClientTokenRow, ProposalRow


def get_client(session: Session, identifier: str) -> ClientRow:
    """Return a client. Raises ``UnknownId``."""
    return get_row(session, ClientRow, "client", identifier)


def find_client(session: Session, identifier: str) -> ClientRow | None:
    """Return a client, None when nobody knows it."""
    return session.get(ClientRow, identifier)


def list_clients(session: Session) -> list[ClientRow]:
    """Return all clients by id."""
    return list(session.exec(select(ClientRow).order_by(col(ClientRow.id))))


def find_token(session: Session, secret_hash: str) -> tuple[ClientTokenRow, ClientRow] | None:
    """Return a client's token by the hash of its secret, with whose it is."""
    query = select(ClientTokenRow, ClientRow).join(ClientRow).where(ClientTokenRow.secret_hash == secret_hash)
    return session.exec(query).first()


def revoke_tokens(session: Session, client_id: str) -> None:
    """End all tokens of a client."""
    session.exec(delete(ClientTokenRow).where(col(ClientTokenRow.client_id) == client_id))


def use_assertion(session: Session, client_id: str, assertion_id: str, expires_at: datetime) -> bool:
    """Note that an assertion has been used, and return whether it is the first time."""
    if session.get(ClientAssertionRow, (client_id, assertion_id)) is not None:
        return False
    session.add(ClientAssertionRow(client_id=client_id, assertion_id=assertion_id, expires_at=expires_at))
    session.flush()
    return True


def delete_expired(session: Session, now: datetime) -> None:
    """Remove tokens, assertions and proposals that have run out."""
    for kind in (ClientTokenRow, ClientAssertionRow, ProposalRow):
        session.exec(delete(kind).where(col(kind.expires_at) <= now))


def find_proposal(session: Session, identifier: str) -> ProposalRow | None:
    """Return what was proposed, None when nobody knows it any more."""
    return session.get(ProposalRow, identifier)


def find_proposal_of_visit(session: Session, client_id: str, visit: str) -> ProposalRow | None:
    """Return the proposal to a client by which a visit got its place, None: by none that is kept."""
    rows = session.exec(select(ProposalRow).where(ProposalRow.client_id == client_id))
    return next((row for row in rows if visit in row.visits), None)
