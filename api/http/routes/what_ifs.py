"""What would be if somebody were away, a place closed or somebody worked more; and why a visit is left out."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.routes.disruptions import ABSENCE, NewAbsence, NewClosure, NewExtraShift
from api.http.routes.examples import COMPARISON
from api.http.routes.plans import MOVE, PUBLICATION, PlanMove, Publication, describe_moves
from api.reports.week_board import BoardFigures, describe_figures
from api.services.bookings.by_hand import find_period
from api.services.proposals import what_ifs
from api.services.proposals.judgements import PatientToCall
from api.services.proposals.what_ifs import TriedDisruption, WhatIf, WhatIfResult
from api.services.states import JobFailure, JobState
from api.services.weeks import explanations, planning
from api.services.weeks.explanations import Explanation
from api.services.weeks.planning import PlanRequest
from api.services.weeks.week import get_current_week, release_expired
from api.web.words.sentences import DescribedReason
from scheduling.comparison import Comparison
from scheduling.fields import Stamp

router = make_router("what if and why")

Identifier = Annotated[str, Path(max_length=100)]

MAX_SECONDS = 60
"""Longest time for what somebody waits for at a desk, s."""

MAX_DISRUPTIONS = 20


class TriedAbsence(NewAbsence):
    """A provider who would not be there."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "absence", **ABSENCE}]})

    kind: Literal["absence"]


class TriedClosure(NewClosure):
    """A location, or one room, that would take nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    kind: Literal["closure"]


class TriedExtraShift(NewExtraShift):
    """A shift that would be beside those of the roster."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    kind: Literal["extra-shift"]


class ChangesToTry(BaseModel):
    """Changes of the world that are tried together, and how long is searched, s."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"disruptions": [{"kind": "absence", **ABSENCE}], "seconds": 10}]}
    )

    disruptions: list[Annotated[TriedAbsence | TriedClosure | TriedExtraShift, Field(discriminator="kind")]] = Field(
        min_length=1, max_length=MAX_DISRUPTIONS
    )
    seconds: float = Field(10.0, gt=0, le=MAX_SECONDS)
    now: Stamp | None = None

    def tried(self) -> list[TriedDisruption]:
        """Return them as services know them."""
        return [TriedDisruption(change.disruption(), change.reason) for change in self.disruptions]


class ShownDisruption(BaseModel):
    """A change of the world that is tried."""

    kind: Literal["absence", "closure", "extra-shift"]
    provider: str | None = None
    location: str | None = None
    room: str | None = None
    locations: list[str] = []
    start: Stamp = Field(serialization_alias="from")
    end: Stamp = Field(serialization_alias="to")
    reason: str


class LeftOutVisit(ResponseModel):
    """A visit that would have no place any more, and why."""

    visit: str
    patient: str
    name: str
    reasons: list[DescribedReason]


class FiguresBeside(BaseModel):
    """What the week comes to as it stands, and as it would be."""

    before: BoardFigures
    after: BoardFigures


FIGURES: JsonDict = {
    "cost": 12,
    "bound": None,
    "gap": None,
    "costs": {"delay": 12},
    "asked": 2,
    "planned": 1,
    "late": 0,
    "held": 0,
    "told": 1,
    "untold": 0,
}
REASON: JsonDict = {"rule": "shift", "detail": "nobody is there", "words": "Nobody who could see Robin Example is there."}
ASKED: JsonDict = {
    "id": "0b4f7c3e",
    "scenario": "week-7",
    "state": "done",
    "seconds": 10.0,
    "failure": None,
    "reason": None,
    "created_at": "2026-11-30T14:10:00Z",
    "ended_at": "2026-11-30T14:10:10Z",
}
WHAT_IF: JsonDict = {
    **ASKED,
    "plan": "0b4f7c3e",
    "disruptions": [{"kind": "absence", "location": None, "room": None, "locations": [], **ABSENCE}],
    "realised_at": None,
    "comparison": COMPARISON,
    "call": [{"patient": "patient-0007", "name": "Kim", "by": "phone"}],
    "left_out": [{"visit": "visit-0200", "patient": "patient-0011", "name": "Robin Example", "reasons": [REASON]}],
    "moves": [MOVE],
    "figures": {"before": FIGURES, "after": FIGURES},
}
EXPLANATION: JsonDict = {**ASKED, "visit": "visit-0200", "reasons": [REASON]}


class ShownWhatIf(BaseModel):
    """What would be: ``plan`` is watched, ended and shown by the routes of plans; the rest is there once it is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [WHAT_IF]})

    id: str
    scenario: str
    plan: str
    state: JobState
    seconds: float
    failure: JobFailure | None
    reason: str | None
    disruptions: list[ShownDisruption]
    created_at: datetime
    ended_at: datetime | None
    realised_at: datetime | None
    comparison: Comparison | None
    call: list[PatientToCall] | None
    left_out: list[LeftOutVisit] | None
    moves: list[PlanMove] | None
    figures: FiguresBeside | None


class RealisedWhatIf(BaseModel):
    """What was made real: the changes of the world by their ids, in the order in which they were tried, and the publication."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"disruptions": ["c81e"], "publication": PUBLICATION}]})

    disruptions: list[str]
    publication: Publication


class VisitToExplain(BaseModel):
    """How long is searched for what stands in a visit's way, s."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"seconds": 10}]})

    seconds: float = Field(10.0, gt=0, le=MAX_SECONDS)


