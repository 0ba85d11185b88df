"""Places for visits that wait, or that nobody has asked for yet: of one visit, or of the first two of a pathway.

Places are looked for in every week that a request meets, and ranked: by how many others would move, whom that would call, and
what they cost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.care.requests import get_asked_visit
from api.services.intake.kinds import list_kinds
from api.services.weeks.week import WeekSnapshot, get_current_week
from api.store.columns import new_id
from api.store.queries import people, periods
from scheduling import catalogue
from scheduling.additions import Addition
from scheduling.care.episodes import make_visit_id
from scheduling.care.windows import is_weekday
from scheduling.errors import UnknownId
from scheduling.fields import Model, Priority
from scheduling.pathways import DAYS_OF_WEEK, Lag
from scheduling.people import Patient
from scheduling.plan import Reason, VisitBooking
from scheduling.publishing import rebase
from scheduling.requests import Visit

MAX_FOUND = 50
MAX_TRIED = 200
"""Most proposals, and most places that are looked at for them: many are not where somebody wants them."""

MAX_PERIODS = 12
PATHWAY_VISITS = 2
"""Visits of a pathway that are found together: the one that begins it, and the one after it."""


class ProposedVisit(Model):
    """One visit of a proposal, and where it would be; ``is_new``: nobody has asked for it yet."""

    period: str
    visit: Visit
    patients: tuple[Patient, ...]
    booking: VisitBooking
    is_new: bool


class EpisodePlan(Model):
    """The episode that would begin with a proposal: its kind of referral, and which steps its visits are."""

    id: str
    kind: str
    pathway: str
    steps: tuple[str, ...]


class ProposedPlaces(Model):
    """Places for the visits that somebody wants, all or none.

    Attributes
    ----------
    cost
        Points that they add.
    moves, notified
        Visits of others that would move, and patients among them who have been told.
    reasons
        What it costs, by component.
    """

    parts: tuple[ProposedVisit, ...]
    cost: int
    moves: int
    notified: int
    reasons: tuple[str, ...]
    episode: EpisodePlan | None = None

    @property
    def visits(self) -> list[str]:
        """The ids of its visits."""
        return [part.visit.id for part in self.parts]


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """What somebody wants places for, and which would do.

    Attributes
    ----------
    visit : str or None
        One that waits; None: one of ``service``, or the first of ``pathway``, that nobody has asked for yet.
    new_patient : Patient or None
        Who is not known yet.
    starts_at, ends_at : datetime
        Within which instants it has to be.
    providers, places : collections of str
        One of them has to be in the team, and it has to be in one of these rooms or buildings; empty: any.
    max_moves : int
        Most visits of others that may move for it.
    """

    patient: str
    starts_at: datetime
    ends_at: datetime
    visit: str | None = None
    service: str | None = None
    pathway: str | None = None
    new_patient: Patient | None = None
    priority: Priority = "routine"
    providers: Sequence[str] = ()
    places: Collection[str] = ()
    count: int = 5
    max_moves: int = 0


@dataclass(frozen=True, slots=True)
class FoundPlaces:
    """Proposals, the best first; without any, why. ``with_moves`` counts the places for which others would have to move."""

    proposals: tuple[ProposedPlaces, ...]
    reasons: tuple[Reason, ...] = ()
    with_moves: int = 0


# --- finding ---------------------------------------------------------------------------------------------------------


def find_places(context: AppContext, wanted: PlaceRequest) -> FoundPlaces:
    """Return places for a visit, or for the first two of a pathway.

    Raises
    ------
    UnknownId
        When there is no such visit, service, pathway or patient.
    Conflict
        When the visit has a place already, or no week is built for that time.
    """
    finder = _Finder(context, wanted)
    found = finder.find_pathway() if wanted.pathway is not None else finder.find_one()
    ranked = sorted(found.proposals, key=_rank)
    return replace(found, proposals=tuple(ranked[: min(wanted.count, MAX_FOUND)]))


def _rank(proposal: ProposedPlaces) -> tuple[int, int, int, datetime, str]:
    first = proposal.parts[0].booking
    return proposal.moves, proposal.notified, proposal.cost, first.start, first.location


class _Finder:
    """Looks for places in all weeks that a request meets."""

    def __init__(self, context: AppContext, wanted: PlaceRequest) -> None:
        self._context, self._wanted, self._now = context, wanted, context.clock()
        with context.database.reading() as session:
            zone = periods.get_zone(session)
            self._start, self._end = zone.wall(wanted.starts_at), zone.wall(wanted.ends_at)
            self._today = zone.wall(self._now).date()
            known_patients = people.load_patients(session, [wanted.patient])
            self._patients = known_patients if wanted.new_patient is None else (wanted.new_patient,)
            rows = periods.list_periods_from(session, max(self._start.date(), self._today))
            known = [row for row in rows if row.starts_on <= self._end.date()][:MAX_PERIODS]
            self._periods = [row.id for row in known]
            if wanted.visit is not None:
                self._periods = [get_asked_visit(session, wanted.visit).period_id]
        if not self._periods:
            raise Conflict("no week is built for that time")
        if not self._patients:
            raise UnknownId("patient", wanted.patient)

    def find_one(self) -> FoundPlaces:
        """Return places for one visit."""
        visit = self._make_visit(f"asked-{new_id()[:12]}", self._wanted.service) if self._wanted.visit is None else None
        found = [self._search(period, visit, self._start, self._end) for period in self._periods]
        return _join(found)

    def find_pathway(self) -> FoundPlaces:
        """Return places for the first visits of a pathway, each at its lag from the one before."""
        assert self._wanted.pathway is not None
        pathway = catalogue.get_pathway(self._wanted.pathway)
        kind = next((kind for kind in list_kinds() if kind.pathway == pathway.id), None)
        stages = pathway.course()[:PATHWAY_VISITS]
        if kind is None:
            raise UnknownId("kind of referral to pathway", pathway.id)
        episode = f"episode-{new_id()[:12]}"
        plan = EpisodePlan(id=episode, kind=kind.id, pathway=pathway.id, steps=tuple(str(stage.occurrence) for stage in stages))
        visits = [self._make_visit(make_visit_id(episode, stage.occurrence), stage.service) for stage in stages]
        firsts = _join([self._search(period, visits[0], self._start, self._end) for period in self._periods])
        chains: list[ProposedPlaces] = []
        reasons = firsts.reasons
        for first in sorted(firsts.proposals, key=_rank)[: self._wanted.count]:
            chain: ProposedPlaces | None = first
            for (_, stage), visit in zip(pairwise(stages), visits[1:], strict=True):
                assert chain is not None
                follower = self._find_follower(chain.parts[-1].booking, stage.lag, visit)
                reasons = reasons or follower.reasons
                best = min(follower.proposals, key=_rank, default=None)
                chain = None if best is None else _chain(chain, best)
                if chain is None:
                    break
            if chain is not None:
                chains.append(chain.changed(episode=plan))
        return FoundPlaces(tuple(chains), () if chains else reasons, firsts.with_moves)

    def _find_follower(self, before: VisitBooking, lag: Lag, visit: Visit) -> FoundPlaces:
        first = before.start.date() + timedelta(days=lag.min_days)
        last = self._end.date() if lag.max_days is None else before.start.date() + timedelta(days=lag.max_days)
        start = max(self._start, datetime.combine(first, datetime.min.time()))
        end = min(self._end, datetime.combine(last + timedelta(days=1), datetime.min.time()))
        if lag.min_days == 0:
            start = max(start, before.end)
        return _join([self._search(period, visit, start, end) for period in self._periods]) if start < end else FoundPlaces(())

    def _make_visit(self, identifier: str, service: str | None) -> Visit:
        if service is None:
            raise UnknownId("service", "")
        providers = self._wanted.providers
        return Visit(
            id=identifier,
            patient=self._wanted.patient,
            service=service,
            priority=self._wanted.priority,
            earliest=max(self._start.date(), self._today),
            deadline=_get_last_day(self._end),
            required_provider=providers[0] if len(providers) == 1 and self._wanted.pathway is None else None,
            preferred_providers=tuple(providers),
        )

    def _search(self, period: str, visit: Visit | None, start: datetime, end: datetime) -> FoundPlaces:
        """Return places in one week, within wall-clock times."""
        import solver

        week = get_current_week(self._context, period, self._now)
        is_new = visit is not None
        if visit is None:
            assert self._wanted.visit is not None
            if self._wanted.visit in week.reopen({self._wanted.visit}).plan.visits_by_id:
                raise Conflict(f'visit "{self._wanted.visit}" has a place already')
            week, visit = week.reopen({self._wanted.visit}), week.scenario.visit(self._wanted.visit)
        elif visit.service not in week.scenario.services:
            raise UnknownId("service", visit.service)
        within = _narrow(visit, start, end)
        if within is None or within.deadline is None or within.deadline < week.scenario.horizon.start:
            return FoundPlaces(())
        visit = within if is_new else visit
        patients = self._missing_patients(week)
        without, plan = week.settled
        without = without.restrict_to(without.visits_by_id.keys() - {visit.id})
        links = tuple(link for link in week.scenario.links if visit.id in (link.before, link.after))
        addition = Addition(visits=(within,), links=links, patients=patients)
        tried = MAX_TRIED if self._is_narrow(start, end) else min(self._wanted.count, MAX_FOUND)
        result = solver.find_offers(without, rebase(plan, without), addition, tried)
        fitting = [offer for offer in result.offers if len(offer.bookings) == 1 and self._suits(offer.bookings[0], start, end)]
        allowed = [offer for offer in fitting if len(offer.moves) <= self._wanted.max_moves]
        proposals = tuple(
            ProposedPlaces(
                parts=(ProposedVisit(period=period, visit=visit, patients=patients, booking=offer.bookings[0], is_new=is_new),),
                cost=offer.cost,
                moves=len(offer.moves),
                notified=offer.notified,
                reasons=tuple(
                    f"{component}: {change.difference}"
                    for component, change in sorted(offer.comparison.costs.items())
                    if change.difference > 0
                ),
            )
            for offer in allowed[:MAX_FOUND]
        )
        reasons = tuple(reason for left in result.reasons for reason in left.reasons)
        if result.offers and not fitting:
            reasons = (Reason(rule="wanted", detail="there are places, but none with these people, in these places and times"),)
        return FoundPlaces(proposals, reasons, len(fitting) - len(allowed))

    def _missing_patients(self, week: WeekSnapshot) -> tuple[Patient, ...]:
        if self._wanted.patient in week.scenario.patients_by_id:
            return ()
        return self._patients

    def _is_narrow(self, start: datetime, end: datetime) -> bool:
        """Return whether places may fall out that the search itself would take: by time, people or room."""
        whole_days = start.time() == end.time() == datetime.min.time()
        return not whole_days or len(self._wanted.providers) > 1 or bool(self._wanted.places)

    def _suits(self, booking: VisitBooking, start: datetime, end: datetime) -> bool:
        wanted = self._wanted
        if wanted.providers and set(wanted.providers).isdisjoint((*booking.team, *booking.supervisors)):
            return False
        if wanted.places and set(wanted.places).isdisjoint((booking.location, booking.room)):
            return False
        return start <= booking.start and booking.end <= end


def _get_last_day(end: datetime) -> date:
    """Return the last date that has a moment before an end."""
    return (end - timedelta(minutes=1)).date()


def _narrow(visit: Visit, start: datetime, end: datetime) -> Visit | None:
    """Return a visit within the dates of some times, and its own; None when there is no weekday among them."""
    first, last = max(visit.earliest, start.date()), _get_last_day(end)
    if visit.deadline is not None:
        last = min(last, visit.deadline)
    days = min((last - first).days + 1, DAYS_OF_WEEK)
    if not any(is_weekday(first + timedelta(days=number)) for number in range(days)):
        return None
    return visit.changed(earliest=first, deadline=last)


def _join(found: Iterable[FoundPlaces]) -> FoundPlaces:
    found = list(found)
    proposals = tuple(proposal for places in found for proposal in places.proposals)
    reasons = next((places.reasons for places in found if places.reasons), ())
    return FoundPlaces(proposals, () if proposals else reasons, sum(places.with_moves for places in found))


def _chain(before: ProposedPlaces, after: ProposedPlaces) -> ProposedPlaces:
    return ProposedPlaces(
        parts=(*before.parts, *after.parts),
        cost=before.cost + after.cost,
        moves=before.moves + after.moves,
        notified=before.notified + after.notified,
        reasons=(*before.reasons, *after.reasons),
    )
