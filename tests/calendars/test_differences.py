"""Busy times held against two other readers, over the calendars that icalendar and recurring-ical-events ship.

Each difference is listed in ``differences.toml`` with who is right and why; one that is not there, or is not there any more,
fails. A third reader, ical.js, is among the clients.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import icalendar
import pytest
import recurring_ical_events
from ical.calendar_stream import CalendarStream
from support.shipped_calendars import clip, get_window, is_other, list_differences, list_shipped

from calendars.busy import Interval


def by_recurring(content: bytes, begin: datetime, end: datetime) -> tuple[Interval, ...]:
    icalendar.use_zoneinfo()  # forgets the zones of other files

    def spans() -> Iterator[tuple[date, date]]:
        for calendar in icalendar.Calendar.from_ical(content, multiple=True):
            for event in recurring_ical_events.of(calendar, components=["VEVENT"]).between(begin, end):
                free = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "FREE"
                if not free and event.get("TRANSP", "") != "TRANSPARENT" and event.get("STATUS", "") != "CANCELLED":
                    yield event.start, event.end

    return clip(spans(), begin, end)


def by_ical(content: bytes, begin: datetime, end: datetime) -> tuple[Interval, ...]:
    def spans() -> Iterator[tuple[date, date]]:
        for calendar in CalendarStream.from_ics(content.decode()).calendars:
            for event in calendar.timeline_tz(UTC).overlapping(begin, end):
                if "TRANSPARENT" not in str(event.transparency) and "CANCELLED" not in str(event.status):
                    yield event.start, event.end

    return clip(spans(), begin, end)


READERS: dict[str, Callable[[bytes, datetime, datetime], tuple[Interval, ...]]] = {
    "recurring-ical-events": by_recurring,
    "ical": by_ical,
}


def differs(reader: str, content: bytes) -> bool | None:
    """Return whether another reader finds other busy times; None where it refuses the file."""
    span = get_window(content)
    if span is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = READERS[reader](content, *span)
        except Exception:  # whatever it is that it cannot take
            return None
    return is_other(content, theirs, *span)


@pytest.mark.parametrize("reader", READERS)
def test_every_difference_is_listed_with_who_is_right(reader: str) -> None:
    answers = {name: differs(reader, content) for name, content in list_shipped().items()}
    assert sum(difference is not None for difference in answers.values()) > {"recurring-ical-events": 150, "ical": 60}[reader]
    assert {name for name, difference in answers.items() if difference} == set(list_differences(reader))


@pytest.mark.parametrize("reader", [*READERS, "ical.js"])
def test_each_that_is_listed_says_why(reader: str) -> None:
    for entry in list_differences(reader).values():
        assert entry["right"] in ("here", "there", "neither")
        assert re.search(r"\d\.\d", entry["section"]) and len(entry["why"]) > 20


def test_control_one_event_more_is_a_difference() -> None:
    """An event that only one of the two reads would be seen."""
    assert differs("recurring-ical-events", list_shipped()["end_before_start_event.ics"])
