"""Pins that cannot be kept: what they break, alone or together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from scheduling.plan import Reason, VisitBooking
from scheduling.requests import Visit
from scheduling.rules import RULES, Rule, providers, requests
from scheduling.rules.stability import is_begun
from scheduling.scenario import Scenario
from solver.state.domains import Domains
from solver.state.placements import get_placements, make_plan
from solver.state.tasks import Key

NOT_OF_PINS: tuple[Rule, ...] = (providers.supervision, requests.link, requests.pinned, requests.group_size)
"""Rules that pins alone cannot be judged by: they depend on what is planned around them."""


def pin_conflicts(scenario: Scenario) -> dict[Key, tuple[Reason, ...]]:
    """Return the pinned visits that cannot be kept, because their pins break a rule alone or together, and which.

    As few as a greedy choice in the order of the file needs are given up.
    """
    pinned = [visit for visit in scenario.visits if visit.pinned is not None]
    if not pinned:
        return {}
    broken = {identifier for _, ids, _ in _violations(scenario, pinned) for identifier in ids}
    kept = [visit for visit in pinned if visit.id not in broken]
    conflicts: dict[Key, tuple[Reason, ...]] = {}
    for visit in pinned:
        if visit.id in broken:
            findings = [finding for finding in _violations(scenario, [*kept, visit]) if visit.id in finding[1]]
            if findings:
                words = [f"the pin breaks {rule} ({', '.join(ids)}): {detail}" for rule, ids, detail in findings]
                conflicts["visit", visit.id] = tuple(Reason(rule="pinned", detail=word) for word in words)
            else:
                kept.append(visit)
    return conflicts


def _violations(scenario: Scenario, visits: Sequence[Visit]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield what the pins of some visits break, as a plan of these visits alone."""
    bookings = []
    for visit in visits:
        pin = visit.pinned
        assert pin is not None
        end = pin.start + timedelta(minutes=scenario.service_of(visit).minutes)
        current = visit.current
        # A pin names no supervisors; only of what has begun are they settled.
        watching = current.supervisors if current is not None and is_begun(scenario, current) else None
        bookings.append(
            VisitBooking(
                visit=visit.id,
                start=pin.start,
                end=end,
                location=pin.location,
                room=pin.room,
                team=pin.team,
                supervisors=watching or (),
            )
        )
    domains = Domains(scenario)
    alone = make_plan(domains, {}).changed(visits=tuple(bookings))
    placed = get_placements(scenario, alone)
    shifts = make_plan(domains, placed).shifts
    plan = alone.changed(shifts=shifts)
    for rule in RULES:
        if rule not in NOT_OF_PINS:
            for violation in rule(scenario, plan):
                yield violation.rule, violation.ids, violation.detail
