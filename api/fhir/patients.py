"""Patients who come in as resources.

References
----------
FHIR R4, Patient, HumanName and Identifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from api.fhir.datatypes import BASE
from api.services.weeks.directory import Directory
from scheduling.errors import Fault, InvalidFile
from scheduling.names import compose_id, compose_name_if_text
from scheduling.people import Patient

OWN_SYSTEM = f"{BASE}/id/patient"
MAX_CHARACTERS = 100
NUMBER_TYPES = ("MR", "PI", "PT")
"""Types of identifiers (v2-0203) by which hospitals know their patients."""


def read_patient(resource: Mapping[str, Any], here: Directory, place: str) -> Patient:
    """Return a patient as the clinic knows them. Raises ``InvalidFile`` when there is no identifier or name."""
    identifier, name = read_identifier(resource), read_name(resource)
    faults = []
    if not identifier or len(identifier) > MAX_CHARACTERS:
        faults.append(Fault(f"{place}.identifier", f"must have the patient's number, at most {MAX_CHARACTERS} characters"))
    if not name:
        faults.append(Fault(f"{place}.name", "is needed of a new patient"))
    if faults:
        raise InvalidFile("body", faults)
    return Patient(id=identifier, name=name, allowed_sites=tuple(site.id for site in here.clinic.sites))


def read_identifier(resource: Mapping[str, Any]) -> str:
    """Return the number by which a patient is known: ours, else a medical record's, else the first."""
    given = [one for one in resource.get("identifier", ()) if one.get("value")]
    codes = [{coding.get("code") for coding in one.get("type", {}).get("coding", ())} for one in given]
    own = [one for one in given if one.get("system") == OWN_SYSTEM]
    numbered = [one for one, kinds in zip(given, codes, strict=True) if kinds & set(NUMBER_TYPES)]
    chosen = (own or numbered or given)[:1]
    return compose_id(str(chosen[0]["value"])) if chosen else ""


def read_name(resource: Mapping[str, Any]) -> str:
    """Return a patient's name as people say it: as text, else given names and the family's."""
    names = resource.get("name", [])
    official = [name for name in names if name.get("use") in ("official", "usual")]
    for name in (official or names)[:1]:
        text = name.get("text") or " ".join((*name.get("given", ()), name.get("family", "")))
        return str(compose_name_if_text(str(text)))[:200].strip()
    return ""


def read_birth_date(resource: Mapping[str, Any]) -> date | None:
    """Return when a patient was born, None: not known to the day."""
    text = str(resource.get("birthDate", ""))
    return date.fromisoformat(text) if len(text) == 10 else None
