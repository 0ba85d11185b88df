"""Resources that come in: held against the models of the release, and the invariants that those do not know.

The models (``fhir.resources``, release R4B, whose Appointment, Patient, ServiceRequest, Parameters and Bundle are those of R4)
know elements, types and cardinalities, and name the codes and the types of references that are allowed; these, and the rest,
are checked here. They are loaded when the first resource comes in, which takes half a second.

References
----------
FHIR R4, Appointment (app-1 to app-4), Period (per-1), Extension (ext-1), Bundle (bdl-1, bdl-7); section 2.6.2 (JSON: no empty
values); IHE ITI Scheduling 1.0, profiles ihe-sched-appt and ihe-sched-avail-bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from api.fhir.appointments import IHE_APPOINTMENT
from api.fhir.bundles import IHE_BUNDLE
from api.fhir.datatypes import Element
from api.fhir.ids import REFERENCE
from scheduling.errors import MAX_PRINTED_FAULTS, Fault, InvalidFile

MAX_DEPTH = 20
WITHOUT_TIMES = ("proposed", "cancelled", "waitlist")
"""Statuses that need no times (app-3)."""


def expect_valid(kind: str, resource: Any, place: str = "") -> Element:
    """Return a resource that keeps every rule of its type.

    Parameters
    ----------
    kind
        The type that it has to be of.
    place
        Where it stands in what it came with.

    Raises
    ------
    InvalidFile
        With every fault, by its place (FHIRPath).
    """
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise InvalidFile("body", [Fault(place or kind, f"must be a resource of type {kind}")])
    faults = list(find_faults(kind, resource))
    if faults:
        at = place or kind
        named = [Fault(f"{at}.{fault.path}" if fault.path else at, fault.message) for fault in faults]
        raise InvalidFile("body", named[:MAX_PRINTED_FAULTS])
    return resource


def find_faults(kind: str, resource: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with a resource, each by its place in it."""
    empty = list(_find_empty(resource, "", 0))
    yield from empty
    if empty:
        return
    try:
        model = _load_model(kind).model_validate(resource)
    except ValidationError as error:
        for told in error.errors(include_input=False, include_url=False, include_context=False):
            yield Fault(_write_path(told["loc"]), str(told["msg"])[:200])
        return
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        yield Fault("", f"cannot be read: {type(error).__name__}")
        return
    yield from _walk(model, "")
    yield from _FINDERS.get(kind, _find_nothing)(resource)


