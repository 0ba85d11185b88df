"""A cancellation hands the week that it leaves on to whoever decides next: the very week that the store has then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from support import factories
from support.factories import booking, group, link, visit
from support.frontdesk import FrontDesk, front_desk

from api.access.actor import AccessRole, Actor
from api.services.bookings.by_hand import CancellationDecision, apply_cancellation, decide_cancellation
from api.services.weeks.week import WeekSnapshot, load_week
from api.store.queries import periods, plans
from api.store.versioned_cache import CACHE_KEY
from scheduling.plan import Plan

DESK = Actor("desk", AccessRole.SCHEDULER, "desk")


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    visits = [visit(f"v-{number}", f"p-{number}") for number in range(4)]
    patients = [factories.patient(f"p-{number}") for number in range(4)]
    asked = factories.scenario(
        *visits, patients=patients, links=[link("v-1", "v-2")], groups=[group("g-1", "p-0", "p-1", required=False)]
    )
    places = ("MO 09:00", "TU 09:00", "WE 09:00", "TH 09:00")
    stands = [booking(f"v-{number}", place) for number, place in enumerate(places)]
    with front_desk(store_url, asked, factories.plan(asked, *stands)) as desk:
        yield desk


def kept(desk: FrontDesk) -> WeekSnapshot:
    with desk.context.database.reading() as session:
        return load_week(session, "test-week", desk.clock())


def stored(desk: FrontDesk) -> WeekSnapshot:
    with desk.context.database.reading() as session:
        session.info.pop(CACHE_KEY)
        return load_week(session, "test-week", desk.clock())


def decide(desk: FrontDesk, visit: str) -> CancellationDecision:
    return decide_cancellation(kept(desk), DESK, visit, None, desk.clock())


@pytest.mark.parametrize("cancelled", ["v-0", "v-1", "v-3"])
def test_the_next_decision_begins_where_the_one_before_ended(
    desk: FrontDesk, cancelled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cancelled == "v-3":
        assert desk.change("PUT", "pin", "v-3").status_code == 200
    kept(desk)
    assert desk.cancel(cancelled).status_code == 200
    expected = stored(desk)
    monkeypatch.setattr(plans, "load_standing_plan", None)
    assert kept(desk) == expected
    assert [left.visit for left in expected.plan.unscheduled] == (["v-1", "v-2"] if cancelled == "v-1" else [cancelled])


def test_what_is_undone_is_handed_on_to_nobody(desk: FrontDesk) -> None:
    decision, before = decide(desk, "v-0"), kept(desk)
    with pytest.raises(RuntimeError), desk.context.database.writing() as session:
        apply_cancellation(session, decision)
        raise RuntimeError
    assert desk.cancel("v-3").status_code == 200  # its week has the version that the other would have had
    assert kept(desk) == stored(desk) != before
    assert "v-0" in kept(desk).statuses


def test_with_another_change_in_one_transaction_nothing_is_handed_on(desk: FrontDesk) -> None:
    decision = decide(desk, "v-0")
    with desk.context.database.writing() as session:
        apply_cancellation(session, decision)
        periods.touch(session, "test-week")
    assert kept(desk) == stored(desk)


def test_where_a_missed_visit_waits_again_nothing_is_handed_on(desk: FrontDesk) -> None:
    desk.clock.now = desk.clock.now.replace(day=30, hour=20)
    assert desk.change("PUT", "booking/state", "v-0", {"state": "no-show"}).status_code == 200
    assert decide(desk, "v-3").left is None
    assert desk.cancel("v-3").status_code == 200
    assert kept(desk) == stored(desk)


def test_a_week_that_is_handed_on_wrongly_would_be_found(desk: FrontDesk) -> None:
    decision = decide(desk, "v-0")
    assert decision.left is not None
    wrong = replace(decision.left, plan=Plan.model_validate(decision.week.plan))
    with desk.context.database.writing() as session:
        apply_cancellation(session, replace(decision, left=wrong))
    assert kept(desk) != stored(desk)
