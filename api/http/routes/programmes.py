"""Programmes: the monthly groups, who has a seat in them, who waits for one, and who came."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import Length, ResponseModel
from api.services.bookings import groups
from api.services.clinic import programmes as service
from scheduling.care.programmes import Programme
from scheduling.fields import MONTH_PATTERN, Id

router = make_router("programmes")

Identifier = Annotated[str, Path(max_length=100)]
MonthInPath = Annotated[str, Path(pattern=MONTH_PATTERN)]

SHOWN: JsonDict = {
    "id": "coping-skills",
    "name": "Coping skills",
    "service": "behavioral-group",
    "required": True,
    "capacity": 10,
    "min_attendees": 3,
    "min_days": 21,
    "max_days": 42,
    "weekday": "TU",
    "members": [{"patient": "mrn-4711", "priority": "routine", "since": "2026-12-01", "until": "2027-06-01"}],
    "waiting": [{"patient": "mrn-4712", "priority": "soon", "since": "2026-11-30"}],
    "sessions": [{"date": "2026-12-08", "attended": ["mrn-4711"]}],
}
ProgrammeAnswer: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"example": SHOWN}}}}


LISTED: JsonDict = {"id": "coping-skills", "name": "Coping skills", "members": 8, "waiting": 2}


class ListedProgramme(ResponseModel):
    """A programme in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [LISTED]})

    id: str
    name: str
    members: Length
    waiting: Length


class Programmes(ResponseModel):
    """All programmes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [LISTED]}]})

    items: list[ListedProgramme]


class Attendance(BaseModel):
    """Who came to a session; the others who had a place did not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"came": ["mrn-4711"]}]})

    came: list[Id] = Field(max_length=500)


@router.get("/v1/programmes", response_model=Programmes)
def list_programmes(call: Reading) -> Response:
    """Return the programmes."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(Programmes.model_validate({"items": service.list_programmes(session)}))

    return call.read(act)


@router.get("/v1/programmes/{programme}", response_model=Programme, responses={**ProgrammeAnswer})
def get_programme(programme: Identifier, call: Reading) -> Response:
    """Return a programme: who has a seat, who waits for one, and its sessions."""
    return call.disclose("programme.read", "programme", programme, lambda session: _answer(session, programme))


@router.patch(
    "/v1/programmes/{programme}", response_model=Programme, responses={**ProgrammeAnswer, **document_problems(412, 428)}
)
def change_programme(
    programme: Identifier, body: Annotated[service.Changes, Body(examples=[{"weekday": "TU", "capacity": 12}])], call: Changing
) -> Response:
    """Change how a programme meets."""
    version, changes = call.expected_version(), body.model_dump(exclude_unset=True)

    def act(session: Transaction) -> RouteResult:
        service.change_programme(session, call.actor, programme, version, changes, call.context.clock())
        return _answer(session, programme)

    return call.write(act)


@router.delete("/v1/programmes/{programme}/people/{patient}", status_code=HTTPStatus.NO_CONTENT)
def leave_programme(programme: Identifier, patient: Identifier, call: Reading) -> Response:
    """Let a patient have no seat in a programme any more, and wait for none."""

    def act(session: Transaction) -> RouteResult:
        groups.leave_programme(session, call.actor, programme, patient, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.put(
    "/v1/programmes/{programme}/sessions/{month}",
    response_model=Programme,
    responses={**ProgrammeAnswer, **document_problems(409)},
)
def note_attendance(programme: Identifier, month: MonthInPath, body: Attendance, call: Reading) -> Response:
    """Note who came to a month's session."""

    def act(session: Transaction) -> RouteResult:
        service.record_attendance(session, call.actor, programme, month, body.came, call.context.clock())
        return _answer(session, programme)

    return call.write(act)


def _answer(session: Transaction, programme: str) -> RouteResult:
    return RouteResult(service.get_programme(session, programme), version=service.get_version(session, programme))
