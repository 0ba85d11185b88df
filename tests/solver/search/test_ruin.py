"""Ruin and recreate: whatever it returns keeps every rule, and costs what it says."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from itertools import pairwise
from math import inf
from pathlib import Path
from threading import enumerate as threads
from types import SimpleNamespace
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import factories
from support.strategies import scenarios

from scheduling.check import check
from scheduling.generate import generate
from scheduling.publishing import publish
from scheduling.scenario import Scenario
from solver.parameters import DEFAULTS
from solver.search.construct import construct
from solver.search.kernel.annealing import BUDGET_PENALTY, compile_kernel, list_kept
from solver.search.kernel.draws import uniform
from solver.search.kernel.layout import BUDGET
from solver.search.ruin import CoolingSchedule, KernelCompilation, RuinAndRecreate
from solver.state.domains import Domains, Option
from solver.state.placements import Placement, get_current_placements, make_plan
from solver.state.tasks import Key
from solver.state.unary import is_frozen

MANY = settings(max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


HOT = DEFAULTS.annealing.initial_temperature


def annealed(ruin: RuinAndRecreate, rounds: int, heat: float = HOT) -> Mapping[Key, Placement]:
    """Return the best placements after some rounds at one temperature."""
    temperatures, found = iter([heat] * rounds), [dict[Key, Placement](ruin.encoding.placements)]
    ruin.run(lambda: next(temperatures, 0.0), lambda placements: found.append(dict(placements)))
    return found[-1]


def of_week(seed: int) -> Scenario:
    """Return the kind of week that is planned again: published, on its second day, with few calls allowed."""
    asked = generate("tiny", seed)
    given = make_plan(Domains(asked), construct(Domains(asked)))
    now = datetime.combine(asked.grid.date(1), datetime.min.time()).replace(hour=10)
    told = publish(asked, given, now)
    return told.changed(policy=told.policy.changed(max_notified_moves=4))


@pytest.mark.parametrize("asked", [*(generate("tiny", seed) for seed in range(4)), *map(of_week, range(4))])
def test_a_week_stays_valid_and_its_cost_is_exact(asked: Scenario) -> None:
    domains = Domains(asked)
    placements = construct(domains)
    ruin = RuinAndRecreate(domains, placements, 1)
    best = make_plan(domains, annealed(ruin, 6, 2 * HOT))
    assert check(asked, best).violations == check(asked, make_plan(domains, placements)).violations == ()
    assert best.cost == make_plan(domains, placements).cost + ruin.best - ruin.score_at_start
    assert ruin.best <= ruin.score_at_start


@MANY
@given(scenarios(), st.integers(0, 2**31))
def test_no_rule_is_broken_and_no_point_lost_whatever_is_asked(asked: Scenario, seed: int) -> None:
    domains = Domains(asked)
    placements = construct(domains)
    before = check(asked, make_plan(domains, placements))
    ruin = RuinAndRecreate(domains, placements, seed)
    after = check(asked, make_plan(domains, annealed(ruin, 2, 4 * HOT)))
    assert after.violations == () or before.violations
    assert (after.cost - before.cost - ruin.best + ruin.score_at_start) % BUDGET_PENALTY == 0


@pytest.mark.parametrize("dear", ["ana", "dee"])
def test_a_visit_is_inserted_where_its_price_is_least(dear: str) -> None:
    names = {"ana", "dee"}
    halves = [factories.shift("MO 08:00", "12:00")]
    asked = factories.scenario(
        factories.visit("v0"), providers=[factories.provider(name, shifts=halves) for name in sorted(names)]
    )
    domains = Domains(asked)
    (key,) = domains.by_key
    prices = {key: {option: 9.0 if option.provider == dear else 0.5 for option in domains.options[key]}}
    best = annealed(RuinAndRecreate(domains, {}, 1, prices=prices), 1, HOT / 1000)
    assert {shift.provider for shift in best[key].team} == names - {dear}


def test_a_visit_without_prices_is_inserted_where_its_cost_is_least() -> None:
    scan = factories.service("scan", team=[])
    asked = factories.scenario(factories.visit("v0", service="scan"), clinic=factories.clinic(scan))
    domains = Domains(asked)
    (key,) = domains.by_key
    prices = {key: dict[Option, float](), ("visit", "another"): {}}
    best = annealed(RuinAndRecreate(domains, {}, 1, prices=prices), 1, HOT / 1000)
    assert make_plan(domains, best).cost == 0


def test_shifts_that_stand_nearer_than_the_way_between_them_stay_apart() -> None:
    """Found by a simulated clinic: what joined two such shifts left no time to travel from one to the other."""
    asked = near_shifts()
    domains = Domains(asked)
    standing = get_current_placements(asked)
    assert len(standing) == 2
    best = make_plan(domains, annealed(RuinAndRecreate(domains, standing, 1), 6, 2 * HOT))
    assert check(asked, make_plan(domains, standing)).violations == check(asked, best).violations == ()
    assert len(best.visits) > 20


def near_shifts() -> Scenario:
    """Return a day of one physician whose shifts touch; a visit is pinned in each, at two places; more is asked for."""
    halves = (factories.shift("MO 08:00", "12:00", "wang", "yawkey"), factories.shift("MO 12:00", "16:00", "wang", "yawkey"))
    morning, afternoon = ("MO 08:00", "wang-exam-1", "ana", "wang"), ("MO 15:00", None, "ana", "yawkey")
    standing = (
        factories.visit("early", "p0", current=factories.current(*morning), pinned=factories.pin(*morning)),
        factories.visit("late", "p1", "bedside", current=factories.current(*afternoon), pinned=factories.pin(*afternoon)),
    )
    asked = [factories.visit(f"v{n}", f"p{n}", "bedside") for n in range(2, 26)]
    return factories.scenario(
        *standing,
        *asked,
        patients=[factories.patient(f"p{n}") for n in range(26)],
        providers=[factories.provider("ana", shifts=list(halves), max_minutes_per_day=480)],
    )


def evaluations(count: int) -> Scenario:
    """Return a day of evaluations in three parts that follow each other at once; each part's first provider comes later."""
    parts = ("pain", "psychology", "therapy")
    services = [factories.service(part, team=[{"any_of": [part]}]) for part in parts]
    asked = [factories.visit(f"{part}-{n}", f"p{n}", part) for n in range(count) for part in parts]
    tied = [
        factories.link(f"{before}-{n}", f"{after}-{n}", 0, 0, together=True, max_gap_minutes=0)
        for n in range(count)
        for before, after in pairwise(parts)
    ]
    hours = ("08:00", "10:40"), ("10:00", "11:20"), ("10:40", "12:00")
    people = [
        factories.provider(part, part, shifts=[factories.shift(f"MO {begin}", end)])
        for part, (begin, end) in zip(parts, hours, strict=True)
    ]
    return factories.scenario(
        *asked,
        *tied,
        patients=[factories.patient(f"p{n}") for n in range(count)],
        clinic=factories.clinic(*services),
        providers=people,
        horizon={"start": "2026-11-30", "end": "2026-12-01"},
    )


