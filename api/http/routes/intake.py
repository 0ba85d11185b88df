"""Intake: what patients are referred for, one at a time or as a spreadsheet, and patients sent to other departments."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from sqlmodel import Session

from api.http.answers import RouteResult
from api.http.dependencies import Changing, Creating, Reading
from api.http.errors import documented
from api.http.gate import guarded_router
from api.http.pages import Paged
from api.http.routes.bookings import PLACE, Because, FreePlace, place_document
from api.services import intake as service
from api.services import referrals_out
from api.services.intake import Request
from api.services.kinds import KINDS
from api.services.reception import IntakeResult, place_today, receive_request
from api.spreadsheets.referral_sheets import in_row_order, read_sheet, xlsx_template
from api.store import periods
from api.store import referrals_out as store
from api.store.tables import ReferralOutRow
from api.store.tables.care import ReferralState
from scheduling.comparison import Change
from scheduling.errors import InvalidFile
from scheduling.fields import Interval, format_stamp
from scheduling.timegrid import TimeGrid

router = guarded_router("intake")

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


class ShownKind(BaseModel):
    """Something that a patient may be referred for, and which fields it needs beside kind and patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [KIND]})

    kind: str
    name: str
    priority: str
    needs: list[str]


class ShownKinds(BaseModel):
    """All that a patient may be referred for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [KIND]}]})

    items: list[ShownKind]


class TakenIn(BaseModel):
    """What became of a request: an episode and the visits that are asked for at once, or a referral to another department."""

    model_config = ConfigDict(json_schema_extra={"examples": [TAKEN]})

    kind: str
    patient: str
    episode: str | None
    visits: list[str]
    referral_out: str | None


class PlacedToday(BaseModel):
    """The place of somebody who has to be seen today, or why there is none; who moves for it, and whom to call."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"visit": "episode-7.consult.1", "place": PLACE, "reasons": [], "changes": [], "call": []}]
        }
    )

    visit: str
    place: FreePlace | None
    reasons: list[Because]
    changes: list[Change]
    call: list[str]


class RequestTaken(TakenIn):
    """What became of a request; ``today`` when the patient has to be seen today."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**TAKEN, "today": None}]})

    today: PlacedToday | None


class SheetFault(BaseModel):
    """What is wrong with a row."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"place": "row 5, priority", "fault": "must be 'routine', ..."}]})

    place: str
    fault: str


class SheetTaken(BaseModel):
    """What a spreadsheet came to: with faults, nothing was taken in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"requests": 1, "faults": [], "notes": [], "taken": [TAKEN], "today": []}]}
    )

    requests: int
    faults: list[SheetFault]
    notes: list[str]
    taken: list[TakenIn]
    today: list[str]


class ReferralOut(BaseModel):
    """A patient sent to another department; the appointment is the clinic's wall-clock time."""

    model_config = ConfigDict(json_schema_extra={"examples": [SENT]})

    id: str
    patient: str
    department: str
    state: ReferralState
    sent_at: datetime
    accepted_at: datetime | None
    scheduled_at: datetime | None
    closed_at: datetime | None
    appointment: Interval | None
    version: int


class ReferralsOut(BaseModel):
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
Sheet = Annotated[bytes, Body(media_type="application/octet-stream", description="A CSV or XLSX file.", examples=[EXAMPLE])]


@router.get("/v1/intake/kinds", response_model=ShownKinds)
def list_kinds(call: Reading) -> Response:
    """Return what patients may be referred for."""
    shown = [{"kind": one.id, "name": one.name, "priority": one.priority, "needs": one.needs} for one in KINDS]
    return call.read(lambda session: RouteResult({"items": shown}))


@router.get(
    "/v1/intake/template",
    response_class=Response,
    responses={200: {"content": {XLSX: {"example": "a workbook"}}}},
)
def get_template(call: Reading) -> Response:
    """Return a spreadsheet with an example for each kind of referral, and what each column holds."""
    return Response(xlsx_template(call.context.clock().date()), media_type=XLSX)


@router.post("/v1/intake", status_code=HTTPStatus.CREATED, response_model=RequestTaken, responses=documented(409))
def take_in(body: Annotated[Request, Body(examples=[REQUEST])], call: Creating) -> Response:
    """Take in what a patient is referred for. Who has to be seen today gets a place at once, or hears why there is none."""
    return receive_request(call.context, call.actor, body, lambda act: call.create(lambda session: _received(act(session))))


