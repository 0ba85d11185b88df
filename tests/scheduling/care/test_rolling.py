"""Rolling weeks: what the next horizon is asked for, what is previewed, and what is raised before it is too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from support.histories import PARTS, episode, event

from scheduling import catalogue
from scheduling.care.episodes import Episode
from scheduling.care.rolling import ClinicRecords, NextWeek, build_next_scenario, build_scenario, make_availability
from scheduling.clinic import Closure
from scheduling.fields import Horizon
from scheduling.people import Patient, Provider, Shift
from scheduling.requests import Current
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp

NOW = stamp(date(2026, 12, 3), 15 * 60)
"""A Thursday; the next horizon begins on Monday 2026-12-07."""

PAT = Patient(id="pat", name="Pat", preferred_site=None, allowed_sites=("boston", "waltham"), unavailable=(), prefers=None)


def a_book(*episodes: Episode, closures: tuple[Closure, ...] = (), **changes: object) -> ClinicRecords:
    named = tuple(one.changed(id=f"e{number}") for number, one in enumerate(episodes))
    return replace(ClinicRecords(catalogue.build_clinic(closures=closures), (), (PAT,), named), **changes)


def closed(day: date) -> Closure:
    return Closure(start=stamp(day, 0), end=stamp(day + timedelta(days=1), 0), location=None, reason="holiday")


def asked(found: NextWeek) -> dict[str, tuple[str, str | None]]:
    return {
        visit.id: (f"{visit.earliest}", None if visit.deadline is None else f"{visit.deadline}")
        for visit in found.scenario.visits
    }


def kinds(found: NextWeek) -> list[tuple[str, str]]:
    return [(alert.kind, alert.visit) for alert in found.alerts]


TRIED = [
    ("planned", "assessment", "2026-11-30"),
    ("done", "assessment", "2026-11-30"),
    ("outcome", "assessment", "positive", "2026-11-30"),
]


def test_a_scenario_is_valid_and_asks_for_open_steps():
    found = build_next_scenario(a_book(episode("follow-up"), episode("work-injury")), 1, NOW)
    assert Scenario.parse(found.scenario.model_dump_json()) == found.scenario
    assert list(asked(found)) == ["e0.visit.1", "e1.medical.1", "e1.psychology.1", "e1.function.1"]
    assert [(link.before, link.after) for link in found.scenario.links] == [
        ("e1.medical.1", "e1.psychology.1"),
        ("e1.psychology.1", "e1.function.1"),
    ]


def test_a_trial_is_begun_in_a_week_that_cannot_hold_its_removal_and_the_removal_is_previewed():
    found = build_next_scenario(a_book(episode("spinal-cord-stimulation", *TRIED)), 1, NOW)
    assert asked(found) == {"e0.trial.1": ("2026-12-07", "2027-01-29")}
    removal = next(preview for preview in found.previews if preview.occurrence.step == "lead-removal")
    assert (f"{removal.earliest}", removal.certain) == ("2026-12-12", True)


def test_a_trial_does_not_begin_where_a_holiday_takes_the_only_day_of_its_removal():
    book = a_book(episode("spinal-cord-stimulation", *TRIED), closures=(closed(date(2026, 12, 14)),))
    assert asked(build_next_scenario(book, 1, NOW))["e0.trial.1"][0] == "2026-12-08"


def test_two_weeks_hold_trial_and_removal_together():
    found = build_next_scenario(a_book(episode("spinal-cord-stimulation", *TRIED)), 2, NOW)
    assert list(asked(found)) == ["e0.trial.1", "e0.lead-removal.1"]
    (link,) = found.scenario.links
    assert (link.min_days, link.max_days, link.together) == (5, 7, True)


CONSULTED = [("planned", "consult", "2026-11-30"), ("done", "consult", "2026-11-30")]


def test_a_catheter_trial_is_asked_for_with_its_checks_in_one_week():
    found = build_next_scenario(a_book(episode("spinal-drug-delivery", *CONSULTED, priority="cancer")), 1, NOW)
    assert list(asked(found)) == ["e0.trial.1", "e0.check.1", "e0.check.2", "e0.check.3"]
    assert all(link.together and link.max_days == 1 for link in found.scenario.links)


def test_the_only_day_of_a_week_for_a_catheter_trial_is_not_its_last_where_another_week_will_do():
    book = a_book(episode("spinal-drug-delivery", *CONSULTED), closures=(closed(date(2026, 12, 11)),))
    found = build_next_scenario(book, 1, NOW)
    assert asked(found)["e0.trial.1"] == ("2026-12-07", None)


def test_a_catheter_trial_waits_where_a_holiday_leaves_no_four_days_in_a_row():
    book = a_book(episode("spinal-drug-delivery", *CONSULTED), closures=(closed(date(2026, 12, 9)),))
    found = build_next_scenario(book, 1, NOW)
    assert asked(found) == {}
    assert [str(preview.occurrence) for preview in found.previews][:2] == ["trial.1", "check.1"]


def test_what_stands_in_the_horizon_is_current_and_what_stands_before_it_opens_the_next_window():
    told = [event("planned", "session.1", "2026-12-04"), event("planned", "session.2", "2026-12-08")]
    place = Current(start=stamp(date(2026, 12, 8), 540), location="wang", room="wang-gym-1", team=("pt-1",), notified=True)
    book = a_book(episode("physical-therapy", *told), current={"e0.session.2": place})
    found = build_next_scenario(book, 1, NOW)
    by_id = found.scenario.visits_by_id
    assert by_id["e0.session.2"].current == place
    assert asked(found)["e0.session.3"] == ("2026-12-11", "2026-12-11"), "the weekend after it is no time for care"
    assert [(link.before, link.after) for link in found.scenario.links] == [("e0.session.2", "e0.session.3")]


def test_what_has_waited_beyond_its_target_is_raised_and_late_from_the_horizon_on_only():
    (visit,) = build_next_scenario(a_book(episode("follow-up", referred=date(2026, 10, 1))), 1, NOW).scenario.visits
    assert (visit.priority, visit.target) == ("soon", date(2026, 12, 7))


def test_a_last_chance_is_raised_before_it_is_gone():
    told = [("planned", "session.1", "2026-12-02"), ("done", "session.1", "2026-12-02")]
    found = build_next_scenario(a_book(episode("physical-therapy", *told)), 1, NOW)
    assert kinds(found) == [("last-day", "e0.session.2")]
    cbt = [("planned", "session.1", "2026-12-02"), ("done", "session.1", "2026-12-02")]
    assert kinds(build_next_scenario(a_book(episode("cognitive-therapy", *cbt)), 1, NOW)) == [("last-horizon", "e0.session.2")]


def test_a_window_that_is_over_before_the_horizon_is_raised_while_it_lasts():
    found = build_next_scenario(a_book(episode("pump-refills", ("dated", "low-reservoir", "2026-12-04", "2026-11-30"))), 1, NOW)
    assert kinds(found) == [("before-horizon", "e0.refill.1")]


def test_an_outcome_that_nobody_recorded_is_raised():
    found = build_next_scenario(a_book(episode("spinal-cord-stimulation", *TRIED[:2])), 1, NOW)
    assert ("outcome-awaited", "e0.trial.1") in kinds(found)


def test_what_stands_for_nothing_is_raised():
    told = [("planned", part, "2026-12-08") for part in PARTS]
    gone = event("cancelled", "function", "2026-12-08", known="2026-12-02")
    found = build_next_scenario(a_book(episode("work-injury", *told, gone)), 1, NOW)
    assert {visit for kind, visit in kinds(found) if kind == "void"} == {"e0.medical.1", "e0.psychology.1"}


@pytest.mark.parametrize("weeks", [1, 2])
def test_a_horizon_of_weeks_starts_on_the_next_monday(weeks):
    horizon = build_next_scenario(a_book(), weeks, NOW).scenario.horizon
    assert (horizon.start, horizon.end) == (date(2026, 12, 7), date(2026, 12, 7) + timedelta(weeks=weeks))


def test_a_trial_that_has_begun_goes_on_though_its_last_check_is_in_the_week_after():
    told = [(kind, "trial", "2026-12-07") for kind in ("planned", "done")]
    told += [(kind, "check.1", "2026-12-08") for kind in ("planned", "done")]
    missed = [(kind, "check.2", day) for day in ("2026-12-09", "2026-12-10") for kind in ("planned", "no-show")]
    found = build_scenario(
        a_book(episode("spinal-drug-delivery", *CONSULTED, *told, *missed)),
        Horizon(start=date(2026, 12, 11), end=date(2026, 12, 14)),
        stamp(date(2026, 12, 10), 18 * 60),
    )
    assert asked(found) == {"e0.check.2.3": ("2026-12-11", "2026-12-11")}
    assert [str(preview.occurrence) for preview in found.previews][:1] == ["check.3"]


WEEK = Horizon(start=date(2026, 12, 7), end=date(2026, 12, 14))


@pytest.mark.parametrize(("hour", "earliest"), [(17, "2026-12-09"), (18, "2026-12-10")])
def test_a_week_that_has_begun_is_asked_for_what_is_left_of_it(hour: int, earliest: str):
    book = a_book(episode("new-patient-acute", referred=date(2026, 12, 3)), episode("follow-up"))
    found = build_scenario(book, WEEK, stamp(date(2026, 12, 9), 60 * hour))
    assert found.scenario.horizon == WEEK
    assert asked(found) == {"e0.evaluation.1": (earliest, None), "e1.visit.1": (earliest, None)}
    assert min(f"{reserve.date}" for reserve in found.scenario.reserves) >= earliest


def test_of_a_week_that_is_over_its_last_day_is_left():
    found = build_scenario(a_book(episode("follow-up")), WEEK, stamp(date(2026, 12, 20), 0))
    assert found.scenario.visits == ()


@pytest.mark.parametrize(
    ("start", "end", "shut"),
    [
        ((9, 0), (9, 18), {9}),
        ((9, 0), (9, 17), set()),
        ((9, 1), (9, 18), set()),
        ((8, 12), (9, 18), {9}),
        ((8, 0), (9, 17), {8}),
        ((8, 0), (10, 0), {8, 9}),
    ],
)
def test_a_day_is_closed_whose_morning_and_evening_lie_in_a_closure(
    start: tuple[int, int], end: tuple[int, int], shut: set[int]
):
    first, last = (stamp(date(2026, 12, day), 60 * hour) for day, hour in (start, end))
    holiday = Closure(start=first, end=last, location=None, reason="holiday")
    cares = make_availability(catalogue.build_clinic(closures=(holiday,)), ())
    days = {day for day in range(7, 12) if not cares(date(2026, 12, day), "follow-up", None, None)}
    assert days == shut


def test_a_closure_of_one_building_closes_no_day():
    day = date(2026, 12, 9)
    here = Closure(start=stamp(day, 0), end=stamp(day, 18 * 60), location="west", reason="works")
    assert make_availability(catalogue.build_clinic(closures=(here,)), ())(day, "follow-up", None, None)


def test_what_goes_on_with_a_bundle_is_asked_for_alone_and_what_follows_it_is_previewed():
    told = [(kind, "trial", "2026-12-07") for kind in ("planned", "done")]
    missed = [(kind, "check.1", "2026-12-08") for kind in ("planned", "no-show")]
    drug = a_book(episode("spinal-drug-delivery", *CONSULTED, *told, *missed))
    week = Horizon(start=date(2026, 12, 10), end=date(2026, 12, 14))
    found = build_scenario(drug, week, stamp(date(2026, 12, 9), 18 * 60))
    assert list(asked(found)) == ["e0.check.1.2"]
    assert [str(preview.occurrence) for preview in found.previews][:2] == ["check.2", "check.3"]


def test_a_bundle_that_stands_and_has_not_begun_is_not_gone_on_with_where_it_has_no_room():
    drug = a_book(episode("spinal-drug-delivery", *CONSULTED, event("planned", "trial", "2026-12-09", known="2026-12-07")))
    week = Horizon(start=date(2026, 12, 10), end=date(2026, 12, 14))
    found = build_scenario(drug, week, stamp(date(2026, 12, 8), 18 * 60))
    assert asked(found) == {}


def test_what_cannot_follow_a_visit_that_goes_on_alone_is_not_asked_for_on_another_day():
    told = [(kind, "trial", "2026-12-07") for kind in ("planned", "done")]
    told += [(kind, "check.1", "2026-12-08") for kind in ("planned", "done")]
    told += [(kind, "check.2", day) for day in ("2026-12-09", "2026-12-10") for kind in ("planned", "no-show")]
    service = next(service for service in catalogue.list_services() if service.id == "sdd-trial-check")
    days = [date(2026, 12, day) for day in (14, 16, 25)]  # no two of them follow each other
    shifts = tuple(Shift(start=stamp(day, 480), end=stamp(day, 960), locations=service.locations) for day in days)
    skills = tuple(skill for seat in service.team for skill in seat.any_of)
    who = Provider(
        id="one", name="One", role="any", skills=skills, trainee=False, max_minutes_per_day=480, shifts=shifts, busy=()
    )
    drug = a_book(episode("spinal-drug-delivery", *CONSULTED, *told), providers=(who,))
    found = build_scenario(drug, Horizon(start=date(2026, 12, 14), end=date(2026, 12, 21)), stamp(date(2026, 12, 11), 18 * 60))
    assert list(asked(found)) == ["e0.check.2.3"]
    assert [str(preview.occurrence) for preview in found.previews][:1] == ["check.3"]


def test_a_week_reserves_for_the_special_clinic_the_pair_that_staffs_it_then():
    def doctor(identifier: str, skill: str) -> Provider:
        days = (date(2026, 12, 9) + timedelta(weeks=number) for number in range(2))
        shifts = tuple(Shift(start=stamp(day, 780), end=stamp(day, 1020), locations=("yawkey",)) for day in days)
        role = "palliative-physician" if skill == "palliative-care" else "cancer-pain-physician"
        return Provider(id=identifier, role=role, skills=(skill,), shifts=shifts)

    staff = (doctor("ann", "cancer-pain"), doctor("bo", "cancer-pain"), doctor("pal", "palliative-care"))
    book = a_book(providers=staff)
    book = replace(book, clinic=catalogue.build_clinic(staff))
    pairs = [build_next_scenario(book, 1, NOW + timedelta(weeks=n)).scenario.clinic.blocks[0].providers for n in range(2)]
    assert sorted(pairs) == [("ann", "pal"), ("bo", "pal")]
