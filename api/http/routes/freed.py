"""Freed places: offered to a waiting visit, and what its patient says."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.routes.bookings import PLACE, FreePlace, SetAside
from api.services.bookings import waitlist as service
from api.services.bookings.decisions import with_retries
from api.services.bookings.waitlist import MAX_TRIED, OfferedPlace
from scheduling.fields import Date, Id, Priority, Stamp
from scheduling.plan import Booking

router = make_router("freed places")

Identifier = Annotated[str, Path(max_length=100)]

MAX_HOLD_MINUTES = 7 * 1440

KEPT: JsonDict = {
    "visit": "visit-0412",
    "expires_at": "2026-12-01T14:30:00Z",
    "place": PLACE,
    "set_aside": [],
    "short_notice": False,
}


class FreedTime(BaseModel):
    """A place that nobody has any more, as a cancelled booking tells it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PLACE]})

    start: Stamp
    end: Stamp
    location: Id
    room: Id | None
    team: list[Id] = Field(max_length=20)
    supervisors: list[Id] = Field([], max_length=20)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.start < self.end <= self.start + timedelta(days=1):
            raise ValueError("must end within a day after its start")
        return self

    def booking(self) -> Booking:
        """Return the place alone."""
        people = {"team": tuple(self.team), "supervisors": tuple(self.supervisors)}
        return Booking(start=self.start, end=self.end, location=self.location, room=self.room, **people)


class FreedPlace(FreedTime):
    """A place that nobody has any more, how long it is kept for whom it is offered to, and for whom if that is decided."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**PLACE, "hold_minutes": 30}]})

    hold_minutes: int = Field(30, ge=1, le=MAX_HOLD_MINUTES)
    visit: Id | None = Field(None, description="The waiting visit for which it is kept; none: the one that uses it best.")


class FreedPlaceCandidate(BaseModel):
    """A waiting visit that could use a freed place; below 0, ``cost`` is what the plan costs less with it."""

    visit: str
    patient: str
    name: str
    service: str
    priority: Priority
    deadline: Date | None
    days_waited: int | None
    place: FreePlace
    cost: int
    has_declined: bool


CANDIDATE: JsonDict = {
    "visit": "visit-0412",
    "patient": "patient-0011",
    "name": "Robin Example",
    "service": "followup",
    "priority": "soon",
    "deadline": "2026-12-04",
    "days_waited": 12,
    "place": PLACE,
    "cost": -120,
    "has_declined": False,
}


class FreedPlaceCandidates(BaseModel):
    """Those who could use a freed place, the best first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [CANDIDATE]}]})

    items: list[FreedPlaceCandidate]


class KeptPlace(ResponseModel):
    """A place that is kept for a visit until an instant; ``set_aside`` names what stands against a rule.

    One of ``short_notice`` starts sooner than the least notice: it is accepted with ``patient_agreed``.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [KEPT]})

    visit: str = Field(validation_alias="visit_id")
    expires_at: datetime
    place: FreePlace
    set_aside: list[SetAside]
    short_notice: bool


class Acceptance(BaseModel):
    """What the patient has said of the place."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"patient_agreed": True}]})

    patient_agreed: bool = Field(False, description="They come although it is sooner than the least notice.")


@router.post(
    "/v1/scenarios/{scenario}/freed-places",
    status_code=HTTPStatus.CREATED,
    response_model=KeptPlace,
    responses=document_problems(409),
)
def offer_freed_place(scenario: Identifier, body: FreedPlace, call: Creating) -> Response:
    """Keep a place in freed time for the waiting visit that uses it best; give its patient the visit's link to answer by."""
    now, freed = call.context.clock(), body.booking()
    refused = service.find_refusals(call.context.database, scenario, freed)
    hold = timedelta(minutes=body.hold_minutes)
    return with_retries(
        call.context,
        scenario,
        lambda week: service.decide_offer(week, call.actor, freed, refused, hold, now, body.visit),
        lambda session, decision: _kept(service.apply_offer(session, decision), HTTPStatus.CREATED),
        call.create,
    )


@router.post(
    "/v1/scenarios/{scenario}/freed-places/candidates",
    response_model=FreedPlaceCandidates,
    responses=document_problems(409),
)
def list_candidates(
    scenario: Identifier,
    body: FreedTime,
    call: Reading,
    count: Annotated[int, Query(ge=1, le=MAX_TRIED, description="How many at most.")] = 5,
) -> Response:
    """Return the waiting visits that could use a freed place, the best first; nothing is kept for anybody."""
    candidates = service.find_candidates(call.context, scenario, body.booking(), count)
    items = [
        FreedPlaceCandidate(
            visit=candidate.visit.id,
            patient=candidate.patient.id,
            name=candidate.patient.name,
            service=candidate.visit.service,
            priority=candidate.visit.priority,
            deadline=candidate.visit.deadline,
            days_waited=candidate.days_waited,
            place=FreePlace.of(candidate.booking),
            cost=candidate.cost,
            has_declined=candidate.has_declined,
        )
        for candidate in candidates
    ]
    shown = FreedPlaceCandidates(items=items)
    return call.disclose("freed-place.candidates", "scenario", scenario, lambda _: RouteResult(shown))


@router.get("/v1/visits/{visit}/freed-place", response_model=KeptPlace)
def get_freed_place(visit: Identifier, call: Reading) -> Response:
    """Return the place that is kept for a visit."""
    now = call.context.clock()
    return call.disclose(
        "freed-place.read", "visit", visit, lambda session: _kept(service.get_offered_place(session, visit, now))
    )


@router.post("/v1/visits/{visit}/freed-place/acceptance", response_model=KeptPlace, responses=document_problems(409))
def accept_freed_place(visit: Identifier, call: Creating, body: Acceptance | None = None) -> Response:
    """Accept the place that is kept for a visit: it is booked. A patient who does so themselves agrees to come so soon."""
    now, agreed = call.context.clock(), body is not None and body.patient_agreed
    return call.create(lambda session: _kept(service.accept_offer(session, call.actor, visit, now, agreed)))


@router.delete("/v1/visits/{visit}/freed-place", status_code=HTTPStatus.NO_CONTENT)
def decline_freed_place(visit: Identifier, call: Reading) -> Response:
    """Decline the place that is kept for a visit: it is free for others."""

    def act(session: Transaction) -> RouteResult:
        service.decline_offer(session, call.actor, visit, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


def _kept(kept: OfferedPlace, status: int = HTTPStatus.OK) -> RouteResult:
    return RouteResult(
        KeptPlace.of(kept.offer, place=kept.booking, set_aside=kept.set_aside, short_notice=kept.short_notice), status
    )
