"""What patients write reaches a person: in exactly one task, with the patient and the visit, sealed, and for a while."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlmodel import select
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk
from support.outbox import give_addresses, send_all
from support.stored import NOW, StoredWeek

from api.services.bookings.replies import receive_mail
from api.services.messages.letters import delete_old_words
from api.services.messages.notifications import notify_changes
from api.store import audit
from api.store.queries.messages import Claimed
from api.store.tables import TaskRow

MARKER = "zebra-1742"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a published week: pat has one visit, quin two; rae none."""
    week = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "quin"), visit("v-4", "rae"))
    with front_desk(sqlite_url, week, None) as desk:
        give_addresses(desk.context.database, NOW, "pat", "quin", "rae")
        booked = (booking("v-1", "TU 09:00"), booking("v-2", "TU 10:00", "wang-exam-2", "dee"), booking("v-3", "WE 10:00"))
        with desk.context.database.writing() as rows:
            published = StoredWeek(desk.context.database, week).published_in(rows, factories.plan(week, *booked))
            notify_changes(rows, published.changes, NOW)
        yield desk


@pytest.fixture
def sent(desk: FrontDesk) -> dict[str, Claimed]:
    """Return what was sent, by visit."""
    return {claimed.booking.subject_id: claimed for claimed in send_all(desk.context.database, desk.clock())}


