"""Parameters of operations, by whatever names clients have for them.

References
----------
IHE ITI Scheduling 1.0, ITI-115 to ITI-117; Argonaut Scheduling 1.0; Epic's Appointment.$find and $book (STU3); ISiK.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.fhir.datatypes import Element
from api.fhir.ids import read_reference
from api.fhir.reading import expect_valid
from scheduling.errors import Fault, InvalidFile

ALIASES: Mapping[str, str] = {
    "startTime": "start",
    "endTime": "end",
    "service-type": "visit-type",
    "serviceType": "visit-type",
    "patient": "patient-reference",
    "patient-id": "patient-reference",
    "location": "location-reference",
    "appt-id": "appointment-reference",
    "appointment": "appointment-reference",
    "appt-resource": "appointment-resource",
    "cancelled-appt-id": "cancelled-reference",
}
"""Other clients' names of what IHE has one for."""

IGNORED = (
    "specialty",
    "organization",
    "reason",
    "timing",
    "insurance-reference",
    "comment",
    "location-string",
    "schedule",
    "slot",
    "cancelled-appt-resource",
)
"""What may come and does no harm: it is not looked at, and the answer says so."""

MAX_PARAMETERS = 200


@dataclass(frozen=True, slots=True)
class OperationInput:
    """What an operation was given: values and resources by name, each with its place; ``ignored`` are names not looked at."""

    values: Mapping[str, list[tuple[str, Any]]]
    ignored: tuple[str, ...] = field(default=())

    def get_all(self, name: str) -> list[tuple[str, Any]]:
        """Return all values of a parameter, each with its place."""
        return list(self.values.get(name, ()))

    def get_one(self, name: str) -> Any:
        """Return the value of a parameter, None: it was not given. Raises ``InvalidFile`` when it was given twice."""
        given = self.get_all(name)
        if len(given) > 1:
            raise InvalidFile("body", [Fault(given[1][0], f'"{name}" comes twice')])
        return given[0][1] if given else None


def read_parameters(document: Any, known: frozenset[str]) -> OperationInput:
    """Read the parameters of an operation.

    Raises
    ------
    InvalidFile
        When they are not what FHIR calls Parameters, or a resource in them breaks a rule of its type.
    """
    parameters = expect_valid("Parameters", document)
    given = parameters.get("parameter", [])
    if len(given) > MAX_PARAMETERS:
        raise InvalidFile("body", [Fault("Parameters.parameter", f"has more than {MAX_PARAMETERS}")])
    values: dict[str, list[tuple[str, Any]]] = {}
    ignored: list[str] = []
    for number, parameter in enumerate(given):
        place = f"Parameters.parameter[{number}]"
        name = ALIASES.get(parameter["name"], parameter["name"])
        if name not in known:
            ignored.append(str(parameter["name"])[:60])
            continue
        values.setdefault(name, []).extend((place, value) for value in _read_values(parameter, place))
    return OperationInput(values, tuple(dict.fromkeys(ignored)))


def _read_values(parameter: Element, place: str) -> Iterator[Any]:
    if "resource" in parameter:
        resource = parameter["resource"]
        yield expect_valid(str(resource.get("resourceType", "")), resource, f"{place}.resource")
    yield from (value for key, value in parameter.items() if key.startswith("value"))


def read_reference_text(value: Any, *types: str) -> str:
    """Return what a reference, or a text that is one, names. Raises ``InvalidFile`` for what names nothing of some types."""
    text = value.get("reference") if isinstance(value, dict) else value
    if not isinstance(text, str) or read_reference(text, *types) is None:
        raise InvalidFile("body", [Fault("Parameters", f"a reference to {' or '.join(types)} is needed")])
    return text


def read_codes(value: Any) -> list[tuple[str, str]]:
    """Return the codes, each with its system, of a token (``system|code``), a Coding or a CodeableConcept."""
    if isinstance(value, dict):
        codings = value.get("coding", [value] if "code" in value else [])
        return [(str(coding.get("system", "")), str(coding["code"])) for coding in codings if "code" in coding]
    system, bar, code = str(value).rpartition("|")
    return [(system if bar else "", code)]
