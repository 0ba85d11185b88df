"""The queries about periods: taking in a scenario, giving it back as it is asked for now, and keeping it as a plan needs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, delete, insert, literal, true, update
from sqlmodel import Session, col, select

from api.store.audit import get_tail
from api.store.columns import new_id
from api.store.epoch import Version, get_epoch
from api.store.errors import AlreadyThere, NoClinic, StaleVersion
from api.store.queries.bookings import bring_into, place_all, placed
from api.store.queries.disruptions import add_closures
from api.store.queries.people import get_trainees, load_providers, put_patients, put_providers
from api.store.queries.placings import Placing, current_group, current_placings, current_visit
from api.store.queries.referrals_out import patients_with_appointments
from api.store.queries.requests import (
    add_links,
    load_groups,
    load_links,
    load_reserves,
    load_visits,
    put_groups,
    put_reserves,
    put_visits,
)
from api.store.rows import expect_version, get_row, put, read_document
from api.store.tables import ClinicRow, PeriodRow, PeriodVersionRow, ScenarioRow
from api.store.versioned_cache import get_cached
from scheduling.additions import Addition
from scheduling.clinic import Clinic
from scheduling.fields import Horizon
from scheduling.people import Provider
from scheduling.requests import Group, Visit
from scheduling.scenario import Policy, Scenario
from scheduling.special_clinics import assign_visits
from scheduling.timegrid import TimeGrid

V = TypeVar("V", Visit, Group)

CLINIC = "clinic"
"""The id of the one clinic."""


VERSIONS_KEPT = 1_000
"""Versions of a period of which is known what has changed since: days of a busy desk."""

ZONE = "zone"
"""Where a session carries what :func:`get_zone` returns."""


def get_clinic(session: Session) -> ClinicRow:
    """Return the clinic. Raises ``NoClinic`` before anything was taken in."""
    row = find_clinic(session)
    if row is None:
        raise NoClinic
    return row


def find_clinic(session: Session) -> ClinicRow | None:
    """Return the clinic, None before anything was taken in."""
    return session.get(ClinicRow, CLINIC)


def clinic_of(session: Session) -> Clinic:
    """Return the clinic as the domain knows it, with every closure. Raises ``NoClinic`` before anything was taken in."""
    return add_closures(session, read_document(Clinic, get_clinic(session).document), get_zone(session))


def get_zone(session: Session) -> TimeGrid:
    """Return what turns instants into the clinic's wall-clock time, on any date. Raises ``UnknownId``."""
    known = session.info.get(ZONE)
    if not isinstance(known, TimeGrid):
        known = session.info[ZONE] = TimeGrid(get_clinic(session).timezone, 1, date.min, date.max)
    return known


def get_period(session: Session, identifier: str) -> PeriodRow:
    """Return a period. Raises ``UnknownId``."""
    return get_row(session, PeriodRow, "period", identifier)


def list_periods(session: Session, after: str = "", count: int = 50) -> list[PeriodRow]:
    """Return periods by id, those after an id."""
    query = select(PeriodRow).where(col(PeriodRow.id) > after).order_by(col(PeriodRow.id)).limit(count)
    return list(session.exec(query))


def find_period_on(session: Session, day: date) -> PeriodRow | None:
    """Return the period that a date lies in; of several, the one that begins last."""
    return next(iter(list_periods_on(session, day)), None)


def list_periods_on(session: Session, day: date) -> list[PeriodRow]:
    """Return the periods that a date lies in, the one that begins last first."""
    query = select(PeriodRow).where(col(PeriodRow.starts_on) <= day, col(PeriodRow.ends_on) > day)
    return list(session.exec(query.order_by(col(PeriodRow.starts_on).desc(), col(PeriodRow.id))))


def list_periods_from(session: Session, day: date) -> list[PeriodRow]:
    """Return the periods that are not over on a day, by their first dates."""
    query = select(PeriodRow).where(col(PeriodRow.ends_on) > day)
    return list(session.exec(query.order_by(col(PeriodRow.starts_on), col(PeriodRow.id))))


def get_version(session: Session, identifier: str) -> Version:
    """Return the version of a period. Raises ``UnknownId``."""
    return Version(get_epoch(session), get_period(session, identifier).version)


def get_notice(session: Session, identifier: str) -> timedelta:
    """Return how long before a start the patients of a period must hear of it. Raises ``UnknownId``."""
    return timedelta(minutes=read_document(Policy, get_period(session, identifier).policy).notice_minutes)


