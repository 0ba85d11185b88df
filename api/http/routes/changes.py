"""Changes of a week at a desk: what several of them would come to, and doing and undoing them."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Header, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api.background.week_stream import stream_changes
from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Creating, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.routes.bookings import WantedPlace
from api.http.routes.examples import COMPARISON, PLACE, show_example
from api.http.streams import EventStream
from api.services.bookings import change_sets
from api.services.bookings.change_sets import ChangeSetDecision, WantedChanges
from api.services.bookings.decisions import with_retries
from api.services.proposals.judgements import Judgement, judge_changes
from api.services.weeks import boards
from api.services.weeks.week import get_current_week
from scheduling.fields import Id

router = make_router("changes")

Identifier = Annotated[str, Path(max_length=100)]

MAX_CHANGES = 50


class PlaceChange(WantedPlace):
    """A visit is to be at a place: its first, or another."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": []})

    kind: Literal["place"]
    visit: Id


class OtherChange(BaseModel):
    """A visit gives up its place, is held where it is then, or is held no more."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "pin", "visit": "visit-0181"}]})

    kind: Literal["cancel", "pin", "unpin"]
    visit: Id


ONE_PLACE: JsonDict = {
    "kind": "place",
    "visit": "visit-0181",
    **{key: PLACE[key] for key in ("start", "location", "room", "team")},
}


class ChangesToMake(BaseModel):
    """Changes that belong together; a visit is placed or cancelled once, and pinned or not once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"changes": [ONE_PLACE]}]})

    changes: list[Annotated[PlaceChange | OtherChange, Field(discriminator="kind")]] = Field(
        min_length=1, max_length=MAX_CHANGES
    )

    @model_validator(mode="after")
    def _once_each(self) -> ChangesToMake:
        subjects = [(change.visit, change.kind in ("place", "cancel")) for change in self.changes]
        if len(set(subjects)) < len(subjects):
            raise ValueError("a visit is changed twice")
        return self

    def wanted(self) -> WantedChanges:
        """Return what is wanted, by visit."""
        placed = [change for change in self.changes if isinstance(change, PlaceChange)]
        others = [change for change in self.changes if isinstance(change, OtherChange)]
        return WantedChanges(
            places={change.visit: change.place() for change in placed},
            cancelled=tuple(change.visit for change in others if change.kind == "cancel"),
            pins={change.visit: change.kind == "pin" for change in others if change.kind != "cancel"},
            reasons={change.visit: change.override_reason for change in placed if change.override_reason is not None},
        )


VERSION_EVENT = (
    'id: "13.5c1f"\nevent: version\ndata: {"version": 13, "etag": "\\"13.5c1f\\"", "visits": ["visit-0181"], "groups": [], '
    '"by": [{"id": "4be0643f", "name": "dana"}], "complete": true}\n\n'
)

JUDGEMENT: JsonDict = {
    "scenario": "week-7",
    "version": 12,
    "broken": [
        {
            "rule": "room-overlap",
            "ids": ["visit-0181", "visit-0182"],
            "words": "wang-exam-1 is taken: Follow-up of Kim and Follow-up of Robin would be there at once (Tue 1 Dec 09:00).",
            "detail": "both need wang-exam-1 at 09:00",
            "final": True,
        }
    ],
    "cost": {"before": 24, "after": 12, "difference": -12},
    "costs": {"delay": {"before": 24, "after": 12, "difference": -12}},
    "call": [{"patient": "patient-0007", "name": "Kim", "by": "mail"}],
    "budget": {"limit": 10, "used": 2, "left": 8},
    "differences": COMPARISON["changes"],
    "applicable": False,
}

APPLIED: JsonDict = {
    "id": "5c1f",
    "scenario": "week-7",
    "version": 13,
    "made_at": "2026-11-30T14:10:00Z",
    "by": "4be0643f",
    "undo_until": "2026-11-30T14:11:00Z",
    "reverses": None,
    "judgement": {**JUDGEMENT, "broken": [], "applicable": True},
}


