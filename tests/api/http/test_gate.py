"""Who is let where: the table is whole, every route stands behind the gate, and the gate does what the table says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import anyio
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from support.service import FOREIGN, OWN, bearer, denials

from api.access.actor import AccessRole
from api.access.owners import OWNERS
from api.access.table import ACCESS, Access, Scope
from api.context import AppContext
from api.http import gate
from api.http.app import create_app
from api.http.errors import is_fhir
from api.http.gate import COOKIE, GuardedRoute, make_router
from api.http.routes import ROUTERS, accounts
from api.store.queries import episodes
from api.store.queries.episodes import Origin
from api.store.tables import OutsideCalendarRow
from scheduling.care.episodes import Episode, Event

GUARDED = [line for line in ACCESS if not line.public]
NOBODYS = dict.fromkeys((name for line in ACCESS for name in line.named_in_path), "nobody")
OWNED = {"visit": OWN, "patient": "pat", "provider": "ana", "outside": "of-ana", "episode": "of-pat"}
ID = NOBODYS | OWNED | {"publication": "1"}
LEAVING = {("DELETE", "/v1/sessions/current"), ("POST", "/me/leaving")}

Headers = Callable[[str], dict[str, str]]


def ask(client: TestClient, line: Access, headers: dict[str, str], ids: dict[str, str] = ID) -> Any:
    """Send the emptiest request of a line: whatever it is answered behind the gate, it came so far."""
    return client.request(line.method, line.path.format_map(ids), headers=headers, json={} if line.method != "GET" else None)


def get_media_type(line: Access) -> str:
    """Return in what form a line refuses."""
    return "application/fhir+json" if is_fhir(line.path) else "application/problem+json"


def own_feed(client: TestClient, headers: dict[str, str]) -> str:
    """Subscribe, and return the feed's id; of a role that cannot, nobody's."""
    answer = client.post("/v1/feeds", json={"kind": "provider", "subject": "ana"}, headers=headers)
    return str(answer.json()["id"]) if answer.status_code == 201 else "nobody"


@pytest.fixture(autouse=True)
def calendar_of_ana(context: AppContext) -> None:
    """Let ana have two calendars elsewhere."""
    now = context.clock()
    with context.database.writing() as session:
        for name in ("of-ana", "of-ana-too"):
            session.add(
                OutsideCalendarRow(id=name, provider_id="ana", name="at home", due_at=now, created_by="ana", created_at=now)
            )


@pytest.fixture(autouse=True)
def care_of_pat(context: AppContext) -> None:
    """Let pat, whom ana sees, be on a pathway."""
    referred = Event(kind="referred", known=datetime(2026, 11, 30, 8), date=date(2026, 11, 30))  # noqa: DTZ001
    care = Episode(id="of-pat", pathway="follow-up", patient="pat", priority="routine", history=(referred,))
    with context.database.writing() as session:
        episodes.add(session, [(care, Origin("follow-up"))], context.clock())


@pytest.mark.parametrize("role", list(AccessRole))
def test_each_role_gets_through_to_exactly_what_the_table_lets_it(
    client: TestClient, as_role: Headers, role: AccessRole
) -> None:
    headers = as_role(role)
    ids = ID | {"feed": own_feed(client, headers)}
    through = set()
    if role in (AccessRole.SCHEDULER, AccessRole.CLINICIAN):
        ids["link"] = client.post(f"/v1/visits/{OWN}/links", json={}, headers=headers).json()["id"]
    # What ends the calendar elsewhere or the session comes last.
    for line in sorted(GUARDED, key=lambda line: ((line.method, line.path) in LEAVING, line.path.startswith("/me/"))):
        if (line.method, line.path) in LEAVING and role != AccessRole.SYSTEM:
            headers = as_role(role)
        named = ids | {"outside": "of-ana-too"} if line.path.startswith("/me/") else ids
        if ask(client, line, headers, named).status_code not in (401, 403):
            through.add((line.method, line.path))
    assert through == {(line.method, line.path) for line in GUARDED if role in line.roles}


@pytest.mark.parametrize("line", GUARDED, ids=lambda line: f"{line.method} {line.path}")
def test_nobody_gets_through_without_a_credential(client: TestClient, context: AppContext, line: Access) -> None:
    before = len(denials(context.database))
    answer = ask(client, line, {})
    assert (answer.status_code, answer.headers["content-type"]) == (401, get_media_type(line))
    assert answer.headers["www-authenticate"].startswith("Bearer")
    (denial,) = denials(context.database)[before:]
    assert (denial.actor, denial.action) == ("unknown", f"{line.method} {line.path}")


def test_a_clinician_makes_links_for_own_visits_only(client: TestClient, context: AppContext, as_role: Headers) -> None:
    headers = as_role("clinician")
    assert client.post(f"/v1/visits/{OWN}/links", json={}, headers=headers).status_code == 201
    foreign = client.post(f"/v1/visits/{FOREIGN}/links", json={}, headers=headers)
    unknown = client.post("/v1/visits/no-visit/links", json={}, headers=headers)
    assert (foreign.status_code, unknown.status_code) == (403, 403)
    same = ("type", "title", "status", "detail", "errors")
    assert [foreign.json()[part] for part in same] == [unknown.json()[part] for part in same]
    assert [(row.role, row.object_kind, row.object_id) for row in denials(context.database)] == [
        ("clinician", "visit", FOREIGN),
        ("clinician", "visit", "no-visit"),
    ]


def test_without_the_question_whose_it_is_the_foreign_visit_is_reached(
    client: TestClient, as_role: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = as_role("clinician")
    monkeypatch.setattr(gate, "is_own", lambda *_: True)
    assert client.post(f"/v1/visits/{FOREIGN}/links", json={}, headers=headers).status_code == 201


def test_ids_in_a_body_must_be_own_too(context: AppContext, client: TestClient, as_role: Headers) -> None:
    line = Access(
        "POST", "/v1/asks", {AccessRole.CLINICIAN: Scope.OWN}, body=(("patient", "patient"), ("links[].before", "visit"))
    )
    token = as_role("clinician")["Authorization"].split()[1]

    def admitted(*ids: tuple[str, str]) -> bool:
        try:
            gate.admit(context, line, gate.AccessRequest("here", token, None, False, ids))
        except gate.Forbidden:
            return False
        return True

    assert admitted(("patient", "pat"), ("visit", OWN))
    assert not admitted(("patient", "quin"), ("visit", OWN))
    assert not admitted(("patient", "pat"), ("visit", OWN), ("visit", FOREIGN))
    assert not admitted(("patient", "pat"), ("plan", "of-no-owner"))
    assert admitted()


def test_a_body_that_is_no_json_is_first_asked_who_brings_it(client: TestClient, as_role: Headers) -> None:
    headers = {"content-type": "application/json"}
    assert client.post("/v1/accounts", content=b"{", headers=headers).status_code == 401
    assert client.post("/v1/accounts", content=b"{", headers=headers | as_role("scheduler")).status_code == 403
    assert client.post("/v1/accounts", content=b"{", headers=headers | as_role("admin")).status_code == 422


def streamed(app: FastAPI, line: Access, headers: dict[str, str], chunk: bytes, most: int = 400) -> tuple[int, int, str]:
    """Send a body of so many chunks without saying its length; return the status, the bytes read, and the media type."""
    read, told = 0, {}

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": read < most * len(chunk)}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.update({name: value.decode() for name, value in message["headers"]}, status=message["status"])

    path = line.path.format_map(ID)
    sent = {"content-type": "application/json"} | {name.lower(): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": line.method,
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    anyio.run(app, scope, receive, send)
    return int(told["status"]), read, told.get(b"content-type", "")  # a redirect has no body, and no type of one


WITH_BODY = [line for line in ACCESS if line.method in ("POST", "PUT", "PATCH")]


@pytest.mark.parametrize("line", [line for line in WITH_BODY if not line.public], ids=lambda line: f"{line.method} {line.path}")
def test_nothing_of_a_body_is_read_before_it_is_known_who_asks(context: AppContext, as_role: Headers, line: Access) -> None:
    app = create_app(context)
    assert streamed(app, line, {}, b"[")[:2] == (401, 0)
    if other := next((role for role in AccessRole if role not in line.roles), None):
        assert streamed(app, line, as_role(other), b"[")[:2] == (403, 0)


@pytest.mark.parametrize("line", WITH_BODY, ids=lambda line: f"{line.method} {line.path}")
def test_no_more_of_a_body_is_read_than_its_route_takes(context: AppContext, as_role: Headers, line: Access) -> None:
    chunk = b"[" * 64 * 1024
    routes = [route for route in create_app(context).routes if isinstance(route, GuardedRoute)]
    route = next(route for route in routes if (line.path, {line.method}) == (route.path, route.methods))
    headers = {} if line.public else as_role(max(line.roles, key=lambda role: line.roles[role] is Scope.ANY))
    answered, read, kind = streamed(create_app(context), line, headers, chunk)
    if route.body_field is not None or read:  # some read a body by themselves
        assert (answered, kind) == (413, get_media_type(line))
        assert read <= route.max_body_bytes + len(chunk)


def test_a_body_that_says_that_it_is_too_long_is_not_read(client: TestClient, as_role: Headers) -> None:
    headers = as_role("scheduler") | {"content-type": "application/octet-stream"}
    answer = client.post("/v1/intake/spreadsheets", content=b"x" * 5_000_001, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert "5,000,000 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("line", GUARDED, ids=lambda line: f"{line.method} {line.path}")
def test_a_query_parameter_that_a_route_does_not_know_is_refused(client: TestClient, as_role: Headers, line: Access) -> None:
    headers = as_role(max(line.roles, key=lambda role: line.roles[role] is Scope.ANY))
    path = line.path.format_map(ID | {"feed": own_feed(client, headers)})
    answer = client.request(line.method, f"{path}?no_such=1&limit_=2", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, get_media_type(line))
    told = answer.json()
    places = (
        [issue["expression"][0] for issue in told["issue"]]
        if is_fhir(line.path)
        else [fault["path"] for fault in told["errors"]]
    )
    assert places == ["query.limit_", "query.no_such"]
    assert client.request(line.method, path, headers=headers).text.count("unknown parameter") == 0


def test_a_parameter_that_is_known_elsewhere_is_refused_and_the_own_ones_are_named(
    client: TestClient, as_role: Headers
) -> None:
    answer = client.get("/v1/scenarios?patient=pat", headers=as_role("scheduler"))
    assert answer.json()["errors"] == [{"path": "query.patient", "detail": "is an unknown parameter; one of cursor, limit"}]


def test_public_addresses_take_the_parameters_of_other_programs(client: TestClient) -> None:
    assert client.get("/healthz?probe=7").status_code == 200


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_body_nested_without_end_is_refused(client: TestClient, as_role: Headers, opening: bytes) -> None:
    headers = {"content-type": "application/json"}
    for path, who in (("/v1/sessions", {}), ("/v1/referrals", as_role("clinician")), ("/v1/scenarios", as_role("scheduler"))):
        assert client.post(path, content=opening * 40_000, headers=headers | who).status_code in (400, 422)


@pytest.mark.parametrize("body", [b"1" * 5_000, b'{"patient": ' + b"1" * 5_000 + b"}"])
def test_a_number_of_thousands_of_digits_is_refused(client: TestClient, as_role: Headers, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    for path, role in (("/v1/intake", "clinician"), ("/v1/referrals", "clinician"), ("/v1/scenarios", "scheduler")):
        assert client.post(path, content=body, headers=headers | as_role(role)).status_code in (400, 422)


def test_what_a_header_counts_may_have_thousands_of_digits(client: TestClient, as_role: Headers) -> None:
    headers = as_role("scheduler")
    plan = client.post("/v1/plans", json={"scenario": "test-week", "seconds": 1}, headers=headers).json()["id"]
    events = client.get(f"/v1/plans/{plan}/events", headers=headers | {"last-event-id": "9" * 5_000})
    tagged = client.patch("/v1/patients/pat", json={}, headers=headers | {"if-match": f'"{"9" * 5_000}.x"'})
    assert (events.status_code, tagged.status_code) == (422, 412)
    line = next(line for line in ACCESS if (line.method, line.path) == ("POST", "/v1/plans"))
    long = headers | {"content-length": "9" * 5_000}
    assert streamed(create_app(client.app.state.context), line, long, b"x")[0] == 413  # type: ignore[attr-defined]


def test_every_kind_that_own_lines_name_in_the_path_has_an_owner() -> None:
    lines = [line for line in ACCESS if Scope.OWN in line.roles.values()]
    assert lines and all(set(line.named_in_path) <= set(OWNERS) for line in lines)


def test_a_route_that_the_table_does_not_have_cannot_be_made() -> None:
    with pytest.raises(LookupError, match="GET /v1/secret is not in the access table"):
        make_router("test").get("/v1/secret")(lambda: None)


def test_a_route_around_the_gate_is_not_put_together(context: AppContext) -> None:
    around = APIRouter()
    around.get("/healthz")(lambda: None)
    with pytest.raises(LookupError, match="/healthz goes around the gate"):
        create_app(context, (*ROUTERS, around))


def test_a_line_without_route_is_not_put_together(context: AppContext) -> None:
    with pytest.raises(LookupError, match="/v1/accounts"):
        create_app(context, [router for router in ROUTERS if router is not accounts.router])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 200),
        ({"origin": "http://testserver"}, 200),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, 403),
    ],
)
def test_a_cookie_is_good_for_our_own_pages(client: TestClient, log_in: Any, headers: dict[str, str], status: int) -> None:
    cookie = {"cookie": f"{COOKIE}={log_in('admin').json()['token']}"}
    assert client.post("/v1/accounts", json={}, headers=cookie | headers).status_code == (422 if status == 200 else status)
    assert client.get("/v1/accounts", headers=cookie | headers).status_code == 200


def test_a_token_may_come_from_anywhere(client: TestClient, as_role: Headers) -> None:
    headers = as_role("admin") | {"origin": "https://elsewhere.example"}
    assert client.post("/v1/accounts", json={}, headers=headers).status_code == 422


@pytest.mark.parametrize("secret", ["", "cws_", "cwt_x", "cwl_x", "cwl_x.y", "x" * 10_000, "cws_\u00e9"])
def test_what_is_no_credential_is_none(client: TestClient, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}".encode("latin-1")}
    assert client.get("/v1/accounts", headers=headers).status_code == 401


def test_a_nul_character_is_refused_before_the_database_meets_it(client: TestClient, as_role: Headers) -> None:
    headers = as_role("admin")
    answers = [
        client.get("/v1/accounts/%00", headers=headers),
        client.get("/v1/accounts?cursor=%00", headers=headers),
        client.post("/v1/accounts", json={"name": "\x00", "role": "admin"}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422]


def test_half_a_character_is_refused_before_the_database_meets_it(client: TestClient, as_role: Headers) -> None:
    headers = as_role("admin") | {"content-type": "application/json"}
    body = rb'{"name": "half", "role": "admin", "subject": "\ud800"}'
    assert client.post("/v1/accounts", content=body, headers=headers).status_code == 422


def test_a_lent_secret_of_another_kind_opens_nothing(client: TestClient, as_role: Headers) -> None:
    session = as_role("admin")["Authorization"].split()[1]
    assert client.get("/v1/accounts", headers=bearer(session.replace("cws_", "cwt_"))).status_code == 401
