"""Episodes: a patient on a pathway, and what their history leaves open.

An episode is its history and nothing else: events in the order in which they became known. What is open, and between which
dates, is derived from them by :func:`list_open_steps` whenever it is asked for, and stored nowhere. A history grows by
:func:`record_events`, which refuses what cannot follow what has been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple

from pydantic import Field

from scheduling.errors import EventRefused
from scheduling.fields import Date, Id, Model, Positive, Priority, Stamp
from scheduling.pathways import Follow, Lag, Occurrence, Pathway, Step

EventKind = Literal[
    "referred",
    "planned",
    "done",
    "outcome",
    "no-show",
    "cancelled",
    "withdrawn",
    "retracted",
    "dated",
    "stopped",
    "restarted",
]
State = Literal["open", "completed", "ended", "stopped"]
LOSSES: tuple[EventKind, ...] = ("no-show", "cancelled", "withdrawn")
ATTENDANCE: tuple[EventKind, ...] = ("done", "no-show")
OF_VISITS: tuple[EventKind, ...] = ("planned", "done", *LOSSES)


class Event(Model):
    """Something that became known of an episode.

    A visit is ``cancelled`` by its patient, or because illness or a closure took its place: its dates move on. Where the clinic
    gave its place to somebody else it is ``withdrawn``: its dates are what they were. That it was ``done``, or a ``no-show``,
    is ``retracted`` when it was taken down by mistake: the history counts as if neither had been told.

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
        occurrence = event.occurrence
        day = event.date or event.known.date()
        match event.kind:
            case "planned" if occurrence:
                self.planned[occurrence] = VisitDate(day, event.team)
                self.done.pop(occurrence, None)  # once more: it has lapsed, or its day was not whole
            case "done" if occurrence:
                self.done[occurrence] = VisitDate(day, event.team)
                self.planned.pop(occurrence, None)
                self.missed.pop(occurrence, None)
                for before, after, _ in pathway.lags():
                    if before == occurrence:
                        self.missed.pop(after, None)  # what was given up before this took place moves nothing
                self.attempts[occurrence] += 1
                self.outcomes.pop(occurrence.step, None)
                self.dates.pop(pathway.step(occurrence.step).deadline or "", None)
            case "withdrawn" if occurrence:
                self.planned.pop(occurrence, None)
            case "no-show" | "cancelled" if occurrence:
                self.planned.pop(occurrence, None)
                self.missed[occurrence] = event
                self.attempts[occurrence] += event.kind == "no-show"
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
        return came if over or any(outcome.id == came and outcome.then != "on" for outcome in step.outcomes) else None


def _outcome(event: Event, step: Step) -> str:
    return event.outcome or step.outcome_of(event.relief_percent or 0)


def replay_history(episode: Episode, pathway: Pathway) -> EpisodeProgress:
    """Return what a history comes to."""
    progress = EpisodeProgress(since=episode.referred_on)
    for event in _standing(episode.history):
        progress.take(event, pathway)
    return progress


def _standing(history: Iterable[Event]) -> list[Event]:
    """Return the events of a history that count: without what was taken down by mistake."""
    counted: list[Event] = []
    for event in history:
        if event.kind == "retracted":
            last = _last_of(event, counted)
            assert last is not None
            counted.remove(last)
        else:
            counted.append(event)
    return counted


def _last_of(event: Event, history: Sequence[Event]) -> Event | None:
    """Return the last event of a visit, or of its step's outcome."""
    return next(
        (known for known in reversed(history) if known.step == event.step and known.number in (event.number, None)), None
    )


def is_missed(episode: Episode, occurrence: Occurrence) -> bool:
    """Say whether the last that is known of a visit is that nobody came."""
    counted = [event for event in _standing(episode.history) if event.occurrence == occurrence]
    return bool(counted) and counted[-1].kind == "no-show"


def get_state(episode: Episode, pathway: Pathway) -> State:
    """Return whether an episode goes on, has reached its end, was ended by an outcome, or was stopped."""
    return _get_state(replay_history(episode, pathway), pathway)


def _get_state(progress: EpisodeProgress, pathway: Pathway) -> State:
    if progress.stopped:
        return "stopped"
    for step in pathway.steps:
        came = progress.outcome(step)
        final: State | Literal["on"] = next((outcome.then for outcome in step.outcomes if outcome.id == came), "on")
        if final != "on":
            return final
    return "open" if _is_open(progress, pathway) else "completed"


def _is_open(progress: EpisodeProgress, pathway: Pathway) -> bool:
    """Return whether a step that is reached, or whose outcome is awaited, is not over."""
    reached: set[str] = set()
    for step in pathway.steps:
        if not all(f.step in reached and f.outcome in (None, progress.outcomes.get(f.step)) for f in step.follows):
            continue
        reached.add(step.id)
        over = all(Occurrence(step.id, number) in progress.done for number in range(1, step.times + 1))
        if step.recurs or not over or (step.outcomes and step.id not in progress.outcomes):
            return True
    return False


def drop_lapsed(progress: EpisodeProgress, pathway: Pathway, today: date) -> None:
    """Take away what counts no more: results that have lapsed, days that are not whole, and plans that follow nothing."""
    for before, after, lag in reversed(list(pathway.lags())):
        been = progress.done.get(before)
        if isinstance(lag, Follow) and lag.lapses and been is not None and after not in progress.done:
            assert lag.max_days is not None
            stands = progress.planned.get(after)
            if (stands.date if stands else today) > been.date + timedelta(days=lag.max_days):
                del progress.done[before]
                progress.outcomes.pop(before.step, None)
    for whole in {pathway.bundle(occurrence) for occurrence in (*progress.done, *progress.planned)}:
        if len(whole) > 1:
            _settle_bundle(progress, whole)
    for before, after, lag in pathway.lags():
        stands, previous = progress.planned.get(after), progress.done.get(before) or progress.planned.get(before)
        if stands is not None and (previous is None or stands.date < previous.date + timedelta(days=lag.min_days)):
            del progress.planned[after]


