"""Where a visit could be, and what was done to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.routes.bookings import FreePlace
from api.http.routes.examples import PLACE, show_example
from api.services.bookings import by_hand
from api.services.care import history
from api.services.proposals.judgements import PlaceNotices, judge_places
from api.services.weeks import boards
from api.services.weeks.free_places import VisitPlaces, find_free_places
from api.services.weeks.week import load_week, release_expired
from scheduling.fields import Interval
from scheduling.timegrid import write_clock

router = make_router("places")

Identifier = Annotated[str, Path(max_length=100)]

Minute = Annotated[str, Field(pattern=r"^\d{2}:\d{2}$")]


class StartsAtCost(BaseModel):
    """Every start of the grid from the first to the last, both included, and what the whole plan costs more then.

    ``calls``: the patient has been told of something else, and would be called again.
    """

    first: Minute
    last: Minute
    cost: int
    calls: bool


class Starts(BaseModel):
    """Every start of the grid from the first to the last, both included."""

    first: Minute
    last: Minute


class RoomOfPlace(BaseModel):
    """A room, and the starts at which it is free."""

    room: str
    starts: list[Starts]


class TeamPlaces(BaseModel):
    """The free starts of one team at a location on a day."""

    day: str
    location: str
    team: list[str]
    supervisors: list[str]
    starts: list[StartsAtCost]
    rooms: list[RoomOfPlace]


class PlaceAtCost(BaseModel):
    """A place, and what the whole plan costs more with it."""

    place: FreePlace
    cost: int


class Places(BaseModel):
    """All places of a visit at which it breaks no rule while nothing else changes.

    ``notices``: who would be called. With it, a place's cost and ``calls`` are all that a judgement of it tells; null: ask
    for a judgement.
    """

    visit: str
    scenario: str
    version: int
    start_grid_minutes: int
    minutes: int
    current: FreePlace | None
    places: list[TeamPlaces]
    best: list[PlaceAtCost]
    patient_busy: list[Interval]
    notices: PlaceNotices | None


PLACES: JsonDict = {
    "visit": "visit-0181",
    "scenario": "week-7",
    "version": 12,
    "start_grid_minutes": 5,
    "minutes": 30,
    "current": PLACE,
    "places": [
        {
            "day": "2026-12-01",
            "location": "wang",
            "team": ["physician-1"],
            "supervisors": [],
            "starts": [{"first": "09:00", "last": "11:30", "cost": 12, "calls": True}],
            "rooms": [{"room": "wang-exam-1", "starts": [{"first": "09:00", "last": "10:00"}]}],
        }
    ],
    "best": [{"place": PLACE, "cost": 0}],
    "patient_busy": [],
    "notices": {
        "quiet": {"call": [], "budget": {"limit": 10, "used": 1, "left": 9}},
        "calling": {
            "call": [{"patient": "patient-0007", "name": "Kim", "by": "mail"}],
            "budget": {"limit": 10, "used": 2, "left": 8},
        },
    },
}


class HistoryItem(BaseModel):
    """Something that was done to a visit: when, by whom, and in words."""

    at: datetime
    by: str
    name: str
    action: str
    words: str
    detail: dict[str, Any]


class VisitHistory(BaseModel):
    """What was done to a visit, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "visit": "visit-0181",
                    "items": [
                        {
                            "at": "2026-11-30T14:10:00Z",
                            "by": "4be0643f",
                            "name": "dana",
                            "action": "booking.move",
                            "words": "dana moved it to Tue 1 Dec 09:00, Wang",
                            "detail": {"start": "2026-12-01T09:00"},
                        }
                    ],
                }
            ]
        }
    )

    visit: str
    items: list[HistoryItem]


@router.get(
    "/v1/visits/{visit}/places",
    response_model=Places,
    responses={**show_example(PLACES), **UNCHANGED, **document_problems(409)},
)
def list_places(visit: Identifier, call: Fetching) -> Response:
    """Return every place at which a visit, planned or not, would break no rule, and exactly what the plan costs then."""
    period = by_hand.find_period(call.context.database, visit)
    now = call.context.clock()
    release_expired(call.context, now)

    def act(session: Transaction) -> RouteResult:
        def find() -> Places:
            places = find_free_places(load_week(session, period, now), visit)
            return _describe_places(places, judge_places(session, places))

        return RouteResult(find, version=boards.get_week_version(session, period))

    return call.disclose_once_a_minute("visit.places", "visit", visit, act)


@router.get("/v1/visits/{visit}/history", response_model=VisitHistory)
def get_history(visit: Identifier, call: Reading) -> Response:
    """Return what was done to a visit and by whom, the newest first."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult({"visit": visit, "items": history.list_history(session, visit)})

    return call.disclose("visit.history", "visit", visit, act)


def _describe_places(places: VisitPlaces, notices: PlaceNotices | None) -> Places:
    week = places.week
    return Places(
        visit=places.visit,
        scenario=week.scenario.id,
        version=0 if week.version is None else week.version.number,
        start_grid_minutes=week.scenario.grid.grid_minutes,
        minutes=places.minutes,
        current=None if places.current is None else FreePlace.of(places.current),
        places=[
            TeamPlaces(
                day=place.day.isoformat(),
                location=place.location,
                team=list(place.team),
                supervisors=list(place.supervisors),
                starts=[
                    StartsAtCost(
                        first=write_clock(run.first_minute), last=write_clock(run.last_minute), cost=run.cost, calls=run.calls
                    )
                    for run in place.starts
                ],
                rooms=[
                    RoomOfPlace(
                        room=room.room, starts=[Starts(first=write_clock(a), last=write_clock(b)) for a, b in room.stretches]
                    )
                    for room in place.rooms
                ],
            )
            for place in places.places
        ],
        best=[PlaceAtCost(place=FreePlace.of(best.booking), cost=best.cost) for best in places.best],
        patient_busy=list(places.patient_busy),
        notices=notices,
    )
