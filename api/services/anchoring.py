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
    if end.sequence == 0 or (file is not None and end in read_ends(file)[-1:]):
        return
    told = {"row": end.sequence, "hash": end.hash}
    log.info("the audit's end", extra={"fields": told})
    if file is None:
        return
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as handle:
        handle.write(json.dumps({"at": context.clock().isoformat(), **told}) + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def read_ends(file: Path) -> list[Tail]:
    """Return the ends that were noted in a file, the oldest first; none when there is no file.

    Raises
    ------
    InvalidFile
        When a line is no such note; the last may be cut off.
    """
    if not file.exists():
        return []
    ends = []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            ends.append(Tail(int(told["row"]), str(told["hash"])))
        except (ValueError, TypeError, KeyError, RecursionError):
            if number < len(lines):
                raise InvalidFile(str(file), [Fault(f"line {number}", "is no note of the audit's end")]) from None
    return ends
