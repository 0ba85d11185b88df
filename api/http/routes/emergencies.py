"""Break-glass: patients whom clinicians open in need."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged, read_moment_and_id
from api.services.accounts import emergencies as service

router = make_router("emergencies")

Identifier = Annotated[str, Path(max_length=200)]

EXAMPLE: JsonDict = {
    "id": "2b7c",
    "account": "4be0643f",
    "patient": "mrn-4711",
    "reason": "Collapsed in the waiting room; the colleague is away.",
    "begun_at": "2026-11-30T14:05:00Z",
    "ends_at": "2026-11-30T15:05:00Z",
}


class Need(BaseModel):
    """Why a patient is opened who is none of one's own; the admin reads it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": EXAMPLE["reason"]}]})

    reason: str = Field(min_length=10, max_length=500)


class EmergencyAccess(ResponseModel):
    """A patient who was opened in need: by whom, why, and until when."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    account: str = Field(validation_alias="account_id")
    patient: str = Field(validation_alias="patient_id")
    reason: str
    begun_at: datetime
    ends_at: datetime


class EmergencyAccesses(ResponseModel):
    """A page of patients who were opened in need."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[EmergencyAccess]
    next: str | None


@router.post(
    "/v1/patients/{patient}/emergency-accesses",
    status_code=HTTPStatus.CREATED,
    response_model=EmergencyAccess,
    responses=document_problems(404),
)
def open_patient(patient: Identifier, body: Need, call: Creating) -> Response:
    """Open a patient who is none of one's own, to be read for an hour; the desk and the admin are told."""

    def act(session: Transaction) -> RouteResult:
        row = service.open_patient(session, call.actor, patient, body.reason, call.context.clock())
        return RouteResult(EmergencyAccess.of(row), HTTPStatus.CREATED)

    return call.create(act)


@router.get("/v1/emergency-accesses", response_model=EmergencyAccesses)
def list_accesses(call: Reading, page: Paged) -> Response:
    """Return which patients were opened in need, the newest first, a page at a time."""
    before = read_moment_and_id(page)

    def act(session: Transaction) -> RouteResult:
        rows = service.list_accesses(session, before, page.count + 1)
        return RouteResult(page.of(EmergencyAccesses, rows, lambda row: f"{row.begun_at.isoformat()} {row.id}"))

    return call.disclose("emergency-access.list", "emergency-access", "", act)
