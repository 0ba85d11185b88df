"""Sweeps over items, and the meeting of intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from scheduling.plan import Item


class Timed(Protocol):
    """Anything with a start and an end."""

    @property
    def start(self) -> datetime:
        """The first moment."""

    @property
    def end(self) -> datetime:
        """The first moment after."""


def is_overlapping(first: Timed, other: Timed) -> bool:
    """Return whether two half-open intervals have a moment in common."""
    return first.start < other.end and other.start < first.end


def _start_minute(item: Item) -> int:
    return item.start_minute


def find_overlaps(
    items: Iterable[Item], end: Callable[[Item], int], start: Callable[[Item], int] = _start_minute
) -> Iterator[tuple[Item, Item]]:
    """Yield pairs of items whose ``[start(item), end(item))`` meet: each item with the longest before it.

    Without ``start`` the items are of one date, and minutes count from its midnight.
    """
    longest: Item | None = None
    for item in sorted(items, key=lambda item: (start(item), item.id)):
        if longest is not None and start(item) < end(longest):
            yield longest, item
        if longest is None or end(item) > end(longest):
            longest = item


def find_overloads(uses: Iterable[tuple[int, int, int, Item]], capacity: int) -> Iterator[tuple[str, ...]]:
    """Yield the ids that run together wherever the demands of ``(start, end, demand, item)`` exceed a capacity."""
    ordered = sorted(uses, key=lambda use: (use[0], use[3].id))
    running: list[tuple[int, int, int, Item]] = []
    for use, following in pairwise([*ordered, None]):
        assert use is not None
        running = [*(other for other in running if other[1] > use[0]), use]
        more_start_now = following is not None and following[0] == use[0]
        if not more_start_now and sum(other[2] for other in running) > capacity:
            yield tuple(other[3].id for other in running)
