"""A visit that was withdrawn, or waits in another week, is asked for where its patient wants to come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from support import factories
from support.factories import booking, link, visit
from support.frontdesk import FrontDesk, front_desk

LATER = "next-week"


def shifted(document: Any) -> Any:
    """Return a document with the dates of its week a week later."""
    text = json.dumps(document)
    for day in factories.DATES.values():
        text = text.replace(day, str(date.fromisoformat(day) + timedelta(weeks=1)))
    return json.loads(text)


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    """Return a week in which v-1 stands, v-2 waits and v-3 follows it, and a week after it."""
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "quin"), link("v-2", "v-3", 1))
    with front_desk(store_url, asked, factories.plan(asked, booking("v-1", "TU 09:00"))) as desk:
        later = shifted(factories.scenario_fields(id=LATER))
        assert desk.ask("POST", "/v1/scenarios", later).status_code == 201
        yield desk


def ask_for(desk: FrontDesk, identifier: str, patient: str, scenario: str = LATER) -> Any:
    wanted = visit(identifier, patient).model_dump(mode="json")
    wanted = shifted(wanted) if scenario == LATER else wanted
    return desk.ask("POST", f"/v1/scenarios/{scenario}/visits", wanted)


def withdraw(desk: FrontDesk, identifier: str) -> None:
    version = desk.ask("GET", f"/v1/visits/{identifier}").headers["etag"]
    assert desk.ask("DELETE", f"/v1/visits/{identifier}", **{"If-Match": version}).status_code == 204


def test_a_visit_that_waits_goes_to_another_week_and_leaves_its_links(desk: FrontDesk) -> None:
    assert ask_for(desk, "v-2", "quin").status_code == 201
    assert desk.ask("GET", "/v1/visits/v-2").json()["scenario"] == LATER
    left = desk.ask("GET", "/v1/scenarios/test-week").json()
    assert ([one["id"] for one in left["visits"]], left["links"]) == (["v-1", "v-3"], [])
    place = {"start": "2026-12-08T09:00", "location": "wang", "room": "wang-exam-1", "team": ["ana"]}
    assert desk.ask("POST", "/v1/visits/v-2/booking", place).status_code == 201


def test_a_visit_with_a_place_goes_to_another_week_once_it_is_cancelled(desk: FrontDesk) -> None:
    refused = ask_for(desk, "v-1", "pat")
    assert refused.status_code == 409 and "test-week" in refused.json()["detail"]
    assert desk.stands()["v-1"] == "Tue 14:00"
    assert desk.cancel("v-1").status_code == 200
    assert ask_for(desk, "v-1", "pat").status_code == 201
    assert desk.ask("GET", "/v1/visits/v-1").json()["scenario"] == LATER


@pytest.mark.parametrize("scenario", ["test-week", LATER])
def test_what_was_withdrawn_by_a_slip_is_asked_for_again(desk: FrontDesk, scenario: str) -> None:
    withdraw(desk, "v-1")
    assert ask_for(desk, "v-1", "pat", scenario).status_code == 201
    shown = desk.ask("GET", "/v1/visits/v-1").json()
    assert (shown["state"], shown["scenario"]) == ("asked", scenario)
    assert {"visit.withdraw", "visit.add"} <= set(desk.actions("v-1"))


def test_a_visit_is_asked_for_once_and_stays_its_patients(desk: FrontDesk) -> None:
    assert ask_for(desk, "v-2", "quin", "test-week").status_code == 422
    assert ask_for(desk, "v-2", "rae").status_code == 409
    assert desk.ask("GET", "/v1/visits/v-2").json()["scenario"] == "test-week"


def test_a_week_that_is_taken_in_once_more_under_another_id_takes_no_visit_from_its_place(desk: FrontDesk) -> None:
    twin = desk.ask("GET", "/v1/scenarios/test-week").json() | {"id": "twin"}
    refused = desk.ask("POST", "/v1/scenarios", twin)
    assert refused.status_code == 409, refused.text
    assert [error["path"] for error in refused.json()["errors"]] == ["v-1"]
    assert desk.ask("GET", "/v1/visits/v-1").json()["scenario"] == "test-week"
    waiting = twin | {"visits": twin["visits"][1:]}
    assert desk.ask("POST", "/v1/scenarios", waiting).status_code == 201, "who only waits may be asked for there"
