"""What one process remembers of feeds, so that most polls need no rendering and no store but for one look."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import TypeVar

from api.store.feeds import Subscription
from api.store.tables.feeds import FeedKind

K = TypeVar("K")
V = TypeVar("V")

MAX_ENTRIES = 2_000
"""Rendered feeds, and secrets, that one process keeps; the least recently used are evicted."""

KEPT_EVERY = timedelta(minutes=1)
"""How often what polls have brought is written to the store, all of it at once: while it is, other polls have to wait."""


@dataclass(frozen=True)
class RenderedFeed:
    """A rendered feed. ``source`` says of what state of the store."""

    source: str
    content: bytes
    modified_at: datetime

    @cached_property
    def digest(self) -> str:
        """What two copies share that say the same."""
        return sha256(self.content).hexdigest()[:32]

    @cached_property
    def packed(self) -> bytes:
        """The content compressed, the same bytes each time."""
        return gzip.compress(self.content, mtime=0)


RenderedFeeds = OrderedDict[tuple[FeedKind, str], RenderedFeed]


@dataclass
class FeedCache:
    """What one process remembers of feeds; ``unkept`` and ``unnoted``, by id, are yet to be written to the store."""

    copies: RenderedFeeds = field(default_factory=OrderedDict)
    secrets: OrderedDict[str, Subscription] = field(default_factory=OrderedDict)
    unkept: RenderedFeeds = field(default_factory=OrderedDict)
    unnoted: OrderedDict[str, Subscription] = field(default_factory=OrderedDict)
    kept_at: datetime | None = None
    lock: Lock = field(default_factory=Lock)

    def recall(self, kind: FeedKind, subject: str) -> RenderedFeed | None:
        """Return a copy, if it is remembered."""
        with self.lock:
            return self.copies.get((kind, subject))

    def remember(self, kind: FeedKind, subject: str, copy: RenderedFeed) -> None:
        """Remember a copy; one of another state of the store than the last is to be kept."""
        with self.lock:
            last = self.copies.get((kind, subject))
            _put(self.copies, (kind, subject), copy)
            if last is None or last.source != copy.source:
                _put(self.unkept, (kind, subject), copy)

    def recollect(self, kind: FeedKind, subject: str, copy: RenderedFeed) -> None:
        """Remember a copy that the store has."""
        with self.lock:
            _put(self.copies, (kind, subject), copy)

    def noted(self, secret_hash: str) -> Subscription | None:
        """Return the feed that a secret has opened, if it is remembered."""
        with self.lock:
            return self.secrets.get(secret_hash)

    def note(self, secret_hash: str, feed: Subscription) -> None:
        """Remember which feed a secret opens."""
        with self.lock:
            _put(self.secrets, secret_hash, feed)

    def note_use(self, feed: Subscription) -> None:
        """Remember that a feed is read."""
        with self.lock:
            _put(self.unnoted, feed.id, feed)

    def is_due(self, now: datetime) -> bool:
        """Say whether something is to be kept, and nothing was for a while."""
        with self.lock:
            return bool(self.unkept or self.unnoted) and (self.kept_at is None or now - self.kept_at >= KEPT_EVERY)

    def take(self, now: datetime) -> tuple[RenderedFeeds, list[Subscription]]:
        """Hand over what is to be kept."""
        with self.lock:
            taken = self.unkept, list(self.unnoted.values())
            self.unkept, self.unnoted, self.kept_at = OrderedDict(), OrderedDict(), now
        return taken


def _put(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > MAX_ENTRIES:
        memory.popitem(last=False)
