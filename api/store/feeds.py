"""The queries about feeds: who may read which by what secret, what is in them, and the last good copies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy
from sqlalchemy import BindParameter, Select, String, bindparam, func, update
from sqlmodel import Session, col, select

from api.store import bookings
from api.store.bookings import Standing
from api.store.columns import Utc
from api.store.rows import found, put
from api.store.tables import (
    BookingRow,
    ClinicRow,
    FeedCopyRow,
    FeedRow,
    GroupRow,
    InvitationRow,
    OccupancyRow,
    PatientRow,
    ProviderRow,
)
from api.store.tables.feeds import FeedKind
from scheduling.clinic import Clinic

EVER = timedelta(days=3660)
"""How far ahead feeds look: all that is published."""


def feed(session: Session, identifier: str) -> FeedRow:
    """Return a feed. Raises ``UnknownId``."""
    return found(session, FeedRow, "feed", identifier)


def feed_of_secret(session: Session, secret_hash: str) -> FeedRow | None:
    """Return the feed that a secret opens, the revoked too."""
    return session.exec(select(FeedRow).where(FeedRow.secret_hash == secret_hash)).first()


def feeds(session: Session, by: str | None, after: str, count: int) -> list[FeedRow]:
    """Return feeds by id, those after an id: what an account has made, or all."""
    query = select(FeedRow).where(col(FeedRow.id) > after)
    if by is not None:
        query = query.where(FeedRow.created_by == by)
    return list(session.exec(query.order_by(col(FeedRow.id)).limit(count)))


def has_made(session: Session, account_id: str, identifier: str) -> bool:
    """Say whether a feed was made by an account."""
    row = session.get(FeedRow, identifier)
    return row is not None and row.created_by == account_id


def used(session: Session, identifier: str, now: datetime) -> None:
    """Note that a feed is read."""
    session.exec(update(FeedRow).where(col(FeedRow.id) == identifier).values(last_used_at=now))


def revoke_feeds(session: Session, account_id: str, now: datetime) -> int:
    """End all feeds of an account, and return how many were good."""
    query = update(FeedRow).where(col(FeedRow.account_id) == account_id, col(FeedRow.revoked_at).is_(None))
    return int(session.exec(query.values(revoked_at=now)).rowcount)


def is_subject(session: Session, kind: FeedKind, identifier: str) -> bool:
    """Say whether there is a provider, group or patient of an id; of rooms and locations the clinic's document tells."""
    if kind == "group":
        return session.exec(select(GroupRow.id).where(GroupRow.id == identifier).limit(1)).first() is not None
    table = ProviderRow if kind == "provider" else PatientRow
    return session.get(table, identifier) is not None


def subjects(session: Session, clinic: Clinic) -> list[tuple[FeedKind, str]]:
    """Return everything of staff that there can be a feed of."""
    providers = session.exec(select(ProviderRow.id).order_by(col(ProviderRow.id)))
    groups = session.exec(select(GroupRow.id).distinct().order_by(col(GroupRow.id)))
    found: list[tuple[FeedKind, str]] = [("provider", one) for one in providers]
    found += [("room", one.id) for one in clinic.rooms]
    found += [("location", one.id) for one in clinic.locations]
    return [*found, *(("group", one) for one in groups)]


def source(session: Session, kind: FeedKind, identifier: str, first: date) -> str:
    """Return what differs whenever what a feed shows from a date on may have changed, and seldom else.

    A booking that comes or changes is the newest of the feed's; one that goes makes them fewer.
    """
    found = session.execute(_source_query(kind), {"identifier": identifier, "since": _midnight(first)}).one()
    return " ".join([first.isoformat(), *map(str, found)])


@cache
def _source_query(kind: FeedKind) -> Select[Any]:
    """Return the one query of most polls, made once."""
    identifier: BindParameter[str] = bindparam("identifier", type_=String)
    told = select(func.sum(InvitationRow.sequence) + func.count()).where(col(InvitationRow.patient_id) == identifier)
    versions = [select(func.sum(table.version)).scalar_subquery() for table in (ClinicRow, ProviderRow, GroupRow)]
    columns: list[Any] = [func.count(), func.sum(BookingRow.version), func.max(BookingRow.updated_at), *versions]
    query: Select[Any] = sqlalchemy.select(*columns, *([told.scalar_subquery()] if kind == "patient" else []))
    query = query.where(col(BookingRow.state) != "cancelled", col(BookingRow.starts_at) >= bindparam("since", type_=Utc))
    if kind in ("provider", "room", "patient"):
        taken = sqlalchemy.select(col(OccupancyRow.booking_id)).where(col(OccupancyRow.resource) == kind)
        return query.where(col(BookingRow.id).in_(taken.where(col(OccupancyRow.resource_id) == identifier)))
    if kind == "location":
        return query.where(col(BookingRow.location) == identifier)
    return query.where(col(BookingRow.kind) == "group", col(BookingRow.subject_id) == identifier)


def _midnight(first: date) -> datetime:
    return datetime.combine(first, datetime.min.time(), UTC) - timedelta(days=1)


def contents(session: Session, kind: FeedKind, identifier: str, starts_at: datetime) -> list[Standing]:
    """Return what stands from an instant on that concerns a feed's subject, by start. A patient sees no place only offered."""
    ends_at = starts_at + EVER
    if kind in ("provider", "room", "patient"):
        held = bookings.of_resource(session, kind, identifier, starts_at, ends_at)
        return [one for one in held if kind != "patient" or one.row.state != "offered"]
    return [one for one in bookings.between(session, starts_at, ends_at) if identifier in _shown_of(kind, one)]


def _shown_of(kind: FeedKind, one: Standing) -> tuple[str, ...]:
    """Return the location, or the group, in whose feed a booking is."""
    if kind == "location":
        return (one.row.location,)
    return (one.row.subject_id,) if one.row.kind == "group" else ()


def copy_of(session: Session, kind: FeedKind, identifier: str) -> FeedCopyRow | None:
    """Return the last good copy of a feed."""
    return session.get(FeedCopyRow, (kind, identifier))


def keep_copy(session: Session, copy: FeedCopyRow) -> None:
    """Keep a copy in place of the last one."""
    put(session, FeedCopyRow, [copy.model_dump()])
