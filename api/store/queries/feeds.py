"""The queries about feeds: who may read which by what secret, what is in them, and the last good copies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import Connection, Select, SQLColumnExpression, String, bindparam, cast, func, literal, update
from sqlmodel import Session, col, select

from api.store.columns import Utc, new_id
from api.store.guards import LONGEST_DAYS
from api.store.rows import get_row, put
from api.store.tables import (
    BookingRow,
    ClinicRow,
    EpochRow,
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


def get_feed(session: Session, identifier: str) -> FeedRow:
    """Return a feed. Raises ``UnknownId``."""
    return get_row(session, FeedRow, "feed", identifier)


def list_feeds(session: Session, by: str | None, after: str, count: int) -> list[FeedRow]:
    """Return feeds by id, those after an id: what an account has made, or all."""
    query = select(FeedRow).where(col(FeedRow.id) > after)
    if by is not None:
        query = query.where(FeedRow.created_by == by)
    return list(session.exec(query.order_by(col(FeedRow.id)).limit(count)))


def has_made(session: Session, account_id: str, identifier: str) -> bool:
    """Say whether a feed was made by an account."""
    row = session.get(FeedRow, identifier)
    return row is not None and row.created_by == account_id


def record_use(session: Session, identifier: str, now: datetime) -> None:
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


def list_subjects(session: Session, clinic: Clinic) -> list[tuple[FeedKind, str]]:
    """Return everything of staff that there can be a feed of."""
    providers = session.exec(select(ProviderRow.id).order_by(col(ProviderRow.id)))
    groups = session.exec(select(GroupRow.id).distinct().order_by(col(GroupRow.id)))
    found: list[tuple[FeedKind, str]] = [("provider", one) for one in providers]
    found += [("room", one.id) for one in clinic.rooms]
    found += [("location", one.id) for one in clinic.locations]
    return [*found, *(("group", one) for one in groups)]


class Shown(NamedTuple):
    """A booking in a feed, and how it stands: the same version is the same booking, taken by the same and at one time."""

    booking_id: str
    version: int


class Subscription(NamedTuple):
    """A feed as a poll needs it."""

    id: str
    kind: FeedKind
    subject_id: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    signed_for: str | None


def find_subscription(connection: Connection, kind: FeedKind, secret_hash: str, first: date) -> tuple[Subscription, str] | None:
    """Return the feed of a kind that a secret opens, the revoked too, and what :func:`get_source` says of it."""
    given = {"secret_hash": secret_hash, "since": _midnight(first)}
    found, columns = connection.execute(_subscription_query(kind), given).first(), len(Subscription._fields)
    return None if found is None else (Subscription(*found[:columns]), _told(first, found[columns:]))


def get_source(session: Session, kind: FeedKind, identifier: str, first: date) -> str:
    """Return what differs whenever what a feed shows from a date on may have changed, and seldom else.

    A booking that comes or changes is the newest of the feed's; one that goes makes them fewer.
    """
    given = {"identifier": identifier, "since": _midnight(first)}
    found = session.connection().execute(_source_query(kind), given).one()
    return _told(first, found)


def named(session: Session) -> tuple[int, ...]:
    """Return what differs whenever the clinic, a provider or a group is called, or is, something else."""
    return tuple(session.execute(_NAMED).one())


def shown(session: Session, kind: FeedKind, identifier: str, starts_at: datetime) -> list[Shown]:
    """Return what stands from an instant on that concerns a feed's subject, by start. A patient sees no place only offered."""
    earliest = starts_at - timedelta(days=LONGEST_DAYS)
    given = {"identifier": identifier, "since": earliest, "starts_at": starts_at}
    return [Shown(*row) for row in session.execute(_shown_query(kind), given)]


@cache
def _subscription_query(kind: FeedKind) -> Select[Any]:
    """Return the one query of most polls, made once."""
    feed = [getattr(FeedRow, name) for name in Subscription._fields]
    query: Select[Any] = sqlalchemy.select(*feed, *_sources(kind, col(FeedRow.subject_id)))
    return query.where(col(FeedRow.secret_hash) == bindparam("secret_hash", type_=String), col(FeedRow.kind) == kind)


@cache
def _source_query(kind: FeedKind) -> Select[Any]:
    return sqlalchemy.select(*_sources(kind, bindparam("identifier", type_=String)))


@cache
def _shown_query(kind: FeedKind) -> Select[Any]:
    columns: list[Any] = [BookingRow.id, BookingRow.version]
    query = _concerning(sqlalchemy.select(*columns), kind, bindparam("identifier", type_=String))
    if kind == "patient":
        query = query.where(col(BookingRow.state) != "offered")
    query = query.where(col(BookingRow.ends_at) > bindparam("starts_at", type_=Utc))
    return query.group_by(col(BookingRow.id)).order_by(col(BookingRow.starts_at), col(BookingRow.id))


def _sources(kind: FeedKind, identifier: SQLColumnExpression[str]) -> list[Any]:
    """Return the columns that a feed's source is made of."""
    parts: list[Any] = [func.count(), func.sum(BookingRow.version), func.max(BookingRow.updated_at)]
    text = sum((func.coalesce(cast(one, String), "") + " " for one in parts), start=literal(""))
    present: Select[Any] = sqlalchemy.select(col(EpochRow.id))
    sources = [present, _concerning(sqlalchemy.select(text), kind, identifier), *_versions()]
    if kind == "patient":
        told: Any = sqlalchemy.select(func.sum(InvitationRow.sequence) + func.count())
        sources.append(told.where(col(InvitationRow.patient_id) == identifier))
    return [one.correlate(FeedRow).scalar_subquery() for one in sources]


def _told(first: date, sources: Sequence[Any]) -> str:
    present, *others = sources
    return " ".join([first.isoformat(), present or new_id(), *map(str, others)])


def _concerning(query: Select[Any], kind: FeedKind, identifier: SQLColumnExpression[str]) -> Select[Any]:
    """Narrow a query of bookings to those that stand and are of a feed's subject, of which one may be found twice."""
    since = bindparam("since", type_=Utc)
    query = query.where(col(BookingRow.state) != "cancelled", col(BookingRow.starts_at) >= since)
    match kind:
        case "location":
            return query.where(col(BookingRow.location) == identifier)
        case "group":
            return query.where(col(BookingRow.kind) == "group", col(BookingRow.subject_id) == identifier)
        case _:
            query = query.join(OccupancyRow, col(OccupancyRow.booking_id) == col(BookingRow.id))
            return query.where(
                col(OccupancyRow.resource) == kind,
                col(OccupancyRow.resource_id) == identifier,
                col(OccupancyRow.starts_at) >= since,
            )


def _versions() -> list[Select[Any]]:
    return [sqlalchemy.select(func.sum(table.version)) for table in (ClinicRow, ProviderRow, GroupRow)]


_NAMED: Select[Any] = sqlalchemy.select(*(one.scalar_subquery() for one in _versions()))


def _midnight(first: date) -> datetime:
    return datetime.combine(first, datetime.min.time(), UTC) - timedelta(days=1)


def find_copy(session: Session, kind: FeedKind, identifier: str) -> FeedCopyRow | None:
    """Return the last good copy of a feed."""
    return session.get(FeedCopyRow, (kind, identifier))


def put_copy(session: Session, copy: FeedCopyRow) -> None:
    """Keep a copy in place of the last one."""
    put(session, FeedCopyRow, [copy.model_dump()])
