"""The same request sent again, on SQLite and on PostgreSQL: done once, and answered alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import func, select
from support.races import at_once
from support.service import PASSWORD, SECRET, bearer, peopled

from api.context import AppContext
from api.http.answers import Call
from api.runtime.settings import Settings
from api.store.tables import AccountRow, IdempotencyRow

TIMES = 64
NEW = {"name": "dana", "role": "scheduler", "password": PASSWORD}


@pytest.fixture
def context(store_url: str, make: Callable[[Settings], AppContext]) -> AppContext:
    context = make(Settings(database_url=store_url, secret=SECRET))
    peopled(context.database)
    return context


@pytest.fixture
def headers(as_role: Callable[[str], dict[str, str]]) -> dict[str, str]:
    return as_role("admin")


def rows(context: AppContext, kind: type[Any]) -> int:
    with context.database.reading() as session:
        return session.exec(select(func.count()).select_from(kind)).one()


def sent_at_once(client: TestClient, headers: dict[str, str]) -> list[Any]:
    """Send one request many times at the same moment."""
    return at_once(lambda _: client.post("/v1/accounts", json=NEW, headers=headers), TIMES)


def test_one_key_sent_many_times_at_once_makes_one_row_and_one_answer(
    client: TestClient, context: AppContext, headers: dict[str, str]
) -> None:
    before = rows(context, AccountRow)
    answers = sent_at_once(client, headers | {"Idempotency-Key": "k1"})
    told = {(answer.status_code, answer.content, answer.headers["etag"], answer.headers["location"]) for answer in answers}
    assert (len(told), rows(context, AccountRow), rows(context, IdempotencyRow)) == (1, before + 1, 1)
    assert answers[0].status_code == 201
    assert answers[0].headers["location"] == f"/v1/accounts/{answers[0].json()['id']}"


def test_without_keeping_the_answer_all_but_one_fail(
    client: TestClient, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Call, "create", Call.write)
    statuses = sorted(one.status_code for one in sent_at_once(client, headers | {"Idempotency-Key": "k1"}))
    assert statuses == [201] + [409] * (TIMES - 1)


def test_a_key_with_another_request_is_refused(client: TestClient, context: AppContext, headers: dict[str, str]) -> None:
    keyed = headers | {"Idempotency-Key": "k1"}
    assert client.post("/v1/accounts", json=NEW, headers=keyed).status_code == 201
    before = rows(context, AccountRow)
    other = client.post("/v1/accounts", json=NEW | {"name": "erin"}, headers=keyed)
    assert (other.status_code, other.json()["type"]) == (422, "urn:problem-type:clinicweave:key-reused")
    assert rows(context, AccountRow) == before


def test_keys_of_two_callers_are_two(client: TestClient, headers: dict[str, str], log_in: Any, as_role: Any) -> None:
    path = f"/v1/accounts/{client.post('/v1/accounts', json=NEW | {'role': 'admin'}, headers=headers).json()['id']}/tokens"
    other = bearer(log_in("dana").json()["token"])
    made = [client.post(path, json={"name": "t"}, headers=who | {"Idempotency-Key": "k"}).json() for who in (headers, other)]
    assert made[0]["id"] != made[1]["id"]


def test_a_secret_is_told_again_to_the_same_key_and_kept_by_nobody_else(
    client: TestClient, context: AppContext, headers: dict[str, str]
) -> None:
    account = client.get("/v1/accounts", headers=headers).json()["items"][0]["id"]
    keyed = headers | {"Idempotency-Key": "k"}
    first, again = (client.post(f"/v1/accounts/{account}/tokens", json={"name": "t"}, headers=keyed) for _ in range(2))
    assert first.content == again.content
    with context.database.reading() as session:
        (kept,) = session.exec(select(IdempotencyRow))
    assert first.json()["secret"].encode() not in kept.body


def test_a_request_that_failed_may_be_mended_under_its_key(
    client: TestClient, context: AppContext, headers: dict[str, str]
) -> None:
    keyed = headers | {"Idempotency-Key": "k"}
    assert client.post("/v1/accounts", json=NEW | {"role": "clinician"}, headers=keyed).status_code == 422
    assert rows(context, IdempotencyRow) == 0
    assert client.post("/v1/accounts", json=NEW, headers=keyed).status_code == 201


def test_answers_are_forgotten_after_a_day(client: TestClient, clock: Any, headers: dict[str, str], as_role: Any) -> None:
    keyed = {"Idempotency-Key": "k"}
    assert client.post("/v1/accounts", json=NEW, headers=headers | keyed).status_code == 201
    clock.pass_by(hours=23.9)
    assert client.post("/v1/accounts", json=NEW, headers=as_role("admin") | keyed).status_code == 201
    clock.pass_by(hours=0.2)
    assert client.post("/v1/accounts", json=NEW, headers=as_role("admin") | keyed).status_code == 409


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_is_none_is_refused(client: TestClient, headers: dict[str, str], key: str) -> None:
    assert client.post("/v1/accounts", json=NEW, headers=headers | {"Idempotency-Key": key}).status_code == 422


def test_the_service_is_ready_when_its_store_is(client: TestClient, context: AppContext) -> None:
    assert client.get("/readyz").status_code == 200
    context.stopping.set()
    ending = client.get("/readyz")
    assert (ending.status_code, ending.headers["retry-after"]) == (503, "2")
    assert client.get("/healthz").status_code == 200
