"""Appointments as resources.

No name, no text of anybody's: patients, people and places are references.

References
----------
FHIR R4, Appointment; IHE ITI Scheduling 1.0, profile ihe-sched-appt.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from api.fhir.datatypes import (
    CANCELLATION_SYSTEM,
    TERMINOLOGY,
    Element,
    drop_empty,
    make_concept,
    make_extension,
    make_identifier,
    make_reference,
    write_instant,
)
from api.fhir.ids import make_id
from api.fhir.places import BUILDING, make_service_concept
from api.services.weeks.appointments import ClinicAppointment
from api.services.weeks.directory import Directory

IHE_APPOINTMENT = "https://profiles.ihe.net/ITI/Scheduling/StructureDefinition/ihe-sched-appt"

STATUSES = {
    "proposed": "proposed",
    "waiting": "waitlist",
    "offered": "pending",
    "booked": "booked",
    "arrived": "arrived",
    "done": "fulfilled",
    "no-show": "noshow",
    "cancelled": "cancelled",
}
"""The status of an appointment by its state here."""

STATES = {status: state for state, status in STATUSES.items()}

PRIORITIES = {"cancer": 1, "urgent": 2, "soon": 3, "routine": 5}
"""Appointment.priority, as in iCalendar: the lower, the more pressing."""

PARTICIPATIONS = {"needs-action": "needs-action", "accepted": "accepted", "declined": "declined", "tentative": "tentative"}

CANCELLATION_CODES = {"patient": "pat", "withdrawn": "other"}
"""Why an appointment was cancelled, by who did it: the clinic unless told otherwise (``prov``)."""


def write_version(appointment: ClinicAppointment) -> str:
    """Return the version of an appointment: the visit's and its booking's; of a session and its seats the booking's alone."""
    return ".".join(map(str, appointment.versions))


def make_appointment(appointment: ClinicAppointment, directory: Directory) -> Element:
    """Return an appointment as a resource."""
    zone = directory.zone
    has_place = appointment.starts_at is not None
    is_kept = appointment.state != "proposed"
    meta = {
        "versionId": write_version(appointment) if is_kept else None,
        "lastUpdated": write_instant(appointment.changed_at),
        "profile": [IHE_APPOINTMENT] if has_place else [],
    }
    return drop_empty(
        {
            "resourceType": "Appointment",
            "id": make_id(appointment.id),
            "meta": drop_empty(meta),
            "extension": _make_extensions(appointment, directory),
            "identifier": _make_identifiers(appointment) if is_kept else [],
            "status": STATUSES[appointment.state],
            "cancelationReason": _make_reason(appointment),
            **describe_visit(appointment, directory),
            "start": write_instant(appointment.starts_at, zone) if appointment.starts_at else None,
            "end": write_instant(appointment.ends_at, zone) if appointment.ends_at else None,
            "minutesDuration": _count_minutes(appointment.starts_at, appointment.ends_at),
            "created": write_instant(appointment.created_at, zone) if is_kept and appointment.created_at else None,
            "basedOn": [make_reference("ServiceRequest", make_id(appointment.episode))] if appointment.episode else [],
            "supportingInformation": _refer_to_session(appointment),
            "participant": make_participants(appointment, _get_participation(appointment)),
            "requestedPeriod": [_make_requested_period(appointment, directory)],
        }
    )


def describe_visit(appointment: ClinicAppointment, directory: Directory) -> dict[str, Any]:
    """Return what a resource tells of what is asked for."""
    return {
        "serviceType": [make_service_concept(appointment.service, directory)],
        "appointmentType": make_concept(f"{TERMINOLOGY}/v2-0276", "ROUTINE", "Routine appointment - default if not valued"),
        "priority": None if appointment.priority is None else PRIORITIES[appointment.priority],
    }


def make_participants(appointment: ClinicAppointment, status: str) -> list[Element]:
    """Return who and what takes part; a patient first, then the seats of the team in order, supervisors and the place.

    A session has no patient. In a seat of it the patient alone takes part.
    """
    others = "accepted" if status in PARTICIPATIONS.values() and status != "needs-action" else status
    stands = "accepted" if appointment.state in ("booked", "arrived", "done", "no-show", "cancelled") else others
    people = [*zip(appointment.team, ("PPRF", *("SPRF" for _ in appointment.team)), strict=False)]
    people += [(supervisor, "ATND") for supervisor in appointment.supervisors]
    patients = [] if appointment.patient is None else [make_reference("Patient", make_id(appointment.patient))]
    participants = [_participant(patient, status) for patient in patients]
    if appointment.session is not None:
        return participants
    for provider, role in people:
        kind = {"coding": [{"system": f"{TERMINOLOGY}/v3-ParticipationType", "code": role}]}
        participants.append({"type": [kind], **_participant(make_reference("PractitionerRole", make_id(provider)), stands)})
    if appointment.location is not None:
        place = appointment.room or f"{BUILDING}{appointment.location}"
        participants.append(_participant(make_reference("Location", make_id(place)), stands))
    service = make_reference("HealthcareService", make_id(appointment.service))
    return [*participants, _participant(service, stands, "information-only")]


def _participant(actor: Element, status: str, required: str = "required") -> Element:
    return {"actor": actor, "required": required, "status": status}


def _get_participation(appointment: ClinicAppointment) -> str:
    """Return what the patient has said: what they answered by mail, else what the place itself says."""
    if appointment.state in ("waiting", "proposed"):
        return "needs-action"
    if appointment.state == "offered":
        return "tentative"
    return PARTICIPATIONS.get(appointment.participation or "", "accepted")


def _refer_to_session(appointment: ClinicAppointment) -> list[Element]:
    return [] if appointment.session is None else [make_reference("Appointment", make_id(appointment.session))]


def _make_extensions(appointment: ClinicAppointment, directory: Directory) -> list[Element]:
    extensions = []
    if appointment.patient_until is not None and appointment.patient_until != appointment.ends_at:
        until = write_instant(appointment.patient_until, directory.zone)
        extensions.append(make_extension("recovery", patientUntil=("valueInstant", until)))
    if appointment.expires_at is not None:
        expires = write_instant(appointment.expires_at)
        extensions.append(make_extension("hold", holdExpires=("valueInstant", expires)))
    return extensions


def _make_identifiers(appointment: ClinicAppointment) -> list[Element]:
    identifiers = [make_identifier("appointment", appointment.id)]
    return identifiers if appointment.booking is None else [*identifiers, make_identifier("booking", appointment.booking)]


def _make_reason(appointment: ClinicAppointment) -> Element | None:
    if appointment.state != "cancelled":
        return None
    by = appointment.cancelled_by or "clinic"
    code = CANCELLATION_CODES.get(by, "prov")
    own = {"system": CANCELLATION_SYSTEM, "code": by}
    return {"coding": [{"system": f"{TERMINOLOGY}/appointment-cancellation-reason", "code": code}, own]}


def _count_minutes(starts_at: datetime | None, ends_at: datetime | None) -> int | None:
    return None if starts_at is None or ends_at is None else int((ends_at - starts_at).total_seconds()) // 60


def _make_requested_period(appointment: ClinicAppointment, directory: Directory) -> Element:
    def midnight(day: Any) -> str:
        return write_instant(datetime.combine(day, time(), directory.zone))

    end = (
        None
        if appointment.deadline is None
        else write_instant(datetime.combine(appointment.deadline, time(23, 59, 59), directory.zone))
    )
    return drop_empty({"start": midnight(appointment.earliest), "end": end})
