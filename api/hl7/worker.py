"""Works off the inbox: one message after another, in the order in which they came."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

from sqlmodel import Session

from api.context import AppContext
from api.hl7.charsets import decoded
from api.hl7.codec import Message
from api.hl7.incoming import Incoming, NeedsPerson, ask_person, take_appointment, take_patient, take_referral
from api.hl7.partners import Partners
from api.hl7.readings import AppointmentReading, PatientNews, read_message
from api.store.errors import StoreBusy, StoreUnusable
from api.store.queries import hl7
from api.store.tables import InMessageRow
from scheduling.errors import ClinicweaveError

Part = Callable[[], None]

MEANS_NOTHING = ("ADT", "NMQ")
"""Types of which many events are of no matter here: patients' comings and goings, and whether anybody listens."""

log = logging.getLogger(__name__)


class InboxWorker:
    """Does what messages ask for; one that fails becomes a task and keeps no other from being done."""

    def __init__(self, context: AppContext, partners: Partners) -> None:
        self._context, self._partners = context, partners

    def work_off(self) -> int:
        """Do what is asked for by all messages that wait, and return how many there were.

        Raises
        ------
        StoreBusy, StoreUnusable
            When the store cannot be written to; what was not done waits.
        """
        count = 0
        while (row := self._next()) is not None:
            self._work(row)
            count += 1
        return count

    def _next(self) -> InMessageRow | None:
        with self._context.database.reading() as session:
            return hl7.next_received(session)

    def _work(self, row: InMessageRow) -> None:
        """Do the parts of a message that are not done yet, and note that it is over."""
        partner = self._partners.partners.get(row.partner)
        if partner is None:
            log.error("message %s is of %s, which is no partner any more", row.number, row.partner)
            self._end(row, "the partner is no partner any more")
            return
        incoming = Incoming(self._context, row.partner, partner, row)
        for patient, reading, part in list(self._parts(incoming))[row.parts_done :]:
            self._try(incoming, patient, part, reading)
        self._end(row)

    def _parts(self, incoming: Incoming) -> Iterator[tuple[str, AppointmentReading | None, Part]]:
        """Yield whom each part of a message is about, what it says of an appointment, and what does it."""
        content = self._context.signer.opened(incoming.row.content)
        if content is None:
            yield "", None, partial(_needs_person, "it was sealed with another key")
            return
        reading = read_message(Message.parse(decoded(content)[0]), incoming.partner)
        match reading:
            case AppointmentReading(patient=patient):
                yield "" if patient is None else patient.id, reading, partial(take_appointment, incoming, reading)
            case PatientNews(patient=patient):
                yield patient.id, None, partial(take_patient, incoming, reading)
            case None:
                if not incoming.row.kind.startswith(MEANS_NOTHING):
                    yield "", None, partial(_needs_person, "nothing is done here on this event")
            case _:
                for referral in reading:
                    yield referral.patient.id, None, partial(take_referral, incoming, referral)

    def _try(self, incoming: Incoming, patient: str, part: Part, reading: AppointmentReading | None) -> None:
        try:
            part()
        except (StoreBusy, StoreUnusable):
            raise
        except ClinicweaveError as error:
            log.info("message %s of %s needs a person: %s", incoming.row.number, incoming.name, type(error).__name__)
            ask_person(incoming, patient, error, reading)
        except Exception as error:  # whatever it is, one message must not keep all others
            log.exception("message %s of %s cannot be done", incoming.row.number, incoming.name)
            ask_person(incoming, patient, error, reading)

    def _end(self, row: InMessageRow, reason: str | None = None) -> None:
        with self._context.database.writing() as session:
            kept = hl7.in_message(session, row.number or 0)
            kept.reason = reason or kept.reason
            kept.state, kept.ended_at = "done" if kept.reason is None else "task", self._context.clock()
            session.add(kept)


def _needs_person(reason: str) -> None:
    raise NeedsPerson(reason)


def do_again(session: Session, number: int) -> None:
    """Let a message be done again from its first part on. Raises ``UnknownId``."""
    row = hl7.in_message(session, number)
    row.state, row.parts_done, row.reason, row.ended_at = "received", 0, None, None
    session.add(row)
