"""What is asked of a plan: visits and their links, group sessions, reserves."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from scheduling.fields import Clock, Count, Date, Id, Minutes, Model, Month, Priority, Stamp, VisitMinutes, Weight

FIRST_DATE = date(1900, 1, 1)
"""The earliest date that files may hold."""


def _get_first_date() -> date:
    return FIRST_DATE


class Pin(Model):
    """Where a visit must take place, exactly."""

    start: Stamp = Field(description="when it starts, wall-clock time in the clinic's zone")
    location: Id = Field(description="the building")
    room: Id | None = Field(description="the room; null: none")
    team: tuple[Id, ...] = Field(description="one provider for each seat of the service, in the order of the seats")


class Current(Model):
    """Where a visit stands in the plan that people live by; ``notified``: its patient has been told."""

    start: Stamp = Field(description="when it starts, wall-clock time in the clinic's zone")
    location: Id = Field(description="the building")
    room: Id | None = Field(description="the room; null: none")
    team: tuple[Id, ...] = Field(description="one provider for each seat of the service, in the order of the seats")
    supervisors: tuple[Id, ...] | None = Field(
        None, description="who supervises it; null or absent: not known; an empty list: known to be nobody"
    )
    notified: bool = Field(description="whether the patient has been told of it")


class Visit(Model):
    """One visit of one patient for one service, within its dates."""

    id: Id = Field(description="what other parts of the file and plans call the visit")
    patient: Id = Field(description="who is seen")
    service: Id = Field(description="what for")
    priority: Priority = Field("routine", description="how pressing it is: the policy has weights for each priority")
    earliest: Date = Field(
        default_factory=_get_first_date, description="first date on which it may take place; absent: the horizon's first"
    )
    target: Date | None = Field(None, description="date after which each day costs; null: none")
    deadline: Date | None = Field(None, description="last date on which it may take place; null: any")
    minutes: VisitMinutes | None = Field(None, description="the length of this one visit, whole minutes; null: the service's")
    equipment: tuple[Id, ...] = Field((), description="one device of each of these pools beside the service's")
    preferred_providers: tuple[Id, ...] = Field((), description="any of them in the team is what the patient would like")
    required_provider: Id | None = Field(None, description="who has to be in the team; null: anybody qualified")
    same_day: bool = Field(False, description="takes place on its earliest date, the day of referral, or not at all")
    unscheduled: Weight | None = Field(
        None, description="points for leaving this visit out, before the factor of a deadline; null: its priority's"
    )
    pinned: Pin | None = Field(None, description="where it must take place exactly; null: anywhere the rules allow")
    current: Current | None = Field(None, description="where it stands in the plan that people live by; null: nowhere yet")


class Link(Model):
    """``after`` follows ``before`` by ``min_days`` to ``max_days`` (null: any number).

    With ``any_order`` neither need come first: days and gaps are counted from whichever does.
    """

    before: Id = Field(description="the visit that the other one needs")
    after: Id = Field(description="the visit that is planned only with the other")
    min_days: Count = Field(0, description="fewest days between their dates")
    max_days: Count | None = Field(None, description="most days between their dates; null: any number")
    together: bool = Field(False, description="both are planned, or neither")
    any_order: bool = Field(False, description="neither need come first; days and gap count from the one that does")
    min_gap_minutes: Minutes = Field(
        0, description="on one date, fewest minutes from the end of the first to the start of the second"
    )
    max_gap_minutes: Minutes | None = Field(
        None, description="on one date, most minutes from the end of the first to the start of the second; null: any number"
    )
    same_location: bool = Field(False, description="both take place in one building")
    same_provider: bool = Field(False, description="both have the same team, seat by seat")


class Candidate(Model):
    """A patient who may be given a seat in a group."""

    patient: Id = Field(description="who would attend")
    priority: Priority = Field(description="how pressing it is: the policy has a weight for each priority")


class CurrentGroup(Model):
    """Where a group session stands in the plan that people live by."""

    start: Stamp = Field(description="when it starts, wall-clock time in the clinic's zone")
    location: Id = Field(description="the building")
    room: Id | None = Field(description="the room; null: none")
    team: tuple[Id, ...] = Field(description="one provider for each seat of the service, in the order of the seats")
    supervisors: tuple[Id, ...] | None = Field(
        None, description="who supervises it; null or absent: not known; an empty list: known to be nobody"
    )
    attendees: tuple[Id, ...] = Field(description="the patients who attend")
    notified: bool = Field(description="whether the attendees have been told of it")


class Group(Model):
    """One month's session of a behavioral group."""

    id: Id = Field(description="what plans call the session")
    name: str = Field(description="the group's name, for people")
    service: Id = Field(description="what is offered in it")
    month: Month = Field(description="the calendar month that the session lies in, like 2026-12")
    required: bool = Field(True, description="whether leaving the session out costs the policy's group_not_run")
    capacity: Count = Field(description="most attendees")
    min_attendees: Count = Field(1, description="fewest attendees of a session that is held")
    candidates: tuple[Candidate, ...] = Field(description="the patients who may attend")
    last_session: Date | None = Field(None, description="date of the session before; null: none, or not known")
    min_days_between: Count = Field(0, description="fewest days since the session before")
    max_days_between: Count | None = Field(None, description="most days since the session before; null: any number")
    current: CurrentGroup | None = Field(None, description="where it stands in the plan that people live by; null: nowhere yet")

    def is_in_rhythm(self, day: date) -> bool:
        """Return whether a date follows the session before at the group's rhythm."""
        if self.last_session is None:
            return True
        days = (day - self.last_session).days
        return self.min_days_between <= days and (self.max_days_between is None or days <= self.max_days_between)


class Reserve(Model):
    """Capacity held on one date for a patient who is referred later that day."""

    id: Id = Field(description="what plans call the reserve")
    service: Id = Field(description="what is held for")
    date: Date = Field(description="the date on which it is held")
    from_: Annotated[Clock, Field(alias="from")] = Field(description="clock time before which it does not start")
    to: Clock = Field(description="clock time by which it ends")
    site: Id | None = Field(None, description="the site where it is held; null: any")
