"""The documents that calendars subscribe to: of a provider, a room, a group, a location or a patient.

Equal entries give the same bytes, so that a strong ETag can be made of them; each event's DTSTAMP is when its booking last
changed, not when somebody looked. Nothing of staff's feeds names a patient, and none of them has an ATTENDEE, an ORGANIZER
or an alarm. A patient's events are those of the invites: they begin when the patient is to arrive, and have alarms.

References
----------
RFC 7986, sections 5.1 (NAME) and 5.7 (REFRESH-INTERVAL); RFC 5545, section 3.6 (a calendar object without METHOD).
X-WR-CALNAME and X-PUBLISHED-TTL say the same to programs that came before RFC 7986.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from calendars.appointments import Appointment, get_free_at, resolve_appointment
from calendars.entries import CalendarEntry
from calendars.events import CalendarEvent, get_zone_rules, make_calendar
from calendars.lines import escape_text, make_line
from calendars.wording import (
    Notice,
    flatten,
    make_group_notice,
    make_patient_notice,
    make_patient_title,
    make_staff_notice,
    make_supervisor_notice,
)
from scheduling.clinic import Clinic
from scheduling.instructions import load_instructions

FeedKind = Literal["provider", "room", "group", "location", "patient"]

REFRESH = timedelta(minutes=15)
"""How often calendars are asked to look again."""

PAST = timedelta(weeks=4)
"""How much of the past a feed shows."""

NOTICES: dict[FeedKind, Callable[[str, str, CalendarEntry], Notice]] = {
    "provider": lambda clinic, timezone, entry: make_staff_notice(entry),
    "room": lambda clinic, timezone, entry: make_staff_notice(entry),
    "group": lambda clinic, timezone, entry: make_group_notice(entry),
    "location": lambda clinic, timezone, entry: make_staff_notice(entry),
    "patient": lambda clinic, timezone, entry: make_patient_notice(_resolve(clinic, timezone, entry)),
}
"""What each kind of feed says of an entry, by the clinic's name and zone."""


def make_feed(clinic: Clinic, kind: FeedKind, owner: str, name: str, entries: Iterable[CalendarEntry], first: date) -> bytes:
    """Return a feed's document.

    Parameters
    ----------
    clinic : Clinic
        Its zone is that of all times; a patient's feed takes its title from its name.
    kind, owner : str
        Whose feed it is: the id of a provider, room, group, location or patient.
    name : str
        What the owner is called: the feed's title. That of a patient's feed is the clinic's, whatever is given here.
    entries : iterable of Entry
        What concerns the owner, in any order: the past 4 weeks (``PAST``) and all that is published ahead.
    first : date
        The first date that the feed is for; the zone's rules cover it even when there is no entry.

    Raises
    ------
    UnknownId
        When there is no such zone.
    """
    ordered = sorted(entries, key=lambda entry: (entry.starts_at, entry.uid))
    free_at = _list_free_times(clinic, ordered) if kind == "patient" else [None] * len(ordered)
    events = [
        make_event(kind, clinic.name, clinic.timezone, entry, _is_supervising(kind, owner, entry), free)
        for entry, free in zip(ordered, free_at, strict=True)
    ]
    zone = ZoneInfo(clinic.timezone)
    edges = (min(entry.starts_at for entry in ordered), max(entry.ends_at for entry in ordered)) if ordered else ()
    years = {first.year, *(moment.astimezone(zone).year for moment in edges)}
    return make_calendar(
        _make_head(_make_title(clinic, kind, name)), get_zone_rules(clinic.timezone, min(years), max(years)), events
    )


def _is_supervising(kind: FeedKind, owner: str, entry: CalendarEntry) -> bool:
    """Return whether a feed's owner is no member of the team, and so supervises."""
    return kind == "provider" and not any(member.id == owner for member in entry.team)


