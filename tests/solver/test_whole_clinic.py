"""Every service and every rule of care, by name: each is planned, and each rule has a control that breaks it.

A patient's history so far asks the weeks to come for visits; the solver plans them beside nobody else, the checker accepts
the plan, and the judge of care reads it as if it had been lived.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from random import Random

import pytest
from support.histories import event

from scheduling import catalogue
from scheduling.care.episodes import Episode, Event, record_events
from scheduling.care.programmes import Programme, ProgrammeMember, open_programme
from scheduling.care.rolling import ClinicRecords, NextWeek, build_scenario
from scheduling.care.rules import CARE_RULES, CareHistory, PastSession, PastVisit, find_care_violations
from scheduling.check import check
from scheduling.fields import Horizon
from scheduling.generate.dates import make_dates
from scheduling.generate.profile import load_profile
from scheduling.generate.roster import draw_roster
from scheduling.instructions import load_instructions
from scheduling.people import Patient, Provider
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver import Limits, solve

MONDAY = date(2027, 1, 4)
WEEKS = 5
REFERRED = MONDAY - timedelta(days=4)
PATIENTS = tuple(
    Patient(id=name, name=name, preferred_site=None, allowed_sites=("boston", "waltham"), unavailable=(), prefers=None)
    for name in ("pat", "quin", "rae")
)


@cache
def staff() -> tuple[Provider, ...]:
    """Return who works in the weeks to come."""
    data = load_profile()
    size = data.sizes["week"].changed(weeks=WEEKS)
    return draw_roster(data, "week", make_dates(MONDAY, size, data), Random(5))


def day(number: int) -> str:
    """Write a date, some days after the first Monday."""
    return f"{MONDAY + timedelta(days=number)}"


def done(what: str, number: int, *team: str) -> list[Event]:
    """Write a visit that has been."""
    return [event(kind, what, day(number), team=team) for kind in ("planned", "done")]


def begun(pathway: str, *events: Event, referred: date = REFERRED) -> Episode:
    """Return an episode with its history so far."""
    first = Event(kind="referred", known=stamp(referred, 540), date=referred)
    episode = Episode(id="c", pathway=pathway, patient="pat", priority="soon", history=(first,))
    return record_events(episode, catalogue.get_pathway(pathway), *events)


def asked(episodes: Sequence[Episode], programmes: Sequence[Programme] = (), weeks: int = 1) -> NextWeek:
    """Return what the weeks to come are asked for by some patients alone."""
    clinic = catalogue.build_clinic(staff())
    book = ClinicRecords(clinic, staff(), PATIENTS, tuple(episodes), tuple(programmes), held=())
    return build_scenario(book, Horizon(start=MONDAY, end=MONDAY + timedelta(weeks=weeks)), stamp(MONDAY, 7 * 60))


def planned(scenario: Scenario) -> Plan:
    """Plan a scenario; nothing of it is left out, and the checker accepts it."""
    plan = solve(scenario, Limits(5, 1, deterministic=True))
    assert check(scenario, plan).violations == ()
    assert plan.unscheduled == ()
    return plan


def lived(scenario: Scenario, plan: Plan) -> list[PastVisit]:
    """Return a plan's visits as they were, when everybody came."""
    found = []
    for one in plan.visits:
        service = scenario.services[scenario.visit(one.visit).service]
        place = (one.start, one.end, one.location, one.team, one.supervisors, service.attention)
        found.append(PastVisit("c", "pat", service.id, *place))
    return sorted(found, key=lambda one: one.start)


# ---- Services ----


@pytest.mark.parametrize("service", [service.id for service in catalogue.list_services()])
def test_every_service_is_planned(service: str) -> None:
    offered = next(one for one in catalogue.list_services() if one.id == service)
    workshop = next((workshop for workshop in catalogue.list_workshops() if workshop.service == service), None)
    if workshop is not None:
        found = asked([], [meeting(workshop.id)], weeks=3).scenario
        plan = planned(found)
        assert [found.groups_by_id[group.group].service for group in plan.groups] == [service]
        return
    base = asked([begun("follow-up")]).scenario
    found = base.changed(visits=tuple(visit.changed(service=service) for visit in base.visits))
    (visit,) = planned(found).visits
    assert visit.location in offered.locations
    assert len(visit.team) == len(offered.team)
    assert (visit.room is None) == (offered.room is None)


