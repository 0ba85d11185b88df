"""What patients are told by mail, what they answer, and where they are written to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.services.messages import day_mails, notifications
from api.services.patients import contacts
from api.services.states import MessageState, Method, Participation
from calendars.mailbox import MAX_ADDRESS

router = make_router("mail")

Identifier = Annotated[str, Path(max_length=100)]

MESSAGE: JsonDict = {
    "id": "0b1c",
    "method": "REQUEST",
    "sequence": 0,
    "state": "sent",
    "attempts": 1,
    "reason": None,
    "created_at": "2026-11-27T16:30:00Z",
    "ended_at": "2026-11-27T16:30:02Z",
}
ANSWERED: JsonDict = {
    "kind": "visit",
    "subject": "visit-0181",
    "patient": "patient-0007",
    "participation": "accepted",
    "replied_at": "2026-11-28T08:12:00Z",
}


class Outbox(ResponseModel):
    """How many messages are in each state."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"waiting": 0, "sending": 1, "sent": 612}]})

    waiting: int = 0
    sending: int = 0
    sent: int = 0
    refused: int = 0
    dropped: int = 0


class Contact(BaseModel):
    """Where a patient is written to; null: nowhere."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"email": "robin@example.org"}]})

    email: str | None = Field(max_length=MAX_ADDRESS)


class DayMail(BaseModel):
    """Where a clinician is mailed when their day changes; null: nowhere."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"email": "physician@clinic.example"}]})

    email: str | None = Field(max_length=MAX_ADDRESS)


class Message(ResponseModel):
    """A message to a patient about one appointment, and what became of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [MESSAGE]})

    id: str
    method: Method
    sequence: int
    state: MessageState
    attempts: int
    reason: str | None
    created_at: datetime
    ended_at: datetime | None


class Messages(ResponseModel):
    """The messages to a patient, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [MESSAGE]}]})

    items: list[Message]


class Answered(ResponseModel):
    """What a patient has answered about an appointment."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWERED]})

    kind: str
    subject: str = Field(validation_alias="subject_id")
    patient: str = Field(validation_alias="patient_id")
    participation: Participation
    replied_at: datetime | None


class Answers(ResponseModel):
    """What patients have answered, and who has no address and must be called."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ANSWERED], "without_address": ["patient-0012"]}]})

    items: list[Answered]
    without_address: list[str]


@router.get("/v1/mail", response_model=Outbox)
def get_outbox(call: Reading) -> Response:
    """Return how many messages wait, are sent, were refused."""
    return call.read(lambda session: RouteResult(Outbox.model_validate(notifications.count_messages(session))))


@router.get("/v1/scenarios/{scenario}/answers", response_model=Answers)
def list_answers(scenario: Identifier, call: Reading) -> Response:
    """Return what patients have answered about the appointments of a period, and who cannot be told by mail."""

    def act(session: Transaction) -> RouteResult:
        answers = notifications.list_answers(session, scenario)
        items = [Answered.of(row, kind=booking.kind, subject_id=booking.subject_id) for booking, row in answers]
        unreached = notifications.list_patients_without_address(session, scenario, call.context.clock())
        return RouteResult(Answers(items=items, without_address=unreached))

    return call.disclose("answers.read", "scenario", scenario, act)


@router.get("/v1/patients/{patient}/contact", response_model=Contact)
def get_contact(patient: Identifier, call: Reading) -> Response:
    """Return where a patient is written to."""

    def act(session: Transaction) -> RouteResult:
        row = contacts.get_contact(session, patient)
        return RouteResult(Contact.model_validate(row, from_attributes=True), version=row.version)

    return call.disclose("patient.contact-read", "patient", patient, act)


@router.put("/v1/patients/{patient}/contact", response_model=Contact, responses=document_problems(412, 428))
def put_contact(patient: Identifier, body: Contact, call: Changing) -> Response:
    """Set, change or remove a patient's address; at a new one they are told of all that is ahead of them."""
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction) -> RouteResult:
        row = contacts.set_address(session, call.actor, patient, body.email, now, version)
        return RouteResult(Contact.model_validate(row, from_attributes=True), version=row.version)

    return call.write(act)


@router.get("/v1/patients/{patient}/messages", response_model=Messages)
def list_messages(patient: Identifier, call: Reading) -> Response:
    """Return what a patient was told by mail, and what waits to be."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(Messages.model_validate({"items": notifications.list_messages(session, patient)}))

    return call.disclose("patient.messages", "patient", patient, act)


@router.get("/v1/providers/{provider}/day-mail", response_model=DayMail)
def get_day_mail(provider: Identifier, call: Reading) -> Response:
    """Return where a clinician is mailed when their day changes."""
    return call.read(lambda session: RouteResult(DayMail(email=day_mails.get_day_mail(session, provider))))


@router.put("/v1/providers/{provider}/day-mail", response_model=DayMail)
def put_day_mail(provider: Identifier, body: DayMail, call: Reading) -> Response:
    """Let a clinician be mailed when their day changes, or no more: times, services and rooms, and no patient."""

    def act(session: Transaction) -> RouteResult:
        email = day_mails.set_day_mail(session, call.actor, provider, body.email, call.context.clock())
        return RouteResult(DayMail(email=email))

    return call.write(act)
