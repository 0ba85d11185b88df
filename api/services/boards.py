"""A week as a board shows it, for whoever looks at it now."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from api.store import periods, standing
from api.store.standing import StandingWeek


def get_week_version(session: Session, period_id: str) -> int:
    """Return the version of a week. Raises ``UnknownId``."""
    return periods.get_period(session, period_id).version


def load_standing_week(session: Session, period_id: str, now: datetime) -> StandingWeek:
    """Return a week as it stands at an instant. Raises ``UnknownId``."""
    return standing.load_standing_week(session, period_id, now)
