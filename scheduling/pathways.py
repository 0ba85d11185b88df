"""Pathways: which visits an episode of care takes, in which order, how far apart, and what decides how it goes on.

A *step* is one visit, a series of visits, or one that recurs for as long as the episode lasts; each visit of a step is an
*occurrence*. A step follows others at a lag. What comes of a step may be one of its outcomes, and steps may follow one of
them only. Pathways are data (``catalogue/pathways.toml``); :func:`find_pathway_faults` proves each of them well-formed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import product
from typing import Literal, NamedTuple

from pydantic import Field

from scheduling.errors import Fault, UnknownId
from scheduling.fields import Count, Id, Minutes, Model, Positive
from scheduling.requests import Link

DAYS_OF_WEEK = 7
WORKING_DAYS_OF_WEEK = 5


class Lag(Model):
    """How a visit follows another: ``min_days`` to ``max_days`` (null: any number) after it; or in ``any_order`` with it."""

    min_days: Count = 0
    max_days: Count | None = None
    max_gap_minutes: Minutes | None = None
    together: bool = False
    any_order: bool = False
    same_location: bool = False
    same_provider: bool = False

    @property
    def turn_days(self) -> int:
        """Days from one turn of a series to the next, at least 1: the middle of the lag; 1 where the lag has no end."""
        return 1 if self.max_days is None else max(1, (self.min_days + self.max_days) // 2)

    @property
    def same_day(self) -> bool:
        """Return whether both visits are parts of one day."""
        return self.together and self.max_days == 0

    def link(self, before: str, after: str) -> Link:
        """Return the link that keeps two visits at this lag."""
        kept = Lag.model_fields.keys() - (set() if self.any_order else {"any_order"})
        return Link(before=before, after=after, **{name: getattr(self, name) for name in Lag.model_fields if name in kept})


class Follow(Lag):
    """The step that a step follows.

    Attributes
    ----------
    outcome : str or None
        Only when this came of it; None: whatever came of it.
    lapses : bool
        After ``max_days`` the step before is worth nothing any more and has to be done again.
    """

    step: Id
    outcome: Id | None = None
    lapses: bool = False


class Outcome(Model):
    """What may come of a step, and whether the episode goes on, is completed by it, or ends."""

    id: Id
    then: Literal["on", "completed", "ended"] = "on"


class Occurrence(NamedTuple):
    """One visit of a step: the ``number``-th, from 1."""

    step: str
    number: int

    def __str__(self) -> str:
        return f"{self.step}.{self.number}"


class Step(Model):
    """A visit, a series of visits, or a visit that recurs.

    Attributes
    ----------
    follows : tuple of Follow
        The steps that come before it, all of them; none: it begins the episode.
    times : int
        Number of visits, each at the lag ``every`` after the one before.
    recurs : bool
        One visit after another, at the lag ``every``, until the episode is stopped.
    outcomes : tuple of Outcome
        What may come of it, the hoped-for first; none: it decides nothing.
    relief_over_percent : int or None
        The first outcome is when pain relief is over this, the second when it is not.
    due_days : int or None
        Days after the first possible date within which the visit should be.
    same_day : bool
        On the day of the referral.
    deadline : str or None
        The name of the date by which it must have been, which the world sets ("low-reservoir").
    lead_days : int or None
        Days before that date from which it may be.
    """

    id: Id
    service: Id
    follows: tuple[Follow, ...] = ()
    times: Positive = 1
    recurs: bool = False
    every: Lag | None = None
    outcomes: tuple[Outcome, ...] = ()
    relief_over_percent: int | None = Field(default=None, ge=0, le=100)
    due_days: Count | None = None
    same_day: bool = False
    deadline: Id | None = None
    lead_days: Count | None = None

    def outcome_of(self, relief_percent: int) -> str:
        """Return what measured pain relief means. Raises ``ValueError`` where relief decides nothing."""
        if self.relief_over_percent is None:
            raise ValueError(f'relief decides nothing after step "{self.id}"')
        return self.outcomes[0 if relief_percent > self.relief_over_percent else 1].id


class Stage(NamedTuple):
    """A visit of a pathway's hoped-for course, and its lag after the one before."""

    occurrence: Occurrence
    service: str
    lag: Lag


