"""The service beside a mail server: it sends by itself what is to be told, and takes in what is answered."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from time import monotonic, sleep
from typing import Any

from sqlmodel import select
from support.mailserver import Listening, fill_outbox, free_port
from support.processes import served

from api.runtime.settings import Settings
from api.store.database import Database
from api.store.tables import InvitationRow

PATIENCE_SECONDS = 60


def invitation(database: Database, patient: str) -> InvitationRow:
    with database.reading() as session:
        return session.exec(select(InvitationRow).where(InvitationRow.patient_id == patient)).one()


def answer_to(invite: EmailMessage) -> bytes:
    """Return the answer that a calendar program sends to an invite."""
    (calendar,) = [part.get_content() for part in invite.walk() if part.get_content_type() == "text/calendar"]
    text = calendar if isinstance(calendar, str) else calendar.decode()
    lines = text.replace("\r\n ", "").splitlines()
    uid = next(line for line in lines if line.startswith("UID:"))
    stamp = next(line for line in lines if line.startswith("DTSTAMP:"))
    attendee = f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{invite['To']}"
    reply = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "METHOD:REPLY", "BEGIN:VEVENT", uid, stamp, attendee)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = str(invite["To"]), str(invite["From"]), "yes"
    content = "\r\n".join([*reply, "END:VEVENT", "END:VCALENDAR", ""]).encode()
    message.set_content(content, "text", "calendar", params={"method": "REPLY"})
    return message.as_bytes()


def test_the_service_tells_patients_and_hears_their_answers(mail_settings: Settings, listening: Listening) -> None:
    url, port = mail_settings.database_url, free_port()
    database = Database(url)
    addresses = fill_outbox(database, 3)
    mail: dict[str, Any] = {"mail_hold_seconds": 0, "smtp_host": "127.0.0.1", "smtp_port": listening.port, "smtp_tls": "none"}
    with served(url, **mail, mail_from=mail_settings.mail_from, lmtp_port=port):
        listening.server.until(3)
        assert sorted(listening.server.counts().elements()) == sorted(addresses)
        (invite,) = [message for message in listening.server.messages() if message["To"] == addresses[0]]
        with smtplib.LMTP("127.0.0.1", port) as client:
            assert client.sendmail(addresses[0], mail_settings.mail_from, answer_to(invite)) == {}
        assert invitation(database, "p-000").participation == "accepted"
        end = monotonic() + PATIENCE_SECONDS
        while any(invitation(database, name).told is None for name in ("p-001", "p-002")):
            assert monotonic() < end
            sleep(0.05)
    database.close()
