"""The process of one job as its owner holds it: started, heard, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from api.background.jobs.process import MESSAGE, ORDER, SolveRequest, WorkerMessage

SOLVER = ("-m", "api.background.jobs.process")
"""What the interpreter runs to solve."""


SETTINGS = "CLINICWEAVE_"
"""What the names of the service's settings begin with: the solver has no business with its database and secret."""


class ProcessDied(Exception):
    """The process ended without a plan and without a word: killed from outside, or out of memory."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)

    def __str__(self) -> str:
        return f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"


class SolverProcess:
    """A job being solved in a process of its own, which ends with this object's ``with`` block at the latest.

    A process, not a thread: only so it can be stopped at any moment, whatever library it is in, takes no turns from the
    threads that answer requests, and brings nobody down when it dies.
    """

    def __init__(self, order: SolveRequest) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        self._process = subprocess.Popen(
            [sys.executable, *SOLVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,
        )
        self._heard: SimpleQueue[WorkerMessage | None] = SimpleQueue()
        self._threads = [Thread(target=self._tell, args=(order,), daemon=True), Thread(target=self._hear, daemon=True)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def next(self, seconds: float) -> WorkerMessage | None:
        """Return the next message; None when none comes within some seconds.

        Raises
        ------
        ProcessDied
            No message will come any more.
        """
        try:
            message = self._heard.get(timeout=seconds)
        except Empty:
            return None
        if message is None:
            raise ProcessDied(self._process.wait())
        return message

    def _tell(self, order: SolveRequest) -> None:
        """Send the order; the input stays open for as long as the owner lives."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(ORDER.dump_json(order) + b"\n")
            self._process.stdin.flush()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._heard.put(MESSAGE.validate_json(line))
        self._heard.put(None)
