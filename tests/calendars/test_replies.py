"""Answers to invites: what is taken, what is for staff, what is ignored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars import replies
from calendars.mailbox import Mailbox
from calendars.replies import (
    Accepted,
    Declined,
    ForStaff,
    Ignored,
    KnownInvite,
    Reply,
    Tentative,
    Verdict,
    read_file,
    read_mail,
)

STAMP = datetime(2026, 11, 21, 9, tzinfo=UTC)
NOW = STAMP + timedelta(hours=1)
INVITED = KnownInvite(Mailbox("ada@example.org", "Ada"), sequence=2)
PROPERTIES = {
    "UID": "u1@clinic",
    "ORGANIZER": "mailto:appointments@clinic.example",
    "ATTENDEE;PARTSTAT=ACCEPTED;CN=Ada": "mailto:ada@example.org",
    "SEQUENCE": "2",
    "DTSTAMP": "20261121T090000Z",
}


def reply(method: str = "REPLY", without: tuple[str, ...] = (), **others: str) -> bytes:
    """Return a REPLY's calendar object; ``others`` are more properties, as ``RECURRENCE_ID``."""
    kept = {name: value for name, value in PROPERTIES.items() if name.partition(";")[0] not in without}
    kept |= {name.replace("_", "-"): value for name, value in others.items()}
    lines = [f"{name}:{value}" for name, value in kept.items()]
    frame = ["BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(frame).encode()


def answer(**others: object) -> Reply:
    (found,) = read_file(reply()).answers
    return replace(found, **others)


def judged(answer: Reply, invited: KnownInvite | None, sender: str | None, now: datetime = NOW) -> Verdict:
    return replies.judge_reply(answer, invited, sender, now)


def mail(
    content: bytes, sender: str = "Ada <Ada@Example.org>", kind: str = "text/calendar; method=REPLY", extra: str = ""
) -> bytes:
    head = f"From: {sender}\r\nMessage-ID: <1@example.org>\r\n{extra}Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    part = f"--b\r\nContent-Type: text/plain\r\n\r\nyes\r\n--b\r\nContent-Type: {kind}\r\n\r\n"
    return head.encode() + part.encode() + content + b"\r\n--b--\r\n"


# ---------------------------------------------------------------------------------------------------------- judging


@pytest.mark.parametrize(
    ("participation", "verdict"), [("ACCEPTED", Accepted), ("DECLINED", Declined), ("TENTATIVE", Tentative)]
)
def test_an_answer_of_the_attendee_is_taken(participation: str, verdict: type) -> None:
    assert judged(answer(participation=participation), INVITED, "ada@example.org") == verdict(STAMP)


def test_a_missing_organizer_sequence_or_stamp_is_accepted() -> None:
    (found,) = read_file(reply(without=("ORGANIZER", "SEQUENCE", "DTSTAMP"))).answers
    assert judged(found, INVITED, "ada@example.org") == Accepted(None)


def test_a_file_needs_no_sender_and_addresses_have_no_capitals() -> None:
    assert judged(answer(), INVITED, None) == Accepted(STAMP)
    assert judged(answer(attendee="ADA@EXAMPLE.ORG"), INVITED, "Ada@Example.Org") == Accepted(STAMP)


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"method": "COUNTER"}, "counter-proposal"),
        ({"method": "REQUEST"}, "not-a-reply"),
        ({"method": ""}, "not-a-reply"),
        ({"is_occurrence": True}, "one-occurrence"),
        ({"participation": "DELEGATED"}, "delegated"),
        ({"is_delegated": True}, "delegated"),
        ({"attendee": "bela@example.org"}, "other-attendee"),
        ({"attendee": None}, "no-attendee"),
        ({"is_alone": False}, "several-attendees"),
        ({"participation": "NEEDS-ACTION"}, "no-answer-in-it"),
        ({"participation": None}, "no-answer-in-it"),
    ],
)
def test_anything_else_is_for_staff_and_changes_nothing(others: dict[str, object], reason: str) -> None:
    assert judged(answer(**others), INVITED, "ada@example.org") == ForStaff(reason)


def test_another_sender_an_unknown_event_and_one_that_is_over_are_for_staff() -> None:
    assert judged(answer(), INVITED, "bela@example.org") == ForStaff("other-sender")
    assert judged(answer(), INVITED, "") == ForStaff("other-sender")
    assert judged(answer(), None, "ada@example.org") == ForStaff("unknown-event")
    assert judged(answer(), replace(INVITED, is_over=True), "ada@example.org") == ForStaff("ended-event")


def test_the_newest_answer_wins_and_one_that_comes_twice_is_harmless() -> None:
    known = replace(INVITED, replied_at=STAMP)
    second = timedelta(seconds=1)
    assert judged(answer(), known, None) == Ignored("repeated")
    assert judged(answer(stamp=STAMP - second), known, None) == Ignored("older")
    assert judged(answer(stamp=STAMP + second), known, None) == Accepted(STAMP + second)


