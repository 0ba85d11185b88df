"""Where care takes place and what is offered: sites, buildings and rooms as Location, services as HealthcareService.

A room is part of its building, and that of its site. The three share one type of resource, so that the ids of buildings and
sites have a prefix.
"""

from __future__ import annotations

from collections.abc import Iterator

from api.fhir.datatypes import SERVICE_SYSTEM, TERMINOLOGY, Element, drop_empty, make_concept, make_identifier, make_reference
from api.fhir.ids import make_id
from api.services.weeks.directory import Directory

BUILDING, SITE = "bu.", "si."
"""Precede the ids of buildings and sites."""

PHYSICAL_TYPES = {"si": "Site", "bu": "Building", "ro": "Room"}


def list_locations(directory: Directory) -> Iterator[Element]:
    """Yield every site, building and room."""
    clinic = directory.clinic
    for site in clinic.sites:
        yield _location(f"{SITE}{site.id}", site.id, site.name, "si")
    for building in clinic.locations:
        whole = {"address": {"text": building.address}} if building.address else {}
        yield _location(f"{BUILDING}{building.id}", building.id, building.name, "bu", f"{SITE}{building.site}") | whole
    for room in clinic.rooms:
        yield _location(room.id, room.id, room.id, "ro", f"{BUILDING}{room.location}")


def list_services(directory: Directory) -> Iterator[Element]:
    """Yield everything that is offered."""
    for service in directory.clinic.services:
        places = [make_reference("Location", make_id(f"{BUILDING}{location}")) for location in service.locations]
        yield drop_empty(
            {
                "resourceType": "HealthcareService",
                "id": make_id(service.id),
                "identifier": [make_identifier("service", service.id)],
                "active": True,
                "type": [make_service_concept(service.id, directory)],
                "name": service.name,
                "location": places,
            }
        )


def make_service_concept(service: str, directory: Directory) -> Element:
    """Return a service as a coded concept."""
    names = {offered.id: offered.name for offered in directory.clinic.services}
    return make_concept(SERVICE_SYSTEM, service, names.get(service) or service)


def _location(identifier: str, own: str, name: str, form: str, part_of: str | None = None) -> Element:
    concept = make_concept(f"{TERMINOLOGY}/location-physical-type", form, PHYSICAL_TYPES[form])
    return drop_empty(
        {
            "resourceType": "Location",
            "id": make_id(identifier),
            "identifier": [make_identifier("location", own)],
            "status": "active",
            "name": name,
            "mode": "instance",
            "physicalType": concept,
            "partOf": None if part_of is None else make_reference("Location", make_id(part_of)),
        }
    )
