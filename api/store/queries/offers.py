"""The queries about freed places that are kept for waiting visits, until they are accepted, declined or run out."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.tables import BookingRow, OfferRow
from api.store.tables.plans import OfferState


def find_open_offer(session: Session, visit_id: str) -> OfferRow | None:
    """Return the offer that a visit has."""
    query = select(OfferRow).where(OfferRow.visit_id == visit_id, OfferRow.state == "open")
    return session.exec(query.order_by(col(OfferRow.created_at).desc())).first()


def add_offer(session: Session, visit_id: str, expires_at: datetime, by: str, now: datetime, asks: bool = False) -> OfferRow:
    """Keep that a visit's booking is an offer until some instant."""
    row = OfferRow(id=new_id(), visit_id=visit_id, expires_at=expires_at, asks=asks, created_by=by, created_at=now)
    session.add(row)
    session.flush()
    return row


def end_offer(session: Session, row: OfferRow, state: OfferState) -> None:
    """Note what became of an offer."""
    row.state = state
    row.version += 1
    session.add(row)
    session.flush()


def list_due(session: Session, now: datetime) -> list[OfferRow]:
    """Return the open offers whose time is over."""
    query = select(OfferRow).where(OfferRow.state == "open", col(OfferRow.expires_at) <= now)
    return list(session.exec(query.order_by(col(OfferRow.expires_at), col(OfferRow.id))))


def list_given_up(session: Session, starts_at: datetime, ends_at: datetime, location: str) -> set[str]:
    """Return the visits that stood, or were offered a place, at a location within ``[starts_at, ends_at)``, and do no more."""
    query = select(BookingRow.subject_id).where(
        BookingRow.kind == "visit",
        BookingRow.state == "cancelled",
        col(BookingRow.starts_at) < ends_at,
        col(BookingRow.ends_at) > starts_at,
        BookingRow.location == location,
    )
    return set(session.exec(query))