def test_an_answer_dated_ahead_by_more_than_a_day_is_for_staff_and_one_of_a_wrong_clock_is_taken() -> None:
    latest = NOW + timedelta(days=1)
    assert judged(answer(stamp=latest), INVITED, None) == Accepted(latest)
    assert judged(answer(stamp=latest + timedelta(seconds=1)), INVITED, None) == ForStaff("dated-ahead")
    replied = replace(INVITED, replied_at=STAMP)
    assert judged(answer(stamp=datetime(9999, 1, 1, tzinfo=UTC)), replied, None) == ForStaff("dated-ahead")
    assert judged(answer(stamp=STAMP + timedelta(minutes=1)), replied, None) == Accepted(STAMP + timedelta(minutes=1))


def test_an_answer_without_a_stamp_is_taken_only_when_it_is_the_first() -> None:
    assert judged(answer(stamp=None), INVITED, None) == Accepted(None)
    assert judged(answer(stamp=None), replace(INVITED, replied_at=STAMP), None) == ForStaff("undated")


def test_an_answer_to_an_invite_before_the_last_change_is_ignored() -> None:
    assert judged(answer(sequence=1), INVITED, None) == Ignored("about-an-earlier-invite")
    assert judged(answer(sequence=2), INVITED, None) == Accepted(STAMP)


def test_in_whatever_order_answers_come_and_however_often_the_newest_one_stands() -> None:
    words = ("ACCEPTED", "DECLINED", "TENTATIVE")
    sent = [answer(participation=word, stamp=STAMP + timedelta(minutes=minute)) for minute, word in enumerate(words)]
    for order in permutations([*sent, sent[0], sent[2]]):
        stands, known = None, INVITED
        for one in order:
            verdict = judged(one, known, None)
            if not isinstance(verdict, (ForStaff, Ignored)):
                stands, known = verdict, replace(known, replied_at=verdict.stamp)
        assert stands == Tentative(STAMP + timedelta(minutes=2))


# ---------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    "kind", ["text/calendar; method=REPLY", "application/ics", 'application/octet-stream; name="reply.ics"']
)
def test_a_mail_with_a_calendar_part_is_read(kind: str) -> None:
    found = read_mail(mail(reply(), kind=kind))
    assert [reply.uid for reply in found.answers] == ["u1@clinic"]
    assert (found.sender, found.message_id, found.trouble) == ("Ada@Example.org", "<1@example.org>", None)


def test_the_same_object_twice_in_a_mail_is_one_answer() -> None:
    twice = mail(reply() + b"\r\n--b\r\nContent-Type: application/ics\r\n\r\n" + reply())
    assert len(read_mail(twice).answers) == 1


def test_an_occurrence_and_a_delegation_are_seen() -> None:
    (occurrence,) = read_file(reply(RECURRENCE_ID="20261201T090000Z")).answers
    assert occurrence.is_occurrence
    delegated = reply().replace(b"PARTSTAT=ACCEPTED", b'PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:x@y"')
    assert read_file(delegated).answers[0].is_delegated


def test_folded_lines_other_line_ends_and_small_letters_are_read() -> None:
    odd = reply().replace(b"mailto:ada@", b"MAILTO:a\r\n da@").replace(b"\r\n", b"\n").replace(b"ATTENDEE", b"attendee")
    (found,) = read_file(odd).answers
    assert found.attendee == "ada@example.org"


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (b"From: ada@example.org\r\n\r\nI cannot come.", ForStaff("no-calendar")),
        (b"From: ada@example.org\r\nAuto-Submitted: auto-replied\r\n\r\nOn holiday.", Ignored("automatic")),
        (b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b--", ForStaff("undelivered")),
        (b"", ForStaff("no-calendar")),
        (b"x" * 3_000_001, ForStaff("unreadable")),
        (b"From: ada@example.org\r\n" + b"X: y\r\n" * 60_000, ForStaff("unreadable")),
        (mail(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT"), ForStaff("unreadable")),
        (mail(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR"), ForStaff("no-answer-in-it")),
    ],
)
def test_a_mail_without_an_answer_says_what_it_is(content: bytes, trouble: object) -> None:
    found = read_mail(content)
    assert (found.answers, found.trouble) == ((), trouble)


def test_an_automatic_reply_with_a_calendar_is_an_answer() -> None:
    assert read_mail(mail(reply(), extra="Auto-Submitted: auto-generated\r\n")).answers


def test_two_senders_are_none() -> None:
    found = read_mail(mail(reply(), sender="ada@example.org, bela@example.org"))
    assert judged(found.answers[0], INVITED, found.sender) == ForStaff("other-sender")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(noise: bytes) -> None:
    read_mail(noise)
    read_mail(mail(noise))
    read_file(reply() + noise)
    read_file(noise)
