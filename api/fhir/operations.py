"""The operations ``$find``, ``$hold`` and ``$book``: what is asked read as what the use cases know, and proposals as resources.

References
----------
IHE ITI Scheduling 1.0, ITI-115 ($find), ITI-116 ($hold) and ITI-117 ($book).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.fhir.appointments import make_appointment
from api.fhir.datatypes import (
    KIND_SYSTEM,
    PATHWAY_SYSTEM,
    SERVICE_SYSTEM,
    Element,
    make_extension,
    make_reference,
    write_instant,
)
from api.fhir.ids import find_own_id, make_id, read_reference
from api.fhir.outcomes import Issue
from api.fhir.parameters import OperationInput, read_codes, read_reference_text
from api.fhir.patients import read_patient
from api.fhir.places import BUILDING, SITE
from api.fhir.searching import BY_ACTOR, read_moment
from api.fhir.serving import find_patient, find_visit
from api.services.intake.kinds import find_kind
from api.services.proposals.place_finding import FoundPlaces, PlaceRequest, ProposedPlaces
from api.services.weeks.appointments import ClinicAppointment
from api.services.weeks.directory import Directory, is_patient_known
from scheduling import catalogue
from scheduling.errors import ClinicweaveError, Fault, InvalidFile, UnknownId

FIND = frozenset(
    {
        "start",
        "end",
        "visit-type",
        "practitioner",
        "location-reference",
        "patient-reference",
        "patient-resource",
        "referral-identifier",
        "appointment-reference",
        "_count",
        "maxMoves",
    }
)
HOLD = frozenset({"appointment-reference", "held-until"})
BOOK = frozenset({"appointment-reference", "appointment-resource", "patient-resource", "cancelled-reference"})
"""The parameters that each of them looks at."""

PROPOSED = "o."
"""Precedes the id of a proposal where an appointment's stands; the number of the visit may follow it."""

MAX_MOVES = 5
MAX_PROPOSALS = 50


def read_find(session: Session, here: Directory, given: OperationInput) -> PlaceRequest:
    """Return which places are looked for.

    Raises
    ------
    InvalidFile, UnknownId
        When it cannot be understood, or names what there is not.
    """
    starts_at, ends_at = _read_times(here, given)
    new_patient = None
    patient = _find_patient(session, given)
    if patient is None:
        resources = given.get_all("patient-resource")
        if len(resources) != 1:
            raise InvalidFile("body", [Fault("Parameters", "one patient is needed: patient-reference or patient-resource")])
        new_patient = read_patient(resources[0][1], here, f"{resources[0][0]}.resource")
        patient = new_patient.id
        if is_patient_known(session, patient):
            new_patient = None
    wanted = PlaceRequest(
        patient=patient,
        new_patient=new_patient,
        starts_at=starts_at,
        ends_at=ends_at,
        providers=_read_providers(here, given),
        places=_read_places(here, given),
        count=_read_number(given, "_count", 5, MAX_PROPOSALS) or 5,
        max_moves=_read_number(given, "maxMoves", 0, MAX_MOVES),
    )
    visit = given.get_one("appointment-reference")
    if visit is not None:
        named = read_reference(read_reference_text(visit, "Appointment"), "Appointment")
        own = None if named is None else find_visit(session, named)
        if own is None:
            raise UnknownId("Appointment", str(visit)[:100])
        return replace(wanted, visit=own)
    service, pathway = _read_visit_type(here, given)
    return replace(wanted, service=service, pathway=pathway)


def make_proposed(
    proposal: ProposedPlaces, identifier: str, rank: int, expires_at: datetime, here: Directory, now: datetime
) -> list[Element]:
    """Return the visits of a proposal as proposed appointments, with their rank, what they cost, and why."""
    names = [f"{PROPOSED}{identifier}{f'.{number}' if number > 1 else ''}" for number in range(1, len(proposal.parts) + 1)]
    offer = make_extension(
        "offer",
        rank=("valuePositiveInt", rank),
        cost=("valueInteger", proposal.cost),
        moves=("valueUnsignedInt", proposal.moves),
        notifiedMoves=("valueUnsignedInt", proposal.notified),
        expires=("valueInstant", write_instant(expires_at)),
        reason=("valueString", list(proposal.reasons)),
    )
    shown = []
    for name, part in zip(names, proposal.parts, strict=True):
        booking = part.booking
        starts_at, ends_at = (moment.replace(tzinfo=here.zone) for moment in (booking.start, booking.end))
        appointment = ClinicAppointment(
            id=name,
            patient=part.visit.patient,
            service=part.visit.service,
            priority=part.visit.priority,
            earliest=part.visit.earliest,
            deadline=part.visit.deadline,
            created_at=now,
            changed_at=now,
            versions=(0, 0),
            state="proposed",
            starts_at=starts_at,
            ends_at=ends_at,
            location=booking.location,
            room=booking.room,
            team=booking.team,
            supervisors=booking.supervisors,
        )
        resource = make_appointment(appointment, here) | {"extension": [offer]}
        others = [make_reference("Appointment", other) for other in names if other != name]
        shown.append(resource | ({"supportingInformation": others} if others else {}))
    return shown


