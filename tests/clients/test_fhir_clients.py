"""Client libraries that nobody here wrote read, search page by page, and find places."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import httpx2
import pytest
from clients.installed import HERE, Installed, folder
from clients.peers import Demo, describe_wish, get_token

DRIVERS = HERE / "drivers"


@pytest.mark.parametrize("library", ["fhirpy", "fhirclient", "fhir-kit-client", "medplum"])
def test_a_library_reads_searches_and_finds(library: str, demo: Demo, peers: Path) -> None:
    token, wanted = get_token(demo), json.dumps(describe_wish(demo))
    command: list[str | Path] = [peers / "python", DRIVERS / "drive_fhir.py", library, demo.base, token]
    if library in ("fhir-kit-client", "medplum"):
        command = ["node", DRIVERS / "fhir.mjs", library, demo.base, token, wanted]
    packages = {"NODE_PACKAGES": str(Installed(folder()).node_packages)}
    ran = subprocess.run(
        command, input=wanted, capture_output=True, text=True, env=os.environ | packages, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    saw = json.loads(ran.stdout)
    every = demo.appointments
    assert (saw["version"], saw["ids"], saw["read"]) == ("4.0.1", every, every[0])
    assert set(saw["proposed"]) == {"proposed"}


def test_the_rules_of_a_test_pack_hold(demo: Demo, peers: Path) -> None:
    visit = min(visit.id for visit in demo.week.visits)
    token = get_token(demo)
    read = httpx2.get(f"{demo.base}/Appointment/{visit}", headers={"Authorization": f"Bearer {token}"}).json()
    command = [
        peers / "python",
        DRIVERS / "run_api_tests.py",
        demo.base,
        token,
        "Appointment",
        visit,
        read["meta"]["versionId"],
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    results = json.loads(ran.stdout.splitlines()[-1])
    assert results == dict.fromkeys(results, "PASS") and len(results) == 8
