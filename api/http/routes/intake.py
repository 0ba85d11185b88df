"""Intake: what patients are referred for, one at a time or as a spreadsheet, and patients sent to other departments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Path, Query, Response
from pydantic import AliasPath, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.concurrency import run_in_threadpool

from api.http.answers import Call, RouteResult, Transaction
from api.http.dependencies import Changing, Creating, PatientFilter, Reading
from api.http.errors import document_problems
from api.http.gate import BINARY, make_router
from api.http.models import ResponseModel
from api.http.pages import Paged
from api.http.routes.bookings import PLACE, Because, FreePlace
from api.services.intake import kinds, referrals_out
from api.services.intake import requests as service
from api.services.intake.reception import IntakeResult, place_same_day, receive_request
from api.services.intake.referrals_out import OutboundReferral
from api.services.intake.request_forms import AcceptedRequest, IntakeReview, Request
from api.services.patients.finding import Resemblance
from api.services.states import ReferralState
from api.spreadsheets import MAX_FILE_BYTES
from api.spreadsheets.referral_sheets import ReferralSheet, in_row_order, read_sheet, xlsx_template
from scheduling.comparison import Change
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Interval

router = make_router("intake")

Identifier = Annotated[str, Path(max_length=100)]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SOURCE = "spreadsheet"

REQUEST: JsonDict = {"kind": "new-patient-acute", "patient": "mrn-4711", "name": "Robin Example", "preferred_site": "boston"}
TAKEN: JsonDict = {
    "kind": "new-patient-acute",
    "patient": "mrn-4711",
    "episode": "episode-1f0c2a9b77de",
    "visits": ["episode-1f0c2a9b77de.evaluation.1"],
    "referral_out": None,
    "resembles": [],
}
IN_ALREADY: JsonDict = {
    "place": "row 2, ",
    "patient": "mrn-4711",
    "kind": "follow-up",
    "detail": 'the patient is on this pathway already: episode "episode-1f0c2a9b77de"',
}
SENT: JsonDict = {
    "id": "4b1f",
    "patient": "mrn-4711",
    "department": "neurosurgery",
    "state": "scheduled",
    "sent_at": "2026-11-30T14:00:00Z",
    "accepted_at": None,
    "scheduled_at": "2026-12-01T15:20:00Z",
    "closed_at": None,
    "appointment": {"start": "2026-12-09T10:00", "end": "2026-12-09T11:00"},
    "version": 2,
}


KIND: JsonDict = {"kind": "pump-refill", "name": "refills of a pump", "priority": "urgent", "needs": ["low_reservoir"]}


class ShownKind(ResponseModel):
    """Something that a patient may be referred for, and which fields it needs beside kind and patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [KIND]})

    kind: str = Field(validation_alias="id")
    name: str
    priority: str
    needs: list[str]


class ShownKinds(ResponseModel):
    """All that a patient may be referred for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [KIND]}]})

    items: list[ShownKind]


class TakenIn(ResponseModel):
    """What became of a request: an episode and the visits that are asked for at once, or a referral to another department.

    ``resembles`` are patients of an equal name or birth date, of whom the new patient may be one.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [TAKEN]})

    kind: str = Field(validation_alias=AliasPath("request", "kind"))
    patient: str = Field(validation_alias=AliasPath("request", "patient"))
    episode: str | None
    visits: list[str]
    referral_out: str | None
    resembles: list[Resemblance]


class PlacedToday(ResponseModel):
    """The place of somebody who has to be seen today, or why there is none; who moves for it, and whom to call."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"visit": "episode-7.consult.1", "place": PLACE, "reasons": [], "changes": [], "call": []}]
        }
    )

    visit: str
    place: FreePlace | None = Field(validation_alias="booking")
    reasons: list[Because]
    changes: list[Change]
    call: list[str]


class RequestTaken(TakenIn):
    """What became of a request; ``today`` when the patient has to be seen today."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**TAKEN, "today": None}]})

    today: PlacedToday | None


