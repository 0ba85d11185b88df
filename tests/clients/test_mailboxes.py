"""Invites travel from the outbox by a real mail server into real mailboxes, and answers come back the same way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP

from clients.clinic import CLINIC, Clinic, instant
from clients.installed import Installed
from clients.waiting import PATIENCE_SECONDS
from clients.xandikos import Xandikos
from icalendar import Calendar, Event
from support.outbox import address_of


def invited(message: bytes) -> tuple[str, Event]:
    """Return the method and the event of an invite."""
    mail = message_from_bytes(message, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    assert part.get_param("method") == calendar["METHOD"]
    return str(calendar["METHOD"]), calendar.events[0]


LEAD = timedelta(minutes=15)
"""How long before the start of a followup its patient is to arrive."""


def arrival(clock: str) -> datetime:
    """Return when the patient of an appointment at a clock time of the day is to arrive."""
    return datetime.fromtimestamp(instant(clock), UTC) - LEAD


def test_request_update_and_cancellation_arrive_once_each_and_in_order(clinic: Clinic, patient: str) -> None:
    visit, address = f"{patient}-first", address_of(patient)
    clinic.book(visit, "09:10")
    clinic.mail.message(address, 1)
    clinic.move(visit, "10:20")
    clinic.mail.message(address, 2)
    clinic.cancel(visit)
    clinic.mail.message(address, 3)
    found = [invited(message) for message in clinic.mail.messages(address)]
    assert [(method, event["SEQUENCE"], event.start) for method, event in found] == [
        ("REQUEST", 0, arrival("09:10")),
        ("REQUEST", 1, arrival("10:20")),
        ("CANCEL", 2, arrival("10:20")),
    ]
    assert len({event["UID"] for _, event in found}) == 1
    assert [event["STATUS"] for _, event in found] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]


def test_xandikos_takes_request_update_and_cancellation_from_the_mail(
    clinic: Clinic, patient: str, tmp_path: Path, installed: Installed
) -> None:
    visit, address = f"{patient}-first", address_of(patient)
    calendar = Xandikos(installed, tmp_path)

    def shown() -> tuple[datetime, str]:
        (content,) = calendar.calendar()
        event = Calendar.from_ical(content).events[0]
        return event.start, str(event["STATUS"])

    clinic.book(visit, "09:10")
    calendar.take_in(clinic.mail.message(address, 1))
    assert shown() == (arrival("09:10"), "CONFIRMED")
    clinic.move(visit, "10:20")
    calendar.take_in(clinic.mail.message(address, 2))
    assert shown() == (arrival("10:20"), "CONFIRMED")
    clinic.cancel(visit)
    calendar.take_in(clinic.mail.message(address, 3))
    assert shown()[1] == "CANCELLED"


def test_an_answer_of_another_sender_does_not_count(clinic: Clinic, patient: str) -> None:
    visit, address = f"{patient}-first", address_of(patient)
    clinic.book(visit, "09:10")
    _, event = invited(clinic.mail.message(address, 1))
    _answer(clinic, "somebody@patients.example", address, event, "DECLINED")
    _answer(clinic, address, address, event, "TENTATIVE")
    clinic.await_answer(visit, "tentative")
    (task,) = clinic.ask("GET", "/v1/tasks").json()["items"]
    assert (task["subject"], task["detail"]["reason"]) == (visit, "other-sender")


def _answer(clinic: Clinic, sender: str, attendee: str, event: Event, answer: str) -> None:
    """Answer an invite by mail."""
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tests//Tests//EN", "METHOD:REPLY", "BEGIN:VEVENT"),
        *(f"UID:{event['UID']}", f"DTSTAMP:{datetime.now(UTC):%Y%m%dT%H%M%SZ}"),
        *(f"ATTENDEE;PARTSTAT={answer}:mailto:{attendee}", "END:VEVENT", "END:VCALENDAR", ""),
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, CLINIC, answer.title()
    mail.set_content("\r\n".join(lines).encode(), "text", "calendar", params={"method": "REPLY"})
    with SMTP("localhost", clinic.mail.smtp_port, timeout=PATIENCE_SECONDS) as server:
        server.send_message(mail)
