"""A second factor beside the password: begun and confirmed by its owner, asked for at each log-in, needed by roles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from fastapi.testclient import TestClient
from support.service import PASSWORD, Clock, denials

from api.access import second_factor
from api.access.actor import AccessRole, Actor
from api.access.passwords import hash_password, is_password
from api.context import AppContext
from api.http.app import create_app
from api.runtime.exceptions import Conflict, Unauthenticated
from api.runtime.settings import Settings
from api.services.accounts import sessions
from api.services.accounts.accounts import SYSTEM, AccountChange, NewAccount, add_account, change_account
from api.store.queries import accounts

FACTOR = "/v1/sessions/current/second-factor"
OWN_PASSWORD = {"password": PASSWORD}


def code_at(secret: str, clock: Clock, steps: int = 0) -> str:
    """Return the code of a secret, now or so many half minutes from now."""
    return str(pyotp.TOTP(secret).at(clock.now + timedelta(seconds=30 * steps)))


def added(client: TestClient, clock: Clock, headers: dict[str, str]) -> str:
    """Give an account a second factor, and return its secret."""
    begun = client.post(FACTOR, json=OWN_PASSWORD, headers=headers)
    assert begun.status_code == 201 and begun.json()["address"].startswith("otpauth://totp/Clinicweave:")
    secret = str(begun.json()["secret"])
    assert client.put(FACTOR, json={"code": code_at(secret, clock)}, headers=headers).status_code == 204
    return secret


def log_in(client: TestClient, code: str | None = None) -> Any:
    answer = client.post("/v1/sessions", json={"name": "scheduler", "password": PASSWORD, "code": code})
    client.cookies.clear()
    return answer


def kind_of(answer: Any) -> str:
    """Return what a refused log-in says is in the way."""
    assert answer.status_code == 401
    return str(answer.json()["type"]).rpartition(":")[2]


def test_who_does_not_know_the_password_learns_nothing_of_the_second_factor(
    client: TestClient, clock: Clock, as_role: Any
) -> None:
    secret = added(client, clock, as_role("scheduler"))
    clock.pass_by(seconds=30)
    for code in (None, code_at(secret, clock)):
        body = {"name": "scheduler", "password": "not this one", "code": code}
        assert kind_of(client.post("/v1/sessions", json=body)) == "unauthenticated"


def test_whoever_knows_a_password_and_has_no_code_is_written_down_and_locks_nobody_out(
    client: TestClient, context: AppContext, clock: Clock, as_role: Any, settings: Settings
) -> None:
    secret = added(client, clock, as_role("scheduler"))
    clock.pass_by(seconds=30)
    for _ in range(settings.failures_before_lock + 1):
        assert log_in(client, None).status_code == 401
    reasons = [row.detail.get("reason") for row in denials(context.database)]
    assert reasons == ["a code is needed"] * (settings.failures_before_lock + 1)
    assert log_in(client, code_at(secret, clock)).status_code == 201


@pytest.mark.parametrize("door", [FACTOR, "/me/second-factor"])
def test_whoever_has_but_a_session_begins_none_by_guessing(
    client: TestClient, context: AppContext, as_role: Any, settings: Settings, door: str
) -> None:
    headers = as_role("scheduler")
    client.cookies.clear()

    def begin(password: str) -> Any:
        given = {"json" if door == FACTOR else "data": {"password": password}}
        return client.post(door, headers=headers, **given)

    for count in range(settings.failures_before_lock):
        refused = begin("not this one")
        assert refused.status_code == (401 if door == FACTOR else 200) and "otpauth" not in refused.text
        assert len(denials(context.database)) == count + 1
    begin(PASSWORD)  # it rests
    with context.database.reading() as session:
        account = accounts.find_account_by_name(session, "scheduler")
    assert account is not None and account.totp_pending is None


def test_a_password_that_is_changed_while_it_is_tried_begins_none(
    context: AppContext, as_role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_role("scheduler")
    with context.database.reading() as session:
        account = accounts.find_account_by_name(session, "scheduler")
    assert account is not None
    thief = Actor(account.id, AccessRole.SCHEDULER)

    def try_slowly(kept: str | None, password: str) -> bool:
        with context.database.writing() as session:
            row = accounts.get_account(session, thief.id)
            wanted = hash_password("quite another phrase", row.name)
            change_account(session, SYSTEM, row.id, row.version, AccountChange(), wanted, context.clock())
        return is_password(kept, password)

    monkeypatch.setattr(sessions, "is_password", try_slowly)
    with pytest.raises(Unauthenticated):
        sessions.begin_second_factor(context, thief, "192.0.2.1", PASSWORD)


def test_who_logs_in_by_the_identity_provider_begins_none(context: AppContext) -> None:
    with context.database.writing() as session:
        new = NewAccount("dana", AccessRole.SCHEDULER, subject="dana-1")
        dana = add_account(session, SYSTEM, new, None, "https://id.example", context.clock())
    with pytest.raises(Conflict):
        sessions.begin_second_factor(context, Actor(dana.id, AccessRole.SCHEDULER), "192.0.2.1", "")
    assert denials(context.database) == []


def test_wrong_codes_rest_an_account_as_wrong_passwords_do(
    client: TestClient, clock: Clock, as_role: Any, settings: Settings
) -> None:
    secret = added(client, clock, as_role("scheduler"))
    for _ in range(settings.failures_before_lock):
        assert kind_of(log_in(client, "12345x")) == "code-needed"
    clock.pass_by(seconds=30)
    assert kind_of(log_in(client, code_at(secret, clock))) == "unauthenticated"


def test_a_log_in_needs_a_code_that_is_right_and_new(client: TestClient, clock: Clock, as_role: Any) -> None:
    secret = added(client, clock, as_role("scheduler"))
    assert kind_of(log_in(client)) == "code-needed"
    assert kind_of(log_in(client, code_at(secret, clock))) == "code-needed"  # it was taken when it was confirmed
    clock.pass_by(seconds=30)
    code = code_at(secret, clock)
    assert log_in(client, "000000" if code != "000000" else "000001").status_code == 401
    assert log_in(client, code_at(secret, clock, 3)).status_code == 401
    assert log_in(client, code).status_code == 201
    assert log_in(client, code).status_code == 401
    assert log_in(client, code_at(secret, clock, 1)).status_code == 201


def test_without_remembering_a_code_would_be_taken_twice(
    client: TestClient, clock: Clock, as_role: Any, monkeypatch: Any
) -> None:
    secret = added(client, clock, as_role("scheduler"))
    find = getattr(second_factor, "_find_step")  # noqa: B009
    monkeypatch.setattr(second_factor, "accept_code", lambda signer, row, code, now: find(signer, row.totp_secret, code, now))
    assert log_in(client, code_at(secret, clock)).status_code == 201
    assert log_in(client, code_at(secret, clock)).status_code == 201


def test_one_that_is_not_confirmed_does_not_count(client: TestClient, clock: Clock, as_role: Any) -> None:
    headers = as_role("scheduler")
    secret = client.post(FACTOR, json=OWN_PASSWORD, headers=headers).json()["secret"]
    assert client.put(FACTOR, json={"code": code_at(secret, clock, 9)}, headers=headers).status_code == 409
    assert log_in(client).status_code == 201


def test_an_admin_takes_away_that_of_a_lost_phone(client: TestClient, clock: Clock, as_role: Any) -> None:
    headers = as_role("scheduler")
    account = client.get("/v1/sessions/current", headers=headers).json()["account"]
    added(client, clock, headers)
    assert client.post(FACTOR, json=OWN_PASSWORD, headers=headers).status_code == 409
    admin = as_role("admin")
    path = f"/v1/accounts/{account}"
    version = client.get(path, headers=admin).headers["etag"]
    assert client.patch(path, json={"second_factor": False}, headers=admin | {"If-Match": version}).status_code == 200
    assert log_in(client).status_code == 201


def test_a_role_that_needs_one_may_do_nothing_before_it_has(make: Any, settings: Settings, clock: Clock) -> None:
    context: AppContext = make(settings.model_copy(update={"second_factor_for": "scheduler, admin"}))
    client = TestClient(create_app(context))
    headers = {"Authorization": f"Bearer {log_in(client).json()['token']}"}
    assert client.get("/v1/scenarios", headers=headers).status_code == 403
    assert [row.action for row in denials(context.database)] == ["GET /v1/scenarios"]
    added(client, clock, headers)
    assert client.get("/v1/scenarios", headers=headers).status_code == 200
    assert client.get("/v1/sessions/current", headers=headers).json()["needs_second_factor"] is False


def test_a_browser_that_has_none_yet_is_led_to_the_page_that_sets_it_up(make: Any, settings: Settings, clock: Clock) -> None:
    context: AppContext = make(settings.model_copy(update={"second_factor_for": "scheduler"}))
    client = TestClient(create_app(context))
    own = {"Sec-Fetch-Site": "same-origin"}
    client.post("/me/log-in", data={"name": "scheduler", "password": PASSWORD}, headers=own)
    assert client.get("/v1/sessions/current").json()["needs_second_factor"] is True
    shown = client.get("/me")
    assert shown.url.path == "/me/second-factor" and 'action="/me/second-factor"' in shown.text
    assert client.post("/me/calendars", headers=own).status_code == 403
    begun = client.post("/me/second-factor", data=OWN_PASSWORD, headers=own).text
    secret = begun.partition('readonly value="')[2].partition('"')[0].replace(" ", "")
    code = pyotp.TOTP(secret).at(clock())
    client.post("/me/second-factor/code", data={"code": code}, headers=own)
    assert client.get("/v1/scenarios").status_code == 200
