"""Who receives and gives care: patients, and providers with the times at which they are taken.

Only Patient has a patient's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time

from api.fhir.datatypes import KIND_SYSTEM, Element, drop_empty, make_concept, make_identifier, make_reference, write_instant
from api.fhir.ids import make_id
from api.services.intake.kinds import find_kind
from api.services.weeks.directory import Commitment, Directory, EpisodeRow, PatientRow

SLOT_ID = re.compile(r"(?P<provider>.+)\.(?P<start>[0-9]{12})-(?P<end>[0-9]{12})")
MINUTE = "%Y%m%d%H%M"

REQUEST_PRIORITIES = {"cancer": "stat", "urgent": "urgent", "soon": "asap", "routine": "routine"}
"""ServiceRequest.priority by ours."""


def make_patient(row: PatientRow) -> Element:
    """Return a patient."""
    return drop_empty(
        {
            "resourceType": "Patient",
            "id": make_id(row.id),
            "meta": {"versionId": str(row.version)},
            "identifier": [make_identifier("patient", row.id)],
            "active": True,
            "name": [{"text": row.name}] if row.name else [],
            "birthDate": row.birth_date.isoformat() if row.birth_date else None,
        }
    )


def list_practitioners(directory: Directory) -> Iterator[Element]:
    """Yield everybody who works in the clinic."""
    for row in directory.providers.values():
        yield drop_empty(
            {
                "resourceType": "Practitioner",
                "id": make_id(row.id),
                "meta": {"versionId": str(row.version)},
                "identifier": [make_identifier("provider", row.id)],
                "active": True,
                "name": [{"text": row.name}] if row.name else [],
            }
        )


def list_roles(directory: Directory) -> Iterator[Element]:
    """Yield what everybody works as."""
    for row in directory.providers.values():
        yield drop_empty(
            {
                "resourceType": "PractitionerRole",
                "id": make_id(row.id),
                "identifier": [make_identifier("provider", row.id)],
                "active": True,
                "practitioner": make_reference("Practitioner", make_id(row.id)),
                "code": [{"text": row.role}] if row.role else [],
            }
        )


def list_schedules(directory: Directory) -> Iterator[Element]:
    """Yield the calendar of everybody, for the dates for which weeks are built."""
    zone, horizon = directory.zone, directory.horizon
    built: Element = {}
    if horizon is not None:
        ends = {"start": horizon.start, "end": horizon.end}
        built = {name: write_instant(datetime.combine(day, time(), zone)) for name, day in ends.items()}
    for identifier in directory.providers:
        yield drop_empty(
            {
                "resourceType": "Schedule",
                "id": make_id(identifier),
                "identifier": [make_identifier("provider", identifier)],
                "active": True,
                "actor": [make_reference("PractitionerRole", make_id(identifier))],
                "planningHorizon": built,
            }
        )


def make_slot(commitment: Commitment, directory: Directory) -> Element:
    """Return a time at which somebody is taken; of what, it does not tell."""
    provider = make_id(commitment.provider)
    return {
        "resourceType": "Slot",
        "id": write_slot_id(commitment),
        "schedule": make_reference("Schedule", provider),
        "status": commitment.status,
        "start": write_instant(commitment.starts_at, directory.zone),
        "end": write_instant(commitment.ends_at, directory.zone),
    }


def write_slot_id(commitment: Commitment) -> str:
    """Return the id of a slot: whose it is, and from when to when, in UTC."""
    begin, end = (moment.astimezone(UTC).strftime(MINUTE) for moment in (commitment.starts_at, commitment.ends_at))
    return make_id(f"{commitment.provider}.{begin}-{end}")


def read_slot_id(identifier: str) -> tuple[str, datetime, datetime] | None:
    """Return whose slot it is, from when to when; None when it is no id of a slot."""
    match = SLOT_ID.fullmatch(identifier)
    if match is None:
        return None
    try:
        begin, end = (datetime.strptime(match[name], MINUTE).replace(tzinfo=UTC) for name in ("start", "end"))
    except ValueError:
        return None
    return match["provider"], begin, end


def make_request(row: EpisodeRow) -> Element:
    """Return an episode as the referral that began it."""
    kind = find_kind(row.kind)
    return drop_empty(
        {
            "resourceType": "ServiceRequest",
            "id": make_id(row.id),
            "meta": {"versionId": str(row.version)},
            "identifier": [make_identifier("episode", row.id)],
            "status": "active" if row.is_open else "completed",
            "intent": "order",
            "priority": REQUEST_PRIORITIES.get(row.priority),
            "code": make_concept(KIND_SYSTEM, row.kind, None if kind is None else kind.name),
            "subject": make_reference("Patient", make_id(row.patient_id)),
            "authoredOn": write_instant(row.referred_at),
        }
    )
