"""Which key signs for a store, by its fingerprint: a service that has another one is told so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, select

from api.store.tables import SigningKeyRow


def note_fingerprint(session: Session, fingerprint: str, now: datetime, accepts: bool) -> str:
    """Return the fingerprint of the store's key; the given one becomes that when there is none, or when it is accepted."""
    known = session.exec(select(SigningKeyRow.fingerprint)).first()
    if known is not None and not accepts:
        return known
    session.exec(delete(SigningKeyRow))
    session.add(SigningKeyRow(fingerprint=fingerprint, noted_at=now))
    return fingerprint
