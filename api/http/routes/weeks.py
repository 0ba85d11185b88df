"""The weeks to come: who works, the next week, and what will be too late unless somebody acts."""

from __future__ import annotations

import json
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Body, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import Length, ResponseModel
from api.http.routes.disruptions import CONCERNED, Concerned
from api.http.routes.examples import SCENARIO
from api.services.care import outlook as looking_ahead
from api.services.care import rolling
from api.services.clinic.rosters import import_roster
from api.services.patients.finding import get_patient_names
from scheduling.care.rolling import NextWeek
from scheduling.fields import Date, Half, within_years
from scheduling.files import MAX_BYTES

router = make_router("weeks")

Identifier = Annotated[str, Path(max_length=100)]

ALERT: JsonDict = {
    "kind": "last-horizon",
    "episode": "episode-7",
    "patient": "mrn-4711",
    "name": "Kim Example",
    "visit": "episode-7.refill.3",
    "service": "pump-refill",
    "latest": "2026-12-09",
}
PREVIEW: JsonDict = {
    "episode": "episode-9",
    "patient": "mrn-4712",
    "step": "trial",
    "number": 1,
    "service": "scs-trial",
    "earliest": "2026-12-14",
    "latest": "2027-01-29",
    "certain": False,
}
LOAD: JsonDict = {"kind": "skill", "name": "evaluation", "site": "boston", "demand": [5280], "capacity": [7200]}
WAIT: JsonDict = {"service": "spine-evaluation", "days": 9, "scarce": "skill evaluation at boston"}
UNCOVERED: JsonDict = {"date": "2026-12-09", "half": "afternoon", "service": "cancer-consult", "site": "waltham"}
WEEK: JsonDict = {
    "scenario": "week-2026-12-07",
    "start": "2026-12-07",
    "end": "2026-12-14",
    "visits": 512,
    "groups": ["coping-skills-2026-12"],
    "reserves": 9,
    "alerts": [ALERT],
    "previews": [PREVIEW],
}


class Alert(BaseModel):
    """Something that is, or will be, too late unless somebody acts; :class:`scheduling.care.agenda.Alert` tells the kinds.

    Of a group, patient and name are empty.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [ALERT]})

    kind: str
    episode: str
    patient: str
    name: str
    visit: str
    service: str
    latest: date | None


class Preview(BaseModel):
    """A visit beyond a week: its earliest and latest dates, as far as they are known."""

    model_config = ConfigDict(json_schema_extra={"examples": [PREVIEW]})

    episode: str
    patient: str
    step: str
    number: int
    service: str
    earliest: date
    latest: date | None
    certain: bool


class Week(BaseModel):
    """What some dates are asked for, what will be too late, and what lies beyond."""

    model_config = ConfigDict(json_schema_extra={"examples": [WEEK]})

    scenario: str
    start: date
    end: date
    visits: int
    groups: list[str]
    reserves: int
    alerts: list[Alert]
    previews: list[Preview]


class ShownLoad(BaseModel):
    """What is asked of a skill or kind of room at a site, or of a special clinic, week by week, and what it can give, min."""

    model_config = ConfigDict(json_schema_extra={"examples": [LOAD]})

    kind: str
    name: str
    site: str
    demand: list[int]
    capacity: list[int]


class ShownWait(BaseModel):
    """How many days a new patient waits for a service; null: longer than the outlook reaches. ``scarce`` decides it."""

    model_config = ConfigDict(json_schema_extra={"examples": [WAIT]})

    service: str
    days: int | None
    scarce: str | None


class ShownHalf(BaseModel):
    """A half-day of the roster on which nobody at a site (null: at any) could see who is referred that day for a service."""

    model_config = ConfigDict(json_schema_extra={"examples": [UNCOVERED]})

    date: Date
    half: Half
    service: str
    site: str | None


class OutlookShown(BaseModel):
    """The weeks to come; :mod:`scheduling.care.outlook` states the model."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"weeks": ["2026-12-07"], "loads": [LOAD], "waits": [WAIT], "uncovered": [UNCOVERED]}]}
    )

    weeks: list[date]
    loads: list[ShownLoad]
    waits: list[ShownWait]
    uncovered: list[ShownHalf]


