"""The exact model: its optimum is the best of all plans, and placements go in and come out unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

import pytest
from ortools.sat.python import cp_model
from support.factories import (
    booking,
    clinic,
    closure,
    current,
    group,
    link,
    location,
    on,
    patient,
    people,
    pin,
    plan,
    policy,
    provider,
    reserve,
    room,
    scenario,
    service,
    shift,
    visit,
)
from support.fixed_model import fix, make_model_of_named_rooms, solve_fixed

from scheduling.check import check
from scheduling.scenario import Scenario
from solver.model.exact import exact_model
from solver.model.solutions import extract, hint
from solver.state.domains import Domains
from solver.state.placements import Placement, get_placements, make_plan
from solver.state.tasks import Key, visit_key

MONDAY = {"start": on("MO"), "end": on("TU")}


def solve(model: cp_model.CpModel, **parameters: Any) -> cp_model.CpSolver:
    """Solve a model to its optimum with one worker."""
    solver, status = solved(model, **parameters)
    assert status == "OPTIMAL"
    return solver


def solved(model: cp_model.CpModel, **parameters: Any) -> tuple[cp_model.CpSolver, str]:
    """Solve a model to its end with one worker, and return the verdict too."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    for name, value in parameters.items():
        setattr(solver.parameters, name, value)
    return solver, solver.status_name(solver.solve(model))


def best(asked: Scenario) -> tuple[dict[Key, Placement], int]:
    """Return the best placements and their cost."""
    model, x = exact_model(Domains(asked))
    solver = solve(model)
    return extract(x, solver), round(solver.objective_value)


def every_placement(asked: Scenario, domains: Domains, key: Key) -> Iterator[Placement | None]:
    """Yield each way to place a task, supervisors, rooms and attendees included, and that it is left out."""
    yield None
    service, task = domains.service(key), domains.by_key[key]
    for (day, where), seats in domains.places(key):
        rooms = [r.id for r in asked.clinic.rooms if service.room and service.room.suits(r) and r.location == where] or [None]
        watch = [(), *((o.shift,) for o in domains.seat(service, None) if o.shift and (o.day, o.location) == (day, where))]
        members = [c.patient for c in task.group.candidates] if task.group else []
        attending = [some for number in range(len(members) + 1) for some in combinations(members, number)]
        for team, where_in, supervisors, attendees in product(product(*seats), rooms, watch, attending):
            mask = -1
            for option in team:
                mask &= option.starts
            shifts = tuple(option.shift for option in team if option.shift is not None)
            for slot in (slot for slot in range(mask.bit_length()) if mask >> slot & 1):
                yield Placement(day, slot, where, shifts, supervisors, attendees, where_in)


def least_cost(asked: Scenario) -> int:
    """Return the cost of the best plan that the checkers accept, of all that there are."""
    domains = Domains(asked)
    found = []
    for chosen in product(*(list(every_placement(asked, domains, key)) for key in domains.options)):
        placements = {key: one for key, one in zip(domains.options, chosen, strict=True) if one is not None}
        verdict = check(asked, make_plan(domains, placements))
        if not verdict.violations:
            found.append(verdict.cost)
    return min(found)


ENUMERATED: Mapping[str, Scenario] = {
    "one hour for two visits of three": scenario(
        visit("v1", service="bedside", priority="urgent"),
        visit("v2", "quin", "bedside", priority="cancer"),
        visit("v3", "rae", "bedside"),
        horizon=MONDAY,
        clinic=clinic(start_grid_minutes=20),
        providers=[provider("ana", shifts=[shift("MO 08:05", "09:15")])],
    ),
    "a fellow, who needs the physician": scenario(
        visit("v1", service="bedside"),
        visit("v2", "quin", "long"),
        horizon=MONDAY,
        clinic=clinic(service("long", minutes=35, attention=2, room=None), start_grid_minutes=20),
        providers=[
            provider("ana", shifts=[shift("MO 08:00", "09:00")]),
            provider("cy", trainee=True, shifts=[shift("MO 08:00", "08:40")]),
        ],
    ),
    "two buildings, too far apart": scenario(
        visit("v1", service="bedside"),
        visit("v2", "quin", "bedside", priority="soon"),
        link("v1", "v2", together=True, min_gap_minutes=10),
        horizon=MONDAY,
        providers=[provider("ana", shifts=[shift("MO 08:00", "08:30"), shift("MO 08:40", "09:40", "wang", "west")])],
        patients=[patient("quin", preferred_site="waltham"), patient("pat", allowed_sites=["boston"])],
    ),
    "a group, a hold and one room": scenario(
        group("g1", "rae", ("pat", "cancer"), month="2026-11", service="followup", capacity=2),
        reserve("r1", "MO", "08:00", "12:00"),
        visit("v1", current=current("MO 08:20"), preferred_providers=["dee"]),
        horizon=MONDAY,
        clinic=clinic(start_grid_minutes=20, rooms=[room("wang-exam-1", "wang", "exam", seats=2)]),
        providers=[provider("ana", shifts=[shift("MO 08:00", "09:20")]), provider("dee", "other", shifts=[])],
    ),
    "calls that may not be made": scenario(
        visit("v1", service="bedside", current=current("MO 08:00", None)),
        visit("v2", "quin", "bedside", current=current("MO 08:20", None), target="MO"),
        visit("v3", "rae", "bedside", priority="cancer", deadline="MO"),
        horizon=MONDAY,
        providers=[provider("ana", shifts=[shift("MO 08:00", "08:50")])],
        patients=[patient("rae", [("MO 08:30", "MO 12:00")])],
        policy=policy(max_notified_moves=1),
    ),
}


