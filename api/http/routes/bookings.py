"""One visit's booking: where it stands, by hand, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel import Session

from api.http.answers import Call, RouteResult
from api.http.dependencies import Changing, Creating, Fetching, Reading
from api.http.errors import UNCHANGED, documented
from api.http.gate import guarded_router
from api.http.routes.examples import BOOKING
from api.services import bookings as service
from api.services import offering
from api.services.bookings import PlacedVisit, RequestedPlace
from api.services.offering import PlaceOptions
from api.services.week import decided, get_current_week
from api.store.tables.mail import Participation
from scheduling.fields import Id, Stamp
from scheduling.plan import VisitBooking

router = guarded_router("bookings")

Identifier = Annotated[str, Path(max_length=100)]

WHERE: JsonDict = {"start": "2026-12-01T09:00", "location": "wang", "room": "wang-exam-1", "team": ["physician-1"]}
PLACE: JsonDict = {**WHERE, "end": "2026-12-01T09:30", "supervisors": []}
BOOKED: JsonDict = {"visit": "visit-0181", **BOOKING, "override_reason": None, "participation": "accepted"}


class WantedPlace(BaseModel):
    """Where, when and with whom a visit is to be. ``override_reason`` says why it may break rules; it is kept."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{**WHERE, "override_reason": "asked for by the head of the clinic"}]}
    )

    start: Stamp
    location: Id
    room: Id | None
    team: list[Id] = Field(max_length=20)
    supervisors: list[Id] = Field([], max_length=20)
    override_reason: str | None = Field(None, min_length=1, max_length=500)

    def place(self) -> RequestedPlace:
        """Return the place alone."""
        return RequestedPlace(self.start, self.location, self.room, tuple(self.team), tuple(self.supervisors))


class BookedVisit(BaseModel):
    """Where a visit stands; times are the clinic's wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [BOOKED]})

    visit: str
    state: str
    start: str
    end: str
    location: str
    room: str | None
    team: list[str]
    supervisors: list[str]
    notified: bool
    version: int
    override_reason: str | None
    participation: Participation | None


class FreePlace(BaseModel):
    """A time, a place and the people."""

    model_config = ConfigDict(json_schema_extra={"examples": [PLACE]})

    start: str
    end: str
    location: str
    room: str | None
    team: list[str]
    supervisors: list[str]


class Cancelled(BaseModel):
    """What is free now, and which visits wait again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"waiting": ["visit-0181"], "freed": PLACE}]})

    waiting: list[str]
    freed: FreePlace


class BookingState(BaseModel):
    """What became of a booking."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "arrived"}]})

    state: Literal["arrived", "no-show", "done"]


class OffersWanted(BaseModel):
    """How many places are to be offered."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"count": 5}]})

    count: int = Field(5, ge=1, le=20)


class Offer(BaseModel):
    """A place that could be booked, and the points of cost that it adds."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"place": PLACE, "cost": 40}]})

    place: FreePlace
    cost: int


class Because(BaseModel):
    """A reason: the rule, and the finding."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rule": "shift", "detail": "nobody of the team is there"}]})

    rule: str
    detail: str


class Offers(BaseModel):
    """Places for a visit, the best first; without any, why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"visit": "visit-0181", "offers": [{"place": PLACE, "cost": 40}], "reasons": []}]}
    )

    visit: str
    offers: list[Offer]
    reasons: list[Because]


@router.get("/v1/visits/{visit}/booking", response_model=BookedVisit, responses=UNCHANGED)
def get_booking(visit: Identifier, call: Fetching) -> Response:
    """Return where a visit stands."""
    return call.disclose("booking.read", "visit", visit, lambda session: _answer(service.get_placed_visit(session, visit)))


@router.post(
    "/v1/visits/{visit}/booking", status_code=HTTPStatus.CREATED, response_model=BookedVisit, responses=documented(409)
)
def add_booking(visit: Identifier, body: WantedPlace, call: Creating) -> Response:
    """Book a place for a visit that has none; a problem names each rule that the place would break."""
    return _put(visit, body, call, None, call.create)


@router.patch("/v1/visits/{visit}/booking", response_model=BookedVisit, responses=documented(409, 412, 428))
def move_booking(visit: Identifier, body: WantedPlace, call: Changing) -> Response:
    """Move a visit by hand; a problem names each rule that the place would break."""
    call.expected_version()
    return _put(visit, body, call, call.expect, call.write)


@router.delete("/v1/visits/{visit}/booking", response_model=Cancelled, responses=documented(409, 412, 428))
def cancel_booking(visit: Identifier, call: Changing) -> Response:
    """Cancel a visit's booking, and those of visits that cannot be without it: they wait again."""
    call.expected_version()
    now = call.context.clock()
    return decided(
        call.context,
        service.find_period(call.context.database, visit),
        lambda week: service.cancelled(week, call.actor, visit, call.expect, now),
        lambda act: call.write(lambda session: _cancelled(*act(session))),
    )


