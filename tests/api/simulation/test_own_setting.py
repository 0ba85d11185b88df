"""A clinic of one's own is lived through by the solver: its own people, weeks and referrals, and no rule broken."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.own_clinics import CLINICS, OwnClinic

from api.simulation import simulate_clinic
from api.simulation.own_setting import make_own_setting
from api.simulation.policies import PlanningPolicy
from api.simulation.report import Result, build_result
from api.simulation.world import World
from scheduling import catalogue
from scheduling.errors import InvalidFile

MONDAY = date(2026, 11, 30)


def live(clinic: OwnClinic, weeks: int) -> Result:
    setting = make_own_setting(clinic.file, None, weeks)
    world = World(1, setting.dates.start, weeks, setting=setting)
    return build_result(simulate_clinic(world, PlanningPolicy("optimised", 0.3, 1, 1)), "optimised")


def with_kinds(file: Path, tmp_path: Path, lines: str) -> Path:
    """Return a copy of a workbook in which patients are referred for something else."""
    text = file.read_text("utf-8")
    begin, end = text.index("[[kinds]]"), text.rindex("[[kinds]]")
    after = text.find("\n# ", end)
    (tmp_path / "clinic.toml").write_text(text[:begin] + lines + (text[after:] if after > 0 else ""), "utf-8")
    return tmp_path / "clinic.toml"


def test_two_weeks_of_the_practice_with_two_rooms_break_no_rule() -> None:
    lived = live(CLINICS[0], 2)
    assert (lived.broken, [week.monday for week in lived.weeks]) == ((), ["2026-11-30", "2026-12-07"])
    assert lived.visits >= 10
    assert catalogue.build_clinic().name == "Center for Pain Medicine"


@pytest.mark.heavy
@pytest.mark.parametrize("clinic", CLINICS, ids=lambda clinic: clinic.file.stem)
def test_eight_weeks_of_each_clinic_break_no_rule(clinic: OwnClinic) -> None:
    lived = live(clinic, 8)
    assert lived.broken == ()
    assert lived.visits >= 8 * 5


def test_its_people_work_by_the_workbook_until_the_last_week_that_is_planned() -> None:
    setting = make_own_setting(CLINICS[0].file, MONDAY + timedelta(weeks=1), 4)
    days = {shift.start.date() for provider in setting.providers for shift in provider.shifts}
    assert {provider.id for provider in setting.providers} == {"ada", "ben", "cem"}
    assert max(days) >= setting.dates.end - timedelta(days=3)
    assert setting.dates.start == MONDAY + timedelta(weeks=1)


def test_patients_are_referred_as_the_sheet_of_kinds_says(tmp_path: Path) -> None:
    kinds = """[[kinds]]
id = "pain"
pathway = "back-pain"
per_week = 3

[[kinds]]
id = "worse-pain"
pathway = "back-pain"
priority = "soon"

[[kinds]]
id = "never"
pathway = "ultrasound"
per_week = 0
"""
    (referral,) = make_own_setting(with_kinds(CLINICS[0].file, tmp_path, kinds), None, 1).mix.referrals
    assert (referral.pathway, referral.per_week, referral.priorities) == ("back-pain", 5, {"routine": 3, "soon": 2})


def test_a_clinic_to_which_nobody_is_referred_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="nobody is referred"):
        make_own_setting(with_kinds(CLINICS[0].file, tmp_path, ""), None, 1)


def test_a_week_that_is_open_on_saturdays_is_lived_through_to_its_end(tmp_path: Path) -> None:
    text = CLINICS[0].file.read_text("utf-8")
    (tmp_path / "clinic.toml").write_text(text.replace('days = ["MO"', 'days = ["SA", "MO"', 1), "utf-8")
    assert make_own_setting(tmp_path / "clinic.toml", None, 1).open_days == range(6)
    assert make_own_setting(CLINICS[0].file, None, 1).open_days == range(5)


def test_the_command_takes_a_workbook_and_names_its_faults(run: Any, tmp_path: Path) -> None:
    assert run("simulate", "--clinic", "two-rooms", "--weeks", "1", "--policy", "first-come", "--json").json["results"]
    (tmp_path / "spoilt.toml").write_text(CLINICS[0].file.read_text("utf-8").replace("minutes = 45", 'minutes = "long"'))
    told = run("simulate", "--clinic", str(tmp_path / "spoilt.toml"))
    assert (told.code, "expected a whole number" in told.err) == (2, True)
    assert run("simulate", "--clinic", "two-rooms", "--weeks", "60").code == 2
