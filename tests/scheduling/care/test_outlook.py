"""The outlook: what is asked of skills, rooms and sites, and the wait that follows from it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling import catalogue
from scheduling.care.episodes import Episode, Event
from scheduling.care.outlook import Outlook, Resource, estimate_outlook
from scheduling.care.rolling import ClinicRecords
from scheduling.clinic import Closure
from scheduling.fields import Interval
from scheduling.people import Provider, Shift

MONDAY, TODAY, WEEKS = date(2026, 11, 30), date(2026, 11, 27), 12
USABLE = catalogue.get_limits().usable_percent / 100
EVALUATION, PSYCHOLOGY = Resource("skill", "evaluation", "boston"), Resource("skill", "psychology", "boston")
HOURS = 8


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour))


def worker(identifier: str, *skills: str, days: int = 5, locations: tuple[str, ...] = ("wang",), **more: Any) -> Provider:
    """Return somebody who works from eight to four on the first days of each week."""
    dates = [MONDAY + timedelta(weeks=week, days=day) for week in range(WEEKS) for day in range(days)]
    shifts = tuple(Shift(start=at(day, 8), end=at(day, 16), locations=locations) for day in dates)
    fields: dict[str, Any] = {"role": "any", "trainee": False, "max_minutes_per_day": 480, "busy": ()}
    return Provider(id=identifier, name=identifier, skills=skills, shifts=shifts, **{**fields, **more})


def waiting(number: int, pathway: str = "new-patient-chronic", referred: date = date(2026, 9, 1)) -> Episode:
    known = Event(kind="referred", known=at(TODAY, 9), date=referred)
    return Episode(id=f"e-{number}", pathway=pathway, patient=f"p-{number}", priority="routine", history=(known,))


def look(
    *staff: Provider, known: int = 0, pathway: str = "new-patient-chronic", closures: tuple[Closure, ...] = (), **rates: float
) -> Outlook:
    book = ClinicRecords(
        clinic=catalogue.build_clinic(staff, "small", closures),
        providers=staff,
        patients=(),
        episodes=tuple(waiting(number, pathway) for number in range(known)),
    )
    return estimate_outlook(book, MONDAY, WEEKS, TODAY, {name.replace("_", "-"): rate for name, rate in rates.items()})


def load(found: Outlook, resource: Resource) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return next((load.demand, load.capacity) for load in found.loads if load.resource == resource)


def days(found: Outlook, service: str = "spine-evaluation") -> int | None:
    return next(wait.days for wait in found.waits if wait.service == service)


ANA = worker("ana", "evaluation")


def test_capacity_is_the_time_at_work_of_who_has_the_skill() -> None:
    assert load(look(ANA), EVALUATION)[1] == (5 * HOURS * 60,) * WEEKS
    assert load(look(ANA, worker("fellow", "evaluation", trainee=True)), EVALUATION)[1] == (5 * HOURS * 60,) * WEEKS
    limited = worker("ana", "evaluation", max_minutes_per_day=300)
    assert load(look(limited), EVALUATION)[1] == (5 * 300,) * WEEKS
    meeting = Interval(start=at(MONDAY, 9), end=at(MONDAY, 10))
    assert load(look(worker("ana", "evaluation", busy=(meeting,))), EVALUATION)[1][:2] == (39 * 60, 40 * 60)


def test_a_closure_takes_capacity_of_people_and_rooms() -> None:
    closed = Closure(start=at(MONDAY, 0), end=at(MONDAY + timedelta(days=1), 0), location=None, reason="holiday")
    found, room = look(ANA, closures=(closed,)), Resource("room", "exam", "boston")
    assert load(found, EVALUATION)[1][:2] == (32 * 60, 40 * 60)
    rooms = sum(room.location == "wang" and room.kind == "exam" for room in catalogue.build_clinic(extent="small").rooms)
    assert load(found, room)[1][:2] == (rooms * 32 * 60, rooms * 40 * 60)
    elsewhere = Closure(start=at(MONDAY, 0), end=at(MONDAY, 23), location="west", reason="works")
    assert load(look(ANA, closures=(elsewhere,)), EVALUATION)[1][0] == 40 * 60


def test_half_the_time_of_who_works_at_either_site_counts_at_each() -> None:
    both = worker("ana", "evaluation", locations=("wang", "west"))
    found = look(both)
    assert load(found, EVALUATION)[1][0] == load(found, Resource("skill", "evaluation", "waltham"))[1][0] == 20 * 60


def test_who_has_two_skills_gives_time_to_the_scarcer_one_first() -> None:
    both, other = worker("ana", "evaluation", "psychology"), worker("ben", "evaluation")
    alone = look(both, other)
    assert (load(alone, PSYCHOLOGY)[1][0], load(alone, EVALUATION)[1][0]) == (40 * 60, 80 * 60)
    busy = look(both, other, known=5, pathway="relaxation-training")
    asked = load(busy, PSYCHOLOGY)[0][0]
    assert 0 < asked <= 40 * 60 and load(busy, EVALUATION)[1][0] == 80 * 60 - asked


def test_a_special_clinic_is_a_capacity_of_its_own_and_none_of_others() -> None:
    physician = worker("pat", "cancer-pain", "evaluation", locations=("yawkey",), role="cancer-pain-physician")
    palliative = worker("pam", "palliative-care", locations=("yawkey",), role="palliative-physician")
    found = look(physician, palliative)
    clinic = Resource("special-clinic", "advanced-cancer-pain-clinic", "boston")
    assert load(found, clinic)[1] == (4 * 60,) * WEEKS
    assert load(found, Resource("skill", "cancer-pain", "boston"))[1][0] == (40 - 3) * 60
    assert days(look(physician), "advanced-cancer-visit") is None


def test_nobody_waits_for_nobody() -> None:
    assert days(look(ANA)) == (MONDAY - TODAY).days
    assert days(look(worker("ben", "psychology"))) is None


@given(known=st.integers(0, 300), hours=st.integers(1, 5))
def test_a_backlog_is_waited_for_as_long_as_it_takes_to_work_it_off(known: int, hours: int) -> None:
    """One server: who comes behind n visits waits for (n + 1) visits divided by what a week can take."""
    found = look(worker("ana", "evaluation", days=hours), known=known)
    minutes = next(service.minutes for service in catalogue.list_services() if service.id == "spine-evaluation")
    weeks = (known + 1) * minutes / (hours * HOURS * 60 * USABLE)
    told = days(found)
    if weeks <= WEEKS - 0.5:
        assert told is not None and abs(told - (MONDAY - TODAY).days - 7 * weeks) <= 7
    elif weeks > WEEKS + 0.1:
        assert told is None


@given(known=st.integers(0, 150), more=st.integers(1, 100))
def test_more_who_wait_never_shorten_a_wait_and_more_at_work_never_lengthen_it(known: int, more: int) -> None:
    def told(found: Outlook) -> int:
        wait = days(found)
        return 10_000 if wait is None else wait

    now = told(look(ANA, known=known))
    assert told(look(ANA, known=known + more)) >= now
    assert told(look(ANA, worker("eve", "evaluation"), known=known)) <= now


def test_patients_to_come_are_demand_at_their_rate_along_their_pathway_and_no_wait_of_who_comes_before() -> None:
    found = look(ANA, worker("ben", "psychology"), new_patient_chronic=10.0)
    assert load(found, EVALUATION)[0] == (600,) * WEEKS
    assert days(found) == days(look(ANA, worker("ben", "psychology")))
    therapy = load(look(worker("ben", "psychology"), cognitive_therapy=1.0), PSYCHOLOGY)[0]
    assert therapy[0] == 2 * 45 and therapy[-1] == 6 * 45 and list(therapy) == sorted(therapy)


@pytest.mark.parametrize(("referred", "first", "last"), [(date(2026, 9, 1), 60, 0), (date(2026, 11, 27), 15, 0)])
def test_what_is_overdue_is_asked_of_the_first_week_and_the_rest_spread_to_its_target(
    referred: date, first: int, last: int
) -> None:
    book = ClinicRecords(
        clinic=catalogue.build_clinic((ANA,), "small"), providers=(ANA,), patients=(), episodes=(waiting(1, referred=referred),)
    )
    demand = load(estimate_outlook(book, MONDAY, WEEKS, TODAY, {}), EVALUATION)[0]
    assert (demand[0] >= first, demand[-1], round(sum(demand))) == (True, last, 60)


def test_a_new_patient_waits_for_the_first_visit_of_a_pathway_and_for_no_other() -> None:
    told = {wait.service for wait in look(ANA).waits}
    assert told == {pathway.steps[0].service for pathway in catalogue.list_pathways()} & {
        service.id for service in catalogue.list_services()
    }
    assert {"spine-evaluation", "scs-assessment"} <= told
    assert told.isdisjoint({"scs-trial", "scs-implant", "work-injury-psychology"})


def test_the_first_visit_of_whoever_comes_is_asked_of_the_week_in_which_they_come() -> None:
    staff = (worker("ben", "psychology"), worker("cy", "procedures"))
    found = look(*staff, spinal_cord_stimulation=1.0)
    minutes = {service.id: service.minutes for service in catalogue.list_services()}
    assert load(found, PSYCHOLOGY)[0][0] == minutes["scs-assessment"]
