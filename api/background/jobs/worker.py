"""The worker: takes plan jobs from the queue, has each solved in a process of its own, and stores what comes out."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Event, Thread
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar

from dbos import DBOS
from sqlmodel import Session

from api.background.jobs.process import JobProgress, SolveRequest, WorkerMessage
from api.background.jobs.recovery import JobRecovery
from api.background.jobs.solving import ProcessDied, SolverProcess
from api.runtime.job_queue import APPLICATION, QUEUES, VERSION, WORKFLOW, JobQueue
from api.store.columns import utc_now
from api.store.database import Database
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import jobs as store
from api.store.tables import JobEventRow, PlanRow, ScenarioRow
from scheduling.plan import Plan

T = TypeVar("T")

STOP_SECONDS = 15.0
"""Longest wait for running jobs to be given back when a worker stops."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerIntervals:
    """How often a worker does what, s.

    A dead worker's job is elsewhere after at most ``lost + 2 * watch + poll``: 10.5 s. A cancelled job's solver ends after
    at most ``hold`` and one look into the store.

    Attributes
    ----------
    poll : float
        Between two looks into the queue.
    hold : float
        Between two looks whether a job is still to be done.
    tell : float
        Between two reports of one job; of several steps meanwhile the last is told.
    record_beat : float
        Between two heartbeats of a job that has nothing to tell.
    watch : float
        Between two looks for jobs of dead workers.
    lost : float
        Without a heartbeat, a worker is dead.
    """

    poll: float = 0.5
    hold: float = 0.5
    tell: float = 1.0
    beat: float = 2.0
    watch: float = 1.0
    lost: float = 8.0


