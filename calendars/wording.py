"""What events say: to patients without a clinical word where others may look, to staff without a word of the patient.

Where and when to arrive, what to bring and what to hold come from :mod:`scheduling.instructions`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from scheduling.instructions import Arrival, Guidance, Told, instructions
from scheduling.plan import Item
from scheduling.scenario import Scenario


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
    return "".join(char for char in " ".join(text.split()) if unicodedata.category(char) != "Cc")


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


def patient_title(scenario: Scenario) -> str:
    """Return the name of a patient's calendar."""
    return ", ".join(filter(None, ("Appointments", discreet(scenario.clinic.name))))


def patient_notice(scenario: Scenario, item: Item) -> Notice:
    """Return what a patient is told of an item; nothing in it differs between the members of a group."""
    location = scenario.locations[item.booking.location]
    place = ", ".join(filter(None, (discreet(location.name), one_line(location.address))))
    heading = ", ".join(filter(None, ("Appointment", discreet(scenario.clinic.name))))
    description = "\n".join(_told(scenario, item, instructions().guidance(item.service)))
    return Notice(heading, place, description, ("Appointment",), private=True)


def _told(scenario: Scenario, item: Item, guidance: Guidance) -> Iterator[str]:
    location = scenario.locations[item.booking.location]
    place = instructions().place(location.id)
    within = place.within.text if place.within and place.within.text not in location.name else ""
    yield f"Where: {', '.join(filter(None, (one_line(location.name), within, one_line(location.address))))}"
    if place.access:
        yield place.access.text
    yield f"When to arrive: {_arrival(item.booking.start, guidance.arrive)}"
    yield from _listed("What to bring", guidance.bring)
    yield f"Companion: {guidance.companion.text}"
    yield from _listed("Medicines, food and drink beforehand", guidance.hold)
    if item.service.recovery:
        yield f"Afterwards: you rest here for about {item.service.recovery} minutes before you leave."
    if place.phone:
        yield f"Questions, or if you cannot come: {place.phone.text}"


def _arrival(start: datetime, arrive: Arrival) -> str:
    if arrive.text is not None:
        return f"{arrive.text} The appointment starts at {clock(start)}."
    if arrive.minutes == 0:
        return f"{clock(start)}, when the appointment starts."
    return f"{clock(start - timedelta(minutes=arrive.minutes))}, {arrive.minutes} minutes before the start at {clock(start)}."


def _listed(heading: str, told: Iterable[Told]) -> list[str]:
    lines = [f"- {entry.text}" for entry in told]
    return [f"{heading}:", *lines] if lines else []


def provider_notice(scenario: Scenario, provider: str, item: Item) -> Notice:
    """Return what a provider's calendar says of an item that the provider is in the team of, or supervises."""
    if provider in item.booking.team:
        return staff_notice(scenario, item)
    notice = staff_notice(scenario, item)
    categories = (*notice.categories, "Supervising")
    return Notice(f"Supervising: {notice.summary}", notice.location, notice.description, categories)


def staff_notice(scenario: Scenario, item: Item) -> Notice:
    """Return what a staff calendar says of an item: service, room, people of the clinic, and no patient."""
    lines = [*_what(scenario, item), *_where(item), *_who(scenario, item), *_after(item)]
    return Notice(_heading(scenario, item), _room(scenario, item), "\n".join(lines), (_CATEGORY[item.kind],))


def group_notice(scenario: Scenario, item: Item) -> Notice:
    """Return what a group's own calendar says of its session; it names nobody."""
    lines = [*_what(scenario, item), *_where(item), *_after(item)]
    return Notice(_heading(scenario, item), _room(scenario, item), "\n".join(lines), (_CATEGORY[item.kind],))


_CATEGORY = {"visit": "Visit", "group": "Group", "hold": "Held capacity"}


def _heading(scenario: Scenario, item: Item) -> str:
    service = one_line(item.service.name)
    if item.kind == "group":
        return f"{service}: {one_line(scenario.groups_by_id[item.id].name)}"
    return f"Held: {service}" if item.kind == "hold" else service


def _room(scenario: Scenario, item: Item) -> str:
    location = scenario.locations[item.booking.location]
    return ", ".join(one_line(part) for part in (item.booking.room, location.name, location.address) if part)


def _what(scenario: Scenario, item: Item) -> Iterator[str]:
    yield f"Service: {one_line(item.service.name)}"
    if item.kind == "hold":
        yield "Capacity held for a patient who is referred on the day; nobody is booked yet."
    if item.kind == "group":
        yield f"Seats taken: {len(item.patients)} of {scenario.groups_by_id[item.id].capacity}"
    if not _identifies(scenario, item):
        yield f"{item.kind.capitalize()}: {one_line(item.id)}"


def _identifies(scenario: Scenario, item: Item) -> bool:
    """Say whether the item's own id gives a patient away, as ``ann-lee-2`` does of Ann Lee."""
    for patient in item.patients:
        for word in (patient, scenario.patients_by_id[patient].name):
            spelled = r"[\W_]*".join(re.escape(part) for part in re.split(r"[\W_]+", word) if part)
            if spelled and re.search(rf"(?<![^\W_]){spelled}(?![^\W_])", item.id, re.IGNORECASE):
                return True
    return False


def _where(item: Item) -> Iterator[str]:
    yield f"Room: {one_line(item.booking.room) if item.booking.room else 'none needed'}"


def _who(scenario: Scenario, item: Item) -> Iterator[str]:
    for role, people in (("Team", item.booking.team), ("Supervisor", item.booking.supervisors)):
        if people:
            yield f"{role}: {', '.join(one_line(scenario.providers_by_id[person].name) for person in people)}"


def _after(item: Item) -> Iterator[str]:
    if item.service.recovery:
        yield f"Recovery bay: {item.service.recovery} minutes after"
    if item.service.turnover:
        yield f"Room cleaning: {item.service.turnover} minutes after"
