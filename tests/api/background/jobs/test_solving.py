"""The process that solves a job: heard while it lives, ended with its owner, and nobody's death but its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
from support import factories
from support.factories import pin, visit

from api.background.jobs import solving
from api.background.jobs.process import NICENESS, SolveRequest, WorkerMessage
from api.background.jobs.solving import ProcessDied, SolverProcess
from scheduling.check import check
from scheduling.plan import Plan
from scheduling.scenario import Scenario

STUB = Path(__file__).with_name("stub_solver.py")
DEADLY = 13
PATIENCE_SECONDS = 60.0


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the stub solve."""
    monkeypatch.setattr(solving, "SOLVER", (str(STUB),))


def heard(order: SolveRequest) -> list[WorkerMessage]:
    """Return all that a process says."""
    messages: list[WorkerMessage] = []
    end = monotonic() + PATIENCE_SECONDS
    with SolverProcess(order) as process:
        while not messages or messages[-1].progress is not None:
            assert monotonic() < end
            message = process.next(1.0)
            messages += [message] if message is not None else []
    return messages


def order_of(scenario: Scenario, seconds: float = 2.0, start: Plan | None = None) -> SolveRequest:
    text = None if start is None else start.model_dump_json()
    return SolveRequest(scenario.model_dump_json(exclude_unset=True), seconds, 1, 0, 0.0, text)


def lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def until(reached: Callable[[], bool]) -> None:
    end = monotonic() + PATIENCE_SECONDS
    while not reached():
        assert monotonic() < end
        sleep(0.02)


def test_a_week_is_solved_with_steps_on_the_way(week: Scenario, made: Plan) -> None:
    *steps, last = heard(order_of(week, start=made))
    assert last.plan is not None
    plan = Plan.parse(last.plan, week)
    assert not check(week, plan).violations
    assert plan.status == "optimal"
    costs = [message.progress.cost for message in steps if message.progress is not None]
    assert costs and costs[-1] == plan.cost <= made.cost


def test_a_file_in_the_working_folder_does_not_stand_before_a_package(
    week: Scenario, made: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("api", "solver", "pydantic"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    assert heard(order_of(week, start=made))[-1].plan is not None


def test_a_process_that_cannot_begin_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "SOLVER", ("-m", "api.background.jobs.nowhere"))
    with SolverProcess(SolveRequest("", 1.0, 1, 0, 0.0)) as process, pytest.raises(ProcessDied, match="exit code 1"):
        process.next(PATIENCE_SECONDS)
    monkeypatch.setattr(solving, "SOLVER", ("-c", "import api.background.jobs.nowhere"))
    with (
        SolverProcess(SolveRequest("", 1.0, 1, 0, 0.0)) as process,
        pytest.raises(ProcessDied, match=r"No module named .*nowhere"),
    ):
        process.next(PATIENCE_SECONDS)


def test_what_kills_a_process_is_named_without_quoting_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "SOLVER", ("-c", "raise ValueError('Pat Secret')"))
    with SolverProcess(SolveRequest("", 1.0, 1, 0, 0.0)) as process, pytest.raises(ProcessDied) as died:
        process.next(PATIENCE_SECONDS)
    assert str(died.value) == "exit code 1, ValueError"


def test_pins_that_no_plan_can_keep_are_a_failure_that_names_the_visits() -> None:
    taken = pin("MO 09:00")
    scenario = factories.scenario(visit("v-1", "pat", pinned=taken), visit("v-2", "quin", pinned=taken))
    last = heard(order_of(scenario))[-1]
    assert (last.failure, last.plan) == ("pins", None)
    assert "v-1" in last.reason and "v-2" in last.reason


def test_what_goes_wrong_is_named_without_quoting_what_was_given() -> None:
    last = heard(SolveRequest('{"id": "Pat Secret"}', 2.0, 1, 0, 0.0))[-1]
    assert (last.failure, last.plan) == ("defect", None)
    assert last.reason.startswith("InvalidFile in parse")
    assert "Secret" not in last.reason


@pytest.mark.usefixtures("stub")
def test_a_process_that_is_killed_is_told_from_one_that_fails() -> None:
    with SolverProcess(SolveRequest("", 1.0, 1, DEADLY, 0.0)) as process, pytest.raises(ProcessDied, match="signal 9"):
        until(lambda: process.next(0.1) is not None)


@pytest.mark.usefixtures("stub")
def test_a_process_does_not_outlive_its_block() -> None:
    before = monotonic()
    with SolverProcess(SolveRequest("", 600.0, 1, 0, 0.0)) as process:
        until(lambda: process.next(0.1) is not None)
        assert lives(process.pid)
    assert not lives(process.pid)
    assert monotonic() - before < PATIENCE_SECONDS


@pytest.mark.parametrize("solver", ["stub", "real"])
def test_a_process_does_not_outlive_its_owner(week: Scenario, solver: str) -> None:
    script = f"""
import sys, time
from api.background.jobs import solving
from api.background.jobs.process import SolveRequest
if {solver!r} == "stub":
    solving.SOLVER = ({str(STUB)!r},)
with solving.SolverProcess(SolveRequest(sys.stdin.read(), 600.0, 1, 0, 0.0)) as process:
    while process.next(0.1) is None:
        pass
    print(process.pid, flush=True)
    time.sleep(600)
"""
    scenario = factories.scenario(*[visit(f"v-{n}", "pat", deadline="FR") for n in range(9)])
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with owner:
        assert owner.stdin is not None and owner.stdout is not None
        owner.stdin.write(scenario.model_dump_json(exclude_unset=True).encode())
        owner.stdin.close()
        pid = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
    until(lambda: not lives(pid))


def test_the_solver_gives_way_to_those_who_answer_requests(week: Scenario) -> None:
    with SolverProcess(order_of(week)) as process:
        until(lambda: process.next(0.1) is not None)
        lowest = min(NICENESS, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)  # 19, below which there is nothing
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == lowest
