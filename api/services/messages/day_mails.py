"""Clinicians who ask for it are mailed when their day changes: what stands now is held against what they know.

What stood when the day began is no news. Changes are held for as long as patients' mail is, so that what is undone meanwhile
tells nobody, and several changes are one mail. Nothing in it tells a patient.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.settings import Settings
from api.services.records import write_audit
from api.store.queries import bookings, day_mails, people, periods, tasks
from api.store.queries.bookings import StandingBooking
from api.store.tables import DayMailRow
from calendars.days import DayItem, make_day_mail
from calendars.mailbox import Mailbox, compose_address, is_address
from calendars.wording import make_discreet
from scheduling.clinic import Clinic
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.fields import ONE_DAY

UNDELIVERABLE = "day-mail-undeliverable"
"""The task for staff when a clinician cannot be told of their day by mail."""

LEASE = timedelta(minutes=5)
"""How long a mail stays with a sender of whom nothing is heard."""


@dataclass(frozen=True, slots=True)
class DayNews:
    """A mail about a clinician's day that a sender has taken, and what they know once it was sent."""

    provider: str
    recipient: str
    content: bytes
    told: Mapping[str, Any]
    version: int


def get_day_mail(session: Session, provider: str) -> str | None:
    """Return where a clinician is mailed of changes of the day, None: nowhere. Raises ``UnknownId``."""
    _expect_provider(session, provider)
    row = day_mails.find_day_mail(session, provider)
    return None if row is None else row.email


def set_day_mail(session: Session, by: Actor, provider: str, email: str | None, now: datetime) -> str | None:
    """Let a clinician be mailed of changes of the day, at an address, or no more; return the address as it is kept.

    Raises
    ------
    UnknownId
        When there is no such provider.
    InvalidFile
        When it is no address.
    """
    _expect_provider(session, provider)
    address = None if email is None else compose_address(email)
    if address is not None and not is_address(address):
        raise InvalidFile("body", [Fault("body.email", "is no mail address")])
    if address is not None:
        day_mails.put_day_mail(session, provider, address, now)
    elif (row := day_mails.find_day_mail(session, provider)) is not None:
        session.delete(row)
    write_audit(session, by, "provider.day-mail", "provider", provider, now, is_mailed=address is not None)
    return address


def claim_news(session: Session, settings: Settings, now: datetime) -> list[DayNews]:
    """Take the mails that are to be sent now, so that no other sender does until the lease is over."""
    rows = day_mails.list_free(session, now)
    if not rows:
        return []
    clinic, zone = periods.clinic_of(session), periods.get_zone(session)
    today = zone.wall(now).date()
    bounds = (zone.utc(datetime.combine(today, time())), zone.utc(datetime.combine(today + ONE_DAY, time())))
    standing = bookings.list_between(session, *bounds)
    hold = timedelta(seconds=settings.mail_hold_seconds)
    news = []
    for row in rows:
        after = _list_items(session, clinic, standing, row.provider_id)
        told: dict[str, Any] = {"date": today.isoformat(), "items": {key: _to_document(item) for key, item in after.items()}}
        if row.told is None or row.told["date"] != told["date"]:
            row.told = told
            session.add(row)
            continue
        differing = _find_differing(row.told["items"], told["items"], zone.wall(now))
        if differing and _are_held(session, differing, now - hold):
            news.append(_make_news(settings, clinic, row, differing, after, told, now))
            row.claimed_until = now + LEASE
            session.add(row)
    return news


def note_told(session: Session, news: DayNews) -> None:
    """Note that a server has taken a mail."""
    day_mails.set_told(session, news.provider, dict(news.told), news.version)


def note_refused(session: Session, news: DayNews, reason: str, now: datetime) -> None:
    """Note that a mail will never be taken: somebody has to call."""
    note_told(session, news)
    tasks.add_task(session, UNDELIVERABLE, ("provider", news.provider), {"reason": reason}, now)


def _expect_provider(session: Session, provider: str) -> None:
    if provider not in people.list_provider_ids(session):
        raise UnknownId("provider", provider)


def _list_items(session: Session, clinic: Clinic, standing: Iterable[StandingBooking], provider: str) -> dict[str, DayItem]:
    """Return what stands of a provider among some bookings, by booking; a place that is only offered does not."""
    zone = periods.get_zone(session)
    services = {service.id: service.name for service in clinic.services}
    locations = {location.id: location.name for location in clinic.locations}
    items = {}
    for booking in standing:
        row, placing = booking.row, booking.placing
        supervises = provider in placing.ids("supervisor")
        if row.state == "offered" or not (supervises or provider in placing.ids("team")):
            continue
        place = ", ".join(part for part in (placing.room, locations.get(row.location, row.location)) if part)
        times = (zone.wall(row.starts_at), zone.wall(row.ends_at))
        items[row.id] = DayItem(*times, services.get(row.service, row.service), place, supervises)
    return items


def _find_differing(before: Mapping[str, Any], after: Mapping[str, Any], present: datetime) -> set[str]:
    """Return the bookings that differ and are not over, both by their document."""
    stamp = present.isoformat()
    differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return {key for key in differing if max(known.get(key, {}).get("end", "") for known in (before, after)) > stamp}


def _are_held(session: Session, identifiers: set[str], before: datetime) -> bool:
    """Return whether all of some bookings are as they are since an instant."""
    return all(row.updated_at <= before for row in bookings.get_bookings(session, identifiers).values())


def _make_news(
    settings: Settings,
    clinic: Clinic,
    row: DayMailRow,
    differing: Collection[str],
    after: Mapping[str, DayItem],
    told: dict[str, Any],
    now: datetime,
) -> DayNews:
    assert row.told is not None
    before = {key: _from_document(item) for key, item in row.told["items"].items() if key in differing}
    after = {key: item for key, item in after.items() if key in differing}
    text = json.dumps([row.provider_id, row.told, told], sort_keys=True)
    reference = f"{sha256(text.encode()).hexdigest()[:32]}.day"
    organizer = Mailbox(settings.mail_from, settings.mail_name or make_discreet(clinic.name))
    day = datetime.fromisoformat(told["date"]).date()
    content = make_day_mail(day, before, after, Mailbox(row.email), organizer, now, reference)
    return DayNews(row.provider_id, row.email, content, told, row.version)


def _to_document(item: DayItem) -> dict[str, Any]:
    return {**asdict(item), "start": item.start.isoformat(), "end": item.end.isoformat()}


def _from_document(document: Mapping[str, Any]) -> DayItem:
    times = {name: datetime.fromisoformat(document[name]) for name in ("start", "end")}
    return DayItem(**{**document, **times})
