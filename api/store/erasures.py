"""The queries by which a patient is deleted from what is shared with others, and from what is sealed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from api.store.queries import bookings, requests
from api.store.queries.jobs import ACTIVE
from api.store.stand_ins import StandIns
from api.store.tables import (
    BookingRow,
    IdempotencyRow,
    InMessageRow,
    OccupancyRow,
    PlanJobRow,
    ProposalRow,
    ScenarioRow,
    TaskRow,
)

Opened = Callable[[bytes], bytes | None]
"""Decrypts what is sealed; None when another key did that."""


def leave_groups(session: Session, records: Collection[str], now: datetime) -> None:
    """Let a patient have been in no group's session; of one that has been, no more attendees are needed than others came."""
    for patient in records:
        for row in requests.sessions_open_to(session, patient):
            booking = bookings.find_booking(session, ("group", row.id, row.month))
            seats = () if booking is None else bookings.get_standing(session, booking).placing.ids("patient")
            staying = len(set(seats) - set(records))
            requests.close_session_to(session, row, patient, staying or None)
    taken = select(OccupancyRow.booking_id).where(OccupancyRow.kind == "patient", col(OccupancyRow.resource_id).in_(records))
    shared = update(BookingRow).where(col(BookingRow.kind) == "group", col(BookingRow.id).in_(taken))
    session.exec(shared.values(version=col(BookingRow.version) + 1, updated_at=now))


def list_running(session: Session, stand_ins: StandIns) -> list[str]:
    """Return the jobs that wait or run and whose scenarios name a patient."""
    query = select(PlanJobRow.id, ScenarioRow.document).join(ScenarioRow).where(col(PlanJobRow.state).in_(ACTIVE))
    return [job for job, document in session.exec(query) if stand_ins.are_in(document)]


def list_unread(session: Session, records: Collection[str], opened: Opened) -> list[int]:
    """Return the numbers of the HL7 messages that have come, are not done, and name a patient."""
    query = select(InMessageRow).where(InMessageRow.state == "received")
    named = StandIns.of(records)
    return [row.number for row in session.exec(query) if row.number is not None and named.are_in(_read(opened(row.content)))]


def delete_naming(session: Session, stand_ins: StandIns, opened: Opened) -> None:
    """Delete answers, messages and proposals that name a patient, sealed as they are, and tasks whose detail does."""
    for row in _list_naming(session, stand_ins, opened):
        session.delete(row)
    session.flush()


def _list_naming(session: Session, stand_ins: StandIns, opened: Opened) -> Iterator[Any]:
    for answer in session.exec(select(IdempotencyRow).execution_options(yield_per=100)):
        if stand_ins.are_in(_read(opened(answer.body))):
            yield answer
    for message in session.exec(select(InMessageRow).execution_options(yield_per=100)):
        if stand_ins.are_in(_read(opened(message.content))) or stand_ins.are_in(_read(message.answer)):
            yield message
    for proposal in session.exec(select(ProposalRow)):
        if stand_ins.by_id.keys() & set(proposal.visits) or stand_ins.are_in(_read(opened(proposal.content))):
            yield proposal
    for task in session.exec(select(TaskRow).where(stand_ins.may_be_in(TaskRow.detail))):
        if stand_ins.put_into(task.detail) != task.detail:
            yield task


def _read(content: bytes | None) -> str:
    """Return what can be read of a content as text: an id is, in whatever encoding the rest is."""
    return (content or b"").decode("utf-8", "replace")
