"""Time: the only conversion between wall-clock time, minutes of a day, grid slots and aware datetimes.

A *slot* is one possible start within a day: slot ``k`` starts ``k * grid_minutes`` after midnight. Sets of starts of one
day are *masks*: integers whose bit ``k`` stands for slot ``k``. Durations are wall-clock minutes, so a day has 1,440 of
them on every date; no clinic works through the hour in which the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

MINUTES_PER_DAY = 1440
NOON_MINUTE = 720
"""The afternoon starts at 12:00 (the cost ``half``)."""

LIKENESS = 0.75
"""How like a zone's name another has to be for it to have been meant, from 0 to 1."""

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def iterate_slots(mask: int) -> Iterator[int]:
    """Yield the slots of a mask, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def get_first_slot(mask: int) -> int:
    """Return the first slot of a mask, -1 of an empty one."""
    return (mask & -mask).bit_length() - 1


def minute_of_day(moment: datetime | time) -> int:
    """Return minutes since midnight, ``0..1439``."""
    return moment.hour * 60 + moment.minute


def write_clock(minute: int) -> str:
    """Write a minute of the day as ``09:15``."""
    return f"{minute // 60:02}:{minute % 60:02}"


def minutes_on(stamp: datetime, day: date) -> int:
    """Return the minutes from a date's midnight to a stamp: negative before that date, 1,440 or more after it."""
    return (stamp.date() - day).days * MINUTES_PER_DAY + minute_of_day(stamp)


def stamp(day: date, minute: int) -> datetime:
    """Return the wall-clock time ``minute`` minutes after a date's midnight."""
    return datetime.combine(day, time()) + timedelta(minutes=minute)


def weekday(day: date) -> str:
    """Return ``MO`` to ``SU``."""
    return WEEKDAYS[day.weekday()]


def suggest_zone(name: str) -> str:
    """Return which zone of the IANA database was probably meant, as the end of a sentence; empty: nobody knows."""
    zones = available_timezones()
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(zones) if "/" in zone}
    known = cities | {zone.casefold(): zone for zone in zones}
    near = get_close_matches("_".join(name.casefold().split()), known, 1, LIKENESS)
    return f'; did you mean "{known[near[0]]}"?' if near else ""


@dataclass(frozen=True)
class TimeGrid:
    """The grid of starts over a horizon ``[first, end)``, in one zone."""

    timezone: str
    grid_minutes: int
    first: date
    end: date

    @property
    def days(self) -> int:
        """Number of dates in the horizon."""
        return (self.end - self.first).days

    @property
    def slots_per_day(self) -> int:
        """Number of grid starts in a day."""
        return self.count_slots(MINUTES_PER_DAY)

    @property
    def noon_slot(self) -> int:
        """The first slot of the afternoon."""
        return self.count_slots(NOON_MINUTE)

    def count_slots(self, minutes: int) -> int:
        """Return how many slots some minutes take from a start on the grid, a begun one counted whole."""
        return -(-minutes // self.grid_minutes)

    def dates(self) -> Iterator[date]:
        """Yield the dates of the horizon."""
        return (self.first + timedelta(days=index) for index in range(self.days))

    def day_index(self, day: date) -> int:
        """Return a date's number, 0 for the horizon's first; outside the horizon it is negative or ``>= days``."""
        return (day - self.first).days

    def date(self, day_index: int) -> date:
        """Return the date of a day's number."""
        return self.first + timedelta(days=day_index)

    def on_grid(self, minute: int) -> bool:
        """Return whether a minute of the day is a grid start."""
        return minute % self.grid_minutes == 0

    def starts(self, begin_minute: int, end_minute: int, duration_minutes: int) -> int:
        """Return the mask of starts whose ``[start, start + duration)`` lies within ``[begin, end)`` of the day."""
        first = self.count_slots(max(begin_minute, 0))
        last = (min(end_minute, MINUTES_PER_DAY) - duration_minutes) // self.grid_minutes
        return 0 if last < first else (1 << (last + 1)) - (1 << first)

    def meeting(self, begin_minute: int, end_minute: int, before_minutes: int, after_minutes: int) -> int:
        """Return the mask of starts ``s`` whose ``[s - before, s + after)`` meets ``[begin, end)`` of the day."""
        return self.starts(begin_minute - after_minutes + 1, end_minute + before_minutes, 1)

    def slot_minutes(self, mask: int) -> Iterator[int]:
        """Return the start minutes of a mask, ascending."""
        return (slot * self.grid_minutes for slot in iterate_slots(mask))

    def aware(self, wall: datetime) -> datetime:
        """Return the instant of a wall-clock time; in the hour that occurs twice, the first."""
        return wall.replace(tzinfo=ZoneInfo(self.timezone))

    def utc(self, wall: datetime) -> datetime:
        """Return a wall-clock time as UTC."""
        return self.aware(wall).astimezone(UTC)

    def wall(self, moment: datetime) -> datetime:
        """Return the wall-clock time of an instant."""
        return moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None, fold=0)
