"""Cursors: what a link to the next page of a list carries, which is the key of the last item that was given."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from scheduling.errors import Fault, InvalidFile


def make_cursor(key: str) -> str:
    """Return the cursor that goes on after a key."""
    return urlsafe_b64encode(json.dumps([key]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, place: str) -> str:
    """Return the key that a cursor goes on after; an empty one begins. Raises ``InvalidFile`` for what no page of ours gave."""
    if not cursor:
        return ""
    try:
        (after,) = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(after, str) or "\x00" in after:
            raise ValueError(after)
        after.encode()  # half a pair of surrogates is no text that a database could be asked for
    except (ValueError, TypeError, RecursionError):
        raise strange_cursor(place) from None
    return after


def strange_cursor(place: str) -> InvalidFile:
    """Return the refusal of a cursor that none of our pages gave."""
    return InvalidFile("query", [Fault(place, "is no cursor of this list")])
