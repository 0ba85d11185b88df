"""Entries of the catalogue: what its files hold beside the records of a scenario."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scheduling.clinic import RoomNeed, Service
from scheduling.fields import Clock, Count, Id, Minutes, Model, Positive, Priority, Weekday

Onset = Literal["new-onset", "chronic"]
Extent = Literal["full", "small"]


class Sourced(Model):
    """An entry that tells where it is from."""

    source: str = Field(min_length=1)


class Indication(Model):
    """A reason for a visit; its onset decides when the visit is due."""

    id: Id
    name: str
    onset: Onset


class CatalogueService(Service, Sourced):
    """A service with its family and its indications."""

    family: Id
    room: RoomNeed | None = None
    indications: tuple[Indication, ...] = ()


class OutsideDepartment(Sourced):
    """A department that patients are sent to; its appointments are not scheduled here."""

    id: Id
    name: str


class RequestKind(Sourced):
    """Something that patients are referred for.

    Attributes
    ----------
    pathway : str or None
        Where it leads; None: not to an episode here, but to a programme or another department.
    priority : str
        The usual one, which a request may raise or lower.
    needs : tuple of str
        Fields of a request without which it means nothing.
    """

    id: Id
    name: str
    pathway: Id | None = None
    priority: Priority = "routine"
    needs: tuple[str, ...] = ()


class ProviderRole(Sourced):
    """What a kind of provider is credentialed for."""

    id: Id
    name: str
    skills: tuple[str, ...]
    trainee: bool
    max_minutes_per_day: Minutes


class Workshop(Sourced):
    """A group that meets once a calendar month."""

    id: Id
    name: str
    service: Id
    required: bool
    capacity: Positive
    min_attendees: Positive


class ClockInterval(Model):
    """A stretch of every such day, ``[start, end)``."""

    start: Clock
    end: Clock


class ReserveRule(Sourced):
    """How capacity is held, on some weekdays, for referrals to come.

    Attributes
    ----------
    notice_days : int
        Days from a referral to the first visit that it can have: 0, it is to be seen the same day.
    quantile : int
        Percent of such days on which the number held is to be enough.
    usual : int
        The number held before there is a history.
    """

    service: Id
    site: Id | None = None
    weekdays: tuple[Weekday, ...]
    windows: tuple[ClockInterval, ...] = Field(min_length=1)
    notice_days: Count
    quantile: Annotated[int, Field(ge=0, le=100)]
    usual: Count


class CareLimits(Model):
    """Limits of care, in the units of their names; those of groups count from the last session."""

    new_onset_due_days: Count
    chronic_due_days: Count
    group_min_days: Count
    group_max_days: Count
    freeze_minutes: Minutes
    membership_months: Positive
    usable_percent: Annotated[int, Field(ge=1, le=100)]
    held_history: Count

    def due_days(self, onset: Onset) -> int:
        """Return the days from the referral within which a visit is due."""
        return self.new_onset_due_days if onset == "new-onset" else self.chronic_due_days
