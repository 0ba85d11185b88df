"""The plan: any answer to a scenario, however it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field

from scheduling.clinic import Service
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Id, ItemKind, Model, Stamp
from scheduling.files import read_json, write_text, wrong_kind
from scheduling.references import validate_text
from scheduling.scenario import Scenario
from scheduling.timegrid import minutes_on

T = TypeVar("T")

PLAN_FORMAT = "clinicweave-plan/1"


class Booking(Model):
    """A time, a place and the people: what visits, group sessions and holds have in common."""

    start: Stamp = Field(description="when it starts, wall-clock time in the clinic's zone")
    end: Stamp = Field(description="when it ends, turnover and recovery apart, wall-clock time in the clinic's zone")
    location: Id = Field(description="the building")
    room: Id | None = Field(description="the room; null: none is needed")
    team: tuple[Id, ...] = Field(description="one provider for each seat of the service, in the order of the seats")
    supervisors: tuple[Id, ...] = Field(description="who supervises the trainees of the team")


class VisitBooking(Booking):
    """Where and when a visit takes place."""

    visit: Id = Field(description="which visit of the scenario")


class GroupBooking(Booking):
    """Where and when a group meets, and who attends."""

    group: Id = Field(description="which group of the scenario")
    attendees: tuple[Id, ...] = Field(description="the patients who attend")


class HoldBooking(Booking):
    """Capacity held for a reserve."""

    reserve: Id = Field(description="which reserve of the scenario")


class ShiftPlace(Model):
    """The location chosen for a provider's shift, named by its start."""

    provider: Id = Field(description="whose shift")
    start: Stamp = Field(description="when the shift starts, wall-clock time in the clinic's zone")
    location: Id = Field(description="where it is spent")


class Reason(Model):
    """Why a visit was left out: the rule that blocks it, and the finding in words."""

    rule: str = Field(description="the rule's name")
    detail: str = Field(description="the finding, for people")


class Unscheduled(Model):
    """A visit left out, and why."""

    visit: Id = Field(description="which visit of the scenario")
    reasons: tuple[Reason, ...] = Field(description="what keeps it out")


class Costs(Model):
    """The cost of a plan by component (``scheduling/README.md``, Costs)."""

    unscheduled: int = Field(0, description="points for visits left out")
    late: int = Field(0, description="points for days after target dates")
    delay: int = Field(0, description="points for days since visits could first take place")
    continuity: int = Field(0, description="points for visits without a preferred provider")
    site: int = Field(0, description="points for visits at a site that is not preferred")
    half: int = Field(0, description="points for visits in the half of the day that is not preferred")
    trips: int = Field(0, description="points for dates beyond each patient's first")
    moved: int = Field(0, description="points for what is not where it stands")
    group: int = Field(0, description="points for candidates without a seat, and required groups left out")
    reserve: int = Field(0, description="points for reserves left out")
    waiting: int = Field(0, description="points for patients who wait between items of a day")
    journeys: int = Field(0, description="points for patients' changes of site within a day")
    site_change: Annotated[int, Field(alias="site-change")] = Field(
        0, description="points for providers' changes of site within a day"
    )

    @classmethod
    def from_components(cls, components: Mapping[str, int]) -> Self:
        """Make costs of ``{component: cost}``; a component that is not named is 0."""
        return cls.model_validate(dict(components))

    def components(self) -> dict[str, int]:
        """Return the costs by component, as the file names them."""
        return self.model_dump()

    @property
    def total(self) -> int:
        """The cost."""
        return sum(self.components().values())


COMPONENTS = tuple(field.alias or name for name, field in Costs.model_fields.items())

