"""From bookings to what calendars show of them: everything that an event may say, and no more of a patient than how many."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from sqlmodel import Session

from api.store import feeds, messages, people, periods, requests
from api.store.bookings import Standing
from api.store.messages import UID_DOMAIN
from api.store.tables import InvitationRow
from api.store.tables.feeds import FeedKind
from calendars.entries import Entry, Member, Seats, reference
from calendars.feeds import feed
from scheduling.clinic import Clinic, Location, Service
from scheduling.errors import UnknownId


def document_of(session: Session, kind: FeedKind, subject: str, since: datetime) -> bytes:
    """Return the calendar of a provider, room, group, location or patient: all that stands from an instant on."""
    clinic = periods.clinic_of(session)
    standing = feeds.contents(session, kind, subject, since)
    invitations = messages.invitations_to(session, subject) if kind == "patient" else {}
    entries = _Entries(session, clinic, standing, invitations)
    return feed(clinic, kind, subject, _title(session, clinic, kind, subject), entries, since.date())


def expect_subject(session: Session, kind: FeedKind, subject: str) -> None:
    """Refuse a feed of what is not there. Raises ``UnknownId``."""
    clinic = periods.clinic_of(session)
    match kind:
        case "room":
            known = any(one.id == subject for one in clinic.rooms)
        case "location":
            known = any(one.id == subject for one in clinic.locations)
        case _:
            known = feeds.is_subject(session, kind, subject)
    if not known:
        raise UnknownId(kind, subject)


def _title(session: Session, clinic: Clinic, kind: FeedKind, subject: str) -> str:
    match kind:
        case "provider":
            return people.provider_names(session)[subject]
        case "group":
            return _seats(session, [subject])[subject].name
        case "location":
            return next(one.name for one in clinic.locations if one.id == subject)
        case _:
            return subject


class _Entries:
    """The entries of bookings, with all that they name read at once."""

    def __init__(
        self, session: Session, clinic: Clinic, standing: Sequence[Standing], invitations: Mapping[str, InvitationRow]
    ) -> None:
        self._standing = standing
        self._invitations = invitations
        self._services: dict[str, Service] = {one.id: one for one in clinic.services}
        self._locations: dict[str, Location] = {one.id: one for one in clinic.locations}
        self._members = {identifier: Member(identifier, name) for identifier, name in people.provider_names(session).items()}
        self._patients = people.patient_names(session, {one for each in standing for one in each.placing.ids("patient")})
        self._groups = _seats(session, [one.row.subject_id for one in standing if one.row.kind == "group"])

    def __iter__(self) -> Iterator[Entry]:
        return map(self._entry, self._standing)

    def _entry(self, one: Standing) -> Entry:
        row, placing = one.row, one.placing
        patients = placing.ids("patient")
        invitation = self._invitations.get(row.id)
        return Entry(
            kind=row.kind,
            uid=f"{row.id}@{UID_DOMAIN}" if invitation is None else invitation.uid,
            sequence=row.version if invitation is None else max(invitation.sequence, 0),
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
            reference=_reference(row.subject_id, tuple((patient, self._patients[patient]) for patient in patients)),
        )


@lru_cache(maxsize=20_000)
def _reference(identifier: str, patients: tuple[tuple[str, str], ...]) -> str | None:
    """Return what :func:`reference` does, remembered: a feed is made anew for one event of hundreds."""
    return reference(identifier, patients)


def _seats(session: Session, groups: Iterable[str]) -> dict[str, Seats]:
    found = {identifier: json.loads(text) for identifier, text in requests.group_texts(session, groups)}
    return {identifier: Seats(one["name"], one["capacity"]) for identifier, one in found.items()}
