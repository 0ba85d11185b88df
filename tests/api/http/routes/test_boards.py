"""The board of a week: all that a desk looks at in one answer, in names, and who waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk
from support.worked import finish, take

from api.store.queries import jobs
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


def plan_again(desk: FrontDesk) -> str:
    """Ask for a plan that no worker makes; return its id."""
    return str(desk.ask("POST", "/v1/plans", {"scenario": "test-week", "seconds": 5}).json()["id"])


def test_the_best_plan_so_far_is_a_board_while_the_search_goes_on(desk: FrontDesk) -> None:
    identifier = plan_again(desk)
    path, database = f"/v1/plans/{identifier}/board", desk.context.database
    assert desk.ask("GET", path).status_code == 409
    scenario = take(database, identifier)
    better = [
        factories.plan(scenario, booking("v-1", "TU 09:00")),
        factories.plan(scenario, booking("v-1", "MO 09:00"), booking("v-4", "TU 09:00")),
    ]
    with database.writing() as session:
        jobs.put_best_plan(session, identifier, 1, better[0].model_dump_json())
    first = desk.ask("GET", path)
    assert (first.json()["plan_version"], len(first.json()["visits"])) == (1, 1)
    assert desk.ask("GET", path, **{"If-None-Match": first.headers["etag"]}).status_code == 304
    with database.writing() as session:
        jobs.put_best_plan(session, identifier, 2, better[1].model_dump_json())
    second = desk.ask("GET", path, **{"If-None-Match": first.headers["etag"]}).json()
    assert {visit["visit"]: visit["notified"] for visit in second["visits"]} == {"v-1": False, "v-4": False}
    assert second["plan_version"] == 2 and first.json()["visits"][0]["notified"]


def test_once_it_is_made_a_plan_is_the_board(desk: FrontDesk) -> None:
    identifier = plan_again(desk)
    finish(desk.context.database, identifier, lambda scenario: factories.plan(scenario, booking("v-2", "WE 09:00")))
    board = desk.ask("GET", f"/v1/plans/{identifier}/board").json()
    assert ([visit["visit"] for visit in board["visits"]], board["plan_version"]) == (["v-2"], 0)


@pytest.mark.parametrize("fields", ["kpis,comparison", "plan", "comparison"])
def test_of_a_plan_only_what_is_wanted_is_told(desk: FrontDesk, fields: str) -> None:
    identifier = plan_again(desk)
    finish(desk.context.database, identifier, lambda scenario: factories.plan(scenario, booking("v-1", "TU 09:00")))
    told = desk.ask("GET", f"/v1/plans/{identifier}?fields={fields}").json()
    assert {name for name in ("plan", "kpis", "comparison") if told[name] is not None} == set(fields.split(","))
    assert desk.ask("GET", f"/v1/plans/{identifier}?fields=cost").status_code == 422


def test_whom_a_publication_would_call_is_told_by_name(desk: FrontDesk) -> None:
    identifier = plan_again(desk)
    finish(desk.context.database, identifier, lambda scenario: factories.plan(scenario, booking("v-1", "WE 09:00")))
    told = desk.ask("GET", f"/v1/plans/{identifier}?fields=comparison").json()
    assert told["call"] == [{"patient": "pat", "name": asked().patients_by_id["pat"].name, "by": "phone"}]
