"""Several decisions are judged together and applied together, or none of them is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from support import factories
from support.factories import booking, link, visit
from support.frontdesk import FrontDesk, front_desk

from api.services.accounts.accounts import SYSTEM
from api.services.bookings.by_hand import RequestedPlace, decide_booking, decide_cancellation, decide_move
from api.services.bookings.decisions import Decision
from api.services.proposals.batches import apply_all, compare_weeks, find_new_violations
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


def three_decisions(desk: FrontDesk) -> list[Decision]:
    """Return decisions that need each other: v-3 moves where v-1 was, and v-4 gets the place of v-3, against a rule."""
    now = desk.clock()
    freed = decide_cancellation(load(desk), SYSTEM, "v-1", 1, now)
    moved = decide_move(freed.next_week, SYSTEM, "v-3", place(NINE), None, 1, now)
    odd = place("TU 10:05", "wang-exam-2", "dee")
    return [freed, moved, decide_booking(moved.next_week, SYSTEM, "v-4", odd, "the bus", now)]


def test_decisions_are_judged_together_by_what_they_come_to(desk: FrontDesk) -> None:
    decisions = three_decisions(desk)
    changes = compare_weeks(decisions).changes
    assert {change.id for change in changes} == {"v-1", "v-2", "v-3", "v-4"}
    assert [violation.rule for violation in find_new_violations(decisions)] == ["start-grid"]
    assert find_new_violations(decisions[:2]) == []


def test_decisions_are_applied_in_one_transaction_and_leave_the_week_that_was_decided_on(desk: FrontDesk) -> None:
    decisions = three_decisions(desk)
    with desk.context.database.writing() as session:
        apply_all(session, decisions)
    stands, decided = load(desk), decisions[-1].next_week
    assert stands.plan.visits_by_id == decided.plan.visits_by_id
    assert set(stands.plan.shifts) == set(decided.plan.shifts)
    assert stands.statuses == decided.statuses
    assert [one.pinned for one in stands.scenario.visits] == [one.pinned for one in decided.scenario.visits]
    assert desk.actions("v-1")[-1:] == ["booking.cancel"] and desk.actions("v-4") == ["booking.add"]


def test_nothing_of_several_decisions_is_done_when_the_week_has_changed(desk: FrontDesk) -> None:
    decisions, before = three_decisions(desk), desk.stands()
    with desk.context.database.writing() as session:
        periods.touch(session, "test-week")
    with pytest.raises(StaleVersion), desk.context.database.writing() as session:
        apply_all(session, decisions)
    assert desk.stands() == before


def test_only_decisions_that_follow_one_another_are_applied_together(desk: FrontDesk) -> None:
    week, now, before = load(desk), desk.clock(), desk.stands()
    freed = decide_cancellation(week, SYSTEM, "v-1", 1, now)
    apart = decide_booking(week, SYSTEM, "v-4", place("TU 13:00"), None, now)
    after = decide_booking(freed.next_week, SYSTEM, "v-4", place("TU 13:00"), None, now)
    for decisions in ([freed, apart], [after]):
        with pytest.raises(ValueError, match="has to be made on"), desk.context.database.writing() as session:
            apply_all(session, decisions)
        assert desk.stands() == before
    with desk.context.database.writing() as session:
        apply_all(session, [freed, after])
    assert desk.stands() != before
