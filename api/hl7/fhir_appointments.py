"""Appointments as FHIR resources for a partner's server. No name, no text: everybody and everything is an id.

References
----------
FHIR R4, Appointment; section 2.3.0 (logical references); code system v2-0203 (PLAC).
"""

from __future__ import annotations

from typing import Any

from api.fhir.appointments import PRIORITIES
from api.fhir.datatypes import (
    BASE,
    CANCELLATION_SYSTEM,
    SERVICE_SYSTEM,
    TERMINOLOGY,
    Element,
    Noun,
    drop_empty,
    make_concept,
    make_identifier,
    write_instant,
)
from api.hl7.appointments import PartnerAppointment, Status
from api.hl7.partners import Partner

STATUSES = {
    Status.BOOKED: "booked",
    Status.ARRIVED: "arrived",
    Status.DONE: "fulfilled",
    Status.NO_SHOW: "noshow",
    Status.CANCELLED: "cancelled",
    Status.DELETED: "cancelled",
}

OWN_SYSTEM = f"{BASE}/id/appointment"
"""The system of the identifier by which an appointment is known to be ours."""

MADE_HERE = (
    "status",
    "cancelationReason",
    "serviceType",
    "priority",
    "start",
    "end",
    "minutesDuration",
    "participant",
)
"""Elements that are ours to say; what a partner has added beside them stays as it is."""


def make_partner_appointment(appointment: PartnerAppointment, partner: Partner) -> Element:
    """Return an appointment as it should stand at a partner's server."""
    minutes = int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60
    placer = {"type": make_concept(f"{TERMINOLOGY}/v2-0203", "PLAC"), "value": appointment.placer}
    return drop_empty(
        {
            "resourceType": "Appointment",
            "identifier": [make_identifier("appointment", appointment.id), *([placer] if appointment.placer else [])],
            "status": STATUSES[appointment.status],
            "cancelationReason": _make_reason(appointment.status),
            "serviceType": [_make_service(appointment.service, partner)],
            "priority": PRIORITIES.get(appointment.priority),
            "start": write_instant(appointment.starts_at, partner.zone),
            "end": write_instant(appointment.ends_at, partner.zone),
            "minutesDuration": minutes,
            "participant": _make_participants(appointment, partner),
        }
    )


def merge(theirs: Element, ours: Element) -> Element:
    """Return a partner's resource with what is ours to say in it; identifiers that it has of others stay."""
    kept = {key: value for key, value in theirs.items() if key not in MADE_HERE}
    others = [identifier for identifier in theirs.get("identifier", ()) if identifier not in ours["identifier"]]
    return {**kept, **ours, "identifier": [*ours["identifier"], *others]}


def _make_reason(status: Status) -> Element | None:
    """Return why an appointment is no more, where it is known: it was withdrawn before anybody was told of it."""
    own = {"system": CANCELLATION_SYSTEM, "code": "withdrawn"}
    reasons = f"{TERMINOLOGY}/appointment-cancellation-reason"
    return make_concept(reasons, "other", None, own) if status is Status.DELETED else None


def _make_service(service: str, partner: Partner) -> Element:
    """Return the service by the partner's code and by ours."""
    theirs = partner.services.get(service)
    own = {"system": SERVICE_SYSTEM, "code": service}
    return {"coding": [own] if theirs is None else [{"code": theirs}, own]}


def _make_participants(appointment: PartnerAppointment, partner: Partner) -> list[Element]:
    patient = {"type": "Patient", "identifier": _identify_patient(appointment.patient, partner)}
    people = [(provider, "SPRF" if number else "PPRF") for number, provider in enumerate(appointment.team)]
    people += [(supervisor, "ATND") for supervisor in appointment.supervisors]
    participants: list[Element] = [{"actor": patient, "required": "required", "status": "accepted"}]
    for provider, role in people:
        actor = _refer("Practitioner", "provider", provider, partner.providers)
        kind = make_concept(f"{TERMINOLOGY}/v3-ParticipationType", role)
        participants.append({"type": [kind], "actor": actor, "required": "required", "status": "accepted"})
    place = _refer("Location", "location", appointment.room or appointment.location, partner.locations)
    return [*participants, {"actor": place, "required": "required", "status": "accepted"}]


def _identify_patient(patient: str, partner: Partner) -> Element:
    system = None if partner.fhir is None else partner.fhir.patients
    return make_identifier("patient", patient) if system is None else {"system": system, "value": patient}


def _refer(kind: str, noun: Noun, identifier: str, codes: dict[str, str]) -> dict[str, Any]:
    """Return a reference by the partner's own one where its code is one (``Practitioner/17``), else by identifier."""
    theirs = codes.get(identifier)
    if theirs is not None and theirs.startswith((f"{kind}/", "PractitionerRole/")):
        return {"reference": theirs}
    return {"type": kind, "identifier": make_identifier(noun, identifier) if theirs is None else {"value": theirs}}
