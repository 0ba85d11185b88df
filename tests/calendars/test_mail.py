"""Invites as mail."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from calendars.appointments import Appointment
from calendars.invites import Invitation, InviteMessage, make_message, make_scheduling_object
from calendars.mail import make_mail, make_subject
from calendars.mailbox import Mailbox

NOW = datetime(2026, 11, 20, 7, 30, 12, tzinfo=UTC)
START = datetime(2026, 12, 1, 14, 15, tzinfo=UTC)
CLINIC = Mailbox("appointments@clinic.example", "Center for Pain Medicine")


def appointment(**others: str) -> Appointment:
    texts = {"building": "Wang", "clinic": "Center for Pain Medicine", "companion": "Bring an adult."} | others
    return Appointment(
        starts_at=START,
        ends_at=START + timedelta(minutes=30),
        building=texts["building"],
        within="Suite 340",
        address="15 Parkman Street",
        arrive_minutes=30,
        arrive_text=None,
        bring=("A list.",),
        companion=texts["companion"],
        hold=("No solid food.",),
        recovery_minutes=0,
        timezone="America/New_York",
        clinic=texts["clinic"],
        phone="617-726-8810",
    )


def request(name: str = "Ada Quillfeather", address: str = "ada@example.org", told: Appointment | None = None) -> InviteMessage:
    message = make_message(
        Invitation("u1@clinic", Mailbox(address, name), 0 if told else -1, None, None), told or appointment(), NOW
    )
    assert message is not None
    return message


def cancellation() -> InviteMessage:
    message = make_message(Invitation("u1@clinic", Mailbox("ada@example.org"), 4, NOW, appointment()), None, NOW)
    assert message is not None
    return message


def parsed(message: InviteMessage, organizer: Mailbox = CLINIC) -> EmailMessage:
    return message_from_bytes(make_mail(message, organizer), policy=policy.default)


@pytest.mark.parametrize("message", [request(), cancellation()])
def test_the_parts_stand_in_the_order_that_mail_programs_expect(message: InviteMessage) -> None:
    mail = parsed(message)
    types = [part.get_content_type() for part in mail.walk()]
    assert types == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics"]
    calendar, attached = [part for part in mail.walk() if part.get_content_type() in ("text/calendar", "application/ics")]
    assert calendar.get_param("method") == message.method
    assert calendar.get_content_charset() == "utf-8"
    assert {part["Content-Transfer-Encoding"] for part in mail.walk() if not part.is_multipart()} == {"base64"}
    content = calendar.get_payload(decode=True)
    assert content == attached.get_payload(decode=True) == make_scheduling_object(message, CLINIC)
    assert Calendar.from_ical(content)["METHOD"] == message.method
    assert attached.get_filename() == ("invite.ics" if message.method == "REQUEST" else "cancel.ics")


def test_the_headers_are_those_of_a_message_that_a_person_is_sent() -> None:
    mail = parsed(request())
    assert set(mail.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
    assert (mail["From"].addresses[0].addr_spec, mail["To"].addresses[0].addr_spec) == (CLINIC.address, "ada@example.org")
    assert mail["Date"].datetime == NOW
    assert "Auto-Submitted" not in mail


def test_the_line_ends_and_lengths_are_those_of_smtp() -> None:
    content = make_mail(request(name="Ü" * 150), CLINIC)
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()


def test_the_same_message_is_the_same_mail_and_has_an_id_of_its_own() -> None:
    assert make_mail(request(), CLINIC) == make_mail(request(), CLINIC)
    others = [request(), cancellation(), request(address="bela@example.org"), request(told=appointment())]
    identifiers = {str(parsed(message)["Message-ID"]) for message in others}
    assert len(identifiers) == len(others)
    assert all(re.fullmatch(r"<[0-9a-f]{32}\.\d+@clinic\.example>", identifier) for identifier in identifiers)


def test_the_subject_says_what_has_happened_and_no_clinical_word() -> None:
    told = appointment(clinic="Opioid and Cancer Center for Pain Medicine")
    assert make_subject(request(told=told)) == "Appointment: Tuesday, December 1, 2026, 9:15 AM, and Center for Pain Medicine"
    assert make_subject(cancellation()).startswith("Cancelled appointment: ")
    known = Invitation("u1", Mailbox("a@b"), 0, NOW, appointment())
    changed = make_message(known, appointment(companion="Come alone."), NOW)
    assert changed is not None
    assert make_subject(changed).startswith("Changed appointment: ")


def test_a_person_can_read_it_without_a_calendar() -> None:
    plain, html = (
        part.get_content()
        for part in parsed(request()).walk()
        if part.get_content_maintype() == "text" and part.get_content_subtype() != "calendar"
    )
    for part in (
        "You have an appointment on Tuesday, December 1, 2026, 9:15 AM.",
        "Where: Wang, Suite 340",
        "No solid food.",
        "617",
    ):
        assert part in plain
        assert part in html


def test_html_is_escaped() -> None:
    told = appointment(building="<script>alert(1)</script> & Sons", companion='"<img src=x>"')
    (html,) = (part.get_content() for part in parsed(request(told=told)).walk() if part.get_content_type() == "text/html")
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Sons" in html


EVIL = st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.sampled_from(
    [
        "x\r\nBcc: evil@example.org",
        "x\nSubject: y",
        'a" <evil@example.org>, "b',
        "=?utf-8?q?=0d=0aBcc:_x?=",
        "\u2028Bcc: x",
        "é" * 300,
        "," * 90,
    ]
)


@settings(max_examples=150, deadline=None)
@given(name=EVIL, building=EVIL, clinic=EVIL)
def test_no_name_adds_a_header_a_recipient_or_a_line_of_the_calendar(name: str, building: str, clinic: str) -> None:
    message = request(name=name, told=appointment(building=building, clinic=clinic))
    content = make_mail(message, Mailbox(CLINIC.address, clinic))
    head = content.partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    names = [line.partition(b":")[0].decode() for line in lines if not line.startswith((b" ", b"\t"))]
    assert names == ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    mail = message_from_bytes(content, policy=policy.default)
    assert [address.addr_spec for address in mail["To"].addresses] == ["ada@example.org"]
    assert [address.addr_spec for address in mail["From"].addresses] == [CLINIC.address]
    (event,) = Calendar.from_ical(make_scheduling_object(message, CLINIC)).walk("VEVENT")
    assert event["ATTENDEE"] == "mailto:ada@example.org"


@settings(max_examples=150, deadline=None)
@given(name=st.text(st.characters(categories=["L", "N", "Zs"]) | st.sampled_from("'-.,\"()<>@;:\\"), min_size=1, max_size=120))
def test_a_name_of_any_script_and_length_arrives_as_it_was(name: str) -> None:
    mailbox = Mailbox("ada@example.org", name)
    source = message_from_bytes(make_mail(request(name=name), CLINIC))["To"]
    words, _, address = source.rpartition(" ")
    found = str(make_header(decode_header(words.replace("\r\n", "").strip()))).strip('"')
    assert (found, address) == (mailbox.name.strip('"') or "", "<ada@example.org>")
