"""Appointments that come in to be changed: their place, what has become of them, and which version is meant.

References
----------
FHIR R4, Appointment; section 3.1.0.5 (managing resource contention); RFC 6902 (JSON Patch).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.fhir.datatypes import Element
from api.fhir.ids import find_own_id, make_id, read_reference
from api.fhir.places import BUILDING
from api.fhir.reading import expect_valid
from api.services.bookings.by_hand import RequestedPlace
from api.services.weeks.appointments import ClinicAppointment
from api.services.weeks.directory import Directory
from scheduling.errors import Fault, InvalidFile

ETAG = re.compile(r'(?:W/)?"(?P<visit>[0-9]{1,9})\.(?P<booking>[0-9]{1,9})"')
VERSION = re.compile(r"(?P<visit>[0-9]{1,9})\.(?P<booking>[0-9]{1,9})")

STATES: Mapping[str, str] = {"arrived": "arrived", "checked-in": "arrived", "fulfilled": "done", "noshow": "no-show"}
"""What becomes of a booking by the status that is sent."""

Versions = tuple[int, int]


def read_etag(text: str) -> Versions | None:
    """Return which versions, of the visit and of its booking, an ETag names; None: none of ours."""
    return _read_versions(ETAG.fullmatch(text.strip()))


def read_version(resource: Mapping[str, Any]) -> Versions | None:
    """Return which versions a resource says that it is of."""
    return _read_versions(VERSION.fullmatch(str(resource.get("meta", {}).get("versionId", ""))))


def read_place(resource: Element, here: Directory, current: ClinicAppointment) -> RequestedPlace:
    """Return where an appointment is wanted; what it does not name, or by a name alone, stays as it is.

    Raises
    ------
    InvalidFile
        When it names whom or what there is not.
    """
    starts_at = datetime.fromisoformat(str(resource["start"]))
    team: list[str] = []
    room, location = current.room, current.location or ""
    for number, participant in enumerate(resource["participant"]):
        reference = str(participant.get("actor", {}).get("reference", ""))
        place = f"Appointment.participant[{number}].actor"
        if provider := read_reference(reference, "Practitioner", "PractitionerRole") if "Practitioner" in reference else None:
            own = find_own_id(provider, here.providers)
            if own is None or own not in here.providers:
                raise InvalidFile("body", [Fault(place, "names nobody who works here")])
            roles = {coding.get("code") for kind in participant.get("type", ()) for coding in kind.get("coding", ())}
            if "ATND" not in roles:
                team.append(own)
        elif (named := read_reference(reference, "Location")) is not None and "Location/" in reference:
            room, location = _find_place(here, named, place)
    same_team = not team or set(team) == set(current.team)
    return RequestedPlace(
        start=starts_at.astimezone(here.zone).replace(tzinfo=None),
        location=location,
        room=room,
        team=current.team if same_team else tuple(team),
        supervisors=current.supervisors if same_team else (),
    )


def apply_patch(resource: Element, operations: Any) -> Element:
    """Return an appointment with another status, or another reason for it: nothing else can be patched.

    Raises
    ------
    InvalidFile
        When it is no JSON Patch, or changes anything else.
    """
    if not isinstance(operations, list) or not 0 < len(operations) <= 10:
        raise InvalidFile("body", [Fault("body", "must be a list of 1 to 10 operations (RFC 6902)")])
    changed = dict(resource)
    for number, operation in enumerate(operations):
        if not isinstance(operation, dict):
            raise InvalidFile("body", [Fault(f"body[{number}]", "must be an operation")])
        name = str(operation.get("path", "")).removeprefix("/")
        is_known = operation.get("op") in ("add", "replace", "test") and name in ("status", "cancelationReason")
        if not is_known or "value" not in operation:
            raise InvalidFile("body", [Fault(f"body[{number}]", "only status and cancelationReason can be changed")])
        if operation["op"] == "test" and changed.get(name) != operation["value"]:
            raise InvalidFile("body", [Fault(f"body[{number}]", "the test fails")])
        changed[name] = operation["value"]
    return expect_valid("Appointment", changed)


def _find_place(here: Directory, named: str, place: str) -> tuple[str | None, str]:
    for room in here.clinic.rooms:
        if make_id(room.id) == named:
            return room.id, room.location
    for building in here.clinic.locations:
        if make_id(f"{BUILDING}{building.id}") == named:
            return None, building.id
    raise InvalidFile("body", [Fault(place, "names no room or building of the clinic")])


def _read_versions(match: re.Match[str] | None) -> Versions | None:
    return None if match is None else (int(match["visit"]), int(match["booking"]))
