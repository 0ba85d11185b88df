"""Minutes, slots and masks against their definitions, minute by minute; zones on the days when clocks change."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.timegrid import MINUTES_PER_DAY, TimeGrid, minute_of_day, minutes_on, stamp, weekday

GRIDS = st.sampled_from([1, 5, 7, 10, 15, 25, 60, 720, 1440])
MINUTES = st.integers(-200, MINUTES_PER_DAY + 200)
MONDAY = date(2026, 11, 30)


def grid(grid_minutes: int = 10) -> TimeGrid:
    """Build the grid of a week from Monday to Friday."""
    return TimeGrid("America/New_York", grid_minutes, MONDAY, date(2026, 12, 5))


def wall(moment: str) -> datetime:
    """Read a wall-clock time."""
    return datetime.fromisoformat(moment)


@given(GRIDS, MINUTES, MINUTES, st.integers(1, MINUTES_PER_DAY))
def test_starts_are_those_whose_item_lies_within(grid_minutes: int, begin: int, end: int, duration: int) -> None:
    expected = [
        start
        for start in range(0, MINUTES_PER_DAY, grid_minutes)
        if begin <= start and start + duration <= min(end, MINUTES_PER_DAY)
    ]
    slots = grid(grid_minutes)
    assert list(slots.slot_minutes(slots.starts(begin, end, duration))) == expected


@given(GRIDS, MINUTES, st.integers(1, 300), st.integers(0, 90), st.integers(1, 300))
def test_meeting_starts_are_those_that_share_a_minute(
    grid_minutes: int, begin: int, length: int, before: int, after: int
) -> None:
    expected = [
        start
        for start in range(0, MINUTES_PER_DAY, grid_minutes)
        if set(range(start - before, start + after)) & set(range(begin, begin + length))
    ]
    slots = grid(grid_minutes)
    assert list(slots.slot_minutes(slots.meeting(begin, begin + length, before, after))) == expected


@given(GRIDS, st.integers(0, MINUTES_PER_DAY - 1))
def test_a_minute_is_on_the_grid_when_it_is_a_slots(grid_minutes: int, minute: int) -> None:
    slots = grid(grid_minutes)
    every = list(slots.slot_minutes((1 << slots.slots_per_day) - 1))
    assert len(every) == slots.slots_per_day
    assert every[-1] < MINUTES_PER_DAY <= every[-1] + grid_minutes
    assert slots.on_grid(minute) == (minute in every)


@given(st.dates(date(1900, 1, 2), date(8999, 12, 30)), st.integers(-MINUTES_PER_DAY, 2 * MINUTES_PER_DAY))
def test_a_stamp_is_as_many_minutes_after_its_date_as_it_was_made_of(day: date, minute: int) -> None:
    assert minutes_on(stamp(day, minute), day) == minute


@given(st.times())
def test_a_minute_of_the_day_is_that_of_its_stamp(clock: time) -> None:
    assert stamp(MONDAY, minute_of_day(clock)).time() == clock.replace(second=0, microsecond=0)


def test_days_are_counted_from_the_first_of_the_horizon() -> None:
    slots = grid()
    assert slots.days == 5
    assert [weekday(day) for day in slots.dates()] == ["MO", "TU", "WE", "TH", "FR"]
    assert [slots.day_index(day) for day in slots.dates()] == [0, 1, 2, 3, 4]
    assert [slots.date(index) for index in range(5)] == list(slots.dates())
    assert slots.day_index(date(2026, 11, 29)) == -1
    assert slots.day_index(slots.end) == slots.days


@given(st.dates())
def test_weekdays_follow_each_other(day: date) -> None:
    names = [weekday(day + timedelta(days=number)) for number in range(7) if day <= date.max - timedelta(days=7)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-11-30T09:00", "2026-11-30T14:00"),
        ("2026-07-01T09:00", "2026-07-01T13:00"),
        ("2026-11-01T00:59", "2026-11-01T04:59"),
        ("2026-11-01T01:30", "2026-11-01T05:30"),
        ("2026-11-01T02:00", "2026-11-01T07:00"),
        ("2027-03-14T01:59", "2027-03-14T06:59"),
        ("2027-03-14T03:00", "2027-03-14T07:00"),
    ],
)
def test_a_wall_clock_time_is_the_instant_of_its_zone(local: str, instant: str) -> None:
    slots = grid()
    assert slots.utc(wall(local)).replace(tzinfo=None) == wall(instant)
    assert slots.aware(wall(local)).timestamp() == slots.utc(wall(local)).timestamp()
    assert slots.aware(wall(local)).replace(tzinfo=None) == wall(local)
