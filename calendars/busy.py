"""A provider's calendar elsewhere, as the time in which they are busy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Busy:
    """The busy times of a calendar within a window.

    Attributes
    ----------
    intervals : tuple of (datetime, datetime)
        ``[start, end)``, instants in UTC, in order; none meets or touches another.
    unread : int
        Events that could not be understood, or whose rule is of no use; they are left out.
    """

    intervals: tuple[tuple[datetime, datetime], ...]
    unread: int = 0


def busy_times(content: bytes, timezone: str, begin: datetime, end: datetime, source: str = "calendar") -> Busy:
    """Return when a calendar's owner is busy within ``[begin, end)``.

    Parameters
    ----------
    content : bytes
        An iCalendar file, from anybody.
    timezone : str
        The clinic's zone: that of times without one, and of whole days.
    begin, end : datetime
        Aware; at most two years apart.
    source : str
        Names the file in errors.

    Raises
    ------
    InvalidFile
        When it is no calendar, or passes a limit.
    """
    raise NotImplementedError
