"""Figures by which a scheduler judges a plan: how much is done, how soon, by whom, and what wishes it keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil
from statistics import median
from typing import get_args

from scheduling.costs import get_half
from scheduling.fields import Priority
from scheduling.people import Shift
from scheduling.plan import Plan
from scheduling.rules.patients import list_attendances, list_planned_visits
from scheduling.rules.providers import list_commitments
from scheduling.rules.stability import list_notified_moves
from scheduling.rules.sweep import Timed
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minutes_on

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
LONG_WAIT_PERCENT = 90
"""The percentile that stands for a long wait."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, in counts or in minutes."""

    part: int
    whole: int

    @property
    def ratio(self) -> float | None:
        """The part over the whole, None when there was nothing to have a part of."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class WaitingTime:
    """Days from a visit's earliest date to its planned date; None when nothing is planned."""

    median_days: float | None
    long_days: int | None


@dataclass(frozen=True, slots=True)
class Wishes:
    """Planned visits that keep a wish, of those that have one."""

    provider: Share
    site: Share
    half: Share


@dataclass(frozen=True, slots=True)
class Kpis:
    """The figures of a plan. Minutes of use are those of team members; supervision counts as none."""

    visits: Share
    visits_by_priority: Mapping[str, Share]
    wait: WaitingTime
    late_visits: Share
    provider_minutes: Share
    provider_minutes_by_role: Mapping[str, Share]
    provider_minutes_by_skill: Mapping[str, Share]
    room_minutes_by_kind: Mapping[str, Share]
    patients_with_extra_trips: Share
    wishes: Wishes
    holds: Share
    groups: Share
    group_seats: Share
    group_candidates: Share
    site_changes: int
    notified_moves: int


def compute_kpis(scenario: Scenario, plan: Plan) -> Kpis:
    """Return the figures of a plan, whether or not it keeps the rules."""
    attendees = sum(len(session.attendees) for session in plan.groups)
    return Kpis(
        visits=Share(len(plan.visits), len(scenario.visits)),
        visits_by_priority=_by_priority(scenario, plan),
        wait=_wait(scenario, plan),
        late_visits=_late(scenario, plan),
        provider_minutes=_provider_minutes(scenario, plan, (p.id for p in scenario.providers)),
        provider_minutes_by_role=_by_role(scenario, plan),
        provider_minutes_by_skill=_by_skill(scenario, plan),
        room_minutes_by_kind=_room_minutes(scenario, plan),
        patients_with_extra_trips=_extra_trips(scenario, plan),
        wishes=_wishes(scenario, plan),
        holds=Share(len(plan.holds), len(scenario.reserves)),
        groups=Share(len(plan.groups), len(scenario.groups)),
        group_seats=Share(attendees, sum(group.capacity for group in scenario.groups)),
        group_candidates=Share(attendees, sum(len(group.candidates) for group in scenario.groups)),
        site_changes=_site_changes(scenario, plan),
        notified_moves=sum(1 for _ in list_notified_moves(scenario, plan)),
    )


def _by_priority(scenario: Scenario, plan: Plan) -> Mapping[str, Share]:
    """Visits planned of visits asked for, for each priority that is asked for."""
    asked = {priority: [v for v in scenario.visits if v.priority == priority] for priority in PRIORITIES}
    return {
        priority: Share(sum(visit.id in plan.visits_by_id for visit in visits), len(visits))
        for priority, visits in asked.items()
        if visits
    }


def percentile(ordered: Sequence[int], percent: int) -> int:
    """Return the smallest value with at least ``percent`` of the values at or below it (nearest rank)."""
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def _wait(scenario: Scenario, plan: Plan) -> WaitingTime:
    days = sorted((item.date - visit.earliest).days for visit, item in list_planned_visits(scenario, plan))
    return WaitingTime(float(median(days)), percentile(days, LONG_WAIT_PERCENT)) if days else WaitingTime(None, None)


def _late(scenario: Scenario, plan: Plan) -> Share:
    """Planned visits after their target, of those that have one."""
    aimed = [item.date > visit.target for visit, item in list_planned_visits(scenario, plan) if visit.target is not None]
    return Share(sum(aimed), len(aimed))


