"""Reading and searching resources: the use cases' results, as FHIR has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlmodel import Session

from api.fhir.appointments import STATES, make_appointment
from api.fhir.datatypes import Element
from api.fhir.ids import find_own_id, find_own_ids, make_id
from api.fhir.people import (
    list_practitioners,
    list_roles,
    list_schedules,
    make_patient,
    make_request,
    make_slot,
    read_slot_id,
)
from api.fhir.places import BUILDING, SITE, list_locations, list_services
from api.fhir.searching import Bounds, Search, read_dates, read_window
from api.runtime.exceptions import Forbidden
from api.services.weeks import appointments, directory
from api.services.weeks.appointments import AppointmentFilter, ClinicAppointment, Span
from api.services.weeks.directory import Directory, ReferralFilter, load_directory
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.names import fold


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page of what was found; ``next_after`` is the key of its last, when there is more, ``total`` all, where it is known."""

    matches: list[Element]
    included: list[Element] = field(default_factory=list)
    total: int | None = None
    next_after: str | None = None


DIRECTORY_LISTS: Mapping[str, Callable[[Directory], Iterator[Element]]] = {
    "HealthcareService": list_services,
    "Location": list_locations,
    "Practitioner": list_practitioners,
    "PractitionerRole": list_roles,
    "Schedule": list_schedules,
}
"""The types of which there are few: all are made, and held against what is looked for."""


def read_resource(session: Session, kind: str, identifier: str) -> Element:
    """Return a resource. Raises ``UnknownId``."""
    here = load_directory(session)
    if kind in DIRECTORY_LISTS:
        for resource in DIRECTORY_LISTS[kind](here):
            if resource["id"] == identifier:
                return resource
    elif kind == "Appointment" and (own := find_appointment(session, identifier)) is not None:
        return make_appointment(appointments.get_appointment(session, own), here)
    elif kind == "Patient" and (patient := find_patient(session, identifier)) is not None:
        return make_patient(directory.get_patient(session, patient))
    elif kind == "ServiceRequest":
        return make_request(directory.get_referral(session, identifier))
    elif kind == "Slot" and (slot := _find_slot(session, here, identifier)) is not None:
        return slot
    raise UnknownId(kind, identifier)


def search_resources(
    session: Session, search: Search, free: Iterable[Element] = (), may_see: Callable[[str], bool] = lambda kind: True
) -> SearchResult:
    """Return a page of what is looked for.

    Parameters
    ----------
    free
        The slots at which somebody is free, where these are asked for.
    may_see
        Whether whoever asks may see resources of a type: what else is to come along is left out.
    """
    here = load_directory(session)
    if search.type in DIRECTORY_LISTS:
        return _search_directory(here, search)
    if search.type == "Slot":
        return _search_slots(session, here, search, free)
    result = {
        "Appointment": _search_appointments,
        "Patient": _search_patients,
        "ServiceRequest": _search_referrals,
    }[search.type](session, here, search)
    return replace(result, included=[resource for resource in result.included if may_see(resource["resourceType"])])


def find_appointment(session: Session, identifier: str) -> str | None:
    """Return which appointment a resource's id stands for: that of a visit, of a group's session, or of a seat in one."""
    return find_own_ids([identifier], lambda: appointments.iterate_ids(session)).get(identifier)


def find_visit(session: Session, identifier: str) -> str | None:
    """Return which visit a resource's id stands for. Raises ``Forbidden`` for a group's session, and for a seat in one."""
    own = find_appointment(session, identifier)
    if own is not None and appointments.is_of_group(session, own):
        raise Forbidden("the clinic's desk alone moves a group's session, calls it off, and gives or frees its seats")
    return own


def find_patient(session: Session, identifier: str) -> str | None:
    """Return which patient a resource's id stands for."""
    return find_own_ids([identifier], lambda: directory.list_patient_ids(session)).get(identifier)


# --- appointments ----------------------------------------------------------------------------------------------------


def _search_appointments(session: Session, here: Directory, search: Search) -> SearchResult:
    wanted = read_filter(session, here, search)
    shown = appointments.list_appointments(session, wanted, search.after, search.count + 1)
    page = shown[: search.count]
    matches = [make_appointment(appointment, here) for appointment in page]
    total = appointments.count_appointments(session, wanted)
    more = page[-1].id if len(shown) > search.count and page else None
    return SearchResult(matches, _include(session, here, search, page), total, more)


