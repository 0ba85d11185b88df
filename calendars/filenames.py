"""File names for ids, which may hold anything: slashes, dots, other scripts, names that a file system reserves."""

from __future__ import annotations

import re
from hashlib import sha256

PLAIN_LENGTH = 80
"""Longest id that is a file name as it stands; file systems take 255 bytes."""

_PLAIN = re.compile(rf"[a-z0-9][a-z0-9_.-]{{0,{PLAIN_LENGTH - 1}}}(?<!\.)", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.ASCII)
_DIGESTED = re.compile(r".*-[0-9a-f]{16}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+", re.ASCII)


def make_file_name(identifier: str) -> str:
    """Return a file name without suffix that no other id has, on any file system.

    A plain id is its own name. Any other gets the readable part of it and 64 bits of its SHA-256: also one with capitals,
    which some file systems do not tell from small letters, and one that looks like such a name.
    """
    odd = _RESERVED.fullmatch(identifier) or _DIGESTED.fullmatch(identifier)
    if _PLAIN.fullmatch(identifier) and not odd:
        return identifier
    readable = _UNSAFE.sub("-", identifier)[: PLAIN_LENGTH // 2].strip("-") or "id"
    return f"{readable}-{sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
