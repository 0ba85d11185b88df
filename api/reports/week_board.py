"""A week as one document for a board in a browser: rows, shifts, all that stands and how, and who waits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel

from api.reports.documents import gap
from api.reports.kpis import PRIORITIES
from api.reports.labels import codes
from api.reports.palette import colour, families, family, title
from api.store.queries.standing import StandingWeek
from api.store.tables import BookingRow
from api.store.tables.mail import Participation
from api.web.words.sentences import DescribedReason, describe_reasons
from scheduling.fields import Date, Priority, Stamp
from scheduling.plan import Booking, GroupBooking, HoldBooking, Plan, VisitBooking
from scheduling.requests import Visit
from scheduling.rules.stability import is_unchanged
from scheduling.scenario import Scenario

Order = Literal["deadline", "priority", "waited"]


class BoardPlace(BaseModel):
    """Where, when and with whom something stands, wall-clock time."""

    start: Stamp
    end: Stamp
    location: str
    room: str | None
    team: tuple[str, ...]
    supervisors: tuple[str, ...]
    state: str
    notified: bool
    version: int


class BoardVisit(BoardPlace):
    """A visit that stands somewhere."""

    visit: str
    patient: str
    name: str
    service: str
    priority: str
    earliest: Date
    target: Date | None
    deadline: Date | None
    late: bool
    pinned: bool
    override_reason: str | None
    participation: Participation | None


class BoardAttendee(BaseModel):
    """Somebody who takes part in a group session."""

    patient: str
    name: str


class BoardGroup(BoardPlace):
    """A group session that stands somewhere."""

    group: str
    name: str
    service: str
    capacity: int
    attendees: tuple[BoardAttendee, ...]


class BoardHold(BoardPlace):
    """Time that is held for referrals."""

    reserve: str
    service: str


class WaitingVisit(BaseModel):
    """A visit that is asked for and has no place."""

    visit: str
    patient: str
    name: str
    service: str
    family: str
    priority: Priority
    earliest: Date
    target: Date | None
    deadline: Date | None
    days_waited: int | None
    reasons: list[DescribedReason]


class BoardFigures(BaseModel):
    """What a week comes to; ``bound`` is the least that any plan costs, where that is proven."""

    cost: int
    bound: int | None
    gap: float | None
    costs: dict[str, int]
    asked: int
    planned: int
    late: int
    held: int
    told: int
    untold: int


class WeekBoard(BaseModel):
    """A week for a board. Rows, places and services are told once, and named by their ids elsewhere."""

    scenario: str
    version: int
    now: Stamp | None
    timezone: str
    start: Date
    end: Date
    start_grid_minutes: int
    clinic: str
    sites: list[dict[str, Any]]
    locations: list[dict[str, Any]]
    services: list[dict[str, Any]]
    families: list[dict[str, str]]
    rooms: list[dict[str, Any]]
    providers: list[dict[str, Any]]
    closures: list[dict[str, Any]]
    visits: list[BoardVisit]
    groups: list[BoardGroup]
    holds: list[BoardHold]
    waiting: list[WaitingVisit]
    figures: BoardFigures


def describe_week(week: StandingWeek, now: datetime) -> WeekBoard:
    """Return a week as its board shows it at an instant."""
    scenario, plan = week.scenario, week.plan
    clinic, horizon = scenario.clinic, scenario.horizon
    return WeekBoard(
        scenario=scenario.id,
        version=week.version.number,
        now=scenario.now,
        timezone=clinic.timezone,
        start=horizon.start,
        end=horizon.end,
        start_grid_minutes=clinic.start_grid_minutes,
        clinic=clinic.name,
        sites=[site.model_dump(mode="json") for site in clinic.sites],
        locations=[place.model_dump(mode="json", exclude={"closes"}) for place in clinic.locations],
        services=_describe_services(scenario),
        families=[{"id": name, "name": title(name), "colour": colour(name)} for name in families(scenario.services)],
        rooms=_describe_rooms(scenario),
        providers=_describe_providers(scenario, plan),
        closures=[closure.model_dump(mode="json") for closure in clinic.closures],
        visits=[_describe_visit(week, booking) for booking in plan.visits],
        groups=[_describe_group(week, booking) for booking in plan.groups],
        holds=[_describe_hold(week, booking) for booking in plan.holds],
        waiting=list_waiting(week, now),
        figures=describe_figures(scenario, plan, week.bound),
    )


def describe_figures(scenario: Scenario, plan: Plan, bound: int | None) -> BoardFigures:
    """Return what a plan comes to; told are those who know of the place that they have in it."""
    asked = [(scenario.visits_by_id[booking.visit], booking) for booking in plan.visits]
    told = sum(
        visit.current is not None and visit.current.notified and is_unchanged(visit.current, booking)
        for visit, booking in asked
    )
    return BoardFigures(
        cost=plan.cost,
        bound=bound,
        gap=gap(plan.changed(bound=bound)),
        costs=plan.costs.components(),
        asked=len(scenario.visits),
        planned=len(asked),
        late=sum(is_late(visit, booking) for visit, booking in asked),
        held=len(plan.holds),
        told=told,
        untold=len(asked) - told,
    )


def is_late(visit: Visit, booking: Booking) -> bool:
    """Return whether a visit is later than it should be."""
    return visit.target is not None and booking.start.date() > visit.target


def list_waiting(week: StandingWeek, now: datetime) -> list[WaitingVisit]:
    """Return the visits that are asked for and have no place, by deadline, then by priority and id."""
    weight = week.scenario.policy.unscheduled
    waiting = [visit for visit in week.scenario.visits if visit.id not in week.plan.visits_by_id]
    waiting.sort(key=lambda visit: (get_due_date(visit), -weight.of(visit.priority), visit.id))
    return [_describe_waiting(week, visit, now) for visit in waiting]


def choose_waiting(
    waiting: list[WaitingVisit], order: Order, priority: str | None, family: str | None, after: str
) -> list[WaitingVisit]:
    """Return those visits of a list by deadline that are wanted, in an order, after the visit of an id.

    When the visit of that id waits no more, the list begins anew: nothing is left out.
    """
    chosen = [visit for visit in waiting if priority in (None, visit.priority) and family in (None, visit.family)]
    if order == "priority":
        chosen.sort(key=lambda visit: -PRIORITIES.index(visit.priority))
    elif order == "waited":
        chosen.sort(key=lambda visit: -(visit.days_waited or 0))
    place = next((index for index, visit in enumerate(chosen) if visit.visit == after), -1)
    return chosen[place + 1 :]


def get_due_date(visit: Visit | WaitingVisit) -> date:
    """Return the date by which a visit should be: its deadline, its target, or one that never comes."""
    return visit.deadline or visit.target or date.max


def _describe_waiting(week: StandingWeek, visit: Visit, now: datetime) -> WaitingVisit:
    scenario, asked_at = week.scenario, week.asked_at.get(visit.id)
    return WaitingVisit(
        visit=visit.id,
        patient=visit.patient,
        name=scenario.patients_by_id[visit.patient].name,
        service=visit.service,
        family=family(visit.service),
        priority=visit.priority,
        earliest=visit.earliest,
        target=visit.target,
        deadline=visit.deadline,
        days_waited=None if asked_at is None else max(0, (now - asked_at).days),
        reasons=describe_reasons(scenario, visit.id, week.reasons.get(visit.id, ())),
    )


def _describe_visit(week: StandingWeek, booking: VisitBooking) -> BoardVisit:
    visit, row = week.scenario.visits_by_id[booking.visit], week.rows.get(("visit", booking.visit))
    return BoardVisit(
        **_describe_place(booking, row),
        visit=visit.id,
        patient=visit.patient,
        name=week.scenario.patients_by_id[visit.patient].name,
        service=visit.service,
        priority=visit.priority,
        earliest=visit.earliest,
        target=visit.target,
        deadline=visit.deadline,
        late=is_late(visit, booking),
        pinned=visit.pinned is not None,
        override_reason=None if row is None else row.override_reason,
        participation=None if row is None else week.participations.get(row.id),
    )


def _describe_group(week: StandingWeek, booking: GroupBooking) -> BoardGroup:
    scenario = week.scenario
    group = scenario.groups_by_id[booking.group]
    return BoardGroup(
        **_describe_place(booking, week.rows.get(("group", booking.group))),
        group=group.id,
        name=group.name,
        service=group.service,
        capacity=group.capacity,
        attendees=tuple(
            BoardAttendee(patient=patient, name=scenario.patients_by_id[patient].name) for patient in booking.attendees
        ),
    )


def _describe_hold(week: StandingWeek, booking: HoldBooking) -> BoardHold:
    reserve = week.scenario.reserves_by_id[booking.reserve]
    return BoardHold(
        **_describe_place(booking, week.rows.get(("hold", booking.reserve))), reserve=reserve.id, service=reserve.service
    )


def _describe_place(booking: Booking, row: BookingRow | None) -> dict[str, Any]:
    place = {name: getattr(booking, name) for name in ("start", "end", "location", "room", "team", "supervisors")}
    if row is None:
        return {**place, "state": "booked", "notified": False, "version": 0}
    return {**place, "state": row.state, "notified": row.notified, "version": row.version}


def _describe_services(scenario: Scenario) -> list[dict[str, Any]]:
    short = codes(scenario.services)
    told = {"id", "name", "minutes", "turnover", "recovery"}
    return [
        {**service.model_dump(include=told), "code": short[service.id], "family": family(service.id)}
        for service in scenario.services.values()
    ]


def _describe_rooms(scenario: Scenario) -> list[dict[str, Any]]:
    short = codes(scenario.rooms)
    return [{**room.model_dump(mode="json"), "code": short[room.id]} for room in scenario.clinic.rooms]


def _describe_providers(scenario: Scenario, plan: Plan) -> list[dict[str, Any]]:
    short = codes(scenario.providers_by_id)
    chosen = {(place.provider, place.start): place.location for place in plan.shifts}
    return [
        {
            **provider.model_dump(mode="json", include={"id", "name", "role", "skills", "trainee", "busy"}),
            "code": short[provider.id],
            "shifts": [
                {**shift.model_dump(mode="json"), "location": chosen.get((provider.id, shift.start))}
                for shift in provider.shifts
            ],
        }
        for provider in scenario.providers
    ]
