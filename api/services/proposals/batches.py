"""Several decisions as one change: judged together, and applied in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlmodel import Session

from api.services.bookings.by_hand import CancellationDecision, PlacementDecision, apply_cancellation, apply_placement
from api.services.bookings.decisions import Decision
from api.services.bookings.waitlist import OfferDecision, apply_offer
from api.services.intake.same_day import SameDayDecision, apply_same_day
from scheduling.comparison import Comparison, compare
from scheduling.plan import Violation


def compare_weeks(decisions: Sequence[Decision]) -> Comparison:
    """Return what decisions, made one after the other, change for whom and what that costs, all of them together."""
    first, last = decisions[0].week, decisions[-1].next_week
    return compare(first.scenario, first.upcoming, last.plan, last.scenario)


def find_new_violations(decisions: Sequence[Decision]) -> list[Violation]:
    """Return the rules that a week breaks after decisions, made one after the other, and did not break before them."""
    first, last = decisions[0].week, decisions[-1].next_week
    return list(first.find_newly_broken(last.scenario, last.plan, frozenset()))


def apply_all(session: Session, decisions: Sequence[Decision]) -> None:
    """Apply decisions in the order in which they were made, in the caller's transaction.

    Raises
    ------
    ValueError
        When the first was not made on a week of the store, or another one not on the week that the one before it leaves.
    StaleVersion, DoubleBooked
        When the week has changed since the first was made.
    """
    _expect_in_order(decisions)
    for decision in decisions:
        apply_decision(session, decision)


def apply_decision(session: Session, decision: Decision) -> None:
    """Apply a decision of any kind."""
    match decision:
        case PlacementDecision():
            apply_placement(session, decision)
        case CancellationDecision():
            apply_cancellation(session, decision)
        case SameDayDecision():
            apply_same_day(session, decision)
        case OfferDecision():
            apply_offer(session, decision)
        case _:
            raise TypeError(f"nothing applies a {type(decision).__name__}")


def _expect_in_order(decisions: Sequence[Decision]) -> None:
    if decisions and decisions[0].week.version is None:
        raise ValueError("the first decision has to be made on a week of the store")
    for earlier, later in pairwise(decisions):
        if later.week is not earlier.next_week:
            raise ValueError("each decision has to be made on the week that the one before it leaves")
