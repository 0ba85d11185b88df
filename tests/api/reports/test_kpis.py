"""The figures of a plan, against numbers counted by hand."""

from __future__ import annotations

import pytest
from support import factories
from support.factories import booking, group, session, visit

from api.reports.kpis import Share, WaitingTime, Wishes, compute_kpis, percentile
from scheduling.check import check
from scheduling.plan import Plan
from scheduling.scenario import Scenario


def test_the_plan_that_is_counted_keeps_every_rule(asked: Scenario, made: Plan) -> None:
    assert check(asked, made).violations == ()


def test_visits_are_counted_by_priority(asked: Scenario, made: Plan) -> None:
    found = compute_kpis(asked, made)
    assert found.visits == Share(4, 5)
    assert found.visits_by_priority == {"routine": Share(3, 3), "urgent": Share(1, 1), "cancer": Share(0, 1)}


def test_waits_count_from_the_earliest_date_of_planned_visits(asked: Scenario, made: Plan) -> None:
    found = compute_kpis(asked, made)
    assert found.wait == WaitingTime(0.5, 4)
    assert found.late_visits == Share(1, 2)


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (9, 9), (10, 9), (11, 10), (20, 18)])
def test_a_percentile_is_the_smallest_value_that_reaches_its_rank(count: int, expected: int) -> None:
    assert percentile(range(1, count + 1), 90) == expected


def test_minutes_of_teams_are_held_against_minutes_of_shifts(asked: Scenario, made: Plan) -> None:
    found = compute_kpis(asked, made)
    assert found.provider_minutes == Share(360, 13_500)
    assert found.provider_minutes_by_role == {"physician": Share(210, 10_800), "psychologist": Share(150, 2700)}


def test_who_has_several_skills_counts_for_each(asked: Scenario, made: Plan) -> None:
    assert compute_kpis(asked, made).provider_minutes_by_skill == {
        "pain": Share(210, 10_800),
        "neuromodulation": Share(140, 2700),
        "psychology": Share(150, 5400),
        "psychiatry": Share(40, 2700),
    }


def test_rooms_are_used_with_their_cleaning_of_the_hours_in_which_somebody_could_be_there(asked: Scenario, made: Plan) -> None:
    assert compute_kpis(asked, made).room_minutes_by_kind == {
        "exam": Share(180, 3 * 2700 + 1410),
        "procedure": Share(41, 3 * 2700 + 1410),
        "consult": Share(0, 2700 + 1500),
        "group": Share(100, 2700),
    }


def test_wishes_count_only_where_there_is_one(asked: Scenario, made: Plan) -> None:
    assert compute_kpis(asked, made).wishes == Wishes(provider=Share(1, 2), site=Share(2, 3), half=Share(1, 2))


def test_trips_groups_holds_and_changes_are_counted(asked: Scenario, made: Plan) -> None:
    found = compute_kpis(asked, made)
    assert found.patients_with_extra_trips == Share(2, 4)
    assert found.holds == Share(1, 2)
    assert found.groups == Share(1, 1)
    assert found.group_seats == Share(2, 3)
    assert found.site_changes == 1
    assert found.notified_moves == 1


def test_seats_and_candidates_differ_when_there_are_more_candidates_than_seats() -> None:
    asked = factories.scenario(group("coping", "pat", "quin", "rae", "sol"), group("sleep", "tam", capacity=2))
    found = compute_kpis(asked, factories.plan(asked, session("coping", "TU 09:00", "pat quin rae")))
    assert (found.groups, found.group_seats, found.group_candidates) == (Share(1, 2), Share(3, 5), Share(3, 5))


def test_shifts_outside_the_planned_dates_are_no_time_to_use() -> None:
    extra = factories.provider("ana", shifts=factories.week(factories.shift("SU- 08:00", "12:00")))
    asked = factories.scenario(visit("v"), providers=[extra])
    assert compute_kpis(asked, factories.plan(asked, booking("v", "MO 08:00"))).provider_minutes == Share(40, 2700)


def test_nothing_asked_for_gives_no_ratio_rather_than_an_error() -> None:
    asked = factories.scenario(providers=[], clinic=factories.clinic(rooms=[]))
    found = compute_kpis(asked, factories.plan(asked))
    assert found.visits.ratio is None
    assert found.wait == WaitingTime(None, None)
    assert found.visits_by_priority == {}
    assert Share(1, 4).ratio == 0.25
