"""Rows of entries: whose they are, where they stand, and what does not overlap."""

from __future__ import annotations

from datetime import date
from itertools import combinations

import pytest
from support import factories
from support.factories import booking, closure, provider, shift, visit

from api.reports.lanes import BoardRow, MinuteSpan, busy_dates, hours, make_rows
from scheduling.plan import Plan
from scheduling.rules.sweep import is_overlapping
from scheduling.scenario import Scenario

MONDAY, TUESDAY, WEDNESDAY, FRIDAY = (date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 4))


def by_id(found: tuple[BoardRow, ...]) -> dict[str, BoardRow]:
    return {row.id: row for row in found}


def test_a_provider_has_a_row_of_what_they_do_and_supervise(asked: Scenario, made: Plan) -> None:
    found = by_id(make_rows(asked, made, FRIDAY, "provider"))
    assert [(entry.item.id, entry.supervised) for entry in found["cy"].entries] == [("v-3", False)]
    assert [(entry.item.id, entry.supervised) for entry in found["ana"].entries] == [("v-3", True)]


def test_duty_tells_the_location_chosen_for_the_shift(asked: Scenario, made: Plan) -> None:
    found = by_id(make_rows(asked, made, MONDAY, "provider"))
    assert found["ana"].duty == (MinuteSpan(480, 720, "wang"), MinuteSpan(750, 1050, "west"))
    assert found["dee"].duty == (MinuteSpan(480, 720, None), MinuteSpan(750, 1050, None))


def test_who_neither_works_nor_is_on_duty_has_no_row(asked: Scenario, made: Plan) -> None:
    assert make_rows(asked, made, date(2026, 12, 5), "provider") == ()


def test_every_room_has_a_row_and_an_unused_one_is_empty(asked: Scenario, made: Plan) -> None:
    found = by_id(make_rows(asked, made, MONDAY, "room"))
    assert list(found) == [room.id for room in asked.clinic.rooms]
    assert [entry.item.id for entry in found["wang-exam-1"].entries] == ["v-5"]
    assert found["wang-exam-2"].is_empty


def test_busy_time_is_shown_as_far_as_it_meets_a_shift() -> None:
    ana = provider("ana", shifts=[shift("MO 08:00", "12:00")], busy=[("MO 11:30", "MO 12:45"), ("TU 08:00", "TU 09:00")])
    asked = factories.scenario(providers=[ana])
    (row,) = make_rows(asked, factories.plan(asked), MONDAY, "provider")
    assert row.away == (MinuteSpan(690, 720, None),)


@pytest.mark.parametrize(("where", "away"), [(None, 1), ("wang", 1), ("west", 0)])
def test_a_closure_is_away_time_of_the_shifts_that_it_takes(where: str | None, away: int) -> None:
    ana = provider("ana", shifts=[shift("MO 08:00", "12:00", "wang"), shift("MO 13:00", "17:00", "wang", "west")])
    clinic = factories.clinic(closures=[closure("MO 09:00", "MO 10:00", where)])
    asked = factories.scenario(providers=[ana], clinic=clinic)
    (row,) = make_rows(asked, factories.plan(asked), MONDAY, "provider")
    assert row.away == (MinuteSpan(540, 600, None),) * away


def test_what_overlaps_stands_in_lanes_and_own_work_comes_first() -> None:
    asked = factories.scenario(visit("v-1"), visit("v-2", "quin"), visit("v-3", "rae"))
    made = factories.plan(
        asked,
        booking("v-1", "MO 09:00", "wang-exam-2", "cy", supervisors="ana"),
        booking("v-2", "MO 09:20"),
        booking("v-3", "MO 10:00"),
    )
    ana = by_id(make_rows(asked, made, MONDAY, "provider"))["ana"]
    assert [(entry.item.id, entry.lane, entry.lanes) for entry in ana.entries] == [("v-2", 0, 2), ("v-1", 1, 2), ("v-3", 0, 1)]


def test_entries_of_one_lane_never_overlap_even_in_a_plan_that_breaks_rules() -> None:
    asked = factories.scenario(*(visit(f"v-{number}", service="evaluation") for number in range(7)))
    starts = ("09:00", "09:00", "09:30", "10:20", "09:50", "10:00", "12:00")
    made = factories.plan(asked, *(booking(f"v-{n}", f"MO {start}", team="ana ben") for n, start in enumerate(starts)))
    entries = by_id(make_rows(asked, made, MONDAY, "provider"))["ana"].entries
    assert len(entries) == 7
    for one, other in combinations(entries, 2):
        assert one.lane != other.lane or not is_overlapping(one.item.booking, other.item.booking)
        assert one.lane < one.lanes


def test_dates_are_those_with_duty_or_items(asked: Scenario, made: Plan) -> None:
    short = factories.scenario(visit("v"), providers=[provider("ana", shifts=[shift("TU 08:00", "12:00")])])
    assert busy_dates(short, factories.plan(short)) == (TUESDAY,)
    assert busy_dates(short, factories.plan(short, booking("v", "WE 08:00"))) == (TUESDAY, WEDNESDAY)
    assert len(busy_dates(asked, made)) == 5


def test_hours_hold_every_shift_and_item_in_whole_hours() -> None:
    asked = factories.scenario(visit("v"), providers=[provider("ana", shifts=[shift("MO 08:30", "12:10")])])
    assert hours(asked, factories.plan(asked), [MONDAY]) == (8, 13)
    assert hours(asked, factories.plan(asked, booking("v", "MO 17:30")), [MONDAY]) == (8, 19)
    assert hours(asked, factories.plan(asked), []) == (8, 17)
