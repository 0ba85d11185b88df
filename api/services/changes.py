"""What follows from a changed booking, in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.services.episodes import note_changes
from api.services.notifications import tell_changes
from api.services.programmes import note_sessions
from api.store.bookings import Change


def pass_on(session: Session, by: Actor, changes: Sequence[Change], now: datetime, withdrawn: Container[str] = ()) -> None:
    """Pass changed bookings on to all that keep up with them: histories of episodes, seats of programmes, patients' calendars.

    Parameters
    ----------
    withdrawn
        Visits of which the clinic gave the place to others, if they have lost it.

    Raises
    ------
    EventRefused
        When a visit would be planned that its pathway does not allow, as a trial without its assessment.
    """
    note_changes(session, by, changes, now, withdrawn)
    note_sessions(session, changes)
    tell_changes(session, changes, now)
