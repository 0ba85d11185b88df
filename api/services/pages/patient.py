"""What a patient sees and says on the page of their link: one visit, as it stands, and whether they come.

Looking changes nothing. An answer is noted as one that came by mail: it moves and cancels nothing, and who cannot come, or
wants another time, is a task for staff.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast, get_args

from sqlmodel import Session

from api.access.actor import Actor
from api.access.identity import recognise_link
from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.bookings.by_hand import get_booking_row
from api.services.bookings.replies import PageAnswer, answer_on_page
from api.services.bookings.waitlist import accept_offer, decline_offer, get_offered_place
from api.services.calendars.contents import list_entries
from api.store.errors import StaleVersion
from api.store.queries import messages, people, periods, requests
from api.store.rows import expect_version
from api.store.tables import BookingRow
from api.web.patient_page import PatientVisit
from calendars.appointments import Appointment, make_appointment
from calendars.feeds import make_feed
from scheduling.clinic import Clinic
from scheduling.errors import UnknownId

BEGUN = ("arrived", "done", "no-show")
"""States after which there is nothing to answer any more."""

OFFER_ANSWERS: Mapping[str, Callable[[Session, Actor, str, datetime], object]] = {"take": accept_offer, "leave": decline_offer}
"""What may be said of a freed place that is kept for somebody."""


def open_page(context: AppContext, secret: str) -> tuple[Actor, PatientVisit]:
    """Return whose page a link's secret opens, and what it tells; nothing is noted of it.

    Raises
    ------
    Unauthenticated
        When the link is unknown, was taken back or has run out.
    """
    now = context.clock()
    actor = recognise_link(context.database, context.signer, secret, now)
    assert actor.visit is not None  # as every link has one
    with context.database.reading() as session:
        return actor, show_visit(session, actor.visit, now, context.settings.mail_names_clinicians)


def take_answer(context: AppContext, by: Actor, answer: str, words: str, version: int) -> None:
    """Do what a patient says on their page.

    Parameters
    ----------
    version
        The booking's that the page told.

    Raises
    ------
    Conflict
        When it is no answer to what stands, or what stands has changed since the page was made.
    """
    assert by.visit is not None
    try:
        if answer in get_args(PageAnswer):
            answer_on_page(context, by, cast(PageAnswer, answer), words, version)
        elif answer in OFFER_ANSWERS:
            with context.database.writing() as session:
                expect_version(get_booking_row(session, by.visit), "booking", by.visit, version)
                OFFER_ANSWERS[answer](session, by, by.visit, context.clock())
        else:
            raise Conflict(f'"{answer[:20]}" is no answer')
    except (StaleVersion, UnknownId):
        raise Conflict("what stands has changed since the page was made") from None


def show_visit(session: Session, visit: str, now: datetime, names_clinicians: bool = True) -> PatientVisit:
    """Return what the page of a visit's link tells. Raises ``UnknownId`` when there is no such visit any more."""
    clinic, asked = periods.clinic_of(session), requests.get_visit(session, visit)
    service = next((offered.name for offered in clinic.services if offered.id == asked.service), asked.service)
    try:
        row = get_booking_row(session, visit)
    except UnknownId:
        return PatientVisit(clinic.name, service, "waiting")
    if row.state in BEGUN or row.starts_at <= now:
        return PatientVisit(clinic.name, service, "over")
    appointment = _make_appointment(session, clinic, row, names_clinicians)
    if row.state != "offered":
        answered = messages.get_participation(session, row.id)
        return PatientVisit(clinic.name, service, "booked", appointment, answered, version=row.version)
    try:
        offer = get_offered_place(session, visit, now).offer
    except UnknownId:  # it ran out, and is about to be taken back
        return PatientVisit(clinic.name, service, "waiting")
    return PatientVisit(clinic.name, service, "offered", appointment, None, offer.expires_at, row.version)


def make_visit_calendar(session: Session, visit: str) -> bytes:
    """Return a visit's event, the same as in the patient's invites and feed. Raises ``UnknownId`` when it has no place."""
    row, clinic = get_booking_row(session, visit), periods.clinic_of(session)
    patient = requests.get_visit(session, visit).patient_id
    entries = list_entries(session, clinic, "patient", patient, row.starts_at)
    own = [entry for entry in entries if (entry.starts_at, entry.service.id) == (row.starts_at, row.service)]
    if row.state != "booked" or not own:
        raise UnknownId("booking of visit", visit)
    return make_feed(clinic, "patient", patient, "", own, row.starts_at.date())


def _make_appointment(session: Session, clinic: Clinic, row: BookingRow, names_clinicians: bool) -> Appointment:
    names = people.get_provider_names(session) if names_clinicians else {}
    team = messages.list_team_of(session, [row.id]).get(row.id, ())
    clinicians = tuple(names[member] for member in team if member in names)
    return make_appointment(clinic, row.service, row.location, row.starts_at, row.ends_at, clinicians)