@pytest.mark.parametrize("asked", ENUMERATED.values(), ids=ENUMERATED)
def test_the_optimum_is_the_best_of_all_plans(asked: Scenario) -> None:
    placements, cost = best(asked)
    assert cost == least_cost(asked)
    verdict = check(asked, make_plan(Domains(asked), placements))
    assert (verdict.violations, verdict.cost) == ((), cost)


@pytest.mark.parametrize("asked", ENUMERATED.values(), ids=ENUMERATED)
def test_every_literal_has_a_name_so_that_an_infeasible_model_can_be_read(asked: Scenario) -> None:
    model, _ = exact_model(Domains(asked))
    variables = [variable for variable in model.proto.variables if list(variable.domain) != [1, 1]]
    assert [variable for variable in variables if not variable.name] == []
    assert len({variable.name for variable in variables}) == len(variables)


BUSY = scenario(
    *(visit(f"i{n}", name, "injection", deadline="MO") for n, name in enumerate(("pat", "quin"))),
    *(visit(f"u{n}", name, "scan", deadline="MO", priority="cancer") for n, name in enumerate(("rae", "sol"))),
    visit("pinned", "tam", "scan", pinned=pin("MO 08:00", "wang-proc-1", "ana")),
    visit("both", "tam", "plain", priority="urgent", deadline="MO"),
    horizon=MONDAY,
    clinic=clinic(
        service("scan", minutes=30, turnover=9, room={"kind": "procedure", "features": ["ultrasound"]}),
        service("plain", minutes=30, room={"kind": "procedure", "features": []}),
        service("injection", minutes=30, turnover=10, room={"kind": "procedure", "features": ["fluoroscopy"]}),
    ),
    providers=[provider(name, shifts=[shift("MO 08:00", "09:10")]) for name in ("ana", "dee", "fay")],
)


def test_rooms_of_mixed_features_are_each_used_for_what_they_suit() -> None:
    placements, cost = best(BUSY)
    made = make_plan(Domains(BUSY), placements)
    assert check(BUSY, made).violations == ()
    assert (cost, len(made.visits)) == (0, 6)
    assert placements[visit_key("pinned")].room == "wang-proc-1"


def test_alike_rooms_are_named_without_overlap_and_a_visit_keeps_its_own() -> None:
    asked = scenario(
        visit("v1", current=current("MO 08:00", "wang-exam-3", "ana")),
        visit("v2", "quin", current=current("MO 08:00", "wang-exam-1", "dee")),
        visit("v3", "rae", current=current("MO 08:40", "wang-exam-3", "dee")),
        horizon=MONDAY,
    )
    placements, cost = best(asked)
    assert cost == 0
    assert {key[1]: placed.room for key, placed in placements.items()} == {
        "v1": "wang-exam-3",
        "v2": "wang-exam-1",
        "v3": "wang-exam-3",
    }


def test_what_comes_out_can_be_fixed_and_costs_the_same() -> None:
    placements, cost = best(BUSY)
    made = make_plan(Domains(BUSY), placements)
    assert get_placements(BUSY, made) == placements
    assert solve_fixed(BUSY, made) == ("OPTIMAL", cost)


@pytest.mark.parametrize("asked", [*ENUMERATED.values(), BUSY], ids=[*ENUMERATED, "busy"])
def test_a_hint_is_enough_to_make_the_plan_again(asked: Scenario) -> None:
    placements, cost = best(asked)
    model, x = exact_model(Domains(asked))
    hint(x, placements)
    solver = solve(model, fix_variables_to_their_hinted_value=True)
    assert round(solver.objective_value) == cost


def test_a_hint_that_is_not_open_is_left_out() -> None:
    asked = scenario(visit("v1"), horizon=MONDAY, providers=people())
    model, x = exact_model(Domains(asked))
    hint(x, {visit_key("v1"): Placement(0, 0, "wang", ())})
    assert round(solve(model, fix_variables_to_their_hinted_value=True).objective_value) == 101


