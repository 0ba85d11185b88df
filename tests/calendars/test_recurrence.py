"""Recurrence rules, held against dateutil's, which is another reader of RFC 5545."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from calendars.recurrence import Rule, Unusable

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


def count_steps() -> tuple[list[int], Callable[[int], None]]:
    """Return a list that gets the steps of a walk, and what a walk tells them to."""
    steps: list[int] = []
    return steps, steps.append


@settings(max_examples=300, deadline=None)
@given(text=rules, start=starts)
def test_a_rule_has_the_dates_that_dateutil_finds(text: str, start: date) -> None:
    first, last = date(2026, 1, 1), date(2027, 12, 31)
    assert list(Rule.parse(text).list_dates(start, first, last)) == dateutil_dates(text, start, first, last)


clock_rules = st.one_of(
    st.tuples(st.just("FREQ=DAILY"), parts("BYHOUR", st.integers(0, 23)), parts("BYMINUTE", st.integers(0, 59))).map("".join),
    st.tuples(st.just("FREQ=HOURLY"), interval, parts("BYMINUTE", st.integers(0, 59)), plain_days).map("".join),
    st.tuples(st.just("FREQ=HOURLY"), interval, parts("BYHOUR", st.integers(0, 23), 8)).map("".join),
    st.tuples(st.just("FREQ=MINUTELY;INTERVAL=7"), parts("BYHOUR", st.integers(0, 23)), months).map("".join),
    st.tuples(st.just("FREQ=YEARLY"), parts("BYYEARDAY", st.integers(1, 366) | st.integers(-366, -1))).map("".join),
    st.tuples(st.just("FREQ=YEARLY;BYDAY=MO,WE"), parts("BYWEEKNO", st.integers(1, 53) | st.integers(-53, -1)), week_start).map(
        "".join
    ),
)
counts = st.sampled_from(["", ";COUNT=1", ";COUNT=3", ";COUNT=90"])


@settings(max_examples=300, deadline=None)
@given(text=clock_rules, count=counts, start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1)))  # noqa: DTZ001
def test_a_rule_of_hours_days_of_the_year_or_weeks_has_the_moments_that_dateutil_finds(
    text: str, count: str, start: datetime
) -> None:
    start, first, last = start.replace(microsecond=0), date(2026, 2, 1), date(2026, 2, 20)
    if "YEARLY" in text:
        last = date(2030, 1, 10)
    window = datetime.combine(first, time()), datetime.combine(last, time.max)
    try:
        expected = rrulestr(text + count, dtstart=start).between(*window, inc=True)
    except ValueError:  # dateutil refuses a rule whose steps meet none of its minutes or hours
        expected = []
    found = Rule.parse(text + count).list_moments(start, first, last, lambda steps: None)
    assert [moment for moment in found if moment >= window[0]] == expected


@settings(max_examples=200, deadline=None)
@given(text=rules, count=st.integers(1, 400), start=starts)
def test_a_rule_whose_count_has_surely_ended_it_has_no_later_date(text: str, count: int, start: date) -> None:
    counted, before = f"{text};COUNT={count}", date(2026, 6, 1)
    if Rule.parse(counted).is_over(start, before):
        assert dateutil_dates(counted, start, before, date(2200, 1, 1)) == []


def test_control_a_count_of_long_ago_has_surely_ended() -> None:
    rule = Rule.parse("FREQ=WEEKLY;COUNT=10;BYDAY=TU")
    assert [rule.is_over(date(2012, 1, 3), date(year, 1, 1)) for year in (2012, 2026)] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4,6",
        "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9",
        "FREQ=YEARLY;BYDAY=53MO;BYMONTH=5",
        "FREQ=YEARLY",
    ],
)
def test_a_rule_is_walked_within_the_window_alone_also_when_it_has_no_date_there(text: str) -> None:
    steps, spend = count_steps()
    start = date(1700, 2, 23) if text == "FREQ=YEARLY" else date(1700, 3, 3)
    assert list(Rule.parse(text).list_dates(start, date(2026, 3, 1), date(2026, 12, 31), spend)) == []
    assert sum(steps) < 4 * 366


@pytest.mark.parametrize(
    "text",
    [
        "",
        "COUNT=3",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5",
        "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 63),
        "RSCALE=HEBREW;FREQ=DAILY",
        "FREQ=HOURLY;BYSETPOS=1",
    ],
)
def test_a_rule_that_does_not_say_how_often_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(Unusable):
        Rule.parse(text)


@pytest.mark.parametrize(
    "text", ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=5", "FREQ=HOURLY;COUNT=9000000;BYMONTH=2;BYMONTHDAY=30"]
)
def test_a_rule_of_too_many_moments_is_refused_once_it_is_walked(text: str) -> None:
    with pytest.raises(Unusable):
        list(Rule.parse(text).list_moments(datetime(2020, 1, 1, 9), date(2026, 1, 1), date(2026, 9, 1), lambda steps: None))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "meant", "misread"),
    [
        ("FREQ=DAILY;COUNT=0", "FREQ=DAILY", ()),
        ("FREQ=DAILY;INTERVAL=0", "FREQ=DAILY", ("INTERVAL",)),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY", ()),
        ("FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY", ("FREQ",)),
        ("FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYDAY=MO", ("BYDAY",)),
        ("FREQ=MONTHLY;BYDAY=54MO", "FREQ=MONTHLY", ("BYDAY",)),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=MONTHLY", ("BYMONTHDAY",)),
        ("FREQ=MONTHLY;BYMONTHDAY=٣", "FREQ=MONTHLY", ("BYMONTHDAY",)),
        ("FREQ=WEEKLY;WKST=XX", "FREQ=WEEKLY", ("WKST",)),
        ("FREQ=DAILY;BYHOUR=", "FREQ=DAILY", ()),
        ("FREQ=MONTHLY;BYWEEKNO=20", "FREQ=MONTHLY", ("BYWEEKNO",)),
    ],
)
def test_a_part_that_cannot_be_understood_is_named_and_the_rule_is_what_it_is_without(
    text: str, meant: str, misread: tuple[str, ...]
) -> None:
    rule = Rule.parse(text)
    assert (rule, rule.misread) == (Rule.parse(meant), misread)


def test_a_week_of_the_year_without_a_weekday_has_that_of_the_start() -> None:
    rule = Rule.parse("FREQ=YEARLY;BYWEEKNO=20")
    assert list(rule.list_dates(date(2025, 5, 14), date(2026, 1, 1), date(2026, 12, 31))) == [date(2026, 5, 13)]