def read_filter(session: Session, here: Directory, search: Search) -> AppointmentFilter:
    """Return which appointments a search looks for."""
    ids = _own(search.get_tokens("_id"), lambda: appointments.iterate_ids(session))
    ids = _both(ids, search.get_tokens("identifier"))
    patients = _own(search.get_references("patient"), lambda: directory.list_patient_ids(session))
    providers = _own(search.get_references("practitioner"), lambda: here.providers)
    statuses = _both(None, search.get_tokens("status"))
    if statuses is not None and (unknown := statuses - STATES.keys()):
        raise InvalidFile("query", [Fault("query.status", f'"{min(unknown)[:100]}" is no status; one of {", ".join(STATES)}')])
    return AppointmentFilter(
        ids=ids,
        patients=_both(patients, search.get_tokens("patient.identifier")),
        providers=_both(providers, search.get_tokens("practitioner.identifier")),
        places=_find_places(here, search.get_references("location")),
        services=_both(None, search.get_tokens("service-type")),
        episodes=_both(None, search.get_references("based-on")),
        states=None if statuses is None else {STATES[status] for status in statuses},
        starts=_spans(read_dates(search, "date", here.zone)),
        changed=_spans(read_dates(search, "_lastUpdated", here.zone)),
    )


def _find_places(here: Directory, chosen: list[frozenset[str]]) -> set[str] | None:
    """Return the rooms and buildings that locations are: a site is all its buildings."""
    known: dict[str, set[str]] = {make_id(room.id): {room.id} for room in here.clinic.rooms}
    for building in here.clinic.locations:
        known[make_id(f"{BUILDING}{building.id}")] = {building.id}
        known.setdefault(make_id(f"{SITE}{building.site}"), set()).add(building.id)
    if not chosen:
        return None
    return set.intersection(*({place for identifier in ids for place in known.get(identifier, ())} for ids in chosen))


def _include(session: Session, here: Directory, search: Search, page: Collection[ClinicAppointment]) -> list[Element]:
    """Return what comes along with appointments, each once."""
    wanted = {include.partition(":")[2] for include in search.includes}
    included: list[Element] = []
    if wanted & {"patient", "actor"}:
        patients = sorted({appointment.patient for appointment in page if appointment.patient is not None})
        included += [make_patient(directory.get_patient(session, patient)) for patient in patients]
    if wanted & {"practitioner", "actor"}:
        people = {make_id(who) for appointment in page for who in (*appointment.team, *appointment.supervisors)}
        included += [resource for resource in (*list_practitioners(here), *list_roles(here)) if resource["id"] in people]
    if wanted & {"location", "actor"}:
        places = {make_id(each.room or f"{BUILDING}{each.location}") for each in page if each.location is not None}
        included += [resource for resource in list_locations(here) if resource["id"] in places]
    if "actor" in wanted:
        services = {make_id(appointment.service) for appointment in page if appointment.session is None}
        included += [resource for resource in list_services(here) if resource["id"] in services]
    return included


# --- others ----------------------------------------------------------------------------------------------------------


def _search_directory(here: Directory, search: Search) -> SearchResult:
    known = sorted(DIRECTORY_LISTS[search.type](here), key=lambda resource: str(resource["id"]))
    matching = [resource for resource in known if _matches(resource, search)]
    later = [resource for resource in matching if resource["id"] > search.after]
    page = later[: search.count]
    more = page[-1]["id"] if len(later) > search.count and page else None
    return SearchResult(page, total=len(matching), next_after=more)


def _matches(resource: Element, search: Search) -> bool:
    """Return whether a resource is what is looked for."""
    values = {identifier["value"] for identifier in resource.get("identifier", ())}
    referred = {
        "partof": [resource.get("partOf")],
        "practitioner": [resource.get("practitioner")],
        "actor": resource.get("actor", []),
    }
    if not all(resource["id"] in ids for ids in search.get_tokens("_id")):
        return False
    if not all(values & tokens for tokens in search.get_tokens("identifier")):
        return False
    for name, references in referred.items():
        given = search.get_references(name) if name in search.values else []
        ids = {reference["reference"].partition("/")[2] for reference in references if reference}
        if not all(ids & chosen for chosen in given):
            return False
    name = resource.get("name", "")
    text = fold(name if isinstance(name, str) else " ".join(part["text"] for part in name))
    return all(any(_begins(text, wanted) for wanted in texts) for texts in search.get_texts("name"))


