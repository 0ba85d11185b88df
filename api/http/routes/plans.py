"""Plans: asked for, watched while they are made, read, compared, called off, and published."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel import Session

from api.background.jobs.event_stream import follow
from api.context import AppContext
from api.http.answers import RouteResult
from api.http.dependencies import Creating, Fetching, Reading
from api.http.errors import UNCHANGED, documented
from api.http.gate import guarded_router
from api.http.pages import Paged
from api.http.routes.examples import COMPARISON, KPIS, PLAN
from api.reports.documents import document
from api.reports.kpis import kpis
from api.runtime.settings import MAX_SOLVE_SECONDS
from api.services import planning, publishing
from api.services.planning import PlanRequest, RequestedPlan
from api.services.week import release_expired_offers
from api.store import jobs, plans
from api.store.tables import JobEventRow, PlanJobRow, PublicationRow
from api.store.tables.jobs import JobFailure, JobState
from scheduling.comparison import Comparison
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Id, Stamp
from scheduling.plan import Plan

router = guarded_router("plans")

Identifier = Annotated[str, Path(max_length=100)]
OfScenario = Annotated[str | None, Query(max_length=100, description="Only those of this scenario.")]

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


class Job(BaseModel):
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


class Jobs(BaseModel):
    """A page of plans."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [JOB], "next": None}]})

    items: list[Job]
    next: str | None


class MadePlan(Job):
    """A plan as far as it is made: once it is, with its figures, and beside what people live by."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**JOB, "plan": PLAN, "kpis": KPIS, "comparison": COMPARISON}]})

    plan: Plan | None
    kpis: dict[str, Any] | None
    comparison: Comparison | None


class ToPublish(BaseModel):
    """The plan to be published."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"plan": "0b4f7c3e"}]})

    plan: str = Field(max_length=100)


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


class Publication(BaseModel):
    """A publication: how many bookings it made, changed, cancelled, and left untouched."""

    model_config = ConfigDict(json_schema_extra={"examples": [PUBLICATION]})

    id: int
    plan: str | None
    scenario: str
    added: int
    changed: int
    cancelled: int
    unchanged: int
    published_by: str
    published_at: datetime