@pytest.mark.parametrize("asked", [ENUMERATED["a group, a hold and one room"], BUSY], ids=["group", "busy"])
def test_two_runs_with_one_worker_give_the_same_placements(asked: Scenario) -> None:
    assert best(asked) == best(asked)


def test_what_is_fixed_stays_and_takes_its_room_and_people() -> None:
    asked = scenario(
        visit("v1"), visit("v2", "quin"), horizon=MONDAY, providers=[provider("ana", shifts=[shift("MO 08:00", "09:10")])]
    )
    domains = Domains(asked)
    (stays,) = get_placements(asked, plan(asked, booking("v1", "MO 08:00"))).values()
    free = {visit_key("v2"): domains.options[visit_key("v2")]}
    model, x = exact_model(domains, free, {visit_key("v1"): stays})
    solver = solve(model)
    assert round(solver.objective_value) == 101
    assert extract(x, solver) == {visit_key("v1"): stays}


def test_what_is_fixed_is_never_dealt_into_a_room_that_is_closed() -> None:
    open_room, closed = "wang-exam-1", ("wang-exam-2", "wang-exam-3")
    hours = [shift("MO 08:00", "09:10")]
    asked = scenario(
        visit("v1"),
        visit("v2", "quin"),
        horizon=MONDAY,
        providers=[provider("ana", shifts=hours), provider("dee", shifts=hours)],
        clinic=clinic(closures=[closure("MO 08:00", "MO 12:00", room=room_closed) for room_closed in closed]),
    )
    domains = Domains(asked)
    (stays,) = get_placements(asked, plan(asked, booking("v1", "MO 08:00", room=open_room))).values()
    free = {visit_key("v2"): domains.options[visit_key("v2")]}
    model, x = exact_model(domains, free, {visit_key("v1"): stays})
    placements = extract(x, solve(model))
    assert check(asked, make_plan(domains, placements)).violations == ()
    assert {placement.room for placement in placements.values()} <= {open_room}


def test_a_visit_that_may_still_go_elsewhere_costs_its_worth() -> None:
    asked = scenario(visit("v1", deadline="MO"), horizon=MONDAY, providers=[])
    model, _ = exact_model(Domains(asked), worth={visit_key("v1"): 7})
    assert round(solve(model).objective_value) == 7


@pytest.mark.parametrize(("elsewhere", "status"), [(0, "OPTIMAL"), (1, "INFEASIBLE")])
def test_calls_elsewhere_use_up_the_budget(elsewhere: int, status: str) -> None:
    asked = scenario(
        visit("v1", current=current("MO 08:00")), providers=[provider("ana", shifts=[])], policy=policy(max_notified_moves=1)
    )
    model, _ = exact_model(Domains(asked), notified_elsewhere=elsewhere)
    assert solved(model)[1] == status


def test_a_fixed_visit_may_have_more_supervisors_than_it_needs() -> None:
    asked = scenario(visit("v1"), visit("v2", "quin"), horizon=MONDAY)
    (stays,) = get_placements(asked, plan(asked, booking("v1", "MO 09:00", team="cy", supervisors="ana dee"))).values()
    domains = Domains(asked)
    free = {visit_key("v2"): domains.options[visit_key("v2")]}
    model, x = exact_model(domains, free, {visit_key("v1"): stays})
    assert extract(x, solve(model))[visit_key("v1")].supervisors == stays.supervisors


def test_a_way_longer_than_the_night_matters_within_one_day_only() -> None:
    far = clinic(
        service("bedside", minutes=20, room=None, locations=["wang", "west"]),
        locations=[location("wang", closes="23:50"), location("yawkey"), location("west", "waltham", "23:50")],
        travel=[{"between": ["wang", "west"], "minutes": 700}],
    )
    late, early = [shift("MO 23:00", "23:50")], [shift("TU 00:30", "01:00", "west")]
    asked = scenario(
        visit("v1", service="bedside"),
        visit("v2", service="bedside", earliest="TU"),
        clinic=far,
        providers=[provider("ana", shifts=late), provider("dee", shifts=early)],
    )
    made = plan(asked, booking("v1", "MO 23:20", None), booking("v2", "TU 00:30", None, "dee", "west"))
    assert check(asked, made).violations == ()
    assert solve_fixed(asked, made) == ("OPTIMAL", made.cost)


def test_no_answer_of_the_model_spends_one_shift_in_two_buildings() -> None:
    asked = scenario(visit("v1"), visit("v2", "quin"))
    apart = plan(asked, booking("v1", "MO 13:00"), booking("v2", "MO 14:30", "west-exam", location="west"))
    x = make_model_of_named_rooms(Domains(asked))
    fix(x, get_placements(asked, apart))
    assert solved(x.model)[1] == "INFEASIBLE"
