"""What patients are told: messages written in the transaction that changes their bookings, and sent afterwards.

What stands now is held against what a patient was last told. So whoever stays where they are gets nothing, however often a
plan is published; a change that is changed again before its message is sent gives one message; and what comes and goes
before its message is sent gives none. A place that is only offered is told by nobody here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.context import AppContext
from api.store.queries import bookings, messages, people, periods
from api.store.queries.bookings import BookingChange, PatientTime
from api.store.queries.messages import AppointmentNotice
from api.store.tables import BookingRow, InvitationRow, MessageRow
from calendars.appointments import Appointment, get_free_at, make_appointment
from calendars.invites import Invitation, InviteMessage, make_message
from calendars.mailbox import Mailbox
from scheduling.clinic import Clinic
from scheduling.fields import ONE_DAY

BEGUN = ("arrived", "done", "no-show")
"""States in which there is nothing to tell any more."""

AT_ONCE = 1_000
"""Messages that are forgotten in one transaction, for which other writers wait."""


def count_messages(session: Session) -> dict[str, int]:
    """Return how many messages are in each state."""
    return messages.count_by_state(session)


def list_messages(session: Session, patient: str) -> list[MessageRow]:
    """Return the messages to a patient, the newest first. Raises ``UnknownId``."""
    people.get_patient(session, patient)
    return messages.list_messages(session, patient)


def list_answers(session: Session, period_id: str) -> list[tuple[BookingRow, InvitationRow]]:
    """Return what patients were invited to in a period, with what they answered, by start. Raises ``UnknownId``."""
    periods.get_period(session, period_id)
    return messages.list_answers(session, period_id)


def list_patients_without_address(session: Session, period_id: str, now: datetime) -> list[str]:
    """Return the patients of a period's bookings to come whom no mail reaches, by id: somebody has to call them."""
    return messages.list_patients_without_address(session, period_id, now)


def notify_changes(session: Session, changes: Iterable[BookingChange], now: datetime) -> int:
    """Write the messages about bookings that were made, changed or cancelled, and return how many."""
    return notify_bookings(session, (change.row for change in changes), now)


def notify_bookings(session: Session, rows: Iterable[BookingRow], now: datetime) -> int:
    """Write whatever the patients of bookings have not been told yet, and return how many messages that is.

    Call it in the transaction that changes the bookings, once they are as they shall be.
    """
    changed = [row for row in rows if row.kind != "hold" and row.state not in BEGUN]
    session.flush()
    ids = [row.id for row in changed]
    attending, invitations = messages.list_patients_of(session, ids), messages.list_invitations_of(session, ids)
    attendances = [_Attendance(row, patient, True) for row in changed for patient in attending.get(row.id, ())]
    seats = {(attendance.row.id, attendance.patient) for attendance in attendances}
    by_id = {row.id: row for row in changed}
    attendances += [_Attendance(by_id[key[0]], key[1], False) for key in invitations if key not in seats]
    times = bookings.list_patient_times(session, {attendance.patient for attendance in attendances}, now - ONE_DAY)
    attendances += _list_neighbours(session, attendances, invitations, times, now)
    notifier = _make_notifier(session, {attendance.row.id for attendance in attendances}, times, now)
    return sum(notifier.notify(attendance) for attendance in sorted(attendances, key=lambda known: known.patient))


def notify_patient(session: Session, patient: str, now: datetime) -> int:
    """Write what a patient, whose address is new, has not been told there; return how many messages that is."""
    return notify_bookings(session, messages.list_upcoming_of(session, patient, now), now)


def delete_old_messages(context: AppContext) -> int:
    """Forget messages once the visits that they tell of have long been over, and return how many."""
    before, gone = context.clock() - timedelta(days=context.settings.message_days), 0
    while True:
        with context.database.writing() as session:
            some = messages.delete_old_messages(session, before, AT_ONCE)
        gone += some
        if some < AT_ONCE:
            return gone


