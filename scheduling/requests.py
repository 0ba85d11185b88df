"""What is asked of a plan: visits and their links, group sessions, reserves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from scheduling.fields import Clock, Count, Date, Id, Minutes, Model, Month, Priority, Stamp


class Pin(Model):
    """Where a visit must take place, exactly."""

    start: Stamp
    location: Id
    room: Id | None
    team: tuple[Id, ...]


class Current(Model):
    """Where a visit stands in the plan that people live by; ``notified``: its patient has been told."""

    start: Stamp
    location: Id
    room: Id | None
    team: tuple[Id, ...]
    notified: bool


class Visit(Model):
    """One visit of one patient for one service, within its dates."""

    id: Id
    patient: Id
    service: Id
    priority: Priority
    earliest: Date
    target: Date | None
    deadline: Date | None
    preferred_providers: tuple[Id, ...]
    required_provider: Id | None
    same_day: bool
    pinned: Pin | None
    current: Current | None


class Link(Model):
    """``after`` follows ``before`` by ``min_days`` to ``max_days`` (null: any number)."""

    before: Id
    after: Id
    min_days: Count
    max_days: Count | None
    together: bool
    min_gap_minutes: Minutes = 0
    max_gap_minutes: Minutes | None = None
    same_location: bool = False
    same_provider: bool = False


class Candidate(Model):
    """A patient who may be given a seat in a group."""

    patient: Id
    priority: Priority


class CurrentGroup(Model):
    """Where a group session stands in the plan that people live by."""

    start: Stamp
    location: Id
    room: Id | None
    team: tuple[Id, ...]
    attendees: tuple[Id, ...]
    notified: bool


class Group(Model):
    """One month's session of a behavioral group."""

    id: Id
    name: str
    service: Id
    month: Month
    required: bool
    capacity: Count
    min_attendees: Count
    candidates: tuple[Candidate, ...]
    last_session: Date | None
    min_days_between: Count
    max_days_between: Count
    current: CurrentGroup | None


class Reserve(Model):
    """Capacity held on one date for a patient who is referred later that day."""

    id: Id
    service: Id
    date: Date
    from_: Annotated[Clock, Field(alias="from")]
    to: Clock
    site: Id | None
