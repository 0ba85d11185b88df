"""Feeds: who may subscribe to which calendar, and what a poll is answered.

A good secret is always answered with a calendar. What was rendered is kept, in memory and in the store, until something of
a period that it shows changes; when a new one cannot be made, or the store cannot be asked, the last good one is given.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from sqlmodel import Session

from api.access.actor import NOBODY, UNKNOWN, AccessRole, Actor
from api.access.credentials import FEED, MAX_LIFE, Signer, hash_secret, make_secret
from api.access.limits import get_network
from api.context import AppContext
from api.runtime.caches import RenderedFeed
from api.runtime.settings import Settings
from api.services.calendars.contents import expect_subject, render_calendar
from api.services.records import write_audit, write_refusal
from api.store.columns import new_id
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import feeds, periods
from api.store.queries.feeds import Subscription
from api.store.tables import FeedCopyRow, FeedRow
from api.store.tables.feeds import FeedKind
from calendars.feeds import make_tombstone
from scheduling.errors import UnknownId

log = logging.getLogger(__name__)

USE_NOTED_EVERY = timedelta(days=1)
"""How often a feed's use is written down: polls come every few minutes, day and night."""

READER = Actor("feed", AccessRole.CLINICIAN)
"""Who reads a feed, by whatever program has its address."""


@dataclass(frozen=True)
class PolledFeed:
    """What a poll is answered: a copy, or that the feed is gone.

    ``to_keep`` says whether to call :func:`store_recorded_use` afterwards.
    """

    copy: RenderedFeed | None
    to_keep: bool = False


# --- subscribing -----------------------------------------------------------------------------------------------------


def list_feeds(session: Session, by: str | None, after: str, count: int) -> list[FeedRow]:
    """Return feeds by id, those after an id: what an account has made, or all."""
    return feeds.list_feeds(session, by, after, count)


def add_feed(
    session: Session, settings: Settings, by: Actor, kind: FeedKind, subject: str, now: datetime
) -> tuple[str, FeedRow]:
    """Make a feed of a provider, room, group or location, and return its secret, which is told once.

    Raises
    ------
    UnknownId
        When there is no such provider, room, group or location.
    """
    secret = make_secret(FEED)
    return secret, _add(
        session,
        settings,
        by,
        FeedRow(
            id=new_id(),
            kind=kind,
            subject_id=subject,
            account_id=by.id,
            secret_hash=hash_secret(secret),
            created_by=by.id,
            created_at=now,
            expires_at=now + MAX_LIFE,
        ),
        now,
    )


def add_patient_feed(
    session: Session, settings: Settings, signer: Signer, by: Actor, patient: str, now: datetime
) -> tuple[str, FeedRow]:
    """Make the signed link by which a patient reads their own appointments. Raises ``UnknownId``."""
    identifier = new_id()
    secret = signer.feed(identifier, patient)
    row = FeedRow(
        id=identifier,
        kind="patient",
        subject_id=patient,
        secret_hash=hash_secret(secret),
        created_by=by.id,
        created_at=now,
        expires_at=now + MAX_LIFE,
    )
    return secret, _add(session, settings, by, row, now)


def _add(session: Session, settings: Settings, by: Actor, row: FeedRow, now: datetime) -> FeedRow:
    expect_subject(session, row.kind, row.subject_id)
    copy = _render(session, settings, row.kind, row.subject_id, now, None)
    _keep(session, row.kind, row.subject_id, copy)
    session.add(row)
    session.flush()
    write_audit(session, by, "feed.add", row.kind, row.subject_id, now, feed=row.id)
    return row


def end_feed(session: Session, by: Actor, identifier: str, now: datetime) -> None:
    """End a feed: for a while its readers are told so, then it is gone. Raises ``UnknownId``."""
    row = feeds.get_feed(session, identifier)
    row.revoked_at = row.revoked_at or now
    session.add(row)
    write_audit(session, by, "feed.end", row.kind, row.subject_id, now, feed=row.id)


# --- being polled ----------------------------------------------------------------------------------------------------


def poll_feed(context: AppContext, kind: FeedKind, secret: str) -> PolledFeed:
    """Return what a poll is answered.

    Raises
    ------
    UnknownId
        When the secret opens no feed of that kind.
    TooMany
        When the feed is polled too often.
    """
    now, cache, secret_hash = context.clock(), context.feeds, hash_secret(secret)
    row, source = _looked_up(context, kind, secret_hash, now)
    if row is None or (kind == "patient" and not context.signer.is_feed(secret, row.id, row.signed_for or row.subject_id)):
        raise UnknownId("feed", "of this address")
    context.polls.take(row.id)
    if (ended_at := row.get_end(now)) is not None:
        return PolledFeed(_last_words(context, row, ended_at, now))
    if row.last_used_at is None or now - row.last_used_at >= USE_NOTED_EVERY:
        cache.record_use(row)
    copy = cache.get(row.kind, row.subject_id)
    if copy is None or source not in (copy.source, None):
        copy = _get_current(context, row, source, copy, now)
        cache.put(row.kind, row.subject_id, copy)
        cache.put_subscription(secret_hash, row)
    return PolledFeed(copy, cache.is_due(now))


