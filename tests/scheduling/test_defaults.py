"""What an absent key of a scenario means: each default, those that depend on other keys, and what is written again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from support.everything import faults_of, full

from scheduling.additions import Addition
from scheduling.catalogue import build_clinic, get_policy
from scheduling.clinic import Clinic
from scheduling.drafts import OPTIONAL_SECTIONS, SECTIONS
from scheduling.errors import InvalidFile
from scheduling.people import Patient, Provider, Shift
from scheduling.requests import Visit
from scheduling.scenario import Policy, Scenario


def least() -> dict[str, Any]:
    """Build a scenario's file with no key more than it needs."""
    return {
        "format": "clinicweave-scenario/1",
        "id": "least",
        "horizon": {"start": "2026-11-30", "end": "2026-12-05"},
        "clinic": {
            "name": "Clinic",
            "timezone": "America/New_York",
            "start_grid_minutes": 5,
            "sites": [{"id": "here", "name": "Here"}, {"id": "there", "name": "There"}],
            "locations": [
                {"id": "main", "site": "here", "name": "Main", "address": "", "closes": "17:00"},
                {"id": "wing", "site": "there", "name": "Wing", "address": "", "closes": "17:00"},
            ],
            "rooms": [{"id": "r", "location": "main", "kind": "exam"}],
            "services": [
                {"id": "talk", "name": "Talk", "minutes": 30, "team": [{"any_of": ["talking"]}]},
            ],
        },
        "providers": [
            {"id": "lee", "skills": ["talking"], "shifts": [{"start": "2026-11-30T08:00", "end": "2026-11-30T12:00"}]},
        ],
        "patients": [{"id": "ann"}],
        "visits": [{"id": "v1", "patient": "ann", "service": "talk"}],
    }


def put_group(fields: dict[str, Any]) -> dict[str, Any]:
    """Add a group, a link, a reserve, a closure and a block, each with no key more than it needs."""
    fields["groups"] = [
        {"id": "g", "name": "G", "service": "talk", "month": "2026-12", "capacity": 4, "candidates": []},
    ]
    fields["visits"].append({"id": "v2", "patient": "ann", "service": "talk"})
    fields["links"] = [{"before": "v1", "after": "v2"}]
    fields["reserves"] = [{"id": "h", "service": "talk", "date": "2026-11-30", "from": "08:00", "to": "12:00"}]
    fields["clinic"]["closures"] = [{"start": "2026-12-01T00:00", "end": "2026-12-02T00:00", "reason": "works"}]
    fields["clinic"]["blocks"] = [
        {
            "id": "b",
            "location": "main",
            "weekday": "WE",
            "start": "13:00",
            "end": "17:00",
            "services": ["talk"],
            "providers": ["lee"],
        }
    ]
    return fields


ASKED = Scenario.parse(json.dumps(put_group(least())))

DEFAULTS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (ASKED, {"now": None, "freeze_minutes": 0, "policy": Policy()}),
    (ASKED.clinic, {"travel": (), "equipment": (), "recovery": ()}),
    (ASKED.clinic.locations[0], {"opens": time(0, 0)}),
    (ASKED.clinic.rooms[0], {"features": (), "seats": 1}),
    (ASKED.clinic.closures[0], {"location": None, "room": None}),
    (ASKED.clinic.blocks[0], {"welcomes": ()}),
    (
        ASKED.clinic.services[0],
        {"turnover": 0, "recovery": 0, "attention": 1, "room": None, "equipment": (), "locations": ("main", "wing")},
    ),
    (ASKED.providers[0], {"name": "lee", "role": "lee", "trainee": False, "max_minutes_per_day": 1440, "busy": ()}),
    (ASKED.providers[0].shifts[0], {"locations": ("main", "wing"), "also": ()}),
    (
        ASKED.patients[0],
        {
            "name": "ann",
            "preferred_site": None,
            "allowed_sites": ("here", "there"),
            "unavailable": (),
            "prefers": None,
        },
    ),
    (
        ASKED.visits[0],
        {
            "priority": "routine",
            "earliest": date(2026, 11, 30),
            "target": None,
            "deadline": None,
            "minutes": None,
            "equipment": (),
            "preferred_providers": (),
            "required_provider": None,
            "same_day": False,
            "unscheduled": None,
            "pinned": None,
            "current": None,
        },
    ),
    (
        ASKED.links[0],
        {
            "min_days": 0,
            "max_days": None,
            "together": False,
            "any_order": False,
            "min_gap_minutes": 0,
            "max_gap_minutes": None,
            "same_location": False,
            "same_provider": False,
        },
    ),
    (
        ASKED.groups[0],
        {
            "required": True,
            "min_attendees": 1,
            "last_session": None,
            "min_days_between": 0,
            "max_days_between": None,
            "current": None,
        },
    ),
    (ASKED.reserves[0], {"site": None}),
)

