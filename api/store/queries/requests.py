"""The queries about what is asked for: visits, links, groups and reserves of a period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlmodel import Session, col, select

from api.store.rows import expect_version, get_row, insert_all, put, read_document
from api.store.tables import GroupRow, LinkRow, MembershipRow, ReserveRow, VisitRow
from scheduling.errors import UnknownId
from scheduling.requests import Candidate, Group, Link, Reserve, Visit


def get_visit(session: Session, identifier: str) -> VisitRow:
    """Return a visit. Raises ``UnknownId``."""
    return get_row(session, VisitRow, "visit", identifier)


def list_periods_of_patient(session: Session, patient_id: str) -> list[str]:
    """Return the periods that know a patient, by id: by a visit, a withdrawn one too, or as a candidate of a group."""
    visits = select(VisitRow.period_id).where(VisitRow.patient_id == patient_id)
    groups = select(GroupRow.period_id).join(MembershipRow).where(MembershipRow.patient_id == patient_id)
    return sorted({*session.exec(visits), *session.exec(groups)})


def list_visits_of_patient(session: Session, patient_id: str) -> list[VisitRow]:
    """Return a patient's visits of all periods by id, the withdrawn too."""
    return list(session.exec(select(VisitRow).where(VisitRow.patient_id == patient_id).order_by(col(VisitRow.id))))


def load_visits(session: Session, period_id: str) -> tuple[Visit, ...]:
    """Return the visits that a period asks for, by id, but for where they stand."""
    query = select(VisitRow.document).where(VisitRow.period_id == period_id, VisitRow.state == "asked")
    return tuple(read_document(Visit, text) for text in session.exec(query.order_by(col(VisitRow.id))))


def load_needs(session: Session, ids: Collection[str]) -> dict[str, Visit]:
    """Return visits of which some are known, by id, as they were asked for last."""
    query = select(VisitRow.id, VisitRow.document).where(col(VisitRow.id).in_(list(ids)))
    return {identifier: read_document(Visit, text) for identifier, text in session.exec(query)}


def get_asking_times(session: Session, period_id: str) -> dict[str, datetime]:
    """Return when the visits of a period were asked for, by visit."""
    query = select(VisitRow.id, VisitRow.created_at).where(VisitRow.period_id == period_id, VisitRow.state == "asked")
    return dict(session.exec(query).all())


def put_visits(session: Session, period_id: str, visits: Iterable[Visit], now: datetime) -> None:
    """Add visits to a period, or bring known ones to what is given; where they stand (``current``) is not kept here."""
    put(session, VisitRow, (_visit_row(period_id, visit, now) for visit in visits))


def withdraw_visit(session: Session, identifier: str, expected: int | None = None) -> VisitRow:
    """Ask for a visit no more. Raises ``UnknownId`` and ``StaleVersion``."""
    row = get_visit(session, identifier)
    expect_version(row, "visit", identifier, expected)
    row.state = "withdrawn"
    row.version += 1
    session.flush()
    return row


def add_links(session: Session, period_id: str, links: Iterable[Link]) -> None:
    """Add links between visits. Raises ``StillReferenced`` when there is no such visit."""
    rows = (
        dict(period_id=period_id, before_id=link.before, after_id=link.after, document=link.model_dump_json()) for link in links
    )
    insert_all(session, LinkRow, rows)


def remove_link(session: Session, period_id: str, before: str, after: str) -> None:
    """Remove the link between two visits of a period. Raises ``UnknownId``."""
    query = select(LinkRow).where(LinkRow.period_id == period_id, LinkRow.before_id == before, LinkRow.after_id == after)
    row = session.exec(query).first()
    if row is None:
        raise UnknownId("link", f"{before} to {after}")
    session.delete(row)
    session.flush()


def list_visits(session: Session, period_id: str, after: str, count: int, tag: str | None = None) -> list[VisitRow]:
    """Return a period's visits by id, the withdrawn too, those after an id; with a tag, or all."""
    query = select(VisitRow).where(VisitRow.period_id == period_id, col(VisitRow.id) > after)
    query = query.order_by(col(VisitRow.id))
    if tag is None:
        return list(session.exec(query.limit(count)))
    return [row for row in session.exec(query) if tag in row.tags][:count]


def list_tagged(session: Session, period_id: str, tag: str) -> set[str]:
    """Return the ids of a period's visits that carry a tag."""
    rows = session.exec(select(VisitRow.id, VisitRow.tags).where(VisitRow.period_id == period_id))
    return {identifier for identifier, tags in rows if tag in tags}


def get_desk_notes(session: Session, period_id: str) -> dict[str, tuple[str | None, list[str]]]:
    """Return the desk's notes and tags of a period's visits that have any."""
    rows = session.exec(select(VisitRow.id, VisitRow.note, VisitRow.tags).where(VisitRow.period_id == period_id))
    return {identifier: (note, list(tags)) for identifier, note, tags in rows if note or tags}


def remove_links(session: Session, visit_id: str) -> None:
    """Remove every link of a visit."""
    session.exec(delete(LinkRow).where(or_(col(LinkRow.before_id) == visit_id, col(LinkRow.after_id) == visit_id)))


def put_links(session: Session, period_id: str, visits: Iterable[str], links: Iterable[Link]) -> None:
    """Make what visits follow exactly what is given."""
    session.exec(delete(LinkRow).where(col(LinkRow.after_id).in_(list(visits))))
    add_links(session, period_id, links)


