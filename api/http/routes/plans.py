"""Plans: asked for, watched while they are made, read, compared, called off, and published."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.background.jobs.event_stream import stream_events
from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged, read_moment_and_id, read_number
from api.http.routes.examples import COMPARISON, KPIS, PLAN, show_example
from api.http.streams import EventStream
from api.reports.documents import to_document
from api.reports.kpis import compute_kpis
from api.runtime.settings import MAX_SOLVE_SECONDS
from api.services.bookings import publishing
from api.services.proposals.judgements import PatientToCall, list_calls
from api.services.states import JobFailure, JobState
from api.services.weeks import planning
from api.services.weeks.planning import PlanRequest, RequestedPlan
from api.services.weeks.week import release_expired
from api.web.words.sentences import describe_move
from scheduling.comparison import Comparison
from scheduling.fields import Id, Stamp
from scheduling.plan import Plan

router = make_router("plans")

Identifier = Annotated[str, Path(max_length=100)]
OfScenario = Annotated[str | None, Query(max_length=100, description="Only those of this scenario.")]

PlanFields = Annotated[
    str,
    Query(
        pattern=r"^(plan|kpis|comparison)(,(plan|kpis|comparison))*$",
        max_length=50,
        description="What is wanted of it, by commas: plan, kpis, comparison. What is not wanted is null.",
    ),
]

MAX_KEPT = 2000
"""How many changes of a plan may be left out of its publication."""

JOB: JsonDict = {
    "id": "0b4f7c3e",
    "scenario": "week-7",
    "state": "done",
    "seconds": 30.0,
    "failure": None,
    "reason": None,
    "created_at": "2026-11-27T16:30:00Z",
    "ended_at": "2026-11-27T16:30:31Z",
}


class PlanToMake(BaseModel):
    """A plan to be made of a scenario.

    ``now``: nothing before it moves, and what is near stays. Left out, it is the present moment when anything of the
    scenario is published, and the whole scenario is planned when nothing is.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"scenario": "week-7", "seconds": 30}]})

    scenario: Id
    seconds: float = Field(60.0, gt=0, le=MAX_SOLVE_SECONDS, description="Time limit, s.")
    gap: float = Field(0.0, ge=0, le=1, description="Stop when at most this part of the cost could be saved.")
    seed: int = Field(0, ge=0, lt=2**31)
    now: Stamp | None = None
    calls: int | None = Field(None, ge=0, le=10_000, description="Most patients to be called again; null: as the policy says.")


class Job(ResponseModel):
    """A plan that was asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [JOB]})

    id: str
    scenario: str
    state: JobState
    seconds: float
    failure: JobFailure | None
    reason: str | None
    created_at: datetime
    ended_at: datetime | None


class Jobs(ResponseModel):
    """A page of plans."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [JOB], "next": None}]})

    items: list[Job]
    next: str | None


MOVE: JsonDict = {
    "kind": "visit",
    "id": "visit-0181",
    "finding": "pays",
    "rules": ["room-overlap"],
    "others": ["visit-0182"],
    "costs_more": 40,
    "words": "Follow-up of Kim could stay if Follow-up of Robin gave way; that would cost 40 points more.",
}


class PlanMove(BaseModel):
    """Why a visit or session is not where it stands: what was found by trying whether it could stay, and a sentence.

    ``forced``: it cannot; ``free``: its place is free; ``pays``: others could give way to it; ``in-the-way``: others are there;
    ``not-examined``: there was no time.
    """

    kind: Literal["visit", "group"]
    id: str
    finding: Literal["forced", "free", "pays", "in-the-way", "not-examined"]
    rules: list[str]
    others: list[str]
    costs_more: int | None
    words: str


def describe_moves(made: RequestedPlan) -> list[PlanMove] | None:
    """Return why a plan moves what it moves; None where nobody has found out."""
    if made.job.reasons is None:
        return None
    return [
        PlanMove(
            **{name: told[name] for name in ("kind", "id", "finding", "rules", "others", "costs_more")},
            words=describe_move(made.scenario, told["id"], told["finding"], told),
        )
        for told in made.job.reasons
    ]


