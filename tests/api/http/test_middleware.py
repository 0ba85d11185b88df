"""What goes around requests: problems, headers, figures, and logs that tell nothing of patients."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from support.service import bearer

from api.context import AppContext
from api.http.app import Application, create_app
from api.http.errors import DEFECT, FHIR_MEDIA_TYPE, PROBLEMS, get_problem_type, is_fhir, make_problem
from api.runtime.exceptions import Conflict, ErrorDetail, RulesBroken, ServiceError
from api.runtime.logs import JsonLines
from api.runtime.settings import Settings, read_settings
from api.store.errors import AlreadyThere, DoubleBooked, NaiveTime, StoreBusy
from scheduling.errors import ClinicweaveError, Fault, InvalidFile, ModelInvalid, RuleBroken

PATIENT = "Quin Patient"


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Return what is logged, as it is written."""
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Keep()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "api")}
    logger.addHandler(handler)
    logging.getLogger("api").setLevel("INFO")
    yield written
    logger.removeHandler(handler)
    logging.getLogger("api").setLevel(levels["api"])


def tree(root: type[ClinicweaveError]) -> set[type[ClinicweaveError]]:
    return {root}.union(*(tree(kind) for kind in root.__subclasses__()))


def test_every_refusal_is_the_callers_affair_and_every_defect_is_ours() -> None:
    statuses = {kind: get_problem_type(kind.__new__(kind)).status for kind in tree(ClinicweaveError)}
    assert all(400 <= status < 500 or status == 503 for kind, status in statuses.items() if issubclass(kind, ServiceError))
    assert {statuses[kind] for kind in (RuleBroken, ModelInvalid, NaiveTime)} == {500}
    assert (statuses[DoubleBooked], statuses[AlreadyThere], statuses[StoreBusy]) == (409, 409, 503)
    assert len({kind.name for kind in PROBLEMS.values()}) == len(set(PROBLEMS.values()))


def test_a_problem_names_rule_path_and_detail() -> None:
    request = Request({"type": "http", "headers": [], "state": {"request_id": "r"}})
    details = [ErrorDetail("closed then", rule="closure", path="start"), ErrorDetail("busy then", rule="busy")]
    answer = make_problem(request, RulesBroken("two rules are broken", details))
    assert (answer.status_code, answer.media_type) == (409, "application/problem+json")
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:problem-type:clinicweave:rules-broken",
        "title": "It would break rules",
        "status": 409,
        "detail": "two rules are broken",
        "instance": "urn:uuid:r",
        "errors": [
            {"rule": "closure", "path": "start", "detail": "closed then"},
            {"rule": "busy", "detail": "busy then"},
        ],
    }


def test_a_file_with_faults_names_each_place() -> None:
    request = Request({"type": "http", "headers": [], "state": {}})
    answer = make_problem(request, InvalidFile("body", [Fault("visits[1].service", "unknown")] * 60))
    problem = json.loads(bytes(answer.body))
    assert (problem["status"], len(problem["errors"]), problem["errors"][0]["path"]) == (422, 50, "visits[1].service")


def test_a_defects_own_words_stay_inside() -> None:
    answer = make_problem(Request({"type": "http", "headers": [], "state": {}}), ModelInvalid(PATIENT))
    assert answer.status_code == DEFECT.status and PATIENT not in bytes(answer.body).decode()


def test_an_unforeseen_error_is_a_problem_and_its_text_goes_nowhere(
    context: AppContext, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    def break_down() -> None:
        raise ValueError(PATIENT)

    monkeypatch.setattr(context.metrics, "text", break_down)
    client = TestClient(create_app(context))
    token = client.post("/v1/sessions", json={"name": "admin", "password": "a long pass phrase"}).json()["token"]
    answer = client.get("/metrics", headers=bearer(token))
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:problem-type:clinicweave:defect")
    assert answer.headers["x-frame-options"] == "DENY"
    assert PATIENT not in answer.text + "".join(lines)
    defect = next(json.loads(line) for line in lines if '"defect"' in line)
    assert defect["error"]["kind"] == "ValueError" and defect["error"]["frames"][-1].endswith(" break_down")
    assert answer.json()["instance"] == f"urn:uuid:{defect['request']}" == f"urn:uuid:{answer.headers['x-request-id']}"


@pytest.mark.parametrize("path", ["/healthz", "/v1/accounts", "/nowhere", "/openapi.json"])
def test_every_answer_keeps_browsers_safe_and_caches_empty(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    assert "strict-transport-security" not in headers and "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("PATCH", "/healthz", 405), ("X", "/healthz", 405)]
)
def test_what_is_no_route_is_a_problem_too(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"port": 8731}, "http://127.0.0.1:8731"),
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"port": 8731, "public_url": "https://clinic.example"}, "https://clinic.example"),
    ],
)
def test_the_address_that_links_begin_with_is_the_one_that_is_served(given: dict[str, Any], address: str) -> None:
    assert read_settings(**given).public_url == address


