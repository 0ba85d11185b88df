"""Providers' calendars elsewhere, whose events are busy times here."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel import Session

from api.http.answers import RouteResult
from api.http.dependencies import Creating, Reading
from api.http.gate import guarded_router
from api.runtime.fetching import MAX_URL_CHARACTERS
from api.services import outside as service
from api.services.outside import NewCalendar
from api.store import outside as store
from api.store.tables import OutsideCalendarRow

router = guarded_router("outside calendars")

Identifier = Annotated[str, Path(max_length=100)]

EXAMPLE: JsonDict = {
    "id": "c81e",
    "provider": "physician-1",
    "name": "teaching",
    "kind": "address",
    "read_at": "2026-11-27T16:30:00Z",
    "failure": None,
}


class CalendarToRead(BaseModel):
    """A calendar to be read: at an https address, or the content of an .ics file."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "teaching", "url": "https://calendars.example/teaching.ics"}]}
    )

    name: str = Field(min_length=1, max_length=100)
    url: str | None = Field(None, max_length=MAX_URL_CHARACTERS)
    content: str | None = None


class OutsideCalendar(BaseModel):
    """A calendar elsewhere, without its address, which may hold a secret; ``failure`` says why it was not read last."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    provider: str
    name: str
    kind: str
    read_at: datetime | None
    failure: str | None


class OutsideCalendars(BaseModel):
    """A provider's calendars elsewhere."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE]}]})

    items: list[OutsideCalendar]


@router.get("/v1/providers/{provider}/outside-calendars", response_model=OutsideCalendars)
def list_calendars(provider: Identifier, call: Reading) -> Response:
    """Return a provider's calendars elsewhere."""
    return call.read(lambda session: RouteResult({"items": [_calendar(row) for row in store.calendars_of(session, provider)]}))


@router.post("/v1/providers/{provider}/outside-calendars", status_code=HTTPStatus.CREATED, response_model=OutsideCalendar)
def add_calendar(provider: Identifier, body: CalendarToRead, call: Creating) -> Response:
    """Read a calendar elsewhere from now on: its events become busy times; a visit that they meet becomes a task."""
    context, now = call.context, call.context.clock()
    content = None if body.content is None else body.content.encode()
    new = service.check_calendar(context.settings, context.fetcher, NewCalendar(body.name, body.url, content))

    def act(session: Session) -> RouteResult:
        row = service.add_calendar(session, context.settings, context.signer, call.actor, provider, new, now)
        return RouteResult(_calendar(row), HTTPStatus.CREATED)

    return call.create(act)


@router.delete("/v1/outside-calendars/{outside}", status_code=HTTPStatus.NO_CONTENT)
def end_calendar(outside: Identifier, call: Reading) -> Response:
    """Read a calendar elsewhere no more; its busy times are gone."""

    def act(session: Session) -> RouteResult:
        service.end_calendar(session, call.actor, outside, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


def _calendar(row: OutsideCalendarRow) -> dict[str, object]:
    return {
        "id": row.id,
        "provider": row.provider_id,
        "name": row.name,
        "kind": "file" if row.url is None else "address",
        "read_at": row.read_at,
        "failure": row.failure,
    }
