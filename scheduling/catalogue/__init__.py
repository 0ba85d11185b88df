"""A clinic as data: what it offers, where, with whom, and the limits and weights that its plans keep to.

``services.toml`` holds the services and the referrals out; ``pathways.toml`` the pathways of care; ``kinds.toml`` what patients
are referred for; ``clinic.toml`` the places, the roles, the workshops, the limits and the policy; ``instructions.toml`` what
patients are told. Every entry names its source. All are validated whole when first read.

The pain centre ships, and so does the workbook of a practice with two rooms. A clinic has its own (:mod:`.sources`),
or changes single values (:mod:`.own`).
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel, Field, ValidationError

from scheduling.catalogue.entries import (
    CareLimits,
    CatalogueService,
    Extent,
    OutsideDepartment,
    ProviderRole,
    RequestKind,
    ReserveRule,
    Sourced,
    Workshop,
)
from scheduling.catalogue.sources import CLINIC, KINDS, PATHWAYS, SERVICES, TOLD, VARIABLE, read_source
from scheduling.clinic import Block, Clinic, Closure, Equipment, Location, Recovery, Room, Service, Site, Travel
from scheduling.defaults import complete_clinic
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.fields import Clock, Count, Id, Model, Positive, Weekday
from scheduling.pathways import Pathway, find_pathway_faults
from scheduling.people import Provider
from scheduling.references import make_fault
from scheduling.scenario import Policy, PriorityWeights

T = TypeVar("T", bound=BaseModel)
P = ParamSpec("P")
R = TypeVar("R")


class _Value(Sourced):
    value: int | PriorityWeights | None = None
    unit: str = Field(min_length=1)


class _Heading(Sourced):
    name: str
    timezone: str
    start_grid_minutes: Positive


class _Site(Site, Sourced):
    pass


class _Location(Location, Sourced):
    pass


class _Travel(Travel, Sourced):
    pass


class _Equipment(Equipment, Sourced):
    pass


class _Rooms(Sourced):
    location: Id
    kind: str
    features: tuple[str, ...]
    seats: Count
    count: Count
    small: Count
    id: Id | None = None


class _Recovery(Recovery, Sourced):
    small: Count


class _Block(Sourced):
    id: Id
    location: Id
    weekday: Weekday
    start: Clock
    end: Clock
    services: tuple[Id, ...]
    roles: tuple[Id, ...]
    providers: tuple[Id, ...] = ()
    welcomes: tuple[Id, ...] = ()


class _ServicesFile(Model):
    services: tuple[CatalogueService, ...]
    referrals: tuple[OutsideDepartment, ...]


class _PathwaysFile(Model):
    pathways: tuple[Pathway, ...]


class _KindsFile(Model):
    kinds: tuple[RequestKind, ...]


class _ClinicFile(Model):
    clinic: _Heading
    sites: tuple[_Site, ...]
    locations: tuple[_Location, ...]
    travel: tuple[_Travel, ...]
    rooms: tuple[_Rooms, ...]
    equipment: tuple[_Equipment, ...]
    recovery: tuple[_Recovery, ...]
    blocks: tuple[_Block, ...]
    workshops: tuple[Workshop, ...]
    roles: tuple[ProviderRole, ...]
    limits: Mapping[str, _Value]
    held: tuple[ReserveRule, ...]
    policy: Mapping[str, _Value]


def parse_values(kind: type[T], values: Mapping[str, object], source: str) -> T:
    """Validate plain values as strictly as a scenario file. Raises ``InvalidFile`` with every fault."""
    try:
        return kind.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise InvalidFile(source, [make_fault(d) for d in error.errors(include_url=False, include_input=False)]) from None


def parse_toml(kind: type[T], text: str, source: str) -> T:
    """Validate TOML text as strictly as a scenario file. Raises ``InvalidFile`` with every fault."""
    try:
        return parse_values(kind, tomllib.loads(text), source)
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile(source, [Fault("", str(error))]) from None


_READINGS: list[Callable[[], None]] = [read_source.cache_clear]


def read_once(read: Callable[P, R]) -> Callable[P, R]:
    """Keep what is read of the catalogue until another is in force."""
    kept = cache(read)
    _READINGS.append(kept.cache_clear)
    return kept  # type: ignore[return-value]


def _file(kind: type[T], name: str) -> T:
    source = read_source()
    return parse_values(kind, source.documents[name], f"{name} of {source.origin}")


def get_instructions_document() -> Mapping[str, Any]:
    """Return what patients are told, as plain values that nobody has judged yet."""
    return read_source().documents[TOLD]


def clear_caches() -> None:
    """Forget what was read: the next call reads the files again, of whatever catalogue is named by then."""
    for clear in _READINGS:
        clear()


@contextmanager
def use_catalogue(name: Path | str) -> Iterator[None]:
    """Let another catalogue hold for a while, or a file's own values: a path, or one that ships."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(name)
    clear_caches()
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before
        clear_caches()


