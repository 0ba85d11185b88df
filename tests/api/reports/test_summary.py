"""What is told of a plan: how good it is, what it leaves out, what it misstates."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console, RenderableType
from support import factories
from support.factories import visit

from api.reports.documents import gap, plan_summary, schema_of, to_document
from api.reports.kpis import Share
from api.reports.summary import (
    MAX_LINES,
    left_out_table,
    misstated,
    pins_conflict,
    plan_tables,
    standing,
    violations_table,
)
from scheduling.check import check
from scheduling.plan import Plan, Reason, Unscheduled, Violation
from scheduling.scenario import Scenario


def text(*parts: RenderableType) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=140)
    for part in parts:
        console.print(part)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("status", "cost", "bound", "expected"),
    [
        ("optimal", 200, 200, "optimal: cost 200, and no plan costs less"),
        ("feasible", 2000, 1950, "feasible: cost 2,000, bound 1,950: at most 2.50% could be saved"),
        ("feasible", 200, None, "feasible: cost 200, no bound"),
        ("unknown", 200, None, "unknown: the pins break rules; cost 200"),
    ],
)
def test_a_plans_standing_is_one_line(made: Plan, status: str, cost: int, bound: int | None, expected: str) -> None:
    assert standing(made.changed(status=status, cost=cost, bound=bound)) == expected


def test_the_gap_is_a_part_of_the_cost(made: Plan) -> None:
    assert gap(made.changed(cost=400, bound=300)) == 0.25
    assert gap(made.changed(cost=0, bound=0)) == 0.0
    assert gap(made.changed(bound=None)) is None


def test_the_tables_hold_costs_figures_and_what_is_left_out(asked: Scenario, made: Plan) -> None:
    shown = text(*plan_tables(asked, made))
    assert f"{made.costs.unscheduled:,}" in shown
    assert "routine visits planned" in shown and "3 of 3 (100%)" in shown
    assert "v-4" in shown and "consult" in shown and "2026-12-02" in shown


def test_the_most_pressing_visits_are_named_first_and_the_rest_counted() -> None:
    asked = factories.scenario(*(visit(f"v-{n:02d}") for n in range(MAX_LINES + 3)), visit("z", priority="urgent"))
    reasons = (Reason(rule="room", detail="[red] none"),)
    shown = text(left_out_table(asked, [Unscheduled(visit=v.id, reasons=reasons) for v in asked.visits]))
    assert shown.splitlines()[2].startswith("z ")
    assert "room: [red] none" in shown
    assert "and 4 more" in shown


def test_violations_are_named_and_the_rest_counted(asked: Scenario, made: Plan) -> None:
    broken = [Violation("busy", ("v-2",), "[x] is busy") for _ in range(MAX_LINES + 1)]
    shown = text(violations_table(asked, made, broken))
    assert "Somebody of the team for" in shown and "(v-2) is busy elsewhere then" in shown
    assert "Broken rules: 21" in shown
    assert "[x] is busy" in shown
    assert "and 1 more" in shown


def test_a_plan_misstates_what_its_check_finds_otherwise(asked: Scenario, made: Plan) -> None:
    verdict = check(asked, made)
    assert list(misstated(made, verdict)) == []
    assert list(misstated(made.changed(bound=made.cost), verdict)) == []
    assert len(list(misstated(made.changed(bound=made.cost + 1), verdict))) == 1
    assert list(misstated(made.changed(cost=made.cost - 1), verdict)) == [
        f"cost is stated as {made.cost - 1:,} and is {made.cost:,}"
    ]
    wrong = made.costs.changed(site_change=1, late=made.costs.late + 1)
    assert [line.split(" is ")[0] for line in misstated(made.changed(costs=wrong), verdict)] == [
        "costs.late",
        "costs.site-change",
    ]


def test_a_conflict_of_pins_names_the_pinned_visits() -> None:
    asked = factories.scenario(visit("v-1", pinned=factories.pin("MO 09:00")), visit("v-2"))
    made = factories.plan(asked)
    assert pins_conflict(asked, made).splitlines()[1:] == ["  v-1: none: left out by a test"]


def test_a_summary_for_machines_is_json_with_ratios(asked: Scenario, made: Plan) -> None:
    found = json.loads(json.dumps(plan_summary(asked, made)))
    assert found["kpis"]["visits"] == {"part": 4, "whole": 5, "ratio": 0.8}
    assert found["kpis"]["wait"] == {"median_days": 0.5, "long_days": 4}
    assert found["costs"]["site-change"] == made.costs.site_change
    assert found["left_out"] == ["v-4"]
    assert to_document(Share(1, 0)) == {"part": 1, "whole": 0, "ratio": None}


def test_schemas_describe_the_files_as_they_are_read() -> None:
    scenario, plan = schema_of(Scenario), schema_of(Plan)
    assert scenario["additionalProperties"] is False
    assert {"from", "to"} <= set(scenario["$defs"]["Reserve"]["required"])
    assert "min_gap_minutes" not in scenario["$defs"]["Link"]["required"]
    assert "site-change" in plan["$defs"]["Costs"]["properties"]
    assert "required" not in plan["$defs"]["Costs"]  # a component that is absent is 0
    assert scenario["$schema"].endswith("2020-12/schema")