def meeting(group: str) -> Programme:
    """Return a group whose members have met four weeks before the second week."""
    members = tuple(ProgrammeMember(patient=one.id, priority="routine", since=REFERRED) for one in PATIENTS)
    return open_programme(next(workshop for workshop in catalogue.list_workshops() if workshop.id == group)).changed(
        members=members
    )


# ---- Rules of care ----


@dataclass(frozen=True)
class Case:
    """A rule of care: what asks for its visits, what is planned, and what breaks it by one step.

    Attributes
    ----------
    rule : str
        Its name in :data:`scheduling.care.rules.CARE_RULES`.
    plans : tuple of str
        The services that are planned, in their order.
    breaks : callable
        Changes the visits, in order, so that the rule is broken.
    """

    rule: str
    pathway: str
    plans: tuple[str, ...]
    breaks: Callable[[list[PastVisit]], list[PastVisit]]
    history: tuple[Event, ...] = ()
    been: tuple[PastVisit, ...] = ()
    weeks: int = 1
    referred: date = REFERRED
    favourable: tuple[str, ...] = ()
    finding: str = ""


def moved(number: int, days: int) -> Callable[[list[PastVisit]], list[PastVisit]]:
    """Move one of some visits by days."""

    def change(visits: list[PastVisit]) -> list[PastVisit]:
        lag = timedelta(days=days)
        one = visits[number]
        return [*visits[:number], replace(one, start=one.start + lag, end=one.end + lag), *visits[number + 1 :]]

    return change


def been(service: str, number: int, *team: str) -> PastVisit:
    """Write a visit that has been, for the judge."""
    start = stamp(MONDAY + timedelta(days=number), 9 * 60)
    return PastVisit("c", "pat", service, start, start + timedelta(hours=1), "wang", team or ("psychologist-1",))


def came_of(step: str, number: int, what: str | int) -> Event:
    """Write what came of a step."""
    return event("outcome", step, what, day(number))


CASES = {
    1: Case(
        "same_day_consults",
        "cancer-consult",
        ("cancer-consult",),
        moved(0, 1),
        referred=MONDAY,
        finding="same-day-consult",
    ),
    2: Case(
        "cancer_clinic",
        "advanced-cancer-clinic",
        ("advanced-cancer-visit",),
        lambda visits: [replace(visits[0], team=visits[0].team[:1])],
    ),
    4: Case(
        "psychologist_first",
        "spinal-cord-stimulation",
        ("scs-trial",),
        moved(1, -10),
        (*done("assessment", -7, "psychologist-1"), came_of("assessment", -7, "positive")),
        (been("scs-assessment", -7),),
        favourable=("scs-assessment",),
        referred=MONDAY - timedelta(days=7),
    ),
    5: Case(
        "drug_delivery",
        "spinal-drug-delivery",
        ("sdd-trial", "sdd-trial-check", "sdd-trial-check", "sdd-trial-check"),
        lambda visits: [*visits[:3], *visits[4:]],
        tuple(done("consult", -4, "cancer-pain-physician-1")),
        (been("cancer-consult", -4, "cancer-pain-physician-1"),),
    ),
    6: Case(
        "stimulation",
        "spinal-cord-stimulation",
        ("scs-trial", "scs-lead-removal"),
        moved(2, 3),
        (*done("assessment", -7, "psychologist-1"), came_of("assessment", -7, "positive")),
        (been("scs-assessment", -7),),
        weeks=2,
        favourable=("scs-assessment",),
        referred=MONDAY - timedelta(days=7),
    ),
    7: Case(
        "ablation",
        "radiofrequency-ablation",
        ("radiofrequency-ablation",),
        moved(2, -14),
        (*done("injection.1", -21), *done("injection.2", -14), came_of("injection", -14, "positive")),
        (been("facet-injection", -21, "physician-1"), been("facet-injection", -14, "physician-1")),
        referred=MONDAY - timedelta(days=30),
    ),
    8: Case(
        "opioid_assessment",
        "opioid-consultation",
        ("opioid-risk-assessment", "opioid-consultation"),
        moved(0, 28),
    ),
    9: Case(
        "work_injury",
        "work-injury",
        ("work-injury-medical", "work-injury-psychology", "work-injury-function"),
        lambda visits: [*visits[:2], replace(visits[2], location="west" if visits[2].location == "wang" else "wang")],
    ),
    10: Case("series", "relaxation-training", ("relaxation-training",) * 4, moved(1, 2), weeks=WEEKS),
    11: Case("acute_first", "new-patient-acute", ("spine-evaluation",), moved(0, 7)),
    12: Case(
        "fellows",
        "follow-up",
        ("follow-up",),
        lambda visits: [replace(visits[0], supervisors=())],
    ),
}
"""The rules of the clinic that are about visits, by their numbers."""


