"""Rolling weeks: the next week from all that the store knows, and keeping it as a period that can be planned.

What is open in episodes, what is left over of weeks that are past, groups that are due, and capacity for referrals to come:
the domain says what of it the week asks for (:mod:`scheduling.care.rolling`); here it is read, and kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.patients.needs import put_desk_fields, with_needs
from api.services.records import write_audit
from api.services.weeks.conflicts import list_impossible
from api.store.queries import bookings, episodes, people, periods, plans, programmes
from api.store.queries import carry_over as leftovers
from api.store.queries.placings import current_group, current_visit
from api.store.queries.referrals_out import patients_with_appointments
from api.store.queries.requests import load_needs
from api.store.tables import PeriodRow
from scheduling import catalogue
from scheduling.care.agenda import Preview, raise_priority
from scheduling.care.episodes import Episode
from scheduling.care.reserves import PressingReferral
from scheduling.care.rolling import ClinicRecords, NextWeek, build_scenario, find_next_monday
from scheduling.catalogue.entries import ReserveRule
from scheduling.clinic import Clinic
from scheduling.fields import ONE_DAY, Horizon
from scheduling.people import Provider
from scheduling.requests import Current, CurrentGroup, Link, Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import TimeGrid

WEEKS_AHEAD = 10
"""Weeks of shifts that are looked at beyond the horizon: for days of groups, and for visits that go together."""

MAX_WEEKS = 8


@dataclass(frozen=True)
class BuiltWeek:
    """A week that is kept: its period, and what is to be known of it."""

    row: PeriodRow
    next_week: NextWeek


def get_next_horizon(session: Session, now: datetime, weeks: int, start: date | None) -> Horizon:
    """Return the dates of the weeks to come: from the next Monday on, or from a date that is told."""
    first = start or find_next_monday(periods.get_zone(session).wall(now).date())
    return Horizon(start=first, end=first + timedelta(weeks=weeks))


def draft_week(session: Session, horizon: Horizon, now: datetime) -> NextWeek:
    """Return what some dates are asked for, and keep nothing; whatever :func:`build_week` refuses is refused.

    Raises
    ------
    Conflict
        When another period has some of the dates, or nobody works on them: who works is not known yet.
    InvalidFile
        When what is known makes no scenario together, with every fault.
    """
    book = load_book(session, horizon, now)
    if not any(horizon.start <= shift.start.date() < horizon.end for provider in book.providers for shift in provider.shifts):
        raise Conflict(f"nobody works from {horizon.start} to before {horizon.end}: take in the roster first")
    week = build_scenario(book, horizon, periods.get_zone(session).wall(now).replace(second=0, microsecond=0))
    expect_free(session, horizon, week.scenario.id)
    visits = with_needs(session, week.scenario, week.scenario.visits, _get_episodes(week))
    next_week = replace(week, scenario=week.scenario.changed(visits=tuple(visits)))
    Scenario.parse(next_week.scenario.model_dump_json())
    return next_week


def _get_episodes(week: NextWeek) -> dict[str, str]:
    return {visit: subject.episode for visit, subject in week.subjects.items()}


def build_week(session: Session, by: Actor, horizon: Horizon, now: datetime) -> BuiltWeek:
    """Build a week and keep it as a period; one that is built already is brought to what is known now.

    What stands stays; what is left over of weeks that are past comes into this one.

    Raises
    ------
    Conflict
        When another period has some of its dates, or nobody works on them.
    """
    next_week = draft_week(session, horizon, now)
    scenario = next_week.scenario
    row = periods.keep_period(session, scenario, {block.id: block.providers for block in scenario.clinic.blocks})
    known = load_needs(session, scenario.visits_by_id)
    leftovers.keep(session, scenario, now, next_week.expected_until)
    put_desk_fields(session, scenario.visits_by_id.keys() - known.keys(), _get_episodes(next_week))
    episodes.put_subjects(session, next_week.subjects)
    periods.touch(session, row.id)
    periods.load_scenario(session, row.id)
    counted = {"visits": len(scenario.visits), "groups": len(scenario.groups), "alerts": len(next_week.alerts)}
    write_audit(session, by, "week.build", "scenario", row.id, now, **counted)
    return BuiltWeek(row, next_week)


def review_week(session: Session, period_id: str, now: datetime) -> NextWeek:
    """Return what is known of a period's dates now: what is impossible or too late, what lies beyond. Raises ``UnknownId``."""
    row = periods.get_period(session, period_id)
    horizon = Horizon(start=row.starts_on, end=row.ends_on)
    wall = periods.get_zone(session).wall(now).replace(second=0, microsecond=0)
    known = build_scenario(load_book(session, horizon, now), horizon, wall)
    scenario = periods.load_scenario(session, period_id, now)
    impossible = list_impossible(scenario, plans.load_standing_plan(session, scenario))
    return replace(known, alerts=(*impossible, *known.alerts))


