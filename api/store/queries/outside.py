"""The queries about providers' calendars elsewhere, and the busy times that they bring."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from api.store.rows import get_row
from api.store.tables import BusyRow, OutsideCalendarRow, PeriodRow

Stretch = tuple[datetime, datetime]
"""``[start, end)``, instants."""


def get_calendar(session: Session, identifier: str) -> OutsideCalendarRow:
    """Return a calendar elsewhere. Raises ``UnknownId``."""
    return get_row(session, OutsideCalendarRow, "outside calendar", identifier)


def list_calendars(session: Session, provider_id: str) -> list[OutsideCalendarRow]:
    """Return a provider's calendars elsewhere, by id."""
    query = select(OutsideCalendarRow).where(OutsideCalendarRow.provider_id == provider_id)
    return list(session.exec(query.order_by(col(OutsideCalendarRow.id))))


def is_calendar_of(session: Session, provider_id: str, identifier: str) -> bool:
    """Say whether a calendar elsewhere is a provider's."""
    row = session.get(OutsideCalendarRow, identifier)
    return row is not None and row.provider_id == provider_id


def list_due(session: Session, now: datetime, count: int) -> list[OutsideCalendarRow]:
    """Return the calendars elsewhere that are to be read again: those that failed least first, then by how long they wait."""
    order = (col(OutsideCalendarRow.failures), col(OutsideCalendarRow.due_at), col(OutsideCalendarRow.id))
    query = select(OutsideCalendarRow).where(col(OutsideCalendarRow.due_at) <= now)
    return list(session.exec(query.order_by(*order).limit(count)))


def list_busy(session: Session, identifier: str) -> list[Stretch]:
    """Return the busy times that a calendar elsewhere has brought, by start."""
    query = select(BusyRow.starts_at, BusyRow.ends_at).where(BusyRow.source == get_source(identifier))
    return sorted((starts, ends) for starts, ends in session.exec(query))


def replace_busy(session: Session, row: OutsideCalendarRow, stretches: Iterable[Stretch]) -> None:
    """Make the busy times that a calendar elsewhere brings those given."""
    source = get_source(row.id)
    session.exec(delete(BusyRow).where(col(BusyRow.source) == source))
    session.add_all(
        BusyRow(provider_id=row.provider_id, starts_at=starts, ends_at=ends, source=source) for starts, ends in stretches
    )
    session.flush()


def remove(session: Session, row: OutsideCalendarRow) -> None:
    """Remove a calendar elsewhere, and the busy times that it has brought."""
    replace_busy(session, row, ())
    session.delete(row)
    session.flush()


def periods_meeting(session: Session, first: date, last: date) -> list[str]:
    """Return the periods that have any of the dates ``first`` to ``last``, give or take one, by id."""
    query = select(PeriodRow.id).where(
        col(PeriodRow.ends_on) >= first - timedelta(days=1), col(PeriodRow.starts_on) <= last + timedelta(days=1)
    )
    return list(session.exec(query.order_by(PeriodRow.id)))


def get_source(identifier: str) -> str:
    """Return what busy times say of where they are known from."""
    return f"outside:{identifier}"
