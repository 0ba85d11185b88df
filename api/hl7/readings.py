"""What messages that come in say, as plain values: of an appointment, of referrals, of a patient.

A value is read from the places where systems put it, the first that has one. What cannot be read as it is says its place.

References
----------
HL7 version 2.5.1, chapters 3 (ADT), 4 (ORM, OMG: ORC, OBR, TQ1), 10 (SIU) and 11 (REF: RF1, PRD).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.hl7.acks import AckVerdict, Condition, Refusal
from api.hl7.appointments import Status
from api.hl7.codec import Message, Repetition, Segment
from api.hl7.partners import Partner
from api.hl7.siu import AUTHORITY
from api.hl7.times import InvalidTime, read_date, read_time
from scheduling.fields import Priority
from scheduling.names import compose_name

MAX_TEXT = 200
MAX_MINUTES = 1440

STATUS_OF_TRIGGER = {
    "S12": Status.BOOKED,
    "S13": Status.BOOKED,
    "S15": Status.CANCELLED,
    "S16": Status.CANCELLED,
    "S17": Status.CANCELLED,
    "S26": Status.NO_SHOW,
}
"""What an event says by itself; S14 says it by SCH-25."""

STATUS_OF_CODE = {
    "booked": Status.BOOKED,
    "arrived": Status.ARRIVED,
    "checkedin": Status.ARRIVED,
    "started": Status.ARRIVED,
    "complete": Status.DONE,
    "completed": Status.DONE,
    "cancelled": Status.CANCELLED,
    "canceled": Status.CANCELLED,
    "deleted": Status.CANCELLED,
    "dc": Status.CANCELLED,
    "noshow": Status.NO_SHOW,
}
"""SCH-25, its letters alone and without case (``No-Show`` is ``noshow``): table 0278, and what is common besides."""

PRIORITY_OF_CODE: dict[str, Priority] = {
    "s": "urgent",
    "stat": "urgent",
    "a": "soon",
    "asap": "soon",
    "u": "urgent",
    "urgent": "urgent",
    "emergency": "urgent",
    "soon": "soon",
    "cancer": "cancer",
}
"""Tables 0280 and 0485, and our own words; any other says nothing."""

SECONDS_OF_UNIT = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hr": 3600}


class UnreadableMessage(Exception):
    """A message that says something impossible; ``refusal`` is the answer to it."""

    def __init__(self, place: str, words: str, condition: Condition = Condition.DATA_TYPE) -> None:
        verdict = AckVerdict.REJECTED if condition is Condition.UNSUPPORTED_TYPE else AckVerdict.ERROR
        self.refusal = Refusal(verdict, condition, f"{place} {words}", place)
        super().__init__(f"{place} {words}")


@dataclass(frozen=True, slots=True)
class PatientReading:
    """A patient: the id that the partner's authority gave, the name, and a mail address if one is given."""

    id: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class AppointmentReading:
    """What a scheduling message says of one appointment.

    Attributes
    ----------
    ids : tuple of str
        What may be our id of it: the filler's, then the placer's, but not where another authority is named.
    placer : str
        The placer's id.
    starts_at, ends_at : datetime or None
        None: not said, or of no matter for what the event means.
    service, location, room, team
        Ours where the partner's codes are known, else theirs; a service that is not known is empty.
    """

    trigger: str
    status: Status
    ids: tuple[str, ...]
    placer: str
    patient: PatientReading | None
    service: str
    starts_at: datetime | None
    ends_at: datetime | None
    location: str
    room: str
    team: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferralReading:
    """What a patient is referred for.

    Attributes
    ----------
    id : str
        The order's or referral's number.
    codes : tuple of str
        All that may say the kind of referral, the likeliest first, as the partner codes it.
    is_new : bool
        Whether it is asked for, and not changed or taken back.
    """

    id: str
    codes: tuple[str, ...]
    patient: PatientReading
    priority: Priority | None
    referred_on: date | None
    referrer: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class PatientNews:
    """What is new of a patient; ``merged`` is the id that is no longer theirs."""

    patient: PatientReading
    merged: str = ""


Reading = AppointmentReading | PatientNews | tuple[ReferralReading, ...]


def read_message(message: Message, partner: Partner) -> Reading | None:
    """Read what a message says; None: its event is none of those in ``TRIGGERS``, though its type is.

    Raises
    ------
    UnreadableMessage
        When it is of a type that nothing is done with, lacks what it is about, or names an impossible time.
    """
    reader = READERS.get(message.code)
    if reader is None:
        raise UnreadableMessage("MSH-9", "is of a type that is not taken here", Condition.UNSUPPORTED_TYPE)
    return reader(message, partner) if message.trigger in TRIGGERS[message.code] else None


