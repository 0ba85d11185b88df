"""Capacity held for referrals to come: as much as such days have needed so far.

On a weekday, for a service at a site, the number held is the smallest that was enough on the catalogue's quantile of those
days; the usual number as long as there have been few of them. Nothing is held on days for which every referral that could
have a visit then has come already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from scheduling import catalogue
from scheduling.care.windows import IsCareDay
from scheduling.catalogue.entries import ReserveRule
from scheduling.fields import Horizon, Id, Model, Stamp
from scheduling.requests import Reserve
from scheduling.timegrid import weekday


class PressingReferral(Model):
    """A referral that a week's plan holds capacity for: when it came, for what, and at which site (null: either)."""

    known: Stamp
    service: Id
    site: Id | None = None


def quantile(counts: Sequence[int], percent: int) -> int:
    """Return the smallest number that at least so many percent of some counts do not exceed; 0 of none."""
    ordered = sorted(counts)
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1] if ordered else 0


def build_reserves(
    history: Iterable[PressingReferral],
    horizon: Horizon,
    today: date,
    is_care_day: IsCareDay,
    rules: Sequence[ReserveRule],
) -> tuple[Reserve, ...]:
    """Return what is held on the days of care of a horizon.

    Parameters
    ----------
    history
        Every such referral, from the first on; days before today without one count as days that needed nothing.
    """
    past, reserves = tuple(history), list[Reserve]()
    wanted = [_numbers(rule, past, today, is_care_day) for rule in rules]
    for day in (horizon.start + timedelta(days=n) for n in range((horizon.end - horizon.start).days)):
        for rule, numbers in zip(rules, wanted, strict=True):
            if not _is_settled(rule, day, today, is_care_day) and is_care_day(day, rule.service, None, None):
                reserves += [_reserve(rule, day, number) for number in range(numbers.get(weekday(day), 0))]
    return tuple(reserves)


def _is_settled(rule: ReserveRule, day: date, today: date, is_care_day: IsCareDay) -> bool:
    """Return whether no day is to come on which a patient can be referred who could be seen on a day."""
    to_come = (today + timedelta(days=n) for n in range(1, (day - today).days - rule.notice_days + 1))
    return rule.notice_days > 0 and not any(is_care_day(coming, rule.service, None, None) for coming in to_come)


def _numbers(rule: ReserveRule, past: Iterable[PressingReferral], today: date, is_care_day: IsCareDay) -> dict[str, int]:
    """Return how many are held on each weekday of a rule."""
    counts = Counter(
        referral.known.date()
        for referral in past
        if (referral.service, referral.site or rule.site) == (rule.service, rule.site)
    )
    first = min((referral.known.date() for referral in past), default=today)
    days = [day for n in range((today - first).days) if is_care_day(day := first + timedelta(days=n), rule.service, None, None)]
    numbers: dict[str, int] = {}
    for name in rule.weekdays:
        seen = [counts[day] for day in days if weekday(day) == name]
        enough = len(seen) >= catalogue.get_limits().held_history
        numbers[name] = quantile(seen, rule.quantile) if enough else rule.usual
    return numbers


def _reserve(rule: ReserveRule, day: date, number: int) -> Reserve:
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
