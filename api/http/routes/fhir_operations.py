"""FHIR R4: finding, holding and booking places, moving and cancelling appointments, and noting what became of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request, Response

from api.access.actor import Actor
from api.context import AppContext
from api.fhir.appointments import STATUSES, make_appointment
from api.fhir.bundles import IHE_BUNDLE, make_searchset
from api.fhir.changes import STATES, Versions, apply_patch, read_etag, read_place, read_version
from api.fhir.datatypes import Element
from api.fhir.ids import read_reference
from api.fhir.operations import (
    BOOK,
    FIND,
    HOLD,
    PROPOSED,
    explain_none,
    explain_refusal,
    make_proposed,
    read_find,
    read_proposal_id,
    tell_ignored,
)
from api.fhir.outcomes import Issue
from api.fhir.parameters import OperationInput, read_parameters, read_reference_text
from api.fhir.reading import expect_valid
from api.fhir.serving import find_visit, read_resource
from api.http.answers import Transaction
from api.http.dependencies import Acting, Shared
from api.http.errors import document_outcomes
from api.http.fhir_requests import ROOT, FhirResponse, Readable, answer_resource, get_base
from api.http.gate import make_router
from api.runtime.exceptions import Conflict, Forbidden, Stale, VersionMissing
from api.services.bookings import by_hand, marks
from api.services.bookings.by_hand import find_period
from api.services.bookings.decisions import with_retries
from api.services.proposals.holding import REFUSALS, book_proposal, confirm_hold, hold_proposal, keep_proposals
from api.services.proposals.place_finding import find_places
from api.services.records import write_audit
from api.services.weeks.appointments import ClinicAppointment, get_appointment
from api.services.weeks.directory import load_directory
from scheduling.errors import ClinicweaveError, Fault, InvalidFile, UnknownId

router = make_router("fhir")

APPOINTMENT = f"{ROOT}/Appointment"
MAX_RESOURCE_BYTES = 512 * 1024
JSON_KINDS = ("application/fhir+json", "application/json", "application/json-patch+json")
UPDATE = "Appointment.u"

BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": ["object", "array"]}} for kind in JSON_KINDS},
    }
}


MAX_DEPTH = 100

UNKEPT = re.compile(r"(?<!\\)(?:\\\\)*\\(x00|ud[89a-f][0-9a-f]{2})")
"""What no database keeps, as ``repr`` writes it: NUL, and halves of a surrogate pair."""


class _NamedTwice(ValueError):
    """An object of JSON that has two values of one name: its readers would not agree on which of them counts."""


def _expect_distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _NamedTwice
    return fields


def _read_number(text: str) -> float:
    """Return a number that is one. Raises ``ValueError`` for NaN and what is beyond all numbers."""
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number


def _is_deep(document: Any) -> bool:
    """Return whether parts of a document nest deeper than any resource's do."""
    parts = [document]
    for _ in range(MAX_DEPTH):
        lists = (part.values() if isinstance(part, dict) else part for part in parts if isinstance(part, dict | list))
        parts = [inner for outer in lists for inner in outer]
    return bool(parts)


async def read_document(request: Request) -> Any:
    """Return the JSON that a request holds. Raises ``InvalidFile``."""
    body = await request.body()
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=_expect_distinct, parse_float=_read_number, parse_constant=_read_number
        )
    except (ValueError, RecursionError) as error:
        reason = "names something twice" if isinstance(error, _NamedTwice) else "is no JSON"
        raise InvalidFile("body", [Fault("body", reason)]) from None
    if _is_deep(document):
        raise InvalidFile("body", [Fault("body", f"nests deeper than {MAX_DEPTH} levels")])
    if UNKEPT.search(repr(document)):
        raise InvalidFile("body", [Fault("body", "NUL and halves of a surrogate pair cannot be kept")])
    return document


Document = Annotated[Any, Depends(read_document)]
ResourceId = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9.-]+$")]
IfMatch = Annotated[str | None, Header(description="The ETag of what is changed, as it was read.")]

OPTIONS: dict[str, Any] = {
    "response_class": FhirResponse,
    "dependencies": [Readable],
    "max_body_size": MAX_RESOURCE_BYTES,
    "openapi_extra": BODY,
    "responses": document_outcomes(404, 406, 409),
}
CHANGING: dict[str, Any] = OPTIONS | {"responses": document_outcomes(404, 406, 409, 412, 428)}


