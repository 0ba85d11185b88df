"""The feeds that one process has rendered, kept so that most polls need no rendering and no store but for one look."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import TypeVar

from api.store.queries.feeds import Subscription
from api.store.tables.feeds import FeedKind

K = TypeVar("K")
V = TypeVar("V")

MAX_ENTRIES = 2_000
"""Rendered feeds, and secrets, that one process keeps; the least recently used are evicted."""

DRAIN_INTERVAL = timedelta(minutes=1)
"""How often what polls have brought is written to the store, all of it at once: while it is, other polls have to wait."""


@dataclass(frozen=True)
class RenderedFeed:
    """A rendered feed. ``source`` says of what state of the store."""

    source: str
    content: bytes
    modified_at: datetime

    @cached_property
    def digest(self) -> str:
        """The hash of the content: the same for feeds that say the same."""
        return sha256(self.content).hexdigest()[:32]

    @cached_property
    def compressed(self) -> bytes:
        """The content compressed, the same bytes each time."""
        return gzip.compress(self.content, mtime=0)


RenderedFeeds = OrderedDict[tuple[FeedKind, str], RenderedFeed]


@dataclass
class FeedCache:
    """The feeds that one process has rendered, and which secrets open which; the least recently used are evicted.

    ``unsaved`` and ``unrecorded``, by id, are yet to be written to the store.
    """

    feeds: RenderedFeeds = field(default_factory=OrderedDict)
    subscriptions: OrderedDict[str, Subscription] = field(default_factory=OrderedDict)
    unsaved: RenderedFeeds = field(default_factory=OrderedDict)
    unrecorded: OrderedDict[str, Subscription] = field(default_factory=OrderedDict)
    drained_at: datetime | None = None
    lock: Lock = field(default_factory=Lock)

    def get(self, kind: FeedKind, subject: str) -> RenderedFeed | None:
        """Return a rendered feed, if there is one."""
        with self.lock:
            return self.feeds.get((kind, subject))

    def put(self, kind: FeedKind, subject: str, feed: RenderedFeed) -> None:
        """Keep a feed; one of another state of the store than the last is to be saved."""
        with self.lock:
            last = self.feeds.get((kind, subject))
            _put(self.feeds, (kind, subject), feed)
            if last is None or last.source != feed.source:
                _put(self.unsaved, (kind, subject), feed)

    def put_saved(self, kind: FeedKind, subject: str, feed: RenderedFeed) -> None:
        """Keep a feed that the store has."""
        with self.lock:
            _put(self.feeds, (kind, subject), feed)

    def get_subscription(self, secret_hash: str) -> Subscription | None:
        """Return the subscription that a secret has opened, if it is known."""
        with self.lock:
            return self.subscriptions.get(secret_hash)

    def put_subscription(self, secret_hash: str, subscription: Subscription) -> None:
        """Keep which subscription a secret opens."""
        with self.lock:
            _put(self.subscriptions, secret_hash, subscription)

    def record_use(self, subscription: Subscription) -> None:
        """Note that a feed is read."""
        with self.lock:
            _put(self.unrecorded, subscription.id, subscription)

    def is_due(self, now: datetime) -> bool:
        """Return whether something is to be written, and nothing was for a while."""
        with self.lock:
            unwritten = bool(self.unsaved or self.unrecorded)
            return unwritten and (self.drained_at is None or now - self.drained_at >= DRAIN_INTERVAL)

    def drain(self, now: datetime) -> tuple[RenderedFeeds, list[Subscription]]:
        """Hand over what is to be written: feeds, and subscriptions that were used."""
        with self.lock:
            drained = self.unsaved, list(self.unrecorded.values())
            self.unsaved, self.unrecorded, self.drained_at = OrderedDict(), OrderedDict(), now
        return drained


def _put(cache: OrderedDict[K, V], key: K, value: V) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > MAX_ENTRIES:
        cache.popitem(last=False)
