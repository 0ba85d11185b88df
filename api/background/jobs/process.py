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
from dataclasses import asdict, dataclass
from threading import Event, Lock, Thread
from typing import IO, Literal

from pydantic import TypeAdapter

NICENESS = 19
"""How far below the API's own the priority is: all the way, so that of two that want the same core the API gets 98 %.

A search uses what requests leave; at 20 of them a second its plans are as good, and the slowest percent of requests waits a
sixth as long as at the same priority (``tests/benchmarks/bench_service.py``).
"""


@dataclass(frozen=True)
class SolveRequest:
    """What to solve: the texts of a scenario and of an earlier plan to start from, and the search's limits."""

    scenario: str
    seconds: float
    workers: int
    seed: int
    gap: float
    start: str | None = None


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
    """What the process says: a step, or at last either a plan's text or what went wrong."""

    progress: JobProgress | None = None
    plan: str | None = None
    failure: Literal["pins", "defect"] | None = None
    reason: str = ""


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


def main() -> None:
    """Solve what is ordered."""
    os.nice(NICENESS)
    channel = Channel()
    request = REQUEST.validate_json(sys.stdin.buffer.readline())
    ending = Event()
    Thread(target=_end_with_owner, args=(ending,), daemon=True).start()
    try:
        channel.send(_solve(request, channel, ending))
    except Exception as error:
        channel.send(WorkerMessage(failure="defect", reason=_name_error(error)))


def _solve(request: SolveRequest, channel: Channel, ending: Event) -> WorkerMessage:
    from api.reports.summary import pins_conflict
    from scheduling.plan import Plan
    from scheduling.publishing import rebase
    from scheduling.scenario import Scenario
    from solver import Limits, Progress, solve

    def report(progress: Progress) -> None:
        channel.send(WorkerMessage(progress=JobProgress(**asdict(progress))))

    scenario = Scenario.parse(request.scenario)
    start = None if request.start is None else rebase(Plan.model_validate_json(request.start), scenario)
    plan = solve(scenario, Limits(request.seconds, request.workers, request.seed, request.gap), start, report, ending)
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
