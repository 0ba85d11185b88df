"""Why people are moved: what keeps each visit or session from staying where it stands, or what its staying would cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Literal

from scheduling.check import check
from scheduling.costs import calculate_costs
from scheduling.plan import GroupBooking, Plan, Violation, VisitBooking
from scheduling.requests import CurrentGroup
from scheduling.rules import requests
from scheduling.rules.stability import is_attending_as_told, is_unchanged
from scheduling.scenario import Scenario
from solver.search.construct import drop_broken_links, insert, put_at
from solver.state.domains import Domains
from solver.state.occupancy import Occupancy
from solver.state.placements import Placement, get_placement, get_placements, make_plan
from solver.state.tasks import Key, Task
from solver.state.unary import get_current, is_frozen

Finding = Literal["forced", "free", "pays", "in-the-way", "not-examined"]

OF_ABSENT = ("pinned", "link", "notification-budget")
"""Rules that what is not planned can break too."""

OF_OTHERS = ("supervision", "link", "pinned", "group-size")
"""Rules that a visit breaks when nothing else is planned, and that say nothing of whether it can stay."""

MAX_GIVING_WAY = 8
"""Most others that are moved to try whether something could stay."""


@dataclass(frozen=True, slots=True)
class Move:
    """A visit or session that is not where it stands, and what its staying there would mean.

    Attributes
    ----------
    people
        Patients who were told, and have to be told again.
    finding
        ``forced``: it cannot stay, whatever else is planned; ``free``: its place is free, everything else staying as it
        is; ``pays``: others are there, and could give way; ``in-the-way``: others are there, and no way was found for them
        to give way; ``not-examined``: the time was over.
    rules
        The rules that its staying would break: of its own (``forced``), or beside the others.
    others
        Who is in its way.
    costs_more
        The cost of the plan with it back in its place, over the plan's: exact and checked; for ``pays`` those in the way
        have the cheapest places that are free then, so that a better way may exist. None when there is no such plan.
    """

    kind: Literal["visit", "group"]
    id: str
    people: tuple[str, ...]
    finding: Finding
    rules: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    costs_more: int | None = None


def explain_moves(scenario: Scenario, plan: Plan, seconds: float = 10.0) -> tuple[Move, ...]:
    """Return each visit or session of a scenario's ``current`` that a plan moves or leaves out, and why it does.

    Each finding was tried, with everything else of the plan where it is; those who have been told come first, as far as the
    time allows. ``plan`` must break no rule.
    """
    ends = monotonic() + seconds
    moved = list(_moved(scenario, plan))
    if not moved:
        return ()
    examination = _Examination(scenario, plan)
    explained: dict[Key, Move] = {}
    for key, people in sorted(moved, key=lambda pair: not pair[1]):
        in_time = monotonic() < ends
        explained[key] = examination.move(key, people) if in_time else Move(key[0], key[1], people, "not-examined")
    return tuple(explained[key] for key, _ in moved)


def _moved(scenario: Scenario, plan: Plan) -> Iterator[tuple[tuple[Literal["visit", "group"], str], tuple[str, ...]]]:
    for visit in scenario.visits:
        if visit.current is not None and not is_unchanged(visit.current, plan.visits_by_id.get(visit.id)):
            yield ("visit", visit.id), (visit.patient,) if visit.current.notified else ()
    for group in scenario.groups:
        current, session = group.current, plan.groups_by_id.get(group.id)
        if current is not None:
            gone = tuple(patient for patient in current.attendees if not is_attending_as_told(current, session, patient))
            if gone or not is_unchanged(current, session):
                yield ("group", group.id), gone if current.notified else ()


class _Examination:
    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        self.scenario = scenario
        self.cost = calculate_costs(scenario, plan).total
        self.domains = Domains(scenario)
        self.placements = get_placements(scenario, plan)
        pinned = {task.key for task in self.domains.tasks if task.visit is not None and task.visit.pinned is not None}
        self.unmovable = pinned | {task.key for task in self.domains.tasks if is_frozen(scenario, task)}
        self.pinned = {key: placement for key, placement in self.placements.items() if key in pinned}

    def move(self, key: tuple[Literal["visit", "group"], str], people: tuple[str, ...]) -> Move:
        """Examine one move."""
        kind, identifier = key
        task = self.domains.by_key[key]
        wanted = get_placement(self.scenario, self._booking(task))
        alone = {other: placement for other, placement in self.pinned.items() if other != key}
        standing = self._kept(task, wanted, alone, apart=True)
        if standing is None:
            return Move(kind, identifier, people, "forced", _rules(self._broken(task, wanted, alone), alone=True))
        rest = {other: placement for other, placement in self.placements.items() if other != key}
        stays = self._kept(task, wanted, rest)
        if stays is not None and (more := self._more({**rest, key: stays})) is not None:
            return Move(kind, identifier, people, "free", costs_more=more)
        broken = self._broken(task, standing, rest)
        named = {name for violation in broken for name in violation.ids}
        others = [other for other in rest if other[1] in named]
        more = self._giving_way(task, wanted, rest, others)
        names = tuple(other[1] for other in others)
        return Move(kind, identifier, people, "in-the-way" if more is None else "pays", _rules(broken), names, more)

    def _booking(self, task: Task) -> VisitBooking | GroupBooking:
        """Return the booking of where a task stands, without supervisors."""
        current = get_current(task)
        assert current is not None
        place = current.model_dump(include={"start", "location", "room", "team"})
        place |= {"end": current.start + timedelta(minutes=task.service.minutes), "supervisors": ()}
        if isinstance(current, CurrentGroup):
            return GroupBooking(group=task.id, attendees=current.attendees, **place)
        return VisitBooking(visit=task.id, **place)

    def _kept(self, task: Task, wanted: Placement, rest: Mapping[Key, Placement], apart: bool = False) -> Placement | None:
        """Return a task's place at a start, location and team beside others, with any room and supervisors.

        ``apart``: whatever it is linked with.
        """
        around = Occupancy(self.domains, rest, [requests.link] if apart else [])
        return around.placements[task.key] if put_at(around, task, wanted) else None

    def _broken(self, task: Task, place: Placement, rest: Mapping[Key, Placement]) -> list[Violation]:
        """Return what a task breaks at a place beside others: those of that date, and those that it is linked with."""
        linked = {visit for link in self.domains.links.get(task.key, ()) for visit in (link.before, link.after)}
        near = {key: p for key, p in rest.items() if p.day == place.day or (key[0] == "visit" and key[1] in linked)}
        violations = check(self.scenario, make_plan(self.domains, {**near, task.key: place})).violations
        return [v for v in violations if v.rule not in OF_ABSENT or (v.rule != "notification-budget" and task.id in v.ids)]

    def _giving_way(self, task: Task, wanted: Placement, rest: Mapping[Key, Placement], others: Sequence[Key]) -> int | None:
        """Return what it costs more when a task stays and others take the cheapest places that are free then."""
        if not 0 < len(others) <= MAX_GIVING_WAY or self.unmovable & set(others):
            return None
        remaining = {key: placement for key, placement in rest.items() if key not in others}
        place = self._kept(task, wanted, remaining, apart=True)  # what it is linked with may be among those that give way
        if place is None:
            return None
        around = Occupancy(self.domains, {**remaining, task.key: place})
        for other in others:
            if other not in around.placements:
                insert(around, self.domains.by_key[other])
        drop_broken_links(around)
        return self._more(around.placements)

    def _more(self, placements: Mapping[Key, Placement]) -> int | None:
        """Return what placements cost more than the plan, None when they break a rule."""
        plan = make_plan(self.domains, placements)
        return None if check(self.scenario, plan).violations else plan.cost - self.cost


def _rules(broken: Iterable[Violation], alone: bool = False) -> tuple[str, ...]:
    """Return the names of broken rules, each once; of a task alone, those that what is not planned beside it breaks last."""
    names = tuple(dict.fromkeys(violation.rule for violation in broken))
    own = tuple(name for name in names if name not in OF_OTHERS)
    return own or names if alone else names
