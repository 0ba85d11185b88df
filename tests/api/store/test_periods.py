"""A scenario goes into the store and comes out as it is asked for now."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path

import pytest
from support import factories
from support.factories import current, current_group, group, link, patient, provider, reserve, shift, visit
from support.stored import NOW, StoredWeek

from api.store.backup import backup, restore
from api.store.database import Database
from api.store.errors import AlreadyThere, DoubleBooked, StaleVersion, StillReferenced
from api.store.queries import bookings, periods, requests
from scheduling.additions import Addition
from scheduling.errors import UnknownId
from scheduling.generate import generate
from scheduling.scenario import Scenario


def kept(store: Database, scenario: Scenario, now: datetime | None = None) -> Scenario:
    """Return what comes back of a scenario that is kept."""
    with store.writing() as rows:
        periods.keep_scenario(rows, scenario, NOW)
    with store.reading() as rows:
        return periods.load_scenario(rows, scenario.id, now)


def in_order(scenario: Scenario) -> Scenario:
    """Return a scenario in the order in which the store gives it back."""
    by_id = attrgetter("id")
    people = (
        one.changed(shifts=tuple(sorted(one.shifts, key=attrgetter("start"))), busy=tuple(sorted(one.busy, key=str)))
        for one in scenario.providers
    )
    return scenario.changed(
        providers=tuple(sorted(people, key=by_id)),
        patients=tuple(sorted(scenario.patients, key=by_id)),
        visits=tuple(sorted(scenario.visits, key=by_id)),
        groups=tuple(sorted(scenario.groups, key=by_id)),
        reserves=tuple(sorted(scenario.reserves, key=by_id)),
    )


def test_a_scenario_comes_back_as_it_went_in(store: Database) -> None:
    asked = generate("tiny", seed=4)
    assert in_order(kept(store, asked)) == in_order(asked)


def test_what_stands_and_the_present_moment_come_back(store: Database) -> None:
    asked = factories.scenario(
        visit("v-1", "pat", "injection", current=current("TU 09:00", "wang-proc-1", "cy", notified=False, supervisors="ana")),
        visit("v-2", "quin", current=current("TU 09:00", None, "dee", "west", supervisors="")),
        group("coping", "quin", "sol", current=current_group("TH 09:00", "sol", "quin", supervisors=[])),
        reserve("hold-1", "TU"),
        now="MO 09:20",
        freeze_minutes=60,
        patients=[patient("quin", [("MO 09:00", "MO 10:00")], prefers="morning")],
        providers=factories.people(provider("ana", busy=[("MO 10:00", "MO 11:00"), ("2026-12-06T10:00", "2026-12-06T11:00")])),
    )
    assert asked.now is not None
    back = kept(store, asked, asked.grid.utc(asked.now))
    assert (back.visits, back.groups, back.now, back.freeze_minutes) == (asked.visits, asked.groups, asked.now, 60)
    assert back.providers_by_id["ana"].busy == asked.providers_by_id["ana"].busy[:1]
    assert {one.id for one in back.patients} == {"pat", "quin", "sol"}


def test_what_single_visits_need_and_where_shifts_may_be_beside_come_back(store: Database) -> None:
    asked = factories.scenario(
        visit("v-1", minutes=65, equipment=["generator"], unscheduled=83, current=current("TU 09:00", supervisors="")),
        visit("v-2", "quin"),
        link("v-1", "v-2", any_order=True),
        clinic=factories.clinic(
            closures=[factories.closure("TU 09:00", "TU 10:00", "wang", room="wang-exam-2")],
            blocks=[factories.block("cancer", "WE", "13:00", "17:00", welcomes=["bedside"])],
        ),
        providers=factories.people(provider("ana", shifts=[shift("TU 08:00", "12:00", "wang", also=["yawkey"])])),
        policy=factories.policy(waiting=5, notice_minutes=60),
    )
    back = kept(store, asked)
    assert (back.visits, back.links, back.clinic, back.policy) == (asked.visits, asked.links, asked.clinic, asked.policy)
    assert back.providers_by_id["ana"].shifts == asked.providers_by_id["ana"].shifts


@pytest.mark.parametrize(("team", "known"), [("cy", None), ("ana", ())])
def test_who_supervises_is_known_to_be_nobody_only_where_no_trainee_is(
    store: Database, team: str, known: tuple[str, ...] | None
) -> None:
    (back,) = kept(store, factories.scenario(visit("v-1", current=current("TU 09:00", team=team)))).visits
    assert back.current is not None and back.current.supervisors == known


def test_a_week_in_which_the_clocks_change_comes_back_but_for_a_time_that_never_comes(store: Database) -> None:
    nights = [("2027-03-14T01:30", "2027-03-14T03:30"), ("2027-03-14T02:30", "2027-03-14T03:00")]
    duty = [shift("2027-03-13T08:00", "12:00"), shift("2027-03-15T08:00", "12:00")]
    asked = factories.scenario(
        visit("v-1", earliest="2027-03-15", current=current("2027-03-15T08:00", supervisors="")),
        horizon={"start": "2027-03-13", "end": "2027-03-16"},
        providers=factories.people(provider("ana", busy=nights, shifts=duty)),
    )
    back = kept(store, asked)
    assert back.providers_by_id["ana"].shifts == tuple(duty)
    assert back.visits == asked.visits
    assert back.providers_by_id["ana"].busy == asked.providers_by_id["ana"].busy[:1]


def test_a_period_is_taken_in_once(week: StoredWeek) -> None:
    with pytest.raises(AlreadyThere, match='period "test-week"'), week.store.writing() as rows:
        periods.keep_scenario(rows, week.scenario, NOW)


def test_a_scenario_whose_visits_stand_in_one_place_at_once_is_refused_whole(store: Database) -> None:
    asked = factories.scenario(
        visit("v-1", "pat", current=current("TU 09:00")),
        visit("v-2", "quin", current=current("TU 09:30", team="dee")),
    )
    with pytest.raises(DoubleBooked, match="wang-exam-1"):
        kept(store, asked)
    with store.reading() as rows:
        assert periods.list_periods(rows) == []


def test_a_later_period_takes_over_what_is_asked_for_again_with_where_it_stands(week: StoredWeek) -> None:
    later = factories.scenario(
        visit("v-1", "pat", deadline="FR"), visit("v-9", "rae"), id="later", patients=[patient("pat", prefers="afternoon")]
    )
    asked = factories.scenario(visit("v-1", "pat", current=current("TU 09:00")), id="earlier", now="MO 08:00")
    back = kept(week.store, asked), kept(week.store, later)
    assert [one.visits[0].current is not None for one in back] == [True, True]
    assert back[1].patients_by_id["pat"].prefers == "afternoon"
    with week.store.reading() as rows:
        assert [one.id for one in periods.load_scenario(rows, "earlier").visits] == []
        assert requests.get_visit(rows, "v-1").version > 1


def test_what_does_not_change_keeps_its_version(week: StoredWeek) -> None:
    with week.store.writing() as rows:
        requests.put_visits(rows, week.id, week.scenario.visits, NOW + timedelta(hours=1))
        changed = week.scenario.visit("v-2").changed(priority="cancer")
        requests.put_visits(rows, week.id, [changed], NOW)
        versions = {one.id: one.version for one in requests.list_visits(rows, week.id, "", 50)}
    assert versions == {"v-1": 1, "v-2": 2, "v-3": 1, "v-4": 1}


def test_a_withdrawn_visit_and_its_links_are_asked_for_no_more(week: StoredWeek) -> None:
    with week.store.writing() as rows:
        with pytest.raises(StaleVersion):
            requests.withdraw_visit(rows, "v-3", expected=7)
        requests.withdraw_visit(rows, "v-3", expected=1)
        back = periods.load_scenario(rows, week.id)
        known = requests.list_periods_of_patient(rows, "pat")
    assert ([one.id for one in back.visits], back.links) == (["v-1", "v-2", "v-4"], ())
    assert known == [week.id]


def test_an_addition_is_asked_for_from_then_on(week: StoredWeek) -> None:
    more = Addition(visits=(visit("v-5", "uma"),), links=(link("v-4", "v-5", 1),), patients=(patient("uma"),))
    with week.store.writing() as rows:
        periods.keep_addition(rows, week.id, more, NOW)
        back = periods.load_scenario(rows, week.id)
        requests.remove_links(rows, "v-5")
        without = periods.load_scenario(rows, week.id)
    assert (back.visits[-1], back.links) == (more.visits[0], (*week.scenario.links, *more.links))
    assert without.links == week.scenario.links


def test_a_link_to_a_visit_that_is_not_there_is_refused(week: StoredWeek) -> None:
    with pytest.raises(StillReferenced), week.store.writing() as rows:
        requests.add_links(rows, week.id, [link("v-1", "nobody's")])


def test_a_change_decided_on_an_older_version_of_the_period_is_refused(week: StoredWeek) -> None:
    with week.store.writing() as rows:
        first = periods.get_version(rows, week.id)
        assert (first.number, periods.touch(rows, week.id, expected=first).version) == (1, 2)
    with pytest.raises(StaleVersion, match='period "test-week" is no longer at version 1'), week.store.writing() as rows:
        periods.touch(rows, week.id, expected=first)


def test_a_change_decided_in_another_past_of_the_store_is_refused(week: StoredWeek, tmp_path: Path) -> None:
    with week.store.reading() as rows:
        before = periods.get_version(rows, week.id)
    backup(week.store, tmp_path / "copy")
    restore(week.store, tmp_path / "copy")
    with week.store.reading() as rows:
        assert periods.get_version(rows, week.id).number == before.number
    with pytest.raises(StaleVersion, match='period "test-week"'), week.store.writing() as rows:
        periods.touch(rows, week.id, expected=before)


def test_the_same_snapshot_is_kept_once_for_each_version(week: StoredWeek) -> None:
    with week.store.writing() as rows:
        period = periods.get_period(rows, week.id)
        first, again = (periods.keep_snapshot(rows, week.scenario, period, NOW).id for _ in range(2))
        periods.touch(rows, week.id)
        later = periods.keep_snapshot(rows, week.scenario, period, NOW).id
        back = periods.load_snapshot(rows, first)
    assert (first == again, first == later, back == week.scenario) == (True, False, True)


def test_what_is_not_there_is_named(store: Database) -> None:
    with store.reading() as rows:
        with pytest.raises(UnknownId, match='unknown period "none"'):
            periods.load_scenario(rows, "none")
        with pytest.raises(UnknownId, match="unknown visit"):
            requests.get_visit(rows, "none")
        with pytest.raises(UnknownId, match="unknown booking"):
            bookings.get_booking(rows, "none")


def test_a_period_is_found_by_its_dates(week: StoredWeek) -> None:
    first, end = week.scenario.horizon.start, week.scenario.horizon.end
    with week.store.reading() as rows:
        found = [periods.find_period_on(rows, day) for day in (first - timedelta(days=1), first, end - timedelta(days=1), end)]
    assert [one and one.id for one in found] == [None, week.id, week.id, None]
