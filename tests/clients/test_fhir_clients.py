"""Client libraries that nobody here wrote read, search page by page, and find places."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from clients.installed import HERE, Installed, folder
from clients.peers import MONDAY, NAMES, Demo
from support.clients import parameters, sign

from api.services.accounts.clients import ASSERTION_TYPE
from api.store.columns import utc_now

DRIVERS = HERE / "drivers"


def get_token(demo: Demo) -> str:
    """Return a token of the second system."""
    name, address = NAMES[1], f"{demo.service.address}/oauth/token"
    claims = {"iss": name, "sub": name, "aud": address, "exp": utc_now().timestamp() + 200, "jti": "clients"}
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "scope": "system/*.rs system/*.read"}
    answer = httpx2.post(address, data=form | {"client_assertion": sign(claims, demo.keys[name])})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def ask_for_places(demo: Demo) -> str:
    """Return what ``$find`` is given, of a patient whom nobody knows yet."""
    newcomer = {"resourceType": "Patient", "identifier": [{"value": "newcomer"}], "name": [{"text": "Robin Newcomer"}]}
    wanted = parameters(
        start={"valueDateTime": MONDAY.isoformat()},
        end={"valueDateTime": (MONDAY + timedelta(days=4)).isoformat()},
        visit_type={"valueString": min(visit.service for visit in demo.week.visits)},
        patient_resource={"resource": newcomer},
    )
    return json.dumps(wanted)


@pytest.mark.parametrize("library", ["fhirpy", "fhirclient", "fhir-kit-client", "medplum"])
def test_a_library_reads_searches_and_finds(library: str, demo: Demo, peers: Path) -> None:
    token, wanted = get_token(demo), ask_for_places(demo)
    command: list[str | Path] = [peers / "python", DRIVERS / "drive_fhir.py", library, demo.base, token]
    if library in ("fhir-kit-client", "medplum"):
        command = ["node", DRIVERS / "fhir.mjs", library, demo.base, token, wanted]
    packages = {"NODE_PACKAGES": str(Installed(folder()).node_packages)}
    ran = subprocess.run(
        command, input=wanted, capture_output=True, text=True, env=os.environ | packages, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    saw = json.loads(ran.stdout)
    visits = sorted(visit.id for visit in demo.week.visits)
    assert (saw["version"], saw["ids"], saw["read"]) == ("4.0.1", visits, visits[0])
    assert set(saw["proposed"]) == {"proposed"}
