"""The scenario: everything that one optimisation needs, read from a file and validated whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self, cast

from pydantic import ValidationInfo, model_validator

from scheduling.clinic import Clinic, Location, Room, Service
from scheduling.errors import InvalidFile, UnknownId
from scheduling.fields import Horizon, Id, Minutes, Model, Priority, Stamp, Weight
from scheduling.files import read_json, write_text, wrong_kind
from scheduling.people import Patient, Provider
from scheduling.references import find_faults, validate_scenario
from scheduling.requests import Group, Link, Reserve, Visit
from scheduling.timegrid import TimeGrid


class PriorityWeights(Model):
    """One weight for each priority."""

    routine: Weight
    soon: Weight
    urgent: Weight
    cancer: Weight

    def of(self, priority: Priority) -> int:
        """Return the weight of a priority."""
        weight: int = getattr(self, priority)
        return weight


class Policy(Model):
    """The integer weights of the cost, and the notification budget (null: no limit)."""

    unscheduled: PriorityWeights
    deadline_factor: Weight
    late_per_day: PriorityWeights
    delay_per_day: PriorityWeights
    not_preferred_provider: Weight
    not_preferred_site: Weight
    not_preferred_half: Weight
    extra_trip: Weight
    site_change: Weight
    max_notified_moves: Weight | None
    moved: Weight
    moved_notified: Weight
    moved_notified_per_day: Weight
    group_seat: PriorityWeights
    group_not_run: Weight
    reserve_missing: Weight


class Scenario(Model):
    """Everything one optimisation needs. Read it with :meth:`read`, which reports every fault of the file.

    A scenario made in Python is held to the same: it raises ``InvalidFile`` when it refers to something that it does not have.
    """

    format: Literal["clinicweave-scenario/1"]
    id: Id
    now: Stamp | None
    freeze_minutes: Minutes
    horizon: Horizon
    clinic: Clinic
    providers: tuple[Provider, ...]
    patients: tuple[Patient, ...]
    visits: tuple[Visit, ...]
    links: tuple[Link, ...]
    groups: tuple[Group, ...]
    reserves: tuple[Reserve, ...]
    policy: Policy

    @model_validator(mode="after")
    def _expect_sound(self, info: ValidationInfo) -> Self:
        """Refuse faults of reference. Those of a text are left to :meth:`parse`, which names them in the text's order."""
        if info.mode == "python" and (faults := find_faults(self)):
            raise InvalidFile("scenario", faults)
        return self

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read and validate a scenario file.

        Raises
        ------
        InvalidFile
            With every fault of the file, each by its path in it.
        """
        return cls.parse(read_json(Path(path)), str(path))

    @classmethod
    def parse(cls, text: bytes | str, source: str = "scenario") -> Self:
        """Validate a scenario from JSON text; ``source`` names it in errors. Raises ``InvalidFile``."""
        scenario, faults = validate_scenario(cls, text, source)
        if scenario is None or faults:
            raise InvalidFile(source, wrong_kind(text, "scenario") or faults)
        return scenario

    @classmethod
    def from_parts(cls, source: str, **parts: Any) -> Self:
        """Put a scenario together of parts that were validated each by itself. Raises ``InvalidFile``."""
        scenario = cls.model_construct(**parts)
        faults = find_faults(scenario)
        if faults:
            raise InvalidFile(source, faults)
        return cast("Self", scenario)

    def write(self, path: Path | str) -> None:
        """Write the scenario file whole, or leave what was there."""
        write_text(Path(path), self.model_dump_json(indent=1, exclude_unset=True) + "\n")

    @cached_property
    def grid(self) -> TimeGrid:
        """The start grid and the zone."""
        return TimeGrid(self.clinic.timezone, self.clinic.start_grid_minutes, self.horizon.start, self.horizon.end)

    @cached_property
    def services(self) -> Mapping[str, Service]:
        """Services by id."""
        return MappingProxyType({service.id: service for service in self.clinic.services})

    @cached_property
    def locations(self) -> Mapping[str, Location]:
        """Locations by id."""
        return MappingProxyType({location.id: location for location in self.clinic.locations})

    @cached_property
    def rooms(self) -> Mapping[str, Room]:
        """Rooms by id."""
        return MappingProxyType({room.id: room for room in self.clinic.rooms})

    @cached_property
    def providers_by_id(self) -> Mapping[str, Provider]:
        """Providers by id."""
        return MappingProxyType({provider.id: provider for provider in self.providers})

    @cached_property
    def patients_by_id(self) -> Mapping[str, Patient]:
        """Patients by id."""
        return MappingProxyType({patient.id: patient for patient in self.patients})

    @cached_property
    def visits_by_id(self) -> Mapping[str, Visit]:
        """Visits by id."""
        return MappingProxyType({visit.id: visit for visit in self.visits})

    @cached_property
    def groups_by_id(self) -> Mapping[str, Group]:
        """Groups by id."""
        return MappingProxyType({group.id: group for group in self.groups})

    @cached_property
    def reserves_by_id(self) -> Mapping[str, Reserve]:
        """Reserves by id."""
        return MappingProxyType({reserve.id: reserve for reserve in self.reserves})

    @cached_property
    def _travel(self) -> Mapping[frozenset[str], int]:
        return {frozenset(travel.between): travel.minutes for travel in self.clinic.travel}

    def travel_minutes(self, origin: str, destination: str) -> int:
        """Return the minutes between two locations: 0 within one, and where the clinic names none."""
        return 0 if origin == destination else self._travel.get(frozenset((origin, destination)), 0)

    def site(self, location: str) -> str:
        """Return the site that a location belongs to."""
        return self.locations[location].site

    def bays(self, location: str) -> int:
        """Return the recovery bays of a location, 0 where it has none."""
        return next((recovery.bays for recovery in self.clinic.recovery if recovery.location == location), 0)

    def equipment_units(self, equipment: str, location: str) -> int:
        """Return the size of a pool at a location, 0 where there is none."""
        return next((p.units for p in self.clinic.equipment if p.id == equipment and p.location == location), 0)

    def find_bundle(self, visit: str) -> frozenset[str]:
        """Return a visit and those that have to come with it."""
        together = {visit}
        while True:
            ties = (link for link in self.links if link.together and not together.isdisjoint((link.before, link.after)))
            grown = together.union(*((link.before, link.after) for link in ties))
            if grown == together:
                return frozenset(together)
            together = grown

    def restrict_to(self, visits: Collection[str]) -> Self:
        """Return what is left when only some visits are asked for, with the links between them."""
        return self.changed(
            visits=tuple(visit for visit in self.visits if visit.id in visits),
            links=tuple(link for link in self.links if link.before in visits and link.after in visits),
        )

    def visit(self, identifier: str) -> Visit:
        """Return a visit. Raises ``UnknownId``."""
        try:
            return self.visits_by_id[identifier]
        except KeyError:
            raise UnknownId("visit", identifier) from None
