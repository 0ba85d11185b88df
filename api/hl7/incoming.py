"""What partners' messages ask for, done by the use cases that staff use too; what cannot be done is a task for a person.

A fact in the world is never refused: what breaks a rule is booked with the partner as its reason, and is a task. What nobody
could do, as a person at two places, stays as it was, is a task, and is told back to the partner: its outcome differs from what
was said. Everything that one message changes is written in the transaction that notes it as done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlmodel import Session

from api.access.actor import Actor
from api.context import AppContext
from api.hl7.appointments import PartnerAppointment, Status
from api.hl7.outbox import actor_of, standing_appointments
from api.hl7.partners import Partner
from api.hl7.readings import AppointmentReading, PatientNews, PatientReading, ReferralReading
from api.runtime.exceptions import RulesBroken
from api.services.bookings.by_hand import (
    PlacementDecision,
    RequestedPlace,
    apply_cancellation,
    apply_placement,
    decide_booking,
    decide_cancellation,
    decide_move,
    get_visit_booking,
)
from api.services.bookings.decisions import with_retries
from api.services.bookings.marks import STEPS, mark
from api.services.care.requests import change_patient, get_asked_visit
from api.services.intake.kinds import find_kind
from api.services.intake.reception import IntakeResult, receive_request
from api.services.intake.request_forms import Request
from api.services.intake.requests import MAX_DAYS_BACK
from api.services.patients.contacts import set_address
from api.services.weeks.week import WeekSnapshot
from api.store.queries import bookings, hl7, people, periods, tasks
from api.store.tables import BookingRow, InMessageRow, VisitRow
from scheduling.errors import ClinicweaveError, UnknownId

T = TypeVar("T")

NEEDS_PERSON = "hl7-message-needs-person"
REFERRAL_WAITS = "hl7-referral-waits"
RULE_OVERRIDDEN = "hl7-rule-overridden"
PATIENTS_MERGED = "hl7-patients-merged"
"""The tasks for staff."""


class NeedsPerson(ClinicweaveError):
    """A message on which nothing can be done; ``kind`` is the task, ``reason`` why, in ids and words of ours."""

    def __init__(self, reason: str, kind: str = NEEDS_PERSON, **detail: Any) -> None:
        self.reason, self.kind, self.detail = reason, kind, detail
        super().__init__(reason)

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that is worked on: whose it is, and its row in the inbox."""

    context: AppContext
    name: str
    partner: Partner
    row: InMessageRow

    @property
    def by(self) -> Actor:
        """As whom the partner acts."""
        return actor_of(self.name)

    def add_task(self, session: Session, kind: str, patient: str, detail: dict[str, Any]) -> None:
        """Ask staff to look at the message."""
        told = {"partner": self.name, "message": self.row.number, "event": self.row.kind, **detail}
        subject = ("patient", patient) if people.is_known(session, patient) else ("hl7-message", str(self.row.number))
        tasks.add_task(session, kind, subject, told, self.context.clock())

    def run(self, then: Callable[[Session], object]) -> Callable[[Callable[[Session], T]], T]:
        """Return what runs a change in a transaction, with what is noted of it afterwards."""

        def transaction(act: Callable[[Session], T]) -> T:
            with self.context.database.writing() as session:
                value = act(session)
                then(session)
                return value

        return transaction


# --- appointments ----------------------------------------------------------------------------------------------------


def take_appointment(incoming: Incoming, reading: AppointmentReading) -> None:
    """Do what a scheduling message tells of a visit.

    Raises
    ------
    NeedsPerson, ServiceError, InvalidFile
        When it cannot be done.
    """
    with incoming.context.database.reading() as session:
        visit = _visit(session, reading)
        booking = bookings.find_booking(session, ("visit", visit.id, ""))
        stands = None if booking is None or booking.state == "cancelled" else booking
    match reading.status:
        case Status.BOOKED:
            _take_place(incoming, reading, visit, stands)
        case Status.CANCELLED | Status.DELETED:
            _take_cancellation(incoming, reading, visit, stands)
        case _:
            _take_state(incoming, reading, visit, stands)


def _visit(session: Session, reading: AppointmentReading) -> VisitRow:
    """Return the visit that is meant; only one of the very patient can be."""
    for identifier in reading.ids:
        try:
            visit = get_asked_visit(session, identifier)
        except UnknownId:
            continue
        if reading.patient is None or people.get_survivor(session, reading.patient.id) != visit.patient_id:
            raise NeedsPerson(f'visit "{visit.id}" is of another patient than PID-3 names')
        return visit
    raise NeedsPerson("no visit of ours has the number in SCH-1 or SCH-2")


