"""What is asked for: adding visits with their links and patients, changing them, and withdrawing them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlmodel import Session

from api.access.actor import Actor
from api.access.owners import find_ids
from api.runtime.exceptions import Conflict
from api.services.clinic.scenarios import expect_ids
from api.services.messages.notifications import notify_changes
from api.services.patients import needs
from api.services.patients.finding import expect_no_case_twins, expect_unmerged, get_unmerged
from api.services.records import write_audit
from api.services.weeks.conflicts import find_conflicts, raise_tasks
from api.store.errors import AlreadyThere
from api.store.queries import bookings, episodes, people, periods, requests
from api.store.queries.bookings import OPEN, WAITING_AGAIN
from api.store.queries.placings import booking_fields
from api.store.rows import expect_version
from api.store.tables import BookingRow, PatientRow, VisitRow
from scheduling.additions import Addition
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Model
from scheduling.names import compose_name_if_text, compose_people
from scheduling.people import Patient
from scheduling.plan import Booking
from scheduling.references import validate_text
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario

M = TypeVar("M", bound=Model)

DESK_FIELDS = ("note", "tags")
"""What the desk keeps of a visit for itself, and no plan depends on."""

NAMED_PATIENTS = ("patient", "visits[].patient")
"""Where an addition names patients: one visit alone, or several."""


@dataclass(frozen=True, slots=True)
class RequestedVisit:
    """A visit that is or was asked for, and its booking, if any stands, at wall-clock times."""

    row: VisitRow
    booking_row: BookingRow | None
    booking: Booking | None


def list_visits(session: Session, period_id: str, after: str, count: int, tag: str | None = None) -> list[VisitRow]:
    """Return a period's visits by id, the withdrawn too, those after an id; with a tag, or all. Raises ``UnknownId``."""
    periods.get_period(session, period_id)
    return requests.list_visits(session, period_id, after, count, tag)


def get_visit(session: Session, identifier: str) -> RequestedVisit:
    """Return a visit with its booking. Raises ``UnknownId``."""
    row = requests.get_visit(session, identifier)
    booking = bookings.find_booking(session, ("visit", row.id, ""))
    if booking is None or booking.state == "cancelled":
        return RequestedVisit(row, None, None)
    placing = bookings.get_standing(session, booking).placing
    return RequestedVisit(row, booking, Booking(**booking_fields(placing, periods.get_grid(session, row.period_id))))


def get_patient(session: Session, identifier: str) -> PatientRow:
    """Return a patient. Raises ``UnknownId``."""
    return people.get_patient(session, identifier)


def add_visits(
    session: Session,
    by: Actor,
    period_id: str,
    document: Mapping[str, Any],
    now: datetime,
    another_patient: bool = False,
) -> tuple[str, ...]:
    """Add visits to a period, with their links and the patients that are not known yet; return the visits' ids.

    One that was withdrawn, or that waits in another period, may be asked for here; its links are then those that are given.

    Parameters
    ----------
    another_patient
        Whether patients whose ids differ from known ones by case alone are really others.

    Raises
    ------
    InvalidFile
        With every fault of the addition, held against the period and all patients that are known.
    AlreadyThere
        When a visit of that id is an episode's.
    Conflict
        When it has a place in another one, or is another patient's.
    """
    document = compose_people(document)
    scenario = _with_patients(session, periods.load_scenario(session, period_id), document)
    addition = Addition.parse(json.dumps(document), scenario)
    expect_ids("addition", ((f"visits[{index}].id", visit.id) for index, visit in enumerate(addition.visits)))
    expect_ids("addition", ((f"patients[{index}].id", patient.id) for index, patient in enumerate(addition.patients)))
    expect_unmerged(
        session, "addition", ((f"visits[{index}].patient", visit.patient) for index, visit in enumerate(addition.visits))
    )
    if not another_patient:
        expect_no_case_twins(
            session, "addition", ((f"patients[{index}].id", patient.id) for index, patient in enumerate(addition.patients))
        )
    for visit in addition.visits:
        _expect_not_placed(visit)
        _take_over(session, period_id, visit)
    periods.keep_addition(session, period_id, addition, now)
    periods.touch(session, period_id)
    for visit in addition.visits:
        write_audit(session, by, "visit.add", "visit", visit.id, now, patient=visit.patient)
    for patient in addition.patients:
        write_audit(session, by, "patient.add", "patient", patient.id, now)
    return tuple(visit.id for visit in addition.visits)