class Publications(BaseModel):
    """A page of publications."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [PUBLICATION], "next": None}]})

    items: list[Publication]
    next: str | None


@router.post("/v1/plans", status_code=HTTPStatus.ACCEPTED, response_model=Job, responses=documented(404))
def ask_for_plan(body: PlanToMake, call: Creating) -> Response:
    """Ask for a plan of a scenario as it is now; it is made beside, and found under its address."""
    from solver import Limits

    now, queue = call.context.clock(), call.context.queue
    release_expired_offers(call.context, now)
    limits = Limits(body.seconds, call.context.settings.solver_workers, body.seed, body.gap)
    wanted = PlanRequest(body.scenario, limits, body.now)
    with call.context.database.reading() as session:
        of = planning.prepare_plan(session, wanted, now)

    def act(session: Session) -> RouteResult:
        row = planning.request_plan(session, queue, call.actor, wanted, of, now)
        return RouteResult(_job(row, body.scenario), HTTPStatus.ACCEPTED, location=f"/v1/plans/{row.id}")

    return call.create(act)


@router.get("/v1/plans", response_model=Jobs)
def list_plans(call: Reading, page: Paged, scenario: OfScenario = None) -> Response:
    """Return the plans that were asked for, the newest first, a page at a time."""
    before = _moment_and_id(page.after)

    def act(session: Session) -> RouteResult:
        rows = jobs.jobs(session, scenario, before, page.count + 1)
        of = jobs.periods_of(session, rows)
        return RouteResult(
            page.document(rows, lambda row: f"{row.created_at.isoformat()} {row.id}", lambda row: _job(row, of[row.id]))
        )

    return call.read(act)


@router.get("/v1/plans/{plan}", response_model=MadePlan, responses=UNCHANGED)
def get_plan(plan: Identifier, call: Fetching) -> Response:
    """Return a plan as far as it is made; once it is, with its figures, and beside what people live by."""

    def shown(session: Session) -> dict[str, Any]:
        found = planning.get_plan(session, plan)
        return _made(found, publishing.preview_publication(session, found))

    def act(session: Session) -> RouteResult:
        return RouteResult(lambda: shown(session), version=planning.get_plan_version(session, plan))

    return call.disclose("plan.read", "plan", plan, act)


@router.get(
    "/v1/plans/{plan}/comparison",
    response_model=Comparison,
    responses={200: {"content": {"application/json": {"example": COMPARISON}}}, **documented(409)},
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
    last_event_id: Annotated[str | None, Header(description="The id of the last event that is known.")] = None,
) -> Response:
    """Tell how a plan is coming along, as it happens: its cost, the proven bound, and the gap between them."""
    call.read(lambda session: RouteResult(jobs.job(session, plan).id))
    after = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else 0
    return StreamingResponse(
        _told(call.context, plan, min(after, 2**31 - 1)), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.delete("/v1/plans/{plan}", response_model=Job, responses=documented(409))
def cancel_plan(plan: Identifier, call: Reading) -> Response:
    """Call off a plan that is waited for."""

    def act(session: Session) -> RouteResult:
        row = planning.cancel_plan(session, call.actor, plan, call.context.clock())
        return RouteResult(_job(row, jobs.periods_of(session, [row])[row.id]))

    return call.write(act)


@router.post("/v1/publications", status_code=HTTPStatus.CREATED, response_model=Publication, responses=documented(404, 409))
def publish(body: ToPublish, call: Creating) -> Response:
    """Make a plan the one that people live by. What was decided by hand since it was asked for stays as decided."""
    release_expired_offers(call.context, call.context.clock())

    def act(session: Session) -> RouteResult:
        row = publishing.publish(session, call.actor, body.plan, call.context.clock()).row
        return RouteResult(_publication(row, body.plan), HTTPStatus.CREATED, location=f"/v1/publications/{row.id}")

    return call.create(act)


@router.get("/v1/publications", response_model=Publications)
def list_publications(call: Reading, page: Paged, scenario: OfScenario = None) -> Response:
    """Return the publications, the newest first, a page at a time."""
    before = _number(page.after) if page.after else None

    def act(session: Session) -> RouteResult:
        rows = plans.publications(session, scenario, before, page.count + 1)
        of = jobs.jobs_of_plans(session, [row.plan_id for row in rows])
        return RouteResult(page.document(rows, lambda row: str(row.id), lambda row: _publication(row, of.get(row.plan_id))))

    return call.read(act)


@router.get("/v1/publications/{publication}", response_model=Publication)
def get_publication(publication: Annotated[int, Path(ge=1, lt=2**31)], call: Reading) -> Response:
    """Return a publication."""

    def act(session: Session) -> RouteResult:
        row = plans.publication(session, publication)
        return RouteResult(_publication(row, jobs.jobs_of_plans(session, [row.plan_id]).get(row.plan_id)))

    return call.read(act)


async def _told(context: AppContext, identifier: str, after: int) -> AsyncIterator[str]:
    async for one in follow(context.database, identifier, after, stopping=context.stopping):
        if isinstance(one, JobEventRow):
            step = {"seconds": one.seconds, "phase": one.phase, "cost": one.cost, "bound": one.bound, "gap": one.gap}
            yield f"id: {one.number}\nevent: progress\ndata: {json.dumps(step)}\n\n"
        else:
            ended = {"state": one.state, "failure": one.failure, "reason": one.reason}
            yield f"event: end\ndata: {json.dumps(ended)}\n\n"


def _job(row: PlanJobRow, scenario: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "scenario": scenario,
        "state": row.state,
        "seconds": row.seconds,
        "failure": row.failure,
        "reason": row.reason,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def _made(found: RequestedPlan, comparison: Comparison | None) -> dict[str, Any]:
    return {
        **_job(found.job, found.scenario.id),
        "plan": found.plan,
        "kpis": None if found.plan is None else document(kpis(found.scenario, found.plan)),
        "comparison": comparison,
    }


def _publication(row: PublicationRow, plan: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "plan": plan,
        "scenario": row.period_id,
        "added": row.added,
        "changed": row.changed,
        "cancelled": row.cancelled,
        "unchanged": row.unchanged,
        "published_by": row.published_by,
        "published_at": row.published_at,
    }


def _moment_and_id(key: str) -> tuple[datetime, str] | None:
    """Read the key of a list of plans. Raises ``InvalidFile`` for one that none of our pages gave."""
    if not key:
        return None
    moment, _, identifier = key.partition(" ")
    try:
        before = datetime.fromisoformat(moment)
        if before.utcoffset() is None:
            raise ValueError(moment)
        return before.astimezone(UTC), identifier
    except (ValueError, OverflowError):
        raise _strange_cursor() from None


def _number(key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) < 10):
        raise _strange_cursor()
    return int(key)


def _strange_cursor() -> InvalidFile:
    return InvalidFile("query", [Fault("query.cursor", "is no cursor of this list")])
