"""Time for a search: wall-clock seconds, or work counted the same on every run; and the wish to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from time import monotonic

from ortools.sat.python import cp_model

POLL_SECONDS = 0.2


class Clock:
    """How much of a search's time is over.

    With ``deterministic`` only work that is reported by :meth:`spend` counts, in CP-SAT's deterministic seconds, so that a
    run can be repeated exactly.
    """

    def __init__(self, seconds: float, deterministic: bool = False, cancel: Event | None = None) -> None:
        self.seconds = seconds
        self.deterministic = deterministic
        self.cancel = cancel or Event()
        self.started = monotonic()
        self._spent = 0.0
        self._running: set[cp_model.CpSolver] = set()
        self._lock = Lock()
        self._ended = Event()
        Thread(target=self._watch, daemon=True).start()

    @property
    def elapsed(self) -> float:
        """Wall-clock seconds since the start."""
        return monotonic() - self.started

    def spend(self, seconds: float) -> None:
        """Report work, in deterministic seconds."""
        with self._lock:
            self._spent += seconds

    @property
    def left(self) -> float:
        """Seconds left; 0 when cancelled."""
        if self.cancel.is_set():
            return 0.0
        return max(0.0, self.seconds - (self._spent if self.deterministic else self.elapsed))

    @property
    def over(self) -> bool:
        """Whether the search should end."""
        return self.left <= 0

    def end(self) -> None:
        """Stop every solver that still runs, and the watch."""
        self._ended.set()
        self._stop()

    @contextmanager
    def running(self, solver: cp_model.CpSolver) -> Iterator[None]:
        """Let a solver be stopped while it runs."""
        with self._lock:
            self._running.add(solver)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(solver)

    def _watch(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            if self.cancel.is_set():
                self._stop()

    def _stop(self) -> None:
        with self._lock:
            for solver in self._running:
                solver.stop_search()
