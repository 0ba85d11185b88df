"""Places that a waiting visit could have, as the caller on the line hears them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.owners import is_own
from api.runtime.exceptions import Conflict
from api.services.weeks.week import WeekSnapshot
from api.store.queries import bookings
from scheduling.additions import Addition
from scheduling.errors import UnknownId
from scheduling.plan import Plan, Reason, Violation, VisitBooking
from scheduling.publishing import rebase
from scheduling.rules.stability import get_least_start, is_short_notice
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import OfferResult, SlotOffer


@dataclass(frozen=True, slots=True)
class PlaceOption:
    """A place, the points of cost that taking it adds, and whether it starts sooner than the least notice."""

    booking: VisitBooking
    cost: int
    short_notice: bool = False


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Places for which nobody else moves, the best first, those of short notice last; without any, what stands in the way.

    Attributes
    ----------
    set_aside : tuple of Violation
        What stands against a rule, as after an illness: it was left where it is, and has to be looked at.
    """

    visit: str
    options: tuple[PlaceOption, ...]
    reasons: tuple[Reason, ...]
    set_aside: tuple[Violation, ...]


def find_place_options(week: WeekSnapshot, visit: str, count: int) -> PlaceOptions:
    """Return the best places for a visit that has none, or was missed.

    Where there are too few, places follow of which its patient would hear sooner than the least notice.

    Raises
    ------
    UnknownId, Conflict
        When the period asks for no such visit, or it has a place.
    """
    if visit not in week.scenario.visits_by_id:
        raise UnknownId("visit", visit)
    week = week.reopen({visit})
    if visit in week.plan.visits_by_id:
        raise Conflict(f'visit "{visit}" has a place already')
    scenario, plan = week.settled
    offers = find_offers_of(scenario, plan, visit, count)
    free = _list_free(week.scenario, offers)
    if len(free) < count and (hurried := without_notice(scenario, visit)) is not None:
        sooner = [
            option for option in _list_free(week.scenario, find_offers_of(hurried, plan, visit, count)) if option.short_notice
        ]
        free += sooner[: count - len(free)]
    free.sort(key=lambda option: option.short_notice)
    reasons = tuple(reason for left in offers.reasons for reason in left.reasons)
    if offers.offers and not free:
        reasons = (_explain_moves(offers.offers[0]),)
    if not free and (over := _explain_days_over(week.scenario, visit)) is not None:
        reasons = (over,)
    return PlaceOptions(visit, tuple(free), reasons, week.standing_violations)


def _explain_moves(offer: SlotOffer) -> Reason:
    """Return why the best offer cannot be booked by itself: what would have to be given a place, or moved, with it."""
    if offer.is_free:
        waiting = ", ".join(sorted(f'"{change.id}"' for change in offer.moves))
        return Reason(rule="link", detail=f"{waiting} waits too: give that a place first")
    return Reason(rule="making-room", detail="others would have to move: plan again from now")


def _explain_days_over(scenario: Scenario, visit: str) -> Reason | None:
    """Return that every day on which a visit could be in its week is over, and what to do; None: one is to come."""
    if scenario.now is None:
        return None
    asked, today = scenario.visits_by_id[visit], scenario.now.date()
    if scenario.horizon.end <= today:
        monday = today - timedelta(days=today.weekday())
        monday += timedelta(weeks=monday < scenario.horizon.end)
        way = f"ask for the visit in the week of {monday}, or a later one"
        return Reason(rule="horizon", detail=f"the week was over before {scenario.horizon.end}: {way}")
    way = "book it for a reason, or ask for another day"
    if asked.same_day and asked.earliest < today:
        return Reason(rule="same-day", detail=f"its day, {asked.earliest}, is over: {way}")
    if asked.deadline is not None and asked.deadline < today:
        return Reason(rule="deadline", detail=f"its last day, {asked.deadline}, is over: {way}")
    return None


def is_told_late(scenario: Scenario, booking: VisitBooking) -> bool:
    """Return whether a patient would hear of a place sooner before it than the least notice."""
    return is_short_notice(scenario, scenario.visits_by_id[booking.visit], booking.start, booking.location)


def without_notice(scenario: Scenario, *visits: str) -> Scenario | None:
    """Return a scenario whose patients can come at once; None where the least notice binds none of some visits anyway."""
    if all(get_least_start(scenario, scenario.visits_by_id[visit]) is None for visit in visits):
        return None
    return scenario.changed(policy=scenario.policy.changed(notice_minutes=0))


def _list_free(scenario: Scenario, offers: OfferResult) -> list[PlaceOption]:
    """Return the places for which nobody moves."""
    return [
        PlaceOption(offer.bookings[0], offer.cost, is_told_late(scenario, offer.bookings[0]))
        for offer in offers.offers
        if not offer.moves
    ]


def find_offers_of(scenario: Scenario, plan: Plan, visit: str, count: int) -> OfferResult:
    """Return the best places for a visit that waits in a scenario."""
    import solver

    links = tuple(link for link in scenario.links if visit in (link.before, link.after))
    without = scenario.restrict_to(scenario.visits_by_id.keys() - {visit})
    addition = Addition(visits=(scenario.visits_by_id[visit],), links=links)
    return solver.find_offers(without, rebase(plan, without), addition, count)


def hide_bookings_of_others(session: Session, by: Actor, set_aside: Iterable[Violation]) -> tuple[Violation, ...]:
    """Return what stands against a rule as somebody may see it: of others' bookings a clinician hears no more than the rule."""
    if by.role is AccessRole.SCHEDULER:
        return tuple(set_aside)
    set_aside = tuple(set_aside)
    booked = bookings.list_subjects(session, {identifier for violation in set_aside for identifier in violation.ids})
    others = {identifier for identifier in booked if not is_own(session, by, "visit", identifier)}
    shown = (
        violation
        if others.isdisjoint(violation.ids)
        else Violation(violation.rule, (), "a booking of others stands against it")
        for violation in set_aside
    )
    return tuple(dict.fromkeys(shown))
