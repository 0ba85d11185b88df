"""Recurrence rules, held against dateutil's, which is another reader of RFC 5545."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calendars.recurrence import PATIENCE_DAYS, Rule, Unusable

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def parts(name: str, values: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[str]:
    lists = st.lists(values, min_size=1, max_size=most, unique=True)
    return st.one_of(st.just(""), lists.map(lambda chosen: f";{name}={','.join(map(str, chosen))}"))


plain_days = parts("BYDAY", st.sampled_from(WEEKDAYS))
nth_days = parts(
    "BYDAY", st.builds(lambda n, day: f"{n}{day}", st.sampled_from([-2, -1, 1, 2, 3, 4]), st.sampled_from(WEEKDAYS))
)
months = parts("BYMONTH", st.integers(1, 12))
month_days = parts("BYMONTHDAY", st.integers(1, 31) | st.integers(-31, -1))
interval = st.integers(1, 5).map(lambda number: f";INTERVAL={number}")
week_start = st.sampled_from(["", ";WKST=SU", ";WKST=MO"])

rules = st.one_of(
    st.tuples(st.just("FREQ=DAILY"), interval, plain_days, months).map("".join),
    st.tuples(st.just("FREQ=WEEKLY"), interval, plain_days, months, week_start).map("".join),
    st.tuples(st.just("FREQ=MONTHLY"), interval, plain_days | nth_days, month_days, months).map("".join),
    st.tuples(st.just("FREQ=YEARLY"), st.sampled_from(["", ";INTERVAL=2"]), plain_days | nth_days, month_days, months).map(
        "".join
    ),
    st.tuples(
        st.sampled_from(["FREQ=MONTHLY", "FREQ=YEARLY;BYMONTH=3,10"]),
        st.just(";BYDAY=MO,TU,WE,TH,FR"),
        st.sampled_from([";BYSETPOS=1", ";BYSETPOS=-1", ";BYSETPOS=2,-2"]),
    ).map("".join),
)
starts = st.dates(date(2015, 1, 1), date(2026, 6, 1))


def dateutil_dates(text: str, start: date, first: date, last: date) -> list[date]:
    rule = rrulestr(text, dtstart=datetime(start.year, start.month, start.day, 9))  # noqa: DTZ001
    window = (datetime(first.year, first.month, first.day), datetime(last.year, last.month, last.day, 23))  # noqa: DTZ001
    return [moment.date() for moment in rule.between(*window, inc=True)]


@settings(max_examples=300, deadline=None)
@given(text=rules, start=starts)
def test_a_rule_has_the_dates_that_dateutil_finds(text: str, start: date) -> None:
    rule, first, last = Rule.parse(text), date(2026, 1, 1), date(2027, 12, 31)
    assume(rule.wait_days(start, last) is not None)
    found = list(takewhile(lambda day: day <= last, rule.dates(start, first)))
    assert found == dateutil_dates(text, start, first, last)


@settings(max_examples=300, deadline=None)
@given(text=rules, start=starts, days=st.integers(0, 800))
def test_a_start_that_is_brought_forward_changes_no_later_date(text: str, start: date, days: int) -> None:
    rule = Rule.parse(text)
    before = start + timedelta(days=days)
    moved = rule.bring_forward(start, before)
    assert moved <= max(start, before)
    later = before + timedelta(days=900)
    assert list(takewhile(lambda day: day < later, rule.dates(moved, before))) == list(
        takewhile(lambda day: day < later, rule.dates(start, before))
    )


def test_control_starts_are_brought_forward() -> None:
    rule = Rule.parse("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU")
    assert rule.bring_forward(date(2001, 1, 2), date(2026, 3, 1)) == date(2026, 2, 10)


@settings(max_examples=200, deadline=None)
@given(text=rules, start=starts)
def test_a_rule_that_is_admitted_has_a_date_soon_and_no_more_dates_than_reckoned(text: str, start: date) -> None:
    rule, window_end = Rule.parse(text), date(2026, 12, 31)
    wait = rule.wait_days(start, window_end)
    if wait is not None:
        assert dateutil_dates(text, start, window_end + timedelta(days=wait), window_end + timedelta(days=wait))
    found = list(takewhile(lambda day: day < start + timedelta(days=400), rule.dates(start, start)))
    assert len(found) <= rule.most_dates(400)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4,6",
        "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9",
        "FREQ=YEARLY;BYDAY=53MO;BYMONTH=5",
    ],
)
def test_a_rule_without_dates_is_known_as_such(text: str) -> None:
    assert Rule.parse(text).wait_days(date(2026, 3, 3), date(2026, 12, 31)) is None


def test_the_29th_of_february_is_soon_enough_also_across_2100() -> None:
    rule = Rule.parse("FREQ=YEARLY")
    wait = rule.wait_days(date(2096, 2, 29), date(2096, 2, 29))
    assert wait is not None
    assert wait <= PATIENCE_DAYS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYDAY=MO,1TU",
        "FREQ=MONTHLY;BYDAY=54MO",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=٣",
        "FREQ=WEEKLY;WKST=XX",
        "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5",
        "FREQ=DAILY;BYHOUR=",
        "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 63),
    ],
)
def test_a_rule_that_no_calendar_program_writes_is_refused(text: str) -> None:
    with pytest.raises(Unusable):
        Rule.parse(text)


@given(text=rules)
def test_a_rule_is_written_as_it_was_read(text: str) -> None:
    rule = Rule.parse(text)
    assert Rule.parse(rule.written(None)) == rule