def _strip_source(kind: type[T], entry: Model) -> T:
    """Return an entry as the scenario's record, without what the catalogue says beside it."""
    return kind(**{name: getattr(entry, name) for name in kind.model_fields if name in entry.model_fields_set})


@read_once
def _clinic_file() -> _ClinicFile:
    return _file(_ClinicFile, CLINIC)


@read_once
def _services_file() -> _ServicesFile:
    read = _file(_ServicesFile, SERVICES)
    if read_source().is_workbook:  # what nobody can do there is doubted, and planned all the same
        return read
    if faults := list(find_catalogue_faults(read.services, _clinic_file().roles, _build_rooms("full"), list_equipment())):
        raise InvalidFile(f"{SERVICES} of {read_source().origin}", faults)
    return read


def find_catalogue_faults(
    offers: Iterable[CatalogueService],
    roles: Iterable[ProviderRole],
    rooms: Iterable[Room],
    pools: Iterable[Equipment],
) -> Iterator[Fault]:
    """Yield what keeps a service from ever taking place."""
    skills = {skill for role in roles for skill in role.skills}
    places = {(pool.id, pool.location) for pool in pools if pool.units}
    known, halls = set(), tuple(rooms)
    for index, offer in enumerate(offers):
        path = f"services[{index}]"
        if offer.id in known:
            yield Fault(f"{path}.id", f'"{offer.id}" is repeated')
        known.add(offer.id)
        for seat, wanted in enumerate(offer.team):
            if skills.isdisjoint(wanted.any_of):
                yield Fault(f"{path}.team[{seat}]", f"no role has {' or '.join(wanted.any_of)}")
        for location in offer.locations:
            if offer.room is not None and not any(r.location == location and offer.room.suits(r) for r in halls):
                yield Fault(f"{path}.room", f'none at "{location}"')
            for device in offer.equipment:
                if (device, location) not in places:
                    yield Fault(f"{path}.equipment", f'no "{device}" at "{location}"')


@read_once
def _pathways() -> Mapping[str, Pathway]:
    read = _file(_PathwaysFile, PATHWAYS).pathways
    if faults := list(find_pathway_faults(read, {service.id for service in list_services()})):
        raise InvalidFile(f"{PATHWAYS} of {read_source().origin}", faults)
    return {pathway.id: _set_due_days(pathway) for pathway in read}


def _set_due_days(pathway: Pathway) -> Pathway:
    """Return a pathway whose first visit is due by the limit of care of its kind of pain."""
    if pathway.onset is None:
        return pathway
    first, *others = pathway.steps
    return pathway.changed(steps=(first.changed(due_days=get_limits().due_days(pathway.onset)), *others))


@read_once
def list_services() -> tuple[Service, ...]:
    """Return every service that the centre schedules."""
    return tuple(_strip_source(Service, offer.with_defaults(room=None)) for offer in _services_file().services)


def get_service(service_id: str) -> CatalogueService:
    """Return a service with its family, indications and source. Raises ``UnknownId``."""
    service = next((offer for offer in _services_file().services if offer.id == service_id), None)
    if service is None:
        raise UnknownId("service", service_id)
    return service


def get_family(service_id: str) -> str:
    """Return the family of a service, one of :func:`list_families`. Raises ``UnknownId``."""
    return get_service(service_id).family


@read_once
def list_families() -> tuple[str, ...]:
    """Return the families of services, in the order of the file."""
    return tuple(dict.fromkeys(service.family for service in _services_file().services))


def list_pathways() -> tuple[Pathway, ...]:
    """Return the pathways of care, those of a single visit too."""
    return tuple(_pathways().values())


def get_pathway(identifier: str) -> Pathway:
    """Return a pathway. Raises ``UnknownId``."""
    try:
        return _pathways()[identifier]
    except KeyError:
        raise UnknownId("pathway", identifier) from None


