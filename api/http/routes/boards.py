"""A week for a board in a browser, and who waits in it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import BaseModel
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.pages import Paged
from api.http.routes.examples import PLACE, show_example
from api.reports.day import Day, describe_day
from api.reports.week_board import Order, WaitingVisit, WeekBoard, choose_waiting, describe_week, list_waiting
from api.services.weeks import boards
from scheduling.fields import Date, Priority

router = make_router("boards")

Identifier = Annotated[str, Path(max_length=100)]

WAITING: JsonDict = {
    "visit": "visit-0200",
    "patient": "patient-0011",
    "name": "Robin Example",
    "service": "followup",
    "family": "clinic",
    "priority": "soon",
    "earliest": "2026-11-30",
    "target": "2026-12-02",
    "deadline": None,
    "days_waited": 12,
    "reasons": [{"rule": "shift", "detail": "nobody is there", "words": "Nobody who could see Robin Example is there."}],
}

BOARD: JsonDict = {
    "scenario": "week-7",
    "version": 12,
    "now": "2026-11-30T09:10",
    "timezone": "America/New_York",
    "start": "2026-11-30",
    "end": "2026-12-07",
    "start_grid_minutes": 5,
    "clinic": "Pain Centre",
    "sites": [{"id": "boston", "name": "Boston"}],
    "locations": [{"id": "wang", "site": "boston", "name": "Wang", "address": "15 Parkman Street"}],
    "services": [
        {"id": "followup", "name": "Follow-up", "code": "FU", "family": "clinic", "minutes": 30, "turnover": 0, "recovery": 0}
    ],
    "families": [{"id": "clinic", "name": "clinic", "colour": "#77aadd"}],
    "rooms": [{"id": "wang-exam-1", "code": "WE1", "location": "wang", "kind": "exam", "features": [], "seats": 0}],
    "providers": [
        {
            "id": "physician-1",
            "name": "Dana Example",
            "code": "P1",
            "role": "physician",
            "skills": ["physician"],
            "trainee": False,
            "shifts": [
                {"start": "2026-12-01T08:00", "end": "2026-12-01T17:00", "locations": ["wang"], "location": "wang"},
            ],
            "busy": [],
        }
    ],
    "closures": [],
    "visits": [
        {
            **PLACE,
            "visit": "visit-0181",
            "patient": "patient-0007",
            "name": "Kim Example",
            "service": "followup",
            "priority": "soon",
            "earliest": "2026-11-30",
            "target": "2026-12-02",
            "deadline": None,
            "late": False,
            "state": "booked",
            "notified": True,
            "version": 1,
            "pinned": False,
            "override_reason": None,
            "participation": "accepted",
        }
    ],
    "groups": [],
    "holds": [],
    "waiting": [WAITING],
    "figures": {
        "cost": 12,
        "bound": 10,
        "gap": 0.1667,
        "costs": {"delay": 12},
        "asked": 2,
        "planned": 1,
        "late": 0,
        "held": 0,
        "told": 1,
        "untold": 0,
    },
}

BoardAnswer: dict[int | str, dict[str, Any]] = {**show_example(BOARD), **UNCHANGED}
PlanBoardAnswer: dict[int | str, dict[str, Any]] = {
    **show_example({**BOARD, "plan_version": 3}),
    **UNCHANGED,
}
DAY: JsonDict = {
    "date": "2026-12-01",
    "now": "2026-12-01T09:10",
    "timezone": "America/New_York",
    "clinic": "Pain Centre",
    "scenarios": ["week-7"],
    "items": [
        {
            **PLACE,
            "kind": "visit",
            "id": "visit-0181",
            "scenario": "week-7",
            "service": "followup",
            "service_name": "Follow-up",
            "code": "FU",
            "family": "clinic",
            "priority": "soon",
            "arrive": "2026-12-01T08:45",
            "location_name": "Wang",
            "patients": [{"patient": "patient-0007", "name": "Kim Example", "initials": "K E"}],
            "state": "booked",
            "minutes_late": 10,
            "notified": True,
            "participation": "accepted",
            "note": None,
            "tags": [],
            "version": 1,
        }
    ],
    "rooms": [{"id": "wang-exam-1", "code": "WE1", "location": "wang"}],
    "providers": [
        {
            "id": "physician-1",
            "name": "Dana Example",
            "code": "P1",
            "role": "physician",
            "shifts": [{"start": "2026-12-01T08:00", "end": "2026-12-01T17:00", "location": "wang"}],
        }
    ],
    "waiting": [
        {
            "visit": "visit-0200",
            "patient": "patient-0011",
            "name": "Robin Example",
            "initials": "R E",
            "service": "cancer-consult",
            "service_name": "Consult",
            "priority": "cancer",
            "same_day": True,
            "deadline": "2026-12-01",
            "last_start": "2026-12-01T16:00",
        }
    ],
    "figures": {"visits": 1, "arrived": 0, "done": 0, "missed": 0, "late_now": 1, "held_left": 0, "waiting": 1},
}
DayAnswer: dict[int | str, dict[str, Any]] = show_example(DAY)
WaitingAnswer: dict[int | str, dict[str, Any]] = show_example({"items": [WAITING], "next": None})


class PlanBoard(WeekBoard):
    """A week as a plan would have it; ``plan_version`` grows with each better one, and is 0 once the plan is made."""

    plan_version: int


class WaitingVisits(BaseModel):
    """A page of visits that wait."""

    items: list[WaitingVisit]
    next: str | None


@router.get("/v1/scenarios/{scenario}/board", response_model=WeekBoard, responses=BoardAnswer)
def get_board(scenario: Identifier, call: Fetching) -> Response:
    """Return a week for a board: its rows, all that stands in it and how, who waits, and what it comes to."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        version = boards.get_week_version(session, scenario)
        return RouteResult(lambda: describe_week(boards.load_standing_week(session, scenario, now), now), version=version)

    return call.disclose("scenario.read-board", "scenario", scenario, act)


