"""The queries about partners: what each was told of bookings, and the messages to and from them.

A booking's version is what makes it news: whichever use case changes a booking, its new version differs from that of which a
partner is known to know. So nothing has to be written for partners when bookings change, and nothing can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists
from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.rows import get_row
from api.store.tables import (
    BookingRow,
    EpisodeVisitRow,
    InMessageRow,
    MirrorRow,
    OutMessageRow,
    PlacerRow,
)
from api.store.tables.hl7 import InState, OutState

CONTROL_ID_CHARACTERS = 20
"""MSH-10 is no longer in the versions before 2.6."""

LATEST_CHANGE = timedelta(days=60)
"""How long after the start of a booking something may still become known of it; it keeps the past from being searched."""

PUT_OFF: tuple[OutState, ...] = ("waiting", "parked")
"""The states of messages behind which no other about the same booking is sent."""


# --- what partners know ----------------------------------------------------------------------------------------------


def next_news(session: Session, partner: str, since: datetime) -> BookingRow | None:
    """Return the booking that changed longest ago among those of which a partner may not know all.

    Parameters
    ----------
    since
        Bookings that ended before, and of which the partner was told nothing, are no news any more; nor are changes of those
        that began ``LATEST_CHANGE`` before that.
    """
    is_known = (col(MirrorRow.booking_id) == col(BookingRow.id)) & (col(MirrorRow.partner) == partner)
    put_off = exists().where(
        col(OutMessageRow.booking_id) == col(BookingRow.id),
        col(OutMessageRow.partner) == partner,
        col(OutMessageRow.state).in_(PUT_OFF),
    )
    is_told = col(MirrorRow.version).is_not(None)
    is_new = col(BookingRow.state).not_in(("offered", "cancelled")) & (col(BookingRow.ends_at) > since)
    query = (
        select(BookingRow)
        .outerjoin(MirrorRow, is_known)
        .where(col(BookingRow.starts_at) > since - LATEST_CHANGE, col(BookingRow.kind).in_(("visit", "group")), ~put_off)
        .where((is_told & (col(MirrorRow.version) != col(BookingRow.version))) | (~is_told & is_new))
    )
    order = (col(BookingRow.updated_at), col(BookingRow.starts_at), col(BookingRow.id))
    return session.exec(query.order_by(*order).limit(1)).first()


def told(session: Session, partner: str, booking_id: str) -> dict[str, Any]:
    """Return the appointments that a partner knows of a booking, by patient."""
    row = session.get(MirrorRow, (partner, booking_id))
    return {} if row is None else dict(row.told)


def put_mirror(session: Session, partner: str, booking_id: str, appointments: Mapping[str, Any], version: int) -> None:
    """Note what a partner knows of a booking, and as of which of its versions that is all there is to know."""
    row = session.get(MirrorRow, (partner, booking_id))
    if row is None:
        session.add(MirrorRow(partner=partner, booking_id=booking_id, version=version, told=dict(appointments)))
    else:
        row.version, row.told = version, dict(appointments)
        session.add(row)
    session.flush()


def known_version(session: Session, partner: str, booking_id: str) -> int:
    """Return the version of a booking of which a partner knows all; 0: there is none."""
    row = session.get(MirrorRow, (partner, booking_id))
    return 0 if row is None else row.version


def put_placer(session: Session, partner: str, kind: str, identifier: str, placer: str) -> None:
    """Note the number that a partner gave to an episode or a visit; an earlier one is forgotten."""
    row = session.get(PlacerRow, (partner, kind, identifier))
    if row is None:
        session.add(PlacerRow(partner=partner, subject_kind=kind, subject_id=identifier, placer=placer))
    else:
        row.placer = placer
        session.add(row)
    session.flush()


def placer_of(session: Session, partner: str, visit: str) -> str:
    """Return the number that a partner gave to a visit, or to the episode that it is of; empty: none."""
    row = session.get(PlacerRow, (partner, "visit", visit))
    episode = session.get(EpisodeVisitRow, visit)
    if row is None and episode is not None:
        row = session.get(PlacerRow, (partner, "episode", episode.episode_id))
    return "" if row is None else row.placer


# --- messages to partners --------------------------------------------------------------------------------------------


def out_message(session: Session, identifier: str) -> OutMessageRow:
    """Return a message to a partner. Raises ``UnknownId``."""
    return get_row(session, OutMessageRow, "message", identifier)


def being_sent(session: Session, partner: str) -> OutMessageRow | None:
    """Return the message to a partner that may have arrived, and is not answered."""
    query = select(OutMessageRow).where(OutMessageRow.partner == partner, OutMessageRow.state == "sending")
    return session.exec(query).first()


def due_again(session: Session, partner: str, now: datetime) -> OutMessageRow | None:
    """Return the oldest message that a partner has put off, and that is to be sent again now."""
    query = select(OutMessageRow).where(OutMessageRow.partner == partner, OutMessageRow.state == "waiting")
    return session.exec(query.where(col(OutMessageRow.due_at) <= now).order_by(col(OutMessageRow.due_at)).limit(1)).first()


def add_out_message(
    session: Session, partner: str, booking_id: str, patient: str, trigger: str, tells: dict[str, Any], now: datetime
) -> OutMessageRow:
    """Begin to send a message about one patient's booking."""
    row = OutMessageRow(
        id=new_id()[:CONTROL_ID_CHARACTERS],
        partner=partner,
        booking_id=booking_id,
        patient_id=patient,
        trigger=trigger,
        tells=tells,
        due_at=now,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def out_messages(session: Session, partner: str | None, state: str | None, count: int) -> list[OutMessageRow]:
    """Return messages to partners, the newest first."""
    query = select(OutMessageRow).order_by(col(OutMessageRow.created_at).desc(), col(OutMessageRow.id)).limit(count)
    query = query if partner is None else query.where(OutMessageRow.partner == partner)
    return list(session.exec(query if state is None else query.where(OutMessageRow.state == state)))


# --- messages of partners --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in: what is kept of it."""

    partner: str
    control_id: str
    digest: str
    kind: str
    content: bytes
    answer: bytes
    state: InState
    reason: str | None


def in_message(session: Session, number: int) -> InMessageRow:
    """Return a message of a partner. Raises ``UnknownId``."""
    return get_row(session, InMessageRow, "message", number)


def in_message_of(session: Session, partner: str, control_id: str) -> InMessageRow | None:
    """Return the message of a partner that has a control id."""
    query = select(InMessageRow).where(InMessageRow.partner == partner, InMessageRow.control_id == control_id)
    return session.exec(query).first()


def put_in_message(session: Session, received: Received, now: datetime) -> InMessageRow:
    """Keep a message that came in; one of the same control id that was refused before gives way to it."""
    session.exec(
        delete(InMessageRow).where(
            col(InMessageRow.partner) == received.partner,
            col(InMessageRow.control_id) == received.control_id,
            col(InMessageRow.state) == "refused",
        )
    )
    row = InMessageRow(
        partner=received.partner,
        control_id=received.control_id,
        digest=received.digest,
        kind=received.kind,
        content=received.content,
        answer=received.answer,
        state=received.state,
        reason=received.reason,
        received_at=now,
        ended_at=None if received.state == "received" else now,
    )
    session.add(row)
    session.flush()
    return row


def next_received(session: Session) -> InMessageRow | None:
    """Return the oldest message on which nothing has been done yet."""
    query = select(InMessageRow).where(InMessageRow.state == "received").order_by(col(InMessageRow.number)).limit(1)
    return session.exec(query).first()


def in_messages(session: Session, partner: str | None, state: str | None, count: int) -> list[InMessageRow]:
    """Return messages of partners, the newest first."""
    query = select(InMessageRow).order_by(col(InMessageRow.number).desc()).limit(count)
    query = query if partner is None else query.where(InMessageRow.partner == partner)
    return list(session.exec(query if state is None else query.where(InMessageRow.state == state)))


def forget(session: Session, before: datetime, most: int) -> int:
    """Forget messages that ended before an instant, at most so many of each way, and return how many."""
    gone = 0
    for kind, key in ((OutMessageRow, OutMessageRow.id), (InMessageRow, InMessageRow.number)):
        query: Any = select(key).where(col(kind.ended_at) < before, col(kind.state).not_in(PUT_OFF)).limit(most)
        ended = list(session.exec(query))
        session.exec(delete(kind).where(col(key).in_(ended)))
        gone += len(ended)
    return gone
