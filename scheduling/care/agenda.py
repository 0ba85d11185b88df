"""The agenda of a horizon: what open steps ask of it, what lies beyond it, and what will be too late if nobody acts.

A step that can be within the horizon becomes a visit; it is linked to those before it that are in the horizon too. Visits that
go together are asked for where the horizon holds them all. A bundle that no horizon of the length holds is begun, on days
from which it can go on, and the rest is due in the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import dropwhile, takewhile
from typing import Literal

from scheduling.care.episodes import Episode
from scheduling.care.windows import IsCareDay, OpenStep, is_weekday, list_open_steps, list_void_visits
from scheduling.fields import ONE_DAY, Horizon, Priority
from scheduling.pathways import Lag, Occurrence, Pathway
from scheduling.requests import Current, Link, Visit

AlertKind = Literal[
    "late", "before-horizon", "last-horizon", "last-day", "outcome-awaited", "date-missing", "void", "impossible"
]
PRIORITIES: tuple[Priority, ...] = ("routine", "soon", "urgent")

LONGEST_BUNDLE_LAG = 14
"""Days after which a visit that goes together with one before it is looked for no further."""

MONDAY = date(2024, 1, 1)
"""Any Monday: that on which an ordinary horizon is tried."""


@dataclass(frozen=True, slots=True)
class VisitSubject:
    """What a visit is of an episode."""

    episode: str
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class Preview:
    """A visit beyond the horizon: its earliest and latest dates, as far as they are known."""

    episode: str
    patient: str
    occurrence: Occurrence
    service: str
    earliest: date
    latest: date | None
    certain: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that will be, or is, too late unless somebody acts.

    ``late``: the window is over. ``before-horizon``: it is over before the horizon begins. ``last-horizon``: it is over within
    the horizon, so that this is the last chance. ``last-day``: it has one day of care left in the horizon. ``outcome-awaited``:
    what came of a step is not recorded. ``date-missing``: the world's date is not known. ``void``: it stands in a plan, and
    nothing asks for it there any more. ``impossible``: it stands where a rule forbids it by now, as after a closure.
    """

    kind: AlertKind
    episode: str
    patient: str
    visit: str
    service: str
    latest: date | None


@dataclass
class Agenda:
    """What a horizon is asked for."""

    visits: list[Visit] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    subjects: dict[str, VisitSubject] = field(default_factory=dict)
    since: dict[str, date] = field(default_factory=dict)


def build_agenda(
    episodes: Iterable[Episode],
    pathways: Mapping[str, Pathway],
    horizon: Horizon,
    today: date,
    current: Mapping[str, Current],
    is_care_day: IsCareDay = is_weekday,
) -> Agenda:
    """Return what open episodes ask of a horizon.

    Parameters
    ----------
    current
        Where visits stand in the plan that people live by, by visit.
    is_care_day
        Says on which days a service is given.
    """
    agenda = Agenda()
    for episode in episodes:
        _Asking(agenda, episode, pathways[episode.pathway], horizon, today, current, is_care_day).ask()
    return agenda


def raise_priority(priority: Priority, target: date | None, day: date) -> Priority:
    """Return the priority of what waits on a day: the next higher one once its target is past, never that of cancer."""
    if target is None or target >= day or priority not in PRIORITIES[:-1]:
        return priority
    return PRIORITIES[PRIORITIES.index(priority) + 1]


Later = Sequence[tuple[str, Lag]]
"""Services that follow each other, each at its lag."""


def can_reach(day: date, later: Later, end: date | None, is_care_day: IsCareDay, patient: str | None = None) -> bool:
    """Return whether visits that follow one on a day, and each other, all find a day of care before an end."""
    if not later:
        return True
    (service, lag), rest = later[0], later[1:]
    most = LONGEST_BUNDLE_LAG if lag.max_days is None else lag.max_days
    days = (day + timedelta(days=n) for n in range(lag.min_days, most + 1))
    possible = (after for after in days if is_care_day(after, service, None, patient) and (end is None or after < end))
    return any(can_reach(after, rest, end, is_care_day, patient) for after in possible)


def can_fit(later: Later, days: int) -> bool:
    """Return whether a horizon of some days, from a Monday on and without holidays, holds visits that go together."""
    end = MONDAY + timedelta(days=days)
    starts = (MONDAY + timedelta(days=n) for n in range(days))
    return any(is_weekday(day) and can_reach(day, later, end, is_weekday) for day in starts)


