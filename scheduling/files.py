"""Files in and out: bounded when read, whole or untouched when written."""

from __future__ import annotations

import codecs
import json
import os
import tempfile
from pathlib import Path
from typing import Literal

from scheduling.errors import Fault, InvalidFile

MARKS = {"scenario": {"clinic", "horizon"}, "plan": {"scenario", "status", "cost"}}
"""The fields by which a file shows what it is."""

MAX_BYTES = 9_000_000
"""Largest file that is read: four times a month of a clinic with 2,755 visits (2.1 MB)."""


def read_json(path: Path) -> bytes:
    """Read a JSON file's bytes, without the mark by which some editors begin UTF-8.

    Raises ``InvalidFile`` when it is missing, unreadable or over ``MAX_BYTES``.
    """
    return read_bounded(path, MAX_BYTES, "; plan a shorter horizon").removeprefix(codecs.BOM_UTF8)


def wrong_kind(text: bytes | str, wanted: Literal["scenario", "plan"]) -> list[Fault]:
    """Return the one fault of a file that is a plan where a scenario is wanted, or the other way round; else none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return []
    kinds = {kind for kind, marks in MARKS.items() if isinstance(document, dict) and marks <= document.keys()}
    return [] if wanted in kinds or not kinds else [Fault("", f"is a {kinds.pop()}, where a {wanted} is wanted")]


def read_bounded(path: Path, most_bytes: int, advice: str = "") -> bytes:
    """Read a file's bytes. Raises ``InvalidFile`` when it is missing, unreadable or too large."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            limit = f"{size / 1e6:.1f} MB is over the limit of {most_bytes / 1e6:.0f} MB{advice}"
            raise InvalidFile(str(path), [Fault("", limit)])
        return path.read_bytes()
    except OSError as error:
        raise InvalidFile(str(path), [Fault("", (error.strerror or str(error)).lower())]) from None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, or leave what was there: written beside it, then renamed over it."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or leave what was there.

    It is its owner's alone, and so are folders that are made for it: both may tell of patients, by their names too.
    """
    target = path.resolve()
    for folder in reversed([parent for parent in target.parents if not parent.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
    if target.exists() and not target.is_file():
        target.write_bytes(content)  # a device or a pipe cannot be renamed over
        return
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