def summarise_week(next_week: NextWeek) -> dict[str, Any]:
    """Return what is to be known of a week beside its scenario, as JSON can hold it."""
    scenario = next_week.scenario
    return {
        "scenario": scenario.id,
        "start": scenario.horizon.start.isoformat(),
        "end": scenario.horizon.end.isoformat(),
        "visits": len(scenario.visits),
        "groups": [group.id for group in scenario.groups],
        "reserves": len(scenario.reserves),
        "alerts": [{**asdict(alert), "latest": alert.latest and alert.latest.isoformat()} for alert in next_week.alerts],
        "previews": [_describe_preview(preview) for preview in next_week.previews],
    }


def _describe_preview(preview: Preview) -> dict[str, Any]:
    return {
        "episode": preview.episode,
        "patient": preview.patient,
        "step": preview.occurrence.step,
        "number": preview.occurrence.number,
        "service": preview.service,
        "earliest": preview.earliest.isoformat(),
        "latest": None if preview.latest is None else preview.latest.isoformat(),
        "certain": preview.certain,
    }


def expect_free(session: Session, horizon: Horizon, identifier: str) -> None:
    """Refuse dates that another period has. Raises ``Conflict``."""
    for row in periods.list_periods_from(session, horizon.start):
        if row.starts_on < horizon.end and row.id != identifier:
            raise Conflict(f'scenario "{row.id}" has the dates from {row.starts_on} to before {row.ends_on} already')


# ---- What is known ----


def load_book(session: Session, horizon: Horizon, now: datetime) -> ClinicRecords:
    """Return everything that the weeks to come depend on."""
    clinic = periods.clinic_of(session)
    grid = TimeGrid(clinic.timezone, clinic.start_grid_minutes, horizon.start, horizon.end)
    opened, groups = episodes.load_open(session), programmes.load(session)
    others = _list_left_over(session, horizon)
    known = {episode.patient for episode in opened.values()} | {visit.patient for visit in others}
    for group in groups:
        known |= {member.patient for member in group.members} | {waiting.patient for waiting in group.waiting}
    providers = load_providers_ahead(session, grid)
    current, current_groups = _list_standing(session, grid, people.get_trainees(providers))
    known |= {patient for group in current_groups.values() for patient in group.attendees}
    return ClinicRecords(
        clinic=clinic,
        providers=providers,
        patients=patients_with_appointments(session, known, grid),
        episodes=tuple(opened.values()),
        programmes=groups,
        current=current,
        current_groups=current_groups,
        referrals=_list_pressing_referrals(session, clinic),
        others=tuple(visit.changed(current=current.get(visit.id)) for visit in others),
        held=_list_reserve_rules(clinic),
    )


def load_book_of(session: Session, grid: TimeGrid, some: Iterable[Episode]) -> ClinicRecords:
    """Return what some episodes depend on, and nothing else."""
    clinic = periods.clinic_of(session)
    providers = load_providers_ahead(session, grid)
    return ClinicRecords(
        clinic=clinic, providers=providers, patients=(), episodes=tuple(some), held=_list_reserve_rules(clinic)
    )


