"""Where requests come in, by whatever door, one or many at once; who has to be seen today gets a place at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session

from api.access.actor import Actor
from api.context import AppContext
from api.services.bookings.by_hand import find_period
from api.services.bookings.decisions import with_retries
from api.services.intake.kinds import get_kind
from api.services.intake.request_forms import AcceptedRequest, LocatedRequest, Request
from api.services.intake.requests import IntakeContext, accept_requests, is_same_day
from api.services.intake.same_day import (
    InboundReferral,
    SameDayDecision,
    apply_same_day,
    decide_displacement,
    decide_referral,
    decide_waiting_visit,
    find_patient,
    find_period_today,
)
from api.services.patients.finding import Resemblance, find_resembling
from api.services.weeks.week import get_current_week
from api.store.queries import people, periods
from scheduling import catalogue
from scheduling.errors import InvalidFile

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of a request; ``today`` is the place of one that had to be seen today, or why there is none."""

    accepted: AcceptedRequest
    today: SameDayDecision | None = None


def receive_request(
    context: AppContext,
    by: Actor,
    request: Request,
    transact: Callable[[Callable[[Session], IntakeResult]], R],
    deterministic: bool = False,
) -> R:
    """Take in one request; who has to be seen today gets a place in the same transaction.

    Parameters
    ----------
    transact
        Runs a transaction.
    deterministic
        The search for a place of today counts work instead of time.

    Raises
    ------
    InvalidFile
        With every fault of the request.
    Conflict
        When the patient is on the pathway already, or what stands must be planned anew first.
    """
    now = context.clock()
    period = _find_period_of(context, request, now)
    if period is None:
        return transact(lambda session: IntakeResult(accept_requests(session, by, [LocatedRequest("body.", request)], now)[0]))

    referral, resembles = _to_referral(context, request, now)

    def result(session: Session, placement: SameDayDecision) -> IntakeResult:
        if request.birth_date is not None:
            people.set_birth_dates(session, {request.patient: request.birth_date})
        accepted = AcceptedRequest(request, placement.episode, (placement.visit,), resembles=resembles)
        return IntakeResult(accepted, placement)

    return _see_today(context, by, period, referral, now, result, transact, deterministic)


def receive_referral(
    context: AppContext, by: Actor, referral: InboundReferral, transact: Callable[[Callable[[Session], SameDayDecision]], R]
) -> R:
    """Take in a patient who is referred for a service of today, and give them a place in the same transaction.

    Parameters
    ----------
    transact
        Runs a transaction.

    Raises
    ------
    UnknownId, InvalidFile
        When it names whom nobody knows, or what there is not.
    Conflict
        When today is in no period, the patient is on the pathway already, or what stands must be planned anew first.
    """
    now = context.clock()
    period = find_period_today(context.database, now)
    return _see_today(context, by, period, referral, now, lambda _, placement: placement, transact)


def place_same_day(context: AppContext, by: Actor, accepted: Sequence[AcceptedRequest]) -> list[SameDayDecision]:
    """Give places to those of today among many that were taken in; who gets none waits, with the reasons.

    Raises
    ------
    Conflict
        When what stands must be planned anew first.
    """
    now = context.clock()
    placements = []
    for request in accepted:
        period = _find_period_of(context, request.request, now)
        if period is not None and request.visits:
            placements.append(_place_waiting(context, by, period, request.visits[0], now))
    return placements


def make_room(
    context: AppContext,
    by: Actor,
    visit: str,
    transact: Callable[[Callable[[Session], SameDayDecision]], R],
    deterministic: bool = False,
) -> R:
    """Give a visit that has to be on its day, and found no place, the place of others.

    Parameters
    ----------
    transact
        Runs a transaction.
    deterministic
        The proof that there is no place counts work instead of time.

    Raises
    ------
    UnknownId, Conflict
        When it is not asked for, need not be seen on one day, has a place, or what stands must be planned anew first.
    NoRoom
        When the day cannot take it, whoever gives way.
    """
    now, period = context.clock(), find_period(context.database, visit)
    return with_retries(
        context,
        period,
        lambda week: decide_displacement(week, by, visit, now, deterministic),
        apply_same_day,
        transact,
    )


def preview_room(context: AppContext, by: Actor, visit: str) -> SameDayDecision:
    """Return who would give way to a visit that has to be on its day, as :func:`make_room` would do it; nothing is done."""
    now = context.clock()
    return decide_displacement(get_current_week(context, find_period(context.database, visit), now), by, visit, now)


def _see_today(
    context: AppContext,
    by: Actor,
    period: str,
    referral: InboundReferral,
    now: datetime,
    result: Callable[[Session, SameDayDecision], T],
    transact: Callable[[Callable[[Session], T]], R],
    deterministic: bool = False,
) -> R:
    """Take a patient in and place them: the one way of all who come one at a time."""
    return with_retries(
        context,
        period,
        lambda week: decide_referral(week, by, referral, find_patient(context.database, referral), now, deterministic),
        lambda session, placement: result(session, apply_same_day(session, placement)),
        transact,
    )


def _place_waiting(context: AppContext, by: Actor, period: str, visit: str, now: datetime) -> SameDayDecision:
    """Place a patient of today who was taken in with many others."""
    return with_retries(
        context, period, lambda week: decide_waiting_visit(week, by, visit, now), apply_same_day, context.database.write
    )


def _find_period_of(context: AppContext, request: Request, now: datetime) -> str | None:
    """Return the period in which a request has to be seen today; None: it has not, or today is in none that is built."""
    if not is_same_day(request):
        return None
    with context.database.reading() as session:
        today = periods.get_zone(session).wall(now).date()
        row = periods.find_period_on(session, today)
    return None if row is None or request.referred_on not in (None, today) else row.id


def _to_referral(context: AppContext, request: Request, now: datetime) -> tuple[InboundReferral, tuple[Resemblance, ...]]:
    """Return a request as a referral of today, and whom a new patient resembles. Raises ``InvalidFile``."""
    with context.database.reading() as session:
        requests = IntakeContext(session, [request], now)
        if faults := list(requests.find_faults([LocatedRequest("body.", request)])):
            raise InvalidFile("body", faults)
        is_new = request.patient not in requests.known
        resembles = find_resembling(session, request.patient, request.name or "", request.birth_date) if is_new else ()
    kind = get_kind(request.kind)
    assert kind.pathway is not None
    referral = InboundReferral(
        patient=request.patient,
        service=catalogue.get_pathway(kind.pathway).steps[0].service,
        new_patient=request.new_patient(requests.sites) if is_new else None,
        preferred_providers=request.preferred_providers,
        kind=kind,
        priority=requests.get_priority(request),
        referrer=request.referrer,
        another_patient=request.another_patient,
        needs=request.needs,
    )
    return referral, resembles
