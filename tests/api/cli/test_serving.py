"""The service as a process of its own: made ready from nothing, its accounts by command, and its end."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from click.testing import Result
from support.certificates import make_certificate
from support.months import roster
from support.service import PASSWORD, SECRET, bearer
from typer.testing import CliRunner

from api.cli.main import app
from api.runtime.settings import Settings, read_settings

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-c", "from api.cli.entry import main; main()")


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


def test_a_service_with_a_certificate_answers_by_tls_and_by_nothing_else(environment: dict[str, str], tmp_path: Path) -> None:
    file = make_certificate(tmp_path, "localhost")
    command = (*COMMAND, "serve", "--port", "0", "--no-worker", "--certificate", str(file), "--key", str(file))
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = (re.search(r"running on https://[\d.]+:(\d+)", line) for line in process.stderr)
        port = next(match[1] for match in found if match)
        trusted = ssl.create_default_context(cafile=str(file))
        answer = httpx2.get(f"https://localhost:{port}/healthz", verify=trusted)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"http://localhost:{port}/healthz")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"https://localhost:{port}/healthz")  # whoever does not trust the certificate
    finally:
        process.kill()
        process.communicate()


def test_addresses_that_are_given_out_name_the_free_port_that_was_taken(run: Any, serving: Any, tmp_path: Path) -> None:
    _, address = serving
    file = tmp_path / "roster.json"
    file.write_text(roster(10))
    assert run("roster", str(file)).exit_code == 0
    assert run("account", "add", "dana", "--role", "scheduler", "--password-stdin", told=f"{PASSWORD}\n").exit_code == 0
    with httpx2.Client(base_url=address) as client:
        token = client.post("/v1/sessions", json={"name": "dana", "password": PASSWORD}).json()["token"]
        client.cookies.clear()
        feed = client.post("/v1/feeds", json={"kind": "location", "subject": "wang"}, headers=bearer(token))
    assert feed.status_code == 201, feed.text
    assert feed.json()["url"].startswith(f"{address}/"), feed.text


def test_the_service_listens_before_it_loads_the_solver() -> None:
    script = (
        "import sys, api.http.app, api.background.periodic_tasks, api.background.jobs.worker; sys.exit('solver' in sys.modules)"
    )
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
        result = run("account", *arguments, told=f"{PASSWORD}\n")
        assert (result.exit_code, isinstance(result.exception, SystemExit), message in result.stderr) == (2, True, True), (
            result.stderr
        )


def test_a_service_that_cannot_open_its_store_says_so(run: Any, environment: dict[str, str]) -> None:
    environment["CLINICWEAVE_DATABASE_URL"] = "mysql://host/clinic"
    result = run("serve")
    assert result.exit_code == 2 and "SQLite or PostgreSQL" in result.stderr
    assert gc.isenabled()


SETTINGS = {f"CLINICWEAVE_{name.upper()}" for name in Settings.model_fields}


@pytest.fixture
def composed() -> dict[str, Any]:
    """Return the services of the compose file."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "api/deploy/compose.yaml").read_text())["services"]
    return found


def test_compose_gives_service_and_workers_the_same_settings_and_only_such_as_there_are(composed: dict[str, Any]) -> None:
    service, worker = composed["service"], composed["worker"]
    assert service["environment"] == worker["environment"] and set(service["environment"]) <= SETTINGS
    assert service["env_file"] == worker["env_file"] == [{"path": "clinicweave.env", "required": False}]
    assert worker["deploy"]["replicas"] == 2


def test_what_compose_sets_is_all_that_machines_must_be_told(composed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in composed["worker"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:\?set it\}", "0" * 48, value))
    settings = read_settings()
    assert settings.signing_key() and settings.database_url.endswith(f":{'0' * 48}@database/clinicweave")


def test_the_image_is_built_of_what_is_imported_and_has_the_database_s_own_programs(composed: dict[str, Any]) -> None:
    dockerfile = (ROOT / "api/deploy/Dockerfile").read_text()
    copied = re.findall(r"^COPY (.*) \S+$", dockerfile, re.MULTILINE)[:-1]
    named = {name for line in copied for name in line.split()}
    ignored = (ROOT / "api/deploy/Dockerfile.dockerignore").read_text()
    assert named == set(re.findall(r"^!(.*)$", ignored, re.MULTILINE))
    assert "api/deploy" in ignored.splitlines()  # where secrets may be
    assert named >= {"scheduling", "solver", "calendars", "api"} and all((ROOT / name).exists() for name in named)
    assert re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) == ["python:3.11-slim-bookworm"] * 2
    assert composed["database"]["image"] == "postgres:15"  # as Debian 12 has it
    assert set(re.findall(r"CLINICWEAVE_\w+", dockerfile)) <= SETTINGS


def test_the_image_has_the_versions_of_the_lock_file_and_holds_each_against_hashes() -> None:
    deployed = (ROOT / "api/deploy/requirements.lock").read_text()
    packages = [package.split() for package in re.split(r"\n(?=\w)", deployed)[1:]]
    pinned = {line.partition(" ")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert {package[0] for package in packages} <= pinned
    assert all(any(word.startswith("--hash=sha256:") for word in package) for package in packages) and len(packages) > 50
    assert "--require-hashes -r requirements.lock" in (ROOT / "api/deploy/Dockerfile").read_text()


def test_the_settings_that_the_readme_names_are_there_and_an_empty_one_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```ini\n(.*?)```", (ROOT / "api" / "README.md").read_text(), re.DOTALL)
    told = dict(line.split("=", 1) for line in block.splitlines())
    assert told and set(told) <= SETTINGS
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert read_settings().smtp_host == told["CLINICWEAVE_SMTP_HOST"]
    for name in told:
        monkeypatch.setenv(name, "")
    assert read_settings().smtp_host is None
