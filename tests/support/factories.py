"""Small builders of scenarios and plans, each with keyword overrides, each through the validation that files go through.

The default week is Monday 2026-11-30 to Friday 2026-12-04: it changes month after its first day. The default clinic is
asymmetric: three buildings that close at different times, travel of 10, 45 and (unnamed, so) 0 minutes, two bays here
and one there, and weights that are primes, so that an amount tells which of them made it.

Stamps may be written ``"MO 09:10"`` (a day of the default week) or in full; ``at`` and ``on`` turn them into the files' form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel

from scheduling.clinic import Block, Clinic, Closure, Location, Room, Service
from scheduling.costs import calculate_costs
from scheduling.fields import format_stamp
from scheduling.people import Patient, Provider, Shift
from scheduling.plan import PLAN_FORMAT, Booking, Costs, GroupBooking, HoldBooking, Plan, ShiftPlace, VisitBooking
from scheduling.requests import Current, CurrentGroup, Group, Link, Pin, Reserve, Visit
from scheduling.scenario import Policy, Scenario

T = TypeVar("T", bound=BaseModel)

DATES: Mapping[str, str] = {
    "SU-": "2026-11-29",
    "MO": "2026-11-30",
    "TU": "2026-12-01",
    "WE": "2026-12-02",
    "TH": "2026-12-03",
    "FR": "2026-12-04",
    "SA": "2026-12-05",
}
"""The default week; ``SU-`` and ``SA`` are the dates just outside its horizon."""

WORKDAYS = ("MO", "TU", "WE", "TH", "FR")

LEFT_OUT: Mapping[str, str] = {"rule": "none", "detail": "left out by a test"}
"""The placeholder of a reason."""


def on(day: str) -> str:
    """Return the date of a day of the default week, or a date unchanged."""
    return DATES.get(day, day)


def at(moment: str) -> str:
    """Return ``MO 09:10`` as the stamp ``2026-11-30T09:10``, or a stamp unchanged."""
    day, _, clock = moment.partition(" ")
    return f"{on(day)}T{clock}" if clock else moment


def _plain(value: object) -> Any:
    assert isinstance(value, BaseModel), value
    return value.model_dump(mode="json", exclude_unset=True)


def as_json(value: object) -> str:
    """Write models, or dicts and lists of them, as JSON text."""
    return json.dumps(value, default=_plain)


def _made(kind: type[T], fields: Mapping[str, Any], overrides: Mapping[str, Any]) -> T:
    return kind.model_validate_json(as_json({**fields, **overrides}))


def _intervals(intervals: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"start": at(start), "end": at(end)} for start, end in intervals]


def location(identifier: str, site: str = "boston", closes: str = "17:00", **overrides: Any) -> Location:
    """Build a location."""
    fields = {"id": identifier, "site": site, "name": identifier, "address": "", "closes": closes}
    return _made(Location, fields, overrides)


def room(identifier: str, where: str, kind: str, *features: str, seats: int = 1) -> Room:
    """Build a room."""
    fields = {"id": identifier, "location": where, "kind": kind, "features": features, "seats": seats}
    return _made(Room, fields, {})


def closure(start: str, end: str, where: str | None = None, **overrides: Any) -> Closure:
    """Build a closure, of every location unless one is named."""
    return _made(Closure, {"start": at(start), "end": at(end), "location": where, "reason": "works"}, overrides)


def block(identifier: str, weekday: str, start: str, end: str, **overrides: Any) -> Block:
    """Build a special clinic of ``consult`` at yawkey, of ana."""
    fields = {"id": identifier, "location": "yawkey", "weekday": weekday, "start": start, "end": end}
    return _made(Block, {**fields, "services": ["consult"], "providers": ["ana"]}, overrides)


def service(identifier: str, **overrides: Any) -> Service:
    """Build a service: an office visit of 40 minutes with one pain physician, at wang or west, unless overridden."""
    fields = {
        "id": identifier,
        "name": identifier,
        "minutes": 40,
        "turnover": 0,
        "recovery": 0,
        "attention": 1,
        "team": [{"any_of": ["pain"]}],
        "room": {"kind": "exam", "features": []},
        "equipment": [],
        "locations": ["wang", "west"],
    }
    return _made(Service, fields, overrides)


PROCEDURE: Mapping[str, Any] = {"attention": 2, "room": {"kind": "procedure", "features": ["fluoroscopy"]}}
TWO_SEATS: Mapping[str, Any] = {"team": [{"any_of": ["pain"]}, {"any_of": ["psychology", "psychiatry"]}]}

SERVICES: tuple[Service, ...] = (
    service("followup"),
    service("evaluation", minutes=60, **TWO_SEATS),
    service("injection", minutes=30, turnover=11, recovery=31, **PROCEDURE),
    service("ablation", minutes=50, recovery=20, equipment=["generator"], **PROCEDURE),
    service("bedside", minutes=20, room=None, locations=["yawkey", "wang", "west"]),
    service("consult", room={"kind": "consult", "features": []}, locations=["yawkey", "wang"]),
    service(
        "workshop",
        minutes=90,
        turnover=10,
        attention=2,
        team=[{"any_of": ["psychology"]}],
        room={"kind": "group", "features": []},
        locations=["wang"],
    ),
)


def clinic(*changed: Service, **overrides: Any) -> Clinic:
    """Build the default clinic; ``changed`` services take the place of those of the same id, or are added."""
    services = {service.id: service for service in (*SERVICES, *changed)}
    fields = {
        "name": "Test clinic",
        "timezone": "America/New_York",
        "start_grid_minutes": 10,
        "sites": [{"id": "boston", "name": "Boston"}, {"id": "waltham", "name": "Waltham"}],
        "locations": [location("wang"), location("yawkey", closes="18:10"), location("west", "waltham", "16:20")],
        "travel": [{"between": ["wang", "yawkey"], "minutes": 10}, {"between": ["west", "wang"], "minutes": 45}],
        "closures": [],
        "rooms": [
            room("wang-exam-1", "wang", "exam"),
            room("wang-exam-2", "wang", "exam"),
            room("wang-exam-3", "wang", "exam"),
            room("wang-proc-1", "wang", "procedure", "fluoroscopy", "ultrasound"),
            room("wang-proc-2", "wang", "procedure", "fluoroscopy"),
            room("wang-proc-3", "wang", "procedure", "ultrasound"),
            room("wang-consult", "wang", "consult"),
            room("wang-group", "wang", "group", seats=4),
            room("west-exam", "west", "exam"),
            room("west-proc", "west", "procedure", "fluoroscopy"),
            room("yawkey-consult", "yawkey", "consult"),
        ],
        "equipment": [
            {"id": "generator", "location": "wang", "units": 1},
            {"id": "generator", "location": "west", "units": 2},
        ],
        "recovery": [{"location": "wang", "bays": 2}, {"location": "west", "bays": 1}],
        "services": list(services.values()),
        "blocks": [],
    }
    return _made(Clinic, fields, overrides)


def shift(start: str, end: str, *locations: str, **overrides: Any) -> Shift:
    """Build a shift: ``shift("MO 08:00", "12:00", "wang")``; its end is a clock time of that day, or a stamp."""
    ends = f"{at(start)[:10]}T{end}" if re.fullmatch(r"\d\d:\d\d", end) else at(end)
    return _made(Shift, {"start": at(start), "end": ends, "locations": locations or ("wang",)}, overrides)


def week(*halves: Shift, days: Sequence[str] = WORKDAYS) -> list[Shift]:
    """Build a week's shifts, mornings at wang and afternoons anywhere, but on the days of ``halves`` these instead."""
    given = {half.start.date().isoformat() for half in halves}
    rest = [day for day in days if on(day) not in given]
    mornings = [shift(f"{day} 08:00", "12:00", "wang") for day in rest]
    afternoons = [shift(f"{day} 12:30", "17:30", "wang", "west", "yawkey") for day in rest]
    return [*halves, *mornings, *afternoons]


