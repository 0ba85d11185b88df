"""The masks of the options against the checkers, start by start: open exactly where a plan breaks no rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from support.factories import (
    block,
    booked,
    booking,
    clinic,
    closure,
    current,
    current_group,
    group,
    on,
    patient,
    people,
    pin,
    plan,
    provider,
    reserve,
    scenario,
    service,
    shift,
    shift_places,
    visit,
)

from scheduling.plan import Booking, GroupBooking, HoldBooking, VisitBooking
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver.state.domains import Domains
from solver.state.tasks import Key

TWO_DAYS = {"start": on("MO"), "end": on("WE")}
STAFF = people(
    provider(
        "ana", shifts=[shift("MO 08:05", "11:50"), shift("TU 13:00", "16:30", "wang", "west")], busy=[("MO 09:30", "MO 10:01")]
    ),
    provider("ben", "psychology", shifts=[shift("MO 08:00", "12:00"), shift("TU 09:00", "12:10")]),
    provider("cy", trainee=True, shifts=[shift("MO 08:00", "10:30")]),
    provider("dee", "pain", "psychiatry", shifts=[shift("MO 09:00", "12:00", "wang", "yawkey"), shift("SU- 09:00", "12:00")]),
    provider("eli", "other", shifts=[shift("TU 09:00", "12:00")]),
)


def asked(wanted: Any, **overrides: Any) -> Scenario:
    """Build a scenario of one wish over two days, with what may stand in its way."""
    hindered: dict[str, Any] = {
        "horizon": TWO_DAYS,
        "providers": STAFF,
        "patients": [patient("pat", [("MO 10:31", "MO 11:00"), ("TU 15:59", "SA 08:00")], allowed_sites=["boston"])],
        "clinic": clinic(closures=[closure("TU 13:15", "TU 13:45", "wang"), closure("MO 08:00", "MO 08:15")]),
    }
    return scenario(wanted, **(hindered | overrides))


SCENARIOS = {
    "a visit": asked(visit("v1")),
    "a grid of 20 minutes": asked(visit("v1"), clinic=clinic(service("followup", minutes=35), start_grid_minutes=20)),
    "a grid that does not divide the day": asked(visit("v1"), clinic=clinic(start_grid_minutes=50)),
    "a day-long shift": asked(visit("v1"), providers=[provider("ana", shifts=[shift("MO 00:00", "23:59", "wang", "west")])]),
    "recovery before closing": asked(
        visit("v1", service="injection", earliest="TU"),
        providers=[provider("ana", shifts=[shift("TU 15:00", "17:30", "wang", "west")])],
        patients=[],
    ),
    "nobody's service": asked(
        visit("v1", service="selfcare"), clinic=clinic(service("selfcare", team=[], room=None, minutes=25))
    ),
    "two seats": asked(visit("v1", service="evaluation")),
    "a deadline": asked(visit("v1", deadline="MO")),
    "a later date": asked(visit("v1", earliest="TU")),
    "the same day": asked(visit("v1", same_day=True)),
    "a special clinic": asked(
        visit("v1", service="consult"), clinic=clinic(blocks=[block("b1", "MO", "09:10", "10:45", providers=["dee"])])
    ),
    "beside a special clinic": asked(visit("v1"), clinic=clinic(blocks=[block("b1", "MO", "09:10", "10:45", location="wang")])),
    "a pin": asked(visit("v1", pinned=pin("MO 10:10", "wang-exam-1", "dee")), patients=[]),
    "a pin off the grid": asked(visit("v1", pinned=pin("MO 10:15", "wang-exam-1", "dee")), patients=[]),
    "a pin without the room that it needs": asked(visit("v1", pinned=pin("MO 10:10", None, "dee")), patients=[]),
    "a pin with a room too many": asked(visit("v1", service="bedside", pinned=pin("MO 10:10", team="dee")), patients=[]),
    "a pin of two for one seat": asked(visit("v1", pinned=pin("MO 10:10", team="dee ana")), patients=[]),
    "now": asked(visit("v1"), now="MO 09:45"),
    "what stands in the past": asked(visit("v1", current=current("MO 08:20")), now="MO 09:40"),
    "what stood with two in the past": asked(visit("v1", current=current("MO 08:20", team="ana dee")), now="MO 09:40"),
    "what stands later": asked(visit("v1", current=current("MO 11:00")), now="MO 09:40", freeze_minutes=30),
    "what is frozen": asked(
        visit("v1", service="evaluation", current=current("MO 10:50", team="ana ben")), now="MO 09:40", freeze_minutes=90
    ),
    "a group": asked(group("g1", "rae", last_session=on("SU-"), min_days_between=1, max_days_between=30, month="2026-11")),
    "a group too late": asked(group("g1", "rae", last_session="2026-11-09", max_days_between=21)),
    "a group that stands": asked(
        group("g1", "rae", current=current_group("TU 09:00", "rae")), now="TU 08:00", freeze_minutes=61
    ),
    "a reserve": asked(reserve("r1", "MO", "09:15", "11:05", site="boston")),
    "a reserve at no site of its service": asked(reserve("r1", "TU", "13:00", "16:00", site="waltham")),
}


EMPTY = plan(scenario())


def checked(scenario: Scenario, domains: Domains, key: Key) -> Iterator[tuple[int, int, str, tuple[str | None, ...]]]:
    """Yield the days, slots, locations and teams of which a plan of this one task breaks no rule."""
    service, grid = domains.service(key), scenario.grid
    pinned = scenario.visits_by_id[key[1]].pinned if key[0] == "visit" else None
    teams = list(product(*([person.id for person in scenario.providers] for _ in service.team)))
    for day, location in product(range(-1, grid.days + 1), scenario.locations):
        suited = (r.id for r in scenario.clinic.rooms if r.location == location and service.room and service.room.suits(r))
        room = pinned.room if pinned else next(suited, None)
        for slot in filter(worth_trying(scenario), range(grid.slots_per_day)):
            start = stamp(grid.date(day), slot * grid.grid_minutes)
            template = booking(key[1], f"{start:%Y-%m-%dT%H:%M}", room, " ".join(teams[0]), location, attendees="rae")
            made = booked(scenario, template)
            for team in teams:
                supervised = any(scenario.providers_by_id[name].trainee for name in team)
                if breaks_nothing(scenario, made.changed(team=team), supervised):
                    yield day, slot, location, team or (None,)


def worth_trying(scenario: Scenario) -> Callable[[int], bool]:
    """Return a test for the slots from half past seven to six, and the first and last of the day."""
    grid = scenario.grid
    return lambda slot: slot in (0, grid.slots_per_day - 1) or 450 <= slot * grid.grid_minutes <= 1080


def breaks_nothing(scenario: Scenario, made: Booking, supervised: bool) -> bool:
    """Return whether a plan of one booking breaks no rule; a trainee's supervisor is not asked for."""
    chosen = shift_places(scenario, [made])
    sections = {"visits": VisitBooking, "groups": GroupBooking, "holds": HoldBooking}
    fields = {section: (made,) if isinstance(made, kind) else () for section, kind in sections.items()}
    violations = find_violations(scenario, EMPTY.changed(shifts=tuple(chosen), unscheduled=(), **fields))
    return all(supervised and violation.rule == "supervision" for violation in violations)


