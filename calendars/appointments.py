"""An appointment as a patient is told of it, and what of it is worth telling them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from scheduling.clinic import Clinic, Location, Service
from scheduling.errors import UnknownId
from scheduling.instructions import load_instructions

ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Appointment:
    """What a patient is told of a visit or group session. Equal ones tell them nothing new.

    So time, place, arrival, what to bring, companion and what to hold count; people, rooms and how the clinic calls itself do
    not, nor does a better way to put a sentence of ours into words.

    Attributes
    ----------
    starts_at, ends_at : datetime
        Instants, aware.
    building, within, address : str
        Where it is; ``within`` the building is the suite and floor.
    arrive_minutes, arrive_text
        How long before the start to arrive, or a sentence in place of that. Whoever comes from another appointment arrives
        when that, its recovery and the way are over.
    bring, hold : tuple of str
        Sentences.
    timezone, clinic, access, phone : str
        No part of what makes a change, as all that follows.
    clinicians : tuple of str
        The names of those who see the patient.
    geo : tuple of float or None
        Latitude and longitude, degrees.
    page : str
        The address of the patient's own page; empty: there is none.
    """

    starts_at: datetime
    ends_at: datetime
    building: str
    within: str
    address: str
    arrive_minutes: int
    arrive_text: str | None
    bring: tuple[str, ...]
    companion: str
    hold: tuple[str, ...]
    recovery_minutes: int
    timezone: str = field(compare=False)
    clinic: str = field(compare=False)
    access: str = field(default="", compare=False)
    phone: str = field(default="", compare=False)
    clinicians: tuple[str, ...] = field(default=(), compare=False)
    geo: tuple[float, float] | None = field(default=None, compare=False)
    page: str = field(default="", compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it as :meth:`document` gives it."""
        instants = {name: datetime.fromisoformat(document[name]) for name in ("starts_at", "ends_at")}
        lists = {name: tuple(document.get(name) or ()) for name in ("bring", "hold", "clinicians")}
        geo = document.get("geo")
        return cls(**{**document, **instants, **lists, "geo": None if geo is None else (geo[0], geo[1])})

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        instants = {"starts_at": self.starts_at.isoformat(), "ends_at": self.ends_at.isoformat()}
        lists = {"bring": list(self.bring), "hold": list(self.hold), "clinicians": list(self.clinicians)}
        return {**asdict(self), **instants, **lists, "geo": None if self.geo is None else list(self.geo)}

    @property
    def local_start(self) -> datetime:
        """The start by the clinic's clocks, aware."""
        return self.starts_at.astimezone(ZoneInfo(self.timezone))

    @property
    def local_end(self) -> datetime:
        """The end by the clinic's clocks, aware."""
        return self.ends_at.astimezone(ZoneInfo(self.timezone))

    @property
    def arrives_at(self) -> datetime:
        """When to arrive, an instant: where the patient's own calendar begins."""
        return self.starts_at - timedelta(minutes=self.arrive_minutes)

    @property
    def local_arrival(self) -> datetime:
        """When to arrive, by the clinic's clocks, aware."""
        return self.arrives_at.astimezone(ZoneInfo(self.timezone))


def make_appointment(
    clinic: Clinic,
    service: str,
    location: str,
    starts_at: datetime,
    ends_at: datetime,
    clinicians: tuple[str, ...] = (),
    free_at: datetime | None = None,
) -> Appointment:
    """Return what a patient is told of a service at a location, both ids, within ``[starts_at, ends_at)``.

    ``free_at`` is when the patient can be there after an appointment before this one; None: they come from elsewhere.

    Raises
    ------
    UnknownId
        When the clinic has no such service or location.
    """
    offered = next((known for known in clinic.services if known.id == service), None)
    place = next((known for known in clinic.locations if known.id == location), None)
    if offered is None or place is None:
        raise UnknownId(*(("service", service) if offered is None else ("location", location)))
    return resolve_appointment(clinic.name, clinic.timezone, offered, place, starts_at, ends_at, clinicians, free_at)


def resolve_appointment(
    clinic: str,
    timezone: str,
    service: Service,
    location: Location,
    starts_at: datetime,
    ends_at: datetime,
    clinicians: tuple[str, ...] = (),
    free_at: datetime | None = None,
) -> Appointment:
    """Return what a patient is told of a service at a location within ``[starts_at, ends_at)``; ``free_at`` is as above."""
    guidance, place = load_instructions().get_guidance(service), load_instructions().get_wayfinding(location.id)
    return Appointment(
        starts_at=starts_at,
        ends_at=ends_at,
        building=location.name,
        within=place.within.text if place.within else "",
        address=location.address,
        arrive_minutes=_limit_lead(guidance.arrive.minutes, starts_at, free_at),
        arrive_text=guidance.arrive.text,
        bring=tuple(instruction.text for instruction in guidance.bring),
        companion=guidance.companion.text,
        hold=tuple(instruction.text for instruction in guidance.hold),
        recovery_minutes=service.recovery,
        timezone=timezone,
        clinic=clinic,
        access=place.access.text if place.access else "",
        phone=place.phone.text if place.phone else "",
        clinicians=clinicians,
        geo=None if place.geo is None else (place.geo.latitude, place.geo.longitude),
    )


def _limit_lead(minutes: int, starts_at: datetime, free_at: datetime | None) -> int:
    """Return how many minutes before a start to arrive: no more than there are after the appointment before it."""
    if free_at is None:
        return minutes
    return min(minutes, max(0, (starts_at - free_at) // ONE_MINUTE))


def get_free_at(clinic: Clinic, rested_at: datetime, origin: str, destination: str) -> datetime:
    """Return when a patient who has rested after an appointment at one location can be at another, both ids."""
    return rested_at + timedelta(minutes=clinic.travel_minutes(origin, destination))
