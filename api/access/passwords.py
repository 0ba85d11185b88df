"""Passwords of local accounts: argon2id, never kept or logged in any other form.

References
----------
RFC 9106, section 4: the second recommended option, 64 MiB and three passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.runtime.exceptions import TooMany
from scheduling.errors import Fault, InvalidFile

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

# Each takes 64 MiB and a core for some 50 ms: many at once would starve everybody who is logged in already.
_turn = BoundedSemaphore(2)

TURN_SECONDS = 5
"""Longest wait for a turn; whoever waits holds a thread that others need."""


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of an account that is not there")


def hash_password(password: str) -> str:
    """Return what is kept of a password.

    Raises
    ------
    InvalidFile
        When it is too short to protect anything, or absurdly long.
    TooMany
        When too many are at it.
    """
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise InvalidFile("password", [Fault("password", f"must have {MIN_CHARACTERS} to {MAX_CHARACTERS} characters")])
    with _in_turn():
        return _hasher.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Say whether a password is the one that was kept; None, for an account without, takes as long and is never right.

    Raises
    ------
    TooMany
        When too many are at it.
    """
    with _in_turn():
        try:
            return _hasher.verify(kept or _nobodys(), password[: MAX_CHARACTERS + 1]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@contextmanager
def _in_turn() -> Iterator[None]:
    if not _turn.acquire(timeout=TURN_SECONDS):
        raise TooMany("too many are logging in", TURN_SECONDS)
    try:
        yield
    finally:
        _turn.release()
