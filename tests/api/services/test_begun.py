"""What has begun stays as it was, whatever is planned again and whatever became known since."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from support import factories
from support.factories import Wish, booking, link, visit
from support.months import in_memory

from api.services.weeks.setting_aside import pin_of
from api.services.weeks.week import WeekSnapshot
from api.store.queries.bookings import VisitStatus, find_booking
from scheduling.fields import Interval
from scheduling.publishing import publish, rebase
from scheduling.rules import find_violations
from scheduling.timegrid import stamp
from solver import plan_first_come

FIRST = "week-2026-11-30"
MONDAY_AT_TEN = datetime.fromisoformat("2026-11-30T10:00")
TUESDAY = date(2026, 12, 1)


def standing_week(ill: str | None = None) -> WeekSnapshot:
    """Return a week of two visits of one physician and a session, of which one visit and the session have begun."""
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), factories.group("g-1", "pat", "rae", month="2026-11"))
    session = factories.session("g-1", "MO 09:00", "rae")
    plan = factories.plan(asked, booking("v-1", "MO 09:40"), booking("v-2", "MO 11:00"), session)
    stands = publish(asked, plan, MONDAY_AT_TEN)
    if ill is not None:
        away = Interval(start=stamp(MONDAY_AT_TEN.date(), 0), end=stamp(MONDAY_AT_TEN.date(), 1440))
        people = [who.changed(busy=(away,)) if who.id == ill else who for who in stands.providers]
        stands = stands.changed(providers=tuple(people))
    return WeekSnapshot.of(None, stands, plan, dict.fromkeys(plan.visits_by_id, VisitStatus(1, "booked")))


def test_what_has_begun_is_pinned_where_it_stands() -> None:
    week = standing_week()
    asked, standing = week.to_plan()
    assert asked.visits_by_id["v-1"].pinned == pin_of(week.plan.visits_by_id["v-1"])
    assert asked.visits_by_id["v-2"].pinned is None
    assert (set(standing.visits_by_id), set(standing.groups_by_id)) == ({"v-1", "v-2"}, {"g-1"})
    assert not list(find_violations(asked, standing))


def test_what_breaks_a_rule_by_later_knowledge_is_set_aside_once_it_has_begun_and_else_moved() -> None:
    week = standing_week(ill="ana")
    asked, standing = week.to_plan()
    assert (set(asked.visits_by_id), set(standing.visits_by_id)) == ({"v-2"}, {"v-2"})
    made = plan_first_come(asked, standing)
    assert made.visits_by_id["v-2"] != standing.visits_by_id["v-2"]
    assert not list(find_violations(asked, made))
    begun = week.plan.visits_by_id["v-1"]
    assert [(closure.room, closure.end) for closure in asked.clinic.closures] == [(begun.room, begun.end)]
    shifts = {shift.start: shift.locations for shift in asked.providers_by_id["ana"].shifts}
    assert shifts[MONDAY_AT_TEN.replace(hour=8)] == ("wang",)


def test_what_is_held_where_a_rule_forbids_it_by_now_is_set_aside_too() -> None:
    week = standing_week(ill="ana")
    held = [
        asked.changed(pinned=pin_of(week.plan.visits_by_id["v-2"])) if asked.id == "v-2" else asked
        for asked in week.scenario.visits
    ]
    asked, standing = WeekSnapshot.of(None, week.scenario.changed(visits=tuple(held)), week.plan, week.statuses).to_plan()
    assert not asked.visits and not standing.visits


def test_a_session_that_has_begun_and_breaks_a_rule_by_now_is_set_aside() -> None:
    asked, standing = standing_week(ill="ben").to_plan()
    assert not asked.groups and not standing.groups
    assert set(standing.visits_by_id) == {"v-1", "v-2"}


def together_week(second: Wish | None, ill: str | None = None) -> WeekSnapshot:
    """Return a week of two visits that go together in any order, of which one has begun and the other stands or waits."""
    tied = link("v-1", "v-2", together=True, any_order=True, max_days=2)
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "pat"), links=[tied])
    plan = factories.plan(asked, booking("v-1", "MO 09:40"), *([second] if second else []))
    stands = publish(asked, plan, MONDAY_AT_TEN)
    if ill is not None:
        away = Interval(start=stamp(TUESDAY, 0), end=stamp(TUESDAY, 1440))
        people = [who.changed(busy=(away,)) if who.id == ill else who for who in stands.providers]
        stands = stands.changed(providers=tuple(people))
    return WeekSnapshot.of(None, stands, plan, dict.fromkeys(plan.visits_by_id, VisitStatus(1, "booked")))


@pytest.mark.parametrize(("second", "ill"), [(None, None), (booking("v-2", "TU 09:40"), "ana")])
def test_what_has_begun_stays_though_what_goes_with_it_waits_or_has_to_move(second: Wish | None, ill: str | None) -> None:
    asked, standing = together_week(second, ill).to_plan()
    waiting = asked.visits_by_id["v-2"]
    assert set(asked.visits_by_id) == {"v-2"}
    assert (waiting.pinned, waiting.earliest, waiting.deadline) == (None, MONDAY_AT_TEN.date(), date(2026, 12, 2))
    nobody = asked.changed(providers=())
    assert not list(find_violations(nobody, plan_first_come(nobody, rebase(standing.changed(visits=(), shifts=()), nobody))))


def test_what_goes_with_what_has_begun_and_still_can_be_stays_linked_with_it() -> None:
    asked, standing = together_week(booking("v-2", "TU 09:40")).to_plan()
    assert asked.links and set(standing.visits_by_id) == {"v-1", "v-2"}
    assert asked.visits_by_id["v-2"].pinned is None


def test_a_plan_that_leaves_out_what_has_begun_does_not_take_it_away() -> None:
    with in_memory() as desk:
        for patient in ("pat", "quin"):
            desk.refer("follow-up", patient)
        desk.build()
        first, second = (f"{row}" for row in desk.asked(FIRST))
        desk.publish(FIRST)
        with desk.store.reading() as session:
            rows = {visit: find_booking(session, ("visit", visit, "")) for visit in (first, second)}
        begins = {visit: row.starts_at for visit, row in rows.items() if row is not None}
        early = min(begins, key=lambda visit: begins[visit])
        plan = desk.plan(FIRST, first, second)
        desk.now = begins[early] + timedelta(minutes=5)
        desk.publish_made(plan)
        assert desk.stands(early) == "booked"
        desk.publish(FIRST, first, second)
        assert desk.stands(early) == "booked"
        late = max(begins, key=lambda visit: begins[visit])
        assert begins[late] == begins[early] or desk.stands(late) == "cancelled"
