"""The outbox: which message a partner is to get next, and what its answer means.

What stands in the store is held against what the partner has acknowledged; the step between them is the next message. It is
kept before it is sent, and it is sent again under the same control id until it is answered. So a process that is killed at
any moment loses nothing, and what a partner may have twice it can tell by MSH-10.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.hl7.acks import Acknowledgement
from api.hl7.appointments import ENDED, AppointmentEvent, PartnerAppointment, Status, Trigger, next_event
from api.hl7.fhir_appointments import make_partner_appointment
from api.hl7.partners import Partner
from api.hl7.siu import NamedPatient, make_siu
from api.services.records import write_audit
from api.store.queries import bookings, hl7, people, periods, requests, tasks
from api.store.queries.appointments import name_seat, name_session
from api.store.tables import BookingRow, OutMessageRow

log = logging.getLogger(__name__)

REFUSED = "hl7-message-refused"
"""The task for staff when a partner refuses a message for good."""

MAX_ATTEMPTS = 5
"""How often a message is sent that the partner answers with an error."""

KEPT_DAYS = 1
"""How long ago a visit may have ended that a partner is told of for the first time."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it goes out."""

    id: str
    content: bytes


def actor_of(partner: str) -> Actor:
    """Return as whom a partner acts."""
    return Actor(f"hl7:{partner}", AccessRole.ADMIN)


def has_outgoing(session: Session, name: str, now: datetime) -> bool:
    """Return whether there may be a message for a partner."""
    open_message = hl7.being_sent(session, name) or hl7.due_again(session, name, now)
    return open_message is not None or hl7.next_news(session, name, _told_since(now)) is not None


def next_outgoing(session: Session, name: str, partner: Partner, now: datetime) -> Outgoing | None:
    """Return the message that a partner is to get now, None: it knows all; call it in a transaction.

    One that may have arrived comes first, then one that was put off, then what is new. One that cannot be made is put aside
    for a person to look at, so that it keeps no other from being sent.
    """
    while (row := _next_row(session, name, now)) is not None:
        row.attempts += 1
        session.add(row)
        session.flush()
        try:
            return Outgoing(row.id, message_content(session, row, partner))
        except Exception:  # whatever it is, one message that cannot be made must not keep all others
            log.exception("message %s to %s cannot be made", row.id, name)
            _park(session, name, row, "it cannot be made", now)
    return None


def note_answer(
    session: Session, name: str, identifier: str, answer: Acknowledgement, now: datetime, wait: Callable[[int], float]
) -> None:
    """Note what a partner has answered to a message.

    Parameters
    ----------
    wait
        Returns how long a message that met an error waits for its next attempt, s, by the attempts so far.
    """
    row = hl7.out_message(session, identifier)
    if row.state != "sending":
        return
    if answer.is_accepted:
        _acknowledge(session, name, row, now)
        return
    reason = f"answered {answer.code}"
    if answer.is_rejected or row.attempts >= MAX_ATTEMPTS:
        _park(session, name, row, reason, now)
        return
    row.state, row.due_at, row.reason = "waiting", now + timedelta(seconds=wait(row.attempts)), reason
    session.add(row)
    session.flush()


def send_again(session: Session, identifier: str, now: datetime) -> OutMessageRow:
    """Let a message be sent again at once, whatever was answered to it. Raises ``UnknownId``."""
    row = hl7.out_message(session, identifier)
    if row.state != "sending":
        row.state, row.due_at, row.attempts, row.reason, row.ended_at = "waiting", now, 0, None, None
        session.add(row)
        session.flush()
    return row


