"""What follows from a changed booking, in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.services.care.episodes import record_booking_changes
from api.services.clinic.programmes import seat_waiting_patients
from api.services.messages.notifications import notify_changes
from api.services.weeks.conflicts import end_tasks_of_moved
from api.store.queries.bookings import BookingChange


def propagate_booking_changes(
    session: Session, by: Actor, changes: Sequence[BookingChange], now: datetime, withdrawn: Container[str] = ()
) -> None:
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
    record_booking_changes(session, by, changes, now, withdrawn)
    seat_waiting_patients(session, changes)
    end_tasks_of_moved(session, changes, now)
    notify_changes(session, changes, now)
