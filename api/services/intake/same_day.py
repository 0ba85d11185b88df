"""A patient who has to be seen today: taken in and given a place, or told what verifiably stands in the way.

By whatever door a patient of the day comes, this is the one way: taken in always, then placed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict, ErrorDetail, NoRoom
from api.services.bookings.consequences import propagate_booking_changes
from api.services.bookings.decisions import Decision, PlanDiff, apply_plan_diff
from api.services.intake.kinds import RequestKind, find_same_day_kind
from api.services.intake.requests import audit_intake
from api.services.intake.ways_out import list_ways_out
from api.services.patients.finding import expect_no_case_twins, get_unmerged
from api.services.patients.needs import NO_NEEDS, VisitNeeds, put_desk_fields
from api.services.records import write_audit
from api.services.weeks.week import WeekSnapshot
from api.store.columns import new_id
from api.store.database import Database
from api.store.queries import episodes, people, periods
from api.store.queries.episodes import Origin
from api.web.words.sentences import describe_reason
from scheduling import catalogue
from scheduling.additions import Addition
from scheduling.care.agenda import VisitSubject
from scheduling.care.episodes import Episode, Event, make_visit_id
from scheduling.comparison import Change
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Priority
from scheduling.pathways import Occurrence
from scheduling.people import Patient
from scheduling.plan import Plan, Reason, VisitBooking
from scheduling.publishing import rebase, upcoming
from scheduling.requests import Visit
from scheduling.scenario import Scenario

PROOF_SECONDS = 20.0
"""Longest time for the proof that a day cannot take a patient."""

ROOM_SECONDS = 2.0
"""Longest time to make room without taking anybody's last day, and to find another place for one who gave way on theirs."""

REASON_SECONDS = 0.5
"""Longest time for the rules that stand in the way."""


@dataclass(frozen=True, slots=True)
class InboundReferral:
    """Who is referred, for what; ``new_patient`` when the clinic does not know them yet.

    ``another_patient`` says that they are really new, though their id differs from a known one by case alone.
    ``kind`` is that of the intake, which says what follows the visit of today; None: that which asks for the service alone.
    """

    patient: str
    service: str
    new_patient: Patient | None = None
    preferred_providers: tuple[str, ...] = ()
    required_provider: str | None = None
    kind: RequestKind | None = None
    priority: Priority = "cancer"
    referrer: str | None = None
    another_patient: bool = False
    needs: VisitNeeds = NO_NEEDS


@dataclass(frozen=True, slots=True)
class EpisodeStart:
    """An episode that begins with a referral, and its first visit."""

    episode: Episode
    origin: Origin
    first: Occurrence
    visit: str


@dataclass(frozen=True, slots=True)
class SameDayIntake:
    """What taking in a patient of the day comes to: the visit of today, and the episode that it begins, if it begins one."""

    addition: Addition
    start: EpisodeStart | None
    is_new_patient: bool


