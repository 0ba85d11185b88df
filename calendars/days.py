"""The mail that tells a clinician what has changed of their day: times, services and rooms, and no word of a patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from calendars.mail import make_text_mail
from calendars.mailbox import Mailbox
from calendars.wording import flatten, format_clock, format_day


@dataclass(frozen=True, slots=True)
class DayItem:
    """What stands in a clinician's day, at wall-clock time: a service at a place, and whether they supervise."""

    start: datetime
    end: datetime
    service: str
    place: str
    supervises: bool = False


def make_day_mail(
    day: date,
    before: Mapping[str, DayItem],
    after: Mapping[str, DayItem],
    attendee: Mailbox,
    organizer: Mailbox,
    stamp: datetime,
    reference: str,
) -> bytes:
    """Return the mail about a day that has changed; ``before`` and ``after`` by booking."""
    when = format_day(datetime.combine(day, time()))
    lines = ("Your day has changed.", *list_day_changes(before, after), "The service and its calendars show all that stands.")
    return make_text_mail(lines, f"Your day has changed: {when}", attendee, organizer, stamp, reference)


def list_day_changes(before: Mapping[str, DayItem], after: Mapping[str, DayItem]) -> Iterator[str]:
    """Yield a line for each item that is new, changed or gone, by its start."""
    changed = {key: (before.get(key), after.get(key)) for key in before.keys() | after.keys()}

    def get_start(pair: tuple[DayItem | None, DayItem | None]) -> str:
        item = pair[1] or pair[0]
        assert item is not None
        return f"{item.start.isoformat()} {item.service}"

    for was, now in sorted(changed.values(), key=get_start):
        if was == now:
            continue
        if now is None and was is not None:
            yield f"No longer: {_describe(was)}"
        elif now is not None:
            yield f"New: {_describe(now)}" if was is None else f"Changed: {_describe(now)} (before: {_describe(was)})"


def _describe(item: DayItem) -> str:
    times = f"{format_clock(item.start)} to {format_clock(item.end)}"
    what = ", ".join(filter(None, (flatten(item.service), flatten(item.place))))
    return f"{times}, {'supervising ' if item.supervises else ''}{what}"
