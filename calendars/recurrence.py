"""Recurrence rules of calendars from elsewhere, admitted only when expanding them has an end that is near.

An expander walks from a rule's start, day by day or month by month, until it finds a date after the window. A rule of which
no date exists, such as every 30th of February, or whose next date is centuries away, would keep it walking. So a rule is
taken when it has a date soon after the window, and its start is moved forward to shortly before the window where that
changes nothing.

References
----------
RFC 5545, section 3.3.10 (RECUR).
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from math import prod
from typing import Self, TypeVar

from scheduling.fields import ONE_DAY
from scheduling.timegrid import WEEKDAYS

D = TypeVar("D", bound=date)

PATIENCE_DAYS = 8 * 366 + 7
"""How long after the window a rule's next date may be: the longest wait for a 29 February."""

MAX_INTERVAL, MAX_LIST, MAX_TIMES = 1_000, 62, 24
"""Largest INTERVAL, longest list, and most times of day of a rule that is expanded."""

_ORDINAL_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_CLOCK = {"BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59}
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", *_CLOCK}
_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}


class Unusable(ValueError):
    """A rule that is not expanded; says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of days, weeks, months or years.

    Attributes
    ----------
    weekdays : tuple of (int, int)
        Ordinal within the month or year, 0 for every one; and the weekday, 0 for Monday.
    clock : mapping
        BYHOUR, BYMINUTE and BYSECOND, where they are given.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str | None = None
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    clock: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an RRULE's value. Raises ``Unusable``."""
        given: dict[str, str] = {}
        for part in text.strip().upper().rstrip(";").split(";"):
            name, equals, value = part.partition("=")
            if not equals or name not in _PARTS or name in given:
                raise Unusable(f"the part {part[:20]!r}")
            given[name] = value
        if given.get("FREQ") not in _DAYS:
            raise Unusable("no frequency of days, weeks, months or years")
        if given.get("WKST", "MO") not in WEEKDAYS:
            raise Unusable("the start of the week")
        rule = cls(
            frequency=given["FREQ"],
            interval=_read_numbers(given, "INTERVAL", 1, MAX_INTERVAL, "1")[0],
            count=_read_numbers(given, "COUNT", 1, 10**9)[0] if "COUNT" in given else None,
            until=given.get("UNTIL"),
            week_start=WEEKDAYS.index(given.get("WKST", "MO")),
            weekdays=_read_weekdays(given.get("BYDAY")),
            month_days=_read_signed(given, "BYMONTHDAY", 31),
            months=_read_numbers(given, "BYMONTH", 1, 12),
            positions=_read_signed(given, "BYSETPOS", 366),
            clock={name: _read_numbers(given, name, 0, most) for name, most in _CLOCK.items() if name in given},
        )
        rule._expect_usual()
        return rule

    def _expect_usual(self) -> None:
        """Refuse combinations that no calendar program writes and that expanders disagree about."""
        ordinals = {bool(ordinal) for ordinal, _ in self.weekdays}
        if len(ordinals) > 1 or (True in ordinals and self.frequency in ("DAILY", "WEEKLY")):
            raise Unusable("its weekdays")
        if self.month_days and self.frequency == "WEEKLY":
            raise Unusable("days of the month in a weekly rule")
        if self.times > MAX_TIMES or (self.positions and self.times > 1):
            raise Unusable("too many times of day")

    @property
    def times(self) -> int:
        """How many times of day it names."""
        return prod(len(set(values)) for values in self.clock.values())

    def dates(self, start: date, first: date) -> Iterator[date]:
        """Yield its dates from ``first`` on for ``PATIENCE_DAYS``, as if neither COUNT nor UNTIL ended it.

        Parameters
        ----------
        start
            The date of DTSTART.
        """
        for period in self._list_periods(start, max(start, first)):
            days = [day for day in period if self._is_fitting(start, day)]
            if self.positions:
                places = (place - (place > 0) for place in self.positions)
                days = sorted({days[place] for place in places if -len(days) <= place < len(days)})
            yield from (day for day in days if day >= start and day >= first)

    def _list_periods(self, start: date, first: date) -> Iterator[Iterable[date]]:
        """Yield the days of each of its days, weeks, months or years, from that of ``first`` on."""
        last = first + timedelta(days=PATIENCE_DAYS)
        match self.frequency:
            case "DAILY" | "WEEKLY":
                length = _DAYS[self.frequency]
                begin = start - timedelta(days=(start.weekday() - self.week_start) % length)
                step = length * self.interval
                at = begin + timedelta(days=max(0, (first - begin).days // step) * step)
                while at <= last:
                    yield [at + timedelta(days=day) for day in range(length)]
                    at += timedelta(days=step)
            case _:
                length = 12 if self.frequency == "YEARLY" else 1
                begin_month = start.year * 12 + (0 if length == 12 else start.month - 1)
                step = length * self.interval
                skipped = max(0, first.year * 12 + first.month - 1 - begin_month) // step
                for month in range(begin_month + skipped * step, last.year * 12 + last.month, step):
                    yield chain.from_iterable(self._list_days_of_month(each) for each in range(month, month + length))

    def _list_days_of_month(self, month: int) -> Iterator[date]:
        """Yield the days of a month that is counted from year 0, if it is one of the rule's months."""
        year, index = divmod(month, 12)
        if self.months and index + 1 not in self.months:
            return
        for day in range(1, monthrange(year, index + 1)[1] + 1):
            yield date(year, index + 1, day)

    def _is_fitting(self, start: date, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if self.month_days and not {day.day, day.day - monthrange(day.year, day.month)[1] - 1} & set(self.month_days):
            return False
        if self.weekdays:
            return any(weekday == day.weekday() and self._is_nth(ordinal, day) for ordinal, weekday in self.weekdays)
        return bool(self.month_days) or self._is_like(start, day)

    def _is_nth(self, ordinal: int, day: date) -> bool:
        """Return whether a day is the nth of its weekday in its month, or in its year if a yearly rule names no months."""
        if ordinal == 0:
            return True
        whole_year = self.frequency == "YEARLY" and not self.months
        number = day.timetuple().tm_yday if whole_year else day.day
        length = 365 + isleap(day.year) if whole_year else monthrange(day.year, day.month)[1]
        return ordinal in ((number - 1) // 7 + 1, -((length - number) // 7 + 1))

    def _is_like(self, start: date, day: date) -> bool:
        """Return whether a day is what a rule without days takes from its start."""
        match self.frequency:
            case "DAILY":
                return True
            case "WEEKLY":
                return day.weekday() == start.weekday()
            case "MONTHLY":
                return day.day == start.day
            case _:
                return day.day == start.day and (bool(self.months) or day.month == start.month)

    def most_dates(self, days: int) -> int:
        """Return a number of dates that the rule cannot exceed within some days."""
        periods = days // (_DAYS[self.frequency] * self.interval) + 2
        if self.positions:
            each = len(self.positions)
        elif self.frequency == "DAILY":
            each = 1
        elif self.frequency == "WEEKLY":
            each = len(self.weekdays) or 1
        else:
            months = (len(self.months) or 12) if self.frequency == "YEARLY" else 1
            each = sum(1 if ordinal else 5 for ordinal, _ in self.weekdays) or len(self.month_days) or 1
            each *= months
        return periods * each * self.times

    def steps(self, days: int) -> int:
        """Return how much work it is to walk some days by the rule, in steps of about a microsecond."""
        periods = days // (_DAYS[self.frequency] * self.interval) + 1
        is_plain = not (self.months or self.month_days or self.positions or any(ordinal for ordinal, _ in self.weekdays))
        if self.count is not None and is_plain and self.frequency in ("DAILY", "WEEKLY"):
            periods = min(periods, self.count * (7 if self.weekdays and self.frequency == "DAILY" else 1))
        return _STEPS[self.frequency] * periods

    def bring_forward(self, start: D, before: date) -> D:
        """Return a start from which the rule has the same dates from a date on: the start itself, or a later one.

        It lies at least one whole period before that date, so that it does not count as an occurrence itself.
        """
        if self.count is not None or start.year >= before.year + 1:
            return start
        step = self.interval
        match self.frequency:
            case "DAILY" | "WEEKLY":
                length = _DAYS[self.frequency] * step
                periods = (before - _to_date(start)).days // length - 1
                return start + timedelta(days=max(0, periods) * length)
            case "MONTHLY":
                periods = ((before.year - start.year) * 12 + before.month - start.month) // step - 1
            case _:
                step *= 12
                periods = (before.year - start.year) * 12 // step - 1
        if periods <= 0 or start.day > 28:
            return start
        year, month = divmod(start.year * 12 + start.month - 1 + periods * step, 12)
        return start.replace(year=year, month=month + 1)

    def wait_days(self, start: date, window_end: date) -> int | None:
        """Return how many days after a window its next date is, at which an expander stops; None when it is too far."""
        following = next(self.dates(start, window_end + ONE_DAY), None)
        return None if following is None else (following - window_end).days

    def written(self, until: str | None) -> str:
        """Return it as an RRULE's value, with another UNTIL."""
        days = ",".join(f"{ordinal or ''}{WEEKDAYS[day]}" for ordinal, day in self.weekdays)
        lists = {"BYMONTHDAY": self.month_days, "BYMONTH": self.months, "BYSETPOS": self.positions, **self.clock}
        parts = {
            "FREQ": self.frequency,
            "COUNT": "" if self.count is None else str(self.count),
            "UNTIL": until or "",
            "INTERVAL": str(self.interval),
            "WKST": WEEKDAYS[self.week_start],
            "BYDAY": days,
            **{name: ",".join(map(str, values)) for name, values in lists.items()},
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)


_STEPS = {"DAILY": 8, "WEEKLY": 12, "MONTHLY": 30, "YEARLY": 90}


def _to_date(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)


def _read_numbers(given: Mapping[str, str], name: str, least: int, most: int, default: str = "") -> tuple[int, ...]:
    written = given.get(name, default)
    texts = written.split(",") if written else []
    if len(texts) > MAX_LIST or not all(_NUMBER.fullmatch(text) for text in texts) or (name in given and not texts):
        raise Unusable(name)
    values = tuple(map(int, texts))
    if not all(least <= value <= most for value in values):
        raise Unusable(name)
    return values


def _read_signed(given: Mapping[str, str], name: str, most: int) -> tuple[int, ...]:
    values = _read_numbers(given, name, -most, most)
    if 0 in values:
        raise Unusable(name)
    return values


def _read_weekdays(text: str | None) -> tuple[tuple[int, int], ...]:
    if text is None:
        return ()
    matches = [_ORDINAL_DAY.fullmatch(part) for part in text.split(",")]
    if len(matches) > MAX_LIST:
        raise Unusable("BYDAY")
    days = []
    for match in matches:
        if match is None or (match[1] is not None and not 1 <= abs(int(match[1])) <= 53):
            raise Unusable("BYDAY")
        days.append((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(dict.fromkeys(days))
