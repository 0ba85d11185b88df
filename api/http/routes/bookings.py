"""One visit's booking: where it stands, by hand, and what became of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Creating, Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.routes.examples import BOOKING
from api.services.bookings import by_hand
from api.services.bookings.by_hand import CancellationDecision, PlacedVisit, RequestedPlace
from api.services.bookings.decisions import with_retries
from api.services.states import Participation
from api.services.weeks import offering
from api.services.weeks.week import get_current_week
from scheduling.fields import Id, Stamp

router = make_router("bookings")

Identifier = Annotated[str, Path(max_length=100)]

WHERE: JsonDict = {"start": "2026-12-01T09:00", "location": "wang", "room": "wang-exam-1", "team": ["physician-1"]}
PLACE: JsonDict = {**WHERE, "end": "2026-12-01T09:30", "supervisors": []}
BOOKED: JsonDict = {"visit": "visit-0181", **BOOKING, "override_reason": None, "participation": "accepted", "undelivered": None}


class WantedPlace(BaseModel):
    """Where, when and with whom a visit is to be. ``override_reason`` says why it may break rules; it is kept.

    ``patient_agreed``: the patient has agreed to come sooner than the least notice.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{**WHERE, "override_reason": "asked for by the head of the clinic"}]}
    )

    start: Stamp
    location: Id
    room: Id | None
    team: list[Id] = Field(max_length=20)
    supervisors: list[Id] = Field([], max_length=20)
    override_reason: str | None = Field(None, min_length=1, max_length=500)
    patient_agreed: bool = False

    def place(self) -> RequestedPlace:
        """Return the place alone."""
        return RequestedPlace(
            self.start, self.location, self.room, tuple(self.team), tuple(self.supervisors), self.patient_agreed
        )


class BookedVisit(ResponseModel):
    """Where a visit stands; times are the clinic's wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [BOOKED]})

    visit: str
    state: str
    start: Stamp
    end: Stamp
    location: str
    room: str | None
    team: list[str]
    supervisors: list[str]
    notified: bool
    version: int
    override_reason: str | None
    participation: Participation | None
    undelivered: str | None


class FreePlace(ResponseModel):
    """A time, a place and the people."""

    model_config = ConfigDict(json_schema_extra={"examples": [PLACE]})

    start: Stamp
    end: Stamp
    location: str
    room: str | None
    team: list[str]
    supervisors: list[str]


class Cancelled(ResponseModel):
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

    count: int = Field(5, ge=1, le=100)


class Offer(ResponseModel):
    """A place that could be booked, and the points of cost that it adds.

    One of ``short_notice`` starts sooner than the least notice: it is booked with ``patient_agreed``.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"place": PLACE, "cost": 40, "short_notice": False}]})

    place: FreePlace = Field(validation_alias="booking")
    cost: int
    short_notice: bool


class Because(ResponseModel):
    """A reason: the rule, and the finding."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rule": "shift", "detail": "nobody of the team is there"}]})

    rule: str
    detail: str


ASIDE: JsonDict = {"rule": "busy", "ids": ["visit-0182"], "detail": "physician-1 is busy"}


class SetAside(ResponseModel):
    """What stands against a rule, as after an illness: it was left where it is, and has to be looked at."""

    model_config = ConfigDict(json_schema_extra={"examples": [ASIDE]})

    rule: str
    ids: list[str]
    detail: str


OFFERED: JsonDict = {"place": PLACE, "cost": 40, "short_notice": False}


class Offers(ResponseModel):
    """Places for a visit, the best first, those of short notice last; without any, why.

    ``set_aside`` names what stands against a rule.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"visit": "visit-0181", "offers": [OFFERED], "reasons": [], "set_aside": [ASIDE]}]}
    )

    visit: str
    offers: list[Offer] = Field(validation_alias="options")
    reasons: list[Because]
    set_aside: list[SetAside]


@router.get("/v1/visits/{visit}/booking", response_model=BookedVisit, responses=UNCHANGED)
def get_booking(visit: Identifier, call: Fetching) -> Response:
    """Return where a visit stands."""
    return call.disclose("booking.read", "visit", visit, lambda session: _answer(by_hand.get_placed_visit(session, visit)))


@router.post(
    "/v1/visits/{visit}/booking", status_code=HTTPStatus.CREATED, response_model=BookedVisit, responses=document_problems(409)
)
def add_booking(visit: Identifier, body: WantedPlace, call: Creating) -> Response:
    """Book a place for a visit that has none; a problem names each rule that the place would break."""
    now = call.context.clock()
    return with_retries(
        call.context,
        by_hand.find_period(call.context.database, visit),
        lambda week: by_hand.decide_booking(week, call.actor, visit, body.place(), body.override_reason, now),
        lambda session, decision: _answer(by_hand.apply_placement(session, decision), HTTPStatus.CREATED),
        call.create,
    )


