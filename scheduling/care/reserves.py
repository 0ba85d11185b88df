"""Capacity held for referrals to come: as much as such days have needed so far, and as late.

On a weekday, for a service at a site, the number held is the smallest that was enough on the catalogue's quantile of those
days; the usual number as long as there have been few of them. As long as the quantile leaves less than half a day of them, the
days of all weekdays are counted together: one busy day more would change it. Nothing is held on days for which every referral
that could have a visit then has come already.

Who is seen on the day of the referral needs time after it. So each of those held has an hour: the first is for the last
referral of a day, the second for the last but one. On the quantile of such days no referral that it is for came after that
hour. What is held begins then or later, as far as the catalogue's hours let it; and it is released when the hour has passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from scheduling import catalogue
from scheduling.care.windows import IsCareDay
from scheduling.catalogue.entries import ReserveRule
from scheduling.fields import Horizon, Id, Model, Stamp
from scheduling.requests import Reserve
from scheduling.timegrid import minute_of_day, stamp, weekday

HALF_A_DAY = 50
"""Percent of a day."""

NEVER = -1
"""Minute of the last referral of a day that had none."""


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
    minute: int = 0,
) -> Mapping[Reserve, datetime | None]:
    """Return what is held on the days of care of a horizon, each with the moment after which nobody is expected for it.

    Where nothing says when referrals come, that is None.

    Parameters
    ----------
    history
        Every such referral, from the first on; days before today without one count as days that needed nothing.
    minute
        The present minute of today: what was held for referrals that come earlier is held no more.
    """
    past, reserves = tuple(history), dict[Reserve, datetime | None]()
    wanted = [_hours(rule, past, today, is_care_day) for rule in rules]
    for day in (horizon.start + timedelta(days=n) for n in range((horizon.end - horizon.start).days)):
        for rule, hours in zip(rules, wanted, strict=True):
            if not _is_settled(rule, day, today, is_care_day) and is_care_day(day, rule.service, None, None):
                expected = hours.get(weekday(day), ())
                reserves |= {
                    _reserve(rule, day, number, until): None if until is None else stamp(day, until)
                    for number, until in enumerate(expected)
                    if day != today or until is None or until >= minute
                }
    return reserves


def _is_settled(rule: ReserveRule, day: date, today: date, is_care_day: IsCareDay) -> bool:
    """Return whether no day is to come on which a patient can be referred who could be seen on a day."""
    to_come = (today + timedelta(days=n) for n in range(1, (day - today).days - rule.notice_days + 1))
    return rule.notice_days > 0 and not any(is_care_day(coming, rule.service, None, None) for coming in to_come)


Hours = tuple[int | None, ...]
"""For each of those held on a weekday, the minute after which nobody is expected for it; None: nothing says."""


def _hours(rule: ReserveRule, past: Iterable[PressingReferral], today: date, is_care_day: IsCareDay) -> dict[str, Hours]:
    """Return those that are held on each weekday of a rule, the latest first."""
    came: dict[date, list[int]] = defaultdict(list)
    for referral in past:
        if (referral.service, referral.site or rule.site) == (rule.service, rule.site):
            came[referral.known.date()].append(minute_of_day(referral.known))
    first = min((referral.known.date() for referral in past), default=today)
    days = [day for n in range((today - first).days) if is_care_day(day := first + timedelta(days=n), rule.service, None, None)]
    hours: dict[str, Hours] = {}
    every = {day: sorted(came[day], reverse=True) for day in days if weekday(day) in rule.weekdays}
    for name in rule.weekdays:
        seen = [minutes for day, minutes in every.items() if weekday(day) == name]
        if len(seen) < catalogue.get_limits().held_history:
            hours[name] = (None,) * rule.usual
            continue
        if len(seen) * (100 - rule.quantile) < HALF_A_DAY:
            seen = list(every.values())
        number = quantile([len(minutes) for minutes in seen], rule.quantile)
        hours[name] = tuple(_last_hour(rule, seen, place) for place in range(number))
    return hours


def _last_hour(rule: ReserveRule, seen: Iterable[Sequence[int]], place: int) -> int | None:
    """Return the minute after which the referral at a place of the day, the last at 0, has come on the quantile of days."""
    if rule.notice_days > 0:
        return None
    return quantile([minutes[place] if place < len(minutes) else NEVER for minutes in seen], rule.quantile)


def _window(rule: ReserveRule, day: date, number: int, until: int | None) -> tuple[datetime, datetime]:
    """Return when one of those held may be: from when its referral has come, where the service then fits the rule's hours."""
    if until is None:
        hours = rule.windows[number % len(rule.windows)]
        return datetime.combine(day, hours.start), datetime.combine(day, hours.end)
    begin = min(minute_of_day(hours.start) for hours in rule.windows)
    end = max(minute_of_day(hours.end) for hours in rule.windows)
    latest = end - catalogue.get_service(rule.service).minutes
    return stamp(day, max(begin, min(until, latest))), stamp(day, end)


def _reserve(rule: ReserveRule, day: date, number: int, until: int | None) -> Reserve:
    start, end = _window(rule, day, number, until)
    return Reserve.model_validate(
        {
            "id": f"hold-{day}-{rule.service}-{rule.site or 'any'}-{number + 1}",
            "service": rule.service,
            "date": day,
            "from": f"{start:%H:%M}",
            "to": f"{end:%H:%M}",
            "site": rule.site,
        }
    )
