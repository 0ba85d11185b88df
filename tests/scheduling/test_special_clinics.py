"""The visits of a special clinic are those of its staff: nobody else begins to see its patients."""

from __future__ import annotations

from datetime import date
from typing import Any

from support.factories import block, clinic, current, provider, service, visit

from scheduling.clinic import Clinic
from scheduling.people import Provider
from scheduling.requests import Visit
from scheduling.special_clinics import assign_visits

WEDNESDAY = date(2026, 12, 2)
SEATS = {"team": [{"any_of": ["cancer"]}, {"any_of": ["palliative"]}], "locations": ["yawkey"]}
HOURS = block("cancer", "WE", "13:00", "17:00", services=["pair"], providers=["ann", "bo", "cleo", "pal"])
PALLIATIVE = provider("pal", "palliative")


def people(**busy: tuple[str, str]) -> list[Provider]:
    three = [provider(name, "cancer", busy=[busy[name]] if name in busy else []) for name in ("ann", "bo", "cleo")]
    return [*three, PALLIATIVE]


def assign(staff: list[Provider], *visits: Visit, day: date = WEDNESDAY) -> tuple[list[str | None], set[str]]:
    """Return who is required for visits, and who is reserved."""
    whole: Clinic = clinic(service("pair", **SEATS), blocks=[HOURS])
    made, asked = assign_visits(whole, staff, visits, [day])
    return [visit.required_provider for visit in asked], set(made.blocks[0].providers)


def pair(name: str, **more: Any) -> Visit:
    return visit(name, service="pair", **more)


def standing(who: str, clock: str = "14:00") -> Any:
    return current(f"WE {clock}", "yawkey-consult", f"{who} pal", "yawkey")


def test_every_visit_of_a_special_clinic_requires_whose_turn_it_is_and_others_require_nobody() -> None:
    required, reserved = assign(people(), pair("v1"), visit("other"), pair("v2"))
    assert required[0] == required[2] in {"ann", "bo", "cleo"}
    assert required[1] is None
    assert reserved == {required[0], "pal"}


def test_a_visit_that_stands_with_another_keeps_that_other_who_is_reserved_too() -> None:
    (turn,), _ = assign(people(), pair("v1"))
    other = next(who for who in ("ann", "bo", "cleo") if who != turn)
    required, reserved = assign(people(), pair("v1"), pair("v2", current=standing(other)))
    assert required == [turn, other]
    assert reserved == {turn, other, "pal"}


def test_who_cannot_keep_a_visit_gives_it_to_whose_turn_it_is() -> None:
    (turn,), _ = assign(people(), pair("v1"))
    other = next(who for who in ("ann", "bo", "cleo") if who != turn)
    ill = people(**{other: ("WE 00:00", "WE 23:50")})
    required, reserved = assign(ill, pair("v1"), pair("v2", current=standing(other)))
    assert required == [turn, turn]
    assert reserved == {turn, "pal"}


def test_a_turn_stays_where_it_is_when_another_is_away() -> None:
    (turn,), _ = assign(people(), pair("v1"))
    for other in {"ann", "bo", "cleo"} - {turn}:
        (still,), _ = assign(people(**{other: ("WE 00:00", "WE 23:50")}), pair("v1"))
        assert still == turn


def test_who_is_required_already_stays_required_and_on_another_day_the_clinic_binds_nobody() -> None:
    required, _ = assign(people(), pair("v1", required_provider="bo"))
    assert required == ["bo"]
    required, reserved = assign(people(), pair("v1"), day=date(2026, 12, 3))
    assert (required, reserved) == ([None], {"ann", "bo", "cleo", "pal"})
