"""The master problem is a relaxation: its bounds hold for the exact optimum, whatever is asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from support.factories import (
    clinic,
    current,
    group,
    link,
    location,
    on,
    patient,
    people,
    provider,
    reserve,
    room,
    scenario,
    service,
    shift,
    visit,
)
from support.optima import bounds, optimum
from support.strategies import NAMES, scenarios

from scheduling.scenario import Scenario
from solver.bound.master import Master
from solver.bound.relaxation import LinearProgram
from solver.model.capacity import count_free_minutes
from solver.model.scarcity import chvatal_gomory_rows
from solver.state.domains import Domains, ShiftId
from solver.state.tasks import visit_key

FEW = settings(max_examples=50, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(scenarios())
def test_no_bound_is_above_the_exact_optimum(asked: Scenario) -> None:
    best = optimum(asked)
    if best is not None:
        for pooled in (True, False):
            relaxed, cut = bounds(asked, pooled)
            assert relaxed <= cut <= best


@pytest.mark.parametrize("attention", [1, 2])
def test_one_supervisor_watches_the_trainees_of_both_seats(attention: int) -> None:
    """Found by drawing: counted once for each seat, three trainees' hours were more than one supervisor has."""
    both = service("teaching", minutes=40, attention=attention, room=None, team=[{"any_of": ["pain"]}, {"any_of": ["pain"]}])
    morning = [shift("MO 08:00", "08:40")]
    fellows = ("cy", "eli", "fay", "gus")[: 4 // attention]
    asked = scenario(
        *(visit(f"v{n}", name, "teaching", priority="cancer") for n, name in enumerate(NAMES[: 2 // attention])),
        clinic=clinic(both),
        providers=[provider("ana", "other", "pain", shifts=morning, max_minutes_per_day=0)]
        + [provider(name, trainee=True, shifts=morning) for name in fellows],
    )
    assert optimum(asked) == 0
    assert bounds(asked) == (0, 0)


def test_work_that_asks_for_no_attention_leaves_room_to_supervise() -> None:
    glance = service("glance", attention=0, room=None)
    morning = [shift("MO 08:00", "08:40")]
    asked = scenario(
        visit("v0", service="glance", required_provider="ana"),
        visit("v1", "quin", "procedure", required_provider="cy"),
        clinic=clinic(glance, service("procedure", attention=2, room=None)),
        providers=[provider("ana", shifts=morning), provider("cy", trainee=True, shifts=morning)],
    )
    assert optimum(asked) == 0
    assert bounds(asked) == (0, 0)


def test_a_bound_counts_what_the_minutes_of_a_shift_cannot_hold() -> None:
    asked = scenario(
        *(visit(f"v{n}", name) for n, name in enumerate(NAMES)),
        providers=[provider("ana", shifts=[shift("MO 08:00", "09:50")])],
    )
    assert optimum(asked) == 2 * 101
    assert bounds(asked) == (2 * 101, 2 * 101)


@pytest.mark.parametrize(("closes", "best"), [("10:19", 2 * 101), ("10:20", 0)])
def test_a_bound_counts_what_rooms_cannot_hold_after_what_comes_before_without_a_team(closes: str, best: int) -> None:
    talk = service("talk", minutes=20, team=[], room=None, locations=["wang"])
    scan = service("scan", team=[], room={"kind": "scan", "features": []}, locations=["wang"])
    default, patients = clinic(), NAMES[:3]
    asked = scenario(
        *(visit(f"{part}-{name}", name, part) for name in patients for part in ("talk", "scan")),
        *(link(f"talk-{name}", f"scan-{name}", 0, 0, together=True) for name in patients),
        clinic=clinic(
            talk,
            scan,
            rooms=[*default.rooms, room("scanner", "wang", "scan")],
            locations=[location("wang", opens="08:00", closes=closes), *default.locations[1:]],
        ),
        horizon={"start": on("MO"), "end": on("TU")},
    )
    assert optimum(asked) == best
    assert bounds(asked) == (best, best)


@pytest.mark.parametrize(("turnover", "places"), [(0, 3), (20, 2)])
def test_a_bound_counts_what_the_minutes_of_rooms_cannot_hold(turnover: int, places: int) -> None:
    scan = service("scan", room={"kind": "scan", "features": []}, turnover=turnover)
    default = clinic()
    asked = scenario(
        *(visit(f"v{n}", name, "scan") for n, name in enumerate(NAMES)),
        clinic=clinic(scan, rooms=[*default.rooms, room("wang-scan", "wang", "scan")]),
        providers=[provider(name, shifts=[shift("MO 08:00", "10:00")]) for name in ("ana", "dee")],
    )
    missing = len(NAMES) - places
    assert missing > 0
    assert optimum(asked) == missing * 101
    assert bounds(asked) == (missing * 101, missing * 101)


HELD = [
    ("longer cleaning after what is not asked for", {"room": {"kind": "scan", "features": []}}, 3),
    ("a device's minutes in whole visits", {"minutes": 50, "room": None, "equipment": ["laser"]}, 2),
    ("bays before the first visit has ended", {"room": None, "recovery": 60}, 2),
]


@pytest.mark.parametrize(("needs", "places"), [case[1:] for case in HELD], ids=[name for name, *_ in HELD])
def test_a_bound_does_not_count(needs: dict[str, Any], places: int) -> None:
    """Two people are there from 8:00 to 10:00, one room, device and bay: the relaxation alone knows how many visits fit."""
    default, locations = clinic(), ["wang"]
    asked = scenario(
        *(visit(f"v{n}", name, "scan") for n, name in enumerate(NAMES)),
        clinic=clinic(
            service("scan", locations=locations, **needs),
            service("wash", turnover=60),
            rooms=[*default.rooms, room("wang-scan", "wang", "scan")],
            equipment=[*default.equipment, {"id": "laser", "location": "wang", "units": 1}],
            recovery=[{"location": "wang", "bays": 1}],
        ),
        providers=[provider(name, shifts=[shift("MO 08:00", "10:00")]) for name in ("ana", "dee")],
    )
    missing = len(NAMES) - places
    assert missing > 0
    assert optimum(asked) == missing * 101
    assert bounds(asked) == (missing * 101, missing * 101)


def test_a_master_that_forgets_minutes_or_invents_them_is_found_out() -> None:
    asked = scenario(
        *(visit(f"v{n}", name) for n, name in enumerate(NAMES)),
        providers=[provider("ana", shifts=[shift("MO 08:00", "10:40")])],
    )
    program = Master(Domains(asked)).program
    assert program.branch_and_cut(60) == optimum(asked) == 0
    program.highs = [119 if high == 160 else high for high in program.highs]
    wrong = program.branch_and_cut(60)
    assert wrong is not None
    assert wrong > 0


MIXED = scenario(
    visit("v0", preferred_providers=["ana"], target="MO"),
    visit("v1", "quin", "evaluation", priority="cancer", current=current("MO 08:00", team="ana ben")),
    visit("v2", "quin", "injection"),
    visit("v3", "rae", "bedside", deadline="MO"),
    link("v1", "v2", together=True),
    group("g0", "pat", "rae", month="2026-11", min_attendees=2),
    reserve("r0", "MO", "08:00", "12:00"),
    horizon={"start": on("MO"), "end": on("TU")},
    providers=people(
        provider("ana", shifts=[shift("MO 08:00", "10:00", "wang", "west")]),
        provider("dee", "pain", "psychiatry", shifts=[shift("MO 08:00", "09:30")]),
    ),
    patients=[patient("rae", preferred_site="waltham")],
)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 30, 500]))
def test_any_multipliers_give_a_bound(seed: int, scale: int) -> None:
    program = Master(Domains(MIXED)).program
    duals = np.random.default_rng(seed).normal(0, scale, len(program.lows))
    best = optimum_of_program(program)
    bound, reduced = program.lagrangian_bound(duals)
    assert bound <= best
    assert len(reduced) == len(program.costs)


def optimum_of_program(program: LinearProgram) -> int:
    """Return the least cost of an integer solution, by CP-SAT."""
    model = cp_model.CpModel()
    columns = [model.new_int_var(0, upper, "") for upper in program.uppers]
    for row, weights, low, high in zip(program.columns, program.coefficients, program.lows, program.highs, strict=True):
        model.add_linear_constraint(cp_model.LinearExpr.weighted_sum([columns[c] for c in row], weights), low, high)
    model.minimize(cp_model.LinearExpr.weighted_sum(columns, program.costs) + program.offset)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


def test_the_multipliers_of_the_relaxation_give_its_value() -> None:
    program = Master(Domains(MIXED)).program
    relaxed = program.solve_relaxation(60)
    assert relaxed is not None
    value = float(relaxed.values @ np.array(program.costs)) + program.offset
    assert value - 1 <= relaxed.bound <= value + 1
    assert program.lagrangian_bound(np.zeros(len(program.lows)))[0] < relaxed.bound


def test_bounds_of_the_integer_program_are_ordered() -> None:
    program = Master(Domains(MIXED)).program
    relaxed, cut = program.solve_relaxation(60), program.branch_and_cut(60)
    assert relaxed is not None
    assert relaxed.bound <= (cut or 0) == optimum_of_program(program)


def test_a_scenario_that_asks_for_nothing_is_bounded_by_nothing() -> None:
    assert bounds(scenario(providers=[])) == (0, 0)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.lists(st.sampled_from([20, 25, 30, 45, 50, 60, 90]), min_size=1, max_size=4), st.integers(0, 241))
