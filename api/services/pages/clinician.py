"""What a clinician sees on the page of their own: the days ahead, the calendars made of them, and calendars elsewhere."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlmodel import Session

from api.access.actor import Actor
from api.services.records import write_audit
from api.store.queries import accounts, bookings, feeds, outside, people, periods
from api.store.queries.bookings import StandingBooking
from api.web.own_page import CalendarElsewhere, OwnCalendar, OwnDay, OwnItem, OwnPage
from scheduling.clinic import Clinic
from scheduling.fields import ONE_DAY
from scheduling.timegrid import TimeGrid

DAYS_AHEAD = 7
MAX_FEEDS = 100


def load_own_page(session: Session, by: Actor, now: datetime) -> OwnPage:
    """Return the page of somebody of the staff; who is no provider has no days of their own."""
    clinic, zone = periods.clinic_of(session), periods.get_zone(session)
    account = accounts.get_account(session, by.id)
    made = [row for row in feeds.list_feeds(session, by.id, "", MAX_FEEDS) if row.revoked_at is None]
    subscriptions = tuple(
        OwnCalendar(row.id, zone.wall(row.created_at), row.last_used_at and zone.wall(row.last_used_at)) for row in made
    )
    if by.provider is None:
        return OwnPage(clinic.name, account.name, None, (), subscriptions, ())
    elsewhere = tuple(
        CalendarElsewhere(row.id, row.name, row.read_at and zone.wall(row.read_at), row.failure, row.unread)
        for row in outside.list_calendars(session, by.provider)
    )
    name = people.get_provider_names(session).get(by.provider, account.name)
    days = _list_days(session, clinic, zone, by.provider, now)
    return OwnPage(clinic.name, name, by.provider, days, subscriptions, elsewhere)


def note_reading(session: Session, by: Actor, now: datetime) -> None:
    """Write down that somebody has looked at the days of their own, which name patients."""
    write_audit(session, by, "own-days.read", "provider", by.provider or "", now)


def _list_days(session: Session, clinic: Clinic, zone: TimeGrid, provider: str, now: datetime) -> tuple[OwnDay, ...]:
    first = zone.wall(now).date()
    midnights = [zone.utc(datetime.combine(first + timedelta(days=days), time())) for days in (0, DAYS_AHEAD)]
    standing = bookings.list_of_resource(session, "provider", provider, midnights[0], midnights[1])
    standing = [booking for booking in standing if booking.row.state != "cancelled"]
    names = people.get_patient_names(session, {patient for booking in standing for patient in booking.placing.ids("patient")})
    items = [_make_item(clinic, zone, names, provider, booking) for booking in standing]
    dates = [first + number * ONE_DAY for number in range(DAYS_AHEAD)]
    days = (OwnDay(date, tuple(item for item in items if item.start.date() == date)) for date in dates)
    return tuple(day for day in days if day.items or day.date == first)


def _make_item(clinic: Clinic, zone: TimeGrid, names: dict[str, str], provider: str, booking: StandingBooking) -> OwnItem:
    row, placing = booking.row, booking.placing
    return OwnItem(
        start=zone.wall(row.starts_at),
        end=zone.wall(row.ends_at),
        service=next((service.name for service in clinic.services if service.id == row.service), row.service),
        location=next((place.name for place in clinic.locations if place.id == row.location), row.location),
        room=placing.room,
        patients=tuple(names.get(patient, patient) for patient in placing.ids("patient")),
        state=row.state,
        supervises=provider not in placing.ids("team"),
        is_hold=row.kind == "hold",
    )
