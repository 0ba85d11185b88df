"""A cancer patient is referred and seen the same day: the answer is the place, or what verifiably stands in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.refusals import Conflict
from api.services.records import write_down
from api.services.telling import tell_changes
from api.services.week import Week, take_on
from api.store import people, periods
from api.store.columns import new_id
from api.store.database import Database
from scheduling.additions import Addition
from scheduling.comparison import Change, compare
from scheduling.errors import Fault, InvalidFile
from scheduling.people import Patient
from scheduling.plan import Reason, VisitBooking
from scheduling.publishing import carried, upcoming
from scheduling.timegrid import TimeGrid
from solver import insert


@dataclass(frozen=True, slots=True)
class Referral:
    """Who is referred, for what; ``new_patient`` when the clinic does not know them yet."""

    patient: str
    service: str
    new_patient: Patient | None = None
    preferred_providers: tuple[str, ...] = ()
    required_provider: str | None = None


@dataclass(frozen=True, slots=True)
class Referred:
    """What became of a referral.

    Attributes
    ----------
    booking : VisitBooking or None
        The place; None when there is none today, for ``reasons``. The visit waits then.
    changes : tuple of Change
        What else has changed: who moves to make room, and holds that were used.
    call : tuple of str
        Patients who have to be told of another time.
    """

    visit: str
    period: str
    booking: VisitBooking | None
    reasons: tuple[Reason, ...]
    changes: tuple[Change, ...]
    call: tuple[str, ...]


def period_today(database: Database, now: datetime) -> str:
    """Return the period that is being lived. Raises ``Conflict`` when there is none."""
    with database.reading() as session:
        zone = periods.clinic(session).timezone
        row = periods.period_on(session, TimeGrid(zone, 1, date.min, date.max).wall(now).date())
    if row is None:
        raise Conflict("no scenario has today in its dates")
    return row.id


def known_patient(database: Database, referral: Referral) -> Patient:
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


def referred(week: Week, by: Actor, referral: Referral, patient: Patient, now: datetime) -> Callable[[Session], Referred]:
    """Decide where a referred patient is seen today, and return what does it.

    Raises
    ------
    InvalidFile
        When it names what there is not.
    Conflict
        When what stands must be planned anew first.
    """
    today = week.scenario.grid.wall(now).date()
    addition = _addition(week, referral, patient, f"referral-{new_id()[:12]}", today)
    visit = addition.visits[0].id
    scenario, plan = week.settled
    before = upcoming(scenario, plan)
    grown, made = insert(scenario, before, addition)
    found = compare(scenario, before, made, grown)
    left = next((one.reasons for one in made.unscheduled if one.visit == visit), ())
    others = tuple(one for one in found.changes if one.id != visit)
    answer = Referred(visit, week.scenario.id, made.visits_by_id.get(visit), left, others, found.notify)

    def act(session: Session) -> Referred:
        # The store takes the request as it was made, then only what differs between the two plans.
        stood = carried(before, grown)
        periods.keep_addition(session, week.scenario.id, addition, now)
        tell_changes(session, take_on(session, week, grown, stood, made, now), now)
        placed = answer.booking is not None
        write_down(session, by, "visit.refer", "visit", visit, now, patient=referral.patient, placed=placed)
        return answer

    return act


def _addition(week: Week, referral: Referral, patient: Patient, visit: str, today: date) -> Addition:
    """Return the visit of a referral, held against the week. Raises ``InvalidFile``."""
    day = today.isoformat()
    asked: dict[str, Any] = {
        "id": visit,
        "patient": referral.patient,
        "service": referral.service,
        "priority": "cancer",
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
