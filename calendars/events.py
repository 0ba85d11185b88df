"""The calendars of one plan: of a provider, a room, a patient or a group.

A calendar is its zone's rules, then one event for each item of the plan that concerns its owner, by time. The same plan,
UIDs and stamp give the same bytes.

References
----------
RFC 5545, sections 3.1 (lines and folding), 3.4 to 3.6 (calendar, VEVENT, VTIMEZONE) and 3.8 (properties); RFC 7986,
section 5.1 (NAME).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from icalendar import Calendar, Event

from calendars.filenames import file_name
from calendars.timezones import vtimezone
from calendars.uids import Uids
from calendars.wording import Notice, group_notice, one_line, patient_notice, patient_title, provider_notice, staff_notice
from scheduling.errors import UnknownId
from scheduling.plan import Item, Plan
from scheduling.scenario import Scenario

PRODID = "-//Clinicweave//Clinicweave//EN"


@dataclass(frozen=True)
class View:
    """One kind of calendar: whose there are, which items each holds, and what it says of them."""

    folder: str
    kind: str
    owners: Callable[[Scenario], Mapping[str, object]]
    owners_of: Callable[[Item], Iterable[str]]
    title: Callable[[Scenario, str], str]
    notice: Callable[[Scenario, str, Item], Notice]


PROVIDERS = View(
    "providers",
    "provider",
    lambda scenario: scenario.providers_by_id,
    lambda item: item.commitments,
    lambda scenario, owner: scenario.providers_by_id[owner].name,
    provider_notice,
)
ROOMS = View(
    "rooms",
    "room",
    lambda scenario: scenario.rooms,
    lambda item: () if item.booking.room is None else (item.booking.room,),
    lambda scenario, owner: owner,
    lambda scenario, owner, item: staff_notice(scenario, item),
)
PATIENTS = View(
    "patients",
    "patient",
    lambda scenario: scenario.patients_by_id,
    lambda item: item.patients,
    lambda scenario, owner: patient_title(scenario),
    lambda scenario, owner, item: patient_notice(scenario, item),
)
GROUPS = View(
    "groups",
    "group",
    lambda scenario: scenario.groups_by_id,
    lambda item: (item.id,) if item.kind == "group" else (),
    lambda scenario, owner: scenario.groups_by_id[owner].name,
    lambda scenario, owner, item: group_notice(scenario, item),
)
VIEWS = (PROVIDERS, ROOMS, PATIENTS, GROUPS)


def provider_calendar(scenario: Scenario, plan: Plan, provider_id: str, uids: Uids, stamp: datetime) -> bytes:
    """Return a provider's calendar: every visit, session and hold in whose team the provider is, or that they supervise.

    Parameters
    ----------
    scenario, plan : Scenario, Plan
        A plan and the scenario that it answers.
    provider_id : str
        A provider of the scenario.
    uids : Uids
        Where the events' UIDs are kept; those that are missing are made.
    stamp : datetime
        When the plan was last changed, aware: DTSTAMP of every event.

    Raises
    ------
    UnknownId
        When the scenario has no such provider.
    ValueError
        When ``stamp`` has no offset.
    """
    return _calendar_of(PROVIDERS, scenario, plan, provider_id, uids, stamp)


def room_calendar(scenario: Scenario, plan: Plan, room_id: str, uids: Uids, stamp: datetime) -> bytes:
    """Return a room's calendar, for staff. Parameters and errors as in :func:`provider_calendar`."""
    return _calendar_of(ROOMS, scenario, plan, room_id, uids, stamp)


def patient_calendar(scenario: Scenario, plan: Plan, patient_id: str, uids: Uids, stamp: datetime) -> bytes:
    """Return a patient's calendar: their visits and group sessions, and nobody else's name.

    Parameters and errors as in :func:`provider_calendar`.
    """
    return _calendar_of(PATIENTS, scenario, plan, patient_id, uids, stamp)


