"""The queries about who and what there is, as others look it up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, func, select

from api.store.tables import BusyRow, EpisodeRow, PatientRow, PeriodRow, ProviderRow


@dataclass(frozen=True, slots=True)
class ReferralFilter:
    """Which episodes are looked for; None: any."""

    ids: Collection[str] | None = None
    patients: Collection[str] | None = None
    is_open: bool | None = None


def list_providers(session: Session) -> list[ProviderRow]:
    """Return all providers by id."""
    return list(session.exec(select(ProviderRow).order_by(col(ProviderRow.id))))


def list_patient_ids(session: Session) -> list[str]:
    """Return the ids of all patients."""
    return list(session.exec(select(PatientRow.id).order_by(col(PatientRow.id))))


def get_horizon(session: Session) -> tuple[date, date] | None:
    """Return the first date that a period has, and the first after all of them; None: there is no period."""
    first, end = session.exec(select(func.min(PeriodRow.starts_on), func.max(PeriodRow.ends_on))).one()
    return None if first is None else (first, end)


def list_busy(session: Session, provider: str, starts_at: datetime, ends_at: datetime) -> list[tuple[datetime, datetime]]:
    """Return when a provider cannot be booked within ``[starts_at, ends_at)``, by start."""
    query = select(BusyRow.starts_at, BusyRow.ends_at).where(
        BusyRow.provider_id == provider, col(BusyRow.starts_at) < ends_at, col(BusyRow.ends_at) > starts_at
    )
    return list(session.exec(query.order_by(col(BusyRow.starts_at))).all())


def list_referrals(session: Session, wanted: ReferralFilter, after: str, count: int) -> list[EpisodeRow]:
    """Return episodes by id, those after an id."""
    query = select(EpisodeRow).where(col(EpisodeRow.id) > after)
    if wanted.ids is not None:
        query = query.where(col(EpisodeRow.id).in_(list(wanted.ids)))
    if wanted.patients is not None:
        query = query.where(col(EpisodeRow.patient_id).in_(list(wanted.patients)))
    if wanted.is_open is not None:
        query = query.where(col(EpisodeRow.is_open).is_(wanted.is_open))
    return list(session.exec(query.order_by(col(EpisodeRow.id)).limit(count)))
