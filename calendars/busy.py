"""A provider's calendar elsewhere, as the time in which they are busy.

An event takes time unless it is cancelled, marked as free, or transparent. What is free, or over before the window, costs
nothing of the limits, which are there because the file comes from anywhere (:mod:`calendars.reading`,
:mod:`calendars.series`). What cannot be understood is counted, and takes the time that can be read of it.

References
----------
RFC 5545, sections 3.6.1 (VEVENT) and 3.6.4 (VFREEBUSY).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from calendars.moments import Misread, MomentReader
from calendars.reading import Component, read_calendars
from calendars.series import Interval, SeriesReader, takes_time
from calendars.tally import Tally, UnreadPart

LONGEST_WINDOW = timedelta(days=2 * 366)


@dataclass(frozen=True, slots=True)
class BusyTimes:
    """The busy times of a calendar within a window.

    Attributes
    ----------
    intervals : tuple of (datetime, datetime)
        ``[start, end)``, instants in UTC, in order; none meets or touches another.
    unread : int
        Parts that could not be understood.
    unread_parts : tuple of UnreadPart
        The first of them.
    """

    intervals: tuple[Interval, ...]
    unread: int = 0
    unread_parts: tuple[UnreadPart, ...] = ()


def read_busy_times(
    content: bytes,
    timezone: str,
    begin: datetime,
    end: datetime,
    source: str = "calendar",
    find_own: Callable[[Collection[str]], Collection[str]] = lambda uids: (),
    is_elsewhere_busy: bool = True,
) -> BusyTimes:
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
    find_own
        Returns those of some UIDs that are of the clinic's own events, which are booked here and so no busy time.
    is_elsewhere_busy : bool
        Whether what Outlook shows as working elsewhere takes time.

    Raises
    ------
    InvalidFile
        When it is no calendar, or passes a limit.
    ValueError
        When the window ends before it begins, or is longer than ``LONGEST_WINDOW``.
    """
    if not timedelta(0) <= end - begin <= LONGEST_WINDOW:
        raise ValueError("the window is too long, or ends before it begins")
    begin, end, clinic, tally = begin.astimezone(UTC), end.astimezone(UTC), ZoneInfo(timezone), Tally(source)
    calendars = read_calendars(content, source)
    own = find_own({event.value("UID") or "" for calendar in calendars for event in calendar.named("VEVENT")})
    intervals: list[Interval] = []
    for calendar in calendars:
        times = MomentReader(calendar, clinic, (begin.year, end.year), tally.spend)
        reader = SeriesReader(times, begin, end, tally, is_elsewhere_busy)
        for events in _group_by_uid(calendar, own, is_elsewhere_busy):
            intervals += reader.list_busy_times(events)
        intervals += _list_free_busy(calendar, times, tally)
    clipped = ((max(start, begin), min(stop, end)) for start, stop in intervals)
    return BusyTimes(merge_intervals(span for span in clipped if span[0] < span[1]), tally.unread, tuple(tally.parts))


def merge_intervals(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return what intervals cover, in order; those that overlap or touch become one."""
    whole: list[Interval] = []
    for start, end in sorted(intervals):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)


def _group_by_uid(calendar: Component, own: Collection[str], is_elsewhere_busy: bool) -> Iterable[list[Component]]:
    """Return a calendar's events that may take time, those of one UID together."""
    series: dict[str, list[Component]] = defaultdict(list)
    for number, event in enumerate(calendar.named("VEVENT")):
        uid = event.value("UID") or ""
        if uid not in own:
            series[uid or f"without-{number}"].append(event)
    return (events for events in series.values() if any(takes_time(event, is_elsewhere_busy) for event in events))


def _list_free_busy(calendar: Component, times: MomentReader, tally: Tally) -> Iterator[Interval]:
    """Yield the busy times that are listed without events (RFC 5545, section 3.8.2.6)."""
    for component in calendar.named("VFREEBUSY"):
        for line in component.lines:
            if line.name != "FREEBUSY" or (line.parameter("FBTYPE") or "BUSY").upper() == "FREE":
                continue
            for text in filter(None, map(str.strip, line.value.split(","))):
                try:
                    start, end = times.read_period(line, text)
                    if end is None:
                        raise Misread(text[:20])
                    yield times.to_instant(start), times.to_instant(end)
                except Misread:
                    tally.note("FREEBUSY")
