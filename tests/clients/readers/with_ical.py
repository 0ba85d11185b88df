"""Reads calendar files with ``ical``; prints what icaljs.mjs does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ical.calendar_stream import IcsCalendarStream
from ical.exceptions import CalendarParseError


def read(file: str) -> dict[str, list[object]]:
    try:
        calendar = IcsCalendarStream.calendar_from_ics(Path(file).read_bytes().decode())
    except CalendarParseError as error:
        return {"events": [], "faults": [str(error)]}
    return {
        "events": [[event.uid, event.start.timestamp(), event.end.timestamp()] for event in calendar.events],
        "faults": [],
    }


for argument in sys.argv[1:]:
    print(json.dumps(read(argument)))
