"""What a patient is referred for, as it comes in by whatever door, and what it comes to."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from api.services.patients.finding import Resemblance
from api.services.patients.needs import Note, Pools, Tags, VisitNeeds
from scheduling.errors import Fault
from scheduling.fields import Date, Half, Id, Model, Priority, VisitMinutes
from scheduling.names import compose_id_if_text, compose_name_if_text
from scheduling.people import Patient

ShortId = Annotated[Id, Field(max_length=100)]


class Request(Model):
    """What one patient is referred for.

    Attributes
    ----------
    kind
        One of :func:`api.services.intake.kinds.list_kinds`.
    patient
        The clinic's id of the patient, known or new.
    name
        Needed for a new patient. Of a known one it may be left out, or has to be theirs, whatever its case and blanks.
    birth_date
        Of a new patient. Of a known one it has to be theirs, or is noted when none is known.
    another_patient
        Whether a patient whose id differs from a known one by case alone is really another.
    preferred_site, allowed_sites, prefers
        Where and when a new patient would like to come, and can; no allowed site means all.
    priority
        Other than the kind's usual one.
    referred_on
        When they were referred, if not today: waiting counts from then.
    preferred_providers
        Whom they would like to see.
    referrer
        Who asks from outside the clinic.
    low_reservoir
        When the pump would be low.
    programme, department
        Which group, or which other department.
    minutes, equipment, note, tags
        What the visits need, as :class:`api.services.patients.needs.VisitNeeds` has it.
    """

    kind: str
    patient: Annotated[ShortId, BeforeValidator(compose_id_if_text)]
    name: Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(compose_name_if_text)] | None = None
    birth_date: Date | None = None
    another_patient: bool = False
    preferred_site: ShortId | None = None
    allowed_sites: Annotated[tuple[ShortId, ...], Field(max_length=20, strict=False)] = ()
    prefers: Half | None = None
    priority: Priority | None = None
    referred_on: Date | None = None
    preferred_providers: Annotated[tuple[ShortId, ...], Field(max_length=20, strict=False)] = ()
    referrer: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    low_reservoir: Date | None = None
    programme: ShortId | None = None
    department: ShortId | None = None
    minutes: VisitMinutes | None = None
    equipment: Pools = ()
    note: Note | None = None
    tags: Tags = ()

    @property
    def needs(self) -> VisitNeeds:
        """What the visits need."""
        return VisitNeeds(minutes=self.minutes, equipment=self.equipment, note=self.note, tags=self.tags)

    def new_patient(self, sites: Collection[str]) -> Patient:
        """Return the patient as the clinic will know them."""
        assert self.name is not None
        return Patient(
            id=self.patient,
            name=self.name,
            preferred_site=self.preferred_site,
            allowed_sites=self.allowed_sites or tuple(sites),
            unavailable=(),
            prefers=self.prefers,
        )


@dataclass(frozen=True, slots=True)
class LocatedRequest:
    """A request and where it stands in what it came with, as its faults name it: ``body.`` or ``row 12, ``."""

    place: str
    request: Request


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """What became of a request: an episode and the visits that are asked for at once, a wait for a seat, or a referral out.

    ``resembles`` are the patients who are known already and may be the one who is new.
    """

    request: Request
    episode: str | None = None
    visits: tuple[str, ...] = ()
    referral_out: str | None = None
    resembles: tuple[Resemblance, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request for what is open already, as ``fault`` names it; ``differences`` are the fields that are not as they are in."""

    located: LocatedRequest
    fault: Fault
    differences: tuple[str, ...] = ()

    @property
    def conflict(self) -> Fault:
        """What stands against taking in a request that differs."""
        differing = ", ".join(self.differences)
        return locate(self.located, Fault(self.differences[0], f"{self.fault.message}; it is in with another {differing}"))


@dataclass(frozen=True, slots=True)
class IntakeReview:
    """What requests come to: new ones, those that are in already, those that differ from what is in, and faults."""

    new: list[LocatedRequest] = dataclasses.field(default_factory=list)
    in_already: list[KnownRequest] = dataclasses.field(default_factory=list)
    conflicts: list[KnownRequest] = dataclasses.field(default_factory=list)
    faults: list[tuple[LocatedRequest, Fault]] = dataclasses.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StandingRequest:
    """What is open of a request already, and the fields in which the request differs."""

    fault: Fault
    differences: tuple[str, ...] = ()


def locate(located: LocatedRequest, fault: Fault) -> Fault:
    """Return a fault of a request by its place in what it came with."""
    return Fault(f"{located.place}{fault.path}", fault.message)
