"""Providers' calendars elsewhere, whose events are busy times here."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.concurrency import run_in_threadpool

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.runtime.fetching import MAX_URL_CHARACTERS
from api.services.calendars import outside as service
from api.services.calendars.outside import NewCalendar

router = make_router("outside calendars")

Identifier = Annotated[str, Path(max_length=100)]

MAX_BODY_BYTES = 16 * 1024**2
"""Longest body that holds a file's content: JSON writes a character of it in up to three times its bytes."""

EXAMPLE: JsonDict = {
    "id": "c81e",
    "provider": "physician-1",
    "name": "teaching",
    "kind": "address",
    "read_at": "2026-11-27T16:30:00Z",
    "failure": None,
    "unread": 1,
    "unread_parts": [{"property": "DTEND", "start": "2026-12-01T18:00:00Z"}],
}


class CalendarToRead(BaseModel):
    """A calendar to be read: at an https address, or the content of an .ics file."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "teaching", "url": "https://calendars.example/teaching.ics"}]}
    )

    name: str = Field(min_length=1, max_length=100)
    url: str | None = Field(None, max_length=MAX_URL_CHARACTERS)
    content: str | None = None


def _name_kind(url: object) -> str:
    return "file" if url is None else "address"


class UnreadPart(ResponseModel):
    """A property of an event that could not be understood, and when its event starts, if that is known.

    What could be understood of its event is busy time all the same.
    """

    property: str
    start: datetime | None


class OutsideCalendar(ResponseModel):
    """A calendar elsewhere, without its address, which may hold a secret; ``failure`` says why it was not read last.

    ``unread`` is how many parts of it could not be understood; ``unread_parts`` lists the first of them.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    provider: str = Field(validation_alias="provider_id")
    name: str
    kind: Annotated[str, BeforeValidator(_name_kind)] = Field(validation_alias="url")
    read_at: datetime | None
    failure: str | None
    unread: int
    unread_parts: list[UnreadPart]


class OutsideCalendars(ResponseModel):
    """A provider's calendars elsewhere."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE]}]})

    items: list[OutsideCalendar]


@router.get("/v1/providers/{provider}/outside-calendars", response_model=OutsideCalendars)
def list_calendars(provider: Identifier, call: Reading) -> Response:
    """Return a provider's calendars elsewhere."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(OutsideCalendars.model_validate({"items": service.list_calendars(session, provider)}))

    return call.read(act)


@router.post(
    "/v1/providers/{provider}/outside-calendars",
    status_code=HTTPStatus.CREATED,
    response_model=OutsideCalendar,
    max_body_size=MAX_BODY_BYTES,
)
async def add_calendar(provider: Identifier, body: CalendarToRead, call: Creating) -> Response:
    """Read a calendar elsewhere from now on: its events become busy times; a visit that they meet becomes a task."""
    context, now = call.context, call.context.clock()
    content = None if body.content is None else body.content.encode()
    wanted = NewCalendar(body.name, body.url, content)
    new = await context.uploads.run(lambda: service.read_calendar(context, wanted, now))

    def act(session: Transaction) -> RouteResult:
        row = service.add_calendar(session, context.settings, context.signer, call.actor, provider, new, now)
        return RouteResult(OutsideCalendar.of(row), HTTPStatus.CREATED)

    return await run_in_threadpool(call.create, act)


@router.delete("/v1/outside-calendars/{outside}", status_code=HTTPStatus.NO_CONTENT)
def end_calendar(outside: Identifier, call: Reading) -> Response:
    """Read a calendar elsewhere no more; its busy times are gone."""

    def act(session: Transaction) -> RouteResult:
        service.end_calendar(session, call.actor, outside, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)
