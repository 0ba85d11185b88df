"""Visits and patients: what is asked for, one at a time."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from sqlmodel import Session

from api.http.answers import RouteResult
from api.http.dependencies import Changing, Fetching, Reading
from api.http.errors import UNCHANGED, documented
from api.http.gate import guarded_router
from api.http.routes.examples import BOOKING, PATIENT, VISIT
from api.services import requests
from api.store import bookings, people, periods
from api.store import requests as store
from api.store.placings import booking_fields
from api.store.tables import PatientRow, VisitRow
from scheduling.fields import Date, Half, Id, Interval, Priority
from scheduling.people import Patient
from scheduling.plan import Booking
from scheduling.requests import Visit

router = guarded_router("requests")

Identifier = Annotated[str, Path(max_length=100)]


class Place(BaseModel):
    """Where a visit stands; times are the clinic's wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [BOOKING]})

    state: str
    start: str
    end: str
    location: str
    room: str | None
    team: list[str]
    supervisors: list[str]
    notified: bool
    version: int


SHOWN: JsonDict = {"scenario": "week-7", "state": "asked", "visit": VISIT, "booking": BOOKING}


class ShownVisit(BaseModel):
    """A visit: what is asked for, and where it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN]})

    scenario: str
    state: Literal["asked", "withdrawn"]
    visit: Visit
    booking: Place | None


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


class PatientChanges(BaseModel):
    """What is to be different about a patient; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"prefers": "morning", "preferred_site": None}]})

    name: str | None = None
    preferred_site: Id | None = None
    allowed_sites: list[Id] | None = None
    unavailable: list[Interval] | None = None
    prefers: Half | None = None


PatientAnswer: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"example": PATIENT}}}}


@router.get("/v1/visits/{visit}", response_model=ShownVisit)
def get_visit(visit: Identifier, call: Reading) -> Response:
    """Return a visit: what is asked for, and where it stands."""

    def act(session: Session) -> RouteResult:
        row = store.visit(session, visit)
        return RouteResult(_shown(session, row), version=row.version)

    return call.disclose("visit.read", "visit", visit, act)


@router.patch("/v1/visits/{visit}", response_model=ShownVisit, responses=documented(409, 412, 428))
def change_visit(visit: Identifier, body: VisitChanges, call: Changing) -> Response:
    """Change what a visit asks for. Where it stands stays; a plan made from now on keeps to it."""
    version, changes = call.expected_version(), body.model_dump(mode="json", exclude_unset=True)

    def act(session: Session) -> RouteResult:
        row = requests.change_visit(session, call.actor, visit, version, changes, call.context.clock())
        return RouteResult(_shown(session, row), version=row.version)

    return call.write(act)


@router.delete("/v1/visits/{visit}", status_code=HTTPStatus.NO_CONTENT, responses=documented(409, 412, 428))
def withdraw_visit(visit: Identifier, call: Changing) -> Response:
    """Ask for a visit no more: it gives up its place."""
    version = call.expected_version()

    def act(session: Session) -> RouteResult:
        requests.withdraw_visit(session, call.actor, visit, version, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.get("/v1/patients/{patient}", response_model=Patient, responses={**PatientAnswer, **UNCHANGED})
def get_patient(patient: Identifier, call: Fetching) -> Response:
    """Return a patient: where and when they can and would like to come."""
    return call.disclose("patient.read", "patient", patient, lambda session: _patient(people.patient(session, patient)))


@router.patch("/v1/patients/{patient}", response_model=Patient, responses={**PatientAnswer, **documented(412, 428)})
def change_patient(patient: Identifier, body: PatientChanges, call: Changing) -> Response:
    """Change where and when a patient can and would like to come."""
    version, changes = call.expected_version(), body.model_dump(mode="json", exclude_unset=True)
    return call.write(
        lambda session: _patient(requests.change_patient(session, call.actor, patient, version, changes, call.context.clock()))
    )


def _shown(session: Session, row: VisitRow) -> dict[str, Any]:
    booking = bookings.booking_of(session, ("visit", row.id, ""))
    place = None
    if booking is not None and booking.state != "cancelled":
        placing = bookings.standing_of(session, booking).placing
        grid = periods.grid_of(session, row.period_id)
        told = {"state": booking.state, "notified": booking.notified, "version": booking.version}
        place = {**told, **Booking(**booking_fields(placing, grid)).model_dump(mode="json")}
    return {"scenario": row.period_id, "state": row.state, "visit": json.loads(row.document), "booking": place}


def _patient(row: PatientRow) -> RouteResult:
    return RouteResult(json.loads(row.document), version=row.version)