class Pathway(Model):
    """An episode of care, step by step; each step stands after those that it follows.

    Attributes
    ----------
    onset : str or None
        The kind of pain whose limit of care sets when the first visit is due.
    reopen_days : int
        Days after a missed visit within which it should be made up for, when its dates are over before.
    """

    id: Id
    name: str
    source: str = Field(min_length=1)
    onset: Literal["new-onset", "chronic"] | None = None
    reopen_days: Count = 7
    steps: tuple[Step, ...] = Field(min_length=1)

    def step(self, identifier: str) -> Step:
        """Return a step. Raises ``UnknownId``."""
        try:
            return self._by_id[identifier]
        except KeyError:
            raise UnknownId("step", identifier) from None

    @cached_property
    def _by_id(self) -> Mapping[str, Step]:
        return {step.id: step for step in self.steps}

    def position(self, occurrence: Occurrence) -> tuple[int, int]:
        """Return where a visit comes in the pathway: by its step, and by its number. Raises ``UnknownId``."""
        return (self.steps.index(self.step(occurrence.step)), occurrence.number)

    def knows(self, occurrence: Occurrence) -> bool:
        """Return whether the pathway has an occurrence."""
        step = self._by_id.get(occurrence.step)
        return step is not None and occurrence.number >= 1 and (step.recurs or occurrence.number <= step.times)

    def course(self) -> tuple[Stage, ...]:
        """Return the visits when all goes as hoped, each after the one before; what recurs is left out."""
        reached, stages = set[str](), list[Stage]()
        hoped = {step.id: step.outcomes[0].id for step in self.steps if step.outcomes}
        for step in self.steps:
            if step.recurs or not all(f.step in reached and f.outcome in (None, hoped.get(f.step)) for f in step.follows):
                continue
            reached.add(step.id)
            first, later = step.follows[0] if step.follows else Lag(), step.every or Lag()
            for number in range(1, step.times + 1):
                stages.append(Stage(Occurrence(step.id, number), step.service, first if number == 1 else later))
        return tuple(stages)

    def bundle(self, occurrence: Occurrence) -> frozenset[Occurrence]:
        """Return the visits, itself included, that are parts of one day with a visit."""
        return self._bundles.get(occurrence, frozenset({occurrence}))

    @cached_property
    def _bundles(self) -> Mapping[Occurrence, frozenset[Occurrence]]:
        bundles: dict[Occurrence, frozenset[Occurrence]] = {}
        for before, after, lag in self.lags():
            if lag.same_day:
                whole = bundles.get(before, frozenset({before})) | bundles.get(after, frozenset({after}))
                bundles |= dict.fromkeys(whole, whole)
        return bundles

    def lags(self) -> Iterator[tuple[Occurrence, Occurrence, Lag]]:
        """Yield every visit with each that it follows, of a step that recurs its first alone."""
        for step in self.steps:
            first = Occurrence(step.id, 1)
            for follow in step.follows:
                yield Occurrence(follow.step, self._by_id[follow.step].times), first, follow
            for number in range(2, step.times + 1):
                assert step.every is not None
                yield Occurrence(step.id, number - 1), Occurrence(step.id, number), step.every


# ---- The checker ----


