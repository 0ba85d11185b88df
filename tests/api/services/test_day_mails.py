"""Clinicians who ask for it are mailed when their day changes: once, without a word of a patient, and never of the morning."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk

from api.runtime.settings import Settings
from api.services.messages.day_mails import DayNews, claim_news, note_told

ANA = "/v1/providers/ana/day-mail"
SETTINGS = Settings(mail_from="appointments@clinic.example", mail_hold_seconds=60)


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return Tuesday at nine: ana sees pat at ten and quin at thirteen, and has asked for mail; the day has begun."""
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"))
    made = factories.plan(asked, booking("v-1", "TU 10:00"), booking("v-2", "TU 13:00"))
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE) as desk:
        assert desk.ask("PUT", ANA, {"email": "ana@clinic.example"}, desk.clinician).status_code == 200
        assert claim(desk) == [], "what stood when the day began is no news"
        yield desk


def claim(desk: FrontDesk, sent: bool = True) -> list[DayNews]:
    with desk.context.database.writing() as session:
        news = claim_news(session, SETTINGS, desk.clock())
        for each in news if sent else ():
            note_told(session, each)
    return news


def read(news: DayNews) -> tuple[str, list[str]]:
    mail = message_from_bytes(news.content, _class=EmailMessage, policy=policy.default)
    body: Any = mail.get_body(("plain",))
    return str(mail["Subject"]), body.get_content().splitlines()[1:-1]


def test_a_change_of_the_day_is_told_once_when_it_was_held_long_enough(desk: FrontDesk) -> None:
    assert desk.move("v-2", "TU 14:00", "wang-exam-2").status_code == 200
    assert claim(desk) == [], "it may still be undone"
    desk.clock.pass_by(seconds=60)
    (news,) = claim(desk)
    subject, lines = read(news)
    assert (news.recipient, subject) == ("ana@clinic.example", "Your day has changed: Tuesday, December 1, 2026")
    assert lines == [
        "Changed: 2:00 PM to 2:40 PM, followup, wang-exam-2, wang (before: 1:00 PM to 1:40 PM, followup, wang-exam-1, wang)"
    ]
    assert claim(desk) == []


def test_several_changes_are_one_mail_and_what_is_undone_none(desk: FrontDesk) -> None:
    assert desk.cancel("v-1").status_code == 200
    assert desk.book("v-3", "TU 11:00").status_code == 201
    assert desk.move("v-2", "TU 14:00").status_code == 200
    assert desk.move("v-2", "TU 13:00").status_code == 200
    desk.clock.pass_by(seconds=60)
    (news,) = claim(desk)
    assert read(news)[1] == [
        "No longer: 10:00 AM to 10:40 AM, followup, wang-exam-1, wang",
        "New: 11:00 AM to 11:40 AM, followup, wang-exam-1, wang",
    ]


def test_nothing_in_it_tells_a_patient(desk: FrontDesk) -> None:
    assert desk.move("v-2", "TU 14:00").status_code == 200
    desk.clock.pass_by(seconds=60)
    (news,) = claim(desk)
    text = " ".join(read(news)[1])
    assert not [word for word in ("quin", "Quin", "v-2") if word in text]


def test_another_day_and_another_clinician_are_no_news(desk: FrontDesk) -> None:
    assert desk.book("v-3", "WE 11:00").status_code == 201
    assert desk.move("v-1", "TU 10:00", "wang-exam-2").status_code == 200
    assert desk.move("v-1", "TU 10:00", "wang-exam-1").status_code == 200
    desk.clock.pass_by(days=1)
    assert claim(desk) == [], "and tomorrow begins with what stands then"


def test_one_sender_has_it_until_nothing_is_heard_of_it(desk: FrontDesk) -> None:
    assert desk.cancel("v-1").status_code == 200
    desk.clock.pass_by(seconds=60)
    (first,) = claim(desk, sent=False)
    assert claim(desk) == []
    desk.clock.pass_by(minutes=5)
    (again,) = claim(desk)
    assert read(again) == read(first)


def test_only_those_who_ask_are_mailed_and_they_can_stop_it(desk: FrontDesk) -> None:
    assert desk.ask("GET", ANA, headers=desk.clinician).json() == {"email": "ana@clinic.example"}
    assert desk.ask("PUT", "/v1/providers/dee/day-mail", {"email": "a@b.example"}, desk.clinician).status_code == 403
    assert desk.ask("PUT", ANA, {"email": "no address"}).status_code == 422
    assert desk.ask("PUT", "/v1/providers/nobody/day-mail", {"email": "a@b.example"}).status_code == 404
    assert desk.ask("PUT", ANA, {"email": None}).json() == {"email": None}
    assert desk.cancel("v-1").status_code == 200
    desk.clock.pass_by(seconds=60)
    assert claim(desk) == []
