"""Providers' calendars elsewhere: their events are busy times here, read again and again, and never written to.

A file is read when it is sent; an address again and again by a worker. What cannot be read leaves the busy times as they
were last read. What can be read but for some parts of it says which, to whoever adds it and as a task. Of the events nothing
is kept but when they are.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.access.credentials import Signer
from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.runtime.fetching import Fetcher, Unfetchable, expect_https
from api.runtime.settings import Settings
from api.services.records import write_audit
from api.store.columns import new_id
from api.store.errors import StoreError
from api.store.queries import bookings, messages, outside, periods, tasks
from api.store.queries.outside import Stretch
from api.store.rows import get_row
from api.store.tables import OutsideCalendarRow, ProviderRow
from calendars.busy import BusyTimes, read_busy_times
from scheduling.errors import Fault, InvalidFile

READER = Actor("outside-calendars", AccessRole.ADMIN)

CONFLICT = "busy-conflict"
"""The task for staff when somebody is busy elsewhere while a visit stands."""

UNREAD = "outside-unread"
"""The task for whoever added a calendar elsewhere of which some parts cannot be understood."""

MAX_CALENDARS = 10
"""Calendars elsewhere that one provider may have: each is fetched every half hour, and kept."""

AT_ONCE = 200
"""Calendars elsewhere that one look reads."""

READERS = 8
"""How many of them are read at the same time."""

UNCHANGED_FOR = timedelta(days=1)
"""How long a server's word counts that nothing has changed: the days that are looked at move on meanwhile."""

LONGEST_WAIT = timedelta(hours=12)
"""Between two readings of an address that fails again and again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewCalendar:
    """A calendar elsewhere to be read: at an https address, or a file's content."""

    name: str
    url: str | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReadCalendar:
    """A new calendar elsewhere with what was read of it."""

    name: str
    url: str | None
    content: bytes
    times: BusyTimes


def read_calendar(context: AppContext, new: NewCalendar, now: datetime) -> ReadCalendar:
    """Read a new calendar, outside any transaction that writes: whoever gives an address learns at once whether it can be
    read.

    Raises
    ------
    InvalidFile
        When it cannot be read, or is no calendar.
    """
    if (new.url is None) == (new.content is None):
        raise InvalidFile("body", [Fault("url", "give either an address or a file's content")])
    most = context.settings.outside_max_bytes
    if new.content is not None and len(new.content) > most:
        raise InvalidFile("body", [Fault("content", f"is longer than {most} bytes")])
    content = new.content
    if new.url is not None:
        try:
            expect_https(new.url)
            content = context.fetcher.fetch(new.url).content
        except Unfetchable as error:
            raise InvalidFile("body", [Fault("url", str(error))]) from None
    assert content is not None
    return ReadCalendar(new.name, new.url, content, _find_busy_times(context, content, now))


def add_calendar(
    session: Session, settings: Settings, signer: Signer, by: Actor, provider: str, new: ReadCalendar, now: datetime
) -> OutsideCalendarRow:
    """Keep a calendar elsewhere that was read.

    Raises
    ------
    UnknownId
        When there is no such provider.
    Conflict
        When the provider has too many already.
    """
    get_row(session, ProviderRow, "provider", provider)
    if len(outside.list_calendars(session, provider)) >= MAX_CALENDARS:
        raise Conflict(f"a provider has at most {MAX_CALENDARS} calendars elsewhere; end one first")
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
    _take_over(session, row, new.times, now)
    busy = len(new.times.intervals)
    write_audit(session, by, "outside-calendar.add", "provider", provider, now, calendar=row.id, busy=busy)
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
    """Read the calendars elsewhere that are due once more, several at a time, and return how many."""
    with context.database.reading() as session:
        due = outside.list_due(session, context.clock(), AT_ONCE)
    with ThreadPoolExecutor(READERS, thread_name_prefix="outside-calendar") as pool:
        list(pool.map(lambda row: _refresh(context, reader, row), due))
    return len(due)


