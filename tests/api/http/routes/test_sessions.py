"""Coming in and staying in: passwords, sessions, tokens and links, and how each of them ends."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.service import FOREIGN, OWN, PASSWORD, Clock, bearer, denials

from api.access.credentials import hash_secret
from api.access.identity import USE_NOTED_EVERY
from api.context import AppContext
from api.http.app import create_app
from api.runtime.settings import Settings
from api.store.audit import list_entries
from api.store.queries import accounts
from api.store.tables import AccountRow, PatientLinkRow, SessionRow, TokenRow

WHO = "/v1/sessions/current"


def status(client: TestClient, secret: str) -> int:
    """Return what somebody with a secret is answered."""
    return client.get(WHO, headers=bearer(secret)).status_code


def account_id(client: TestClient, headers: dict[str, str], name: str) -> str:
    listed = client.get("/v1/accounts", headers=headers).json()["items"]
    return str(next(one["id"] for one in listed if one["name"] == name))


def change(client: TestClient, headers: dict[str, str], name: str, **changes: Any) -> Any:
    path = f"/v1/accounts/{account_id(client, headers, name)}"
    version = client.get(path, headers=headers).headers["etag"]
    return client.patch(path, json=changes, headers=headers | {"If-Match": version})


def test_the_right_password_begins_a_session(client: TestClient, log_in: Any) -> None:
    begun = log_in("clinician")
    assert (begun.status_code, begun.json()["role"], begun.json()["expires_at"]) == (201, "clinician", "2026-12-01T02:00:00Z")
    who = client.get(WHO, headers=bearer(begun.json()["token"])).json()
    assert (who["role"], who["provider"], who["visit"]) == ("clinician", "ana", None)


def test_the_cookie_is_kept_from_scripts_and_other_sites(make: Any, settings: Settings) -> None:
    context = make(settings.model_copy(update={"public_url": "https://clinic.example"}))
    client = TestClient(create_app(context), base_url="https://clinic.example")
    begun = client.post("/v1/sessions", json={"name": "admin", "password": PASSWORD})
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= set(begun.headers["set-cookie"].split("; "))
    assert begun.headers["set-cookie"].startswith("__Host-") and "Path=/" in begun.headers["set-cookie"]
    assert begun.headers["strict-transport-security"].startswith("max-age=")
    assert client.get(WHO).json()["role"] == "admin"
    assert client.delete(WHO, headers={"sec-fetch-site": "same-origin"}).status_code == 204
    assert client.get(WHO).status_code == 401


def test_a_wrong_name_reads_like_a_wrong_password(client: TestClient, context: AppContext, log_in: Any) -> None:
    wrong, unknown = log_in("admin", "not the pass phrase"), log_in("nobody")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert [row.actor for row in denials(context.database)][1:] == ["unknown"]
    assert "nobody" not in str([row.model_dump() for row in denials(context.database)])


def test_only_hashes_are_kept(context: AppContext, client: TestClient, log_in: Any, as_role: Any) -> None:
    session = log_in("admin").json()["token"]
    path = f"/v1/accounts/{account_id(client, bearer(session), 'admin')}/tokens"
    token = client.post(path, json={"name": "report"}, headers=bearer(session)).json()["secret"]
    link = as_role("patient")["Authorization"].split()[1]
    with context.database.reading() as reading:
        kept = str(
            [
                list(reading.connection().exec_driver_sql(f"SELECT * FROM {table.__tablename__}"))
                for table in (AccountRow, SessionRow, TokenRow, PatientLinkRow)
            ]
        )
    assert not any(secret in kept for secret in (session, token, link.split(".")[1], PASSWORD))
    assert "$argon2id$" in kept


def test_a_session_ends_at_once_when_logged_out(client: TestClient, log_in: Any) -> None:
    mine, other = log_in("admin").json()["token"], log_in("admin").json()["token"]
    assert client.delete(WHO, headers=bearer(mine)).status_code == 204
    assert (status(client, mine), status(client, other)) == (401, 200)


def test_an_idle_session_ends(client: TestClient, clock: Clock, log_in: Any) -> None:
    token = log_in("admin").json()["token"]
    clock.pass_by(minutes=29.99)
    assert status(client, token) == 200
    clock.pass_by(minutes=29.99)
    assert status(client, token) == 200
    clock.pass_by(minutes=30)
    assert status(client, token) == 401


def test_a_session_in_use_ends_by_its_age(client: TestClient, clock: Clock, log_in: Any) -> None:
    token = log_in("admin").json()["token"]
    for _ in range(12 * 4 - 1):
        clock.pass_by(minutes=15)
        assert status(client, token) == 200
    clock.pass_by(minutes=15)
    assert status(client, token) == 401


def test_use_is_written_down_once_a_minute(client: TestClient, context: AppContext, clock: Clock, log_in: Any) -> None:
    token = log_in("admin").json()["token"]

    def seen() -> Any:
        with context.database.reading() as session:
            found = accounts.find_session(session, hash_secret(token))
            assert found is not None
            return found[0].last_seen_at

    begun = seen()
    clock.pass_by(seconds=USE_NOTED_EVERY.total_seconds() - 1)
    assert status(client, token) == 200 and seen() == begun
    clock.pass_by(seconds=1)
    assert status(client, token) == 200 and seen() == clock.now


@pytest.mark.parametrize("changes", [{"active": False}, {"role": "admin"}, {"password": "quite another phrase"}])
def test_a_changed_account_must_log_in_again(client: TestClient, log_in: Any, as_role: Any, changes: dict[str, Any]) -> None:
    token = log_in("scheduler").json()["token"]
    assert change(client, as_role("admin"), "scheduler", **changes).status_code == 200
    assert status(client, token) == 401
    expected = 401 if set(changes) != {"role"} else 201
    assert log_in("scheduler").status_code == expected


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": "quite another phrase"}, {"new_password": True}),
        ({"second_factor": False, "unlock": True}, {"second_factor_dropped": True, "unlocked": True}),
        ({"role": "admin"}, {}),
    ],
)
def test_the_audit_says_by_what_an_admin_has_opened_an_account(
    client: TestClient, context: AppContext, as_role: Any, changes: dict[str, Any], told: dict[str, bool]
) -> None:
    assert change(client, as_role("admin"), "scheduler", **changes).status_code == 200
    with context.database.reading() as session:
        assert [row.detail for row in list_entries(session) if row.action == "account.change"] == [told]


def test_sessions_can_be_ended_by_an_admin(client: TestClient, log_in: Any, as_role: Any) -> None:
    token, headers = log_in("scheduler").json()["token"], as_role("admin")
    assert (
        client.delete(f"/v1/accounts/{account_id(client, headers, 'scheduler')}/sessions", headers=headers).status_code == 204
    )
    assert status(client, token) == 401


def test_the_last_admin_stays(client: TestClient, as_role: Any) -> None:
    headers = as_role("admin")
    assert change(client, headers, "admin", active=False).status_code == 409
    assert change(client, headers, "admin", role="scheduler").status_code == 409
    assert client.get(WHO, headers=headers).json()["role"] == "admin"


def test_a_password_is_changed_by_its_owner(client: TestClient, context: AppContext, log_in: Any) -> None:
    token = log_in("scheduler").json()["token"]
    path = f"{WHO}/password"
    wrong = {"present": "not the pass phrase", "wanted": "quite another phrase"}
    assert client.put(path, json=wrong, headers=bearer(token)).status_code == 401
    assert len(denials(context.database)) == 1
    assert client.put(path, json=wrong | {"present": PASSWORD}, headers=bearer(token)).status_code == 204
    assert (status(client, token), log_in("scheduler").status_code) == (401, 401)
    assert log_in("scheduler", "quite another phrase").status_code == 201


def test_an_account_rests_after_too_many_wrong_passwords(client: TestClient, clock: Clock, log_in: Any) -> None:
    for _ in range(10):
        assert log_in("scheduler", "not the pass phrase").status_code == 401
    clock.pass_by(minutes=14.9)
    assert log_in("scheduler").status_code == 401  # nor does trying make the rest longer
    clock.pass_by(minutes=0.1)
    assert log_in("scheduler").status_code == 201


def test_nobody_learns_by_trying_which_names_there_are(client: TestClient, context: AppContext, log_in: Any) -> None:
    def said(name: str) -> list[tuple[int, dict[str, Any], set[str]]]:
        answers = [log_in(name, "not the pass phrase") for _ in range(12)]
        return [(answer.status_code, answer.json() | {"instance": None}, set(answer.headers)) for answer in answers]

    assert said("scheduler") == said("nobody-here")
    assert len(denials(context.database)) == 24


def test_one_address_may_not_try_for_ever(make: Any, settings: Settings) -> None:
    client = TestClient(create_app(make(settings.model_copy(update={"log_ins_per_minute": 3}))))
    answers = [client.post("/v1/sessions", json={"name": f"n{n}", "password": "x"}).status_code for n in range(5)]
    guesses = [client.get(WHO, headers=bearer("cws_guess")).status_code for _ in range(5)]
    assert answers == guesses == [401, 401, 401, 429, 429]


def test_one_credential_may_not_ask_for_ever(make: Any, settings: Settings) -> None:
    client = TestClient(create_app(make(settings.model_copy(update={"requests_per_minute": 2}))))
    tokens = []
    for name in ("admin", "scheduler"):
        tokens.append(client.post("/v1/sessions", json={"name": name, "password": PASSWORD}).json()["token"])
    client.cookies.clear()
    assert [status(client, tokens[0]) for _ in range(3)] == [200, 200, 429]
    assert status(client, tokens[1]) == 200


def test_a_token_acts_for_its_account_until_ended(client: TestClient, clock: Clock, as_role: Any) -> None:
    headers = as_role("admin")
    path = f"/v1/accounts/{account_id(client, headers, 'clinician')}/tokens"
    first = client.post(path, json={"name": "report", "days": 1}, headers=headers).json()
    second = client.post(path, json={"name": "feed", "days": 2}, headers=headers).json()
    assert client.get(WHO, headers=bearer(first["secret"])).json()["provider"] == "ana"
    assert [set(item) for item in client.get(path, headers=headers).json()["items"]] == [
        {"id", "name", "expires_at", "revoked"}
    ] * 2
    assert client.delete(f"/v1/tokens/{first['id']}", headers=headers).status_code == 204
    assert (status(client, first["secret"]), status(client, second["secret"])) == (401, 200)
    clock.pass_by(days=2)
    assert status(client, second["secret"]) == 401


def test_a_closed_account_closes_its_tokens(client: TestClient, as_role: Any) -> None:
    headers = as_role("admin")
    path = f"/v1/accounts/{account_id(client, headers, 'clinician')}/tokens"
    secret = client.post(path, json={"name": "report"}, headers=headers).json()["secret"]
    change(client, headers, "clinician", active=False)
    assert status(client, secret) == 401
    change(client, headers, "clinician", active=True)
    assert status(client, secret) == 401


@pytest.mark.parametrize("changes", [{"role": "admin"}, {"provider": "ben"}], ids=["role", "provider"])
def test_a_token_does_not_act_for_what_its_account_has_become(
    client: TestClient, as_role: Any, changes: dict[str, Any]
) -> None:
    headers = as_role("admin")
    path = f"/v1/accounts/{account_id(client, headers, 'clinician')}/tokens"
    secret = client.post(path, json={"name": "report"}, headers=headers).json()["secret"]
    assert change(client, headers, "clinician", unlock=True).status_code == 200
    assert change(client, headers, "clinician", password="quite another phrase").status_code == 200
    assert status(client, secret) == 200
    assert change(client, headers, "clinician", **changes).status_code == 200
    assert status(client, secret) == 401
    assert [item["revoked"] for item in client.get(path, headers=headers).json()["items"]] == [True]


def test_a_link_opens_its_visit_until_it_ends(client: TestClient, clock: Clock, as_role: Any) -> None:
    headers = as_role("scheduler")
    links = [client.post(f"/v1/visits/{visit}/links", json={"days": 1}, headers=headers).json() for visit in (OWN, FOREIGN)]
    who = client.get(WHO, headers=bearer(links[0]["secret"])).json()
    assert (who["role"], who["visit"]) == ("patient", OWN)
    assert client.delete(f"/v1/links/{links[0]['id']}", headers=headers).status_code == 204
    assert (status(client, links[0]["secret"]), status(client, links[1]["secret"])) == (401, 200)
    clock.pass_by(days=1)
    assert status(client, links[1]["secret"]) == 401


def test_an_admin_sees_all_links_a_page_at_a_time_and_ends_one(client: TestClient, as_role: Any) -> None:
    scheduler, admin = as_role("scheduler"), as_role("admin")
    made = [client.post(f"/v1/visits/{visit}/links", json={}, headers=scheduler).json()["id"] for visit in (OWN, FOREIGN)]
    assert client.delete(f"/v1/links/{made[0]}", headers=admin).status_code == 204
    first = client.get("/v1/links?limit=1", headers=admin).json()
    rest = client.get("/v1/links", params={"cursor": first["next"]}, headers=admin).json()
    links = {link["id"]: (link["visit"], link["revoked"]) for link in (*first["items"], *rest["items"])}
    assert (len(first["items"]), rest["next"]) == (1, None)
    assert [links[identifier] for identifier in made] == [(OWN, True), (FOREIGN, False)]
    assert "secret" not in first["items"][0]


def test_a_links_signature_belongs_to_its_link(client: TestClient, as_role: Any) -> None:
    headers = as_role("scheduler")
    first, second = (client.post(f"/v1/visits/{OWN}/links", json={}, headers=headers).json() for _ in range(2))
    mixed = f"cwl_{first['id']}.{second['secret'].partition('.')[2]}"
    assert (status(client, mixed), status(client, first["secret"][:-1]), status(client, first["secret"])) == (401, 401, 200)


def test_a_link_of_another_key_opens_nothing(client: TestClient, context: AppContext, as_role: Any) -> None:
    secret = as_role("patient")["Authorization"].split()[1]
    assert status(client, secret) == 200
    context.signer = type(context.signer)(b"another key")
    assert status(client, secret) == 401


def test_no_link_is_made_for_a_visit_that_is_not_there(client: TestClient, as_role: Any) -> None:
    assert client.post("/v1/visits/none/links", json={}, headers=as_role("scheduler")).status_code == 404


@pytest.mark.parametrize(
    ("new", "place"),
    [
        ({"name": "x y", "role": "admin", "password": PASSWORD}, "name"),
        ({"name": "x", "role": "patient", "password": PASSWORD}, "role"),
        ({"name": "x", "role": "clinician", "password": PASSWORD}, "provider"),
        ({"name": "x", "role": "clinician", "provider": "nobody", "password": PASSWORD}, "provider"),
        ({"name": "x", "role": "admin", "provider": "ana", "password": PASSWORD}, "provider"),
        ({"name": "x", "role": "admin"}, "password"),
        ({"name": "x", "role": "admin", "subject": "s"}, "subject"),
        ({"name": "x", "role": "admin", "password": "too short"}, "body.password"),
        ({"name": "x", "role": "admin", "password": PASSWORD, "colour": "red"}, "body.colour"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused_by_its_place(
    client: TestClient, as_role: Any, new: dict[str, str], place: str
) -> None:
    answer = client.post("/v1/accounts", json=new, headers=as_role("admin"))
    assert (answer.status_code, [error["path"] for error in answer.json()["errors"]]) == (422, [place])


def test_accounts_come_a_page_at_a_time(client: TestClient, as_role: Any) -> None:
    headers, found, cursor = as_role("admin"), [], ""
    while cursor is not None:
        page = client.get("/v1/accounts", params={"limit": 2, "cursor": cursor}, headers=headers).json()
        assert len(page["items"]) <= 2
        found += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert sorted(found) == ["admin", "clinician", "scheduler"]


@pytest.mark.parametrize("cursor", ["!", "bm8", "W10", "WzFd", "WyIAIl0"])
def test_a_made_up_cursor_is_refused(client: TestClient, as_role: Any, cursor: str) -> None:
    answer = client.get("/v1/accounts", params={"cursor": cursor}, headers=as_role("admin"))
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "query.cursor")


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        (None, 428),
        ('"2.{}"', 412),
        ("1", 412),
        ('"1"', 412),
        ("1.{}", 412),
        ('W/"1.{}"', 412),
        ('"1.another"', 412),
        ("*", 412),
        ('"1.{}"', 200),
    ],
)
def test_a_change_says_which_version_it_changes(client: TestClient, as_role: Any, tag: str | None, status: int) -> None:
    headers = as_role("admin")
    path = f"/v1/accounts/{account_id(client, headers, 'scheduler')}"
    present = client.get(path, headers=headers).headers["etag"].strip('"').partition(".")[2]
    given = headers if tag is None else headers | {"If-Match": tag.format(present)}
    answer = client.patch(path, json={"active": False}, headers=given)
    assert answer.status_code == status
    now = client.get(path, headers=headers)
    assert (now.json()["active"], now.headers["etag"]) == (status != 200, f'"{2 if status == 200 else 1}.{present}"')
