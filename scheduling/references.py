"""What a scenario file can have wrong, all of it found at once, in the order of the file.

Faults of shape are pydantic's. Faults of reference are found in a draft of the file (:mod:`scheduling.drafts`), so that
a wrong type somewhere hides no unknown id elsewhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import time
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from scheduling.clinic import Closure, Equipment, Recovery, Travel
from scheduling.drafts import Draft, Place, make_draft, salvage, sort_by_place
from scheduling.errors import Fault
from scheduling.requests import Link
from scheduling.timegrid import suggest_zone

T = TypeVar("T", bound=BaseModel)

MAX_HORIZON_DAYS = 400

MAX_OBJECTS, MAX_COMMAS = 60_000, 300_000
"""Most objects and commas of a file: four times those of a month of a clinic with 2,755 visits, as ``MAX_BYTES`` is."""

MAX_FAULTS = 100_000
"""Most faults that are listed of a file; one with more is something else, and listing them would take long."""

MAX_SHOWN = 20
"""Most visits of a cycle that a fault names."""


def format_path(location: Iterable[int | str]) -> str:
    """Write a place in a file as ``visits[12].service``."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def parse_path(path: str) -> Place:
    """Read a place in a file of which the keys are known: the inverse of :func:`format_path`."""
    return tuple(int(index) if index else key for key, index in re.findall(r"(\w+)|\[(\d+)\]", path))


def make_fault(error: ErrorDetails) -> Fault:
    """Turn a pydantic error into a fault of the file."""
    path, kind = format_path(error["loc"]), error["type"]
    if kind == "missing":
        return Fault(path, "missing")
    if kind == "extra_forbidden":
        return Fault(path, "unknown key")
    return Fault(path, error["msg"].removeprefix("Value error, ").replace("Input should be", "must be"))


def validate_text(model: type[T], text: bytes | str) -> tuple[T | None, list[tuple[Place, Fault]]]:
    """Validate a JSON text's shape: the model, or every fault of shape and its place; a file beyond bounds has one."""
    objects, commas = (text.count(b"{"), text.count(b",")) if isinstance(text, bytes) else (text.count("{"), text.count(","))
    if objects > MAX_OBJECTS or commas > MAX_COMMAS:
        limits = f"the limits of {MAX_OBJECTS:,} and {MAX_COMMAS:,}; plan a shorter horizon"
        return None, [((), Fault("", f"{objects:,} objects and {commas:,} commas are over {limits}"))]
    try:
        return model.model_validate_json(text), []
    except ValidationError as error:
        if error.error_count() > MAX_FAULTS:
            return None, [((), Fault("", f"{error.error_count():,} faults of shape: this is no such file"))]
        details = error.errors(include_url=False, include_input=False)
        return None, [(detail["loc"], make_fault(detail)) for detail in details]


def validate_scenario(model: type[T], text: bytes | str, source: str) -> tuple[T | None, list[Fault]]:
    """Validate a scenario's text: the model when its shape is right, and every fault of shape and of reference."""
    scenario, faults = validate_text(model, text)
    if scenario is not None:
        return scenario, find_faults(scenario, text)
    if any(place for place, _ in faults):
        raw = from_json(text)
        misshapen = {place[: 3 if place[0] == "clinic" else 2] for place, _ in faults if place}
        faults += _find_placed_faults(salvage(raw, misshapen))
        return None, sort_by_place(raw, faults)
    return None, [fault for _, fault in faults]


def find_faults(scenario: BaseModel, text: bytes | str | None = None) -> list[Fault]:
    """Return every fault of reference of a scenario, in the order of its text; None: of what would be written of it."""
    faults = _find_placed_faults(make_draft(scenario))
    return sort_by_place(from_json(scenario.model_dump_json() if text is None else text), faults) if faults else []


def _find_placed_faults(draft: Draft) -> list[tuple[Place, Fault]]:
    return [(parse_path(fault.path), fault) for fault in islice(find_reference_faults(draft), MAX_FAULTS)]


def find_reference_faults(draft: Draft) -> Iterator[Fault]:
    """Yield every fault that is not one of shape: ids, order of times, shifts, links."""
    yield from _find_scalar_faults(draft)
    yield from _find_repetitions(draft)
    yield from _find_clinic_faults(draft)
    yield from _find_people_faults(draft)
    yield from _find_request_faults(draft)
    yield from _find_link_faults(draft)


