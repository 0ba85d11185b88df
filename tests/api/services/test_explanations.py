"""Why a visit is left out is found out beside the requests, and told in words with names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk
from support.worked import explain

from api.store.queries import jobs
from scheduling.plan import Reason

ASKED = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), patients=[factories.patient("quin", name="Quin Example")])


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a published week in which v-1 has a place and v-2 has none."""
    with front_desk(sqlite_url, ASKED, factories.plan(ASKED, booking("v-1", "WE 10:00"))) as desk:
        yield desk


def ask_why(desk: FrontDesk, visit: str = "v-2") -> Any:
    return desk.ask("POST", f"/v1/visits/{visit}/explanations", {"seconds": 3})


def test_reasons_are_told_in_words_once_they_are_found(desk: FrontDesk) -> None:
    asked = ask_why(desk).json()
    path = f"/v1/explanations/{asked['id']}"
    assert (asked["state"], asked["visit"], asked["reasons"]) == ("queued", "v-2", None)
    explain(desk.context.database, asked["id"], Reason(rule="room", detail="every room is taken"))
    told = desk.ask("GET", path).json()
    assert told["state"] == "done"
    (reason,) = told["reasons"]
    assert (reason["rule"], reason["detail"]) == ("room", "every room is taken")
    assert "Quin Example" in reason["words"]
    assert desk.ask("DELETE", path).status_code == 409


def test_an_explanation_is_no_plan(desk: FrontDesk) -> None:
    identifier = ask_why(desk).json()["id"]
    assert desk.ask("GET", f"/v1/plans/{identifier}").status_code == 404
    assert desk.ask("DELETE", f"/v1/plans/{identifier}").status_code == 404
    assert desk.ask("GET", "/v1/plans").json()["items"] == []


def test_a_visit_with_a_place_has_nothing_to_explain(desk: FrontDesk) -> None:
    assert ask_why(desk, "v-1").status_code == 409
    assert ask_why(desk, "nobody").status_code == 404


def test_an_explanation_can_be_called_off(desk: FrontDesk) -> None:
    identifier = ask_why(desk).json()["id"]
    assert desk.ask("DELETE", f"/v1/explanations/{identifier}").json()["state"] == "cancelled"
    with desk.context.database.reading() as session:
        assert jobs.get_job(session, identifier).ended_at is not None
