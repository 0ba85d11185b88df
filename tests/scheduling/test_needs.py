"""Made-up weeks with needs of every kind: sound, repeatable, and using every key of the file format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel

from scheduling.catalogue import build_clinic
from scheduling.check import check
from scheduling.generate import SizeName, generate
from scheduling.people import Provider
from scheduling.plan import PLAN_FORMAT, Costs, Plan, ShiftPlace, Unscheduled, VisitBooking
from scheduling.scenario import Scenario
from scheduling.special_clinics import pick_block_staff, staff_blocks

SIZED: list[tuple[SizeName, int]] = [("tiny", 1), ("tiny", 3), ("week", 0), ("week", 7)]


@cache
def made(size: SizeName, seed: int) -> Scenario:
    return generate(size, seed, with_needs=True)


def models(value: Any) -> Iterator[BaseModel]:
    """Yield a record and all that it holds."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from models(getattr(value, name))
    elif isinstance(value, tuple):
        for inside in value:
            yield from models(inside)


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_a_week_with_needs_is_sound_and_repeatable(size: SizeName, seed: int) -> None:
    scenario = made(size, seed)
    assert Scenario.parse(scenario.model_dump_json(exclude_unset=True)) == scenario
    assert generate(size, seed, with_needs=True) == scenario
    assert scenario.id == f"{size}-{seed}-needs"


def test_needs_change_nothing_else_of_what_was_drawn() -> None:
    plain, needy = generate("week", 7), made("week", 7)
    assert [(v.id, v.patient, v.service, v.earliest) for v in plain.visits] == [
        (v.id, v.patient, v.service, v.earliest) for v in needy.visits
    ]
    assert (needy.patients, needy.groups, needy.reserves) == (plain.patients, plain.groups, plain.reserves)


def test_weeks_with_needs_use_every_key_of_the_second_edition() -> None:
    new = {
        "Visit": {"minutes", "equipment", "unscheduled"},
        "Closure": {"room"},
        "Shift": {"also"},
        "Block": {"welcomes"},
        "Current": {"supervisors"},
        "Location": {"opens"},
        "Link": {"any_order"},
        "Policy": {"waiting", "patient_site_change", "notice_minutes", "moved_notified_per_hour"},
    }
    used: dict[str, set[str]] = {name: set() for name in new}
    for record in models(made("week", 0)):
        for key in new.get(type(record).__name__, set()):
            if getattr(record, key):
                used[type(record).__name__].add(key)
    assert used == new


def standing_plan(scenario: Scenario) -> Plan:
    """Make the plan of what stands alone."""
    bookings, places = [], {}
    for visit in scenario.visits:
        if (current := visit.current) is not None:
            assert current.supervisors is not None
            fields = {name: getattr(current, name) for name in ("start", "location", "room", "team", "supervisors")}
            end = current.start + timedelta(minutes=scenario.service_of(visit).minutes)
            bookings.append(VisitBooking(visit=visit.id, end=end, **fields))
            for member in (*current.team, *current.supervisors):
                for shift in scenario.providers_by_id[member].shifts:
                    if shift.start <= current.start < shift.end:
                        places[member, shift.start] = current.location
    return Plan(
        format=PLAN_FORMAT,
        scenario=scenario.id,
        status="feasible",
        cost=0,
        bound=None,
        costs=Costs(),
        visits=tuple(bookings),
        groups=(),
        holds=(),
        shifts=tuple(ShiftPlace(provider=who, start=start, location=where) for (who, start), where in places.items()),
        unscheduled=tuple(Unscheduled(visit=visit.id, reasons=()) for visit in scenario.visits if visit.current is None),
    )


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_what_stands_keeps_every_rule_and_some_of_it_has_begun(size: SizeName, seed: int) -> None:
    scenario = made(size, seed)
    assert scenario.now is not None
    starts = [visit.current.start for visit in scenario.visits if visit.current is not None]
    assert min(starts) < scenario.now
    assert check(scenario, standing_plan(scenario)).violations == ()