class MadePlan(Job):
    """A plan as far as it is made: once it is, with its figures, and beside what people live by, with whom to call then."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **JOB,
                    "plan": PLAN,
                    "kpis": KPIS,
                    "comparison": COMPARISON,
                    "call": [{"patient": "patient-0007", "name": "Kim", "by": "phone"}],
                    "moves": [MOVE],
                }
            ]
        }
    )

    plan: Plan | None
    kpis: dict[str, Any] | None
    comparison: Comparison | None
    call: list[PatientToCall] | None
    moves: list[PlanMove] | None


class Kept(BaseModel):
    """A visit, a session of a group or a held place that stays as it stands, or without a place."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "visit", "id": "visit-0181"}]})

    kind: Literal["visit", "group", "hold"]
    id: Id


class ToPublish(BaseModel):
    """The plan to be published, and what of it is not: each of those stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"plan": "0b4f7c3e"}]})

    plan: str = Field(max_length=100)
    keep: list[Kept] = Field([], max_length=MAX_KEPT)


PUBLICATION: JsonDict = {
    "id": 4,
    "plan": "0b4f7c3e",
    "scenario": "week-7",
    "added": 12,
    "changed": 3,
    "cancelled": 1,
    "unchanged": 655,
    "published_by": "4be0643f",
    "published_at": "2026-11-27T16:35:00Z",
}


class Publication(ResponseModel):
    """A publication: how many bookings it made, changed, cancelled, and left untouched."""

    model_config = ConfigDict(json_schema_extra={"examples": [PUBLICATION]})

    id: int
    plan: str | None
    scenario: str = Field(validation_alias="period_id")
    added: int
    changed: int
    cancelled: int
    unchanged: int
    published_by: str
    published_at: datetime


class Publications(ResponseModel):
    """A page of publications."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [PUBLICATION], "next": None}]})

    items: list[Publication]
    next: str | None


@router.post("/v1/plans", status_code=HTTPStatus.ACCEPTED, response_model=Job, responses=document_problems(404))
def ask_for_plan(body: PlanToMake, call: Creating) -> Response:
    """Ask for a plan of a scenario as it is now; it is made beside, and found under its address."""
    from solver import Limits

    now, queue = call.context.clock(), call.context.queue
    release_expired(call.context, now)
    limits = Limits(body.seconds, call.context.settings.solver_workers, body.seed, body.gap)
    wanted = PlanRequest(body.scenario, limits, body.now, body.calls)
    with call.context.database.reading() as session:
        of = planning.prepare_plan(session, wanted, now)

    def act(session: Transaction) -> RouteResult:
        row = planning.request_plan(session, queue, call.actor, wanted, of, now)
        return RouteResult(Job.of(row, scenario=body.scenario), HTTPStatus.ACCEPTED, location=f"/v1/plans/{row.id}")

    return call.create(act)


@router.get("/v1/plans", response_model=Jobs)
def list_plans(call: Reading, page: Paged, scenario: OfScenario = None) -> Response:
    """Return the plans that were asked for, the newest first, a page at a time."""
    before = read_moment_and_id(page)

    def act(session: Transaction) -> RouteResult:
        rows = planning.list_jobs(session, scenario, before, page.count + 1)
        jobs = [Job.of(row, scenario=period) for row, period in rows]
        return RouteResult(page.of(Jobs, jobs, lambda job: f"{job.created_at.isoformat()} {job.id}"))

    return call.read(act)


@router.get("/v1/plans/{plan}", response_model=MadePlan, responses=UNCHANGED)
def get_plan(plan: Identifier, call: Fetching, fields: PlanFields = "plan,kpis,comparison") -> Response:
    """Return a plan as far as it is made; once it is, with its figures, and beside what people live by."""
    wanted = fields.split(",")

    def show(session: Transaction) -> MadePlan:
        made = planning.get_plan(session, plan)
        shown: dict[str, Any] = {"plan": None, "kpis": None, "comparison": None, "call": None, "moves": None}
        if made.plan is not None and "plan" in wanted:
            shown["plan"] = made.plan
        if made.plan is not None and "kpis" in wanted:
            shown["kpis"] = to_document(compute_kpis(made.scenario, made.plan))
        if "comparison" in wanted:
            preview = publishing.preview_publication(session, made)
            if preview is not None:
                shown["comparison"] = preview.comparison
                shown["call"] = list_calls(session, preview.asked_before, preview.comparison.notify)
                shown["moves"] = describe_moves(made)
        return MadePlan.of(made.job, scenario=made.scenario.id, **shown)

    def act(session: Transaction) -> RouteResult:
        return RouteResult(lambda: show(session), version=planning.get_plan_version(session, plan))

    return call.disclose("plan.read", "plan", plan, act)