def test_rounded_rows_keep_every_packing(amounts: list[int], capacity: int) -> None:
    rows = list(chvatal_gomory_rows(amounts, capacity))
    for counts in packings(amounts, capacity):
        for weights, most in rows:
            assert sum(weight * count for weight, count in zip(weights, counts, strict=True)) <= most


def packings(amounts: Sequence[int], capacity: int) -> list[tuple[int, ...]]:
    """Return every way to pack amounts into a capacity, by how many there are of each."""
    ranges = (range(capacity // amount + 1) for amount in amounts)
    return [n for n in product(*ranges) if sum(a * k for a, k in zip(amounts, n, strict=True)) <= capacity]


def test_rounded_rows_cut_off_a_third_of_a_visit() -> None:
    weights, most = list(chvatal_gomory_rows([45, 30], 240))[-1]
    assert (list(weights), most) == ([1, 0], 5)
    assert [(list(w), m) for w, m in chvatal_gomory_rows([45, 30], 240)] == [([45, 30], 240), ([1, 1], 8), ([1, 0], 5)]


@pytest.mark.parametrize(
    ("busy", "minutes"),
    [
        ([], 240),
        ([("MO 09:00", "MO 10:00")], 180),
        ([("MO 09:00", "MO 10:00"), ("MO 09:30", "MO 10:20")], 160),
        ([("MO 07:00", "MO 08:05"), ("MO 11:50", "MO 13:00")], 225),
        ([("SU- 07:00", "TU 08:05")], 0),
        ([("MO 12:00", "MO 13:00")], 240),
    ],
)
def test_free_minutes_are_those_of_a_shift_that_nothing_else_takes(busy: list[tuple[str, str]], minutes: int) -> None:
    domains = Domains(scenario(providers=[provider("ana", shifts=[shift("MO 08:00", "12:00")], busy=busy)]))
    assert count_free_minutes(domains, ShiftId("ana", 0)) == minutes


def test_the_guide_prices_every_option_that_has_a_provider() -> None:
    domains = Domains(MIXED)
    master = Master(domains)
    relaxed = master.program.solve_relaxation(60)
    assert relaxed is not None
    reduced_costs = master.get_reduced_costs(relaxed.reduced_costs)
    for key, options in domains.options.items():
        assert set(reduced_costs[key]) == {option for option in options if option.shift is not None}
    named = {c.shift.provider for c in master.choices[visit_key("v0")] if c.shift is not None}
    assert named == {"ana"}
