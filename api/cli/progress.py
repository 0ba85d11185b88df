"""Solving with its progress shown, and Ctrl-C giving the best plan so far."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from scheduling.plan import Plan
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import Limits, Progress, SolverParameters

TICK_SECONDS = 0.1
PLAIN_EVERY_SECONDS = 5.0
STOPPING = "Stopping with the best plan so far; Ctrl-C again to give up."


def progress_line(progress: Progress, seconds: float) -> str:
    """Write the state of a search: time, cost, bound and gap."""
    parts = [f"{seconds:.1f} s", f"cost {progress.cost:,}"]
    parts.append("no bound yet" if progress.bound is None else f"bound {progress.bound:,}")
    if progress.gap is not None:
        parts.append(f"gap {progress.gap:.2%}")
    return " · ".join([*parts, progress.phase] if progress.phase else parts)


class ProgressView(Protocol):
    """Shows a search; entered when it starts and left when it ends."""

    def __enter__(self) -> Self:
        """Start to show."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        """Show the last state and stop."""

    def update(self, progress: Progress) -> None:
        """Take a new state; called from the thread that solves."""

    def note(self, message: str) -> None:
        """Write a message."""


class PlainView:
    """Lines for a file or a pipe, at most one every few seconds, and the last state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Progress | None = None
        self._shown_seconds: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._last is not None and self._last.seconds != self._shown_seconds:
            self._print(self._last)

    def update(self, progress: Progress) -> None:
        """Take a new state."""
        self._last = progress
        if self._shown_seconds is None or progress.seconds - self._shown_seconds >= PLAIN_EVERY_SECONDS:
            self._print(progress)

    def note(self, message: str) -> None:
        """Write a message."""
        self._console.print(message)

    def _print(self, progress: Progress) -> None:
        self._shown_seconds = progress.seconds
        self._console.print(progress_line(progress, progress.seconds), soft_wrap=True)


class LiveView:
    """One line of a terminal, kept up to date."""

    def __init__(self, console: Console, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._last: Progress | None = None
        self._started = time.monotonic()
        self._spinner = Spinner("dots", "starting")
        self._live = Live(self._spinner, console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()
        if self._last is not None:
            self._live.console.print(progress_line(self._last, self._last.seconds), soft_wrap=True)

    def update(self, progress: Progress) -> None:
        """Take a new state."""
        self._last = progress

    def tick(self) -> None:
        """Bring the time up to date."""
        seconds = time.monotonic() - self._started
        state = f"{seconds:.0f} s" if self._last is None else progress_line(self._last, seconds)
        self._spinner.update(text=f"{state} (of {self._limit_seconds:g} s)")

    def note(self, message: str) -> None:
        """Write a message above the line."""
        self._live.console.print(message)


class _Search(threading.Thread):
    """The solver at work, apart from the thread that shows progress and hears Ctrl-C."""

    def __init__(
        self,
        scenario: Scenario,
        limits: Limits,
        start: Plan | None,
        view: ProgressView,
        parameters: SolverParameters,
    ) -> None:
        super().__init__(name="solve", daemon=True)
        self._arguments = scenario, limits, start
        self._parameters = parameters
        self._view = view
        self._plan: Plan | None = None
        self._error: BaseException | None = None
        self.cancel = threading.Event()

    def run(self) -> None:
        """Solve, and keep the plan or the error."""
        from solver import solve

        scenario, limits, start = self._arguments
        try:
            self._plan = solve(
                scenario, limits, start, on_progress=self._view.update, cancel=self.cancel, parameters=self._parameters
            )
        except BaseException as error:
            self._error = error

    def result(self) -> Plan:
        """Return the plan, or raise what the solver raised."""
        if self._error is not None:
            raise self._error
        assert self._plan is not None
        return self._plan


def solve_with_progress(
    scenario: Scenario,
    limits: Limits,
    start: Plan | None,
    console: Console,
    parameters: SolverParameters | None = None,
) -> Plan:
    """Solve a scenario and show how it goes.

    The first Ctrl-C ends the search with its best plan; the second raises ``KeyboardInterrupt``.
    """
    from solver import SolverParameters

    view = LiveView(console, limits.seconds) if console.is_terminal else PlainView(console)
    search = _Search(scenario, limits, start, view, parameters or SolverParameters())
    with view, _interrupting(search.cancel, view):
        search.start()
        while search.is_alive():
            search.join(TICK_SECONDS)
            if isinstance(view, LiveView):
                view.tick()
    return search.result()


@contextmanager
def _interrupting(cancel: threading.Event, view: ProgressView) -> Iterator[None]:
    """Turn the first Ctrl-C into a cancellation; only the main thread hears it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cancel.set()
        view.note(STOPPING)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
