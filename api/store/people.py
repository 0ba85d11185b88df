"""The queries about providers, their shifts and busy times, and patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol, TypeVar

from sqlalchemy import delete
from sqlmodel import Session, col, select

from api.store import disruptions
from api.store.rows import get_row, put, read_document
from api.store.tables import BusyRow, PatientRow, ProviderRow, ShiftRow
from scheduling.fields import Interval
from scheduling.people import Patient, Provider, Shift
from scheduling.timegrid import TimeGrid

FROM_SCENARIO = "scenario"
"""The source of busy times that came with a scenario."""


class WallClockSpan(Protocol):
    """Wall-clock time of the domain."""

    @property
    def start(self) -> datetime:
        """Its start."""

    @property
    def end(self) -> datetime:
        """Its end."""


S = TypeVar("S", bound=WallClockSpan)


def get_patient(session: Session, identifier: str) -> PatientRow:
    """Return a patient. Raises ``UnknownId``."""
    return get_row(session, PatientRow, "patient", identifier)


def is_known(session: Session, patient_id: str) -> bool:
    """Say whether there is a patient of an id."""
    return session.get(PatientRow, patient_id) is not None


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """What tells a patient apart."""

    id: str
    name: str


def find_identities(session: Session, patients: Collection[str]) -> dict[str, PatientIdentity]:
    """Return which of some patients are known, by id."""
    rows: Any = select(PatientRow.id, PatientRow.name).where(col(PatientRow.id).in_(list(patients)))
    return {identifier: PatientIdentity(identifier, name) for identifier, name in session.exec(rows)}


def list_provider_ids(session: Session) -> set[str]:
    """Return the ids of all providers."""
    return set(session.exec(select(ProviderRow.id)))


def put_patients(session: Session, patients: Iterable[Patient], now: datetime) -> None:
    """Add patients, or bring known ones to what is given."""
    rows = (dict(id=one.id, name=one.name, document=one.model_dump_json(), created_at=now) for one in patients)
    put(session, PatientRow, rows)


def load_patients(session: Session, ids: Iterable[str]) -> tuple[Patient, ...]:
    """Return patients by id."""
    rows = session.exec(select(PatientRow.document).where(col(PatientRow.id).in_(list(ids))).order_by(col(PatientRow.id)))
    return tuple(read_document(Patient, text) for text in rows)


def get_patient_names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of patients by id."""
    query = select(PatientRow.id, PatientRow.name).where(col(PatientRow.id).in_(list(ids)))
    return {identifier: name for identifier, name in session.exec(query)}


def get_provider_names(session: Session) -> dict[str, str]:
    """Return the names of all providers by id."""
    return {identifier: name for identifier, name in session.exec(select(ProviderRow.id, ProviderRow.name))}


def put_providers(session: Session, providers: Sequence[Provider], grid: TimeGrid) -> None:
    """Add providers, or bring known ones to what is given; their shifts and busy times of the grid's dates are replaced."""
    put(session, ProviderRow, (_provider_row(one) for one in providers))
    starts, ends = get_bounds(grid)
    shifts = [
        ShiftRow(provider_id=one.id, starts_at=begin, ends_at=end, locations=list(shift.locations), also=list(shift.also))
        for one in providers
        for shift, begin, end in _instants(one.shifts, grid)
    ]
    busy = [
        BusyRow(provider_id=one.id, starts_at=begin, ends_at=end, source=FROM_SCENARIO)
        for one in providers
        for _, begin, end in _instants(one.busy, grid)
    ]
    ids = [one.id for one in providers]
    for kind, rows in ((ShiftRow, shifts), (BusyRow, busy)):
        first = min([starts, *(row.starts_at for row in rows)])
        last = max([ends, *(row.ends_at for row in rows)])
        gone = delete(kind).where(col(kind.provider_id).in_(ids), col(kind.starts_at) >= first, col(kind.starts_at) < last)
        session.exec(gone if kind is ShiftRow else gone.where(col(BusyRow.source) == FROM_SCENARIO))
        session.add_all(rows)
    session.flush()


def remove_shifts_of_others(session: Session, providers: Collection[str], grid: TimeGrid) -> None:
    """Remove the shifts, of a grid's dates, of everybody who is not among some providers."""
    starts, ends = get_bounds(grid)
    of_others = (col(ShiftRow.provider_id).not_in(list(providers)), col(ShiftRow.starts_at) >= starts)
    session.exec(delete(ShiftRow).where(*of_others, col(ShiftRow.starts_at) < ends))
    session.flush()


def load_providers(session: Session, grid: TimeGrid) -> tuple[Provider, ...]:
    """Return every provider, with the shifts and busy times of the grid's dates."""
    starts, ends = get_bounds(grid)
    wall = cache(grid.wall)  # most begin and end at a few clock times
    shifts: dict[str, list[Shift]] = defaultdict(list)
    one, other = ShiftRow, BusyRow
    columns: tuple[Any, ...] = (one.provider_id, one.starts_at, one.ends_at, one.locations, one.also)
    on_duty = select(*columns).where(col(one.starts_at) >= starts, col(one.starts_at) < ends)
    for provider, begin, end, locations, also in session.exec(on_duty.order_by(col(one.starts_at))):
        shifts[provider].append(Shift(start=wall(begin), end=wall(end), locations=tuple(locations), also=tuple(also)))
    busy: dict[str, list[Interval]] = defaultdict(list)
    away = select(other.provider_id, other.starts_at, other.ends_at)
    away = away.where(col(other.starts_at) < ends, col(other.ends_at) > starts)
    for provider, begin, end in session.exec(away.order_by(col(other.starts_at), col(other.id))):
        busy[provider].append(Interval(start=wall(begin), end=wall(end)))
    for provider, absences in disruptions.load_absences(session, starts, ends, grid).items():
        busy[provider] += absences
    extra = disruptions.load_extra_shifts(session, starts, ends, grid)
    people = select(ProviderRow.id, ProviderRow.document).order_by(col(ProviderRow.id))
    return tuple(
        read_document(Provider, text).changed(
            shifts=disruptions.merge_shifts(shifts[identifier], extra.get(identifier, ())), busy=tuple(busy[identifier])
        )
        for identifier, text in session.exec(people)
    )


def get_trainees(providers: Iterable[Provider]) -> frozenset[str]:
    """Return the ids of those who work only under a supervisor."""
    return frozenset(provider.id for provider in providers if provider.trainee)


def get_bounds(grid: TimeGrid) -> tuple[datetime, datetime]:
    """Return the instants at which a grid's first date begins and its last ends."""
    midnight = datetime.min.time()
    return grid.utc(datetime.combine(grid.first, midnight)), grid.utc(datetime.combine(grid.end, midnight))


def _provider_row(provider: Provider) -> dict[str, Any]:
    document = provider.changed(shifts=(), busy=()).model_dump_json()
    return dict(id=provider.id, name=provider.name, role=provider.role, document=document)


def _instants(stretches: Iterable[S], grid: TimeGrid) -> Iterator[tuple[S, datetime, datetime]]:
    """Yield stretches with their instants, but none that never comes, as one within the hour that the clocks skip can be."""
    for stretch in stretches:
        begin, end = grid.utc(stretch.start), grid.utc(stretch.end)
        if begin < end:
            yield stretch, begin, end