def read_appointment(message: Message, partner: Partner) -> AppointmentReading:
    """Read a scheduling message (SIU). Raises ``UnreadableMessage``."""
    schedule = _needed(message, "SCH")
    starts_at = _first_time(message, partner, START_PLACES) if message.trigger in TIMED else None
    return AppointmentReading(
        trigger=message.trigger,
        status=_status(message, schedule),
        ids=_own_ids(schedule),
        placer=schedule.get(1),
        patient=_patient(message, partner),
        service=_own_code(message, partner),
        starts_at=starts_at,
        ends_at=_end(message, schedule, partner, starts_at),
        location=_mapped(partner.own_locations, _text(message, "AIL", 3)),
        room=_text(message, "AIL", 3, 2),
        team=tuple(_mapped(partner.own_providers, segment.get(3)) for segment in message.all("AIP") if segment.get(3)),
    )


def read_referrals(message: Message, partner: Partner) -> tuple[ReferralReading, ...]:
    """Read referrals: one of REF, one for each OBR of ORM and OMG. Raises ``UnreadableMessage``."""
    patient = _patient(message, partner)
    if patient is None:
        raise UnreadableMessage("PID-3", "is missing", Condition.FIELD_MISSING)
    if message.code == "REF":
        return (_referral(message, patient),)
    _needed(message, "OBR")
    return tuple(_orders(message, patient))


def read_patient(message: Message, partner: Partner) -> PatientNews:
    """Read what is new of a patient (ADT). Raises ``UnreadableMessage``."""
    patient = _patient(message, partner)
    if patient is None:
        raise UnreadableMessage("PID-3", "is missing", Condition.FIELD_MISSING)
    merged = message.first("MRG")
    return PatientNews(patient, "" if merged is None else _identifier(merged.repetitions(1), partner))


def read_nothing(message: Message, partner: Partner) -> None:
    """Read a question whether anybody listens (NMQ): its answer is the acknowledgement."""


READERS: dict[str, Callable[[Message, Partner], Reading | None]] = {
    "SIU": read_appointment,
    "REF": read_referrals,
    "ORM": read_referrals,
    "OMG": read_referrals,
    "ADT": read_patient,
    "NMQ": read_nothing,
}

TRIGGERS = {
    "SIU": ("S12", "S13", "S14", "S15", "S16", "S17", "S26"),
    "REF": ("I12", "I13", "I14"),
    "ORM": ("O01",),
    "OMG": ("O19",),
    "ADT": ("A04", "A08", "A28", "A31", "A40"),
    "NMQ": ("N01",),
}
"""What is taken in of each message type."""


# --- appointments ----------------------------------------------------------------------------------------------------

START_PLACES = (("TQ1", 7, 1), ("SCH", 11, 4), ("AIS", 4, 1), ("AIL", 6, 1), ("AIP", 6, 1))
TIMED = ("S12", "S13", "S14")
"""Events for which the time matters."""

END_PLACES = (("TQ1", 8, 1), ("SCH", 11, 5))


def _status(message: Message, schedule: Segment) -> Status:
    said = STATUS_OF_TRIGGER.get(message.trigger)
    code = STATUS_OF_CODE.get("".join(filter(str.isalpha, schedule.get(25).lower())))
    if said is Status.BOOKED and code in (Status.ARRIVED, Status.DONE):
        return code
    return said or code or Status.BOOKED


def _own_ids(schedule: Segment) -> tuple[str, ...]:
    """Return the filler's and the placer's id where they are ours, or nobody says whose they are."""
    return _distinct(schedule.get(field) for field in (2, 1) if schedule.get(field, 2) in ("", AUTHORITY))


def _own_code(message: Message, partner: Partner) -> str:
    """Return our service: by our own code, or by the partner's."""
    segment = message.first("AIS")
    if segment is None:
        return ""
    for code, system in ((1, 3), (4, 6)):
        if segment.get(3, system) == AUTHORITY:
            return segment.get(3, code)
    return partner.own_services.get(segment.get(3), "")


def _first_time(message: Message, partner: Partner, places: Iterable[tuple[str, int, int]]) -> datetime | None:
    for name, field, component in places:
        text = _text(message, name, field, component)
        if text and not (name == "SCH" and read_date(text) is None):  # SCH-11 holds anything in older systems
            place = f"{name}-{field}" + (f".{component}" if component > 1 else "")
            try:
                return read_time(text, partner.zone)
            except InvalidTime as error:
                raise UnreadableMessage(place, str(error)) from None
    return None


