"""Scheduling messages: SIU written of appointments, in any version from 2.3 to 2.6.

A patient's name stands in PID and nowhere else. One message is about one patient.

References
----------
HL7 version 2.5.1, sections 10.4 (SIU), 10.6 (SCH, RGS, AIS, AIG, AIL, AIP) and 4.5.4 (TQ1); version 2.3, chapter 10.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.hl7.appointments import AppointmentEvent, PartnerAppointment, Status, Trigger
from api.hl7.charsets import CODECS, encoded
from api.hl7.codec import Field, Message, Segment, make_segment
from api.hl7.partners import Partner
from api.hl7.times import write_time

AUTHORITY = "CLINICWEAVE"
"""Who gives visits, services, rooms and providers their ids, where a partner has none of its own for them."""

STATUSES = {
    Status.BOOKED: "Booked",
    Status.ARRIVED: "ARRIVED",
    Status.DONE: "Complete",
    Status.NO_SHOW: "Noshow",
    Status.CANCELLED: "Cancelled",
    Status.DELETED: "Deleted",
}
"""SCH-25, table 0278; it has nothing for a patient who has arrived."""

REASONS = {
    Trigger.BOOKED: "Booked",
    Trigger.MOVED: "Rescheduled",
    Trigger.MODIFIED: "Modified",
    Trigger.CANCELLED: "Cancelled",
    Trigger.DELETED: "Deleted",
    Trigger.NO_SHOW: "Noshow",
}
"""SCH-6, which every version asks for: why the message was sent."""

ACTIONS = {Trigger.BOOKED: "A", Trigger.CANCELLED: "D", Trigger.DELETED: "D"}
"""Table 0206, of all resources; updated otherwise."""

MINUTES = ("min", "minutes", "ISO+")
WITHOUT_STRUCTURE = ("2.3",)
WITHOUT_TIMING = ("2.3", "2.3.1", "2.4")
"""Versions that have no MSH-9.3, and no TQ1."""


@dataclass(frozen=True, slots=True)
class NamedPatient:
    """Whom a message is about."""

    id: str
    name: str

    @property
    def parts(self) -> tuple[str, str]:
        """Family name and given names, XPN-1 and XPN-2: the last word is taken for the family's."""
        family, comma, given = self.name.partition(",")
        if not comma:
            given, _, family = self.name.rpartition(" ")
        return family.strip(), given.strip()


def make_siu(event: AppointmentEvent, patient: NamedPatient, partner: Partner, control_id: str, now: datetime) -> bytes:
    """Make a scheduling message as a partner reads it.

    Parameters
    ----------
    control_id
        MSH-10: the same for the same message, however often it is sent.
    now
        MSH-7.
    """
    writer = _Writer(event, partner)
    header = {
        **message_header(partner, control_id, now),
        9: ("SIU", event.trigger.value, *(() if partner.hl7.version in WITHOUT_STRUCTURE else ("SIU_S12",))),
    }
    segments = [make_segment("MSH", header), writer.schedule(), *writer.timing(), writer.patient(patient)]
    segments += [make_segment("RGS", {1: "1", 2: writer.action}), *writer.resources()]
    return encoded(str(Message(tuple(segments))), CODECS[partner.hl7.charset])


def message_header(partner: Partner, control_id: str, now: datetime) -> dict[int, Field]:
    """Return the fields of MSH that all messages to a partner share."""
    hl7 = partner.hl7
    return {
        3: hl7.own_application,
        4: hl7.own_facility,
        5: hl7.application,
        6: hl7.facility,
        7: write_time(now, partner.zone, hl7.offsets),
        10: control_id,
        11: hl7.processing,
        12: hl7.version,
        18: hl7.charset,
    }


class _Writer:
    """Writes the segments of one message."""

    def __init__(self, event: AppointmentEvent, partner: Partner) -> None:
        self._event, self._partner = event, partner
        self._appointment: PartnerAppointment = event.appointment
        self.action = ACTIONS.get(event.trigger, "U")
        self._start, self._end = (
            write_time(moment, partner.zone, partner.hl7.offsets)
            for moment in (self._appointment.starts_at, self._appointment.ends_at)
        )
        minutes = (self._appointment.ends_at - self._appointment.starts_at).total_seconds() // 60
        self._minutes = str(int(minutes))
        self._status = STATUSES[self._appointment.status]

    def schedule(self) -> Segment:
        """SCH; version 2.3 asks for a placer's id, which is ours where nobody gave one."""
        appointment = self._appointment
        placer: Field = appointment.placer
        if not appointment.placer and self._partner.hl7.version == "2.3":
            placer = (appointment.id, AUTHORITY)
        fields: dict[int, Field] = {
            1: placer,
            2: (appointment.id, AUTHORITY),
            6: REASONS[self._event.trigger],
            7: appointment.priority,
            8: "Normal",
            9: self._minutes,
            10: MINUTES,
            11: ("", "", "", self._start, self._end),
            16: AUTHORITY,
            20: AUTHORITY,
            25: self._status,
        }
        return make_segment("SCH", fields)

    def timing(self) -> Iterator[Segment]:
        """TQ1, which came with version 2.5."""
        if self._partner.hl7.version not in WITHOUT_TIMING:
            yield make_segment("TQ1", {1: "1", 7: self._start, 8: self._end})

    def patient(self, patient: NamedPatient) -> Segment:
        """PID."""
        identifier = (patient.id, "", "", self._partner.authority, "MR")
        return make_segment("PID", {1: "1", 3: identifier, 5: patient.parts})

    def resources(self) -> Iterator[Segment]:
        """AIS, AIG, AIL and AIP: the service, equipment, the place and the team."""
        appointment, partner = self._appointment, self._partner
        yield self._segment("AIS", 1, {3: self._service()}, first_time=4)
        for number, pool in enumerate(appointment.equipment, start=1):
            yield self._segment("AIG", number, {3: (pool, "", AUTHORITY), 4: "EQUIPMENT"}, first_time=8)
        location = partner.locations.get(appointment.location, appointment.location)
        place: dict[int, Field] = {3: (location, appointment.room or ""), 4: "C"}
        yield self._segment("AIL", 1, place, first_time=6)
        people = [(provider, "PERFORMER") for provider in appointment.team]
        people += [(provider, "SUPERVISOR") for provider in appointment.supervisors]
        for number, (provider, role) in enumerate(people, start=1):
            theirs = partner.providers.get(provider, provider)
            yield self._segment("AIP", number, {3: theirs, 4: role}, first_time=6)

    def _service(self) -> tuple[str, ...]:
        """Return the service by the partner's code first, then by ours."""
        own = (self._appointment.service, "", AUTHORITY)
        theirs = self._partner.services.get(self._appointment.service)
        return own if theirs is None else (theirs, "", "L", *own)

    def _segment(self, name: str, number: int, fields: dict[int, Field], first_time: int) -> Segment:
        """Return a resource's segment: start, duration, units and status follow one another in all of them."""
        times: dict[int, Field] = {first_time: self._start, first_time + 3: self._minutes, first_time + 4: MINUTES}
        return make_segment(name, {1: str(number), 2: self.action, **fields, **times, first_time + 6: self._status})
