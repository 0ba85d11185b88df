"""The audit: who has read and changed what, and who was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Reading
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged, read_number
from api.services import records as service
from api.services.records import AuditFilter

router = make_router("audit")

Identifier = Annotated[str | None, Query(max_length=200)]

EXAMPLE: JsonDict = {
    "number": 1041,
    "at": "2026-11-30T14:05:00Z",
    "actor": "4be0643f",
    "role": "scheduler",
    "action": "booking.move",
    "kind": "visit",
    "object": "visit-0181",
    "outcome": "allowed",
    "detail": {},
    "hash": "9f2c…",
}


class AuditEntry(ResponseModel):
    """What somebody has done, or was refused: ids and figures, never names. ``hash`` covers it and all before it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    number: int = Field(validation_alias="sequence")
    at: datetime
    actor: str
    role: str
    action: str
    kind: str = Field(validation_alias="object_kind")
    object: str = Field(validation_alias="object_id")
    outcome: Literal["allowed", "denied"]
    detail: dict[str, Any]
    hash: str


class AuditEntries(ResponseModel):
    """A page of the audit."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[AuditEntry]
    next: str | None


@router.get("/v1/audit", response_model=AuditEntries)
def list_audit(
    call: Reading,
    page: Paged,
    patient: Annotated[str | None, Query(max_length=200, description="Also what concerns their visits and episodes.")] = None,
    account: Annotated[str | None, Query(max_length=200, description="Who has done it: an account or a link.")] = None,
    action: Annotated[str | None, Query(max_length=100, description="How the action begins.")] = None,
    object: Annotated[str | None, Query(max_length=200, description="To what it was done.")] = None,
    outcome: Literal["allowed", "denied"] | None = None,
    since: Annotated[AwareDatetime | None, Query(description="From this instant on.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this instant.")] = None,
) -> Response:
    """Return what was done and refused in its order, a page at a time."""
    asked = AuditFilter(patient, account, action, object, outcome, since, until)
    after = read_number(page)

    def act(session: Transaction) -> RouteResult:
        rows = service.list_audit(session, asked, after, page.count + 1)
        return RouteResult(page.of(AuditEntries, rows, lambda row: str(row.sequence)))

    return call.disclose("audit.read", "audit", patient or "", act)
