"""A provider's calendar elsewhere, as the time in which they are busy.

An event takes time unless it is cancelled, marked as free, or transparent. What repeats is expanded by recurring-ical-events,
within the window alone; before that everything that could make it long or large is counted (:mod:`calendars.reading`,
:mod:`calendars.recurrence`), because the file comes from anywhere.

References
----------
RFC 5545, sections 3.6.1 (VEVENT: what its end is when it has none), 3.6.4 (VFREEBUSY), 3.8.2.7 (TRANSP), 3.8.4.4
(RECURRENCE-ID) and 3.8.5 (EXDATE, RDATE, RRULE).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event, vRecur
from recurring_ical_events import EventAdapter

from calendars.foreign_zones import find_known_zone, read_defined_zone
from calendars.reading import Component, ContentLine, read_calendars
from calendars.recurrence import PATIENCE_DAYS, Rule, Unusable
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import ONE_DAY

Interval = tuple[datetime, datetime]

MAX_OCCURRENCES = 12_000
"""Most repetitions that one calendar may have within the window."""

MAX_STEPS = 400_000
"""Most work that finding them may be (:meth:`calendars.recurrence.Rule.steps`)."""

MAX_DATES = 5_000
"""Most dates that one calendar may list in RDATE and EXDATE."""

MAX_ZONES = 100
"""Most zones that one calendar may define."""

LONGEST_WINDOW = timedelta(days=2 * 366)

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_MOMENT = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?(Z?)", re.ASCII)
_LENGTH = re.compile(r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BusyTimes:
    """The busy times of a calendar within a window.

    Attributes
    ----------
    intervals : tuple of (datetime, datetime)
        ``[start, end)``, instants in UTC, in order; none meets or touches another.
    unread : int
        Events that could not be understood, or whose rule is of no use; they are left out.
    """

    intervals: tuple[Interval, ...]
    unread: int = 0


def read_busy_times(content: bytes, timezone: str, begin: datetime, end: datetime, source: str = "calendar") -> BusyTimes:
    """Return when a calendar's owner is busy within ``[begin, end)``.

    Parameters
    ----------
    content : bytes
        An iCalendar file, from anybody.
    timezone : str
        The clinic's zone: that of times without one, and of whole days.
    begin, end : datetime
        Aware; at most two years apart.
    source : str
        Names the file in errors.

    Raises
    ------
    InvalidFile
        When it is no calendar, or passes a limit.
    ValueError
        When the window ends before it begins, or is longer than ``LONGEST_WINDOW``.
    """
    if not timedelta(0) <= end - begin <= LONGEST_WINDOW:
        raise ValueError("the window is too long, or ends before it begins")
    reader = _Reader(ZoneInfo(timezone), begin.astimezone(UTC), end.astimezone(UTC), source)
    intervals: list[Interval] = []
    for calendar in read_calendars(content, source):
        intervals += reader.calendar(calendar)
    clipped = ((max(start, reader.begin), min(stop, reader.end)) for start, stop in intervals)
    return BusyTimes(merge_intervals((start, stop) for start, stop in clipped if start < stop), reader.unread)


def merge_intervals(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return what intervals cover, in order; those that overlap or touch become one."""
    whole: list[Interval] = []
    for start, end in sorted(intervals):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)


class _Misread(ValueError):
    """An event, or a part of it, that cannot be understood."""


class _Times(EventAdapter):  # type: ignore[misc]
    """An event that is expanded to its times alone: whole copies of it would take ten times as long."""

    def as_component(
        self, start: date | None = None, stop: date | None = None, keep_recurrence_attributes: bool = True
    ) -> dict[str, Any]:
        """Return an occurrence's start and end, and whether it takes time."""
        return {"start": start, "end": stop, "busy": self._component["X-BUSY"] == "TRUE"}


