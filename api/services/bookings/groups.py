"""What a desk does with one group's session: move it, call it off, fill its free seats, and let a patient leave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict, RulesBroken
from api.services.bookings.by_hand import AGREED, RequestedPlace
from api.services.bookings.consequences import propagate_booking_changes
from api.services.bookings.decisions import Decision, PlanDiff, apply_plan_diff
from api.services.records import write_audit
from api.services.refusals import expect_sound, list_broken_rules
from api.services.weeks.setting_aside import find_shift_locations
from api.services.weeks.week import WeekSnapshot, load_week
from api.store.queries import bookings, people, periods, programmes, requests
from api.store.queries.placings import booking_fields
from api.store.rows import expect_version
from api.store.tables import BookingRow, GroupRow
from scheduling.care.programmes import list_candidates
from scheduling.errors import UnknownId
from scheduling.people import Patient
from scheduling.plan import GroupBooking, Plan, Violation
from scheduling.publishing import rebase
from scheduling.requests import Candidate, Group
from scheduling.rules import find_violations
from scheduling.scenario import Scenario


@dataclass(frozen=True, slots=True)
class PlacedGroup:
    """A session's booking, who has a seat, and who could be given one."""

    row: BookingRow
    booking: GroupBooking
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueuedPatient:
    """A patient who waits for a seat in a group, whether a week knows of it or not."""

    patient: Patient
    candidate: Candidate


@dataclass(frozen=True, kw_only=True)
class GroupDecision(Decision):
    """A session is elsewhere, off, or has other attendees.

    Attributes
    ----------
    action : str
        What the audit calls it.
    joining, leaving : tuple of str
        Patients who get a seat, and who give one up.
    """

    group: str
    action: str
    joining: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()


def find_period(session: Session, group: str) -> str:
    """Return the period that asks for a group's session. Raises ``UnknownId``."""
    return requests.get_group(session, group).period_id


def get_placed_group(session: Session, group: str) -> PlacedGroup:
    """Return where a group's session stands. Raises ``UnknownId``."""
    asked = requests.get_group(session, group)
    row = _get_booking_row(session, asked)
    placing = bookings.get_standing(session, row).placing
    fields = booking_fields(placing, periods.get_grid(session, row.period_id))
    booking = GroupBooking(group=group, attendees=placing.ids("patient"), **fields)
    return PlacedGroup(row, booking, requests.list_candidates(session, asked))


def list_queue(session: Session, group: str, now: datetime) -> list[QueuedPatient]:
    """Return who waits for a seat in the programme of a group's session, those first who get the next one."""
    asked = requests.get_group(session, group)
    today = periods.get_zone(session).wall(now).date()
    programme = next((known for known in programmes.load(session) if f"{known.id}-{asked.month}" == group), None)
    day = max(today, date.fromisoformat(f"{asked.month}-01"))
    candidates = () if programme is None else list_candidates(programme, day)
    patients = {
        patient.id: patient for patient in people.load_patients(session, [candidate.patient for candidate in candidates])
    }
    return [QueuedPatient(patients[candidate.patient], candidate) for candidate in candidates]


def decide_move(
    week: WeekSnapshot, by: Actor, group: str, place: RequestedPlace, version: int | None, now: datetime
) -> GroupDecision:
    """Decide to hold a session elsewhere or at another time, with the same attendees.

    Raises
    ------
    UnknownId, StaleVersion, InvalidFile
        When it does not stand, is known in another version, or the place names what there is not.
    Conflict, RulesBroken
        When it has begun, or the place breaks rules; names each.
    """
    stands = _get_session(week, group)
    _expect_ahead(week, stands)
    wanted = _place_session(week, group, place, stands.attendees)
    expect_sound(week.scenario, week.plan, wanted)
    after = _with_session(week.scenario, week.upcoming, group, wanted)
    diff = PlanDiff(week.scenario, week.upcoming, week.scenario, after)
    _expect_rules_kept(week, diff, group, place.patient_agreed)
    return GroupDecision(by=by, now=now, week=week, asked=week.scenario, diff=diff, group=group, action="group.move")


def decide_holding(
    week: WeekSnapshot, by: Actor, group: str, place: RequestedPlace, queue: Sequence[QueuedPatient], now: datetime
) -> GroupDecision:
    """Decide to hold a session that does not stand, as one that was called off; its seats go to those who can come, in order.

    Raises
    ------
    UnknownId, InvalidFile
        When the week asks for no such session, or the place names what there is not.
    Conflict, RulesBroken
        When it stands already, or the place breaks rules; names each.
    """
    if group in week.upcoming.groups_by_id:
        raise Conflict("the session stands already: move it")
    if group not in week.scenario.groups_by_id:
        raise UnknownId("group", group)
    wanted = _place_session(week, group, place, ())
    expect_sound(week.scenario, week.plan, wanted)
    asked, session, joining = _give_seats(week, group, wanted, queue, place.patient_agreed)
    diff = PlanDiff(week.scenario, week.upcoming, asked, _with_session(asked, week.upcoming, group, session))
    _expect_rules_kept(week, diff, group, place.patient_agreed)
    return GroupDecision(by=by, now=now, week=week, asked=asked, diff=diff, group=group, action="group.hold", joining=joining)