def _refresh(context: AppContext, reader: Fetcher, row: OutsideCalendarRow) -> None:
    """Read one calendar once more; whatever goes wrong is its failure alone, but for the store's."""
    failure, times, etag = "", None, row.etag
    try:
        content = row.content
        if row.url is not None:
            content, etag = _read(context, reader, row)
        if content is not None:
            times = _find_busy_times(context, content, context.clock())
    except Unfetchable as error:
        failure = str(error)
    except InvalidFile as error:
        failure = f"it is no calendar that can be read: {error.faults[0]}"
    except StoreError:
        raise
    except Exception:  # a defect at one calendar: the others are read, and this one is asked again later
        log.exception("the outside calendar %s cannot be read", row.id)
        failure = "it cannot be read"
    with context.database.writing() as session:
        now, known = context.clock(), session.get(OutsideCalendarRow, row.id)
        if known is None:
            return
        if times is not None:
            _take_over(session, known, times, now)
            known.etag = etag
        _schedule(context.settings, known, failure, now)
        session.add(known)


def _read(context: AppContext, reader: Fetcher, row: OutsideCalendarRow) -> tuple[bytes | None, str | None]:
    """Return what an address holds, None when it is as it was read last."""
    assert row.url is not None
    url = context.signer.opened(row.url)
    if url is None:
        raise Unfetchable("the address was sealed with another key")
    is_recent = row.read_at is not None and context.clock() - row.read_at < UNCHANGED_FOR
    fetched = reader.fetch(url.decode(), row.etag if is_recent else None)
    return fetched.content, fetched.etag


def _schedule(settings: Settings, row: OutsideCalendarRow, failure: str, now: datetime) -> None:
    """Say when to read next: an address that fails is asked ever less often."""
    row.failure, row.failures = failure or None, row.failures + 1 if failure else 0
    wait = timedelta(minutes=settings.outside_minutes) * 2 ** min(row.failures, 10)
    row.due_at = now + max(timedelta(minutes=settings.outside_minutes), min(wait, LONGEST_WAIT))
    row.version += 1
    if failure:
        log.warning("the outside calendar %s is not read: %s", row.id, failure)


def _find_busy_times(context: AppContext, content: bytes, now: datetime) -> BusyTimes:
    """Return the busy times of a calendar from today on, as far ahead as the settings say. Raises ``InvalidFile``."""
    first = now - timedelta(days=1)
    with context.database.reading() as session:

        def find_own(uids: Collection[str]) -> Collection[str]:
            return messages.find_own_uids(session, uids)

        zone = periods.get_clinic(session).timezone
        last = first + timedelta(days=context.settings.outside_days)
        is_elsewhere_busy = context.settings.outside_elsewhere_is_busy
        times = read_busy_times(content, zone, first, last, find_own=find_own, is_elsewhere_busy=is_elsewhere_busy)
    context.metrics.outside_unread.inc(times.unread)
    return times


def _take_over(session: Session, row: OutsideCalendarRow, times: BusyTimes, now: datetime) -> None:
    """Make a calendar's busy times those given, and ask for a look at what is unread and was not before."""
    _replace_busy(session, row, list(times.intervals), now)
    parts = [{"property": part.property, "start": part.start and part.start.isoformat()} for part in times.unread_parts]
    if times.unread and (times.unread, parts) != (row.unread, row.unread_parts):
        detail = {"provider": row.provider_id, "added_by": row.created_by, "unread": times.unread, "parts": parts}
        tasks.put_task(session, UNREAD, ("outside-calendar", row.id), detail, now)
    row.unread, row.unread_parts, row.read_at = times.unread, parts, now
    session.add(row)


def _replace_busy(session: Session, row: OutsideCalendarRow, stretches: list[Stretch], now: datetime) -> None:
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
