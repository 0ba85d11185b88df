"""SMART Backend Services: a client of others gets in by its key, and what proves nothing does not, in any of two processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from clients.installed import HERE
from clients.peers import NAMES, Demo
from joserfc.jwk import ECKey, OctKey
from support.clients import sign
from support.mailserver import free_port
from support.processes import COMMAND, Served, served

from api.services.accounts.accounts import SYSTEM
from api.services.accounts.clients import ASSERTION_TYPE, end_client
from api.store.columns import utc_now
from api.store.database import Database

NAME = NAMES[1]
OTHER = ECKey.generate_key("P-384", {"kid": "ec"}, private=True, auto_kid=False)
SHARED = OctKey.import_key("a secret that two know, and that is long enough for HS256", {"kid": "ec"})


@pytest.fixture
def second(demo: Demo, sqlite_url: str) -> Iterator[Served]:
    """Return another process of the same service, on the same store and under the same public address."""
    command = (*COMMAND, "serve", "--port", str(free_port()))
    with served(sqlite_url, command=command, public_url=demo.service.address) as running:
        yield running


@pytest.mark.parametrize(("name", "algorithm"), [(NAMES[0], "RS384"), (NAMES[1], "ES384")])
def test_a_backend_client_gets_in_by_its_key(name: str, algorithm: str, demo: Demo, peers: Path) -> None:
    key = {**demo.keys[name].as_dict(private=True), "key_ops": ["sign"], "alg": algorithm}
    command = [peers / "python", HERE / "drivers" / "drive_smart.py", demo.base, name]
    keys = json.dumps({"keys": [key]})
    ran = subprocess.run(command, input=keys, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) == len(demo.appointments)


def claim(demo: Demo, identifier: str, **more: Any) -> dict[str, Any]:
    """Return what a client says of itself; None leaves a claim out."""
    usual = {
        "iss": NAME,
        "sub": NAME,
        "aud": f"{demo.service.address}/oauth/token",
        "exp": utc_now().timestamp() + 200,
        "jti": identifier,
    }
    return {name: value for name, value in (usual | more).items() if value is not None}


def ask(service: Served, assertion: str, scope: str = "system/Appointment.rs") -> tuple[int, str]:
    """Ask a process for a token; return the status and, where none is given, why."""
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "scope": scope}
    answer = httpx2.post(f"{service.address}/oauth/token", data=form | {"client_assertion": assertion})
    return answer.status_code, answer.json().get("error", "")


def later(seconds: float) -> float:
    """Return an instant as claims have it."""
    return utc_now().timestamp() + seconds


BAD: dict[str, Callable[[Demo, Any], str]] = {
    "none": lambda demo, key: "eyJhbGciOiJub25lIiwia2lkIjoiZWMifQ.eyJpc3MiOiJzZWNvbmQifQ.",
    "a shared secret": lambda demo, key: sign(claim(demo, "1"), SHARED, alg="HS256"),  # type: ignore[arg-type]
    "an hour ahead": lambda demo, key: sign(claim(demo, "2", exp=later(3600)), key),
    "run out": lambda demo, key: sign(claim(demo, "3", exp=later(-60)), key),
    "for another": lambda demo, key: sign(claim(demo, "4", aud="https://elsewhere.example/token"), key),
    "of another": lambda demo, key: sign(claim(demo, "5", sub=NAMES[0]), key),
    "an unknown kid": lambda demo, key: sign(claim(demo, "6"), key, kid="unknown"),
    "a foreign jku": lambda demo, key: sign(claim(demo, "7"), key, jku="https://evil.example/keys"),
    "no jti": lambda demo, key: sign(claim(demo, "8", jti=None), key),
    "another's key": lambda demo, key: sign(claim(demo, "9"), OTHER),
}


def test_what_proves_nothing_gets_no_token(demo: Demo, second: Served, sqlite_url: str) -> None:
    key = demo.keys[NAME]
    for name, make in BAD.items():
        assert ask(demo.service, make(demo, key)) == (400, "invalid_client"), name
    replayed = sign(claim(demo, "once"), key)
    assert ask(demo.service, replayed) == (200, "")
    assert ask(second, replayed) == (400, "invalid_client"), "a replay at the other process"
    assert ask(demo.service, sign(claim(demo, "wide"), key), "system/Device.rs") == (400, "invalid_scope")
    database = Database(sqlite_url)
    with database.writing() as session:
        end_client(session, SYSTEM, NAME, utc_now())
    database.close()
    assert ask(second, sign(claim(demo, "ended"), key)) == (400, "invalid_client")
