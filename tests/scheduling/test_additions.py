"""Additions: what may be added to a scenario, and every fault of a file by its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.factories import as_json, link, on, patient, scenario, visit

from scheduling.additions import Addition
from scheduling.errors import InvalidFile
from scheduling.scenario import Scenario

WEEK = scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2", 0, 7))
NEW = json.loads(as_json(visit("new", "rae")))


def faults_of(fields: Any) -> list[str]:
    """Return the faults of an addition to the week, none when it is sound."""
    try:
        Addition.parse(fields if isinstance(fields, str | bytes) else as_json(fields), WEEK)
    except InvalidFile as error:
        return [str(fault) for fault in error.faults]
    return []


def test_a_file_may_hold_one_visit(tmp_path: Path) -> None:
    file = tmp_path / "visit.json"
    file.write_text(json.dumps(NEW))
    assert Addition.read(file, WEEK) == Addition(visits=(visit("new", "rae"),))


def test_a_file_may_hold_visits_with_links_and_new_patients() -> None:
    fields = {
        "visits": [visit("a", "zoe"), visit("b", "zoe")],
        "links": [link("v1", "a"), link("a", "b")],
        "patients": [patient("zoe")],
    }
    assert not faults_of(fields)


def test_a_grown_scenario_is_the_one_that_its_file_would_be() -> None:
    added = Addition(visits=(visit("new", "zoe"),), links=(link("v2", "new", 1),), patients=(patient("zoe"),))
    grown = added.add_to(WEEK)
    assert Scenario.parse(grown.model_dump_json(exclude_unset=True)) == grown
    assert [visit.id for visit in grown.visits] == ["v1", "v2", "new"]
    assert grown.patients_by_id["zoe"] == patient("zoe")
    assert [visit.id for visit in WEEK.visits] == ["v1", "v2"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": "v2"}, "id: v2 is repeated (first at scenario.visits[1])"),
        ({"service": "magic"}, 'service: unknown service "magic"'),
        ({"patient": "zoe"}, 'patient: unknown patient "zoe"'),
        ({"required_provider": "zoe"}, 'required_provider: unknown provider "zoe"'),
        ({"earliest": "soon"}, 'earliest: expected a date like "2026-11-30", got "soon"'),
        ({"colour": 1}, "colour: unknown key"),
    ],
)
def test_a_fault_of_a_visit_alone_is_named_by_its_path(changes: dict[str, Any], fault: str) -> None:
    assert faults_of(NEW | changes) == [fault]


def test_every_fault_of_an_addition_is_named_in_the_order_of_the_file() -> None:
    fields = {
        "visits": [NEW | {"service": "magic", "priority": "now"}, NEW | {"id": "v1"}],
        "links": [link("v1", "v2"), link("new", "ghost")],
        "patients": [patient("pat")],
    }
    assert faults_of(fields) == [
        'visits[0].service: unknown service "magic"',
        "visits[0].priority: must be 'routine', 'soon', 'urgent' or 'cancer'",
        "visits[1].id: v1 is repeated (first at scenario.visits[0])",
        "links[0]: links no visit of the addition",
        'links[1].after: unknown visit "ghost"',
        "patients[0].id: pat is repeated (first at scenario.patients[0])",
    ]


def test_a_cycle_through_the_scenarios_links_is_a_fault() -> None:
    (fault,) = faults_of({"visits": [NEW], "links": [link("v2", "new"), link("new", "v1")]})
    assert fault.startswith("links")
    assert "closes a cycle" in fault
    assert not faults_of({"visits": [NEW], "links": [link("v2", "new")]})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1]", "must be an object"),
        ("{", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        ('{"visits": []}', "visits: holds no visit"),
        ('{"links": []}', "visits: missing"),
        ('{"visits": 5}', "visits: must be a valid array"),
    ],
)
def test_a_file_that_is_no_addition_has_one_fault(text: str, fault: str) -> None:
    assert faults_of(text) == [fault]


def test_a_missing_file_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="no such file"):
        Addition.read(tmp_path / "none.json", WEEK)


def test_dates_are_read_as_a_scenario_reads_them() -> None:
    added = Addition.parse(as_json(NEW | {"deadline": on("WE")}), WEEK)
    assert added.visits[0].deadline is not None
    assert added.visits[0].deadline.isoformat() == on("WE")
