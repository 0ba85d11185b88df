"""What stands and has become impossible, as by an absence or a closure: a task for staff each, once, until it is mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.services.weeks.setting_aside import EXCUSED
from api.store.queries import bookings, periods, plans, tasks
from api.store.queries.bookings import BookingChange, StandingBooking
from api.store.queries.placings import Placing, Subject
from api.store.tables import BookingRow, TaskRow
from scheduling.care.agenda import Alert
from scheduling.errors import InvalidFile
from scheduling.plan import Plan, Violation
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from scheduling.timegrid import TimeGrid

IMPOSSIBLE = "booking-impossible"
"""The task for staff when what stands cannot be, as the world has become."""

MENDED = "conflicts"
"""Who ends such a task when nothing stands against it any more."""

NOT_OF_THE_WORLD = (EXCUSED, "notification-budget")
"""Rules that no change of the world makes what stands break."""

Conflicts = Mapping[Subject, tuple[Violation, ...]]
"""The rules that what stands breaks, by visit or session."""


@dataclass(frozen=True, slots=True)
class AffectedBooking:
    """A visit or session whom a change of the world concerns, at wall-clock time, and the task that it has become.

    Attributes
    ----------
    notified : bool
        Whether its patients have been told of it, and so have to be called.
    """

    kind: str
    id: str
    scenario: str
    start: datetime
    end: datetime
    location: str
    room: str | None
    team: tuple[str, ...]
    patients: tuple[str, ...]
    notified: bool
    task: str | None


def find_conflicts(session: Session, period_ids: Iterable[str], now: datetime) -> Conflicts:
    """Return what of some periods breaks rules as it stands; of a period that makes no scenario, nothing is known."""
    broken: dict[Subject, tuple[Violation, ...]] = {}
    for identifier in period_ids:
        try:
            scenario = periods.load_scenario(session, identifier, now)
        except InvalidFile:
            continue
        plan = plans.load_standing_plan(session, scenario)
        broken |= _find_broken(scenario, plan)
        # What stands with another length than is asked for is no part of the plan.
        unplanned = scenario.visits_by_id.keys() - plan.visits_by_id.keys()
        for visit in unplanned & bookings.list_standing_ids(session, identifier):
            broken["visit", visit, ""] = (Violation("length", (visit,), "stands with another length than is asked for"),)
    return broken


def raise_tasks(session: Session, before: Conflicts, period_ids: Iterable[str], now: datetime) -> list[AffectedBooking]:
    """Raise a task for each booking to come that breaks a rule which it did not break before; end those that are mended.

    An open task says what stands against its booking by now, as where one of two closures was lifted.

    Parameters
    ----------
    before
        What :func:`find_conflicts` returned for the same periods, before the world changed.
    """
    session.flush()
    after = find_conflicts(session, period_ids, now)
    open_tasks = tasks.find_open_tasks(session, IMPOSSIBLE, [identifier for _, identifier, _ in after])
    affected = []
    for subject, violations in sorted(after.items()):
        known = {(violation.rule, violation.ids) for violation in before.get(subject, ())}
        row = bookings.find_booking(session, subject)
        if row is None or row.state not in bookings.OPEN or row.starts_at <= now:
            continue
        is_new = any((violation.rule, violation.ids) not in known for violation in violations)
        if is_new or subject[:2] in open_tasks:
            tasks.put_task(session, IMPOSSIBLE, subject[:2], _describe_conflict(row, violations, after), now)
        if is_new:
            affected.append(bookings.get_standing(session, row))
    for subject in before.keys() - after.keys():
        tasks.end_tasks(session, IMPOSSIBLE, subject[:2], MENDED, now)
    return describe_affected(session, affected)


def _describe_conflict(row: BookingRow, violations: Iterable[Violation], broken: Conflicts) -> dict[str, Any]:
    """Return what the task about a booking says; ``beside`` are the others that break the same rules."""
    others = {name for _, name, _ in broken} - {row.subject_id}
    beside = sorted({other for violation in violations for other in violation.ids} & others)
    detail: dict[str, Any] = {
        "scenario": row.period_id,
        "starts_at": row.starts_at.isoformat(),
        "rules": sorted({violation.rule for violation in violations}),
        "findings": [violation.detail for violation in violations],
    }
    return {**detail, "beside": beside} if beside else detail


def end_tasks_of_moved(session: Session, changes: Iterable[BookingChange], now: datetime) -> None:
    """End the tasks about bookings that are elsewhere now, or nowhere, and about what only stood against them."""
    moved = {}
    for change in changes:
        if change.before is not None and _place(change.before) != _place(change.after):
            tasks.end_tasks(session, IMPOSSIBLE, change.before.subject[:2], MENDED, now)
            moved[change.before.subject[1]] = change.row.period_id
    beside = [
        task for task in tasks.list_open_of_kind(session, IMPOSSIBLE) if moved.keys() & set(task.detail.get("beside", ()))
    ]
    if not beside:
        return
    session.flush()
    broken = {subject[:2] for subject in find_conflicts(session, set(moved.values()), now)}
    for task in beside:
        if task.detail["scenario"] in moved.values() and (task.subject_kind, task.subject_id) not in broken:
            tasks.end_task(session, task.id, MENDED, now, task.version)


def describe_affected(session: Session, standing: Iterable[StandingBooking]) -> list[AffectedBooking]:
    """Return bookings as those who have to act on a change of the world see them; holds concern nobody."""
    standing = [booking for booking in standing if booking.row.kind != "hold"]
    zone = periods.get_zone(session)
    open_tasks = tasks.find_open_tasks(session, IMPOSSIBLE, [booking.row.subject_id for booking in standing])
    return [_describe(booking, open_tasks.get(booking.placing.subject[:2]), zone) for booking in standing]


def list_impossible(scenario: Scenario, plan: Plan) -> Iterator[Alert]:
    """Yield an alert for each visit or session of a plan that breaks a rule as it stands."""
    for kind, identifier, _ in sorted(_find_broken(scenario, plan)):
        asked = scenario.visits_by_id.get(identifier) if kind == "visit" else scenario.groups_by_id.get(identifier)
        if asked is not None:
            patient = getattr(asked, "patient", "")
            yield Alert("impossible", "", patient, identifier, asked.service, None)


def _find_broken(scenario: Scenario, plan: Plan) -> dict[Subject, tuple[Violation, ...]]:
    subjects: dict[str, Subject] = {visit: ("visit", visit, "") for visit in plan.visits_by_id}
    subjects |= {group: ("group", group, scenario.groups_by_id[group].month) for group in plan.groups_by_id}
    broken: dict[Subject, tuple[Violation, ...]] = {}
    for violation in find_violations(scenario, plan):
        if violation.rule in NOT_OF_THE_WORLD:
            continue
        for identifier in violation.ids:
            if subject := subjects.get(identifier):
                broken[subject] = (*broken.get(subject, ()), violation)
    return broken


def _describe(booking: StandingBooking, task: TaskRow | None, zone: TimeGrid) -> AffectedBooking:
    row, placing = booking.row, booking.placing
    return AffectedBooking(
        kind=row.kind,
        id=row.subject_id,
        scenario=row.period_id,
        start=zone.wall(row.starts_at),
        end=zone.wall(row.ends_at),
        location=row.location,
        room=placing.room,
        team=placing.ids("team"),
        patients=placing.ids("patient"),
        notified=row.notified,
        task=None if task is None else task.id,
    )


def _place(placing: Placing | None) -> object:
    if placing is None:
        return None
    return placing.starts_at, placing.ends_at, placing.location, placing.room, placing.ids("team"), placing.ids("supervisor")