@router.patch("/v1/visits/{visit}/booking", response_model=BookedVisit, responses=document_problems(409, 412, 428))
def move_booking(visit: Identifier, body: WantedPlace, call: Changing) -> Response:
    """Move a visit by hand; a problem names each rule that the place would break."""
    version, now = call.expected_version(), call.context.clock()
    return with_retries(
        call.context,
        by_hand.find_period(call.context.database, visit),
        lambda week: by_hand.decide_move(week, call.actor, visit, body.place(), body.override_reason, version, now),
        lambda session, decision: _answer(by_hand.apply_placement(session, decision)),
        call.write,
    )


@router.delete("/v1/visits/{visit}/booking", response_model=Cancelled, responses=document_problems(409, 412, 428))
def cancel_booking(visit: Identifier, call: Changing) -> Response:
    """Cancel a visit's booking, and those of visits that cannot be without it: they wait again."""
    version, now = call.expected_version(), call.context.clock()
    return with_retries(
        call.context,
        by_hand.find_period(call.context.database, visit),
        lambda week: by_hand.decide_cancellation(week, call.actor, visit, version, now),
        _cancel,
        call.write,
    )


@router.put("/v1/visits/{visit}/booking/state", response_model=BookedVisit, responses=document_problems(409, 412, 428))
def mark_booking(visit: Identifier, body: BookingState, call: Changing) -> Response:
    """Note that a patient has arrived, on the visit's day; has not come, or is done, after its start."""
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction) -> RouteResult:
        by_hand.mark(session, call.actor, visit, body.state, version, now)
        return _answer(by_hand.get_placed_visit(session, visit))

    return call.write(act)


@router.delete("/v1/visits/{visit}/booking/state", response_model=BookedVisit, responses=document_problems(409, 412, 428))
def unmark_booking(visit: Identifier, call: Changing) -> Response:
    """Take back the last that was noted by mistake: done becomes arrived, arrived and no-show become booked."""
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction) -> RouteResult:
        by_hand.unmark(session, call.actor, visit, version, now)
        return _answer(by_hand.get_placed_visit(session, visit))

    return call.write(act)


@router.put("/v1/visits/{visit}/pin", response_model=FreePlace, responses=document_problems(409, 412, 428))
def pin_visit(visit: Identifier, call: Changing) -> Response:
    """Hold a visit where it stands, whatever is planned; If-Match is the booking's."""
    version, now = call.expected_version(), call.context.clock()
    return call.write(lambda session: RouteResult(FreePlace.of(by_hand.pin(session, call.actor, visit, version, now))))


@router.delete("/v1/visits/{visit}/pin", status_code=HTTPStatus.NO_CONTENT, responses=document_problems(409))
def unpin_visit(visit: Identifier, call: Reading) -> Response:
    """Let planning move a visit again."""

    def act(session: Transaction) -> RouteResult:
        by_hand.unpin(session, call.actor, visit, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.post("/v1/visits/{visit}/offers", response_model=Offers, responses=document_problems(409))
def offer_places(visit: Identifier, body: OffersWanted, call: Reading) -> Response:
    """Return the best places that a waiting visit could be booked at without anybody else being moved."""
    period = by_hand.find_period(call.context.database, visit)
    found = offering.find_place_options(get_current_week(call.context, period, call.context.clock()), visit, body.count)

    def act(session: Transaction) -> RouteResult:
        aside = offering.hide_bookings_of_others(session, call.actor, found.set_aside)
        return RouteResult(Offers.of(found, set_aside=aside))

    return call.disclose("visit.offers", "visit", visit, act)


def _answer(placed: PlacedVisit, status: int = HTTPStatus.OK) -> RouteResult:
    row = placed.row
    shown = BookedVisit.of(
        placed.booking,
        state=row.state,
        notified=row.notified,
        version=row.version,
        override_reason=row.override_reason,
        participation=placed.participation,
        undelivered=placed.undelivered,
    )
    return RouteResult(shown, status, row.version)


def _cancel(session: Transaction, decision: CancellationDecision) -> RouteResult:
    by_hand.apply_cancellation(session, decision)
    return RouteResult(Cancelled(waiting=list(decision.cancelled), freed=FreePlace.of(decision.freed)))
