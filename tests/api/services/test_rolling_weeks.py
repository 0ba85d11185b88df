"""Weeks that roll: what is open is asked for, what is left over comes along, what stands stays, and histories keep up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from support.months import MONDAY, Months, in_memory, roster
from support.outbox import give_addresses, send_all, waiting

from api.runtime.exceptions import Conflict
from api.services.accounts.accounts import SYSTEM
from api.services.bookings import by_hand
from api.services.clinic import programmes
from api.services.clinic.rosters import import_roster
from api.services.weeks.week import load_week
from api.store.queries import episodes as records
from api.store.queries import periods
from scheduling.care.agenda import VisitSubject
from scheduling.errors import EventRefused, UnknownId
from scheduling.pathways import Occurrence
from scheduling.scenario import Scenario

FIRST, SECOND = "week-2026-11-30", "week-2026-12-07"


@pytest.fixture
def desk() -> Iterator[Months]:
    with in_memory() as months:
        yield months


def test_a_week_asks_for_what_is_open_and_previews_what_lies_beyond(desk: Months) -> None:
    episode = desk.refer("spinal-cord-stimulation").episode
    found = desk.build()
    assert [one for one in desk.asked(FIRST)] == [f"{episode}.assessment.1"]
    beyond = {one.occurrence.step: one for one in found.previews if one.episode == episode}
    assert set(beyond) == {"trial", "lead-removal", "implant", "programming"} and not beyond["trial"].certain
    assert beyond["trial"].earliest == MONDAY + timedelta(days=7)


def test_what_is_published_is_in_the_history_and_what_is_left_out_comes_into_the_next_week(desk: Months) -> None:
    placed, left = (desk.refer("follow-up", patient).episode for patient in ("pat", "quin"))
    desk.build()
    desk.publish(FIRST, f"{left}.visit.1")
    assert (desk.history(placed or ""), desk.history(left or "")) == (["referred", "planned"], ["referred"])
    desk.now += timedelta(days=5)
    desk.build()
    assert (list(desk.asked(FIRST)), list(desk.asked(SECOND))) == ([f"{placed}.visit.1"], [f"{left}.visit.1"])
    asked = desk.asked(SECOND)[f"{left}.visit.1"]
    assert asked.target == date(2026, 11, 27) + timedelta(days=21)


def test_a_week_that_is_built_again_keeps_what_stands_and_takes_in_what_is_new(desk: Months) -> None:
    first = desk.refer("follow-up", "pat").episode
    desk.build()
    desk.publish(FIRST)
    second = desk.refer("follow-up", "quin").episode
    for _ in range(2):
        desk.build()
        assert set(desk.asked(FIRST)) == {f"{first}.visit.1", f"{second}.visit.1"}
    assert desk.stands(f"{first}.visit.1") == "booked"
    assert desk.asked(FIRST)[f"{first}.visit.1"].current is not None


def test_what_is_due_in_a_week_that_is_built_is_asked_for_there_at_once(desk: Months) -> None:
    desk.build()
    soon, later = desk.refer("new-patient-acute", "pat"), desk.refer("new-patient-chronic", "quin")
    assert (soon.visits, later.visits) == ((f"{soon.episode}.evaluation.1",), ())
    assert set(desk.asked(FIRST)) == set(soon.visits)


def test_parts_of_one_day_are_asked_for_together(desk: Months) -> None:
    episode = desk.refer("work-injury").episode
    desk.build()
    parts = {f"{episode}.{part}.1" for part in ("medical", "psychology", "function")}
    assert set(desk.asked(FIRST)) == parts
    desk.publish(FIRST)
    assert desk.history(episode or "").count("planned") == 3


def test_a_stimulator_goes_its_way_over_weeks(desk: Months) -> None:
    episode = desk.refer("spinal-cord-stimulation", referred_on=date(2026, 11, 20)).episode or ""
    desk.build()
    desk.publish(FIRST)
    desk.live(f"{episode}.assessment.1")
    assert desk.open_steps(episode)[f"{episode}.trial.1"].certain is False
    desk.tell(episode, "outcome", step="assessment", outcome="positive")
    desk.now = max(desk.now, desk.now.replace(month=12, day=4, hour=16))
    desk.build()
    wanted = set(desk.asked(SECOND))
    assert wanted <= {f"{episode}.trial.1", f"{episode}.lead-removal.1"}
    assert desk.history(episode) == ["referred", "planned", "done", "outcome"]


def test_a_negative_assessment_ends_the_pathway_and_nothing_more_is_asked_for(desk: Months) -> None:
    episode = desk.refer("spinal-cord-stimulation").episode or ""
    desk.build()
    desk.publish(FIRST)
    desk.live(f"{episode}.assessment.1")
    desk.tell(episode, "outcome", step="assessment", outcome="negative")
    desk.now += timedelta(days=5)
    desk.build(start=MONDAY + timedelta(weeks=1))
    assert (desk.open_steps(episode), desk.asked(SECOND)) == ({}, {})
    with pytest.raises(EventRefused, match="the episode is ended"):
        desk.tell(episode, "outcome", step="assessment", outcome="positive")


def test_a_stop_gives_up_what_stands_and_a_new_start_asks_for_it_again(desk: Months) -> None:
    episode = desk.refer("follow-up").episode or ""
    visit = f"{episode}.visit.1"
    desk.build()
    desk.publish(FIRST)
    assert desk.tell(episode, "stopped").given_up == (visit,)
    assert (desk.stands(visit), desk.asked(FIRST)) == ("cancelled", {})
    desk.build()
    assert desk.asked(FIRST) == {}
    desk.tell(episode, "restarted")
    desk.build()
    assert list(desk.asked(FIRST)) == [visit]
    desk.publish(FIRST)
    assert desk.stands(visit) == "booked"


def test_what_was_stopped_while_a_plan_was_made_is_not_published(desk: Months) -> None:
    stopped, other = (desk.refer("follow-up", patient).episode or "" for patient in ("pat", "quin"))
    desk.build()
    plan = desk.plan(FIRST)
    desk.tell(stopped, "stopped")
    desk.publish_made(plan)
    assert (desk.stands(f"{stopped}.visit.1"), desk.stands(f"{other}.visit.1")) == (None, "booked")
    assert desk.history(stopped) == ["referred", "stopped"]


def test_a_visit_whose_pathway_does_not_allow_it_is_not_booked_whatever_the_reason(desk: Months) -> None:
    episode = desk.refer("spinal-cord-stimulation").episode or ""
    desk.build()
    plan = desk.plan(FIRST)
    with desk.store.writing() as session:
        trial = VisitSubject(episode, Occurrence("trial", 1))
        records.put_subjects(session, {f"{episode}.assessment.1": trial})
    desk.publish_made(plan)
    assert (desk.stands(f"{episode}.assessment.1"), desk.history(episode)) == (None, ["referred"])


def test_what_follows_a_visit_of_another_week_is_published_once_that_has_a_place(desk: Months) -> None:
    desk.now = datetime(2026, 12, 3, 8, 0, tzinfo=UTC)
    desk.build(start=MONDAY)
    other = desk.refer("follow-up", "quin").episode
    desk.build(start=MONDAY + timedelta(weeks=1))
    waiting = desk.refer("spinal-drug-delivery", "pat").episode or ""
    consult, trial = f"{waiting}.consult.1", f"{waiting}.trial.1"
    assert consult in desk.asked(FIRST) and trial in desk.asked(SECOND)
    plan = desk.plan(SECOND)
    desk.publish_made(plan)
    assert (desk.stands(trial), desk.history(waiting)) == (None, ["referred"])
    assert desk.stands(f"{other}.visit.1") == "booked"
    desk.publish(FIRST)
    assert (desk.stands(consult), desk.stands(trial)) == ("booked", None)
    desk.publish(SECOND)
    assert desk.stands(trial) == "booked"


@pytest.mark.parametrize(("ill", "event"), [(False, "withdrawn"), (True, "cancelled")])
def test_a_plan_withdraws_a_place_unless_illness_takes_it(desk: Months, ill: bool, event: str) -> None:
    episode = desk.refer("new-patient-acute").episode or ""
    desk.build()
    desk.publish(FIRST)
    if ill:
        desk.away(FIRST)
    desk.publish(FIRST, f"{episode}.evaluation.1")
    assert desk.history(episode) == ["referred", "planned", event]


def test_nobody_coming_asks_for_another_visit(desk: Months) -> None:
    episode = desk.refer("new-patient-acute").episode or ""
    desk.build()
    desk.publish(FIRST)
    desk.live(f"{episode}.evaluation.1", came=False)
    assert desk.history(episode)[-1] == "no-show"
    (again,) = desk.open_steps(episode)
    assert again == f"{episode}.evaluation.1.2"
    desk.build(start=MONDAY + timedelta(weeks=1))
    assert again in {**desk.asked(FIRST), **desk.asked(SECOND)}


def test_a_pump_is_refilled_before_its_date(desk: Months) -> None:
    episode = desk.refer("pump-refill", low_reservoir=date(2026, 12, 9)).episode or ""
    found = desk.build(weeks=2)
    asked = desk.asked(found.scenario.id)[f"{episode}.refill.1"]
    assert asked.deadline == date(2026, 12, 9)
    assert [one.kind for one in found.alerts] == ["last-horizon"]


def test_a_group_meets_once_a_month_and_who_waited_has_a_seat_then(desk: Months) -> None:
    for number in range(4):
        desk.refer("group", f"pat-{number}")
    for week in range(9):
        found = desk.build(start=MONDAY + timedelta(weeks=week))
        desk.publish(found.scenario.id)
        desk.now += timedelta(weeks=1)
    programme = desk.programme("coping-skills")
    assert (programme.waiting, len(programme.members)) == ((), 4)
    assert [f"{one.date:%Y-%m}" for one in programme.sessions] == ["2026-11", "2026-12", "2027-01"]
    gaps = [(b.date - a.date).days for a, b in pairwise(programme.sessions)]
    assert all(programme.min_days <= days <= programme.max_days for days in gaps)


def test_a_week_of_which_nobody_works_or_that_another_scenario_has_is_refused(desk: Months) -> None:
    with pytest.raises(Conflict, match="nobody works"):
        desk.build(start=date(2027, 6, 7))
    desk.build(weeks=2)
    with pytest.raises(Conflict, match="has the dates"):
        desk.build(start=MONDAY + timedelta(weeks=1))


def test_a_visit_of_an_episode_is_withdrawn_only_with_it(desk: Months) -> None:
    from api.services.accounts.accounts import SYSTEM
    from api.services.care.requests import withdraw_visit

    episode = desk.refer("follow-up").episode
    desk.build()
    with pytest.raises(Conflict, match=f'asked for by episode "{episode}"'), desk.store.writing() as session:
        withdraw_visit(session, SYSTEM, f"{episode}.visit.1", 1, desk.now)


def test_what_is_only_looked_at_is_not_kept(desk: Months) -> None:
    episode = desk.refer("follow-up").episode
    assert [one.id for one in desk.preview().scenario.visits] == [f"{episode}.visit.1"]
    with pytest.raises(Exception, match="unknown period"):
        desk.asked(FIRST)


def test_what_follows_a_missed_visit_is_asked_for_with_it_and_not_before(desk: Months) -> None:
    episode = desk.refer("physical-therapy").episode
    first, second = f"{episode}.session.1", f"{episode}.session.2"
    desk.build()
    assert {first, second} <= set(desk.asked(FIRST))
    desk.publish(FIRST, second)
    desk.live(first, came=False)
    assert not {f"{first}.2", second} & {name for name in desk.asked(FIRST) if desk.stands(name) is None}
    found = desk.build(start=MONDAY + timedelta(weeks=1)).scenario
    assert {f"{first}.2", second} <= set(found.visits_by_id)


def test_what_was_noted_by_mistake_is_taken_back_with_the_episode(desk: Months) -> None:
    episode = desk.refer("spinal-cord-stimulation").episode or ""
    visit = f"{episode}.assessment.1"
    desk.build()
    desk.publish(FIRST)
    before = {name: one.planned for name, one in desk.open_steps(episode).items()}
    desk.live(visit)
    assert visit not in desk.open_steps(episode)
    for was in ("arrived", "booked"):
        desk.take_back(visit)
        assert desk.stands(visit) == was
        assert {name: one.planned for name, one in desk.open_steps(episode).items()} == before
    assert desk.history(episode) == ["referred", "planned", "done", "retracted"]
    desk.live(visit)
    desk.tell(episode, "outcome", step="assessment", outcome="positive")
    with pytest.raises(EventRefused, match="more is known of the visit"):
        desk.take_back(visit)
    assert desk.stands(visit) == "done"


def test_an_episode_that_was_completed_by_mistake_goes_on(desk: Months) -> None:
    episode = desk.refer("follow-up").episode or ""
    visit = f"{episode}.visit.1"
    desk.build()
    desk.publish(FIRST)
    desk.live(visit)
    assert desk.open_steps(episode) == {}
    desk.take_back(visit)
    assert list(desk.open_steps(episode)) == [visit]
    with desk.store.reading() as session:
        assert records.get_episode(session, episode).is_open


def test_who_was_missed_by_mistake_is_not_asked_for_once_more(desk: Months) -> None:
    episode = desk.refer("follow-up").episode or ""
    visit = f"{episode}.visit.1"
    desk.build()
    desk.publish(FIRST)
    before = desk.open_steps(episode)[visit].planned
    desk.live(visit, came=False)
    assert visit not in desk.open_steps(episode)
    desk.take_back(visit)
    assert (desk.stands(visit), desk.open_steps(episode)[visit].planned) == ("booked", before)
    assert set(desk.asked(FIRST)) == {visit}


def test_who_came_late_was_not_there_before_and_is_so_again_when_that_is_taken_back(desk: Months) -> None:
    episode = desk.refer("follow-up").episode or ""
    visit = f"{episode}.visit.1"
    desk.build()
    desk.publish(FIRST)
    desk.live(visit, came=False)
    with desk.store.writing() as session:
        by_hand.mark(session, SYSTEM, visit, "arrived", None, desk.now)
    desk.take_back(visit)
    assert desk.stands(visit) == "no-show"


def test_what_is_still_to_come_has_not_been(desk: Months) -> None:
    episode = desk.refer("spinal-cord-stimulation").episode or ""
    told = {"step": "assessment", "number": 1}
    with pytest.raises(EventRefused, match="its day is still to come"):
        desk.tell(episode, "done", date=desk.now.date() + timedelta(days=1), **told)
    desk.tell(episode, "done", date=desk.now.date(), **told)


GROUP = "coping-skills"


def seats(desk: Months, period: str) -> tuple[str, ...]:
    """Return who has a place in the session that stands in a period."""
    (group,) = [one for one in desk.groups(period) if one.id.startswith(GROUP)]
    return () if group.current is None else group.current.attendees


def met(desk: Months, *patients: str) -> str:
    """Let patients wait for a seat until a session of theirs is published; return its period."""
    for patient in patients:
        desk.refer("group", patient)
    for week in range(5):
        found = desk.build(start=MONDAY + timedelta(weeks=week))
        desk.publish(found.scenario.id)
        if any(one.id.startswith(GROUP) for one in found.scenario.groups):
            return found.scenario.id
    raise AssertionError("no session in five weeks")


def test_a_seat_that_is_given_back_goes_to_whoever_waits(desk: Months) -> None:
    with desk.store.writing() as session:
        programmes.change_programme(session, SYSTEM, GROUP, 1, {"capacity": 4, "min_attendees": 3}, desk.now)
    period = met(desk, "pat", "quin", "rae", "sol")
    give_addresses(desk.store, desk.now, "pat", "quin", "rae", "sol")
    send_all(desk.store, desk.now)
    desk.refer("group", "tam")
    assert seats(desk, period) == ("pat", "quin", "rae", "sol")
    desk.leave(GROUP, "quin")
    assert seats(desk, period) == ("pat", "rae", "sol", "tam")
    assert [(who, method) for who, method, _ in waiting(desk.store)] == [("quin", "CANCEL")]
    desk.build(start=desk.starts_on(period))
    assert seats(desk, period) == ("pat", "rae", "sol", "tam")
    desk.publish(period)
    assert seats(desk, period) == ("pat", "rae", "sol", "tam")
    (group,) = [one for one in desk.groups(period) if one.id.startswith(GROUP)]
    assert [one.patient for one in group.candidates] == ["pat", "rae", "sol", "tam"]
    with pytest.raises(UnknownId):
        desk.leave(GROUP, "quin")


def test_a_session_is_held_for_those_who_stay_and_not_without_anybody(desk: Months) -> None:
    period = met(desk, "pat", "quin", "rae", "sol")
    for gone, left in (("pat", 3), ("quin", 2), ("rae", 1)):
        desk.leave(GROUP, gone)
        assert len(seats(desk, period)) == left
        with desk.store.reading() as session:
            assert load_week(session, period, desk.now).settled
        desk.build(start=desk.starts_on(period))
        with desk.store.reading() as session:
            assert load_week(session, period, desk.now).settled
        desk.publish(period)
        assert len(seats(desk, period)) == left
    desk.leave(GROUP, "sol")
    (group,) = [one for one in desk.groups(period) if one.id.startswith(GROUP)]
    assert group.current is None
    desk.build(start=desk.starts_on(period))


def test_a_seat_in_a_session_that_has_begun_is_not_given_back(desk: Months) -> None:
    period = met(desk, "pat", "quin", "rae", "sol")
    desk.now = desk.now.replace(year=2027, month=1, day=1)
    desk.leave(GROUP, "pat")
    assert "pat" in seats(desk, period)


def test_a_special_clinic_reserves_those_who_staff_it_in_turn_in_weeks_that_are_built_alone(desk: Months) -> None:
    made = Scenario.parse(roster(2))
    known = made.providers_by_id["cancer-pain-physician-1"]
    document = json.loads(
        made.changed(providers=(*made.providers, known.changed(id="cancer-pain-physician-2"))).model_dump_json()
    )
    (block,) = document["clinic"]["blocks"]
    block["providers"] = everybody = [*block["providers"], "cancer-pain-physician-2"]
    with desk.store.writing() as session:
        import_roster(session, SYSTEM, json.dumps(document), desk.now)
    reserved = []
    for week in range(2):
        period = desk.build(start=MONDAY + timedelta(weeks=week)).scenario.id
        with desk.store.reading() as session:
            reserved.append(periods.load_scenario(session, period).clinic.blocks[0].providers)
    with desk.store.writing() as session:
        periods.keep_scenario(session, Scenario.parse(json.dumps(document | {"id": "taken-in"})), desk.now)
        assert list(periods.load_scenario(session, "taken-in").clinic.blocks[0].providers) == everybody
    physicians = [[who for who in staff if who.startswith("cancer")] for staff in reserved]
    assert sorted(physicians) == [["cancer-pain-physician-1"], ["cancer-pain-physician-2"]]
    assert all("palliative-physician-1" in staff for staff in reserved)
