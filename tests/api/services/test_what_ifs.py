"""What would be if the world changed is tried beside the week: nothing stands anywhere until it is made real, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from support import factories
from support.factories import booking, shift, visit, week
from support.frontdesk import FrontDesk, front_desk, rules
from support.worked import finish, take

from api.store.queries import jobs
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver import Move

WHAT_IFS = "/v1/scenarios/test-week/what-ifs"
AWAY = {"kind": "absence", "provider": "ana", "from": "2026-12-02", "to": "2026-12-02", "reason": "ill"}
SHUT = {"kind": "closure", "room": "wang-exam-2", "from": "2026-12-04", "to": "2026-12-04"}
MORE = {"kind": "extra-shift", "provider": "dee", "locations": ["wang"], "from": "2026-12-04T13:00", "to": "2026-12-04T17:00"}

FRIDAY_MORNING = week(shift("FR 08:00", "12:00", "wang"), days=["FR"])
ASKED = factories.scenario(
    visit("v-1", "pat"),
    visit("v-2", "quin"),
    visit("v-3", "rae"),
    providers=factories.people(factories.DEE.model_copy(update={"shifts": FRIDAY_MORNING})),
)
STANDS = (booking("v-1", "WE 10:00"), booking("v-2", "WE 14:00"), booking("v-3", "TH 10:00"))


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a published week in which ana has work on Wednesday and Thursday; dee works on Friday morning."""
    with front_desk(sqlite_url, ASKED, factories.plan(ASKED, *STANDS)) as desk:
        yield desk


def try_out(desk: FrontDesk, *changes: dict[str, Any]) -> str:
    answer = desk.ask("POST", WHAT_IFS, {"disruptions": list(changes or [AWAY]), "seconds": 5})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def plan_around(asked: Scenario, start: str = "FR 09:00") -> Plan:
    """Move the first visit to dee, and leave the second one out."""
    return factories.plan(asked, booking("v-1", start, team="dee"), booking("v-3", "TH 10:00"))


def read(desk: FrontDesk, identifier: str) -> Any:
    answer = desk.ask("GET", f"/v1/what-ifs/{identifier}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def realise(desk: FrontDesk, identifier: str) -> Any:
    return desk.ask("POST", f"/v1/what-ifs/{identifier}/realisation")


def stored(desk: FrontDesk) -> list[Any]:
    paths = ("/v1/absences", "/v1/closures", "/v1/extra-shifts", "/v1/tasks", "/v1/plans", "/v1/publications")
    return [desk.stands(), *(desk.ask("GET", path).json()["items"] for path in paths)]


def test_what_would_be_is_told_and_nothing_is_done(desk: FrontDesk) -> None:
    before = stored(desk)
    identifier = try_out(desk)
    assert read(desk, identifier)["comparison"] is None
    finish(desk.context.database, identifier, plan_around, Move("visit", "v-1", ("pat",), "forced", ("busy",)))
    told = read(desk, identifier)
    (move,) = told["moves"]
    assert move["words"] == "followup of Pat cannot stay where it stands (busy)."
    assert told["state"] == "done" and told["disruptions"][0]["reason"] == "ill"
    assert {(change["id"], change["difference"]) for change in told["comparison"]["changes"]} == {
        ("v-1", "moved"),
        ("v-2", "dropped"),
    }
    assert [left["visit"] for left in told["left_out"]] == ["v-2"]
    assert {call["patient"] for call in told["call"]} == {"pat", "quin"}
    assert (told["figures"]["before"]["planned"], told["figures"]["after"]["planned"]) == (3, 2)
    assert stored(desk) == before


def test_what_is_planned_has_nobody_where_they_would_be_away(desk: FrontDesk) -> None:
    asked = take(desk.context.database, try_out(desk, AWAY, SHUT, MORE))
    away = asked.providers_by_id["ana"].busy
    assert [(stretch.start.isoformat(), stretch.end.isoformat()) for stretch in away] == [
        ("2026-12-02T00:00:00", "2026-12-03T00:00:00")
    ]
    assert asked.clinic.closures[-1].room == "wang-exam-2"
    assert asked.providers_by_id["dee"].shifts[-1].locations == ("wang",)


def test_made_real_the_world_changes_and_the_plan_is_published(desk: FrontDesk) -> None:
    identifier = try_out(desk)
    finish(desk.context.database, identifier, plan_around)
    answer = realise(desk, identifier)
    assert answer.status_code == 201, answer.text
    assert desk.stands() == {"v-1": "Fri 14:00", "v-3": "Thu 15:00"}
    (absence,) = desk.ask("GET", "/v1/absences").json()["items"]
    assert (absence["id"], absence["provider"]) == (answer.json()["disruptions"][0], "ana")
    assert [task for task in desk.ask("GET", "/v1/tasks").json()["items"] if task["kind"] == "booking-impossible"] == []
    assert read(desk, identifier)["realised_at"] is not None
    assert realise(desk, identifier).status_code == 409
    assert desk.ask("DELETE", f"/v1/what-ifs/{identifier}").status_code == 409


def test_a_plan_that_uses_an_extra_shift_is_published_with_the_shift(desk: FrontDesk) -> None:
    identifier = try_out(desk, AWAY, MORE)
    finish(desk.context.database, identifier, partial(plan_around, start="FR 14:00"))
    assert read(desk, identifier)["figures"]["after"]["planned"] == 2
    assert realise(desk, identifier).status_code == 201
    assert desk.stands()["v-1"] == "Fri 19:00"
    assert len(desk.ask("GET", "/v1/extra-shifts").json()["items"]) == 1
    assert read(desk, identifier)["comparison"]["changes"] == []


def test_neither_is_done_when_the_plan_does_not_go_with_what_was_decided_since(desk: FrontDesk) -> None:
    identifier = try_out(desk)
    finish(desk.context.database, identifier, plan_around)
    assert desk.move("v-3", "FR 09:00", team="dee").status_code == 200
    before = stored(desk)
    assert rules(realise(desk, identifier)) == {"provider-overlap", "room-overlap"}
    assert stored(desk) == before


def test_what_is_thrown_away_is_gone_and_no_longer_searched(desk: FrontDesk) -> None:
    identifier = try_out(desk)
    assert desk.ask("DELETE", f"/v1/what-ifs/{identifier}").status_code == 204
    assert desk.ask("GET", f"/v1/what-ifs/{identifier}").status_code == 404
    with desk.context.database.reading() as session:
        assert jobs.get_job(session, identifier).state == "cancelled"


def test_a_change_that_cannot_be_is_named_by_its_place(desk: FrontDesk) -> None:
    answer = desk.ask("POST", WHAT_IFS, {"disruptions": [AWAY, {**SHUT, "room": "nowhere"}]})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["body.disruptions[1].location"]


def test_what_is_tried_waits_for_no_plan(desk: FrontDesk) -> None:
    planned = desk.ask("POST", "/v1/plans", {"scenario": "test-week"}).json()["id"]
    tried = try_out(desk)
    with desk.context.database.reading() as session:
        assert [jobs.get_job(session, identifier).queue for identifier in (planned, tried)] == ["plans", "desk"]