def _load_model(kind: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(kind)


# --- what every element keeps ----------------------------------------------------------------------------------------


def _find_empty(value: Any, path: str, depth: int) -> Iterator[Fault]:
    """Yield where something is empty, or is nested too deeply: FHIR's JSON knows neither null nor empty lists and objects."""
    if depth > MAX_DEPTH:
        yield Fault(path, "is nested too deeply")
    elif value in ("", [], {}) or value is None:
        yield Fault(path, "must not be empty: leave it out")
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _find_empty(part, f"{path}.{name}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            if part is not None or not path.rpartition(".")[2].startswith("_"):
                yield from _find_empty(part, f"{path}[{number}]", depth + 1)


def _walk(model: Any, path: str) -> Iterator[Fault]:
    """Yield which codes and references are not allowed, which periods end before they begin, and mixed extensions."""
    kind = model.__resource_type__
    if kind == "Period" and model.start and model.end and _is_after(model.start, model.end):
        yield Fault(path, "ends before it begins (per-1)")
    if kind == "Extension" and model.extension and any(name.startswith("value") for name in model.model_fields_set):
        yield Fault(path, "has a value and extensions, but may have only one of both (ext-1)")
    for name in model.model_fields_set:
        value = getattr(model, name)
        told = type(model).model_fields[name].json_schema_extra or {}
        for number, part in enumerate(value if isinstance(value, list) else [value]):
            place = f"{path}.{name}{f'[{number}]' if isinstance(value, list) else ''}".lstrip(".")
            yield from _find_element_faults(part, told, place)


def _find_element_faults(part: Any, told: Mapping[str, Any], place: str) -> Iterator[Fault]:
    codes, types = told.get("enum_values"), told.get("enum_reference_types")
    if codes and isinstance(part, str) and part not in codes:
        yield Fault(place, f"must be one of {', '.join(codes)}")
    if not hasattr(type(part), "model_fields"):
        return
    if types and "Resource" not in types and getattr(part, "reference", None):
        match = REFERENCE.fullmatch(part.reference)
        if match is not None and match["type"] not in types:
            yield Fault(f"{place}.reference", f"must name one of {', '.join(types)}")
    yield from _walk(part, place)


def _is_after(first: Any, second: Any) -> bool:
    try:
        return bool(first > second)
    except TypeError:  # a date beside a time, or with and without zone
        return str(first)[:10] > str(second)[:10]


# --- invariants of types ---------------------------------------------------------------------------------------------


def _find_nothing(resource: Mapping[str, Any]) -> Iterator[Fault]:
    yield from ()


def _find_appointment_faults(appointment: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield which invariants of Appointment are broken.

    By its letter app-4 allows a reason with the status ``no-show``, which there is not; so strict readers refuse it with any
    status but ``cancelled``, and so do we.
    """
    status, start, end = appointment["status"], appointment.get("start"), appointment.get("end")
    if (start is None) != (end is None):
        yield Fault("start", "start and end come together or not at all (app-2)")
    if start is None and status not in WITHOUT_TIMES:
        yield Fault("start", f"is needed unless the status is {', '.join(WITHOUT_TIMES)} (app-3)")
    if "cancelationReason" in appointment and status != "cancelled":
        yield Fault("cancelationReason", "is for what is cancelled (app-4)")
    if start is not None and end is not None and datetime.fromisoformat(end) < datetime.fromisoformat(start):
        yield Fault("end", "is before the start")
    claims_profile = IHE_APPOINTMENT in appointment.get("meta", {}).get("profile", ())
    if claims_profile and "requestedPeriod" not in appointment:
        yield Fault("requestedPeriod", "is needed by the profile that it claims")
    for number, participant in enumerate(appointment["participant"]):
        place = f"participant[{number}]"
        if "type" not in participant and "actor" not in participant:
            yield Fault(place, "needs a type or an actor (app-1)")
        if claims_profile and str(participant.get("actor", {}).get("reference", "")).startswith("Device/"):
            yield Fault(f"{place}.actor", "is no actor of the profile that it claims")


def _find_bundle_faults(bundle: Mapping[str, Any]) -> Iterator[Fault]:
    entries, kind = bundle.get("entry", []), bundle["type"]
    addresses = [entry["fullUrl"] for entry in entries if "fullUrl" in entry]
    if len(set(addresses)) < len(addresses):
        yield Fault("entry", "has one fullUrl twice (bdl-7)")
    if "total" in bundle and kind not in ("searchset", "history"):
        yield Fault("total", "is for searches and histories (bdl-1)")
    for number, entry in enumerate(entries):
        if "search" in entry and kind != "searchset":
            yield Fault(f"entry[{number}].search", "is for searches (bdl-2)")
    if IHE_BUNDLE in bundle.get("meta", {}).get("profile", ()):
        yield from _find_profile_faults(bundle)


def _find_profile_faults(bundle: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what the profile of answers about availability does not allow."""
    for name in ("total", "entry"):
        if name not in bundle:
            yield Fault(name, "is needed by the profile that it claims")
    for number, entry in enumerate(bundle.get("entry", ())):
        wanted = "outcome" if entry.get("resource", {}).get("resourceType") == "OperationOutcome" else "match"
        if entry.get("search", {}).get("mode") != wanted:
            yield Fault(f"entry[{number}].search.mode", f"must be {wanted}")


_FINDERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Fault]]] = {
    "Appointment": _find_appointment_faults,
    "Bundle": _find_bundle_faults,
}


def _write_path(place: tuple[int | str, ...]) -> str:
    """Return a place as FHIRPath has it: ``participant[0].status``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