def _take_over(session: Session, period_id: str, visit: Visit) -> None:
    """Let a period ask for a visit that is known already: one that was withdrawn, or that waits in another period."""
    row = session.get(VisitRow, visit.id)
    if row is None:
        return
    if episodes.get_subjects(session, [visit.id]):
        raise AlreadyThere(f'visit "{visit.id}"')
    if row.patient_id != visit.patient:
        raise Conflict(f'visit "{visit.id}" is of patient "{row.patient_id}"')
    booking = bookings.find_booking(session, ("visit", visit.id, ""))
    if booking is not None and booking.state not in WAITING_AGAIN:
        raise Conflict(f'visit "{visit.id}" has a place in scenario "{row.period_id}": cancel that first')
    requests.remove_links(session, visit.id)
    bookings.bring_into(session, period_id, [visit.id])
    periods.touch(session, row.period_id)


def change_visit(
    session: Session, by: Actor, identifier: str, version: int, changes: Mapping[str, Any], now: datetime
) -> VisitRow:
    """Change some fields of what a visit asks for; where it stands does not change by that.

    When what stands is no longer possible as the visit is now, that is a task. Of what has begun or is over, only the note and
    the tags change: what took place stays as it was.

    Raises
    ------
    InvalidFile
        When it makes no visit of its period.
    Conflict
        When the visit is withdrawn, or has begun.
    StaleVersion
        When somebody else has changed it.
    """
    row = get_asked_visit(session, identifier, version)
    asked = {name: value for name, value in changes.items() if name not in DESK_FIELDS}
    if len(asked) < len(changes):
        needs.change_desk_fields(session, identifier, changes)
    stood = json.loads(row.document)
    wanted = _parse(Visit, {**stood, **asked})
    if wanted != _parse(Visit, stood):
        _expect_not_begun(session, identifier, now)
    before = find_conflicts(session, [row.period_id], now) if asked else {}
    requests.put_visits(session, row.period_id, [wanted], now)
    _expect_valid(session, row.period_id, "visits", identifier)
    periods.touch(session, row.period_id)
    if asked:
        raise_tasks(session, before, [row.period_id], now)
    write_audit(session, by, "visit.change", "visit", identifier, now, fields=sorted(changes))
    return row


def _expect_not_begun(session: Session, visit: str, now: datetime) -> None:
    """Refuse a visit whose patient is or was there, or whose start has come without anybody noting that they are missing."""
    booking = bookings.find_booking(session, ("visit", visit, ""))
    if booking is None or booking.state in WAITING_AGAIN:
        return
    if booking.starts_at <= now or booking.state not in OPEN:
        way = "of it only the note and the tags can be changed; whoever has not come is noted as a no-show first"
        raise Conflict(f'visit "{visit}" has begun: {way}')


def withdraw_visit(session: Session, by: Actor, identifier: str, version: int, now: datetime) -> None:
    """Ask for a visit no more: it gives up its place, and whatever was linked to it is no longer; that it was missed stays.

    Raises
    ------
    Conflict
        When the visit is withdrawn already, has begun, or is asked for by an episode.
    StaleVersion
        When somebody else has changed it.
    """
    row = get_asked_visit(session, identifier, version)
    if of := episodes.get_subjects(session, [identifier]).get(identifier):
        raise Conflict(f'visit "{identifier}" is asked for by episode "{of.episode}": stop that')
    booking = bookings.find_booking(session, ("visit", identifier, ""))
    if booking is not None and booking.state != "cancelled":
        if booking.state not in (*OPEN, "no-show"):
            raise Conflict(f'visit "{identifier}" has begun; it cannot be withdrawn')
        if booking.state in OPEN:
            notify_changes(session, [bookings.cancel(session, booking.id, now)], now)
    requests.withdraw_visit(session, identifier)
    periods.touch(session, row.period_id)
    write_audit(session, by, "visit.withdraw", "visit", identifier, now)


def get_asked_visit(session: Session, identifier: str, version: int | None = None) -> VisitRow:
    """Return a visit that is asked for. Raises ``UnknownId``, ``StaleVersion``, and ``Conflict`` for one withdrawn."""
    row = requests.get_visit(session, identifier)
    expect_version(row, "visit", identifier, version)
    if row.state != "asked":
        raise Conflict(f'visit "{identifier}" is withdrawn')
    return row


