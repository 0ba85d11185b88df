"""The queue of plan jobs: what a use case writes in its own transaction, and DBOS hands out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from dbos import DBOS, DBOSClient, EnqueueOptions
from sqlmodel import Session

from api.runtime.exceptions import KeyReused, TooMany
from api.store.columns import utc_now
from api.store.database import Database
from api.store.errors import StoreUnusable
from api.store.queries import jobs as store
from api.store.queries.jobs import Mark
from api.store.tables import PlanJobRow
from api.store.tables.jobs import JobQueueName

if TYPE_CHECKING:
    from solver import Limits

QUEUES: tuple[JobQueueName, ...] = get_args(JobQueueName)
WORKFLOW = "plan"
APPLICATION = "clinicweave"

VERSION = "1"
"""Workers take only what was put in under their version: raise it when the workflow's arguments change."""

MOST_LOSSES = 3
"""Workers that a job may kill before it fails."""

HANDED_OUT = ["SUCCESS", "ERROR", "CANCELLED", "PENDING"]
"""How DBOS calls what waits no more. What a worker had that died stays pending for ever: its job was handed out anew."""

AT_ONCE = 1_000
"""Workflows that are forgotten in one step."""

RETRY_SECONDS = 30
"""When to ask again for a plan that found the queue full: about how long one takes."""


# With a handler of ours DBOS brings none of its own, and what it says is written like all else.
logging.getLogger("dbos").addHandler(logging.NullHandler())
logging.getLogger("dbos").setLevel(logging.WARNING)


class JobQueue:
    """The jobs of a store that wait for workers.

    Parameters
    ----------
    database : Database
        The store. It holds DBOS's tables too, in a schema ``dbos`` on PostgreSQL, so that a job and its place in the queue
        are written, and backed up, together.
    capacity : int
        Most jobs that may wait.

    Raises
    ------
    StoreUnusable
        When the database is in the memory of one connection, where no worker finds it.
    """

    def __init__(self, database: Database, capacity: int = 32) -> None:
        if database.is_sqlite and database.url.database in (None, "", ":memory:"):
            raise StoreUnusable("plan jobs need a database in a file or a server")
        self.capacity = capacity
        self._database = database
        self.url = database.url.render_as_string(hide_password=False)
        DBOS.migrate(self.url)
        self._client = DBOSClient(system_database_url=self.url, application_name=APPLICATION, lazy=True)

    def ask(
        self,
        session: Session,
        scenario_id: str,
        limits: Limits,
        asked_by: str,
        start_plan_id: str | None = None,
        key: str | None = None,
        queue: JobQueueName = "plans",
        visit_id: str | None = None,
    ) -> PlanJobRow:
        """Ask for a plan, or why a visit is not in one, in the caller's transaction.

        Parameters
        ----------
        start_plan_id
            A plan of this or an earlier form of the scenario, to start from.
        key
            The caller's name for the request: the same key of the same caller gives the job that it gave before.
        queue
            ``desk`` for what somebody waits for: it does not wait for plans.
        visit_id
            A visit that is not in the plan to start from: the job finds out why.

        Raises
        ------
        TooMany
            When the queue is full.
        KeyReused
            When the key came before with another request.
        StillReferenced
            When there is no such scenario or plan.
        """
        row = store.make_job(scenario_id, limits, asked_by, utc_now(), start_plan_id, key, queue, visit_id)
        if row.dedup_key is not None and (known := store.find_job_of_key(session, row.dedup_key)) is not None:
            if _request(known) != _request(row):
                raise KeyReused("this key came before with another request for a plan")
            return known
        if store.count_queued_jobs(session) >= self.capacity:
            raise TooMany(f"{self.capacity} plans are waiting to be made already", RETRY_SECONDS)
        store.add_job(session, row)
        self.put(session, row)
        return row

    def put(self, session: Session, row: PlanJobRow) -> None:
        """Hand out a job's present epoch to whichever worker comes first."""
        session.flush()
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": row.queue,
            "workflow_id": _workflow(row.id, row.epoch),
            "app_version": VERSION,
        }
        self._client.enqueue_in_transaction(session, options, row.id, row.epoch)

    def requeue(self, session: Session, seen: Mark | None, loss: str | None = None) -> PlanJobRow | None:
        """Begin a new epoch of a job that still is as it was seen: whoever had it is given up.

        Parameters
        ----------
        loss
            How its owner died, if it did. A job that has lost ``MOST_LOSSES`` owners fails instead.

        Returns
        -------
        PlanJobRow or None
            None when the job is no longer as it was seen.
        """
        row = None if seen is None else store.requeue_job(session, seen)
        if row is None:
            return None
        if loss is not None:
            store.count_loss(row, MOST_LOSSES, loss, utc_now())
        if row.state == "queued":
            self.put(session, row)
        return row

    def find_missing(self, marks: Iterable[Mark]) -> list[Mark]:
        """Return those jobs that wait by the store, but have left the queue or never came into it."""
        waiting = {_workflow(mark.id, mark.epoch): mark for mark in marks if mark.state == "queued"}
        if not waiting:
            return []
        queued = self._client.list_workflows(workflow_ids=list(waiting), status="ENQUEUED", load_input=False, load_output=False)
        return [mark for name, mark in waiting.items() if name not in {workflow.workflow_id for workflow in queued}]

    def forget(self, before: datetime) -> None:
        """Forget what was handed out before an instant and does not wait any more, and what ended jobs have reported."""
        while gone := self._client.list_workflows(
            status=HANDED_OUT, end_time=before.isoformat(), limit=AT_ONCE, load_input=False, load_output=False
        ):
            self._client.delete_workflows([workflow.workflow_id for workflow in gone])
        with self._database.writing() as session:
            store.delete_old_events(session, before)

    def close(self) -> None:
        """Close the queue's own connections."""
        self._client.destroy()


def _workflow(identifier: str, epoch: int) -> str:
    return f"{identifier}/{epoch}"


def _request(row: PlanJobRow) -> tuple[object, ...]:
    return (row.scenario_id, row.start_plan_id, row.visit_id, row.seconds, row.workers, row.seed, row.gap)
