"""Time stamps: ``YYYYMMDDHHMMSS[.S][±ZZZZ]``, in the zone of whoever wrote them where they name no offset.

References
----------
HL7 version 2.5.1, section 2.A.22 (DTM).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:(\d{2})(?:\.\d{1,6})?)?)?(?:([+-])(\d{2}):?(\d{2}))?", re.ASCII)


class InvalidTime(Exception):
    """A time stamp that is no instant; says why."""


def read_time(text: str, zone: ZoneInfo) -> datetime:
    """Read an instant of at least minutes.

    Raises
    ------
    InvalidTime
        When it is no time stamp, or without an offset a local time that the zone does not have, or has twice.
    """
    match = _STAMP.fullmatch(text.strip())
    if match is None or match[4] is None:
        raise InvalidTime("is no time stamp like 20261130093000")
    try:
        wall = datetime(*(int(part or 0) for part in match.groups()[:6]))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        raise InvalidTime("names no moment of the calendar") from None
    if not 1900 <= wall.year < 9000:
        raise InvalidTime("is of a year out of range")
    if match[7] is not None:
        return wall.replace(tzinfo=_offset(match)).astimezone(UTC)
    return _instant(wall, zone)


def read_date(text: str) -> date | None:
    """Return the date with which a time stamp begins; None: there is none."""
    match = _STAMP.fullmatch(text.strip())
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def write_time(moment: datetime, zone: ZoneInfo, with_offset: bool) -> str:
    """Write an instant to the second as wall-clock time of a zone, with its offset when asked for."""
    local = moment.astimezone(zone)
    return local.strftime("%Y%m%d%H%M%S%z")[: None if with_offset else 14]


def _offset(match: re.Match[str]) -> timezone:
    minutes = int(match[8]) * 60 + int(match[9])
    if int(match[9]) > 59 or minutes > 15 * 60:
        raise InvalidTime("has an offset that no zone has")
    return timezone(timedelta(minutes=minutes if match[7] == "+" else -minutes))


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    comes_back = first.astimezone(zone).replace(tzinfo=None) == wall
    raise InvalidTime("occurs twice in its zone" if comes_back else "does not exist in its zone")
