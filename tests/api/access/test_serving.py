"""The service as a process of its own: made ready from nothing, its accounts by command, and its end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from click.testing import Result
from service import PASSWORD, SECRET, bearer
from typer.testing import CliRunner

from api.cli import app
from api.settings import Settings

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-c", "from api.cli import main; main()")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    given = {"CLINICWEAVE_DATABASE_URL": f"sqlite:///{tmp_path}/clinic.db", "CLINICWEAVE_SECRET": SECRET}
    return os.environ | given | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def run(environment: dict[str, str]) -> Callable[..., Result]:
    """Return what runs a command in this process."""

    def command(*arguments: str, told: str = "") -> Result:
        return CliRunner().invoke(app, arguments, input=told, env=environment)

    return command


@pytest.fixture
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the service on a free port, and return it with its address."""
    process = subprocess.Popen([*COMMAND, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    running = (re.search(r"running on (http://[\d.:]+)", line) for line in process.stderr)
    address = next((found[1] for found in running if found), "")
    yield process, address
    process.kill()
    process.wait()
    process.stderr.close()


def test_a_service_made_from_nothing_lets_in_the_account_made_by_command(run: Any, serving: Any) -> None:
    process, address = serving
    assert run("account", "add", "root", "--role", "admin", "--password-stdin", told=f"{PASSWORD}\n").exit_code == 0
    with httpx2.Client(base_url=address) as client:
        assert client.get("/readyz").status_code == 200
        begun = client.post("/v1/sessions", json={"name": "root", "password": PASSWORD})
        client.cookies.clear()
        secret = run("account", "token", "root", "--name", "report", "--json").stdout
        for token in (begun.json()["token"], json.loads(secret)["token"]):
            assert client.get("/v1/sessions/current", headers=bearer(token)).json()["role"] == "admin"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_the_service_listens_before_it_loads_the_solver() -> None:
    script = "import sys, api.app, api.chores, api.jobs.worker; sys.exit('solver' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_account_commands_answer_by_message_and_exit_code(run: Any) -> None:
    assert run("account", "add", "root", "--role", "admin", "--password-stdin", told=f"{PASSWORD}\n").exit_code == 0
    listed = json.loads(run("account", "list", "--json").stdout)
    assert [(one["name"], one["role"], one["active"]) for one in listed] == [("root", "admin", True)]
    wrong = {
        ("add", "root", "--role", "admin", "--password-stdin"): "already there",
        ("add", "x", "--role", "admin", "--password-stdin", "--provider", "p"): "provider",
        ("add", "x", "--role", "admin", "--subject", "s"): "no identity provider is set",
        ("change", "nobody", "--close"): 'unknown account "nobody"',
        ("change", "root", "--close"): "one active account must stay an admin",
    }
    for arguments, message in wrong.items():
        found = run("account", *arguments, told=f"{PASSWORD}\n")
        assert (found.exit_code, isinstance(found.exception, SystemExit), message in found.stderr) == (2, True, True), (
            found.stderr
        )


def test_a_service_that_cannot_open_its_store_says_so(run: Any, environment: dict[str, str]) -> None:
    environment["CLINICWEAVE_DATABASE_URL"] = "mysql://host/clinic"
    found = run("serve")
    assert found.exit_code == 2 and "SQLite or PostgreSQL" in found.stderr


def test_compose_sets_only_what_there_is_to_set() -> None:
    compose = yaml.safe_load((ROOT / "api/deploy/compose.yaml").read_text())
    known = {f"CLINICWEAVE_{name.upper()}" for name in Settings.model_fields}
    ours = [service for name, service in compose["services"].items() if name != "database"]
    assert all(set(service["environment"]) <= known for service in ours)
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2
    copied = set(re.findall(r"^COPY (\w+) \w+$", (ROOT / "api/deploy/Dockerfile").read_text(), re.MULTILINE))
    assert copied == {"scheduling", "solver", "calendars", "api"}
