"""Visits are asked for one by one: the builder numbers them and keeps count of the load that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from scheduling.clinic import Clinic
from scheduling.fields import Priority
from scheduling.generate.dates import Dates
from scheduling.generate.load import Meter
from scheduling.generate.openings import ServiceOpenings
from scheduling.generate.patients import Patients
from scheduling.generate.profile import GenerationProfile, SizeName
from scheduling.pathways import Lag
from scheduling.people import Patient
from scheduling.requests import Link, Visit


@dataclass(frozen=True)
class VisitWish:
    """What a visit is asked for with, its patient and service apart."""

    priority: Priority
    earliest: date
    target: date | None = None
    deadline: date | None = None
    preferred: tuple[str, ...] = ()
    required: str | None = None
    same_day: bool = False


@dataclass(frozen=True)
class RequestBuilder:
    """The clinic that is asked, and everything asked so far."""

    profile: GenerationProfile
    size: SizeName
    dates: Dates
    clinic: Clinic
    openings: ServiceOpenings
    meter: Meter
    patients: Patients
    rng: Random
    visits: list[Visit] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def ask(self, patient: Patient, service: str, wish: VisitWish) -> Visit:
        """Ask for a visit."""
        visit = Visit(
            id=f"visit-{len(self.visits) + 1:04}",
            patient=patient.id,
            service=service,
            priority=wish.priority,
            earliest=wish.earliest,
            target=wish.target,
            deadline=wish.deadline,
            preferred_providers=wish.preferred,
            required_provider=wish.required,
            same_day=wish.same_day,
            pinned=None,
            current=None,
        )
        self.visits.append(visit)
        self.meter.add(service)
        return visit

    def follow(self, lag: Lag, before: Visit, after: Visit) -> None:
        """Link a visit to the one before it on its pathway."""
        self.links.append(lag.link(before.id, after.id))

    def between(self, first: date, last: date | None = None) -> tuple[date, ...]:
        """Return the working days from one date to another, both included (null: to the end)."""
        return tuple(day for day in self.dates.workdays if first <= day and (last is None or day <= last))

    def without_cancer(self) -> list[Patient]:
        """Return the patients for whom nothing has been asked because of cancer."""
        ill = {visit.patient for visit in self.visits if visit.priority == "cancer"}
        return [patient for patient in self.patients.all if patient.id not in ill]

    def newcomer(self, service: str, days: Sequence[date]) -> Patient:
        """Draw a patient who can have a service on one of some days, more flexible than drawn if need be."""
        drawn = self.patients.draw()
        return self.patients.admit(drawn if self.openings.is_open(service, drawn, days) else self.patients.flexible(drawn))

    def preferred(self, service: str, patient: Patient, days: Sequence[date]) -> tuple[str, ...]:
        """Draw the provider whom a patient prefers: nobody, or one whom they could have on one of some days."""
        if self.rng.random() >= self.profile.visits.preferred_share:
            return ()
        able = self.openings.providers(service, patient, days)
        return (self.rng.choice(able),) if able else ()
