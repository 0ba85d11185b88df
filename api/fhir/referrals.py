"""Referrals that come in: a ServiceRequest with its patient, alone or together in a transaction, as what the intake takes.

References
----------
FHIR R4, ServiceRequest; sections 3.1.0.11 (transaction) and 3.1.0.8.1 (conditional create).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from api.fhir.datatypes import KIND_SYSTEM, Element
from api.fhir.ids import find_own_id, read_reference
from api.fhir.parameters import read_codes
from api.fhir.patients import read_birth_date, read_identifier, read_name
from api.fhir.people import REQUEST_PRIORITIES
from api.fhir.reading import expect_valid
from api.fhir.serving import find_patient
from api.services.intake.kinds import find_kind, get_kind
from api.services.intake.request_forms import LocatedRequest, Request
from api.services.weeks.directory import Directory, is_patient_known
from scheduling.errors import Fault, InvalidFile

PRIORITIES = {theirs: ours for ours, theirs in REQUEST_PRIORITIES.items()}
OPEN_STATUSES = ("active", "draft")
MAX_ENTRIES = 50
MAX_TEXT = 200

Patients = Mapping[str, Element]
"""Patients that come along, by the addresses at which others name them."""


@dataclass(frozen=True, slots=True)
class ReferralBundle:
    """What a transaction brings: referrals with their places in it; and of each entry its type, and of a patient the number."""

    requests: list[LocatedRequest]
    entries: list[tuple[str, str]]


def read_referral(session: Session, here: Directory, resource: Element, place: str, patients: Patients) -> Request:
    """Return a referral as the intake knows it.

    Parameters
    ----------
    place
        Where it stands in what it came with.

    Raises
    ------
    InvalidFile
        When it is no new order, or names no kind of referral or patient.
    """
    if resource["status"] not in OPEN_STATUSES or resource["intent"] in ("option", "proposal"):
        raise InvalidFile("body", [Fault(f"{place}.status", "only what is ordered anew is taken in")])
    contained = {f"#{inner.get('id')}": inner for inner in resource.get("contained", ())}
    subject = resource["subject"]
    who = _read_subject(session, subject, {**patients, **contained}, f"{place}.subject")
    fields: dict[str, Any] = {
        "kind": _read_kind(resource, place),
        "priority": PRIORITIES.get(resource.get("priority", "")),
        "referred_on": _read_day(resource.get("authoredOn")),
        "referrer": _read_text(resource.get("requester", {}).get("display")),
        "preferred_providers": _read_performers(here, resource),
        **who,
    }
    if get_kind(fields["kind"]).needs:
        needed_by = resource.get("occurrenceDateTime") or resource.get("occurrencePeriod", {}).get("end")
        fields["low_reservoir"] = _read_day(needed_by)
    try:
        return Request(**{name: value for name, value in fields.items() if value not in (None, "", ())})
    except ValidationError as error:
        faults = [Fault(f"{place}.{told['loc'][0]}", str(told["msg"])) for told in error.errors(include_input=False)]
        raise InvalidFile("body", faults) from None


def read_transaction(session: Session, here: Directory, document: Any) -> ReferralBundle:
    """Return the referrals of a transaction, with the patients that come along.

    Raises
    ------
    InvalidFile
        When it brings anything else, or a resource in it breaks a rule of its type.
    """
    bundle = expect_valid("Bundle", document)
    entries = bundle.get("entry", [])
    if bundle["type"] != "transaction" or not 0 < len(entries) <= MAX_ENTRIES:
        raise InvalidFile("body", [Fault("Bundle.type", f"must be a transaction of 1 to {MAX_ENTRIES} entries")])
    patients: dict[str, Element] = {}
    orders: list[tuple[str, Element]] = []
    kinds: list[tuple[str, str]] = []
    for number, entry in enumerate(entries):
        place = f"Bundle.entry[{number}]"
        request, resource = entry.get("request", {}), entry.get("resource", {})
        kind = str(resource.get("resourceType", ""))
        if kind not in ("Patient", "ServiceRequest") or (request.get("method"), request.get("url")) != ("POST", kind):
            raise InvalidFile("body", [Fault(place, "only Patient and ServiceRequest can be created")])
        expect_valid(kind, resource, f"{place}.resource")
        kinds.append((kind, read_identifier(resource) if kind == "Patient" else ""))
        if kind == "Patient":
            patients[str(entry.get("fullUrl", place))] = resource
        else:
            orders.append((f"{place}.resource", resource))
    if not orders:
        raise InvalidFile("body", [Fault("Bundle.entry", "has no ServiceRequest, and patients come with one")])
    requests = [LocatedRequest(f"{place}.", read_referral(session, here, order, place, patients)) for place, order in orders]
    return ReferralBundle(requests, kinds)


def _read_kind(resource: Element, place: str) -> str:
    for system, code in read_codes(resource.get("code", {})):
        kind = find_kind(code) if system in (KIND_SYSTEM, "") else None
        if kind is not None and kind.pathway is not None:
            return kind.id
    raise InvalidFile("body", [Fault(f"{place}.code", f"must be a kind of referral ({KIND_SYSTEM}) that leads to visits")])


def _read_subject(session: Session, subject: Element, patients: Patients, place: str) -> dict[str, Any]:
    """Return who is referred: somebody known, or somebody new with their name."""
    reference = str(subject.get("reference", ""))
    resource = patients.get(reference)
    if resource is None and "identifier" in subject:
        resource = {"identifier": [subject["identifier"]]}
    if resource is not None:
        identifier = read_identifier(resource)
        if not identifier:
            raise InvalidFile("body", [Fault(place, "has no identifier")])
        new = {"name": read_name(resource), "birth_date": read_birth_date(resource)}
        return {"patient": identifier} | ({} if is_patient_known(session, identifier) else new)
    named = read_reference(reference, "Patient")
    own = None if named is None else find_patient(session, named)
    if own is None or not is_patient_known(session, own):
        raise InvalidFile("body", [Fault(place, "names no patient who is known, nor one who comes along")])
    return {"patient": own}


def _read_performers(here: Directory, resource: Element) -> tuple[str, ...]:
    references = (str(performer.get("reference", "")) for performer in resource.get("performer", ()))
    named = (read_reference(text, "Practitioner", "PractitionerRole") for text in references)
    own = (find_own_id(name, here.providers) for name in named if name is not None)
    return tuple(provider for provider in own if provider is not None and provider in here.providers)


def _read_day(value: Any) -> date | None:
    return date.fromisoformat(str(value)[:10]) if value and len(str(value)) >= 10 else None


def _read_text(value: Any) -> str | None:
    return " ".join(str(value).split())[:MAX_TEXT] if value else None