@router.post(f"{APPOINTMENT}/$find", **OPTIONS)
def find(document: Document, context: Shared, actor: Acting) -> Response:
    """Return places for a visit, asked for or not, the best first: proposed appointments, kept for some minutes."""
    given = read_parameters(document, FIND)
    with context.database.reading() as session:
        here = load_directory(session)
        wanted = read_find(session, here, given)
    if wanted.max_moves and UPDATE not in actor.scopes:
        raise Forbidden("maxMoves needs the scope system/Appointment.u")
    try:
        places = find_places(context, wanted)
    except Conflict as refusal:
        told = Issue(str(refusal), "business-rule", "information")
        return _answer("$find", context, (), [*tell_ignored(given), told])
    now = context.clock()
    with context.database.writing() as session:
        kept = keep_proposals(session, context, actor, places.proposals)
        write_audit(session, actor, "fhir.find", "patient", wanted.patient, now, places=len(kept))
    shown = [
        resource
        for rank, (proposal, (identifier, until)) in enumerate(zip(places.proposals, kept, strict=True), start=1)
        for resource in make_proposed(proposal, identifier, rank, until, here, now)
    ]
    issues = [*tell_ignored(given), *([] if shown else explain_none(places))]
    return _answer("$find", context, shown, issues, is_ranked=True)


@router.post(f"{APPOINTMENT}/$hold", **OPTIONS)
def hold(document: Document, context: Shared, actor: Acting) -> Response:
    """Hold a proposed place for some minutes: the appointment is pending until then."""
    given = read_parameters(document, HOLD)
    reference = given.get_one("appointment-reference")
    if reference is None:
        raise InvalidFile("body", [Fault("Parameters", '"appointment-reference" is needed')])
    named, until = read_reference_text(reference, "Appointment"), _read_until(given)
    proposal = read_proposal_id(named)

    def act() -> tuple[str, Sequence[str]]:
        if proposal is None:
            raise UnknownId("proposal", _find(context, named))
        return "fhir.hold", hold_proposal(context, actor, proposal, until)

    return _operate("$hold", context, actor, given, act)


@router.post(f"{APPOINTMENT}/$book", **OPTIONS)
def book(document: Document, context: Shared, actor: Acting, if_match: IfMatch = None) -> Response:
    """Book what was proposed or held; or move or cancel an appointment, as the resource that is sent has it."""
    given = read_parameters(document, BOOK)
    resource, reference = given.get_one("appointment-resource"), given.get_one("appointment-reference")
    cancelled = given.get_one("cancelled-reference")
    if resource is None and reference is None and cancelled is None:
        raise InvalidFile("body", [Fault("Parameters", "appointment-reference or appointment-resource is needed")])
    if resource is not None and resource.get("resourceType") != "Appointment":
        raise InvalidFile("body", [Fault("Parameters", "appointment-resource must be an Appointment")])
    if cancelled is not None:
        named, wanted = read_reference_text(cancelled, "Appointment"), {"status": "cancelled"}
        return _operate("$book", context, actor, given, lambda: _change(context, actor, named, wanted, if_match))
    if resource is None or resource["status"] in ("pending", "proposed"):
        named = read_reference_text(reference, "Appointment") if resource is None else str(resource.get("id", ""))
        return _operate("$book", context, actor, given, lambda: _book(context, actor, named))
    if resource["status"] not in ("booked", "cancelled"):
        raise InvalidFile("body", [Fault("Parameters", "the status must be pending, booked or cancelled")])
    changed = str(resource.get("id", ""))
    return _operate("$book", context, actor, given, lambda: _change(context, actor, changed, resource, if_match))


@router.put(f"{APPOINTMENT}/{{resource}}", **CHANGING)
def update(resource: ResourceId, document: Document, context: Shared, actor: Acting, if_match: IfMatch = None) -> Response:
    """Note what has become of an appointment: arrived, checked-in, fulfilled, noshow or cancelled."""
    wanted = expect_valid("Appointment", document)
    if wanted.get("id") != resource:
        raise InvalidFile("body", [Fault("Appointment.id", "must be that of the address")])
    return _note(context, actor, resource, wanted, if_match)


@router.patch(f"{APPOINTMENT}/{{resource}}", **CHANGING)
def patch(resource: ResourceId, document: Document, context: Shared, actor: Acting, if_match: IfMatch = None) -> Response:
    """Note what has become of an appointment, by a JSON Patch of its status."""
    with context.database.reading() as session:
        wanted = apply_patch(read_resource(session, "Appointment", resource), document)
    return _note(context, actor, resource, wanted, if_match)


# --- what they share -------------------------------------------------------------------------------------------------


def _operate(
    name: str, context: AppContext, actor: Actor, given: OperationInput, act: Callable[[], tuple[str, Sequence[str]]]
) -> Response:
    """Answer an operation: with the appointments as they are afterwards, or with why it was refused (ITI-116, ITI-117)."""
    try:
        action, visits = act()
    except REFUSALS as refusal:
        return _refuse(name, context, refusal)
    with context.database.writing() as session:
        here = load_directory(session)
        appointments = [get_appointment(session, visit) for visit in visits]
        for appointment in appointments:
            write_audit(session, actor, action, "visit", appointment.id, context.clock(), patient=appointment.patient)
    return _answer(name, context, [make_appointment(appointment, here) for appointment in appointments], tell_ignored(given))


