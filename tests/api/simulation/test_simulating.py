"""A small clinic lived through for some weeks: the same world for every policy, no rule of care broken, a report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.simulation import simulate_clinic
from api.simulation.measures import percentile
from api.simulation.policies import POLICIES, PlanningPolicy
from api.simulation.report import Report, build_result, draw_report
from api.simulation.world import World
from api.store.columns import new_id
from scheduling import catalogue
from scheduling.care.rules import find_care_violations

MONDAY = date(2027, 1, 4)
SMALL = 0.15
"""Of the referrals of a whole clinic."""


def world(weeks: int = 4) -> World:
    return World(3, MONDAY, weeks, SMALL)


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    results = [build_result(simulate_clinic(world(), PlanningPolicy(name, 0.5, 3, 1)), name) for name in POLICIES]
    yield Report(weeks=4, seconds=0.5, results=tuple(results))


def test_physicians_for_cancer_pain_can_see_inpatients_between_others_on_the_campus() -> None:
    world = World(1, date(2026, 11, 30), 1)
    shifts = [shift for who in world.providers if who.role == "cancer-pain-physician" for shift in who.shifts]
    assert {shift.also for shift in shifts if shift.locations == ("wang",)} == {("inpatient",)}
    assert {shift.also for shift in shifts if "west" in shift.locations} <= {()}
    others = [shift for who in world.providers if who.role != "cancer-pain-physician" for shift in who.shifts]
    assert not any(shift.also for shift in others)


def test_chance_answers_every_policy_alike_whatever_was_asked_before():
    one, other = world(), world()
    tuesday = MONDAY + timedelta(days=1)
    assert [one.arrivals(tuesday), one.arrivals(MONDAY)] == [other.arrivals(day) for day in (tuesday, MONDAY)]
    assert one.comes("p", MONDAY) == other.comes("p", MONDAY)
    assert one.providers == other.providers
    assert World(4, MONDAY, 4, SMALL).arrivals(MONDAY) != one.arrivals(MONDAY)


def test_about_one_visit_in_twenty_is_missed_and_one_called_off_before_its_day():
    found = World(0, MONDAY, 1)
    missed = sum(not found.comes(f"p{number}", MONDAY) for number in range(4000))
    calls = [day for number in range(4000) if (day := found.cancels(f"v{number}", MONDAY)) is not None]
    assert 150 <= missed <= 250
    assert 150 <= len(calls) <= 250
    assert all(1 <= (MONDAY - day).days <= 4 for day in calls)


def test_weeks_of_the_solver_break_no_rule_of_care(report: Report):
    (solved,) = [result for result in report.results if result.policy == "optimised"]
    assert solved.broken == ()
    assert solved.visits > 4 * 40


def test_every_visit_is_counted_once_by_its_priority_and_in_its_week(report: Report):
    for result in report.results:
        assert (
            sum(waits.visits for waits in result.waits.values()) == result.visits == sum(week.visits for week in result.weeks)
        )
        assert len(result.weeks) == 4


def test_the_same_seed_lives_the_same_weeks_first_come():
    first, second = (simulate_clinic(world(2), PlanningPolicy("first-come")) for _ in range(2))
    assert first.chronicle.visits == second.chronicle.visits


def test_counting_work_the_solver_lives_the_same_weeks_too_and_leaves_ids_and_catalogue_as_they_were():
    before = catalogue.get_policy()
    small = World(3, MONDAY, 1, 0.05)
    first, second = (simulate_clinic(small, PlanningPolicy("optimised", 0.5, 3, 1, deterministic=True)) for _ in range(2))
    assert first.chronicle.visits == second.chronicle.visits != []
    assert catalogue.get_policy() is not before and catalogue.get_policy() == before
    assert new_id() != new_id() and len(new_id()) == 32


def test_the_judge_bites_on_a_chronicle_whose_visits_are_put_off():
    tally = simulate_clinic(world(2), PlanningPolicy("first-come"))
    acute = {course for course, kind in tally.chronicle.kinds.items() if kind == "new-patient-acute"}
    tally.chronicle.visits = [visit for visit in tally.chronicle.visits if visit.course not in acute]
    tally.chronicle.__dict__.pop("courses", None)
    assert "acute-first" in {violation.rule for violation in find_care_violations(tally.chronicle)}


def test_the_picture_has_a_panel_for_each_figure_and_a_line_for_each_policy(report: Report):
    root = ElementTree.fromstring(draw_report(report))
    assert len(root.findall(".//{*}polyline")) == 4 * len(POLICIES)


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed():
    assert [percentile([5, 1, 3, 2, 4], percent) for percent in (20, 21, 90, 100)] == [1, 2, 5, 5]
    assert percentile([], 90) == 0


def test_the_command_writes_its_report_and_tells_of_each_week(tmp_path):
    arguments = ["simulate", "--weeks", "1", "--scale", "0.1", "--policy", "first-come", "--start", "2027-01-04"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    written = json.loads((tmp_path / "report.json").read_text())
    assert [result["policy"] for result in written["results"]] == ["first-come"]
    assert (tmp_path / "report.svg").read_bytes().startswith(b"<?xml")
    assert "week 1 of 1 (2027-01-04)" in done.stderr


def test_a_start_that_is_no_monday_is_refused():
    done = CliRunner().invoke(app, ["simulate", "--start", "2027-01-05"])
    assert (done.exit_code, "2027-01-05 is no Monday" in done.output) == (2, True)
