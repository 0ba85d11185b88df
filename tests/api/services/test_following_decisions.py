"""Decisions that follow one another are applied together, or none of them is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest
from sqlmodel import Session
from support import factories
from support.factories import booking, link, visit
from support.frontdesk import FrontDesk, front_desk

from api.services.accounts.accounts import SYSTEM
from api.services.bookings.by_hand import (
    CancellationDecision,
    PlacementDecision,
    RequestedPlace,
    apply_cancellation,
    apply_placement,
    decide_booking,
    decide_cancellation,
    decide_move,
)
from api.services.weeks.week import WeekSnapshot, get_current_week
from api.store.errors import StaleVersion
from api.store.queries import periods

NINE = "TU 09:00"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a week: v-1 stands and v-2 follows it, v-3 stands alone, v-4 waits."""
    asked = factories.scenario(
        visit("v-1", "pat"),
        visit("v-2", "pat", "injection"),
        visit("v-3", "quin"),
        visit("v-4", "rae"),
        link("v-1", "v-2", min_days=1),
    )
    stands = (booking("v-1", NINE), booking("v-2", "TH 09:00", "wang-proc-1"), booking("v-3", "TU 10:00", "wang-exam-2", "dee"))
    with front_desk(sqlite_url, asked, factories.plan(asked, *stands)) as desk:
        yield desk


def load(desk: FrontDesk) -> WeekSnapshot:
    return get_current_week(desk.context, "test-week", desk.clock())


def place(start: str, room: str = "wang-exam-1", team: str = "ana") -> RequestedPlace:
    return RequestedPlace(datetime.fromisoformat(factories.at(start)), "wang", room, (team,))


def three_decisions(desk: FrontDesk) -> list[PlacementDecision | CancellationDecision]:
    """Return decisions that need each other: v-3 moves where v-1 was, and v-4 gets the place of v-3, against a rule."""
    now = desk.clock()
    freed = decide_cancellation(load(desk), SYSTEM, "v-1", 1, now)
    moved = decide_move(freed.next_week, SYSTEM, "v-3", place(NINE), None, 1, now)
    odd = place("TU 10:05", "wang-exam-2", "dee")
    return [freed, moved, decide_booking(moved.next_week, SYSTEM, "v-4", odd, "the bus", now)]


def apply_all(session: Session, decisions: Sequence[PlacementDecision | CancellationDecision]) -> None:
    for decision in decisions:
        if isinstance(decision, PlacementDecision):
            apply_placement(session, decision)
        else:
            apply_cancellation(session, decision)


def test_decisions_are_applied_in_one_transaction_and_leave_the_week_that_was_decided_on(desk: FrontDesk) -> None:
    decisions = three_decisions(desk)
    with desk.context.database.writing() as session:
        apply_all(session, decisions)
    stands, decided = load(desk), decisions[-1].next_week
    assert stands.plan.visits_by_id == decided.plan.visits_by_id
    assert set(stands.plan.shifts) == set(decided.plan.shifts)
    assert stands.statuses == decided.statuses
    assert [visit.pinned for visit in stands.scenario.visits] == [visit.pinned for visit in decided.scenario.visits]
    assert desk.actions("v-1")[-1:] == ["booking.cancel"] and desk.actions("v-4") == ["booking.add"]


def test_nothing_of_several_decisions_is_done_when_the_week_has_changed(desk: FrontDesk) -> None:
    decisions, before = three_decisions(desk), desk.stands()
    with desk.context.database.writing() as session:
        periods.touch(session, "test-week")
    with pytest.raises(StaleVersion), desk.context.database.writing() as session:
        apply_all(session, decisions)
    assert desk.stands() == before
