"""A scenario of the first edition, which has none of the second's keys, is made, judged and written as it was then.

The figures are what the checker of the first edition found; plans are made without a solver, and break most rules.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from support.factories import booking, current, current_group, group, plan, scenario, session, visit
from support.naive import COMPONENTS, NaivePlanner, make_standing

from scheduling.costs import calculate_costs
from scheduling.generate import SizeName, generate
from scheduling.plan import Plan, Violation
from scheduling.rules import find_violations
from scheduling.scenario import Scenario

FILES: Mapping[str, str] = {
    "tiny-3": "992df337074f20dd9a4e5ed61f5e4bcd8829454f099e1d942e83245091e437f8",
    "week-0": "1c5d548b16afaecfe8ad84f696e5de18e8da64fd6f450cea87fd81e72cb8e2a3",
    "week-7": "4c9e92af297490ef4b72bcd46afa6d50f333be51c2e22b27da89cde0f766985a",
}
"""What generated files hold, as SHA-256."""

FIGURES: Mapping[tuple[str, str], tuple[Mapping[str, int], Mapping[str, int], str]] = {
    ("tiny-3", "new"): (
        {
            "block": 1,
            "block-reserved": 2,
            "group-month": 1,
            "link": 2,
            "patient-available": 3,
            "patient-site": 1,
            "provider-overlap": 1,
            "reserve-window": 4,
            "room-overlap": 2,
            "shift": 24,
            "supervision": 2,
        },
        {"unscheduled": 20500, "delay": 54, "continuity": 64, "site": 54, "half": 4, "trips": 60, "site-change": 90},
        "0655f7587b25b54e",
    ),
    ("tiny-3", "standing"): (
        {
            "block": 1,
            "block-reserved": 3,
            "busy": 2,
            "deadline": 1,
            "frozen": 6,
            "link": 5,
            "not-past": 7,
            "notification-budget": 1,
            "patient-site": 1,
            "provider-overlap": 2,
            "recovery-closes": 1,
            "reserve-window": 3,
            "room-overlap": 2,
            "same-day": 1,
            "shift": 25,
            "supervision": 10,
            "travel": 2,
        },
        {
            "unscheduled": 1300,
            "late": 120,
            "delay": 89,
            "continuity": 56,
            "site": 36,
            "half": 12,
            "trips": 70,
            "moved": 615,
            "site-change": 75,
        },
        "54d44787da98cb6d",
    ),
    ("week-0", "new"): (
        {
            "attention": 69,
            "block": 3,
            "block-reserved": 8,
            "busy": 7,
            "closes": 3,
            "daily-limit": 12,
            "deadline": 6,
            "equipment": 3,
            "group-cadence": 1,
            "group-month": 2,
            "link": 24,
            "patient-available": 25,
            "patient-overlap": 3,
            "patient-site": 41,
            "patient-travel": 2,
            "provider-overlap": 179,
            "recovery": 1,
            "recovery-closes": 7,
            "required-provider": 3,
            "reserve-window": 7,
            "room-overlap": 229,
            "same-day": 6,
            "shift": 443,
            "supervision": 193,
            "travel": 236,
        },
        {
            "unscheduled": 58900,
            "late": 1472,
            "delay": 1347,
            "continuity": 2136,
            "site": 1428,
            "half": 256,
            "trips": 800,
            "group": 120,
            "site-change": 3585,
        },
        "7f87f4b05e449b61",
    ),
    ("week-0", "standing"): (
        {
            "attention": 74,
            "block": 4,
            "block-reserved": 9,
            "busy": 11,
            "closes": 6,
            "daily-limit": 14,
            "deadline": 6,
            "equipment": 3,
            "frozen": 93,
            "group-cadence": 1,
            "group-month": 1,
            "link": 26,
            "not-past": 110,
            "notification-budget": 1,
            "patient-available": 32,
            "patient-overlap": 3,
            "patient-site": 52,
            "patient-travel": 1,
            "provider-overlap": 177,
            "recovery": 2,
            "recovery-closes": 15,
            "required-provider": 2,
            "reserve-window": 5,
            "room-overlap": 231,
            "same-day": 6,
            "shift": 424,
            "supervision": 182,
            "travel": 229,
        },
        {
            "unscheduled": 53000,
            "late": 1572,
            "delay": 1350,
            "continuity": 2256,
            "site": 1482,
            "half": 252,
            "trips": 750,
            "moved": 14980,
            "group": 120,
            "site-change": 3690,
        },
        "4d1de91fb6c6efe6",
    ),
    ("week-7", "new"): (
        {
            "attention": 80,
            "block": 3,
            "block-reserved": 11,
            "busy": 7,
            "closes": 3,
            "daily-limit": 10,
            "deadline": 6,
            "equipment": 1,
            "group-cadence": 3,
            "group-month": 2,
            "link": 24,
            "patient-available": 35,
            "patient-site": 51,
            "patient-travel": 1,
            "provider-overlap": 193,
            "recovery-closes": 7,
            "required-provider": 2,
            "reserve-window": 7,
            "room-overlap": 245,
            "same-day": 6,
            "shift": 447,
            "supervision": 170,
            "travel": 250,
        },
        {
            "unscheduled": 57900,
            "late": 1284,
            "delay": 1322,
            "continuity": 2176,
            "site": 1362,
            "half": 268,
            "trips": 670,
            "group": 240,
            "site-change": 3630,
        },
        "a09c1b7b3b8746f3",
    ),
    ("week-7", "standing"): (
        {
            "attention": 77,
            "block": 3,
            "block-reserved": 11,
            "busy": 3,
            "closes": 6,
            "daily-limit": 16,
            "deadline": 6,
            "equipment": 1,
            "frozen": 91,
            "group-cadence": 2,
            "group-month": 1,
            "link": 26,
            "not-past": 125,
            "notification-budget": 1,
            "patient-available": 27,
            "patient-overlap": 1,
            "patient-site": 50,
            "patient-travel": 1,
            "provider-overlap": 171,
            "recovery-closes": 9,
            "reserve-window": 5,
            "room-overlap": 238,
            "same-day": 6,
            "shift": 447,
            "supervision": 178,
            "travel": 235,
        },
        {
            "unscheduled": 50700,
            "late": 1540,
            "delay": 1339,
            "continuity": 2152,
            "site": 1338,
            "half": 248,
            "trips": 730,
            "moved": 14950,
            "group": 240,
            "site-change": 3510,
        },
        "dcacc97497fb2547",
    ),
}
"""Violations by rule, costs by component, and the beginning of the SHA-256 of all violations, by scenario and plan."""


def make_scenario(name: str) -> Scenario:
    size, seed = name.split("-")
    sizes: dict[str, SizeName] = {"tiny": "tiny", "week": "week"}
    return generate(sizes[size], int(seed))


def make_case(name: str, standing: str) -> tuple[Scenario, Plan]:
    """Make a scenario and a plan of it: of nothing that stands, or of another plan that stands."""
    asked = make_scenario(name)
    made = NaivePlanner(asked).plan()
    if standing == "new":
        return asked, made
    asked = make_standing(asked, made)
    return asked, NaivePlanner(asked, 3).plan()


def digest(violations: Sequence[Violation]) -> str:
    lines = sorted((found.rule, found.ids, found.detail) for found in violations)
    return hashlib.sha256("\n".join(f"{rule} {' '.join(ids)}: {detail}" for rule, ids, detail in lines).encode()).hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_old_seeds_make_the_same_files_byte_for_byte(name: str, tmp_path: Path) -> None:
    file, again = tmp_path / "scenario.json", tmp_path / "again.json"
    make_scenario(name).write(file)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == FILES[name]
    Scenario.read(file).write(again)
    assert again.read_bytes() == file.read_bytes()


@pytest.mark.parametrize(("name", "standing"), FIGURES)
def test_a_file_of_the_first_edition_is_judged_as_before(name: str, standing: str) -> None:
    rules, costs, all_of_them = FIGURES[name, standing]
    asked, made = make_case(name, standing)
    violations = list(find_violations(asked, made))
    assert Counter(found.rule for found in violations) == rules
    assert {component: points for component, points in calculate_costs(asked, made).components().items() if points} == costs
    assert digest(violations)[:16] == all_of_them


def test_the_figures_know_most_rules_and_costs() -> None:
    assert len({rule for rules, _, _ in FIGURES.values() for rule in rules}) >= 25
    assert {component for _, costs, _ in FIGURES.values() for component in costs} >= set(COMPONENTS) - {"group", "reserve"}


def test_what_began_without_known_supervisors_is_free_as_before() -> None:
    asked = scenario(
        visit("v1", current=current("MO 08:20", team="cy")),
        group("g1", "pat", "quin", current=current_group("TU 09:00", "pat")),
        now="TU 09:10",
    )
    made = plan(
        asked,
        booking("v1", "MO 08:20", "wang-exam-3", "cy", supervisors="dee"),
        session("g1", "TU 09:00", "quin"),
    )
    assert list(find_violations(asked, made)) == []
