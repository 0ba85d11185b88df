"""The queries about providers, their shifts and busy times, and patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Protocol, TypeVar

from sqlalchemy import delete, func, or_
from sqlmodel import Session, col, select

from api.store.queries import disruptions
from api.store.rows import get_row, put, read_document
from api.store.tables import BusyRow, OccupancyRow, PatientRow, ProviderRow, ShiftRow
from scheduling.fields import Interval
from scheduling.names import fold, simplify
from scheduling.people import Patient, Provider, Shift
from scheduling.timegrid import TimeGrid

FROM_SCENARIO = "scenario"
"""The source of busy times that came with a scenario."""


MOST_SHIFTS = 20_000
"""Shifts that are remembered: a year of a large clinic's."""


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


def get_survivor(session: Session, identifier: str) -> str:
    """Return the id of the patient whom a record is of: itself, or what it was merged into; of nobody known, the same."""
    row = session.get(PatientRow, identifier)
    return identifier if row is None or row.merged_into is None else row.merged_into


def is_known(session: Session, patient_id: str) -> bool:
    """Say whether there is a patient of an id."""
    return session.get(PatientRow, patient_id) is not None


def find_patients_by_text(session: Session, text: str, after: str, count: int) -> list[PatientRow]:
    """Return patients by id, those after an id, whose name or id holds every word of a text, whatever its case and order.

    A name is found without its accents too. Whoever is looked for by a record that was merged into another is that one.
    """
    alike = select(_SURVIVOR)
    for word in fold(text.replace(",", " ")).split():
        named = col(PatientRow.folded_name).contains(simplify(word), autoescape=True)
        alike = alike.where(or_(named, col(PatientRow.folded_id).contains(word, autoescape=True)))
    query = select(PatientRow).where(col(PatientRow.id) > after, col(PatientRow.id).in_(alike))
    return list(session.exec(query.order_by(col(PatientRow.id)).limit(count)))


_SURVIVOR: Any = func.coalesce(PatientRow.merged_into, PatientRow.id)
"""The id of the patient whom a record is of."""


def find_patients_by_day(
    session: Session, day: date, day_bounds: tuple[datetime, datetime], after: str, count: int
) -> list[PatientRow]:
    """Return patients by id, those after an id, who were born on a date, or have a booking that begins within its bounds."""
    begins = (col(OccupancyRow.starts_at) >= day_bounds[0], col(OccupancyRow.starts_at) < day_bounds[1])
    seen = select(OccupancyRow.resource_id).where(OccupancyRow.resource == "patient", *begins)
    on_day = or_(col(PatientRow.birth_date) == day, col(PatientRow.id).in_(seen))
    query = select(PatientRow).where(col(PatientRow.id) > after, on_day, col(PatientRow.merged_into).is_(None))
    return list(session.exec(query.order_by(col(PatientRow.id)).limit(count)))


def find_case_twins(session: Session, patients: Collection[str]) -> dict[str, str]:
    """Return the known ids from which some, that are not known, differ by case alone, by those."""
    folded = {fold(patient): patient for patient in patients}
    rows: Any = select(PatientRow.id, PatientRow.folded_id).where(col(PatientRow.folded_id).in_(list(folded)))
    known = {identifier: text for identifier, text in session.exec(rows)}
    return {patient: other for other, text in known.items() if (patient := folded[text]) not in known}


def find_resembling(session: Session, name: str, birth_date: date | None, count: int) -> list[PatientRow]:
    """Return the patients who are called so, or were born on a date, by id."""
    is_alike = col(PatientRow.folded_name) == simplify(name)
    if birth_date is not None:
        is_alike = or_(is_alike, col(PatientRow.birth_date) == birth_date)
    query = select(PatientRow).where(is_alike, col(PatientRow.merged_into).is_(None))
    return list(session.exec(query.order_by(col(PatientRow.id)).limit(count)))


def set_birth_dates(session: Session, born: Mapping[str, date]) -> None:
    """Note when patients were born."""
    for patient, day in born.items():
        get_patient(session, patient).birth_date = day
    session.flush()


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """What tells a patient apart."""

    id: str
    name: str
    birth_date: date | None = None
    merged_into: str | None = None


def find_identities(session: Session, patients: Collection[str]) -> dict[str, PatientIdentity]:
    """Return which of some patients are known, by id."""
    columns = (getattr(PatientRow, name) for name in ("id", "name", "birth_date", "merged_into"))
    rows: Any = select(*columns).where(col(PatientRow.id).in_(list(patients)))
    return {row[0]: PatientIdentity(*row) for row in session.exec(rows)}


def list_provider_ids(session: Session) -> set[str]:
    """Return the ids of all providers."""
    return set(session.exec(select(ProviderRow.id)))


def put_patients(session: Session, patients: Iterable[Patient], now: datetime) -> None:
    """Add patients, or bring known ones to what is given."""
    rows = (
        dict(
            id=patient.id,
            name=patient.name,
            folded_id=fold(patient.id),
            folded_name=simplify(patient.name),
            document=patient.model_dump_json(),
            created_at=now,
        )
        for patient in patients
    )
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
    put(session, ProviderRow, (_provider_row(provider) for provider in providers))
    starts, ends = get_bounds(grid)
    shifts = [
        ShiftRow(provider_id=provider.id, starts_at=begin, ends_at=end, locations=list(shift.locations), also=list(shift.also))
        for provider in providers
        for shift, begin, end in _instants(provider.shifts, grid)
    ]
    busy = [
        BusyRow(provider_id=provider.id, starts_at=begin, ends_at=end, source=FROM_SCENARIO)
        for provider in providers
        for _, begin, end in _instants(provider.busy, grid)
    ]
    ids = [provider.id for provider in providers]
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
    table, other = ShiftRow, BusyRow
    columns: tuple[Any, ...] = (table.provider_id, table.starts_at, table.ends_at, table.locations, table.also)
    on_duty = select(*columns).where(col(table.starts_at) >= starts, col(table.starts_at) < ends)
    for provider, begin, end, locations, also in session.exec(on_duty.order_by(col(table.starts_at))):
        shifts[provider].append(_make_shift(wall(begin), wall(end), tuple(locations), tuple(also)))
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


@lru_cache(MOST_SHIFTS)
def _make_shift(start: datetime, end: datetime, locations: tuple[str, ...], also: tuple[str, ...]) -> Shift:
    """Return a shift, remembered: whoever asks who works asks for the same ones again and again."""
    return Shift(start=start, end=end, locations=locations, also=also)


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


def list_patients_at(session: Session, addresses: Iterable[str]) -> list[str]:
    """Return the patients who are written to at one of some addresses, in any case, by id."""
    wanted = [address.lower() for address in addresses if address]
    return sorted(session.exec(select(PatientRow.id).where(func.lower(PatientRow.email).in_(wanted))))
