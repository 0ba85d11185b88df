"""The people: providers with their shifts, and patients with their wishes."""

from __future__ import annotations

from pydantic import Field

from scheduling.fields import Half, Id, Interval, Minutes, Model, Stamp


class Shift(Model):
    """A half-day (or any part of one day) at work, spent at one of ``locations``; single items of it may be at ``also``."""

    start: Stamp = Field(
        description="first moment, wall-clock time in the clinic's zone; no other shift of the provider meets it"
    )
    end: Stamp = Field(description="first moment after it, on the same date or its midnight")
    locations: tuple[Id, ...] = Field(
        default_factory=tuple, description="one of these is chosen for the whole shift; absent: every location"
    )
    also: tuple[Id, ...] = Field(
        (), description="where single items of it may take place beside the chosen location, travel time kept"
    )

    def may_attend(self, location: str, chosen: str | None) -> bool:
        """Return whether an item at a location fits the shift, which is spent at ``chosen`` (None: nowhere)."""
        return location in self.also or location == chosen

    @property
    def reachable_locations(self) -> tuple[str, ...]:
        """Every location at which an item of the shift may take place, each once: those to choose from, then the others."""
        return tuple(dict.fromkeys((*self.locations, *self.also)))


class Provider(Model):
    """Somebody who gives care. A trainee works only under a supervisor."""

    id: Id = Field(description="what other parts of the file call the provider")
    name: str = Field(default_factory=str, description="the provider's name, for people; absent: the id")
    role: str = Field(default_factory=str, description="the provider's profession, for people; absent: the id")
    skills: tuple[str, ...] = Field(description="what the provider can do; seats of teams ask for one of several")
    trainee: bool = Field(False, description="works only under a supervisor, and supervises nobody")
    max_minutes_per_day: Minutes = Field(1440, description="most minutes in teams on one date, whole minutes")
    shifts: tuple[Shift, ...] = Field(description="when the provider is at work")
    busy: tuple[Interval, ...] = Field((), description="when the provider is taken by something else")

    def can_fill(self, any_of: tuple[str, ...]) -> bool:
        """Return whether the provider has one of a seat's skills."""
        return not set(self.skills).isdisjoint(any_of)


class Patient(Model):
    """Somebody who receives care: where and when they can and would like to come."""

    id: Id = Field(description="what other parts of the file call the patient")
    name: str = Field(default_factory=str, description="the patient's name, for people; absent: the id")
    preferred_site: Id | None = Field(None, description="the site where they would like to be seen; null: no wish")
    allowed_sites: tuple[Id, ...] = Field(default_factory=tuple, description="sites that they can reach; absent: every site")
    unavailable: tuple[Interval, ...] = Field((), description="when they cannot be seen, nor recover")
    prefers: Half | None = Field(None, description="the half of the day that they would like; the afternoon starts at 12:00")
