"""What calendars are made of: a booked visit, group session or hold, resolved to all that a calendar may say of it.

An entry carries no name of a patient, and nothing made of it can tell one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from scheduling.clinic import Location, Service
from scheduling.fields import ItemKind


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A provider in a team, or supervising."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class GroupSeats:
    """A group: its name, and how many it takes."""

    name: str
    capacity: int


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """A booked visit, group session or hold.

    Attributes
    ----------
    uid : str
        The event's, the same in every calendar and however often it changes.
    sequence : int
        How often it has changed.
    changed_at, starts_at, ends_at : datetime
        Instants, aware. Of equal entries the calendars are equal too: no clock is asked but this.
    group : Seats or None
        The group that meets, of a session.
    attending : int
        How many patients are booked.
    reference : str or None
        The id by which staff find the booking; None when the id itself gives a patient away (:func:`make_reference`).
    """

    kind: ItemKind
    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    service: Service
    location: Location
    room: str | None
    team: tuple[TeamMember, ...]
    supervisors: tuple[TeamMember, ...]
    group: GroupSeats | None = None
    attending: int = 0
    reference: str | None = None


def make_reference(identifier: str, patients: Iterable[tuple[str, str]]) -> str | None:
    """Return a booking's id for staff, or None when it gives a patient away, as ``ann-lee-2`` does of Ann Lee.

    Parameters
    ----------
    patients
        The ids and names of the patients who are booked.
    """
    for word in (word for patient in patients for word in patient):
        spelled = r"[\W_]*".join(re.escape(part) for part in re.split(r"[\W_]+", word) if part)
        if spelled and re.search(rf"(?<![^\W_]){spelled}(?![^\W_])", identifier, re.IGNORECASE):
            return None
    return identifier
