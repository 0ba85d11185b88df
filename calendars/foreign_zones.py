"""The zones that calendars from elsewhere name: known ones, Windows' names for them, and those that a file defines itself.

A zone that has a known name is the one of that name, whatever the file says of it. What a file defines holds for that file
alone: two files may mean different zones by one name.

References
----------
RFC 5545, sections 3.2.19 (TZID) and 3.6.5 (VTIMEZONE).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calendars.reading import Component
from calendars.recurrence import Rule, Unusable

ONSETS_KEPT = 400
"""Most changes of the clocks that are taken from one definition."""

_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?", re.ASCII)
_LOCAL = re.compile(r"(\d{8})T(\d{6})", re.ASCII)


class ForeignZone(tzinfo):
    """A zone as a file defines it, for the years that are looked at and the one before; earlier, its first offset holds."""

    def __init__(self, name: str, initial: timedelta, onsets: list[tuple[datetime, timedelta]]) -> None:
        """``onsets`` are instants in UTC, naive, with the offset that each one brings."""
        self._name = name
        self._offsets = [initial, *(offset for _, offset in onsets)]
        self._instants = [instant for instant, _ in onsets]
        self._locals = [instant + before for (instant, _), before in zip(onsets, self._offsets, strict=False)]

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """Return the offset; a local time that occurs twice means its first occurrence."""
        if dt is None:
            return self._offsets[0]
        return self._offsets[bisect_right(self._locals, dt.replace(tzinfo=None))]

    def fromutc(self, dt: datetime) -> datetime:
        """Return the local time of an instant."""
        return dt + self._offsets[bisect_right(self._instants, dt.replace(tzinfo=None))]

    def dst(self, dt: datetime | None) -> timedelta:
        """Return nothing: how much of an offset is daylight saving is of no use here."""
        return timedelta(0)

    def tzname(self, dt: datetime | None) -> str:
        """Return the name that the file gives it."""
        return self._name

    def __deepcopy__(self, memo: dict[int, Any]) -> ForeignZone:
        """Return itself: it never changes."""
        return self


@cache
def _list_known() -> frozenset[str]:
    return frozenset(available_timezones())


def find_known_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA or Windows name, or of one with a maker's prefix, ``/example.org/Europe/Berlin``."""
    cleaned = name.strip().strip("/")
    parts = cleaned.split("/")[-8:]
    for candidate in (cleaned, WINDOWS_TO_OLSON.get(cleaned, ""), *("/".join(parts[at:]) for at in range(len(parts)))):
        if candidate in _list_known():
            return ZoneInfo(candidate)
    return None


def read_defined_zone(component: Component, first_year: int, last_year: int) -> ForeignZone | None:
    """Return the zone that a VTIMEZONE defines, for some years; None when it cannot be understood."""
    onsets: dict[datetime, tuple[timedelta, timedelta]] = {}
    for part in component.parts[:ONSETS_KEPT]:
        before, after = _read_offset(part.value("TZOFFSETFROM")), _read_offset(part.value("TZOFFSETTO"))
        if before is None or after is None:
            return None
        for local in _list_onsets(part, first_year - 1, last_year + 1):
            onsets[local - before] = (before, after)
    ordered = sorted(onsets.items())[-ONSETS_KEPT:]
    if not ordered:
        return None
    name = component.value("TZID") or ""
    return ForeignZone(name, ordered[0][1][0], [(instant, after) for instant, (_, after) in ordered])


def _list_onsets(part: Component, first_year: int, last_year: int) -> Iterator[datetime]:
    """Yield the local times at which an observance begins: its own start, and those of its rule in some years."""
    start = _read_local(part.value("DTSTART"))
    if start is None:
        return
    yield start
    for line in part.lines:
        if line.name == "RDATE":
            yield from (moment for text in line.value.split(",")[:ONSETS_KEPT] if (moment := _read_local(text)) is not None)
    try:
        rule = Rule.parse(part.value("RRULE") or "")
    except Unusable:
        return
    # UNTIL is in UTC; no two onsets of one rule are so near that the hours between make a difference.
    until = _read_local((rule.until or "").removesuffix("Z"))
    for day in rule.dates(start.date(), date(first_year, 1, 1)):
        moment = datetime.combine(day, start.time())
        if day.year > last_year or (until is not None and moment > until + timedelta(days=1)):
            return
        yield moment


def _read_offset(text: str | None) -> timedelta | None:
    match = _OFFSET.fullmatch(text or "")
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return None if size >= timedelta(days=1) else size if match[1] == "+" else -size


def _read_local(text: str | None) -> datetime | None:
    match = _LOCAL.fullmatch((text or "").strip())
    try:
        return datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S") if match else None  # noqa: DTZ007
    except ValueError:
        return None
