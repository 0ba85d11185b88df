"""Who looks after jobs whose worker has died: every worker, each by its own clock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic

from api.runtime.job_queue import JobQueue
from api.store.database import Database
from api.store.queries import jobs as store
from api.store.queries.jobs import Mark

log = logging.getLogger(__name__)


class JobRecovery:
    """Finds jobs that nobody looks after any more, and puts them into the queue again.

    A job is given up when its mark has not changed for ``lost_seconds`` as seen here. No two machines' clocks are compared,
    and who has seen nothing for a while, the store being away, begins again to count. Any number may watch: only one of them
    changes the epoch.
    """

    def __init__(
        self, database: Database, queue: JobQueue, lost_seconds: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._database = database
        self._queue = queue
        self._lost_seconds = lost_seconds
        self._clock = clock
        self._since: dict[Mark, float] = {}
        self._looked = clock()

    def look(self) -> None:
        """Look once."""
        with self._database.reading() as session:
            marks = store.list_active_jobs(session)
        now = self._clock()
        if now - self._looked > self._lost_seconds / 2:
            self._since.clear()
        self._looked = now
        self._since = {mark: self._since.get(mark, now) for mark in marks}
        still = [mark for mark, since in self._since.items() if now - since >= self._lost_seconds]
        lost = [mark for mark in still if mark.state == "running"]
        for mark in [*lost, *self._queue.find_missing(still)]:
            self._again(mark)
        for mark in still:
            self._since[mark] = now

    def _again(self, mark: Mark) -> None:
        loss = "its heartbeat ended" if mark.state == "running" else None
        with self._database.writing() as session:
            row = self._queue.requeue(session, mark, loss)
        if row is not None:
            log.warning("plan job %s was lost, and is %s", mark.id, row.state)
