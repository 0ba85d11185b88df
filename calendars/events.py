"""Calendars and their events, as bytes: the one place where a calendar object is put together.

A calendar is its zone's rules, then its events. Equal values give the same bytes: no clock is asked.

References
----------
RFC 5545, sections 3.1 (lines and folding), 3.4 to 3.6 (calendar, VEVENT, VTIMEZONE) and 3.8 (properties).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

from calendars.lines import instant, line, local, text
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

    def content(self, timezone: str, parties: Iterable[bytes] = ()) -> bytes:
        """Return the VEVENT (RFC 5545, section 3.6.1), with the lines of who organizes it and attends.

        It takes no time of anybody once it is cancelled (section 3.8.2.7).
        """
        notice, stamp = self.notice, aware(self.stamp)
        return b"".join(
            (
                b"BEGIN:VEVENT\r\n",
                line("UID", text(self.uid)),
                line("SEQUENCE", str(self.sequence)),
                instant("DTSTAMP", stamp),
                instant("LAST-MODIFIED", stamp),
                local("DTSTART", aware(self.starts_at), timezone),
                local("DTEND", aware(self.ends_at), timezone),
                line("SUMMARY", text(notice.summary)),
                line("LOCATION", text(notice.location)) if notice.location else b"",  # libical: no property without a value
                line("DESCRIPTION", text(notice.description)),
                line("CATEGORIES", ",".join(map(text, notice.categories))),
                line("CLASS", "PRIVATE" if notice.private else "PUBLIC"),
                line("STATUS", self.status),
                line("TRANSP", "OPAQUE" if self.status == "CONFIRMED" else "TRANSPARENT"),
                *parties,
                b"END:VEVENT\r\n",
            )
        )


def calendar_of(head: Iterable[bytes], rules: bytes, events: Iterable[bytes]) -> bytes:
    """Return a calendar object: what is said of the whole of it, its zone's rules, its events (RFC 5545, section 3.6)."""
    opening = (b"BEGIN:VCALENDAR\r\n", line("VERSION", "2.0"), line("PRODID", PRODID), line("CALSCALE", "GREGORIAN"))
    return b"".join((*opening, *head, rules, *events, b"END:VCALENDAR\r\n"))


@lru_cache(maxsize=64)
def zone_rules(timezone: str, first_year: int, last_year: int) -> bytes:
    """Return the VTIMEZONE for some years, both included. Raises ``UnknownId``."""
    content: bytes = vtimezone(timezone, date(first_year, 1, 1), date(last_year, 12, 31)).to_ical()
    return content


def aware(moment: datetime) -> datetime:
    """Return an aware datetime as it is. Raises ``ValueError`` for any other."""
    if moment.utcoffset() is None:
        raise ValueError("the stamp has no offset from UTC")
    return moment