def _answer(
    name: str, context: AppContext, shown: Sequence[Element], issues: Sequence[Issue], is_ranked: bool = False
) -> Response:
    base = get_base(context)
    links = {"self": f"{base}/Appointment/{name}"}
    bundle = make_searchset(base, shown, links, len(shown), issues=issues, profile=IHE_BUNDLE)
    if is_ranked:
        for place, entry in enumerate(bundle.get("entry", ())):
            if entry["search"]["mode"] == "match":
                entry["search"]["score"] = round(1 - place / max(len(shown), 1), 3)
    return FhirResponse(bundle)


def _refuse(name: str, context: AppContext, refusal: ClinicweaveError) -> Response:
    return _answer(name, context, (), explain_refusal(refusal))


def _read_until(given: OperationInput) -> Any:
    value = given.get_one("held-until")
    if value is None:
        return None
    try:
        until = datetime.fromisoformat(str(value))
    except ValueError:
        raise InvalidFile("body", [Fault("Parameters", "held-until must be an instant")]) from None
    return until if until.tzinfo is not None else until.replace(tzinfo=UTC)


def _book(context: AppContext, actor: Actor, reference: str) -> tuple[str, Sequence[str]]:
    """Book a proposal, or what is held."""
    proposal = read_proposal_id(reference)
    if proposal is not None:
        return "fhir.book", book_proposal(context, actor, proposal)
    return "fhir.book", confirm_hold(context, actor, _find(context, reference))


def _change(
    context: AppContext, actor: Actor, reference: str, wanted: Element, if_match: str | None
) -> tuple[str, Sequence[str]]:
    """Move or cancel an appointment."""
    if UPDATE not in actor.scopes:
        raise Forbidden(f"this needs the scope system/{UPDATE}")
    visit = _find(context, reference)
    with context.database.reading() as session:
        here, current = load_directory(session), get_appointment(session, visit)
    version = _expect_version(current, if_match, read_version(wanted))
    now = context.clock()
    if wanted["status"] == "cancelled":
        _cancel(context, actor, visit, version)
        return "fhir.cancel", [visit]
    place = read_place(wanted, here, current)
    with_retries(
        context,
        find_period(context.database, visit),
        lambda week: by_hand.decide_move(week, actor, visit, place, None, version, now),
        by_hand.apply_placement,
        context.database.write,
    )
    return "fhir.move", [visit]


def _note(context: AppContext, actor: Actor, resource: str, wanted: Element, if_match: str | None) -> Response:
    """Note the status that is wanted, if it is the version that is meant."""
    visit = _find(context, resource)
    with context.database.reading() as session:
        current = get_appointment(session, visit)
    if if_match is None:
        raise VersionMissing("send If-Match with the ETag of what is to be changed")
    version = _expect_version(current, if_match, None)
    status = wanted["status"]
    if status == "cancelled":
        _cancel(context, actor, visit, version)
    elif status in STATES:
        _mark(context, actor, current, STATES[status], version)
    elif status != STATUSES[current.state]:
        known = ", ".join([*STATES, "cancelled"])
        raise InvalidFile("body", [Fault("Appointment.status", f"may become {known}; places are given by $book")])

    with context.database.writing() as session:
        shown = read_resource(session, "Appointment", resource)
        write_audit(session, actor, "fhir.update", "visit", visit, context.clock(), patient=current.patient)
    return answer_resource(shown).response("")


def _mark(context: AppContext, actor: Actor, current: ClinicAppointment, state: str, version: int) -> None:
    steps = marks.STEPS.get((current.state, state))
    if steps is None:
        raise Conflict(f"what is {current.state} cannot become {state}")
    now = context.clock()

    def act(session: Transaction) -> None:
        expected: int | None = version
        for step in steps:
            marks.mark(session, actor, current.id, step, expected, now)
            expected = None

    context.database.write(act)


def _cancel(context: AppContext, actor: Actor, visit: str, version: int) -> None:
    now = context.clock()
    with_retries(
        context,
        find_period(context.database, visit),
        lambda week: by_hand.decide_cancellation(week, actor, visit, version, now),
        by_hand.apply_cancellation,
        context.database.write,
    )


def _find(context: AppContext, reference: str) -> str:
    named = read_reference(reference, "Appointment")
    with context.database.reading() as session:
        visit = None if named is None or named.startswith(PROPOSED) else find_visit(session, named)
        if visit is None:
            raise UnknownId("Appointment", reference[:100])
        return get_appointment(session, visit).id


def _expect_version(current: ClinicAppointment, if_match: str | None, told: Versions | None) -> int:
    """Return the booking's version, if the caller knows it. Raises ``VersionMissing`` and ``Stale``."""
    known = told if if_match is None else read_etag(if_match)
    if known is None and if_match is None:
        raise VersionMissing("say which version is changed, by If-Match or meta.versionId")
    if known != current.versions:
        raise Stale("it has changed since it was read")
    return current.versions[1]
