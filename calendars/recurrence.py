"""Recurrence rules of calendars from elsewhere, expanded between two dates and no further.

A rule is walked day by day or month by month, from shortly before the first date that is asked for, or from its start when
its dates are counted. So a rule of which no date exists, such as every 30th of February, comes to an end as any other does.
Whoever expands is told of each step, and may stop.

References
----------
RFC 5545, section 3.3.10 (RECUR); RFC 7529, section 4.1 (RSCALE).
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import chain, count, product
from math import prod
from typing import Self

from scheduling.fields import ONE_DAY
from scheduling.timegrid import WEEKDAYS

MAX_INTERVAL, MAX_LIST, MAX_TIMES = 10_000, 62, 24
"""Largest INTERVAL, longest list, and most times of day of a rule that is expanded."""

MAX_CANDIDATES = 20_000
"""Most hours, minutes or seconds that a rule by them may name within what is asked for."""

Spend = Callable[[int], None]
"""Is told of steps of about a microsecond each, and raises what ends the work."""

_ORDINAL_DAY = re.compile(r"([+-]?\d{1,2})?([A-Z]+)", re.ASCII)
_LONG_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_DAYS_BY_NAME = {form: number for number, day in enumerate(_LONG_DAYS) for form in (day[:2], day[:3], day)}
"""Weekdays by two letters, and by three or more, as some programs write them."""

_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_CLOCK = {"BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59}
_PARTS = {
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "RSCALE", "SKIP", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"),
    *("BYMONTH", "BYSETPOS", *_CLOCK),
}
_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_SECONDS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}


class Unusable(ValueError):
    """A rule that is not expanded; says why."""


@dataclass(frozen=True)
class Rule:
    """A recurrence rule.

    Attributes
    ----------
    weekdays : tuple of (int, int)
        Ordinal within the month or year, 0 for every one; and the weekday, 0 for Monday.
    clock : mapping
        BYHOUR, BYMINUTE and BYSECOND, where they are given.
    misread : tuple of str
        The parts that could not be understood: the rule is what it is without them.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str | None = None
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    clock: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    misread: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an RRULE's value, as far as it can be understood. Raises ``Unusable`` when it says not how often."""
        reading = _Reading.of(text)
        frequency = reading.given.get("FREQ", "")
        if frequency not in _DAYS and frequency not in _SECONDS:
            raise Unusable("no frequency")
        if reading.given.get("RSCALE", "GREGORIAN") != "GREGORIAN":
            raise Unusable("another calendar than the Gregorian one")
        rule = cls(
            frequency=frequency,
            interval=reading.read_interval(),
            count=reading.read_count(),
            until=reading.given.get("UNTIL") or None,
            week_start=reading.read_week_start(),
            weekdays=reading.read_weekdays(frequency),
            month_days=() if frequency == "WEEKLY" else reading.read_signed("BYMONTHDAY", 31),
            year_days=() if frequency in ("DAILY", "WEEKLY", "MONTHLY") else reading.read_signed("BYYEARDAY", 366),
            weeks=reading.read_signed("BYWEEKNO", 53) if frequency == "YEARLY" else (),
            months=reading.read_numbers("BYMONTH", 1, 12),
            positions=reading.read_signed("BYSETPOS", 366),
            clock={name: values for name, most in _CLOCK.items() if (values := reading.read_numbers(name, 0, most))},
            misread=reading.list_misread(frequency),
        )
        if rule.times > MAX_TIMES or (rule.positions and frequency in _SECONDS):
            raise Unusable("too many times of day")
        return rule

    @property
    def times(self) -> int:
        """How many times of day it names."""
        return prod(len(set(values)) for values in self.clock.values())

    @property
    def is_of_days(self) -> bool:
        """Whether it names days, and not hours, minutes or seconds."""
        return self.frequency in _DAYS

    def list_moments(self, start: datetime, first: date, last: date, spend: Spend) -> Iterator[datetime]:
        """Yield its local times, naive, on the days ``first`` to ``last``, in order; UNTIL ends none of them.

        Parameters
        ----------
        start
            DTSTART's local time, naive. It is one of them only where the rule says so.
        spend
            Is told of the work while it is done.

        Raises
        ------
        Unusable
            When they are too many.
        """
        first = start.date() if self.count is not None else first
        number = 0
        for moment in self._walk(start, first, last, spend):
            if moment < start:
                continue
            number += 1
            if moment.date() > last or (self.count is not None and number > self.count):
                return
            yield moment

    def list_dates(self, start: date, first: date, last: date, spend: Spend = lambda steps: None) -> Iterator[date]:
        """Yield its dates from ``first`` to ``last`` if neither UNTIL nor a time of day mattered; ``start`` is DTSTART's."""
        begin = datetime.combine(start, time())
        for moment in self.list_moments(begin, max(first, start), last, spend):
            if moment.date() >= first:
                yield moment.date()

    def is_over(self, start: date, before: date) -> bool:
        """Return whether its COUNT has surely ended it before a date: each of its periods has a date of it."""
        if self.count is None or self.months or self.month_days or self.year_days or self.weeks or self.positions:
            return False
        if self.frequency not in ("DAILY", "WEEKLY") and (self.weekdays or start.day > 28 or self.frequency in _SECONDS):
            return False
        if self.frequency == "DAILY" and self.weekdays:
            return False
        return (before - start).days // (_DAYS[self.frequency] * self.interval) > self.count + 1

    # --- walking -----------------------------------------------------------------------------------------------------

    def _walk(self, start: datetime, first: date, last: date, spend: Spend) -> Iterator[datetime]:
        if self.frequency in _SECONDS:
            yield from self._walk_clock(start, first, last, spend)
            return
        hours, minutes, seconds = (self.clock.get(name) or (own,) for name, own in zip(_CLOCK, _get_clock(start), strict=True))
        times = sorted({time(*parts) for parts in product(hours, minutes, seconds)})
        for period in self._list_periods(start.date(), max(start.date(), first), last, spend):
            days = (day for day in period if self._fits(start.date(), day))
            moments = [datetime.combine(day, at) for day in days for at in times]
            if self.positions:
                places = (place - (place > 0) for place in self.positions)
                moments = sorted({moments[place] for place in places if -len(moments) <= place < len(moments)})
            yield from (moment for moment in moments if moment.date() >= first)

    def _walk_clock(self, start: datetime, first: date, last: date, spend: Spend) -> Iterator[datetime]:
        """Yield what a rule of hours, minutes or seconds names."""
        step = timedelta(seconds=_SECONDS[self.frequency] * self.interval)
        minutes = (self.clock.get("BYMINUTE") or (start.minute,)) if self.frequency == "HOURLY" else None
        seconds = (self.clock.get("BYSECOND") or (start.second,)) if self.frequency != "SECONDLY" else None
        begin = start - timedelta(minutes=start.minute if minutes else 0, seconds=start.second if seconds else 0)
        within = sorted(product(minutes or (0,), seconds or (0,)))
        skipped = max(0, (datetime.combine(first, time()) - begin) // step - 1)
        candidates = (datetime.combine(last + ONE_DAY, time()) - begin) // step - skipped
        if self.count is None and candidates > MAX_CANDIDATES:
            raise Unusable("too many times")
        at = begin + skipped * step
        for candidate in count():
            if at.date() > last:
                return
            if candidate > MAX_CANDIDATES:
                raise Unusable("too many times")
            spend(4)
            if self._fits(start.date(), at.date()) and self._fits_clock(at):
                moments = (at + timedelta(minutes=minute, seconds=second) for minute, second in within)
                yield from (moment for moment in moments if moment.date() >= first)
            at += step

    def _fits_clock(self, moment: datetime) -> bool:
        """Return whether a rule of hours, minutes or seconds names the hour, and what it does not spread over."""
        limiting = {"HOURLY": 1, "MINUTELY": 2, "SECONDLY": 3}[self.frequency]
        parts = list(zip(_CLOCK, _get_clock(moment), strict=True))[:limiting]
        return all(value in self.clock.get(name, (value,)) for name, value in parts)

    def _list_periods(self, start: date, first: date, last: date, spend: Spend) -> Iterator[Iterable[date]]:
        """Yield the days of each of its days, weeks, months or years, from that of ``first`` to that of ``last``."""
        match self.frequency:
            case "DAILY" | "WEEKLY":
                length = _DAYS[self.frequency]
                begin = start - timedelta(days=(start.weekday() - self.week_start) % length)
                step = length * self.interval
                at = begin + timedelta(days=max(0, (first - begin).days // step) * step)
                while at <= last:
                    spend(2 * length)
                    yield [at + timedelta(days=day) for day in range(length)]
                    at += timedelta(days=step)
            case _:
                length = 12 if self.frequency == "YEARLY" else 1
                begin_month = start.year * 12 + (0 if length == 12 else start.month - 1)
                step = length * self.interval
                skipped = max(0, first.year * 12 + first.month - 1 - begin_month) // step
                for month in range(begin_month + skipped * step, last.year * 12 + last.month, step):
                    yield chain.from_iterable(
                        self._list_days_of_month(start, each, spend) for each in range(month, month + length)
                    )

    def _list_days_of_month(self, start: date, month: int, spend: Spend) -> Iterator[date]:
        """Yield the days of a month that is counted from year 0, but for those that cannot be the rule's."""
        year, index = divmod(month, 12)
        length = monthrange(year, index + 1)[1]
        spend(2)
        if self.months and index + 1 not in self.months:
            return
        days: Iterable[int] = range(1, length + 1)
        if not (self.weekdays or self.month_days or self.year_days or self.weeks):
            if self.frequency == "YEARLY" and not self.months and index + 1 != start.month:
                return
            days = (start.day,) if start.day <= length else ()
        for day in days:
            spend(1)
            yield date(year, index + 1, day)

    def _fits(self, start: date, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if self.month_days and not {day.day, day.day - monthrange(day.year, day.month)[1] - 1} & set(self.month_days):
            return False
        if self.year_days and not {_get_day_of_year(day), _get_day_of_year(day) - 366 - isleap(day.year)} & set(self.year_days):
            return False
        if self.weeks and not self._is_in_week(day):
            return False
        if self.weekdays:
            ordinals = self._ordinals[day.weekday()]
            return 0 in ordinals or any(self._is_nth(ordinal, day) for ordinal in ordinals)
        if self.weeks and not (self.month_days or self.year_days):
            return day.weekday() == start.weekday()
        return bool(self.month_days or self.year_days) or self._is_like(start, day)

    def _is_in_week(self, day: date) -> bool:
        """Return whether a day is in a week of the year that the rule names; week 1 has its fourth day in the year."""
        fourth = day + timedelta(days=3 - (day.weekday() - self.week_start) % 7)
        number = (_get_day_of_year(fourth) - 1) // 7 + 1
        last = date(fourth.year, 12, 31)
        weeks = (_get_day_of_year(last) - 1 - (last.weekday() - self.week_start - 3) % 7) // 7 + 1
        return number in self.weeks or number - weeks - 1 in self.weeks

    @cached_property
    def _ordinals(self) -> tuple[frozenset[int], ...]:
        """Which of its days in a month or year a rule names, by weekday; 0 for each of them."""
        return tuple(frozenset(ordinal for ordinal, weekday in self.weekdays if weekday == day) for day in range(7))

    def _is_nth(self, ordinal: int, day: date) -> bool:
        """Return whether a day is the nth of its weekday in its month, or in its year if a yearly rule names no months."""
        if ordinal == 0:
            return True
        whole_year = self.frequency == "YEARLY" and not self.months
        number = _get_day_of_year(day) if whole_year else day.day
        length = 365 + isleap(day.year) if whole_year else monthrange(day.year, day.month)[1]
        return ordinal in ((number - 1) // 7 + 1, -((length - number) // 7 + 1))

    def _is_like(self, start: date, day: date) -> bool:
        """Return whether a day is what a rule without days takes from its start."""
        match self.frequency:
            case "WEEKLY":
                return day.weekday() == start.weekday()
            case "MONTHLY":
                return day.day == start.day
            case "YEARLY":
                return day.day == start.day and (bool(self.months) or day.month == start.month)
            case _:
                return True


@dataclass(slots=True)
class _Reading:
    """A rule's parts as they are written; what is not understood is noted."""

    given: dict[str, str]
    faults: list[str]

    @classmethod
    def of(cls, text: str) -> Self:
        reading = cls({}, [])
        written = "".join(text.split()).upper().replace('"', "").removeprefix("RRULE:")
        for part in written.split(";"):
            name, equals, value = part.partition("=")
            if not part:
                continue
            if not equals or name not in _PARTS or reading.given.get(name, value) != value:
                reading.faults.append(name[:20])
            else:
                reading.given[name] = value
        return reading

    def list_misread(self, frequency: str) -> tuple[str, ...]:
        """Return the parts that were not understood, or that say nothing at this frequency."""
        barred = {
            "WEEKLY": ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"),
            "YEARLY": (),
            "MONTHLY": ("BYYEARDAY", "BYWEEKNO"),
            "DAILY": ("BYYEARDAY", "BYWEEKNO"),
        }
        idle = [name for name in barred.get(frequency, ("BYWEEKNO",)) if self.given.get(name)]
        if self.given.get("SKIP", "OMIT") != "OMIT":
            idle.append("SKIP")
        return tuple(dict.fromkeys((*self.faults, *idle)))

    def read_interval(self) -> int:
        """Return INTERVAL; 1, at which nothing is missed, for one that is none. Raises ``Unusable`` for one beyond all use."""
        text = self.given.get("INTERVAL") or "1"
        if text.isdecimal() and len(text.lstrip("0")) > len(str(MAX_INTERVAL)):
            raise Unusable("INTERVAL")
        if _NUMBER.fullmatch(text) and 1 <= int(text) <= MAX_INTERVAL:
            return int(text)
        if _NUMBER.fullmatch(text) and int(text) > MAX_INTERVAL:
            raise Unusable("INTERVAL")
        self.faults.append("INTERVAL")
        return 1

    def read_count(self) -> int | None:
        """Return COUNT; a number below 1, with which some programs say that there is none, is none."""
        text = self.given.get("COUNT")
        if text and not _NUMBER.fullmatch(text):
            self.faults.append("COUNT")
            return None
        return int(text) if text and int(text) > 0 else None

    def read_week_start(self) -> int:
        day = self.given.get("WKST") or "MO"
        if day in WEEKDAYS:
            return WEEKDAYS.index(day)
        self.faults.append("WKST")
        return 0

    def read_numbers(self, name: str, least: int, most: int) -> tuple[int, ...]:
        texts = self._split(name)
        usable = [int(text) for text in texts if _NUMBER.fullmatch(text) and least <= int(text) <= most]
        if len(usable) < len(texts):
            self.faults.append(name)
        return tuple(dict.fromkeys(usable))

    def read_signed(self, name: str, most: int) -> tuple[int, ...]:
        values = self.read_numbers(name, -most, most)
        if 0 in values:
            self.faults.append(name)
        return tuple(value for value in values if value)

    def read_weekdays(self, frequency: str) -> tuple[tuple[int, int], ...]:
        texts = self._split("BYDAY")
        days = []
        for text in texts:
            match = _ORDINAL_DAY.fullmatch(text)
            if match is not None and match[2] in _DAYS_BY_NAME and (match[1] is None or 1 <= abs(int(match[1])) <= 53):
                days.append((int(match[1] or 0), _DAYS_BY_NAME[match[2]]))
        numbered = frequency in ("MONTHLY", "YEARLY") and not self.given.get("BYWEEKNO")
        if len(days) < len(texts) or (not numbered and any(ordinal for ordinal, _ in days)):
            self.faults.append("BYDAY")
        return tuple(dict.fromkeys((ordinal if numbered else 0, day) for ordinal, day in days))

    def _split(self, name: str) -> list[str]:
        texts = [text for text in self.given.get(name, "").split(",") if text]
        if len(texts) > (366 if name == "BYYEARDAY" else MAX_LIST):
            raise Unusable(name)
        return texts


def _get_clock(moment: datetime) -> tuple[int, int, int]:
    return moment.hour, moment.minute, moment.second


def _get_day_of_year(day: date) -> int:
    return day.timetuple().tm_yday
