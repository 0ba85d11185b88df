"""Appointments as partners know them, and which message brings one from what it was told to what stands now.

References
----------
HL7 version 2.5.1, sections 10.4 (filler application messages, S12 to S26) and 10.6.1.25 (SCH-25, table 0278).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self


class Status(StrEnum):
    """What became of an appointment; ``DELETED`` is a cancelled one of which the patient was never told."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    DONE = "done"
    NO_SHOW = "no-show"
    CANCELLED = "cancelled"
    DELETED = "deleted"


ENDED = (Status.CANCELLED, Status.DELETED)


class Trigger(StrEnum):
    """The event of a scheduling message."""

    BOOKED = "S12"
    MOVED = "S13"
    MODIFIED = "S14"
    CANCELLED = "S15"
    DISCONTINUED = "S16"
    DELETED = "S17"
    NO_SHOW = "S26"


@dataclass(frozen=True, slots=True)
class PartnerAppointment:
    """One patient's appointment. It names nobody: people, places and services are ids.

    Attributes
    ----------
    id : str
        The visit's id; of a group session, with the patient's.
    placer : str
        The id that whoever asked for it gave, as given; empty: none.
    starts_at, ends_at : datetime
        The team's time, aware.
    team, supervisors, equipment : tuple of str
        Providers in the order of their seats; pools.
    """

    id: str
    patient: str
    service: str
    starts_at: datetime
    ends_at: datetime
    location: str
    room: str | None = None
    team: tuple[str, ...] = ()
    supervisors: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    priority: str = ""
    placer: str = ""
    status: Status = Status.BOOKED

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read it as it is kept."""
        values = {field.name: document[field.name] for field in fields(cls)}
        times = {name: datetime.fromisoformat(values[name]) for name in ("starts_at", "ends_at")}
        groups = {name: tuple(values[name]) for name in ("team", "supervisors", "equipment")}
        return cls(**{**values, **times, **groups, "status": Status(values["status"])})

    def document(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self) | {"starts_at": self.starts_at.isoformat(), "ends_at": self.ends_at.isoformat()}


@dataclass(frozen=True, slots=True)
class AppointmentEvent:
    """One message to be sent: what it says, which is what its receiver knows from then on."""

    trigger: Trigger
    appointment: PartnerAppointment


def next_event(told: PartnerAppointment | None, stands: PartnerAppointment | None) -> AppointmentEvent | None:
    """Return the next message that brings a partner nearer to what stands; None: they know it.

    Who was told nothing is told of a booking before of what became of it, and a move before what happened at its new time.

    Parameters
    ----------
    told
        What the partner knows.
    stands
        What stands now; None: the appointment is no more.
    """
    known = None if told is None or told.status in ENDED else told
    if stands is None or stands.status in ENDED:
        if known is None:
            return None
        status = Status.CANCELLED if stands is None else stands.status
        trigger = Trigger.DELETED if status is Status.DELETED else Trigger.CANCELLED
        return AppointmentEvent(trigger, replace(known, status=status))
    if known is None:
        return AppointmentEvent(Trigger.BOOKED, replace(stands, status=Status.BOOKED))
    if known == stands:
        return None
    if (known.starts_at, known.ends_at) != (stands.starts_at, stands.ends_at):
        return AppointmentEvent(Trigger.MOVED, replace(stands, status=Status.BOOKED))
    missed = stands.status is Status.NO_SHOW and known.status is not Status.NO_SHOW
    return AppointmentEvent(Trigger.NO_SHOW if missed else Trigger.MODIFIED, stands)
