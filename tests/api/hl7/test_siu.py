"""Scheduling messages say what stands, in the version of their reader, and name the patient in PID alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.hl7 import APPOINTMENT, EVIL_NAME, NINE
from support.partners import partner

from api.hl7.acks import VERSIONS
from api.hl7.appointments import AppointmentEvent, PartnerAppointment, Status, Trigger
from api.hl7.charsets import decoded
from api.hl7.codec import Message, Segment, text_of
from api.hl7.partners import Partner
from api.hl7.siu import NamedPatient, make_siu

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def written(
    to: Partner, appointment: PartnerAppointment = APPOINTMENT, trigger: Trigger = Trigger.BOOKED, name: str = "Jane Doe"
) -> Message:
    content = make_siu(AppointmentEvent(trigger, appointment), NamedPatient("pat", name), to, "C-1", NOW)
    return Message.parse(decoded(content)[0])


def only(message: Message, name: str) -> Segment:
    (segment,) = message.all(name)
    return segment


def test_a_booking_is_said_by_the_segments_of_the_standard() -> None:
    message = written(partner())
    assert [text_of(segment) for segment in message.segments] == [
        "MSH|^~\\&|CLINICWEAVE||EHR|HOSPITAL|20261129070000-0500||SIU^S12^SIU_S12|C-1|P|2.5.1||||||UNICODE UTF-8",
        "SCH||v-1^CLINICWEAVE||||Booked|urgent|Normal|45|min^minutes^ISO+|^^^20261130090000-0500^20261130094500-0500|||||"
        "CLINICWEAVE||||CLINICWEAVE|||||Booked",
        "TQ1|1||||||20261130090000-0500|20261130094500-0500",
        "PID|1||pat^^^HOSPITAL^MR||Doe^Jane",
        "RGS|1|A",
        "AIS|1|A|1301^^L^follow-up^^CLINICWEAVE|20261130090000-0500|||45|min^minutes^ISO+||Booked",
        "AIG|1|A|ultrasound^^CLINICWEAVE|EQUIPMENT||||20261130090000-0500|||45|min^minutes^ISO+||Booked",
        "AIL|1|A|wang^wang-1|C||20261130090000-0500|||45|min^minutes^ISO+||Booked",
        "AIP|1|A|ana|PERFORMER||20261130090000-0500|||45|min^minutes^ISO+||Booked",
        "AIP|2|A|ben|PERFORMER||20261130090000-0500|||45|min^minutes^ISO+||Booked",
        "AIP|3|A|dee|SUPERVISOR||20261130090000-0500|||45|min^minutes^ISO+||Booked",
    ]


@pytest.mark.parametrize(
    ("trigger", "status", "action", "said"),
    [
        (Trigger.MOVED, Status.BOOKED, "U", "Booked"),
        (Trigger.MODIFIED, Status.ARRIVED, "U", "ARRIVED"),
        (Trigger.MODIFIED, Status.DONE, "U", "Complete"),
        (Trigger.NO_SHOW, Status.NO_SHOW, "U", "Noshow"),
        (Trigger.CANCELLED, Status.CANCELLED, "D", "Cancelled"),
        (Trigger.DELETED, Status.DELETED, "D", "Deleted"),
    ],
)
def test_what_became_of_it_is_said_by_trigger_and_status(trigger: Trigger, status: Status, action: str, said: str) -> None:
    message = written(partner(), replace(APPOINTMENT, status=status), trigger)
    assert (message.trigger, message.header.get(9, 3)) == (trigger.value, "SIU_S12")
    assert (only(message, "SCH").get(25), only(message, "AIS").get(10), only(message, "AIL").get(12)) == (said, said, said)
    assert {segment.get(2) for segment in message.segments if segment.name in ("RGS", "AIS", "AIL", "AIP")} == {action}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_gets_what_it_knows(version: str) -> None:
    message = written(partner(version))
    assert message.header.get(12) == version
    assert message.header.get(9, 3) == ("" if version == "2.3" else "SIU_S12")
    assert bool(message.all("TQ1")) == (version >= "2.5")
    assert only(message, "SCH").get(1) == ("v-1" if version == "2.3" else "")
    assert only(message, "SCH").get(11, 1) == ""


def test_the_placers_id_is_kept_as_given() -> None:
    assert only(written(partner("2.3"), replace(APPOINTMENT, placer="P^1")), "SCH").get(1) == "P^1"


def test_times_are_without_offset_where_the_reader_wants_none() -> None:
    schedule = only(written(partner(offsets=False)), "SCH")
    assert (schedule.get(11, 4), schedule.get(11, 5)) == ("20261130090000", "20261130094500")


@pytest.mark.parametrize("instant", [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (4, 5, 6, 7)])
def test_an_hour_that_occurs_twice_is_said_with_its_offset(instant: datetime) -> None:
    appointment = replace(APPOINTMENT, starts_at=instant, ends_at=instant + timedelta(minutes=30))
    start = only(written(partner(), appointment), "SCH").get(11, 4)
    assert datetime.strptime(start, "%Y%m%d%H%M%S%z") == instant


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [EVIL_NAME, "Zoë 日本", "", "Cher", "Doe, Jane Ann", "\r\x0b\x1c"])
def test_a_name_stays_one_field_of_pid_and_stands_nowhere_else(version: str, name: str) -> None:
    plain, named = written(partner(version), name="x"), written(partner(version), name=name)
    assert len(plain.segments) == len(named.segments)
    differing = [one.name for one, other in zip(plain.segments, named.segments, strict=True) if one != other]
    assert differing == ["PID"]
    letters = set("".join((only(named, "PID").get(5), only(named, "PID").get(5, 2))))
    assert letters >= set(name) - set(" ,\r\x0b\x1c")


def test_names_are_parted_into_family_and_given() -> None:
    names = ("Jane Doe", "Doe, Jane Ann", "Cher", "Maria de la Cruz")
    assert [NamedPatient("p", name).parts for name in names] == [
        ("Doe", "Jane"),
        ("Doe", "Jane Ann"),
        ("Cher", ""),
        ("Cruz", "Maria de la"),
    ]


def test_a_sign_that_the_readers_set_lacks_breaks_nothing() -> None:
    content = make_siu(
        AppointmentEvent(Trigger.BOOKED, APPOINTMENT), NamedPatient("p", "Zoë 日本"), partner(charset="8859/1"), "C-1", NOW
    )
    assert b"PID|1||p^^^HOSPITAL^MR||??^Zo\xeb\r" in content


def test_the_same_event_is_the_same_message() -> None:
    assert written(partner()) == written(partner())
    assert written(partner()) != written(partner(), replace(APPOINTMENT, starts_at=NINE + timedelta(minutes=5)))
