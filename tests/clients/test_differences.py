"""Busy times held against ical.js, the parser inside Thunderbird, over the calendars that two Python packages ship."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from clients.installed import HERE, Installed
from support.shipped_calendars import clip, get_window, is_other, list_differences, list_shipped

LIMIT_SECONDS = 20.0
"""A file that ical.js never ends with counts as refused."""


def differs(installed: Installed, file: Path) -> bool | None:
    """Return whether ical.js finds other busy times in a file; None where it refuses it."""
    content = file.read_bytes()
    window = get_window(content)
    if window is None:
        return None
    bounds = [str(int(moment.timestamp())) for moment in window]
    try:
        ran = subprocess.run(
            ["node", HERE / "readers" / "icaljs_busy.mjs", file, *bounds],
            cwd=installed.node_packages,
            env={"TZ": "UTC", "PATH": "/usr/bin:/bin:/usr/local/bin"},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return None
    answer = json.loads(ran.stdout)
    if "fault" in answer:
        return None
    spans = ((datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)) for start, end in answer["busy"])
    return is_other(content, clip(spans, *window), *window)


def test_every_difference_is_listed_with_who_is_right(installed: Installed, tmp_path: Path) -> None:
    answers = {}
    for name, content in list_shipped().items():
        file = tmp_path / name
        file.write_bytes(content)
        answers[name] = differs(installed, file)
    assert sum(difference is not None for difference in answers.values()) > 150
    assert {name for name, difference in answers.items() if difference} == set(list_differences("ical.js"))
