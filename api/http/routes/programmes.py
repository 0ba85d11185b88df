"""Programmes: the monthly groups, who has a seat in them, who waits for one, and who came."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged
from api.services.bookings import groups
from api.services.clinic import programmes as service
from api.services.patients.finding import get_patient_names
from scheduling.fields import MONTH_PATTERN, Id, Priority, Weekday

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
    "members": [
        {"patient": "mrn-4711", "name": "Kim Example", "priority": "routine", "since": "2026-12-01", "until": "2027-06-01"}
    ],
    "waiting": [{"patient": "mrn-4712", "name": "Robin Example", "priority": "soon", "since": "2026-11-30"}],
    "sessions": [{"group": "coping-skills-2026-12", "date": "2026-12-08", "attended": ["mrn-4711"]}],
    "next": {"earliest": "2027-01-01", "latest": "2027-01-19"},
}
LISTED: JsonDict = {"id": "coping-skills", "name": "Coping skills", "members": 8, "waiting": 2}


class ListedProgramme(ResponseModel):
    """A programme in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [LISTED]})

    id: str
    name: str
    members: int
    waiting: int


class Programmes(ResponseModel):
    """A page of programmes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [LISTED], "next": None}]})

    items: list[ListedProgramme]
    next: str | None


class ShownWaiting(ResponseModel):
    """Who waits for a seat since a date."""

    patient: str
    name: str
    priority: Priority
    since: date


class ShownMember(ShownWaiting):
    """Who has a seat, from a date to before another; null: for as long as they like."""

    until: date | None


class ShownSession(ResponseModel):
    """A session that has been or stands, by the id of its group, and who came or is to come."""

    group: str
    date: date
    attended: list[str]


class NextDates(ResponseModel):
    """Between which dates the session after the last one is to be."""

    earliest: date
    latest: date


class ShownProgramme(ResponseModel):
    """A group that meets once a calendar month: how, who has a seat in it and who waits, and its sessions in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN]})

    id: str
    name: str
    service: str
    required: bool
    capacity: int
    min_attendees: int
    min_days: int
    max_days: int
    weekday: Weekday | None
    members: list[ShownMember]
    waiting: list[ShownWaiting]
    sessions: list[ShownSession]
    next: NextDates | None


class Attendance(BaseModel):
    """Who came to a session; the others who had a place did not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"came": ["mrn-4711"]}]})

    came: list[Id] = Field(max_length=500)


@router.get("/v1/programmes", response_model=Programmes)
def list_programmes(call: Reading, page: Paged) -> Response:
    """Return the programmes, by id, a page at a time."""

    def act(session: Transaction) -> RouteResult:
        rows = service.list_programmes(session, page.after, page.count + 1)
        return RouteResult(page.of(Programmes, rows, lambda programme: programme.id))

    return call.read(act)


@router.get("/v1/programmes/{programme}", response_model=ShownProgramme)
def get_programme(programme: Identifier, call: Reading) -> Response:
    """Return a programme: who has a seat, who waits for one, and its sessions."""
    return call.disclose("programme.read", "programme", programme, lambda session: _answer(session, programme))


@router.patch("/v1/programmes/{programme}", response_model=ShownProgramme, responses=document_problems(412, 428))
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
    response_model=ShownProgramme,
    responses=document_problems(409),
)
def note_attendance(programme: Identifier, month: MonthInPath, body: Attendance, call: Reading) -> Response:
    """Note who came to a month's session."""

    def act(session: Transaction) -> RouteResult:
        service.record_attendance(session, call.actor, programme, month, body.came, call.context.clock())
        return _answer(session, programme)

    return call.write(act)


def _answer(session: Transaction, programme: str) -> RouteResult:
    found = service.get_programme(session, programme)
    names = get_patient_names(session, found.list_people())
    dates = found.next_dates()
    shown = ShownProgramme.of(
        found,
        members=[ShownMember.of(member, name=names[member.patient]) for member in found.members],
        waiting=[ShownWaiting.of(waiting, name=names[waiting.patient]) for waiting in found.waiting],
        sessions=[ShownSession.of(held, group=found.name_group(f"{held.date:%Y-%m}")) for held in found.sessions],
        next=None if dates is None else NextDates(earliest=dates[0], latest=dates[1]),
    )
    return RouteResult(shown, version=service.get_version(session, programme))
