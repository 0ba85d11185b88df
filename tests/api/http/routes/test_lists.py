"""Long lists are given a page at a time: whatever the size of the pages, no row is given twice and none is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.frontdesk import FrontDesk, front_desk
from support.months import FRIDAY_AFTER, last_week, roster

from api.store.queries.tasks import add_task

PEOPLE = ("mrn-1", "mrn-2", "mrn-3", "mrn-4")

CHANGES_OF_THE_WORLD = {
    "/v1/absences": {"provider": "ana"},
    "/v1/closures": {"location": "wang"},
    "/v1/extra-shifts": {"provider": "ana", "locations": ["wang"]},
}

ELSEWHERE = {"/v1/plans", "/v1/publications"}
"""Lists of what solvers make, which are walked where plans are."""


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a desk with some rows in every list."""
    with front_desk(sqlite_url, last_week(), None, FRIDAY_AFTER) as desk:
        assert desk.ask("PUT", "/v1/roster", json.loads(roster(10))).status_code == 200
        for patient in PEOPLE:
            asked = {"patient": patient, "name": "Robin"}
            sent = desk.ask("POST", "/v1/intake", {**asked, "kind": "referral-out", "department": "neurology"})
            assert sent.status_code == 201, sent.text
            for kind in ("new-patient-acute", "physical-therapy"):
                assert desk.ask("POST", "/v1/intake", {**asked, "kind": kind}).status_code == 201
        for _ in range(2):
            assert desk.ask("POST", "/v1/weeks", {"weeks": 1}).status_code == 201
        for _ in range(3):
            assert desk.ask("POST", "/v1/feeds", {"kind": "provider", "subject": "ana"}).status_code == 201
        for hour in ("09", "10"):
            when = {"from": f"2026-12-08T{hour}:00", "to": f"2026-12-08T{hour}:30"}
            for path, what in CHANGES_OF_THE_WORLD.items():
                sent = desk.ask("POST", path, when | what)
                assert sent.status_code == 201, sent.text
        with desk.context.database.writing() as session:
            for patient in PEOPLE:
                add_task(session, "busy-conflict", ("patient", patient), {}, desk.clock())
        yield desk


def lists(desk: FrontDesk) -> set[str]:
    """Return the paths of every list that is given to schedulers in pages."""
    paths = desk.client.get("/openapi.json").json()["paths"]
    return {
        path
        for path, methods in paths.items()
        if any(one["name"] == "cursor" for one in methods.get("get", {}).get("parameters", ()))
        and "scheduler" in methods["get"]["x-roles"]
    }


def walked(desk: FrontDesk, path: str, limit: int) -> list[str]:
    """Return the rows of a list, read in pages of a size."""
    found: list[str] = []
    cursor, most = "", 100
    for _ in range(most):
        page = desk.ask("GET", f"{path}?limit={limit}&cursor={cursor}")
        assert page.status_code == 200, page.text
        assert len(page.json()["items"]) <= limit
        found += map(json.dumps, page.json()["items"])
        cursor = page.json()["next"]
        if cursor is None:
            return found
    raise AssertionError(f"{path} has no end")


def test_no_list_gives_a_row_twice_or_leaves_one_out(desk: FrontDesk) -> None:
    week = desk.ask("GET", "/v1/scenarios").json()["items"][-1]["id"]
    for path in sorted(lists(desk) - ELSEWHERE):
        whole = walked(desk, path.format(scenario=week, patient="mrn-1"), 200)
        assert len(whole) > 1 and len(set(whole)) == len(whole), path
        for limit in (1, 2, len(whole)):
            assert walked(desk, path.format(scenario=week, patient="mrn-1"), limit) == whole, (path, limit)
