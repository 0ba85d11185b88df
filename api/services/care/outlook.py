"""Looking ahead: what the weeks to come are asked for, against what there is, and the wait that follows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from api.services.care.rolling import get_next_horizon, load_book
from api.store.queries import episodes, periods
from scheduling.care.outlook import Outlook, Resource, estimate_outlook

MAX_WEEKS = 26

LOOKED_BACK = timedelta(weeks=12)
"""The past from which it is known how many patients come."""


def look_ahead(session: Session, now: datetime, weeks: int) -> Outlook:
    """Return the outlook from next Monday on. Raises ``UnknownId`` before any clinic was taken in."""
    horizon = get_next_horizon(session, now, weeks, None)
    today = periods.get_zone(session).wall(now).date()
    book = load_book(session, horizon, now)
    return estimate_outlook(book, horizon.start, weeks, today, _arrivals(session, now))


def describe_outlook(outlook: Outlook) -> dict[str, Any]:
    """Return an outlook as JSON can hold it."""
    return {
        "weeks": [week.isoformat() for week in outlook.weeks],
        "loads": [
            {**load.resource._asdict(), "demand": list(load.demand), "capacity": list(load.capacity)} for load in outlook.loads
        ],
        "waits": [{"service": wait.service, "days": wait.days, "scarce": name_resource(wait.scarce)} for wait in outlook.waits],
    }


def name_resource(resource: Resource | None) -> str | None:
    """Return what a reader calls a resource."""
    return None if resource is None else f"{resource.kind} {resource.name} at {resource.site}"


def _arrivals(session: Session, now: datetime) -> dict[str, float]:
    """Return how many patients came in a week, by pathway: over the weeks that are looked back on, or since the first came."""
    first = episodes.get_first_referral(session)
    if first is None:
        return {}
    since = max(first, now - LOOKED_BACK)
    weeks = max(1.0, (now - since) / timedelta(weeks=1))
    return {pathway: number / weeks for pathway, number in episodes.arrivals(session, since)}