def _end(message: Message, schedule: Segment, partner: Partner, starts_at: datetime | None) -> datetime | None:
    """Return the end that is said, or that the duration gives; None where neither makes sense."""
    if starts_at is None:
        return None
    end = _first_time(message, partner, END_PLACES)
    if end is None:
        seconds = _seconds(schedule.get(9), schedule.get(10))
        end = None if seconds is None else starts_at + timedelta(seconds=seconds)
    return end if end is not None and starts_at < end <= starts_at + timedelta(minutes=MAX_MINUTES) else None


def _seconds(amount: str, unit: str) -> int | None:
    """Return a duration, s, by a unit as ``s``, ``min``, ``MIN`` or ``minutes``."""
    word = unit.lower()
    factor = SECONDS_OF_UNIT.get(word) or next((SECONDS_OF_UNIT[key] for key in ("min", "sec") if word.startswith(key)), 60)
    return int(amount) * factor if amount.isascii() and amount.isdigit() and len(amount) < 7 else None


# --- referrals -------------------------------------------------------------------------------------------------------


def _referral(message: Message, patient: PatientReading) -> ReferralReading:
    referral = _needed(message, "RF1")
    referring = next((segment for segment in message.all("PRD") if segment.get(1).upper() == "RP"), None)
    codes = (referral.get(10), *_codes(message, (("OBR", 4), ("PR1", 3), ("AIS", 3))), referral.get(3))
    return ReferralReading(
        id=referral.get(6) or referral.get(11),
        codes=_distinct((*codes, *_codes(message, (("DG1", 3),)))),
        patient=patient,
        priority=PRIORITY_OF_CODE.get(referral.get(2).lower()),
        referred_on=read_date(referral.get(9)) or read_date(referral.get(7)),
        referrer="" if referring is None else _name(referring.repetitions(2)),
        is_new=message.trigger == "I12",
    )


def _orders(message: Message, patient: PatientReading) -> Iterator[ReferralReading]:
    order = Segment(("ORC",))
    for segment in message.segments:
        if segment.name == "ORC":
            order = segment
        if segment.name != "OBR":
            continue
        ordering = order.repetitions(12) or segment.repetitions(16)
        priority = _text(message, "TQ1", 9) or segment.get(27, 6) or order.get(7, 6) or segment.get(5)
        yield ReferralReading(
            id=order.get(2) or segment.get(2),
            codes=_distinct((segment.get(4), segment.get(4, 4))),
            patient=patient,
            priority=PRIORITY_OF_CODE.get(priority.lower()),
            referred_on=read_date(order.get(9)),
            referrer=_name(ordering, first=2),
            is_new=order.get(1).upper() in ("", "NW", "RF"),
        )


def _codes(message: Message, places: Iterable[tuple[str, int]]) -> list[str]:
    return [segment.get(field) for name, field in places for segment in message.all(name)]


# --- people ----------------------------------------------------------------------------------------------------------


def _patient(message: Message, partner: Partner) -> PatientReading | None:
    segment = message.first("PID")
    identifier = "" if segment is None else _identifier(segment.repetitions(3), partner)
    if segment is None or not identifier:
        return None
    return PatientReading(identifier, _name(segment.repetitions(5)), _email(segment))


def _identifier(given: list[Repetition], partner: Partner) -> str:
    """Return the id that the partner's authority gave; else the medical record number; else the first."""
    by_authority = [part for part in given if part.get(4) == partner.authority]
    by_type = [part for part in given if part.get(5).upper() in ("MR", "PI", "PT")]
    chosen = (by_authority or by_type or given)[:1]
    return _short(chosen[0].get()) if chosen else ""


def _name(given: list[Repetition], first: int = 1) -> str:
    """Return the first name as people say it: given names, then the family's, which is component ``first`` (XPN, XCN)."""
    if not given:
        return ""
    family, *names = (given[0].get(component) for component in (first, first + 1, first + 2))
    return _short(" ".join(filter(None, (*names, family))))


def _email(segment: Segment) -> str:
    """Return a mail address among the telecommunications of PID-13: XTN-4, or XTN-1 of the type Internet."""
    for number in segment.repetitions(13):
        for text in (number.get(4), number.get(1)):
            if "@" in text:
                return _short(text)
    return ""


def _text(message: Message, name: str, field: int, component: int = 1) -> str:
    """Return the first text that segments of a name have in a place."""
    return next((text for segment in message.all(name) if (text := segment.get(field, component))), "")


def _needed(message: Message, name: str) -> Segment:
    segment = message.first(name)
    if segment is None:
        raise UnreadableMessage(name, "is missing", Condition.SEGMENT_SEQUENCE)
    return segment


def _mapped(codes: Mapping[str, str], theirs: str) -> str:
    return codes.get(theirs, theirs)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_short(text) for text in texts if text))


def _short(text: str) -> str:
    return compose_name(text)[:MAX_TEXT]
