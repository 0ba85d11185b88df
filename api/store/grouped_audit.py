"""Many who read at once are written down by one commit: each waits for the disk, but all for the same turn of it.

Whoever comes while a commit is under way is in the next one. A reader's answer leaves after its own entry is kept, as before.

References
----------
DeWitt et al., Implementation techniques for main memory database systems, SIGMOD 1984, section 5 (group commit).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import datetime
from threading import Condition

from api.store import audit
from api.store.audit import AuditEntry
from api.store.database import Database


@dataclass(slots=True)
class _Waiting:
    """An entry that somebody waits for, and what became of it."""

    entry: AuditEntry
    now: datetime
    is_done: bool = False
    error: BaseException | None = None


class GroupedAudit:
    """Writes entries of the audit that belong to no other change, those of one moment together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = Condition()
        self._is_writing = False
        self._waiting: list[_Waiting] = []

    def write(self, entry: AuditEntry, now: datetime) -> None:
        """Write down an entry; it is kept when this returns.

        Raises
        ------
        StoreError
            When it cannot be kept.
        """
        mine = _Waiting(entry, now)
        with self._turn:
            self._waiting.append(mine)
            while self._is_writing and not mine.is_done:
                self._turn.wait()
            if not mine.is_done:
                self._is_writing = True
        if not mine.is_done:
            self._write_all()
        if mine.error is not None:
            raise copy(mine.error)

    def _write_all(self) -> None:
        """Write for all who wait, and wake them."""
        taken: list[_Waiting] = []
        error: BaseException | None = None
        try:
            with self._database.writing(appends=True) as session:
                taken = self._take()  # only now: while this writer waited for its turn, others came
                audit.append_dated(session, [(waiting.entry, waiting.now) for waiting in taken])
        except BaseException as refusal:  # whatever it is, nobody may think that theirs is kept
            error, taken = refusal, taken or self._take()
        finally:
            with self._turn:
                for waiting in taken:
                    waiting.error, waiting.is_done = error, True
                self._is_writing = False
                self._turn.notify_all()

    def _take(self) -> list[_Waiting]:
        with self._turn:
            taken, self._waiting = self._waiting, []
        return taken
