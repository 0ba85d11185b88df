"""A day as it is lived: who comes when and where, who is there, who is late, and who waits for a place on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from pydantic import BaseModel

from api.reports.labels import codes, initials
from api.reports.palette import family
from api.reports.week_board import get_due_date
from api.store.queries.standing import StandingWeek
from api.store.tables.mail import Participation
from scheduling.fields import Date, ItemKind, Priority, Stamp
from scheduling.instructions import load_instructions
from scheduling.plan import Item
from scheduling.requests import Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp

EXPECTED = ("offered", "booked")
"""States of those who have not come yet."""


class DayPatient(BaseModel):
    """Somebody who comes; by the initials for whom names are not to be read."""

    patient: str
    name: str
    initials: str


class ListedItem(BaseModel):
    """A visit, a session or held time of the day. ``arrive`` is when patients are to be there.

    ``minutes_late`` is how long ago a visit should have begun whose patient has not come yet.
    """

    kind: ItemKind
    id: str
    scenario: str
    service: str
    service_name: str
    code: str
    family: str
    priority: Priority | None
    start: Stamp
    end: Stamp
    arrive: Stamp
    location: str
    location_name: str
    room: str | None
    team: tuple[str, ...]
    supervisors: tuple[str, ...]
    patients: list[DayPatient]
    state: str
    minutes_late: int
    notified: bool
    participation: Participation | None
    note: str | None
    tags: list[str]
    version: int


class DayRoom(BaseModel):
    """A room."""

    id: str
    code: str
    location: str


class DayShift(BaseModel):
    """A shift of the day, and the location chosen for it, if one is."""

    start: Stamp
    end: Stamp
    location: str | None


class DayProvider(BaseModel):
    """Somebody who works on the day, or has something on it."""

    id: str
    name: str
    code: str
    role: str
    shifts: list[DayShift]


class DayWaiting(DayPatient):
    """A visit that should be on the day and has no place; ``last_start``: nobody with the skill could begin later."""

    visit: str
    service: str
    service_name: str
    priority: Priority
    same_day: bool
    deadline: Date | None
    last_start: Stamp | None


class DayFigures(BaseModel):
    """How many of the day's visits there are, who has come, is done, did not come, is late, and what is held and waits."""

    visits: int
    arrived: int
    done: int
    missed: int
    late_now: int
    held_left: int
    waiting: int


class Day(BaseModel):
    """A day over all weeks that have it; ``now`` is on the clinic's clocks, and there on the day itself alone."""

    date: Date
    now: Stamp | None
    timezone: str
    clinic: str
    scenarios: list[str]
    items: list[ListedItem]
    rooms: list[DayRoom]
    providers: list[DayProvider]
    waiting: list[DayWaiting]
    figures: DayFigures


def describe_day(day: date, weeks: Sequence[StandingWeek], notes: Mapping[str, tuple[str | None, list[str]]]) -> Day:
    """Return a day as it stands in one week or more.

    Parameters
    ----------
    notes
        The desk's notes and tags, by visit.
    """
    first = weeks[0].scenario
    now = first.now if first.now is not None and first.now.date() == day else None
    items = [item for week in weeks for item in _list_items(week, day, now, notes)]
    waiting = [visit for week in weeks for visit in _list_waiting(week, day)]
    short = codes(first.rooms)
    return Day(
        date=day,
        now=now,
        timezone=first.clinic.timezone,
        clinic=first.clinic.name,
        scenarios=[week.scenario.id for week in weeks],
        items=sorted(items, key=lambda item: (item.start, item.location, item.room or "", item.id)),
        rooms=[DayRoom(id=room.id, code=short[room.id], location=room.location) for room in first.clinic.rooms],
        providers=_list_providers(weeks, day, items),
        waiting=waiting,
        figures=_count(items, waiting, now),
    )


