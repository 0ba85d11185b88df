"""What patients are told: each change once, in order, and nothing to whom nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support import factories
from support.factories import booking, group, session, visit
from support.frontdesk import FrontDesk, front_desk
from support.outbox import LEASE, address_of, all_messages, give_addresses, send_all, waiting
from support.stored import NOW, StoredWeek

from api.services.bookings import consequences
from api.services.bookings.replies import process_replies
from api.services.messages import notifications as telling
from api.store.queries import bookings, messages, tasks
from calendars.replies import ReceivedReplies, Reply
from scheduling.plan import Plan
from scheduling.scenario import Scenario

PEOPLE = ("pat", "quin", "rae", "sol", "tam")


@pytest.fixture
def week() -> Scenario:
    return factories.scenario(
        visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"), group("coping", "quin", "sol", "tam")
    )


@pytest.fixture
def made(week: Scenario) -> Plan:
    return factories.plan(
        week,
        booking("v-1", "TU 09:00"),
        booking("v-2", "TU 10:00", "wang-exam-2", "dee"),
        session("coping", "TH 09:00", "quin sol"),
    )


@pytest.fixture
def desk(sqlite_url: str, week: Scenario) -> Iterator[FrontDesk]:
    """Return a week of which nothing is published yet; everybody has an address."""
    with front_desk(sqlite_url, week, None) as desk:
        give_addresses(desk.context.database, NOW, *PEOPLE)
        yield desk


def publish(desk: FrontDesk, week: Scenario, plan: Plan) -> None:
    """Publish a plan as the service does, but for its job."""
    with desk.context.database.writing() as rows:
        published = StoredWeek(desk.context.database, week).published_in(rows, plan, desk.clock())
        telling.notify_changes(rows, published.changes, desk.clock())


def sent(desk: FrontDesk) -> list[tuple[str, str, int]]:
    desk.clock.pass_by(seconds=5)
    found = send_all(desk.context.database, desk.clock())
    return [(one.invitation.patient_id, one.message.method, one.message.sequence) for one in found]


def test_each_patient_of_a_publication_is_told_once_and_an_unchanged_one_never_again(
    desk: FrontDesk, week: Scenario, made: Plan
) -> None:
    publish(desk, week, made)
    assert sorted(sent(desk)) == [("pat", "REQUEST", 0), ("quin", "REQUEST", 0), ("quin", "REQUEST", 0), ("sol", "REQUEST", 0)]
    publish(desk, week, made)
    assert sent(desk) == []


def test_a_publication_that_waits_is_not_doubled_by_the_next(desk: FrontDesk, week: Scenario, made: Plan) -> None:
    publish(desk, week, made)
    before = waiting(desk.context.database)
    publish(desk, week, made)
    assert waiting(desk.context.database) == before and len(before) == 4


def test_another_room_or_other_people_are_no_news_to_the_patient(desk: FrontDesk, week: Scenario, made: Plan) -> None:
    publish(desk, week, made)
    sent(desk)
    assert desk.move("v-1", "TU 09:00", "wang-exam-3").status_code == 200
    assert sent(desk) == []


def test_a_move_is_the_same_event_with_a_higher_sequence_and_a_newer_stamp(desk: FrontDesk, week: Scenario, made: Plan) -> None:
    publish(desk, week, made)
    first = {
        one.invitation.patient_id: one for one in send_all(desk.context.database, desk.clock()) if one.booking.kind == "visit"
    }
    assert desk.move("v-1", "TU 13:00").status_code == 200
    (second,) = send_all(desk.context.database, desk.clock())
    assert second.invitation.uid == first["pat"].invitation.uid
    assert (second.message.sequence, second.message.method) == (1, "REQUEST")
    assert second.message.stamp > first["pat"].message.stamp


def test_a_cancelled_visit_is_cancelled_once_and_booked_again_it_is_another_event(
    desk: FrontDesk, week: Scenario, made: Plan
) -> None:
    publish(desk, week, made)
    first = {one.booking.subject_id: one.invitation.uid for one in send_all(desk.context.database, desk.clock())}
    assert desk.cancel("v-1").status_code == 200
    (cancelled,) = send_all(desk.context.database, desk.clock())
    assert (cancelled.message.method, cancelled.message.sequence, cancelled.invitation.uid) == ("CANCEL", 1, first["v-1"])
    assert desk.book("v-1", "WE 09:00").status_code == 201
    (again,) = send_all(desk.context.database, desk.clock())
    assert (again.message.method, again.message.sequence) == ("REQUEST", 0) and again.invitation.uid != first["v-1"]


def test_what_is_cancelled_before_it_was_sent_is_never_heard_of(desk: FrontDesk) -> None:
    assert desk.book("v-1", "WE 09:00").status_code == 201
    assert waiting(desk.context.database) == [("pat", "REQUEST", 0)]
    assert desk.cancel("v-1").status_code == 200
    assert (waiting(desk.context.database), sent(desk)) == ([], [])


def test_of_several_moves_before_the_mail_goes_the_last_one_is_told(desk: FrontDesk) -> None:
    desk.book("v-1", "WE 09:00")
    desk.move("v-1", "TH 09:00")
    desk.move("v-1", "TU 13:00")
    (only,) = send_all(desk.context.database, desk.clock())
    assert (f"{only.tells.starts_at:%a %H:%M}", only.message.sequence) == ("Tue 18:00", 0)


def test_a_move_and_back_again_before_the_mail_goes_tells_nothing(desk: FrontDesk) -> None:
    desk.book("v-1", "WE 09:00")
    sent(desk)
    desk.move("v-1", "TH 09:00")
    desk.move("v-1", "WE 09:00")
    assert sent(desk) == []


def test_an_update_never_overtakes_what_is_being_sent(desk: FrontDesk) -> None:
    desk.book("v-1", "WE 09:00")
    with desk.context.database.writing() as rows:
        under_way = messages.claim_next(rows, "courier", desk.clock(), LEASE)
        assert under_way is not None
    desk.move("v-1", "TH 09:00")
    assert send_all(desk.context.database, desk.clock()) == []
    with desk.context.database.writing() as rows:
        messages.mark_sent(rows, under_way.message.id, desk.clock())
    assert sent(desk) == [("pat", "REQUEST", 1)]


def test_what_a_dead_courier_had_is_sent_again_as_it_was(desk: FrontDesk) -> None:
    desk.book("v-1", "WE 09:00")
    with desk.context.database.writing() as rows:
        lost = messages.claim_next(rows, "courier", desk.clock(), LEASE)
    assert lost is not None and sent(desk) == []
    desk.clock.pass_by(seconds=LEASE.total_seconds())
    (again,) = send_all(desk.context.database, desk.clock())
    same = ("id", "sequence", "stamp", "tells")
    assert [getattr(again.message, name) for name in same] == [getattr(lost.message, name) for name in same]


def test_what_the_server_puts_off_gives_way_to_what_is_newer(desk: FrontDesk) -> None:
    desk.book("v-1", "WE 09:00")
    with desk.context.database.writing() as rows:
        first = messages.claim_next(rows, "courier", desk.clock(), LEASE)
    assert first is not None
    desk.cancel("v-1")
    assert waiting(desk.context.database) == [("pat", "CANCEL", 1)]
    with desk.context.database.writing() as rows:
        messages.reschedule(rows, first, desk.clock(), "the server answered 451", desk.clock())
    assert (waiting(desk.context.database), sent(desk)) == ([], [])


def test_after_a_refusal_the_next_change_is_told_as_if_nothing_had_been(desk: FrontDesk) -> None:
    desk.book("v-1", "WE 09:00")
    with desk.context.database.writing() as rows:
        first = messages.claim_next(rows, "courier", desk.clock(), LEASE)
        assert first is not None
        messages.mark_refused(rows, first.message.id, "the server answered 550", desk.clock())
    desk.move("v-1", "TH 09:00")
    assert sent(desk) == [("pat", "REQUEST", 1)]


def test_of_a_group_only_who_joins_or_leaves_is_told(desk: FrontDesk, week: Scenario, made: Plan) -> None:
    publish(desk, week, made)
    sent(desk)
    wishes = (
        booking("v-1", "TU 09:00"),
        booking("v-2", "TU 10:00", "wang-exam-2", "dee"),
        session("coping", "TH 09:00", "quin tam"),
    )
    publish(desk, week, factories.plan(week, *wishes))
    assert sorted(sent(desk)) == [("sol", "CANCEL", 1), ("tam", "REQUEST", 0)]


def test_who_has_no_address_is_told_once_there_is_one_and_counted_until_then(
    desk: FrontDesk, week: Scenario, made: Plan
) -> None:
    etag = desk.ask("GET", "/v1/patients/pat/contact").headers["etag"]
    none = desk.ask("PUT", "/v1/patients/pat/contact", {"email": None}, **{"If-Match": etag})
    assert none.json() == {"email": None}
    publish(desk, week, made)
    assert "pat" not in {patient for patient, *_ in sent(desk)}
    assert desk.ask("GET", "/v1/scenarios/test-week/answers").json()["without_address"] == ["pat"]
    etag = none.headers["etag"]
    assert (
        desk.ask("PUT", "/v1/patients/pat/contact", {"email": "p@elsewhere.example"}, **{"If-Match": etag}).status_code == 200
    )
    assert sent(desk) == [("pat", "REQUEST", 0)]
    assert desk.ask("GET", "/v1/scenarios/test-week/answers").json()["without_address"] == []


@pytest.mark.parametrize(
    "email", ["", "pat", "a@b\r\nBcc: c@d", "a b@c.example", "a@-b.example", "ü b@c.example", "a@" + "b" * 260]
)
def test_what_is_no_address_is_refused(desk: FrontDesk, email: str) -> None:
    etag = desk.ask("GET", "/v1/patients/pat/contact").headers["etag"]
    assert desk.ask("PUT", "/v1/patients/pat/contact", {"email": email}, **{"If-Match": etag}).status_code == 422


def test_a_scenario_that_is_imported_later_does_not_take_the_address(desk: FrontDesk) -> None:
    other = factories.scenario(visit("v-9", "pat"), id="next-week", horizon={"start": "2026-12-07", "end": "2026-12-12"})
    answer = desk.ask("POST", "/v1/scenarios", other.model_dump(mode="json", exclude_unset=True))
    assert answer.status_code == 201, answer.text
    assert desk.ask("GET", "/v1/patients/pat/contact").json() == {"email": "pat@patients.example"}


def test_a_place_that_is_only_offered_is_told_when_it_is_accepted(desk: FrontDesk) -> None:
    freed = {"start": factories.at("WE 09:00"), "end": factories.at("WE 09:40"), "location": "wang", "room": "wang-exam-1"}
    kept = desk.ask("POST", "/v1/scenarios/test-week/freed-places", {**freed, "team": ["ana"], "supervisors": []})
    assert kept.status_code == 201, kept.text
    assert waiting(desk.context.database) == []
    name = kept.json()["visit"]
    assert desk.ask("POST", f"/v1/visits/{name}/freed-place/acceptance").status_code == 200
    assert len(waiting(desk.context.database)) == 1


def test_a_withdrawn_visit_is_cancelled(desk: FrontDesk) -> None:
    desk.book("v-1", "WE 09:00")
    sent(desk)
    etag = desk.ask("GET", "/v1/visits/v-1").headers["etag"]
    assert desk.ask("DELETE", "/v1/visits/v-1", **{"If-Match": etag}).status_code == 204
    assert sent(desk) == [("pat", "CANCEL", 1)]


def test_what_is_past_is_not_told(desk: FrontDesk) -> None:
    desk.book("v-1", "TU 09:00")
    sent(desk)
    desk.clock.now = NOW + timedelta(days=6)
    desk.cancel("v-1")
    assert sent(desk) == []


def test_a_publication_that_is_undone_leaves_no_message(desk: FrontDesk, week: Scenario, made: Plan) -> None:
    with pytest.raises(RuntimeError), desk.context.database.writing() as rows:
        published = StoredWeek(desk.context.database, week).published_in(rows, made, NOW)
        assert telling.notify_changes(rows, published.changes, NOW) == 4
        raise RuntimeError
    assert waiting(desk.context.database) == []


def test_without_the_call_a_change_would_not_be_told(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consequences, "notify_changes", lambda *_: 0)
    desk.book("v-1", "WE 09:00")
    assert waiting(desk.context.database) == []


# ------------------------------------------------------------------------------------------------------- forgetting


def kept(desk: FrontDesk) -> list[tuple[str, str]]:
    """Return the messages that there are still: booking's subject and state."""
    with desk.context.database.reading() as rows:
        found = [(messages.get_invitation(rows, one.invitation_id), one.state) for one in all_messages(rows)]
        return sorted((bookings.get_booking(rows, row.booking_id).subject_id, state) for row, state in found)


