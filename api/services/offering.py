"""Places that a waiting visit could have, as the caller on the line hears them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.owners import is_own
from api.runtime.exceptions import Conflict
from api.services.week import WeekSnapshot
from scheduling.additions import Addition
from scheduling.errors import UnknownId
from scheduling.plan import Reason, Violation, VisitBooking
from scheduling.publishing import rebase


@dataclass(frozen=True, slots=True)
class PlaceOption:
    """A place, and the points of cost that taking it adds."""

    booking: VisitBooking
    cost: int


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Places for which nobody else moves, the best first; without any, what stands in the way.

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

    Raises
    ------
    UnknownId, Conflict
        When the period asks for no such visit, or it has a place.
    """
    import solver

    if visit not in week.scenario.visits_by_id:
        raise UnknownId("visit", visit)
    week = week.reopen({visit})
    if visit in week.plan.visits_by_id:
        raise Conflict(f'visit "{visit}" has a place already')
    scenario, plan = week.settled
    links = tuple(link for link in scenario.links if visit in (link.before, link.after))
    without = scenario.restrict_to(scenario.visits_by_id.keys() - {visit})
    addition = Addition(visits=(scenario.visits_by_id[visit],), links=links)
    offers = solver.find_offers(without, rebase(plan, without), addition, count)
    free = tuple(PlaceOption(offer.bookings[0], offer.cost) for offer in offers.offers if not offer.moves)
    reasons = tuple(reason for left in offers.reasons for reason in left.reasons)
    if offers.offers and not free:
        reasons = (Reason(rule="making-room", detail="others would have to move: plan again from now"),)
    return PlaceOptions(visit, free, reasons, week.standing_violations)


def hide_bookings_of_others(session: Session, by: Actor, set_aside: Iterable[Violation]) -> tuple[Violation, ...]:
    """Return what stands against a rule as somebody may see it: of others' bookings a clinician hears no more than the rule."""
    if by.role is AccessRole.SCHEDULER:
        return tuple(set_aside)
    shown = (
        violation
        if all(is_own(session, by, "visit", identifier) for identifier in violation.ids)
        else Violation(violation.rule, (), "a booking of others stands against it")
        for violation in set_aside
    )
    return tuple(dict.fromkeys(shown))
