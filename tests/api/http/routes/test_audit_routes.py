"""The audit is what it says: who came in, who left, who was refused, by whichever door; and admins can read it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.service import FOREIGN, OWN, PASSWORD

from api.access.limits import RateLimiter
from api.context import AppContext
from api.store import audit


@pytest.fixture
def admin(as_role: Any) -> dict[str, str]:
    headers: dict[str, str] = as_role("admin")
    return headers


def entries(client: TestClient, admin: dict[str, str], **asked: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/audit", params={"limit": 200, **asked}, headers=admin)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_coming_in_and_leaving_is_told(client: TestClient, admin: dict[str, str], as_role: Any) -> None:
    headers = as_role("scheduler")
    who = client.get("/v1/sessions/current", headers=headers).json()["account"]
    client.delete("/v1/sessions/current", headers=headers)
    client.post("/v1/sessions", json={"name": "scheduler", "password": "a wrong one"})
    told = entries(client, admin, account=who)
    assert [(entry["action"], entry["outcome"]) for entry in told] == [
        ("session.log-in", "allowed"),
        ("session.log-out", "allowed"),
        ("session.log-in", "denied"),
    ]
    assert told[0]["detail"]["credential"] == told[1]["detail"]["credential"]
    assert PASSWORD not in json.dumps(told)


def test_a_guessed_feed_is_told_until_there_are_too_many(
    client: TestClient, admin: dict[str, str], context: AppContext
) -> None:
    context.log_ins = RateLimiter(3, lambda: 0.0)
    statuses = [client.get("/calendars/provider/cwf_guess.ics").status_code for _ in range(5)]
    assert statuses == [404, 404, 404, 429, 429]
    told = entries(client, admin, action="feed.")
    assert [(entry["actor"], entry["outcome"]) for entry in told] == [("unknown", "denied")] * 3


def test_what_concerns_a_patient_is_found_at_their_visits_too(client: TestClient, admin: dict[str, str], as_role: Any) -> None:
    headers = as_role("scheduler")
    for visit in (OWN, FOREIGN):
        assert client.get(f"/v1/visits/{visit}", headers=headers).status_code == 200
    assert client.get("/v1/patients/pat", headers=headers).status_code == 200
    assert client.get("/v1/patients/quin", headers=headers).status_code == 200
    told = entries(client, admin, patient="pat")
    assert [(entry["kind"], entry["object"]) for entry in told] == [("visit", OWN), ("patient", "pat")]
    assert all(entry["object"] in (OWN, FOREIGN) for entry in entries(client, admin, action="visit."))


def test_it_is_asked_by_time_and_outcome_a_page_at_a_time(
    client: TestClient, admin: dict[str, str], clock: Any, as_role: Any
) -> None:
    begun = clock.now
    clock.pass_by(minutes=5)
    headers = as_role("scheduler")
    assert client.get("/v1/audit", headers=headers).status_code == 403
    since = clock.now.isoformat()
    assert [entry["action"] for entry in entries(client, admin, since=since, outcome="denied")] == ["GET /v1/audit"]
    assert entries(client, admin, until=begun.isoformat()) == []
    first = client.get("/v1/audit", params={"limit": 2}, headers=admin).json()
    second = client.get("/v1/audit", params={"limit": 2, "cursor": first["next"]}, headers=admin).json()
    assert [entry["number"] for entry in first["items"] + second["items"]] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "query", ["since=2026-11-30T14:00", "since=yesterday", "outcome=maybe", "cursor=WyJ4Il0", "until=99999-01-01T00:00:00Z"]
)
def test_what_cannot_be_asked_is_refused(client: TestClient, admin: dict[str, str], query: str) -> None:
    assert client.get(f"/v1/audit?{query}", headers=admin).status_code == 422


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_an_instant_beyond_the_ends_of_time_is_none_to_be_afraid_of(
    client: TestClient, admin: dict[str, str], instant: str
) -> None:
    assert client.get("/v1/audit", params={"since": instant}, headers=admin).status_code == 200


def test_each_row_is_a_line_of_the_log_once_it_is_kept(
    client: TestClient, context: AppContext, as_role: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "api.store.audit")
    as_role("admin")
    with pytest.raises(LookupError), context.database.writing() as session:
        entry = audit.AuditEntry("nobody", "none", "never.done", "visit", "v", "allowed", {})
        audit.append(session, entry, context.clock())
        raise LookupError
    with context.database.reading() as session:
        kept = [row.hash for row in audit.list_entries(session)]
    logged = [record.__dict__["fields"] for record in caplog.records if record.name == "api.store.audit"]
    assert [row["action"] for row in logged] == ["session.log-in"]
    assert logged[0]["hash"] == kept[-1]
