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

from calendars.lines import escape_text, make_instant, make_line, make_local
from calendars.timezones import make_vtimezone
from calendars.wording import Notice

PRODID = "-//Clinicweave//Clinicweave//EN"

Status = Literal["CONFIRMED", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event: when, what it says, and which version of it this is; all datetimes are aware.

    One that ``is_free`` takes no time of anybody: it is there to be read. ``alarm_minutes`` is how long before its start its
    owner is reminded.
    """

    uid: str
    sequence: int
    stamp: datetime
    starts_at: datetime
    ends_at: datetime
    notice: Notice
    status: Status = "CONFIRMED"
    is_free: bool = False
    alarm_minutes: tuple[int, ...] = ()

    def content(self, timezone: str, parties: Iterable[bytes] = ()) -> bytes:
        """Return the VEVENT (RFC 5545, section 3.6.1), with the lines of who organizes it and attends.

        It takes no time of anybody once it is cancelled (section 3.8.2.7).
        """
        notice, stamp = self.notice, expect_aware(self.stamp)
        return b"".join(
            (
                b"BEGIN:VEVENT\r\n",
                make_line("UID", escape_text(self.uid)),
                make_line("SEQUENCE", str(self.sequence)),
                make_instant("DTSTAMP", stamp),
                make_instant("LAST-MODIFIED", stamp),
                make_local("DTSTART", expect_aware(self.starts_at), timezone),
                make_local("DTEND", expect_aware(self.ends_at), timezone),
                make_line("SUMMARY", escape_text(notice.summary)),
                make_line("LOCATION", escape_text(notice.location))
                if notice.location
                else b"",  # libical: no property without a value
                make_line("GEO", f"{notice.geo[0]:.6f};{notice.geo[1]:.6f}") if notice.geo is not None else b"",
                make_line("DESCRIPTION", escape_text(notice.description)),
                make_line("CONTACT", escape_text(notice.contact)) if notice.contact else b"",
                make_line("URL", notice.url) if notice.url else b"",
                make_line("CATEGORIES", ",".join(map(escape_text, notice.categories))),
                make_line("CLASS", "PRIVATE" if notice.private else "PUBLIC"),
                make_line("STATUS", self.status),
                make_line("TRANSP", "TRANSPARENT" if self.is_free or self.status == "CANCELLED" else "OPAQUE"),
                *parties,
                *(_make_alarm(minutes, notice.summary) for minutes in self.alarm_minutes),
                b"END:VEVENT\r\n",
            )
        )


def _make_alarm(minutes: int, summary: str) -> bytes:
    """Return the VALARM that shows a heading some minutes before its event (RFC 5545, section 3.6.6)."""
    return b"".join(
        (
            b"BEGIN:VALARM\r\n",
            make_line("ACTION", "DISPLAY"),
            make_line("DESCRIPTION", escape_text(summary)),
            make_line("TRIGGER", f"-PT{minutes}M"),
            b"END:VALARM\r\n",
        )
    )


def make_calendar(head: Iterable[bytes], rules: bytes, events: Iterable[bytes]) -> bytes:
    """Return a calendar object: what is said of the whole of it, its zone's rules, its events (RFC 5545, section 3.6)."""
    opening = (
        b"BEGIN:VCALENDAR\r\n",
        make_line("VERSION", "2.0"),
        make_line("PRODID", PRODID),
        make_line("CALSCALE", "GREGORIAN"),
    )
    return b"".join((*opening, *head, rules, *events, b"END:VCALENDAR\r\n"))


@lru_cache(maxsize=64)
def get_zone_rules(timezone: str, first_year: int, last_year: int) -> bytes:
    """Return the VTIMEZONE for some years, both included. Raises ``UnknownId``."""
    content: bytes = make_vtimezone(timezone, date(first_year, 1, 1), date(last_year, 12, 31)).to_ical()
    return content


def expect_aware(moment: datetime) -> datetime:
    """Return an aware datetime as it is. Raises ``ValueError`` for any other."""
    if moment.utcoffset() is None:
        raise ValueError("the stamp has no offset from UTC")
    return moment
