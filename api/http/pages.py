"""Long lists, a page at a time: a cursor names the last item that was given, so nothing is given twice or left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from api.runtime.cursors import make_cursor, read_cursor, strange_cursor

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

MAX_ITEMS = 200
MAX_CURSOR_CHARACTERS = 500
CURSOR = "query.cursor"
MAX_DIGITS = 9
"""Longest number in a cursor; rows are counted by 32 bits."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for.

    Attributes
    ----------
    after : str
        The key of the last item of the page before; empty at the start. Lists are in the order of their keys.
    count : int
        Most items, 1 to ``MAX_ITEMS``. Ask the store for one more, to learn whether there is a next page.
    """

    after: str
    count: int

    def of(self, model: type[M], items: Sequence[T], key: Callable[[T], str]) -> M:
        """Return the page of up to ``count + 1`` items as a model with ``items`` and ``next``, the cursor of the next page."""
        return model.model_validate({"items": items[: self.count], "next": self.cursor(items, key)})

    def cursor(self, items: Sequence[T], key: Callable[[T], str]) -> str | None:
        """Return the cursor of the next page of up to ``count + 1`` items; None when there is none."""
        return make_cursor(key(items[self.count - 1])) if len(items) > self.count else None


async def get_page(
    limit: Annotated[int, Query(ge=1, le=MAX_ITEMS, description="Most items.")] = 50,
    cursor: Annotated[str, Query(max_length=MAX_CURSOR_CHARACTERS, description="`next` of the page before.")] = "",
) -> Page:
    """Read which part of a list is asked for. Raises ``InvalidFile`` for a cursor that none of our pages gave."""
    return Page(read_cursor(cursor, CURSOR), limit)


def read_number(page: Page) -> int:
    """Return the number after which a page begins, 0 at the start. Raises ``InvalidFile`` when its key is no number."""
    key = page.after or "0"
    if not (key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS):
        raise strange_cursor(CURSOR)
    return int(key)


def read_moment_and_id(page: Page) -> tuple[datetime, str] | None:
    """Return the instant and id after which a page begins, None at the start. Raises ``InvalidFile`` for a strange key."""
    if not page.after:
        return None
    moment, _, identifier = page.after.partition(" ")
    try:
        before = datetime.fromisoformat(moment)
        if before.utcoffset() is None:
            raise ValueError(moment)
        return before.astimezone(UTC), identifier
    except (ValueError, OverflowError):
        raise strange_cursor(CURSOR) from None


Paged = Annotated[Page, Depends(get_page)]