@router.put("/v1/visits/{visit}/booking/state", response_model=BookedVisit, responses=documented(409, 412, 428))
def mark_booking(visit: Identifier, body: BookingState, call: Changing) -> Response:
    """Note that a patient has arrived, has not come, or is done."""
    call.expected_version()
    now = call.context.clock()

    def act(session: Session) -> RouteResult:
        service.mark(session, call.actor, visit, body.state, call.expect, now)
        return _answer(service.get_placed_visit(session, visit))

    return call.write(act)


@router.put("/v1/visits/{visit}/pin", response_model=FreePlace, responses=documented(409, 412, 428))
def pin_visit(visit: Identifier, call: Changing) -> Response:
    """Hold a visit where it stands, whatever is planned; If-Match is the booking's."""
    call.expected_version()
    now = call.context.clock()
    return call.write(lambda session: RouteResult(place_document(service.pin(session, call.actor, visit, call.expect, now))))


@router.delete("/v1/visits/{visit}/pin", status_code=HTTPStatus.NO_CONTENT, responses=documented(409))
def unpin_visit(visit: Identifier, call: Reading) -> Response:
    """Let planning move a visit again."""

    def act(session: Session) -> RouteResult:
        service.unpin(session, call.actor, visit, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.post("/v1/visits/{visit}/offers", response_model=Offers, responses=documented(409))
def offer_places(visit: Identifier, body: OffersWanted, call: Reading) -> Response:
    """Return the best places that a waiting visit could be booked at without anybody else being moved."""
    period = service.find_period(call.context.database, visit)
    found = offering.find_place_options(get_current_week(call.context, period, call.context.clock()), visit, body.count)
    return call.disclose("visit.offers", "visit", visit, lambda session: _offers(found))


def place_document(booking: VisitBooking) -> dict[str, object]:
    """Return a booking's time, place and people."""
    return booking.model_dump(mode="json", exclude={"visit"})


def booked_document(standing: PlacedVisit) -> dict[str, object]:
    """Return where a visit stands."""
    row = standing.row
    told = {"state": row.state, "notified": row.notified, "version": row.version, "override_reason": row.override_reason}
    return {**standing.booking.model_dump(mode="json"), **told, "participation": standing.participation}


def _put(
    visit: str,
    body: WantedPlace,
    call: Call,
    expect: Callable[[int], None] | None,
    run: Callable[[Callable[[Session], RouteResult]], Response],
) -> Response:
    now = call.context.clock()
    status = HTTPStatus.CREATED if expect is None else HTTPStatus.OK
    return decided(
        call.context,
        service.find_period(call.context.database, visit),
        lambda week: service.placed(week, call.actor, visit, body.place(), body.override_reason, expect, now),
        lambda act: run(lambda session: _answer(act(session), status)),
    )


def _answer(standing: PlacedVisit, status: int = HTTPStatus.OK) -> RouteResult:
    return RouteResult(booked_document(standing), status, standing.row.version)


def _cancelled(freed: VisitBooking, waiting: list[str]) -> RouteResult:
    return RouteResult({"waiting": waiting, "freed": place_document(freed)})


def _offers(found: PlaceOptions) -> RouteResult:
    offers = [{"place": place_document(one.booking), "cost": one.cost} for one in found.options]
    return RouteResult({"visit": found.visit, "offers": offers, "reasons": [one.model_dump() for one in found.reasons]})