def put_groups(session: Session, period_id: str, groups: Iterable[Group]) -> None:
    """Add groups with their candidates to a period, or bring known ones to what is given."""
    groups = tuple(groups)
    put(session, GroupRow, (_group_row(period_id, group) for group in groups))
    for group in groups:
        members = MembershipRow
        session.exec(delete(members).where(col(members.group_id) == group.id, col(members.month) == group.month))
        seats = (
            dict(
                group_id=group.id, month=group.month, patient_id=candidate.patient, position=place, priority=candidate.priority
            )
            for place, candidate in enumerate(group.candidates)
        )
        insert_all(session, members, seats)


def get_group(session: Session, identifier: str) -> GroupRow:
    """Return a group's session, of several that of the last month. Raises ``UnknownId``."""
    query = select(GroupRow).where(GroupRow.id == identifier).order_by(col(GroupRow.month).desc())
    row = session.exec(query).first()
    if row is None:
        raise UnknownId("group", identifier)
    return row


def list_candidates(session: Session, row: GroupRow) -> tuple[str, ...]:
    """Return the patients who may be given a seat in a session, in their order."""
    query = select(MembershipRow.patient_id).where(MembershipRow.group_id == row.id, MembershipRow.month == row.month)
    return tuple(session.exec(query.order_by(col(MembershipRow.position))))


def sessions_open_to(session: Session, patient_id: str) -> list[GroupRow]:
    """Return the sessions of groups in which a patient may be given a seat."""
    query = select(GroupRow).join(MembershipRow).where(MembershipRow.patient_id == patient_id)
    return list(session.exec(query.order_by(col(GroupRow.id), col(GroupRow.month))))


def close_session_to(session: Session, row: GroupRow, patient_id: str, most_needed: int | None) -> None:
    """Let a patient be given no seat in a session; no more attendees are needed than are told, None: as many as before."""
    table, group = MembershipRow, read_document(Group, row.document)
    seats = delete(table).where(
        col(table.group_id) == row.id, col(table.month) == row.month, col(table.patient_id) == patient_id
    )
    session.exec(seats)
    if most_needed is not None and most_needed < group.min_attendees:
        group = group.changed(min_attendees=most_needed)
    row.document = group.model_dump_json()
    row.version += 1
    session.flush()


def put_reserves(session: Session, period_id: str, reserves: Iterable[Reserve], expected_until: Mapping[str, datetime]) -> None:
    """Add reserves to a period, or bring known ones to what is given.

    Parameters
    ----------
    expected_until
        By reserve, the instant after which nobody is expected for it; absent where nothing tells.
    """
    rows = (
        dict(
            id=reserve.id,
            period_id=period_id,
            service=reserve.service,
            held_on=reserve.date,
            document=reserve.model_dump_json(),
            expected_until=expected_until.get(reserve.id),
        )
        for reserve in reserves
    )
    put(session, ReserveRow, rows)


def load_links(session: Session, period_id: str, visits: Collection[str]) -> tuple[Link, ...]:
    """Return a period's links between visits that are still asked for."""
    columns = (LinkRow.before_id, LinkRow.after_id, LinkRow.document)
    rows = session.exec(select(*columns).where(LinkRow.period_id == period_id).order_by(col(LinkRow.id)))
    return tuple(read_document(Link, text) for before, after, text in rows if before in visits and after in visits)


def load_groups(session: Session, period_id: str) -> tuple[Group, ...]:
    """Return a period's groups with their candidates, but for where they stand."""
    candidates: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    table = MembershipRow
    members = (
        select(table.group_id, table.month, table.patient_id, table.priority)
        .join(GroupRow)
        .where(GroupRow.period_id == period_id)
    )
    for group, month, patient, priority in session.exec(members.order_by(col(table.position))):
        candidates[group, month].append(Candidate.model_validate({"patient": patient, "priority": priority}))
    rows = session.exec(select(GroupRow).where(GroupRow.period_id == period_id).order_by(col(GroupRow.id)))
    return tuple(read_document(Group, row.document).changed(candidates=tuple(candidates[row.id, row.month])) for row in rows)


def group_texts(session: Session, ids: Iterable[str]) -> list[tuple[str, str]]:
    """Return the documents of groups with their ids, of each that of its last month, without candidates."""
    query = select(GroupRow.id, GroupRow.document).where(col(GroupRow.id).in_(list(ids)))
    latest = {identifier: text for identifier, text in session.exec(query.order_by(col(GroupRow.id), col(GroupRow.month)))}
    return list(latest.items())


def load_reserves(session: Session, period_id: str) -> tuple[Reserve, ...]:
    """Return a period's reserves."""
    rows = session.exec(select(ReserveRow.document).where(ReserveRow.period_id == period_id).order_by(col(ReserveRow.id)))
    return tuple(read_document(Reserve, text) for text in rows)


def list_due_reserves(session: Session, now: datetime) -> list[ReserveRow]:
    """Return the reserves for which nobody is expected any more."""
    passed = col(ReserveRow.expected_until) < now.replace(second=0, microsecond=0)
    return list(session.exec(select(ReserveRow).where(passed).order_by(col(ReserveRow.id))))


def remove_reserve(session: Session, row: ReserveRow) -> None:
    """Ask for capacity no more."""
    session.delete(row)
    session.flush()


def _visit_row(period_id: str, visit: Visit, now: datetime) -> dict[str, Any]:
    return dict(
        id=visit.id,
        period_id=period_id,
        patient_id=visit.patient,
        service=visit.service,
        priority=visit.priority,
        earliest=visit.earliest,
        target=visit.target,
        deadline=visit.deadline,
        state="asked",
        document=visit.changed(current=None).model_dump_json(),
        created_at=now,
    )


def _group_row(period_id: str, group: Group) -> dict[str, Any]:
    document = group.changed(candidates=(), current=None).model_dump_json()
    return dict(id=group.id, month=group.month, period_id=period_id, service=group.service, document=document)
