"""A cancer patient is referred and seen the same day: the answer is the place, or what verifiably stands in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict, ErrorDetail, NoRoom
from api.services.changes import propagate_booking_changes
from api.services.kinds import RequestKind, find_same_day_kind
from api.services.records import write_audit
from api.services.week import WeekSnapshot, apply_plan_diff
from api.store import episodes, people, periods
from api.store.columns import new_id
from api.store.database import Database
from api.store.episodes import Origin
from scheduling import catalogue
from scheduling.additions import Addition
from scheduling.care.agenda import VisitSubject
from scheduling.care.episodes import Episode, Event, make_visit_id
from scheduling.comparison import Change, Comparison, compare
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


@dataclass(frozen=True, slots=True)
class SameDayPlacement:
    """What became of a referral.

    Attributes
    ----------
    booking : VisitBooking or None
        The place; None when there is none today, for ``reasons``. The visit waits then.
    changes : tuple of Change
        What else has changed: who moves to make room, and holds that were used.
    call : tuple of str
        Patients who have to be told of another time, or that they wait again.
    """

    visit: str
    period: str
    episode: str | None
    booking: VisitBooking | None
    reasons: tuple[Reason, ...]
    changes: tuple[Change, ...]
    call: tuple[str, ...]


def period_today(database: Database, now: datetime) -> str:
    """Return the period that is being lived. Raises ``Conflict`` when there is none."""
    with database.reading() as session:
        row = periods.period_on(session, periods.zone(session).wall(now).date())
    if row is None:
        raise Conflict("no scenario has today in its dates")
    return row.id


def known_patient(database: Database, referral: InboundReferral) -> Patient:
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
            return Patient.model_validate_json(people.patient(session, referral.patient).document)
        if people.is_known(session, referral.patient):
            raise InvalidFile("body", [Fault("body.new_patient", "is known already: leave it out")])
    return referral.new_patient


def referred(
    week: WeekSnapshot, by: Actor, referral: InboundReferral, patient: Patient, now: datetime, deterministic: bool = False
) -> Callable[[Session], SameDayPlacement]:
    """Decide where a referred patient is seen today, and return what does it.

    Parameters
    ----------
    deterministic
        The search for a place counts work instead of time, so that a run can be repeated.

    Raises
    ------
    InvalidFile
        When it names what there is not.
    Conflict
        When what stands must be planned anew first, or the patient is on the pathway already.
    """
    known = week.scenario.grid.wall(now)
    kind = referral.kind or find_same_day_kind(referral.service)
    begun = None if kind is None else _begun(referral, kind, known)
    visit = f"referral-{new_id()[:12]}" if begun is None else begun.visit
    addition = _addition(week, referral, patient, visit, known.date())
    placing = _placing(week, week.settled[0], addition, deterministic)

    def act(session: Session) -> SameDayPlacement:
        # The store takes the request as it was made, then only what differs between the two plans.
        if begun is not None:
            _expect_not_open(session, begun.episode)
        periods.keep_addition(session, week.scenario.id, addition, now)
        if begun is not None:
            episodes.add(session, [(begun.episode, begun.origin)], now)
            episodes.put_subjects(session, {visit: VisitSubject(begun.episode.id, begun.first)})
        return _placed(session, week, by, placing, None if begun is None else begun.episode.id, now)

    return act


def seen_today(week: WeekSnapshot, by: Actor, visit: str, now: datetime) -> Callable[[Session], SameDayPlacement]:
    """Decide where a visit that waits to be today is, and return what does it.

    Raises
    ------
    UnknownId, Conflict
        When it is not asked for, has a place, or what stands must be planned anew first.
    """
    asked = _expect_waiting(week, visit)
    scenario, _ = week.settled
    without = scenario.asking_for(scenario.visits_by_id.keys() - {visit})
    placing = _placing(week, without, Addition(visits=(asked,)))
    return lambda session: _placed(session, week, by, placing, None, now)


def room_made(
    week: WeekSnapshot, by: Actor, visit: str, now: datetime, deterministic: bool = False
) -> Callable[[Session], SameDayPlacement]:
    """Decide who gives way to a visit that has to be today and found no place, and return what does it.

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
    made, proven = bump(scenario, stood, visit), False
    if made is None:
        made, proven = reoptimise_day(scenario, stood, visit, room, find_expiring_visits(scenario))
    if made is None:
        made, proven = reoptimise_day(scenario, stood, visit, Limits(PROOF_SECONDS, 1, deterministic=deterministic))
    if made is None:
        raise _no_room(scenario, stood, visit, proven)
    made = place_expiring_visits(scenario, made, room, stood.visits_by_id)
    placing = _Placing(visit, scenario, stood, made, compare(scenario, stood, made))
    return lambda session: _placed(session, week, by, placing, None, now)


