"""The queries by which a week takes over what is left of those before it, and is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import delete, exists, update
from sqlmodel import Session, col, select

from api.store.queries import bookings, requests
from api.store.queries.bookings import WAITING_AGAIN
from api.store.queries.periods import get_zone
from api.store.rows import read_document
from api.store.tables import BookingRow, EpisodeVisitRow, GroupRow, LinkRow, MembershipRow, PeriodRow, ReserveRow, VisitRow
from scheduling.fields import Horizon
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario


def list_without_episode(session: Session, horizon: Horizon) -> list[Visit]:
    """Return the visits of no episode that some dates ask for: those of periods up to them that wait, or stand in them."""
    booking = BookingRow
    query = (
        select(VisitRow.document)
        .join(PeriodRow, col(PeriodRow.id) == col(VisitRow.period_id))
        .outerjoin(booking, (col(booking.kind) == "visit") & (col(booking.subject_id) == col(VisitRow.id)))
        .where(VisitRow.state == "asked", col(PeriodRow.starts_on) < horizon.end)
        .where(~exists().where(col(EpisodeVisitRow.visit_id) == col(VisitRow.id)))
        .where(
            ((col(booking.id).is_(None) | col(booking.state).in_(WAITING_AGAIN)) & (col(PeriodRow.ends_on) <= horizon.end))
            | (col(PeriodRow.starts_on) >= horizon.start)
        )
    )
    return [read_document(Visit, text) for text in session.exec(query.order_by(col(VisitRow.id)))]


def get_dates_before(session: Session, visits: Collection[str]) -> dict[str, list[tuple[date, Link]]]:
    """Return, for visits that follow others, the dates of those that have been or stand, each with its link."""
    query = (
        select(LinkRow.after_id, LinkRow.document, BookingRow.starts_at)
        .join(BookingRow, (col(BookingRow.kind) == "visit") & (col(BookingRow.subject_id) == col(LinkRow.before_id)))
        .where(col(LinkRow.after_id).in_(list(visits)), col(BookingRow.state).not_in(("cancelled", "offered", "no-show")))
    )
    wall = get_zone(session).wall
    dates: dict[str, list[tuple[date, Link]]] = defaultdict(list)
    for after, document, starts_at in session.exec(query):
        dates[after].append((wall(starts_at).date(), read_document(Link, document)))
    return dates


def keep(session: Session, scenario: Scenario, now: datetime, expected_until: Mapping[str, datetime]) -> None:
    """Make what a period asks for what its scenario does; what stands stays, and is asked for as before.

    Parameters
    ----------
    expected_until
        By reserve, the wall-clock moment after which nobody is expected for it; absent where nothing tells.
    """
    period, wanted = scenario.id, scenario.visits_by_id
    stands = {(row.kind, row.subject_id) for row in bookings.list_rows(session, period) if row.state != "cancelled"}
    asked = select(VisitRow.id).where(VisitRow.period_id == period, VisitRow.state == "asked")
    for visit in session.exec(asked):
        if visit not in wanted and ("visit", visit) not in stands:
            requests.withdraw_visit(session, visit)
    requests.put_visits(session, period, scenario.visits, now)
    bookings.bring_into(session, period, wanted)
    _keep_links(session, period, wanted, scenario.links)
    _drop_groups(
        session,
        period,
        {group.id for group in scenario.groups} | {identifier for kind, identifier in stands if kind == "group"},
    )
    requests.put_groups(session, period, scenario.groups)
    kept = {reserve.id for reserve in scenario.reserves} | {identifier for kind, identifier in stands if kind == "hold"}
    session.exec(delete(ReserveRow).where(col(ReserveRow.period_id) == period, col(ReserveRow.id).not_in(kept)))
    until = {reserve: scenario.grid.utc(moment) for reserve, moment in expected_until.items()}
    requests.put_reserves(session, period, scenario.reserves, until)


def _keep_links(session: Session, period: str, visits: Collection[str], links: Iterable[Link]) -> None:
    """Put the links of episodes anew; those between visits of none come along with both."""
    ids = list(visits)
    of_episodes = list(session.exec(select(EpisodeVisitRow.visit_id).where(col(EpisodeVisitRow.visit_id).in_(ids))))
    requests.put_links(session, period, of_episodes, ())
    come_along = update(LinkRow).where(col(LinkRow.before_id).in_(ids), col(LinkRow.after_id).in_(ids))
    session.exec(come_along.values(period_id=period))
    requests.add_links(session, period, links)


def _drop_groups(session: Session, period: str, kept: Collection[str]) -> None:
    """Ask for sessions no more, but for those that are kept."""
    query = select(GroupRow).where(col(GroupRow.period_id) == period, col(GroupRow.id).not_in(list(kept)))
    for row in list(session.exec(query)):
        members = MembershipRow
        session.exec(delete(members).where(col(members.group_id) == row.id, col(members.month) == row.month))
        session.delete(row)
    session.flush()
