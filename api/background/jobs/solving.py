"""The process of one job as its owner holds it: started, heard, ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from api.background.jobs.process import MESSAGE, REQUEST, SolveRequest, WorkerMessage

SOLVER = ("-P", "-m", "api.background.jobs.process")
"""What the interpreter runs to solve; by ``-P`` a file in the working folder does not stand before a package of its name."""


SETTINGS = "CLINICWEAVE_"
"""What the names of the service's settings begin with: the solver has no business with its database and secret."""


LAST_WORDS_BYTES = 4_000
LAST_WORDS_SECONDS = 2.0
"""How much of what a process wrote last is kept, and how long is waited for it once the process is dead."""


class ProcessDied(Exception):
    """The process ended without a plan and without a word: killed from outside, out of memory, or not able to begin.

    Attributes
    ----------
    code : int
        Its exit code; below 0 the signal that killed it.
    cause : str
        The error that it wrote last, if any: its kind, and what could not be imported. Not another's text, which may quote
        what it was given.
    """

    def __init__(self, code: int, cause: str = "") -> None:
        self.code, self.cause = code, cause
        super().__init__(code, cause)

    def __str__(self) -> str:
        how = f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        return f"{how}, {self.cause}" if self.cause else how


class SolverProcess:
    """A job being solved in a process of its own, which ends with this object's ``with`` block at the latest.

    A process, not a thread: only so it can be stopped at any moment, whatever library it is in, takes no turns from the
    threads that answer requests, and brings nobody down when it dies.
    """

    def __init__(self, request: SolveRequest) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        self._process = subprocess.Popen(
            [sys.executable, *SOLVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,
        )
        self._received: SimpleQueue[WorkerMessage | None] = SimpleQueue()
        self._written = b""
        self._listening = Thread(target=self._listen, daemon=True)
        tell, hear = Thread(target=self._send, args=(request,), daemon=True), Thread(target=self._receive, daemon=True)
        self._threads = [tell, hear, self._listening]

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
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
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
            message = self._received.get(timeout=seconds)
        except Empty:
            return None
        if message is None:
            code = self._process.wait()
            self._listening.join(LAST_WORDS_SECONDS)
            raise ProcessDied(code, _cause(self._written.decode(errors="replace")))
        return message

    def end(self) -> None:
        """Ask for the best plan so far: the search stops, and its plan is the last message."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"end\n")
            self._process.stdin.flush()

    def _send(self, request: SolveRequest) -> None:
        """Send the order; the input stays open for as long as the owner lives."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(REQUEST.dump_json(request) + b"\n")
            self._process.stdin.flush()

    def _receive(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._received.put(MESSAGE.validate_json(line))
        self._received.put(None)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        while written := os.read(self._process.stderr.fileno(), LAST_WORDS_BYTES):
            self._written = (self._written + written)[-LAST_WORDS_BYTES:]


def _cause(written: str) -> str:
    """Return the kind of the error that a traceback ends with; of an import also its words, which name modules alone."""
    errors = [line for line in written.splitlines() if re.match(r"[\w.]*(Error|Exception|Interrupt)\b", line)]
    if not errors:
        return ""
    kind = errors[-1].partition(":")[0]
    return errors[-1] if kind in ("ImportError", "ModuleNotFoundError") else kind
