"""Scenarios: taken in whole, read as they are asked for now, and what is added to them."""

from __future__ import annotations

import json
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Body, Path, Query, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged
from api.http.routes.examples import KPIS, LINK, PLAN, SCENARIO, VISIT, show_example
from api.reports.documents import to_document
from api.reports.kpis import compute_kpis
from api.services.care import requests
from api.services.clinic import scenarios
from scheduling.files import MAX_BYTES
from scheduling.plan import Plan
from scheduling.requests import Link
from scheduling.scenario import Scenario

router = make_router("scenarios")

Identifier = Annotated[str, Path(max_length=100)]

EXAMPLE: JsonDict = {"id": "week-7", "start": "2026-11-30", "end": "2026-12-07", "version": 3}


class Period(ResponseModel):
    """A scenario that was taken in; ``version`` grows with every change of what it asks for or of where things stand."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    start: date = Field(validation_alias="starts_on")
    end: date = Field(validation_alias="ends_on")
    version: int


class Periods(ResponseModel):
    """A page of scenarios."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[Period]
    next: str | None


class Added(ResponseModel):
    """The visits that were added."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"visits": ["visit-0900"]}]})

    visits: list[str]


class AskedVisit(ResponseModel):
    """A visit in a list: what it is, and whether it is asked for still."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "visit-0181",
                    "patient": "patient-0007",
                    "service": "followup",
                    "priority": "soon",
                    "state": "asked",
                    "tags": [],
                }
            ]
        }
    )

    id: str
    patient: str = Field(validation_alias="patient_id")
    service: str
    priority: str
    state: str
    tags: list[str]


