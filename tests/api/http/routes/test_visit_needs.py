"""One visit's own needs: its length and equipment are planned, its note and tags are the desk's alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk
from support.months import FRIDAY_AFTER, last_week, roster
from support.samples import MONDAY_AT_EIGHT

VISIT = "/v1/visits/{}"


@pytest.fixture
def week(store_url: str) -> Iterator[FrontDesk]:
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    with front_desk(store_url, asked, factories.plan(asked, booking("v-1", "TU 09:00")), MONDAY_AT_EIGHT) as desk:
        yield desk


def change(desk: FrontDesk, name: str, **fields: object) -> object:
    path = VISIT.format(name)
    tag = desk.ask("GET", path).headers["etag"]
    return desk.ask("PATCH", path, fields, desk.scheduler | {"If-Match": tag})


def test_a_visit_has_its_own_length_note_and_tags(week: FrontDesk) -> None:
    answer = change(week, "v-2", minutes=80, note="interpreter ordered", tags=["trial-7", "trial-7"])
    assert answer.status_code == 200, answer.text  # type: ignore[attr-defined]
    told = week.ask("GET", VISIT.format("v-2")).json()
    assert (told["visit"]["minutes"], told["note"], told["tags"]) == (80, "interpreter ordered", ["trial-7"])
    scenario = week.ask("GET", "/v1/scenarios/test-week").text
    assert '"minutes":80' in scenario and "interpreter" not in scenario and "trial-7" not in scenario
    assert change(week, "v-2", note=None).json()["note"] is None  # type: ignore[attr-defined]
    assert change(week, "v-2", minutes=None).json()["visit"]["minutes"] is None  # type: ignore[attr-defined]


def test_a_visit_of_the_wrong_patient_is_refused_another_and_told_the_way(week: FrontDesk) -> None:
    refused = change(week, "v-2", patient="rae")
    assert refused.status_code == 422  # type: ignore[attr-defined]
    assert "withdraw it" in refused.text  # type: ignore[attr-defined]
    assert week.ask("GET", VISIT.format("v-2")).json()["visit"]["patient"] == "quin"


def test_a_visit_is_booked_for_its_own_length(week: FrontDesk) -> None:
    change(week, "v-2", minutes=80)
    assert week.ask("GET", f"{VISIT.format('v-2')}/places").json()["minutes"] == 80
    booked = week.book("v-2", "TU 13:00")
    assert booked.status_code == 201, booked.text
    assert booked.json()["end"] == factories.at("TU 14:20")


@pytest.mark.parametrize("fields", [{"minutes": 0}, {"equipment": ["no-pool"]}, {"tags": ["two words"]}, {"note": "x" * 2_001}])
def test_needs_that_make_no_sense_are_refused_and_change_nothing(week: FrontDesk, fields: dict[str, object]) -> None:
    before = week.ask("GET", VISIT.format("v-2")).json()
    assert change(week, "v-2", **fields).status_code == 422  # type: ignore[attr-defined]
    assert week.ask("GET", VISIT.format("v-2")).json() == before


def test_lists_and_figures_are_filtered_by_tag(week: FrontDesk) -> None:
    change(week, "v-1", tags=["trial-7"])
    rows = week.ask("GET", "/v1/scenarios/test-week/visits?tag=trial-7").json()["items"]
    assert [(row["id"], row["tags"]) for row in rows] == [("v-1", ["trial-7"])]
    assert week.ask("GET", "/v1/scenarios/test-week/kpis?tag=trial-7").json()["visits"]["whole"] == 1
    assert week.ask("GET", "/v1/scenarios/test-week/kpis?tag=none").json()["visits"]["whole"] == 0
    assert week.ask("GET", "/v1/scenarios/test-week/kpis").json()["visits"]["whole"] == 2


def test_needs_come_in_with_the_referral_and_outlive_another_building_of_the_week(store_url: str) -> None:
    with front_desk(store_url, last_week(), None, FRIDAY_AFTER) as desk:
        clinic = json.loads(roster(6))
        pool = {"id": "interpreter-es", "location": clinic["clinic"]["locations"][0]["id"], "units": 1}
        clinic["clinic"]["equipment"].append(pool)
        assert desk.ask("PUT", "/v1/roster", clinic).status_code == 200
        head = "kind,patient,name,minutes,equipment,note,tags\n"
        row = "follow-up,mrn-1,Robin,60,interpreter-es,call first,trial-7 trial-8\n"
        headers = desk.scheduler | {"content-type": "application/octet-stream"}
        taken = desk.client.post("/v1/intake/spreadsheets", content=(head + row).encode(), headers=headers)
        assert taken.status_code == 201, taken.text
        again = desk.client.post("/v1/intake/spreadsheets", content=(head + row.replace("60", "80")).encode(), headers=headers)
        assert "needs" in again.json()["conflicts"][0]["fault"]
        assert desk.ask("POST", "/v1/weeks", {"weeks": 2}).status_code == 201
        (name,) = [item["id"] for item in desk.ask("GET", "/v1/patients/mrn-1/visits").json()["items"]]
        told = desk.ask("GET", VISIT.format(name)).json()
        assert (told["visit"]["minutes"], told["visit"]["equipment"]) == (60, ["interpreter-es"])
        assert (told["note"], told["tags"]) == ("call first", ["trial-7", "trial-8"])
        assert change(desk, name, minutes=80).status_code == 200  # type: ignore[attr-defined]
        assert desk.ask("POST", "/v1/weeks", {"weeks": 2}).status_code == 201
        assert desk.ask("GET", VISIT.format(name)).json()["visit"]["minutes"] == 80


def test_a_booked_visit_whose_new_length_does_not_fit_where_it_stands_is_a_task_until_it_does(week: FrontDesk) -> None:
    def impossible() -> list[str]:
        items = week.ask("GET", "/v1/tasks").json()["items"]
        return [task["subject"] for task in items if task["kind"] == "booking-impossible"]

    change(week, "v-1", note="nothing that a plan knows")
    assert impossible() == []
    change(week, "v-1", minutes=80)
    assert impossible() == ["v-1"]
    change(week, "v-1", minutes=None)
    assert impossible() == []