def _begins(text: str, wanted: str) -> bool:
    """Return whether a text, or a word of it, begins with another (FHIR R4, section 3.1.1.4.8)."""
    return text.startswith(fold(wanted)) or any(word.startswith(fold(wanted)) for word in text.split())


def _search_patients(session: Session, here: Directory, search: Search) -> SearchResult:
    ids = _own(search.get_tokens("_id"), lambda: directory.list_patient_ids(session))
    ids = _both(ids, search.get_tokens("identifier"))
    words = " ".join(text for texts in search.get_texts("name") for text in texts)
    if ids is not None:
        known = sorted(ids & set(directory.list_patient_ids(session)))
        rows = [directory.get_patient(session, patient) for patient in known]
        rows = [row for row in rows if row.id > search.after and all(word in fold(row.name) for word in fold(words).split())]
    else:
        rows = directory.list_patients(session, words, search.after, search.count + 1)
    page = rows[: search.count]
    more = page[-1].id if len(rows) > search.count and page else None
    return SearchResult([make_patient(row) for row in page], next_after=more)


def _search_referrals(session: Session, here: Directory, search: Search) -> SearchResult:
    patients = _own(search.get_references("patient"), lambda: directory.list_patient_ids(session))
    statuses = _both(None, search.get_tokens("status"))
    ids = _both(_both(None, search.get_tokens("_id")), search.get_tokens("identifier"))
    is_open = None if statuses is None or {"active", "completed"} <= statuses else "active" in statuses
    if statuses is not None and not statuses & {"active", "completed"}:
        return SearchResult([])
    wanted = ReferralFilter(ids, _both(patients, search.get_tokens("patient.identifier")), is_open)
    rows = directory.list_referrals(session, wanted, search.after, search.count + 1)
    page = rows[: search.count]
    more = page[-1].id if len(rows) > search.count and page else None
    return SearchResult([make_request(row) for row in page], next_after=more)


def _search_slots(session: Session, here: Directory, search: Search, free: Iterable[Element]) -> SearchResult:
    providers = _own(search.get_references("schedule"), lambda: here.providers)
    if providers is None:
        raise InvalidFile("query", [Fault("query.schedule", "is needed: of whom slots are looked for")])
    start, end = read_window(read_dates(search, "start", here.zone))
    statuses = _both(None, search.get_tokens("status"))
    taken = [
        commitment
        for provider in sorted(providers & here.providers.keys())
        for commitment in directory.list_commitments(session, provider, start, end)
        if statuses is None or commitment.status in statuses
    ]
    shown = [*(make_slot(commitment, here) for commitment in taken), *free]
    slots = sorted(shown, key=lambda slot: str(slot["id"]))
    later = [slot for slot in slots if slot["id"] > search.after]
    page = later[: search.count]
    more = page[-1]["id"] if len(later) > search.count and page else None
    return SearchResult(page, total=len(slots), next_after=more)


def _find_slot(session: Session, here: Directory, identifier: str) -> Element | None:
    known = read_slot_id(identifier)
    provider = None if known is None else find_own_id(known[0], here.providers)
    if known is None or provider not in here.providers:
        return None
    taken = directory.list_commitments(session, provider, known[1], known[2])
    slots = (make_slot(commitment, here) for commitment in taken)
    return next((slot for slot in slots if slot["id"] == identifier), None)


def _own(chosen: list[frozenset[str]], list_known: Callable[[], Iterable[str]]) -> set[str] | None:
    """Return our ids of what was named each time, None: nothing was."""
    own = find_own_ids(frozenset().union(*chosen), list_known)
    return _both(None, [frozenset(own[identifier] for identifier in ids if identifier in own) for ids in chosen])


def _both(chosen: set[str] | None, more: Iterable[frozenset[str]]) -> set[str] | None:
    """Return what is among all of several sets, None: there is none."""
    for ids in more:
        chosen = set(ids) if chosen is None else chosen & ids
    return chosen


def _spans(bounds: Iterable[Bounds]) -> tuple[Span, ...]:
    return tuple(Span(bound.start, bound.end) for bound in bounds)
