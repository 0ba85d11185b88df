"""The audit: one row for each read or write of patient data and each denial, chained by hashes.

A row's hash covers the row and the hash before it, so nobody can change, remove or put in a row without every later hash
telling. Whoever can write to the database's files could still make the whole chain anew, or cut off its end: so its end is
noted elsewhere from time to time, and :func:`verify` is given what was noted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, and_, event, or_
from sqlmodel import Session, col, select

from api.store.errors import AuditBroken
from api.store.rows import insert_all
from api.store.tables import AuditRow, EpisodeRow, VisitRow
from api.store.tables.records import Outcome

log = logging.getLogger(__name__)

APPENDED = "audit rows"
"""Where a session carries the rows that it has written and not yet committed."""

BEFORE_THE_FIRST = "0" * 64
"""What the first row has for the hash of the row before."""


@dataclass(frozen=True)
class AuditEntry:
    """What is written down: who did what to what, or was not let. Ids only, no names and no clinical text.

    Attributes
    ----------
    actor
        An account's, token's or patient link's id, or the name of a command.
    action
        What was done: ``visit.move``.
    detail
        Whatever else tells what was done, as JSON.
    """

    actor: str
    role: str
    action: str
    object_kind: str
    object_id: str
    outcome: Outcome
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Tail:
    """The last row of the chain; of an empty one, sequence 0."""

    sequence: int
    hash: str


def append(session: Session, entry: AuditEntry, now: datetime) -> None:
    """Write down an entry, in the transaction that does what it tells of."""
    append_all(session, [entry], now)


def append_all(session: Session, entries: Iterable[AuditEntry], now: datetime) -> None:
    """Write down entries of one moment, one after the other."""
    append_dated(session, ((entry, now) for entry in entries))


def append_dated(session: Session, entries: Iterable[tuple[AuditEntry, datetime]]) -> None:
    """Write down entries and when each was; once they are committed, each is a line of the log too."""
    last, rows = get_tail(session), []
    for entry, now in entries:
        row = _row(last, entry, now)
        rows.append(row)
        last = Tail(row["sequence"], row["hash"])
    insert_all(session, AuditRow, rows)
    if APPENDED not in session.info:
        session.info[APPENDED] = []
        event.listen(session, "after_commit", _tell)
    session.info[APPENDED] += rows


def _tell(session: Session) -> None:
    """Send on what was committed, a line each: what collects the log has it, whatever becomes of the store."""
    if session.in_nested_transaction():
        return  # a savepoint that is released: all of it may still be undone
    for row in session.info[APPENDED]:
        log.info("audit", extra={"fields": row})
    session.info[APPENDED] = []


def _row(last: Tail, entry: AuditEntry, now: datetime) -> dict[str, Any]:
    row = dict(
        sequence=last.sequence + 1,
        at=now,
        actor=entry.actor,
        role=entry.role,
        action=entry.action,
        object_kind=entry.object_kind,
        object_id=entry.object_id,
        outcome=entry.outcome,
        detail=dict(entry.detail),
        previous_hash=last.hash,
    )
    return {**row, "hash": _hash(row)}


def get_tail(session: Session) -> Tail:
    """Return the end of the chain."""
    query = select(AuditRow.sequence, AuditRow.hash).order_by(col(AuditRow.sequence).desc()).limit(1)
    tail = session.exec(query).first()
    return Tail(*tail) if tail else Tail(0, BEFORE_THE_FIRST)


def verify(session: Session, *known: Tail) -> Tail:
    """Hold the whole chain against its hashes, and return its end.

    Parameters
    ----------
    known
        Ends that earlier calls gave, or that were noted elsewhere: the chain must still hold them.

    Raises
    ------
    AuditBroken
        With the first row that does not hold.
    """
    last = Tail(0, BEFORE_THE_FIRST)
    noted = {end.sequence: end for end in reversed(known)}
    query = select(AuditRow).order_by(col(AuditRow.sequence)).execution_options(yield_per=1000)
    with closing(session.exec(query)) as rows:
        for row in rows:
            last = _next(last, row)
            if noted.get(last.sequence, last) != last:
                raise AuditBroken(row.sequence, "it is not the row that was noted")
    if (most := max(noted, default=0)) > last.sequence:
        raise AuditBroken(last.sequence + 1, f"it is missing; the audit had {most} rows")
    return last


@dataclass(frozen=True)
class AuditFilter:
    """Which rows are asked for; None leaves a thing open.

    Attributes
    ----------
    patient
        What was done to a patient: to the row of one, or to a visit, an episode or a feed of theirs.
    action
        How the action begins: ``account.`` for all about accounts.
    since, until
        From an instant on, and before one.
    """

    patient: str | None = None
    actor: str | None = None
    action: str | None = None
    object_id: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


def find_entries(session: Session, asked: AuditFilter, after: int = 0, count: int = 100) -> list[AuditRow]:
    """Return the rows that are asked for in their order, those after a sequence number."""
    query = select(AuditRow).where(col(AuditRow.sequence) > after)
    for column, value in ((AuditRow.actor, asked.actor), (AuditRow.object_id, asked.object_id)):
        if value is not None:
            query = query.where(column == value)
    if asked.outcome is not None:
        query = query.where(AuditRow.outcome == asked.outcome)
    if asked.action is not None:
        query = query.where(col(AuditRow.action).startswith(asked.action, autoescape=True))
    if asked.since is not None:
        query = query.where(AuditRow.at >= asked.since)
    if asked.until is not None:
        query = query.where(AuditRow.at < asked.until)
    if asked.patient is not None:
        query = query.where(_is_of_patient(asked.patient))
    return list(session.exec(query.order_by(col(AuditRow.sequence)).limit(count)))


def _is_of_patient(patient: str) -> ColumnElement[bool]:
    visits = select(VisitRow.id).where(VisitRow.patient_id == patient)
    episodes = select(EpisodeRow.id).where(EpisodeRow.patient_id == patient)
    kind, identifier = col(AuditRow.object_kind), col(AuditRow.object_id)
    return or_(
        and_(kind == "patient", identifier == patient),
        and_(kind == "visit", identifier.in_(visits)),
        and_(kind == "episode", identifier.in_(episodes)),
    )


def list_entries(session: Session, after: int = 0, count: int = 100, object_id: str | None = None) -> list[AuditRow]:
    """Return rows in their order, those after a sequence number; of one object, or all."""
    query = select(AuditRow).where(col(AuditRow.sequence) > after)
    if object_id is not None:
        query = query.where(AuditRow.object_id == object_id)
    return list(session.exec(query.order_by(col(AuditRow.sequence)).limit(count)))


def list_done(session: Session, after: int, actions: Collection[str], count: int) -> list[AuditRow]:
    """Return the latest rows of some actions that were done, in their order, those after a sequence number."""
    query = select(AuditRow).where(col(AuditRow.sequence) > after, AuditRow.outcome == "allowed")
    query = query.where(col(AuditRow.action).in_(actions)).order_by(col(AuditRow.sequence).desc()).limit(count)
    return list(session.exec(query))[::-1]


def has_entry_between(
    session: Session, actor: str, action: str, subject: tuple[str, str], since: datetime, until: datetime
) -> bool:
    """Return whether there is a row of an actor, an action and an object, of a kind and id, after an instant and until another.

    One of a time that is yet to come, before a clock was set back, is none of these.
    """
    query = select(AuditRow.sequence).where(AuditRow.object_kind == subject[0], AuditRow.object_id == subject[1])
    query = query.where(AuditRow.actor == actor, AuditRow.action == action, col(AuditRow.at) > since, col(AuditRow.at) <= until)
    return session.exec(query.limit(1)).first() is not None


def list_latest(session: Session, object_kind: str, object_id: str, count: int) -> list[AuditRow]:
    """Return the latest rows of an object, the newest first."""
    query = select(AuditRow).where(AuditRow.object_kind == object_kind, AuditRow.object_id == object_id)
    return list(session.exec(query.order_by(col(AuditRow.sequence).desc()).limit(count)))


def _next(last: Tail, row: AuditRow) -> Tail:
    if row.sequence != last.sequence + 1:
        raise AuditBroken(last.sequence + 1, "it is missing")
    if row.previous_hash != last.hash:
        raise AuditBroken(row.sequence, "it does not follow the row before")
    if row.hash != _hash(row.model_dump(exclude={"hash"})):
        raise AuditBroken(row.sequence, "it is not as it was written")
    return Tail(row.sequence, row.hash)


def _hash(row: Mapping[str, Any]) -> str:
    """Return the hash of everything of a row but its hash; it is of the instant, whatever zone that is told in."""
    told = {**row, "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds")}
    return sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
