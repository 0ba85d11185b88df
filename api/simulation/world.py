"""The world of a simulation: who is referred when, who comes, what comes of it, who falls ill. The same for every policy.

Every draw has random numbers of its own, named by what it decides: two policies that ask the same question, at whatever
moment, hear the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import exp
from random import Random

from api.services.care.episodes import ReportedEvent
from api.simulation.setting import Setting, draw, draw_setting
from scheduling import catalogue
from scheduling.clinic import Closure
from scheduling.fields import ONE_DAY, Interval, Priority
from scheduling.pathways import Occurrence, Pathway, Step
from scheduling.people import Patient
from scheduling.timegrid import minute_of_day, stamp

OPENS, CLOSES = 8 * 60, 17 * 60
"""Minutes of the day between which patients are referred."""


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
    setting
        What it is about; None: the pain centre.
    """

    def __init__(self, seed: int, start: date, weeks: int, scale: float = 1.0, setting: Setting | None = None) -> None:
        self.seed, self.start, self.weeks = seed, start, weeks
        self._scale = scale
        self.setting = draw_setting(seed, start, weeks) if setting is None else setting
        self.dates, self.providers, self._mix = self.setting.dates, self.setting.providers, self.setting.mix

    def _random(self, *names: object) -> Random:
        return draw(self.seed, *names)

    # ---- Staff and places ----

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
        sites = rng.choices(self.setting.sites, [wish.weight for wish in self.setting.sites])[0]
        bedside = self._mix.bedside
        half = rng.choices(self.setting.halves, [wish.weight for wish in self.setting.halves])[0]
        return Patient(
            id=f"p-{name}",
            name=f"Patient {name}",
            preferred_site=sites.preferred,
            allowed_sites=bedside.sites if bedside is not None and name.startswith(bedside.pathway) else sites.allowed,
            unavailable=(),
            prefers=half.prefers,
        )

    def pumps(self, day: date) -> list[tuple[SimulatedReferral, date]]:
        """Return the patients who have a pump at first, with the dates until which those last."""
        pumps, mix = list[tuple[SimulatedReferral, date]](), self._mix.pumps
        if mix is None:
            return pumps
        for number in range(round(mix.patients * self._scale)):
            name = f"pump-{number + 1}"
            arrival = SimulatedReferral(name, datetime.combine(day, time(9)), mix.pathway, "routine", self.patient(name))
            days = self._random("reservoir", name).randint(12, mix.reservoir_days[-1])
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
        hoped = rng.random() < self._mix.outcomes.get(step.id, self._mix.hoped_share)
        if step.relief_over_percent is not None:
            relief = rng.randint(step.relief_over_percent + 1, 95) if hoped else rng.randint(0, step.relief_over_percent)
            return ReportedEvent(kind="outcome", step=step.id, relief_percent=relief)
        return ReportedEvent(kind="outcome", step=step.id, outcome=step.outcomes[0 if hoped else 1].id)

    def low_reservoir(self, patient: str, pathway: Pathway, occurrence: Occurrence, day: date) -> ReportedEvent | None:
        """Return the low-reservoir date of a pump that was implanted or refilled on a day; None: it was another visit."""
        step = next((step for step in pathway.steps if step.deadline is not None), None)
        if self._mix.pumps is None or step is None or occurrence.step not in (step.id, "implant"):
            return None
        days = self._random("reservoir", patient, occurrence).randint(*self._mix.pumps.reservoir_days)
        return ReportedEvent(kind="dated", name=step.deadline, date=day + timedelta(days=days))

    # ---- Groups ----

    def group_requests(self, monday: date) -> list[tuple[str, Patient]]:
        """Return who asks for a seat in which group, in a week."""
        rng = self._random("groups", monday)
        offered = [workshop.id for workshop in catalogue.list_workshops()]
        count = round(self._mix.group_requests_per_week * self._scale) if offered else 0
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
