"""How long to search, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scheduling.plan import Plan


@dataclass(frozen=True, slots=True)
class Limits:
    """When a search ends.

    Attributes
    ----------
    seconds : float
        Time for all of it, above 0.
    workers : int
        Threads, 1 or more.
    seed : int
        Start of every random choice.
    gap : float
        Relative gap ``(cost - bound) / cost`` at which the plan is good enough, ``0..1``.
    deterministic : bool
        Count work instead of time: with one worker, the same seed gives the same plan byte for byte.
    """

    seconds: float = 60.0
    workers: int = 2
    seed: int = 0
    gap: float = 0.0
    deterministic: bool = False

    def __post_init__(self) -> None:
        if not self.seconds > 0 or self.workers < 1 or not 0 <= self.gap <= 1 or not 0 <= self.seed < 2**31:
            raise ValueError(f"limits out of range: {self}")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands: seconds since its start, the best cost, the proven bound, and what it is doing.

    ``planned`` visits have a place in the best plan, ``late`` of them after their target; ``version`` grows with each plan
    that is better, which ``get_plan`` makes.
    """

    seconds: float
    cost: int
    bound: int | None
    phase: str
    planned: int = 0
    late: int = 0
    version: int = 0
    get_plan: Callable[[], Plan] | None = field(default=None, compare=False, repr=False)

    @property
    def gap(self) -> float | None:
        """The relative gap ``(cost - bound) / cost``; None when no bound is known."""
        if self.bound is None:
            return None
        return (self.cost - self.bound) / self.cost if self.cost else 0.0