def _no_room(scenario: Scenario, stood: Plan, visit: str, proven: bool) -> NoRoom:
    from solver import explain

    found = explain(scenario, stood, visit, REASON_SECONDS)
    details = [ErrorDetail(one.detail, one.rule) for one in found if one.rule != "not-examined"]
    said = "it is proven that there is no place" if proven else f"no place was found in {PROOF_SECONDS:g} s"
    return NoRoom(f'{said} for visit "{visit}" on its day, whoever gives way', details, proven)


def _expect_waiting(week: WeekSnapshot, visit: str) -> Visit:
    asked = week.scenario.visit(visit)
    if visit in week.plan.visits_by_id:
        raise Conflict(f'visit "{visit}" has a place already')
    return asked


@dataclass(frozen=True, slots=True)
class _Placing:
    """What giving a visit a place comes to: the scenario with it, what stood and stands, and what changes."""

    visit: str
    grown: Scenario
    stood: Plan
    made: Plan
    found: Comparison


def _placing(week: WeekSnapshot, scenario: Scenario, addition: Addition, deterministic: bool = False) -> _Placing:
    import solver

    before = upcoming(scenario, week.settled[1])
    grown, made = solver.insert_visits(scenario, before, addition, deterministic=deterministic)
    found = compare(scenario, before, made, grown)
    return _Placing(addition.visits[0].id, grown, rebase(before, grown), made, found)


def _placed(
    session: Session, week: WeekSnapshot, by: Actor, of: _Placing, episode: str | None, now: datetime
) -> SameDayPlacement:
    propagate_booking_changes(
        session, by, apply_plan_diff(session, week, of.grown, of.stood, of.made, now), now, of.stood.visits_by_id
    )
    booking = of.made.visits_by_id.get(of.visit)
    patient = of.grown.visit(of.visit).patient
    write_audit(session, by, "visit.refer", "visit", of.visit, now, patient=patient, placed=booking is not None)
    return SameDayPlacement(
        visit=of.visit,
        period=week.scenario.id,
        episode=episode,
        booking=booking,
        reasons=next((one.reasons for one in of.made.unscheduled if one.visit == of.visit), ()),
        changes=tuple(one for one in of.found.changes if one.id != of.visit),
        call=of.found.notify,
    )


@dataclass(frozen=True, slots=True)
class _Begun:
    """An episode that begins with a referral, and its first visit."""

    episode: Episode
    origin: Origin
    first: Occurrence
    visit: str


def _begun(referral: InboundReferral, kind: RequestKind, known: datetime) -> _Begun:
    assert kind.pathway is not None
    told = Event(kind="referred", known=known.replace(second=0, microsecond=0), date=known.date())
    episode = Episode(
        id=f"episode-{new_id()[:12]}",
        pathway=kind.pathway,
        patient=referral.patient,
        priority=referral.priority,
        preferred_providers=referral.preferred_providers,
        history=(told,),
    )
    first = Occurrence(catalogue.get_pathway(kind.pathway).steps[0].id, 1)
    return _Begun(episode, Origin(kind.id, referral.referrer), first, make_visit_id(episode.id, first))


def _expect_not_open(session: Session, episode: Episode) -> None:
    for row in episodes.of_patients(session, [episode.patient]):
        if row.pathway == episode.pathway:
            raise Conflict(f'patient "{episode.patient}" is on this pathway already: episode "{row.id}"')


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
    }
    is_new = referral.patient not in week.scenario.patients_by_id
    patients = [patient.model_dump(mode="json")] if is_new else []
    document = {"visits": [asked], "links": [], "patients": patients}
    try:
        return Addition.parse(json.dumps(document), week.scenario, "referral")
    except InvalidFile as error:
        faults = [Fault(f"body.{one.path.removeprefix('visits[0].')}", one.message) for one in error.faults]
        raise InvalidFile("body", faults) from None
