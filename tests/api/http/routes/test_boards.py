"""The board of a week: all that a desk looks at in one answer, in names, and who waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk

from scheduling.scenario import Scenario

WEEK = "/v1/scenarios/test-week"


def asked() -> Scenario:
    return factories.scenario(
        visit("v-1", "pat", target="2026-11-30"),
        visit("v-2", "quin", deadline="2026-12-03"),
        visit("v-3", "rae", priority="cancer"),
        visit("v-4", "sol", deadline="2026-12-01"),
    )


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    scenario = asked()
    with front_desk(sqlite_url, scenario, factories.plan(scenario, booking("v-1", "TU 09:00"))) as desk:
        yield desk


def test_a_board_tells_where_everything_stands_and_how(desk: FrontDesk) -> None:
    answer = desk.ask("GET", f"{WEEK}/board")
    board = answer.json()
    (stands,) = board["visits"]
    assert (stands["visit"], stands["name"], stands["start"], stands["state"]) == (
        "v-1",
        asked().patients_by_id["pat"].name,
        factories.at("TU 09:00"),
        "booked",
    )
    assert (stands["late"], stands["pinned"], stands["participation"], stands["notified"]) == (True, False, None, True)
    assert [one["visit"] for one in board["waiting"]] == ["v-4", "v-2", "v-3"]
    assert board["figures"] | {"costs": {}} == {
        "cost": sum(board["figures"]["costs"].values()),
        "bound": None,
        "gap": None,
        "costs": {},
        "asked": 4,
        "planned": 1,
        "late": 1,
        "held": 0,
        "told": 1,
        "untold": 0,
    }
    ana = next(one for one in board["providers"] if one["id"] == "ana")
    assert "wang" in {one["location"] for one in ana["shifts"] if one["start"].startswith("2026-12-01")}


def test_a_board_that_is_known_is_not_told_again_until_something_changes(desk: FrontDesk) -> None:
    tag = desk.ask("GET", f"{WEEK}/board").headers["etag"]
    assert desk.ask("GET", f"{WEEK}/board", **{"If-None-Match": tag}).status_code == 304
    assert desk.change("PUT", "pin", "v-1").status_code == 200
    again = desk.ask("GET", f"{WEEK}/board", **{"If-None-Match": tag})
    assert (again.status_code, again.json()["visits"][0]["pinned"]) == (200, True)


@pytest.mark.parametrize(
    ("query", "visits"),
    [
        ("", ["v-4", "v-2", "v-3"]),
        ("?sort=priority", ["v-3", "v-4", "v-2"]),
        ("?priority=cancer", ["v-3"]),
        ("?family=none-such", []),
    ],
)
def test_who_waits_is_sorted_and_chosen(desk: FrontDesk, query: str, visits: list[str]) -> None:
    assert [one["visit"] for one in desk.ask("GET", f"{WEEK}/waiting{query}").json()["items"]] == visits


def test_who_waits_is_told_page_by_page_with_days_and_nobody_twice(desk: FrontDesk) -> None:
    first = desk.ask("GET", f"{WEEK}/waiting?limit=2").json()
    second = desk.ask("GET", f"{WEEK}/waiting?limit=2&cursor={first['next']}").json()
    assert [one["visit"] for one in (*first["items"], *second["items"])] == ["v-4", "v-2", "v-3"]
    assert second["next"] is None
    desk.clock.pass_by(days=3)
    assert desk.ask("GET", f"{WEEK}/waiting").json()["items"][0]["days_waited"] >= 3
