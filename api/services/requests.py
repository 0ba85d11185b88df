"""What is asked for: adding visits with their links and patients, changing them, and withdrawing them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlmodel import Session

from api.access.actor import Actor
from api.access.owners import ids_at
from api.runtime.exceptions import Conflict
from api.services.notifications import notify_changes
from api.services.records import write_audit
from api.services.scenarios import expect_ids
from api.store import bookings, episodes, people, periods, requests
from api.store.bookings import OPEN
from api.store.errors import AlreadyThere
from api.store.rows import expect_version
from api.store.tables import PatientRow, VisitRow
from scheduling.additions import Addition
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import Model
from scheduling.people import Patient
from scheduling.references import validate_text
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario

M = TypeVar("M", bound=Model)

NAMED_PATIENTS = ("patient", "visits[].patient")
"""Where an addition names patients: one visit alone, or several."""


def add_visits(session: Session, by: Actor, period_id: str, document: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """Add visits to a period, with their links and the patients that are not known yet; return the visits' ids.

    Raises
    ------
    InvalidFile
        With every fault of the addition, held against the period and all patients that are known.
    AlreadyThere
        When a visit of that id is, or was, asked for.
    """
    scenario = _with_patients(session, periods.scenario_of(session, period_id), document)
    addition = Addition.parse(json.dumps(document), scenario)
    expect_ids("addition", ((f"visits[{index}].id", visit.id) for index, visit in enumerate(addition.visits)))
    expect_ids("addition", ((f"patients[{index}].id", patient.id) for index, patient in enumerate(addition.patients)))
    for visit in addition.visits:
        if session.get(VisitRow, visit.id) is not None:
            raise AlreadyThere(f'visit "{visit.id}"')
        _expect_not_placed(visit)
    periods.keep_addition(session, period_id, addition, now)
    periods.touch(session, period_id)
    for visit in addition.visits:
        write_audit(session, by, "visit.add", "visit", visit.id, now, patient=visit.patient)
    for patient in addition.patients:
        write_audit(session, by, "patient.add", "patient", patient.id, now)
    return tuple(visit.id for visit in addition.visits)


def change_visit(
    session: Session, by: Actor, identifier: str, version: int, changes: Mapping[str, Any], now: datetime
) -> VisitRow:
    """Change some fields of what a visit asks for; where it stands does not change by that.

    Raises
    ------
    InvalidFile
        When it makes no visit of its period.
    Conflict
        When the visit is withdrawn.
    StaleVersion
        When somebody else has changed it.
    """
    row = get_asked_visit(session, identifier, version)
    wanted = _valid(Visit, {**json.loads(row.document), **changes})
    requests.put_visits(session, row.period_id, [wanted], now)
    _expect_valid(session, row.period_id, "visits", identifier)
    periods.touch(session, row.period_id)
    write_audit(session, by, "visit.change", "visit", identifier, now, fields=sorted(changes))
    return row


def withdraw_visit(session: Session, by: Actor, identifier: str, version: int, now: datetime) -> None:
    """Ask for a visit no more: it gives up its place, and whatever was linked to it is no longer.

    Raises
    ------
    Conflict
        When the visit is withdrawn already, has begun, or is asked for by an episode.
    StaleVersion
        When somebody else has changed it.
    """
    row = get_asked_visit(session, identifier, version)
    if of := episodes.subjects_of(session, [identifier]).get(identifier):
        raise Conflict(f'visit "{identifier}" is asked for by episode "{of.episode}": stop that')
    booking = bookings.booking_of(session, ("visit", identifier, ""))
    if booking is not None and booking.state != "cancelled":
        if booking.state not in OPEN:
            raise Conflict(f'visit "{identifier}" has begun; it cannot be withdrawn')
        notify_changes(session, [bookings.cancel(session, booking.id, now)], now)
    requests.withdraw_visit(session, identifier)
    periods.touch(session, row.period_id)
    write_audit(session, by, "visit.withdraw", "visit", identifier, now)


def get_asked_visit(session: Session, identifier: str, version: int | None = None) -> VisitRow:
    """Return a visit that is asked for. Raises ``UnknownId``, ``StaleVersion``, and ``Conflict`` for one withdrawn."""
    row = requests.visit(session, identifier)
    expect_version(row, "visit", identifier, version)
    if row.state != "asked":
        raise Conflict(f'visit "{identifier}" is withdrawn')
    return row


def add_link(session: Session, by: Actor, period_id: str, link: Link, now: datetime) -> None:
    """Let a visit follow another one of its period.

    Raises
    ------
    AlreadyThere
        When it follows already.
    InvalidFile
        When the period does not ask for both, or links would make a circle.
    """
    if (link.before, link.after) in _links(session, period_id):
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
    """Let a visit follow another one no more. Raises ``UnknownId``."""
    requests.remove_link(session, period_id, before, after)
    periods.touch(session, period_id)
    write_audit(session, by, "link.remove", "visit", after, now, before=before)


def change_patient(
    session: Session, by: Actor, identifier: str, version: int, changes: Mapping[str, Any], now: datetime
) -> PatientRow:
    """Change some fields of what is known of a patient.

    Raises
    ------
    InvalidFile
        When they make no patient of a period that asks for the patient's visits.
    StaleVersion
        When somebody else has changed it.
    """
    row = people.patient(session, identifier)
    expect_version(row, "patient", identifier, version)
    wanted = _valid(Patient, {**json.loads(row.document), **changes})
    people.put_patients(session, [wanted], now)
    for period_id in requests.periods_of_patient(session, identifier):
        _expect_valid(session, period_id, "patients", identifier)
        periods.touch(session, period_id)
    write_audit(session, by, "patient.change", "patient", identifier, now, fields=sorted(changes))
    return row


def _with_patients(session: Session, scenario: Scenario, document: Mapping[str, Any]) -> Scenario:
    """Return a scenario that knows every known patient whom an addition names."""
    texts = (text for place in NAMED_PATIENTS for text in ids_at(document, place))
    named = {text for text in texts if text.encode(errors="ignore").decode() == text}  # half pairs are faults, not ids
    known = people.patients(session, named - scenario.patients_by_id.keys())
    return scenario.changed(patients=(*scenario.patients, *known))


def _expect_not_placed(visit: Visit) -> None:
    if visit.current is not None:
        raise InvalidFile("addition", [Fault("current", "a visit that is asked for has no place yet")])


def _valid(kind: type[M], document: Mapping[str, Any]) -> M:
    found, misshapen = validate_text(kind, json.dumps(document))
    if found is None:
        raise InvalidFile(kind.__name__.lower(), [fault for _, fault in misshapen])
    return found


def _links(session: Session, period_id: str) -> set[tuple[str, str]]:
    scenario = periods.scenario_of(session, period_id)
    return {(link.before, link.after) for link in scenario.links}


def _expect_valid(session: Session, period_id: str, section: str, identifier: str | None) -> None:
    """Hold what is about to be stored against the rest of its period, and name faults as its own, not the whole period's."""
    session.flush()
    try:
        periods.scenario_of(session, period_id)
    except InvalidFile as error:
        faults = [Fault(fault.path.partition("].")[2], fault.message) for fault in error.faults]
        raise InvalidFile(identifier or section, faults) from None