class SheetFault(ResponseModel):
    """What is wrong with a row."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"place": "row 5, priority", "fault": "must be 'routine', ..."}]})

    place: str = Field(validation_alias="path")
    fault: str = Field(validation_alias="message")


class RowInAlready(ResponseModel):
    """A row that was in already, and is as it is in."""

    model_config = ConfigDict(json_schema_extra={"examples": [IN_ALREADY]})

    place: str = Field(validation_alias=AliasPath("located", "place"))
    patient: str = Field(validation_alias=AliasPath("located", "request", "patient"))
    kind: str = Field(validation_alias=AliasPath("located", "request", "kind"))
    detail: str = Field(validation_alias=AliasPath("fault", "message"))


class SheetTaken(ResponseModel):
    """What a spreadsheet came to: with faults, nothing was taken in.

    ``in_already`` are rows of a sheet that was sent before; ``conflicts`` are those that differ from what is in. Neither keeps
    the others out.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"requests": 1, "faults": [], "notes": [], "taken": [TAKEN], "today": [], "in_already": [], "conflicts": []}
            ]
        }
    )

    requests: int
    faults: list[SheetFault]
    notes: list[str]
    taken: list[TakenIn]
    today: list[str]
    in_already: list[RowInAlready]
    conflicts: list[SheetFault]


class ReferralOut(ResponseModel):
    """A patient sent to another department; the appointment is the clinic's wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [SENT]})

    id: str
    patient: str = Field(validation_alias="patient_id")
    department: str
    state: ReferralState
    sent_at: datetime
    accepted_at: datetime | None
    scheduled_at: datetime | None
    closed_at: datetime | None
    appointment: Interval | None
    version: int


class ReferralsOut(ResponseModel):
    """A page of referrals to other departments."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [SENT], "next": None}]})

    items: list[ReferralOut]
    next: str | None


