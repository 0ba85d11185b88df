"""The calendars of one plan as files: the same documents that are subscribed to, made of a plan instead of what is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from calendars.entries import CalendarEntry, GroupSeats, TeamMember, make_reference
from calendars.feeds import FeedKind, make_feed
from calendars.filenames import make_file_name
from calendars.uids import Uids
from scheduling.errors import UnknownId
from scheduling.plan import Item, Plan
from scheduling.scenario import Scenario


@dataclass(frozen=True)
class ExportView:
    """One kind of calendar: its folder, whose there are with their names, and the owners of each item's events."""

    folder: str
    names: Callable[[Scenario], Mapping[str, str]]
    owners_of: Callable[[Item], Iterable[str]]


VIEWS: dict[FeedKind, ExportView] = {
    "provider": ExportView(
        "providers",
        lambda scenario: {provider.id: provider.name for provider in scenario.providers},
        lambda item: item.commitments,
    ),
    "room": ExportView(
        "rooms",
        lambda scenario: {room: room for room in scenario.rooms},
        lambda item: () if item.booking.room is None else (item.booking.room,),
    ),
    "patient": ExportView(
        "patients",
        lambda scenario: dict.fromkeys(scenario.patients_by_id, ""),
        lambda item: item.patients,
    ),
    "group": ExportView(
        "groups",
        lambda scenario: {group.id: group.name for group in scenario.groups},
        lambda item: (item.id,) if item.kind == "group" else (),
    ),
    "location": ExportView(
        "locations",
        lambda scenario: {location.id: location.name for location in scenario.clinic.locations},
        lambda item: (item.booking.location,),
    ),
}


def make_plan_calendar(kind: FeedKind, owner: str, scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime) -> bytes:
    """Return the calendar of a plan's provider, room, group, location or patient.

    Parameters
    ----------
    kind, owner : str
        Whose: of a provider every visit, session and hold in whose team they are, or that they supervise.
    scenario, plan : Scenario, Plan
        A plan and the scenario that it answers.
    uids : Uids
        Where the events' UIDs are kept; those that are missing are made.
    stamp : datetime
        When the plan was last changed, aware: DTSTAMP of every event.

    Raises
    ------
    UnknownId
        When the scenario has no such owner.
    ValueError
        When ``stamp`` has no offset.
    """
    names = VIEWS[kind].names(scenario)
    if owner not in names:
        raise UnknownId(kind, owner)
    items = [item for item in plan.items(scenario) if owner in VIEWS[kind].owners_of(item)]
    entries = [make_entry(scenario, item, uids, stamp) for item in items]
    return make_feed(scenario.clinic, kind, owner, names[owner], entries, scenario.horizon.start)


def export_all(scenario: Scenario, plan: Plan, uids: Uids, stamp: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield every calendar with its relative file name, such as ``providers/physician-1.ics``.

    Owners without an event get a calendar too, so that it replaces one of an earlier plan. The names are safe on any file
    system, and no two are the same. Raises ``ValueError`` as :func:`make_plan_calendar` does.
    """
    entries = {(item.kind, item.id): make_entry(scenario, item, uids, stamp) for item in plan.items(scenario)}
    for kind, view in VIEWS.items():
        held: dict[str, list[CalendarEntry]] = defaultdict(list)
        for item in plan.items(scenario):
            for owner in dict.fromkeys(view.owners_of(item)):
                held[owner].append(entries[item.kind, item.id])
        for owner, name in view.names(scenario).items():
            document = make_feed(scenario.clinic, kind, owner, name, held[owner], scenario.horizon.start)
            yield f"{view.folder}/{make_file_name(owner)}.ics", document


def make_entry(scenario: Scenario, item: Item, uids: Uids, stamp: datetime) -> CalendarEntry:
    """Return a planned item as calendars show it."""
    booking, grid = item.booking, scenario.grid
    group = scenario.groups_by_id[item.id] if item.kind == "group" else None
    return CalendarEntry(
        kind=item.kind,
        uid=uids.of(item.kind, item.id),
        sequence=uids.sequence(item.kind, item.id, booking),
        changed_at=stamp,
        starts_at=grid.utc(booking.start),
        ends_at=grid.utc(booking.end),
        service=item.service,
        location=scenario.locations[booking.location],
        room=booking.room,
        team=_make_members(scenario, booking.team),
        supervisors=_make_members(scenario, booking.supervisors),
        group=None if group is None else GroupSeats(group.name, group.capacity),
        attending=len(item.patients),
        reference=make_reference(item.id, ((patient, scenario.patients_by_id[patient].name) for patient in item.patients)),
    )


def _make_members(scenario: Scenario, providers: Iterable[str]) -> tuple[TeamMember, ...]:
    return tuple(TeamMember(provider, scenario.providers_by_id[provider].name) for provider in providers)
