"""Sentences about a week, made of the table of words: with the names of people and places, never with a bare id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from api.web.words import load_words
from scheduling.plan import Booking, Item, Plan, Reason, Violation
from scheduling.scenario import Scenario

NOBODY = "—"
"""Stands for what a sentence has no name for."""


class DescribedReason(BaseModel):
    """Why a visit was left out: the rule, the finding, and a sentence."""

    rule: str
    detail: str
    words: str


def write_stamp(start: datetime) -> str:
    """Write a time as ``Tue 1 Dec 09:00``."""
    return f"{start:%a} {start.day} {start:%b %H:%M}"


def describe_violations(scenario: Scenario, plan: Plan, violations: Sequence[Violation]) -> Iterator[str]:
    """Yield a sentence for each violation of a plan; one of a rule that has no sentence is the checker's own words."""
    table, items = load_words()["rules"], {item.id: item for item in plan.items(scenario)}
    for violation in violations:
        template = table.get(violation.rule)
        about = [items[name] for name in violation.ids if name in items]
        yield violation.detail if template is None else template.format_map(_Names(_name_items(scenario, about)))


def describe_reason(scenario: Scenario, visit: str, reason: Reason) -> str:
    """Return a sentence that says why a visit is left out."""
    table = load_words()["reasons"]
    asked = scenario.visits_by_id.get(visit)
    who = visit if asked is None else name_visit(scenario, visit)
    return table.get(reason.rule, table["other"]).format(who=who, rule=reason.rule, detail=reason.detail.rstrip("."))


def describe_reasons(scenario: Scenario, visit: str, reasons: Iterable[Reason]) -> list[DescribedReason]:
    """Return reasons why a visit is left out, each with a sentence."""
    return [
        DescribedReason(rule=reason.rule, detail=reason.detail, words=describe_reason(scenario, visit, reason))
        for reason in reasons
    ]


def describe_action(action: str, by: str, scenario: Scenario | None, detail: Mapping[str, Any]) -> str:
    """Return a sentence that says who did what, as the audit has it."""
    table = load_words()["actions"]
    location = str(detail.get("location", NOBODY))
    where = location if scenario is None or location not in scenario.locations else scenario.locations[location].name
    when = write_stamp(datetime.fromisoformat(detail["start"])) if "start" in detail else NOBODY
    return table.get(action, table["other"]).format(by=by, action=action, when=when, where=where)


def name_visit(scenario: Scenario, visit: str) -> str:
    """Return what people call a visit: its service and whose it is."""
    asked = scenario.visits_by_id[visit]
    return f"{scenario.services[asked.service].name} of {scenario.patients_by_id[asked.patient].name}"


class _Names(dict[str, str]):
    """Names for a sentence; whatever has none is :data:`NOBODY`."""

    def __missing__(self, key: str) -> str:
        return NOBODY


def _name_items(scenario: Scenario, items: Sequence[Item]) -> dict[str, str]:
    names: dict[str, str] = {}
    if items:
        names = {
            "who": _name_item(scenario, items[0]),
            "service": items[0].service.name,
            **_name_place(scenario, items[0].booking),
        }
        if items[0].patients:
            names["patient"] = scenario.patients_by_id[items[0].patients[0]].name
    if len(items) > 1:
        names["other"] = _name_item(scenario, items[1])
    return names


def _name_item(scenario: Scenario, item: Item) -> str:
    if item.kind == "visit":
        return name_visit(scenario, item.id)
    return item.service.name


def _name_place(scenario: Scenario, booking: Booking) -> dict[str, str]:
    named = {"when": write_stamp(booking.start), "where": scenario.locations[booking.location].name}
    return named if booking.room is None else {**named, "room": booking.room}