@pytest.mark.parametrize("number", CASES)
def test_every_rule_of_care_about_visits_is_kept_by_what_is_planned_and_bites(number: int) -> None:
    case = CASES[number]
    found = asked([begun(case.pathway, *case.history, referred=case.referred)], weeks=case.weeks).scenario
    if number == 12:
        found = found.changed(visits=tuple(visit.changed(required_provider="fellow-1") for visit in found.visits))
    visits = lived(found, planned(found))
    assert tuple(visit.service for visit in visits) == case.plans
    whole = [*case.been, *visits]
    assert judged(case, whole) == set()
    assert judged(case, case.breaks(whole)) == {case.finding or case.rule.replace("_", "-")}


def judged(case: Case, visits: list[PastVisit]) -> set[str]:
    """Return the rules of care that visits break, up to the day after the last of them."""
    outcomes = {("c", service): [(MONDAY - timedelta(days=7), True)] for service in case.favourable}
    until = max(visit.day for visit in visits) + timedelta(days=1)
    roles = {one.id: one.role for one in staff()}
    referred, kinds = {"c": case.referred}, {"c": case.pathway}
    return {
        violation.rule
        for violation in find_care_violations(CareHistory(until, visits, [], referred, kinds, outcomes, roles=roles))
    }


def test_rule_3_a_group_meets_once_a_month_and_a_second_session_is_found() -> None:
    found = asked([], [meeting("coping-skills")], weeks=3).scenario
    (one,) = planned(found).groups
    met = PastSession("coping-skills", one.start, one.room, one.team, one.attendees, 10)
    roles, months = {who.id: who.role for who in staff()}, {"coping-skills": ["2027-01"]}

    def breaks(*sessions: PastSession) -> list[str]:
        return [
            violation.rule
            for violation in find_care_violations(CareHistory(date(2027, 2, 1), [], list(sessions), months=months, roles=roles))
        ]

    assert (breaks(met), breaks(), breaks(replace(met, team=("physician-1",)))) == ([], ["monthly-group"], ["monthly-group"])


def test_rule_13_patients_of_every_service_are_told_where_when_and_what_to_bring() -> None:
    clinic, told = catalogue.build_clinic(staff()), load_instructions()
    for service in clinic.services:
        guidance = told.get_guidance(service)
        assert guidance.arrive.minutes >= 0
        assert guidance.bring
        assert guidance.companion.text
        for where in service.locations:
            assert next(location for location in clinic.locations if location.id == where).address
    services = {service.id: service for service in clinic.services}
    sedated, office = told.get_guidance(services["scs-implant"]), told.get_guidance(services["follow-up"])
    assert sedated.hold != office.hold
    assert sedated.companion != office.companion
    assert sedated.arrive.minutes > office.arrive.minutes


def test_every_rule_of_care_is_named_here_and_every_one_that_is_judged() -> None:
    assert CASES.keys() | {3, 13} == set(range(1, 14))
    assert {rule.__name__ for rule in CARE_RULES} == {case.rule for case in CASES.values()} | {"monthly_groups"}