def add_link(session: Session, by: Actor, period_id: str, link: Link, now: datetime) -> None:
    """Link a visit to another one of its period, which it follows.

    Raises
    ------
    AlreadyThere
        When it follows already.
    InvalidFile
        When the period does not ask for both, or links would make a cycle.
    """
    if (link.before, link.after) in _list_links(session, period_id):
        raise AlreadyThere(f'link from "{link.before}" to "{link.after}"')
    for end in ("before", "after"):
        visit = session.get(VisitRow, getattr(link, end))
        if visit is None or (visit.period_id, visit.state) != (period_id, "asked"):
            raise InvalidFile("link", [Fault(end, f'unknown visit "{getattr(link, end)}"')])
    requests.add_links(session, period_id, [link])
    _expect_valid(session, period_id, "links", None)
    periods.touch(session, period_id)
    write_audit(session, by, "link.add", "visit", link.after, now, before=link.before)


def remove_link(session: Session, by: Actor, period_id: str, before: str, after: str, now: datetime) -> None:
    """Remove the link by which a visit follows another one. Raises ``UnknownId``."""
    requests.remove_link(session, period_id, before, after)
    periods.touch(session, period_id)
    write_audit(session, by, "link.remove", "visit", after, now, before=before)


def change_patient(
    session: Session, by: Actor, identifier: str, version: int, changes: Mapping[str, Any], now: datetime
) -> PatientRow:
    """Change some fields of what is known of a patient; what stands and becomes impossible is a task each.

    Raises
    ------
    InvalidFile
        When they make no patient of a period that asks for the patient's visits.
    Conflict
        When the record was merged into another.
    StaleVersion
        When somebody else has changed it.
    """
    row = get_unmerged(session, identifier)
    expect_version(row, "patient", identifier, version)
    if "name" in changes:
        changes = {**changes, "name": compose_name_if_text(changes["name"])}
    if "birth_date" in changes:
        _change_birth_date(session, row, changes["birth_date"], now)
    wanted = _parse(
        Patient, {**json.loads(row.document), **{key: value for key, value in changes.items() if key != "birth_date"}}
    )
    asking = requests.list_periods_of_patient(session, identifier)
    before = find_conflicts(session, asking, now)
    people.put_patients(session, [wanted], now)
    for period_id in asking:
        periods.touch(session, period_id)
        _expect_valid(session, period_id, "patients", identifier)
    raise_tasks(session, before, asking, now)
    write_audit(session, by, "patient.change", "patient", identifier, now, fields=sorted(changes))
    return row


def _change_birth_date(session: Session, row: PatientRow, text: str | None, now: datetime) -> None:
    """Note when a patient was born, or that nobody knows."""
    born = None if text is None else date.fromisoformat(text)
    if born is not None and born > (today := periods.get_zone(session).wall(now).date()):
        raise InvalidFile("body", [Fault("body.birth_date", f"{born} is after today, {today}")])
    row.birth_date = born
    session.add(row)


def _with_patients(session: Session, scenario: Scenario, document: Mapping[str, Any]) -> Scenario:
    """Return a scenario that knows every known patient whom an addition names."""
    texts = (text for place in NAMED_PATIENTS for text in find_ids(document, place))
    named = {text for text in texts if text.encode(errors="ignore").decode() == text}  # half pairs are faults, not ids
    known = people.load_patients(session, named - scenario.patients_by_id.keys())
    return scenario.changed(patients=(*scenario.patients, *known))


def _expect_not_placed(visit: Visit) -> None:
    if visit.current is not None:
        raise InvalidFile("addition", [Fault("current", "a visit that is asked for has no place yet")])


def _parse(kind: type[M], document: Mapping[str, Any]) -> M:
    document_model, misshapen = validate_text(kind, json.dumps(document))
    if document_model is None:
        raise InvalidFile(kind.__name__.lower(), [fault for _, fault in misshapen])
    return document_model


def _list_links(session: Session, period_id: str) -> set[tuple[str, str]]:
    scenario = periods.load_scenario(session, period_id)
    return {(link.before, link.after) for link in scenario.links}


def _expect_valid(session: Session, period_id: str, section: str, identifier: str | None) -> None:
    """Hold what is about to be stored against the rest of its period, and name faults as its own, not the whole period's."""
    session.flush()
    try:
        periods.load_scenario(session, period_id)
    except InvalidFile as error:
        faults = [Fault(fault.path.partition("].")[2], fault.message) for fault in error.faults]
        raise InvalidFile(identifier or section, faults) from None
