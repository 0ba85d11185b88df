"""Programmes: the monthly groups, who has a seat in them, who waits for one, and who came."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel import Session

from api.http.answers import RouteResult
from api.http.dependencies import Changing, Reading
from api.http.errors import documented
from api.http.gate import guarded_router
from api.services import programmes as service
from api.store import programmes as store
from scheduling.care.programmes import Programme
from scheduling.fields import MONTH_PATTERN, Id

router = guarded_router("programmes")

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


class ListedProgramme(BaseModel):
    """A programme in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [LISTED]})

    id: str
    name: str
    members: int
    waiting: int


class Programmes(BaseModel):
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

    def act(session: Session) -> RouteResult:
        found = store.load(session)
        shown = [{"id": o.id, "name": o.name, "members": len(o.members), "waiting": len(o.waiting)} for o in found]
        return RouteResult({"items": shown})

    return call.read(act)


@router.get("/v1/programmes/{programme}", response_model=Programme, responses={**ProgrammeAnswer})
def get_programme(programme: Identifier, call: Reading) -> Response:
    """Return a programme: who has a seat, who waits for one, and its sessions."""
    return call.disclose("programme.read", "programme", programme, lambda session: _answer(session, programme))


@router.patch("/v1/programmes/{programme}", response_model=Programme, responses={**ProgrammeAnswer, **documented(412, 428)})
def change_programme(
    programme: Identifier, body: Annotated[service.Changes, Body(examples=[{"weekday": "TU", "capacity": 12}])], call: Changing
) -> Response:
    """Change how a programme meets."""
    version, changes = call.expected_version(), body.model_dump(exclude_unset=True)

    def act(session: Session) -> RouteResult:
        service.change_programme(session, call.actor, programme, version, changes, call.context.clock())
        return _answer(session, programme)

    return call.write(act)


@router.delete("/v1/programmes/{programme}/people/{patient}", status_code=HTTPStatus.NO_CONTENT)
def leave_programme(programme: Identifier, patient: Identifier, call: Reading) -> Response:
    """Let a patient have no seat in a programme any more, and wait for none."""

    def act(session: Session) -> RouteResult:
        service.leave_programme(session, call.actor, programme, patient, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.put(
    "/v1/programmes/{programme}/sessions/{month}",
    response_model=Programme,
    responses={**ProgrammeAnswer, **documented(409)},
)
def note_attendance(programme: Identifier, month: MonthInPath, body: Attendance, call: Reading) -> Response:
    """Note who came to a month's session."""

    def act(session: Session) -> RouteResult:
        service.record_attendance(session, call.actor, programme, month, body.came, call.context.clock())
        return _answer(session, programme)

    return call.write(act)


def _answer(session: Session, programme: str) -> RouteResult:
    row = store.row(session, programme)
    return RouteResult(service.get_programme(session, programme).model_dump(mode="json"), version=row.version)
