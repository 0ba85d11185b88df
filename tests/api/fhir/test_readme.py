"""The README's way to connect a system works as it is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from support import factories
from support.clients import parameters
from support.factories import visit
from support.mailserver import free_port
from support.processes import COMMAND, environment, served

from api.store.columns import utc_now
from api.store.database import Database
from api.store.queries import periods

README = Path(__file__).parents[3] / "api" / "fhir" / "README.md"
MOST_LINES = 10


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_ten_lines_connect_a_system(sqlite_url: str, tmp_path: Path) -> None:
    block = re.search(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None and len(block[1].splitlines()) <= MOST_LINES
    monday = utc_now().date() + timedelta(days=14 - utc_now().weekday())
    keep_week(sqlite_url, monday.isoformat(), (monday + timedelta(days=5)).isoformat())
    wanted = parameters(
        start={"valueDateTime": monday.isoformat()},
        end={"valueDateTime": (monday + timedelta(days=4)).isoformat()},
        visit_type={"valueString": "consult"},
        patient_reference={"valueReference": {"reference": "Patient/pat"}},
    )
    (tmp_path / "find.json").write_text(json.dumps(wanted))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = environment(sqlite_url, public_url=address) | {"URL": address, "PATH": path}
    with served(sqlite_url, command=(*COMMAND, "serve", "--port", str(port)), public_url=address):
        ran = subprocess.run(["bash", "-ec", block[1]], cwd=tmp_path, env=told, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    bundle = json.loads(ran.stdout.splitlines()[-1])
    assert bundle["resourceType"] == "Bundle" and bundle["total"] > 0, ran.stdout


def keep_week(url: str, start: str, end: str) -> None:
    """Keep a week in which one visit of ``pat`` waits."""
    asked = factories.scenario(
        visit("own", "pat"),
        horizon={"start": start, "end": end},
        providers=factories.people(factories.provider("ana", shifts=factories.week(days=[start]))),
    )
    database = Database(url)
    with database.writing() as session:
        periods.keep_scenario(session, asked, utc_now())
    database.close()
