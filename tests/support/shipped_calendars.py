"""The calendars that icalendar and recurring-ical-events ship, and what is made of them here, to hold other readers against.

``tests/calendars/differences.toml`` lists where another reader differs, with who is right and why.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from calendars.busy import Interval, merge_intervals, read_busy_times
from scheduling.errors import InvalidFile

PACKAGES = ("recurring_ical_events", "icalendar")
REFUSED = "refused"
DIFFERENCES = Path(__file__).parents[1] / "calendars" / "differences.toml"


@cache
def list_shipped() -> dict[str, bytes]:
    """Return the calendars that the packages ship, by name; of one name the first."""
    shipped: dict[str, bytes] = {}
    for package in PACKAGES:
        for path in sorted(Path(str(files(package))).rglob("*.ics")):
            shipped.setdefault(path.name, path.read_bytes())
    return shipped


def get_window(content: bytes) -> tuple[datetime, datetime] | None:
    """Return the two years from the first event on."""
    years = [int(year) for year in re.findall(rb"DTSTART[^\r\n]*?:(\d{4})\d{4}", content) if 1990 <= int(year) < 2100]
    return (datetime(min(years), 1, 1, tzinfo=UTC), datetime(min(years) + 2, 1, 1, tzinfo=UTC)) if years else None


def clip(spans: Iterable[tuple[date, date]], begin: datetime, end: datetime) -> tuple[Interval, ...]:
    """Return what of some spans is in a window, merged; floating times are in UTC."""
    cut = ((max(_instant(start), begin), min(_instant(stop), end)) for start, stop in spans)
    return merge_intervals(span for span in cut if span[0] < span[1])


def is_other(content: bytes, theirs: tuple[Interval, ...], begin: datetime, end: datetime) -> bool:
    """Return whether what is read here is something else; a file that is refused here is, if it holds anything."""
    try:
        return read_busy_times(content, "UTC", begin, end).intervals != theirs
    except InvalidFile:
        return bool(theirs)


def list_differences(reader: str) -> dict[str, dict[str, Any]]:
    """Return the listed differences of a reader by the file's name."""
    entries = tomllib.loads(DIFFERENCES.read_text())["difference"]
    return {name: entry for entry in entries if reader in entry["readers"] for name in entry["files"]}


def _instant(moment: date) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
