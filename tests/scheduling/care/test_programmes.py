"""Group programmes: one session a calendar month, at its rhythm, on its weekday, for members and then those who wait."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.care.programmes import (
    Programme,
    ProgrammeMember,
    ProgrammeSession,
    WaitingPatient,
    build_groups,
    find_best_day,
    list_candidates,
    list_session_days,
    seat_attendees,
)
from scheduling.care.windows import is_weekday
from scheduling.fields import Horizon
from scheduling.requests import CurrentGroup
from scheduling.timegrid import stamp

MONDAYS = st.integers(0, 300).map(lambda weeks: date(2026, 11, 30) + timedelta(weeks=weeks))


def a_programme(last: date | None = date(2026, 12, 9), **changes: object) -> Programme:
    sessions = () if last is None else (ProgrammeSession(date=last),)
    programme = Programme(
        id="coping",
        name="Coping",
        service="behavioral-group",
        required=True,
        capacity=10,
        min_attendees=3,
        min_days=21,
        max_days=42,
        weekday="WE",
        sessions=sessions,
    )
    return programme.changed(**changes)


def week(monday: date, weeks: int = 1) -> Horizon:
    return Horizon(start=monday, end=monday + timedelta(weeks=weeks))


def asked(programme: Programme, horizon: Horizon, current: CurrentGroup | None = None) -> list[tuple[str, int, int]]:
    found = build_groups([programme], horizon, lambda name, month: current, is_weekday)
    return [(group.month, group.min_days_between, group.max_days_between) for group in found]


def test_a_session_is_best_four_weeks_after_the_last_on_the_weekday_of_the_group():
    assert find_best_day(a_programme(), "2027-01", is_weekday) == date(2027, 1, 6)
    assert find_best_day(a_programme(date(2026, 12, 11)), "2027-01", is_weekday) == date(2027, 1, 6)


def test_the_days_of_a_session_are_in_its_month_and_three_to_six_weeks_after_the_last():
    days = list_session_days(a_programme(date(2026, 12, 1)), "2027-01", is_weekday)
    assert (days[0], days[-1]) == (date(2027, 1, 1), date(2027, 1, 12))


def test_a_session_is_asked_for_in_the_week_of_its_best_day_and_until_it_has_been():
    programme = a_programme()
    assert asked(programme, week(date(2026, 12, 28))) == []
    assert asked(programme, week(date(2027, 1, 4))) == [("2027-01", 28, 28)]
    assert asked(programme, week(date(2027, 1, 11))) == [("2027-01", 35, 35)]
    assert asked(programme, week(date(2027, 1, 18))) == [("2027-01", 21, 42)], "the last week for it: on any day"
    met = programme.changed(sessions=(*programme.sessions, ProgrammeSession(date=date(2027, 1, 6))))
    assert asked(met, week(date(2027, 1, 11))) == []


def test_a_session_that_stands_is_asked_for_where_it_stands_and_nowhere_else():
    stands = CurrentGroup(
        start=stamp(date(2027, 1, 7), 600), location="wang", room="wang-group-1", team=("p",), attendees=("a",), notified=True
    )
    programme = a_programme(sessions=(ProgrammeSession(date=date(2026, 12, 9)), ProgrammeSession(date=date(2027, 1, 7))))
    assert asked(programme, week(date(2027, 1, 4)), stands) == [("2027-01", 21, 42)]
    assert asked(programme, week(date(2027, 1, 11)), stands) == []


def test_members_come_first_and_then_who_waits_by_priority_and_age():
    members = (
        ProgrammeMember(patient="m", priority="routine", since=date(2026, 9, 1), until=date(2027, 3, 1)),
        ProgrammeMember(patient="gone", priority="routine", since=date(2026, 1, 1), until=date(2027, 1, 4)),
        ProgrammeMember(patient="later", priority="routine", since=date(2027, 2, 1)),
    )
    waiting = (
        WaitingPatient(patient="new", priority="routine", since=date(2027, 1, 2)),
        WaitingPatient(patient="old", priority="routine", since=date(2026, 11, 1)),
        WaitingPatient(patient="soon", priority="soon", since=date(2027, 1, 3)),
        WaitingPatient(patient="m", priority="routine", since=date(2026, 10, 1)),
    )
    candidates = list_candidates(a_programme(members=members, waiting=waiting), date(2027, 1, 4))
    assert [(one.patient, one.priority) for one in candidates] == [
        ("m", "routine"),
        ("soon", "soon"),
        ("old", "soon"),
        ("new", "routine"),
    ]


def test_who_is_given_a_seat_is_a_member_for_some_months():
    programme = a_programme(waiting=(WaitingPatient(patient="new", priority="soon", since=date(2026, 12, 1)),))
    after = seat_attendees(programme, "2026-12", ["new", "other"], 6)
    assert after.waiting == ()
    assert after.members == (ProgrammeMember(patient="new", priority="soon", since=date(2026, 12, 1), until=date(2027, 6, 1)),)


@settings(max_examples=60, deadline=None)
@given(MONDAYS, st.lists(st.integers(0, 4), min_size=60, max_size=60), st.lists(st.booleans(), min_size=60, max_size=60))
def test_week_by_week_a_group_meets_once_each_month_at_its_rhythm_however_it_is_planned(first, days, left_out):
    programme = a_programme(first - timedelta(days=28))
    for number in range(60):
        horizon = week(first + timedelta(weeks=number))
        for group in build_groups([programme], horizon, lambda name, month: None, is_weekday):
            open_days = [
                day for day in list_session_days(programme, group.month, is_weekday) if horizon.start <= day < horizon.end
            ]
            later = [day for day in list_session_days(programme, group.month, is_weekday) if day >= horizon.end]
            last = group.last_session
            assert last is not None
            allowed = [d for d in open_days if group.min_days_between <= (d - last).days <= group.max_days_between]
            assert allowed
            if left_out[number] and later:
                continue
            day = allowed[days[number] % len(allowed)]
            programme = programme.changed(sessions=(*programme.sessions, ProgrammeSession(date=day)))
    met = sorted(session.date for session in programme.sessions)
    assert all(21 <= (late - early).days <= 42 for early, late in pairwise(met))
    months = [f"{day:%Y-%m}" for day in met[1:]]
    assert len(set(months)) == len(months) >= 12


def test_the_next_session_is_in_a_later_month_within_its_days():
    assert a_programme().next_dates() == (date(2027, 1, 1), date(2027, 1, 20))
    assert a_programme(date(2026, 11, 30)).next_dates() == (date(2026, 12, 21), date(2027, 1, 11))
    assert a_programme(date(2026, 12, 31)).next_dates() == (date(2027, 1, 21), date(2027, 2, 11))
    assert a_programme(None).next_dates() is None


@given(MONDAYS)
def test_days_on_which_a_session_may_be_lie_between_the_next_dates(monday: date):
    programme = a_programme(monday)
    first, last = programme.next_dates() or (monday, monday)
    months = {f"{day:%Y-%m}" for day in (first, last)}
    days = [day for month in months for day in list_session_days(programme, month, is_weekday)]
    assert days and all(first <= day <= last for day in days)
