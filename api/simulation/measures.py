"""What a simulation counts, and what its report says: waits, visits left out, patients called again, care."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median

from scheduling.care.rules import CARE_RULES, CareHistory, CareRule, CareViolation
from scheduling.fields import Count, Model, Priority

PRIORITIES: tuple[Priority, ...] = ("cancer", "urgent", "soon", "routine")


class Waits(Model):
    """Days from when a visit could first have been to when it was: of the visits of one priority."""

    visits: Count
    median: float
    p90: Count
    mean: float


class WeekFigures(Model):
    """One week: what was asked of its plan and left out, what took place, and how full it was.

    Attributes
    ----------
    utilisation
        Minutes with patients over the minutes that providers, trainees apart, were at work; 0 to 1.
    recontacted
        Patients who had been told of a place and were called again, for whatever the clinic did.
    """

    monday: str
    asked: Count
    left_out: Count
    visits: Count
    recontacted: Count
    utilisation: float
    median_wait: float


class SameDayRefusal(Model):
    """A referral of the day that had no place, and why.

    Attributes
    ----------
    proven
        Whether it is proven that there was none.
    staffed
        Whether somebody with the skill was on duty long enough after it came, at a site that the patient can reach.
    """

    moment: str
    patient: str
    service: str
    proven: bool
    staffed: bool
    reasons: tuple[str, ...]


@dataclass
class SimulationTally:
    """The counts of one simulation, as they grow.

    Attributes
    ----------
    care_rules
        By what its care is judged at the end: the pain centre's rules, or none.
    broken
        Rules that a plan broke.
    """

    policy: str
    seed: int
    care_rules: Sequence[CareRule] = CARE_RULES
    broken: list[CareViolation] = field(default_factory=list)
    chronicle: CareHistory = field(default_factory=lambda: CareHistory(until=date.min))
    waits: dict[Priority, list[int]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    left_out: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    visits: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    recontacted: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    minutes: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    supply: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    week_waits: dict[date, list[int]] = field(default_factory=lambda: defaultdict(list))
    same_day: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refusals: list[SameDayRefusal] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)
    waiting: int = 0

    def wait(self, priority: Priority, monday: date, days: int) -> None:
        """Count the wait of a visit that took place."""
        self.waits[priority].append(days)
        self.week_waits[monday].append(days)

    def weeks(self) -> list[WeekFigures]:
        """Return the weeks, in order."""
        return [
            WeekFigures(
                monday=monday.isoformat(),
                asked=self.asked[monday],
                left_out=self.left_out[monday],
                visits=self.visits[monday],
                recontacted=self.recontacted[monday],
                utilisation=round(self.minutes[monday] / supply, 3) if (supply := self.supply[monday]) else 0.0,
                median_wait=median(self.week_waits[monday] or [0]),
            )
            for monday in sorted(self.visits)
        ]

    def waits_of(self, priority: Priority) -> Waits:
        """Return the waits of a priority."""
        days = self.waits[priority]
        mean = round(sum(days) / len(days), 2) if days else 0.0
        return Waits(visits=len(days), median=median(days or [0]), p90=percentile(days, 90), mean=mean)


def percentile(values: Sequence[int], percent: int) -> int:
    """Return the smallest value that at least so many percent do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1] if ordered else 0
