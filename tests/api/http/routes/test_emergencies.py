"""Break-glass: a clinician reads a patient who is none of theirs, for an hour and loudly; and a patient's whole record."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.service import FOREIGN, Clock

from api.context import AppContext

REASON = {"reason": "Collapsed in the waiting room."}
OPENED = "/v1/patients/quin/emergency-accesses"


def statuses(client: TestClient, headers: dict[str, str]) -> list[int]:
    """Return what a clinician is answered who reads a foreign patient, and who changes something of theirs."""
    booking = client.get(f"/v1/visits/{FOREIGN}/booking", headers=headers).status_code
    return [
        client.get("/v1/patients/quin", headers=headers).status_code,
        client.get(f"/v1/visits/{FOREIGN}", headers=headers).status_code,
        200 if booking == 404 else booking,  # it has no place
        client.post(f"/v1/visits/{FOREIGN}/links", json={}, headers=headers).status_code,
    ]


def test_a_patient_who_is_none_of_theirs_is_read_for_an_hour(
    client: TestClient, clock: Clock, as_role: Any, caplog: pytest.LogCaptureFixture
) -> None:
    headers, admin = as_role("clinician"), as_role("admin")
    assert statuses(client, headers) == [403] * 4
    with caplog.at_level(logging.WARNING):
        opened = client.post(OPENED, json=REASON, headers=headers)
    assert (opened.status_code, opened.json()["ends_at"]) == (201, "2026-11-30T15:00:00Z")
    assert "opened in need" in caplog.text and "waiting room" not in caplog.text
    assert statuses(client, headers) == [200, 200, 200, 403]
    shown = client.get("/v1/emergency-accesses", headers=admin).json()["items"]
    assert [(access["patient"], access["reason"]) for access in shown] == [("quin", REASON["reason"])]
    audited = client.get("/v1/audit?action=patient.open-in-need", headers=admin).json()["items"]
    assert [entry["object"] for entry in audited] == ["quin"]
    tasks = client.get("/v1/tasks", headers=as_role("scheduler")).json()["items"]
    assert [task["kind"] for task in tasks] == ["opened-in-need"]
    clock.pass_by(hours=1)
    assert statuses(client, as_role("clinician")) == [403] * 4


@pytest.mark.parametrize("body", [{}, {"reason": "because"}, {"reason": "x" * 501}])
def test_nobody_opens_a_patient_without_a_reason(client: TestClient, as_role: Any, body: dict[str, str]) -> None:
    assert client.post(OPENED, json=body, headers=as_role("clinician")).status_code == 422


def test_only_who_has_opened_a_patient_reads_them(client: TestClient, context: AppContext, as_role: Any) -> None:
    clinician, admin = as_role("clinician"), as_role("admin")
    other = {"name": "other", "role": "clinician", "provider": "cy", "password": "7392-qf-kk-lo-19"}
    assert client.post("/v1/accounts", json=other, headers=admin).status_code == 201
    begun = client.post("/v1/sessions", json={"name": "other", "password": other["password"]}).json()
    client.cookies.clear()
    assert client.post(OPENED, json=REASON, headers=clinician).status_code == 201
    assert client.get("/v1/patients/quin", headers={"Authorization": f"Bearer {begun['token']}"}).status_code == 403
    assert client.get("/v1/patients/pat/visits", headers=clinician).status_code == 200


def test_all_that_is_kept_of_a_patient_is_exported(client: TestClient, as_role: Any) -> None:
    client.post(f"/v1/visits/{FOREIGN}/links", json={}, headers=as_role("scheduler"))
    record = client.get("/v1/patients/quin/record", headers=as_role("admin")).json()
    tables = {name: [row["id"] for row in rows if "id" in row] for name, rows in record["tables"].items()}
    assert tables["patients"] == ["quin"] and tables["visits"] == [FOREIGN] and len(tables["patient_links"]) == 1
    assert "own-visit" not in str(record) and "'pat'" not in str(record)
    assert client.get("/v1/patients/nobody/record", headers=as_role("admin")).status_code == 404
