"""The dates of a synthetic horizon: its weeks, its working days, and what closes the clinic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from scheduling.clinic import Closure
from scheduling.fields import ONE_DAY
from scheduling.generate.profile import GenerationProfile, Holiday, Size
from scheduling.timegrid import WEEKDAYS, weekday

WORKING_WEEKDAYS = WEEKDAYS[:5]
YEARS = range(1901, 8999)
"""Years of a start: every date that depends on it is one that scenario files may hold."""


@dataclass(frozen=True)
class Dates:
    """Whole weeks from a Monday on; a working day is a Monday to Friday that is no holiday."""

    start: date
    weeks: int
    holidays: tuple[date, ...]
    closures: tuple[Closure, ...]

    @property
    def end(self) -> date:
        """The first date after the horizon."""
        return self.start + timedelta(weeks=self.weeks)

    def week(self, number: int) -> tuple[date, ...]:
        """Return the working days of a week, 0 for the first."""
        monday = self.start + timedelta(weeks=number)
        days = (monday + timedelta(days=index) for index in range(len(WORKING_WEEKDAYS)))
        return tuple(day for day in days if day not in self.holidays)

    @property
    def workdays(self) -> tuple[date, ...]:
        """Every working day."""
        return tuple(day for number in range(self.weeks) for day in self.week(number))

    @property
    def month(self) -> str:
        """The calendar month, as ``2026-12``, that most working days lie in; of two alike, the first."""
        months = [f"{day:%Y-%m}" for day in self.workdays]
        return max(dict.fromkeys(months), key=months.count)


def make_dates(start: date, size: Size, profile: GenerationProfile) -> Dates:
    """Return the dates of a size's horizon.

    Raises
    ------
    ValueError
        When the start is no Monday, or so far away that files cannot hold its dates.
    """
    if start.year not in YEARS:
        raise ValueError(f"the start {start} is not in the years {YEARS[0]} to {YEARS[-1]}")
    if weekday(start) != WEEKDAYS[0]:
        raise ValueError(f"the start {start} is {weekday(start)}: a horizon starts on a Monday (MO)")
    end = start + timedelta(weeks=size.weeks)
    holidays = [(holiday, day) for holiday in profile.holidays for day in _list_days(holiday, start, end)]
    closures = [
        Closure(start=_midnight(day), end=_midnight(day + ONE_DAY), location=None, reason=holiday.name)
        for holiday, day in holidays
    ]
    if size.training:
        closures.append(_make_training_closure(profile, end))
    closures.sort(key=lambda closure: closure.start)
    return Dates(start, size.weeks, tuple(sorted(day for _, day in holidays)), tuple(closures))


def _make_training_closure(profile: GenerationProfile, end: date) -> Closure:
    rule = profile.training
    day = end - timedelta(weeks=1) + WEEKDAYS.index(rule.weekday) * ONE_DAY
    start, finish = datetime.combine(day, rule.start), datetime.combine(day, rule.end)
    return Closure(start=start, end=finish, location=rule.location, reason=rule.reason)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _list_days(holiday: Holiday, start: date, end: date) -> Iterator[date]:
    for day in (start + timedelta(days=index) for index in range((end - start).days)):
        if day.month == holiday.month and (day.day == holiday.day or _is_counted(holiday, day)):
            yield day


def _is_counted(holiday: Holiday, day: date) -> bool:
    """Return whether a day is the counted weekday of its month."""
    if weekday(day) != holiday.weekday:
        return False
    if holiday.week < 0:
        return (day + timedelta(weeks=-holiday.week)).month != day.month
    return (day.day - 1) // len(WEEKDAYS) + 1 == holiday.week
