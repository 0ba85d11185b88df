"""Reads calendar files with ``icalendar``; prints what icaljs.mjs does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from icalendar import Calendar


def read(file: str) -> dict[str, list[object]]:
    try:
        calendar = Calendar.from_ical(Path(file).read_bytes())
    except ValueError as error:
        return {"events": [], "faults": [str(error)]}
    events = calendar.walk("VEVENT")
    return {
        "events": [[str(event["UID"]), event.start.timestamp(), event.end.timestamp()] for event in events],
        "faults": [f"{name}: {fault}" for part in calendar.walk() for name, fault in part.errors],
    }


for argument in sys.argv[1:]:
    print(json.dumps(read(argument)))