class _Asking:
    """One episode and the horizon."""

    def __init__(
        self,
        agenda: Agenda,
        episode: Episode,
        pathway: Pathway,
        horizon: Horizon,
        today: date,
        current: Mapping[str, Current],
        is_care_day: IsCareDay,
    ) -> None:
        self._agenda, self._episode, self._pathway = agenda, episode, pathway
        self._start, self._end = horizon.start, horizon.end
        self._today, self._current, self._is_care_day = today, current, is_care_day
        self._steps = {step.occurrence: step for step in list_open_steps(episode, pathway, horizon.start, is_care_day)}
        self._asked: dict[Occurrence, Visit] = {}
        self._alone: set[Occurrence] = set()

    def ask(self) -> None:
        """Ask for what the horizon can hold; preview the rest."""
        for occurrence, step in self._steps.items():
            if step.planned is None:
                self._watch(step)
                if days := self._days(step):
                    self._asked[occurrence] = self._visit(step, days)
                else:
                    self._preview(step)
            elif self._start <= step.planned.date < self._end:
                self._asked[occurrence] = self._visit(step, [step.planned.date])
        for occurrence, visit in self._asked.items():
            self._agenda.visits.append(visit)
            self._agenda.subjects[visit.id] = VisitSubject(self._episode.id, occurrence)
            self._agenda.since[visit.id] = self._steps[occurrence].since
            before = self._steps[occurrence].after
            self._agenda.links += [lag.link(self._asked[p].id, visit.id) for p, lag in before if p in self._asked]
        self._watch_outcomes()

    # ---- Which days of the horizon a step has ----

    def _days(self, step: OpenStep) -> list[date]:
        """Return the days of care of the horizon on which a step may be asked for, given what is asked for before it."""
        if not step.certain or not all(self._precedes(before) for before, _ in step.after):
            return []
        if any(lag.together and before in self._alone for before, lag in step.after):
            return []
        until = None if step.latest is None or step.is_late(step.earliest) else step.latest + ONE_DAY
        days = self._days_of_care(step, self._end if until is None else min(until, self._end))
        later = self._bundled_after(step.occurrence)
        if not later:
            return days
        whole = [day for day in days if can_reach(day, later, self._end, self._is_care_day, step.patient)]
        if not whole and self._is_begun(step.occurrence):
            self._alone.add(step.occurrence)
            return days
        if whole or not self._is_only_begun(later):
            return whole
        begun = dropwhile(lambda day: not can_reach(day, later, None, self._is_care_day, step.patient), days)
        return list(takewhile(lambda day: can_reach(day, later, None, self._is_care_day, step.patient), begun))

    def _precedes(self, before: Occurrence) -> bool:
        """Return whether a visit is asked for in the horizon, or stands before it."""
        stands = self._steps[before].planned
        return before in self._asked or (stands is not None and stands.date < self._start)

    def _is_begun(self, occurrence: Occurrence) -> bool:
        """Return whether a visit goes on with a bundle of which another has been: then it has to be, whatever comes after."""
        return any(a == occurrence and lag.together and b not in self._steps for b, a, lag in self._pathway.lags())

    def _is_only_begun(self, later: Later) -> bool:
        """Return whether no horizon of the length holds a visit with what has to come after it: that is for the next one."""
        return bool(later) and not can_fit(later, (self._end - self._start).days)

    def _bundled_after(self, occurrence: Occurrence) -> list[tuple[str, Lag]]:
        """Return the visits that go together with a visit and come after it."""
        later: list[tuple[str, Lag]] = []
        for before, after, lag in self._pathway.lags():
            if before == occurrence and lag.together:
                later.append((self._pathway.step(after.step).service, lag))
                occurrence = after
        return later

    def _days_of_care(self, step: OpenStep, end: date) -> list[date]:
        days = (step.earliest + timedelta(days=n) for n in range((end - step.earliest).days))
        return [day for day in days if self._is_care_day(day, step.service, step.required_provider, step.patient)]

    # ---- What is asked for ----

    def _visit(self, step: OpenStep, days: Sequence[date]) -> Visit:
        late = step.is_late(step.earliest)
        target = step.target if step.target is None else max(step.target, step.earliest)
        deadline = None if late or step.latest is None else self._last_day(step, step.latest, days[-1])
        begins = self._is_only_begun(self._bundled_after(step.occurrence))
        if begins and days[-1] < max(self._days_of_care(step, self._end), default=days[-1]):
            deadline = days[-1]
        standing = step.planned is not None
        return Visit(
            id=step.visit,
            patient=step.patient,
            service=step.service,
            priority=raise_priority(step.priority, step.target, self._start),
            earliest=min(step.earliest, days[0]) if standing else days[0],
            target=target,
            deadline=deadline,
            preferred_providers=step.preferred_providers,
            required_provider=step.required_provider,
            same_day=step.same_day and self._start <= step.since,
            pinned=None,
            current=self._current.get(step.visit) if standing else None,
        )

    def _last_day(self, step: OpenStep, latest: date, known: date) -> date:
        """Return the last day of care of a window: who waits for a later end of it waits too long."""
        return max([*self._days_of_care(step, latest + ONE_DAY), min(known, latest)])

    def _preview(self, step: OpenStep) -> None:
        earliest = max(step.earliest, self._end) if step.certain and not step.after else step.earliest
        self._agenda.previews.append(
            Preview(step.episode, step.patient, step.occurrence, step.service, earliest, step.latest, step.certain)
        )

    # ---- What will be too late ----

    def _watch(self, step: OpenStep) -> None:
        if self._pathway.step(step.occurrence.step).deadline is not None and step.latest is None:
            self._alert("date-missing", step)
        if step.latest is None or not step.certain:
            return
        if step.is_late(self._start):
            self._alert("late" if step.is_late(self._today) else "before-horizon", step)
        elif step.latest < self._end and not any(before in self._asked for before, _ in step.after):
            left = self._days_of_care(step, step.latest + ONE_DAY)
            self._alert("last-horizon" if len(left) > 1 else "last-day", step)

    def _watch_outcomes(self) -> None:
        """Raise what waits for an outcome that nobody has recorded, and what stands for nothing."""
        for step in self._steps.values():
            waits = not step.certain and step.settled and step.planned is None
            if waits:
                self._alert("outcome-awaited", step)
        for visit in list_void_visits(self._episode, self._pathway, self._start):
            self._agenda.alerts.append(Alert("void", self._episode.id, self._episode.patient, visit, "", None))

    def _alert(self, kind: AlertKind, step: OpenStep) -> None:
        self._agenda.alerts.append(Alert(kind, step.episode, step.patient, step.visit, step.service, step.latest))
