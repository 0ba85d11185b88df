"""Rolling weeks: the next horizon's scenario, from everything that is known today.

What is asked for is what episodes leave open and programmes are due; what stands in the published plan keeps its place as
``current``; capacity is held for referrals of the day as their history says. Nothing of a former scenario is carried over:
what was left out is open still, and has waited longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from scheduling import catalogue
from scheduling.agenda import Agenda, Alert, Preview, Subject, agenda
from scheduling.clinic import Clinic
from scheduling.episodes import Episode
from scheduling.fields import Horizon
from scheduling.pathways import Pathway
from scheduling.people import Patient, Provider
from scheduling.programmes import Programme, groups
from scheduling.requests import Current, CurrentGroup, Visit
from scheduling.reserves import SameDayReferral, reserves
from scheduling.scenario import Policy, Scenario
from scheduling.timegrid import WEEKDAYS, minutes_on
from scheduling.windows import on_weekdays


@dataclass(frozen=True)
class Book:
    """Everything that is known of a clinic on a day.

    Attributes
    ----------
    clinic : Clinic
        With its closures.
    providers : tuple of Provider
        With their shifts, as far as they are known.
    episodes, programmes : tuple
        Those that are open; others do no harm.
    current : mapping
        Where visits stand in the published plan, by visit.
    current_groups : mapping
        Where sessions stand in it, by programme and month.
    referrals : tuple of SameDayReferral
        Referrals of the day so far.
    others : tuple of Visit
        Visits that stand in the published plan and belong to no episode.
    """

    clinic: Clinic
    providers: tuple[Provider, ...]
    patients: tuple[Patient, ...]
    episodes: tuple[Episode, ...]
    programmes: tuple[Programme, ...] = ()
    current: Mapping[str, Current] = field(default_factory=dict)
    current_groups: Mapping[tuple[str, str], CurrentGroup] = field(default_factory=dict)
    referrals: tuple[SameDayReferral, ...] = ()
    others: tuple[Visit, ...] = ()
    policy: Policy = field(default_factory=catalogue.policy)
    freeze_minutes: int = field(default_factory=lambda: catalogue.limits().freeze_minutes)
    pathways: Mapping[str, Pathway] = field(default_factory=lambda: {one.id: one for one in catalogue.pathways()})


@dataclass(frozen=True)
class NextWeek:
    """A horizon's scenario, what lies beyond it, what will be too late, and what each visit is of which episode."""

    scenario: Scenario
    previews: tuple[Preview, ...]
    alerts: tuple[Alert, ...]
    subjects: Mapping[str, Subject]


def next_monday(day: date) -> date:
    """Return the first Monday after a day."""
    return day + timedelta(days=len(WEEKDAYS) - day.weekday())


def build_scenario(book: Book, weeks: int, now: datetime, start: date | None = None) -> NextWeek:
    """Return the scenario of the weeks to come.

    Parameters
    ----------
    weeks : int
        Length of the horizon, at least 1.
    now : datetime
        Wall-clock time in the clinic's zone.
    start : date, optional
        The horizon's first day; the Monday after ``now`` unless told otherwise.
    """
    first = next_monday(now.date()) if start is None else start
    horizon = Horizon(start=first, end=first + timedelta(weeks=weeks))
    is_open = _Calendar(book.clinic).is_open
    asked = agenda(book.episodes, book.pathways, horizon, now.date(), book.current, is_open)
    sessions = groups(book.programmes, horizon, lambda *key: book.current_groups.get(key), is_open, _Leaders(book).can_lead)
    visits = (*asked.visits, *book.others)
    wanted = {visit.patient for visit in visits} | {one.patient for group in sessions for one in group.candidates}
    scenario = Scenario(
        format="clinicweave-scenario/1",
        id=f"week-{first}" if weeks == 1 else f"weeks-{first}-{weeks}",
        now=now,
        freeze_minutes=book.freeze_minutes,
        horizon=horizon,
        clinic=book.clinic,
        providers=tuple(_within(provider, horizon) for provider in book.providers),
        patients=tuple(patient for patient in book.patients if patient.id in wanted),
        visits=visits,
        links=tuple(asked.links),
        groups=sessions,
        reserves=reserves(book.referrals, horizon, now.date(), is_open),
        policy=book.policy,
    )
    return _answer(scenario, asked)


def _answer(scenario: Scenario, asked: Agenda) -> NextWeek:
    return NextWeek(scenario, tuple(asked.previews), tuple(asked.alerts), asked.subjects)


def _within(provider: Provider, horizon: Horizon) -> Provider:
    """Return a provider with the shifts and meetings of a horizon."""
    shifts = tuple(one for one in provider.shifts if horizon.start <= one.start.date() < horizon.end)
    busy = tuple(one for one in provider.busy if one.end.date() >= horizon.start and one.start.date() < horizon.end)
    return provider.changed(shifts=shifts, busy=busy)


class _Calendar:
    """The days on which there is care: Monday to Friday, unless a closure of the whole clinic takes the day."""

    def __init__(self, clinic: Clinic) -> None:
        self._closed = {
            day
            for one in clinic.closures
            if one.location is None
            for day in (one.start.date() + timedelta(days=n) for n in range((one.end.date() - one.start.date()).days + 1))
            if minutes_on(one.start, day) <= 0 and minutes_on(one.end, day) >= LAST_MINUTE_OF_CARE
        }

    def is_open(self, day: date) -> bool:
        """Say whether there is care on a day."""
        return on_weekdays(day) and day not in self._closed


LAST_MINUTE_OF_CARE = 18 * 60
"""A closure from midnight to then or later takes the whole day."""


class _Leaders:
    """Who can lead a service, by day."""

    def __init__(self, book: Book) -> None:
        self._skills: dict[date, set[str]] = {}
        for provider in book.providers:
            if not provider.trainee:
                for shift in provider.shifts:
                    self._skills.setdefault(shift.start.date(), set()).update(provider.skills)
        self._team = {service.id: service.team for service in book.clinic.services}

    def can_lead(self, service: str, day: date) -> bool:
        """Say whether every seat of a service's team has somebody at work on a day."""
        return all(not self._skills.get(day, set()).isdisjoint(seat.any_of) for seat in self._team[service])
