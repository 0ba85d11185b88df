"""Finding patients, what is booked of one, and two records of one patient that become one."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Creating, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged
from api.http.routes.disruptions import CONCERNED, Concerned
from api.services.bookings.withdrawing import WithdrawalReason, withdraw_patient
from api.services.patients import erasing, finding, merging
from api.services.patients.erasure_reasons import ErasureReason
from scheduling.fields import Id, ItemKind, Stamp
from scheduling.names import compose_id_if_text

router = make_router("patients")

Identifier = Annotated[str, Path(max_length=100)]

MERGE: JsonDict = {
    "patient": "mrn-4712",
    "into": "mrn-4711",
    "visits": ["visit-0181"],
    "groups": ["coping-skills-2026-12"],
    "episodes": [],
    "concerns": [CONCERNED],
}
FOUND: JsonDict = {"id": "mrn-4711", "name": "Robin Example", "birth_date": "1961-04-12"}
RECORD: JsonDict = {"patient": "mrn-4711", "tables": {"patients": [{"id": "mrn-4711", "name": "Robin Example"}]}}
ERASED: JsonDict = {"patient": "mrn-4711", "deleted": {"patients": 1, "visits": 3, "bookings": 2}, "changed": 4}
WITHDRAWN: JsonDict = {
    "patient": "mrn-4711",
    "episodes": ["mrn-4711-1"],
    "visits": ["mrn-4711-1.session-2"],
    "programmes": ["coping-skills"],
    "groups": [],
}
ITEM: JsonDict = {
    "kind": "visit",
    "id": "visit-0181",
    "scenario": "week-7-2030-01-07",
    "service": "follow-up",
    "state": "booked",
    "start": "2030-01-08T09:00",
    "end": "2030-01-08T09:40",
    "location": "wang",
    "room": "wang-exam-3",
    "team": ["physician-1"],
    "tags": [],
}


class FoundPatient(ResponseModel):
    """A patient whom somebody looks for."""

    model_config = ConfigDict(json_schema_extra={"examples": [FOUND]})

    id: str
    name: str
    birth_date: date | None


class FoundPatients(ResponseModel):
    """A page of patients."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [FOUND], "next": None}]})

    items: list[FoundPatient]
    next: str | None


class ShownItem(ResponseModel):
    """A visit of a patient, or a group's session with them; without a place it waits. Times are wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [ITEM]})

    kind: ItemKind
    id: str
    scenario: str
    service: str
    state: str
    start: Stamp | None
    end: Stamp | None
    location: str | None
    room: str | None
    team: list[str]
    tags: list[str]


class PatientItems(ResponseModel):
    """A page of what is asked for and booked of a patient, by start; what waits comes last."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ITEM], "next": None}]})

    items: list[ShownItem]
    next: str | None


class MergeRequest(BaseModel):
    """The record that stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"into": "mrn-4711"}]})

    into: Annotated[Id, Field(max_length=100), BeforeValidator(compose_id_if_text)]


class Merge(ResponseModel):
    """What went from one record to another; ``concerns`` are the bookings that overlap now, each a task."""

    model_config = ConfigDict(json_schema_extra={"examples": [MERGE]})

    patient: str
    into: str
    visits: list[str]
    groups: list[str]
    episodes: list[str]
    concerns: list[Concerned]


@router.get("/v1/patients", response_model=FoundPatients)
def find_patients(
    call: Reading,
    page: Paged,
    find: Annotated[
        str,
        Query(max_length=200, description="Words of a name or id, whatever their case; or a date, of birth or of a booking."),
    ] = "",
) -> Response:
    """Return patients by id, a page at a time: those who are looked for, or all."""

    def act(session: Transaction) -> RouteResult:
        rows = finding.find_patients(session, find, page.after, page.count + 1)
        return RouteResult(page.of(FoundPatients, rows, lambda row: row.id))

    return call.disclose("patient.find", "patient", "", act)


class PatientRecord(BaseModel):
    """All that is kept of a patient: the rows of each table, by the table's name."""

    model_config = ConfigDict(json_schema_extra={"examples": [RECORD]})

    patient: str
    tables: dict[str, list[dict[str, Any]]]