class ReferralOutState(BaseModel):
    """What became of a referral; ``scheduled`` comes with the appointment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"state": "scheduled", "appointment": {"start": "2026-12-09T10:00", "end": "2026-12-09T11:00"}}]
        },
    )

    state: ReferralState
    appointment: Interval | None = None


EXAMPLE = "kind,patient,name\nfollow-up,mrn-4711,Robin Example\n"
Sheet = Annotated[bytes, Body(media_type=BINARY, description="A CSV or XLSX file.", examples=[EXAMPLE])]


@router.get("/v1/intake/kinds", response_model=ShownKinds)
def list_kinds(call: Reading) -> Response:
    """Return what patients may be referred for."""
    return call.read(lambda session: RouteResult(ShownKinds.model_validate({"items": kinds.list_kinds()})))


@router.get(
    "/v1/intake/template",
    response_class=Response,
    responses={200: {"content": {XLSX: {"example": "a workbook"}}}},
)
def get_template(call: Reading) -> Response:
    """Return a spreadsheet with an example for each kind of referral, and what each column holds."""
    return Response(xlsx_template(call.context.clock().date()), media_type=XLSX)


@router.post("/v1/intake", status_code=HTTPStatus.CREATED, response_model=RequestTaken, responses=document_problems(409))
def take_in(body: Annotated[Request, Body(examples=[REQUEST])], call: Creating) -> Response:
    """Take in what a patient is referred for. Who has to be seen today gets a place at once, or hears why there is none."""
    return receive_request(call.context, call.actor, body, lambda act: call.create(lambda session: _received(act(session))))


@router.post(
    "/v1/intake/spreadsheets",
    status_code=HTTPStatus.CREATED,
    response_model=SheetTaken,
    responses={200: {"model": SheetTaken, "description": "What it would come to."}},
    max_body_size=MAX_FILE_BYTES,
)
async def take_in_sheet(
    body: Sheet,
    call: Creating,
    dry_run: Annotated[bool, Query(description="Name what is wrong with each row, and take in nothing.")] = False,
) -> Response:
    """Take in a spreadsheet of referrals: with a fault in any row, none of it. Those of today are given places right after.

    A sheet may be sent in again with rows added: those that are in already are named and left as they are, and so are those
    that differ from what is in.
    """
    sheet = await call.context.uploads.run(lambda: read_sheet(body, SOURCE))
    return await run_in_threadpool(_take_in_sheet, sheet, call, dry_run)


def _take_in_sheet(sheet: ReferralSheet, call: Call, dry_run: bool) -> Response:
    now = call.context.clock()
    taken: list[AcceptedRequest] = []

    def act(session: Transaction) -> RouteResult:
        review = service.review_requests(session, sheet.requests, now)
        faults = in_row_order([*(fault for _, fault in review.faults), *sheet.faults])
        if dry_run:
            return RouteResult(_sheet(len(sheet.requests), faults, sheet.notes, [], review))
        if faults:
            raise InvalidFile(SOURCE, faults)
        taken.extend(service.accept_requests(session, call.actor, review.new, now, SOURCE))
        return RouteResult(_sheet(len(taken), [], sheet.notes, taken, review), HTTPStatus.CREATED)

    if dry_run:
        return call.read(act)
    answer = call.create(act)
    place_same_day(call.context, call.actor, taken)
    return answer


@router.get("/v1/referrals-out", response_model=ReferralsOut)
def list_referrals_out(call: Reading, page: Paged, patient: PatientFilter = None) -> Response:
    """Return the referrals to other departments, a page at a time."""

    def act(session: Transaction) -> RouteResult:
        referrals = referrals_out.list_referrals(session, page.after, page.count + 1, patient)
        shown = [ReferralOut.of(referral.row, appointment=referral.appointment) for referral in referrals]
        return RouteResult(page.of(ReferralsOut, shown, lambda referral: referral.id))

    return call.disclose("referral-out.list", "patient", patient or "", act)


@router.get("/v1/referrals-out/{referral}", response_model=ReferralOut)
def get_referral_out(referral: Identifier, call: Reading) -> Response:
    """Return a referral to another department."""
    return call.disclose(
        "referral-out.read",
        "referral",
        referral,
        lambda session: _show_referral(referrals_out.get_referral(session, referral)),
    )


@router.patch("/v1/referrals-out/{referral}", response_model=ReferralOut, responses=document_problems(409, 412, 428))
def change_referral_out(referral: Identifier, body: ReferralOutState, call: Changing) -> Response:
    """Note what became of a referral; its appointment keeps the patient's time free when weeks are planned."""
    version = call.expected_version()

    def act(session: Transaction) -> RouteResult:
        changed = referrals_out.change_referral(
            session, call.actor, referral, version, body.state, body.appointment, call.context.clock()
        )
        return _show_referral(changed)

    return call.write(act)


def _received(received: IntakeResult) -> RouteResult:
    location = f"/v1/episodes/{received.accepted.episode}" if received.accepted.episode else None
    return RouteResult(RequestTaken.of(received.accepted, today=received.today), HTTPStatus.CREATED, location=location)


def _sheet(
    requests: int,
    faults: Sequence[Fault],
    notes: tuple[str, ...],
    taken: Sequence[AcceptedRequest],
    review: IntakeReview,
) -> SheetTaken:
    today = [request.visits[0] for request in taken if service.is_same_day(request.request) and request.visits]
    conflicts = [known.conflict for known in review.conflicts]
    document = {"requests": requests, "faults": faults, "notes": notes, "taken": taken, "today": today}
    document |= {"in_already": review.in_already, "conflicts": conflicts}
    return SheetTaken.model_validate(document)


def _show_referral(referral: OutboundReferral) -> RouteResult:
    shown = ReferralOut.of(referral.row, appointment=referral.appointment)
    return RouteResult(shown, version=referral.row.version)