class ShownExplanation(BaseModel):
    """Why a visit is left out: each rule in its way and each single change that would let it in, tried by solving again."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXPLANATION]})

    id: str
    visit: str
    scenario: str
    state: JobState
    seconds: float
    failure: JobFailure | None
    reason: str | None
    created_at: datetime
    ended_at: datetime | None
    reasons: list[DescribedReason] | None


@router.post(
    "/v1/scenarios/{scenario}/what-ifs",
    status_code=HTTPStatus.ACCEPTED,
    response_model=ShownWhatIf,
    responses=document_problems(409),
)
def ask_what_if(scenario: Identifier, body: ChangesToTry, call: Creating) -> Response:
    """Ask what would be if the world changed; nothing of it stands anywhere until it is made real."""
    from solver import Limits

    now, queue, tried = call.context.clock(), call.context.queue, body.tried()
    release_expired(call.context, now)
    wanted = PlanRequest(scenario, Limits(body.seconds, call.context.settings.solver_workers), body.now)
    with call.context.database.reading() as session:
        of = what_ifs.prepare_what_if(session, planning.prepare_plan(session, wanted, now), tried)

    def act(session: Transaction) -> RouteResult:
        what_if = what_ifs.request_what_if(session, queue, call.actor, wanted, of, tried, now)
        return RouteResult(_show_what_if(what_if), HTTPStatus.ACCEPTED, location=f"/v1/what-ifs/{what_if.row.id}")

    return call.create(act)


@router.get("/v1/what-ifs/{what_if}", response_model=ShownWhatIf, responses=document_problems(409))
def get_what_if(what_if: Identifier, call: Reading) -> Response:
    """Return what would be, as far as it is found out: who would be moved, left out and called, and at what cost."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(_show_what_if(what_ifs.get_what_if(session, what_if)))

    return call.disclose("what-if.read", "what-if", what_if, act)


@router.delete("/v1/what-ifs/{what_if}", status_code=HTTPStatus.NO_CONTENT, responses=document_problems(409))
def discard_what_if(what_if: Identifier, call: Reading) -> Response:
    """Throw away what was tried; if it is searched still, the search ends."""

    def act(session: Transaction) -> RouteResult:
        what_ifs.discard_what_if(session, call.actor, what_if, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.post(
    "/v1/what-ifs/{what_if}/realisation",
    status_code=HTTPStatus.CREATED,
    response_model=RealisedWhatIf,
    responses=document_problems(409),
)
def realise_what_if(what_if: Identifier, call: Creating) -> Response:
    """Make it real: the world is as it was tried, and the plan for it is published, or neither."""
    release_expired(call.context, call.context.clock())

    def act(session: Transaction) -> RouteResult:
        made, published = what_ifs.realise_what_if(session, call.actor, what_if, call.context.clock())
        publication = Publication.of(published.row, plan=what_if)
        location = f"/v1/publications/{publication.id}"
        return RouteResult(RealisedWhatIf(disruptions=made, publication=publication), HTTPStatus.CREATED, location=location)

    return call.create(act)


@router.post(
    "/v1/visits/{visit}/explanations",
    status_code=HTTPStatus.ACCEPTED,
    response_model=ShownExplanation,
    responses=document_problems(409),
)
def ask_why(visit: Identifier, body: VisitToExplain, call: Creating) -> Response:
    """Ask why a visit is left out: which rules stand in its way, and what single change would let it in."""
    from solver import Limits

    now, queue = call.context.clock(), call.context.queue
    of = explanations.prepare_explanation(get_current_week(call.context, find_period(call.context.database, visit), now), visit)
    limits = Limits(body.seconds, 1)

    def act(session: Transaction) -> RouteResult:
        asked = explanations.request_explanation(session, queue, call.actor, of, visit, limits, now)
        return RouteResult(_show_explanation(asked), HTTPStatus.ACCEPTED, location=f"/v1/explanations/{asked.job.id}")

    return call.create(act)


@router.get("/v1/explanations/{explanation}", response_model=ShownExplanation)
def get_explanation(explanation: Identifier, call: Reading) -> Response:
    """Return why a visit is left out, as far as it is found out."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(_show_explanation(explanations.get_explanation(session, explanation)))

    return call.disclose("explanation.read", "explanation", explanation, act)


@router.delete("/v1/explanations/{explanation}", response_model=ShownExplanation, responses=document_problems(409))
def cancel_explanation(explanation: Identifier, call: Reading) -> Response:
    """Call an explanation off that is waited for."""

    def act(session: Transaction) -> RouteResult:
        cancelled = explanations.cancel_explanation(session, call.actor, explanation, call.context.clock())
        return RouteResult(_show_explanation(cancelled))

    return call.write(act)


def _show_job(job: Any) -> dict[str, Any]:
    names = ("id", "state", "seconds", "failure", "reason", "created_at", "ended_at")
    return {name: getattr(job, name) for name in names}


def _show_what_if(what_if: WhatIf) -> ShownWhatIf:
    row, requested, result = what_if.row, what_if.requested, what_if.result
    return ShownWhatIf(
        **_show_job(requested.job),
        scenario=requested.scenario.id,
        plan=row.id,
        disruptions=[ShownDisruption.model_validate(document) for document in row.disruptions],
        realised_at=row.realised_at,
        comparison=None if result is None else result.diff.comparison,
        call=None if result is None else result.call,
        left_out=None if result is None else [LeftOutVisit.of(visit) for visit in result.left_out],
        moves=None if result is None else describe_moves(requested),
        figures=None if result is None else _compare_figures(result),
    )


def _compare_figures(result: WhatIfResult) -> FiguresBeside:
    diff = result.diff
    return FiguresBeside(
        before=describe_figures(diff.asked_before, diff.before, None),
        after=describe_figures(diff.asked, diff.after, result.bound),
    )


def _show_explanation(explanation: Explanation) -> ShownExplanation:
    return ShownExplanation(
        **_show_job(explanation.job),
        visit=explanation.visit,
        scenario=explanation.scenario,
        reasons=explanation.reasons,
    )