class AppliedChanges(BaseModel):
    """Changes that were applied; until ``undo_until`` they can be taken back before anybody is told by mail."""

    id: str
    scenario: str
    version: int
    made_at: datetime
    by: str
    undo_until: datetime
    reverses: str | None
    judgement: Judgement


@router.post(
    "/v1/scenarios/{scenario}/judgements",
    response_model=Judgement,
    responses={**show_example(JUDGEMENT), **document_problems(409)},
)
def judge(scenario: Identifier, body: ChangesToMake, call: Reading) -> Response:
    """Say what several changes would come to together; nothing is done."""
    now = call.context.clock()
    week = get_current_week(call.context, scenario, now)
    decision = change_sets.decide_changes(week, call.actor, body.wanted(), now)
    return call.disclose_once_a_minute(
        "scenario.judge", "scenario", scenario, lambda session: RouteResult(judge_changes(session, decision))
    )


@router.get(
    "/v1/scenarios/{scenario}/changes",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `version` at once and with each change, at last `end`.",
            "content": {"text/event-stream": {"example": VERSION_EVENT}},
        }
    },
)
def watch_week(
    scenario: Identifier,
    call: Reading,
    last_event_id: Annotated[str | None, Header(max_length=100, description="The id of the last event that is known.")] = None,
) -> Response:
    """Tell what changes in a week, as it happens, whoever changes it: its version, the visits and groups, and by whom."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(boards.get_week_version(session, scenario))

    call.disclose("scenario.watch", "scenario", scenario, act)
    events = stream_changes(call.context.database, scenario, last_event_id, call.context.stopping)
    return EventStream(call.context, call.actor, events)


@router.post(
    "/v1/scenarios/{scenario}/changes",
    status_code=HTTPStatus.CREATED,
    response_model=AppliedChanges,
    responses={**show_example(APPLIED, 201), **document_problems(409, 412, 428)},
)
def apply(scenario: Identifier, body: ChangesToMake, call: Changing) -> Response:
    """Apply several changes together, or none of them; If-Match is the board's. Patients are told once the hold is over."""
    version, now, wanted = call.expected_version(), call.context.clock(), body.wanted()
    return with_retries(
        call.context,
        scenario,
        lambda week: change_sets.decide_applicable_changes(call.context.database, week, call.actor, wanted, version, now),
        lambda session, decision: _apply(session, decision, call.context.settings.mail_hold_seconds),
        call.write,
    )


@router.post(
    "/v1/changes/{change}/reversal",
    status_code=HTTPStatus.CREATED,
    response_model=AppliedChanges,
    responses={**show_example({**APPLIED, "reverses": "5c1e"}, 201), **document_problems(409)},
)
def reverse(change: Identifier, call: Creating) -> Response:
    """Make everything as it was before some changes; while their mail is held, nobody is told anything."""
    now = call.context.clock()
    with call.context.database.reading() as session:
        row = change_sets.get_change_set(session, change)
    return with_retries(
        call.context,
        row.period_id,
        lambda week: change_sets.decide_reversal(week, call.actor, row, now),
        lambda session, decision: _apply(session, decision, call.context.settings.mail_hold_seconds, change),
        call.create,
    )


def _apply(session: Transaction, decision: ChangeSetDecision, hold_seconds: int, reverses: str | None = None) -> RouteResult:
    judgement = judge_changes(session, decision)
    if reverses is None:
        row = change_sets.apply_changes(session, decision)
    else:
        row = change_sets.apply_reversal(session, decision, reverses)
    version = change_sets.get_version(session, row)
    applied = AppliedChanges(
        id=row.id,
        scenario=row.period_id,
        version=version,
        made_at=row.created_at,
        by=row.created_by,
        undo_until=row.created_at + timedelta(seconds=hold_seconds),
        reverses=row.reverses,
        judgement=judgement,
    )
    return RouteResult(applied, HTTPStatus.CREATED, version)
