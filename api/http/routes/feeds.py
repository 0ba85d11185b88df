"""Feeds: calendars that calendar programs subscribe to. Whoever has the address reads it; the secret in it is all there is."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel import Session
from starlette.background import BackgroundTask

from api.access.actor import AccessRole
from api.http.answers import RouteResult
from api.http.dependencies import Creating, Reading, Shared
from api.http.errors import documented
from api.http.gate import address_of, guarded_router
from api.http.pages import Paged
from api.runtime.caches import RenderedFeed
from api.runtime.settings import Settings
from api.services import feeds as service
from api.store import feeds as store
from api.store.tables import FeedRow
from api.store.tables.feeds import FeedKind
from scheduling.errors import UnknownId

router = guarded_router("feeds")

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


class Feed(BaseModel):
    """A feed; ``url``, with its secret, is told once, when it is made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE, "url": URL}]})

    id: str
    kind: FeedKind
    subject: str
    created_at: datetime
    last_used_at: datetime | None
    revoked: bool
    url: str | None = None


class Feeds(BaseModel):
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
        context.log_ins.take(f"guess from {address_of(request)}")
        raise
    if found.copy is None:
        return Response(status_code=HTTPStatus.GONE)
    answer = _calendar(request, found.copy)
    if found.to_keep:
        answer.background = BackgroundTask(service.store_recorded_use, context)
    return answer


@router.post("/v1/feeds", status_code=HTTPStatus.CREATED, response_model=Feed, responses=documented(404))
def add_feed(body: FeedToMake, call: Creating) -> Response:
    """Make a feed of a provider, room, group or location for oneself; its address is told once."""
    settings, now = call.context.settings, call.context.clock()

    def act(session: Session) -> RouteResult:
        secret, row = service.add_feed(session, settings, call.actor, body.kind, body.subject, now)
        return RouteResult({**_feed(row), "url": _url(settings, row, secret)}, HTTPStatus.CREATED)

    return call.create(act)


@router.get("/v1/feeds", response_model=Feeds)
def list_feeds(call: Reading, page: Paged) -> Response:
    """Return the feeds that one has made, those that have ended too; an admin sees all."""
    by = None if call.actor.role is AccessRole.ADMIN else call.actor.id
    return call.read(
        lambda session: RouteResult(
            page.document(store.feeds(session, by, page.after, page.count + 1), lambda row: row.id, _feed)
        )
    )


@router.delete("/v1/feeds/{feed}", status_code=HTTPStatus.NO_CONTENT)
def end_feed(feed: Identifier, call: Reading) -> Response:
    """End a feed, from the next poll on."""

    def act(session: Session) -> RouteResult:
        service.end_feed(session, call.actor, feed, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.post("/v1/patients/{patient}/feeds", status_code=HTTPStatus.CREATED, response_model=Feed)
def add_patient_feed(patient: Identifier, call: Creating) -> Response:
    """Make the signed link by which a patient reads their own appointments."""
    settings, now = call.context.settings, call.context.clock()

    def act(session: Session) -> RouteResult:
        secret, row = service.add_patient_feed(session, settings, call.context.signer, call.actor, patient, now)
        return RouteResult({**_feed(row), "url": _url(settings, row, secret)}, HTTPStatus.CREATED)

    return call.create(act)


def _calendar(request: Request, copy: RenderedFeed) -> Response:
    """Answer with a copy, compressed where that is taken, or that it is still the one that is known."""
    packs = _takes_gzip(request.headers.get("accept-encoding", ""))
    content = copy.packed if packs else copy.content
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


def _url(settings: Settings, row: FeedRow, secret: str) -> str:
    return f"{settings.public_url.rstrip('/')}/calendars/{row.kind}/{secret}.ics"


def _feed(row: FeedRow) -> dict[str, object]:
    return {
        "id": row.id,
        "kind": row.kind,
        "subject": row.subject_id,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "revoked": row.revoked_at is not None,
    }