def test_messages_are_forgotten_once_the_visit_has_long_been_over_and_not_a_day_before(
    desk: FrontDesk, week: Scenario, made: Plan
) -> None:
    publish(desk, week, made)
    sent(desk)
    every = [("coping", "sent"), ("coping", "sent"), ("v-1", "sent"), ("v-2", "sent")]
    desk.clock.now = datetime(2026, 12, 1, 14, 39, tzinfo=UTC) + timedelta(days=desk.context.settings.message_days)
    assert (telling.delete_old_messages(desk.context), kept(desk)) == (0, every)
    desk.clock.pass_by(minutes=1)  # v-1 ends at 14:40 UTC
    assert (telling.delete_old_messages(desk.context), kept(desk)) == (1, [one for one in every if one[0] != "v-1"])
    desk.clock.pass_by(days=3)
    assert (telling.delete_old_messages(desk.context), kept(desk)) == (3, [])
    publish(desk, week, made)
    assert waiting(desk.context.database) == []


def test_what_waits_is_never_forgotten_nor_what_was_sent_before_it(desk: FrontDesk, week: Scenario, made: Plan) -> None:
    publish(desk, week, made)
    sent(desk)
    assert desk.move("v-1", "TU 13:00").status_code == 200
    desk.clock.pass_by(days=9000)
    assert telling.delete_old_messages(desk.context) == 3
    assert kept(desk) == [("v-1", "sent"), ("v-1", "waiting")]