class AskedVisits(ResponseModel):
    """A page of visits."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"id": "v", "patient": "p", "service": "followup", "priority": "soon", "state": "asked", "tags": []}
                    ],
                    "next": None,
                }
            ]
        }
    )

    items: list[AskedVisit]
    next: str | None


Tagged = Annotated[str | None, Query(max_length=60, description="Only of visits that carry this tag.")]
AnotherPatient = Annotated[
    bool, Query(description="Patients whose ids differ from known ones by case alone are really others.")
]
ScenarioDocument = Annotated[dict[str, Any], Body(examples=[SCENARIO], description="A scenario, as its file holds it.")]
AdditionDocument = Annotated[
    dict[str, Any],
    Body(examples=[VISIT, {"visits": [VISIT], "links": [], "patients": []}], description="One visit, or several together."),
]
ScenarioAnswer: dict[int | str, dict[str, Any]] = {**show_example(SCENARIO), **UNCHANGED}
PlanAnswer: dict[int | str, dict[str, Any]] = {**show_example(PLAN), **UNCHANGED}
LinkAnswer: dict[int | str, dict[str, Any]] = show_example(LINK, 201)
KpisAnswer: dict[int | str, dict[str, Any]] = {**show_example(KPIS), **UNCHANGED}


@router.post(
    "/v1/scenarios",
    status_code=HTTPStatus.CREATED,
    response_model=Period,
    responses=document_problems(409),
    max_body_size=MAX_BYTES,
)
def import_scenario(body: ScenarioDocument, call: Creating, another_patient: AnotherPatient = False) -> Response:
    """Take in a scenario: the clinic, the people, and what is asked for."""

    def act(session: Transaction) -> RouteResult:
        row = scenarios.import_scenario(session, call.actor, json.dumps(body), call.context.clock(), another_patient)
        return RouteResult(Period.of(row), HTTPStatus.CREATED, row.version, f"/v1/scenarios/{quote(row.id, safe='')}")

    return call.create(act)


@router.get("/v1/scenarios", response_model=Periods)
def list_scenarios(call: Reading, page: Paged) -> Response:
    """Return the scenarios, a page at a time."""

    def act(session: Transaction) -> RouteResult:
        rows = scenarios.list_periods(session, page.after, page.count + 1)
        return RouteResult(page.of(Periods, rows, lambda row: row.id))

    return call.read(act)


@router.get("/v1/scenarios/{scenario}", response_model=Scenario, responses=ScenarioAnswer)
def get_scenario(scenario: Identifier, call: Fetching) -> Response:
    """Return a scenario as it is asked for now; ``current`` tells where its visits and groups stand."""

    def act(session: Transaction) -> RouteResult:
        version = scenarios.get_version(session, scenario)
        return RouteResult(lambda: scenarios.get_scenario(session, scenario), version=version)

    return call.disclose("scenario.read", "scenario", scenario, act)


@router.get("/v1/scenarios/{scenario}/plan", response_model=Plan, responses=PlanAnswer)
def get_standing(scenario: Identifier, call: Fetching) -> Response:
    """Return what people live by: the published plan, with all that was changed by hand since."""

    def act(session: Transaction) -> RouteResult:
        version = scenarios.get_version(session, scenario)
        return RouteResult(lambda: scenarios.get_standing_plan(session, scenario)[1], version=version)

    return call.disclose("scenario.read-plan", "scenario", scenario, act)


@router.get("/v1/scenarios/{scenario}/kpis", response_model=dict[str, Any], responses=KpisAnswer)
def get_kpis(scenario: Identifier, call: Fetching, tag: Tagged = None) -> Response:
    """Return the figures of what people live by; with a tag, of those visits alone that carry it."""

    def figures(session: Transaction) -> Any:
        return to_document(compute_kpis(*scenarios.get_standing_plan(session, scenario, tag)))

    def act(session: Transaction) -> RouteResult:
        return RouteResult(lambda: figures(session), version=scenarios.get_version(session, scenario))

    return call.read(act)


@router.get("/v1/scenarios/{scenario}/visits", response_model=AskedVisits)
def list_visits(scenario: Identifier, call: Reading, page: Paged, tag: Tagged = None) -> Response:
    """Return the visits of a scenario, those that were withdrawn too, a page at a time."""

    def act(session: Transaction) -> RouteResult:
        rows = requests.list_visits(session, scenario, page.after, page.count + 1, tag)
        return RouteResult(page.of(AskedVisits, rows, lambda row: row.id))

    return call.disclose("scenario.list-visits", "scenario", scenario, act)


@router.post(
    "/v1/scenarios/{scenario}/visits",
    status_code=HTTPStatus.CREATED,
    response_model=Added,
    responses=document_problems(409),
    max_body_size=MAX_BYTES,
)
def add_visits(
    scenario: Identifier, body: AdditionDocument, call: Creating, another_patient: AnotherPatient = False
) -> Response:
    """Ask for another visit, or for several with their links and with patients who are not known yet."""

    def act(session: Transaction) -> RouteResult:
        added = requests.add_visits(session, call.actor, scenario, body, call.context.clock(), another_patient)
        return RouteResult(Added(visits=list(added)), HTTPStatus.CREATED, location=f"/v1/visits/{quote(added[0], safe='')}")

    return call.create(act)


@router.post(
    "/v1/scenarios/{scenario}/links",
    status_code=HTTPStatus.CREATED,
    response_model=Link,
    responses={**LinkAnswer, **document_problems(409)},
)
def add_link(scenario: Identifier, body: Annotated[Link, Body(examples=[LINK])], call: Creating) -> Response:
    """Let a visit follow another one."""

    def act(session: Transaction) -> RouteResult:
        requests.add_link(session, call.actor, scenario, body, call.context.clock())
        return RouteResult(body, HTTPStatus.CREATED)

    return call.create(act)


@router.delete("/v1/scenarios/{scenario}/links/{before}/{after}", status_code=HTTPStatus.NO_CONTENT)
def remove_link(scenario: Identifier, before: Identifier, after: Identifier, call: Reading) -> Response:
    """Let a visit follow another one no more."""

    def act(session: Transaction) -> RouteResult:
        requests.remove_link(session, call.actor, scenario, before, after, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)
