"""The pain centre as data: what it offers, where, with whom, and the limits and weights that its plans keep to.

``services.toml`` holds the services and the referrals out; ``pathways.toml`` the pathways of care; ``clinic.toml`` the
places, the roles, the workshops, the limits and the policy. Every entry names its source. All are validated whole when
first read; a clinic changes single values in a file of its own (:mod:`.own`).
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from scheduling.catalogue.entries import (
    CareLimits,
    CatalogueService,
    Extent,
    Family,
    Indication,
    OutsideDepartment,
    ProviderRole,
    ReserveRule,
    Sourced,
    Workshop,
)
from scheduling.catalogue.own import VARIABLE, find_unknown_sections, get_own_file, override, read_own_values
from scheduling.clinic import Block, Clinic, Closure, Equipment, Location, Recovery, Room, Service, Site, Travel
from scheduling.defaults import complete_clinic
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.fields import Clock, Count, Id, Model, Positive, Weekday
from scheduling.pathways import Pathway, find_pathway_faults
from scheduling.people import Provider
from scheduling.references import make_fault
from scheduling.scenario import Policy, PriorityWeights

T = TypeVar("T", bound=BaseModel)


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
    welcomes: tuple[Id, ...] = ()


class _ServicesFile(Model):
    services: tuple[CatalogueService, ...]
    referrals: tuple[OutsideDepartment, ...]


class _PathwaysFile(Model):
    pathways: tuple[Pathway, ...]


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


def _file(kind: type[T], name: str) -> T:
    """Return a file of the catalogue, with the clinic's own values in it."""
    own, document = read_own_values(), tomllib.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))
    sections = {section for file in (_ClinicFile, _ServicesFile, _PathwaysFile) for section in file.model_fields}
    if not own:
        return parse_values(kind, document, name)
    source = str(get_own_file())
    if faults := list(find_unknown_sections(own, sections)):
        raise InvalidFile(source, faults)
    changed = override(document, own, source)
    return parse_values(kind, changed, f"{name} with {source}")


def clear_caches() -> None:
    """Forget what was read: the next call reads the files again, with whatever own values are named by then."""
    for read in (_clinic_file, _services_file, _pathways, list_services, get_limits, get_policy):
        read.cache_clear()


@contextmanager
def use_own_values(file: Path) -> Iterator[None]:
    """Let a file's own values hold for a while, instead of those of the environment."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(file)
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


@cache
def _clinic_file() -> _ClinicFile:
    return _file(_ClinicFile, "clinic.toml")


@cache
def _services_file() -> _ServicesFile:
    read = _file(_ServicesFile, "services.toml")
    if faults := list(find_catalogue_faults(read.services, _clinic_file().roles, _build_rooms("full"), list_equipment())):
        raise InvalidFile("services.toml", faults)
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


@cache
def _pathways() -> Mapping[str, Pathway]:
    read = _file(_PathwaysFile, "pathways.toml").pathways
    if faults := list(find_pathway_faults(read, {service.id for service in list_services()})):
        raise InvalidFile("pathways.toml", faults)
    return {pathway.id: _set_due_days(pathway) for pathway in read}


def _set_due_days(pathway: Pathway) -> Pathway:
    """Return a pathway whose first visit is due by the limit of care of its kind of pain."""
    if pathway.onset is None:
        return pathway
    first, *others = pathway.steps
    return pathway.changed(steps=(first.changed(due_days=get_limits().due_days(pathway.onset)), *others))


@cache
def list_services() -> tuple[Service, ...]:
    """Return every service that the centre schedules."""
    return tuple(_strip_source(Service, offer.with_defaults(room=None)) for offer in _services_file().services)


def get_service(service_id: str) -> CatalogueService:
    """Return a service with its family, indications and source. Raises ``UnknownId``."""
    service = next((offer for offer in _services_file().services if offer.id == service_id), None)
    if service is None:
        raise UnknownId("service", service_id)
    return service


def get_family(service_id: str) -> Family:
    """Return the family of a service, one of ``FAMILIES``. Raises ``UnknownId``."""
    return get_service(service_id).family


def list_indications(service_id: str) -> tuple[Indication, ...]:
    """Return the reasons for a visit that a service tells apart. Raises ``UnknownId``."""
    return get_service(service_id).indications


def list_pathways() -> tuple[Pathway, ...]:
    """Return the pathways of care, those of a single visit too."""
    return tuple(_pathways().values())


def get_pathway(identifier: str) -> Pathway:
    """Return a pathway. Raises ``UnknownId``."""
    try:
        return _pathways()[identifier]
    except KeyError:
        raise UnknownId("pathway", identifier) from None


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


@cache
def get_limits() -> CareLimits:
    """Return the limits of care."""
    return _read_values(CareLimits, _clinic_file().limits, "limits")


@cache
def get_policy() -> Policy:
    """Return the default weights of the cost."""
    return _read_values(Policy, _clinic_file().policy, "policy")


def _read_values(kind: type[T], entries: Mapping[str, _Value], name: str) -> T:
    values = {key: entry.model_dump()["value"] for key, entry in entries.items()}
    return parse_values(kind, values, f"clinic.toml, {name}")


def _build_rooms(extent: Extent) -> tuple[Room, ...]:
    rooms: list[Room] = []
    for alike in _clinic_file().rooms:
        for _ in range(alike.small if extent == "small" else alike.count):
            number = 1 + sum((room.location, room.kind) == (alike.location, alike.kind) for room in rooms)
            rooms.append(
                Room(
                    id=f"{alike.location}-{alike.kind}-{number}",
                    location=alike.location,
                    kind=alike.kind,
                    features=alike.features,
                    seats=alike.seats,
                )
            )
    return tuple(rooms)


def _build_block(entry: _Block, staff: tuple[Provider, ...]) -> Block:
    kept = {name: getattr(entry, name) for name in Block.model_fields if name in entry.model_fields_set}
    return Block(**kept, providers=tuple(provider.id for provider in staff if provider.role in entry.roles))


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
        sites=tuple(_strip_source(Site, entry) for entry in file.sites),
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
