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

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from api.fhir.appointments import IHE_APPOINTMENT
from api.fhir.bundles import IHE_BUNDLE
from api.fhir.datatypes import Element
from api.fhir.ids import FITTING, REFERENCE
from scheduling.errors import MAX_PRINTED_FAULTS, Fault, InvalidFile

MAX_DEPTH = 20
WITH_PARTS = ("Bundle", "Parameters")
"""Types of which the parts are resources with references of their own."""

MODIFIERS = ("modifierExtension", "implicitRules")
"""Elements that change what all others mean (FHIR R4, section 2.1.0.1): who does not know how must not go on."""

ADDRESSES, ADDRESS = ("system", "url", "fullUrl"), re.compile(r"\S+")
UNSAFE = re.compile(r"<\s*(script|style|iframe|object|embed|form|link|base|head|body)\b|\son\w+\s*=", re.IGNORECASE)
"""What a narrative may not hold (txt-1): it could act where it is shown."""

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
    unread = list(_find_unreadable(resource, "", 0))
    yield from unread
    if unread:
        return
    try:
        model = _load_model(kind).model_validate(resource)
    except ValidationError as error:
        for told in error.errors(include_input=False, include_url=False, include_context=False):
            yield Fault(_write_path(told["loc"]), str(told["msg"])[:200])
        return
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        yield Fault("", f"cannot be read: {type(error).__name__}")
        return
    coerced = list(_walk(model, resource, ""))
    yield from coerced
    if coerced:
        return
    yield from _find_contained_faults(resource)
    yield from _FINDERS.get(kind, _find_nothing)(resource)


