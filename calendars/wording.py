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
from calendars.entries import CalendarEntry
from scheduling.instructions import load_instructions


@dataclass(frozen=True, slots=True)
class Notice:
    """The words of one event; ``private`` asks calendars that are shared to show no more than that time is taken.

    ``geo`` is latitude and longitude, ``contact`` how to reach the clinic, ``url`` where more is told; empty ones are left out.
    """

    summary: str
    location: str
    description: str
    categories: tuple[str, ...]
    private: bool = False
    geo: tuple[float, float] | None = None
    contact: str = ""
    url: str = ""


def flatten(text: str) -> str:
    """Return a text on one line, without control characters."""
    line = " ".join(text.split())
    if line.isprintable():  # as nearly every one is, and then no character has to be looked at
        return line
    return "".join(char for char in line if unicodedata.category(char) != "Cc")


def make_discreet(name: str) -> str:
    """Return a name without the words that others should not see in a patient's calendar."""
    kept = _compile_discreet_words().sub(" ", flatten(name))
    return re.sub(r"\s+([,;)])", r"\1", flatten(kept)).strip(" ,;-&/")


@cache
def _compile_discreet_words() -> re.Pattern[str]:
    words = load_instructions().unspoken.words
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b" if words else r"(?!)", re.IGNORECASE)


def format_clock(moment: datetime) -> str:
    """Write a clock time as patients read it: ``9:05 AM``."""
    return f"{moment.hour % 12 or 12}:{moment.minute:02} {'AM' if moment.hour < 12 else 'PM'}"


def format_day(moment: datetime) -> str:
    """Write a date as patients read it: ``Tuesday, December 1, 2026``, whatever the machine's language."""
    return f"{_WEEKDAYS[moment.weekday()]}, {_MONTHS[moment.month - 1]} {moment.day}, {moment.year}"


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def make_patient_title(clinic: str) -> str:
    """Return the name of a patient's calendar."""
    return ", ".join(filter(None, ("Appointments", make_discreet(clinic))))


def make_patient_notice(appointment: Appointment) -> Notice:
    """Return what a patient is told of an appointment; nothing in it differs between the members of a group."""
    heading = ", ".join(filter(None, ("Appointment", make_discreet(appointment.clinic))))
    place = ", ".join(filter(None, (make_discreet(appointment.building), flatten(appointment.address))))
    description = "\n".join(list_instructions(appointment))
    beside = (appointment.geo, appointment.phone, appointment.page)
    return Notice(heading, place, description, ("Appointment",), True, *beside)


def list_instructions(appointment: Appointment) -> Iterator[str]:
    """Yield what a patient is told, line by line."""
    within = "" if appointment.within in appointment.building else appointment.within
    parts = (flatten(appointment.building), within, flatten(appointment.address))
    yield f"Where: {', '.join(filter(None, parts))}"
    if appointment.access:
        yield appointment.access
    if appointment.clinicians:
        yield f"With: {', '.join(map(flatten, appointment.clinicians))}"
    yield f"When to arrive: {_write_arrival(appointment)}"
    yield from _write_list("What to bring", appointment.bring)
    yield f"Companion: {appointment.companion}"
    yield from _write_list("Medicines, food and drink beforehand", appointment.hold)
    if appointment.recovery_minutes:
        yield f"Afterwards: you rest here for about {appointment.recovery_minutes} minutes before you leave."
    if appointment.phone:
        yield f"Questions, or if you cannot come: {appointment.phone}"
    if appointment.page:
        yield f"Your page: {appointment.page}"


def _write_arrival(appointment: Appointment) -> str:
    start, minutes = format_clock(appointment.local_start), appointment.arrive_minutes
    if appointment.arrive_text is not None:
        return f"{appointment.arrive_text} The appointment starts at {start}."
    if minutes == 0:
        return f"{start}, when the appointment starts."
    return f"{format_clock(appointment.local_arrival)}, {minutes} minutes before the start at {start}."


def _write_list(heading: str, entries: Iterable[str]) -> list[str]:
    lines = [f"- {entry}" for entry in entries]
    return [f"{heading}:", *lines] if lines else []


def make_supervisor_notice(notice: Notice) -> Notice:
    """Return what the calendar of somebody who supervises says instead of what the team's says."""
    return replace(notice, summary=f"Supervising: {notice.summary}", categories=(*notice.categories, "Supervising"))


def make_staff_notice(entry: CalendarEntry) -> Notice:
    """Return what a staff calendar says of an entry: service, room, people of the clinic, and no patient."""
    lines = [*_write_what(entry), *_write_where(entry), *_write_who(entry), *_write_after(entry)]
    return Notice(_write_heading(entry), _write_room(entry), "\n".join(lines), (_CATEGORY[entry.kind],))


def make_group_notice(entry: CalendarEntry) -> Notice:
    """Return what a group's own calendar says of its session; it names nobody."""
    lines = [*_write_what(entry), *_write_where(entry), *_write_after(entry)]
    return Notice(_write_heading(entry), _write_room(entry), "\n".join(lines), (_CATEGORY[entry.kind],))


_CATEGORY = {"visit": "Visit", "group": "Group", "hold": "Held capacity"}


def _write_heading(entry: CalendarEntry) -> str:
    service = flatten(entry.service.name)
    if entry.group is not None:
        return f"{service}: {flatten(entry.group.name)}"
    return f"Held: {service}" if entry.kind == "hold" else service


def _write_room(entry: CalendarEntry) -> str:
    return ", ".join(flatten(part) for part in (entry.room, entry.location.name, entry.location.address) if part)


def _write_what(entry: CalendarEntry) -> Iterator[str]:
    yield f"Service: {flatten(entry.service.name)}"
    if entry.kind == "hold":
        yield "Capacity held for a patient who is referred on the day; nobody is booked yet."
    if entry.group is not None:
        yield f"Seats taken: {entry.attending} of {entry.group.capacity}"
    if entry.reference is not None:
        yield f"{entry.kind.capitalize()}: {flatten(entry.reference)}"


def _write_where(entry: CalendarEntry) -> Iterator[str]:
    yield f"Room: {flatten(entry.room) if entry.room else 'none needed'}"


def _write_who(entry: CalendarEntry) -> Iterator[str]:
    for role, people in (("Team", entry.team), ("Supervisor", entry.supervisors)):
        if people:
            yield f"{role}: {', '.join(flatten(member.name) for member in people)}"


def _write_after(entry: CalendarEntry) -> Iterator[str]:
    if entry.service.recovery:
        yield f"Recovery bay: {entry.service.recovery} minutes after"
    if entry.service.turnover:
        yield f"Room cleaning: {entry.service.turnover} minutes after"
