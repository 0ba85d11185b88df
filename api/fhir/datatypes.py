"""The data types of FHIR R4 that resources are made of: codings, references, identifiers, instants, extensions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

Element = dict[str, Any]
"""A part of a resource, or a whole one, as JSON has it."""

BASE = "https://clinicweave.example/fhir"
"""Where the definitions of this program have their names; nothing has to be served there."""

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"

SERVICE_SYSTEM = f"{BASE}/CodeSystem/service"
KIND_SYSTEM = f"{BASE}/CodeSystem/referral-kind"
PATHWAY_SYSTEM = f"{BASE}/CodeSystem/pathway"
RULE_SYSTEM = f"{BASE}/CodeSystem/rule"
CANCELLATION_SYSTEM = f"{BASE}/CodeSystem/cancellation"

Noun = Literal["appointment", "booking", "patient", "provider", "location", "service", "episode"]


def make_concept(system: str, code: str, display: str | None = None, *more: Element) -> Element:
    """Return a CodeableConcept of one coding, and of others beside it."""
    coding = {"system": system, "code": code} | ({} if display is None else {"display": display})
    return {"coding": [coding, *more]} | ({} if display is None else {"text": display})


def make_identifier(noun: Noun, value: str) -> Element:
    """Return an identifier that this program has given."""
    return {"system": f"{BASE}/id/{noun}", "value": value}


def make_reference(kind: str, identifier: str) -> Element:
    """Return a reference to a resource here; none ever shows a name."""
    return {"reference": f"{kind}/{identifier}"}


def make_extension(name: str, **parts: Any) -> Element:
    """Return an extension of ours whose parts are ``valueX`` by name; a list gives one part for each of its values."""
    nested = [
        {"url": url, key: value}
        for url, (key, given) in parts.items()
        for value in (given if isinstance(given, list | tuple) else [given])
    ]
    return {"url": f"{BASE}/StructureDefinition/{name}", "extension": nested}


def write_instant(moment: datetime, zone: Any = None) -> str:
    """Return an instant with the clinic's offset."""
    return moment.astimezone(zone).isoformat(timespec="seconds") if zone is not None else moment.isoformat(timespec="seconds")


def drop_empty(resource: Mapping[str, Any]) -> Element:
    """Return a resource without what it has nothing for: FHIR knows no null and no empty list."""
    return {key: value for key, value in resource.items() if value not in (None, "", [], {})}