@router.get("/v1/patients/{patient}/record", response_model=PatientRecord)
def export_record(patient: Identifier, call: Reading) -> Response:
    """Return all that is kept of a patient, as the law lets them ask; what the audit says of them is by `/v1/audit`."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(PatientRecord(patient=patient, tables=finding.export_record(session, patient)))

    return call.disclose("patient.export", "patient", patient, act)


class ErasedRecord(ResponseModel):
    """How many rows of each table were deleted, and how many others name a stand-in in the patient's place now."""

    model_config = ConfigDict(json_schema_extra={"examples": [ERASED]})

    patient: str
    deleted: dict[str, int]
    changed: int


@router.delete("/v1/patients/{patient}/record", response_model=ErasedRecord, responses=document_problems(409))
def erase_record(
    patient: Identifier,
    call: Reading,
    reason: Annotated[ErasureReason, Query(description="The ground, of GDPR article 17(1)(a) to (e).")],
) -> Response:
    """Delete all that is kept of a patient, but for the audit; what is to come has to be cancelled first.

    Plans that are kept hold a stand-in without a name.
    """

    def act(session: Transaction) -> RouteResult:
        context = call.context
        erased = erasing.erase_patient(session, context.signer, call.actor, patient, reason, context.clock())
        return RouteResult(ErasedRecord.of(erased))

    return call.write(act)


@router.get("/v1/patients/{patient}/visits", response_model=PatientItems)
def list_items(patient: Identifier, call: Reading, page: Paged) -> Response:
    """Return a patient's visits and groups' sessions of all weeks by start, a page at a time; what waits comes last."""

    def act(session: Transaction) -> RouteResult:
        items = finding.list_items(session, patient, page.after, page.count + 1)
        return RouteResult(page.of(PatientItems, items, lambda item: item.key))

    return call.disclose("patient.list-visits", "patient", patient, act)


class WithdrawalRequest(BaseModel):
    """Why nobody calls a patient any more."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "died"}]})

    reason: WithdrawalReason


class Withdrawal(ResponseModel):
    """What was given up of a patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [WITHDRAWN]})

    patient: str
    episodes: list[str] = Field(description="stopped")
    visits: list[str] = Field(description="asked for no more")
    programmes: list[str] = Field(description="left, the waiting lists too")
    groups: list[str] = Field(description="sessions to come in which there is no seat any more")


@router.post("/v1/patients/{patient}/withdrawal", response_model=Withdrawal, responses=document_problems(409))
def withdraw(patient: Identifier, body: WithdrawalRequest, call: Creating) -> Response:
    """Give up all that is to come of a patient who has died, or may not be called any more; nobody writes to them.

    What has been stays. Their mail address is gone, and what waited to be sent to them.
    """

    def act(session: Transaction) -> RouteResult:
        given_up = withdraw_patient(session, call.actor, patient, body.reason, call.context.clock())
        return RouteResult(Withdrawal.model_validate(given_up, from_attributes=True))

    return call.create(act)


@router.post("/v1/patients/{patient}/merge", response_model=Merge, responses=document_problems(409))
def merge_patients(patient: Identifier, body: MergeRequest, call: Creating) -> Response:
    """Let a record of a patient be another's: visits, bookings, episodes, seats and calendars follow.

    It can be undone on the same day.
    """

    def act(session: Transaction) -> RouteResult:
        merged = merging.merge_patients(session, call.actor, patient, body.into, call.context.clock())
        return RouteResult(Merge.model_validate(merged, from_attributes=True))

    return call.create(act)


@router.delete("/v1/patients/{patient}/merge", status_code=HTTPStatus.NO_CONTENT, responses=document_problems(409))
def undo_merge(patient: Identifier, call: Reading) -> Response:
    """Let a record that was merged into another today be its own again, with all that is still where it went."""

    def act(session: Transaction) -> RouteResult:
        merging.undo_merge(session, call.actor, patient, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)