def provider(identifier: str, *skills: str, busy: Iterable[tuple[str, str]] = (), **overrides: Any) -> Provider:
    """Build a provider, a pain physician unless skills are named."""
    fields = {
        "id": identifier,
        "name": identifier.title(),
        "role": "physician",
        "skills": skills or ("pain",),
        "trainee": False,
        "max_minutes_per_day": 420,
        "shifts": week(),
        "busy": _intervals(busy),
    }
    return _made(Provider, fields, overrides)


ANA = provider("ana", "pain", "neuromodulation")
BEN = provider("ben", "psychology", max_minutes_per_day=300)
CY = provider("cy", "pain", trainee=True, max_minutes_per_day=360)
DEE = provider("dee", "pain", "psychiatry")
ELI = provider("eli", "pain", "psychology", trainee=True)
PEOPLE: tuple[Provider, ...] = (ANA, BEN, CY, DEE, ELI)


def people(*changed: Provider) -> list[Provider]:
    """Return the default providers; ``changed`` ones take the place of those of the same id, or are added."""
    return list({person.id: person for person in (*PEOPLE, *changed)}.values())


def patient(identifier: str, unavailable: Iterable[tuple[str, str]] = (), **overrides: Any) -> Patient:
    """Build a patient who can come anywhere, and prefers nothing."""
    fields = {
        "id": identifier,
        "name": identifier.title(),
        "preferred_site": None,
        "allowed_sites": ["boston", "waltham"],
        "unavailable": _intervals(unavailable),
        "prefers": None,
    }
    return _made(Patient, fields, overrides)