def find_pathway_faults(pathways: Sequence[Pathway], services: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong with pathways: each fault by its path in the file.

    A pathway without a fault has no cycle, asks for services that exist, and can be walked to its end on working days
    (Monday to Friday) whatever comes of its steps.
    """
    known: set[str] = set()
    for index, pathway in enumerate(pathways):
        path = f"pathways[{index}]"
        if pathway.id in known:
            yield Fault(f"{path}.id", f'"{pathway.id}" is repeated')
        known.add(pathway.id)
        faults = [*_step_faults(pathway, services, path), *_follow_faults(pathway, path)]
        yield from faults
        if not faults:
            yield from _order_faults(pathway, path)


def _step_faults(pathway: Pathway, services: Collection[str], path: str) -> Iterator[Fault]:
    known: set[str] = set()
    for number, step in enumerate(pathway.steps):
        here = f"{path}.steps[{number}]"
        if step.id in known:
            yield Fault(f"{here}.id", f'"{step.id}" is repeated')
        known.add(step.id)
        if step.service not in services:
            yield Fault(f"{here}.service", f'unknown service "{step.service}"')
        if (step.times > 1 or step.recurs) != (step.every is not None):
            yield Fault(f"{here}.every", "goes with times over 1, or with recurs")
        if step.times > 1 and step.recurs:
            yield Fault(f"{here}.times", "is nothing for what recurs")
        if step.recurs and step.every is not None and step.every.min_days == 0:
            yield Fault(f"{here}.every.min_days", "is at least 1 for what recurs")
        if step.every is not None:
            yield from _lag_faults(step.every, f"{here}.every")
        if (step.deadline is None) != (step.lead_days is None):
            yield Fault(f"{here}.lead_days", "goes with deadline")
        if step.same_day and step.follows:
            yield Fault(f"{here}.same_day", "is for a step that begins the episode")
        yield from _outcome_faults(pathway, step, here)


def _lag_faults(lag: Lag, path: str) -> Iterator[Fault]:
    if lag.max_days is not None and lag.max_days < lag.min_days:
        yield Fault(f"{path}.max_days", f"is below min_days {lag.min_days}")
    if lag.max_gap_minutes is not None and lag.max_days != 0:
        yield Fault(f"{path}.max_gap_minutes", "is for visits of one day: max_days is to be 0")
    if isinstance(lag, Follow) and lag.lapses and lag.max_days is None:
        yield Fault(f"{path}.lapses", "goes with max_days")


def _outcome_faults(pathway: Pathway, step: Step, path: str) -> Iterator[Fault]:
    ids = [outcome.id for outcome in step.outcomes]
    if len(ids) == 1 or len(set(ids)) < len(ids):
        yield Fault(f"{path}.outcomes", "is none, or at least two that differ")
    if step.relief_over_percent is not None and len(ids) != 2:
        yield Fault(f"{path}.relief_over_percent", "decides between two outcomes")
    followed = {f.outcome for other in pathway.steps for f in other.follows if f.step == step.id}
    for number, outcome in enumerate(step.outcomes):
        if (outcome.then == "on") != (outcome.id in followed):
            fault = "nothing follows it" if outcome.then == "on" else f"is {outcome.then}, and yet a step follows it"
            yield Fault(f"{path}.outcomes[{number}]", fault)


def _follow_faults(pathway: Pathway, path: str) -> Iterator[Fault]:
    outcomes = {step.id: {outcome.id for outcome in step.outcomes} for step in pathway.steps}
    recurring = {step.id for step in pathway.steps if step.recurs}
    for number, step in enumerate(pathway.steps):
        for place, follow in enumerate(step.follows):
            here = f"{path}.steps[{number}].follows[{place}]"
            if follow.step not in outcomes:
                yield Fault(f"{here}.step", f'unknown step "{follow.step}"')
            elif follow.step in recurring:
                yield Fault(f"{here}.step", f'"{follow.step}" recurs and never ends')
            elif outcomes[follow.step] and follow.outcome not in outcomes[follow.step]:
                yield Fault(f"{here}.outcome", f"is to be one of {', '.join(sorted(outcomes[follow.step]))}")
            elif follow.outcome is not None and not outcomes[follow.step]:
                yield Fault(f"{here}.outcome", f'"{follow.step}" has no outcomes')
            yield from _lag_faults(follow, here)


def _order_faults(pathway: Pathway, path: str) -> Iterator[Fault]:
    before = {step.id: [follow.step for follow in step.follows] for step in pathway.steps}
    try:
        tuple(TopologicalSorter(before).static_order())
    except CycleError as error:
        yield Fault(f"{path}.steps", f"go in a cycle: {', '.join(sorted(set(error.args[1])))}")
        return
    places = {step.id: number for number, step in enumerate(pathway.steps)}
    for number, step in enumerate(pathway.steps):
        if late := [name for name in before[step.id] if places[name] > number]:
            yield Fault(f"{path}.steps[{number}]", f"stands before {', '.join(late)}, which it follows")
            return
    for chosen in _list_branches(pathway):
        if stuck := _find_stuck_step(pathway, chosen):
            yield Fault(f"{path}.steps[{places[stuck]}]", "its lags leave it no working day")
            return


def _list_branches(pathway: Pathway) -> Iterator[frozenset[str]]:
    """Yield the steps that take place together, for every combination of outcomes."""
    gates = [step for step in pathway.steps if step.outcomes]
    seen: set[frozenset[str]] = set()
    for combination in product(*([outcome.id for outcome in gate.outcomes] for gate in gates)):
        came = dict(zip((gate.id for gate in gates), combination, strict=True))
        chosen: set[str] = set()
        for step in pathway.steps:
            if all(f.step in chosen and f.outcome in (None, came.get(f.step)) for f in step.follows):
                chosen.add(step.id)
        if frozenset(chosen) not in seen:
            seen.add(frozenset(chosen))
            yield frozenset(chosen)


def _find_stuck_step(pathway: Pathway, chosen: frozenset[str]) -> str | None:
    """Return the step that no choice of working days reaches, from whatever weekday the episode begins; None: all are."""
    lags = [(a, b, lag) for a, b, lag in pathway.lags() if a.step in chosen and b.step in chosen]
    order = [Occurrence(s.id, n) for s in pathway.steps if s.id in chosen for n in range(1, s.times + 1)]
    slack = DAYS_OF_WEEK * len(order)
    last = sum(lag.min_days for _, _, lag in lags) + slack
    furthest = ""
    for first_weekday in range(WORKING_DAYS_OF_WEEK):
        workdays = [day for day in range(last + 1) if (day + first_weekday) % DAYS_OF_WEEK < WORKING_DAYS_OF_WEEK]
        reachable = {occurrence: set(workdays) for occurrence in order}
        shrinking = True
        while shrinking:
            shrinking = any([_narrow(reachable, a, b, lag) for a, b, lag in lags])
        dead = next((occurrence.step for occurrence in order if not reachable[occurrence]), None)
        if dead is None:
            return None
        furthest = dead
    return furthest


def _narrow(reachable: dict[Occurrence, set[int]], before: Occurrence, after: Occurrence, lag: Lag) -> bool:
    """Take the days away that have no partner at a lag; say whether there were any."""
    most = lag.max_days

    def partnered(early: int, late: int) -> bool:
        return lag.min_days <= late - early and (most is None or late - early <= most)

    starts = {a for a in reachable[before] if any(partnered(a, b) for b in reachable[after])}
    ends = {b for b in reachable[after] if any(partnered(a, b) for a in starts)}
    shrunk = (len(starts), len(ends)) != (len(reachable[before]), len(reachable[after]))
    reachable[before], reachable[after] = starts, ends
    return shrunk