@router.get(
    "/v1/plans/{plan}/comparison",
    response_model=Comparison,
    responses={**show_example(COMPARISON), **document_problems(409)},
)
def compare_plans(
    plan: Identifier,
    call: Reading,
    before: Annotated[str, Query(max_length=100, description="The plan that it is compared with.")],
) -> Response:
    """Compare a plan with an earlier one of the same scenario: what is added, moved or left out, and whom to call."""
    return call.disclose(
        "plan.compare",
        "plan",
        plan,
        lambda session: RouteResult(planning.compare_plans(session, before, plan)),
    )


@router.get(
    "/v1/plans/{plan}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `progress` with each step, at last `end`.",
            "content": {
                "text/event-stream": {
                    "example": 'id: 3\nevent: progress\ndata: {"seconds": 2.5, "cost": 6150, "bound": 6054, "gap": 0.0156}\n\n'
                }
            },
        }
    },
)
def watch_plan(
    plan: Identifier,
    call: Reading,
    last_event_id: Annotated[str | None, Header(description="The id of the last event that is known.", max_length=20)] = None,
) -> Response:
    """Tell how a plan is coming along, as it happens: its cost, the proven bound, and the gap between them."""
    call.read(lambda session: RouteResult(planning.get_job(session, plan)[1]))
    after = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else 0
    events = stream_events(call.context.database, plan, min(after, 2**31 - 1), stopping=call.context.stopping)
    return EventStream(call.context, call.actor, events)


@router.post("/v1/plans/{plan}/end", status_code=HTTPStatus.ACCEPTED, response_model=Job, responses=document_problems(409))
def end_plan(plan: Identifier, call: Reading) -> Response:
    """Stop the making of a plan and keep the best so far: it is done within seconds."""

    def act(session: Transaction) -> RouteResult:
        row = planning.end_plan(session, call.actor, plan, call.context.clock())
        return RouteResult(Job.of(row, scenario=planning.get_job(session, plan)[1]), HTTPStatus.ACCEPTED)

    return call.write(act)


@router.delete("/v1/plans/{plan}", response_model=Job, responses=document_problems(409))
def cancel_plan(plan: Identifier, call: Reading) -> Response:
    """Call off a plan that is waited for."""

    def act(session: Transaction) -> RouteResult:
        row = planning.cancel_plan(session, call.actor, plan, call.context.clock())
        return RouteResult(Job.of(row, scenario=planning.get_job(session, plan)[1]))

    return call.write(act)


@router.post(
    "/v1/publications", status_code=HTTPStatus.CREATED, response_model=Publication, responses=document_problems(404, 409)
)
def publish(body: ToPublish, call: Creating) -> Response:
    """Make a plan the one that people live by. What was decided by hand since it was asked for stays as decided."""
    release_expired(call.context, call.context.clock())

    keep = [(kept.kind, kept.id) for kept in body.keep]

    def act(session: Transaction) -> RouteResult:
        row = publishing.publish(session, call.actor, body.plan, call.context.clock(), keep).row
        return RouteResult(Publication.of(row, plan=body.plan), HTTPStatus.CREATED, location=f"/v1/publications/{row.id}")

    return call.create(act)


@router.get("/v1/publications", response_model=Publications)
def list_publications(call: Reading, page: Paged, scenario: OfScenario = None) -> Response:
    """Return the publications, the newest first, a page at a time."""
    before = read_number(page) if page.after else None

    def act(session: Transaction) -> RouteResult:
        rows = publishing.list_publications(session, scenario, before, page.count + 1)
        publications = [Publication.of(row, plan=made) for row, made in rows]
        return RouteResult(page.of(Publications, publications, lambda publication: str(publication.id)))

    return call.read(act)


@router.get("/v1/publications/{publication}", response_model=Publication)
def get_publication(publication: Annotated[int, Path(ge=1, lt=2**31)], call: Reading) -> Response:
    """Return a publication."""

    def act(session: Transaction) -> RouteResult:
        row, plan = publishing.get_publication(session, publication)
        return RouteResult(Publication.of(row, plan=plan))

    return call.read(act)
