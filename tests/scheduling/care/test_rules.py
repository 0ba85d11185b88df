"""The judge of care over months: each rule lets pass what keeps it, and bites what breaks it by a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from scheduling.care.rules import CareHistory, PastSession, PastVisit, find_care_violations
from scheduling.timegrid import stamp

MONDAY = date(2027, 1, 4)
ROLES = {
    "neuro-1": "neuromodulation-physician",
    "psy-1": "psychologist",
    "cancer-1": "cancer-pain-physician",
    "palliative-1": "palliative-physician",
    "fellow-1": "fellow",
    "pt-1": "physical-therapist",
}

Visits = list[PastVisit]


def on(service: str, days: int, hour: int = 9, team: tuple[str, ...] = ("psy-1",), **more: Any) -> PastVisit:
    """Write a visit some days after the first Monday."""
    start = stamp(MONDAY + timedelta(days=days), 60 * hour)
    place = {"location": "wang", **more}
    return PastVisit("c", "pat", service, start, start + timedelta(minutes=60), team=team, **place)


def rules_of(kind: str, visits: Visits, days: int = 60, **told: Any) -> list[str]:
    """Judge one course up to some days after the first Monday; return the rules that it broke."""
    until = MONDAY + timedelta(days=days)
    chronicle = CareHistory(until, visits, referred={"c": MONDAY}, kinds={"c": kind}, roles=ROLES, **told)
    return sorted({violation.rule for violation in find_care_violations(chronicle)})


def outcome(service: str, good: bool, day: int = 0) -> dict[str, Any]:
    return {"outcomes": {("c", service): [(MONDAY + timedelta(days=day), good)]}}


ASSESSED = on("scs-assessment", 0)
TRIED = [ASSESSED, on("scs-trial", 7)]
REMOVED = [*TRIED, on("scs-lead-removal", 14)]
GOOD = {("c", "scs-assessment"): [(MONDAY, True)], ("c", "scs-lead-removal"): [(MONDAY + timedelta(days=14), True)]}
SCS = "spinal-cord-stimulation"
SDD = "spinal-drug-delivery"
BOTH = ("cancer-1", "palliative-1")
WELL = outcome("scs-assessment", True)
PARTS = [on(f"work-injury-{part}", 0, 9 + hour) for hour, part in enumerate(("medical", "psychology", "function"))]


def sessions(service: str, team: str, *days: int) -> Visits:
    return [on(service, day, team=(team,)) for day in days]


@pytest.mark.parametrize(
    ("kind", "visits", "told", "expected"),
    [
        # 1: on the day of the referral, unless a proof excuses it
        ("cancer-consult", [on("cancer-consult", 0)], {}, []),
        ("cancer-consult", [on("cancer-consult", 1)], {}, ["same-day-consult"]),
        ("cancer-consult", [on("cancer-consult", 1)], {"excused": {"c"}}, []),
        ("inpatient-consult", [], {}, ["same-day-consult"]),
        # 2: Wednesday afternoon, Yawkey, both physicians
        (
            "advanced-cancer-clinic",
            [on("advanced-cancer-visit", 2, 13, BOTH, location="yawkey")],
            {},
            [],
        ),
        (
            "advanced-cancer-clinic",
            [on("advanced-cancer-visit", 3, 13, BOTH, location="yawkey")],
            {},
            ["cancer-clinic"],
        ),
        (
            "advanced-cancer-clinic",
            [on("advanced-cancer-visit", 2, 13, BOTH[:1], location="yawkey")],
            {},
            ["cancer-clinic"],
        ),
        *(
            (
                "advanced-cancer-clinic",
                [
                    on("advanced-cancer-visit", 2, 13, BOTH, location="yawkey"),
                    on("cancer-consult", 2, 15, BOTH[:1], location=location),
                ],
                {},
                expected,
            )
            for location, expected in (("yawkey", []), ("wang", ["cancer-clinic"]))
        ),
        # 4: seven days after an assessment that was positive
        (SCS, TRIED[:1], outcome("scs-assessment", False), []),
        (SCS, REMOVED, {"outcomes": {**GOOD, ("c", "scs-lead-removal"): [(MONDAY, False)]}}, []),
        (
            SCS,
            [ASSESSED, on("scs-trial", 6), on("scs-lead-removal", 11)],
            outcome("scs-assessment", True),
            ["psychologist-first"],
        ),
        (SCS, [*TRIED, on("scs-lead-removal", 14)], outcome("scs-assessment", False), ["psychologist-first"]),
        # 6: removal after 5 to 7 days, implant after 14 to 60, programming after 7 to 14
        (SCS, [*TRIED, on("scs-lead-removal", 15)], WELL, ["stimulation"]),
        (SCS, [*TRIED, on("scs-lead-removal", 11)], WELL, ["stimulation"]),
        (SCS, TRIED, WELL, ["stimulation"]),
        (SCS, [*REMOVED, on("scs-implant", 28), on("stimulator-programming", 35)], {"outcomes": GOOD}, []),
        (SCS, [*REMOVED, on("scs-implant", 25), on("stimulator-programming", 35)], {"outcomes": GOOD}, ["stimulation"]),
        (SCS, [*REMOVED, on("scs-implant", 28), on("stimulator-programming", 43)], {"outcomes": GOOD}, ["stimulation"]),
        # 7: two injections seven days apart, the ablation fourteen after
        (
            "radiofrequency-ablation",
            [on("facet-injection", 0), on("facet-injection", 7), on("radiofrequency-ablation", 21)],
            {},
            [],
        ),
        ("radiofrequency-ablation", [on("facet-injection", 0), on("facet-injection", 4)], {}, ["ablation"]),
        (
            "radiofrequency-ablation",
            [on("facet-injection", 0), on("facet-injection", 7), on("radiofrequency-ablation", 18)],
            {},
            ["ablation"],
        ),
        # 8: the assessment first, the same day allowed
        ("opioid-consultation", [on("opioid-risk-assessment", 0), on("opioid-consultation", 0, 10)], {}, []),
        ("opioid-consultation", [on("opioid-consultation", 0), on("opioid-risk-assessment", 0, 10)], {}, ["opioid-assessment"]),
        # 9: three parts, one day, one building
        (
            "work-injury",
            [on(f"work-injury-{p}", 0, 9 + n) for n, p in enumerate(("medical", "psychology", "function"))],
            {},
            [],
        ),
        ("work-injury", [on("work-injury-medical", 0), on("work-injury-psychology", 0, 10)], {}, ["work-injury"]),
        (
            "work-injury",
            [
                on("work-injury-medical", 0),
                on("work-injury-psychology", 0, 10),
                on("work-injury-function", 0, 11, location="west"),
            ],
            {},
            ["work-injury"],
        ),
        # 10: series
        ("cognitive-therapy", [on("cognitive-therapy", 7 * n) for n in range(6)], {}, []),
        ("cognitive-therapy", [on("cognitive-therapy", day) for day in (0, 7, 16, 23, 30, 37)], {}, ["series"]),
        (
            "cognitive-therapy",
            [on("cognitive-therapy", 7 * n, team=(("psy-1",) if n else ("psy-2",))) for n in range(6)],
            {},
            ["series"],
        ),
        ("physical-therapy", sessions("physical-therapy", "pt-1", 0, 3, 7, 10, 14, 17, 21, 24), {}, []),
        (
            "physical-therapy",
            sessions("physical-therapy", "pt-1", 0, 2, 7, 10, 14, 17, 21, 24),
            {},
            ["series"],
        ),
        # 11: acute within 5 days, chronic within 21
        ("new-patient-acute", [on("spine-evaluation", 4)], {}, []),
        ("new-patient-acute", [on("spine-evaluation", 7)], {}, ["acute-first"]),
        ("new-patient-chronic", [on("spine-evaluation", 21)], {}, []),
        ("new-patient-chronic", [on("spine-evaluation", 22)], {}, ["acute-first"]),
        # 12: fellows
        ("follow-up", [on("follow-up", 0, team=("fellow-1",), supervisors=("neuro-1",))], {}, []),
        ("follow-up", [on("follow-up", 0, team=("fellow-1",))], {}, ["fellows"]),
    ],
)
def test_each_rule_of_care_lets_pass_what_keeps_it_and_bites_by_a_day(kind, visits, told, expected):
    assert rules_of(kind, visits, **told) == expected


def drug_delivery(*days: int, implant: int | None = None) -> Visits:
    """Write a consult on day 0, a trial on the first of some days, checks on the others."""
    checks = [on("sdd-trial-check", day) for day in days[1:]]
    last = [] if implant is None else [on("sdd-implant", implant)]
    return [on("cancer-consult", 0), on("sdd-trial", days[0]), *checks, *last]


@pytest.mark.parametrize(
    ("visits", "good", "expected"),
    [
        (drug_delivery(7, 8, 9, 10, implant=14), True, []),
        (drug_delivery(7, 8, 9, 10), False, []),
        (drug_delivery(7, 8, 9, 10), True, ["drug-delivery"]),
        (drug_delivery(7, 8, 9, 10, implant=11), True, ["drug-delivery"]),
        (drug_delivery(7, 8, 9, 10, implant=25), True, ["drug-delivery"]),
        (drug_delivery(7, 8, 10, 11, implant=15), True, ["drug-delivery"]),
        (drug_delivery(7, 8, 9, 10, implant=14), False, ["drug-delivery"]),
    ],
)
def test_a_catheter_trial_has_a_check_each_weekday_and_an_implant_only_if_it_helped(visits, good, expected):
    assert rules_of(SDD, visits, **outcome("sdd-trial-check", good, 10)) == expected


@pytest.mark.parametrize(("day", "expected"), [(30, []), (31, ["drug-delivery"])])
def test_a_pump_is_refilled_by_its_date(day, expected):
    dates = {"c": [(MONDAY, MONDAY + timedelta(days=30))]}
    assert rules_of("pump-refills", [on("pump-refill", day)], reservoirs=dates) == expected


def test_a_miss_gives_another_week_and_no_more():
    missed = on("scs-lead-removal", 14, came=False)
    again = [*TRIED, missed, on("scs-lead-removal", 21)]
    late = [*TRIED, missed, on("scs-lead-removal", 22)]
    positive = outcome("scs-assessment", True)
    assert (rules_of(SCS, again, **positive), rules_of(SCS, late, **positive)) == ([], ["stimulation"])


def test_a_place_that_illness_took_is_made_up_for_within_a_week():
    taken = on("spine-evaluation", 4, came=False, called_off=True, taken=True)
    seen = {day: rules_of("new-patient-acute", [taken, on("spine-evaluation", day)]) for day in (11, 14)}
    assert seen == {11: [], 14: ["acute-first"]}
    assert rules_of("new-patient-acute", [on("spine-evaluation", 11)]) == ["acute-first"]


def test_a_window_without_a_day_on_which_the_service_is_given_reaches_to_the_next():
    closed = MONDAY + timedelta(days=14)
    late = [*TRIED, on("scs-lead-removal", 15)]

    def works(day: date, service: str, provider: str | None, patient: str | None) -> bool:
        return day.weekday() < 5 and day != closed

    positive = outcome("scs-assessment", True)
    assert rules_of(SCS, late, **positive, works=works) == []
    assert rules_of(SCS, late, **positive) == ["stimulation"]


@pytest.mark.parametrize(("back", "last"), [(14, 15), (18, 22)])
def test_a_series_goes_on_in_the_first_turn_in_which_its_psychologist_is_there(back, last):
    """Sessions are on Mondays; one turn is from the Sunday to the Tuesday, the next a week later."""

    def works(day: date, service: str, provider: str | None, patient: str | None) -> bool:
        return day.weekday() < 5 and not (provider == "psy-1" and 4 <= (day - MONDAY).days < back)

    def series(second: int) -> list[str]:
        days = [0, second, *(second + 7 * n for n in range(1, 5))]
        return rules_of("cognitive-therapy", sessions("cognitive-therapy", "psy-1", *days), works=works)

    assert (series(last), series(last + 1)) == ([], ["series"])


def test_nothing_is_due_any_more_once_a_course_was_stopped():
    stopped = {"c": MONDAY + timedelta(days=13)}
    assert rules_of(SCS, TRIED, **outcome("scs-assessment", True), stopped=stopped) == []


def met(day: int, attendees: int = 3, team: tuple[str, ...] = ("psy-1",)) -> PastSession:
    seats = tuple(f"p{number}" for number in range(attendees))
    return PastSession("coping", stamp(MONDAY + timedelta(days=day), 600), "wang-group-1", team, seats, 10)


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        ([met(0), met(28)], []),
        ([met(0)], ["monthly-group"]),
        ([met(0), met(20), met(28)], ["monthly-group"]),
        ([met(0), met(28, attendees=11)], ["monthly-group"]),
        ([met(0), met(28, team=("pt-1",))], ["monthly-group"]),
        ([met(4), met(49)], ["monthly-group"]),
    ],
)
def test_a_group_meets_once_a_month_at_its_rhythm(sessions, expected):
    told = {"sessions": sessions, "months": {"coping": ["2027-01", "2027-02"]}}
    assert rules_of("follow-up", [], **told) == expected


def test_a_supervisor_attends_two_office_visits_at_once_and_no_third():
    watched = [on("follow-up", 0, team=(f"fellow-{n}",), supervisors=("neuro-1",)) for n in (1, 2, 3)]
    assert rules_of("follow-up", watched[:2]) == []
    assert rules_of("follow-up", watched) == ["fellows"]
    called_off = on("follow-up", 0, team=("fellow-3",), supervisors=("neuro-1",), came=False, called_off=True)
    assert rules_of("follow-up", [*watched[:2], called_off]) == []
