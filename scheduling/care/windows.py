"""What an episode leaves open, and between which dates: derived from its history, never stored.

A visit's window follows from the visits before it, as they were or stand planned; of what has no date yet, from the
earliest and latest dates that it can have. A window without a day on which the service is
given, by the provider who has to give it, reaches to the next such day; that of a series to the end of its next turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from scheduling.care.episodes import (
    Episode,
    VisitDate,
    drop_lapsed,
    get_state,
    list_predecessors,
    make_visit_id,
    replay_history,
)
from scheduling.fields import ONE_DAY, Priority
from scheduling.pathways import WORKING_DAYS_OF_WEEK, Follow, Lag, Occurrence, Pathway, Step

IsCareDay = Callable[[date, str, str | None, str | None], bool]
"""Says whether a service is given on a day: by one provider, and where one patient may come, if they are named."""

MAX_DAYS_CLOSED = 60
"""Days after which a day of care is looked for no further."""


def is_weekday(day: date, service: str = "", provider: str | None = None, patient: str | None = None) -> bool:
    """Return whether a day is a Monday to Friday, whatever the service and whoever is concerned."""
    return day.weekday() < WORKING_DAYS_OF_WEEK


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A visit of an episode that is still to be.

    Attributes
    ----------
    visit : str
        The id under which it is asked for.
    since : date
        The first date on which it could be, past or not: it waits from then on.
    earliest : date
        Likewise, and not before today.
    target, latest : date or None
        When it should have been, and must have been; ``latest`` may be past: then it is late.
    settled : bool
        Everything before it has been: the window moves no more. Else it follows those in ``after``, each at its lag.
    certain : bool
        It will be, unless the episode ends early; else it needs an outcome that is not known yet.
    planned : VisitDate or None
        Where it stands in a published plan.
    required_provider : str or None
        The only one who may give it, who gave the visit before.
    same_day : bool
        On the day of its referral.
    """

    episode: str
    patient: str
    priority: Priority
    occurrence: Occurrence
    visit: str
    service: str
    since: date
    earliest: date
    target: date | None
    latest: date | None
    settled: bool
    certain: bool
    after: tuple[tuple[Occurrence, Lag], ...] = ()
    planned: VisitDate | None = None
    required_provider: str | None = None
    preferred_providers: tuple[str, ...] = ()
    same_day: bool = False

    def is_late(self, day: date) -> bool:
        """Return whether the window is over before a day."""
        return self.latest is not None and self.latest < day


def list_open_steps(
    episode: Episode, pathway: Pathway, today: date, is_care_day: IsCareDay = is_weekday
) -> tuple[OpenStep, ...]:
    """Return the visits of an episode that are still to be, in the pathway's order, those that are planned too.

    Nothing is open once an episode was stopped, ended or completed. Of a step that recurs, the next visit is open.

    Parameters
    ----------
    is_care_day
        Says on which days a service is given; Monday to Friday unless told otherwise.
    """
    if get_state(episode, pathway) != "open":
        return ()
    return tuple(_Derivation(episode, pathway, today, is_care_day).steps())


def list_void_visits(episode: Episode, pathway: Pathway, today: date) -> tuple[str, ...]:
    """Return visits that stand in a published plan although nothing asks for them there any more: they are to be cancelled."""
    progress = replay_history(episode, pathway)
    stands = {
        occurrence: make_visit_id(episode.id, occurrence, progress.attempts[occurrence] + 1) for occurrence in progress.planned
    }
    if get_state(episode, pathway) != "open":
        return tuple(stands.values())
    drop_lapsed(progress, pathway, today)
    return tuple(visit for occurrence, visit in stands.items() if occurrence not in progress.planned)


@dataclass(frozen=True)
class _Window:
    since: date
    latest: date | None


