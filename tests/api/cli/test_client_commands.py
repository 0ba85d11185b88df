"""Programs of hospital systems are let in and ended from the machine itself; the audit goes out as FHIR."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fhirkit
import pytest
from support.clients import KEY, key_set


def test_a_program_is_let_in_listed_and_ended(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINICWEAVE_DATABASE_URL", "sqlite:///clinic.db")
    Path("keys.json").write_text(json.dumps(key_set()))
    Path("private.json").write_text(json.dumps({"keys": [KEY.as_dict(private=True)]}))
    scopes = "system/Appointment.rs system/Patient.r"
    refused = run("client", "add", "ehr", "--jwks", "private.json", "--scopes", scopes)
    assert refused.code == 2 and "is a private key" in refused.err
    assert run("client", "add", "ehr", "--jwks", "keys.json", "--scopes", scopes).out == "ehr may come in.\n"
    assert run("client", "list", "--json").json == [{"id": "ehr", "scopes": scopes.split(), "active": True}]
    assert run("client", "end", "ehr").code == 0
    assert run("client", "list").out == f"ehr  {scopes}  ended\n"
    assert run("client", "end", "nobody").code == 2
    lines = run("audit", "export", "--fhir").out.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["subtype"][0]["code"] for event in events] == ["client.add", "client.end", "audit.read"]
    assert all(fhirkit.validate(line) == [] for line in lines)
    assert run("audit", "export", "--fhir", "--action", "nothing.such").out == ""