def opened(domains: Domains, key: Key) -> set[tuple[int, int, str, tuple[str | None, ...]]]:
    """Return the days, slots, locations and teams that the options allow."""
    found = set()
    for (day, location), seats in domains.places(key):
        for team in product(*seats):
            mask = -1
            for option in team:
                mask &= option.starts
            people = tuple(option.provider for option in team)
            if len(set(people)) == len(people):
                slots = filter(worth_trying(domains.scenario), (slot for slot in range(mask.bit_length()) if mask >> slot & 1))
                found |= {(day, slot, location, people) for slot in slots}
    return found


@pytest.mark.parametrize("asked", SCENARIOS.values(), ids=SCENARIOS)
def test_options_are_open_exactly_where_a_plan_breaks_no_rule(asked: Scenario) -> None:
    domains = Domains(asked)
    (key,) = domains.options
    assert opened(domains, key) == set(checked(asked, domains, key))


def test_most_of_these_scenarios_leave_something_open() -> None:
    empty = {label for label, asked in SCENARIOS.items() if not any(Domains(asked).options.values())}
    assert len(SCENARIOS) - len(empty) >= 18
    assert {"a pin off the grid", "a pin of two for one seat", "a group too late"} <= empty


@pytest.mark.parametrize("forgotten", ["busy", "unavailable", "closures"])
def test_a_hindrance_that_the_masks_forgot_would_be_found(forgotten: str) -> None:
    hindered = SCENARIOS["a visit"]
    freed = {
        "busy": asked(visit("v1"), providers=[provider(p.id, *p.skills, shifts=p.shifts, trainee=p.trainee) for p in STAFF]),
        "unavailable": asked(visit("v1"), patients=[patient("pat", allowed_sites=["boston"])]),
        "closures": asked(visit("v1"), clinic=clinic()),
    }[forgotten]
    key: Key = ("visit", "v1")
    assert opened(Domains(freed), key) > set(checked(hindered, Domains(hindered), key))


def test_a_supervisor_has_the_skill_of_any_seat_and_the_hours() -> None:
    domains = Domains(SCENARIOS["two seats"])
    able = {option.provider for option in domains.seat(domains.service(("visit", "v1")), None)}
    assert able == {"ana", "ben", "cy", "dee"}


def test_ids_are_unique_only_among_their_kind() -> None:
    domains = Domains(scenario(visit("x"), group("x", "rae"), reserve("x", "MO")))
    assert set(domains.options) == {("visit", "x"), ("group", "x"), ("hold", "x")}