@read_once
def list_kinds() -> tuple[RequestKind, ...]:
    """Return what patients may be referred for."""
    kinds = _file(_KindsFile, KINDS).kinds
    known, places = {pathway.id for pathway in list_pathways()}, [kind.id for kind in kinds]
    faults = [Fault(f"kinds[{n}].id", f'"{kind.id}" is repeated') for n, kind in enumerate(kinds) if kind.id in places[:n]]
    faults += [
        Fault(f"kinds[{n}].pathway", f'unknown pathway "{kind.pathway}"')
        for n, kind in enumerate(kinds)
        if kind.pathway is not None and kind.pathway not in known
    ]
    if faults:
        raise InvalidFile(f"{KINDS} of {read_source().origin}", faults)
    return kinds


def list_sites() -> tuple[Site, ...]:
    """Return the sites."""
    return tuple(_strip_source(Site, entry) for entry in _clinic_file().sites)


def list_outside_departments() -> tuple[OutsideDepartment, ...]:
    """Return the departments that patients are sent to."""
    return _services_file().referrals


def list_roles() -> tuple[ProviderRole, ...]:
    """Return the kinds of provider."""
    return _clinic_file().roles


def list_workshops() -> tuple[Workshop, ...]:
    """Return the monthly groups."""
    return _clinic_file().workshops


def list_reserve_rules() -> tuple[ReserveRule, ...]:
    """Return how capacity is held for referrals to come."""
    return _clinic_file().held


def list_equipment() -> tuple[Equipment, ...]:
    """Return the pools of devices."""
    return tuple(_strip_source(Equipment, pool) for pool in _clinic_file().equipment)


@read_once
def get_limits() -> CareLimits:
    """Return the limits of care."""
    return _read_values(CareLimits, _clinic_file().limits, "limits")


@read_once
def get_policy() -> Policy:
    """Return the default weights of the cost."""
    return _read_values(Policy, _clinic_file().policy, "policy")


def _read_values(kind: type[T], entries: Mapping[str, _Value], name: str) -> T:
    values = {key: entry.model_dump()["value"] for key, entry in entries.items()}
    return parse_values(kind, values, f"{CLINIC} of {read_source().origin}, {name}")


def _build_rooms(extent: Extent) -> tuple[Room, ...]:
    rooms: list[Room] = []
    for alike in _clinic_file().rooms:
        for _ in range(alike.small if extent == "small" else alike.count):
            number = 1 + sum((room.location, room.kind) == (alike.location, alike.kind) for room in rooms)
            rooms.append(
                Room(
                    id=alike.id or f"{alike.location}-{alike.kind}-{number}",
                    location=alike.location,
                    kind=alike.kind,
                    features=alike.features,
                    seats=alike.seats,
                )
            )
    return tuple(rooms)


def _build_block(entry: _Block, staff: tuple[Provider, ...]) -> Block:
    kept = {name: getattr(entry, name) for name in Block.model_fields if name in entry.model_fields_set}
    people = tuple(p.id for p in staff if p.role in entry.roles or p.id in entry.providers)
    return Block(**{**kept, "providers": people})


def build_clinic(staff: Iterable[Provider] = (), extent: Extent = "full", closures: Iterable[Closure] = ()) -> Clinic:
    """Return the clinic with every service.

    Parameters
    ----------
    staff : iterable of Provider
        Who works there; the special clinics reserve those of their roles.
    extent : {"full", "small"}
        All rooms and bays, or the few of a small clinic: every kind, at every location that has it.
    closures : iterable of Closure
        Times at which a location, or the whole clinic, is closed.
    """
    file, people = _clinic_file(), tuple(staff)
    small = extent == "small"
    clinic = Clinic(
        name=file.clinic.name,
        timezone=file.clinic.timezone,
        start_grid_minutes=file.clinic.start_grid_minutes,
        sites=list_sites(),
        locations=tuple(_strip_source(Location, entry) for entry in file.locations),
        travel=tuple(_strip_source(Travel, entry) for entry in file.travel),
        closures=tuple(closures),
        rooms=_build_rooms(extent),
        equipment=list_equipment(),
        recovery=tuple(Recovery(location=e.location, bays=e.small if small else e.bays) for e in file.recovery),
        services=list_services(),
        blocks=tuple(_build_block(entry, people) for entry in file.blocks),
    )
    return complete_clinic(clinic)
