"""The inbox: a message is kept, committed, and only then answered; what it asks for is done afterwards.

Who sends a message again gets the answer that it had. A message that was answered with an error may come again, once it or the
partner's entry is mended.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from sqlmodel import Session

from api.context import AppContext
from api.hl7.acks import AckVerdict, Condition, Refusal, make_ack
from api.hl7.charsets import decoded
from api.hl7.codec import InvalidMessage, Message
from api.hl7.outbox import actor_of
from api.hl7.partners import Partner, Partners
from api.hl7.readings import AppointmentReading, PatientNews, Reading, UnreadableMessage, read_message
from api.services.records import write_audit
from api.store.columns import new_id
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import hl7, tasks
from api.store.queries.hl7 import CONTROL_ID_CHARACTERS, Received

UNREADABLE = "hl7-message-unreadable"
"""The task for staff when a partner's message says something impossible."""

MAX_CONTROL_ID_CHARACTERS = 199
"""MSH-10 in version 2.6."""

LATER = Refusal(AckVerdict.ERROR, Condition.INTERNAL, "cannot be taken in now; send it again later")

log = logging.getLogger(__name__)


class Inbox:
    """Takes in partners' messages.

    Parameters
    ----------
    on_received
        Called when there is something to be done.
    """

    def __init__(self, context: AppContext, partners: Partners, on_received: Callable[[], object]) -> None:
        self._context, self._partners, self._on_received = context, partners, on_received

    def receive(self, content: bytes, address: str) -> bytes:
        """Keep a message and return its answer; nothing of it is written to the log."""
        try:
            return self._received(content, address)
        except (StoreBusy, StoreUnusable) as error:
            log.warning("a message from %s has to wait for the store: %s", address, error)
        except Exception:  # whatever it is, the sender must keep the message
            log.exception("a message from %s cannot be taken in", address)
        return self._answer(content, LATER)

    def refuse_too_long(self, head: bytes) -> bytes:
        """Return the answer to a message that is too long."""
        return self._answer(head, Refusal(AckVerdict.REJECTED, Condition.DATA_TYPE, "is longer than any message may be"))

    def _received(self, content: bytes, address: str) -> bytes:
        try:
            message = Message.parse(decoded(content)[0])
        except InvalidMessage as error:
            return self._answer(content, Refusal(AckVerdict.REJECTED, Condition.SEGMENT_SEQUENCE, str(error)))
        header = message.header
        sender = self._partners.sender(address, header.get(3), header.get(4))
        if sender is None:
            log.warning("a message from %s is of nobody who may send from there", address)
            words = "MSH-3 and MSH-4 name nobody who may send from there"
            return self._answer(content, Refusal(AckVerdict.REJECTED, Condition.UNKNOWN_KEY, words, "MSH-3"))
        if refusal := _control_id_refusal(message.control_id):
            return self._answer(content, refusal)
        return self._kept(content, message, *sender)

    def _kept(self, content: bytes, message: Message, name: str, partner: Partner) -> bytes:
        """Keep a message, unless it is known, and return its answer."""
        digest = hashlib.sha256(content).hexdigest()
        reading, refusal = _read(message, partner)
        if refusal is not None and refusal.verdict is AckVerdict.REJECTED:
            return self._answer(content, refusal)
        with self._context.database.writing() as session:
            known = hl7.in_message_of(session, name, message.control_id)
            if known is not None and known.state != "refused":
                if known.digest == digest:
                    return known.answer
                words = "MSH-10 is that of another message"
                return self._answer(content, Refusal(AckVerdict.ERROR, Condition.DUPLICATE_KEY, words, "MSH-10"))
            answer = self._answer(content, refusal)
            received = Received(
                partner=name,
                control_id=message.control_id,
                digest=digest,
                kind=f"{message.code}^{message.trigger}"[:20],
                content=self._context.signer.sealed(content),
                answer=answer,
                state="received" if refusal is None else "refused",
                reason=None if refusal is None else refusal.words,
            )
            self._note(session, received, reading)
        self._on_received()
        return answer

    def _note(self, session: Session, received: Received, reading: Reading | None) -> None:
        now = self._context.clock()
        row = hl7.put_in_message(session, received, now)
        detail = {"partner": received.partner, "message": row.number, "event": received.kind}
        if received.state == "refused":
            told = {"partner": received.partner, "event": received.kind, "reason": received.reason}
            tasks.add_task(session, UNREADABLE, ("partner", received.partner), told, now)
        write_audit(session, actor_of(received.partner), "hl7.in", "patient", _patient_id(reading), now, **detail)

    def _answer(self, content: bytes, refusal: Refusal | None) -> bytes:
        return make_ack(content, new_id()[:CONTROL_ID_CHARACTERS], self._context.clock(), refusal)


def _read(message: Message, partner: Partner) -> tuple[Reading | None, Refusal | None]:
    try:
        return read_message(message, partner), None
    except UnreadableMessage as error:
        return None, error.refusal


def _control_id_refusal(control_id: str) -> Refusal | None:
    if not control_id.strip():
        return Refusal(AckVerdict.ERROR, Condition.FIELD_MISSING, "MSH-10 is missing", "MSH-10")
    if len(control_id) > MAX_CONTROL_ID_CHARACTERS or not control_id.isprintable():
        return Refusal(AckVerdict.ERROR, Condition.DATA_TYPE, "MSH-10 is too long, or holds control characters", "MSH-10")
    return None


def _patient_id(reading: Reading | None) -> str:
    """Return whom a message is about, as far as it was read."""
    match reading:
        case AppointmentReading(patient=patient) | PatientNews(patient=patient) if patient is not None:
            return patient.id
        case (first, *_):
            return first.patient.id
        case _:
            return ""
