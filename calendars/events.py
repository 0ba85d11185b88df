"""Calendars and their events, as bytes: the one place where a calendar object is put together.

A calendar is its zone's rules, then its events. Equal values give the same bytes: no clock is asked.

References
----------
RFC 5545, sections 3.1 (lines and folding), 3.4 to 3.6 (calendar, VEVENT, VTIMEZONE) and 3.8 (properties).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from calendars.timezones import vtimezone
from calendars.wording import Notice

PRODID = "-//Clinicweave//Clinicweave//EN"

Status = Literal["CONFIRMED", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """One event: when, what it says, and which version of it this is; all datetimes are aware."""

    uid: str
    sequence: int
    stamp: datetime
    starts_at: datetime
    ends_at: datetime
    notice: Notice
    status: Status = "CONFIRMED"

    def component(self, timezone: str) -> Event:
        """Return the VEVENT (RFC 5545, section 3.6.1).

        It takes no time of anybody once it is cancelled (section 3.8.2.7).
        """
        event = Event()
        event.add("UID", self.uid)
        event.add("SEQUENCE", self.sequence)
        event.add("DTSTAMP", _utc(self.stamp))
        event.add("LAST-MODIFIED", _utc(self.stamp))
        for name, instant in (("DTSTART", self.starts_at), ("DTEND", self.ends_at)):
            add_local(event, name, instant, timezone)
        event.add("SUMMARY", self.notice.summary)
        event.add("LOCATION", self.notice.location)
        event.add("DESCRIPTION", self.notice.description)
        event.add("CATEGORIES", list(self.notice.categories))
        event.add("CLASS", "PRIVATE" if self.notice.private else "PUBLIC")
        event.add("STATUS", self.status)
        event.add("TRANSP", "OPAQUE" if self.status == "CONFIRMED" else "TRANSPARENT")
        return event


def add_local(event: Event, name: str, instant: datetime, timezone: str) -> None:
    """Add an instant as local time with its zone (RFC 5545, section 3.3.5, form 3).

    A local time that occurs twice means its first occurrence, so the second one is written in UTC (form 2).
    """
    local = _aware(instant).astimezone(ZoneInfo(timezone))
    if local.fold:
        event.add(name, local.astimezone(UTC))
    else:
        event.add(name, local.replace(tzinfo=None), parameters={"TZID": timezone})


def envelope(method: str | None = None) -> Calendar:
    """Return a calendar object without content (RFC 5545, sections 3.6 and 3.7)."""
    calendar = Calendar()
    calendar.add("PRODID", PRODID)
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    if method is not None:
        calendar.add("METHOD", method)
    return calendar


def content_of(calendar: Calendar, events: Iterable[bytes]) -> bytes:
    """Return a calendar's bytes with rendered events put in before its end."""
    end = b"END:VCALENDAR\r\n"
    head: bytes = calendar.to_ical()
    return head.removesuffix(end) + b"".join(events) + end


@lru_cache(maxsize=20_000)
def rendered(occasion: Occasion, timezone: str) -> bytes:
    """Return an event's bytes; those asked for again are remembered."""
    content: bytes = occasion.component(timezone).to_ical()
    return content


@lru_cache(maxsize=64)
def zone_rules(timezone: str, first_year: int, last_year: int) -> bytes:
    """Return the VTIMEZONE for some years, both included. Raises ``UnknownId``."""
    content: bytes = vtimezone(timezone, date(first_year, 1, 1), date(last_year, 12, 31)).to_ical()
    return content


def _utc(stamp: datetime) -> datetime:
    return _aware(stamp).astimezone(UTC)


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("the stamp has no offset from UTC")
    return moment