def touch(session: Session, identifier: str, expected: Version | None = None) -> PeriodRow:
    """Note that something of a period changes. Whoever changes anything of it calls this, in the same transaction.

    Periods of the same dates change with it: they share people, and the locations of shifts.

    Raises
    ------
    UnknownId
        When there is no such period.
    StaleVersion
        When the change was decided on another version than the period has.
    """
    row = get_period(session, identifier)
    if expected is not None and expected.epoch != get_epoch(session):
        raise StaleVersion("period", identifier, expected.number)
    expect_version(row, "period", identifier, None if expected is None else expected.number)
    shared = and_(col(PeriodRow.starts_on) < row.ends_on, col(PeriodRow.ends_on) > row.starts_on)
    session.exec(update(PeriodRow).where(shared).values(version=col(PeriodRow.version) + 1))
    _note_versions(session, shared)
    old = col(PeriodVersionRow.number) <= row.version - VERSIONS_KEPT
    session.exec(delete(PeriodVersionRow).where(col(PeriodVersionRow.period_id) == identifier, old))
    return row


def touch_all(session: Session) -> None:
    """Note that something changes that every period has: the clinic, or who works there."""
    session.exec(update(PeriodRow).values(version=col(PeriodRow.version) + 1))
    _note_versions(session, true())


def _note_versions(session: Session, which: ColumnElement[bool]) -> None:
    """Note after which entry of the audit the present versions of some periods began."""
    present = select(PeriodRow.id, PeriodRow.version, literal(get_tail(session).sequence)).where(which)
    session.exec(insert(PeriodVersionRow).from_select(["period_id", "number", "audit_sequence"], present))


def find_sequence_before(session: Session, identifier: str, number: int) -> int | None:
    """Return the entry of the audit after which all came that has changed a period since a version; None: nobody knows."""
    first = session.get(PeriodVersionRow, (identifier, number + 1))
    return None if first is None else first.audit_sequence


def keep_scenario(session: Session, scenario: Scenario, now: datetime) -> PeriodRow:
    """Take in a scenario as a new period; the clinic, people and requests that are known already become as it has them.

    Raises
    ------
    AlreadyThere
        When there is a period of its id.
    DoubleBooked
        When what stands already in it overlaps.
    """
    if session.get(PeriodRow, scenario.id) is not None:
        raise AlreadyThere(f'period "{scenario.id}"')
    keep_roster(session, scenario)
    row = keep_period(session, scenario)
    put_patients(session, scenario.patients, now)
    put_visits(session, row.id, scenario.visits, now)
    bring_into(session, row.id, scenario.visits_by_id)
    add_links(session, row.id, scenario.links)
    put_groups(session, row.id, scenario.groups)
    put_reserves(session, row.id, scenario.reserves, {})
    place_all(session, row.id, current_placings(scenario), now)
    return row


def keep_roster(session: Session, scenario: Scenario) -> None:
    """Take in the clinic of a scenario and who works when, which every period has, and nothing of what it asks for."""
    touch_all(session)
    session.info.pop(ZONE, None)
    document = scenario.clinic.model_dump_json()
    put(session, ClinicRow, [dict(id=CLINIC, timezone=scenario.clinic.timezone, document=document)])
    put_providers(session, scenario.providers, scenario.grid)


def keep_period(session: Session, scenario: Scenario, block_staff: Mapping[str, Sequence[str]] | None = None) -> PeriodRow:
    """Take in the dates of a scenario as a period, or give one of its id its policy, and nothing of what it asks for.

    Parameters
    ----------
    block_staff
        Who is reserved for each special clinic, by its id; None: whoever the clinic's record reserves.
    """
    row = dict(
        id=scenario.id,
        starts_on=scenario.horizon.start,
        ends_on=scenario.horizon.end,
        freeze_minutes=scenario.freeze_minutes,
        policy=scenario.policy.model_dump_json(),
        block_staff=None if block_staff is None else json.dumps(block_staff),
    )
    put(session, PeriodRow, [row])
    return get_period(session, scenario.id)


def keep_addition(session: Session, period_id: str, addition: Addition, now: datetime) -> None:
    """Take in visits that are added to a period."""
    put_patients(session, addition.patients, now)
    put_visits(session, period_id, addition.visits, now)
    add_links(session, period_id, addition.links)