def letter(sender: str = "pat", words: str = MARKER, identifier: str = "<1@patients.example>", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = f"{sender}@patients.example", "clinic@clinic.example", identifier
    mail["Subject"] = headers.pop("subject", "Tuesday")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(f"I cannot come, please call me. {words}\n> you have an appointment\n")
    return mail


def answer(
    uid: str, partstat: str, *lines: str, patient: str = "pat", method: str = "REPLY", hours: int = 1, text: str = ""
) -> Any:
    """Write an answer by mail, as a calendar program does."""
    calendar = "\r\n".join(
        (
            *("BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT", f"UID:{uid}"),
            *(f"DTSTAMP:{NOW + timedelta(hours=hours):%Y%m%dT%H%M%SZ}", *lines),
            *(f"ATTENDEE;PARTSTAT={partstat}:mailto:{patient}@patients.example", "END:VEVENT", "END:VCALENDAR", ""),
        )
    )
    mail = EmailMessage()
    mail["From"], mail["Subject"] = f"{patient}@patients.example", f"{partstat.title()}: Appointment"
    mail["Message-ID"] = f"<{hours}.{partstat}@patients.example>"
    mail.set_content(text)
    mail.add_attachment(calendar.encode(), "text", "calendar", params={"method": method, "charset": "utf-8"}, cte="base64")
    return mail


def bounce(*fields: str, original: str = "", action: str = "failed", kind: str = "delivery-status") -> bytes:
    status = "\r\n".join(("Reporting-MTA: dns; mx.example", "", f"Action: {action}", "Status: 5.1.1", *fields, ""))
    parts = ["Content-Type: text/plain\r\n\r\nSorry.\r\n", f"Content-Type: message/{kind}\r\n\r\n{status}"]
    if original:
        parts.append(f"Content-Type: text/rfc822-headers\r\n\r\n{original}\r\n")
    head = "From: MAILER-DAEMON@mx.example\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <b@mx.example>\r\n"
    head += f"Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n"
    return (head + "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n").encode()


def take(desk: FrontDesk, mail: EmailMessage | bytes) -> list[tuple[str, str]]:
    content = mail if isinstance(mail, bytes) else mail.as_bytes()
    return [(outcome.subject, outcome.outcome) for outcome in receive_mail(desk.context, content)]


def tasks(desk: FrontDesk) -> list[dict[str, Any]]:
    return list(desk.ask("GET", "/v1/tasks").json()["items"])


def the_task(desk: FrontDesk) -> dict[str, Any]:
    (task,) = tasks(desk)
    assert desk.ask("GET", f"/v1/tasks/{task['id']}").json() == task
    return task


def test_words_without_a_calendar_name_their_patient_and_the_only_visit_ahead(desk: FrontDesk) -> None:
    assert take(desk, letter()) == [("v-1", "no-calendar")]
    task = the_task(desk)
    assert (task["subject"], task["detail"]["patient"], task["detail"]["reason"]) == ("v-1", "pat", "no-calendar")
    assert task["words"].startswith("Tuesday") and MARKER in task["words"] and "you have an appointment" not in task["words"]


def test_of_several_visits_that_of_the_message_that_is_answered_is_meant(desk: FrontDesk, sent: dict[str, Claimed]) -> None:
    reference = f"<{sent['v-3'].message.reference}@clinic.example>"
    assert take(desk, letter("quin", In_Reply_To=reference)) == [("v-3", "no-calendar")]
    assert take(desk, letter("quin", identifier="<2@x>")) == [("quin", "no-calendar")]
    assert {task["subject"]: task["detail"].get("visits") for task in tasks(desk)} == {"v-3": None, "quin": ["v-2", "v-3"]}


@pytest.mark.parametrize(("sender", "subject"), [("rae", "rae"), ("nobody", ""), ("PAT", "v-1")])
def test_words_of_others_are_kept_too(desk: FrontDesk, sender: str, subject: str) -> None:
    take(desk, letter(sender))
    assert (the_task(desk)["subject"], MARKER in the_task(desk)["words"]) == (subject, True)


@pytest.mark.parametrize("times", [2, 20])
def test_a_mail_that_is_delivered_again_is_one_task_also_once_that_is_done(desk: FrontDesk, times: int) -> None:
    """As after a server that was ended between the task and its answer to the mail server."""
    for _ in range(times):
        take(desk, letter())
    task = the_task(desk)
    etag = desk.ask("GET", f"/v1/tasks/{task['id']}").headers["etag"]
    desk.ask("PUT", f"/v1/tasks/{task['id']}/done", **{"If-Match": etag})
    take(desk, letter())
    assert tasks(desk) == []


@pytest.mark.parametrize(
    ("lines", "text", "expected"),
    [
        ((f"COMMENT:I need a ramp\\, {MARKER}",), "", f"I need a ramp, {MARKER}"),
        ((f"X-RESPONSE-COMMENT:{MARKER}",), "", MARKER),
        ((), f"I need a ramp {MARKER}", f"I need a ramp {MARKER}"),
        ((f"COMMENT:{MARKER}",), MARKER, MARKER),
        ((f"COMMENT:{MARKER}",), "Pat has accepted this invitation.\nhttps://calendar.google.com/x", MARKER),
    ],
)
@pytest.mark.parametrize(
    ("partstat", "kind"), [("ACCEPTED", "answer-comment"), ("TENTATIVE", "answer-comment"), ("DECLINED", "answer-declined")]
)
def test_words_beside_an_answer_are_in_one_task(
    desk: FrontDesk, sent: dict[str, Claimed], lines: tuple[str, ...], text: str, expected: str, partstat: str, kind: str
) -> None:
    mail = answer(sent["v-1"].invitation.uid, partstat, *lines, text=text)
    take(desk, mail)
    take(desk, mail)
    task = the_task(desk)
    assert (task["kind"], task["subject"], task["detail"]["patient"], task["words"]) == (kind, "v-1", "pat", expected)


@pytest.mark.parametrize("text", ["", "Pat has accepted your invitation to the event.\n", "Accepted: Appointment\n\n"])
def test_an_answer_without_words_is_no_task(desk: FrontDesk, sent: dict[str, Claimed], text: str) -> None:
    take(desk, answer(sent["v-1"].invitation.uid, "ACCEPTED", text=text))
    assert tasks(desk) == []


def test_a_counter_proposal_tells_the_time_and_the_words(desk: FrontDesk, sent: dict[str, Claimed]) -> None:
    lines = ("DTSTART:20261202T110000", "DTEND;TZID=Europe/Berlin:20261202T180000", f"COMMENT:{MARKER}")
    assert take(desk, answer(sent["v-1"].invitation.uid, "TENTATIVE", *lines, method="COUNTER")) == [
        ("v-1", "counter-proposal")
    ]
    task = the_task(desk)
    times = {"start": "2026-12-02T16:15:00+00:00", "end": "2026-12-02T17:00:00+00:00"}
    assert task["detail"]["proposed"] == times, "the invite begins a quarter of an hour before the appointment"
    assert (task["words"], task["detail"]["patient"]) == (MARKER, "pat")


def undelivered(desk: FrontDesk, visit_id: str) -> str | None:
    shown = desk.booking(visit_id)
    assert shown is not None
    reason: str | None = shown["undelivered"]
    return reason


@pytest.mark.parametrize(
    "named", ["Final-Recipient: rfc822; Pat@patients.example", "Original-Recipient: rfc822;pat@patients.example"]
)
def test_a_bounce_names_patient_and_visit_by_the_recipient(desk: FrontDesk, sent: dict[str, Claimed], named: str) -> None:
    assert undelivered(desk, "v-1") is None
    assert take(desk, bounce(named)) == [("v-1", "undelivered")]
    task = the_task(desk)
    assert (task["detail"]["patient"], task["detail"]["status"], task["words"]) == ("pat", "5.1.1", None)
    assert undelivered(desk, "v-1") == "it came back (5.1.1)"
    assert undelivered(desk, "v-2") is None


def test_a_bounce_names_the_visit_by_our_message_id(desk: FrontDesk, sent: dict[str, Claimed]) -> None:
    original = f"Subject: x\r\nMessage-ID: <{sent['v-2'].message.reference}@clinic.example>"
    assert take(desk, bounce("Final-Recipient: rfc822; forwarded@elsewhere.example", original=original)) == [
        ("v-2", "undelivered")
    ]
    assert (undelivered(desk, "v-2"), undelivered(desk, "v-3")) == ("it came back (5.1.1)", None)
    assert take(desk, bounce("Final-Recipient: rfc822; forwarded@elsewhere.example", original=original)) == [
        ("v-2", "undelivered")
    ]
    assert len(tasks(desk)) == 1


@pytest.mark.parametrize(
    "mail",
    [
        letter(Auto_Submitted="auto-replied"),
        letter(Precedence="bulk"),
        letter(Precedence="auto_reply"),
        letter(X_Auto_Response_Suppress="All"),
        letter(X_Auto_Response_Suppress="DR, OOF, AutoReply"),
        letter(X_Autoreply="yes"),
        bounce("Final-Recipient: rfc822; pat@patients.example", action="delayed"),
        bounce("Final-Recipient: rfc822; pat@patients.example", action="delivered"),
        bounce("Final-Recipient: rfc822; pat@patients.example", kind="disposition-notification"),
    ],
)
def test_what_nobody_has_written_is_quiet(desk: FrontDesk, sent: dict[str, Claimed], mail: EmailMessage | bytes) -> None:
    assert take(desk, mail) == [("", "automatic")]
    assert (tasks(desk), undelivered(desk, "v-1")) == ([], None)


@pytest.mark.parametrize(
    ("attendees", "outcome"),
    [
        (("ACCEPTED", "ACCEPTED"), "accepted"),
        (("ACCEPTED", "DECLINED"), "several-attendees"),
        ((), "no-attendee"),
    ],
)
def test_an_attendee_twice_is_one_and_none_is_said_to_be_none(
    desk: FrontDesk, sent: dict[str, Claimed], attendees: tuple[str, ...], outcome: str
) -> None:
    calendar = answer(sent["v-1"].invitation.uid, "X").get_payload()[1].get_payload(decode=True).decode()
    lines = "".join(f"ATTENDEE;PARTSTAT={each}:mailto:pat@patients.example\r\n" for each in attendees)
    calendar = calendar.replace("ATTENDEE;PARTSTAT=X:mailto:pat@patients.example\r\n", lines)
    content = f"From: pat@patients.example\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n{calendar}".encode()
    assert take(desk, content) == [("v-1", outcome)]


def test_words_are_sealed_in_the_store_and_in_no_log_and_no_audit(desk: FrontDesk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        take(desk, letter())
        tasks(desk)
    with desk.context.database.reading() as rows:
        kept = str([row.model_dump() for row in rows.exec(select(TaskRow))])
        written = str([row.model_dump() for row in audit.list_entries(rows, count=1000)])
    assert MARKER not in kept + written + caplog.text
    assert "tasks.read" in written


def test_words_are_forgotten_a_while_after_the_task_is_done_and_not_before(desk: FrontDesk) -> None:
    take(desk, letter())
    task = the_task(desk)
    etag = desk.ask("GET", f"/v1/tasks/{task['id']}").headers["etag"]
    desk.ask("PUT", f"/v1/tasks/{task['id']}/done", **{"If-Match": etag})
    take(desk, letter("quin", identifier="<2@x>"))
    assert delete_old_words(desk.context) == 0
    desk.clock.pass_by(days=desk.context.settings.words_days + 1)
    assert delete_old_words(desk.context) == 1
    with desk.context.database.reading() as rows:
        assert [row.words is None for row in rows.exec(select(TaskRow)) if row.done_at is not None] == [True]
        assert [row.words is None for row in rows.exec(select(TaskRow)) if row.done_at is None] == [False]


def test_a_mail_that_cannot_be_taken_apart_is_kept(desk: FrontDesk) -> None:
    take(desk, f"From: pat@patients.example\r\nX: {MARKER}\r\n".encode() + b"X: y\r\n" * 60_000)
    assert MARKER in the_task(desk)["words"]
