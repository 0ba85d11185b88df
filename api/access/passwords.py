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
from zxcvbn import zxcvbn

from scheduling.errors import Fault, InvalidFile

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

MIN_GUESSES = 10**8
"""How many guesses a password has to withstand, as zxcvbn estimates: by its lists of common passwords, names and words
(Wheeler, zxcvbn: low-budget password strength estimation, USENIX Security 2016)."""

MAX_ESTIMATED = 64
"""Characters that are estimated; more would take long, and add to what is enough already."""

POOL_THREADS, POOL_PLACES = 1, 65
"""How many are hashed at once, and wait: each takes 64 MiB, and all cores for some 50 ms. A shift that begins comes at once."""


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of an account that is not there")


def hash_password(password: str, name: str) -> str:
    """Return what is kept of a password of the account of a name.

    Raises
    ------
    InvalidFile
        When it is too short to protect anything, absurdly long, soon guessed, or holds the name.
    """
    if fault := _find_fault(password, name):
        raise InvalidFile("password", [Fault("password", fault)])
    return _hasher.hash(password)


def _find_fault(password: str, name: str) -> str | None:
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        return f"must have {MIN_CHARACTERS} to {MAX_CHARACTERS} characters"
    if name.casefold() in password.casefold():
        return "must not hold the account's name"
    if zxcvbn(password[:MAX_ESTIMATED], user_inputs=[name])["guesses"] < MIN_GUESSES:
        return "is among those that are tried first: it is common, or made of words and patterns that are"
    return None


def is_password(kept: str | None, password: str) -> bool:
    """Say whether a password is the one that was kept; None, for an account without, takes as long and is never right."""
    try:
        return _hasher.verify(kept or _nobodys(), password[: MAX_CHARACTERS + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
