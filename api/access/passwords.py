"""Passwords of local accounts: argon2id, never kept or logged in any other form.

References
----------
RFC 9106, section 4: the second recommended option, 64 MiB and three passes.
"""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from scheduling.errors import Fault, InvalidFile

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

POOL_THREADS, POOL_PLACES = 2, 64
"""How many are hashed at once, and wait: each takes 64 MiB and a core for some 50 ms. A shift that begins logs in at once."""


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of an account that is not there")


def hash_password(password: str) -> str:
    """Return what is kept of a password.

    Raises
    ------
    InvalidFile
        When it is too short to protect anything, or absurdly long.
    """
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise InvalidFile("password", [Fault("password", f"must have {MIN_CHARACTERS} to {MAX_CHARACTERS} characters")])
    return _hasher.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Say whether a password is the one that was kept; None, for an account without, takes as long and is never right."""
    try:
        return _hasher.verify(kept or _nobodys(), password[: MAX_CHARACTERS + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
