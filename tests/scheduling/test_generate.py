"""Synthetic scenarios: sound, repeatable, busy, and made of what the rules of care ask for."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling import catalogue
from scheduling.clinic import Closure, Seat, Service
from scheduling.fields import Interval
from scheduling.generate import DEFAULT_START, SizeName, generate, measure_load
from scheduling.generate.load import Meter
from scheduling.people import Patient, Provider, Shift
from scheduling.requests import Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp, weekday

made = cache(generate)

SIZED: list[tuple[SizeName, int]] = [("tiny", 3), ("tiny", 11), ("week", 0), ("week", 7), ("month", 5)]
WEEKS = [made("week", seed) for seed in (0, 1, 7)]
MONDAYS = st.integers(0, 5000).map(lambda weeks: date(2001, 1, 1) + timedelta(weeks=weeks))


def digest(scenario: Scenario) -> str:
    return hashlib.sha256(scenario.model_dump_json().encode()).hexdigest()


def asked(scenario: Scenario, *services: str) -> list[Visit]:
    return [visit for visit in scenario.visits if visit.service in services]


def linked(scenario: Scenario, before: str, after: str) -> list[tuple[int, int | None]]:
    service = {visit.id: visit.service for visit in scenario.visits}
    pairs = [link for link in scenario.links if (service[link.before], service[link.after]) == (before, after)]
    return [(link.min_days, link.max_days) for link in pairs]


# ---- Sound and repeatable ----


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_every_scenario_passes_validation_and_reads_back_the_same(size: SizeName, seed: int):
    scenario = made(size, seed)
    assert Scenario.parse(scenario.model_dump_json()) == scenario


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(), start=MONDAYS)
def test_any_seed_and_any_monday_make_a_valid_scenario(seed: int, start: date):
    scenario = generate("tiny", seed, start)
    assert Scenario.parse(scenario.model_dump_json()).horizon.start == start


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(-5, 10**12), start=MONDAYS)
def test_weeks_with_holidays_are_as_valid_and_as_busy(seed: int, start: date):
    scenario = generate("week", seed, start)
    Scenario.parse(scenario.model_dump_json())
    assert 0.8 <= max(measure_load(scenario).values()) <= 0.9


def test_the_same_arguments_make_the_same_scenario_and_another_seed_another():
    assert digest(generate("week", 7)) == digest(made("week", 7))
    assert len({digest(scenario) for scenario in WEEKS} | {digest(generate("tiny", 1)), digest(generate("tiny", -1))}) == 5


def test_another_process_with_other_hashes_makes_the_same_scenario():
    code = "from scheduling.generate import generate; print(generate('tiny', 3).model_dump_json())"
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == made("tiny", 3).model_dump_json()


def test_a_start_that_is_no_monday_is_refused():
    with pytest.raises(ValueError, match="2026-12-01 is TU: a horizon starts on a Monday"):
        generate("tiny", 1, date(2026, 12, 1))


@pytest.mark.parametrize("start", [date(1900, 12, 31), date(8999, 1, 7), date(9999, 12, 27)])
def test_a_start_whose_dates_no_file_can_hold_is_refused(start: date):
    with pytest.raises(ValueError, match=f"the start {start} is not in the years 1901 to 8998"):
        generate("month", 1, start)


@pytest.mark.parametrize("start", [date(1901, 1, 7), date(8998, 12, 31)])
def test_the_first_and_the_last_start_are_made(start: date):
    assert generate("tiny", 1, start).horizon.start == start


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match='unknown size "year": one of tiny, week, month'):
        generate("year", 1)


def test_the_default_start_is_a_fixed_monday_and_another_shows_in_the_id():
    assert (made("tiny", 3).id, made("tiny", 3).horizon.start) == ("tiny-3", DEFAULT_START)
    assert generate("tiny", 3, date(2027, 3, 1)).id == "tiny-3-2027-03-01"


# ---- Size and load ----


@pytest.mark.parametrize(
    ("size", "seed", "visits", "providers", "weeks", "groups", "reserves"),
    [("tiny", 11, 29, 10, 1, 1, 5), ("week", 7, 680, 20, 1, 5, 10), ("month", 5, 2750, 20, 4, 5, 38)],
)
def test_a_size_has_about_its_numbers(size, seed, visits, providers, weeks, groups, reserves):
    scenario = made(size, seed)
    assert len(scenario.visits) == pytest.approx(visits, rel=0.05)
    assert len(scenario.providers) == providers
    assert (scenario.horizon.end - scenario.horizon.start).days == 7 * weeks
    assert (len(scenario.groups), len(scenario.reserves)) == (groups, reserves)


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_every_service_is_in_the_clinic_and_every_seat_asked_for_has_somebody(size: SizeName, seed: int):
    scenario = made(size, seed)
    assert [service.id for service in scenario.clinic.services] == [service.id for service in catalogue.list_services()]
    for visit in scenario.visits:
        for seat in scenario.services[visit.service].team:
            assert any(provider.can_fill(seat.any_of) and provider.shifts for provider in scenario.providers)


@pytest.mark.parametrize("scenario", WEEKS, ids=lambda scenario: scenario.id)
def test_a_week_asks_for_every_service(scenario: Scenario):
    wanted = {visit.service for visit in scenario.visits} | {group.service for group in scenario.groups}
    assert wanted == {service.id for service in scenario.clinic.services}


@pytest.mark.parametrize("scenario", [*WEEKS, made("month", 5)], ids=lambda scenario: scenario.id)
def test_the_bottleneck_is_asked_for_80_to_90_percent_of_its_minutes(scenario: Scenario):
    assert 0.8 <= max(measure_load(scenario).values()) <= 0.9


def at(hour: int, minute: int = 0, day: date = DEFAULT_START) -> datetime:
    return stamp(day, 60 * hour + minute)


def somebody(skills: tuple[str, ...], hours: list[tuple[int, int]], **changes: object) -> Provider:
    shifts = tuple(Shift(start=at(start), end=at(end), locations=("wang",)) for start, end in hours)
    provider = Provider(
        id="".join(skills), name="", role="", skills=skills, trainee=False, max_minutes_per_day=420, shifts=shifts, busy=()
    )
    return provider.changed(**changes)


def office(identifier: str, minutes: int, *seats: tuple[str, ...]) -> Service:
    team = tuple(Seat(any_of=seat) for seat in seats)
    return next(s for s in catalogue.list_services() if s.id == "follow-up").changed(id=identifier, minutes=minutes, team=team)


def test_load_charges_a_skill_with_every_seat_that_only_its_holders_can_fill():
    staff = [somebody(("evaluation", "follow-up"), [(8, 12)]), somebody(("follow-up",), [(8, 14)])]
    meter = Meter([office("long", 60, ("evaluation",)), office("short", 30, ("follow-up",))], staff, ())
    meter.count(["long", "long", "short"])
    assert meter.ratios() == {"evaluation": 120 / 240, "follow-up": 150 / 600}
    assert meter.highest() == 0.5
    assert meter.highest_with("short") == 180 / 600
    assert meter.highest_with("long") == 180 / 240


def test_load_charges_neither_skill_with_a_seat_that_either_can_fill():
    staff = [somebody(("psychology",), [(8, 12)]), somebody(("psychiatry",), [(8, 12)])]
    services = [office("either", 45, ("psychology", "psychiatry")), office("both", 60, ("psychology",), ("psychiatry",))]
    meter = Meter(services, staff, ())
    meter.count(["either", "both"])
    assert meter.ratios() == {"psychology": 60 / 240, "psychiatry": 60 / 240}


@pytest.mark.parametrize(
    ("provider", "minutes"),
    [
        (somebody(("a",), [(8, 12)]), 240),
        (somebody(("a",), [(8, 12), (13, 17)]), 420),
        (somebody(("a",), [(8, 12)], busy=(Interval(start=at(11, 30), end=at(13)),)), 210),
        (somebody(("a",), [(8, 12)], busy=(Interval(start=at(9), end=at(11)), Interval(start=at(9, 30), end=at(10)))), 120),
    ],
)
def test_supply_is_the_shifts_less_busy_times_up_to_the_daily_limit(provider: Provider, minutes: int):
    meter = Meter([office("one", 30, ("a",))], [provider], ())
    meter.add("one")
    assert meter.ratios() == {"a": 30 / minutes}


@pytest.mark.parametrize(("locations", "minutes"), [(("wang",), 240), (("west",), 60), (("west", "wang"), 240)])
def test_a_closure_takes_the_supply_of_shifts_that_cannot_be_elsewhere(locations, minutes):
    shift = Shift(start=at(8), end=at(12), locations=locations)
    closure = Closure(start=at(9), end=at(20), location="west", reason="training")
    meter = Meter([office("one", 30, ("a",))], [somebody(("a",), [], shifts=(shift,))], [closure])
    meter.add("one")
    assert meter.ratios() == {"a": 30 / minutes}


def test_what_nobody_can_do_is_infinitely_loaded_and_only_when_asked_for():
    meter = Meter([office("one", 30, ("a",)), office("two", 30, ("b",))], [somebody(("a",), [(8, 12)])], ())
    assert meter.ratios() == {"a": 0.0, "b": 0.0}
    meter.add("two")
    assert meter.ratios() == {"a": 0.0, "b": float("inf")}


def test_load_counts_visits_groups_and_reserves():
    scenario = made("tiny", 11)
    without = [scenario.changed(visits=()), scenario.changed(groups=()), scenario.changed(reserves=())]
    assert all(sum(measure_load(less).values()) < sum(measure_load(scenario).values()) for less in without)


# ---- Every visit could take place ----


def starts_alone(scenario: Scenario, visit: Visit) -> Iterator[datetime]:
    """Yield the starts at which a visit could take place if it were the only one."""
    service, patient = scenario.services[visit.service], scenario.patients_by_id[visit.patient]
    last = scenario.horizon.end - timedelta(days=1)
    day = max(visit.earliest, scenario.horizon.start)
    while day <= min(visit.deadline or last, last, visit.earliest if visit.same_day else last):
        for location in service.locations:
            if scenario.site(location) in patient.allowed_sites and has_room(scenario, service, location):
                for start in (at(8, 15 * quarter, day) for quarter in range(36)):
                    if fits(scenario, visit, service, patient, location, start):
                        yield start
        day += timedelta(days=1)


def has_room(scenario: Scenario, service: Service, location: str) -> bool:
    return service.room is None or any(r.location == location and service.room.suits(r) for r in scenario.clinic.rooms)


def fits(s: Scenario, visit: Visit, service: Service, patient: Patient, location: str, start: datetime) -> bool:
    end = start + timedelta(minutes=service.minutes)
    rested = end + timedelta(minutes=service.recovery)
    taken = [*patient.unavailable, *(c for c in s.clinic.closures if c.location in (None, location))]
    if rested.time() > s.locations[location].closes or any(i.start < rested and start < i.end for i in taken):
        return False
    there = [
        provider
        for provider in s.providers
        if not provider.trainee
        and any(location in h.locations and h.start <= start and end <= h.end for h in provider.shifts)
        and not any(meeting.start < end and start < meeting.end for meeting in provider.busy)
    ]
    if visit.required_provider and visit.required_provider not in {provider.id for provider in there}:
        return False
    return all(any(provider.can_fill(seat.any_of) for provider in there) for seat in service.team)


@pytest.mark.parametrize("scenario", [made("tiny", 3), made("tiny", 11), *WEEKS], ids=lambda scenario: scenario.id)
def test_every_visit_could_be_planned_if_it_were_alone(scenario: Scenario):
    assert [visit.id for visit in scenario.visits if next(starts_alone(scenario, visit), None) is None] == []


# ---- What is asked for ----


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_new_consults_for_cancer_are_on_the_day_of_the_referral(size: SizeName, seed: int):
    consults = asked(made(size, seed), "cancer-consult", "inpatient-consult")
    assert {visit.service for visit in consults} == {"cancer-consult", "inpatient-consult"}
    assert all(visit.same_day and visit.priority == "cancer" and visit.deadline == visit.earliest for visit in consults)
    others = [visit for visit in made(size, seed).visits if visit not in consults]
    assert not any(visit.same_day for visit in others)


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_the_cancer_clinic_is_asked_for_by_its_wednesday_and_its_staff_keep_it_free(size: SizeName, seed: int):
    scenario = made(size, seed)
    visits = asked(scenario, "advanced-cancer-visit")
    assert visits
    assert all(visit.target is not None and weekday(visit.target) == "WE" for visit in visits)
    assert all(visit.earliest <= visit.target <= visit.earliest + timedelta(days=2) for visit in visits if visit.target)
    (block,) = scenario.clinic.blocks
    for provider in (scenario.providers_by_id[identifier] for identifier in block.providers):
        afternoons = [shift for shift in provider.shifts if weekday(shift.start.date()) == "WE" and shift.start.hour >= 13]
        assert afternoons and all(shift.locations == ("yawkey",) for shift in afternoons)
        assert not any(meeting.start < s.end and s.start < meeting.end for meeting in provider.busy for s in afternoons)


def test_visits_are_due_within_the_limits_of_their_onset_and_some_have_waited_already():
    days = Counter(
        (visit.target - visit.earliest).days for visit in made("month", 5).visits if visit.target and not visit.same_day
    )
    assert min(days) >= 0
    assert max(days) == 21
    assert days[5] > 50
    assert sum(count for waited, count in days.items() if 5 < waited < 21) > 200


def test_only_same_day_consults_and_refills_have_deadlines():
    scenario = made("week", 7)
    hard = [visit for visit in scenario.visits if visit.deadline]
    assert {visit.service for visit in hard} == {"cancer-consult", "inpatient-consult", "pump-refill"}
    assert all(3 <= (v.deadline - v.earliest).days <= 6 for v in hard if v.deadline and v.service == "pump-refill")
    assert all(visit.target is None or visit.target <= visit.deadline for visit in hard if visit.deadline)


@pytest.mark.parametrize("scenario", WEEKS, ids=lambda scenario: scenario.id)
def test_a_week_has_a_mix_of_people_and_wishes(scenario: Scenario):
    priorities = Counter(visit.priority for visit in scenario.visits)
    assert priorities["routine"] > priorities["soon"] > priorities["urgent"] > priorities["cancer"] > 10
    assert {patient.prefers for patient in scenario.patients} == {"morning", "afternoon", None}
    assert {patient.preferred_site for patient in scenario.patients} == {"boston", "waltham", None}
    assert {patient.allowed_sites for patient in scenario.patients} == {("boston",), ("waltham",), ("boston", "waltham")}
    assert sum(bool(patient.unavailable) for patient in scenario.patients) > 60
    assert sum(bool(visit.preferred_providers) for visit in scenario.visits) > 200
    assert any(visit.required_provider for visit in scenario.visits)
    assert max(Counter(visit.patient for visit in scenario.visits).values()) > 1
    assert any(len(shift.locations) == 2 for provider in scenario.providers for shift in provider.shifts)
    assert any(provider.busy for provider in scenario.providers)
    assert sum(provider.trainee for provider in scenario.providers) == 3


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_preferred_providers_can_do_what_they_are_preferred_for(size: SizeName, seed: int):
    scenario = made(size, seed)
    for visit in scenario.visits:
        for preferred in (*visit.preferred_providers, *filter(None, [visit.required_provider])):
            provider = scenario.providers_by_id[preferred]
            assert any(provider.can_fill(seat.any_of) for seat in scenario.services[visit.service].team)


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_meetings_lie_within_shifts_and_on_the_grid(size: SizeName, seed: int):
    for provider in made(size, seed).providers:
        for meeting in provider.busy:
            assert any(shift.start <= meeting.start and meeting.end <= shift.end for shift in provider.shifts)
            assert meeting.start.minute % 15 == 0


# ---- Pathways ----


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_links_join_visits_of_one_patient(size: SizeName, seed: int):
    scenario = made(size, seed)
    patient = {visit.id: visit.patient for visit in scenario.visits}
    assert scenario.links
    assert all(patient[link.before] == patient[link.after] for link in scenario.links)


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_work_injuries_are_three_linked_parts_in_one_building_on_one_day(size: SizeName, seed: int):
    scenario = made(size, seed)
    parts = Counter(v.patient for v in scenario.visits if v.service.startswith("work-injury"))
    assert parts and set(parts.values()) == {3}
    service = {visit.id: visit.service for visit in scenario.visits}
    links = [link for link in scenario.links if service[link.after].startswith("work-injury")]
    assert len(links) == 2 * len(parts)
    assert all(link.together and link.same_location and (link.min_days, link.max_days) == (0, 0) for link in links)


def test_a_month_links_the_steps_of_the_stimulator_pathways_by_their_days():
    scenario = made("month", 5)
    assert set(linked(scenario, "scs-assessment", "scs-trial")) == {(7, 60)}
    assert set(linked(scenario, "scs-assessment", "drg-trial")) == {(7, 60)}
    assert set(linked(scenario, "scs-trial", "scs-lead-removal")) == {(5, 7)}
    assert set(linked(scenario, "drg-trial", "drg-lead-removal")) == {(5, 7)}
    assert set(linked(scenario, "drg-lead-removal", "drg-implant")) == {(14, 60)}
    assert set(linked(scenario, "scs-implant", "stimulator-programming")) == {(7, 14)}


def test_a_month_follows_facet_injections_by_ablation_and_series_by_their_weeks():
    scenario = made("month", 5)
    assert set(linked(scenario, "facet-injection", "facet-injection")) == {(7, None)}
    assert set(linked(scenario, "facet-injection", "radiofrequency-ablation")) == {(14, None)}
    assert set(linked(scenario, "cognitive-therapy", "cognitive-therapy")) == {(6, 8)}
    assert set(linked(scenario, "relaxation-training", "relaxation-training")) == {(6, 8)}
    assert set(linked(scenario, "physical-therapy", "physical-therapy")) == {(3, 5)}


@pytest.mark.parametrize("scenario", [*WEEKS, made("month", 5)], ids=lambda scenario: scenario.id)
def test_drug_delivery_trials_come_with_a_check_on_each_of_the_three_days_after(scenario: Scenario):
    trials = asked(scenario, "sdd-trial")
    assert trials
    assert linked(scenario, "sdd-trial", "sdd-trial-check") == [(1, 1)] * len(trials)
    assert linked(scenario, "sdd-trial-check", "sdd-trial-check") == [(1, 1)] * 2 * len(trials)
    assert all(weekday(trial.earliest) in ("MO", "TU") for trial in trials)


def test_a_week_too_short_for_a_trial_and_its_checks_has_neither():
    scenario = generate("week", 1, date(2026, 11, 23))
    assert asked(scenario, "sdd-trial", "sdd-trial-check") == []
    assert asked(scenario, "sdd-implant")


@pytest.mark.parametrize("scenario", [made("tiny", 11), *WEEKS], ids=lambda scenario: scenario.id)
def test_opioid_consultations_follow_their_risk_assessment_the_same_day_allowed(scenario: Scenario):
    consultations = asked(scenario, "opioid-consultation")
    assert consultations
    assert linked(scenario, "opioid-risk-assessment", "opioid-consultation") == [(0, 21)] * len(consultations)


@pytest.mark.parametrize(("size", "seed"), SIZED)
def test_the_earliest_dates_of_linked_visits_keep_their_distance(size: SizeName, seed: int):
    scenario = made(size, seed)
    earliest = {visit.id: visit.earliest for visit in scenario.visits}
    for link in scenario.links:
        days = (earliest[link.after] - earliest[link.before]).days
        assert link.min_days <= days and (link.max_days is None or days <= link.max_days)


# ---- Groups, reserves, closures ----


@pytest.mark.parametrize("start", [DEFAULT_START, date(2027, 1, 25), date(2028, 5, 29)])
def test_groups_meet_in_the_month_of_the_horizon_within_reach_of_their_last_session(start: date):
    scenario = generate("week", 2, start)
    days = [start + timedelta(days=index) for index in range(5)]
    for group in scenario.groups:
        assert group.last_session is not None and f"{group.last_session:%Y-%m}" < group.month
        reach = (group.last_session + timedelta(days=d) for d in (group.min_days_between, group.max_days_between))
        first, last = reach
        assert any(first <= day <= last and f"{day:%Y-%m}" == group.month for day in days)
        candidates = {candidate.patient for candidate in group.candidates}
        assert 6 <= len(candidates) == len(group.candidates) <= 15
    assert any(visit.patient in {c.patient for g in scenario.groups for c in g.candidates} for visit in scenario.visits)


def test_capacity_is_held_for_cancer_consults_on_every_working_day():
    scenario = made("week", 7)
    held = Counter((reserve.date, reserve.service) for reserve in scenario.reserves)
    assert held == {(DEFAULT_START + timedelta(days=index), "cancer-consult"): 2 for index in range(5)}
    wednesday = [reserve for reserve in scenario.reserves if weekday(reserve.date) == "WE"]
    assert all(reserve.from_ <= time(11) for reserve in wednesday)


def test_a_month_has_a_holiday_on_which_nobody_works_and_an_afternoon_that_closes_on_staff():
    scenario = made("month", 5)
    training, christmas = scenario.clinic.closures
    day = date(2026, 12, 25)
    assert (christmas.start, christmas.end, christmas.location) == (at(0, day=day), at(24, day=day), None)
    assert not any(shift.start.date() == day for provider in scenario.providers for shift in provider.shifts)
    assert not any(reserve.date == day for reserve in scenario.reserves)
    assert (training.start, training.location) == (at(13, day=date(2026, 12, 23)), "west")
    assert any(s.start == training.start and "west" in s.locations for p in scenario.providers for s in p.shifts)


@pytest.mark.parametrize(
    ("start", "holiday"),
    [
        (date(2026, 11, 23), date(2026, 11, 26)),
        (date(2027, 5, 31), date(2027, 5, 31)),
        (date(2027, 5, 24), None),
        (date(2027, 9, 6), date(2027, 9, 6)),
        (date(2026, 12, 28), date(2027, 1, 1)),
    ],
)
def test_holidays_fall_on_their_dates_in_any_year(start: date, holiday: date | None):
    closed = [closure.start.date() for closure in generate("tiny", 1, start).clinic.closures]
    assert closed == ([holiday] if holiday else [])
