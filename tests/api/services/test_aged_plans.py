"""A plan that was made a while ago is published only as far as its patients still hear of it in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk, rules

from api.services.accounts.accounts import SYSTEM
from api.services.weeks.planning import PlanRequest, prepare_plan, request_plan
from api.simulation.desk import AtOnce
from api.store.queries import jobs
from solver import Limits, plan_first_come

WEEK = "test-week"
MONDAY_AT_NINE = datetime(2026, 11, 30, 14, tzinfo=UTC)


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a week on its Monday at nine: v-1 stands on Tuesday, and v-2 waits."""
    asked = factories.scenario(visit("v-1"), visit("v-2", "quin"), policy=factories.policy(notice_minutes=240))
    with front_desk(sqlite_url, asked, factories.plan(asked, booking("v-1", "TU 09:00")), MONDAY_AT_NINE) as desk:
        yield desk


def plan(desk: FrontDesk) -> str:
    """Plan the week anew, first come, first served; return the plan's id."""
    asked, now = PlanRequest(WEEK, Limits(1, 1)), desk.clock()
    with desk.context.database.writing() as session:
        of = prepare_plan(session, asked, now)
        row = request_plan(session, AtOnce(desk.clock), SYSTEM, asked, of, now)
        jobs.finish_job(session, row.id, row.epoch, plan_first_come(of.scenario, of.standing), now)
        return row.id


def publish(desk: FrontDesk, made: str, **more: Any) -> Any:
    """Publish a plan."""
    return desk.ask("POST", "/v1/publications", {"plan": made, **more})


def test_a_plan_that_is_published_after_an_hour_is_as_good_as_it_was(desk: FrontDesk) -> None:
    made = plan(desk)
    desk.clock.pass_by(minutes=55)
    assert publish(desk, made).status_code == 201
    assert "v-2" in desk.stands()


@pytest.mark.parametrize(("hours", "broken"), [(3, {"notice"}), (24, {"notice", "not-past"})])
def test_nobody_is_told_by_an_old_plan_to_come_too_soon_or_in_the_past(desk: FrontDesk, hours: int, broken: set[str]) -> None:
    made = plan(desk)
    desk.clock.now += timedelta(hours=hours)
    refused = publish(desk, made)
    assert rules(refused) == broken
    assert {ground["path"] for ground in refused.json()["errors"]} == {"v-2"}
    assert "plan again" in refused.json()["detail"]
    assert desk.stands().keys() == {"v-1"}


def test_what_is_left_of_an_old_plan_may_be_published(desk: FrontDesk) -> None:
    made = plan(desk)
    desk.clock.now += timedelta(hours=24)
    assert publish(desk, made, keep=[{"kind": "visit", "id": "v-2"}]).status_code == 201
    assert desk.stands().keys() == {"v-1"}


def test_a_visit_that_has_begun_stays_though_its_week_asks_for_another_length(desk: FrontDesk) -> None:
    lengthened = desk.ask("GET", "/v1/visits/v-1").headers["etag"]
    assert desk.ask("PATCH", "/v1/visits/v-1", {"minutes": 300}, **{"If-Match": lengthened}).status_code == 200
    desk.clock.now += timedelta(hours=25)
    assert publish(desk, plan(desk)).status_code == 201
    assert desk.stands()["v-1"] == "Tue 14:00"
