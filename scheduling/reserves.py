"""Capacity held for patients who are referred to be seen the same day: as much as such days have needed so far.

On a weekday, for a service at a site, the number held is the smallest that was enough on the catalogue's quantile of those
days; the usual number as long as there have been few of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from scheduling import catalogue
from scheduling.catalogue import Limits, SameDay
from scheduling.fields import Horizon, Id, Model, Stamp
from scheduling.requests import Reserve
from scheduling.timegrid import weekday
from scheduling.windows import Cares


class SameDayReferral(Model):
    """A patient who was referred to be seen that day: when, for what, and at which site (null: either)."""

    known: Stamp
    service: Id
    site: Id | None = None


def quantile(counts: Sequence[int], percent: int) -> int:
    """Return the smallest number that at least so many percent of some counts do not exceed; 0 of none."""
    ordered = sorted(counts)
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1] if ordered else 0


def reserves(
    history: Iterable[SameDayReferral],
    horizon: Horizon,
    today: date,
    cares: Cares,
    rules: Sequence[SameDay] | None = None,
    limits: Limits | None = None,
) -> tuple[Reserve, ...]:
    """Return what is held on the days of care of a horizon.

    Parameters
    ----------
    history
        Every referral of the day, from the first on; days before today without one count as days that needed nothing.
    rules, limits
        The catalogue's unless given.
    """
    past, found = tuple(history), list[Reserve]()
    known = limits or catalogue.limits()
    wanted = {index: _numbers(rule, past, today, cares, known) for index, rule in enumerate(rules or catalogue.same_day())}
    for day in (horizon.start + timedelta(days=n) for n in range((horizon.end - horizon.start).days)):
        for index, rule in enumerate(rules or catalogue.same_day()):
            if not cares(day, rule.service, None):
                continue
            for number in range(wanted[index].get(weekday(day), 0)):
                found.append(_reserve(rule, day, number))
    return tuple(found)


def _numbers(rule: SameDay, past: Iterable[SameDayReferral], today: date, cares: Cares, limits: Limits) -> dict[str, int]:
    """Return how many are held on each weekday of a rule."""
    first = min((one.known.date() for one in past), default=today)
    days = [day for n in range((today - first).days) if cares(day := first + timedelta(days=n), rule.service, None)]
    counts = Counter(one.known.date() for one in past if (one.service, one.site or rule.site) == (rule.service, rule.site))
    numbers: dict[str, int] = {}
    for name in rule.weekdays:
        seen = [counts[day] for day in days if weekday(day) == name]
        enough = len(seen) >= limits.same_day_history
        numbers[name] = quantile(seen, limits.same_day_quantile) if enough else rule.usual
    return numbers


def _reserve(rule: SameDay, day: date, number: int) -> Reserve:
    hours = rule.windows[number % len(rule.windows)]
    return Reserve.model_validate(
        {
            "id": f"hold-{day}-{rule.service}-{rule.site or 'any'}-{number + 1}",
            "service": rule.service,
            "date": day,
            "from": f"{hours.start:%H:%M}",
            "to": f"{hours.end:%H:%M}",
            "site": rule.site,
        }
    )