def _take_cancellation(incoming: Incoming, reading: AppointmentReading, visit: VisitRow, stands: BookingRow | None) -> None:
    now = incoming.context.clock()
    note = _noting(incoming, reading, visit)
    if stands is None:
        incoming.run(note)(lambda session: None)
        return
    with_retries(
        incoming.context,
        visit.period_id,
        lambda week: decide_cancellation(week, incoming.by, visit.id, None, now),
        apply_cancellation,
        incoming.run(note),
    )


def _take_state(incoming: Incoming, reading: AppointmentReading, visit: VisitRow, stands: BookingRow | None) -> None:
    steps = None if stands is None else STEPS.get((stands.state, reading.status))
    if steps is None:
        standing = "has no place" if stands is None else f"is {stands.state}"
        raise NeedsPerson(f'visit "{visit.id}" {standing} and cannot become {reading.status}')
    now = incoming.context.clock()

    def act(session: Session) -> None:
        for state in steps:
            mark(session, incoming.by, visit.id, state, None, now)

    incoming.run(_noting(incoming, reading, visit))(act)


def _take_place(incoming: Incoming, reading: AppointmentReading, visit: VisitRow, stands: BookingRow | None) -> None:
    """Book a visit where a partner says that it stands."""
    note = _noting(incoming, reading, visit)
    with incoming.context.database.reading() as session:
        place = _place(session, reading, stands)
    if place is None:
        incoming.run(note)(lambda session: None)
        return
    if incoming.partner.owner != "ehr":
        raise NeedsPerson(f'visit "{visit.id}" stands elsewhere, and {incoming.name} does not decide where')
    now, reason = incoming.context.clock(), f"EHR: {incoming.name}"

    def decide(week: WeekSnapshot) -> PlacementDecision:
        if stands is None:
            return decide_booking(week, incoming.by, visit.id, place, reason, now)
        return decide_move(week, incoming.by, visit.id, place, reason, None, now)

    def tell_of_override(session: Session) -> None:
        row = bookings.find_booking(session, ("visit", visit.id, ""))
        if row is not None and row.override_reason is not None:
            incoming.add_task(session, RULE_OVERRIDDEN, visit.patient_id, {"visit": visit.id})
        note(session)

    try:
        with_retries(incoming.context, visit.period_id, decide, apply_placement, incoming.run(tell_of_override))
    except RulesBroken as error:
        raise NeedsPerson(f'visit "{visit.id}": {error}') from None


def _place(session: Session, reading: AppointmentReading, stands: BookingRow | None) -> RequestedPlace | None:
    """Return the place that a partner names, None: it is that where the visit stands; unknown codes say nothing."""
    zone = periods.get_zone(session)
    current = None if stands is None else get_visit_booking(session, stands)
    if reading.starts_at is None:
        if current is None:
            raise NeedsPerson("it names no start")
        return None
    clinic = periods.clinic_of(session)
    start = zone.wall(reading.starts_at)
    location = reading.location if reading.location in {place.id for place in clinic.locations} else ""
    location = location or ("" if current is None else current.location)
    rooms = {room.id for room in clinic.rooms if room.location == location}
    stays = current is not None and current.location == location
    room = reading.room if reading.room in rooms else current.room if current is not None and stays else None
    known = set(reading.team) <= people.list_provider_ids(session)
    team = reading.team if known else ()
    supervisors: tuple[str, ...] = ()
    if current is not None:
        staff = {*current.team, *current.supervisors}
        if not team or set(team) == staff:
            team, supervisors = current.team, current.supervisors
        if (start, location, room, team) == (current.start, current.location, current.room, current.team):
            return None
    return RequestedPlace(start, location, room, team, supervisors)


def note_said(session: Session, name: str, reading: AppointmentReading, visit: VisitRow) -> None:
    """Note what a partner has said as what it knows: it is told only what differs from that."""
    row = bookings.find_booking(session, ("visit", visit.id, ""))
    if row is None:
        return
    if reading.placer and reading.placer != visit.id:
        hl7.put_placer(session, name, "visit", visit.id, reading.placer)
    told = hl7.told(session, name, row.id)
    stands = standing_appointments(session, name, row).get(visit.patient_id)
    known = PartnerAppointment.of(told[visit.patient_id]) if visit.patient_id in told else stands
    said = None if known is None else _said(stands or known, reading)
    if said is not None:
        told[visit.patient_id] = said.document()
    knows_all = said == stands or (stands is None and (said is None or said.status is Status.CANCELLED))
    hl7.put_mirror(session, name, row.id, told, row.version if knows_all else 0)


def _said(stands: PartnerAppointment, reading: AppointmentReading) -> PartnerAppointment:
    """Return an appointment as a partner sees it: by what it said of time and state; the rest it did not mean to change."""
    status = Status.CANCELLED if reading.status is Status.DELETED else reading.status
    if reading.starts_at is None or status is not Status.BOOKED:
        return replace(stands, status=status)
    ends_at = reading.ends_at or reading.starts_at + (stands.ends_at - stands.starts_at)
    return replace(stands, status=status, starts_at=reading.starts_at, ends_at=ends_at)


