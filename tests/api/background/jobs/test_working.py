"""The command ``clinicweave worker``: the real worker, clock and solver, from start to stop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.desk import Desk

PROJECT = Path(__file__).parents[4]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_command_makes_a_plan_and_stops_when_told(desk: Desk, store_url: str) -> None:
    asked = desk.ask(seconds=2)
    command = [sys.executable, "-c", "from api.cli.entry import main; main()", "worker"]
    environment = os.environ | {"CLINICWEAVE_DATABASE_URL": store_url}
    worker = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with worker:
        try:
            job = desk.ended(asked)
        finally:
            worker.terminate()
        assert worker.stderr is not None
        said = worker.stderr.read().decode()
    assert worker.returncode == 0, said
    assert (job.state, job.losses) == ("done", 0)
    assert [plan.status for plan in desk.results()] == ["optimal"]
    assert "takes jobs" in said and "Traceback" not in said
