"""Dates, times, durations and periods as calendars write them, with the zones that they mean.

Programs write more forms than the standard has. What has one plain meaning is read: dashes and colons, an offset in place of
a zone, 24 o'clock as the next midnight, a zone's name with colons that nobody has quoted.

References
----------
RFC 5545, sections 3.3.4 (DATE), 3.3.5 (DATE-TIME), 3.3.6 (DURATION), 3.3.9 (PERIOD) and 3.2.19 (TZID).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from calendars.foreign_zones import clean_zone_name, find_zone, read_defined_zone
from calendars.reading import Component, ContentLine
from scheduling.fields import ONE_DAY

MAX_ZONES = 100
"""Most zones that one calendar may define and use."""

_DAY = r"(\d{4})-?(\d{2})-?(\d{2})"
_DATE = re.compile(_DAY, re.ASCII)
_MOMENT = re.compile(rf"{_DAY}[T ](\d{{2}}):?(\d{{2}})(?::?(\d{{2}})(?:[.,]\d{{1,9}})?)? ?(Z|[+-]\d{{2}}:?\d{{2}})?", re.ASCII)
_UNQUOTED = re.compile(rf"([^\n]*?):({_DAY}.*)", re.ASCII)
_LENGTH = re.compile(
    r"([+-]?)P(?=.)(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?", re.ASCII
)


class Misread(ValueError):
    """A value that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long something is: days by the calendar, and then an exact time (RFC 5545, section 3.3.6)."""

    days: int = 0
    exact: timedelta = timedelta(0)

    @classmethod
    def parse(cls, text: str) -> Length:
        """Read a duration. Raises ``Misread``, also for one that is negative."""
        match = _LENGTH.fullmatch(text.strip().upper())
        if match is None:
            raise Misread(text[:20])
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
        length = cls(7 * weeks + days, timedelta(hours=hours, minutes=minutes, seconds=seconds))
        if match[1] == "-" and length != cls():
            raise Misread(text[:20])
        return length

    @property
    def longest(self) -> timedelta:
        """The longest that it can be, whatever the clocks do meanwhile."""
        return timedelta(days=self.days + 1) + self.exact

    def add_to(self, start: date) -> date:
        """Return when what starts so ends: a date for a date, else an instant. Raises ``Misread`` beyond the calendar."""
        try:
            later = start + timedelta(days=self.days)
            if isinstance(later, datetime):
                return later.astimezone(UTC) + self.exact
            return later + timedelta(days=-(-self.exact // ONE_DAY))
        except OverflowError:
            raise Misread("a length") from None


class MomentReader:
    """Reads the times of one calendar.

    Parameters
    ----------
    calendar
        It defines zones, and may name that of times without one (X-WR-TIMEZONE).
    clinic
        The zone of whole days, and of whatever the calendar gives no zone.
    years
        The first and the last year for which zones are needed.
    spend
        Is told of the work that defined zones are.
    """

    def __init__(self, calendar: Component, clinic: tzinfo, years: tuple[int, int], spend: Callable[[int], None]) -> None:
        self.clinic = clinic
        self._years = years
        self._spend = spend
        self._definitions: dict[str, Component] = {}
        self._zones: dict[str, tzinfo | None] = {}
        for component in calendar.named("VTIMEZONE"):
            self._definitions.setdefault(clean_zone_name(component.value("TZID") or ""), component)
        self.named = calendar.value("X-WR-TIMEZONE") or None
        self.floating = self._find(self.named) or clinic if self.named else clinic
        self.home = self.floating if self.named else self._find_only_zone() or clinic
        """In whose days an instant of a series of whole days falls."""

    def read(self, line: ContentLine, floating: tzinfo | None = None) -> date:
        """Return a date, or an aware datetime; ``floating`` is the zone of one without any. Raises ``Misread``."""
        name, text = line.parameter("TZID"), line.value.strip().upper()
        if name is not None and (match := _UNQUOTED.fullmatch(text)) is not None and _DATE.match(text) is None:
            name, text = f"{name}:{match[1]}", match[2]
        try:
            if (match := _DATE.fullmatch(text)) is not None:
                return _read_day(match)
            if (match := _MOMENT.fullmatch(text)) is None:
                raise Misread(text[:20])
            day, hour = _read_day(match), int(match[4])
            if hour == 24 and not int(match[5]) and not int(match[6] or 0):
                day, hour = day + ONE_DAY, 0
            clock = time(hour, int(match[5]), min(int(match[6] or 0), 59))
        except ValueError:
            raise Misread(text[:20]) from None
        return datetime.combine(day, clock, self._choose_zone(match[7], name, floating))

    def find_unknown_zone(self, line: ContentLine | None) -> str | None:
        """Return the name of a property's zone that nobody knows, None when there is none such."""
        if line is None or line.value.strip().upper().endswith("Z") or _DATE.fullmatch(line.value.strip()):
            return None
        name = line.parameter("TZID")
        if name is None:
            return self.named if self.named and self._find(self.named) is None else None
        match = _UNQUOTED.fullmatch(line.value.strip().upper())
        name = name if match is None or _DATE.match(line.value.strip()) else f"{name}:{match[1]}"
        return name if self._find(name) is None else None

    def to_instant(self, moment: date) -> datetime:
        """Return an instant in UTC; a date is its midnight in the clinic's zone."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time(), self.clinic)
        return moment.astimezone(UTC)

    def to_day(self, moment: date) -> date:
        """Return the date of a moment: an instant's is that of the calendar's own zone."""
        return moment.astimezone(self.home).date() if isinstance(moment, datetime) else moment

    def read_period(self, line: ContentLine, text: str, floating: tzinfo | None = None) -> tuple[date, date | None]:
        """Return the start of a period and its end, None for a single moment. Raises ``Misread``."""
        begins, slash, ends = text.partition("/")
        start = self.read(ContentLine(line.name, line.written, begins), floating)
        if not slash:
            return start, None
        if ends.strip().upper().startswith(("P", "+P")):
            return start, Length.parse(ends).add_to(start)
        end = self.read(ContentLine(line.name, line.written, ends), floating)
        if self.to_instant(end) < self.to_instant(start):
            raise Misread(text[:40])
        return start, end

    def _choose_zone(self, suffix: str | None, name: str | None, floating: tzinfo | None) -> tzinfo:
        if suffix == "Z":
            return UTC
        if suffix:
            size = timedelta(hours=int(suffix[1:3]), minutes=int(suffix[-2:]))
            return timezone(-size if suffix[0] == "-" else size)
        if name is None:
            return floating or self.floating
        return self._find(name) or self.clinic

    def _find(self, name: str) -> tzinfo | None:
        """Return the zone of a name: a known one, else what the calendar defines, else what the name says of itself."""
        key = clean_zone_name(name)
        if key not in self._zones:
            if len(self._zones) == MAX_ZONES:
                return None
            self._zones[key] = self._look_up(key)
        return self._zones[key]

    def _look_up(self, key: str) -> tzinfo | None:
        zone = find_zone(key)
        if key not in self._definitions or (isinstance(zone, ZoneInfo)):
            return zone
        return read_defined_zone(self._definitions[key], *self._years, self._spend) or zone

    def _find_only_zone(self) -> tzinfo | None:
        return self._find(next(iter(self._definitions))) if len(self._definitions) == 1 else None


def _read_day(match: re.Match[str]) -> date:
    """Return a match's date, unless arithmetic could carry it beyond the calendar. Raises ``ValueError``."""
    day = date(int(match[1]), int(match[2]), int(match[3]))
    if not 1600 <= day.year <= 9000:
        raise Misread(match[0][:20])
    return day
