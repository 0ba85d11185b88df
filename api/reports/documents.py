"""Results for machines: plain dicts and lists that JSON can hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from api.reports.kpis import Share, compute_kpis
from api.reports.lanes import By, LaneItem, make_rows
from scheduling.check import Verdict
from scheduling.plan import Plan
from scheduling.scenario import Scenario


def to_document(value: Any) -> Any:
    """Turn figures into what JSON can hold; a share carries its ratio."""
    if isinstance(value, Share):
        return {"part": value.part, "whole": value.whole, "ratio": None if value.ratio is None else round(value.ratio, 4)}
    if is_dataclass(value):
        return {field.name: to_document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_document(element) for key, element in value.items()}
    return [to_document(element) for element in value] if isinstance(value, tuple | list) else value


def verdict_document(plan: Plan, verdict: Verdict, misstated: Iterable[str]) -> dict[str, Any]:
    """Return the outcome of a check."""
    wrong = list(misstated)
    return {
        "ok": not verdict.violations and not wrong,
        "violations": to_document(verdict.violations),
        "misstated": wrong,
        "cost": verdict.cost,
        "stated_cost": plan.cost,
        "costs": verdict.costs.components(),
    }


def plan_summary(scenario: Scenario, plan: Plan) -> dict[str, Any]:
    """Return a plan's cost and figures, without its bookings."""
    return {
        "scenario": plan.scenario,
        "status": plan.status,
        "cost": plan.cost,
        "bound": plan.bound,
        "gap": gap(plan),
        "costs": plan.costs.components(),
        "kpis": to_document(compute_kpis(scenario, plan)),
        "left_out": [left.visit for left in plan.unscheduled],
    }


def gap(plan: Plan) -> float | None:
    """Return the part of the cost that may still be saved, at most: ``(cost - bound) / cost``; None without a bound."""
    if plan.bound is None:
        return None
    return (plan.cost - plan.bound) / plan.cost if plan.cost else 0.0


def board_document(scenario: Scenario, plan: Plan, days: Iterable[date], by: By) -> list[dict[str, Any]]:
    """Return the boards of some dates: for each row its entries by time."""
    return [
        {
            "date": day.isoformat(),
            "rows": [
                {"id": row.id, "entries": [_entry(entry) for entry in row.entries]}
                for row in make_rows(scenario, plan, day, by)
                if row.entries
            ],
        }
        for day in days
    ]


def _entry(entry: LaneItem) -> dict[str, Any]:
    item = entry.item
    booking = item.booking.model_dump(mode="json", include={"start", "end", "location", "room", "team", "supervisors"})
    return {"kind": item.kind, "id": item.id, "service": item.service.id, **booking, "supervised": entry.supervised}


def scenario_json(scenario: Scenario) -> str:
    """Return a scenario as its file holds it."""
    return scenario.model_dump_json(indent=1, exclude_unset=True)


def schema_of(kind: type[Scenario] | type[Plan]) -> dict[str, Any]:
    """Return the JSON Schema of what is accepted as a file of a kind."""
    schema = kind.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