def _provider_minutes(scenario: Scenario, plan: Plan, providers: Iterable[str]) -> Share:
    """Minutes of these providers in teams, of the minutes of their shifts on the planned dates."""
    chosen = set(providers)
    worked = sum(item.service.minutes * len(chosen.intersection(item.booking.team)) for item in plan.items(scenario))
    shifts = (shift for provider in chosen for shift in scenario.providers_by_id[provider].shifts)
    return Share(worked, sum(_minutes(shift) for shift in shifts if _planned(scenario, shift.start.date())))


def _minutes(shift: Shift) -> int:
    day = shift.start.date()
    return minutes_on(shift.end, day) - minutes_on(shift.start, day)


def _planned(scenario: Scenario, day: date) -> bool:
    return scenario.horizon.start <= day < scenario.horizon.end


def _by_role(scenario: Scenario, plan: Plan) -> Mapping[str, Share]:
    roles: dict[str, list[str]] = defaultdict(list)
    for provider in scenario.providers:
        roles[provider.role].append(provider.id)
    return {role: _provider_minutes(scenario, plan, members) for role, members in roles.items()}


def _by_skill(scenario: Scenario, plan: Plan) -> Mapping[str, Share]:
    """All minutes of everybody who has a skill, whatever they do with them: who has several counts for each."""
    skills: dict[str, list[str]] = defaultdict(list)
    for provider in scenario.providers:
        for skill in provider.skills:
            skills[skill].append(provider.id)
    return {skill: _provider_minutes(scenario, plan, members) for skill, members in skills.items()}


def _room_minutes(scenario: Scenario, plan: Plan) -> Mapping[str, Share]:
    """Minutes of use, cleaning included, of the minutes in which somebody could work at the room's location."""
    open_minutes = {location: _open_minutes(scenario, location) for location in scenario.locations}
    used: dict[str, int] = defaultdict(int)
    for item in plan.items(scenario):
        if item.booking.room is not None:
            used[scenario.rooms[item.booking.room].kind] += item.service.minutes + item.service.turnover
    whole: dict[str, int] = defaultdict(int)
    for room in scenario.clinic.rooms:
        whole[room.kind] += open_minutes[room.location]
    return {kind: Share(used[kind], minutes) for kind, minutes in whole.items()}


def _open_minutes(scenario: Scenario, location: str) -> int:
    """Minutes of the planned dates within a shift that may be at a location, its closures apart."""
    masks: dict[date, int] = defaultdict(int)
    for provider in scenario.providers:
        for shift in provider.shifts:
            if location in shift.locations and _planned(scenario, shift.start.date()):
                masks[shift.start.date()] |= _mask(shift, shift.start.date())
    for closure in scenario.clinic.closures:
        if closure.closes_location(location):
            for day in masks:
                masks[day] &= ~_mask(closure, day)
    return sum(mask.bit_count() for mask in masks.values())


def _mask(interval: Timed, day: date) -> int:
    """Return a day's minutes within an interval: bit ``k`` is the minute that starts ``k`` minutes after midnight."""
    start, end = (min(max(minutes_on(moment, day), 0), MINUTES_PER_DAY) for moment in (interval.start, interval.end))
    return (1 << end) - (1 << start)


def _extra_trips(scenario: Scenario, plan: Plan) -> Share:
    """Patients who have to come on more than one date, of those who come."""
    dates: dict[str, int] = defaultdict(int)
    for patient, _ in list_attendances(scenario, plan):
        dates[patient] += 1
    return Share(sum(count > 1 for count in dates.values()), len(dates))


def _wishes(scenario: Scenario, plan: Plan) -> Wishes:
    provider, site, half = [], [], []
    for visit, item in list_planned_visits(scenario, plan):
        patient = scenario.patients_by_id[visit.patient]
        if visit.preferred_providers:
            provider.append(not set(visit.preferred_providers).isdisjoint(item.booking.team))
        if patient.preferred_site is not None:
            site.append(patient.preferred_site == scenario.site(item.booking.location))
        if patient.prefers is not None:
            half.append(patient.prefers == get_half(item.start_minute))
    return Wishes(*(Share(sum(kept), len(kept)) for kept in (provider, site, half)))


def _site_changes(scenario: Scenario, plan: Plan) -> int:
    """Times that a provider's consecutive commitments of one day lie at different sites."""
    changes = 0
    for items in list_commitments(scenario, plan).values():
        ordered = sorted(items, key=lambda item: (item.start_minute, item.end_minute))
        changes += sum(site != other for site, other in pairwise(scenario.site(item.booking.location) for item in ordered))
    return changes
