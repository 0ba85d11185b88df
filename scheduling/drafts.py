"""What of a scenario file can be judged though the file is misshapen, and in which order its places stand.

A field of the wrong type, or missing, is drafted as unknown (None, or an empty tuple), and nothing is concluded from
it. Everything beside it is judged: a misshapen role hides no shift, an unknown key no unknown service.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from scheduling.clinic import Block, Closure, Equipment, Location, Recovery, Room, Service, Site, Travel
from scheduling.errors import Fault
from scheduling.fields import Horizon
from scheduling.people import Patient, Provider
from scheduling.requests import Group, Link, Reserve, Visit

Place = tuple[int | str, ...]
"""The keys and indices that lead to a value of a file."""

SECTIONS: Mapping[str, type[BaseModel]] = {
    "clinic.sites": Site,
    "clinic.locations": Location,
    "clinic.travel": Travel,
    "clinic.closures": Closure,
    "clinic.rooms": Room,
    "clinic.equipment": Equipment,
    "clinic.recovery": Recovery,
    "clinic.services": Service,
    "clinic.blocks": Block,
    "providers": Provider,
    "patients": Patient,
    "visits": Visit,
    "links": Link,
    "groups": Group,
    "reserves": Reserve,
}

OPTIONAL_SECTIONS = frozenset(
    {"clinic.travel", "clinic.closures", "clinic.equipment", "clinic.recovery", "clinic.blocks", "links", "groups", "reserves"}
)
"""Sections that a file need not have: one that is absent is known to be empty."""


@dataclass(frozen=True)
class Draft:
    """The elements of a file, each with its path, and every id that the file declares.

    Any field of an element may be None, whatever its type says: then the file has nothing sound there. A section that
    is no list has no ``ids``, so that nothing is known of the ids that others expect in it.
    """

    elements: Mapping[str, Sequence[tuple[str, Any]]]
    ids: Mapping[str, Mapping[str, str]]
    timezone: str | None
    horizon: Any

    def of(self, section: str) -> Sequence[tuple[str, Any]]:
        """Return the paths and elements of a section."""
        return self.elements[section]

    def known(self, section: str, what: str, path: str, *identifiers: str | None) -> Iterator[Fault]:
        """Yield a fault for each id that a section does not declare."""
        if section in self.ids:
            for identifier in identifiers:
                if identifier is not None and identifier not in self.ids[section]:
                    yield Fault(path, f'unknown {what} "{identifier}"')


def _draft(sections: Mapping[str, Sequence[Any] | None], timezone: str | None, horizon: Any) -> Draft:
    elements = {
        section: [(f"{section}[{index}]", element) for index, element in enumerate(inside or ()) if element is not None]
        for section, inside in sections.items()
    }
    ids = {
        section: {element.id: path for path, element in reversed(elements[section]) if hasattr(element, "id")}
        for section, inside in sections.items()
        if inside is not None
    }
    return Draft(elements, ids, timezone, horizon)


def make_draft(scenario: Any) -> Draft:
    """Draft a scenario that has the right shape."""
    clinic = scenario.clinic
    sections = {section: getattr(clinic if "." in section else scenario, section.split(".")[-1]) for section in SECTIONS}
    return _draft(sections, clinic.timezone, scenario.horizon)


def salvage(raw: object, misshapen: Collection[Place]) -> Draft:
    """Draft what is sound of a file's JSON value; ``misshapen`` has the place of every element that is not."""
    whole: dict[str, Any] = raw if isinstance(raw, dict) else {}
    clinic = whole.get("clinic")
    owners: dict[str, dict[str, Any]] = {"": whole, "clinic": clinic if isinstance(clinic, dict) else {}}
    sections: dict[str, list[Any] | None] = {}
    for section, kind in SECTIONS.items():
        owner, _, name = section.rpartition(".")
        inside, place = owners[owner].get(name), tuple(section.split("."))
        if owners[owner] and name not in owners[owner] and section in OPTIONAL_SECTIONS:
            inside = []
        sections[section] = None
        if isinstance(inside, list):
            sections[section] = [_element(kind, element, (*place, index) in misshapen) for index, element in enumerate(inside)]
    zone = owners["clinic"].get("timezone")
    return _draft(sections, zone if isinstance(zone, str) else None, _reader(Horizon)(whole.get("horizon")))


def _element(kind: type[BaseModel], value: object, misshapen: bool) -> Any:
    if not misshapen:
        with suppress(ValidationError):
            return kind.model_validate(value, strict=False)  # JSON's lists and texts were judged strictly already
    return _reader(kind)(value)


Reader = Callable[[object], Any]


@cache
def _reader(model: type[BaseModel]) -> Reader:
    """Return what makes a model of the sound fields of a JSON value, None of what is no object."""
    fields = [
        (name, field.alias or name, field.is_required(), _read(_kind(field))) for name, field in model.model_fields.items()
    ]

    def read(value: object) -> Any:
        if not isinstance(value, dict):
            return None
        given = {name: of(value.get(key)) for name, key, required, of in fields if required or key in value}
        return model.model_construct(**given)

    return read


def _kind(field: FieldInfo) -> Any:
    annotated: Any = Annotated
    return annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _read(kind: Any) -> Reader:
    """Return what reads a field: a tuple keeps the place of each of its elements."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (arg for arg in get_args(kind) if arg is not NoneType)
        return _read(kind)
    if get_origin(kind) is tuple:
        inner = _read(get_args(kind)[0])
        return lambda value: tuple(inner(element) for element in value) if isinstance(value, list) else ()
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _reader(kind)
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def scalar(value: object) -> Any:
        try:
            return adapter.validate_python(value, strict=True)
        except ValidationError:
            return None

    return scalar


def sort_by_place(raw: object, faults: Iterable[tuple[Place, Fault]]) -> list[Fault]:
    """Return faults, each once, as their places follow one another in a file; what is missing follows what is there."""
    ranks: dict[int, dict[str, int]] = {}

    def position(placed: tuple[Place, Fault]) -> tuple[int, ...]:
        value, ranks_of_steps = raw, []
        for step in placed[0]:
            if isinstance(value, dict):
                if id(value) not in ranks:
                    ranks[id(value)] = {key: rank for rank, key in enumerate(value)}
                ranks_of_steps.append(ranks[id(value)].get(str(step), len(value)))
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                ranks_of_steps.append(step)
                value = value[step] if step < len(value) else None
            else:
                break
        return tuple(ranks_of_steps)

    return list(dict.fromkeys(fault for _, fault in sorted(faults, key=position)))
