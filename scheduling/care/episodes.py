"""Episodes: a patient on a pathway, and what their history leaves open.

An episode is its history and nothing else: events in the order in which they became known. What is open, and between which
dates, is derived from them by :func:`list_open_steps` whenever it is asked for, and stored nowhere. A history grows by
:func:`record_events`, which refuses what cannot follow what has been.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple

from pydantic import Field

from scheduling.errors import EventRefused
from scheduling.fields import Date, Id, Model, Positive, Priority, Stamp
from scheduling.pathways import Follow, Lag, Occurrence, Pathway, Step

EventKind = Literal[
    "referred", "planned", "done", "outcome", "no-show", "cancelled", "withdrawn", "dated", "stopped", "restarted"
]
State = Literal["open", "completed", "ended", "stopped"]
LOSSES: tuple[EventKind, ...] = ("no-show", "cancelled", "withdrawn")
OF_VISITS: tuple[EventKind, ...] = ("planned", "done", *LOSSES)


class Event(Model):
    """Something that became known of an episode.

    A visit is ``cancelled`` by its patient, or because illness or a closure took its place: its dates move on. Where the clinic
    gave its place to somebody else it is ``withdrawn``: its dates are what they were.

    Attributes
    ----------
    known : datetime
        When it became known, wall-clock.
    step, number : str or None, int or None
        The visit that it concerns; an outcome concerns its step.
    date : date or None
        The referral's, the visit's, or the date that the world sets.
    team, location : tuple of str, str or None
        Who gave the visit, or is to give it, and where.
    outcome, relief_percent : str or None, int or None
        What came of the step: by name, or as measured pain relief.
    name : str or None
        Which of the world's dates ("low-reservoir") is ``date``.
    """

    kind: EventKind
    known: Stamp
    step: Id | None = None
    number: Positive | None = None
    date: Date | None = None
    team: tuple[Id, ...] = ()
    location: Id | None = None
    outcome: Id | None = None
    relief_percent: int | None = Field(default=None, ge=0, le=100)
    name: Id | None = None

    @property
    def occurrence(self) -> Occurrence | None:
        """The visit that it concerns."""
        return None if self.step is None or self.number is None else Occurrence(self.step, self.number)


class Episode(Model):
    """A patient on a pathway; the history begins with the referral."""

    id: Id
    pathway: Id
    patient: Id
    priority: Priority
    preferred_providers: tuple[Id, ...] = ()
    history: tuple[Event, ...] = Field(min_length=1)

    @property
    def referred_on(self) -> date:
        """The date of the referral."""
        first = self.history[0]
        return first.date or first.known.date()


class VisitDate(NamedTuple):
    """A visit that was, or is to be: its date and who gives it."""

    date: date
    team: tuple[str, ...]


@dataclass
class EpisodeProgress:
    """What a history comes to.

    Attributes
    ----------
    since : date
        The referral, or the last new start: nothing is asked for before.
    done, planned : dict
        Visits that have been, and that stand in a published plan.
    missed : dict
        The last no-show or cancellation of each visit that has not been since.
    attempts : Counter
        How often each visit has been, or nobody came.
    outcomes : dict
        What came of steps.
    dates : dict
        What the world has set, by name.
    """

    since: date
    done: dict[Occurrence, VisitDate] = field(default_factory=dict)
    planned: dict[Occurrence, VisitDate] = field(default_factory=dict)
    missed: dict[Occurrence, Event] = field(default_factory=dict)
    attempts: Counter[Occurrence] = field(default_factory=Counter)
    outcomes: dict[str, str] = field(default_factory=dict)
    dates: dict[str, date] = field(default_factory=dict)
    stopped: bool = False

    def _begin(self, day: date) -> None:
        """Begin anew; how often visits have been is still known."""
        self.since = day
        for known in (self.done, self.planned, self.missed, self.outcomes, self.dates):
            known.clear()

    def take(self, event: Event, pathway: Pathway) -> None:
        """Take one more event into account."""
        one = event.occurrence
        day = event.date or event.known.date()
        match event.kind:
            case "planned" if one:
                self.planned[one] = VisitDate(day, event.team)
                self.done.pop(one, None)  # once more: it has lapsed, or its day was not whole
            case "done" if one:
                self.done[one] = VisitDate(day, event.team)
                self.planned.pop(one, None)
                self.missed.pop(one, None)
                for before, after, _ in pathway.lags():
                    if before == one:
                        self.missed.pop(after, None)  # what was given up before this took place moves nothing
                self.attempts[one] += 1
                self.outcomes.pop(one.step, None)
                self.dates.pop(pathway.step(one.step).deadline or "", None)
            case "withdrawn" if one:
                self.planned.pop(one, None)
            case "no-show" | "cancelled" if one:
                self.planned.pop(one, None)
                self.missed[one] = event
                self.attempts[one] += event.kind == "no-show"
            case "outcome" if event.step:
                self.outcomes[event.step] = _outcome(event, pathway.step(event.step))
            case "dated" if event.name and event.date:
                self.dates[event.name] = event.date
            case "stopped":
                self.stopped = True
            case "restarted":
                if self.stopped:
                    self.since, self.stopped = day, False
                    self.planned.clear()
                else:
                    self._begin(day)

    def outcome(self, step: Step) -> str | None:
        """Return what came of a step that is over, or that ended the episode before it was."""
        came = self.outcomes.get(step.id)
        over = Occurrence(step.id, step.times) in self.done
        return came if over or any(one.id == came and one.then != "on" for one in step.outcomes) else None


def _outcome(event: Event, step: Step) -> str:
    return event.outcome or step.outcome_of(event.relief_percent or 0)


def replay_history(episode: Episode, pathway: Pathway) -> EpisodeProgress:
    """Return what a history comes to."""
    found = EpisodeProgress(since=episode.referred_on)
    for event in episode.history:
        found.take(event, pathway)
    return found


def get_state(episode: Episode, pathway: Pathway) -> State:
    """Say whether an episode goes on, has reached its end, was ended by an outcome, or was stopped."""
    return _state(replay_history(episode, pathway), pathway)


def _state(found: EpisodeProgress, pathway: Pathway) -> State:
    if found.stopped:
        return "stopped"
    for step in pathway.steps:
        came = found.outcome(step)
        final: State | Literal["on"] = next((one.then for one in step.outcomes if one.id == came), "on")
        if final != "on":
            return final
    return "open" if _undone(found, pathway) else "completed"


def _undone(found: EpisodeProgress, pathway: Pathway) -> bool:
    """Say whether a step that is reached, or whose outcome is awaited, is not over."""
    reached: set[str] = set()
    for step in pathway.steps:
        if not all(f.step in reached and f.outcome in (None, found.outcomes.get(f.step)) for f in step.follows):
            continue
        reached.add(step.id)
        over = all(Occurrence(step.id, number) in found.done for number in range(1, step.times + 1))
        if step.recurs or not over or (step.outcomes and step.id not in found.outcomes):
            return True
    return False


def drop_lapsed(found: EpisodeProgress, pathway: Pathway, today: date) -> None:
    """Take away what counts no more: results that have lapsed, days that are not whole, and plans that follow nothing."""
    for before, after, lag in reversed(list(pathway.lags())):
        been = found.done.get(before)
        if isinstance(lag, Follow) and lag.lapses and been is not None and after not in found.done:
            assert lag.max_days is not None
            stands = found.planned.get(after)
            if (stands.date if stands else today) > been.date + timedelta(days=lag.max_days):
                del found.done[before]
                found.outcomes.pop(before.step, None)
    for whole in {pathway.bundle(one) for one in (*found.done, *found.planned)}:
        if len(whole) > 1:
            _settle_bundle(found, whole)
    for before, after, lag in pathway.lags():
        stands, previous = found.planned.get(after), found.done.get(before) or found.planned.get(before)
        if stands is not None and (previous is None or stands.date < previous.date + timedelta(days=lag.min_days)):
            del found.planned[after]


def _settle_bundle(found: EpisodeProgress, whole: frozenset[Occurrence]) -> None:
    """Forget the parts of a day that is not whole, unless the others are still to come on it."""
    visits = [found.done.get(part) or found.planned.get(part) for part in whole]
    if any(visit is None for visit in visits) or len({visit.date for visit in visits if visit}) > 1:
        for part in whole:
            found.done.pop(part, None)
            found.planned.pop(part, None)


# ---- How a history grows ----


def record_events(episode: Episode, pathway: Pathway, *events: Event) -> Episode:
    """Return an episode of which more is known.

    Raises
    ------
    EventRefused
        When an event cannot follow what has been.
    """
    found = replay_history(episode, pathway)
    for event in events:
        if fault := _fault(event, found, pathway):
            raise EventRefused(episode.id, event.kind, fault)
        found.take(event, pathway)
    return episode.changed(history=(*episode.history, *events))


def _fault(event: Event, found: EpisodeProgress, pathway: Pathway) -> str | None:
    """Return why an event cannot follow; None: it can."""
    now = _state(found, pathway)
    if event.kind == "referred":
        return "an episode begins with its referral"
    if event.kind == "restarted":
        return "it goes on already" if now == "open" else None
    if now != "open":
        return f"the episode is {now}"
    if event.kind in OF_VISITS:
        return _visit_fault(event, found, pathway)
    if event.kind == "outcome":
        return _outcome_fault(event, found, pathway)
    if event.kind == "dated":
        known = {step.deadline for step in pathway.steps} - {None}
        return None if event.name in known and event.date else "the pathway waits for no such date"
    return None


def _visit_fault(event: Event, found: EpisodeProgress, pathway: Pathway) -> str | None:
    one = event.occurrence
    if one is None or not pathway.knows(one):
        return "the pathway has no such visit"
    if event.date is None:
        return "the visit's date is missing"
    if event.kind in LOSSES:
        return None if one in found.planned else "the visit is not planned"
    counted = deepcopy(found)
    drop_lapsed(counted, pathway, max(event.date, event.known.date()))
    if one in counted.done:
        return "the visit has been already"
    step = pathway.step(one.step)
    for before, follow in list_predecessors(one, step, pathway):
        if before not in found.done and before not in found.planned:
            return f"{before} has not been"
        if isinstance(follow, Follow) and follow.outcome not in (None, found.outcomes.get(before.step)):
            return f"it needs the outcome {follow.outcome} of {before.step}"
    return None


def _outcome_fault(event: Event, found: EpisodeProgress, pathway: Pathway) -> str | None:
    step = next((one for one in pathway.steps if one.id == event.step), None)
    if step is None or not step.outcomes:
        return "nothing is decided by it"
    if event.outcome is None and (event.relief_percent is None or step.relief_over_percent is None):
        return "what came of it is missing"
    if event.outcome is not None and event.outcome not in {one.id for one in step.outcomes}:
        return f"is to be one of {', '.join(one.id for one in step.outcomes)}"
    if not any(one.step == step.id for one in found.done):
        return f"{step.id} has not been"
    return None


def list_predecessors(one: Occurrence, step: Step, pathway: Pathway) -> tuple[tuple[Occurrence, Lag], ...]:
    """Return the visits that a visit follows, each with its lag."""
    if one.number > 1:
        assert step.every is not None
        return ((Occurrence(one.step, one.number - 1), step.every),)
    return tuple((Occurrence(follow.step, pathway.step(follow.step).times), follow) for follow in step.follows)


def make_visit_id(episode: str, one: Occurrence, attempt: int = 1) -> str:
    """Return the id under which a visit of an episode is asked for; another attempt is another visit."""
    return f"{episode}.{one}" if attempt == 1 else f"{episode}.{one}.{attempt}"
