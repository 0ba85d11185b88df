"""FHIR R4: referrals that come in, one at a time or several in a transaction with their patients, all or none."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import Response

from api.access.actor import AccessRole
from api.context import AppContext
from api.fhir.datatypes import Element
from api.fhir.ids import make_id
from api.fhir.reading import expect_valid
from api.fhir.referrals import ReferralBundle, read_referral, read_transaction
from api.fhir.serving import read_resource
from api.http.answers import Call, RouteResult, Transaction
from api.http.dependencies import Creating
from api.http.errors import FHIR_MEDIA_TYPE, document_outcomes
from api.http.fhir_requests import ROOT, FhirResponse, Readable, answer_resource, get_base
from api.http.gate import make_router
from api.http.routes.fhir_operations import BODY, MAX_RESOURCE_BYTES, Document
from api.runtime.exceptions import Forbidden
from api.services.intake.reception import IntakeResult, place_same_day, receive_request
from api.services.intake.request_forms import AcceptedRequest
from api.services.intake.requests import accept_requests
from api.services.records import write_audit
from api.services.weeks.directory import load_directory

router = make_router("fhir")

OPTIONS: dict[str, Any] = {
    "response_class": FhirResponse,
    "dependencies": [Readable],
    "max_body_size": MAX_RESOURCE_BYTES,
    "openapi_extra": BODY,
    "responses": document_outcomes(406, 409),
}


@router.post(f"{ROOT}/ServiceRequest", status_code=HTTPStatus.CREATED, **OPTIONS)
def add_referral(document: Document, call: Creating) -> Response:
    """Take in a referral; who has to be seen today gets a place at once."""
    resource = expect_valid("ServiceRequest", document)
    with call.context.database.reading() as session:
        request = read_referral(session, load_directory(session), resource, "ServiceRequest", {})

    def transact(act: Any) -> Response:
        def answer(session: Transaction) -> RouteResult:
            result: IntakeResult = act(session)
            return _answer(session, call, result.accepted)

        return call.create(answer)

    return receive_request(call.context, call.actor, request, transact)


@router.post(ROOT, **OPTIONS)
def add_referrals(document: Document, call: Creating) -> Response:
    """Take in all referrals of a transaction with their patients, or none of them."""
    context, now = call.context, call.context.clock()
    with context.database.reading() as session:
        wanted = read_transaction(session, load_directory(session), document)
    if call.actor.role is AccessRole.SYSTEM and "Patient.c" not in call.actor.scopes and _brings_patients(wanted):
        raise Forbidden("a transaction with a Patient needs the scope system/Patient.c")
    accepted: list[AcceptedRequest] = []

    def act(session: Transaction) -> RouteResult:
        accepted[:] = accept_requests(session, call.actor, wanted.requests, now)
        for request in accepted:
            write_audit(session, call.actor, "fhir.refer", "patient", request.request.patient, now, episode=request.episode)
        return RouteResult(_make_response(context, wanted.entries, accepted), headers={"Content-Type": FHIR_MEDIA_TYPE})

    response = call.create(act)
    place_same_day(context, call.actor, accepted)
    return response


def _brings_patients(wanted: ReferralBundle) -> bool:
    return any(kind == "Patient" for kind, _ in wanted.entries)


def _answer(session: Transaction, call: Call, accepted: AcceptedRequest) -> RouteResult:
    episode, now = accepted.episode or "", call.context.clock()
    write_audit(session, call.actor, "fhir.refer", "patient", accepted.request.patient, now, episode=episode)
    location = f"{get_base(call.context)}/ServiceRequest/{make_id(episode)}"
    return answer_resource(read_resource(session, "ServiceRequest", episode), HTTPStatus.CREATED, {"Location": location})


def _make_response(context: AppContext, entries: list[tuple[str, str]], accepted: list[AcceptedRequest]) -> Element:
    """Return what became of each entry of a transaction, in their order."""
    made = iter(accepted)
    shown = []
    for kind, patient in entries:
        identifier = patient if kind == "Patient" else next(made).episode or ""
        location = f"{get_base(context)}/{kind}/{make_id(identifier)}"
        shown.append({"response": {"status": "201 Created", "location": location}})
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": shown}