def _load_model(kind: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(kind)


# --- what every element keeps ----------------------------------------------------------------------------------------


def _find_unreadable(value: Any, path: str, depth: int) -> Iterator[Fault]:
    """Yield where something is empty, is nested too deeply, or changes the meaning of what is beside it.

    FHIR's JSON knows neither null nor empty lists, objects and texts.
    """
    if depth > MAX_DEPTH:
        yield Fault(path, "is nested too deeply")
    elif value in ([], {}) or value is None or (isinstance(value, str) and not value.strip()):
        yield Fault(path, "must not be empty: leave it out")
    elif isinstance(value, dict):
        for name, part in value.items():
            place = f"{path}.{name}".lstrip(".")
            if name in MODIFIERS:
                yield Fault(place, "changes what the rest means, and is not understood here")
            if name in ADDRESSES and isinstance(part, str) and not ADDRESS.fullmatch(part):
                yield Fault(place, "is no address: it has a space in it")
            yield from _find_unreadable(part, place, depth + 1)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            if part is not None or not path.rpartition(".")[2].startswith("_"):
                yield from _find_unreadable(part, f"{path}[{number}]", depth + 1)


def _walk(model: Any, raw: Any, path: str) -> Iterator[Fault]:
    """Yield what the models let pass: other types of JSON, codes and references that are not allowed, and broken invariants."""
    kind = model.__resource_type__
    if kind == "Extension" and not model.extension and not any(name.startswith("value") for name in model.model_fields_set):
        yield Fault(path, "needs a value, or extensions (ext-1)")
    if kind == "Narrative" and (not model.div.lstrip().startswith("<div") or UNSAFE.search(model.div)):
        yield Fault(f"{path}.div", "must be a div of plain XHTML (txt-1)")
    if kind == "ContactPoint" and model.value and not model.system:
        yield Fault(path, "has a value and needs a system (cpt-2)")
    if "resourceType" in raw and "id" in raw and not (isinstance(raw["id"], str) and FITTING.fullmatch(raw["id"])):
        yield Fault(f"{path}.id".lstrip("."), "must be 1 to 64 letters, digits, - and .")
    if kind == "Period" and model.start and model.end and _is_after(model.start, model.end):
        yield Fault(path, "ends before it begins (per-1)")
    if kind == "Extension" and model.extension and any(name.startswith("value") for name in model.model_fields_set):
        yield Fault(path, "has a value and extensions, but may have only one of both (ext-1)")
    for name in model.model_fields_set:
        value = getattr(model, name)
        known = type(model).model_fields[name]
        told, given = known.json_schema_extra or {}, raw.get(known.alias or name)
        is_list = isinstance(value, list)
        if is_list and not isinstance(given, list):
            yield Fault(f"{path}.{name}".lstrip("."), "must be a list")
            continue
        for number, (part, source) in enumerate(zip(value, given, strict=False) if is_list else [(value, given)]):
            place = f"{path}.{name}{f'[{number}]' if is_list else ''}".lstrip(".")
            yield from _find_element_faults(part, source, told, place)


def _find_element_faults(part: Any, raw: Any, told: Mapping[str, Any], place: str) -> Iterator[Fault]:
    if raw is not None and not isinstance(raw, _get_json_types(part)):
        yield Fault(place, "is of another type of JSON than it should be")
        return
    if isinstance(raw, bool) and not isinstance(part, bool):
        yield Fault(place, "must not be true or false")
        return
    codes, types = told.get("enum_values"), told.get("enum_reference_types")
    if codes and isinstance(part, str) and part not in codes:
        yield Fault(place, f"must be one of {', '.join(codes)}")
    if not hasattr(type(part), "model_fields"):
        return
    if types and part.__resource_type__ == "Reference":
        yield from _find_reference_faults(part, types, place)
    yield from _walk(part, raw, place)


def _find_reference_faults(reference: Any, types: Sequence[str], place: str) -> Iterator[Fault]:
    """Yield where a reference names, or says to be of, a type that may not stand there."""
    match = REFERENCE.fullmatch(reference.reference or "")
    named = [("reference", match["type"])] if match is not None else []
    said = [("type", reference.type.rpartition("/")[2])] if reference.type else []
    for name, kind in (*named, *said):
        if "Resource" not in types and kind not in types:
            yield Fault(f"{place}.{name}", f"must name one of {', '.join(types)}")
    if named and said and named[0][1] != said[0][1]:
        yield Fault(f"{place}.type", "is not what the reference names")


def _get_json_types(part: Any) -> tuple[type, ...]:
    """Return as what JSON has a value that a model has read: models take numbers for texts, and texts for numbers."""
    if isinstance(part, bool):
        return (bool,)
    if isinstance(part, int | float | Decimal):
        return (int, float)
    return (dict,) if hasattr(type(part), "model_fields") else (str,)


def _is_after(first: Any, second: Any) -> bool:
    try:
        return bool(first > second)
    except TypeError:  # a date beside a time, or with and without zone
        return str(first)[:10] > str(second)[:10]


# --- invariants of types ---------------------------------------------------------------------------------------------


def _find_contained_faults(resource: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield which contained resources cannot stand where they do, and which references inside lead nowhere."""
    contained = resource.get("contained", ())
    named = {text.removeprefix("#") for text in _list_references(resource) if text.startswith("#") and text != "#"}
    for number, part in enumerate(contained):
        place = f"contained[{number}]"
        if "contained" in part:
            yield Fault(place, "may contain no other resource (dom-2)")
        if part.get("meta", {}).keys() & {"versionId", "lastUpdated"}:
            yield Fault(place, "has no version of its own (dom-4)")
    if resource.get("resourceType") not in WITH_PARTS and (lost := named - {part.get("id") for part in contained}):
        yield Fault("contained", f"lacks what is referred to as #{min(lost)[:64]} (ref-1)")


def _list_references(value: Any) -> Iterator[str]:
    """Yield all references in a resource, wherever they stand."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _list_references(part)


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


def _find_patient_faults(patient: Mapping[str, Any]) -> Iterator[Fault]:
    for number, contact in enumerate(patient.get("contact", ())):
        if not contact.keys() & {"name", "telecom", "address", "organization"}:
            yield Fault(f"contact[{number}]", "needs a name, an address or an organization (pat-1)")


def _find_request_faults(request: Mapping[str, Any]) -> Iterator[Fault]:
    if request.get("doNotPerform"):
        yield Fault("doNotPerform", "asks for something not to be done, which is no referral")


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
    "Patient": _find_patient_faults,
    "ServiceRequest": _find_request_faults,
}


def _write_path(place: tuple[int | str, ...]) -> str:
    """Return a place as FHIRPath has it: ``participant[0].status``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
