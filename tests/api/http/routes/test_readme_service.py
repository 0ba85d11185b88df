"""The service's README: its very lines, run by a shell against a service of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
COMMAND = "#!/bin/sh\nexec {python} -c 'from api.cli.entry import main; main()' \"$@\"\n"
LIMIT, SHORT_LIMIT = '"seconds": 30', '"seconds": 2'
PASSWORD = "a long pass phrase"
PATIENCE_SECONDS = 120


def blocks() -> list[str]:
    """Return the page's blocks of shell lines; the first makes an account and starts the service."""
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "api" / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return what lets a shell find the command, the interpreter, and a store of the test's own."""
    command = tmp_path / "bin" / "clinicweave"
    command.parent.mkdir()
    command.write_text(COMMAND.format(python=sys.executable))
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    store = {"CLINICWEAVE_DATABASE_URL": f"sqlite:///{tmp_path}/clinic.db", "CLINICWEAVE_PORT": "0"}
    return os.environ | store | {"PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def address(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """Make the account and start the service by the lines of the first block, on a free port; return its address."""
    add, serve = blocks()[0].splitlines()
    added = subprocess.run(
        ["sh", "-c", f"{add} --password-stdin"], input=f"{PASSWORD}\n", text=True, env=environment, check=False, cwd=tmp_path
    )
    assert added.returncode == 0
    process = subprocess.Popen(["sh", "-c", f"exec {serve}"], env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stderr is not None
    running = (re.search(r"running on (http://[\d.:]+)", line) for line in process.stderr)
    yield next((found[1] for found in running if found), "")
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)


def test_the_lines_of_the_readme_import_plan_publish_cancel_move_and_plan_again(
    address: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """Only the address and the time for a plan are not as they stand there."""
    lines = "".join(blocks()[1:])
    assert lines.count(LIMIT) == 2 and PASSWORD in lines
    script = "set -eu\n" + lines.replace("http://127.0.0.1:8000", address).replace(LIMIT, SHORT_LIMIT)
    ran = subprocess.run(
        ["sh", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    first, second = (json.loads(text) for text in re.findall(r'\{"id":\d+,"plan".*?\}', ran.stdout))
    assert first["added"] > 500 and (first["changed"], first["cancelled"], first["unchanged"]) == (0, 0, 0)
    # Monday is over; how much more stays is up to how far the two short searches came on this machine.
    assert second["unchanged"] > first["added"] / 5
    assert sum(second[part] for part in ("added", "changed", "unchanged")) > 500
    assert ran.stdout.count("event: end") == 2
    (moved,) = (json.loads(text) for text in re.findall(r'\{[^{}]*"visit-0303"[^{}]*\}', ran.stdout))
    assert (moved["state"], moved["override_reason"]) == ("booked", None)