def decide_cancellation(week: WeekSnapshot, by: Actor, group: str, now: datetime) -> GroupDecision:
    """Decide to call one session off; it can be planned anew. Raises ``UnknownId`` and ``Conflict``."""
    stands = _get_session(week, group)
    _expect_ahead(week, stands)
    diff = PlanDiff(week.scenario, week.upcoming, week.scenario, _with_session(week.scenario, week.upcoming, group, None))
    return GroupDecision(
        by=by,
        now=now,
        week=week,
        asked=week.scenario,
        diff=diff,
        group=group,
        action="group.cancel",
        leaving=stands.attendees,
    )


def decide_filling(week: WeekSnapshot, by: Actor, group: str, queue: Sequence[QueuedPatient], now: datetime) -> GroupDecision:
    """Decide who of those who wait gets the free seats of a session: in their order, whoever can come.

    Raises
    ------
    UnknownId, Conflict
        When it does not stand, or has begun.
    """
    stands = _get_session(week, group)
    _expect_ahead(week, stands)
    asked, session, joining = _give_seats(week, group, stands, queue)
    diff = PlanDiff(week.scenario, week.upcoming, asked, _with_session(asked, week.upcoming, group, session))
    return GroupDecision(by=by, now=now, week=week, asked=asked, diff=diff, group=group, action="group.fill", joining=joining)


def _place_session(week: WeekSnapshot, group: str, place: RequestedPlace, attendees: tuple[str, ...]) -> GroupBooking:
    """Return a group's session at a place."""
    service = week.scenario.services[week.scenario.groups_by_id[group].service]
    return GroupBooking(
        group=group,
        start=place.start,
        end=place.start + timedelta(minutes=service.minutes),
        location=place.location,
        room=place.room,
        team=place.team,
        supervisors=place.supervisors,
        attendees=attendees,
    )


def _expect_rules_kept(week: WeekSnapshot, diff: PlanDiff, group: str, has_agreed: bool) -> None:
    """Refuse what breaks rules that were not broken before, or that a session breaks where it goes. Raises ``RulesBroken``."""
    newly = week.find_newly_broken(diff.asked, diff.after, {group})
    if broken := [violation for violation in newly if not (has_agreed and violation.rule == AGREED)]:
        details = list_broken_rules(diff.asked, diff.after, broken)
        raise RulesBroken(f"it breaks {', '.join(sorted({violation.rule for violation in broken}))}", details)


def _give_seats(
    week: WeekSnapshot, group: str, session: GroupBooking, queue: Sequence[QueuedPatient], has_agreed: bool = False
) -> tuple[Scenario, GroupBooking, tuple[str, ...]]:
    """Return a session with its free seats given away in order, who joins, and the week's scenario that knows them."""
    asked, joining = week.scenario, list[str]()
    known = [
        QueuedPatient(asked.patients_by_id[candidate.patient], candidate) for candidate in asked.groups_by_id[group].candidates
    ]
    waiting = {queued.candidate.patient: queued for queued in (*queue, *known)}
    for patient, queued in waiting.items():
        if len(session.attendees) >= asked.groups_by_id[group].capacity:
            break
        if patient in session.attendees:
            continue
        with_patient = _with_candidate(asked, group, queued)
        larger = session.changed(attendees=(*session.attendees, patient))
        before = _with_session(with_patient, week.upcoming, group, session)
        after = _with_session(with_patient, week.upcoming, group, larger)
        newly = _find_new(with_patient, before, with_patient, after)
        if all(has_agreed and violation.rule == AGREED for violation in newly):
            asked, session = with_patient, larger
            joining.append(patient)
    return asked, session, tuple(joining)


def apply_group(session: Session, decision: GroupDecision) -> None:
    """Change a session as it was decided, if the week is as it was. Raises ``StaleVersion`` and ``DoubleBooked``."""
    by, now, group = decision.by, decision.now, decision.group
    if decision.asked is not decision.week.scenario:
        patients = [decision.asked.patients_by_id[patient] for patient in decision.joining]
        assert all(people.is_known(session, patient.id) for patient in patients)
        requests.put_groups(session, decision.asked.id, [decision.asked.groups_by_id[group]])
    propagate_booking_changes(session, by, apply_plan_diff(session, decision), now)
    detail = {"joining": list(decision.joining), "leaving": list(decision.leaving)}
    write_audit(session, by, decision.action, "group", group, now, **detail)


def expect_session_version(session: Session, group: str, version: int) -> None:
    """Refuse a change of another version of a session's booking. Raises ``UnknownId`` and ``StaleVersion``."""
    row = _get_booking_row(session, requests.get_group(session, group))
    expect_version(row, "booking", group, version)


