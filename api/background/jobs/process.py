"""The process that solves one job: told what on standard input, heard on standard output, ended with its owner.

It knows no database and no network. Input is one line, a :class:`SolveRequest`, and perhaps another line, which asks for the
best plan so far. The end of the input is the end of the owner, and so of this process and all that it started. Output is one
line for each :class:`WorkerMessage`.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import IO, TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import Progress

NICENESS = 19
"""How far below the API's own the priority is: all the way, so that of two that want the same core the API gets 98 %.

A search uses what requests leave; at 20 of them a second its plans are as good, and the slowest percent of requests waits a
sixth as long as at the same priority (``tests/benchmarks/bench_service.py``).
"""


@dataclass(frozen=True)
class SolveRequest:
    """What to solve: the texts of a scenario and of an earlier plan to start from, and the search's limits.

    With a ``visit`` no plan is made: why is it not in the earlier one?
    """

    scenario: str
    seconds: float
    workers: int
    seed: int
    gap: float
    start: str | None = None
    visit: str | None = None


@dataclass(frozen=True)
class JobProgress:
    """Where a search stands: seconds since its start, the best cost, the proven bound, and what it is doing."""

    seconds: float
    cost: int
    bound: int | None
    phase: str
    planned: int = 0
    late: int = 0
    version: int = 0


@dataclass(frozen=True)
class WorkerMessage:
    """What the process says: a step, perhaps with the text of the ``best`` plan, or at last the result, or what went wrong.

    The result is a plan's text, or the reasons why a visit is left out.
    """

    progress: JobProgress | None = None
    best: str | None = None
    plan: str | None = None
    reasons: list[Reason] | None = None
    failure: Literal["pins", "defect"] | None = None
    reason: str = ""


BEST_SECONDS = 1.0
"""How often at most the best plan so far is told."""

REQUEST, MESSAGE = TypeAdapter(SolveRequest), TypeAdapter(WorkerMessage)


class Channel:
    """The way to the owner: what was standard output when the process began; whatever else prints goes to standard error."""

    def __init__(self) -> None:
        self._stream: IO[bytes] = os.fdopen(os.dup(1), "wb")
        self._lock = Lock()
        os.dup2(2, 1)

    def send(self, message: WorkerMessage) -> None:
        """Send a message."""
        with self._lock:
            self._stream.write(MESSAGE.dump_json(message) + b"\n")
            self._stream.flush()


Send = Callable[[WorkerMessage], None]


class BestPlans(Thread):
    """Tells of better plans, from a thread of its own: the search waits for none of it."""

    def __init__(self, send: Send) -> None:
        super().__init__(daemon=True)
        self._send = send
        self._latest: Progress | None = None
        self._told = 0
        self._ended = Event()

    def note(self, progress: Progress) -> None:
        """Take note of where the search stands."""
        self._latest = progress

    def end(self) -> None:
        """Tell no more."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Look now and then whether there is something better."""
        while not self._ended.wait(BEST_SECONDS):
            self.look()

    def look(self) -> None:
        """Tell of the best plan, if it was not told of yet."""
        latest = self._latest
        if latest is not None and latest.version > self._told and latest.get_plan is not None:
            self._told = latest.version
            self._send(WorkerMessage(progress=describe(latest), best=latest.get_plan().model_dump_json()))


def describe(progress: Progress) -> JobProgress:
    """Return where a search stands as it is told."""
    return JobProgress(
        seconds=progress.seconds,
        cost=progress.cost,
        bound=progress.bound,
        phase=progress.phase,
        planned=progress.planned,
        late=progress.late,
        version=progress.version,
    )


def main() -> None:
    """Solve what is ordered."""
    os.nice(NICENESS)
    channel = Channel()
    request = REQUEST.validate_json(sys.stdin.buffer.readline())
    ending = Event()
    Thread(target=_end_with_owner, args=(ending,), daemon=True).start()
    try:
        channel.send(answer(request, channel.send, ending))
    except Exception as error:
        channel.send(WorkerMessage(failure="defect", reason=_name_error(error)))


def answer(request: SolveRequest, send: Send, ending: Event) -> WorkerMessage:
    """Solve what is ordered, and return the last message; steps are sent meanwhile."""
    from api.reports.summary import pins_conflict
    from scheduling.publishing import rebase
    from solver import Limits, explain, solve

    scenario = Scenario.parse(request.scenario)
    start = None if request.start is None else rebase(Plan.model_validate_json(request.start), scenario)
    if request.visit is not None:
        assert start is not None
        return WorkerMessage(reasons=list(explain(scenario, start, request.visit, request.seconds)))
    best = BestPlans(send)

    def report(progress: Progress) -> None:
        best.note(progress)
        send(WorkerMessage(progress=describe(progress)))

    best.start()
    try:
        plan = solve(scenario, Limits(request.seconds, request.workers, request.seed, request.gap), start, report, ending)
    finally:
        best.end()
    if plan.status == "unknown":
        return WorkerMessage(failure="pins", reason=pins_conflict(scenario, plan))
    return WorkerMessage(plan=plan.model_dump_json())


def _name_error(error: Exception) -> str:
    """Return an error's kind and place. Not its text: that may quote what it was given."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, line {frame.lineno} of {os.path.basename(frame.filename)}"


def _end_with_owner(ending: Event) -> None:
    """Stop the search with its best plan when the owner says so by a line, and everything when the owner is gone."""
    while sys.stdin.buffer.readline():
        ending.set()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