@dataclass(frozen=True, kw_only=True)
class SameDayDecision(Decision):
    """A visit that has to be today gets a place, or waits.

    Attributes
    ----------
    intake : SameDayIntake or None
        What taking the patient in comes to; None: they have been taken in before.
    """

    visit: str
    intake: SameDayIntake | None = None

    @property
    def period(self) -> str:
        """The period in which today is."""
        return self.week.scenario.id

    @property
    def patient(self) -> str:
        """The patient of the visit."""
        return self.diff.asked.visit(self.visit).patient

    @property
    def episode(self) -> str | None:
        """The episode that begins with it, if one does."""
        return None if self.intake is None or self.intake.start is None else self.intake.start.episode.id

    @property
    def booking(self) -> VisitBooking | None:
        """The place; None when there is none today, for ``reasons``. The visit waits then."""
        return self.diff.after.visits_by_id.get(self.visit)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why there is no place today."""
        return next((left.reasons for left in self.diff.after.unscheduled if left.visit == self.visit), ())

    @property
    def changes(self) -> tuple[Change, ...]:
        """What else changes: who moves to make room, and holds that are used."""
        return tuple(change for change in self.diff.comparison.changes if change.id != self.visit)

    @property
    def call(self) -> tuple[str, ...]:
        """The patients who have to be told of another time, or that they wait again."""
        return self.diff.comparison.notify


def find_period_today(database: Database, now: datetime) -> str:
    """Return the period that is being lived. Raises ``Conflict`` when there is none."""
    with database.reading() as session:
        row = periods.find_period_on(session, periods.get_zone(session).wall(now).date())
    if row is None:
        raise Conflict("no scenario has today in its dates")
    return row.id


def find_patient(database: Database, referral: InboundReferral) -> Patient:
    """Return the patient of a referral.

    Raises
    ------
    UnknownId
        When nobody knows them.
    InvalidFile
        When they come as somebody new and are known.
    """
    with database.reading() as session:
        if referral.new_patient is None:
            return Patient.model_validate_json(get_unmerged(session, referral.patient).document)
        if people.is_known(session, referral.patient):
            raise InvalidFile("body", [Fault("body.new_patient", "is known already: leave it out")])
        if not referral.another_patient:
            expect_no_case_twins(session, "body", [("body.patient", referral.patient)])
    return referral.new_patient


def decide_referral(
    week: WeekSnapshot, by: Actor, referral: InboundReferral, patient: Patient, now: datetime, deterministic: bool = False
) -> SameDayDecision:
    """Decide to take in a patient who is referred, and where they are seen today.

    Parameters
    ----------
    deterministic
        The search for a place counts work instead of time, so that a run can be repeated.

    Raises
    ------
    InvalidFile
        When it names what there is not.
    Conflict
        When what stands must be planned anew first.
    """
    known = week.scenario.grid.wall(now)
    kind = referral.kind or find_same_day_kind(referral.service)
    start = None if kind is None else _start_episode(referral, kind, known)
    visit = f"referral-{new_id()[:12]}" if start is None else start.visit
    addition = _addition(week, referral, patient, visit, known.date())
    return SameDayDecision(
        by=by,
        now=now,
        week=week,
        asked=addition.add_to(week.scenario),
        diff=_find_place(week, week.settled[0], addition, deterministic),
        visit=visit,
        intake=SameDayIntake(addition, start, referral.new_patient is not None),
    )


def decide_waiting_visit(week: WeekSnapshot, by: Actor, visit: str, now: datetime) -> SameDayDecision:
    """Decide where a visit is seen today that waits already.

    Raises
    ------
    UnknownId, Conflict
        When it is not asked for, has a place, or what stands must be planned anew first.
    """
    waiting = _expect_waiting(week, visit)
    scenario, _ = week.settled
    without = scenario.restrict_to(scenario.visits_by_id.keys() - {visit})
    diff = _find_place(week, without, Addition(visits=(waiting,)))
    return SameDayDecision(by=by, now=now, week=week, asked=week.scenario, diff=diff, visit=visit)


def decide_displacement(
    week: WeekSnapshot, by: Actor, visit: str, now: datetime, deterministic: bool = False
) -> SameDayDecision:
    """Decide who gives way to a visit that has to be today and found no place.

    The fewest others move, or wait again; not those whose last day is in the week, as long as others give way to them. Where
    no such change is found, all who give way to nobody are planned exactly: that gives the place, or the proof that there is
    none.

    Parameters
    ----------
    deterministic
        The proof counts work instead of time, so that a run can be repeated.

    Raises
    ------
    UnknownId, Conflict
        When it is not asked for, need not be seen on one day, has a place, or what stands must be planned anew first.
    NoRoom
        When the day cannot take it.
    """
    from solver import Limits, bump, find_expiring_visits, place_expiring_visits, reoptimise_day

    if not _expect_waiting(week, visit).same_day:
        raise Conflict(f'visit "{visit}" can wait: nobody gives way to it')
    scenario, stood = week.settled
    room = Limits(ROOM_SECONDS, 1, deterministic=deterministic)
    plan, proven = bump(scenario, stood, visit), False
    if plan is None:
        plan, proven = reoptimise_day(scenario, stood, visit, room, find_expiring_visits(scenario))
    if plan is None:
        plan, proven = reoptimise_day(scenario, stood, visit, Limits(PROOF_SECONDS, 1, deterministic=deterministic))
    if plan is None:
        raise _no_room(scenario, stood, visit, proven)
    after = place_expiring_visits(scenario, plan, room, stood.visits_by_id)
    diff = PlanDiff(scenario, stood, scenario, after)
    return SameDayDecision(by=by, now=now, week=week, asked=week.scenario, diff=diff, visit=visit)


def apply_same_day(session: Session, placement: SameDayDecision) -> SameDayDecision:
    """Take a patient of the day in, and give them the place that was decided, if the week is as it was; return the decision.

    Raises
    ------
    StaleVersion, DoubleBooked
        When the week has changed.
    Conflict
        When the patient is on the pathway already.
    """
    by, now = placement.by, placement.now
    if placement.intake is not None:
        _apply_intake(session, placement, placement.intake)
    changes = apply_plan_diff(session, placement)
    propagate_booking_changes(session, by, changes, now, placement.diff.before.visits_by_id)
    told = {"patient": placement.patient, "placed": placement.booking is not None}
    write_audit(session, by, "visit.refer", "visit", placement.visit, now, **told)
    return placement


def _apply_intake(session: Session, placement: SameDayDecision, intake: SameDayIntake) -> None:
    """Put what is asked for into the store as it was asked: what differs between the two plans comes after it."""
    start, now = intake.start, placement.now
    if start is not None:
        _expect_not_open(session, start.episode)
    periods.keep_addition(session, placement.period, intake.addition, now)
    if start is not None:
        episodes.add(session, [(start.episode, start.origin)], now)
        episodes.put_subjects(session, {start.visit: VisitSubject(start.episode.id, start.first)})
        put_desk_fields(session, [start.visit], {start.visit: start.episode.id})
    service = intake.addition.visits[0].service
    told = {"service": service} if start is None else {"kind": start.origin.kind, "episode": start.episode.id}
    new = [placement.patient] if intake.is_new_patient else []
    audit_intake(session, placement.by, new, [(placement.patient, told)], now)


def _no_room(scenario: Scenario, stood: Plan, visit: str, proven: bool) -> NoRoom:
    from solver import explain

    reasons = [reason for reason in explain(scenario, stood, visit, REASON_SECONDS) if reason.rule != "not-examined"]
    details = [
        ErrorDetail(reason.detail, reason.rule, words=describe_reason(scenario, visit, reason, discreet=True))
        for reason in reasons
    ] + [ErrorDetail(way.detail, way.rule) for way in list_ways_out(scenario, stood, visit)]
    said = "it is proven that there is no place" if proven else f"no place was found in {PROOF_SECONDS:g} s"
    return NoRoom(f'{said} for visit "{visit}" on its day, whoever gives way', details, proven)


def _expect_waiting(week: WeekSnapshot, visit: str) -> Visit:
    asked = week.scenario.visit(visit)
    if visit in week.plan.visits_by_id:
        raise Conflict(f'visit "{visit}" has a place already')
    return asked


def _find_place(week: WeekSnapshot, scenario: Scenario, addition: Addition, deterministic: bool = False) -> PlanDiff:
    import solver

    before = upcoming(scenario, week.settled[1])
    asked, after = solver.insert_visits(scenario, before, addition, deterministic=deterministic)
    return PlanDiff(scenario, rebase(before, asked), asked, after)


def _start_episode(referral: InboundReferral, kind: RequestKind, known: datetime) -> EpisodeStart:
    assert kind.pathway is not None
    event = Event(kind="referred", known=known.replace(second=0, microsecond=0), date=known.date())
    episode = Episode(
        id=f"episode-{new_id()[:12]}",
        pathway=kind.pathway,
        patient=referral.patient,
        priority=referral.priority,
        preferred_providers=referral.preferred_providers,
        history=(event,),
    )
    first = Occurrence(catalogue.get_pathway(kind.pathway).steps[0].id, 1)
    return EpisodeStart(
        episode, Origin(kind.id, referral.referrer, referral.needs.dump()), first, make_visit_id(episode.id, first)
    )


def _expect_not_open(session: Session, episode: Episode) -> None:
    for row in episodes.load_of_patients(session, [episode.patient]):
        if row.pathway == episode.pathway:
            raise Conflict(f'patient "{episode.patient}" is on this pathway already: episode "{row.id}"')


def _list_equipment(week: WeekSnapshot, referral: InboundReferral) -> list[str]:
    """Return the pools that a referral needs beside those of its service."""
    service = week.scenario.services.get(referral.service)
    own = () if service is None else service.equipment
    return [pool for pool in referral.needs.equipment if pool not in own]


def _addition(week: WeekSnapshot, referral: InboundReferral, patient: Patient, visit: str, today: date) -> Addition:
    """Return the visit of a referral, held against the week. Raises ``InvalidFile``."""
    day = today.isoformat()
    asked: dict[str, Any] = {
        "id": visit,
        "patient": referral.patient,
        "service": referral.service,
        "priority": referral.priority,
        "earliest": day,
        "target": day,
        "deadline": day,
        "preferred_providers": list(referral.preferred_providers),
        "required_provider": referral.required_provider,
        "same_day": True,
        "pinned": None,
        "current": None,
        "minutes": referral.needs.minutes,
        "equipment": _list_equipment(week, referral),
    }
    is_new = referral.patient not in week.scenario.patients_by_id
    patients = [patient.model_dump(mode="json")] if is_new else []
    document = {"visits": [asked], "links": [], "patients": patients}
    try:
        return Addition.parse(json.dumps(document), week.scenario, "referral")
    except InvalidFile as error:
        faults = [Fault(f"body.{fault.path.removeprefix('visits[0].')}", fault.message) for fault in error.faults]
        raise InvalidFile("body", faults) from None
