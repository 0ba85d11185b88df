"""Publishing makes what stands what is planned, whole or not at all, and touches nothing that stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, select
from support import factories
from support.factories import Wish, booking, patient, session, visit
from support.stored import NOW, StoredWeek

from api.store.errors import DoubleBooked, StaleVersion
from api.store.queries import bookings, periods
from api.store.queries.placings import placings
from api.store.tables import BookingRow, OccupancyRow, PublicationRow
from scheduling.check import check
from scheduling.plan import Plan
from scheduling.scenario import Scenario

LATER = NOW + timedelta(hours=1)

FIRST: dict[str, Wish] = {
    "v-1": booking("v-1", "TU 09:00", team="dee"),
    "v-2": booking("v-2", "MO 13:00", "west-exam", "ana ben", "west"),
    "v-3": booking("v-3", "FR 13:00", "wang-proc-1", "cy", supervisors="ana"),
    "coping": session("coping", "TH 09:00", "quin tam"),
    "hold-1": booking("hold-1", "TU 13:00"),
}


def planned(asked: Scenario, **changed: Wish | None) -> Plan:
    """Return the week's plan with some bookings changed, or left out."""
    changes = {name.replace("_", "-"): wish for name, wish in changed.items()}
    return factories.plan(asked, *(wish for wish in {**FIRST, **changes}.values() if wish is not None))


def every(week: StoredWeek, kind: type[SQLModel]) -> list[dict[str, Any]]:
    """Return all rows of a table."""
    with week.store.reading() as rows:
        return sorted((row.model_dump() for row in rows.exec(select(kind))), key=str)


def rows_of(week: StoredWeek, visit_id: str) -> BookingRow:
    """Return the booking of a visit."""
    with week.store.reading() as rows:
        found = bookings.find_booking(rows, ("visit", visit_id, ""))
    assert found is not None
    return found


def test_what_is_published_stands_as_planned_at_the_same_cost(week: StoredWeek, made: Plan) -> None:
    published = week.publish(made)
    stands = week.standing()
    assert {one.visit: one for one in stands.visits} == made.visits_by_id
    assert (set(stands.groups), set(stands.holds), set(stands.shifts)) == (set(made.groups), set(made.holds), set(made.shifts))
    assert stands.cost == made.cost == check(week.scenario, stands).cost
    assert (published.row.added, published.row.changed, published.row.cancelled, published.row.unchanged) == (5, 0, 0, 0)


def test_rooms_are_taken_until_they_are_clean_and_patients_until_they_have_recovered(week: StoredWeek, made: Plan) -> None:
    week.publish(made)
    taken = {row["kind"]: row for row in every(week, OccupancyRow) if row["booking_id"] == rows_of(week, "v-3").id}
    lasts = {kind: (row["ends_at"] - row["starts_at"]).total_seconds() / 60 for kind, row in taken.items()}
    assert lasts == {"team": 30, "supervisor": 30, "room": 30 + 11, "patient": 30 + 31}


def test_publishing_the_same_again_touches_no_booking(week: StoredWeek, made: Plan) -> None:
    week.publish(made)
    before = every(week, BookingRow), every(week, OccupancyRow)
    published = week.publish(made, LATER)
    assert (every(week, BookingRow), every(week, OccupancyRow)) == before
    assert (published.row.unchanged, published.changes) == (5, ())


def test_only_what_changes_is_changed(week: StoredWeek, asked: Scenario, made: Plan) -> None:
    week.publish(made)
    before = {row["subject_id"]: row for row in every(week, BookingRow)}
    moved = planned(asked, v_1=booking("v-1", "TU 10:00", team="dee"), v_2=None, v_4=booking("v-4", "WE 09:00"))
    published = week.publish(moved, LATER)
    after = {row["subject_id"]: row for row in every(week, BookingRow)}
    assert {name for name in before if after[name] != before[name]} == {"v-1", "v-2"}
    assert (after["v-1"]["id"], after["v-1"]["version"]) == (before["v-1"]["id"], 2)
    assert (after["v-2"]["state"], after["v-2"]["version"]) == ("cancelled", 2)
    assert {change.row.subject_id: (change.before is None, change.after is None) for change in published.changes} == {
        "v-1": (False, False),
        "v-2": (False, True),
        "v-4": (True, False),
    }
    assert week.standing().visits_by_id.keys() == {"v-1", "v-3", "v-4"}


def test_a_cancelled_visit_that_is_planned_again_keeps_its_booking(week: StoredWeek, asked: Scenario, made: Plan) -> None:
    week.publish(made)
    known = rows_of(week, "v-1").id
    week.publish(planned(asked, v_1=None), LATER)
    week.publish(planned(asked, v_1=booking("v-1", "WE 09:00")), LATER)
    again = rows_of(week, "v-1")
    assert (again.id, again.version, again.state) == (known, 3, "booked")


def test_two_visits_may_change_places(week: StoredWeek, asked: Scenario) -> None:
    early, late = booking("v-1", "TU 09:00"), booking("v-4", "TU 10:00")
    week.publish(planned(asked, v_1=early, v_4=late))
    swapped = planned(asked, v_1=booking("v-1", "TU 10:00"), v_4=booking("v-4", "TU 09:00"))
    assert week.publish(swapped, LATER).row.changed == 2
    assert set(week.standing().visits) == set(swapped.visits)


