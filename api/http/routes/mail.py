"""What patients are told by mail, what they answer, and where they are written to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel import Session

from api.http.answers import RouteResult
from api.http.dependencies import Changing, Reading
from api.http.errors import documented
from api.http.gate import guarded_router
from api.services import contacts
from api.store import messages as store
from api.store import people, periods
from api.store.tables import BookingRow, InvitationRow, MessageRow, PatientRow
from api.store.tables.mail import MessageState, Method, Participation
from calendars.mailbox import MAX_ADDRESS

router = guarded_router("mail")

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


class Outbox(BaseModel):
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


class Message(BaseModel):
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


class Messages(BaseModel):
    """The messages to a patient, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [MESSAGE]}]})

    items: list[Message]


class Answered(BaseModel):
    """What a patient has answered about an appointment."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWERED]})

    kind: str
    subject: str
    patient: str
    participation: Participation
    replied_at: datetime | None


class Answers(BaseModel):
    """What patients have answered, and who has no address and must be called."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ANSWERED], "without_address": ["patient-0012"]}]})

    items: list[Answered]
    without_address: list[str]


@router.get("/v1/mail", response_model=Outbox)
def get_outbox(call: Reading) -> Response:
    """Return how many messages wait, are sent, were refused."""
    return call.read(lambda session: RouteResult(Outbox(**store.counts(session))))


@router.get("/v1/scenarios/{scenario}/answers", response_model=Answers)
def list_answers(scenario: Identifier, call: Reading) -> Response:
    """Return what patients have answered about the appointments of a period, and who cannot be told by mail."""

    def act(session: Session) -> RouteResult:
        periods.period(session, scenario)
        items = [_answered(*pair) for pair in store.answers(session, scenario)]
        return RouteResult({"items": items, "without_address": store.without_address(session, scenario, call.context.clock())})

    return call.disclose("answers.read", "scenario", scenario, act)


@router.get("/v1/patients/{patient}/contact", response_model=Contact)
def get_contact(patient: Identifier, call: Reading) -> Response:
    """Return where a patient is written to."""
    return call.disclose("patient.contact-read", "patient", patient, lambda session: _contact(people.patient(session, patient)))


@router.put("/v1/patients/{patient}/contact", response_model=Contact, responses=documented(412, 428))
def put_contact(patient: Identifier, body: Contact, call: Changing) -> Response:
    """Set, change or remove a patient's address; at a new one they are told of all that is ahead of them."""
    version, now = call.expected_version(), call.context.clock()
    return call.write(lambda session: _contact(contacts.set_address(session, call.actor, patient, body.email, now, version)))


@router.get("/v1/patients/{patient}/messages", response_model=Messages)
def list_messages(patient: Identifier, call: Reading) -> Response:
    """Return what a patient was told by mail, and what waits to be."""

    def act(session: Session) -> RouteResult:
        people.patient(session, patient)
        return RouteResult({"items": [_message(row) for row in store.messages_of(session, patient)]})

    return call.disclose("patient.messages", "patient", patient, act)


def _contact(row: PatientRow) -> RouteResult:
    return RouteResult({"email": row.email}, version=row.version)


def _message(row: MessageRow) -> dict[str, object]:
    return row.model_dump(include=set(Message.model_fields))


def _answered(booking: BookingRow, row: InvitationRow) -> dict[str, object]:
    return {
        "kind": booking.kind,
        "subject": booking.subject_id,
        "patient": row.patient_id,
        "participation": row.participation,
        "replied_at": row.replied_at,
    }
