"""What events say: to patients without a clinical word where others may look, to staff without a word of the patient.

Where and when to arrive, what to bring and what to hold come from :mod:`scheduling.instructions`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from calendars.appointments import Appointment
from calendars.entries import Entry
from scheduling.instructions import instructions


@dataclass(frozen=True, slots=True)
class Notice:
    """The words of one event; ``private`` asks calendars that are shared to show no more than that time is taken."""

    summary: str
    location: str
    description: str
    categories: tuple[str, ...]
    private: bool = False


def one_line(text: str) -> str:
    """Return a text on one line, without control characters."""
    line = " ".join(text.split())
    if line.isprintable():  # as nearly every one is, and then no character has to be looked at
        return line
    return "".join(char for char in line if unicodedata.category(char) != "Cc")


def discreet(name: str) -> str:
    """Return a name without the words that others should not see in a patient's calendar."""
    kept = _unspoken().sub(" ", one_line(name))
    return re.sub(r"\s+([,;)])", r"\1", one_line(kept)).strip(" ,;-&/")


@cache
def _unspoken() -> re.Pattern[str]:
    words = instructions().unspoken.words
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b" if words else r"(?!)", re.IGNORECASE)


def clock(moment: datetime) -> str:
    """Write a clock time as patients read it: ``9:05 AM``."""
    return f"{moment.hour % 12 or 12}:{moment.minute:02} {'AM' if moment.hour < 12 else 'PM'}"


def day(moment: datetime) -> str:
    """Write a date as patients read it: ``Tuesday, December 1, 2026``, whatever the machine's language."""
    return f"{_WEEKDAYS[moment.weekday()]}, {_MONTHS[moment.month - 1]} {moment.day}, {moment.year}"


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def patient_title(clinic: str) -> str:
    """Return the name of a patient's calendar."""
    return ", ".join(filter(None, ("Appointments", discreet(clinic))))


def patient_notice(appointment: Appointment) -> Notice:
    """Return what a patient is told of an appointment; nothing in it differs between the members of a group."""
    heading = ", ".join(filter(None, ("Appointment", discreet(appointment.clinic))))
    place = ", ".join(filter(None, (discreet(appointment.building), one_line(appointment.address))))
    return Notice(heading, place, "\n".join(told(appointment)), ("Appointment",), private=True)


def told(appointment: Appointment) -> Iterator[str]:
    """Yield what a patient is told, line by line."""
    within = "" if appointment.within in appointment.building else appointment.within
    parts = (one_line(appointment.building), within, one_line(appointment.address))
    yield f"Where: {', '.join(filter(None, parts))}"
    if appointment.access:
        yield appointment.access
    yield f"When to arrive: {_arrival(appointment)}"
    yield from _listed("What to bring", appointment.bring)
    yield f"Companion: {appointment.companion}"
    yield from _listed("Medicines, food and drink beforehand", appointment.hold)
    if appointment.recovery_minutes:
        yield f"Afterwards: you rest here for about {appointment.recovery_minutes} minutes before you leave."
    if appointment.phone:
        yield f"Questions, or if you cannot come: {appointment.phone}"


def _arrival(appointment: Appointment) -> str:
    start, minutes = clock(appointment.local_start), appointment.arrive_minutes
    if appointment.arrive_text is not None:
        return f"{appointment.arrive_text} The appointment starts at {start}."
    if minutes == 0:
        return f"{start}, when the appointment starts."
    return f"{clock(appointment.local_arrival)}, {minutes} minutes before the start at {start}."


def _listed(heading: str, entries: Iterable[str]) -> list[str]:
    lines = [f"- {entry}" for entry in entries]
    return [f"{heading}:", *lines] if lines else []


def supervised(notice: Notice) -> Notice:
    """Return what the calendar of somebody who supervises says instead of what the team's says."""
    return replace(notice, summary=f"Supervising: {notice.summary}", categories=(*notice.categories, "Supervising"))


def staff_notice(entry: Entry) -> Notice:
    """Return what a staff calendar says of an entry: service, room, people of the clinic, and no patient."""
    lines = [*_what(entry), *_where(entry), *_who(entry), *_after(entry)]
    return Notice(_heading(entry), _room(entry), "\n".join(lines), (_CATEGORY[entry.kind],))


def group_notice(entry: Entry) -> Notice:
    """Return what a group's own calendar says of its session; it names nobody."""
    lines = [*_what(entry), *_where(entry), *_after(entry)]
    return Notice(_heading(entry), _room(entry), "\n".join(lines), (_CATEGORY[entry.kind],))


_CATEGORY = {"visit": "Visit", "group": "Group", "hold": "Held capacity"}


def _heading(entry: Entry) -> str:
    service = one_line(entry.service.name)
    if entry.group is not None:
        return f"{service}: {one_line(entry.group.name)}"
    return f"Held: {service}" if entry.kind == "hold" else service


def _room(entry: Entry) -> str:
    return ", ".join(one_line(part) for part in (entry.room, entry.location.name, entry.location.address) if part)


def _what(entry: Entry) -> Iterator[str]:
    yield f"Service: {one_line(entry.service.name)}"
    if entry.kind == "hold":
        yield "Capacity held for a patient who is referred on the day; nobody is booked yet."
    if entry.group is not None:
        yield f"Seats taken: {entry.attending} of {entry.group.capacity}"
    if entry.reference is not None:
        yield f"{entry.kind.capitalize()}: {one_line(entry.reference)}"


def _where(entry: Entry) -> Iterator[str]:
    yield f"Room: {one_line(entry.room) if entry.room else 'none needed'}"


def _who(entry: Entry) -> Iterator[str]:
    for role, people in (("Team", entry.team), ("Supervisor", entry.supervisors)):
        if people:
            yield f"{role}: {', '.join(one_line(member.name) for member in people)}"


def _after(entry: Entry) -> Iterator[str]:
    if entry.service.recovery:
        yield f"Recovery bay: {entry.service.recovery} minutes after"
    if entry.service.turnover:
        yield f"Room cleaning: {entry.service.turnover} minutes after"