def test_messages_of_a_visit_that_was_moved_ahead_are_kept_until_it_is_over(
    desk: FrontDesk, week: Scenario, made: Plan
) -> None:
    publish(desk, week, made)
    sent(desk)
    days = timedelta(days=desk.context.settings.message_days)
    with desk.context.database.writing() as rows:
        (row,) = (one for one in bookings.list_rows(rows, week.id) if one.subject_id == "v-2")
        row.ends_at = desk.clock() + days
    desk.clock.now = NOW + days + timedelta(days=30)
    telling.delete_old_messages(desk.context)
    assert kept(desk) == [("v-2", "sent")]


def test_an_answer_after_that_is_for_staff(desk: FrontDesk, week: Scenario, made: Plan) -> None:
    publish(desk, week, made)
    uid = {one.booking.subject_id: one.invitation.uid for one in send_all(desk.context.database, desk.clock())}["v-1"]
    desk.clock.pass_by(days=9000)
    telling.delete_old_messages(desk.context)
    attendee = f"mailto:{address_of('pat')}"
    answer = Reply(uid, "REPLY", attendee, "DECLINED", desk.clock(), 0, is_occurrence=False, is_alone=True, is_delegated=False)
    (outcome,) = process_replies(desk.context, ReceivedReplies((answer,)))
    assert (outcome.subject, outcome.outcome) == ("v-1", "unknown-event")
    with desk.context.database.reading() as rows:
        assert [one.kind for one in tasks.list_tasks(rows, None, 10, done=False)] == ["answer-unclear"]
