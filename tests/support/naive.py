"""Plans that nobody would live by, made without a solver: full of violations of many rules, and always the same.

They tell whether two versions of the checker judge alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import cycle, islice
from typing import Any

from scheduling.clinic import Service
from scheduling.fields import ONE_DAY, format_stamp
from scheduling.plan import PLAN_FORMAT, Plan
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp

FIRST_MINUTE, MINUTES = 450, 600
"""Items start between 07:30 and 17:30, so that some lie outside shifts and opening times."""


class NaivePlanner:
    """Places one item after another by its number alone; ``turn`` makes other plans of the same scenario."""

    def __init__(self, scenario: Scenario, turn: int = 0) -> None:
        self.scenario = scenario
        self.turn = turn
        self.number = turn

    def place(self, service: Service, day: date) -> dict[str, Any]:
        """Return a booking's time, place and people, as a file has them."""
        self.number += 1
        grid = self.scenario.clinic.start_grid_minutes
        minute = FIRST_MINUTE + self.number * 7 * grid % MINUTES
        location = self.pick(service.locations)
        rooms = [room.id for room in self.scenario.clinic.rooms if service.room is not None and service.room.suits(room)]
        here = [room for room in rooms if self.scenario.rooms[room].location == location]
        team = [self.pick(self.able(seat.any_of)) for seat in service.team]
        trainees = [s for s, member in zip(service.team, team, strict=True) if self.scenario.providers_by_id[member].trainee]
        watching = [self.pick(self.able(seat.any_of)) for seat in trainees[:1]] if self.number % 5 else []
        start = stamp(day, minute)
        return {
            "start": format_stamp(start),
            "end": format_stamp(start + timedelta(minutes=service.minutes)),
            "location": location,
            "room": self.pick(here or rooms) if rooms else None,
            "team": team,
            "supervisors": watching,
        }

    def able(self, skills: Sequence[str]) -> list[str]:
        """Return who could fill a seat."""
        return [provider.id for provider in self.scenario.providers if provider.can_fill(tuple(skills))]

    def pick(self, values: Sequence[str]) -> str:
        """Return one of some values."""
        return values[self.number % len(values)]

    def choose_day(self, first: date) -> date:
        """Return a date of the horizon, mostly soon after ``first``."""
        begin = max(first, self.scenario.horizon.start)
        return min(begin + ONE_DAY * (self.number % 3), self.scenario.horizon.end - ONE_DAY)

    def plan(self) -> Plan:
        """Make the plan: every seventh visit is left out, every other item stands somewhere."""
        asked = self.scenario
        visits = [
            {"visit": visit.id, **self.place(asked.services[visit.service], self.choose_day(visit.earliest))}
            for index, visit in enumerate(asked.visits)
            if (index + self.turn) % 7
        ]
        groups = [
            {
                "group": group.id,
                "attendees": [c.patient for c in group.candidates[: group.capacity]],
                **self.place(asked.services[group.service], self.choose_day(asked.horizon.start)),
            }
            for group in asked.groups
        ]
        holds = [{"reserve": r.id, **self.place(asked.services[r.service], r.date)} for r in asked.reserves]
        planned = {booking["visit"] for booking in visits}
        fields = {
            "format": PLAN_FORMAT,
            "scenario": asked.id,
            "status": "feasible",
            "cost": 0,
            "bound": None,
            "costs": dict.fromkeys(COMPONENTS, 0),
            "visits": visits,
            "groups": groups,
            "holds": holds,
            "shifts": self.choose_shifts([*visits, *groups, *holds]),
            "unscheduled": [{"visit": v.id, "reasons": []} for v in asked.visits if v.id not in planned],
        }
        return Plan.model_validate(fields)

    def choose_shifts(self, bookings: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
        """Choose the location of each shift that is used: that of the first item in it."""
        chosen: dict[tuple[str, str], str] = {}
        for booking in bookings:
            for member in (*booking["team"], *booking["supervisors"]):
                for shift in self.scenario.providers_by_id[member].shifts:
                    start, end = format_stamp(shift.start), format_stamp(shift.end)
                    if start <= booking["start"] and booking["end"] <= end:
                        chosen.setdefault((member, start), booking["location"])
        return [{"provider": p, "start": start, "location": where} for (p, start), where in sorted(chosen.items())]


COMPONENTS = (
    *("unscheduled", "late", "delay", "continuity", "site", "half", "trips"),
    *("moved", "group", "reserve", "site-change"),
)
"""The components of the first edition."""


def make_standing(scenario: Scenario, plan: Plan) -> Scenario:
    """Return a scenario of which a plan stands since its second morning, as a file of the first edition says it."""
    told = cycle((True, True, False))
    fields = scenario.model_dump(mode="json", exclude_unset=True)
    places = {b.visit: b for b in plan.visits} | {b.group: b for b in plan.groups}
    for asked, notified in zip((*fields["visits"], *fields["groups"]), islice(told, 10**6), strict=False):
        if (booking := places.get(asked["id"])) is not None:
            place = booking.model_dump(mode="json")
            keys = ("start", "location", "room", "team", *(("attendees",) if "attendees" in place else ()))
            asked["current"] = {**{key: place[key] for key in keys}, "notified": notified}
    fields |= {"now": f"{scenario.horizon.start + ONE_DAY}T09:30", "freeze_minutes": 120}
    fields["policy"]["max_notified_moves"] = 3
    return Scenario.parse(json.dumps(fields))
