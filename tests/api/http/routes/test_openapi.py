"""The service answers as its OpenAPI document says, whoever asks for whatever: no defect, and nothing that is not described."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.drawn import Kept, KeptOnPostgresql, KeptOnSqlite, Rewinding, Sending, sample_of
from support.postgres import MIGRATED, PostgresServer
from support.samples import world
from support.service import CHEAP

from api.access import passwords
from api.access.table import ACCESS, Access
from api.fhir.serving import DIRECTORY_LISTS
from api.runtime.exceptions import Conflict
from api.store.queries import plans

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass
class Service:
    """A service whose state may be set back, and what it says of itself."""

    begin: Rewinding
    now: Rewinding
    document: Any

    def hold_to_its_word(self, line: Access, examples: int) -> None:
        """Send requests of a route, each by everybody, and hold the answers against the document."""
        self.begin.set_back()
        sending = Sending(self.begin.here, line, self.document[line.path][line.method])
        self.now.keep()

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=sending.cases())
        def conforms(case: schemathesis.Case) -> None:
            for role in sending.everybody:
                answer = sending.send(case, role)
                if answer.status_code < 400 and line.method != "GET":
                    self.now.set_back()
                case.validate_response(answer, checks=CHECKS)

        conforms()


@contextmanager
def opened(url: str, kept: Callable[[], Kept], months: bool) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch, world(url, months) as here:
        patch.setattr(passwords, "_hasher", CHEAP)
        with Rewinding(here, kept()) as begin, Rewinding(here, kept()) as now:
            document = here.desk.client.get("/openapi.json").json()
            yield Service(begin, now, schemathesis.openapi.from_dict(document))


Services = Callable[[Access], Service]
"""Gives the service to which a route's requests are sent: with a published week, or over months."""


@pytest.fixture(scope="module")
def services(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    files = [tmp_path_factory.mktemp(name) / "store.db" for name in ("week", "months")]
    with ExitStack() as stack:
        worlds = []
        for file, months in zip(files, (False, True), strict=True):
            shutil.copyfile(migrated_file, file)
            worlds.append(stack.enter_context(opened(f"sqlite:///{file}", partial(KeptOnSqlite, str(file)), months)))
        yield lambda line: worlds[sample_of(line).months]


@pytest.fixture(scope="module")
def services_on_postgresql(postgres: PostgresServer) -> Iterator[Services]:
    with ExitStack() as stack:
        worlds = []
        for name, months in (("drawn-week", False), ("drawn-months", True)):
            url = postgres.create(name, MIGRATED)
            stack.callback(postgres.drop, name)
            worlds.append(stack.enter_context(opened(url, partial(KeptOnPostgresql, postgres, name), months)))
        yield lambda line: worlds[sample_of(line).months]


ALIKE = tuple(f"/fhir/r4/{kind}" for kind in DIRECTORY_LISTS)
"""Where all routes are made by the same functions as those of other types of resources."""


def describe(line: Access) -> Any:
    """Return a line as a parameter of a test; what is like others is for a long night."""
    marks = [pytest.mark.heavy] if line.path.startswith(ALIKE) else []
    return pytest.param(line, marks=marks, id=f"{line.method} {line.path}")


@pytest.mark.parametrize("examples", [3, pytest.param(100, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("line", [describe(line) for line in ACCESS])
def test_every_answer_is_described(services: Services, line: Access, examples: int) -> None:
    services(line).hold_to_its_word(line, examples)


@pytest.mark.heavy
@pytest.mark.parametrize("line", ACCESS, ids=lambda line: f"{line.method} {line.path}")
def test_every_answer_is_described_on_postgresql(services_on_postgresql: Services, line: Access) -> None:
    services_on_postgresql(line).hold_to_its_word(line, 20)


def line_of(method: str, path: str) -> Access:
    return next(line for line in ACCESS if (line.method, line.path) == (method, path))


def found(services: Services, line: Access) -> set[str]:
    """Return which kinds of failures are found at a route."""
    with pytest.raises(FailureGroup) as failed:
        services(line).hold_to_its_word(line, 20)
    return {type(one).__name__ for one in failed.value.exceptions}


def test_a_defect_is_found(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "get_publication", lambda *_: None)
    assert found(services, line_of("GET", "/v1/publications/{publication}")) == {"ServerError", "UndefinedStatusCode"}


def test_a_refusal_that_is_not_described_is_found(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Conflict("not today")

    monkeypatch.setattr(plans, "get_publication", refuse)
    assert found(services, line_of("GET", "/v1/publications/{publication}")) == {"UndefinedStatusCode"}


def test_an_answer_of_another_form_is_found(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.http.routes import plans as routes

    monkeypatch.setattr(routes.Publication, "of", lambda *_, **__: {"id": "first"})
    assert found(services, line_of("GET", "/v1/publications/{publication}")) == {"JsonSchemaError"}