Status = Literal["optimal", "feasible", "unknown"]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a plan breaks: its name, the ids it concerns, and the finding (ids only, no names of patients)."""

    rule: str
    ids: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Item:
    """A planned visit, group session or hold, beside its service (:meth:`Scenario.service_of`).

    Minutes count from its date's midnight.
    """

    kind: ItemKind
    id: str
    service: Service
    patients: tuple[str, ...]
    booking: Booking
    date: date
    start_minute: int
    end_minute: int

    @property
    def turnover_end_minute(self) -> int:
        """The minute at which the room is free again."""
        return self.end_minute + self.service.turnover

    @property
    def recovery_end_minute(self) -> int:
        """The minute at which the patients leave."""
        return self.end_minute + self.service.recovery

    @property
    def commitments(self) -> Iterator[str]:
        """The providers who are in the team or supervise."""
        yield from self.booking.team
        yield from self.booking.supervisors

    @property
    def bays(self) -> int:
        """Recovery bays taken: one for each patient; a hold stands for one patient."""
        return 1 if self.kind == "hold" else len(self.patients)


class Plan(Model):
    """An answer to a scenario, with its cost, a proven bound, and what was left out."""

    format: Literal["clinicweave-plan/1"] = Field(description="which sort of file this is")
    scenario: Id = Field(description="the id of the scenario that it answers")
    status: Status = Field(
        description="optimal: no plan is cheaper; feasible: it keeps every rule; unknown: the search found none"
    )
    cost: int = Field(description="points, the sum of the components")
    bound: int | None = Field(description="points that every plan costs at least, proven; null: none is known")
    costs: Costs = Field(description="points by component; one that is absent is 0")
    visits: tuple[VisitBooking, ...] = Field(description="the planned visits")
    groups: tuple[GroupBooking, ...] = Field(description="the planned group sessions")
    holds: tuple[HoldBooking, ...] = Field(description="the reserves for which capacity is held")
    shifts: tuple[ShiftPlace, ...] = Field(description="the location chosen for each shift that is used")
    unscheduled: tuple[Unscheduled, ...] = Field(description="the visits left out")

    @classmethod
    def read(cls, path: Path | str, scenario: Scenario) -> Self:
        """Read a plan file and hold it against its scenario. Raises ``InvalidFile`` with every fault."""
        return cls.parse(read_json(Path(path)), scenario, str(path))

    @classmethod
    def parse(cls, text: bytes | str, scenario: Scenario, source: str = "plan") -> Self:
        """Validate a plan from JSON text. Raises ``InvalidFile``."""
        plan, misshapen = validate_text(cls, text)
        faults = [fault for _, fault in misshapen] if plan is None else list(find_plan_faults(scenario, plan))
        if plan is None or faults:
            raise InvalidFile(source, wrong_kind(text, "plan") or faults)
        return plan

    def write(self, path: Path | str) -> None:
        """Write the plan file whole, or leave what was there."""
        write_text(Path(path), self.model_dump_json(indent=1) + "\n")

    @cached_property
    def visits_by_id(self) -> Mapping[str, VisitBooking]:
        """The planned visits by id."""
        return MappingProxyType({booking.visit: booking for booking in self.visits})

    @cached_property
    def groups_by_id(self) -> Mapping[str, GroupBooking]:
        """The planned group sessions by id."""
        return MappingProxyType({booking.group: booking for booking in self.groups})

    def items(self, scenario: Scenario) -> tuple[Item, ...]:
        """Return every planned item beside its service: visits, then groups, then holds."""
        return self.derive(scenario, _list_items)

    def derive(self, scenario: Scenario, make: Callable[[Scenario, Self], T]) -> T:
        """Return what a function makes of the scenario last asked for and the plan: it is made once, and nobody changes it."""
        known, things = self._derived[0] if self._derived else (None, {})
        if known is not scenario:
            things = {}
            self._derived[:] = [(scenario, things)]
        if make not in things:
            things[make] = make(scenario, self)
        thing: T = things[make]
        return thing

    def priced(self, costs: Costs) -> Self:
        """Return the plan at what it costs; what was derived of it is so still."""
        plan = self.changed(cost=costs.total, costs=costs)
        plan.__dict__["_derived"] = self._derived
        return plan

    @cached_property
    def _derived(self) -> list[tuple[Scenario, dict[Callable[..., Any], Any]]]:
        """The scenario last asked for, and what was made of it: cached like a property, so that equality is of fields alone."""
        return []


def _list_items(scenario: Scenario, plan: Plan) -> tuple[Item, ...]:
    return tuple(_items(scenario, plan))


def _item(kind: ItemKind, identifier: str, service: Service, patients: Sequence[str], b: Booking) -> Item:
    day = b.start.date()
    return Item(kind, identifier, service, tuple(patients), b, day, minutes_on(b.start, day), minutes_on(b.end, day))


def _items(scenario: Scenario, plan: Plan) -> Iterator[Item]:
    for booking in plan.visits:
        visit = scenario.visits_by_id[booking.visit]
        yield _item("visit", visit.id, scenario.service_of(visit), [visit.patient], booking)
    for session in plan.groups:
        group = scenario.groups_by_id[session.group]
        yield _item("group", group.id, scenario.services[group.service], session.attendees, session)
    for hold in plan.holds:
        reserve = scenario.reserves_by_id[hold.reserve]
        yield _item("hold", reserve.id, scenario.services[reserve.service], (), hold)


def find_plan_faults(scenario: Scenario, plan: Plan) -> Iterator[Fault]:
    """Yield what makes a plan no answer to a scenario at all: foreign or repeated ids, wrong ends, missing visits."""
    if plan.scenario != scenario.id:
        yield Fault("scenario", f'the plan answers "{plan.scenario}", not "{scenario.id}"')
    sections: tuple[tuple[str, str, Sequence[Any], Mapping[str, Any]], ...] = (
        ("visits", "visit", plan.visits, scenario.visits_by_id),
        ("groups", "group", plan.groups, scenario.groups_by_id),
        ("holds", "reserve", plan.holds, scenario.reserves_by_id),
    )
    for section, key, bookings, asked in sections:
        seen: set[str] = set()
        for index, booking in enumerate(bookings):
            path, identifier = f"{section}[{index}]", getattr(booking, key)
            if identifier not in asked:
                yield Fault(f"{path}.{key}", f'unknown {key} "{identifier}"')
                continue
            if identifier in seen:
                yield Fault(f"{path}.{key}", f'"{identifier}" is planned twice')
            seen.add(identifier)
            service = scenario.service_of(asked[identifier]) if key == "visit" else scenario.services[asked[identifier].service]
            yield from _booking_faults(scenario, path, booking, service)
    for index, place in enumerate(plan.shifts):
        shifts = scenario.providers_by_id[place.provider].shifts if place.provider in scenario.providers_by_id else ()
        if place.start not in {shift.start for shift in shifts}:
            yield Fault(f"shifts[{index}]", f'"{place.provider}" has no shift that starts at {place.start.isoformat()}')
        if place.location not in scenario.locations:
            yield Fault(f"shifts[{index}].location", f'unknown location "{place.location}"')
    yield from _accounted(scenario, plan)


def _booking_faults(scenario: Scenario, path: str, booking: Booking, service: Service) -> Iterator[Fault]:
    if (booking.end - booking.start).total_seconds() != service.minutes * 60:
        yield Fault(f"{path}.end", f"{service.id} takes {service.minutes} minutes")
    if booking.location not in scenario.locations:
        yield Fault(f"{path}.location", f'unknown location "{booking.location}"')
    if booking.room is not None and booking.room not in scenario.rooms:
        yield Fault(f"{path}.room", f'unknown room "{booking.room}"')
    for field in ("team", "supervisors"):
        for index, provider in enumerate(getattr(booking, field)):
            if provider not in scenario.providers_by_id:
                yield Fault(f"{path}.{field}[{index}]", f'unknown provider "{provider}"')
    for index, patient in enumerate(getattr(booking, "attendees", ())):
        if patient not in scenario.patients_by_id:
            yield Fault(f"{path}.attendees[{index}]", f'unknown patient "{patient}"')


def _accounted(scenario: Scenario, plan: Plan) -> Iterator[Fault]:
    planned = {booking.visit for booking in plan.visits}
    left_out: set[str] = set()
    for index, left in enumerate(plan.unscheduled):
        if left.visit not in scenario.visits_by_id:
            yield Fault(f"unscheduled[{index}].visit", f'unknown visit "{left.visit}"')
        elif left.visit in planned or left.visit in left_out:
            yield Fault(f"unscheduled[{index}].visit", f'"{left.visit}" stands in the plan already')
        left_out.add(left.visit)
    for visit in scenario.visits:
        if visit.id not in planned and visit.id not in left_out:
            yield Fault("visits", f'"{visit.id}" is neither planned nor unscheduled')