@router.get("/v1/plans/{plan}/board", response_model=PlanBoard, responses={**PlanBoardAnswer, **document_problems(409)})
def get_plan_board(plan: Identifier, call: Fetching) -> Response:
    """Return a week as a plan would have it: while it is made, as the best so far has it."""
    now = call.context.clock()

    def show(session: Transaction, version: int) -> PlanBoard:
        board = describe_week(boards.load_planned_week(session, plan), now)
        return PlanBoard(**dict(board), plan_version=version)

    def act(session: Transaction) -> RouteResult:
        version = boards.get_planned_version(session, plan)
        return RouteResult(lambda: show(session, version), version=version)

    return call.disclose("plan.read-board", "plan", plan, act)


@router.get("/v1/days/{date}", response_model=Day, responses=DayAnswer)
def get_day(date: Annotated[Date, Path(description="The day, YYYY-MM-DD.")], call: Reading) -> Response:
    """Return a day over all weeks: who comes when and where, who is there or late, what is held, and who waits for a place."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        weeks, notes = boards.load_day(session, date, now)
        return RouteResult(describe_day(date, weeks, notes))

    return call.disclose("day.read", "day", date.isoformat(), act)


@router.get("/v1/scenarios/{scenario}/waiting", response_model=WaitingVisits, responses=WaitingAnswer)
def list_waiting_visits(
    scenario: Identifier,
    call: Reading,
    page: Paged,
    sort: Annotated[Order, Query(description="What comes first.")] = "deadline",
    priority: Annotated[Priority | None, Query(description="Only those of this priority.")] = None,
    family: Annotated[str | None, Query(max_length=100, description="Only services of this family.")] = None,
) -> Response:
    """Return the visits that wait: how long already, by when they should be, and why they were left out."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        waiting = list_waiting(boards.load_standing_week(session, scenario, now), now)
        chosen = choose_waiting(waiting, sort, priority, family, page.after)
        return RouteResult(page.of(WaitingVisits, chosen[: page.count + 1], lambda visit: visit.visit))

    return call.disclose("scenario.list-waiting", "scenario", scenario, act)