def test_a_body_that_is_too_long_is_refused(make: Any, settings: Settings) -> None:
    client = TestClient(create_app(make(settings.model_copy(update={"max_body_bytes": 1000}))))
    assert client.post("/v1/sessions", json={"name": "x" * 1000, "password": "x"}).status_code == 413


def test_what_was_sent_is_not_echoed(client: TestClient) -> None:
    answer = client.post("/v1/sessions", json={"name": "n", "password": "p", PATIENT: PATIENT})
    assert answer.status_code == 422 and answer.text.count(PATIENT) == 1  # the place of the fault, once


def test_requests_are_logged_by_route_and_not_by_address(client: TestClient, as_role: Any, lines: list[str]) -> None:
    client.get("/v1/accounts/quin-patient", headers=as_role("admin"))
    line = json.loads(lines[-1])
    assert (line["route"], line["status"], line["role"], line["problem"]) == ("/v1/accounts/{account}", 404, "admin", "unknown")
    client.get("/v1/accounts?quin-patient=quin-patient", headers=as_role("admin"))
    line = json.loads(lines[-1])
    assert (line["route"], line["status"], line["problem"]) == ("/v1/accounts", 422, "invalid")
    assert "quin-patient" not in "".join(lines)


def test_of_other_libraries_only_the_place_is_logged(lines: list[str]) -> None:
    logging.getLogger("library").error("cannot store %s", PATIENT)
    line = json.loads(lines[-1])
    assert (line["logger"], line["level"]) == ("library", "error") and "test_middleware" in line["at"]
    assert PATIENT not in lines[-1]


def test_figures_count_requests_by_route(client: TestClient, as_role: Any) -> None:
    client.get("/nowhere/at-all")
    client.request("ODD", "/odd")
    text = client.get("/metrics", headers=as_role("admin")).text
    assert 'clinicweave_request_seconds_count{method="none",route="none",status="404"} 2.0' in text
    assert 'clinicweave_problems_total{kind="not-found"} 2.0' in text
    assert "at-all" not in text


def test_openapi_tells_roles_problems_and_examples(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/v1/visits/{visit}/links"]["post"]
    assert operation["x-roles"] == {"scheduler": "any", "clinician": "own"}
    assert {"201", "401", "403", "404", "422", "429", "503"} <= set(operation["responses"])
    assert "security" not in document["paths"]["/healthz"]["get"]
    assert [where for where, content in told(document) if not has_example(document, content)] == []


def told(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield what OpenAPI says of each route's body and of its answer when all is well, by media type.

    Resources of FHIR are described by the CapabilityStatement and by the standard's own examples.
    """
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts = [operation.get("requestBody", {})] + [
                answer for status, answer in operation["responses"].items() if status < "300"
            ]
            for kind, content in (pair for part in parts for pair in part.get("content", {}).items()):
                if kind != FHIR_MEDIA_TYPE and not (is_fhir(path) and "json" in kind):
                    yield f"{method} {path} {kind}", content


def has_example(document: Any, content: Any) -> bool:
    schema = content.get("schema", {})
    schemas = [schema, *schema.get("anyOf", ())]
    schemas += [document["components"]["schemas"].get(part.get("$ref", "").rpartition("/")[2], {}) for part in schemas]
    return "example" in content or any("examples" in part for part in schemas)


def test_what_anybody_may_ask_for_is_written_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [client.get(path).content for path in ("/openapi.json", "/docs")]
    monkeypatch.setattr(Application, "openapi", None)
    assert [client.get(path).content for path in ("/openapi.json", "/docs")] == told


def test_a_conflict_is_what_an_unnamed_refusal_is() -> None:
    assert get_problem_type(ServiceError("no")) == get_problem_type(Conflict("no"))


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("clinic.example", "/openapi.json", 200),
        ("CLINIC.example:8443", "/openapi.json", 200),
        ("localhost:8000", "/openapi.json", 200),
        ("evil.example", "/openapi.json", 421),
        ("clinic.example.evil.example", "/v1/accounts", 421),
        ("[", "/openapi.json", 421),
        ("10.0.0.7:8000", "/readyz", 200),
    ],
)
def test_a_host_that_is_not_ours_is_refused(make: Any, settings: Settings, host: str, path: str, status: int) -> None:
    client = TestClient(create_app(make(settings.model_copy(update={"public_url": "https://clinic.example"}))))
    assert client.get(path, headers={"host": host}).status_code == status


def test_on_one_machine_alone_any_host_is_taken(client: TestClient) -> None:
    assert client.get("/openapi.json", headers={"host": "evil.example"}).status_code == 200
    answer = client.post("/v1/sessions", json={}, headers={"host": "[", "origin": "http://evil.example"})
    assert answer.status_code == 421
