"""The hard rules as checkers, one pure function each, apart from any solver.

``RULES`` names them all; their order never matters. A rule's name in files is its function's, with hyphens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scheduling.plan import Plan, Violation
from scheduling.rules.patients import (
    deadline,
    earliest,
    patient_available,
    patient_overlap,
    patient_site,
    patient_travel,
    required_provider,
    same_day,
)
from scheduling.rules.places import (
    block,
    closes,
    closure,
    equipment,
    horizon,
    opens,
    recovery,
    recovery_closes,
    room,
    room_overlap,
    service_location,
    start_grid,
)
from scheduling.rules.providers import (
    attention,
    block_reserved,
    busy,
    daily_limit,
    provider_overlap,
    qualified,
    shift,
    supervision,
    team,
    travel,
)
from scheduling.rules.requests import group_cadence, group_month, group_size, link, pinned, reserve_window
from scheduling.rules.stability import begun, frozen, not_past, notice, notification_budget
from scheduling.scenario import Scenario

Rule = Callable[[Scenario, Plan], Iterator[Violation]]

RULES: tuple[Rule, ...] = (
    start_grid,
    horizon,
    service_location,
    opens,
    closes,
    recovery_closes,
    closure,
    team,
    qualified,
    shift,
    busy,
    provider_overlap,
    travel,
    supervision,
    attention,
    daily_limit,
    room,
    room_overlap,
    equipment,
    recovery,
    block,
    block_reserved,
    patient_overlap,
    patient_travel,
    patient_available,
    patient_site,
    earliest,
    deadline,
    same_day,
    required_provider,
    pinned,
    link,
    group_size,
    group_month,
    group_cadence,
    not_past,
    frozen,
    begun,
    notice,
    notification_budget,
    reserve_window,
)


def get_rule_name(function: Callable[..., object]) -> str:
    """Return the name that files and messages give to a rule's or a cost's function."""
    return function.__name__.replace("_", "-")


def find_violations(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Yield every violation of every rule."""
    for rule in RULES:
        yield from rule(scenario, plan)
