"""A search that is watched: moderate lines, one live line, and Ctrl-C."""

from __future__ import annotations

import io
import os
import signal
import threading
from typing import Any, NamedTuple

import pytest
from rich.console import Console

from api.cli.progress import STOPPING, LiveView, PlainView, progress_line, solve_with_progress
from scheduling.errors import RuleBroken
from scheduling.plan import Plan
from scheduling.scenario import Scenario

PATIENCE_SECONDS = 10
"""How long a test waits for what must happen at once."""


class State(NamedTuple):
    """Progress as the solver reports it."""

    seconds: float
    cost: int = 4000
    bound: int | None = 3000
    gap: float | None = 0.25
    phase: str = "neighbourhoods"


class Asked(NamedTuple):
    """Limits as far as they are shown."""

    seconds: float = 5


def console(terminal: bool = False) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, width=120, force_terminal=terminal, highlight=False), stream


def test_a_line_tells_time_cost_bound_and_gap() -> None:
    assert progress_line(State(12.34, 13_602), 12.34) == "12.3 s · cost 13,602 · bound 3,000 · gap 25.00% · neighbourhoods"
    unknown = State(1, 5, None, None, "")
    assert progress_line(unknown, 1) == "1.0 s · cost 5 · no bound yet"


def test_lines_for_a_file_come_at_a_moderate_rate_and_the_last_state_always() -> None:
    where, stream = console()
    with PlainView(where) as view:
        for tenths in range(0, 131):
            view.update(State(tenths / 10))
    assert [line.split(" s")[0] for line in stream.getvalue().splitlines()] == ["0.0", "5.0", "10.0", "13.0"]


def test_the_last_state_is_not_written_twice() -> None:
    where, stream = console()
    with PlainView(where) as view:
        view.update(State(3))
    assert len(stream.getvalue().splitlines()) == 1


def test_a_terminal_ends_with_the_last_state() -> None:
    where, stream = console(terminal=True)
    with LiveView(where, 60) as view:
        view.tick()
        view.update(State(2))
        view.tick()
    assert stream.getvalue().rstrip().endswith("gap 25.00% · neighbourhoods")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_search_gives_its_plan_and_shows_its_way(asked: Scenario, made: Plan, solving: Any, terminal: bool) -> None:
    where, stream = console(terminal)
    assert solve_with_progress(asked, Asked(), made, where) is made
    assert solving.start is made
    assert "cost 3,000 · bound 2,400 · gap 20.00%" in stream.getvalue()


def test_what_the_solver_raises_is_raised(asked: Scenario, solving: Any) -> None:
    solving.error = RuleBroken("room", ["v-1"], "none")
    with pytest.raises(RuleBroken):
        solve_with_progress(asked, Asked(), None, console()[0])


def test_ctrl_c_cancels_the_search_and_keeps_its_plan(asked: Scenario, made: Plan, solving: Any) -> None:
    cancelled = []

    def interrupt(cancel: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        cancelled.append(cancel.wait(PATIENCE_SECONDS))

    solving.during = interrupt
    before = signal.getsignal(signal.SIGINT)
    where, stream = console()
    assert solve_with_progress(asked, Asked(), None, where) is made
    assert cancelled == [True]
    assert STOPPING in stream.getvalue()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_gives_up(asked: Scenario, solving: Any) -> None:
    released = threading.Event()

    def interrupt_twice(cancel: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        cancel.wait(PATIENCE_SECONDS)
        os.kill(os.getpid(), signal.SIGINT)
        released.wait(PATIENCE_SECONDS)

    solving.during = interrupt_twice
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            solve_with_progress(asked, Asked(), None, console()[0])
    finally:
        released.set()
    assert signal.getsignal(signal.SIGINT) is before


def test_apart_from_the_main_thread_a_search_runs_without_hearing_ctrl_c(asked: Scenario, made: Plan, solving: Any) -> None:
    found: list[Plan] = []
    thread = threading.Thread(target=lambda: found.append(solve_with_progress(asked, Asked(), None, console()[0])))
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert found == [made]