def _first_day(start: date) -> date:
    within_years(start + timedelta(weeks=rolling.MAX_WEEKS))
    return start


FirstDay = Annotated[Date, AfterValidator(_first_day)]


class WeekToBuild(BaseModel):
    """Which dates: from ``start``, or from next Monday."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"weeks": 1}]})

    weeks: int = Field(1, ge=1, le=rolling.MAX_WEEKS)
    start: FirstDay | None = None


ROSTER: JsonDict = {"start": "2026-12-07", "end": "2027-03-01", "providers": 31, "concerns": [CONCERNED]}


class Roster(ResponseModel):
    """From when to when it is known who works, and what stands but cannot be any more."""

    model_config = ConfigDict(json_schema_extra={"examples": [ROSTER]})

    start: date
    end: date
    providers: Length
    concerns: list[Concerned]


RosterDocument = Annotated[
    dict[str, Any],
    Body(examples=[SCENARIO], description="A scenario: its clinic and its providers' shifts are taken, and nothing else."),
]


@router.put("/v1/roster", response_model=Roster, max_body_size=MAX_BYTES)
def put_roster(body: RosterDocument, call: Reading) -> Response:
    """Take in the clinic and who works when; whom it does not name, does not work then. What stands and cannot be is a task."""

    def act(session: Transaction) -> RouteResult:
        taken = import_roster(session, call.actor, json.dumps(body), call.context.clock())
        horizon = taken.scenario.horizon
        beside = {"start": horizon.start, "end": horizon.end, "providers": taken.scenario.providers}
        return RouteResult(Roster.of(taken, **beside))

    return call.write(act)


@router.get("/v1/weeks/next", response_model=Week, responses=document_problems(409))
def preview_week(
    call: Reading,
    weeks: Annotated[int, Query(ge=1, le=rolling.MAX_WEEKS)] = 1,
    start: Annotated[FirstDay | None, Query(description="The first day; else next Monday.")] = None,
) -> Response:
    """Return what the next week is asked for, and keep nothing."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        week = rolling.draft_week(session, rolling.get_next_horizon(session, now, weeks, start), now)
        return RouteResult(_show(session, week))

    return call.disclose("week.preview", "clinic", "", act)


@router.post("/v1/weeks", status_code=HTTPStatus.CREATED, response_model=Week, responses=document_problems(409))
def build_week(body: WeekToBuild, call: Creating) -> Response:
    """Build the next week from all that is open, and keep it to be planned; built again, it takes in what is new."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        horizon = rolling.get_next_horizon(session, now, body.weeks, body.start)
        week = rolling.build_week(session, call.actor, horizon, now)
        return RouteResult(_show(session, week.next_week), HTTPStatus.CREATED, week.row.version, f"/v1/scenarios/{week.row.id}")

    return call.create(act)


@router.get("/v1/outlook", response_model=OutlookShown)
def get_outlook(call: Reading, weeks: Annotated[int, Query(ge=1, le=looking_ahead.MAX_WEEKS)] = 12) -> Response:
    """Return demand against capacity by skill, room and site week by week, and the wait a new patient should be told today."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        outlook = looking_ahead.describe_outlook(looking_ahead.look_ahead(session, now, weeks))
        return RouteResult(OutlookShown.model_validate(outlook))

    return call.read(act)


@router.get("/v1/scenarios/{scenario}/alerts", response_model=Week)
def get_alerts(scenario: Identifier, call: Reading) -> Response:
    """Return what will be too late unless somebody acts, and what lies beyond a scenario's dates, as of now."""
    now = call.context.clock()
    return call.disclose(
        "scenario.read-alerts",
        "scenario",
        scenario,
        lambda session: RouteResult(_show(session, rolling.review_week(session, scenario, now))),
    )


def _show(session: Transaction, next_week: NextWeek) -> Week:
    names = get_patient_names(session, {alert.patient for alert in next_week.alerts})
    summary = rolling.summarise_week(next_week)
    summary["alerts"] = [{**alert, "name": names.get(alert["patient"], "")} for alert in summary["alerts"]]
    return Week.model_validate(summary)
