"""A day as it is lived: who comes when, who is late, what is held, who waits; names and initials, in the order of the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from support import factories
from support.factories import booking, patient, reserve, visit
from support.frontdesk import FrontDesk, front_desk

TODAY = "2026-12-01"
MONDAY_AT_EIGHT, TUESDAY_AT_NINE_TWENTY = datetime(2026, 11, 30, 13, tzinfo=UTC), datetime(2026, 12, 1, 14, 20, tzinfo=UTC)


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a week: on Tuesday pat comes twice and quin once, time is held, and rae has to be seen but has no place."""
    asked = factories.scenario(
        visit("v-1", "pat"),
        visit("v-2", "pat", "injection"),
        visit("v-3", "quin"),
        visit("v-4", "rae", "consult", priority="cancer", earliest=TODAY, deadline=TODAY, same_day=True),
        visit("v-5", "sol"),
        reserve("hold-1", "TU"),
        patients=[patient("quin", name="Quin van Example")],
    )
    stands = [booking("v-1", "TU 09:00"), booking("v-2", "TU 10:00", "wang-proc-1"), booking("v-3", "TU 13:00")]
    stands += [booking("v-5", "WE 09:00"), booking("hold-1", "TU 14:00")]
    with front_desk(sqlite_url, asked, factories.plan(asked, *stands), MONDAY_AT_EIGHT) as desk:
        yield desk


def test_a_day_is_told_in_its_order_with_names_initials_and_notes(desk: FrontDesk) -> None:
    version = desk.ask("GET", "/v1/visits/v-3").headers["etag"]
    changed = desk.ask("PATCH", "/v1/visits/v-3", {"note": "wheelchair", "tags": ["trial-7"]}, **{"If-Match": version})
    assert changed.status_code == 200, changed.text
    day = desk.ask("GET", f"/v1/days/{TODAY}").json()
    assert [item["id"] for item in day["items"]] == ["v-1", "v-2", "v-3", "hold-1"]
    third = day["items"][2]
    assert third["patients"] == [{"patient": "quin", "name": "Quin van Example", "initials": "Q v E"}]
    assert (third["note"], third["tags"], third["state"], third["minutes_late"]) == ("wheelchair", ["trial-7"], "booked", 0)
    assert day["now"] is None and day["figures"]["visits"] == 3
    assert "ana" in {provider["id"] for provider in day["providers"]}


def test_nobody_is_told_to_arrive_before_their_visit_before_is_over(desk: FrontDesk) -> None:
    first, second, *_ = desk.ask("GET", f"/v1/days/{TODAY}").json()["items"]
    assert first["arrive"] < first["start"]
    assert first["end"] <= second["arrive"] <= second["start"]


def test_who_has_not_come_is_late_until_they_arrive(desk: FrontDesk) -> None:
    desk.clock.now = TUESDAY_AT_NINE_TWENTY
    day = desk.ask("GET", f"/v1/days/{TODAY}").json()
    assert ([item["minutes_late"] for item in day["items"]], day["figures"]["late_now"]) == ([20, 0, 0, 0], 1)
    assert desk.change("PUT", "booking/state", "v-1", {"state": "arrived"}).status_code == 200
    day = desk.ask("GET", f"/v1/days/{TODAY}").json()
    assert (day["items"][0]["state"], day["items"][0]["minutes_late"]) == ("arrived", 0)
    assert day["figures"] | {"visits": 3, "arrived": 1, "late_now": 0, "held_left": 1} == day["figures"]


def test_who_waits_for_this_day_is_told_with_the_last_moment(desk: FrontDesk) -> None:
    (waiting,) = desk.ask("GET", f"/v1/days/{TODAY}").json()["waiting"]
    assert (waiting["visit"], waiting["patient"], waiting["same_day"]) == ("v-4", "rae", True)
    assert waiting["last_start"].startswith(f"{TODAY}T1")
    assert desk.ask("GET", "/v1/days/2026-12-02").json()["waiting"] == []


def test_a_day_of_no_week_is_not_there(desk: FrontDesk) -> None:
    assert desk.ask("GET", "/v1/days/2031-01-01").status_code == 404
    assert desk.ask("GET", "/v1/days/tomorrow").status_code == 422
