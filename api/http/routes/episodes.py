"""Episodes: a patient's care over months, seen and continued."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Body, Path, Query, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, PatientFilter, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged
from api.services.care import episodes as service
from api.services.care.episodes import ReportedEvent
from scheduling.care.episodes import Event

router = make_router("episodes")

Identifier = Annotated[str, Path(max_length=100)]

LISTED: JsonDict = {
    "id": "episode-7",
    "patient": "mrn-4711",
    "kind": "spinal-cord-stimulation",
    "pathway": "spinal-cord-stimulation",
    "priority": "soon",
    "is_open": True,
    "referred_at": "2026-11-30T14:00:00Z",
}
EVENT: JsonDict = {
    "kind": "outcome",
    "known": "2026-12-04T15:10",
    "step": "assessment",
    "number": None,
    "date": None,
    "team": [],
    "location": None,
    "outcome": "positive",
    "relief_percent": None,
    "name": None,
}
TOLD: JsonDict = {"kind": "outcome", "step": "assessment", "outcome": "positive"}
STEP: JsonDict = {
    "visit": "episode-7.trial.1",
    "step": "trial",
    "number": 1,
    "service": "scs-trial",
    "earliest": "2026-12-11",
    "target": "2026-12-25",
    "latest": "2027-02-02",
    "planned": None,
    "certain": True,
}
SHOWN: JsonDict = {
    "id": "episode-7",
    "patient": "mrn-4711",
    "kind": "spinal-cord-stimulation",
    "pathway": "spinal-cord-stimulation",
    "priority": "soon",
    "referrer": None,
    "state": "open",
    "version": 4,
    "history": [EVENT],
    "open": [STEP],
}


class ListedEpisode(ResponseModel):
    """An episode in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [LISTED]})

    id: str
    patient: str = Field(validation_alias="patient_id")
    kind: str
    pathway: str
    priority: str
    is_open: bool
    referred_at: datetime


class Episodes(ResponseModel):
    """A page of episodes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [LISTED], "next": None}]})

    items: list[ListedEpisode]
    next: str | None


class Step(ResponseModel):
    """A visit that is still to be, and between which dates; ``planned`` is the date on which it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [STEP]})

    visit: str
    step: str
    number: int
    service: str
    earliest: date
    target: date | None
    latest: date | None
    planned: date | None
    certain: bool


class ShownEpisode(ResponseModel):
    """An episode: what has been of it, and what is open today."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN]})

    id: str
    patient: str
    kind: str
    pathway: str
    priority: str
    referrer: str | None
    state: str
    version: int
    history: list[Event]
    open: list[Step]


class Consequences(ResponseModel):
    """What follows from an event: visits that are asked for at once, and those given up, whose patients have to be told."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"asked": ["episode-7.trial.1"], "given_up": [], "episode": SHOWN}]}
    )

    asked: list[str]
    given_up: list[str]
    episode: ShownEpisode


@router.get("/v1/episodes", response_model=Episodes)
def list_episodes(
    call: Reading,
    page: Paged,
    patient: PatientFilter = None,
    is_open: Annotated[bool | None, Query(alias="open", description="Only those that go on, or that are over.")] = None,
) -> Response:
    """Return episodes, a page at a time."""

    def act(session: Transaction) -> RouteResult:
        rows = service.list_episodes(session, page.after, page.count + 1, patient, is_open)
        return RouteResult(page.of(Episodes, rows, lambda row: row.id))

    return call.disclose("episode.list", "patient", patient or "", act)


@router.get("/v1/episodes/{episode}", response_model=ShownEpisode)
def get_episode(episode: Identifier, call: Reading) -> Response:
    """Return an episode: what has been of it, and what is open today."""
    now = call.context.clock()
    return call.disclose(
        "episode.read", "episode", episode, lambda session: _answer(service.describe_episode(session, episode, now))
    )


@router.post(
    "/v1/episodes/{episode}/events",
    status_code=HTTPStatus.CREATED,
    response_model=Consequences,
    responses=document_problems(409),
)
def tell(episode: Identifier, body: Annotated[ReportedEvent, Body(examples=[TOLD])], call: Creating) -> Response:
    """Take down what became known: an outcome, a date, a visit elsewhere, a stop, a new start; what follows from it is done."""
    now = call.context.clock()

    def act(session: Transaction) -> RouteResult:
        found = service.record_event(session, call.actor, episode, None, body, now)
        described = service.describe_episode(session, episode, now)
        return RouteResult(Consequences.of(found, episode=described), HTTPStatus.CREATED)

    return call.create(act)


def _answer(described: dict[str, Any]) -> RouteResult:
    shown = ShownEpisode.model_validate(described)
    return RouteResult(shown, version=shown.version)