class _Derivation:
    """The windows of one episode, step by step."""

    def __init__(self, episode: Episode, pathway: Pathway, today: date, is_care_day: IsCareDay) -> None:
        self._episode, self._pathway, self._today, self._is_care_day = episode, pathway, today, is_care_day
        self._found = replay_history(episode, pathway)
        drop_lapsed(self._found, pathway, today)
        self._windows: dict[Occurrence, _Window] = {}

    def steps(self) -> list[OpenStep]:
        """Return what is open."""
        steps: list[OpenStep] = []
        certain: dict[str, bool] = {}
        for step in self._pathway.steps:
            if any(f.step not in certain for f in step.follows):
                continue
            known = [self._get_lead(f, self._pathway.step(f.step)) for f in step.follows]
            if any(leads is False for leads in known):
                continue
            certain[step.id] = all(known) and all(certain[f.step] for f in step.follows)
            steps += [self._make_open_step(step, occurrence, certain[step.id]) for occurrence in self._list_undone(step)]
        return steps

    def _get_lead(self, follow: Follow, step: Step) -> bool | None:
        """Return whether the outcome that a step waits for has come; None: it may still, and is hoped for."""
        if follow.outcome is None:
            return True
        came = self._found.outcome(step)
        if came is not None:
            return came == follow.outcome
        return None if follow.outcome == step.outcomes[0].id else False

    def _list_undone(self, step: Step) -> list[Occurrence]:
        if step.recurs:
            last = max((occurrence.number for occurrence in self._found.done if occurrence.step == step.id), default=0)
            return [Occurrence(step.id, last + 1)]
        every = (Occurrence(step.id, number) for number in range(1, step.times + 1))
        return [occurrence for occurrence in every if occurrence not in self._found.done]

    def _make_open_step(self, step: Step, occurrence: Occurrence, certain: bool) -> OpenStep:
        before = list_predecessors(occurrence, step, self._pathway)
        provider = self._provider(before)
        bound = provider is not None and not any(lag.together for _, lag in before)
        window = self._window(step, occurrence, before, provider if bound else None)
        self._windows[occurrence] = window
        earliest = max(window.since, self._today)
        due = None if step.due_days is None else window.since + timedelta(days=step.due_days)
        latest = window.latest
        targets = [day for day in (due, latest) if day is not None]
        same_day = step.same_day and occurrence not in self._found.missed and window.latest == window.since
        return OpenStep(
            episode=self._episode.id,
            patient=self._episode.patient,
            priority=self._episode.priority,
            occurrence=occurrence,
            visit=make_visit_id(self._episode.id, occurrence, self._found.attempts[occurrence] + 1),
            service=step.service,
            since=window.since,
            earliest=earliest,
            target=min(targets, default=None),
            latest=latest,
            settled=all(previous in self._found.done for previous, _ in before),
            certain=certain,
            after=tuple((previous, lag) for previous, lag in before if previous not in self._found.done),
            planned=self._found.planned.get(occurrence),
            required_provider=provider if bound else None,
            preferred_providers=self._episode.preferred_providers if provider is None else (provider,),
            same_day=same_day,
        )

    def _provider(self, before: tuple[tuple[Occurrence, Lag], ...]) -> str | None:
        """Return who gave, or is to give, the visit before, where it is to be the same."""
        visits = [self._found.done.get(p) or self._found.planned.get(p) for p, lag in before if lag.same_provider]
        return next((visit.team[0] for visit in visits if visit is not None and visit.team), None)

    def _window(
        self, step: Step, occurrence: Occurrence, before: tuple[tuple[Occurrence, Lag], ...], provider: str | None
    ) -> _Window:
        since, latest = self._found.since, None
        for previous, lag in before:
            early, late = self._from(occurrence, previous, lag)
            since = max(since, early)
            latest = late if latest is None else latest if late is None else min(latest, late)
        set_by_world = self._found.dates.get(step.deadline or "")
        if set_by_world is not None and step.lead_days is not None:
            since = max(self._found.since, set_by_world - timedelta(days=step.lead_days))
        missed = self._found.missed.get(occurrence)
        if step.same_day and not before:
            latest = since
        elif self._pathway.onset is not None and not before and step.due_days is not None:
            latest = since + timedelta(days=step.due_days)
        if missed is not None:
            day = missed.date or missed.known.date()
            since = max(since, day + ONE_DAY if missed.kind == "no-show" else missed.known.date())
            if step.same_day and not before:
                latest = since
            elif latest is not None and not before:
                latest = max(latest, day + timedelta(days=self._pathway.reopen_days))
        if set_by_world is not None:
            return _Window(since, set_by_world)
        if latest is None:
            return _Window(since, None)
        turn_days = step.every.turn_days if step.every is not None and occurrence.number > 1 else 1
        return _Window(since, self._day_of_care(since, latest, step.service, provider, turn_days))

    def _from(self, occurrence: Occurrence, previous: Occurrence, lag: Lag) -> tuple[date, date | None]:
        """Return the dates that a lag after one visit allows; a miss, and a new start, move the last of them on."""
        visit = self._found.done.get(previous) or self._found.planned.get(previous)
        window = _Window(visit.date, visit.date) if visit is not None else self._windows[previous]
        first = window.since if visit is not None else max(window.since, self._today)
        early = first + timedelta(days=lag.min_days)
        if lag.max_days is None or window.latest is None or (visit is None and window.latest < self._today):
            return early, None
        late = window.latest + timedelta(days=lag.max_days)
        if isinstance(lag, Follow) and lag.lapses:
            return early, late
        late = max(late, self._found.since + timedelta(days=lag.max_days)) if self._found.since > window.since else late
        missed = self._found.missed.get(occurrence)
        if missed is None or previous not in self._found.done:
            return early, late
        day = max(missed.date or missed.known.date(), missed.known.date())
        again = lag.max_days if lag.together or not isinstance(lag, Follow) else self._pathway.reopen_days
        return early, max(late, day + timedelta(days=again))

    def _day_of_care(self, first: date, last: date, service: str, provider: str | None, turn_days: int) -> date:
        """Return the last date of a window; where it has no day of care, moved on by turns until it has."""
        patient = self._episode.patient
        days = (first + timedelta(days=n) for n in range(max(0, (last - first).days) + MAX_DAYS_CLOSED))
        given = next((day for day in days if self._is_care_day(day, service, provider, patient)), None)
        if given is None or given <= last:
            return last
        return last + timedelta(days=turn_days * -(-(given - last).days // turn_days))
