"""From bookings to what calendars show of them: everything that an event may say, and no more of a patient than how many."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from sqlmodel import Session

from api.store.queries import bookings, feeds, messages, people, periods, requests
from api.store.queries.feeds import Shown
from api.store.queries.messages import UID_DOMAIN
from api.store.tables import InvitationRow
from api.store.tables.feeds import FeedKind
from api.store.versioned_cache import get_each_cached
from calendars.entries import CalendarEntry, GroupSeats, TeamMember, make_reference
from calendars.feeds import make_empty_feed, make_feed
from scheduling.clinic import Clinic, Location, Service
from scheduling.errors import UnknownId


@dataclass(frozen=True, slots=True)
class DrawnEntry:
    """What calendars show of a booking as it stands, and of what and whom it is."""

    entry: CalendarEntry
    subject: str
    patients: tuple[str, ...]


def render_calendar(session: Session, kind: FeedKind, subject: str, since: datetime) -> bytes:
    """Return the calendar of a provider, room, group, location or patient: all that stands from an instant on."""
    clinic = periods.clinic_of(session)
    entries = list_entries(session, clinic, kind, subject, since)
    title = _get_title(session, clinic, kind, subject)
    if not entries:
        return make_empty_feed(clinic, kind, subject, title, since.date())
    return make_feed(clinic, kind, subject, title, entries, since.date())


def list_entries(session: Session, clinic: Clinic, kind: FeedKind, subject: str, since: datetime) -> list[CalendarEntry]:
    """Return what stands from an instant on as a calendar shows it, by start.

    Bookings are drawn once for each version of them, so that after a change only what has changed is. The names of patients
    have no version, and are looked at each time: what is called like a patient now is not named to staff.
    """
    shown, names = feeds.shown(session, kind, subject, since), feeds.named(session)

    def draw(wanted: Sequence[tuple[Shown, tuple[int, ...]]]) -> dict[tuple[Shown, tuple[int, ...]], DrawnEntry]:
        drawn = _Drawing(session, clinic, [version.booking_id for version, _ in wanted])
        return {key: drawn.of(key[0].booking_id) for key in wanted}

    drawn_entries = get_each_cached(session, [(booking, names) for booking in shown], draw)
    patients = people.get_patient_names(session, {patient for drawn_entry in drawn_entries for patient in drawn_entry.patients})
    entries = [_with_reference(drawn_entry, patients) for drawn_entry in drawn_entries]
    if kind != "patient":
        return entries
    invitations = messages.list_invitations_to(session, subject)
    return [_with_invitation(entry, invitations.get(booking.booking_id)) for entry, booking in zip(entries, shown, strict=True)]


def expect_subject(session: Session, kind: FeedKind, subject: str) -> None:
    """Refuse a feed of what is not there. Raises ``UnknownId``."""
    clinic = periods.clinic_of(session)
    match kind:
        case "room":
            known = any(room.id == subject for room in clinic.rooms)
        case "location":
            known = any(location.id == subject for location in clinic.locations)
        case _:
            known = feeds.is_subject(session, kind, subject)
    if not known:
        raise UnknownId(kind, subject)


def _get_title(session: Session, clinic: Clinic, kind: FeedKind, subject: str) -> str:
    match kind:
        case "provider":
            return people.get_provider_names(session)[subject]
        case "group":
            return _load_seats(session, [subject])[subject].name
        case "location":
            return next(location.name for location in clinic.locations if location.id == subject)
        case _:
            return subject


class _Drawing:
    """Bookings as calendars show them, with all that they name read at once."""

    def __init__(self, session: Session, clinic: Clinic, identifiers: Sequence[str]) -> None:
        standing = bookings.list_standing_now(session, identifiers)
        self._standing = {booking.row.id: booking for booking in standing}
        self._services: dict[str, Service] = {service.id: service for service in clinic.services}
        self._locations: dict[str, Location] = {location.id: location for location in clinic.locations}
        self._members = {
            identifier: TeamMember(identifier, name) for identifier, name in people.get_provider_names(session).items()
        }
        self._groups = _load_seats(session, [booking.row.subject_id for booking in standing if booking.row.kind == "group"])

    def of(self, identifier: str) -> DrawnEntry:
        """Return a booking, without its reference."""
        booking = self._standing[identifier]
        row, placing = booking.row, booking.placing
        patients = placing.ids("patient")
        entry = CalendarEntry(
            kind=row.kind,
            uid=f"{row.id}@{UID_DOMAIN}",
            sequence=row.version,
            changed_at=row.updated_at,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            service=self._services[row.service],
            location=self._locations[row.location],
            room=placing.room,
            team=tuple(self._members[member] for member in placing.ids("team")),
            supervisors=tuple(self._members[member] for member in placing.ids("supervisor")),
            group=self._groups.get(row.subject_id) if row.kind == "group" else None,
            attending=len(patients),
        )
        return DrawnEntry(entry, row.subject_id, patients)


def _with_reference(drawn_entry: DrawnEntry, names: Mapping[str, str]) -> CalendarEntry:
    return replace(
        drawn_entry.entry,
        reference=_reference(drawn_entry.subject, tuple((patient, names[patient]) for patient in drawn_entry.patients)),
    )


def _with_invitation(entry: CalendarEntry, invitation: InvitationRow | None) -> CalendarEntry:
    """Return an entry as its patient's invites have it."""
    if invitation is None:
        return entry
    return replace(entry, uid=invitation.uid, sequence=max(invitation.sequence, 0))


@lru_cache(maxsize=20_000)
def _reference(identifier: str, patients: tuple[tuple[str, str], ...]) -> str | None:
    """Return what :func:`make_reference` does, remembered: a feed is made anew for one event of hundreds."""
    return make_reference(identifier, patients)


def _load_seats(session: Session, identifiers: Iterable[str]) -> dict[str, GroupSeats]:
    groups_by_id = {identifier: json.loads(text) for identifier, text in requests.group_texts(session, identifiers)}
    return {identifier: GroupSeats(group["name"], group["capacity"]) for identifier, group in groups_by_id.items()}