def standing_appointments(session: Session, partner: str, row: BookingRow) -> dict[str, PartnerAppointment]:
    """Return the appointments that a booking is, by patient; empty when it is cancelled or only offered."""
    if row.state in ("cancelled", "offered"):
        return {}
    placing = bookings.get_standing(session, row).placing
    services = {service.id: service for service in periods.clinic_of(session).services}
    asked = requests.get_visit(session, row.subject_id) if row.kind == "visit" else None
    service = services.get(placing.service)
    return {
        patient: PartnerAppointment(
            id=appointment_id(row, patient),
            patient=patient,
            service=placing.service,
            starts_at=placing.starts_at,
            ends_at=placing.ends_at,
            location=placing.location,
            room=placing.room,
            team=placing.ids("team"),
            supervisors=placing.ids("supervisor"),
            equipment=() if service is None else service.equipment,
            priority="" if asked is None else asked.priority,
            placer=hl7.placer_of(session, partner, row.subject_id) if row.kind == "visit" else "",
            status=Status(row.state),
        )
        for patient in placing.ids("patient")
    }


def appointment_id(row: BookingRow, patient: str) -> str:
    """Return the id of one patient's appointment: the visit's, or that of the group's session with the patient's."""
    if row.kind == "visit":
        return row.subject_id
    return name_seat(name_session(row.subject_id, row.month), patient)


def _told_since(now: datetime) -> datetime:
    return now - timedelta(days=KEPT_DAYS)


def _next_row(session: Session, name: str, now: datetime) -> OutMessageRow | None:
    row = hl7.being_sent(session, name)
    if row is None and (row := hl7.due_again(session, name, now)) is not None:
        row.state = "sending"
    return row or _next_news(session, name, now)


def _park(session: Session, name: str, row: OutMessageRow, reason: str, now: datetime) -> None:
    """Send a message no more until somebody has looked at it."""
    row.state, row.reason, row.ended_at = "parked", reason, now
    session.add(row)
    detail = {"partner": name, "message": row.id, "booking": row.booking_id, "event": row.trigger, "reason": reason}
    tasks.add_task(session, REFUSED, ("patient", row.patient_id), detail, now)


def _next_news(session: Session, name: str, now: datetime) -> OutMessageRow | None:
    """Begin the next message about what is new; a booking of which all is known is passed over, and noted as known."""
    while (booking := hl7.next_news(session, name, _told_since(now))) is not None:
        told = hl7.told(session, name, booking.id)
        stands = standing_appointments(session, name, booking)
        for patient in sorted({*told, *stands}):
            known = PartnerAppointment.of(told[patient]) if patient in told else None
            event = next_event(known, stands.get(patient) or _ended(session, booking, known))
            if event is not None:
                tells = event.appointment.document()
                return hl7.add_out_message(session, name, booking.id, patient, event.trigger.value, tells, now)
        hl7.put_mirror(session, name, booking.id, told, booking.version)
    return None


def _ended(session: Session, booking: BookingRow, known: PartnerAppointment | None) -> PartnerAppointment | None:
    """Return an appointment that is no more; it is deleted where it was withdrawn before its patient heard of it."""
    if known is None or known.status in ENDED or booking.kind != "visit" or booking.notified:
        return None
    was_withdrawn = requests.get_visit(session, booking.subject_id).state == "withdrawn"
    return None if not was_withdrawn else PartnerAppointment.of(known.document() | {"status": Status.DELETED})


def message_content(session: Session, row: OutMessageRow, partner: Partner) -> bytes:
    """Return a message as it goes out, the same every time."""
    appointment = PartnerAppointment.of(row.tells)
    if partner.fhir is not None:
        return json.dumps(make_partner_appointment(appointment, partner)).encode()
    name = people.get_patient_names(session, [row.patient_id]).get(row.patient_id, "")
    event = AppointmentEvent(Trigger(row.trigger), appointment)
    return make_siu(event, NamedPatient(row.patient_id, name), partner, row.id, row.created_at)


def _acknowledge(session: Session, name: str, row: OutMessageRow, now: datetime) -> None:
    """Note that a partner knows what a message says."""
    told = hl7.told(session, name, row.booking_id) | {row.patient_id: row.tells}
    hl7.put_mirror(session, name, row.booking_id, told, hl7.known_version(session, name, row.booking_id))
    row.state, row.ended_at, row.reason = "sent", now, None
    session.add(row)
    detail = {"partner": name, "message": row.id, "event": row.trigger, "booking": row.booking_id}
    write_audit(session, actor_of(name), "hl7.out", "patient", row.patient_id, now, **detail)