def leave_session(session: Session, by: Actor, group: str, patient: str, now: datetime) -> None:
    """Let a patient give back a seat in one session; they are told, and who waits gets it.

    In that month they have no seat in the programme any more; before and after it they keep theirs.

    Raises
    ------
    UnknownId
        When there is no such session, or the patient has nothing to do with it.
    Conflict
        When it has begun.
    """
    row = requests.get_group(session, group)
    if patient not in requests.list_candidates(session, row):
        raise UnknownId("attendee", patient)
    programmes.skip_month(session, row.id.removesuffix(f"-{row.month}"), patient, row.month)
    if not _give_back(session, by, row, patient, now):
        raise Conflict("the session has begun")
    write_audit(session, by, "group.leave", "group", group, now, patient=patient)


def leave_programme(session: Session, by: Actor, identifier: str, patient: str, now: datetime) -> None:
    """Take a patient out of a programme: out of its seats, its sessions to come, and its waiting list. They are told so.

    Who waits gets the seats.

    Raises
    ------
    UnknownId
        When there is no such programme, or the patient has nothing to do with it.
    """
    today = periods.get_zone(session).wall(now).date()
    left = programmes.remove_person(session, programmes.get_programme(session, identifier).id, patient, today)
    given_back = [
        _give_back(session, by, row, patient, now)
        for row in requests.sessions_open_to(session, patient)
        if row.id == f"{identifier}-{row.month}"
    ]
    if not (left or any(given_back)):
        raise UnknownId("member", patient)
    write_audit(session, by, "programme.leave", "programme", identifier, now, patient=patient)


def _give_back(session: Session, by: Actor, row: GroupRow, patient: str, now: datetime) -> bool:
    """Give back a seat in a session, and the chance of one, unless it has begun; return whether it had not."""
    booking = bookings.find_booking(session, ("group", row.id, row.month))
    stands = None if booking is None or booking.state == "cancelled" else bookings.get_standing(session, booking)
    if stands is not None and stands.row.starts_at <= now:
        return False
    staying = None
    if stands is not None and patient in stands.placing.ids("patient"):
        after = stands.placing.without_patient(patient)
        staying = len(after.ids("patient"))
        if staying:
            changes = bookings.place_all(session, stands.row.period_id, [after], now)
        else:
            changes = [bookings.cancel(session, stands.row.id, now)]
        propagate_booking_changes(session, by, changes, now)
    requests.close_session_to(session, row, patient, staying or None)
    periods.touch(session, row.period_id)
    if staying:
        _fill_seats(session, by, row.id, now)
    return True


def _fill_seats(session: Session, by: Actor, group: str, now: datetime) -> None:
    week = load_week(session, find_period(session, group), now)
    decision = decide_filling(week, by, group, list_queue(session, group, now), now)
    if decision.joining:
        apply_group(session, decision)


def _get_booking_row(session: Session, asked: GroupRow) -> BookingRow:
    row = bookings.find_booking(session, ("group", asked.id, asked.month))
    if row is None or row.state == "cancelled":
        raise UnknownId("booking of group", asked.id)
    return row


def _get_session(week: WeekSnapshot, group: str) -> GroupBooking:
    session = week.upcoming.groups_by_id.get(group)
    if session is None:
        raise UnknownId("booking of group", group)
    return session


def _expect_ahead(week: WeekSnapshot, session: GroupBooking) -> None:
    if week.scenario.now is not None and session.start <= week.scenario.now:
        raise Conflict("the session has begun")


def _with_session(scenario: Scenario, plan: Plan, group: str, session: GroupBooking | None) -> Plan:
    """Return a plan with a session at another place or with other attendees, or without it."""
    others = tuple(known for known in plan.groups if known.group != group)
    groups = others if session is None else (*others, session)
    shifts = find_shift_locations(scenario, (*plan.visits, *plan.holds, *groups))
    return rebase(plan.changed(groups=groups, shifts=shifts), scenario)


def _with_candidate(scenario: Scenario, group: str, queued: QueuedPatient) -> Scenario:
    """Return a scenario in which a patient may be given a seat in a group's session."""
    asked = scenario.groups_by_id[group]
    if any(candidate.patient == queued.candidate.patient for candidate in asked.candidates):
        return scenario
    larger: Group = asked.changed(candidates=(*asked.candidates, queued.candidate))
    known = queued.patient.id in scenario.patients_by_id
    return scenario.changed(
        groups=tuple(larger if known_group.id == group else known_group for known_group in scenario.groups),
        patients=scenario.patients if known else (*scenario.patients, queued.patient),
    )


def _find_new(before_asked: Scenario, before: Plan, asked: Scenario, after: Plan) -> list[Violation]:
    """Return what a plan breaks that another one does not break already."""
    known = {(violation.rule, violation.ids) for violation in find_violations(before_asked, before)}
    return [violation for violation in find_violations(asked, after) if (violation.rule, violation.ids) not in known]
