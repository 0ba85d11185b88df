"""What a judgement is: one scenario, and plans of it of which the verdict is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from support.factories import Wish, plan

from scheduling.plan import Plan
from scheduling.scenario import Scenario


@dataclass(frozen=True)
class Case:
    """``keeps`` breaks no rule; ``breaks`` breaks ``rule``, by one step, and beside it ``also`` and nothing else.

    ``also`` is empty but where the rules let no plan break the rule alone; the case's label or a comment says why.
    """

    rule: str
    label: str
    scenario: Scenario = field(repr=False)
    keeps: Plan = field(repr=False)
    breaks: Plan = field(repr=False)
    also: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.rule}: {self.label}"


@dataclass(frozen=True)
class CostCase:
    """``plan`` keeps every rule, and its component ``cost`` is ``amount``."""

    cost: str
    label: str
    scenario: Scenario = field(repr=False)
    plan: Plan = field(repr=False)
    amount: int

    def __str__(self) -> str:
        return f"{self.cost}: {self.label}"


def case(
    rule: str,
    label: str,
    scenario: Scenario,
    keeps: Iterable[Wish],
    breaks: Iterable[Wish],
    also: Iterable[str] = (),
    breaking: Mapping[str, Any] | None = None,
) -> Case:
    """Make a case of bookings; ``breaking`` overrides what else the breaking plan holds."""
    broken = plan(scenario, *breaks, **(breaking or {}))
    return Case(rule, label, scenario, plan(scenario, *keeps), broken, frozenset(also))


def cost_case(cost: str, label: str, scenario: Scenario, bookings: Iterable[Wish], amount: int) -> CostCase:
    """Make a case of a cost of bookings."""
    return CostCase(cost, label, scenario, plan(scenario, *bookings), amount)
