"""A decision says all that it changes, is made without a store, and leaves a week on which more can be decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from support import factories
from support.factories import Wish, booking, link, reserve, visit
from support.frontdesk import TUESDAY_AT_NINE

from api.access.actor import AccessRole
from api.runtime.exceptions import Conflict, RulesBroken
from api.services.accounts.accounts import SYSTEM
from api.services.bookings.by_hand import RequestedPlace, decide_booking, decide_cancellation, decide_move
from api.services.bookings.waitlist import decide_offer
from api.services.intake.same_day import InboundReferral, decide_referral, decide_waiting_visit
from api.services.weeks.week import WeekSnapshot
from api.store.epoch import Version
from api.store.errors import StaleVersion
from api.store.queries.bookings import VisitStatus
from scheduling.errors import UnknownId
from scheduling.publishing import publish
from scheduling.requests import Link, Reserve, Visit

NOW = TUESDAY_AT_NINE
BOOKED = VisitStatus(1, "booked")
NINE = "WE 09:00"
VERSION = Version("epoch", 1)


@pytest.fixture
def week() -> WeekSnapshot:
    """Return a week: v-1 stands and v-2 follows it, v-3 stands alone, v-4 waits."""
    return snapshot(
        visit("v-1", "pat"),
        visit("v-2", "pat", "injection"),
        visit("v-3", "quin"),
        visit("v-4", "rae"),
        link("v-1", "v-2", min_days=1),
        booking("v-1", NINE),
        booking("v-2", "FR 09:00", "wang-proc-1"),
        booking("v-3", "WE 10:00", "wang-exam-2", "dee"),
    )


def snapshot(*items: Visit | Link | Reserve | Wish) -> WeekSnapshot:
    """Return a week that asks for some visits, of which some stand, at nine on Tuesday."""
    scenario = factories.scenario(*(item for item in items if not isinstance(item, Wish)), now="TU 09:00")
    plan = factories.plan(scenario, *(item for item in items if isinstance(item, Wish)))
    return WeekSnapshot.of(VERSION, publish(scenario, plan), plan, dict.fromkeys(plan.visits_by_id, BOOKED))


def place(start: str, room: str = "wang-exam-1", team: str = "ana") -> RequestedPlace:
    return RequestedPlace(datetime.fromisoformat(factories.at(start)), "wang", room, (team,))


def test_a_move_says_what_moves_and_nothing_else_does(week: WeekSnapshot) -> None:
    decision = decide_move(week, SYSTEM, "v-1", place("WE 13:00"), None, 1, NOW)
    assert [(change.id, change.difference) for change in decision.diff.comparison.changes] == [("v-1", "moved")]
    assert decision.diff.comparison.notify == ("pat",)
    assert decision.next_week.plan.visits_by_id == {**week.plan.visits_by_id, "v-1": decision.booking}
    assert week.plan.visits_by_id["v-1"].start != decision.booking.start


def test_a_move_to_where_a_visit_stands_already_changes_nothing(week: WeekSnapshot) -> None:
    decision = decide_move(week, SYSTEM, "v-1", place(NINE), None, 1, NOW)
    assert decision.diff.comparison.changes == ()
    assert decision.next_week.plan.visits_by_id == week.plan.visits_by_id


def test_a_broken_rule_needs_a_reason_which_the_decision_keeps(week: WeekSnapshot) -> None:
    with pytest.raises(RulesBroken):
        decide_booking(week, SYSTEM, "v-4", place("WE 09:45"), None, NOW)
    decision = decide_booking(week, SYSTEM, "v-4", place("WE 11:05"), "the bus", NOW)
    assert (decision.overridden, decision.override_reason) == (("start-grid",), "the bus")
    assert decision.next_week.overridden == {"v-4"}
    kept = decide_booking(week, SYSTEM, "v-4", place("WE 11:00"), "to be safe", NOW)
    assert (kept.overridden, kept.override_reason, kept.next_week.overridden) == ((), None, frozenset())


def test_only_the_version_that_is_known_is_moved_or_cancelled(week: WeekSnapshot) -> None:
    with pytest.raises(StaleVersion):
        decide_move(week, SYSTEM, "v-1", place("WE 13:00"), None, 2, NOW)
    with pytest.raises(StaleVersion):
        decide_cancellation(week, SYSTEM, "v-3", 2, NOW)
    assert decide_cancellation(week, SYSTEM, "v-3", 1, NOW).cancelled == ("v-3",)
    assert decide_cancellation(week, SYSTEM, "v-3", None, NOW).cancelled == ("v-3",)


@pytest.mark.parametrize(
    ("state", "moves", "cancels"), [("booked", True, True), ("offered", False, True), ("done", False, False)]
)
def test_what_has_begun_stays_and_an_offer_is_only_given_up(week: WeekSnapshot, state: str, moves: bool, cancels: bool) -> None:
    status = replace(BOOKED, state=state)
    begun = WeekSnapshot.of(VERSION, week.scenario, week.plan, {**week.statuses, "v-3": status})

    def is_decided(move: bool) -> bool:
        try:
            if move:
                decide_move(begun, SYSTEM, "v-3", place("WE 13:00", "wang-exam-2", "dee"), "please", 1, NOW)
            else:
                decide_cancellation(begun, SYSTEM, "v-3", 1, NOW)
        except (Conflict, RulesBroken):
            return False
        return True

    assert (is_decided(move=True), is_decided(move=False)) == (moves, cancels)


def test_a_visit_has_one_place_and_only_a_placed_one_moves(week: WeekSnapshot) -> None:
    with pytest.raises(Conflict):
        decide_booking(week, SYSTEM, "v-1", place("WE 13:00"), None, NOW)
    with pytest.raises(UnknownId):
        decide_move(week, SYSTEM, "v-4", place("WE 13:00"), None, 1, NOW)
    assert not decide_booking(week, SYSTEM, "v-4", place("WE 13:00"), None, NOW).is_move


def test_a_cancellation_takes_along_what_cannot_be_without_it_but_not_by_a_patient(week: WeekSnapshot) -> None:
    decision = decide_cancellation(week, SYSTEM, "v-1", 1, NOW)
    assert decision.cancelled == ("v-1", "v-2") and set(decision.next_week.plan.visits_by_id) == {"v-3"}
    patient = replace(SYSTEM, role=AccessRole.PATIENT)
    with pytest.raises(Conflict):
        decide_cancellation(week, patient, "v-1", 1, NOW)
    assert decide_cancellation(week, patient, "v-2", 1, NOW).cancelled == ("v-2",)


def test_what_one_decision_frees_the_next_may_take(week: WeekSnapshot) -> None:
    freed = decide_cancellation(week, SYSTEM, "v-1", 1, NOW)
    with pytest.raises(RulesBroken):
        decide_booking(week, SYSTEM, "v-4", place(NINE), None, NOW)
    booked = decide_booking(freed.next_week, SYSTEM, "v-4", place(NINE), None, NOW)
    assert set(booked.next_week.plan.visits_by_id) == {"v-3", "v-4"}


def test_a_cancelled_visit_is_let_go_by_its_pin() -> None:
    pinned = visit("v-1", "pat", pinned=factories.pin(NINE))
    week = snapshot(pinned, booking("v-1", NINE))
    with pytest.raises(RulesBroken):
        decide_move(week, SYSTEM, "v-1", place("WE 13:00"), None, 1, NOW)
    freed = decide_cancellation(week, SYSTEM, "v-1", 1, NOW)
    assert decide_booking(freed.next_week, SYSTEM, "v-1", place("WE 13:00"), None, NOW).overridden == ()


def test_an_offer_keeps_its_place_on_the_week_it_leaves(week: WeekSnapshot) -> None:
    freed = decide_cancellation(week, SYSTEM, "v-3", 1, NOW)
    offer = decide_offer(freed.next_week, SYSTEM, freed.freed, {"v-3"}, timedelta(minutes=30), NOW)
    assert (offer.booking.visit, offer.expires_at) == ("v-4", NOW + timedelta(minutes=30))
    left = offer.next_week
    assert left.statuses["v-4"].state == "offered" and left.scenario.visit("v-4").pinned is not None
    assert freed.next_week.scenario.visit("v-4").pinned is None
    with pytest.raises(Conflict):
        decide_offer(freed.next_week, SYSTEM, freed.freed, {"v-3", "v-4"}, timedelta(minutes=30), NOW)


def test_a_referral_says_who_is_taken_in_and_where_they_are_seen() -> None:
    stands = (booking("v-1", "TU 10:00"), booking("hold-1", "TU 13:00"))
    week = snapshot(visit("v-1", "pat"), reserve("hold-1", "TU"), *stands)
    known = decide_referral(week, SYSTEM, InboundReferral("quin", "consult"), factories.patient("quin"), NOW)
    assert known.booking is not None and f"{known.booking.start:%Y-%m-%d}" == factories.on("TU")
    assert known.intake is not None and not known.intake.is_new_patient
    uma = factories.patient("uma")
    new = decide_referral(known.next_week, SYSTEM, InboundReferral("uma", "consult", uma), uma, NOW)
    assert new.intake is not None and new.intake.is_new_patient
    assert {known.visit, new.visit, "v-1"} == set(new.next_week.plan.visits_by_id)
    assert new.booking is not None and new.booking != known.booking.changed(visit=new.visit)
    again = decide_referral(week, SYSTEM, InboundReferral("uma", "consult", uma), uma, NOW)
    assert again.booking == known.booking.changed(visit=again.visit), "else the two would not have met"


def test_who_waits_is_placed_without_being_taken_in_again(week: WeekSnapshot) -> None:
    decision = decide_waiting_visit(week, SYSTEM, "v-4", NOW)
    assert (decision.visit, decision.intake, decision.episode, decision.reasons) == ("v-4", None, None, ())
    assert decision.booking is not None and decision.next_week.plan.visits_by_id["v-4"] == decision.booking
    with pytest.raises(Conflict):
        decide_waiting_visit(decision.next_week, SYSTEM, "v-4", NOW)