def group_calendar(scenario: Scenario, plan: Plan, group_id: str, uids: Uids, stamp: datetime) -> bytes:
    """Return a group's calendar, for staff; it names nobody. Parameters and errors as in :func:`provider_calendar`."""
    return _calendar_of(GROUPS, scenario, plan, group_id, uids, stamp)


def export_all(scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield every calendar with its relative file name, such as ``providers/physician-1.ics``.

    Owners without an event get a calendar too, so that it replaces one of an earlier plan. The names are safe on any file
    system, and no two are the same. Raises ``ValueError`` as :func:`provider_calendar` does.
    """
    sheet = _Sheet(scenario, uids, _utc(stamp), *_dates(scenario, plan))
    for view in VIEWS:
        held: dict[str, list[Item]] = defaultdict(list)
        for item in plan.items(scenario):
            for owner in dict.fromkeys(view.owners_of(item)):
                held[owner].append(item)
        for owner in view.owners(scenario):
            yield f"{view.folder}/{file_name(owner)}.ics", sheet.calendar(view, owner, held[owner])


def _calendar_of(view: View, scenario: Scenario, plan: Plan, owner: str, uids: Uids, stamp: datetime) -> bytes:
    if owner not in view.owners(scenario):
        raise UnknownId(view.kind, owner)
    items = [item for item in plan.items(scenario) if owner in view.owners_of(item)]
    return _Sheet(scenario, uids, _utc(stamp), *_dates(scenario, plan)).calendar(view, owner, items)


@dataclass(frozen=True)
class _Sheet:
    """What the calendars of one plan share; ``first`` and ``last`` are the dates that their zone's rules must cover."""

    scenario: Scenario
    uids: Uids
    stamp: datetime
    first: date
    last: date

    def calendar(self, view: View, owner: str, items: Sequence[Item]) -> bytes:
        """Return a calendar's bytes (RFC 5545, section 3.4)."""
        title = one_line(view.title(self.scenario, owner))
        calendar = Calendar()
        calendar.add("PRODID", PRODID)
        calendar.add("VERSION", "2.0")
        calendar.add("CALSCALE", "GREGORIAN")
        calendar.add("NAME", title)
        calendar.add("X-WR-CALNAME", title)
        calendar.add_component(vtimezone(self.scenario.clinic.timezone, self.first, self.last))
        for item in sorted(items, key=lambda item: (item.booking.start, item.kind, item.id)):
            calendar.add_component(self.event(item, view.notice(self.scenario, owner, item)))
        content: bytes = calendar.to_ical()
        return content

    def event(self, item: Item, notice: Notice) -> Event:
        """Return an item's event (RFC 5545, section 3.6.1)."""
        zone = {"TZID": self.scenario.clinic.timezone}
        event = Event()
        event.add("UID", self.uids.of(item.kind, item.id))
        event.add("SEQUENCE", self.uids.sequence(item.kind, item.id, item.booking))
        event.add("DTSTAMP", self.stamp)
        event.add("DTSTART", item.booking.start, parameters=zone)
        event.add("DTEND", item.booking.end, parameters=zone)
        event.add("SUMMARY", notice.summary)
        event.add("LOCATION", notice.location)
        event.add("DESCRIPTION", notice.description)
        event.add("CATEGORIES", list(notice.categories))
        event.add("CLASS", "PRIVATE" if notice.private else "PUBLIC")
        event.add("STATUS", "CONFIRMED")
        event.add("TRANSP", "OPAQUE")
        return event


def _utc(stamp: datetime) -> datetime:
    if stamp.utcoffset() is None:
        raise ValueError("the stamp has no offset from UTC")
    return stamp.astimezone(UTC)


def _dates(scenario: Scenario, plan: Plan) -> tuple[date, date]:
    """Return the first and last dates in use, the horizon's included."""
    dates = [scenario.horizon.start, scenario.horizon.end]
    dates += (moment.date() for item in plan.items(scenario) for moment in (item.booking.start, item.booking.end))
    return min(dates), max(dates)
