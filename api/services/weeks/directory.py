"""Who and what there is: the clinic, its people, and when somebody is taken, as others look it up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.store.queries import bookings, directory, people, periods
from api.store.queries.directory import ReferralFilter
from api.store.tables import EpisodeRow, PatientRow, ProviderRow
from scheduling.clinic import Clinic
from scheduling.errors import UnknownId
from scheduling.fields import Horizon

__all__ = [
    "Commitment",
    "Directory",
    "EpisodeRow",
    "PatientRow",
    "ReferralFilter",
    "get_patient",
    "get_referral",
    "is_patient_known",
    "list_commitments",
    "list_patient_ids",
    "list_patients",
    "list_referrals",
    "load_directory",
]

Commitments = Literal["busy", "busy-tentative", "busy-unavailable", "free"]


@dataclass(frozen=True)
class Directory:
    """The clinic, who works there by id, and the dates for which weeks are built."""

    clinic: Clinic
    providers: dict[str, ProviderRow]
    horizon: Horizon | None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The clinic's zone."""
        return ZoneInfo(self.clinic.timezone)

    def get_site(self, location: str) -> str:
        """Return the site of a building. Raises ``UnknownId``."""
        for building in self.clinic.locations:
            if building.id == location:
                return building.site
        raise UnknownId("location", location)


@dataclass(frozen=True, slots=True)
class Commitment:
    """When a provider is taken, and how surely: booked, only kept or held, not at work for patients; or free for a service."""

    provider: str
    starts_at: datetime
    ends_at: datetime
    status: Commitments


def load_directory(session: Session) -> Directory:
    """Return the clinic and its people. Raises ``NoClinic`` before anything was taken in."""
    built = directory.get_horizon(session)
    horizon = None if built is None else Horizon(start=built[0], end=built[1])
    return Directory(periods.clinic_of(session), {row.id: row for row in directory.list_providers(session)}, horizon)


def list_commitments(session: Session, provider: str, starts_at: datetime, ends_at: datetime) -> list[Commitment]:
    """Return when a provider is taken within ``[starts_at, ends_at)``, by start."""
    taken = []
    for standing in bookings.list_of_resource(session, "provider", provider, starts_at, ends_at):
        row = standing.row
        status: Commitments = "busy-tentative" if row.state == "offered" or row.kind == "hold" else "busy"
        taken.append(Commitment(provider, row.starts_at, row.ends_at, status))
    for begin, end in directory.list_busy(session, provider, starts_at, ends_at):
        taken.append(Commitment(provider, begin, end, "busy-unavailable"))
    return sorted(taken, key=lambda commitment: (commitment.starts_at, commitment.ends_at, commitment.status))


def get_patient(session: Session, identifier: str) -> PatientRow:
    """Return a patient. Raises ``UnknownId``."""
    return people.get_patient(session, identifier)


def is_patient_known(session: Session, identifier: str) -> bool:
    """Return whether there is a patient of an id."""
    return people.is_known(session, identifier)


def list_patients(session: Session, name: str, after: str, count: int) -> list[PatientRow]:
    """Return patients by id, those after an id, whose name holds every word of a text."""
    return people.find_patients_by_text(session, name, after, count)


def list_patient_ids(session: Session) -> list[str]:
    """Return the ids of all patients."""
    return directory.list_patient_ids(session)


def get_referral(session: Session, episode: str) -> EpisodeRow:
    """Return an episode, which is what a referral became. Raises ``UnknownId``."""
    shown = directory.list_referrals(session, ReferralFilter(ids=[episode]), "", 1)
    if not shown:
        raise UnknownId("episode", episode)
    return shown[0]


def list_referrals(session: Session, wanted: ReferralFilter, after: str, count: int) -> list[EpisodeRow]:
    """Return episodes by id, those after an id."""
    return directory.list_referrals(session, wanted, after, count)
