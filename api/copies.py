"""What one process remembers of feeds, so that most polls need no rendering and no store but for one look."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import TypeVar

from api.store.tables import FeedRow
from api.store.tables.feeds import FeedKind

K = TypeVar("K")
V = TypeVar("V")

MAX_COPIES = 2_000
"""Copies, and secrets, that one process remembers; those not asked for longest give way."""


@dataclass(frozen=True)
class Copy:
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


@dataclass
class FeedMemory:
    """What one process remembers of feeds."""

    copies: OrderedDict[tuple[FeedKind, str], Copy] = field(default_factory=OrderedDict)
    secrets: OrderedDict[str, FeedRow] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def recall(self, kind: FeedKind, subject: str) -> Copy | None:
        """Return a copy, if it is remembered."""
        with self.lock:
            return self.copies.get((kind, subject))

    def remember(self, kind: FeedKind, subject: str, copy: Copy, row: FeedRow | None = None) -> None:
        """Remember a copy, and by whose secret it was asked for."""
        with self.lock:
            _put(self.copies, (kind, subject), copy)
            if row is not None:
                _put(self.secrets, row.secret_hash, row)


def _put(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > MAX_COPIES:
        memory.popitem(last=False)