WEIGHTS: dict[str, Any] = {
    "unscheduled": {"routine": 100, "soon": 300, "urgent": 1000, "cancer": 3000},
    "deadline_factor": 5,
    "late_per_day": {"routine": 4, "soon": 12, "urgent": 40, "cancer": 120},
    "delay_per_day": {"routine": 1, "soon": 2, "urgent": 6, "cancer": 20},
    "not_preferred_provider": 8,
    "not_preferred_site": 6,
    "not_preferred_half": 2,
    "extra_trip": 10,
    "site_change": 15,
    "patient_site_change": 0,
    "waiting": 0,
    "notice_minutes": 0,
    "max_notified_moves": None,
    "moved": 5,
    "moved_notified": 30,
    "moved_notified_per_day": 5,
    "moved_notified_per_hour": 0,
    "group_seat": {"routine": 20, "soon": 40, "urgent": 80, "cancer": 80},
    "group_not_run": 2000,
    "reserve_missing": 250,
}


@pytest.mark.parametrize(("record", "defaults"), DEFAULTS, ids=[type(record).__name__ for record, _ in DEFAULTS])
def test_an_absent_key_has_its_default(record: Any, defaults: dict[str, Any]) -> None:
    assert {key: getattr(record, key) for key in defaults} == defaults


def test_a_policy_needs_nothing() -> None:
    assert Policy().model_dump() == WEIGHTS
    fields = {**least(), "policy": {}}
    assert Scenario.parse(json.dumps(fields)).policy == Policy() == Scenario.parse(json.dumps(least())).policy


def keys_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every key of a JSON value."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield (*path, key)
            yield from keys_of(inside, (*path, key))
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from keys_of(inside, (*path, index))


NEEDED = [path for path in keys_of(put_group(least())) if path[-1] not in ("links", "groups", "reserves", "closures", "blocks")]


@pytest.mark.parametrize("path", NEEDED, ids=str)
def test_every_other_key_is_needed(path: tuple[Any, ...]) -> None:
    fields = put_group(least())
    owner: Any = fields
    for step in path[:-1]:
        owner = owner[step]
    del owner[path[-1]]
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    assert f"{name}: missing" in faults_of(json.dumps(fields))


def test_sections_that_may_be_absent_are_those_with_a_default() -> None:
    owners = {section: Clinic if "." in section else Scenario for section in SECTIONS}
    fields = {section: owner.model_fields[section.split(".")[-1]] for section, owner in owners.items()}
    assert {section for section, field in fields.items() if not field.is_required()} == OPTIONAL_SECTIONS


def test_an_absent_section_hides_no_unknown_id_beside_a_misshapen_place() -> None:
    fields = least()
    fields["clinic"]["services"][0]["equipment"] = ["laser"]
    fields["freeze_minutes"] = "soon"
    assert faults_of(json.dumps(fields)) == [
        'clinic.services[0].equipment[0]: unknown equipment "laser"',
        "freeze_minutes: must be a valid integer",
    ]


