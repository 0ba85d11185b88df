"""The sweeps that the rules share, against their definitions, minute by minute."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from support.factories import booking, plan, scenario, visit

from scheduling.plan import Item
from scheduling.rules.sweep import find_overlaps, find_overloads, is_overlapping
from scheduling.timegrid import stamp

ASKED = scenario(visit("v1"))
(TEMPLATE,) = plan(ASKED, booking("v1", "MO 09:00")).items(ASKED)
SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=7)


def items_of(spans: list[tuple[int, int]]) -> list[Item]:
    """Build items of one date from ``(start, minutes)``."""
    return [
        Item("visit", f"v{number}", TEMPLATE.service, (), TEMPLATE.booking, TEMPLATE.date, start, start + minutes)
        for number, (start, minutes) in enumerate(spans)
    ]


def minutes_of(item: Item) -> set[int]:
    """Return the minutes at which an item runs."""
    return set(range(item.start_minute, item.end_minute))


@given(SPANS)
def test_items_overlap_when_two_share_a_minute(spans: list[tuple[int, int]]) -> None:
    items = items_of(spans)
    found = list(find_overlaps(items, lambda item: item.end_minute))
    later = {second.id for _, second in found}
    for first, second in found:
        assert minutes_of(first) & minutes_of(second)
    clashing = [{one.id, other.id} for one, other in combinations(items, 2) if minutes_of(one) & minutes_of(other)]
    assert all(pair & later for pair in clashing)
    assert bool(found) == bool(clashing)


@given(SPANS, st.lists(st.integers(0, 3), min_size=7, max_size=7), st.integers(0, 5))
def test_a_capacity_is_exceeded_when_it_is_at_some_minute(
    spans: list[tuple[int, int]], demands: list[int], capacity: int
) -> None:
    items = items_of(spans)
    demand = {item.id: demands[number] for number, item in enumerate(items)}
    found = list(find_overloads([(i.start_minute, i.end_minute, demand[i.id], i) for i in items], capacity))
    runs = {item.id: minutes_of(item) for item in items}
    load = [sum(demand[item.id] for item in items if minute in runs[item.id]) for minute in range(50)]
    assert bool(found) == any(used > capacity for used in load)
    for together in found:
        assert sum(demand[one] for one in together) > capacity
        assert set.intersection(*(runs[one] for one in together))


@given(st.integers(0, 20), st.integers(1, 9), st.integers(0, 20), st.integers(1, 9))
def test_intervals_meet_when_they_share_a_minute(start: int, minutes: int, other_start: int, other_minutes: int) -> None:
    day = TEMPLATE.date
    one = TEMPLATE.booking.changed(start=stamp(day, start), end=stamp(day, start + minutes))
    other = TEMPLATE.booking.changed(start=stamp(day, other_start), end=stamp(day, other_start + other_minutes))
    shared = set(range(start, start + minutes)) & set(range(other_start, other_start + other_minutes))
    assert is_overlapping(one, other) == is_overlapping(other, one) == bool(shared)


def test_an_item_is_held_against_the_longest_before_it_not_the_latest() -> None:
    long, short, late = items_of([(0, 30), (5, 2), (20, 4)])
    assert list(find_overlaps([late, short, long], lambda item: item.end_minute)) == [(long, short), (long, late)]


def test_all_that_start_together_are_named_once() -> None:
    items = items_of([(0, 30), (5, 10), (5, 20), (5, 30)])
    uses = [(item.start_minute, item.end_minute, 1, item) for item in items]
    assert list(find_overloads(uses, 2)) == [("v0", "v1", "v2", "v3")]
    assert list(find_overloads(uses, 4)) == []
