"""The world of a simulation: who is referred when, who comes, what comes of it, who falls ill. The same for every policy.

Every draw has random numbers of its own, named by what it decides: two policies that ask the same question, at whatever
moment, hear the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from math import exp
from random import Random

from pydantic import Field

from api.services.care.episodes import ReportedEvent
from scheduling import catalogue
from scheduling.catalogue import parse_toml
from scheduling.catalogue.entries import ClockInterval
from scheduling.clinic import Closure
from scheduling.fields import ONE_DAY, Clock, Count, Id, Interval, Model, Priority
from scheduling.generate.dates import Dates, make_dates
from scheduling.generate.profile import Range, Share, load_profile
from scheduling.generate.roster import draw_roster
from scheduling.pathways import Occurrence, Pathway, Step
from scheduling.people import Patient, Provider, Shift
from scheduling.timegrid import minute_of_day, stamp

OPENS, CLOSES = 8 * 60, 17 * 60
"""Minutes of the day between which patients are referred."""


class ReferralMix(Model):
    """Referrals to a pathway: how many a week, and the weights of their priorities."""

    pathway: Id
    per_week: float = Field(ge=0)
    priorities: Mapping[Priority, Count]


class Rounds(ClockInterval):
    """Hours at the bedside: where, by which role, and the location that is too far off to be there as well on one day."""

    location: Id
    role: Id
    too_far: Id


class Bedside(Model):
    """Patients who stay in the hospital: the pathway by which they are referred, and the sites at which they are seen."""

    pathway: Id
    sites: tuple[Id, ...]


class Refills(Model):
    """Patients who have a pump at first: how many, their pathway and its service, and days from a refill to a low reservoir."""

    patients: Count
    pathway: Id
    service: Id
    reservoir_days: Range


class Mix(Model):
    """All of ``mix.toml``."""

    no_show_share: Share
    cancel_share: Share
    cancel_days: Range
    illness_share: Share
    illness_days: Range
    holiday_weeks: Count
    closure_share: Share
    same_day_until: Clock
    group_requests_per_week: Count
    members: Range
    closing_location: Id
    pumps: Refills
    bedside: Bedside
    rounds: Rounds
    staff: Mapping[str, Count]
    outcomes: Mapping[str, Share]
    referrals: tuple[ReferralMix, ...]


@cache
def mix() -> Mix:
    """Return what a simulated clinic is asked for."""
    return parse_toml(Mix, files("api.simulation").joinpath("mix.toml").read_text(encoding="utf-8"), "mix.toml")


@dataclass(frozen=True)
class SimulatedReferral:
    """A patient who is referred."""

    id: str
    known: datetime
    pathway: str
    priority: Priority
    patient: Patient


@dataclass(frozen=True)
class Absence:
    """A provider who is ill for some days, as is known on the morning of the first."""

    provider: str
    first: date
    days: int

    @property
    def interval(self) -> Interval:
        """The time away."""
        return Interval(start=stamp(self.first, 0), end=stamp(self.first + timedelta(days=self.days), 0))


class World:
    """Everything that chance decides.

    Parameters
    ----------
    scale
        Of the referrals a week; 1 makes some 500 visits.
    """

    def __init__(self, seed: int, start: date, weeks: int, scale: float = 1.0) -> None:
        self.seed, self.start, self.weeks = seed, start, weeks
        self._scale, self._mix = scale, mix()
        data = load_profile()
        size = data.sizes["week"].changed(weeks=weeks + 2, training=False)
        self.dates: Dates = make_dates(start, size, data)
        counted = (team.changed(count=team.count.changed(week=self._mix.staff[team.role])) for team in data.staff.teams)
        data = data.changed(staff=data.staff.changed(teams=tuple(counted)))
        staff = draw_roster(data, "week", self.dates, self._random("roster"))
        self.providers: tuple[Provider, ...] = tuple(self._with_rounds(self._with_holidays(provider)) for provider in staff)
        self._sites, self._halves = data.patients.sites, data.patients.halves

    def _random(self, *names: object) -> Random:
        return Random(":".join(map(str, (self.seed, *names))))

    # ---- Staff and places ----

    def _with_holidays(self, provider: Provider) -> Provider:
        """Return a provider without the shifts of their holidays, drawn once a quarter."""
        if provider.role == "palliative-physician":
            return provider
        away: set[int] = set()
        for quarter in range(0, self.weeks + 2, 13):
            for number in range(self._mix.holiday_weeks):
                away.add(quarter + self._random("holidays", provider.id, quarter, number).randrange(1, 13))
        kept = (shift for shift in provider.shifts if (shift.start.date() - self.start).days // 7 not in away)
        return provider.changed(shifts=tuple(kept))

    def _with_rounds(self, provider: Provider) -> Provider:
        """Let a physician for cancer pain see inpatients between others on the campus, and on rounds on days spent there."""
        if provider.role != self._mix.rounds.role:
            return provider
        begin, end = minute_of_day(self._mix.rounds.start), minute_of_day(self._mix.rounds.end)
        days = (day for day in self.dates.workdays if self._is_on_campus(provider, day))
        rounds = (Shift(start=stamp(day, begin), end=stamp(day, end), locations=(self._mix.rounds.location,)) for day in days)
        near = (
            shift if self._mix.rounds.too_far in shift.locations else shift.changed(also=(self._mix.rounds.location,))
            for shift in provider.shifts
        )
        return provider.changed(shifts=tuple(sorted((*near, *rounds), key=lambda shift: shift.start)))

    def _is_on_campus(self, provider: Provider, day: date) -> bool:
        """Return whether a provider is at work on a day, near the bedside all of it."""
        places = {where for shift in provider.shifts if shift.start.date() == day for where in shift.locations}
        return bool(places) and self._mix.rounds.too_far not in places

    def absences(self, monday: date) -> Iterator[Absence]:
        """Yield who falls ill in a week."""
        for provider in self.providers:
            rng = self._random("illness", provider.id, monday)
            if rng.random() < self._mix.illness_share:
                yield Absence(provider.id, monday + rng.randrange(5) * ONE_DAY, rng.randint(*self._mix.illness_days))

    def closure(self, monday: date) -> Closure | None:
        """Return the afternoon of a week on which a building closes, known that morning; None: there is none."""
        rng = self._random("closure", monday)
        if rng.random() >= self._mix.closure_share:
            return None
        day = monday + rng.randrange(5) * ONE_DAY
        where = self._mix.closing_location
        return Closure(start=stamp(day, 12 * 60), end=stamp(day, 18 * 60), location=where, reason="power failure")

    # ---- Patients ----

    def arrivals(self, day: date) -> list[SimulatedReferral]:
        """Return the referrals of a working day, in order."""
        arrivals = []
        for rule in self._mix.referrals:
            rng = self._random("arrivals", rule.pathway, day)
            for number in range(_poisson(rng, rule.per_week * self._scale / 5)):
                last = minute_of_day(self._mix.same_day_until) if _is_same_day(rule.pathway) else CLOSES
                known = stamp(day, rng.randrange(OPENS, last))
                priority = rng.choices(list(rule.priorities), list(rule.priorities.values()))[0]
                name = f"{rule.pathway}-{day}-{number + 1}"
                arrivals.append(SimulatedReferral(name, known, rule.pathway, priority, self.patient(name)))
        return sorted(arrivals, key=lambda arrival: (arrival.known, arrival.id))

    def patient(self, name: str) -> Patient:
        """Draw a patient."""
        rng = self._random("patient", name)
        sites = rng.choices(self._sites, [wish.weight for wish in self._sites])[0]
        half = rng.choices(self._halves, [wish.weight for wish in self._halves])[0]
        return Patient(
            id=f"p-{name}",
            name=f"Patient {name}",
            preferred_site=sites.preferred,
            allowed_sites=self._mix.bedside.sites if name.startswith(self._mix.bedside.pathway) else sites.allowed,
            unavailable=(),
            prefers=half.prefers,
        )

    def pumps(self, day: date) -> list[tuple[SimulatedReferral, date]]:
        """Return the patients who have a pump at first, with the dates until which those last."""
        pumps = []
        for number in range(round(self._mix.pumps.patients * self._scale)):
            name = f"pump-{number + 1}"
            arrival = SimulatedReferral(
                name, datetime.combine(day, time(9)), self._mix.pumps.pathway, "routine", self.patient(name)
            )
            days = self._random("reservoir", name).randint(12, self._mix.pumps.reservoir_days[-1])
            pumps.append((arrival, self.start + timedelta(days=days)))
        return pumps

    @property
    def days_of_notice(self) -> int:
        """Most days before a visit on which its patient calls it off."""
        return self._mix.cancel_days[-1]

    def comes(self, patient: str, day: date) -> bool:
        """Return whether a patient comes to what they have on a day."""
        return self._random("comes", patient, day).random() >= self._mix.no_show_share

    def cancels(self, visit: str, day: date) -> date | None:
        """Return when a patient calls off a visit that they have been told of; None: they do not."""
        rng = self._random("cancels", visit, day)
        if rng.random() >= self._mix.cancel_share:
            return None
        return day - rng.randint(*self._mix.cancel_days) * ONE_DAY

    # ---- What comes of care ----

    def outcome(self, patient: str, occurrence: Occurrence, step: Step) -> ReportedEvent | None:
        """Return what comes of a visit; None: nothing is decided by it."""
        if not step.outcomes or occurrence.number < step.times:
            return None
        rng = self._random("outcome", patient, occurrence)
        hoped = rng.random() < self._mix.outcomes[step.id]
        if step.relief_over_percent is not None:
            relief = rng.randint(step.relief_over_percent + 1, 95) if hoped else rng.randint(0, step.relief_over_percent)
            return ReportedEvent(kind="outcome", step=step.id, relief_percent=relief)
        return ReportedEvent(kind="outcome", step=step.id, outcome=step.outcomes[0 if hoped else 1].id)

    def low_reservoir(self, patient: str, pathway: Pathway, occurrence: Occurrence, day: date) -> ReportedEvent | None:
        """Return the low-reservoir date of a pump that was implanted or refilled on a day; None: it was another visit."""
        step = next((step for step in pathway.steps if step.deadline is not None), None)
        if step is None or occurrence.step not in (step.id, "implant"):
            return None
        days = self._random("reservoir", patient, occurrence).randint(*self._mix.pumps.reservoir_days)
        return ReportedEvent(kind="dated", name=step.deadline, date=day + timedelta(days=days))

    # ---- Groups ----

    def group_requests(self, monday: date) -> list[tuple[str, Patient]]:
        """Return who asks for a seat in which group, in a week."""
        rng = self._random("groups", monday)
        offered = [workshop.id for workshop in catalogue.list_workshops()]
        count = round(self._mix.group_requests_per_week * self._scale)
        return [(rng.choice(offered), self.patient(f"group-{monday}-{number + 1}")) for number in range(count)]

    def members(self, programme: str) -> list[Patient]:
        """Return the members of a group at first."""
        count = self._random("members", programme).randint(*self._mix.members)
        return [self.patient(f"member-{programme}-{number + 1}") for number in range(count)]


def _is_same_day(pathway: str) -> bool:
    return catalogue.get_pathway(pathway).steps[0].same_day


def _poisson(rng: Random, mean: float) -> int:
    """Draw a Poisson number (Knuth, The Art of Computer Programming 2, 3.4.1)."""
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
