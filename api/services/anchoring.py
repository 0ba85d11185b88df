"""The end of the audit's chain, noted outside the store: whoever can write to the store cannot take that back."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from api.context import AppContext
from api.store import audit
from api.store.audit import Tail
from scheduling.errors import Fault, InvalidFile

log = logging.getLogger(__name__)


def note_end(context: AppContext) -> None:
    """Note the present end in the log and in the file of the settings, unless it is noted already."""
    with context.database.reading() as session:
        end = audit.get_tail(session)
    file = context.settings.anchor_file
    if end.sequence == 0 or (file is not None and end == _read_last_end(file)):
        return
    told = {"row": end.sequence, "hash": end.hash}
    log.info("the audit's end", extra={"fields": told})
    if file is None:
        return
    is_cut_off = file.exists() and file.read_bytes()[-1:] not in (b"", b"\n")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as handle:
        handle.write("\n" * is_cut_off + json.dumps({"at": context.clock().isoformat(), **told}) + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def read_ends(file: Path) -> list[Tail]:
    """Return the ends that were noted in a file, the oldest first; none when there is no file.

    A note that a full disk has cut off is left out.

    Raises
    ------
    InvalidFile
        When a line is no such note, and not the beginning of one.
    """
    ends = []
    for number, line in enumerate(_read_lines(file), 1):
        end = _parse_note(line)
        if end is not None:
            ends.append(end)
        elif not line.startswith("{") or line.endswith("}"):
            raise InvalidFile(str(file), [Fault(f"line {number}", "is no note of the audit's end")])
    return ends


def _read_last_end(file: Path) -> Tail | None:
    """Return the end that the last line notes; None when it notes none, as when it was cut off."""
    lines = _read_lines(file)
    return _parse_note(lines[-1]) if lines else None


def _read_lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []


def _parse_note(line: str) -> Tail | None:
    try:
        told = json.loads(line)
        return Tail(int(told["row"]), str(told["hash"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
