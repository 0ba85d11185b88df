"""Capacity held for referrals to come: as many as were enough on the stated share of such days."""

from __future__ import annotations

from datetime import date, timedelta

from scheduling import catalogue
from scheduling.care.reserves import PressingReferral, build_reserves, quantile
from scheduling.care.windows import is_weekday
from scheduling.catalogue.entries import ReserveRule
from scheduling.fields import Horizon
from scheduling.requests import Reserve
from scheduling.timegrid import stamp

MONDAY = date(2027, 1, 4)
TODAY = MONDAY + timedelta(weeks=10, days=3)
NEXT = Horizon(start=MONDAY + timedelta(weeks=11), end=MONDAY + timedelta(weeks=12))
(HELD,) = [
    rule
    for rule in catalogue.list_reserve_rules()
    if (rule.service, rule.site, "MO" in rule.weekdays) == ("cancer-consult", "boston", True)
]
CONSULT = HELD.changed(quantile=90, usual=2)


def history(*counts: int, site: str | None = "boston") -> tuple[PressingReferral, ...]:
    """Return so many referrals on each Monday from the first on."""
    days = (MONDAY + timedelta(weeks=week) for week, count in enumerate(counts) for _ in range(count))
    return tuple(PressingReferral(known=stamp(day, 600), service="cancer-consult", site=site) for day in days)


def held(past: tuple[PressingReferral, ...], rule: ReserveRule = CONSULT, today: date = TODAY) -> dict[str, int]:
    """Return how many are held on each day, by weekday."""
    found: dict[str, int] = {}
    for reserve in build_reserves(past, NEXT, today, is_weekday, [rule]):
        found[f"{reserve.date:%a}"] = found.get(f"{reserve.date:%a}", 0) + 1
    return found


def test_a_quantile_is_the_smallest_number_that_is_enough_on_so_many_days():
    counts = [0, 0, 0, 0, 1, 1, 1, 2, 2, 5]
    assert [quantile(counts, percent) for percent in (0, 40, 41, 70, 71, 90, 91, 100)] == [0, 0, 1, 1, 2, 2, 5, 5]
    assert quantile([], 90) == 0


def test_the_history_of_a_weekday_says_how_many_are_held_on_it():
    assert held(history(0, 1, 1, 3, 1, 0, 1, 1, 3, 1)) == {"Mon": 3}
    assert held(history(0, 1, 1, 3, 1, 0, 1, 1, 3, 1), CONSULT.changed(quantile=80)) == {"Mon": 1}


def test_a_quantile_that_a_weekday_has_too_few_days_to_tell_is_that_of_all_weekdays():
    mondays, tuesdays = history(*[1] * 11), history(*[3] * 11)
    past = (*mondays, *(referral.changed(known=referral.known + timedelta(days=1)) for referral in tuesdays))
    assert held(past) == {"Mon": 1, "Tue": 3}
    assert held(past, CONSULT.changed(quantile=97)) == dict.fromkeys(("Mon", "Tue", "Wed", "Thu", "Fri"), 3)


