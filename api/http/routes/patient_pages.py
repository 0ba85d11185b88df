"""The pages of patients' links: server-made, whole without a script. Whoever has the address is the patient.

A GET changes nothing, not even when the link was last used: mail scanners and previews open every link.
"""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access.actor import Actor
from api.access.limits import get_network
from api.context import AppContext
from api.http.dependencies import Shared
from api.http.gate import get_address, make_router
from api.http.routes.desk import PAGE_POLICY
from api.http.routes.feeds import CALENDAR
from api.runtime.exceptions import Conflict, Unauthenticated
from api.services.pages.other_times import list_other_times
from api.services.pages.patient import make_visit_calendar, open_page, take_answer
from api.web import patient_page as pages
from api.web.patient_page import PatientVisit
from scheduling.errors import Fault, InvalidFile, UnknownId

router = make_router("patients' pages")

MAX_FORM_BYTES = 16 * 1024
ASKED_TWICE = ("declined", "another-time")
"""Answers that are given on a second page."""

Secret = Annotated[str, Path(max_length=200)]
PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {"example": "<!doctype html>…"}}},
    410: {
        "description": "The visit is over, or the link is not good any more.",
        "content": {"text/html": {"example": "<!doctype html>…"}},
    },
}


def describe_form(**fields: str) -> dict[str, Any]:
    """Return what a route says of the form that it takes: its fields, and a good value of each."""
    properties = {name: {"type": "string", "maxLength": pages.MAX_WORDS} for name in fields}
    content = {"schema": {"type": "object", "properties": properties}, "example": fields}
    return {"requestBody": {"content": {"application/x-www-form-urlencoded": content}}}


MAX_FIELDS = 10
VERSION = re.compile("[0-9]{1,18}")


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that a page of ours has posted; what is no form has none."""
    try:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise InvalidFile("body", [Fault("body", f"has more than {MAX_FIELDS} fields")]) from None
    if any("\0" in value for values in fields.values() for value in values):
        raise InvalidFile("body", [Fault("body", "a NUL character cannot be kept")])
    return {name: values[-1] for name, values in fields.items()}


Form = Annotated[dict[str, str], Depends(read_form)]


@router.get("/p/{secret}", response_class=HTMLResponse, responses=PAGE)
def show_page(secret: Secret, request: Request, context: Shared, said: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Return the page of a patient's link."""
    opened = _open(context, request, secret)
    return _ended() if opened is None else _page(pages.make_visit_page(opened[1], _address(secret), said))


@router.post(
    "/p/{secret}",
    response_class=HTMLResponse,
    responses={**PAGE, 303: {"description": "It is noted; the page says so."}},
    openapi_extra=describe_form(answer="accepted", version="3", start="2026-12-01T09:00"),
    max_body_size=MAX_FORM_BYTES,
)
def answer_page(secret: Secret, request: Request, context: Shared, form: Form) -> Response:
    """Take what a patient answers; what cannot be taken back is asked a second time."""
    opened = _open(context, request, secret)
    if opened is None:
        return _ended()
    actor, visit = opened
    context.log_ins.take(f"answer by {actor.id}")
    answer, version = form.get("answer", ""), form.get("version", "")
    asks = form.get("sure") != "yes" and visit.standing == "booked"
    if answer in ASKED_TWICE and asks:
        times = list_other_times(context, actor.visit or "") if answer == "another-time" else ()
        return _page(pages.make_question_page(visit, _address(secret), answer, ((time.start, time.location) for time in times)))
    try:
        start = _read_start(form) if answer == "move" else None
        if start is not None and asks:
            return _page(pages.make_move_page(visit, _address(secret), start))
        words = form.get("words", "").strip()[: pages.MAX_WORDS]
        take_answer(context, actor, answer, words, int(version) if VERSION.fullmatch(version) else -1, start)
    except Conflict:
        return RedirectResponse(f"{_address(secret)}?said=changed", HTTPStatus.SEE_OTHER)
    return RedirectResponse(f"{_address(secret)}?said={answer}", HTTPStatus.SEE_OTHER)


@router.get(
    "/p/{secret}/appointment.ics",
    response_class=Response,
    responses={200: {"content": {"text/calendar": {"example": "BEGIN:VCALENDAR\r\n…"}}}, 410: PAGE[410]},
)
def get_appointment(secret: Secret, request: Request, context: Shared) -> Response:
    """Return the visit as an event for the patient's calendar."""
    opened = _open(context, request, secret)
    if opened is None or opened[0].visit is None or opened[1].standing == "over":
        return _ended()
    with context.database.reading() as session:
        content = make_visit_calendar(session, opened[0].visit)
    return Response(content, media_type=CALENDAR, headers={"Content-Disposition": 'attachment; filename="appointment.ics"'})


def _open(context: AppContext, request: Request, secret: str) -> tuple[Actor, PatientVisit] | None:
    """Return whose page it is and what it tells; None for a link that opens nothing. Guessing is limited."""
    try:
        return open_page(context, secret)
    except (Unauthenticated, UnknownId):
        context.log_ins.take(f"guess from {get_network(get_address(request))}")
        return None


def _read_start(form: dict[str, str]) -> datetime:
    """Return the start that was chosen, on the clinic's clocks. Raises ``Conflict`` for what is none."""
    try:
        start = datetime.fromisoformat(form.get("start", ""))
    except ValueError:
        raise Conflict("that is no time") from None
    return start.replace(tzinfo=None)


def _address(secret: str) -> str:
    return f"/p/{secret}"


def _ended() -> Response:
    return _page(pages.make_ended_page(), HTTPStatus.GONE)


def _page(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return HTMLResponse(text, status, {"Content-Security-Policy": PAGE_POLICY})
