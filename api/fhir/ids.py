"""Ids of ours as ids of resources, and back.

Ours are any text, those of resources are 1 to 64 letters, digits, ``-`` and ``.``; ``identifier`` always has the true one.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Callable, Collection, Iterable
from hashlib import sha256

FITTING = re.compile(r"[A-Za-z0-9.-]{1,64}")
MADE = "x."
MADE_CHARACTERS = 40
REFERENCE = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")


def make_id(own: str) -> str:
    """Return the id of a resource: ours as it is where it fits, else one that is made of it."""
    if FITTING.fullmatch(own) and not own.startswith(MADE):
        return own
    return MADE + b32encode(sha256(own.encode()).digest()).decode().lower()[:MADE_CHARACTERS]


def find_own_id(identifier: str, known: Iterable[str]) -> str | None:
    """Return which of our ids a resource's id stands for; only one that was made is looked for among the known."""
    if not identifier.startswith(MADE):
        return identifier if FITTING.fullmatch(identifier) else None
    return next((own for own in known if make_id(own) == identifier), None)


def find_own_ids(identifiers: Collection[str], list_known: Callable[[], Iterable[str]]) -> dict[str, str]:
    """Return our ids by those of resources, for those that stand for one; the known are listed once, if at all."""
    made = {identifier for identifier in identifiers if identifier.startswith(MADE)}
    own = {identifier: identifier for identifier in identifiers if identifier not in made and FITTING.fullmatch(identifier)}
    if made:
        own |= {identifier: known for known in list_known() if (identifier := make_id(known)) in made}
    return own


def read_reference(text: str, *types: str) -> str | None:
    """Return the id that a reference names, relative or absolute, or an id alone; None when it is of another type."""
    if FITTING.fullmatch(text):
        return text
    match = REFERENCE.fullmatch(text)
    return match["id"] if match is not None and match["type"] in types else None