def test_visits_that_go_together_come_in_whole_although_the_first_of_them_has_earlier_places() -> None:
    asked = evaluations(3)
    domains = Domains(asked)
    best = make_plan(domains, annealed(RuinAndRecreate(domains, {}, 1), 2))
    assert not check(asked, best).violations
    begun = sorted(f"{booking.start:%H:%M}" for booking in best.visits if booking.visit.startswith("pain"))
    assert begun == ["09:20", "10:00"]


def test_pinned_frozen_and_group_items_stay() -> None:
    asked = of_week(2)
    domains = Domains(asked)
    placements = construct(domains)
    best = annealed(RuinAndRecreate(domains, placements, 1), 6, 4 * HOT)
    held = [task.key for task in domains.tasks if task.group is not None or is_frozen(asked, task)]
    assert len(held) > 3
    assert all(best.get(key) == placements.get(key) for key in held)


def test_a_capacity_that_is_too_large_breaks_a_rule() -> None:
    asked = generate("tiny", 1)
    domains = Domains(asked)
    ruin = RuinAndRecreate(domains, construct(domains), 1)
    lists = ruin.encoding.tables.lists
    lists[: len(ruin.encoding.state.used)] += 1
    broken = {violation.rule for violation in check(asked, make_plan(domains, annealed(ruin, 6))).violations}
    assert broken & {"provider-overlap", "attention", "recovery"}


