"""OperationOutcome: what went wrong, in the words of FHIR.

References
----------
FHIR R4, OperationOutcome and value set issue-type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from api.fhir.datatypes import RULE_SYSTEM, Element

Severity = Literal["fatal", "error", "warning", "information"]

CODES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "invalid",
    HTTPStatus.UNAUTHORIZED: "login",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "not-supported",
    HTTPStatus.NOT_ACCEPTABLE: "not-supported",
    HTTPStatus.CONFLICT: "business-rule",
    HTTPStatus.PRECONDITION_FAILED: "conflict",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-long",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not-supported",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid",
    HTTPStatus.PRECONDITION_REQUIRED: "required",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
    HTTPStatus.SERVICE_UNAVAILABLE: "transient",
}
"""The issue type of each status; anything else is an exception."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to be told; ``rule`` is one of the clinic's, ``place`` where in what was sent (FHIRPath)."""

    text: str
    code: str = "invalid"
    severity: Severity = "error"
    rule: str | None = None
    place: str | None = None

    def to_element(self) -> Element:
        """Return it as FHIR has it."""
        element: Element = {"severity": self.severity, "code": self.code}
        if self.rule is not None:
            element["details"] = {"coding": [{"system": RULE_SYSTEM, "code": self.rule}], "text": self.rule}
        element["diagnostics"] = self.text or "no more is known"
        if self.place:
            element["expression"] = [self.place]
        return element


def make_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return an OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [issue.to_element() for issue in issues]}


def get_issue_code(status: int) -> str:
    """Return the issue type of an HTTP status."""
    return CODES.get(status, "exception")
