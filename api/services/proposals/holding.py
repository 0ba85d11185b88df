"""Places that are proposed to hospital systems: kept for a while, held, and booked, all visits of one or none.

What is proposed is kept as it was found, and judged again when somebody wants it: a place that is lost by then is refused, and
nothing is half-done. A visit that nobody has asked for before is asked for with its hold, and withdrawn with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import Actor
from api.context import AppContext
from api.runtime.exceptions import Conflict, ErrorDetail, RulesBroken
from api.services.bookings.by_hand import describe_place, get_booking_row
from api.services.bookings.consequences import propagate_booking_changes
from api.services.bookings.decisions import Decision, PlanDiff, apply_plan_diff, retry
from api.services.bookings.waitlist import accept_offer
from api.services.intake.requests import audit_intake
from api.services.proposals.place_finding import ProposedPlaces, ProposedVisit
from api.services.records import write_audit
from api.services.weeks.week import WeekSnapshot, get_current_week, with_booking
from api.store.columns import new_id
from api.store.errors import DoubleBooked
from api.store.queries import clients, episodes, offers, people, periods
from api.store.queries.bookings import VisitStatus
from api.store.queries.episodes import Origin
from api.store.tables import ProposalRow
from scheduling.additions import Addition
from scheduling.care.agenda import VisitSubject
from scheduling.care.episodes import Episode, Event
from scheduling.errors import UnknownId
from scheduling.pathways import Occurrence
from scheduling.publishing import rebase

PROPOSED_MINUTES = 15
"""How long a proposal is kept."""

REFUSALS = (Conflict, UnknownId, DoubleBooked)
"""What an operation is refused by when a place is lost: nothing is wrong with the request."""

HOLD_MINUTES = 10
MAX_HOLD_DAYS = 7


def keep_proposals(
    session: Session, context: AppContext, by: Actor, proposals: Iterable[ProposedPlaces]
) -> list[tuple[str, datetime]]:
    """Keep what is proposed to a client, and return its ids, each with until when it is kept."""
    now = context.clock()
    expires_at = now + timedelta(minutes=PROPOSED_MINUTES)
    clients.delete_expired(session, now)
    kept = []
    for proposal in proposals:
        content = context.signer.sealed(proposal.model_dump_json().encode())
        row = ProposalRow(id=new_id(), client_id=by.id, content=content, expires_at=expires_at)
        session.add(row)
        kept.append((row.id, expires_at))
    session.flush()
    return kept


def hold_proposal(context: AppContext, by: Actor, identifier: str, until: datetime | None) -> list[str]:
    """Hold the places of a proposal for a while, and return the visits; held by the same already, they stay so.

    Parameters
    ----------
    until
        Until when; None: ``HOLD_MINUTES`` from now.

    Raises
    ------
    UnknownId
        When nobody knows the proposal, or any more.
    RulesBroken, DoubleBooked, Conflict
        When the places are lost.
    """
    now = context.clock()
    expires_at = min(until or now + timedelta(minutes=HOLD_MINUTES), now + timedelta(days=MAX_HOLD_DAYS))
    if expires_at <= now:
        raise Conflict("a hold has to end in the future")
    return _take(context, by, identifier, expires_at)


def book_proposal(context: AppContext, by: Actor, identifier: str) -> list[str]:
    """Book the places of a proposal, held or not, and return the visits; booked already, they stay so.

    Raises
    ------
    UnknownId
        When nobody knows the proposal, or any more.
    RulesBroken, DoubleBooked, Conflict
        When the places are lost.
    """
    with context.database.reading() as session:
        held = list(_find_row(session, by, identifier, context.clock()).visits)
    if held:
        return confirm_hold(context, by, held[0])
    return _take(context, by, identifier, None)


def confirm_hold(context: AppContext, by: Actor, visit: str) -> list[str]:
    """Book what is held, with all that was held together with it; what is booked already stays so; return the visits.

    Raises
    ------
    UnknownId
        When it is held no more.
    """
    now = context.clock()
    with context.database.writing() as session:
        row = clients.find_proposal_of_visit(session, by.id, visit)
        proposal = None if row is None else _read(context, row)
        visits = [visit] if proposal is None else proposal.visits
        if row is not None:
            row.expires_at = max(row.expires_at, now + timedelta(days=1))
            session.add(row)
        states = {name: get_booking_row(session, name).state for name in visits}
        waiting = [name for name in visits if states[name] == "offered"]
        if waiting and proposal is not None:
            _begin_episode(session, by, proposal, now)
        for name in waiting:
            accept_offer(session, by, name, now)
        return visits


@dataclass(frozen=True, kw_only=True)
class ProposalDecision(Decision):
    """A proposed place is taken: booked, or held until ``expires_at``."""

    part: ProposedVisit
    expires_at: datetime | None

    @property
    def statuses(self) -> Mapping[str, VisitStatus]:
        """How the visits stand that get a place by the decision, where they are not merely booked."""
        visit = self.part.visit.id
        return {} if self.expires_at is None else {visit: VisitStatus(self._next_version(visit), "offered")}


def decide_proposal(
    week: WeekSnapshot, by: Actor, part: ProposedVisit, expires_at: datetime | None, now: datetime
) -> ProposalDecision:
    """Decide to take a proposed place, if it keeps every rule still.

    Raises
    ------
    RulesBroken
        With each rule that it would break by now.
    Conflict
        When the visit has a place by now.
    """
    visit, booking = part.visit, part.booking
    week = week.reopen({visit.id})
    if visit.id in week.plan.visits_by_id:
        raise Conflict(f'visit "{visit.id}" has a place already')
    missing = tuple(patient for patient in part.patients if patient.id not in week.scenario.patients_by_id)
    is_known = visit.id in week.scenario.visits_by_id
    asked = week.scenario if is_known else Addition(visits=(visit,), patients=missing).add_to(week.scenario)
    stands = rebase(week.upcoming, asked)
    after = with_booking(asked, stands, visit.id, booking)
    broken = week.find_newly_broken(asked, after, {visit.id})
    if broken:
        details = [ErrorDetail(violation.detail, violation.rule) for violation in broken if visit.id in violation.ids]
        raise RulesBroken("the place is lost", details)
    return ProposalDecision(
        by=by,
        now=now,
        week=week,
        asked=asked,
        diff=PlanDiff(asked, stands, asked, after),
        part=part,
        expires_at=expires_at,
    )


def _take(context: AppContext, by: Actor, identifier: str, expires_at: datetime | None) -> list[str]:
    """Take the places of a proposal in one transaction, all or none; decided anew as long as others are faster."""
    now = context.clock()

    def attempt() -> list[str]:
        with context.database.reading() as session:
            row = _find_row(session, by, identifier, now)
            proposal, taken = _read(context, row), list(row.visits)
        if taken:
            return taken
        if proposal.moves:
            raise Conflict("others would have to move: that is for the clinic's desk")
        decisions = _decide_all(context, by, proposal, expires_at, now)
        with context.database.writing() as session:
            return _apply_all(session, by, identifier, proposal, decisions, now)

    return retry(attempt)


def _decide_all(
    context: AppContext, by: Actor, proposal: ProposedPlaces, expires_at: datetime | None, now: datetime
) -> list[ProposalDecision]:
    """Decide on every visit of a proposal, each on the week that those before it leave."""
    weeks: dict[str, WeekSnapshot] = {}
    decisions = []
    for part in proposal.parts:
        week = weeks.get(part.period) or get_current_week(context, part.period, now)
        decision = decide_proposal(week, by, part, expires_at, now)
        weeks[part.period] = decision.next_week
        decisions.append(decision)
    return decisions


def _apply_all(
    session: Session, by: Actor, identifier: str, proposal: ProposedPlaces, decisions: Sequence[ProposalDecision], now: datetime
) -> list[str]:
    row = _find_row(session, by, identifier, now)
    if row.visits:  # somebody was faster with the same proposal
        return list(row.visits)
    is_held = decisions[0].expires_at is not None
    for decision in decisions:
        if decision.part.is_new and decision.part.visit.id not in decision.week.scenario.visits_by_id:
            _ask_for(session, decision)
    if not is_held:
        _begin_episode(session, by, proposal, now)
    for decision in decisions:
        _apply(session, decision)
    row.visits = proposal.visits
    row.expires_at = max(row.expires_at, (decisions[0].expires_at or now) + timedelta(days=1))
    session.add(row)
    return proposal.visits


def _apply(session: Session, decision: ProposalDecision) -> None:
    visit, by, now = decision.part.visit.id, decision.by, decision.now
    changes = apply_plan_diff(session, decision)
    if decision.expires_at is None:
        propagate_booking_changes(session, by, changes, now)
        write_audit(session, by, "booking.add", "visit", visit, now, overridden=[], **describe_place(decision.part.booking))
        return
    row = get_booking_row(session, visit)
    row.state, row.notified = "offered", False
    offers.add_offer(session, visit, decision.expires_at, by.id, now, asks=decision.part.is_new)
    write_audit(session, by, "booking.hold", "visit", visit, now, **describe_place(decision.part.booking))


def _ask_for(session: Session, decision: ProposalDecision) -> None:
    """Take in a visit that nobody has asked for before, and its patient where they are new."""
    part, now = decision.part, decision.now
    new = [patient.id for patient in part.patients if not people.is_known(session, patient.id)]
    patients = tuple(patient for patient in part.patients if patient.id in new)
    periods.keep_addition(session, part.period, Addition(visits=(part.visit,), patients=patients), now)
    audit_intake(session, decision.by, new, [(part.visit.patient, {"service": part.visit.service})], now)


def _begin_episode(session: Session, by: Actor, proposal: ProposedPlaces, now: datetime) -> None:
    """Begin the episode of which the visits of a proposal are, if they are of one. Raises ``Conflict``."""
    plan = proposal.episode
    if plan is None:
        return
    first = proposal.parts[0].visit
    if any(row.pathway == plan.pathway for row in episodes.load_of_patients(session, [first.patient])):
        raise Conflict(f'patient "{first.patient}" is on this pathway already')
    known = periods.get_zone(session).wall(now).replace(second=0, microsecond=0)
    episode = Episode(
        id=plan.id,
        pathway=plan.pathway,
        patient=first.patient,
        priority=first.priority,
        preferred_providers=first.preferred_providers,
        history=(Event(kind="referred", known=known, date=known.date()),),
    )
    episodes.add(session, [(episode, Origin(plan.kind))], now)
    steps = (step.rpartition(".") for step in plan.steps)
    occurrences = [Occurrence(step, int(number)) for step, _, number in steps]
    pairs = zip(proposal.visits, occurrences, strict=True)
    episodes.put_subjects(session, {visit: VisitSubject(plan.id, occurrence) for visit, occurrence in pairs})
    audit_intake(session, by, (), [(first.patient, {"kind": plan.kind, "episode": plan.id})], now)


def _find_row(session: Session, by: Actor, identifier: str, now: datetime) -> ProposalRow:
    row = clients.find_proposal(session, identifier)
    if row is None or row.client_id != by.id or row.expires_at <= now:
        raise UnknownId("proposal", identifier)
    return row


def _read(context: AppContext, row: ProposalRow) -> ProposedPlaces:
    content = context.signer.opened(row.content)
    if content is None:
        raise UnknownId("proposal", row.id)
    return ProposedPlaces.model_validate_json(content)
