"""The audit as FHIR: one AuditEvent for each row, by the basic profiles of IHE.

References
----------
FHIR R4, AuditEvent; IHE ITI Basic Audit Log Patterns (BALP) 1.1.
"""

from __future__ import annotations

from api.fhir.datatypes import BASE, TERMINOLOGY, Element, write_instant
from api.fhir.ids import make_id
from api.services.records import AuditRow

TYPE_SYSTEM = f"{TERMINOLOGY}/audit-event-type"
ACTION_SYSTEM = f"{BASE}/CodeSystem/audit-action"
OBSERVER = "Clinicweave"

ACTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("read", "find", "search", "list", "show", "offers"), "R"),
    (("add", "take", "refer", "hold", "book"), "C"),
    (("delete", "end", "withdraw"), "D"),
)
"""The action of an event by words in ours: reading, making, deleting; anything else updates."""

SUCCESS, FAILURE = "0", "8"
"""Outcomes: done, and refused (a serious failure)."""


def make_audit_event(row: AuditRow) -> Element:
    """Return a row of the audit as a resource; ids only, as the row itself has it."""
    event: Element = {
        "resourceType": "AuditEvent",
        "id": make_id(f"audit-{row.sequence}"),
        "type": {"system": TYPE_SYSTEM, "code": "rest", "display": "Restful Operation"},
        "subtype": [{"system": ACTION_SYSTEM, "code": row.action}],
        "action": _get_action(row.action),
        "recorded": write_instant(row.at),
        "outcome": SUCCESS if row.outcome == "allowed" else FAILURE,
        "agent": [{"role": _role(row.role), "who": _identify("actor", row.actor), "requestor": True}],
        "source": {"observer": {"display": OBSERVER}},
    }
    if row.object_kind:
        patient = row.detail.get("patient")
        event["entity"] = [{"what": _identify(row.object_kind, row.object_id or "any"), "name": row.object_kind}]
        if isinstance(patient, str) and row.object_kind != "patient":
            event["entity"].append({"what": _identify("patient", patient), "name": "patient"})
    return event


def _identify(noun: str, value: str) -> Element:
    return {"identifier": {"system": f"{BASE}/id/{noun}", "value": value}}


def _role(role: str) -> list[Element]:
    return [{"coding": [{"system": f"{BASE}/CodeSystem/role", "code": role}]}]


def _get_action(action: str) -> str:
    words = action.replace("-", ".").split(".")
    return next((code for names, code in ACTIONS if set(names) & set(words)), "U")
