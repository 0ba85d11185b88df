"""Duty: the half-days of the roster on which nobody could see who is referred that day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from scheduling import catalogue
from scheduling.care.duty import find_uncovered_halves
from scheduling.care.rolling import ClinicRecords
from scheduling.catalogue.entries import ReserveRule
from scheduling.clinic import Closure
from scheduling.fields import Interval
from scheduling.people import Provider, Shift

MONDAY = date(2026, 11, 30)
SKILL = catalogue.get_service("cancer-consult").team[0].any_of[0]
(BOSTON,) = [rule for rule in catalogue.list_reserve_rules() if (rule.service, rule.site) == ("cancer-consult", "boston")]


def at(hour: int, day: int = 0) -> datetime:
    return datetime.combine(MONDAY + timedelta(days=day), time(hour))


def worker(
    name: str, *skills: str, hours: tuple[int, int] = (8, 17), days: int = 1, where: str = "wang", **more: Any
) -> Provider:
    """Return somebody who works on the first days of the week."""
    shifts = tuple(Shift(start=at(hours[0], day), end=at(hours[1], day), locations=(where,)) for day in range(days))
    return Provider(id=name, name=name, role="any", skills=skills, shifts=shifts, **more)


def lacking(*staff: Provider, closures: tuple[Closure, ...] = (), rule: ReserveRule = BOSTON) -> list[str]:
    """Return the half-days of one week that lack somebody."""
    clinic = catalogue.build_clinic(staff, closures=closures)
    records = ClinicRecords(clinic=clinic, providers=staff, patients=(), episodes=(), held=(rule,))
    return [f"{gap.date:%a} {gap.half}" for gap in find_uncovered_halves(records, MONDAY, 1)]


ANYBODY = worker("ben", "psychology", days=2)


def test_half_days_on_which_nobody_has_the_skill_are_named() -> None:
    assert lacking(ANYBODY) == ["Mon morning", "Mon afternoon", "Tue morning", "Tue afternoon"]
    assert lacking(ANYBODY, worker("ana", SKILL)) == ["Tue morning", "Tue afternoon"]
    assert lacking(ANYBODY, worker("ana", SKILL, days=2, hours=(8, 12))) == ["Mon afternoon", "Tue afternoon"]


def test_a_half_day_on_which_nobody_works_is_none_of_the_roster() -> None:
    assert lacking() == []
    assert lacking(worker("ben", "psychology", hours=(8, 12))) == ["Mon morning"]


@pytest.mark.parametrize(
    "ana",
    [
        worker("ana", SKILL, trainee=True),
        worker("ana", SKILL, where="west"),
        worker("ana", SKILL, hours=(11, 12), busy=(Interval(start=at(11), end=at(11) + timedelta(minutes=15)),)),
    ],
    ids=["in training", "at the other site", "busy for so long that the service does not fit"],
)
def test_somebody_who_could_not_see_the_patient_does_not_count(ana: Provider) -> None:
    assert "Mon morning" in lacking(ANYBODY, ana)


def test_a_closed_building_lacks_everybody() -> None:
    closed = Closure(start=at(0), end=at(12), location="wang", reason="burst pipe")
    assert lacking(worker("ana", SKILL), closures=(closed,)) == ["Mon morning"]


def test_who_staffs_a_special_clinic_sees_whom_it_welcomes_alone() -> None:
    roles = {role.id: role for role in catalogue.list_roles()}
    pair = [
        Provider(
            id=name,
            name=name,
            role=name,
            skills=roles[name].skills,
            shifts=(Shift(start=at(13, 2), end=at(17, 2), locations=("yawkey",), also=("inpatient",)),),
        )
        for name in ("cancer-pain-physician", "palliative-physician")
    ]
    assert lacking(*pair) == []
    assert lacking(*pair, rule=BOSTON.changed(service="inpatient-consult")) == ["Wed afternoon"]


def test_capacity_for_another_day_than_that_of_the_referral_asks_for_nobody() -> None:
    assert lacking(ANYBODY, rule=BOSTON.changed(notice_days=1)) == []