def _list_items(
    week: StandingWeek, day: date, now: datetime | None, notes: Mapping[str, tuple[str | None, list[str]]]
) -> Iterable[ListedItem]:
    scenario, short = week.scenario, codes(week.scenario.services)
    todays = sorted((item for item in week.plan.items(scenario) if item.date == day), key=lambda item: item.start_minute)
    free_at: dict[str, tuple[datetime, str]] = {}
    for item in todays:
        booking, row = item.booking, week.rows.get((item.kind, item.id))
        state = "booked" if row is None else row.state
        is_late = now is not None and item.kind == "visit" and state in EXPECTED and booking.start < now
        asked = scenario.visits_by_id.get(item.id) if item.kind == "visit" else None
        note, tags = notes.get(item.id, (None, [])) if item.kind == "visit" else (None, [])
        yield ListedItem(
            kind=item.kind,
            id=item.id,
            scenario=scenario.id,
            service=item.service.id,
            service_name=item.service.name,
            code=short[item.service.id],
            family=family(item.service.id),
            priority=None if asked is None else asked.priority,
            start=booking.start,
            end=booking.end,
            arrive=_find_arrival(scenario, item, free_at),
            location=booking.location,
            location_name=scenario.locations[booking.location].name,
            room=booking.room,
            team=booking.team,
            supervisors=booking.supervisors,
            patients=[_describe_patient(scenario, patient) for patient in item.patients],
            state=state,
            minutes_late=(now - booking.start) // timedelta(minutes=1) if is_late and now is not None else 0,
            notified=row is not None and row.notified,
            participation=None if row is None else week.participations.get(row.id),
            note=note,
            tags=tags,
            version=0 if row is None else row.version,
        )
        for patient in item.patients:
            free_at[patient] = stamp(day, item.recovery_end_minute), booking.location


def _find_arrival(scenario: Scenario, item: Item, free_at: Mapping[str, tuple[datetime, str]]) -> datetime:
    """Return when a patient is to be there: some time before the start, but not before what they have before is over."""
    start = item.booking.start
    arrival = start - timedelta(minutes=load_instructions().get_guidance(item.service).arrive.minutes)
    if item.kind == "visit" and (before := free_at.get(item.patients[0])) is not None:
        rested, origin = before
        arrival = max(arrival, rested + timedelta(minutes=scenario.travel_minutes(origin, item.booking.location)))
    return min(arrival, start)


def _list_waiting(week: StandingWeek, day: date) -> Iterable[DayWaiting]:
    """Yield the visits whose last day it is and that have no place, those referred on it first."""
    scenario = week.scenario
    due = [
        visit
        for visit in scenario.visits
        if visit.id not in week.plan.visits_by_id and (get_due_date(visit) == day or (visit.same_day and visit.earliest == day))
    ]
    for visit in sorted(due, key=lambda visit: (not visit.same_day, visit.id)):
        service = scenario.services[visit.service]
        yield DayWaiting(
            **dict(_describe_patient(scenario, visit.patient)),
            visit=visit.id,
            service=service.id,
            service_name=service.name,
            priority=visit.priority,
            same_day=visit.same_day,
            deadline=visit.deadline,
            last_start=_find_last_start(scenario, visit, day),
        )


def _find_last_start(scenario: Scenario, visit: Visit, day: date) -> datetime | None:
    """Return when a visit could begin at last, by the shifts of those who can fill its seats; None: a seat has nobody."""
    service = scenario.service_of(visit)
    ends = [
        max(
            (
                shift.end
                for provider in scenario.providers
                if provider.can_fill(seat.any_of)
                for shift in provider.shifts
                if shift.start.date() == day
            ),
            default=None,
        )
        for seat in service.team
    ]
    known = [end for end in ends if end is not None]
    return min(known) - timedelta(minutes=service.minutes) if known and len(known) == len(ends) else None


def _list_providers(weeks: Sequence[StandingWeek], day: date, items: Iterable[ListedItem]) -> list[DayProvider]:
    scenario, short = weeks[0].scenario, codes(weeks[0].scenario.providers_by_id)
    chosen = {(place.provider, place.start): place.location for week in weeks for place in week.plan.shifts}
    needed = {who for item in items for who in (*item.team, *item.supervisors)}
    providers = []
    for provider in scenario.providers:
        shifts = [
            DayShift(start=shift.start, end=shift.end, location=chosen.get((provider.id, shift.start)))
            for shift in provider.shifts
            if shift.start.date() == day
        ]
        if shifts or provider.id in needed:
            told = {"id": provider.id, "name": provider.name, "role": provider.role, "code": short[provider.id]}
            providers.append(DayProvider(**told, shifts=shifts))
    return providers


def _describe_patient(scenario: Scenario, patient: str) -> DayPatient:
    name = scenario.patients_by_id[patient].name
    return DayPatient(patient=patient, name=name, initials=initials(name))


def _count(items: Iterable[ListedItem], waiting: Sequence[DayWaiting], now: datetime | None) -> DayFigures:
    visits = [item for item in items if item.kind == "visit"]
    states = [visit.state for visit in visits]
    holds = [item for item in items if item.kind == "hold"]
    return DayFigures(
        visits=len(visits),
        arrived=states.count("arrived"),
        done=states.count("done"),
        missed=states.count("no-show"),
        late_now=sum(visit.minutes_late > 0 for visit in visits),
        held_left=sum(now is None or hold.start >= now for hold in holds),
        waiting=len(waiting),
    )