def test_some_of_what_stands_is_supervised_and_some_has_not_been_told() -> None:
    standing = [visit.current for visit in made("week", 7).visits if visit.current is not None]
    assert {current.notified for current in standing} == {True, False}
    assert {bool(current.supervisors) for current in standing} == {True, False}


def test_the_special_clinic_reserves_the_pair_that_staffs_it_and_the_others_go_on_elsewhere() -> None:
    scenario = made("week", 7)
    (block,) = scenario.clinic.blocks
    (other,) = (who for who in scenario.providers if who.role == "cancer-pain-physician" and who.id not in block.providers)
    assert len(block.providers) == 2
    assert block.welcomes == ("cancer-consult",)
    assert block.location in scenario.services["cancer-consult"].locations
    assert all(block.location not in shift.locations for shift in other.shifts)


# ---- Who staffs a special clinic ----


def doctor(identifier: str, skill: str, *days: date, busy: tuple[Any, ...] = ()) -> Provider:
    shifts = [{"start": f"{day}T13:00", "end": f"{day}T17:00", "locations": ["yawkey"]} for day in days]
    role = "palliative-physician" if skill == "palliative-care" else "cancer-pain-physician"
    return Provider.model_validate({"id": identifier, "role": role, "skills": [skill], "shifts": shifts, "busy": busy})


WEDNESDAYS = [date(2026, 12, 2) + timedelta(weeks=number) for number in range(4)]
PALLIATIVE = doctor("pal", "palliative-care", *WEDNESDAYS)


def staff_of(day: date, *people: Provider) -> tuple[str, ...]:
    clinic = build_clinic(people)
    return pick_block_staff(clinic.blocks[0], clinic, people, day)


def test_those_who_could_staff_a_special_clinic_take_turns_week_by_week() -> None:
    people = (doctor("ann", "cancer-pain", *WEDNESDAYS), doctor("bo", "cancer-pain", *WEDNESDAYS), PALLIATIVE)
    turns = [staff_of(day, *people)[0] for day in WEDNESDAYS]
    assert set(turns) == {"ann", "bo"}
    assert all(first != second for first, second in pairwise(turns))
    assert all(staff_of(day, *people)[1] == "pal" for day in WEDNESDAYS)


def test_whoever_is_away_or_busy_gives_their_turn_to_the_other() -> None:
    for day in WEDNESDAYS[:2]:
        meeting = {"start": f"{day}T16:00", "end": f"{day}T16:30"}
        busy = (doctor("ann", "cancer-pain", day, busy=(meeting,)), doctor("bo", "cancer-pain", day), PALLIATIVE)
        assert staff_of(day, *busy) == ("bo", "pal")
        away = (doctor("ann", "cancer-pain"), doctor("bo", "cancer-pain", day), PALLIATIVE)
        assert staff_of(day, *away) == ("bo", "pal")


def test_a_special_clinic_without_somebody_for_a_seat_reserves_all_as_before() -> None:
    day = WEDNESDAYS[0]
    assert staff_of(day, doctor("ann", "cancer-pain", day), doctor("bo", "cancer-pain", day)) == ("ann", "bo")


def test_two_weeks_reserve_the_pairs_of_both_and_none_reserves_as_before() -> None:
    people = (doctor("ann", "cancer-pain", *WEDNESDAYS), doctor("bo", "cancer-pain", *WEDNESDAYS), PALLIATIVE)
    clinic = build_clinic(people)
    assert set(staff_blocks(clinic, people, WEDNESDAYS[:2]).blocks[0].providers) == {"ann", "bo", "pal"}
    assert len(staff_blocks(clinic, people, WEDNESDAYS[:1]).blocks[0].providers) == 2
    assert staff_blocks(clinic, people, [WEDNESDAYS[0] + timedelta(days=1)]) == clinic