def _list_reserve_rules(clinic: Clinic) -> tuple[ReserveRule, ...]:
    """Return how capacity is held for referrals to come, of what the clinic offers."""
    offered, sites = {service.id for service in clinic.services}, {None, *(site.id for site in clinic.sites)}
    return tuple(rule for rule in catalogue.list_reserve_rules() if rule.service in offered and rule.site in sites)


def load_providers_ahead(session: Session, grid: TimeGrid) -> tuple[Provider, ...]:
    """Return who works, with the shifts of a horizon, of its first month, and of the weeks after it."""
    last = grid.end + timedelta(weeks=WEEKS_AHEAD)
    ahead = TimeGrid(grid.timezone, grid.grid_minutes, grid.first.replace(day=1), last)
    return people.load_providers(session, ahead)


def _list_standing(
    session: Session, grid: TimeGrid, trainees: Collection[str]
) -> tuple[Mapping[str, Current], Mapping[tuple[str, str], CurrentGroup]]:
    """Return where visits, and sessions by programme and month, stand within a horizon."""
    visits: dict[str, Current] = {}
    groups: dict[tuple[str, str], CurrentGroup] = {}
    for booking in bookings.list_between(session, *people.get_bounds(grid)):
        kind, subject, month = booking.placing.subject
        if booking.row.state == "offered" or kind == "hold":
            continue
        if kind == "visit":
            visits[subject] = current_visit(booking.placing, grid, trainees)
        else:
            groups[subject.removesuffix(f"-{month}"), month] = current_group(booking.placing, grid, trainees)
    return visits, groups


def _list_pressing_referrals(session: Session, clinic: Clinic) -> tuple[PressingReferral, ...]:
    """Return every referral so far that capacity is held for: when, for what, and at which site, where that is a matter of it.

    A site is where a patient of the day was given a place; capacity for others is held wherever there is any.
    """
    held = {rule.service: rule.site is not None for rule in catalogue.list_reserve_rules()}
    first = {pathway.id: pathway.steps[0] for pathway in catalogue.list_pathways()}
    pressing = {
        pathway.id for pathway in catalogue.list_pathways() if first[pathway.id].same_day or pathway.onset == "new-onset"
    }
    services = {name: first[name].service for name in pressing if first[name].service in held}
    sites = {location.id: location.site for location in clinic.locations}
    wall = periods.get_zone(session).wall
    return tuple(
        PressingReferral(
            known=wall(at).replace(second=0, microsecond=0),
            service=services[pathway],
            site=sites.get(place or "") if held[services[pathway]] else None,
        )
        for pathway, at, place in episodes.get_first_places(session, services.keys())
    )


def _list_left_over(session: Session, horizon: Horizon) -> tuple[Visit, ...]:
    """Return the visits of no episode that wait, or stand in a horizon, as it has to ask for them."""
    waiting = leftovers.list_without_episode(session, horizon)
    befores = leftovers.get_dates_before(session, [visit.id for visit in waiting])
    return tuple(_carry_over(visit, befores.get(visit.id, ()), horizon) for visit in waiting)


def _carry_over(visit: Visit, before: Iterable[tuple[date, Link]], horizon: Horizon) -> Visit:
    """Return a visit that has waited as another week asks for it.

    What was to be on a day that is past is now asked for as soon as possible; a deadline that is past cannot be kept any more;
    where what it follows has been, its dates are counted from there.
    """
    earliest, latest = visit.earliest, visit.deadline
    for day, link in before:
        earliest = max(earliest, day + link.min_days * ONE_DAY)
        if link.max_days is not None:
            last = day + link.max_days * ONE_DAY
            latest = last if latest is None else min(latest, last)
    past = visit.earliest < horizon.start
    return visit.changed(
        earliest=earliest,
        deadline=None if latest is None or latest < max(horizon.start, earliest) else latest,
        same_day=visit.same_day and not past,
        priority=raise_priority(visit.priority, visit.target, horizon.start),
        pinned=None if visit.pinned is not None and visit.pinned.start.date() < horizon.start else visit.pinned,
    )