def test_a_list_that_is_given_empty_stays_empty() -> None:
    fields = least()
    fields["clinic"]["services"][0]["locations"] = []
    fields["providers"][0]["shifts"][0]["locations"] = []
    fields["patients"][0] |= {"allowed_sites": [], "name": ""}
    asked = Scenario.parse(json.dumps(fields))
    assert asked.services["talk"].locations == asked.providers[0].shifts[0].locations == asked.patients[0].allowed_sites == ()
    assert asked.patients[0].name == ""


def test_what_is_written_of_a_scenario_reads_as_the_same(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    for asked in (ASKED, Scenario.parse(json.dumps(full()))):
        asked.write(file)
        assert Scenario.read(file) == asked


def test_a_default_that_depends_on_other_keys_is_written_so_that_it_stays(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    ASKED.write(file)
    written = json.loads(file.read_text())
    assert written["visits"][0]["earliest"] == "2026-11-30"
    assert written["clinic"]["services"][0]["locations"] == ["main", "wing"]
    assert "minutes" not in written["visits"][0]
    assert "policy" not in written


def test_a_changed_copy_writes_no_more_keys_than_it_was_given() -> None:
    later = ASKED.changed(visits=tuple(visit.changed(priority="soon") for visit in ASKED.visits))
    assert set(json.loads(later.model_dump_json(exclude_unset=True))["visits"][0]) == {
        "id",
        "patient",
        "service",
        "earliest",
        "priority",
    }


def test_a_scenario_made_in_python_has_the_defaults_of_a_file() -> None:
    shift = Shift.model_validate({"start": "2026-11-30T08:00", "end": "2026-11-30T12:00"})
    made = Scenario(
        format="clinicweave-scenario/1",
        id="least",
        horizon=ASKED.horizon,
        clinic=Clinic.model_validate_json(json.dumps(least()["clinic"])),
        providers=(Provider(id="lee", skills=("talking",), shifts=(shift,)),),
        patients=(Patient(id="ann"),),
        visits=(Visit(id="v1", patient="ann", service="talk"),),
    )
    assert made == Scenario.parse(json.dumps(least()))


def test_the_records_that_a_scenario_is_made_of_stay_as_they_are() -> None:
    wanted = Visit(id="v1", patient="ann", service="talk")
    first = wanted.earliest
    fields = {name: getattr(ASKED, name) for name in Scenario.model_fields if name not in ("visits", "links")}
    assert Scenario(**fields, visits=(wanted,)).visits[0].earliest == date(2026, 11, 30)
    assert wanted.earliest == first


def test_a_scenario_of_sound_parts_has_the_defaults_too() -> None:
    parts = {name: getattr(ASKED, name) for name in Scenario.model_fields if name not in ("visits", "links", "groups")}
    made = Scenario.from_parts("week", **parts, visits=(Visit(id="v1", patient="ann", service="talk"),))
    assert made.visits[0].earliest == date(2026, 11, 30)
    with pytest.raises(InvalidFile, match="unknown patient"):
        Scenario.from_parts("week", **parts, visits=(Visit(id="v1", patient="eve", service="talk"),))


def test_an_addition_has_the_defaults_of_the_scenario_that_it_comes_to() -> None:
    asked = Scenario.parse(json.dumps(least()))
    text = json.dumps(
        {"visits": [{"id": "v9", "patient": "bo", "service": "talk"}], "patients": [{"id": "bo", "prefers": "morning"}]}
    )
    grown = Addition.parse(text, asked).add_to(asked)
    assert grown.visits_by_id["v9"].earliest == date(2026, 11, 30)
    assert (grown.patients_by_id["bo"].name, grown.patients_by_id["bo"].allowed_sites) == ("bo", ("here", "there"))


def test_the_catalogue_says_everything_itself() -> None:
    assert all("locations" in service.model_fields_set for service in build_clinic().services)
    assert get_policy().model_fields_set >= {"unscheduled", "moved", "reserve_missing"}