def test_days_that_needed_nothing_count_and_other_sites_do_not():
    assert held(history(3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) == {}
    assert held(history(1, *[3] * 10, site="waltham")) == {}


def test_without_a_history_the_usual_number_is_held():
    assert held(()) == dict.fromkeys(("Mon", "Tue", "Wed", "Thu", "Fri"), 2)
    few = history(4)
    assert held(few, today=MONDAY + timedelta(weeks=2)) == dict.fromkeys(("Mon", "Tue", "Wed", "Thu", "Fri"), 2)


def test_nothing_is_held_for_referrals_that_have_all_come():
    notice = CONSULT.changed(notice_days=1)
    thursday, friday, sunday = (NEXT.start - timedelta(days=days) for days in (4, 3, 1))
    assert held((), notice, thursday)["Mon"] == 2
    assert ["Mon" in held((), notice, day) for day in (friday, sunday)] == [False, False]
    assert held((), notice, friday)["Tue"] == held((), CONSULT, sunday)["Mon"] == 2


def test_what_is_held_takes_its_windows_in_turn_and_has_ids_of_its_own():
    found = build_reserves((), NEXT, TODAY, is_weekday, [rule.changed(usual=3) for rule in catalogue.list_reserve_rules()])
    assert len({one.id for one in found}) == len(found)
    first, second, third = [
        one for one in found if (one.date, one.service, one.site) == (NEXT.start, "cancer-consult", "boston")
    ]
    assert isinstance(first, Reserve)
    assert [f"{one.from_:%H:%M}" for one in (first, second, third)] == ["15:00", "13:00", "15:00"]


# ---- By the hour of the day ----


def day_by_day(*days: tuple[int, ...]) -> tuple[PressingReferral, ...]:
    """Return the referrals of each Monday from the first on, by the minutes at which they came."""
    first = PressingReferral(known=stamp(MONDAY, 0), service="spine-evaluation")
    return first, *(
        PressingReferral(known=stamp(MONDAY + timedelta(weeks=week), minute), service="cancer-consult", site="boston")
        for week, minutes in enumerate(days)
        for minute in minutes
    )


def windows(past: tuple[PressingReferral, ...], rule: ReserveRule = CONSULT, today: date = TODAY, minute: int = 0) -> list[str]:
    """Return when capacity may be held on the horizon's Monday."""
    asked = Horizon(start=NEXT.start, end=NEXT.start + timedelta(days=1))
    found = build_reserves(past, asked, today, is_weekday, [rule], minute)
    return [f"{one.from_:%H:%M}-{one.to:%H:%M}" for one in found]


NINE, TWO, HALF_PAST_TWO, LATE = 9 * 60, 14 * 60, 14 * 60 + 30, 16 * 60 + 45


def test_late_time_is_held_for_late_referrals():
    assert windows(day_by_day(*[(NINE,)] * 10)) == ["13:00-17:00"]
    assert windows(day_by_day(*[(NINE, HALF_PAST_TWO)] * 10)) == ["14:30-17:00", "13:00-17:00"]
    assert windows(day_by_day(*[(HALF_PAST_TWO,)] * 9, (TWO,), (TWO,))) == ["14:30-17:00"]
    assert windows(day_by_day(*[(TWO,)] * 10, (LATE,))) == ["14:00-17:00"]


def test_what_is_held_fits_the_hours_however_late_referrals_come():
    minutes = catalogue.get_service("cancer-consult").minutes
    assert windows(day_by_day(*[(LATE,)] * 10)) == [f"{stamp(TODAY, 17 * 60 - minutes):%H:%M}-17:00"]


def test_capacity_for_another_day_than_that_of_the_referral_takes_any_hour():
    assert windows(day_by_day(*[(HALF_PAST_TWO,)] * 10), CONSULT.changed(notice_days=1)) == ["15:00-17:00"]


def test_what_is_held_is_released_as_the_day_goes_on():
    past, today = day_by_day(*[(NINE, HALF_PAST_TWO)] * 10), NEXT.start
    assert len(windows(past, today=today, minute=NINE)) == 2
    assert windows(past, today=today, minute=NINE + 1) == ["14:30-17:00"]
    assert windows(past, today=today, minute=HALF_PAST_TWO) == ["14:30-17:00"]
    assert windows(past, today=today, minute=HALF_PAST_TWO + 1) == []


def test_each_of_those_held_tells_after_which_moment_nobody_is_expected_for_it():
    asked = Horizon(start=NEXT.start, end=NEXT.start + timedelta(days=1))
    held = build_reserves(day_by_day(*[(NINE, LATE)] * 10), asked, TODAY, is_weekday, [CONSULT])
    assert [f"{until:%a %H:%M}" for until in held.values() if until] == ["Mon 16:45", "Mon 09:00"]
    assert set(build_reserves((), asked, TODAY, is_weekday, [CONSULT]).values()) == {None}


def test_without_a_history_nothing_is_released_and_another_day_is_not_concerned():
    assert len(windows((), today=NEXT.start, minute=LATE)) == 2
    past = day_by_day(*[(NINE, HALF_PAST_TWO)] * 10)
    assert len(windows(past, today=NEXT.start - timedelta(days=1), minute=LATE)) == 2
