"""Visits and patients: what is asked for, one at a time."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.routes.examples import BOOKING, PATIENT, VISIT
from api.services.care import requests
from api.services.care.requests import RequestedVisit
from api.services.patients.needs import MAX_EQUIPMENT, MAX_TAGS, Note, Tag
from scheduling.fields import Date, Half, Id, Interval, Priority, Stamp, VisitMinutes
from scheduling.people import Patient
from scheduling.requests import Visit

router = make_router("requests")

Identifier = Annotated[str, Path(max_length=100)]


class Place(ResponseModel):
    """Where a visit stands; times are the clinic's wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [BOOKING]})

    state: str
    start: Stamp
    end: Stamp
    location: str
    room: str | None
    team: list[str]
    supervisors: list[str]
    notified: bool
    version: int


SHOWN: JsonDict = {
    "scenario": "week-7",
    "state": "asked",
    "note": None,
    "tags": ["trial-7"],
    "visit": VISIT,
    "booking": BOOKING,
}


class ShownVisit(ResponseModel):
    """A visit: what is asked for, and where it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN]})

    scenario: str = Field(validation_alias="period_id")
    state: Literal["asked", "withdrawn"]
    note: str | None
    tags: list[str]
    visit: Annotated[Visit, BeforeValidator(Visit.model_validate_json)] = Field(validation_alias="document")
    booking: Place | None


def _refuse_patient(patient: Any) -> None:
    raise ValueError("a visit stays its patient's: withdraw it, or stop its episode, and ask for one of the other")


class VisitChanges(BaseModel):
    """What is to be different about a visit; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"priority": "urgent", "deadline": "2026-12-04"}]}
    )

    service: Id | None = None
    priority: Priority | None = None
    earliest: Date | None = None
    target: Date | None = None
    deadline: Date | None = None
    preferred_providers: list[Id] | None = None
    required_provider: Id | None = None
    same_day: bool | None = None
    minutes: VisitMinutes | None = Field(None, description="Its own length; null: the service's.")
    equipment: list[Id] | None = Field(None, max_length=MAX_EQUIPMENT, description="Beside the service's: an interpreter.")
    note: Note | None = Field(None, description="For the desk alone.")
    tags: list[Tag] | None = Field(None, max_length=MAX_TAGS, description="By which lists and figures are filtered.")
    patient: Annotated[SkipJsonSchema[None], BeforeValidator(_refuse_patient)] = None


class PatientChanges(BaseModel):
    """What is to be different about a patient; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"prefers": "morning", "preferred_site": None}]})

    name: str | None = None
    preferred_site: Id | None = None
    allowed_sites: list[Id] | None = None
    unavailable: list[Interval] | None = None
    prefers: Half | None = None
    birth_date: Date | None = None


class ShownPatient(Patient):
    """A patient, with what no plan knows: when they were born, and the record that this one was merged into."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**PATIENT, "birth_date": "1961-04-12", "merged_into": None}]})

    birth_date: Date | None = None
    merged_into: str | None = None

    @classmethod
    def read(cls, document: str, birth_date: date | None, merged_into: str | None) -> Self:
        """Return a patient whose document is JSON."""
        known = Patient.model_validate_json(document).model_dump()
        return cls.model_validate({**known, "birth_date": birth_date, "merged_into": merged_into})


@router.get("/v1/visits/{visit}", response_model=ShownVisit)
def get_visit(visit: Identifier, call: Reading) -> Response:
    """Return a visit: what is asked for, and where it stands."""

    def act(session: Transaction) -> RouteResult:
        return _show_visit(requests.get_visit(session, visit))

    return call.disclose("visit.read", "visit", visit, act)


@router.patch("/v1/visits/{visit}", response_model=ShownVisit, responses=document_problems(409, 412, 428))
def change_visit(visit: Identifier, body: VisitChanges, call: Changing) -> Response:
    """Change what a visit asks for. Where it stands stays; a plan made from now on keeps to it."""
    version, changes = call.expected_version(), body.model_dump(mode="json", exclude_unset=True)

    def act(session: Transaction) -> RouteResult:
        requests.change_visit(session, call.actor, visit, version, changes, call.context.clock())
        return _show_visit(requests.get_visit(session, visit))

    return call.write(act)


@router.delete("/v1/visits/{visit}", status_code=HTTPStatus.NO_CONTENT, responses=document_problems(409, 412, 428))
def withdraw_visit(visit: Identifier, call: Changing) -> Response:
    """Ask for a visit no more: it gives up its place."""
    version = call.expected_version()

    def act(session: Transaction) -> RouteResult:
        requests.withdraw_visit(session, call.actor, visit, version, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.get("/v1/patients/{patient}", response_model=ShownPatient, responses=UNCHANGED)
def get_patient(patient: Identifier, call: Fetching) -> Response:
    """Return a patient: where and when they can and would like to come."""

    def act(session: Transaction) -> RouteResult:
        row = requests.get_patient(session, patient)
        return RouteResult(ShownPatient.read(row.document, row.birth_date, row.merged_into), version=row.version)

    return call.disclose("patient.read", "patient", patient, act)


@router.patch("/v1/patients/{patient}", response_model=ShownPatient, responses=document_problems(409, 412, 428))
def change_patient(patient: Identifier, body: PatientChanges, call: Changing) -> Response:
    """Change who a patient is, and where and when they can and would like to come."""
    version, changes = call.expected_version(), body.model_dump(mode="json", exclude_unset=True)

    def act(session: Transaction) -> RouteResult:
        row = requests.change_patient(session, call.actor, patient, version, changes, call.context.clock())
        return RouteResult(ShownPatient.read(row.document, row.birth_date, row.merged_into), version=row.version)

    return call.write(act)


def _show_visit(visit: RequestedVisit) -> RouteResult:
    place, row = None, visit.booking_row
    if row is not None:
        place = Place.of(visit.booking, state=row.state, notified=row.notified, version=row.version)
    return RouteResult(ShownVisit.of(visit.row, booking=place), version=visit.row.version)
