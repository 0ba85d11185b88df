"""Where requests come in, by whatever door, one or many at once; who has to be seen today gets a place at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session

from api.access.actor import Actor
from api.context import AppContext
from api.services.bookings import find_period
from api.services.intake import AcceptedRequest, IntakeContext, LocatedRequest, Request, accept_requests, is_same_day
from api.services.kinds import KINDS_BY_ID
from api.services.referrals import InboundReferral, SameDayPlacement, known_patient, referred, room_made, seen_today
from api.services.week import decided
from api.store import periods
from scheduling import catalogue
from scheduling.errors import InvalidFile

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of a request; ``today`` is the place of one that had to be seen today, or why there is none."""

    taken: AcceptedRequest
    today: SameDayPlacement | None = None


def receive_request(
    context: AppContext,
    by: Actor,
    request: Request,
    run: Callable[[Callable[[Session], IntakeResult]], R],
    deterministic: bool = False,
) -> R:
    """Take in one request; who has to be seen today gets a place in the same transaction.

    Parameters
    ----------
    run
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
    period = _period_today(context, request, now)
    if period is None:
        return run(lambda session: IntakeResult(accept_requests(session, by, [LocatedRequest("body.", request)], now)[0]))
    referral = _referral(context, request, now)

    def made(act: Callable[[Session], SameDayPlacement]) -> Callable[[Session], IntakeResult]:
        def whole(session: Session) -> IntakeResult:
            today = act(session)
            return IntakeResult(AcceptedRequest(request, today.episode, (today.visit,)), today)

        return whole

    return decided(
        context,
        period,
        lambda week: made(referred(week, by, referral, known_patient(context.database, referral), now, deterministic)),
        run,
    )


def place_today(context: AppContext, by: Actor, taken: Sequence[AcceptedRequest]) -> list[SameDayPlacement]:
    """Give places to those of today among many that were taken in; who gets none waits, with the reasons.

    Raises
    ------
    Conflict
        When what stands must be planned anew first.
    """
    now = context.clock()
    found = []
    for one in taken:
        period = _period_today(context, one.request, now)
        for visit in one.visits[:1] if period is not None else ():
            found.append(_seen_today(context, by, period or "", visit, now))
    return found


def make_room(
    context: AppContext,
    by: Actor,
    visit: str,
    run: Callable[[Callable[[Session], SameDayPlacement]], R],
    deterministic: bool = False,
) -> R:
    """Give a visit that has to be on its day, and found no place, the place of others.

    Parameters
    ----------
    run
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
    now = context.clock()
    period = find_period(context.database, visit)
    return decided(context, period, lambda week: room_made(week, by, visit, now, deterministic), run)


def _seen_today(context: AppContext, by: Actor, period: str, visit: str, now: datetime) -> SameDayPlacement:
    return decided(context, period, lambda week: seen_today(week, by, visit, now), context.database.write)


def _period_today(context: AppContext, request: Request, now: datetime) -> str | None:
    """Return the period in which a request has to be seen today; None: it has not, or today is in none that is built."""
    if not is_same_day(request):
        return None
    with context.database.reading() as session:
        today = periods.zone(session).wall(now).date()
        row = periods.period_on(session, today)
    return None if row is None or request.referred_on not in (None, today) else row.id


def _referral(context: AppContext, request: Request, now: datetime) -> InboundReferral:
    """Return a request as a referral of today. Raises ``InvalidFile``."""
    with context.database.reading() as session:
        desk = IntakeContext(session, [request], now)
        if faults := list(desk.faults([LocatedRequest("body.", request)])):
            raise InvalidFile("body", faults)
    kind = KINDS_BY_ID[request.kind]
    assert kind.pathway is not None
    return InboundReferral(
        patient=request.patient,
        service=catalogue.get_pathway(kind.pathway).steps[0].service,
        new_patient=None if request.patient in desk.known else request.new_patient(desk.sites),
        preferred_providers=request.preferred_providers,
        kind=kind,
        priority=desk.priority(request),
        referrer=request.referrer,
    )