class Worker:
    """A worker on plan jobs, at work from :meth:`start` to :meth:`stop`; at most one in a process, since DBOS is.

    Parameters
    ----------
    database : Database
        The store.
    queue : JobQueue
        Its queue.
    at_once : int
        Jobs of each queue solved at the same time, 1 or more. DBOS keeps it in the database: it is the same for all workers
        of a store, and the one that started last sets it.
    """

    def __init__(self, database: Database, queue: JobQueue, at_once: int = 1, intervals: WorkerIntervals | None = None) -> None:
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._database = database
        self._queue = queue
        self._at_once = at_once
        self._intervals = intervals or WorkerIntervals()
        self._stopping = Event()
        self._busy = 0
        self._changed = Condition()
        self._watching = Thread(target=self._watch, name="plan-job-watch", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to take jobs. Not to be called where an event loop runs: DBOS refuses that."""
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._queue.url,
                "executor_id": self.id,
                "application_version": VERSION,
                "log_level": "WARNING",
            }
        )
        DBOS.listen_queues(list(QUEUES))
        DBOS.launch()
        for queue in QUEUES:
            DBOS.register_queue(
                queue,
                worker_concurrency=self._at_once,
                polling_interval_sec=self._intervals.poll,
                on_conflict="always_update",
            )
        _at_work.append(self)
        self._watching.start()

    def stop(self) -> None:
        """End every solver, give its job back to the queue, and take no more."""
        self._stopping.set()
        self._watching.join()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, STOP_SECONDS)
        DBOS.destroy()
        _at_work.remove(self)

    def run(self, identifier: str, epoch: int) -> None:
        """Do one job that came from the queue."""
        with self._changed:
            self._busy += 1
        try:
            request = None if self._stopping.is_set() else self._write(lambda session: self._take(session, identifier, epoch))
            if self._stopping.is_set():
                self._requeue(identifier, epoch)
            elif request is not None:
                self._solve(identifier, epoch, request)
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    # --- one job -----------------------------------------------------------------------------------------------------

    def _take(self, session: Session, identifier: str, epoch: int) -> SolveRequest | None:
        row = store.take_job(session, identifier, epoch, self.id, utc_now())
        if row is None:
            return None
        start = None if row.start_plan_id is None else session.get_one(PlanRow, row.start_plan_id).document
        scenario = session.get_one(ScenarioRow, row.scenario_id).document
        return SolveRequest(scenario, row.seconds, row.workers, row.seed, row.gap, start, row.visit_id)

    def _solve(self, identifier: str, epoch: int, request: SolveRequest) -> None:
        with SolverProcess(request) as solving:
            job, ending = _Job(self._database, self._intervals, identifier, epoch), False
            while job.held:
                if self._stopping.is_set():
                    return self._requeue(identifier, epoch)
                try:
                    message = solving.next(self._intervals.hold)
                except ProcessDied as died:
                    log.warning("plan job %s: the solver died by %s", identifier, died)
                    return self._requeue(identifier, epoch, f"the solver died by {died}")
                if message is not None and message.progress is None:
                    return self._end(identifier, epoch, message)
                job.look(message)
                if job.is_ending and not ending:
                    ending = True
                    solving.end()
        log.info("plan job %s is no longer to be done here", identifier)
        return None

    def _end(self, identifier: str, epoch: int, message: WorkerMessage) -> None:
        plan = None if message.plan is None else Plan.model_validate_json(message.plan)

        def end(session: Session) -> bool:
            if message.reasons is not None:
                return store.explain_job(session, identifier, epoch, message.reasons, utc_now())
            if plan is not None:
                return store.finish_job(session, identifier, epoch, plan, utc_now(), message.moves)
            assert message.failure is not None
            return store.fail_job(session, identifier, epoch, message.failure, message.reason, utc_now())

        if self._write(end) is False:
            log.warning("plan job %s: the result came too late and is refused", identifier)

    def _requeue(self, identifier: str, epoch: int, loss: str | None = None) -> None:
        """Give a job back, or report that its solver died."""
        self._write(lambda session: self._queue.requeue(session, store.get_mark(session, identifier, epoch), loss))

    def _write(self, action: Callable[[Session], T]) -> T | None:
        """Write, and try again for as long as the store cannot be written to; None when the worker stops meanwhile."""
        while True:
            try:
                with self._database.writing() as session:
                    return action(session)
            except (StoreBusy, StoreUnusable) as error:
                log.warning("plan jobs wait for the store: %s", error)
                if self._stopping.wait(self._intervals.beat):
                    return None

    # --- the jobs of others ------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        watch = JobRecovery(self._database, self._queue, self._intervals.lost)
        while not self._stopping.wait(self._intervals.watch):
            try:
                watch.look()
            except (StoreBusy, StoreUnusable) as error:
                log.warning("could not look for jobs of dead workers: %s", error)
            except Exception:  # whatever it is, a watch that ended would leave all dead workers' jobs
                log.exception("could not look for jobs of dead workers")


class _Job:
    """A job in its owner's hands: tells the store how it goes, and learns from it whether to go on."""

    def __init__(self, database: Database, intervals: WorkerIntervals, identifier: str, epoch: int) -> None:
        self.held = True
        self.is_ending = False
        self._database = database
        self._intervals = intervals
        self._id = identifier
        self._epoch = epoch
        self._progress: JobProgress | None = None
        self._best: WorkerMessage | None = None
        self._written = self._looked = monotonic()

    def look(self, message: WorkerMessage | None) -> None:
        """Report, show life or just look, whichever is due."""
        if message is not None:
            self._progress = message.progress or self._progress
            self._best = message if message.best is not None else self._best
        now = monotonic()
        try:
            if now - self._written >= (self._intervals.beat if self._progress is None else self._intervals.tell):
                self._written = self._looked = now
                with self._database.writing() as session:
                    self._tell(session)
                    self._find_out(session)
                self._progress = self._best = None
            elif now - self._looked >= self._intervals.hold:
                self._looked = now
                with self._database.reading() as session:
                    self._find_out(session)
        except (StoreBusy, StoreUnusable) as error:
            log.warning("plan job %s cannot be reported: %s", self._id, error)

    def _find_out(self, session: Session) -> None:
        """Learn whether the job is still to be done, or is to end with what it has."""
        self.held = store.is_held(session, self._id, self._epoch)
        self.is_ending = self.held and store.is_ending(session, self._id)

    def _tell(self, session: Session) -> None:
        if self._progress is None:
            store.record_beat(session, self._id, self._epoch)
            return
        progress = self._progress
        event = JobEventRow(
            job_id=self._id,
            number=0,
            phase=progress.phase,
            seconds=round(progress.seconds, 2),
            cost=progress.cost,
            bound=progress.bound,
            planned=progress.planned,
            late=progress.late,
            plan_version=progress.version,
            reported_at=utc_now(),
        )
        if store.add_event(session, event, self._epoch) and self._best is not None:
            best = self._best
            assert best.progress is not None and best.best is not None
            store.put_best_plan(session, self._id, best.progress.version, best.best)


_at_work: list[Worker] = []


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
def _plan(identifier: str, epoch: int) -> None:
    """Do a job; what DBOS calls."""
    for worker in _at_work:
        worker.run(identifier, epoch)
