"""A clinic of two buildings, its week and one plan for it, small enough to be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calendars.uids import Uids
from scheduling.plan import Costs, GroupBooking, HoldBooking, Plan, VisitBooking
from scheduling.scenario import Scenario

STAMP = datetime(2026, 11, 20, 7, 30, 12, 345_678, tzinfo=UTC)


def service(
    identifier: str, name: str, minutes: int, recovery: int, attention: int, kind: str, **others: Any
) -> dict[str, Any]:
    return {
        "id": identifier,
        "name": name,
        "minutes": minutes,
        "turnover": 10 if recovery else 0,
        "recovery": recovery,
        "attention": attention,
        "team": [{"any_of": ["care"]}],
        "room": {"kind": kind, "features": []},
        "equipment": [],
        "locations": ["wang", "yawkey"],
    } | others


def scenario_json() -> dict[str, Any]:
    weights = {"routine": 1, "soon": 2, "urgent": 3, "cancer": 4}
    flat = ("not_preferred_provider", "not_preferred_site", "not_preferred_half", "extra_trip", "site_change", "moved")
    visit = {
        "priority": "routine",
        "earliest": "2026-11-30",
        "target": None,
        "deadline": None,
        "preferred_providers": [],
        "required_provider": None,
        "same_day": False,
        "pinned": None,
        "current": None,
    }
    person = {"preferred_site": None, "allowed_sites": ["boston"], "unavailable": [], "prefers": None}
    staff = {"skills": ["care"], "max_minutes_per_day": 480, "shifts": [], "busy": []}
    return {
        "format": "clinicweave-scenario/1",
        "id": "calendars",
        "now": None,
        "freeze_minutes": 0,
        "horizon": {"start": "2026-11-30", "end": "2026-12-05"},
        "clinic": {
            "name": "Center for Pain Medicine",
            "timezone": "America/New_York",
            "start_grid_minutes": 15,
            "sites": [{"id": "boston", "name": "Boston"}],
            "locations": [
                {
                    "id": "wang",
                    "site": "boston",
                    "name": "Wang Ambulatory Care Center, Suite 340",
                    "address": "15 Parkman Street, Boston, MA 02114",
                    "closes": "17:00",
                },
                {
                    "id": "yawkey",
                    "site": "boston",
                    "name": "Yawkey Cancer Center",
                    "address": "32 Fruit Street, Boston, MA 02114",
                    "closes": "17:30",
                },
            ],
            "travel": [],
            "closures": [],
            "rooms": [
                {"id": "wang-procedure-1", "location": "wang", "kind": "procedure", "features": [], "seats": 1},
                {"id": "wang-group-1", "location": "wang", "kind": "group", "features": [], "seats": 8},
                {"id": "yawkey-exam-1", "location": "yawkey", "kind": "exam", "features": [], "seats": 1},
                {"id": "yawkey-exam-2", "location": "yawkey", "kind": "exam", "features": [], "seats": 1},
            ],
            "equipment": [],
            "recovery": [{"location": "wang", "bays": 2}],
            "services": [
                service("epidural-steroid-injection", "Epidural steroid injection", 30, 45, 2, "procedure"),
                service("cancer-consult", "Same-day cancer pain consultation", 60, 0, 1, "exam"),
                service("behavioral-group", "Monthly behavioral group workshop", 90, 0, 1, "group"),
                service("inpatient-consult", "Inpatient cancer pain consultation", 45, 0, 1, "exam", room=None),
            ],
            "blocks": [],
        },
        "providers": [
            staff | {"id": "physician-1", "name": "Dr. Iris Vane", "role": "physician", "trainee": False},
            staff | {"id": "fellow-1", "name": "Dr. Omar Pike", "role": "fellow", "trainee": True},
            staff | {"id": "psychologist-1", "name": "Dr. Ruth Sol", "role": "psychologist", "trainee": False},
        ],
        "patients": [
            person | {"id": "patient-0007", "name": "Ada Quillfeather"},
            person | {"id": "patient-0011", "name": "Bela Okonkwo"},
            person | {"id": "patient-0013", "name": "Cy Underhill"},
        ],
        "visits": [
            visit | {"id": "visit-1", "patient": "patient-0007", "service": "epidural-steroid-injection"},
            visit | {"id": "visit-2", "patient": "patient-0011", "service": "cancer-consult"},
            visit | {"id": "visit-3", "patient": "patient-0013", "service": "inpatient-consult"},
        ],
        "links": [],
        "groups": [
            {
                "id": "coping-2026-12",
                "name": "Coping skills",
                "service": "behavioral-group",
                "month": "2026-12",
                "required": False,
                "capacity": 6,
                "min_attendees": 2,
                "candidates": [{"patient": f"patient-{number}", "priority": "routine"} for number in ("0007", "0011", "0013")],
                "last_session": None,
                "min_days_between": 21,
                "max_days_between": 42,
                "current": None,
            }
        ],
        "reserves": [
            {
                "id": "reserve-1",
                "service": "cancer-consult",
                "date": "2026-12-03",
                "from": "13:00",
                "to": "17:00",
                "site": "boston",
            }
        ],
        "policy": dict.fromkeys(flat, 1)
        | dict.fromkeys(("unscheduled", "late_per_day", "delay_per_day", "group_seat"), weights)
        | dict.fromkeys(("deadline_factor", "moved_notified", "moved_notified_per_day", "group_not_run", "reserve_missing"), 1)
        | {"max_notified_moves": None},
    }


def make_scenario(change: Callable[[dict[str, Any]], object] | None = None) -> Scenario:
    content = scenario_json()
    if change is not None:
        change(content)
    return Scenario.parse(json.dumps(content))


def at(start: str, minutes: int, room: str | None, *team: str, supervisors: tuple[str, ...] = ()) -> dict[str, Any]:
    begin = datetime.fromisoformat(start)
    location = "wang" if room is not None and room.startswith("wang") else "yawkey"
    end = begin + timedelta(minutes=minutes)
    return {"start": begin, "end": end, "location": location, "room": room, "team": team, "supervisors": supervisors}


def make_plan() -> Plan:
    injection = at("2026-12-01T09:15", 30, "wang-procedure-1", "fellow-1", supervisors=("physician-1",))
    session = at("2026-12-02T13:00", 90, "wang-group-1", "psychologist-1")
    return Plan(
        format="clinicweave-plan/1",
        scenario="calendars",
        status="feasible",
        cost=0,
        bound=None,
        costs=Costs.from_components({}),
        visits=(
            VisitBooking(visit="visit-1", **injection),
            VisitBooking(visit="visit-2", **at("2026-11-30T14:45", 60, "yawkey-exam-1", "physician-1")),
            VisitBooking(visit="visit-3", **at("2026-12-04T10:30", 45, None, "physician-1")),
        ),
        groups=(GroupBooking(group="coping-2026-12", attendees=("patient-0007", "patient-0011"), **session),),
        holds=(HoldBooking(reserve="reserve-1", **at("2026-12-03T15:30", 60, "yawkey-exam-1", "physician-1")),),
        shifts=(),
        unscheduled=(),
    )


@pytest.fixture
def scenario() -> Scenario:
    return make_scenario()


@pytest.fixture
def scenario_with() -> Callable[[Callable[[dict[str, Any]], object]], Scenario]:
    return make_scenario


@pytest.fixture
def plan() -> Plan:
    return make_plan()


@pytest.fixture
def uids() -> Uids:
    return Uids()


@pytest.fixture
def stamp() -> datetime:
    return STAMP
