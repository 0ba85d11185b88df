"""What is different between two plans: who is where else, who has to be told, and what that does to the cost.

Two bookings are alike when their start, location, room, people and attendees are. What is different *moved* when its start,
location or team differs, as the cost ``moved`` and the rules have it; a room or a supervisor is a detail that
no patient is called for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from scheduling.costs import calculate_costs
from scheduling.fields import Id, ItemKind, Model
from scheduling.plan import Booking, Costs, Plan
from scheduling.publishing import is_published, publish
from scheduling.rules.stability import is_attending_as_told, is_unchanged
from scheduling.scenario import Scenario

Difference = Literal["added", "dropped", "moved", "attendees", "details"]

DIFFERENCES: tuple[Difference, ...] = ("added", "dropped", "moved", "attendees", "details")


class Change(Model):
    """One visit, group session or hold that is not alike in two plans.

    Attributes
    ----------
    difference
        ``added`` or ``dropped``; ``moved``: another start, location or team; ``attendees``: a session that stays, with
        other patients; ``details``: only the room or the supervisors.
    joining, leaving
        Patients who attend a group session only after, or only before.
    notify
        Patients who have been told of something else than they have now (:func:`compare`).
    """

    kind: ItemKind
    id: Id
    difference: Difference
    before: Booking | None
    after: Booking | None
    joining: tuple[Id, ...] = ()
    leaving: tuple[Id, ...] = ()
    notify: tuple[Id, ...] = ()


class CostChange(Model):
    """A cost, or one component of it, of two plans."""

    before: int
    after: int
    difference: int


class Comparison(Model):
    """What differs between two plans; what is alike in both never appears."""

    changes: tuple[Change, ...]
    notify: tuple[Id, ...]
    cost: CostChange
    costs: dict[str, CostChange]

    def count(self, difference: Difference, *kinds: ItemKind) -> int:
        """Return the number of changes of one sort, of some kinds (none: of all)."""
        return sum(change.difference == difference and change.kind in (kinds or (change.kind,)) for change in self.changes)


def compare(
    scenario: Scenario,
    before: Plan,
    after: Plan,
    after_scenario: Scenario | None = None,
    costs: tuple[Costs, Costs] | None = None,
) -> Comparison:
    """Compare two plans.

    Parameters
    ----------
    scenario
        What ``before`` answers; its ``current`` bookings say who has been told of what. When it has none at all,
        everybody in ``before`` has been told of it.
    after_scenario
        What ``after`` answers, when that is another scenario, as after an insertion.
    costs
        What the two plans cost by :func:`~scheduling.costs.calculate_costs`, for whoever knows; None: it is counted.

    Returns
    -------
    Comparison
        Visits, then groups, then holds, each in the order of the scenarios; costs are the checker's, not what the plans say.
    """
    asked = after_scenario or scenario
    told = scenario if is_published(scenario) else publish(scenario, before)
    changes = (
        *_compare_visits(told, asked, before, after),
        *_compare_groups(told, asked, before, after),
        *_compare_holds(scenario, asked, before, after),
    )
    first, second = (
        counted.components() for counted in costs or (calculate_costs(scenario, before), calculate_costs(asked, after))
    )
    by_component = {component: _compare_costs(points, second[component]) for component, points in first.items()}
    return Comparison(
        changes=changes,
        notify=tuple(sorted({patient for change in changes for patient in change.notify})),
        cost=_compare_costs(sum(first.values()), sum(second.values())),
        costs=by_component,
    )


def _compare_costs(before: int, after: int) -> CostChange:
    return CostChange(before=before, after=after, difference=after - before)


def _merge_ids(first: Mapping[str, object], second: Mapping[str, object]) -> Iterator[str]:
    """Yield the ids of two scenarios, each once."""
    yield from first
    yield from (identifier for identifier in second if identifier not in first)


def _compare_visits(told: Scenario, asked: Scenario, before: Plan, after: Plan) -> Iterator[Change]:
    for visit in _merge_ids(told.visits_by_id, asked.visits_by_id):
        old, new = before.visits_by_id.get(visit), after.visits_by_id.get(visit)
        difference = _find_difference(old, new)
        if difference is not None:
            known = told.visits_by_id.get(visit)
            current = None if known is None else known.current
            calls = known is not None and current is not None and current.notified and not is_unchanged(current, new)
            yield _make_change("visit", visit, difference, old, new, notify=(known.patient,) if known and calls else ())


def _compare_groups(told: Scenario, asked: Scenario, before: Plan, after: Plan) -> Iterator[Change]:
    for group in _merge_ids(told.groups_by_id, asked.groups_by_id):
        old, new = before.groups_by_id.get(group), after.groups_by_id.get(group)
        attended, attends = (set() if session is None else set(session.attendees) for session in (old, new))
        difference = _find_difference(old, new)
        if attended != attends and difference in (None, "details"):
            difference = "attendees"
        if difference is not None:
            known = told.groups_by_id.get(group)
            current = None if known is None else known.current
            notified = current.attendees if current is not None and current.notified else ()
            yield _make_change(
                "group",
                group,
                difference,
                old,
                new,
                joining=tuple(sorted(attends - attended)),
                leaving=tuple(sorted(attended - attends)),
                notify=tuple(sorted(p for p in notified if current and not is_attending_as_told(current, new, p))),
            )


def _compare_holds(scenario: Scenario, asked: Scenario, before: Plan, after: Plan) -> Iterator[Change]:
    held, holds = ({hold.reserve: hold for hold in plan.holds} for plan in (before, after))
    for reserve in _merge_ids(scenario.reserves_by_id, asked.reserves_by_id):
        old, new = held.get(reserve), holds.get(reserve)
        difference = _find_difference(old, new)
        if difference is not None:
            yield _make_change("hold", reserve, difference, old, new)


def _find_difference(old: Booking | None, new: Booking | None) -> Difference | None:
    """Return how two bookings of one visit, group or reserve differ, attendees apart."""
    if old is None or new is None:
        return None if old is new else "added" if old is None else "dropped"
    if (old.start, old.location, old.team) != (new.start, new.location, new.team):
        return "moved"
    return None if (old.room, old.supervisors) == (new.room, new.supervisors) else "details"


def _make_change(
    kind: ItemKind,
    identifier: str,
    difference: Difference,
    old: Booking | None,
    new: Booking | None,
    joining: tuple[str, ...] = (),
    leaving: tuple[str, ...] = (),
    notify: tuple[str, ...] = (),
) -> Change:
    return Change(
        kind=kind,
        id=identifier,
        difference=difference,
        before=_get_place(old),
        after=_get_place(new),
        joining=joining,
        leaving=leaving,
        notify=notify,
    )


def _get_place(booking: Booking | None) -> Booking | None:
    """Return a booking's time, place and people alone: attendees of a group are told apart as joining and leaving."""
    if booking is None:
        return None
    return Booking(**{field: getattr(booking, field) for field in Booking.model_fields})