def test_what_would_book_somebody_twice_is_refused_whole_and_says_whom(week: StoredWeek, asked: Scenario, made: Plan) -> None:
    week.publish(made)
    before = every(week, BookingRow), every(week, OccupancyRow), every(week, PublicationRow)
    twice = planned(asked, v_1=booking("v-1", "MO 09:00", team="dee"), v_4=booking("v-4", "MO 09:30", "wang-exam-2", "dee"))
    with pytest.raises(DoubleBooked, match=r'provider "dee" is already booked at 2026-11-30T14:30Z'):
        week.publish(twice, LATER)
    assert (every(week, BookingRow), every(week, OccupancyRow), every(week, PublicationRow)) == before


def test_another_period_cannot_take_what_stands_in_this_one(week: StoredWeek, made: Plan) -> None:
    week.publish(made)
    other = factories.scenario(visit("w-1", "uma"), id="other", patients=[patient("uma")])
    with week.store.writing() as rows:
        periods.keep_scenario(rows, other, NOW)
    beside = StoredWeek(week.store, other)
    with pytest.raises(DoubleBooked, match=r'room "wang-exam-1"'):
        beside.publish(factories.plan(other, booking("w-1", "TU 09:10")), LATER)
    beside.publish(factories.plan(other, booking("w-1", "TU 09:40")), LATER)
    assert week.standing().visits_by_id.keys() == {"v-1", "v-2", "v-3"}


@pytest.mark.parametrize("state", ["arrived", "done", "no-show"])
def test_what_has_begun_is_neither_moved_nor_cancelled(
    week: StoredWeek, asked: Scenario, made: Plan, state: bookings.BookingState
) -> None:
    week.publish(made)
    with week.store.writing() as rows:
        bookings.mark(rows, rows_of(week, "v-1").id, state, LATER, expected=1)
    begun = rows_of(week, "v-1")
    week.publish(planned(asked, v_1=None), LATER)
    week.publish(planned(asked, v_1=booking("v-1", "WE 09:00")), LATER)
    assert rows_of(week, "v-1") == begun


def test_who_is_told_stays_told_and_who_is_moved_is_told_anew(asked: Scenario, week: StoredWeek, made: Plan) -> None:
    week.publish(made)
    (untold,) = (one for one in placings(asked, made) if one.subject == ("visit", "v-1", ""))
    with week.store.writing() as rows:
        change = bookings.place(rows, week.id, untold, LATER)
        change.row.notified = False
    week.publish(planned(asked, v_1=booking("v-1", "TU 09:00", "wang-exam-2", "dee")), LATER)
    assert not rows_of(week, "v-1").notified
    week.publish(planned(asked, v_1=booking("v-1", "TU 09:10", "wang-exam-2", "dee")), LATER)
    assert rows_of(week, "v-1").notified


def test_a_cancelled_booking_frees_what_it_took(week: StoredWeek, asked: Scenario, made: Plan) -> None:
    week.publish(made)
    (hold,) = (one for one in placings(asked, planned(asked, v_4=booking("v-4", "TU 13:00"))) if one.subject[1] == "v-4")
    with pytest.raises(DoubleBooked), week.store.writing() as rows:
        bookings.place(rows, week.id, hold, LATER)
    with week.store.writing() as rows:
        held = bookings.find_booking(rows, ("hold", "hold-1", ""))
        assert held is not None
        with pytest.raises(StaleVersion):
            bookings.cancel(rows, held.id, LATER, expected=2)
        bookings.cancel(rows, held.id, LATER, expected=1)
        bookings.place(rows, week.id, hold, LATER, "offered", "asked by telephone")
    assert (rows_of(week, "v-4").state, rows_of(week, "v-4").override_reason) == ("offered", "asked by telephone")


def test_an_offered_place_stands_but_is_not_where_the_visit_stands_for_its_patient(
    week: StoredWeek, asked: Scenario, made: Plan
) -> None:
    week.publish(made)
    (place,) = (one for one in placings(asked, planned(asked, v_4=booking("v-4", "WE 09:00"))) if one.subject[1] == "v-4")
    with week.store.writing() as rows:
        bookings.place(rows, week.id, place, LATER, "offered")
        assert periods.load_scenario(rows, week.id).visit("v-4").current is None
        assert periods.load_scenario(rows, week.id).visit("v-1").current is not None
    assert "v-4" in week.standing().visits_by_id


def test_bookings_are_found_by_time_and_by_what_they_take(week: StoredWeek, made: Plan) -> None:
    week.publish(made)
    grid = week.scenario.grid
    noon, evening = (grid.utc(factories.current(when).start) for when in ("FR 12:00", "FR 18:00"))
    with week.store.reading() as rows:
        friday = bookings.list_between(rows, noon, evening)
        everything = bookings.list_between(rows, noon - timedelta(days=9), evening)
        of_ana = bookings.list_of_resource(rows, "provider", "ana", noon - timedelta(days=9), evening)
        at_its_end = bookings.list_of_resource(rows, "patient", "pat", friday[0].row.ends_at, evening)
    assert [one.row.subject_id for one in friday] == ["v-3"]
    assert [one.row.subject_id for one in everything] == ["v-2", "v-1", "hold-1", "coping", "v-3"]
    assert [one.row.subject_id for one in of_ana] == ["v-2", "hold-1", "v-3"]
    assert [one.row.subject_id for one in at_its_end] == ["v-3"]