def test_coolings_in_a_row_begin_warm_and_the_last_ends_cold() -> None:
    clock, parameters = SimpleNamespace(left=10.0), DEFAULTS.annealing
    schedule = CoolingSchedule(clock, 9.0, parameters, coolings=3)  # type: ignore[arg-type]
    temperatures, endings = list[float](), list[bool]()
    for spent in range(10):
        clock.left = 10.0 - spent
        temperatures.append(schedule.temperature)
        endings.append(schedule.is_ending)
    assert [temperatures[turn] for turn in (0, 3, 6)] == pytest.approx([parameters.initial_temperature] * 3)
    assert temperatures[9] == pytest.approx(parameters.final_temperature)
    assert all(sooner > later for turn in (0, 3, 6) for sooner, later in pairwise(temperatures[turn : turn + 3]))
    assert endings == [False] * 8 + [True] * 2


@pytest.mark.parametrize(("is_ending", "at_most"), [(False, 4.0), (True, inf)])
def test_what_a_call_above_the_budget_costs_is_bounded_until_the_end_and_begins_anew_with_each_cooling(
    is_ending: bool, at_most: float
) -> None:
    asked = of_week(1)
    domains = Domains(asked)
    parameters = DEFAULTS.annealing.changed(call_cost_growth=2.0, most_call_cost=4.0)
    ruin = RuinAndRecreate(domains, construct(domains), 1, parameters)
    ruin.encoding.tables.rows[0, BUDGET] = -1
    costs: list[float] = []

    def temperature() -> float:
        costs.append(ruin.call_cost / ruin.unit)
        return [HOT, HOT, HOT, HOT, HOT, 2 * HOT, 2 * HOT, 0.0][len(costs) - 1]

    ruin.run(temperature, lambda _: None, lambda: is_ending)
    assert costs == [min(cost, at_most) for cost in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 2.0, 4.0)]


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    asked = generate("tiny", 3)
    domains = Domains(asked)
    placements = construct(domains)
    one, again, other = (annealed(RuinAndRecreate(domains, placements, seed), 2) for seed in (5, 5, 6))
    assert one == again
    assert one != other or check(asked, make_plan(domains, one)).cost == 0


def test_random_numbers_fill_the_unit_interval() -> None:
    state = RuinAndRecreate(Domains(generate("tiny", 0)), {}, 7).encoding.state.random
    drawn = [uniform(state) for _ in range(2000)]
    assert 0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1


def test_a_compilation_that_its_beginner_forgets_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    monkeypatch.setattr(KernelCompilation, "_cached", lambda _: False)
    pipes: list[IO[bytes]] = []

    def patient(_: object, popen: Any = subprocess.Popen, **options: Any) -> subprocess.Popen[bytes]:
        """Begin a process that ends when its input does, in the place of the compilation; nothing else is kept of it."""
        child = popen([sys.executable, "-c", "import sys; sys.stdin.read()"], **options | {"stdin": subprocess.PIPE})
        pipes.append(child.stdin)
        return child

    monkeypatch.setattr(subprocess, "Popen", patient)
    before = set(threads())
    compilation = KernelCompilation()
    (waiting,) = set(threads()) - before
    assert not compilation.is_done
    del compilation
    gc.collect()
    assert waiting.is_alive()
    pipes[0].close()
    waiting.join()
    gc.collect()
    assert unraisable == []


def test_a_process_may_end_before_its_compilation() -> None:
    script = "from solver.search.ruin import KernelCompilation as C; C._cached = lambda _: False; assert not C().is_done"
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", script]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], stderr=subprocess.PIPE, check=True)
    assert ended.stderr == b""


def test_files_that_were_only_copied_since_are_not_waited_for() -> None:
    compile_kernel()
    for index in list_kept():
        os.utime(index, (0, 0))
    assert KernelCompilation().is_done


def test_what_is_kept_of_other_files_is_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []

    def begin(command: object, **_: object) -> object:
        begun.append(command)
        return SimpleNamespace(wait=lambda: 0)

    monkeypatch.setattr(import_module("solver.search.ruin"), "STAMP", "0" * 64)
    monkeypatch.setattr(subprocess, "Popen", begin)
    KernelCompilation().wait()
    assert len(begun) == 1