def _settle_bundle(progress: EpisodeProgress, whole: frozenset[Occurrence]) -> None:
    """Forget the parts of a day that is not whole, unless the others are still to come on it."""
    visits = [progress.done.get(part) or progress.planned.get(part) for part in whole]
    if any(visit is None for visit in visits) or len({visit.date for visit in visits if visit}) > 1:
        for part in whole:
            progress.done.pop(part, None)
            progress.planned.pop(part, None)


# ---- How a history grows ----


def record_events(episode: Episode, pathway: Pathway, *events: Event) -> Episode:
    """Return an episode of which more is known.

    Raises
    ------
    EventRefused
        When an event cannot follow what has been.
    """
    progress = replay_history(episode, pathway)
    for event in events:
        if fault := _fault(event, progress, pathway, episode):
            raise EventRefused(episode.id, event.kind, fault)
        episode = episode.changed(history=(*episode.history, event))
        if event.kind == "retracted":
            progress = replay_history(episode, pathway)
        else:
            progress.take(event, pathway)
    return episode


def _fault(event: Event, progress: EpisodeProgress, pathway: Pathway, episode: Episode) -> str | None:
    """Return why an event cannot follow; None: it can."""
    now = _get_state(progress, pathway)
    if event.kind == "referred":
        return "an episode begins with its referral"
    if event.kind == "restarted":
        return "it goes on already" if now == "open" else None
    if event.kind == "retracted" and now in ("open", "completed"):
        return _retraction_fault(event, episode)
    if now != "open":
        return f"the episode is {now}"
    if event.kind in OF_VISITS:
        return _visit_fault(event, progress, pathway)
    if event.kind == "outcome":
        return _outcome_fault(event, progress, pathway)
    if event.kind == "dated":
        known = {step.deadline for step in pathway.steps} - {None}
        return None if event.name in known and event.date else "the pathway waits for no such date"
    return None


def _visit_fault(event: Event, progress: EpisodeProgress, pathway: Pathway) -> str | None:
    occurrence = event.occurrence
    if occurrence is None or not pathway.knows(occurrence):
        return "the pathway has no such visit"
    if event.date is None:
        return "the visit's date is missing"
    if event.kind in LOSSES:
        return None if occurrence in progress.planned else "the visit is not planned"
    counted = deepcopy(progress)
    drop_lapsed(counted, pathway, max(event.date, event.known.date()))
    if occurrence in counted.done:
        return "the visit has been already"
    step = pathway.step(occurrence.step)
    for before, follow in list_predecessors(occurrence, step, pathway):
        if before not in progress.done and before not in progress.planned:
            return f"{before} has not been"
        if isinstance(follow, Follow) and follow.outcome not in (None, progress.outcomes.get(before.step)):
            return f"it needs the outcome {follow.outcome} of {before.step}"
    return None


def _retraction_fault(event: Event, episode: Episode) -> str | None:
    last = None if event.occurrence is None else _last_of(event, _standing(episode.history))
    return None if last is not None and last.kind in ATTENDANCE else "more is known of the visit by now, or nothing"


def _outcome_fault(event: Event, progress: EpisodeProgress, pathway: Pathway) -> str | None:
    step = next((step for step in pathway.steps if step.id == event.step), None)
    if step is None or not step.outcomes:
        return "nothing is decided by it"
    if event.outcome is None and (event.relief_percent is None or step.relief_over_percent is None):
        return "what came of it is missing"
    if event.outcome is not None and event.outcome not in {outcome.id for outcome in step.outcomes}:
        return f"is to be one of {', '.join(outcome.id for outcome in step.outcomes)}"
    if not any(occurrence.step == step.id for occurrence in progress.done):
        return f"{step.id} has not been"
    return None


def list_predecessors(occurrence: Occurrence, step: Step, pathway: Pathway) -> tuple[tuple[Occurrence, Lag], ...]:
    """Return the visits that a visit follows, each with its lag."""
    if occurrence.number > 1:
        assert step.every is not None
        return ((Occurrence(occurrence.step, occurrence.number - 1), step.every),)
    return tuple((Occurrence(follow.step, pathway.step(follow.step).times), follow) for follow in step.follows)


def find_unready(episode: Episode, pathway: Pathway, wanted: Iterable[Occurrence]) -> dict[Occurrence, Occurrence]:
    """Return those of some visits that cannot be planned yet, each with the visit before it that has no place."""
    progress = replay_history(episode, pathway)
    placed = {*progress.done, *progress.planned, *wanted}
    unready: dict[Occurrence, Occurrence] = {}
    for occurrence in sorted(wanted, key=pathway.position):
        for before, _ in list_predecessors(occurrence, pathway.step(occurrence.step), pathway):
            if before not in placed:
                unready[occurrence] = before
                placed.discard(occurrence)
    return unready


def make_visit_id(episode: str, occurrence: Occurrence, attempt: int = 1) -> str:
    """Return the id under which a visit of an episode is asked for; another attempt is another visit."""
    return f"{episode}.{occurrence}" if attempt == 1 else f"{episode}.{occurrence}.{attempt}"