def visit(identifier: str, of: str = "pat", service: str = "followup", **overrides: Any) -> Visit:
    """Build a routine visit that may take place on any day of the week."""
    fields: dict[str, Any] = {
        "id": identifier,
        "patient": of,
        "service": service,
        "priority": "routine",
        "earliest": on("MO"),
        "target": None,
        "deadline": None,
        "preferred_providers": [],
        "required_provider": None,
        "same_day": False,
        "pinned": None,
        "current": None,
    }
    for key in overrides.keys() & {"earliest", "target", "deadline"}:
        overrides[key] = overrides[key] and on(overrides[key])
    return _made(Visit, fields, overrides)


def pin(start: str, room: str | None = "wang-exam-1", team: str = "ana", location: str = "wang") -> Pin:
    """Build a pin."""
    return _made(Pin, {"start": at(start), "location": location, "room": room, "team": team.split()}, {})


def current(
    start: str,
    room: str | None = "wang-exam-1",
    team: str = "ana",
    location: str = "wang",
    notified: bool = True,
    supervisors: str | None = None,
) -> Current:
    """Build the place where a visit stands; ``supervisors`` None: the file does not say."""
    fields = {"start": at(start), "location": location, "room": room, "team": team.split(), "notified": notified}
    return _made(Current, fields, {} if supervisors is None else {"supervisors": supervisors.split()})


def link(before: str, after: str, min_days: int = 0, max_days: int | None = None, **overrides: Any) -> Link:
    """Build a link."""
    fields = {"before": before, "after": after, "min_days": min_days, "max_days": max_days, "together": False}
    return _made(Link, fields, overrides)


def group(identifier: str, *candidates: str | tuple[str, str], **overrides: Any) -> Group:
    """Build a group of December, for routine candidates unless they are paired with a priority."""
    pairs = [(candidate, "routine") if isinstance(candidate, str) else candidate for candidate in candidates]
    fields = {
        "id": identifier,
        "name": identifier,
        "service": "workshop",
        "month": "2026-12",
        "required": True,
        "capacity": 3,
        "min_attendees": 1,
        "candidates": [{"patient": patient, "priority": priority} for patient, priority in pairs],
        "last_session": None,
        "min_days_between": 21,
        "max_days_between": 42,
        "current": None,
    }
    return _made(Group, fields, overrides)


def current_group(start: str, *attendees: str, **overrides: Any) -> CurrentGroup:
    """Build the place where a group session stands, notified unless overridden."""
    fields = {"start": at(start), "location": "wang", "room": "wang-group", "team": ["ben"], "attendees": attendees}
    return _made(CurrentGroup, {**fields, "notified": True}, overrides)


def reserve(identifier: str, day: str, from_: str = "13:00", to: str = "17:00", **overrides: Any) -> Reserve:
    """Build a reserve of a follow-up's capacity."""
    fields = {"id": identifier, "service": "followup", "date": on(day), "from": from_, "to": to, "site": None}
    return _made(Reserve, fields, overrides)


def _each(routine: int, soon: int, urgent: int, cancer: int) -> dict[str, int]:
    return {"routine": routine, "soon": soon, "urgent": urgent, "cancer": cancer}


def policy(**overrides: Any) -> Policy:
    """Build a policy whose weights are primes."""
    fields = {
        "unscheduled": _each(101, 211, 401, 997),
        "deadline_factor": 3,
        "late_per_day": _each(7, 11, 13, 17),
        "delay_per_day": _each(2, 3, 5, 19),
        "not_preferred_provider": 23,
        "not_preferred_site": 29,
        "not_preferred_half": 31,
        "extra_trip": 37,
        "site_change": 41,
        "max_notified_moves": None,
        "moved": 43,
        "moved_notified": 47,
        "moved_notified_per_day": 53,
        "group_seat": _each(59, 61, 67, 71),
        "group_not_run": 503,
        "reserve_missing": 307,
    }
    return _made(Policy, fields, overrides)


def scenario_fields(**overrides: Any) -> dict[str, Any]:
    """Return a scenario as the dict that its file holds, without judging the ids in it."""
    fields = {
        "format": "clinicweave-scenario/1",
        "id": "test-week",
        "now": None,
        "freeze_minutes": 0,
        "horizon": {"start": on("MO"), "end": on("SA")},
        "clinic": clinic(),
        "providers": PEOPLE,
        "patients": [patient(name) for name in ("pat", "quin", "rae", "sol", "tam")],
        "visits": [],
        "links": [],
        "groups": [],
        "reserves": [],
        "policy": policy(),
    }
    if overrides.get("now"):
        overrides["now"] = at(overrides["now"])
    found: dict[str, Any] = json.loads(as_json({**fields, **overrides}))
    return found


