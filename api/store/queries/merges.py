"""The queries about records of one patient that become one: what goes from one to the other, and how it comes back.

Rows that only refer to a patient change whom they refer to. Of rows whose key names the patient, those that the other record
has too are left out. What moved is written down so that all of it, and no more, can come back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from api.store.columns import TableRow, new_id
from api.store.rows import read_document
from api.store.tables import (
    AttendanceRow,
    BookingRow,
    EpisodeRow,
    EpisodeVisitRow,
    FeedRow,
    InvitationRow,
    MemberRow,
    MembershipRow,
    MergeRow,
    OccupancyRow,
    PatientRow,
    ReferralOutRow,
    TaskRow,
    VisitRow,
    WaitingRow,
)
from scheduling.requests import Visit

Moved = dict[str, Any]
"""What moved, by table: ids, or rows whose key names the patient with whether the other record had them already."""

REFERRING: tuple[type[EpisodeRow] | type[InvitationRow] | type[ReferralOutRow], ...] = (
    EpisodeRow,
    InvitationRow,
    ReferralOutRow,
)
"""Tables whose rows refer to a patient by ``patient_id``, and are known by ``id``."""

KEYED: Mapping[type[Any], tuple[str, ...]] = {
    MembershipRow: ("group_id", "month"),
    MemberRow: ("programme_id", "since"),
    WaitingRow: ("programme_id",),
    AttendanceRow: ("booking_id",),
}
"""Tables whose key names a patient, with the rest of the key."""


def add_merge(session: Session, patient: str, into: str, moved: Moved, by: str, now: datetime) -> MergeRow:
    """Write down that a record went into another, with all that moved."""
    row = MergeRow(id=new_id(), patient_id=patient, into_id=into, moved=moved, merged_by=by, merged_at=now)
    session.add(row)
    session.flush()
    return row


def find_merge(session: Session, patient: str) -> MergeRow | None:
    """Return how a record went into another, None when it did not, or came back."""
    query = select(MergeRow).where(MergeRow.patient_id == patient, col(MergeRow.undone_at).is_(None))
    return session.exec(query).first()


def move_all(session: Session, patient: str, into: str, now: datetime) -> Moved:
    """Let all that is of one patient be of another, and return what moved."""
    moved: Moved = {}
    for table in REFERRING:
        moved[table.__tablename__] = _move_referring(session, table, patient, into)
    visits = list(session.exec(select(VisitRow.id).where(VisitRow.patient_id == patient).order_by(col(VisitRow.id))))
    _give_visits(session, visits, into)
    moved["visits"] = visits
    for keyed, others in KEYED.items():
        moved[keyed.__tablename__] = _move_keyed(session, keyed, others, patient, into)
    moved["feeds"] = _move_feeds(session, patient, into)
    tasks = (TaskRow.subject_kind == "patient", TaskRow.subject_id == patient, col(TaskRow.done_at).is_(None))
    moved["tasks"] = list(session.exec(select(TaskRow.id).where(*tasks)))
    session.exec(update(TaskRow).where(col(TaskRow.id).in_(moved["tasks"])).values(subject_id=into))
    moved |= _move_times(session, patient, into)
    _touch_bookings(session, [*moved["seats"], *(seat["booking_id"] for seat in moved["left_seats"])], now)
    earlier = select(PatientRow.id).where(PatientRow.merged_into == patient)
    moved["earlier"] = list(session.exec(earlier))
    _point(session, moved["earlier"], into)
    session.flush()
    return moved


def move_back(session: Session, merge: MergeRow, now: datetime) -> None:
    """Let all that moved, and is still where it went, be of the first patient again; new visits of its episodes too."""
    patient, into, moved = merge.patient_id, merge.into_id, merge.moved
    for table in REFERRING:
        mine = (col(table.id).in_(moved[table.__tablename__]), col(table.patient_id) == into)
        session.exec(update(table).where(*mine).values(patient_id=patient))
    of_episodes = select(EpisodeVisitRow.visit_id).where(col(EpisodeVisitRow.episode_id).in_(moved[EpisodeRow.__tablename__]))
    visits = list({*moved["visits"], *session.exec(of_episodes)})
    _give_visits(session, visits, patient)
    for keyed, others in KEYED.items():
        _return_keyed(session, keyed, others, moved[keyed.__tablename__], into)
    for feed in session.exec(select(FeedRow).where(col(FeedRow.id).in_(moved["feeds"]))):
        feed.subject_id, feed.signed_for = patient, None if feed.signed_for == patient else feed.signed_for
        session.add(feed)
    session.exec(update(TaskRow).where(col(TaskRow.id).in_(moved["tasks"])).values(subject_id=patient))
    of_visits = select(BookingRow.id).where(BookingRow.kind == "visit", col(BookingRow.subject_id).in_(visits))
    seats = list({*moved["seats"], *session.exec(of_visits)})
    _return_times(session, patient, into, seats, moved["doubled"])
    _return_seats(session, moved["left_seats"])
    _point(session, moved["earlier"], patient)
    _touch_bookings(session, [*seats, *(seat["booking_id"] for seat in moved["left_seats"])], now)
    session.flush()


def list_bookings(session: Session, moved: Moved) -> list[BookingRow]:
    """Return the bookings of what moved that stand."""
    identifiers = [*moved["seats"], *(seat["booking_id"] for seat in moved["left_seats"])]
    return list(session.exec(select(BookingRow).where(col(BookingRow.id).in_(identifiers)).order_by(col(BookingRow.starts_at))))


def _move_referring(
    session: Session, table: type[EpisodeRow] | type[InvitationRow] | type[ReferralOutRow], patient: str, into: str
) -> list[str]:
    """Let rows refer to another patient; an invitation to a session of which both know stays, and ends there."""
    query = select(table.id).where(table.patient_id == patient)
    if table is InvitationRow:
        both = select(InvitationRow.booking_id).where(InvitationRow.patient_id == into, col(InvitationRow.ended_at).is_(None))
        query = query.where(col(InvitationRow.booking_id).not_in(both))
    identifiers = list(session.exec(query))
    session.exec(update(table).where(col(table.id).in_(identifiers)).values(patient_id=into))
    return identifiers


def _give_visits(session: Session, identifiers: Iterable[str], patient: str) -> None:
    for row in session.exec(select(VisitRow).where(col(VisitRow.id).in_(list(identifiers)))):
        row.patient_id = patient
        row.document = read_document(Visit, row.document).changed(patient=patient).model_dump_json()
        row.version += 1
        session.add(row)


def _move_keyed(session: Session, table: type[Any], others: Sequence[str], patient: str, into: str) -> list[dict[str, Any]]:
    rows = [row.model_dump(mode="json") for row in session.exec(select(table).where(table.patient_id == patient))]
    session.exec(delete(table).where(table.patient_id == patient))
    there = session.exec(select(table).where(table.patient_id == into)).all()
    known = {tuple(str(getattr(row, name)) for name in others) for row in there}
    for row in rows:
        row["had"] = tuple(str(row[name]) for name in others) in known
        if not row["had"]:
            session.add(_make_row(table, {**row, "patient_id": into}))
    return rows


def _return_keyed(session: Session, table: type[Any], others: Sequence[str], rows: Iterable[dict[str, Any]], into: str) -> None:
    there = {
        tuple(str(getattr(row, name)) for name in others): row
        for row in session.exec(select(table).where(table.patient_id == into))
    }
    for row in rows:
        moved = there.get(tuple(str(row[name]) for name in others))
        if not row["had"]:
            if moved is None:
                continue  # it was given up since
            session.delete(moved)
        session.add(_make_row(table, row))
    session.flush()


def _make_row(table: type[TableRow], document: Mapping[str, Any]) -> TableRow:
    return table.model_validate({name: value for name, value in document.items() if name != "had"})


def _move_feeds(session: Session, patient: str, into: str) -> list[str]:
    feeds = list(session.exec(select(FeedRow).where(FeedRow.kind == "patient", FeedRow.subject_id == patient)))
    for feed in feeds:
        feed.signed_for = feed.signed_for or patient
        feed.subject_id = into
        session.add(feed)
    return [feed.id for feed in feeds]


def _move_times(session: Session, patient: str, into: str) -> Moved:
    """Give a patient's times to another.

    Return the bookings whose ``seats`` moved, those among them that are ``doubled`` now, and ``left_seats``: the rows of the
    sessions in which both had one.
    """
    mine, theirs = (_list_times(session, who) for who in (patient, into))
    sessions = {row.booking_id for row in theirs}
    left = [row.model_dump(mode="json") for row in mine if row.booking_id in sessions]
    seats, doubled = [], []
    for row in mine:
        if row.booking_id in sessions:
            session.delete(row)
            continue
        if not row.is_doubled and any(other.starts_at < row.ends_at and row.starts_at < other.ends_at for other in theirs):
            row.is_doubled = True
            doubled.append(row.booking_id)
        row.resource_id = into
        session.add(row)
        seats.append(row.booking_id)
    session.flush()
    return {"seats": seats, "doubled": doubled, "left_seats": left}


def _return_times(session: Session, patient: str, into: str, seats: Collection[str], doubled: Collection[str]) -> None:
    for row in _list_times(session, into):
        if row.booking_id in seats:
            row.resource_id = patient
            row.is_doubled = row.is_doubled and row.booking_id not in doubled
            session.add(row)
    session.flush()


def _return_seats(session: Session, seats: Iterable[dict[str, Any]]) -> None:
    for seat in seats:
        booking = session.get(BookingRow, seat["booking_id"])
        row = OccupancyRow.model_validate(seat)
        if booking is None or booking.starts_at != row.starts_at:
            continue  # the session is elsewhere now, or off
        taken = select(OccupancyRow.position).where(OccupancyRow.booking_id == row.booking_id, OccupancyRow.kind == "patient")
        row.position = max(session.exec(taken), default=-1) + 1
        session.add(row)
        session.flush()


def _list_times(session: Session, patient: str) -> list[OccupancyRow]:
    query = select(OccupancyRow).where(OccupancyRow.kind == "patient", OccupancyRow.resource_id == patient)
    return list(session.exec(query.order_by(col(OccupancyRow.starts_at), col(OccupancyRow.booking_id))))


def _point(session: Session, merged: Iterable[str], into: str) -> None:
    """Let records that were merged into one that is merged itself be of the one that stays."""
    session.exec(update(PatientRow).where(col(PatientRow.id).in_(list(merged))).values(merged_into=into))


def _touch_bookings(session: Session, identifiers: Iterable[str], now: datetime) -> None:
    """Let calendars see bookings anew."""
    changed = update(BookingRow).where(col(BookingRow.id).in_(list(identifiers)))
    session.exec(changed.values(version=col(BookingRow.version) + 1, updated_at=now))
