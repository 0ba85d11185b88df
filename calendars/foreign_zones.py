"""The zones that calendars from elsewhere name: known ones, Windows' names for them, offsets, and those that a file defines.

A zone that has a known name is the one of that name, whatever the file says of it. What a file defines holds for that file
alone: two files may mean different zones by one name.

References
----------
RFC 5545, sections 3.2.19 (TZID) and 3.6.5 (VTIMEZONE). Windows' names are those of CLDR's table, as icalendar ships it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calendars.reading import Component
from calendars.recurrence import Rule, Unusable

ONSETS_KEPT = 400
"""Most changes of the clocks that are taken from one definition."""

_OFFSET = re.compile(r"([+-]?)(\d{2}):?(\d{2})?:?(\d{2})?", re.ASCII)
_LOCAL = re.compile(r"(\d{8})(?:T(\d{6})Z?)?", re.ASCII)
_NAMED_OFFSET = re.compile(r"\(?(?:utc|gmt) ?([+-]) ?(\d{1,2})(?:[:.]?(\d{2}))?(?:[) ].*)?|\((?:utc|gmt)\).*", re.ASCII)
_COPY = re.compile(r" \d{1,2}$", re.ASCII)
"""What Exchange puts after the name of a zone that it has already."""

_UTC_NAMES = ("z", "coordinated universal time")


class ForeignZone(tzinfo):
    """A zone as a file defines it, for the years that are looked at and the one before; earlier, its first offset holds."""

    def __init__(self, name: str, initial: timedelta, onsets: list[tuple[datetime, timedelta]]) -> None:
        """``onsets`` are instants in UTC, naive, with the offset that each one brings."""
        self._name = name
        self._offsets = [initial, *(offset for _, offset in onsets)]
        self._instants = [instant for instant, _ in onsets]
        changes = zip(onsets, self._offsets, strict=False)
        self._locals = [instant + max(before, after) for (instant, after), before in changes]

    def utcoffset(self, dt: datetime | None) -> timedelta:
        """Return the offset; of a local time that occurs twice the first, of one that does not occur the one before."""
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
def _list_known() -> dict[str, str]:
    """Return the IANA and Windows names, without case, each with its IANA name."""
    windows = {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items()}
    return windows | {name.casefold(): name for name in available_timezones()}


def clean_zone_name(name: str) -> str:
    """Return a zone's name as names are compared: without backslashes, quotes and case, its blanks single.

    The value of a TZID property is escaped text (RFC 5545, section 3.3.11); the parameter of the same name is not.
    """
    return " ".join(name.replace("\\", "").strip(" \t\"'").split()).casefold()


def find_zone(name: str) -> tzinfo | None:
    """Return the zone of an IANA or Windows name, in any case, with a maker's prefix or not, or of an offset.

    A prefix is that of ``/example.org/Europe/Berlin``; offsets are written ``UTC+2`` or ``(GMT+10:00) Canberra, Melbourne``.
    """
    cleaned = clean_zone_name(name)
    parts = cleaned.strip("/").split("/")[-8:]
    standard = cleaned.replace(" daylight time", " standard time")
    for candidate in (cleaned, standard, _COPY.sub("", standard), *("/".join(parts[at:]) for at in range(len(parts)))):
        known = _list_known().get(candidate) or _list_known().get(candidate.replace(" ", "_"))
        if known is not None:
            return ZoneInfo(known)
    return UTC if cleaned in _UTC_NAMES else _find_named_offset(cleaned)


def _find_named_offset(cleaned: str) -> tzinfo | None:
    """Return the zone of a name that begins with an offset from UTC, or is nothing else."""
    match = _NAMED_OFFSET.fullmatch(cleaned.replace("\N{MINUS SIGN}", "-"))
    if match is None:
        offset = _read_offset(cleaned) if cleaned[:1] in ("+", "-") else None
        return None if offset is None else timezone(offset)
    hours, minutes = int(match[2] or 0), int(match[3] or 0)
    if hours > 14 or minutes > 59:
        return None
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if match[1] == "-" else size) if size else UTC


def read_defined_zone(
    component: Component, first_year: int, last_year: int, spend: Callable[[int], None] = lambda steps: None
) -> tzinfo | None:
    """Return the zone that a VTIMEZONE defines, for some years, as far as it can be understood; None for nothing at all.

    ``spend`` is told of the work (:meth:`calendars.recurrence.Rule.list_dates`). What an observance cannot say costs that
    observance; without any, the definition may still name the zone that it was made of.
    """
    onsets: dict[datetime, tuple[timedelta, timedelta]] = {}
    for part in component.parts[:ONSETS_KEPT]:
        after = _read_offset(part.value("TZOFFSETTO"))
        if after is None:
            continue
        before = _read_offset(part.value("TZOFFSETFROM"))
        before = after if before is None else before
        for local in _list_onsets(part, first_year - 1, last_year + 1, spend):
            onsets[local - before] = (before, after)
    ordered = sorted(onsets.items())[-ONSETS_KEPT:]
    if not ordered:
        return find_zone(component.value("X-LIC-LOCATION") or "")
    name = component.value("TZID") or ""
    return ForeignZone(name, ordered[0][1][0], [(instant, after) for instant, (_, after) in ordered])


def _list_onsets(part: Component, first_year: int, last_year: int, spend: Callable[[int], None]) -> Iterator[datetime]:
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
    if not rule.is_of_days:
        return
    # UNTIL is in UTC; no two onsets of one rule are so near that the hours between make a difference.
    until = _read_local(rule.until)
    for day in rule.list_dates(start.date(), date(first_year, 1, 1), date(last_year, 12, 31), spend):
        moment = datetime.combine(day, start.time())
        if until is not None and moment > until + timedelta(days=1):
            return
        yield moment


def _read_offset(text: str | None) -> timedelta | None:
    match = _OFFSET.fullmatch((text or "").strip())
    if match is None:
        return None
    size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0), seconds=int(match[4] or 0))
    return None if size >= timedelta(days=1) else -size if match[1] == "-" else size


def _read_local(text: str | None) -> datetime | None:
    """Read a local time; a date is its midnight."""
    match = _LOCAL.fullmatch((text or "").strip())
    try:
        if match is None or not "0100" < match[1] < "9900":
            return None
        clock = time.fromisoformat(f"{match[2]:0<6}" if match[2] else "00")
        return datetime.combine(date.fromisoformat(match[1]), clock)
    except ValueError:
        return None