@dataclass
class _Reader:
    """Reads calendars for one window, ``[begin, end)`` in UTC; ``clinic`` is the zone of times without one."""

    clinic: tzinfo
    begin: datetime
    end: datetime
    source: str
    unread: int = 0
    occurrences: int = 0
    steps: int = 0
    dates: int = 0
    _zones: dict[str, tzinfo | None] = field(default_factory=dict)

    def calendar(self, calendar: Component) -> Iterator[Interval]:
        """Yield the busy times of a calendar, clipped by nothing and merged with nothing."""
        self._zones = self._read_zones(calendar)
        series: dict[str, list[Component]] = defaultdict(list)
        for number, event in enumerate(calendar.named("VEVENT")):
            series[event.value("UID") or f"without-{number}"].append(event)
        for events in series.values():
            try:
                yield from self._list_single(events[0]) if _is_alone(events) else self._list_repeated(events)
            except _Misread:
                self.unread += len(events)
        for component in calendar.named("VFREEBUSY"):
            yield from self._free_busy(component)

    # --- events ------------------------------------------------------------------------------------------------------

    def _list_single(self, event: Component) -> Iterator[Interval]:
        if _takes_time(event):
            start, end = self._read_span(event)
            yield self._to_instant(start), self._to_instant(end)

    def _list_repeated(self, events: list[Component]) -> Iterator[Interval]:
        calendar = Calendar()
        for event in events:
            calendar.add_component(self._make_event(event))
        try:
            margin = timedelta(days=1)  # dates are compared without a zone
            query = recurring_ical_events.of(calendar, components=(_Times,))
            occurrences = query.between(self._local_begin - margin, self._local_end + margin)
        except Exception:  # whatever it is that its parser and expander say of what no program would write
            raise _Misread from None
        for occurrence in occurrences:
            if occurrence["busy"]:
                yield self._to_instant(occurrence["start"]), self._to_instant(occurrence["end"])

    def _make_event(self, event: Component) -> Event:
        """Return an event of a series, with no more than its expansion needs."""
        start, end = self._read_span(event)
        rule = self._read_rule(event, start, end)
        if rule is not None:
            first = rule.bring_forward(start, self._local_begin.date() - (end - start) - 3 * ONE_DAY)
            start, end = first, first + (end - start)
        made = Event()
        made.add("UID", "series")
        made.add("DTSTART", start)
        made.add("DTEND", end)
        made.add("X-BUSY", "TRUE" if _takes_time(event) else "FALSE")
        made.add("SEQUENCE", event.number("SEQUENCE") or 0)
        if rule is not None:
            made.add("RRULE", vRecur.from_ical(rule.written(self._get_until(rule, start))))
        for name in ("RDATE", "EXDATE"):
            listed = [moment for line in event.lines if line.name == name for moment in self._list_dates(line)]
            if listed:
                made.add(name, listed)
        replaced = event.first("RECURRENCE-ID")
        if replaced is not None:
            whole = {"RANGE": "THISANDFUTURE"} if replaced.parameter("RANGE") == "THISANDFUTURE" else {}
            made.add("RECURRENCE-ID", self._read_moment(replaced), parameters=whole)
        return made

    def _read_rule(self, event: Component, start: date, end: date) -> Rule | None:
        written = [line.value for line in event.lines if line.name == "RRULE"]
        if not written:
            return None
        if len(written) > 1:
            raise _Misread
        try:
            rule = Rule.parse(written[0])
        except Unusable:
            raise _Misread from None
        length = (end - start).days + 1
        window = (self.end - self.begin).days + 7
        first = _to_date(rule.bring_forward(start, self._local_begin.date() - timedelta(days=length + 3)))
        last = self._local_end.date() + timedelta(days=length + 3)
        wait = rule.wait_days(first, last)
        looked_at = PATIENCE_DAYS if wait is None else wait
        self._count(rule.most_dates(window + length), rule.steps((last - min(first, last)).days + looked_at) + 2 * looked_at)
        if wait is None:
            raise _Misread
        return rule

    def _count(self, occurrences: int, steps: int) -> None:
        self.occurrences += occurrences
        self.steps += steps
        if self.occurrences > MAX_OCCURRENCES or self.steps > MAX_STEPS:
            raise InvalidFile(self.source, [Fault("", "more repetitions than can be read")])

    def _get_until(self, rule: Rule, start: date) -> str | None:
        """Return UNTIL as its expansion needs it: a date for whole days, else UTC (RFC 5545, section 3.3.10)."""
        if rule.until is None:
            return None
        last = self._read_moment(ContentLine("UNTIL", "", rule.until))
        if not isinstance(start, datetime):
            return f"{_to_date(last):%Y%m%d}"
        if not isinstance(last, datetime):
            last = datetime.combine(last, time(23, 59, 59), start.tzinfo)
        elif not rule.until.endswith("Z"):
            last = last.replace(tzinfo=start.tzinfo)
        return f"{last.astimezone(UTC):%Y%m%dT%H%M%SZ}"

    def _list_dates(self, line: ContentLine) -> Iterator[date]:
        for text in line.value.split(","):
            self.dates += 1
            if self.dates > MAX_DATES:
                raise InvalidFile(self.source, [Fault("", f"more than {MAX_DATES:,} single dates")])
            yield self._read_moment(ContentLine(line.name, line.written, text.partition("/")[0]))

    # --- times -------------------------------------------------------------------------------------------------------

    def _read_span(self, event: Component) -> tuple[date, date]:
        """Return when an event starts and ends (RFC 5545, section 3.6.1): dates for whole days, else aware datetimes."""
        begins, ends, lasts = event.first("DTSTART"), event.first("DTEND"), event.value("DURATION")
        if begins is None:
            raise _Misread
        start = self._read_moment(begins)
        whole_days = not isinstance(start, datetime)
        end: date = start + ONE_DAY if whole_days else start
        if ends is not None:
            end = self._read_moment(ends)
        elif lasts is not None:
            end = self._add_length(start, _read_length(lasts))
        if isinstance(end, datetime) == whole_days:
            raise _Misread
        return start, (start + ONE_DAY if whole_days and end <= start else max(start, end))

    def _add_length(self, start: date, length: timedelta) -> date:
        try:
            return start + length
        except OverflowError:
            raise _Misread from None

    def _read_moment(self, line: ContentLine) -> date:
        """Read a date, or a local time or instant as an aware datetime."""
        text = line.value.strip()
        try:
            if (match := _DATE.fullmatch(text)) is not None:
                return _expect_sane(date(int(match[1]), int(match[2]), int(match[3])))
            if (match := _MOMENT.fullmatch(text)) is None:
                raise _Misread
            day = _expect_sane(date(int(match[1]), int(match[2]), int(match[3])))
            clock = time(int(match[4]), int(match[5]), min(int(match[6] or 0), 59))
        except ValueError:
            raise _Misread from None
        return datetime.combine(day, clock, UTC if match[7] else self._find_zone(line.parameter("TZID")))

    def _find_zone(self, name: str | None) -> tzinfo:
        """Return the zone of a TZID; the clinic's for none, and for one that nobody knows."""
        if name is None:
            return self.clinic
        if name not in self._zones:
            self._zones[name] = find_known_zone(name)
        return self._zones[name] or self.clinic

    def _read_zones(self, calendar: Component) -> dict[str, tzinfo | None]:
        """Return the zones that a calendar defines itself, but for those that are known; of two of one name the first."""
        zones: dict[str, tzinfo | None] = {}
        for number, component in enumerate(calendar.named("VTIMEZONE")):
            if number == MAX_ZONES:
                raise InvalidFile(self.source, [Fault("", f"more than {MAX_ZONES} time zones")])
            name = component.value("TZID") or ""
            if name not in zones:
                zones[name] = find_known_zone(name) or read_defined_zone(component, self.begin.year, self.end.year)
        return zones

    @cached_property
    def _local_begin(self) -> datetime:
        return self.begin.astimezone(self.clinic)

    @cached_property
    def _local_end(self) -> datetime:
        return self.end.astimezone(self.clinic)

    def _to_instant(self, moment: date) -> datetime:
        """Return an instant in UTC; a date is its midnight in the clinic's zone."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time(), self.clinic)
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.clinic)).astimezone(UTC)

    def _free_busy(self, component: Component) -> Iterator[Interval]:
        """Yield the busy times that are listed without events (RFC 5545, section 3.8.2.6)."""
        for line in component.lines:
            if line.name != "FREEBUSY" or (line.parameter("FBTYPE") or "BUSY").upper() == "FREE":
                continue
            for period in line.value.split(","):
                begins, _, ends = period.partition("/")
                try:
                    start = self._read_moment(ContentLine("FREEBUSY", "", begins))
                    lasts = ends.strip().startswith(("P", "+"))
                    end = (
                        self._add_length(start, _read_length(ends))
                        if lasts
                        else self._read_moment(ContentLine("FREEBUSY", "", ends))
                    )
                    yield self._to_instant(start), self._to_instant(end)
                except _Misread:
                    self.unread += 1


def _is_alone(events: list[Component]) -> bool:
    """Return whether an event neither repeats nor replaces one occurrence of another."""
    return len(events) == 1 and not any(events[0].first(name) for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _takes_time(event: Component) -> bool:
    """Return whether an event keeps its owner busy. X-MICROSOFT-CDO-BUSYSTATUS is what Outlook shows it as."""
    is_free = (event.value("X-MICROSOFT-CDO-BUSYSTATUS") or "").upper() == "FREE"
    is_transparent = (event.value("TRANSP") or "").upper() == "TRANSPARENT"
    return not (is_free or is_transparent or (event.value("STATUS") or "").upper() == "CANCELLED")


def _read_length(text: str) -> timedelta:
    """Read a duration (RFC 5545, section 3.3.6)."""
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise _Misread
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    size = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -size if match[1] == "-" else size


def _expect_sane(day: date) -> date:
    """Refuse dates that arithmetic could carry beyond the calendar."""
    if not 1600 <= day.year <= 9000:
        raise _Misread
    return day


def _to_date(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)
