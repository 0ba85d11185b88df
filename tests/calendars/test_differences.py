"""Busy times held against two other readers, over the calendars that icalendar and recurring-ical-events ship.

Each difference is listed in ``differences.toml`` with who is right and why; one that is not there, or is not there any more,
fails.
"""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import icalendar
import pytest
import recurring_ical_events
from ical.calendar_stream import CalendarStream

from calendars.busy import Interval, merge_intervals, read_busy_times
from scheduling.errors import InvalidFile

PACKAGES = ("recurring_ical_events", "icalendar")
REFUSED = "refused"


@cache
def shipped() -> dict[str, bytes]:
    """Return the calendars that the packages ship, by name; of one name the first."""
    found: dict[str, bytes] = {}
    for package in PACKAGES:
        for path in sorted(Path(str(files(package))).rglob("*.ics")):
            found.setdefault(path.name, path.read_bytes())
    return found


def window(content: bytes) -> tuple[datetime, datetime] | None:
    """Return the two years from the first event on."""
    years = [int(year) for year in re.findall(rb"DTSTART[^\r\n]*?:(\d{4})\d{4}", content) if 1990 <= int(year) < 2100]
    return (datetime(min(years), 1, 1, tzinfo=UTC), datetime(min(years) + 2, 1, 1, tzinfo=UTC)) if years else None


def instant(moment: date) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def clipped(spans: Iterable[tuple[date, date]], begin: datetime, end: datetime) -> tuple[Interval, ...]:
    cut = ((max(instant(start), begin), min(instant(stop), end)) for start, stop in spans)
    return merge_intervals(span for span in cut if span[0] < span[1])


def by_recurring(content: bytes, begin: datetime, end: datetime) -> tuple[Interval, ...]:
    icalendar.use_zoneinfo()  # forgets the zones of other files

    def spans() -> Iterator[tuple[date, date]]:
        for calendar in icalendar.Calendar.from_ical(content, multiple=True):
            for event in recurring_ical_events.of(calendar, components=["VEVENT"]).between(begin, end):
                free = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "FREE"
                if not free and event.get("TRANSP", "") != "TRANSPARENT" and event.get("STATUS", "") != "CANCELLED":
                    yield event.start, event.end

    return clipped(spans(), begin, end)


def by_ical(content: bytes, begin: datetime, end: datetime) -> tuple[Interval, ...]:
    def spans() -> Iterator[tuple[date, date]]:
        for calendar in CalendarStream.from_ics(content.decode()).calendars:
            for event in calendar.timeline_tz(UTC).overlapping(begin, end):
                if "TRANSPARENT" not in str(event.transparency) and "CANCELLED" not in str(event.status):
                    yield event.start, event.end

    return clipped(spans(), begin, end)


READERS: dict[str, Callable[[bytes, datetime, datetime], tuple[Interval, ...]]] = {
    "recurring-ical-events": by_recurring,
    "ical": by_ical,
}


def ours(content: bytes, begin: datetime, end: datetime) -> object:
    try:
        return read_busy_times(content, "UTC", begin, end).intervals
    except InvalidFile:
        return REFUSED


def differs(reader: str, content: bytes) -> bool | None:
    """Return whether another reader finds other busy times; None where it refuses the file."""
    span = window(content)
    if span is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = READERS[reader](content, *span)
        except Exception:  # whatever it is that it cannot take
            return None
    mine = ours(content, *span)
    return bool(theirs) if mine == REFUSED else mine != theirs


def listed(reader: str) -> dict[str, dict[str, Any]]:
    entries = tomllib.loads(Path(__file__).with_name("differences.toml").read_text())["difference"]
    return {name: entry for entry in entries if reader in entry["readers"] for name in entry["files"]}


@pytest.mark.parametrize("reader", READERS)
def test_every_difference_is_listed_with_who_is_right(reader: str) -> None:
    found = {name: differs(reader, content) for name, content in shipped().items()}
    assert sum(difference is not None for difference in found.values()) > {"recurring-ical-events": 150, "ical": 60}[reader]
    assert {name for name, difference in found.items() if difference} == set(listed(reader))


@pytest.mark.parametrize("reader", READERS)
def test_each_that_is_listed_says_why(reader: str) -> None:
    for entry in listed(reader).values():
        assert entry["right"] in ("here", "there", "neither")
        assert re.search(r"\d\.\d", entry["section"]) and len(entry["why"]) > 20


def test_control_one_event_more_is_a_difference() -> None:
    """An event that only one of the two reads would be found."""
    name = "end_before_start_event.ics"
    content = shipped()[name]
    begin, end = window(content) or (datetime.min, datetime.min)  # noqa: DTZ901
    assert ours(content, begin, end) != READERS["recurring-ical-events"](content, begin, end)
    assert differs("recurring-ical-events", content)