def tell_ignored(given: OperationInput) -> list[Issue]:
    """Return what has to be told of parameters that were not looked at."""
    return [Issue(f'"{name}" is not looked at', "not-supported", "information") for name in given.ignored]


def explain_none(places: FoundPlaces) -> list[Issue]:
    """Return why nothing was found: a rule for each, and how many places there are if others move; nobody else's ids."""
    issues = [Issue(reason.detail, "business-rule", "information", rule=reason.rule) for reason in places.reasons]
    if places.with_moves:
        told = f"{places.with_moves} places are free if others move (maxMoves)"
        issues.insert(0, Issue(told, "informational", "information", rule="making-room"))
    return issues or [Issue("no place was found", "informational", "information")]


def explain_refusal(error: ClinicweaveError) -> list[Issue]:
    """Return why an operation was refused; a place that is lost, or a proposal that nobody knows, is fatal."""
    if isinstance(error, UnknownId):
        return [Issue(str(error), "not-found", "fatal")]
    details = getattr(error, "details", ())
    issues = [Issue(detail.detail, "business-rule", "error", rule=detail.rule) for detail in details]
    return [Issue(str(error), "not-found", "fatal"), *issues]


def read_proposal_id(text: str) -> str | None:
    """Return which proposal a reference names; None when it names none."""
    named = read_reference(text, "Appointment")
    return named.removeprefix(PROPOSED).partition(".")[0] if named is not None and named.startswith(PROPOSED) else None


def _read_times(here: Directory, given: OperationInput) -> tuple[datetime, datetime]:
    bounds = []
    for name in ("start", "end"):
        value = given.get_one(name)
        if value is None:
            raise InvalidFile("body", [Fault("Parameters", f'"{name}" is needed')])
        first, after = read_moment(name, str(value), here.zone)
        bounds.append(after if name == "end" and "T" not in str(value) else first)
    if bounds[0] >= bounds[1]:
        raise InvalidFile("body", [Fault("Parameters", "ends before it begins")])
    return bounds[0], bounds[1]


def _find_patient(session: Session, given: OperationInput) -> str | None:
    references = given.get_all("patient-reference")
    if len(references) > 1:
        raise InvalidFile("body", [Fault(references[1][0], "names a second patient: groups are not found so")])
    if not references:
        return None
    named = read_reference(read_reference_text(references[0][1], "Patient"), "Patient")
    own = None if named is None else find_patient(session, named)
    if own is None or not is_patient_known(session, own):
        raise UnknownId("Patient", str(named))
    return own


def _read_visit_type(here: Directory, given: OperationInput) -> tuple[str | None, str | None]:
    """Return the service, or the pathway, that is wanted: the first of those given that is known."""
    services = {service.id for service in here.clinic.services}
    given_types = given.get_all("visit-type")
    for _, value in given_types:
        for system, code in read_codes(value):
            if system in (SERVICE_SYSTEM, "") and code in services:
                return code, None
            kind = find_kind(code) if system in (KIND_SYSTEM, "") else None
            if kind is not None and kind.pathway is not None:
                return None, kind.pathway
            if system in (PATHWAY_SYSTEM, "") and _is_pathway(code):
                return None, code
    place = given_types[0][0] if given_types else "Parameters"
    raise InvalidFile("body", [Fault(place, "visit-type must be a service, a pathway or a kind of referral that there is")])


def _is_pathway(code: str) -> bool:
    try:
        return bool(catalogue.get_pathway(code))
    except UnknownId:
        return False


def _read_providers(here: Directory, given: OperationInput) -> tuple[str, ...]:
    chosen = []
    for place, value in given.get_all("practitioner"):
        named = read_reference(read_reference_text(value, *BY_ACTOR), *BY_ACTOR)
        own = None if named is None else find_own_id(named, here.providers)
        if own not in here.providers or own is None:
            raise InvalidFile("body", [Fault(place, "names nobody who works here")])
        chosen.append(own)
    return tuple(chosen)


def _read_places(here: Directory, given: OperationInput) -> tuple[str, ...]:
    chosen: list[str] = []
    for place, value in given.get_all("location-reference"):
        named = read_reference(read_reference_text(value, "Location"), "Location")
        own = [
            *(room.id for room in here.clinic.rooms if make_id(room.id) == named),
            *(building.id for building in here.clinic.locations if make_id(f"{BUILDING}{building.id}") == named),
            *(building.id for building in here.clinic.locations if make_id(f"{SITE}{building.site}") == named),
        ]
        if not own:
            raise InvalidFile("body", [Fault(place, "names no place of the clinic")])
        chosen += own
    return tuple(chosen)


def _read_number(given: OperationInput, name: str, usual: int, most: int) -> int:
    value: Any = given.get_one(name)
    if value is None:
        return usual
    try:
        return max(0, min(int(value), most))
    except (ValueError, TypeError):
        raise InvalidFile("body", [Fault("Parameters", f"{name} must be a number")]) from None
