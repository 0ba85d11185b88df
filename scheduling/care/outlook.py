"""The outlook: what is asked of skills, rooms and sites in the weeks to come, and how long a new patient will wait.

A fluid model: visits are minutes, and minutes flow. In each week

- the *capacity* of a skill at a site is the working time there of everybody who has it (trainees apart), without meetings,
  closures and the hours of special clinics; who has several skills first gives their time to the scarcer ones. Special clinics
  are capacities of their own. That of a kind of room is its rooms times the hours in which anybody works in the building;
- the *demand* is what stands and what is open, spread evenly over the weeks between a visit's earliest and target dates, what
  is overdue in the first; sessions of programmes; and what patients to come will ask for, at the rate at which they came, each
  visit of their pathways as early as its lags allow. A service that is given at two sites is shared as its first skill is.

A patient who comes today waits behind all that is known today, and before whoever comes later (first come, first served): they
are seen in the first week by whose end the usable part of the capacity so far exceeds the known demand so far by the visit, of
every skill and of the room at one site. Urgent patients wait less, for they pass others and have capacity held for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from scheduling import catalogue
from scheduling.care.duty import UncoveredHalf, find_uncovered_halves
from scheduling.care.rolling import ClinicRecords
from scheduling.care.windows import list_open_steps
from scheduling.clinic import Block, Closure, Service
from scheduling.fields import Interval
from scheduling.people import Provider, Shift
from scheduling.special_clinics import pick_block_staff
from scheduling.timegrid import WEEKDAYS, minute_of_day
from scheduling.working_time import count_working_minutes

DAYS = len(WEEKDAYS)
MONTHS_A_YEAR, WEEKS_A_YEAR = 12, 52

ResourceKind = Literal["skill", "room", "special-clinic"]


class Resource(NamedTuple):
    """Something whose time is asked for: a skill or a kind of room at a site, or a special clinic."""

    kind: ResourceKind
    name: str
    site: str


@dataclass(frozen=True, slots=True)
class ResourceLoad:
    """What is asked of a resource week by week, and what it can give; minutes."""

    resource: Resource
    demand: tuple[int, ...]
    capacity: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExpectedWait:
    """How long a new patient waits for a service, days; None: for longer than the outlook reaches. ``scarce`` decides it."""

    service: str
    days: int | None
    scarce: Resource | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """The weeks' first days, the loads of all resources, and the waits of all services that a pathway begins with.

    ``uncovered``: the half-days of the roster on which nobody could see who is referred that day.
    """

    weeks: tuple[date, ...]
    loads: tuple[ResourceLoad, ...]
    waits: tuple[ExpectedWait, ...]
    uncovered: tuple[UncoveredHalf, ...]


def estimate_outlook(records: ClinicRecords, first: date, weeks: int, today: date, arrivals: Mapping[str, float]) -> Outlook:
    """Return the outlook of some weeks.

    Parameters
    ----------
    first : date
        The Monday on which it begins.
    arrivals : mapping
        Patients that come in a week, by pathway.
    """
    model = _Model(records, first, weeks, today)
    known, future, none = model.known(), model.to_come(arrivals), [0.0] * weeks
    asked = {
        resource: _add_flows(known.get(resource, none), future.get(resource, none)) for resource in known.keys() | future.keys()
    }
    capacity = model.capacities(asked)
    loads = tuple(
        ResourceLoad(resource, _round_flow(asked.get(resource, none)), _round_flow(capacity.get(resource, none)))
        for resource in sorted(capacity.keys() | asked.keys())
    )
    begins = sorted({pathway.steps[0].service for pathway in records.pathways.values()} & model.services.keys())
    waits = tuple(model.wait(model.services[name], known, capacity) for name in begins)
    starts = tuple(first + timedelta(weeks=n) for n in range(weeks))
    return Outlook(starts, loads, waits, find_uncovered_halves(records, first, weeks))


Flow = list[float]
"""Minutes, week by week."""


def _add_flows(first: Sequence[float], second: Sequence[float]) -> Flow:
    return [a + b for a, b in zip(first, second, strict=True)]


def _round_flow(flow: Iterable[float]) -> tuple[int, ...]:
    return tuple(round(minutes) for minutes in flow)


class _Model:
    """Time at work, and what is asked of it."""

    def __init__(self, records: ClinicRecords, first: date, weeks: int, today: date) -> None:
        self._records, self._first, self._weeks, self._today = records, first, weeks, today
        self.services = {service.id: service for service in records.clinic.services}
        self._sites = {location.id: location.site for location in records.clinic.locations}
        self._blocks = {name: block for block in records.clinic.blocks for name in block.services}
        self._staff = [provider for provider in records.providers if not provider.trainee]
        self._shifts: dict[date, list[tuple[Provider, Shift]]] = defaultdict(list)
        for provider in self._staff:
            for shift in provider.shifts:
                self._shifts[shift.start.date()].append((provider, shift))
        self._block_staff = {
            (block.id, day): pick_block_staff(block, records.clinic, records.providers, day)
            for block in records.clinic.blocks
            for day in (self._get_block_day(block, week) for week in range(weeks))
        }
        self._work = {
            (week, provider.id): self._get_minutes_by_site(provider, week) for week in range(weeks) for provider in self._staff
        }

    # ---- What there is ----

    def capacities(self, demand: Mapping[Resource, Sequence[float]]) -> dict[Resource, Flow]:
        """Return what every resource can give, when those with several skills give their time to the scarcer ones first."""
        capacities: dict[Resource, Flow] = defaultdict(lambda: [0.0] * self._weeks)
        for week in range(self._weeks):
            for site in dict.fromkeys(self._sites.values()):
                for skill, minutes in self._share_out(week, site, demand).items():
                    capacities[Resource("skill", skill, site)][week] = minutes
            for resource, minutes in self._list_room_minutes(week):
                capacities[resource][week] += minutes
            for block in self._records.clinic.blocks:
                capacities[Resource("special-clinic", block.id, self._sites[block.location])][week] = self._count_block_minutes(
                    block, week
                )
        return dict(capacities)

    def _get_minutes_by_site(self, provider: Provider, week: int) -> dict[str, float]:
        """Return the working time of a week by site, special clinics apart."""
        clinics = (hours for block in self._records.clinic.blocks for hours in self._list_reserved_hours(block, provider, week))
        free = provider.changed(busy=(*provider.busy, *clinics))
        minutes_by_site: dict[str, float] = defaultdict(float)
        for day in (self._first + timedelta(days=DAYS * week + n) for n in range(DAYS)):
            shifts = [shift for who, shift in self._shifts.get(day, ()) if who is provider]
            each = [
                count_working_minutes(free.changed(shifts=(shift,)), self._list_closures(shift.locations)) for shift in shifts
            ]
            part = min(1.0, provider.max_minutes_per_day / sum(each)) if sum(each) else 0.0
            for shift, minutes in zip(shifts, each, strict=True):
                for location in shift.locations:
                    minutes_by_site[self._sites[location]] += part * minutes / len(shift.locations)
        return dict(minutes_by_site)

    def _share_out(self, week: int, site: str, demand: Mapping[Resource, Sequence[float]]) -> dict[str, float]:
        left = {provider.id: self._work[week, provider.id].get(site, 0.0) for provider in self._staff}
        having: dict[str, list[Provider]] = defaultdict(list)
        for provider in sorted(self._staff, key=lambda provider: (len(provider.skills), provider.id)):
            for skill in provider.skills:
                having[skill].append(provider)
        minutes_by_skill: dict[str, float] = {}
        for skill in sorted(having, key=lambda name: (sum(left[provider.id] for provider in having[name]), name)):
            minutes_by_skill[skill] = sum(left[provider.id] for provider in having[skill])
            asked = demand.get(Resource("skill", skill, site), [0.0] * self._weeks)[week]
            for provider in having[skill]:
                given = min(asked, left[provider.id])
                left[provider.id] -= given
                asked -= given
        return minutes_by_skill

    def _list_room_minutes(self, week: int) -> Iterator[tuple[Resource, float]]:
        for location in self._records.clinic.locations:
            minutes = sum(
                self._count_open_minutes(location.id, self._first + timedelta(days=DAYS * week + n)) for n in range(DAYS)
            )
            for room in self._records.clinic.rooms:
                if room.location == location.id:
                    yield Resource("room", room.kind, location.site), minutes

    def _count_open_minutes(self, location: str, day: date) -> float:
        """Return the minutes from when the first begins to work in a building until the last ends, closures apart."""
        here = [shift for _, shift in self._shifts.get(day, ()) if location in shift.locations]
        if not here:
            return 0.0
        start, end = min(shift.start for shift in here), max(shift.end for shift in here)
        closed = ((max(start, closure.start), min(end, closure.end)) for closure in self._list_closures((location,)))
        return (end - start).total_seconds() / 60 - sum(max(0.0, (b - a).total_seconds() / 60) for a, b in closed)

    def _list_closures(self, locations: Sequence[str]) -> tuple[Closure, ...]:
        """Return the closures that take away work which may be done at some locations: those of all of them."""
        every = self._records.clinic.closures
        return tuple(closure for closure in every if all(closure.closes_location(location) for location in locations))

    def _get_block_day(self, block: Block, week: int) -> date:
        return self._first + timedelta(days=DAYS * week + WEEKDAYS.index(block.weekday))

    def _count_block_minutes(self, block: Block, week: int) -> float:
        day = self._get_block_day(block, week)
        hours = minute_of_day(block.end) - minute_of_day(block.start)
        needed = [skill for name in block.services for seat in self.services[name].team for skill in seat.any_of]
        at_work = [who for who, shift in self._shifts.get(day, ()) if block.location in shift.locations]
        here = [who for who in at_work if who.id in block.providers]
        lanes = [sum(skill in provider.skills for provider in here) for skill in needed]
        return float(hours * min(lanes, default=0))

    def _list_reserved_hours(self, block: Block, provider: Provider, week: int) -> Iterator[Interval]:
        day = self._get_block_day(block, week)
        if provider.id in self._block_staff[block.id, day]:
            yield Interval(start=datetime.combine(day, block.start), end=datetime.combine(day, block.end))

    # ---- What is asked ----

    def known(self) -> dict[Resource, Flow]:
        """Return what is asked by all that is known today."""
        visits: dict[str, Flow] = defaultdict(lambda: [0.0] * self._weeks)
        for episode in self._records.episodes:
            for step in list_open_steps(episode, self._records.pathways[episode.pathway], self._today):
                last = step.planned.date if step.planned else step.target or step.latest or step.earliest
                begin = step.planned.date if step.planned else step.earliest
                self._spread(visits[step.service], begin, max(begin, last))
        for visit in self._records.others:
            day = visit.current.start.date() if visit.current else visit.earliest
            self._spread(visits[visit.service], day, max(day, visit.target or day))
        for programme in self._records.programmes:
            for week in range(self._weeks):
                visits[programme.service][week] += MONTHS_A_YEAR / WEEKS_A_YEAR
        return self._convert_to_minutes(visits)

    def to_come(self, arrivals: Mapping[str, float]) -> dict[Resource, Flow]:
        """Return what patients who come from now on will ask for."""
        visits: dict[str, Flow] = defaultdict(lambda: [0.0] * self._weeks)
        for name, rate in arrivals.items():
            offset = 0
            for stage in self._records.pathways[name].course():
                offset += stage.lag.min_days
                for week in range(offset // DAYS, self._weeks):
                    visits[stage.service][week] += rate
        return self._convert_to_minutes(visits)

    def _spread(self, flow: Flow, begin: date, last: date) -> None:
        """Add one visit, evenly over the weeks in which it may be; none when that is after them all."""
        if self._get_week(begin) >= self._weeks:
            return
        weeks = range(max(0, self._get_week(begin)), max(0, min(self._weeks - 1, self._get_week(last))) + 1)
        whole = max(1, self._get_week(last) - weeks[0] + 1)
        for week in weeks:
            flow[week] += 1 / whole

    def _convert_to_minutes(self, visits: Mapping[str, Flow]) -> dict[Resource, Flow]:
        flows: dict[Resource, Flow] = defaultdict(lambda: [0.0] * self._weeks)
        for name, flow in visits.items():
            service = self.services.get(name)
            if service is None:
                continue
            for site in self._list_sites(service):
                for resource, minutes in self._list_needs(service, site):
                    for week, number in enumerate(flow):
                        flows[resource][week] += number * minutes * self._get_site_share(service, site, week)
        return dict(flows)

    def _list_needs(self, service: Service, site: str) -> Iterator[tuple[Resource, int]]:
        """Yield what a visit takes at a site: of every seat, the first skill; of a special clinic, its hours alone."""
        if service.id in self._blocks:
            yield Resource("special-clinic", self._blocks[service.id].id, site), service.minutes
            return
        for seat in service.team:
            yield Resource("skill", seat.any_of[0], site), service.minutes
        if service.room is not None:
            yield Resource("room", service.room.kind, site), service.minutes + service.turnover

    def _list_sites(self, service: Service) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._sites[location] for location in service.locations))

    def _get_site_share(self, service: Service, site: str, week: int) -> float:
        """Return the part of a service that a site gives in a week."""
        sites = self._list_sites(service)
        skilled = [provider for provider in self._staff if not service.team or provider.can_fill(service.team[0].any_of)]
        time = {where: sum(self._work[week, provider.id].get(where, 0.0) for provider in skilled) for where in sites}
        whole = sum(time.values())
        return time[site] / whole if whole else float(site == sites[0])

    # ---- What follows ----

    def wait(self, service: Service, known: Mapping[Resource, Flow], capacity: Mapping[Resource, Flow]) -> ExpectedWait:
        """Return how long a new patient waits for a service, at the site where it is shortest."""
        waits = [self._wait_at(service, site, known, capacity) for site in self._list_sites(service)]
        return min(waits, key=lambda wait: (wait.days is None, wait.days or 0))

    def _wait_at(
        self, service: Service, site: str, known: Mapping[Resource, Flow], capacity: Mapping[Resource, Flow]
    ) -> ExpectedWait:
        longest = ExpectedWait(service.id, 0, None)
        none = [0.0] * self._weeks
        usable = catalogue.get_limits().usable_percent / 100
        for resource, minutes in self._list_needs(service, site):
            free, days = 0.0, None
            for week, (given, asked) in enumerate(zip(capacity.get(resource, none), known.get(resource, none), strict=True)):
                net = given * usable - asked
                if free + net >= minutes:
                    part = min(1.0, max(0.0, (minutes - free) / net)) if net > 0 else 0.0
                    days = (self._first - self._today).days + round(DAYS * (week + part))
                    break
                free += net
            if days is None:
                return ExpectedWait(service.id, None, resource)
            if longest.days is not None and days > longest.days:
                longest = ExpectedWait(service.id, days, resource)
        return longest

    def _get_week(self, day: date) -> int:
        return (day - self._first).days // DAYS