def scenario(*asked: Visit | Link | Group | Reserve, patients: Iterable[Patient] = (), **overrides: Any) -> Scenario:
    """Build a scenario of what is asked for; ``patients`` take the place of the default ones of the same id.

    Raises
    ------
    InvalidFile
        When the scenario is none, as :meth:`Scenario.parse` does.
    """
    fields = scenario_fields(**overrides)
    kinds = (("visits", Visit), ("links", Link), ("groups", Group), ("reserves", Reserve))
    for section, kind in kinds:
        fields[section] += [_plain(request) for request in asked if isinstance(request, kind)]
    known = {field["id"]: field for field in fields["patients"]} | {patient.id: _plain(patient) for patient in patients}
    fields["patients"] = list(known.values())
    return Scenario.parse(json.dumps(fields))


@dataclass(frozen=True)
class Wish:
    """A booking to be: the id of a visit, group or reserve, and everything that its service does not say."""

    id: str
    start: str
    room: str | None
    team: tuple[str, ...]
    location: str
    supervisors: tuple[str, ...]
    attendees: tuple[str, ...]


def booking(
    identifier: str,
    start: str,
    room: str | None = "wang-exam-1",
    team: str = "ana",
    location: str = "wang",
    supervisors: str = "",
    attendees: str = "",
) -> Wish:
    """Wish for a booking; people are named in one string: ``team="ana ben"``."""
    members, watching, attending = (tuple(names.split()) for names in (team, supervisors, attendees))
    return Wish(identifier, at(start), room, members, location, watching, attending)


def session(identifier: str, start: str, attendees: str, room: str = "wang-group", team: str = "ben") -> Wish:
    """Wish for a group session."""
    return booking(identifier, start, room, team, attendees=attendees)


def booked(scenario: Scenario, wish: Wish) -> Booking:
    """Make the booking of a visit, group session or hold: it ends when its service does."""
    kind: type[Booking]
    if wish.id in scenario.visits_by_id:
        kind, asked = VisitBooking, {"visit": wish.id}
        service = scenario.service_of(scenario.visits_by_id[wish.id])
    elif wish.id in scenario.groups_by_id:
        kind, asked = GroupBooking, {"group": wish.id, "attendees": wish.attendees}
        service = scenario.services[scenario.groups_by_id[wish.id].service]
    else:
        kind, asked = HoldBooking, {"reserve": wish.id}
        service = scenario.services[scenario.reserves_by_id[wish.id].service]
    end = datetime.fromisoformat(wish.start) + timedelta(minutes=service.minutes)
    fields = {"start": wish.start, "end": format_stamp(end), "location": wish.location, "room": wish.room}
    return _made(kind, {**fields, "team": wish.team, "supervisors": wish.supervisors}, asked)


def shift_places(scenario: Scenario, bookings: Iterable[Booking]) -> list[ShiftPlace]:
    """Choose, for each shift that contains a booking of its provider, the location of the first that is not beside it."""
    chosen: dict[tuple[str, datetime], str] = {}
    for made in bookings:
        for member in (*made.team, *made.supervisors):
            for on_duty in scenario.providers_by_id[member].shifts:
                within = on_duty.start <= made.start and made.end <= on_duty.end
                if within and made.location not in on_duty.also:
                    chosen.setdefault((member, on_duty.start), made.location)
    return [
        ShiftPlace(provider=provider, start=start, location=location) for (provider, start), location in sorted(chosen.items())
    ]


def plan(scenario: Scenario, *wishes: Wish, **overrides: Any) -> Plan:
    """Make the plan of some bookings, complete and with its true cost, whether or not it keeps the rules.

    Raises
    ------
    InvalidFile
        When it is no answer to the scenario at all, as :meth:`Plan.parse` does.
    """
    bookings = [booked(scenario, wish) for wish in wishes]
    planned = {wish.id for wish in wishes}
    left_out = [visit.id for visit in scenario.visits if visit.id not in planned]
    fields = {
        "format": PLAN_FORMAT,
        "scenario": scenario.id,
        "status": "feasible",
        "cost": 0,
        "bound": None,
        "costs": Costs.from_components({}),
        "visits": [made for made in bookings if isinstance(made, VisitBooking)],
        "groups": [made for made in bookings if isinstance(made, GroupBooking)],
        "holds": [made for made in bookings if isinstance(made, HoldBooking)],
        "shifts": shift_places(scenario, bookings),
        "unscheduled": [{"visit": visit, "reasons": [LEFT_OUT]} for visit in left_out],
    }
    found = calculate_costs(scenario, Plan.parse(as_json({**fields, **overrides}), scenario))
    return Plan.parse(as_json({**fields, "costs": found, "cost": found.total, **overrides}), scenario)
