"""Plans over HTTP: asked for, watched, read, published beside what was decided by hand, compared, and called off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support import factories
from support.factories import Wish, booking, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk, rules

from api.services.bookings import publishing
from api.store.audit import list_entries
from api.store.columns import utc_now
from api.store.queries import jobs, periods
from api.store.tables import JobEventRow
from scheduling.plan import Plan
from scheduling.scenario import Scenario

WEEK = "test-week"
STANDS = (booking("v-1", "TU 09:00"), booking("v-2", "TU 10:00", "wang-exam-2", "dee"))


@pytest.fixture
def week() -> Scenario:
    """Return a week of four visits."""
    return factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"), visit("v-4", "sol"))


@pytest.fixture
def desk(sqlite_url: str, week: Scenario) -> Iterator[FrontDesk]:
    """Return a week in which v-1 and v-2 stand."""
    with front_desk(sqlite_url, week, factories.plan(week, *STANDS)) as desk:
        yield desk


def asked(desk: FrontDesk, **body: Any) -> str:
    """Ask for a plan; return its id."""
    answer = desk.ask("POST", "/v1/plans", {"scenario": WEEK, "seconds": 5} | body)
    assert (answer.status_code, answer.json()["state"]) == (202, "queued"), answer.text
    assert answer.headers["location"] == f"/v1/plans/{answer.json()['id']}"
    return str(answer.json()["id"])


def snapshot(desk: FrontDesk, identifier: str) -> Scenario:
    """Return what a plan is asked of."""
    with desk.context.database.reading() as session:
        return periods.load_snapshot(session, jobs.get_job(session, identifier).scenario_id)


def made(desk: FrontDesk, identifier: str, *wishes: Wish) -> Plan:
    """Do what a worker does: take a job, report once, and bring the plan of some bookings."""
    plan = factories.plan(snapshot(desk, identifier), *wishes)
    step = {"phase": "search", "seconds": 1.5, "cost": plan.cost, "bound": None, "reported_at": utc_now()}
    with desk.context.database.writing() as session:
        assert jobs.take_job(session, identifier, 1, "worker", utc_now()) is not None
        assert jobs.add_event(session, JobEventRow(job_id=identifier, number=0, **step), 1)
        assert jobs.finish_job(session, identifier, 1, plan, utc_now())
    return plan


def publish(desk: FrontDesk, identifier: str) -> Any:
    return desk.ask("POST", "/v1/publications", {"plan": identifier})


def versions(desk: FrontDesk) -> dict[str, str]:
    return {name: desk.version(name) for name in desk.stands()}


def test_a_plan_is_asked_for_read_and_published_and_what_stays_is_not_touched(desk: FrontDesk) -> None:
    identifier = asked(desk)
    waiting = desk.ask("GET", f"/v1/plans/{identifier}").json()
    assert (waiting["state"], waiting["plan"], waiting["kpis"], waiting["comparison"]) == ("queued", None, None, None)
    plan = made(desk, identifier, *STANDS, booking("v-3", "WE 09:00"))
    done = desk.ask("GET", f"/v1/plans/{identifier}").json()
    assert (done["state"], done["plan"]) == ("done", json.loads(plan.model_dump_json()))
    assert done["kpis"]["visits"]["part"] == 3
    assert [(change["id"], change["difference"]) for change in done["comparison"]["changes"]] == [("v-3", "added")]
    before = versions(desk)
    published = publish(desk, identifier)
    figures = {key: published.json()[key] for key in ("added", "changed", "cancelled", "unchanged")}
    assert (published.status_code, figures) == (201, {"added": 1, "changed": 0, "cancelled": 0, "unchanged": 2})
    after = versions(desk)
    assert after.pop("v-3").startswith('"1.') and after == before
    assert desk.ask("GET", published.headers["location"]).json() == published.json()


def test_a_plan_may_call_so_many_patients_more_than_what_stands_does(desk: FrontDesk) -> None:
    limits = {calls: snapshot(desk, asked(desk, calls=calls)).policy.max_notified_moves for calls in (None, 0, 2)}
    assert limits == {None: None, 0: 0, 2: 2}
    assert desk.ask("POST", "/v1/plans", {"scenario": WEEK, "calls": -1}).status_code == 422


def test_part_of_a_plan_is_published_and_what_is_kept_stays_as_it_is(desk: FrontDesk) -> None:
    identifier, stood = asked(desk), desk.stands()
    made(desk, identifier, booking("v-1", "TU 13:00"), booking("v-3", "WE 09:00"), booking("v-4", "TH 09:00"))
    keep = [{"kind": "visit", "id": name} for name in ("v-1", "v-2", "v-4")]
    published = desk.ask("POST", "/v1/publications", {"plan": identifier, "keep": keep})
    figures = {key: published.json()[key] for key in ("added", "changed", "cancelled", "unchanged")}
    assert (published.status_code, figures) == (201, {"added": 1, "changed": 0, "cancelled": 0, "unchanged": 2})
    assert desk.stands() == {**stood, "v-3": "Wed 14:00"}
    assert publish(desk, identifier).status_code == 201
    assert "v-2" not in desk.stands() and desk.stands()["v-1"] != stood["v-1"]


def test_what_is_kept_has_to_be_asked_for_in_the_plan(desk: FrontDesk) -> None:
    identifier = asked(desk)
    made(desk, identifier, *STANDS)
    keep = [{"kind": "visit", "id": "v-1"}, {"kind": "group", "id": "v-1"}]
    refused = desk.ask("POST", "/v1/publications", {"plan": identifier, "keep": keep})
    assert (refused.status_code, [error["path"] for error in refused.json()["errors"]]) == (422, ["body.keep[1]"])


def test_what_is_published_again_changes_nothing(desk: FrontDesk) -> None:
    identifier = asked(desk)
    made(desk, identifier, *STANDS)
    before = versions(desk)
    assert [publish(desk, identifier).json()["unchanged"] for _ in range(2)] == [2, 2]
    assert versions(desk) == before


def test_a_publication_is_in_the_audit_with_what_it_changed(desk: FrontDesk) -> None:
    identifier = asked(desk)
    made(desk, identifier, *STANDS, booking("v-3", "WE 09:00"))
    assert publish(desk, identifier).status_code == 201
    with desk.context.database.reading() as session:
        (row,) = (
            row for row in list_entries(session, count=1000) if row.action == "plan.publish" and row.object_id == identifier
        )
    assert (row.role, row.outcome, row.detail["changed"]) == ("scheduler", "allowed", ["v-3"])


def test_what_was_decided_by_hand_meanwhile_stays(desk: FrontDesk) -> None:
    identifier = asked(desk)
    assert desk.move("v-1", "TU 13:00").status_code == 200
    assert desk.cancel("v-2").status_code == 200
    assert desk.book("v-4", "TH 09:00").status_code == 201
    made(desk, identifier, *STANDS, booking("v-3", "WE 09:00"))
    changes = desk.ask("GET", f"/v1/plans/{identifier}").json()["comparison"]["changes"]
    assert [(change["id"], change["difference"]) for change in changes] == [("v-3", "added")]
    assert (found := publish(desk, identifier)).status_code == 201, found.text
    assert desk.stands() == {"v-1": "Tue 18:00", "v-3": "Wed 14:00", "v-4": "Thu 14:00"}


def test_of_two_plans_the_one_that_is_published_last_holds(desk: FrontDesk) -> None:
    first, second = asked(desk), asked(desk, seed=1)
    made(desk, first, STANDS[0], booking("v-2", "TH 10:00", "wang-exam-2", "dee"))
    made(desk, second, *STANDS, booking("v-3", "WE 09:00"))
    assert [publish(desk, one).status_code for one in (second, first)] == [201, 201]
    assert desk.stands() == {"v-1": "Tue 14:00", "v-2": "Thu 15:00"}


def test_without_regard_to_it_the_plan_would_undo_it(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier = asked(desk)
    assert desk.move("v-1", "TU 13:00").status_code == 200
    made(desk, identifier, *STANDS)
    monkeypatch.setattr(publishing, "_list_decided", lambda *_: set())
    assert (found := publish(desk, identifier)).status_code == 201, found.text
    assert desk.stands()["v-1"] == "Tue 14:00"


def test_a_plan_that_does_not_go_with_what_was_decided_is_refused_by_rule_and_changes_nothing(desk: FrontDesk) -> None:
    identifier = asked(desk)
    assert desk.book("v-4", "WE 09:00").status_code == 201
    made(desk, identifier, *STANDS, booking("v-3", "WE 09:00"))
    before = versions(desk)
    assert {"provider-overlap", "room-overlap"} <= rules(publish(desk, identifier))
    assert versions(desk) == before and "v-3" not in before


def test_a_request_that_changed_meanwhile_is_judged_as_it_is_now(desk: FrontDesk) -> None:
    identifier = asked(desk)
    etag = desk.ask("GET", "/v1/visits/v-3").headers["etag"]
    assert desk.ask("PATCH", "/v1/visits/v-3", {"earliest": "2026-12-03"}, **{"If-Match": etag}).status_code == 200
    made(desk, identifier, *STANDS, booking("v-3", "WE 09:00"))
    assert rules(publish(desk, identifier)) == {"earliest"}


def test_a_visit_that_was_withdrawn_meanwhile_is_left_out(desk: FrontDesk) -> None:
    identifier = asked(desk)
    etag = desk.ask("GET", "/v1/visits/v-2").headers["etag"]
    assert desk.ask("DELETE", "/v1/visits/v-2", **{"If-Match": etag}).status_code == 204
    made(desk, identifier, *STANDS)
    assert (found := publish(desk, identifier)).status_code == 201, found.text
    assert desk.stands() == {"v-1": "Tue 14:00"}


def test_where_a_rule_was_overridden_a_new_plan_leaves_it_so(desk: FrontDesk) -> None:
    assert desk.move("v-1", "FR 18:00", override_reason="an extra evening").status_code == 200
    identifier = asked(desk)
    scenario = snapshot(desk, identifier)
    assert "v-1" not in scenario.visits_by_id
    others = [one for one in scenario.visits if one.id not in {"v-2", "v-3", "v-4"}]
    assert others == [] or all(other.pinned is not None for other in others)
    fillers = [
        Wish(other.id, factories.at("FR 18:00"), other.pinned.room, (), "wang", (), ())
        for other in others
        if other.pinned is not None
    ]
    made(desk, identifier, STANDS[1], booking("v-3", "WE 09:00"), *fillers)
    assert (found := publish(desk, identifier)).status_code == 201, found.text
    assert desk.stands() == {"v-1": "Fri 23:00", "v-2": "Tue 15:00", "v-3": "Wed 14:00"}


def test_a_week_of_which_something_stands_is_planned_from_the_present_moment_or_as_asked(desk: FrontDesk) -> None:
    desk.clock.now = TUESDAY_AT_NINE
    assert snapshot(desk, asked(desk)).now == factories.datetime.fromisoformat("2026-12-01T09:00")
    assert snapshot(desk, asked(desk, now="2026-12-02T07:00")).now == factories.datetime.fromisoformat("2026-12-02T07:00")


def test_a_week_of_which_nothing_stands_is_planned_whole(sqlite_url: str, week: Scenario) -> None:
    with front_desk(sqlite_url, week, None, TUESDAY_AT_NINE) as desk:
        assert snapshot(desk, asked(desk)).now is None


def test_only_a_plan_that_is_made_is_published_or_compared(desk: FrontDesk) -> None:
    identifier = asked(desk)
    assert publish(desk, identifier).status_code == 409
    assert publish(desk, "no-plan").status_code == 404
    assert desk.ask("GET", f"/v1/plans/{identifier}/comparison?before={identifier}").status_code == 409
    assert desk.ask("POST", "/v1/plans", {"scenario": "no-week"}).status_code == 404


def test_two_plans_are_compared(desk: FrontDesk) -> None:
    first, second = asked(desk), asked(desk, seed=1)
    made(desk, first, *STANDS)
    made(desk, second, STANDS[0], booking("v-2", "TH 10:00", "wang-exam-2", "dee"))
    document = desk.ask("GET", f"/v1/plans/{second}/comparison?before={first}").json()
    assert [(change["id"], change["difference"]) for change in document["changes"]] == [("v-2", "moved")]
    assert document["notify"] == ["quin"]


def test_a_plan_is_called_off_once(desk: FrontDesk) -> None:
    identifier = asked(desk)
    cancelled = desk.ask("DELETE", f"/v1/plans/{identifier}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert desk.ask("DELETE", f"/v1/plans/{identifier}").status_code == 409
    assert desk.ask("DELETE", "/v1/plans/no-plan").status_code == 404


def test_a_plan_is_watched_from_the_start_or_from_the_last_event_that_is_known(desk: FrontDesk) -> None:
    identifier = asked(desk)
    cost = made(desk, identifier, *STANDS).cost
    told = desk.ask("GET", f"/v1/plans/{identifier}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    step, end = told.text.strip().split("\n\n")
    assert step.startswith("id: 1\nevent: progress\ndata: ") and json.loads(step.split("data: ")[1])["cost"] == cost
    assert end == 'event: end\ndata: {"state": "done", "failure": null, "reason": null}'
    rest = desk.ask("GET", f"/v1/plans/{identifier}/events", **{"Last-Event-ID": "1"})
    assert rest.text.strip() == end
    assert desk.ask("GET", "/v1/plans/no-plan/events").status_code == 404


def test_watching_ends_when_the_service_does(desk: FrontDesk) -> None:
    identifier = asked(desk)
    desk.context.stopping.set()
    assert desk.ask("GET", f"/v1/plans/{identifier}/events").text == ""


def test_plans_and_publications_are_listed_newest_first_a_page_at_a_time(desk: FrontDesk) -> None:
    identifiers = [asked(desk, seed=seed) for seed in range(3)]
    made(desk, identifiers[0], *STANDS)
    numbers = [publish(desk, identifiers[0]).json()["id"] for _ in range(2)]
    for path, newest in (("/v1/plans", identifiers[::-1]), ("/v1/publications", numbers[::-1])):
        found, query = [], f"{path}?scenario={WEEK}&limit=1"
        cursor: str | None = ""
        while cursor is not None and len(found) < 9:
            page = desk.ask("GET", f"{query}&cursor={cursor}").json()
            found += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert found[: len(newest)] == newest
        assert desk.ask("GET", f"{path}?scenario=no-week").json() == {"items": [], "next": None}
        assert desk.ask("GET", f"{path}?cursor=WyJ4Il0").status_code == 422
    assert desk.ask("GET", "/v1/publications").json()["items"][0]["plan"] == identifiers[0]


def test_asking_again_with_the_same_key_is_one_plan(desk: FrontDesk) -> None:
    body = {"scenario": WEEK, "seconds": 5}
    answers = [desk.ask("POST", "/v1/plans", body, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(desk.ask("GET", "/v1/plans").json()["items"]) == 1
