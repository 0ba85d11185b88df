"""Logs as one JSON object a line, without patients' data: ids of requests and staff, route patterns, kinds of errors.

What other libraries say may quote what they were given, and so may the text of any exception. Of both only the place is
written; our own words, and those of the server, go out as they are, since house rules keep names out of them.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

OWN = ("api", "uvicorn")
"""Loggers whose words are written."""


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    levels: ClassVar[dict[str, str]] = {"WARNING": "warn", "CRITICAL": "error"}

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; what was given as ``extra={"fields": {...}}`` goes beside its words."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": self.levels.get(record.levelname, record.levelname.lower()),
            "logger": record.name,
        }
        if record.name.split(".", maxsplit=1)[0] in OWN:
            line["event"] = record.getMessage() if record.exc_info is None else record.msg
            line |= getattr(record, "fields", {})
        else:
            line["at"] = f"{record.module}:{record.lineno}"
        if record.exc_info is not None and record.exc_info[1] is not None:
            line["error"] = error_place(record.exc_info[1])
        return json.dumps(line, default=str)


def error_place(error: BaseException) -> dict[str, Any]:
    """Return the kind of an error and where it was raised, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "kind": type(error).__name__,
        "frames": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }


def write_logs(level: str) -> None:
    """Make every logger of this process write JSON lines to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
