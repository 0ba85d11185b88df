"""What a planner had reached by when: the costs and bounds of one run with the seconds at which they were known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil

ROUNDING = 1e-6
"""A bound in floating point this far above an integer still stands for that integer."""


@dataclass(frozen=True, slots=True)
class Point:
    """A plan's cost, a proven lower bound, or both, and the seconds since the run began."""

    seconds: float
    cost: int | None
    bound: int | None


@dataclass(frozen=True, slots=True)
class Reached:
    """The cheapest plan and the highest bound so far."""

    cost: int | None
    bound: int | None

    @property
    def gap(self) -> float | None:
        """The part of the cost that might still be saved: ``(cost - bound) / cost``."""
        if self.cost is None or self.bound is None:
            return None
        return (self.cost - self.bound) / self.cost if self.cost else 0.0


class Clock:
    """Stamps what a run reports; begins when it is made."""

    def __init__(self, report: Callable[[Point], None]) -> None:
        self._report = report
        self._begun = time.perf_counter()

    @property
    def seconds(self) -> float:
        """The seconds since the run began."""
        return time.perf_counter() - self._begun

    def mark(self, cost: int | None, bound: float | None) -> None:
        """Report a cost, a bound, or both; a bound is rounded up, for costs are integers."""
        self._report(Point(self.seconds, cost, None if bound is None else ceil(bound - ROUNDING)))


def reached(points: Iterable[Point], seconds: float) -> Reached:
    """Return the cheapest plan and the highest bound known after some seconds."""
    known = [point for point in points if point.seconds <= seconds]
    costs = [point.cost for point in known if point.cost is not None]
    bounds = [point.bound for point in known if point.bound is not None]
    return Reached(min(costs, default=None), max(bounds, default=None))


def first_plan_seconds(points: Iterable[Point]) -> float | None:
    """Return when the first complete plan was there; None when there was none."""
    return min((point.seconds for point in points if point.cost is not None), default=None)
