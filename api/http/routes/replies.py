"""Answers of patients that somebody hands in, as a mail or a calendar file."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Request, Response
from pydantic import ConfigDict
from pydantic.config import JsonDict

from api.background.mail import MAX_MAIL_BYTES
from api.http.answers import RouteResult
from api.http.dependencies import Reading
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.services.bookings.replies import receive_file, receive_mail
from scheduling.errors import Fault, InvalidFile

router = make_router("mail")

MAIL = "message/rfc822"

EXAMPLE: JsonDict = {"items": [{"kind": "visit", "subject": "visit-0181", "outcome": "accepted"}]}


class TakenIn(ResponseModel):
    """What one answer was about, and what was made of it: a participation, or why staff have to look at it."""

    kind: str
    subject: str
    outcome: str


class AllTakenIn(ResponseModel):
    """What became of each answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    items: list[TakenIn]


@router.post("/v1/answers", response_model=AllTakenIn, max_body_size=MAX_MAIL_BYTES)
def take_in_answer(
    request: Request,
    body: Annotated[bytes, Body(media_type="text/calendar", examples=["BEGIN:VCALENDAR…"])],
    call: Reading,
) -> Response:
    """Take in a patient's answer: a calendar file (text/calendar), or a whole mail (message/rfc822)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (MAIL, "text/calendar"):
        raise InvalidFile("request", [Fault("header.content-type", f"must be text/calendar or {MAIL}")])
    receive = receive_mail if kind == MAIL else receive_file
    outcomes = receive(call.context, body, call.actor)
    return call.read(lambda session: RouteResult(AllTakenIn.model_validate({"items": outcomes})))
