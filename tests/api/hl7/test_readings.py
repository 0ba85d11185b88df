"""What comes in is read from wherever systems put it, and what is impossible says its place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hl7 import NINE, peers, siu
from support.partners import partner

from api.hl7.acks import AckVerdict
from api.hl7.charsets import decoded
from api.hl7.codec import Message
from api.hl7.readings import (
    AppointmentReading,
    PatientNews,
    PatientReading,
    Reading,
    ReferralReading,
    UnreadableMessage,
    read_message,
)

HOSPITAL = partner(facility="HOSPITAL")
HALF_PAST_NINE = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)


def reading(text: str) -> Reading | None:
    return read_message(Message.parse(text), HOSPITAL)


def appointment(text: str) -> AppointmentReading:
    value = reading(text)
    assert isinstance(value, AppointmentReading)
    return value


def schedule(*segments: str, trigger: str = "S12") -> AppointmentReading:
    return appointment("\r".join((f"MSH|^~\\&|EHR|HOSPITAL|||||SIU^{trigger}|1|P|2.5.1", *segments)))


@pytest.mark.parametrize(
    ("trigger", "code", "status"),
    [
        ("S12", "Booked", "booked"),
        ("S12", "", "booked"),
        ("S13", "nonsense", "booked"),
        ("S14", "ARRIVED", "arrived"),
        ("S14", "started", "arrived"),
        ("S14", "Complete", "done"),
        ("S14", "NOSHOW", "no-show"),
        ("S14", "No-Show", "no-show"),
        ("S14", "Checked In", "arrived"),
        ("S14", "COMPLETED", "done"),
        ("S14", "Cancelled", "cancelled"),
        ("S14", "", "booked"),
        ("S15", "Booked", "cancelled"),
        ("S16", "Dc", "cancelled"),
        ("S17", "Deleted", "cancelled"),
        ("S26", "Booked", "no-show"),
    ],
)
def test_the_state_is_that_of_the_event_then_that_of_the_code(trigger: str, code: str, status: str) -> None:
    assert appointment(siu(trigger, status=code)).status == status


@pytest.mark.parametrize(
    "segments",
    [
        ("SCH|", "TQ1|||||||20261130093000-0600"),
        ("SCH|||||||||||^^^20261130093000-0600",),
        ("SCH|||||||||||2^^2 hours", "AIS|1||x|20261130093000-0600"),
        ("SCH|||||||||||^^^soon", "AIL|1||wang|||20261130093000-0600"),
        ("SCH|", "AIP|1||ana|||20261130093000-0600"),
        ("SCH|", "TQ1|||||||20261130103000"),
    ],
)
def test_the_start_is_the_first_that_is_said(segments: tuple[str, ...]) -> None:
    assert schedule(*segments).starts_at == HALF_PAST_NINE


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("||||||||^30^min", None),
        ("|||||||||30|min", 30),
        ("|||||||||30|MIN^MINUTES", 30),
        ("|||||||||1800|s", 30),
        ("|||||||||2|h", 120),
        ("|||||||||45|", 45),
        ("|||||||||0|min", None),
        ("|||||||||99999|min", None),
        ("|||||||||x|min", None),
        ("|||||||||30|min|^^^20261130093000-0600^20261130101500-0600", 45),
    ],
)
def test_the_end_is_said_or_that_of_the_duration(said: str, minutes: int | None) -> None:
    end = schedule(f"SCH{said}", "AIS|1||x|20261130093000-0600").ends_at
    assert end == (None if minutes is None else HALF_PAST_NINE + timedelta(minutes=minutes))


def test_an_appointment_is_ours_by_the_fillers_or_the_placers_id() -> None:
    assert schedule("SCH|P-1^EHR|v-1^CLINICWEAVE").ids == ("v-1",)
    assert schedule("SCH|v-1^CLINICWEAVE|F-9^EHR").ids == ("v-1",)
    assert schedule("SCH|P-1|F-9").ids == ("F-9", "P-1")
    assert schedule("SCH|P-1^EHR|F-9^EHR").ids == ()


def test_services_places_and_people_are_ours_by_the_partners_codes() -> None:
    read = schedule("SCH|", "AIS|1||1301^Follow-up", "AIL|1||wang^wang-1", "AIP|1||ana", "AIP|2||ben")
    assert (read.service, read.location, read.room, read.team) == ("follow-up", "wang", "wang-1", ("ana", "ben"))
    assert schedule("SCH|", "AIS|1||x^^L^consult^^CLINICWEAVE").service == "consult"
    assert schedule("SCH|", "AIS|1||x").service == ""


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        (siu(start="20261101013000"), "TQ1-7", "occurs twice"),
        (siu(start="20270314023000"), "TQ1-7", "does not exist"),
        (siu(start="20261130"), "TQ1-7", "no time stamp"),
        (siu().replace("SCH|", "ZSC|"), "SCH", "is missing"),
        ("MSH|^~\\&|||||||REF^I12|1|P|2.5\rRF1|", "PID-3", "is missing"),
        ("MSH|^~\\&|||||||ORM^O01|1|P|2.5\rPID|||p-1", "OBR", "is missing"),
        ("MSH|^~\\&|||||||ADT^A08|1|P|2.5", "PID-3", "is missing"),
        ("MSH|^~\\&|||||||ORU^R01|1|P|2.5", "MSH-9", "not taken here"),
        ("MSH|^~\\&", "MSH-9", "not taken here"),
    ],
)
def test_what_is_impossible_says_its_place(text: str, place: str, why: str) -> None:
    with pytest.raises(UnreadableMessage, match=why) as refused:
        reading(text)
    refusal = refused.value.refusal
    assert refusal.place == place
    assert refusal.verdict is (AckVerdict.REJECTED if place == "MSH-9" else AckVerdict.ERROR)


def test_a_time_that_does_not_matter_keeps_no_cancellation_from_being_read() -> None:
    assert appointment(siu("S15", start="20261101013000")).starts_at is None


@pytest.mark.parametrize("kind", ["SIU^S18", "SIU^", "ADT^A01", "REF^I15"])
def test_another_event_of_a_known_type_says_nothing(kind: str) -> None:
    assert reading(f"MSH|^~\\&|||||||{kind}|1|P|2.5") is None


def test_a_referral_is_read() -> None:
    text = "\r".join(
        (
            "MSH|^~\\&|EHR|HOSPITAL|||||REF^I12|1|P|2.5.1",
            "RF1|P|S|Med||O|R-7|20261125||20261124|24725-4^Pain",
            "PRD|RT^To|Weave",
            "PRD|RP^Referring|Powell^Robert^J",
            "PID|1||x^^^OTHER^SS~p-1^^^HOSPITAL^MR||Doe^Jane^Ann||||||||^NET^Internet^jane@example.org",
            "OBR|1|||22310-7",
        )
    )
    assert reading(text) == (
        ReferralReading(
            id="R-7",
            codes=("24725-4", "22310-7", "Med"),
            patient=PatientReading("p-1", "Jane Ann Doe", "jane@example.org"),
            priority="urgent",
            referred_on=date(2026, 11, 24),
            referrer="Robert J Powell",
            is_new=True,
        ),
    )


def test_each_order_of_a_message_is_a_referral() -> None:
    text = "\r".join(
        (
            "MSH|^~\\&|EHR|HOSPITAL|||||ORM^O01|1|P|2.5.1",
            "PID|1||p-1||Doe^Jane",
            "ORC|NW|O-1|||||1^^^^^A||20261124|||77^House^Greg",
            "OBR|1|O-1||24725-4^CT",
            "ORC|CA|O-2",
            "OBR|2|O-2||22310-7||||||||||||88^Wilson^James",
        )
    )
    value = reading(text)
    assert isinstance(value, tuple)
    assert [(one.id, one.codes, one.priority, one.referred_on, one.referrer, one.is_new) for one in value] == [
        ("O-1", ("24725-4",), "soon", date(2026, 11, 24), "Greg House", True),
        ("O-2", ("22310-7",), None, None, "James Wilson", False),
    ]


def test_news_of_a_patient_are_read() -> None:
    header = "MSH|^~\\&|EHR|HOSPITAL|||||ADT^A08|1|P|2.5.1"
    assert reading(f"{header}\rPID|1||p-1||Doe^Jane||||||||jane@x.org^^Internet") == PatientNews(
        PatientReading("p-1", "Jane Doe", "jane@x.org")
    )
    merge = reading(header.replace("A08", "A40") + "\rPID|1||p-1\rMRG|p-2^^^HOSPITAL^MR")
    assert merge == PatientNews(PatientReading("p-1", ""), merged="p-2")


@pytest.mark.parametrize(
    ("file", "state"),
    [
        ("SIU-S12-01", "booked"),
        ("SIU-S13-01", "booked"),
        ("SIU-S14-01", "booked"),
        ("SIU-S15-01", "cancelled"),
        ("SIU-S16-01", "cancelled"),
        ("SIU-S17-01", "cancelled"),
        ("SIU-S26-01", "no-show"),
    ],
)
def test_sample_appointments_of_others_are_read(file: str, state: str) -> None:
    (path,) = peers("hl7v2-microsoft", f"{file}.hl7")
    read = appointment(decoded(path.read_bytes())[0])
    assert (read.status, read.ids, read.location, read.room[:4], read.team) == (
        state,
        ("36996", "12345"),
        "055",
        "Room",
        ("1210",),
    )
    if state == "booked":
        assert read.starts_at == datetime(2021, 9, 24, 7, 15, tzinfo=UTC)
        assert read.ends_at == datetime(2021, 9, 24, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("file", "codes", "referrer"),
    [
        ("REF-I12-01", ("O", "22310-7", "76164006", "Med", "K63.3"), "ROBERT POWELL"),
        ("REF-I12-02", ("O", "22310-7", "SCAN", "76164006", "Med", "K63.3"), "ROBERT POWELL"),
        ("ORM-O01-03", ("24725-4",), "JONES A ORDPROVIDER"),
    ],
)
def test_sample_referrals_of_others_are_read(file: str, codes: tuple[str, ...], referrer: str) -> None:
    (path,) = peers("hl7v2-microsoft", f"{file}.hl7")
    value = reading(decoded(path.read_bytes())[0])
    assert isinstance(value, tuple)
    assert (value[0].codes, value[0].referrer, value[0].patient.name[:4]) == (codes, referrer, "ADAM")


LINES = st.lists(
    st.builds(
        "{}|{}".format,
        st.sampled_from(["SCH", "TQ1", "PID", "AIS", "AIL", "AIP", "RF1", "PRD", "ORC", "OBR", "MRG"]),
        st.text(alphabet='|^~\\&0123456789+-aZ"\u00e9', max_size=60),
    ),
    max_size=6,
)


@given(st.sampled_from(["SIU^S12", "SIU^S14", "REF^I12", "ORM^O01", "ADT^A08", "ADT^A40"]), LINES)
def test_any_message_is_read_or_refused(kind: str, lines: list[str]) -> None:
    text = "\r".join((f"MSH|^~\\&|||||||{kind}|1|P|2.5", *lines))
    try:
        value = reading(text)
    except UnreadableMessage as error:
        assert error.refusal.place in str(error)
    else:
        assert value is not None


def test_nine_in_new_york_is_the_start_of_the_samples_made_here() -> None:
    assert appointment(siu(start="20261130090000")).starts_at == NINE
