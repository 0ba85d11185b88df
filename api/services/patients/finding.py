"""Finding patients however somebody writes their names, telling two of them apart, and what is booked of one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session

from api.runtime.exceptions import Conflict
from api.store.queries import bookings, people, periods, requests
from api.store.queries.bookings import StandingBooking
from api.store.queries.patient_data import list_rows
from api.store.queries.people import get_patient_names as get_patient_names
from api.store.tables import PatientRow, VisitRow
from api.store.tables.plans import BookingKind
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import ONE_DAY
from scheduling.names import simplify
from scheduling.timegrid import TimeGrid

MAX_RESEMBLING = 10
"""Most patients who are named as resembling a new one."""

MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A patient who is known, and may be the one who is new: of an equal name, or born on the same day."""

    patient: str
    is_name_equal: bool
    is_birth_date_equal: bool


@dataclass(frozen=True, slots=True)
class PatientItem:
    """A visit of a patient, or a group's session with them: where it stands, at wall-clock times; no place: it waits.

    ``state`` is the booking's, else ``asked`` or ``withdrawn``.
    """

    kind: BookingKind
    id: str
    scenario: str
    service: str
    state: str
    start: datetime | None = None
    end: datetime | None = None
    location: str | None = None
    room: str | None = None
    team: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the items of a patient are in the order of: by start, what waits last."""
        return f"{self.start.isoformat() if self.start else '~'} {self.kind} {self.id}"


def get_unmerged(session: Session, identifier: str) -> PatientRow:
    """Return a patient of whom something is to change.

    Raises
    ------
    UnknownId
        When there is no such patient.
    Conflict
        When the record was merged into another.
    """
    row = people.get_patient(session, identifier)
    if row.merged_into is not None:
        raise Conflict(f'patient "{identifier}" was merged into "{row.merged_into}": name that one')
    return row


def find_patients(session: Session, text: str, after: str, count: int) -> list[PatientRow]:
    """Return patients by id, those after an id: by words of name or id, or by a date, that of birth or of a booking.

    A date is ``1961-04-12``, ``04/12/1961`` or ``12.04.1961``.
    """
    day = _read_date(text.strip())
    if day is None:
        return people.find_patients_by_text(session, text, after, count)
    zone = periods.get_zone(session)
    bounds = tuple(zone.utc(datetime.combine(midnight, MIDNIGHT)) for midnight in (day, day + ONE_DAY))
    return people.find_patients_by_day(session, day, (bounds[0], bounds[1]), after, count)


def _read_date(text: str) -> date | None:
    """Return the date that a text is; None: it is none."""
    for written in ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y"):
        with suppress(ValueError):
            return datetime.strptime(text, written).replace(tzinfo=UTC).date()
    return None


def list_items(session: Session, patient: str, after: str, count: int) -> list[PatientItem]:
    """Return a patient's visits and sessions of all weeks, those after a key, what waits last. Raises ``UnknownId``."""
    people.get_patient(session, patient)
    visits = requests.list_visits_of_patient(session, patient)
    standing = bookings.list_of_patient(session, patient)
    placed = {booking.row.subject_id: booking for booking in standing if booking.row.kind == "visit"}
    zone = periods.get_zone(session)
    items = [_make_visit_item(visit, placed.get(visit.id), zone) for visit in visits]
    items += [_make_item(booking, zone) for booking in standing if booking.row.kind == "group"]
    return [item for item in sorted(items, key=lambda item: item.key) if item.key > after][:count]


def find_resembling(session: Session, patient: str, name: str, birth_date: date | None) -> tuple[Resemblance, ...]:
    """Return who is known already and may be a patient that is new."""
    rows = people.find_resembling(session, name, birth_date, MAX_RESEMBLING)
    return tuple(
        Resemblance(row.id, row.folded_name == simplify(name), birth_date is not None and row.birth_date == birth_date)
        for row in rows
        if row.id != patient
    )


def expect_no_case_twins(session: Session, source: str, placed: Iterable[tuple[str, str]]) -> None:
    """Refuse ids of patients, each with its path, from which a known one differs by case alone. Raises ``InvalidFile``."""
    paths = {patient: path for path, patient in placed}
    twins = people.find_case_twins(session, paths)
    if faults := [Fault(paths[patient], describe_twin(known)) for patient, known in sorted(twins.items())]:
        raise InvalidFile(source, faults)


def expect_unmerged(session: Session, source: str, placed: Iterable[tuple[str, str]]) -> None:
    """Refuse ids of records that were merged into others, each with its path. Raises ``InvalidFile``."""
    named = list(placed)
    known = people.find_identities(session, {patient for _, patient in named})
    faults = [
        Fault(path, describe_merged(known[patient].merged_into))
        for path, patient in named
        if patient in known and known[patient].merged_into is not None
    ]
    if faults:
        raise InvalidFile(source, faults)


def describe_merged(into: str | None) -> str:
    """Return what is wrong with the id of a record that was merged into another."""
    return f'was merged into "{into}": name that one'


def describe_twin(known: str) -> str:
    """Return what is wrong with an id that differs from a known one by case alone."""
    return f'differs from the known patient "{known}" by case alone; if it is really another, say so by another_patient'


def _make_visit_item(visit: VisitRow, booking: StandingBooking | None, zone: TimeGrid) -> PatientItem:
    if booking is None:
        tags = tuple(visit.tags)
        return PatientItem("visit", visit.id, visit.period_id, visit.service, visit.state, tags=tags)
    return _make_item(booking, zone, tuple(visit.tags))


def _make_item(booking: StandingBooking, zone: TimeGrid, tags: tuple[str, ...] = ()) -> PatientItem:
    row, placing = booking.row, booking.placing
    return PatientItem(
        kind=row.kind,
        id=row.subject_id,
        scenario=row.period_id,
        service=row.service,
        state=row.state,
        start=zone.wall(row.starts_at),
        end=zone.wall(row.ends_at),
        location=row.location,
        room=placing.room,
        team=placing.ids("team"),
        tags=tags,
    )


def export_record(session: Session, patient: str) -> dict[str, list[dict[str, Any]]]:
    """Return all that is kept of a patient, by the names of tables. Raises ``UnknownId``."""
    return list_rows(session, patient)
