"""Ctrl-C at any moment before a search: a word and the exit code of an interruption, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import factories

ROOT = Path(__file__).parents[3]

INTERRUPTED_AT = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from api.cli.entry import main
main()
"""


@pytest.fixture
def week(tmp_path: Path) -> Path:
    """Return the file of a small scenario."""
    file = tmp_path / "week.json"
    file.write_text(factories.scenario().model_dump_json(by_alias=True))
    return file


@pytest.mark.parametrize(
    "module", ["typer", "pydantic", "api.cli.commands.weeks", "solver", "ortools.sat.python.cp_model", "numba"]
)
def test_ctrl_c_while_the_command_loads_is_no_traceback(week: Path, module: str) -> None:
    plan = week.with_name("plan.json")
    command = [sys.executable, "-c", INTERRUPTED_AT.format(module=module), "plan", str(week), "-o", str(plan), "--seconds", "1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in ended.stderr
    assert ended.returncode == 130, ended.stderr
    assert "Interrupted." in ended.stderr
    assert not plan.exists()
