"""What patients are told with an appointment, as data: arrival, what to bring, companions, what to hold, finding the way.

The values stand in ``catalogue/instructions.toml``, each with its source. A service takes its own value, else its
family's, else the default; a service that no family lists gets the default for office visits or for procedures.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, model_validator

from scheduling import catalogue
from scheduling.clinic import Service
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Id, Minutes, Model, Positive

T = TypeVar("T")

PROCEDURE_ATTENTION = 2
"""A procedure takes a provider's whole attention; an office visit half of it (``attention`` of a service)."""

Source = Literal["clinic", "ours"]


class Instruction(Model):
    """A sentence for patients, where it comes from, and what it rests on."""

    text: str = Field(min_length=1)
    source: Source
    reference: str | None = None


class ArrivalAdvice(Model):
    """Minutes before the start at which to arrive, and a sentence that replaces the usual one."""

    minutes: Minutes
    source: Source
    text: str | None = None


class Advice(Model):
    """What one layer of the data says; null: what the layer below says. ``also_bring`` is added to it."""

    arrive: ArrivalAdvice | None = None
    bring: tuple[Instruction, ...] | None = None
    also_bring: tuple[Instruction, ...] = ()
    companion: Instruction | None = None
    hold: tuple[Instruction, ...] | None = None


class Family(Advice):
    """A family of services and what is said for all of them."""

    services: tuple[Id, ...]


class Coordinates(Model):
    """Where something is on a map, WGS 84 degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    source: Source
    reference: str | None = None


class Wayfinding(Model):
    """Finding one's way at a location: where in the building, access, whom to call, and where it is on a map."""

    within: Instruction | None = None
    access: Instruction | None = None
    phone: Instruction | None = None
    geo: Coordinates | None = None


class Reminders(Model):
    """When patients are reminded, each in minutes before they are to arrive, the longest first.

    By mail they are not reminded of what was told or confirmed less than ``quiet_minutes`` before.
    """

    source: Source
    mail_minutes: tuple[Positive, ...] = ()
    quiet_minutes: Minutes = 0
    alarm_minutes: tuple[Positive, ...] = ()


class DiscreetWords(Model):
    """Words left out of what other people may see of a patient's calendar."""

    source: Source
    words: tuple[str, ...]


class Guidance(Model):
    """What the patient of one service is told, every layer applied."""

    arrive: ArrivalAdvice
    bring: tuple[Instruction, ...]
    companion: Instruction
    hold: tuple[Instruction, ...]


class Instructions(Model):
    """The whole of the data. Read it with :meth:`read`, or take the catalogue's with :func:`load_instructions`."""

    sources: dict[Source, str]
    unspoken: DiscreetWords
    reminders: Reminders = Reminders(source="ours")
    default: Advice
    default_procedure: Advice
    families: dict[str, Family]
    services: dict[str, Advice]
    places: dict[str, Wayfinding]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        blank = [name for name in ("arrive", "bring", "companion", "hold") if getattr(self.default, name) is None]
        if blank:
            raise ValueError(f"the default says nothing of: {', '.join(blank)}")
        listed = Counter(service for family in self.families.values() for service in family.services)
        twice = [service for service, count in listed.items() if count > 1]
        if twice:
            raise ValueError(f"in more than one family: {', '.join(twice)}")
        return self

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a file of instructions. Raises ``InvalidFile`` with every fault."""
        try:
            return cls.parse(Path(path).read_bytes(), str(path))
        except OSError as error:
            raise InvalidFile(str(path), [Fault("", (error.strerror or str(error)).lower())]) from None

    @classmethod
    def parse(cls, text: bytes, source: str = "instructions") -> Self:
        """Validate instructions from TOML text; ``source`` names it in errors. Raises ``InvalidFile``."""
        try:
            return cls.judge(tomllib.loads(text.decode()), source)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidFile(source, [Fault("", str(error))]) from None

    @classmethod
    def judge(cls, document: Mapping[str, object], source: str) -> Self:
        """Validate instructions from plain values. Raises ``InvalidFile`` with every fault."""
        return catalogue.parse_values(cls, document, source)

    @cached_property
    def _family_of(self) -> dict[str, Family]:
        return {service: family for family in self.families.values() for service in family.services}

    def get_guidance(self, service: Service) -> Guidance:
        """Return what a service's patients are told; for a service that the data does not know, the defaults."""
        layers = self._layers(service)
        bring = _nearest(layer.bring for layer in layers)
        return Guidance(
            arrive=_nearest(layer.arrive for layer in layers),
            bring=(*bring, *(told for layer in layers for told in layer.also_bring)),
            companion=_nearest(layer.companion for layer in layers),
            hold=_nearest(layer.hold for layer in layers),
        )

    def _layers(self, service: Service) -> tuple[Advice, ...]:
        """Return what speaks of a service, the nearest first."""
        own, family = self.services.get(service.id), self._family_of.get(service.id)
        known = tuple(layer for layer in (own, family) if layer is not None)
        procedure = service.attention >= PROCEDURE_ATTENTION or service.recovery > 0
        return (*known, *((self.default_procedure,) if procedure and not known else ()), self.default)

    def get_wayfinding(self, location: str) -> Wayfinding:
        """Return what is said of a location; of one that the data does not know, nothing."""
        return self.places.get(location, Wayfinding())


def _nearest(values: Iterable[T | None]) -> T:
    return next(value for value in values if value is not None)


@catalogue.read_once
def load_instructions() -> Instructions:
    """Return the catalogue's instructions. Raises ``InvalidFile`` with every fault."""
    return Instructions.judge(catalogue.get_instructions_document(), "instructions.toml")
