"""One group's session by hand: where it stands, moving it, calling it off, and its seats."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Creating, Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.services.bookings import groups as service
from api.services.bookings.by_hand import RequestedPlace
from api.services.bookings.decisions import with_retries
from api.services.bookings.groups import GroupDecision, PlacedGroup
from scheduling.fields import Id, Stamp

router = make_router("groups")

Identifier = Annotated[str, Path(max_length=100)]

WHERE: JsonDict = {"start": "2026-12-04T08:00", "location": "west", "room": "west-group-1", "team": ["psychologist-1"]}
STANDS: JsonDict = {
    "group": "coping-skills-2026-12",
    "scenario": "week-7",
    "state": "booked",
    **WHERE,
    "end": "2026-12-04T09:30",
    "supervisors": [],
    "attendees": ["patient-0007", "patient-0011"],
    "candidates": ["patient-0007", "patient-0011", "patient-0012"],
    "notified": True,
    "version": 1,
}


class WantedSession(BaseModel):
    """Where, when and with whom a session is to be.

    ``patient_agreed``: all who have a seat have agreed to come sooner than the least notice.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [WHERE]})

    start: Stamp
    location: Id
    room: Id | None
    team: list[Id] = Field(max_length=20)
    supervisors: list[Id] = Field([], max_length=20)
    patient_agreed: bool = False

    def place(self) -> RequestedPlace:
        """Return the place alone."""
        return RequestedPlace(
            self.start, self.location, self.room, tuple(self.team), tuple(self.supervisors), self.patient_agreed
        )


class BookedSession(ResponseModel):
    """Where a session stands, who has a seat, and who could be given one; times are the clinic's wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [STANDS]})

    group: str
    scenario: str
    state: str
    start: Stamp
    end: Stamp
    location: str
    room: str | None
    team: list[str]
    supervisors: list[str]
    attendees: list[str]
    candidates: list[str]
    notified: bool
    version: int


class CalledOff(ResponseModel):
    """A session that is off, and who had a seat: they are told so."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"group": STANDS["group"], "attendees": STANDS["attendees"]}]})

    group: str
    attendees: list[str] = Field(validation_alias="leaving")


@router.get("/v1/groups/{group}/booking", response_model=BookedSession, responses=UNCHANGED)
def get_session(group: Identifier, call: Fetching) -> Response:
    """Return where a group's session stands."""
    return call.disclose("group.read", "group", group, lambda session: _show(service.get_placed_group(session, group)))


@router.post(
    "/v1/groups/{group}/booking",
    status_code=HTTPStatus.CREATED,
    response_model=BookedSession,
    responses=document_problems(409),
)
def hold_session(group: Identifier, body: WantedSession, call: Creating) -> Response:
    """Hold one session that does not stand, as one that was called off; its seats go to those who wait, and can come."""
    now = call.context.clock()
    with call.context.database.reading() as session:
        queue = service.list_queue(session, group, now)

    def act(session: Transaction, decision: GroupDecision) -> RouteResult:
        service.apply_group(session, decision)
        return _show(service.get_placed_group(session, group), HTTPStatus.CREATED)

    return with_retries(
        call.context,
        _find_period(call, group),
        lambda week: service.decide_holding(week, call.actor, group, body.place(), queue, now),
        act,
        call.create,
    )


@router.patch("/v1/groups/{group}/booking", response_model=BookedSession, responses=document_problems(409, 412, 428))
def move_session(group: Identifier, body: WantedSession, call: Changing) -> Response:
    """Move one session by hand; all who have a seat are told. A problem names each rule that the place would break."""
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction, decision: GroupDecision) -> RouteResult:
        service.expect_session_version(session, group, version)
        service.apply_group(session, decision)
        return _show(service.get_placed_group(session, group))

    return with_retries(
        call.context,
        _find_period(call, group),
        lambda week: service.decide_move(week, call.actor, group, body.place(), version, now),
        act,
        call.write,
    )


@router.delete("/v1/groups/{group}/booking", response_model=CalledOff, responses=document_problems(409, 412, 428))
def cancel_session(group: Identifier, call: Changing) -> Response:
    """Call one session off; all who have a seat are told."""
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction, decision: GroupDecision) -> RouteResult:
        service.expect_session_version(session, group, version)
        service.apply_group(session, decision)
        return RouteResult(CalledOff.of(decision))

    return with_retries(
        call.context,
        _find_period(call, group),
        lambda week: service.decide_cancellation(week, call.actor, group, now),
        act,
        call.write,
    )


@router.post("/v1/groups/{group}/filling", response_model=BookedSession, responses=document_problems(409))
def fill_session(group: Identifier, call: Creating) -> Response:
    """Give the free seats of one session to those who wait, in their order, as far as they can come."""
    now = call.context.clock()
    with call.context.database.reading() as session:
        queue = service.list_queue(session, group, now)

    def act(session: Transaction, decision: GroupDecision) -> RouteResult:
        service.apply_group(session, decision)
        return _show(service.get_placed_group(session, group))

    return with_retries(
        call.context,
        _find_period(call, group),
        lambda week: service.decide_filling(week, call.actor, group, queue, now),
        act,
        call.create,
    )


@router.delete("/v1/groups/{group}/attendees/{patient}", status_code=HTTPStatus.NO_CONTENT, responses=document_problems(409))
def leave_session(group: Identifier, patient: Identifier, call: Reading) -> Response:
    """Let a patient give back a seat in one session: they are told, and who waits gets it."""

    def act(session: Transaction) -> RouteResult:
        service.leave_session(session, call.actor, group, patient, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


def _find_period(call: Reading, group: str) -> str:
    with call.context.database.reading() as session:
        return service.find_period(session, group)


def _show(placed: PlacedGroup, status: HTTPStatus = HTTPStatus.OK) -> RouteResult:
    row = placed.row
    beside = {"scenario": row.period_id, "state": row.state, "notified": row.notified, "version": row.version}
    shown = BookedSession.of(placed.booking, candidates=placed.candidates, **beside)
    return RouteResult(shown, status, version=row.version)