def _list_free_times(clinic: Clinic, ordered: Sequence[CalendarEntry]) -> list[datetime | None]:
    """Return when the patient can be at each of their appointments, by start, after the one before it."""
    previous = (None, *ordered[:-1])
    return [
        None
        if before is None
        else get_free_at(
            clinic, before.ends_at + timedelta(minutes=before.service.recovery), before.location.id, entry.location.id
        )
        for before, entry in zip(previous, ordered, strict=False)
    ]


@lru_cache(maxsize=20_000)
def make_event(
    kind: FeedKind,
    clinic: str,
    timezone: str,
    entry: CalendarEntry,
    supervises: bool = False,
    free_at: datetime | None = None,
) -> bytes:
    """Return an entry's event in a kind of feed; those asked for again are remembered, as a feed changes an event at a time.

    ``free_at`` is when the patient, whose feed it is, can be there after the appointment before it.
    """
    if kind == "patient":
        appointment = _resolve(clinic, timezone, entry, free_at)
        times = (appointment.arrives_at, appointment.ends_at)
        alarms, words = load_instructions().reminders.alarm_minutes, make_patient_notice(appointment)
        event = CalendarEvent(entry.uid, entry.sequence, entry.changed_at, *times, words, alarm_minutes=alarms)
        return event.content(timezone)
    notice = NOTICES[kind](clinic, timezone, entry)
    if supervises:
        notice = make_supervisor_notice(notice)
    return CalendarEvent(entry.uid, entry.sequence, entry.changed_at, entry.starts_at, entry.ends_at, notice).content(timezone)


def _resolve(clinic: str, timezone: str, entry: CalendarEntry, free_at: datetime | None = None) -> Appointment:
    times = (entry.starts_at, entry.ends_at)
    return resolve_appointment(clinic, timezone, entry.service, entry.location, *times, free_at=free_at)


def make_empty_feed(clinic: Clinic, kind: FeedKind, owner: str, name: str, first: date) -> bytes:
    """Return what a subscribed calendar says while it has no entry: one event on the first day of the year of ``first``.

    Programs take a calendar without any event for a fault, and go on showing what was in it last (evolution-data-server),
    or ask before they believe it (vdirsyncer): visits that were cancelled would stay. The parameters are those of
    :func:`make_feed`.
    """
    day = datetime(first.year, 1, 1, tzinfo=ZoneInfo(clinic.timezone))
    words = "This calendar has no appointments at present. They appear here by themselves once they are booked."
    notice = Notice("Nothing is booked", "", words, ("Empty",))
    uid = f"{uuid5(NAMESPACE_OID, f'{kind} {owner}').hex}@clinicweave"
    occasion = CalendarEvent(uid, 0, day, day, day + REFRESH, notice, is_free=True)
    rules = get_zone_rules(clinic.timezone, first.year, first.year)
    return make_calendar(_make_head(_make_title(clinic, kind, name)), rules, (occasion.content(clinic.timezone),))


def make_tombstone(clinic: Clinic, identifier: str, ended_at: datetime) -> bytes:
    """Return what the feed with an id says once it was revoked: one event of that moment, and that it can be removed."""
    words = "This calendar is no longer updated. Remove the subscription from your calendar program."
    notice = Notice("This calendar has ended", "", words, ("Ended",))
    occasion = CalendarEvent(f"{identifier}@clinicweave", 0, ended_at, ended_at, ended_at + REFRESH, notice, is_free=True)
    year = ended_at.astimezone(ZoneInfo(clinic.timezone)).year
    rules = get_zone_rules(clinic.timezone, year, year)
    return make_calendar(_make_head(notice.summary), rules, (occasion.content(clinic.timezone),))


def _make_title(clinic: Clinic, kind: FeedKind, name: str) -> str:
    return make_patient_title(clinic.name) if kind == "patient" else flatten(name)


def _make_head(title: str) -> tuple[bytes, ...]:
    every = f"PT{REFRESH // timedelta(minutes=1)}M"
    return (
        make_line("NAME", escape_text(title)),
        make_line("X-WR-CALNAME", escape_text(title)),
        make_line("REFRESH-INTERVAL", every, VALUE="DURATION"),
        make_line("X-PUBLISHED-TTL", every),
    )
