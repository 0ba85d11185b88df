"""A health record in tests: it applies the scheduling messages that it gets, as one that mirrors does, and answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlmodel import select
from support.mllp import NOW

from api.hl7.acks import Acknowledgement, AckVerdict, Condition, Refusal, make_ack, read_ack
from api.hl7.appointments import Status
from api.hl7.charsets import decoded
from api.hl7.codec import Message
from api.hl7.outbox import next_outgoing, note_answer, standing_appointments
from api.hl7.partners import Partner
from api.hl7.readings import AppointmentReading, read_message
from api.store.database import Database
from api.store.tables import BookingRow


@dataclass
class Ehr:
    """Appointments by id, as messages told of them; ``answers`` refuse the next messages instead."""

    partner: Partner
    appointments: dict[str, AppointmentReading] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)
    taken: dict[str, bytes] = field(default_factory=dict)
    answers: list[AckVerdict] = field(default_factory=list)
    before: Callable[[bytes], object] = lambda content: None

    def receive(self, content: bytes, address: str = "") -> bytes:
        """Apply a message, but a known one only once, and answer it."""
        self.before(content)
        message = Message.parse(decoded(content)[0])
        if self.answers:
            refusal = Refusal(self.answers.pop(0), Condition.INTERNAL, "is refused by a test")
            return make_ack(content, "E", NOW, refusal)
        if message.control_id not in self.taken:
            self.taken[message.control_id] = content
            self._apply(message)
        assert self.taken[message.control_id] == content, "one control id, two messages"
        return make_ack(content, "E", NOW)

    def refuse_too_long(self, head: bytes) -> bytes:
        """Answer what is never sent."""
        raise AssertionError(head)

    def standing(self) -> dict[str, tuple[object, ...]]:
        """Return what it shows: the time, place, team and state of what is not cancelled."""
        return {
            identifier: (one.status.value, one.starts_at, one.ends_at, one.location, one.room, one.team)
            for identifier, one in self.appointments.items()
            if one.status is not Status.CANCELLED
        }

    def _apply(self, message: Message) -> None:
        reading = read_message(message, self.partner)
        assert isinstance(reading, AppointmentReading)
        identifier = reading.ids[0]
        self.said.append((reading.trigger, identifier))
        known = self.appointments.get(identifier)
        is_known = known is not None and known.status is not Status.CANCELLED
        assert is_known == (reading.trigger != "S12"), f"{reading.trigger} of {identifier}"
        if known is not None and reading.starts_at is None:
            reading = replace(known, status=reading.status)
        self.appointments[identifier] = reading


def send_all(database: Database, ehr: Ehr, name: str = "hospital") -> list[tuple[str, str]]:
    """Send a health record all that it is to know, and return the events and ids of what was said."""
    before = len(ehr.said)
    with database.writing() as session:
        while (outgoing := next_outgoing(session, name, ehr.partner, NOW)) is not None:
            note_answer(session, name, outgoing.id, answered(ehr, outgoing.content), NOW, lambda attempts: 60.0)
    return ehr.said[before:]


def answered(ehr: Ehr, content: bytes) -> Acknowledgement:
    """Return a health record's answer."""
    return read_ack(ehr.receive(content))


def as_it_stands(database: Database, name: str = "hospital") -> dict[str, tuple[object, ...]]:
    """Return what a health record should show."""
    with database.reading() as session:
        rows = session.exec(select(BookingRow).where(BookingRow.kind != "hold"))
        return {
            appointment.id: (
                appointment.status.value,
                appointment.starts_at,
                appointment.ends_at,
                appointment.location,
                appointment.room or "",
                (*appointment.team, *appointment.supervisors),
            )
            for row in rows
            for appointment in standing_appointments(session, name, row).values()
        }
