"""Reminders by mail: once, in time, of what still stands, and never of what the patient has just heard of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from support import factories
from support.factories import visit
from support.frontdesk import FrontDesk, front_desk
from support.outbox import LEASE, all_messages, give_addresses, send_all, waiting
from support.stored import NOW

from api.background.mail.writing import write_mail
from api.runtime.settings import Settings
from api.services.messages.reminders import is_outdated, write_reminders
from api.store.queries import messages
from scheduling.instructions import Reminders
from scheduling.scenario import Scenario

TIMES = Reminders(source="ours", mail_minutes=(2880, 4320), quiet_minutes=600)
REMINDED = ("pat", "REMINDER", 0)
ARRIVAL = datetime(2026, 12, 4, 13, 45, tzinfo=UTC)
"""When pat is to arrive: a quarter of an hour before Friday nine o'clock in Boston."""


@pytest.fixture
def week() -> Scenario:
    return factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), policy={"notice_minutes": 1440})


@pytest.fixture
def desk(sqlite_url: str, week: Scenario) -> Iterator[FrontDesk]:
    """Return a desk at which pat's visit of Friday has been booked, and told, a week before."""
    with front_desk(sqlite_url, week, None) as desk:
        give_addresses(desk.context.database, NOW, "pat")
        assert desk.book("v-1", "FR 09:00").status_code == 201
        send_all(desk.context.database, desk.clock())
        yield desk


def remind(desk: FrontDesk, before: timedelta, times: Reminders = TIMES) -> int:
    """Let it be so long before pat is to arrive, and write the reminders that are due then."""
    desk.clock.now = ARRIVAL - before
    with desk.context.database.writing() as session:
        return write_reminders(session, times, desk.clock())


DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_a_reminder_comes_once_for_each_time_before_the_visit(desk: FrontDesk) -> None:
    assert [remind(desk, 3 * DAY + HOUR), remind(desk, 3 * DAY), remind(desk, 3 * DAY - HOUR)] == [0, 1, 0]
    assert waiting(desk.context.database) == [REMINDED]
    send_all(desk.context.database, desk.clock())
    assert [remind(desk, 2 * DAY + HOUR), remind(desk, 2 * DAY), remind(desk, 2 * DAY - HOUR)] == [0, 1, 0]


def test_whoever_was_not_reminded_in_time_is_reminded_of_the_last_time_alone(desk: FrontDesk) -> None:
    assert [remind(desk, 2 * DAY - HOUR), remind(desk, 2 * DAY - 2 * HOUR)] == [1, 0]


@pytest.mark.parametrize(("before", "written"), [(DAY, 1), (DAY - timedelta(minutes=1), 0)])
def test_no_reminder_comes_within_the_notice(desk: FrontDesk, before: timedelta, written: int) -> None:
    assert remind(desk, before) == written


def test_a_catalogue_without_times_reminds_nobody(desk: FrontDesk) -> None:
    assert remind(desk, 2 * DAY, Reminders(source="ours")) == 0


def test_nobody_is_reminded_of_what_they_have_just_heard(desk: FrontDesk) -> None:
    desk.clock.now = ARRIVAL - 2 * DAY - 9 * HOUR
    assert desk.move("v-1", "FR 09:00", "wang-exam-2").status_code == 200
    assert desk.move("v-1", "FR 09:10").status_code == 200
    send_all(desk.context.database, desk.clock())
    assert remind(desk, 2 * DAY - HOUR, Reminders(source="ours", mail_minutes=(2880,), quiet_minutes=600)) == 0
    assert remind(desk, 2 * DAY - HOUR, Reminders(source="ours", mail_minutes=(2880,), quiet_minutes=60)) == 1, "control"


def test_who_has_declined_is_not_reminded(desk: FrontDesk) -> None:
    with desk.context.database.writing() as session:
        for row in messages.list_invitations_to(session, "pat").values():
            row.participation = "declined"
            session.add(row)
    assert remind(desk, 2 * DAY) == 0


def test_nothing_is_reminded_of_while_news_wait_to_be_sent(desk: FrontDesk) -> None:
    desk.clock.now = ARRIVAL - 3 * DAY
    assert desk.move("v-1", "FR 10:00").status_code == 200
    assert remind(desk, 2 * DAY) == 0


def claim_outdated(desk: FrontDesk) -> list[tuple[str, bool]]:
    """Take all that is due, as the sender does; return each method, and whether it is outdated."""
    taken = []
    with desk.context.database.writing() as session:
        while (claimed := messages.claim_next(session, "courier", desk.clock(), LEASE)) is not None:
            taken.append((claimed.message.method, is_outdated(session, claimed, desk.clock())))
            messages.mark_sent(session, claimed.message.id, desk.clock())
    return sorted(taken)


def test_a_reminder_that_waits_is_still_sent_while_nothing_changes(desk: FrontDesk) -> None:
    remind(desk, 2 * DAY)
    assert claim_outdated(desk) == [("REMINDER", False)]


def test_after_a_cancellation_no_reminder_is_sent(desk: FrontDesk) -> None:
    remind(desk, 2 * DAY)
    assert desk.cancel("v-1").status_code == 200
    assert claim_outdated(desk) == [("CANCEL", False), ("REMINDER", True)]


def test_of_a_visit_that_has_moved_no_reminder_of_the_old_time_is_sent(desk: FrontDesk) -> None:
    remind(desk, 2 * DAY)
    assert desk.move("v-1", "FR 13:00").status_code == 200
    assert claim_outdated(desk) == [("REMINDER", True), ("REQUEST", False)]


def test_a_reminder_that_was_held_up_until_within_the_notice_is_not_sent(desk: FrontDesk) -> None:
    remind(desk, 2 * DAY)
    desk.clock.now = ARRIVAL - DAY + HOUR
    assert claim_outdated(desk) == [("REMINDER", True)]


def test_a_reminder_that_is_refused_leaves_what_was_told_as_it_is(desk: FrontDesk) -> None:
    with desk.context.database.reading() as session:
        (told,) = [row.told for row in messages.list_invitations_to(session, "pat").values()]
    remind(desk, 2 * DAY)
    with desk.context.database.writing() as session:
        claimed = messages.claim_next(session, "courier", desk.clock(), LEASE)
        assert claimed is not None
        messages.mark_refused(session, claimed.message.id, "no such mailbox", desk.clock())
        assert claimed.invitation.told == told and told is not None


def test_a_reminder_is_a_mail_of_its_own_that_tells_when_to_arrive(desk: FrontDesk) -> None:
    remind(desk, 2 * DAY)
    settings = Settings(mail_from="appointments@clinic.example")
    with desk.context.database.writing() as session:
        claimed = messages.claim_next(session, "courier", desk.clock(), LEASE)
        assert claimed is not None
        mail = message_from_bytes(write_mail(settings, claimed), _class=EmailMessage, policy=policy.default)
        references = {row.reference for row in all_messages(session)}
    assert mail["Subject"] == "Reminder: please arrive on Friday, December 4, 2026, 8:45 AM, Test clinic"
    assert str(mail["Message-ID"]).strip("<>").partition("@")[0] == claimed.message.reference
    assert len(references) == 2, "the invite and the reminder are known apart"
    text = mail.get_body(("plain",))
    assert text is not None and "8:45 AM, 15 minutes before the start at 9:00 AM" in text.get_content()
    assert not [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
