"""A visit that stands with another length than it asks for by now: it holds its place, and every way out is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk, rules, wanted

NINE = "TU 09:00"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a week in which v-1 stands for 40 minutes and asks for 100, v-2 stands after it, and v-3 waits."""
    asked = factories.scenario(visit("v-1"), visit("v-2", "quin"), visit("v-3", "rae"))
    made = factories.plan(asked, booking("v-1", NINE), booking("v-2", "TU 09:40"))
    with front_desk(sqlite_url, asked, made) as desk:
        version = {"If-Match": desk.ask("GET", "/v1/visits/v-1").headers["etag"]}
        assert desk.ask("PATCH", "/v1/visits/v-1", {"minutes": 100}, **version).status_code == 200
        yield desk


def test_it_is_cancelled_by_the_desk(desk: FrontDesk) -> None:
    cancelled = desk.cancel("v-1")
    assert (cancelled.status_code, cancelled.json()["waiting"]) == (200, ["v-1"])
    booked = desk.book("v-1", "WE 09:00")
    assert (booked.status_code, booked.json()["end"]) == (201, "2026-12-02T10:40")


def test_it_is_cancelled_by_its_patient(desk: FrontDesk) -> None:
    assert desk.cancel("v-1", desk.link("v-1")).status_code == 200


def test_it_is_moved_with_the_length_that_it_asks_for(desk: FrontDesk) -> None:
    assert desk.move("v-1", "WE 09:00").json()["end"] == "2026-12-02T10:40"


def test_it_is_moved_on_the_board_with_the_length_that_it_asks_for(desk: FrontDesk) -> None:
    tag = {"If-Match": desk.ask("GET", "/v1/scenarios/test-week/board").headers["etag"]}
    change = {"kind": "place", "visit": "v-1", **wanted("WE 09:00")}
    assert desk.ask("POST", "/v1/scenarios/test-week/changes", {"changes": [change]}, **tag).status_code == 201
    assert desk.booking("v-1")["end"] == "2026-12-02T10:40"  # type: ignore[index]


def test_it_is_cancelled_on_the_board(desk: FrontDesk) -> None:
    tag = {"If-Match": desk.ask("GET", "/v1/scenarios/test-week/board").headers["etag"]}
    change = {"kind": "cancel", "visit": "v-1"}
    assert desk.ask("POST", "/v1/scenarios/test-week/changes", {"changes": [change]}, **tag).status_code == 201
    assert desk.booking("v-1") is None


def test_nobody_else_is_offered_its_place(desk: FrontDesk) -> None:
    def starts(answer: Any) -> set[str]:
        return {offer["place"]["start"] for offer in answer.json()["offers"] if offer["place"]["team"] == ["ana"]}

    offered = starts(desk.ask("POST", "/v1/visits/v-3/offers", {"count": 100}))
    assert offered and "2026-12-01T09:00" not in offered
    assert {"provider-overlap", "room-overlap"} <= rules(desk.book("v-3", NINE))


def test_it_is_offered_places_of_the_length_that_it_asks_for(desk: FrontDesk) -> None:
    offers = desk.ask("POST", "/v1/visits/v-1/offers", {"count": 1}).json()["offers"]
    assert (offers[0]["place"]["start"], offers[0]["place"]["end"]) != ("2026-12-01T09:00", "2026-12-01T09:40")


def test_once_it_has_begun_it_stays_on_the_board(desk: FrontDesk) -> None:
    desk.clock.now = TUESDAY_AT_NINE + timedelta(minutes=1)
    board = desk.ask("GET", "/v1/scenarios/test-week/board").json()
    assert "v-1" in str(board)
    assert desk.change("PUT", "booking/state", "v-1", {"state": "arrived"}).status_code == 200
    assert {"provider-overlap", "room-overlap"} <= rules(desk.book("v-3", NINE, patient_agreed=True))
