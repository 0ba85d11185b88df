"""Providers' calendars elsewhere: their events are busy times here, read again and again, and never written to.

A file is read when it is sent; an address again and again by a worker. What cannot be read leaves the busy times as they
were last read. Of the events nothing is kept but when they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.credentials import Signer
from api.context import AppContext
from api.runtime.fetching import Fetcher, Unfetchable, expect_https
from api.runtime.settings import Settings
from api.services.records import write_audit
from api.store import bookings, outside, periods, tasks
from api.store.columns import new_id
from api.store.errors import StoreError
from api.store.outside import Stretch
from api.store.rows import get_row
from api.store.tables import OutsideCalendarRow, ProviderRow
from calendars.busy import read_busy_times
from scheduling.errors import Fault, InvalidFile

READER = Actor("outside-calendars", AccessRole.ADMIN)

CONFLICT = "busy-conflict"
"""The task for staff when somebody is busy elsewhere while a visit stands."""

AT_ONCE = 10
"""Calendars elsewhere that one look reads."""

LONGEST_WAIT = timedelta(hours=12)
"""Between two readings of an address that fails again and again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewCalendar:
    """A calendar elsewhere to be read: at an https address, or a file's content."""

    name: str
    url: str | None = None
    content: bytes | None = None


def check_calendar(settings: Settings, reader: Fetcher, new: NewCalendar) -> NewCalendar:
    """Return a new calendar with its content, read now, outside any transaction: whoever gives an address learns at once
    whether it can be read.

    Raises
    ------
    InvalidFile
        When it cannot be read.
    """
    if (new.url is None) == (new.content is None):
        raise InvalidFile("body", [Fault("url", "give either an address or a file's content")])
    if new.content is not None and len(new.content) > settings.outside_max_bytes:
        raise InvalidFile("body", [Fault("content", f"is longer than {settings.outside_max_bytes} bytes")])
    if new.url is None:
        return new
    try:
        expect_https(new.url)
        content = reader.fetch(new.url).content
    except Unfetchable as error:
        raise InvalidFile("body", [Fault("url", str(error))]) from None
    return NewCalendar(new.name, new.url, content)


def add_calendar(
    session: Session, settings: Settings, signer: Signer, by: Actor, provider: str, new: NewCalendar, now: datetime
) -> OutsideCalendarRow:
    """Keep a calendar elsewhere, whose content is there already.

    Raises
    ------
    UnknownId
        When there is no such provider.
    InvalidFile
        When its content is no calendar.
    """
    get_row(session, ProviderRow, "provider", provider)
    assert new.content is not None
    stretches = _stretches(session, settings, new.content, now)
    row = OutsideCalendarRow(
        id=new_id(),
        provider_id=provider,
        name=new.name,
        url=None if new.url is None else signer.sealed(new.url.encode()),
        content=new.content if new.url is None else None,
        due_at=now + timedelta(minutes=settings.outside_minutes),
        created_by=by.id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _take_over(session, row, stretches, now)
    write_audit(session, by, "outside-calendar.add", "provider", provider, now, calendar=row.id, busy=len(stretches))
    return row


def list_calendars(session: Session, provider: str) -> list[OutsideCalendarRow]:
    """Return a provider's calendars elsewhere, by id."""
    return outside.list_calendars(session, provider)


def end_calendar(session: Session, by: Actor, identifier: str, now: datetime) -> None:
    """Read a calendar elsewhere no more; its busy times are gone. Raises ``UnknownId``."""
    row = outside.get_calendar(session, identifier)
    _touch_periods(session, outside.list_busy(session, identifier))
    outside.remove(session, row)
    write_audit(session, by, "outside-calendar.end", "provider", row.provider_id, now, calendar=identifier)


def refresh(context: AppContext, reader: Fetcher) -> int:
    """Read the calendars elsewhere that are due once more, and return how many."""
    with context.database.reading() as session:
        due = outside.list_due(session, context.clock(), AT_ONCE)
    for row in due:
        try:
            _refresh(context, reader, row)
        except StoreError:
            raise
        except Exception:  # a defect at one calendar: the others are read, and this one is asked again later
            log.exception("the outside calendar %s cannot be read", row.id)
            with context.database.writing() as session:
                if (known := session.get(OutsideCalendarRow, row.id)) is not None:
                    _schedule(context.settings, known, "it cannot be read", context.clock())
                    session.add(known)
    return len(due)


def _refresh(context: AppContext, reader: Fetcher, row: OutsideCalendarRow) -> None:
    failure, content, etag = "", row.content, row.etag
    if row.url is not None:
        try:
            content, etag = _read(context.signer, reader, row)
        except Unfetchable as error:
            failure = str(error)
    with context.database.writing() as session:
        now, known = context.clock(), session.get(OutsideCalendarRow, row.id)
        if known is None:
            return
        try:
            if content is not None and not failure:
                _take_over(session, known, _stretches(session, context.settings, content, now), now)
                known.read_at, known.etag = now, etag
        except InvalidFile:
            failure = "it is no calendar"
        _schedule(context.settings, known, failure, now)
        session.add(known)


def _read(signer: Signer, reader: Fetcher, row: OutsideCalendarRow) -> tuple[bytes | None, str | None]:
    """Return what an address holds, None when it is as it was read last."""
    assert row.url is not None
    url = signer.opened(row.url)
    if url is None:
        raise Unfetchable("the address was sealed with another key")
    fetched = reader.fetch(url.decode(), row.etag)
    return fetched.content, fetched.etag


def _schedule(settings: Settings, row: OutsideCalendarRow, failure: str, now: datetime) -> None:
    """Say when to read next: an address that fails is asked ever less often."""
    row.failure, row.failures = failure or None, row.failures + 1 if failure else 0
    wait = timedelta(minutes=settings.outside_minutes) * 2 ** min(row.failures, 10)
    row.due_at = now + max(timedelta(minutes=settings.outside_minutes), min(wait, LONGEST_WAIT))
    row.version += 1
    if failure:
        log.warning("the outside calendar %s is not read: %s", row.id, failure)


def _stretches(session: Session, settings: Settings, content: bytes, now: datetime) -> list[Stretch]:
    """Return the busy times of a calendar from today on, as far ahead as the settings say. Raises ``InvalidFile``."""
    zone = periods.get_clinic(session).timezone
    first = now - timedelta(days=1)
    return list(read_busy_times(content, zone, first, first + timedelta(days=settings.outside_days)).intervals)


def _take_over(session: Session, row: OutsideCalendarRow, stretches: list[Stretch], now: datetime) -> None:
    """Make a calendar's busy times those given, and raise a task for each visit that they meet and did not before."""
    before, after = set(outside.list_busy(session, row.id)), set(stretches)
    changed = sorted((starts, ends) for starts, ends in before ^ after if ends > now)
    if not changed:
        return
    outside.replace_busy(session, row, stretches)
    _touch_periods(session, changed)
    for starts, ends in changed:
        if (starts, ends) in before:
            continue
        for booking in bookings.list_of_resource(session, "provider", row.provider_id, starts, ends):
            detail = {"provider": row.provider_id, "booking_starts_at": booking.row.starts_at.isoformat()}
            tasks.add_task(session, CONFLICT, (booking.row.kind, booking.row.subject_id), detail, now)


def _touch_periods(session: Session, changed: Iterable[Stretch]) -> None:
    dates = [moment.date() for stretch in changed for moment in stretch]
    if dates:
        for identifier in outside.periods_meeting(session, min(dates), max(dates)):
            periods.touch(session, identifier)
