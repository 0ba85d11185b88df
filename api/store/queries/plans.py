"""The queries about plans, and their publication."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.queries.bookings import BookingChange, placed, replace
from api.store.queries.people import get_bounds
from api.store.queries.placings import Placing, Subject, booking_fields, placings
from api.store.rows import get_row
from api.store.tables import PeriodRow, PlanRow, PublicationRow, ShiftPlaceRow
from api.store.versioned_cache import get_cached
from scheduling.plan import Costs, GroupBooking, HoldBooking, Plan, ShiftPlace, VisitBooking
from scheduling.publishing import rebase
from scheduling.scenario import Scenario


@dataclass(frozen=True)
class Published:
    """A publication, and every booking that it made, changed or cancelled."""

    row: PublicationRow
    changes: tuple[BookingChange, ...]


def get_plan(session: Session, identifier: str) -> PlanRow:
    """Return a plan. Raises ``UnknownId``."""
    return get_row(session, PlanRow, "plan", identifier)


def read_plan(session: Session, row: PlanRow) -> Plan:
    """Return the plan that a row holds; it never changes."""
    return get_cached(session, ("plan", row.id), None, lambda: Plan.model_validate_json(row.document))


def add_plan(session: Session, made: Plan, scenario_id: str, period_id: str, by: str, now: datetime) -> PlanRow:
    """Keep a plan, an answer to a scenario that is kept. The checker has passed it."""
    row = PlanRow(
        id=new_id(),
        scenario_id=scenario_id,
        period_id=period_id,
        status=made.status,
        cost=made.cost,
        bound=made.bound,
        document=made.model_dump_json(),
        created_by=by,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def publish(session: Session, row: PlanRow, scenario: Scenario, made: Plan, by: str, now: datetime) -> Published:
    """Make a plan the one that people live by: its period's bookings become its items, those that stay are not touched.

    Raises
    ------
    DoubleBooked
        When it and what stands in another period take one thing at once.
    """
    publication = PublicationRow(
        plan_id=row.id,
        period_id=row.period_id,
        document=made.model_dump_json(),
        added=0,
        changed=0,
        cancelled=0,
        unchanged=0,
        published_by=by,
        published_at=now,
    )
    session.add(publication)
    session.flush()
    changes = replace(session, row.period_id, placings(scenario, made), now, publication.id)
    publication.added = sum(change.before is None for change in changes)
    publication.cancelled = sum(change.after is None for change in changes)
    publication.changed = len(changes) - publication.added - publication.cancelled
    items = len(made.items(scenario))
    publication.unchanged = items - publication.added - publication.changed
    choose_places(session, scenario, made.shifts)
    session.flush()
    return Published(publication, tuple(changes))


def list_publications(session: Session, period_id: str | None, before: int | None, count: int) -> list[PublicationRow]:
    """Return publications, the newest first, those before a number: of one period, or all. Their documents stay behind."""
    query = select(PublicationRow).options(defer(PublicationRow.document))  # type: ignore[arg-type]
    if period_id is not None:
        query = query.where(PublicationRow.period_id == period_id)
    if before is not None:
        query = query.where(col(PublicationRow.id) < before)
    return list(session.exec(query.order_by(col(PublicationRow.id).desc()).limit(count)))


def get_publication(session: Session, identifier: int) -> PublicationRow:
    """Return a publication. Raises ``UnknownId``."""
    return get_row(session, PublicationRow, "publication", identifier)


def load_standing_plan(session: Session, scenario: Scenario) -> Plan:
    """Return what stands of a period as a plan, at its cost: what people live by, offered places included.

    What the scenario does not ask for any more is left out of it.

    Parameters
    ----------
    scenario
        What the period asks for now. Its own ``now`` changes nothing.
    """
    version = session.get_one(PeriodRow, scenario.id).version
    taken = placed(session, scenario.id, version)
    return get_cached(session, ("standing", scenario.id), version, lambda: rebase(_as_plan(session, scenario, taken), scenario))


def choose_places(session: Session, scenario: Scenario, places: Iterable[ShiftPlace]) -> None:
    """Make the locations of a period's shifts those chosen."""
    starts_at, ends_at = get_bounds(scenario.grid)
    chosen = ShiftPlaceRow
    session.exec(delete(chosen).where(col(chosen.starts_at) >= starts_at, col(chosen.starts_at) < ends_at))
    session.add_all(
        chosen(provider_id=one.provider, starts_at=scenario.grid.utc(one.start), location=one.location) for one in places
    )


def _as_plan(session: Session, scenario: Scenario, taken: Mapping[Subject, Placing]) -> Plan:
    """Return what stands as a plan, at no cost yet."""
    grid = scenario.grid
    visits, groups, holds = list[VisitBooking](), list[GroupBooking](), list[HoldBooking]()
    for (kind, identifier, _), one in sorted(taken.items()):
        fields = booking_fields(one, grid)
        match kind:
            case "visit":
                visits.append(VisitBooking(visit=identifier, **fields))
            case "group":
                groups.append(GroupBooking(group=identifier, attendees=one.ids("patient"), **fields))
            case "hold":
                holds.append(HoldBooking(reserve=identifier, **fields))
    starts_at, ends_at = get_bounds(grid)
    chosen = select(ShiftPlaceRow).where(col(ShiftPlaceRow.starts_at) >= starts_at, col(ShiftPlaceRow.starts_at) < ends_at)
    shifts = tuple(
        ShiftPlace(provider=one.provider_id, start=grid.wall(one.starts_at), location=one.location)
        for one in session.exec(chosen.order_by(col(ShiftPlaceRow.provider_id), col(ShiftPlaceRow.starts_at)))
    )
    return Plan.model_construct(
        format="clinicweave-plan/1",
        scenario=scenario.id,
        status="feasible",
        cost=0,
        bound=None,
        costs=Costs.from_components({}),
        visits=tuple(visits),
        groups=tuple(groups),
        holds=tuple(holds),
        shifts=shifts,
        unscheduled=(),
    )
