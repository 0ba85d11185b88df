"""Feeds: calendars that calendar programs subscribe to. Whoever has the address reads it; the secret in it is all there is."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.background import BackgroundTask

from api.access.actor import AccessRole
from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading, Shared
from api.http.errors import document_problems
from api.http.gate import get_address, make_router
from api.http.models import IsSet, ResponseModel
from api.http.pages import Paged
from api.runtime.caches import RenderedFeed
from api.runtime.settings import Settings
from api.services.calendars import feeds as service
from api.services.states import FeedKind
from scheduling.errors import UnknownId

router = make_router("feeds")

PATH = "/calendars/{calendar}/{secret}.ics"
CALENDAR = "text/calendar; charset=utf-8"
PACKED = "-gzip"
"""What the ETag of a compressed copy ends with: another encoding is another representation (RFC 9110, section 8.8.3.3)."""

Identifier = Annotated[str, Path(max_length=100)]
Secret = Annotated[str, Path(max_length=200)]

EXAMPLE: JsonDict = {
    "id": "5f0c",
    "kind": "provider",
    "subject": "physician-1",
    "created_at": "2026-11-20T09:00:00Z",
    "last_used_at": None,
    "revoked": False,
}
CALENDAR_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/calendar": {"example": "BEGIN:VCALENDAR\r\n…"}}},
    304: {"description": "It is still what If-None-Match names"},
    410: {"description": "The feed was revoked a while ago"},
}
URL = "https://clinic.example/calendars/provider/cwf_….ics"


class FeedToMake(BaseModel):
    """Whose calendar is subscribed to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "provider", "subject": "physician-1"}]})

    kind: Literal["provider", "room", "group", "location"]
    subject: str = Field(min_length=1, max_length=200)


class Feed(ResponseModel):
    """A feed; ``url``, with its secret, is told once, when it is made."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    kind: FeedKind
    subject: str = Field(validation_alias="subject_id")
    created_at: datetime
    last_used_at: datetime | None
    revoked: IsSet = Field(validation_alias="revoked_at")


class NewFeed(Feed):
    """A feed that was made, with its address, which is told once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE, "url": URL}]})

    url: str


class Feeds(ResponseModel):
    """A page of feeds."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[Feed]
    next: str | None


@router.head(PATH, response_class=Response, responses=CALENDAR_ANSWERS)
@router.get(PATH, response_class=Response, responses=CALENDAR_ANSWERS)
def read_feed(calendar: Identifier, secret: Secret, request: Request, context: Shared) -> Response:
    """Return a calendar: the last weeks, and all that is published ahead."""
    try:
        found = service.poll_feed(context, calendar, secret)  # type: ignore[arg-type]
    except UnknownId:
        service.refuse_poll(context, get_address(request))
        raise
    if found.copy is None:
        return Response(status_code=HTTPStatus.GONE)
    answer = _calendar(request, found.copy)
    if found.to_keep:
        answer.background = BackgroundTask(service.store_recorded_use, context)
    return answer


@router.post("/v1/feeds", status_code=HTTPStatus.CREATED, response_model=NewFeed, responses=document_problems(404))
def add_feed(body: FeedToMake, call: Creating) -> Response:
    """Make a feed of a provider, room, group or location for oneself; its address is told once."""
    settings, now = call.context.settings, call.context.clock()

    def act(session: Transaction) -> RouteResult:
        secret, row = service.add_feed(session, settings, call.actor, body.kind, body.subject, now)
        return RouteResult(NewFeed.of(row, url=make_feed_address(settings, row.kind, secret)), HTTPStatus.CREATED)

    return call.create(act)


@router.get("/v1/feeds", response_model=Feeds)
def list_feeds(call: Reading, page: Paged) -> Response:
    """Return the feeds that one has made, those that have ended too; an admin sees all."""
    by = None if call.actor.role is AccessRole.ADMIN else call.actor.id

    def act(session: Transaction) -> RouteResult:
        rows = service.list_feeds(session, by, page.after, page.count + 1)
        return RouteResult(page.of(Feeds, rows, lambda row: row.id))

    return call.read(act)


@router.delete("/v1/feeds/{feed}", status_code=HTTPStatus.NO_CONTENT)
def end_feed(feed: Identifier, call: Reading) -> Response:
    """End a feed, from the next poll on."""

    def act(session: Transaction) -> RouteResult:
        service.end_feed(session, call.actor, feed, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.post("/v1/patients/{patient}/feeds", status_code=HTTPStatus.CREATED, response_model=NewFeed)
def add_patient_feed(patient: Identifier, call: Creating) -> Response:
    """Make the signed link by which a patient reads their own appointments."""
    settings, now = call.context.settings, call.context.clock()

    def act(session: Transaction) -> RouteResult:
        secret, row = service.add_patient_feed(session, settings, call.context.signer, call.actor, patient, now)
        return RouteResult(NewFeed.of(row, url=make_feed_address(settings, row.kind, secret)), HTTPStatus.CREATED)

    return call.create(act)


def _calendar(request: Request, copy: RenderedFeed) -> Response:
    """Answer with a copy, compressed where that is taken, or that it is still the one that is known."""
    packs = _takes_gzip(request.headers.get("accept-encoding", ""))
    content = copy.compressed if packs else copy.content
    headers = {
        "ETag": f'"{copy.digest}{PACKED if packs else ""}"',
        "Last-Modified": format_datetime(copy.modified_at.astimezone(UTC), usegmt=True),
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding",
    }
    if _is_known(request, copy):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers |= {"Content-Type": CALENDAR, "Content-Length": str(len(content))}
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(b"" if request.method == "HEAD" else content, headers=headers)


def _is_known(request: Request, copy: RenderedFeed) -> bool:
    """Say whether the caller has the copy (RFC 9110, sections 13.1.2 and 13.1.3: a date counts only without a tag)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = {one.strip().removeprefix("W/").strip('"').removesuffix(PACKED) for one in tags.split(",")}
        return copy.digest in known or tags.strip() == "*"
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return copy.modified_at.replace(microsecond=0) <= parsedate_to_datetime(since).astimezone(UTC)
    except (ValueError, OverflowError):
        return False


def _takes_gzip(accepted: str) -> bool:
    for one in accepted.lower().split(","):
        coding, _, quality = one.partition(";")
        if coding.strip() in ("gzip", "x-gzip"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def make_feed_address(settings: Settings, kind: FeedKind, secret: str) -> str:
    """Return the address of a feed, which only who made it is told."""
    return f"{settings.public_url.rstrip('/')}/calendars/{kind}/{secret}.ics"
