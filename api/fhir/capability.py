"""What this server can do, and nothing else: CapabilityStatement, and how programs get their tokens.

References
----------
FHIR R4, CapabilityStatement; SMART App Launch 2.2, section 7 (Conformance).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.fhir.datatypes import TERMINOLOGY, Element, make_concept
from api.fhir.searching import INCLUDES, SEARCHES
from api.services.accounts.clients import ALGORITHMS, GRANT_TYPE

FHIR_VERSION = "4.0.1"
PUBLISHED = "2026-11-30"
"""When what this says changed last."""

IHE = "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition"
OPERATIONS = {name: f"{IHE}/appointment-{name}" for name in ("find", "hold", "book")}
"""Operations on Appointment, by name."""

APPOINTMENTS = (
    "Visits, sessions of groups (without patients), and the seats in them (of one patient each, who has the session as "
    "supportingInformation). Sessions and seats are read and searched; the clinic's desk alone changes them."
)

CHANGES: Mapping[str, tuple[str, ...]] = {
    "Appointment": ("vread", "history-instance", "update", "patch"),
    "ServiceRequest": ("create",),
}
"""What may be done with a type beside reading and searching."""


def make_capability_statement(base: str, version: str, token_url: str) -> Element:
    """Return what the server at an address can do."""
    security = {
        "cors": False,
        "service": [make_concept(f"{TERMINOLOGY}/restful-security-service", "SMART-on-FHIR")],
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [{"url": "token", "valueUri": token_url}],
            }
        ],
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "Clinicweave", "version": version},
        "implementation": {"description": "Appointments of a clinic", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": security,
                "resource": [_describe_type(kind) for kind in SEARCHES],
                "interaction": [{"code": "transaction", "documentation": "ServiceRequests, with their patients"}],
            }
        ],
    }


def make_smart_configuration(token_url: str, scopes: tuple[str, ...]) -> dict[str, Any]:
    """Return how programs get their tokens."""
    return {
        "token_endpoint": token_url,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": [GRANT_TYPE],
        "scopes_supported": list(scopes),
        "response_types_supported": [],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }


def _describe_type(kind: str) -> Element:
    interactions = ["read", "search-type", *CHANGES.get(kind, ())]
    described: Element = {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned-update" if kind == "Appointment" else "no-version",
        "searchParam": [
            {"name": parameter.name, "type": parameter.type, "documentation": parameter.documentation}
            for parameter in SEARCHES[kind]
        ],
    }
    if kind in INCLUDES:
        described["searchInclude"] = list(INCLUDES[kind])
    if kind == "Appointment":
        described["documentation"] = APPOINTMENTS
        described["operation"] = [{"name": name, "definition": definition} for name, definition in OPERATIONS.items()]
    return described