def refuse_poll(context: AppContext, address: str) -> None:
    """Write down that somebody has tried an address that opens no feed.

    Raises
    ------
    TooMany
        When this network address has tried too often; that is not written down any more.
    """
    context.log_ins.take(f"guess from {get_network(address)}")
    with suppress(StoreBusy, StoreUnusable), context.database.writing() as session:
        write_refusal(session, UNKNOWN, NOBODY, "feed.read", "feed", "", context.clock(), address=address)


def get_current_copy(context: AppContext, kind: FeedKind, subject: str) -> RenderedFeed:
    """Return a calendar as it is now, for another way of reading it than polls."""
    now, known = context.clock(), context.feeds.get(kind, subject)
    with context.database.reading() as session:
        if known is not None and known.source == _get_source(session, context.settings, kind, subject, now):
            return known
        copy = _render(session, context.settings, kind, subject, now, known)
    context.feeds.put(kind, subject, copy)
    return copy


def store_recorded_use(context: AppContext) -> None:
    """Write down what polls have brought since the last time: copies, and once a day that a feed is in use."""
    now = context.clock()
    copies, used = context.feeds.drain(now)
    if not (copies or used):
        return
    try:
        with context.database.writing() as session:
            for (kind, subject), copy in copies.items():
                _keep(session, kind, subject, copy)
            for row in used:
                feeds.record_use(session, row.id, now)
                write_audit(session, READER, "feed.read", row.kind, row.subject_id, now, feed=row.id)
    except (StoreBusy, StoreUnusable) as error:
        log.warning("feeds' copies are not kept: %s", error)


def _looked_up(context: AppContext, kind: FeedKind, secret_hash: str, now: datetime) -> tuple[Subscription | None, str | None]:
    """Return the feed of a secret and the state of the store; of both what is remembered when the store does not answer."""
    if kind not in get_args(FeedKind):
        return None, None
    try:
        with context.database.looking() as connection:
            subscription = feeds.find_subscription(connection, kind, secret_hash, _first(context.settings, now))
            return (None, None) if subscription is None else subscription
    except (StoreBusy, StoreUnusable):
        row = context.feeds.get_subscription(secret_hash)
        if row is None or row.kind != kind:
            raise
        return row, None


def _first(settings: Settings, now: datetime) -> date:
    """Return the first date that feeds show."""
    return (now - timedelta(days=settings.feed_past_days)).date()


def _get_source(session: Session, settings: Settings, kind: FeedKind, subject: str, now: datetime) -> str:
    return feeds.get_source(session, kind, subject, _first(settings, now))


def _get_current(
    context: AppContext, row: Subscription, source: str | None, known: RenderedFeed | None, now: datetime
) -> RenderedFeed:
    """Return a copy of the store as it is now, or the last good one when none can be made."""
    try:
        with context.database.reading() as session:
            if known is None and (known := _load_kept(session, row)) is not None:
                context.feeds.put_saved(row.kind, row.subject_id, known)
            if known is not None and known.source == source:
                return known
            return _render(session, context.settings, row.kind, row.subject_id, now, known)
    except Exception:  # whatever it is, a calendar that was good a moment ago is better than none
        log.exception("a feed cannot be rendered", extra={"fields": {"feed": row.id}})
    last = known
    if last is None:
        with context.database.reading() as session:
            last = _load_kept(session, row)
    if last is None:
        raise LookupError("a feed without a copy")
    return last


def _render(
    session: Session, settings: Settings, kind: FeedKind, subject: str, now: datetime, last: RenderedFeed | None
) -> RenderedFeed:
    source = _get_source(session, settings, kind, subject, now)
    content = render_calendar(session, kind, subject, now - timedelta(days=settings.feed_past_days))
    if last is not None and last.content == content:
        return RenderedFeed(source, content, last.modified_at)
    return RenderedFeed(source, content, now)


def _last_words(context: AppContext, row: Subscription, ended_at: datetime, now: datetime) -> RenderedFeed | None:
    """Return what a feed says for a while that has ended: that it has."""
    if now >= ended_at + timedelta(days=context.settings.feed_farewell_days):
        return None
    with context.database.reading() as session:
        return RenderedFeed("", make_tombstone(periods.clinic_of(session), row.id, ended_at), ended_at)


def _load_kept(session: Session, row: Subscription) -> RenderedFeed | None:
    kept = feeds.find_copy(session, row.kind, row.subject_id)
    return None if kept is None else RenderedFeed(kept.source, kept.content, kept.modified_at)


def _keep(session: Session, kind: FeedKind, subject: str, copy: RenderedFeed) -> None:
    feeds.put_copy(
        session,
        FeedCopyRow(
            kind=kind,
            subject_id=subject,
            source=copy.source,
            digest=copy.digest,
            content=copy.content,
            modified_at=copy.modified_at,
        ),
    )