@router.post(
    "/v1/intake/spreadsheets",
    status_code=HTTPStatus.CREATED,
    response_model=SheetTaken,
    responses={200: {"model": SheetTaken, "description": "What it would come to."}},
)
def take_in_sheet(
    body: Sheet,
    call: Creating,
    dry_run: Annotated[bool, Query(description="Name what is wrong with each row, and take in nothing.")] = False,
) -> Response:
    """Take in a spreadsheet of referrals, all of its rows or none. Places for those of today are looked for right after."""
    sheet, now = read_sheet(body, SOURCE), call.context.clock()
    taken: list[service.AcceptedRequest] = []

    def act(session: Session) -> RouteResult:
        faults = in_row_order([*service.find_faults(session, sheet.requests, now), *sheet.faults])
        if dry_run:
            told = [{"place": one.path, "fault": one.message} for one in faults]
            return RouteResult(_sheet(len(sheet.requests), told, sheet.notes, []))
        if faults:
            raise InvalidFile(SOURCE, faults)
        taken.extend(service.accept_requests(session, call.actor, sheet.requests, now, SOURCE))
        return RouteResult(_sheet(len(taken), [], sheet.notes, taken), HTTPStatus.CREATED)

    if dry_run:
        return call.read(act)
    answer = call.create(act)
    place_today(call.context, call.actor, taken)
    return answer


@router.get("/v1/referrals-out", response_model=ReferralsOut)
def list_referrals_out(
    call: Reading, page: Paged, patient: Annotated[str | None, Query(max_length=100, description="Of one patient.")] = None
) -> Response:
    """Return the referrals to other departments, a page at a time."""

    def act(session: Session) -> RouteResult:
        zone = periods.zone(session)
        rows = store.page(session, page.after, page.count + 1, patient)
        return RouteResult(page.document(rows, lambda row: row.id, lambda row: _sent(row, zone)))

    return call.disclose("referral-out.list", "patient", patient or "", act)


@router.get("/v1/referrals-out/{referral}", response_model=ReferralOut)
def get_referral_out(referral: Identifier, call: Reading) -> Response:
    """Return a referral to another department."""
    return call.disclose(
        "referral-out.read",
        "referral",
        referral,
        lambda session: _sent_answer(session, store.referral(session, referral)),
    )


@router.patch("/v1/referrals-out/{referral}", response_model=ReferralOut, responses=documented(409, 412, 428))
def change_referral_out(referral: Identifier, body: ReferralOutState, call: Changing) -> Response:
    """Note what became of a referral; its appointment keeps the patient's time free when weeks are planned."""
    version = call.expected_version()

    def act(session: Session) -> RouteResult:
        row = referrals_out.change_referral(
            session, call.actor, referral, version, body.state, body.appointment, call.context.clock()
        )
        return _sent_answer(session, row)

    return call.write(act)


def _received(received: IntakeResult) -> RouteResult:
    today = None
    if (found := received.today) is not None:
        today = {
            "visit": found.visit,
            "place": None if found.booking is None else place_document(found.booking),
            "reasons": [one.model_dump() for one in found.reasons],
            "changes": [one.model_dump(mode="json") for one in found.changes],
            "call": list(found.call),
        }
    location = f"/v1/episodes/{received.taken.episode}" if received.taken.episode else None
    return RouteResult({**_taken(received.taken), "today": today}, HTTPStatus.CREATED, location=location)


def _taken(one: service.AcceptedRequest) -> dict[str, Any]:
    return {
        "kind": one.request.kind,
        "patient": one.request.patient,
        "episode": one.episode,
        "visits": list(one.visits),
        "referral_out": one.referral_out,
    }


def _sheet(
    requests: int, faults: list[dict[str, str]], notes: tuple[str, ...], taken: list[service.AcceptedRequest]
) -> dict[str, Any]:
    today = [one.visits[0] for one in taken if service.is_same_day(one.request) and one.visits]
    return {"requests": requests, "faults": faults, "notes": notes, "taken": [_taken(one) for one in taken], "today": today}


def _sent_answer(session: Session, row: ReferralOutRow) -> RouteResult:
    return RouteResult(_sent(row, periods.zone(session)), version=row.version)


def _sent(row: ReferralOutRow, zone: TimeGrid) -> dict[str, Any]:
    appointment = None
    if row.starts_at is not None and row.ends_at is not None:
        appointment = {"start": format_stamp(zone.wall(row.starts_at)), "end": format_stamp(zone.wall(row.ends_at))}
    names = ("id", "department", "state", "sent_at", "accepted_at", "scheduled_at", "closed_at", "version")
    return {**{name: getattr(row, name) for name in names}, "patient": row.patient_id, "appointment": appointment}
