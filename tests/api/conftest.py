"""A small week with a plan that keeps every rule, a solver that answers as told, and the command line run in a folder."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import factories
from support.factories import PEOPLE, booking, closure, current, group, patient, provider, reserve, session, visit
from typer.testing import CliRunner

import solver
from api.cli.main import app
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario
from solver import Limits, Progress, SolverParameters

SECRET = "Pat <Secret> & Sons"
"""A patient's name, which no view may show."""

ODD = "Ben <& Søn>"
"""A provider's name, which has to be escaped."""


@pytest.fixture
def asked() -> Scenario:
    """Return a week with five visits, a group and two reserves."""
    ben = provider("ben", "psychology", name=ODD, role="psychologist", max_minutes_per_day=300)
    return factories.scenario(
        visit("v-1", "pat", target="MO", preferred_providers=["ana"], current=current("MO 09:00")),
        visit("v-2", "quin", "evaluation", priority="urgent", target="WE"),
        visit("v-3", "pat", "injection"),
        visit("v-4", "rae", "consult", priority="cancer", deadline="WE"),
        visit("v-5", "sol", preferred_providers=["ana"]),
        group("coping", "quin", "sol", "tam"),
        reserve("hold-1", "TU"),
        reserve("hold-2", "WE"),
        clinic=factories.clinic(closures=[closure("WE 12:00", "WE 14:00", "west")]),
        providers=[ben if person.id == "ben" else person for person in PEOPLE],
        patients=[
            patient("pat", name=SECRET, preferred_site="boston", prefers="afternoon"),
            patient("quin", preferred_site="boston"),
        ],
    )


@pytest.fixture
def made(asked: Scenario) -> Plan:
    """Return a plan of the week that leaves out a visit and a reserve."""
    return factories.plan(
        asked,
        booking("v-1", "TU 09:00", team="dee"),
        booking("v-2", "MO 13:00", "west-exam", "ana ben", "west"),
        booking("v-3", "FR 13:00", "wang-proc-1", "cy", supervisors="ana"),
        booking("v-5", "MO 11:00"),
        session("coping", "TH 09:00", "quin tam"),
        booking("hold-1", "TU 13:00"),
    )


@dataclass
class Ran:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The result as JSON."""
        return json.loads(self.out)


@dataclass
class Folder:
    """A folder with the week and its plan as files, and the command line run in it."""

    path: Path

    def __call__(self, *arguments: str) -> Ran:
        """Run the command line; an error that it does not report fails the test."""
        result = CliRunner().invoke(app, arguments, prog_name="clinicweave")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def files(self) -> list[str]:
        """Return the files in the folder."""
        return sorted(str(file.relative_to(self.path)) for file in self.path.rglob("*") if file.is_file())


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Scenario, made: Plan) -> Folder:
    """Return a folder with ``week.json`` and ``plan.json``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    asked.write("week.json")
    made.write("plan.json")
    return Folder(tmp_path)


@dataclass
class StubSolver:
    """A solver that gives one plan, or does what it is told, and remembers how it was called."""

    plan: Plan
    answer: Callable[[Scenario], Plan] | None = None
    reasons: tuple[Reason, ...] = (Reason(rule="room", detail="[every] consult room is taken"),)
    error: Exception | None = None
    during: Callable[[threading.Event], None] | None = None
    limits: Limits | None = None
    parameters: SolverParameters | None = None
    start: Plan | None = None
    asked: Scenario | None = None
    seconds: float | None = None

    def solve(
        self,
        scenario: Scenario,
        limits: Limits,
        start: Plan | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
        parameters: SolverParameters | None = None,
    ) -> Plan:
        """Report progress twice and return the plan."""
        assert on_progress is not None and cancel is not None
        self.asked, self.limits, self.start, self.parameters = scenario, limits, start, parameters
        on_progress(Progress(0.5, 4000, None, "first plan"))
        if self.during is not None:
            self.during(cancel)
        on_progress(Progress(1.5, 3000, 2400, "ruin and recreate"))
        if self.error is not None:
            raise self.error
        return self.plan if self.answer is None else self.answer(scenario)

    def explain(self, scenario: Scenario, plan: Plan, visit_id: str, seconds: float = 10) -> tuple[Reason, ...]:
        """Return the reasons."""
        self.seconds = seconds
        return self.reasons


@pytest.fixture
def solving(monkeypatch: pytest.MonkeyPatch, made: Plan) -> StubSolver:
    """Put a stub in the solver's place."""
    stub = StubSolver(made)
    monkeypatch.setattr(solver, "solve", stub.solve)
    monkeypatch.setattr(solver, "explain", stub.explain)
    return stub
