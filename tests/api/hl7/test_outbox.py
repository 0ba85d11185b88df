"""A partner gets what it does not know, once, in order, whichever use case changed it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select
from support.ehr import Ehr, answered, as_it_stands, send_all
from support.mllp import NOW
from support.partners import partner
from support.stored import StoredWeek

from api.hl7.acks import AckVerdict
from api.hl7.outbox import REFUSED, next_outgoing, note_answer, send_again
from api.store.audit import list_entries
from api.store.database import Database
from api.store.queries import bookings, hl7, tasks
from api.store.tables import BookingRow, OutMessageRow


def row_of(session: Session, visit: str) -> BookingRow:
    row = bookings.find_booking(session, ("visit", visit, ""))
    assert row is not None
    return row


def mark(week: StoredWeek, visit: str, state: str) -> None:
    with week.store.writing() as session:
        bookings.mark(session, row_of(session, visit).id, state, NOW)  # type: ignore[arg-type]


def cancel(week: StoredWeek, visit: str) -> None:
    with week.store.writing() as session:
        bookings.cancel(session, row_of(session, visit).id, NOW)


def move(week: StoredWeek, visit: str, minutes: int) -> None:
    with week.store.writing() as session:
        row = row_of(session, visit)
        placing = bookings.get_standing(session, row).placing
        later = timedelta(minutes=minutes)
        takings = frozenset(type(one)(one.kind, one.position, one.resource_id, one.ends_at + later) for one in placing.takings)
        moved = type(placing)(
            placing.subject, placing.service, placing.location, placing.starts_at + later, placing.ends_at + later, takings
        )
        bookings.place(session, row.period_id, moved, NOW)


def test_a_published_week_is_told_whole_and_then_nothing_is_left(week: StoredWeek, ehr: Ehr) -> None:
    said = send_all(week.store, ehr)
    assert sorted(said) == sorted(("S12", identifier) for identifier in as_it_stands(week.store))
    assert len(said) == 6, "four visits, and a group of two"
    assert ehr.standing() == as_it_stands(week.store)
    assert send_all(week.store, ehr) == []


def test_each_attendee_of_a_group_is_told_of_alone(week: StoredWeek, ehr: Ehr) -> None:
    send_all(week.store, ehr)
    groups = {identifier for identifier in ehr.appointments if identifier.startswith("coping")}
    assert groups == {"coping.2026-12.quin", "coping.2026-12.tam"}
    for content in ehr.taken.values():
        assert content.count(b"\rPID|") == 1


def test_the_life_of_a_visit_is_told_step_by_step(week: StoredWeek, ehr: Ehr) -> None:
    send_all(week.store, ehr)
    move(week, "v-5", 20)
    assert send_all(week.store, ehr) == [("S13", "v-5")]
    mark(week, "v-5", "no-show")
    assert send_all(week.store, ehr) == [("S26", "v-5")]
    mark(week, "v-5", "arrived")
    mark(week, "v-5", "done")
    assert send_all(week.store, ehr) == [("S14", "v-5")], "what happened in between is no news any more"
    cancel(week, "v-1")
    assert send_all(week.store, ehr) == [("S15", "v-1")]
    assert ehr.standing() == as_it_stands(week.store)


def test_what_comes_and_goes_before_it_is_told_is_not_told(week: StoredWeek, ehr: Ehr) -> None:
    cancel(week, "v-1")
    move(week, "v-5", 20)
    assert {identifier for trigger, identifier in send_all(week.store, ehr) if trigger != "S12"} == set()
    assert "v-1" not in ehr.appointments


def test_an_unanswered_message_is_sent_again_as_it_was(week: StoredWeek, ehr: Ehr) -> None:
    with week.store.writing() as session:
        first = next_outgoing(session, "hospital", ehr.partner, NOW)
    move(week, "v-5", 20)
    with week.store.writing() as session:
        again = next_outgoing(session, "hospital", ehr.partner, NOW + timedelta(hours=1))
    assert first is not None and first == again
    answered(ehr, first.content)
    send_all(week.store, ehr)
    assert ehr.standing() == as_it_stands(week.store)
    assert ehr.said.count(("S12", "v-5")) == 1


def test_a_rejected_message_holds_up_its_own_booking_alone_and_is_a_task(week: StoredWeek, ehr: Ehr) -> None:
    ehr.answers = [AckVerdict.REJECTED]
    assert len(send_all(week.store, ehr)) == 5
    with week.store.reading() as session:
        (parked,) = hl7.out_messages(session, "hospital", "parked", 10)
        (task,) = [row for row in tasks.list_tasks(session, None, 100, False) if row.kind == REFUSED]
        assert (task.subject_id, task.detail["message"], task.detail["reason"]) == (parked.patient_id, parked.id, "answered AR")
    with week.store.writing() as session:
        send_again(session, parked.id, NOW)
    assert len(send_all(week.store, ehr)) == 1
    assert ehr.standing() == as_it_stands(week.store)


def test_an_error_is_tried_five_times_after_longer_and_longer_waits(week: StoredWeek, ehr: Ehr) -> None:
    waits: list[int] = []

    def wait(attempts: int) -> float:
        waits.append(attempts)
        return 0.0

    refused: list[str] = []
    with week.store.writing() as session:
        while (outgoing := next_outgoing(session, "hospital", ehr.partner, NOW)) is not None:
            if b"SCH||v-5^" in outgoing.content:
                ehr.answers = [AckVerdict.ERROR]
                refused.append(outgoing.id)
            note_answer(session, "hospital", outgoing.id, answered(ehr, outgoing.content), NOW, wait)
    assert waits == [1, 2, 3, 4]
    assert len(refused) == 5 and len(set(refused)) == 1
    with week.store.reading() as session:
        (parked,) = hl7.out_messages(session, None, "parked", 10)
        assert parked.attempts == 5


def test_an_error_lets_others_go_before(week: StoredWeek, ehr: Ehr) -> None:
    ehr.answers = [AckVerdict.ERROR]
    assert len(send_all(week.store, ehr)) == 5
    with week.store.reading() as session:
        (waiting,) = hl7.out_messages(session, "hospital", "waiting", 10)
        assert waiting.due_at == NOW + timedelta(seconds=60)


def test_a_message_that_cannot_be_made_keeps_no_other(week: StoredWeek, ehr: Ehr) -> None:
    with week.store.writing() as session:
        outgoing = next_outgoing(session, "hospital", ehr.partner, NOW)
        assert outgoing is not None
        row = hl7.out_message(session, outgoing.id)
        row.tells = {"id": "nonsense"}
        session.add(row)
    assert len(send_all(week.store, ehr)) == 5
    with week.store.reading() as session:
        (parked,) = hl7.out_messages(session, "hospital", "parked", 10)
        assert parked.reason == "it cannot be made"


def test_the_past_is_not_told_to_a_new_partner(week: StoredWeek, ehr: Ehr) -> None:
    with week.store.writing() as session:
        assert next_outgoing(session, "hospital", ehr.partner, NOW + timedelta(days=30)) is None


def test_two_partners_are_told_each_for_itself(week: StoredWeek, ehr: Ehr) -> None:
    other = Ehr(ehr.partner)
    send_all(week.store, ehr)
    assert len(send_all(week.store, other, "other")) == 6


def test_what_was_taken_is_in_the_audit_without_names(week: StoredWeek, ehr: Ehr) -> None:
    send_all(week.store, ehr)
    with week.store.reading() as session:
        said = [row for row in list_entries(session, count=1000) if row.action == "hl7.out"]
        assert len(said) == 6
        assert {row.actor for row in said} == {"hl7:hospital"}
        assert "Secret" not in str([row.detail for row in said])
        kept = session.exec(select(OutMessageRow).where(col(OutMessageRow.patient_id) == "pat")).all()
        assert kept and "Secret" not in str([row.model_dump() for row in kept])


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from(("v-1", "v-3", "v-5")), st.sampled_from((-20, 20, 40))),
        st.tuples(st.just("cancel"), st.sampled_from(("v-1", "v-2")), st.just(0)),
        st.tuples(st.sampled_from(("arrived", "no-show")), st.sampled_from(("v-1", "v-2", "v-5")), st.just(0)),
        st.tuples(st.just("send"), st.just(""), st.just(0)),
        st.tuples(st.just("lose"), st.just(""), st.integers(0, 2)),
    ),
    max_size=12,
)


def test_both_sides_are_equal_after_any_changes_and_lost_answers(store: Database, week: StoredWeek) -> None:
    """Sending is interrupted before or after the partner has taken a message, in between any changes."""

    rounds: list[str] = []

    @settings(max_examples=15, deadline=None)
    @given(CHANGES)
    def check(changes: list[tuple[str, str, int]]) -> None:
        name, ehr = f"partner-{len(rounds)}", Ehr(partner())
        rounds.append(name)
        for action, visit, amount in changes:
            apply(week, ehr, name, action, visit, amount)
        send_all(store, ehr, name)
        assert ehr.standing() == as_it_stands(store, name)

    check()


def apply(week: StoredWeek, ehr: Ehr, name: str, action: str, visit: str, amount: int) -> None:
    """Do one change if it can be done now, or send, or lose an answer."""
    with week.store.reading() as session:
        state = row_of(session, visit).state if visit else ""
    if action == "move" and state == "booked":
        move(week, visit, amount)
    elif action == "cancel" and state == "booked":
        cancel(week, visit)
    elif action in ("arrived", "no-show") and state in ("booked", "no-show"):
        mark(week, visit, action)
    elif action == "send":
        send_all(week.store, ehr, name)
    elif action == "lose":
        for _ in range(amount):
            with week.store.writing() as session:
                outgoing = next_outgoing(session, name, ehr.partner, NOW)
            if outgoing is not None:
                answered(ehr, outgoing.content)
