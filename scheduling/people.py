"""The people: providers with their shifts, and patients with their wishes."""

from __future__ import annotations

from scheduling.fields import Half, Id, Interval, Minutes, Model, Stamp


class Shift(Model):
    """A half-day (or any part of one day) at work, spent at one of ``locations``."""

    start: Stamp
    end: Stamp
    locations: tuple[Id, ...]


class Provider(Model):
    """Somebody who gives care. A trainee works only under a supervisor."""

    id: Id
    name: str
    role: str
    skills: tuple[str, ...]
    trainee: bool
    max_minutes_per_day: Minutes
    shifts: tuple[Shift, ...]
    busy: tuple[Interval, ...]

    def can_fill(self, any_of: tuple[str, ...]) -> bool:
        """Return whether the provider has one of a seat's skills."""
        return not set(self.skills).isdisjoint(any_of)


class Patient(Model):
    """Somebody who receives care: where and when they can and would like to come."""

    id: Id
    name: str
    preferred_site: Id | None
    allowed_sites: tuple[Id, ...]
    unavailable: tuple[Interval, ...]
    prefers: Half | None