def _find_scalar_faults(draft: Draft) -> Iterator[Fault]:
    if draft.timezone is not None:
        try:
            ZoneInfo(draft.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield Fault("clinic.timezone", f'unknown zone "{draft.timezone}"{suggest_zone(draft.timezone)}')
    if draft.horizon is not None:
        yield from _find_order_faults("horizon", draft.horizon)
        if _is_whole(draft.horizon) and (draft.horizon.end - draft.horizon.start).days > MAX_HORIZON_DAYS:
            yield Fault("horizon.end", f"more than {MAX_HORIZON_DAYS} days after the start")


def _is_whole(interval: Any) -> bool:
    """Return whether an interval of a draft has both its start and its end."""
    return interval is not None and None not in (interval.start, interval.end)


def _find_order_faults(path: str, interval: Any) -> Iterator[Fault]:
    if _is_whole(interval) and not interval.start < interval.end:
        yield Fault(f"{path}.end", f"{interval.end.isoformat()} is not after the start {interval.start.isoformat()}")


def _find_interval_faults(path: str, intervals: Sequence[Any]) -> Iterator[Fault]:
    for index, interval in enumerate(intervals):
        yield from _find_order_faults(f"{path}[{index}]", interval)


def _find_repetitions(draft: Draft) -> Iterator[Fault]:
    for elements in draft.elements.values():
        keys: dict[tuple[str, ...], str] = {}
        for path, element in elements:
            field, key = _get_key(element)
            if not key or None in key:
                continue
            if key in keys:
                yield Fault(f"{path}.{field}", f"{' '.join(key)} is repeated (first at {keys[key]})")
            keys.setdefault(key, path)


def _get_key(element: Any) -> tuple[str, tuple[str, ...]]:
    """Return what tells an element of a section apart: the field to blame, and the values; none when any may be there."""
    if isinstance(element, Equipment):
        return "id", (element.id, element.location)
    if isinstance(element, Recovery):
        return "location", (element.location,)
    if isinstance(element, Travel):
        return "between", () if None in element.between else tuple(sorted(element.between))
    if isinstance(element, Closure | Link):
        return "", ()
    return "id", (element.id,)


def _find_repeated_ids(path: str, identifiers: Iterable[str | None]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, identifier in enumerate(identifiers):
        if identifier is None:
            continue
        if identifier in seen:
            yield Fault(f"{path}[{index}]", f'"{identifier}" is repeated')
        seen.add(identifier)


def _find_list_faults(draft: Draft, section: str, what: str, path: str, identifiers: Sequence[str | None]) -> Iterator[Fault]:
    for index, identifier in enumerate(identifiers):
        yield from draft.known(section, what, f"{path}[{index}]", identifier)
    yield from _find_repeated_ids(path, identifiers)


def _find_clinic_faults(draft: Draft) -> Iterator[Fault]:
    for path, location in draft.of("clinic.locations"):
        yield from draft.known("clinic.sites", "site", f"{path}.site", location.site)
        if None not in (location.opens, location.closes) and time() < location.opens >= location.closes:
            yield Fault(f"{path}.opens", f"{location.opens:%H:%M} is not before it closes, {location.closes:%H:%M}")
    for path, travel in draft.of("clinic.travel"):
        for index, end in enumerate(travel.between):
            yield from draft.known("clinic.locations", "location", f"{path}.between[{index}]", end)
    locations = draft.ids.get("clinic.locations", {})
    rooms = {room.id: room.location for _, room in draft.of("clinic.rooms") if room.location in locations}
    for path, closure in draft.of("clinic.closures"):
        yield from _find_order_faults(path, closure)
        yield from draft.known("clinic.locations", "location", f"{path}.location", closure.location)
        yield from draft.known("clinic.rooms", "room", f"{path}.room", closure.room)
        where = rooms.get(closure.room)
        if where is not None and closure.location in locations and where != closure.location:
            yield Fault(f"{path}.room", f'"{closure.room}" is not at "{closure.location}"')
    for section in ("clinic.rooms", "clinic.equipment", "clinic.recovery"):
        for path, place in draft.of(section):
            yield from draft.known("clinic.locations", "location", f"{path}.location", place.location)
    for path, service in draft.of("clinic.services"):
        yield from _find_list_faults(draft, "clinic.equipment", "equipment", f"{path}.equipment", service.equipment)
        yield from _find_list_faults(draft, "clinic.locations", "location", f"{path}.locations", service.locations)
    for path, block in draft.of("clinic.blocks"):
        yield from _find_order_faults(path, block)
        yield from draft.known("clinic.locations", "location", f"{path}.location", block.location)
        yield from _find_list_faults(draft, "clinic.services", "service", f"{path}.services", block.services)
        yield from _find_list_faults(draft, "clinic.services", "service", f"{path}.welcomes", block.welcomes)
        yield from _find_list_faults(draft, "providers", "provider", f"{path}.providers", block.providers)


def _find_people_faults(draft: Draft) -> Iterator[Fault]:
    for path, provider in draft.of("providers"):
        yield from _find_interval_faults(f"{path}.busy", provider.busy)
        yield from _find_shift_faults(draft, f"{path}.shifts", provider.shifts)
    for path, patient in draft.of("patients"):
        yield from draft.known("clinic.sites", "site", f"{path}.preferred_site", patient.preferred_site)
        yield from _find_list_faults(draft, "clinic.sites", "site", f"{path}.allowed_sites", patient.allowed_sites)
        yield from _find_interval_faults(f"{path}.unavailable", patient.unavailable)


def _find_shift_faults(draft: Draft, path: str, shifts: Sequence[Any]) -> Iterator[Fault]:
    for index, shift in enumerate(shifts):
        if shift is None:
            continue
        where = f"{path}[{index}]"
        yield from _find_order_faults(where, shift)
        if _is_whole(shift):
            at_midnight = shift.end.hour == shift.end.minute == 0
            if (shift.end.date() - shift.start.date()).days > (1 if at_midnight else 0):
                yield Fault(f"{where}.end", "the shift crosses midnight")
        yield from _find_list_faults(draft, "clinic.locations", "location", f"{where}.locations", shift.locations)
        yield from _find_list_faults(draft, "clinic.locations", "location", f"{where}.also", shift.also)
    latest = None
    for index in sorted(
        (index for index, shift in enumerate(shifts) if _is_whole(shift)), key=lambda index: shifts[index].start
    ):
        if latest is not None and shifts[index].start < shifts[latest].end:
            yield Fault(f"{path}[{index}]", f"overlaps {path}[{latest}] of the same provider")
        if latest is None or shifts[index].end > shifts[latest].end:
            latest = index


def _find_place_faults(draft: Draft, path: str, place: Any) -> Iterator[Fault]:
    """Yield the faults of a pin, or of where a visit or group stands."""
    if place is not None:
        yield from draft.known("clinic.locations", "location", f"{path}.location", place.location)
        yield from draft.known("clinic.rooms", "room", f"{path}.room", place.room)
        yield from _find_list_faults(draft, "providers", "provider", f"{path}.team", place.team)


def _find_current_faults(draft: Draft, path: str, current: Any) -> Iterator[Fault]:
    yield from _find_place_faults(draft, path, current)
    if current is not None:
        yield from _find_list_faults(draft, "providers", "provider", f"{path}.supervisors", current.supervisors or ())


def _find_request_faults(draft: Draft) -> Iterator[Fault]:
    served = {service.id: service.equipment for _, service in draft.of("clinic.services")}
    for path, visit in draft.of("visits"):
        yield from draft.known("patients", "patient", f"{path}.patient", visit.patient)
        yield from draft.known("clinic.services", "service", f"{path}.service", visit.service)
        yield from _find_list_faults(draft, "providers", "provider", f"{path}.preferred_providers", visit.preferred_providers)
        yield from draft.known("providers", "provider", f"{path}.required_provider", visit.required_provider)
        yield from _find_place_faults(draft, f"{path}.pinned", visit.pinned)
        yield from _find_current_faults(draft, f"{path}.current", visit.current)
        yield from _find_list_faults(draft, "clinic.equipment", "equipment", f"{path}.equipment", visit.equipment)
        for index, device in enumerate(visit.equipment):
            if device is not None and device in (served.get(visit.service) or ()):
                yield Fault(f"{path}.equipment[{index}]", f'the service "{visit.service}" needs "{device}" already')
    for path, group in draft.of("groups"):
        yield from draft.known("clinic.services", "service", f"{path}.service", group.service)
        candidates = [candidate and candidate.patient for candidate in group.candidates]
        for index, patient in enumerate(candidates):
            yield from draft.known("patients", "patient", f"{path}.candidates[{index}].patient", patient)
        yield from _find_repeated_ids(f"{path}.candidates", candidates)
        yield from _find_current_faults(draft, f"{path}.current", group.current)
        if group.current is not None:
            yield from _find_list_faults(draft, "patients", "patient", f"{path}.current.attendees", group.current.attendees)
    for path, reserve in draft.of("reserves"):
        yield from draft.known("clinic.services", "service", f"{path}.service", reserve.service)
        yield from draft.known("clinic.sites", "site", f"{path}.site", reserve.site)
        if None not in (reserve.from_, reserve.to) and not reserve.from_ < reserve.to:
            yield Fault(f"{path}.to", f"{reserve.to:%H:%M} is not after the start {reserve.from_:%H:%M}")


def _find_link_faults(draft: Draft) -> Iterator[Fault]:
    following: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, link in draft.of("links"):
        yield from draft.known("visits", "visit", f"{path}.before", link.before)
        yield from draft.known("visits", "visit", f"{path}.after", link.after)
        if None not in (link.before, link.after):
            if link.before == link.after:
                yield Fault(path, f'links "{link.before}" to itself')
            else:
                following[link.before].append((link.after, path))
        if None not in (link.min_days, link.max_days) and link.max_days < link.min_days:
            yield Fault(f"{path}.max_days", f"{link.max_days} is below min_days {link.min_days}")
    yield from _find_cycles(following)


def _find_cycles(following: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[Fault]:
    """Yield a fault at each link that closes a cycle (depth-first, without recursion)."""
    finished: set[str] = set()
    for root in following:
        if root in finished:
            continue
        trail, depths = [(root, iter(following[root]))], {root: 0}
        while trail:
            visit, rest = trail[-1]
            for after, path in rest:
                if after in depths:
                    shown = [name for name, _ in trail[depths[after] : depths[after] + MAX_SHOWN]]
                    more = ["..."] if len(trail) - depths[after] > MAX_SHOWN else []
                    yield Fault(path, f"closes a cycle: {' -> '.join([*shown, *more, after])}")
                elif after not in finished:
                    depths[after] = len(trail)
                    trail.append((after, iter(following.get(after, ()))))
                    break
            else:
                trail.pop()
                del depths[visit]
                finished.add(visit)
