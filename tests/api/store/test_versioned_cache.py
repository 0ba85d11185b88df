"""What is derived is kept for the version that it came from, and a version is never two different states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from support import factories
from support.factories import group, visit
from support.stored import NOW, StoredWeek

from api.access.actor import AccessRole, Actor
from api.services.bookings import by_hand
from api.services.care import requests
from api.store.database import Database
from api.store.queries import periods, plans
from api.store.versioned_cache import VersionedCache, get_each_cached
from scheduling.plan import Plan
from scheduling.scenario import Scenario

DANA = Actor("dana", AccessRole.SCHEDULER)


def counted(calls: list[int]) -> Callable[[], int]:
    """Return what derives a number, another one each time."""

    def derive() -> int:
        calls.append(len(calls))
        return calls[-1]

    return derive


def test_one_version_is_derived_once_and_another_takes_its_place() -> None:
    calls: list[int] = []
    kept, derive = VersionedCache(), counted(calls)
    assert [kept.get("week", version, derive) for version in (1, 1, 2, 2, 1)] == [0, 0, 1, 1, 2]


def test_what_is_not_asked_for_longest_gives_way() -> None:
    calls: list[int] = []
    kept, derive = VersionedCache(2), counted(calls)
    assert [kept.get(name, 1, derive) for name in "abacab"] == [0, 1, 0, 2, 0, 3]


def test_who_asks_meanwhile_waits_and_gets_the_same() -> None:
    calls: list[int] = []
    kept, derive, together = VersionedCache(), counted(calls), Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        return kept.get("week", 1, derive)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [0] * 8


def test_a_failure_is_told_to_all_who_wait_for_it_and_kept_for_nobody() -> None:
    kept, begun, go_on = VersionedCache(), Event(), Event()

    def fail() -> int:
        begun.set()
        go_on.wait(30)
        raise LookupError("gone")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "week", 1, fail)
        begun.wait(30)
        second = pool.submit(kept.get, "week", 1, fail)
        go_on.set()
        for asked in (first, second):
            with pytest.raises(LookupError):
                asked.result(30)
    assert kept.get("week", 1, lambda: 7) == 7


def test_pieces_are_derived_together_once_for_each_version_and_the_oldest_give_way() -> None:
    kept, derived = VersionedCache(most_pieces=3), list[str]()

    def derive(wanted: Sequence[str]) -> dict[str, str]:
        derived.append("".join(wanted))
        return {one: one.upper() for one in wanted}

    for wanted in ("ab", "bca", "ad", "abcde", "c"):
        assert "".join(kept.get_each(wanted, derive)) == wanted.upper()
    assert derived == ["ab", "c", "d", "be", "c"]


def test_a_writer_neither_finds_nor_keeps_a_piece(week: StoredWeek) -> None:
    derived = list[str]()

    def derive(wanted: Sequence[str]) -> dict[str, int]:
        derived.extend(wanted)
        return {one: len(derived) for one in wanted}

    with week.store.writing() as rows:
        assert get_each_cached(rows, ["a", "b"], derive) == [2, 2]
    with week.store.reading() as rows:
        assert get_each_cached(rows, ["b", "a"], derive) == get_each_cached(rows, ["b", "a"], derive) == [4, 4]
    with week.store.writing() as rows:
        assert get_each_cached(rows, ["a"], derive) == [5]


def test_a_reader_is_given_what_was_derived_and_a_writer_sees_its_own_rows(week: StoredWeek) -> None:
    with week.store.reading() as rows:
        first = periods.load_scenario(rows, week.id)
    with week.store.reading() as rows:
        assert periods.load_scenario(rows, week.id) is first
    with week.store.writing() as rows:
        requests.add_visits(rows, DANA, week.id, visit("v-9", "pat").model_dump(mode="json"), NOW)
        assert "v-9" in periods.load_scenario(rows, week.id).visits_by_id
    assert "v-9" not in first.visits_by_id
    with week.store.reading() as rows:
        assert "v-9" in periods.load_scenario(rows, week.id).visits_by_id


def test_a_change_that_was_undone_leaves_nothing_behind(week: StoredWeek) -> None:
    with pytest.raises(LookupError), week.store.writing() as rows:
        requests.add_visits(rows, DANA, week.id, visit("v-9", "pat").model_dump(mode="json"), NOW)
        periods.load_scenario(rows, week.id)
        raise LookupError
    with week.store.reading() as rows:
        assert "v-9" not in periods.load_scenario(rows, week.id).visits_by_id


def version(store: Database, period_id: str) -> int:
    with store.reading() as rows:
        return periods.get_period(rows, period_id).version


def test_another_scenario_changes_the_version_of_all_since_it_may_change_clinic_and_people(week: StoredWeek) -> None:
    before = version(week.store, week.id)
    later = {"start": "2027-01-11", "end": "2027-01-16"}
    with week.store.writing() as rows:
        periods.keep_scenario(rows, factories.scenario(id="later", horizon=later), NOW)
    assert version(week.store, week.id) == before + 1
    assert version(week.store, "later") == 1


def test_a_change_of_a_period_changes_the_version_of_those_on_the_same_dates_only(week: StoredWeek) -> None:
    with week.store.writing() as rows:
        for name, start, end in (("same", "2026-12-04", "2026-12-08"), ("later", "2026-12-05", "2026-12-12")):
            periods.keep_scenario(rows, factories.scenario(id=name, horizon={"start": start, "end": end}), NOW)
    before = {name: version(week.store, name) for name in (week.id, "same", "later")}
    with week.store.writing() as rows:
        periods.touch(rows, week.id)
    grown = {name: version(week.store, name) - before[name] for name in before}
    assert grown == {week.id: 1, "same": 1, "later": 0}


def test_a_patient_who_is_only_asked_into_a_group_changes_its_period(store: Database) -> None:
    asked = factories.scenario(visit("v-1", "pat"), group("coping", "sol"))
    with store.writing() as rows:
        periods.keep_scenario(rows, asked, NOW)
    with store.writing() as rows:
        requests.change_patient(rows, DANA, "sol", 1, {"prefers": "morning"}, NOW)
    with store.reading() as rows:
        assert periods.load_scenario(rows, asked.id).patients_by_id["sol"].prefers == "morning"
    assert version(store, asked.id) == 2


def test_who_arrives_changes_the_week_so_that_nothing_decided_before_moves_them(week: StoredWeek, made: Plan) -> None:
    week.publish(made)
    before = version(week.store, week.id)
    with week.store.writing() as rows:
        by_hand.mark(rows, DANA, "v-1", "arrived", None, NOW + timedelta(days=4))
    assert version(week.store, week.id) == before + 1


def test_now_is_a_whole_minute_and_is_not_kept(week: StoredWeek, asked: Scenario) -> None:
    with week.store.reading() as rows:
        at = periods.load_scenario(rows, week.id, NOW + timedelta(seconds=59)).now
        assert at == asked.grid.wall(NOW)
        assert periods.load_scenario(rows, week.id).now is None
        assert plans.load_standing_plan(rows, periods.load_scenario(rows, week.id)).visits == ()