def _list_clinicians(session: Session, identifiers: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the names of those who see the patients of bookings, by booking."""
    names = people.get_provider_names(session)
    members = messages.list_team_of(session, identifiers)
    return {identifier: tuple(names[member] for member in team if member in names) for identifier, team in members.items()}


@dataclass(frozen=True, slots=True)
class _Attendance:
    """A patient of a booking: who has a seat in it, or knows of one."""

    row: BookingRow
    patient: str
    attends: bool


def _list_neighbours(
    session: Session,
    attendances: Sequence[_Attendance],
    invitations: Mapping[tuple[str, str], InvitationRow],
    times: Sequence[PatientTime],
    now: datetime,
) -> list[_Attendance]:
    """Return the other bookings to come of the same patients and days: when to arrive there depends on what comes before."""
    zone = periods.get_zone(session)
    days = {(attendance.patient, zone.wall(attendance.row.starts_at).date()) for attendance in attendances}
    days |= {
        (patient, zone.wall(AppointmentNotice.of(row.told).starts_at).date())
        for (_, patient), row in invitations.items()
        if row.told is not None
    }
    known = {(attendance.row.id, attendance.patient) for attendance in attendances}
    beside = [
        (time.booking, time.patient)
        for time in times
        if time.starts_at > now
        and (time.booking, time.patient) not in known
        and (time.patient, zone.wall(time.starts_at).date()) in days
    ]
    rows = bookings.get_bookings(session, {booking for booking, _ in beside})
    return [_Attendance(rows[booking], patient, True) for booking, patient in beside if rows[booking].state not in BEGUN]


def _make_notifier(session: Session, ids: Collection[str], times: Iterable[PatientTime], now: datetime) -> _Notifier:
    invitations = messages.list_invitations_of(session, ids)
    by_patient: dict[str, list[PatientTime]] = defaultdict(list)
    for time in times:
        by_patient[time.patient].append(time)
    return _Notifier(
        session=session,
        clinic=periods.clinic_of(session),
        clinicians=_list_clinicians(session, list(ids)),
        invitations=invitations,
        waiting=messages.find_waiting(session, [row.id for row in invitations.values()]),
        addresses=messages.get_addresses(session, {*by_patient, *(patient for _, patient in invitations)}),
        times=by_patient,
        now=now,
    )


@dataclass
class _Notifier:
    """What is known of the bookings that are looked at, read at once: a publication changes hundreds."""

    session: Session
    clinic: Clinic
    clinicians: dict[str, tuple[str, ...]]
    invitations: dict[tuple[str, str], InvitationRow]
    waiting: dict[str, MessageRow]
    addresses: dict[str, str]
    times: Mapping[str, Sequence[PatientTime]]
    now: datetime

    def notify(self, attendance: _Attendance) -> bool:
        """Write a message to one patient about one booking, if there is anything to say."""
        row, patient = attendance.row, attendance.patient
        invitation = self.invitations.get((row.id, patient))
        told = None if invitation is None or invitation.told is None else AppointmentNotice.of(invitation.told)
        address = self.addresses.get(patient) or (told.address if told is not None else None)
        if address is None:
            return False
        wanted = self._wanted(attendance, told)
        message = make_message(_known(invitation, told, address), wanted, self.now, Mailbox(address))
        return self._put(invitation, row, patient, message)

    def _wanted(self, attendance: _Attendance, told: AppointmentNotice | None) -> Appointment | None:
        """Return what the patient should know; of what is past, what they know already."""
        row, known = attendance.row, told.appointment if told is not None else None
        if known is not None and known.starts_at <= self.now:
            return known
        if not attendance.attends or row.state != "booked":
            return None
        if row.starts_at <= self.now:
            return known
        times, clinicians = (row.starts_at, row.ends_at), self.clinicians.get(row.id, ())
        free_at = self._get_free_at(row, attendance.patient)
        return make_appointment(self.clinic, row.service, row.location, *times, clinicians, free_at)

    def _get_free_at(self, row: BookingRow, patient: str) -> datetime | None:
        """Return when a patient can be at a booking after what they have before it."""
        earlier = (time for time in self.times.get(patient, ()) if time.booking != row.id and time.starts_at < row.starts_at)
        free_times = (get_free_at(self.clinic, time.rested_at, time.location, row.location) for time in earlier)
        return max(free_times, default=None)

    def _put(self, invitation: InvitationRow | None, row: BookingRow, patient: str, message: InviteMessage | None) -> bool:
        """Replace the message that waits by a new one, if they differ; without a new one, nothing waits any more."""
        waiting = None if invitation is None else self.waiting.get(invitation.id)
        if message is None:
            if waiting is not None:
                messages.drop_message(self.session, waiting, "it says nothing new", self.now)
            return False
        if waiting is not None:
            wanted = AppointmentNotice(message.appointment, message.attendee.address)
            if (waiting.method, AppointmentNotice.of(waiting.tells)) == (message.method, wanted):
                return False
            messages.drop_message(self.session, waiting, "a newer one takes its place", self.now)
        invitation = invitation or messages.add_invitation(self.session, row.id, patient)
        messages.put_message(self.session, invitation, message, self.now)
        return True


def _known(invitation: InvitationRow | None, told: AppointmentNotice | None, address: str) -> Invitation:
    """Return what a patient was told, as invites have it; of somebody who was told nothing yet, only where they are."""
    attendee = Mailbox(told.address if told is not None else address)
    if invitation is None:
        return Invitation("", attendee)
    return Invitation(
        invitation.uid, attendee, invitation.sequence, invitation.stamp, None if told is None else told.appointment
    )
