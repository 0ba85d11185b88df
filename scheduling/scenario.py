"""The scenario: everything that one optimisation needs, read from a file and validated whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self, cast

from pydantic import Field, ValidationInfo, model_validator

from scheduling.clinic import Clinic, Location, Room, Service
from scheduling.defaults import complete_parts
from scheduling.errors import InvalidFile, UnknownId
from scheduling.fields import Count, Horizon, Id, Minutes, Model, Priority, Stamp, Weight
from scheduling.files import read_json, write_text, wrong_kind
from scheduling.people import Patient, Provider
from scheduling.references import find_faults, validate_scenario
from scheduling.requests import Group, Link, Reserve, Visit
from scheduling.timegrid import TimeGrid


class PriorityWeights(Model):
    """One weight for each priority."""

    routine: Weight = Field(description="points of cost at priority routine")
    soon: Weight = Field(description="points of cost at priority soon")
    urgent: Weight = Field(description="points of cost at priority urgent")
    cancer: Weight = Field(description="points of cost at priority cancer")

    def of(self, priority: Priority) -> int:
        """Return the weight of a priority."""
        weight: int = getattr(self, priority)
        return weight


class Policy(Model):
    """The integer weights of the cost, the least notice, and the notification budget (null: no limit)."""

    unscheduled: PriorityWeights = Field(
        PriorityWeights(routine=100, soon=300, urgent=1000, cancer=3000), description="points per visit left out"
    )
    deadline_factor: Weight = Field(
        5, description="what a visit left out costs is multiplied by it when its deadline is planned"
    )
    late_per_day: PriorityWeights = Field(
        PriorityWeights(routine=4, soon=12, urgent=40, cancer=120), description="points per visit and day after its target"
    )
    delay_per_day: PriorityWeights = Field(
        PriorityWeights(routine=1, soon=2, urgent=6, cancer=20),
        description="points per visit and day after the later of its earliest date and the horizon's start",
    )
    not_preferred_provider: Weight = Field(8, description="points per visit without any of the providers that are preferred")
    not_preferred_site: Weight = Field(6, description="points per visit at another site than the preferred one")
    not_preferred_half: Weight = Field(2, description="points per visit in the half of the day that is not preferred")
    extra_trip: Weight = Field(10, description="points per patient and date beyond the first on which they come")
    site_change: Weight = Field(15, description="points per change of site within a provider's day")
    patient_site_change: Weight = Field(0, description="points per change of site within a patient's day")
    waiting: Weight = Field(0, description="points per 15 full minutes that a patient waits between items of a day")
    notice_minutes: Count = Field(0, description="how long before a start its patient must hear of it, whole minutes")
    max_notified_moves: Weight | None = Field(
        None, description="most patients who have been told and are called again, a number; null: no limit"
    )
    moved: Weight = Field(5, description="points per visit or attendee moved or left out")
    moved_notified: Weight = Field(30, description="points per visit or attendee, told before, that is moved or left out")
    moved_notified_per_day: Weight = Field(5, description="points per day that such a visit or attendee moves")
    moved_notified_per_hour: Weight = Field(0, description="points per full hour that such a visit moves within its date")
    group_seat: PriorityWeights = Field(
        PriorityWeights(routine=20, soon=40, urgent=80, cancer=80), description="points per candidate who does not attend"
    )
    group_not_run: Weight = Field(2000, description="points per required group left out")
    reserve_missing: Weight = Field(250, description="points per reserve left out")


class Scenario(Model):
    """Everything one optimisation needs. Read it with :meth:`read`, which reports every fault of the file.

    A scenario made in Python is held to the same: it raises ``InvalidFile`` when it refers to something that it does not have.
    Defaults that depend on other keys (:mod:`scheduling.defaults`) are filled in.
    """

    format: Literal["clinicweave-scenario/1"] = Field(description="which sort of file this is")
    id: Id = Field(description="the scenario's name, which plans repeat")
    now: Stamp | None = Field(
        None, description="the moment of planning, wall-clock time in the clinic's zone; null: nothing has happened yet"
    )
    freeze_minutes: Minutes = Field(0, description="how far ahead of now nothing that stands may move, whole minutes")
    horizon: Horizon = Field(description="the dates that are planned")
    clinic: Clinic = Field(description="places, resources and services")
    providers: tuple[Provider, ...] = Field(description="those who give care")
    patients: tuple[Patient, ...] = Field(description="those who receive care")
    visits: tuple[Visit, ...] = Field(description="what is to be planned")
    links: tuple[Link, ...] = Field((), description="which visits follow others")
    groups: tuple[Group, ...] = Field((), description="group sessions to be planned")
    reserves: tuple[Reserve, ...] = Field((), description="capacity to hold for patients referred later")
    policy: Policy = Field(Policy(), description="what weighs how much")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Fill in what depends on other parts; the record is still being made."""
        self.__dict__.update(complete_parts(self.clinic, self.horizon, self.providers, self.patients, self.visits))
        return self

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
        completed = {"clinic", "horizon", "providers", "patients", "visits"}
        parts |= complete_parts(**{name: part for name, part in parts.items() if name in completed})
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

    def service_of(self, visit: Visit) -> Service:
        """Return a visit's service as that visit needs it: of its own length, with its own equipment beside the service's.

        Turnover and recovery are the catalogue's. A visit without needs of its own has the very service of the clinic, and
        visits of like needs share one; its ``id`` is the service's in any case.
        """
        if visit.minutes is None and not visit.equipment:
            return self.services[visit.service]
        needs = (visit.service, visit.minutes, visit.equipment)
        if needs not in self._adapted_services:
            self._adapted_services[needs] = self.services[visit.service].adapt(visit.minutes, visit.equipment)
        return self._adapted_services[needs]

    @cached_property
    def _adapted_services(self) -> dict[tuple[str, int | None, tuple[str, ...]], Service]:
        return {}

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

    def travel_minutes(self, origin: str, destination: str) -> int:
        """Return the minutes between two locations: 0 within one, and where the clinic names none."""
        return self.clinic.travel_minutes(origin, destination)

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
