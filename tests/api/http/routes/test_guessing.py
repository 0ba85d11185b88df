"""Wrong guesses lock out whoever guesses, and nobody else; what is soon guessed is no password."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.service import FOREIGN, OWN, PASSWORD, Clock, bearer
from typer.testing import CliRunner

from api.access.actor import AccessRole, Actor
from api.access.passwords import hash_password, is_password
from api.cli.main import app
from api.context import AppContext
from api.runtime.exceptions import TooMany, Unauthenticated
from api.runtime.settings import Settings
from api.services.accounts import sessions
from api.services.accounts.accounts import SYSTEM, AccountChange, change_account
from api.services.accounts.sessions import EVERYWHERE, LogInAttempt
from api.store.queries.accounts import find_account_by_name
from scheduling.errors import InvalidFile

AT_HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def comes_in(context: AppContext, address: str, password: str = PASSWORD) -> bool:
    """Try to log in as the scheduler from an address."""
    try:
        sessions.log_in(context, LogInAttempt(address, "scheduler", password))
    except Unauthenticated:
        return False
    return True


@pytest.fixture
def context(make: Any, settings: Settings) -> AppContext:
    context: AppContext = make(settings.model_copy(update={"failures_before_lock": 3, "log_ins_per_minute": 1000}))
    return context


def guess(context: AppContext, address: str, times: int) -> None:
    for _ in range(times):
        assert not comes_in(context, address, "a wrong pass phrase")


def test_nobody_locks_out_another_from_afar(context: AppContext) -> None:
    assert comes_in(context, AT_HOME)
    guess(context, ELSEWHERE, 3 * EVERYWHERE)
    assert not comes_in(context, ELSEWHERE)
    assert comes_in(context, AT_HOME)


def test_many_addresses_that_guess_keep_new_ones_out(context: AppContext, clock: Clock) -> None:
    assert comes_in(context, AT_HOME)
    for number in range(3 * EVERYWHERE):
        guess(context, f"198.51.100.{number}", 1)
    assert not comes_in(context, "203.0.113.9")
    assert comes_in(context, AT_HOME)  # and whoever comes in ends it
    assert comes_in(context, "203.0.113.9")


def test_one_network_of_ipv6_is_one_guesser(context: AppContext) -> None:
    guess(context, "2001:db8::1", 3)
    assert not comes_in(context, "2001:db8::2")
    assert comes_in(context, "2001:db8:0:1::2")


def test_one_network_of_ipv6_shares_the_attempts_of_a_minute(make: Any, settings: Settings) -> None:
    context = make(settings.model_copy(update={"failures_before_lock": 1000, "log_ins_per_minute": 5}))
    for number in range(5):
        guess(context, f"2001:db8::{number}", 1)
    with pytest.raises(TooMany):
        comes_in(context, "2001:db8::ffff")
    assert comes_in(context, "2001:db8:0:1::1")


def test_addresses_of_ipv4_that_are_written_as_ipv6_are_not_one_network(context: AppContext) -> None:
    guess(context, "::ffff:192.0.2.1", 3)
    assert not comes_in(context, "192.0.2.1")
    assert comes_in(context, "::ffff:192.0.2.2")


def test_a_password_that_is_changed_while_it_is_tried_lets_nobody_in(
    context: AppContext, as_role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_role("scheduler")
    wanted = iter(("quite another phrase", "one phrase more"))

    def try_slowly(kept: str | None, password: str) -> bool:
        with context.database.writing() as session:
            account = find_account_by_name(session, "scheduler")
            assert account is not None
            change = (account.id, account.version, AccountChange(), hash_password(next(wanted), account.name))
            change_account(session, SYSTEM, *change, context.clock())
        return is_password(kept, password)

    with context.database.reading() as session:
        account = find_account_by_name(session, "scheduler")
    assert account is not None
    monkeypatch.setattr(sessions, "is_password", try_slowly)
    assert not comes_in(context, AT_HOME)
    with pytest.raises(Unauthenticated):
        thief = Actor(account.id, AccessRole.SCHEDULER)
        sessions.change_password(context, thief, AT_HOME, "quite another phrase", "a phrase of the thief")
    monkeypatch.setattr(sessions, "is_password", is_password)
    assert comes_in(context, AT_HOME, "one phrase more")


def test_an_own_guess_too_many_rests_a_while(context: AppContext, clock: Clock) -> None:
    assert comes_in(context, AT_HOME)
    guess(context, AT_HOME, 3)
    assert not comes_in(context, AT_HOME)
    clock.pass_by(minutes=15)
    assert comes_in(context, AT_HOME)


def test_a_locked_account_is_freed_by_an_admin(client: TestClient, context: AppContext, as_role: Any) -> None:
    admin = as_role("admin")
    token = as_role("scheduler")
    account = client.get("/v1/sessions/current", headers=token).json()["account"]
    path = f"/v1/accounts/{account}"
    for change, password in (({"unlock": True}, PASSWORD), ({"password": "quite another phrase"}, "quite another phrase")):
        guess(context, AT_HOME, 3)
        assert not comes_in(context, AT_HOME, password)
        version = client.get(path, headers=admin).headers["etag"]
        assert client.patch(path, json=change, headers=admin | {"If-Match": version}).status_code == 200
        assert comes_in(context, AT_HOME, password)
        expected = 200 if "unlock" in change else 401  # whoever is in stays in when an account is only freed
        assert client.get("/v1/sessions/current", headers=token).status_code == expected


def test_a_locked_account_is_freed_at_the_machine(context: AppContext, settings: Settings) -> None:
    guess(context, AT_HOME, 3)
    environment = {"CLINICWEAVE_DATABASE_URL": settings.database_url, "CLINICWEAVE_SECRET": "x" * 32}
    assert CliRunner().invoke(app, ["account", "unlock", "scheduler"], env=environment).exit_code == 0
    assert comes_in(context, AT_HOME)


def test_a_stolen_session_cannot_guess_the_password_for_ever(client: TestClient, context: AppContext, as_role: Any) -> None:
    headers = as_role("scheduler")
    wrong, right = ({"present": word, "wanted": "quite another phrase"} for word in ("a wrong pass phrase", PASSWORD))
    for body in (wrong, wrong, wrong, right):
        assert client.put("/v1/sessions/current/password", json=body, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "password",
    ["password1234", "qwertyuiop12", "123456789012", "aaaaaaaaaaaaaaaa", "letmeinletmein", "xx-Scheduler-7392-qf", "too short"],
)
def test_what_is_soon_guessed_is_no_password(password: str) -> None:
    with pytest.raises(InvalidFile):
        hash_password(password, "scheduler")


@pytest.mark.parametrize("password", [PASSWORD, "correct horse battery staple", "7392-qf-kk-lo-19", "än öde → Weg, 7 " * 16])
def test_what_is_not_is_one(password: str) -> None:
    assert hash_password(password, "scheduler").startswith("$argon2id$")


def test_links_are_listed_and_end_with_the_role_that_made_them(client: TestClient, as_role: Any) -> None:
    admin, clinician, scheduler = as_role("admin"), as_role("clinician"), as_role("scheduler")
    path = f"/v1/visits/{OWN}/links"
    made = client.post(path, json={}, headers=clinician).json()
    other = client.post(path, json={}, headers=scheduler).json()
    assert client.post(path, json={"days": 401}, headers=clinician).status_code == 422
    listed = client.get(path, headers=clinician).json()["items"]
    assert {link["id"]: link["revoked"] for link in listed} == {made["id"]: False, other["id"]: False}
    assert client.get(f"/v1/visits/{FOREIGN}/links", headers=clinician).status_code == 403
    assert client.delete(f"/v1/links/{other['id']}", headers=clinician).status_code == 403
    account = f"/v1/accounts/{client.get('/v1/sessions/current', headers=clinician).json()['account']}"
    version = client.get(account, headers=admin).headers["etag"]
    change = {"role": "scheduler"}
    assert client.patch(account, json=change, headers=admin | {"If-Match": version}).status_code == 200
    statuses = [client.get("/v1/sessions/current", headers=bearer(link["secret"])).status_code for link in (made, other)]
    assert statuses == [401, 200]


def test_a_link_does_no_more_than_its_maker_may(client: TestClient, as_role: Any) -> None:
    path = f"/v1/visits/{OWN}/links"
    by_clinician = bearer(client.post(path, json={}, headers=as_role("clinician")).json()["secret"])
    by_scheduler = bearer(client.post(path, json={}, headers=as_role("scheduler")).json()["secret"])
    booking = f"/v1/visits/{OWN}/booking"
    assert client.delete(booking, headers=by_clinician).status_code == 403  # a clinician may not call a visit off
    assert client.delete(booking, headers=by_scheduler).status_code != 403
    assert client.get(f"/v1/visits/{OWN}", headers=by_clinician).status_code == 200


def test_one_network_that_goes_on_guessing_for_days_locks_out_no_other(context: AppContext, clock: Clock) -> None:
    for _ in range(2 * EVERYWHERE):
        guess(context, ELSEWHERE, 3)
        clock.pass_by(minutes=context.settings.lock_minutes + 1)
    assert comes_in(context, "203.0.113.9")
