"""What patients answer is noted once, by the newest answer; all that is no plain answer is a task, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from support import factories
from support.factories import booking, group, session, visit
from support.frontdesk import FrontDesk, front_desk
from support.outbox import give_addresses, send_all
from support.stored import NOW, StoredWeek

from api.services.messages.notifications import notify_changes
from api.store import audit
from scheduling.scenario import Scenario


@pytest.fixture
def week() -> Scenario:
    return factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"), group("coping", "quin", "sol"))


@pytest.fixture
def desk(sqlite_url: str, week: Scenario) -> Iterator[FrontDesk]:
    """Return a published week of which everybody has been told; v-3 waits."""
    with front_desk(sqlite_url, week, None) as desk:
        give_addresses(desk.context.database, NOW, "pat", "quin", "rae", "sol")
        made = factories.plan(
            week,
            booking("v-1", "TU 09:00"),
            booking("v-2", "TU 10:00", "wang-exam-2", "dee"),
            session("coping", "TH 09:00", "quin sol"),
        )
        with desk.context.database.writing() as rows:
            published = StoredWeek(desk.context.database, week).published_in(rows, made)
            notify_changes(rows, published.changes, NOW)
        yield desk


@pytest.fixture
def uids(desk: FrontDesk) -> dict[tuple[str, str], str]:
    """Return the UIDs of what was sent, by subject and patient."""
    sent = send_all(desk.context.database, desk.clock())
    return {(one.booking.subject_id, one.invitation.patient_id): one.invitation.uid for one in sent}


def reply(
    uid: str, patient: str, answer: str, at: datetime = NOW + timedelta(hours=1), method: str = "REPLY", *more: str
) -> str:
    """Write an answer as a calendar program does."""
    lines = (
        *("BEGIN:VCALENDAR", "PRODID:-//Somebody//Calendar//EN", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT"),
        *(f"UID:{uid}", f"DTSTAMP:{at:%Y%m%dT%H%M%SZ}", "DTSTART:20261201T140000Z", "SUMMARY:Appointment", *more),
        *(f"ATTENDEE;PARTSTAT={answer}:mailto:{patient}@patients.example", "END:VEVENT", "END:VCALENDAR", ""),
    )
    return "\r\n".join(lines)


def hand_in(desk: FrontDesk, content: str | bytes, kind: str = "text/calendar") -> Any:
    answer = desk.client.post("/v1/answers", content=content, headers=desk.scheduler | {"content-type": kind})
    assert answer.status_code == 200, answer.text
    return [(one["subject"], one["outcome"]) for one in answer.json()["items"]]


def answers(desk: FrontDesk) -> dict[tuple[str, str], str]:
    found = desk.ask("GET", "/v1/scenarios/test-week/answers").json()["items"]
    return {(one["subject"], one["patient"]): one["participation"] for one in found if one["participation"] != "needs-action"}


def tasks(desk: FrontDesk) -> list[dict[str, Any]]:
    return list(desk.ask("GET", "/v1/tasks").json()["items"])


@pytest.mark.parametrize("answer", ["ACCEPTED", "TENTATIVE"])
def test_an_answer_appears_on_the_visit(desk: FrontDesk, uids: dict[Any, str], answer: str) -> None:
    before = desk.booking("v-1")
    assert before is not None and before["participation"] == "needs-action"
    assert hand_in(desk, reply(uids["v-1", "pat"], "pat", answer)) == [("v-1", answer.lower())]
    assert desk.booking("v-1") == before | {"participation": answer.lower(), "version": before["version"] + 1}
    assert (answers(desk), tasks(desk)) == ({("v-1", "pat"): answer.lower()}, [])


def test_who_declines_keeps_the_place_and_opens_the_way_for_others(desk: FrontDesk, uids: dict[Any, str]) -> None:
    before = desk.booking("v-1")
    hand_in(desk, reply(uids["v-1", "pat"], "pat", "DECLINED"))
    assert before is not None and desk.booking("v-1") == before | {"participation": "declined", "version": 2}
    (task,) = tasks(desk)
    assert (task["kind"], task["subject"], task["detail"]["patient"]) == ("answer-declined", "v-1", "pat")
    assert task["detail"]["candidates"] == ["v-3"]
    assert desk.cancel("v-1").status_code == 200
    freed = {**task["detail"]["freed"], "hold_minutes": 60}
    kept = desk.ask("POST", f"/v1/scenarios/{task['detail']['scenario']}/freed-places", freed)
    assert (kept.status_code, kept.json()["visit"]) == (201, "v-3")


def test_a_task_is_done_once(desk: FrontDesk, uids: dict[Any, str]) -> None:
    hand_in(desk, reply(uids["v-1", "pat"], "pat", "DECLINED"))
    (task,) = tasks(desk)
    path = f"/v1/tasks/{task['id']}"
    shown = desk.ask("GET", path)
    assert shown.json() == task
    version = {"If-Match": shown.headers["etag"]}
    assert desk.ask("PUT", f"{path}/done").status_code == 428
    done = desk.ask("PUT", f"{path}/done", **version)
    assert done.status_code == 200 and done.json()["done_by"] is not None
    assert tasks(desk) == []
    assert [one["id"] for one in desk.ask("GET", "/v1/tasks?done=true").json()["items"]] == [task["id"]]
    assert desk.ask("PUT", f"{path}/done", **{"If-Match": done.headers["etag"]}).status_code == 409


def test_the_newest_answer_holds_and_twice_is_as_once(desk: FrontDesk, uids: dict[Any, str]) -> None:
    first = reply(uids["v-1", "pat"], "pat", "DECLINED", NOW + timedelta(hours=1))
    second = reply(uids["v-1", "pat"], "pat", "ACCEPTED", NOW + timedelta(hours=2))
    assert hand_in(desk, second) == [("v-1", "accepted")]
    assert [hand_in(desk, one) for one in (second, first)] == [[("v-1", "repeated")], [("v-1", "older")]]
    assert (answers(desk), tasks(desk)) == ({("v-1", "pat"): "accepted"}, [])


def test_an_answer_of_the_far_future_does_not_outdo_those_that_come_later(desk: FrontDesk, uids: dict[Any, str]) -> None:
    ahead = reply(uids["v-1", "pat"], "pat", "DECLINED", NOW + timedelta(days=9000))
    assert hand_in(desk, ahead) == [("v-1", "dated-ahead")]
    assert hand_in(desk, reply(uids["v-1", "pat"], "pat", "ACCEPTED")) == [("v-1", "accepted")]
    assert hand_in(desk, ahead) == [("v-1", "dated-ahead")]
    assert answers(desk) == {("v-1", "pat"): "accepted"}


def test_of_a_group_each_answers_for_themselves(desk: FrontDesk, uids: dict[Any, str]) -> None:
    hand_in(desk, reply(uids["coping", "quin"], "quin", "ACCEPTED"))
    hand_in(desk, reply(uids["coping", "sol"], "sol", "DECLINED"))
    assert answers(desk) == {("coping", "quin"): "accepted", ("coping", "sol"): "declined"}
    (task,) = tasks(desk)
    assert (task["subject_kind"], task["subject"], task["detail"]["patient"]) == ("group", "coping", "sol")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda uid: reply("nobody@elsewhere", "pat", "ACCEPTED"), "unknown-event"),
        (lambda uid: reply(uid, "quin", "ACCEPTED"), "other-attendee"),
        (lambda uid: reply(uid, "pat", "ACCEPTED", NOW, "COUNTER"), "counter-proposal"),
        (lambda uid: reply(uid, "pat", "ACCEPTED", NOW, "REPLY", "RECURRENCE-ID:20261201T140000Z"), "one-occurrence"),
        (lambda uid: reply(uid, "pat", "DELEGATED"), "delegated"),
        (lambda uid: reply(uid, "pat", "ACCEPTED", NOW + timedelta(days=9)), "dated-ahead"),
        (lambda uid: "no calendar at all", "unreadable"),
    ],
)
def test_what_is_no_plain_answer_is_a_task_and_changes_nothing(
    desk: FrontDesk, uids: dict[Any, str], content: Any, reason: str
) -> None:
    before = desk.booking("v-1")
    ((_, outcome),) = hand_in(desk, content(uids["v-1", "pat"]))
    (task,) = tasks(desk)
    assert (outcome, task["kind"], task["detail"]["reason"]) == (reason, "answer-unclear", reason)
    assert (desk.booking("v-1"), answers(desk)) == (before, {})


def mail(sender: str, calendar: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "appointments@clinic.example", "Accepted"
    message["Message-ID"] = "<1@patients.example>"
    message.set_content("yes")
    message.add_attachment(calendar.encode(), "text", "calendar", params={"method": "REPLY", "charset": "utf-8"}, cte="base64")
    return message.as_bytes()


def test_an_answer_by_mail_is_taken_from_its_patient_alone(desk: FrontDesk, uids: dict[Any, str]) -> None:
    answer = reply(uids["v-1", "pat"], "pat", "ACCEPTED")
    assert hand_in(desk, mail("Mallory <mallory@elsewhere.example>", answer), "message/rfc822") == [("v-1", "other-sender")]
    assert (answers(desk), len(tasks(desk))) == ({}, 1)
    assert "mallory" not in str(tasks(desk))
    assert hand_in(desk, mail("Pat <Pat@Patients.example>", answer), "message/rfc822") == [("v-1", "accepted")]


def test_after_a_move_the_answer_is_asked_for_again(desk: FrontDesk, uids: dict[Any, str]) -> None:
    hand_in(desk, reply(uids["v-1", "pat"], "pat", "ACCEPTED"))
    assert desk.move("v-1", "TU 13:00").status_code == 200
    desk.clock.pass_by(hours=3)
    send_all(desk.context.database, desk.clock())
    moved = desk.booking("v-1")
    assert moved is not None and moved["participation"] == "needs-action"
    late = reply(uids["v-1", "pat"], "pat", "ACCEPTED", NOW + timedelta(hours=2), "REPLY", "SEQUENCE:0")
    assert hand_in(desk, late) == [("v-1", "about-an-earlier-invite")]
    assert answers(desk) == {}


def test_after_a_cancellation_nothing_is_answered(desk: FrontDesk, uids: dict[Any, str]) -> None:
    desk.cancel("v-1")
    send_all(desk.context.database, desk.clock())
    assert hand_in(desk, reply(uids["v-1", "pat"], "pat", "ACCEPTED")) == [("v-1", "ended-event")]


def test_an_answer_is_audited_and_only_a_calendar_or_a_mail_is_taken(desk: FrontDesk, uids: dict[Any, str]) -> None:
    hand_in(desk, reply(uids["v-1", "pat"], "pat", "ACCEPTED"))
    with desk.context.database.reading() as rows:
        assert "answer.accepted" in [row.action for row in audit.list_entries(rows, count=1000, object_id="v-1")]
    other = desk.client.post("/v1/answers", content=b"x", headers=desk.scheduler | {"content-type": "text/plain"})
    assert other.status_code == 422