def _noting(incoming: Incoming, reading: AppointmentReading, visit: VisitRow) -> Callable[[Session], None]:
    def note(session: Session) -> None:
        note_said(session, incoming.name, reading, visit)
        note_part_done(session, incoming)

    return note


# --- referrals -------------------------------------------------------------------------------------------------------


def take_referral(incoming: Incoming, reading: ReferralReading) -> None:
    """Take in what a patient is referred for, as the intake does; what it cannot take waits for a person.

    Raises
    ------
    NeedsPerson, ServiceError, InvalidFile
        When it cannot be taken in.
    """
    if not reading.is_new:
        raise NeedsPerson(f'order "{reading.id}" is changed or taken back', REFERRAL_WAITS)
    kind = next((kind for code in reading.codes if (kind := _kind(incoming.partner, code))), None)
    if kind is None:
        raise NeedsPerson("no code names a kind of referral that is known here", REFERRAL_WAITS, codes=list(reading.codes[:10]))

    def taken(act: Callable[[Session], IntakeResult]) -> None:
        with incoming.context.database.writing() as session:
            result = act(session)
            if result.accepted.episode is not None and reading.id:
                hl7.put_placer(session, incoming.name, "episode", result.accepted.episode, reading.id)
            note_part_done(session, incoming)

    receive_request(incoming.context, incoming.by, _request(incoming, reading, kind), taken)


def _kind(partner: Partner, code: str) -> str | None:
    return partner.kinds.get(code) or (code if find_kind(code) is not None else None)


def _request(incoming: Incoming, reading: ReferralReading, kind: str) -> Request:
    """Return a referral as the intake knows it: of a known patient without the name, of long ago without the date."""
    with incoming.context.database.reading() as session:
        patient = people.get_survivor(session, reading.patient.id)
        is_known = people.is_known(session, patient)
        today = periods.get_zone(session).wall(incoming.context.clock()).date()
    referred_on = reading.referred_on
    if referred_on is not None and not today - timedelta(days=MAX_DAYS_BACK) <= referred_on <= today:
        referred_on = None
    return Request(
        kind=kind,
        patient=patient,
        name=None if is_known else reading.patient.name or None,
        priority=reading.priority,
        referred_on=referred_on,
        referrer=reading.referrer or None,
    )


# --- patients --------------------------------------------------------------------------------------------------------


def take_patient(incoming: Incoming, news: PatientNews) -> None:
    """Bring a known patient's name and address to what a partner says; a merge waits for a person.

    Raises
    ------
    NeedsPerson, InvalidFile
        When it cannot be done.
    """
    with incoming.context.database.reading() as session:
        known = {identifier for identifier in (news.patient.id, news.merged) if people.is_known(session, identifier)}
        is_merged = people.get_survivor(session, news.merged) != news.merged
    if news.merged and news.merged in known and not is_merged:
        raise NeedsPerson("two patients are one", PATIENTS_MERGED, kept=news.patient.id, merged=news.merged)

    def act(session: Session) -> None:
        if news.patient.id in known:
            _update(session, incoming.by, news.patient, incoming.context.clock())

    incoming.run(lambda session: note_part_done(session, incoming))(act)


def _update(session: Session, by: Actor, patient: PatientReading, now: datetime) -> None:
    row = people.get_patient(session, people.get_survivor(session, patient.id))
    if patient.name and patient.name != row.name:
        row = change_patient(session, by, row.id, row.version, {"name": patient.name}, now)
    if patient.email:
        set_address(session, by, row.id, patient.email, now)


# --- what became of the message --------------------------------------------------------------------------------------


def note_part_done(session: Session, incoming: Incoming) -> None:
    """Note that one more of several things is done."""
    row = hl7.in_message(session, incoming.row.number or 0)
    row.parts_done += 1
    session.add(row)


def ask_person(incoming: Incoming, patient: str, error: Exception, reading: AppointmentReading | None = None) -> None:
    """Ask staff to look at what a message asks for, in words of ours that say why; note it as a part that is done."""
    kind, reason, detail = NEEDS_PERSON, str(error), {}
    if isinstance(error, NeedsPerson):
        kind, detail = error.kind, error.detail
    elif not isinstance(error, ClinicweaveError):
        reason = "a defect: the log says more"
    with incoming.context.database.writing() as session:
        incoming.add_task(session, kind, patient, {"reason": reason, **detail})
        row = hl7.in_message(session, incoming.row.number or 0)
        row.reason = reason
        note_part_done(session, incoming)
        if reading is not None:
            _note_said_of_known(session, incoming.name, reading)


def _note_said_of_known(session: Session, name: str, reading: AppointmentReading) -> None:
    """Note what was said of a visit of ours although nothing came of it, so that the partner is told how it stands."""
    try:
        note_said(session, name, reading, _visit(session, reading))
    except ClinicweaveError:
        return