def load_scenario(session: Session, period_id: str, now: datetime | None = None) -> Scenario:
    """Return what a period asks for now, with everything that stands as ``current``.

    Parameters
    ----------
    now
        The moment of planning again, an instant; None: nothing has happened yet.

    Raises
    ------
    UnknownId
        When there is no such period.
    InvalidFile
        When what is stored is no valid scenario any more, as after a change of the clinic; with every fault.
    """
    row = get_period(session, period_id)
    asked = get_cached(session, ("scenario", period_id), row.version, lambda: _asked(session, row))
    return asked if now is None else asked.changed(now=asked.grid.wall(now).replace(second=0, microsecond=0))


def get_grid(session: Session, period_id: str) -> TimeGrid:
    """Return the start grid and zone of a period. Raises ``UnknownId``."""
    return _grid(get_period(session, period_id), clinic_of(session))


def keep_snapshot(session: Session, scenario: Scenario, period_row: PeriodRow, now: datetime) -> ScenarioRow:
    """Keep a scenario as a plan is asked for; the same one again is the same row."""
    document = scenario.model_dump_json()
    digest = sha256(document.encode()).hexdigest()
    query = select(ScenarioRow).where(ScenarioRow.digest == digest, ScenarioRow.period_version == period_row.version)
    known = session.exec(query.where(ScenarioRow.period_id == period_row.id)).first()
    if known is not None:
        return known
    row = ScenarioRow(
        id=new_id(),
        period_id=period_row.id,
        period_version=period_row.version,
        digest=digest,
        document=document,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def load_snapshot(session: Session, identifier: str) -> Scenario:
    """Return a scenario as a plan was asked for; it never changes, but for patients who are deleted. Raises ``UnknownId``."""
    row = get_row(session, ScenarioRow, "scenario", identifier)
    return get_cached(session, ("snapshot", identifier), row.digest, lambda: Scenario.model_validate_json(row.document))


def get_period_of_snapshot(session: Session, identifier: str) -> PeriodRow:
    """Return the period of a scenario as a plan was asked for."""
    return session.exec(select(PeriodRow).join(ScenarioRow).where(ScenarioRow.id == identifier)).one()


def _asked(session: Session, row: PeriodRow) -> Scenario:
    period_id, place_of_care = row.id, clinic_of(session)
    grid = _grid(row, place_of_care)
    stands = {subject: placing for subject, placing in placed(session, period_id, row.version).items() if not placing.offered}
    asked, meeting = load_visits(session, period_id), load_groups(session, period_id)
    patients = {visit.patient for visit in asked} | {candidate.patient for group in meeting for candidate in group.candidates}
    providers = load_providers(session, grid)
    trainees = get_trainees(providers)
    standing = tuple(_at(visit, stands.get(("visit", visit.id, "")), current_visit, grid, trainees) for visit in asked)
    clinic, visits = _assign_visits(place_of_care, row, providers, standing)
    return Scenario.from_parts(
        f"period {period_id}",
        format="clinicweave-scenario/1",
        id=row.id,
        now=None,
        freeze_minutes=row.freeze_minutes,
        horizon=Horizon(start=row.starts_on, end=row.ends_on),
        clinic=clinic,
        providers=providers,
        patients=patients_with_appointments(session, patients, grid),
        visits=visits,
        links=load_links(session, period_id, {visit.id for visit in asked}),
        groups=tuple(
            _at(group, stands.get(("group", group.id, group.month)), current_group, grid, trainees) for group in meeting
        ),
        reserves=load_reserves(session, period_id),
        policy=read_document(Policy, row.policy),
    )


def _assign_visits(
    place_of_care: Clinic, row: PeriodRow, providers: tuple[Provider, ...], asked: tuple[Visit, ...]
) -> tuple[Clinic, tuple[Visit, ...]]:
    """Return the clinic and what is asked for, with special clinics for those alone who staff them in a period.

    Who that is changes with who works. A period that was taken in as a file reserves whom the file reserves.
    """
    if row.block_staff is None:
        return place_of_care, asked
    dates = [row.starts_on + timedelta(days=n) for n in range((row.ends_on - row.starts_on).days)]
    return assign_visits(place_of_care, providers, asked, dates)


def _grid(row: PeriodRow, place_of_care: Clinic) -> TimeGrid:
    return TimeGrid(place_of_care.timezone, place_of_care.start_grid_minutes, row.starts_on, row.ends_on)


StandingAt = Callable[[Placing, TimeGrid, Collection[str]], object]
"""Returns where a placing stands, as a scenario has it."""


def _at(asked: V, placing: Placing | None, current: StandingAt, grid: TimeGrid, trainees: Collection[str]) -> V:
    """Return what is asked for as standing at a placing, if it has one."""
    return asked if placing is None else asked.changed(current=current(placing, grid, trainees))
