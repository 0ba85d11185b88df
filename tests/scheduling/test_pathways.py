"""Pathways: those of the catalogue say what the clinic says, and the checker finds what is wrong with one."""

from __future__ import annotations

from typing import Any

import pytest

from scheduling import catalogue
from scheduling.catalogue import parse_values
from scheduling.errors import UnknownId
from scheduling.pathways import Occurrence, Pathway, find_pathway_faults

SERVICES = {"first", "second", "third"}
GATE = [{"id": "yes"}, {"id": "no", "then": "ended"}]


def a_pathway(*steps: dict[str, Any], **changes: Any) -> Pathway:
    return parse_values(Pathway, {"id": "p", "name": "P", "source": "ours", "steps": list(steps), **changes}, "test")


def faults_of(*steps: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault.path, fault.message) for fault in find_pathway_faults([a_pathway(*steps)], SERVICES)]


def after(step: str, **lag: Any) -> list[dict[str, Any]]:
    return [{"step": step, **lag}]


@pytest.mark.parametrize(
    ("pathway", "stage", "service", "days"),
    [
        ("spinal-cord-stimulation", 1, "scs-trial", (7, 60)),
        ("spinal-cord-stimulation", 2, "scs-lead-removal", (5, 7)),
        ("spinal-cord-stimulation", 3, "scs-implant", (14, 60)),
        ("spinal-cord-stimulation", 4, "stimulator-programming", (7, 14)),
        ("dorsal-root-ganglion-stimulation", 1, "drg-trial", (7, 60)),
        ("dorsal-root-ganglion-stimulation", 3, "drg-implant", (14, 60)),
        ("spinal-drug-delivery", 2, "sdd-trial-check", (1, 1)),
        ("spinal-drug-delivery", 4, "sdd-trial-check", (1, 1)),
        ("spinal-drug-delivery", 5, "sdd-implant", (3, 14)),
        ("radiofrequency-ablation", 1, "facet-injection", (7, None)),
        ("radiofrequency-ablation", 2, "radiofrequency-ablation", (14, None)),
        ("opioid-consultation", 1, "opioid-consultation", (0, 21)),
        ("work-injury", 2, "work-injury-function", (0, 0)),
        ("physical-therapy", 7, "physical-therapy", (3, 5)),
    ],
)
def test_a_pathway_keeps_its_distances(pathway, stage, service, days):
    found = catalogue.get_pathway(pathway).course()[stage]
    assert (found.service, (found.lag.min_days, found.lag.max_days)) == (service, days)


def test_series_have_their_number_of_sessions():
    names = ("cognitive-therapy", "relaxation-training", "physical-therapy")
    assert [len(catalogue.get_pathway(name).course()) for name in names] == [6, 4, 8]
    assert all(stage.lag.same_provider for stage in catalogue.get_pathway("cognitive-therapy").course()[1:])


def test_new_patients_are_due_by_the_limit_of_their_kind_of_pain():
    due = {name: catalogue.get_pathway(name).steps[0].due_days for name in ("new-patient-acute", "new-patient-chronic")}
    assert due == {"new-patient-acute": 5, "new-patient-chronic": 21}


def test_every_service_but_those_of_groups_is_a_step_of_a_pathway():
    reached = {step.service for pathway in catalogue.list_pathways() for step in pathway.steps}
    assert {service.id for service in catalogue.list_services()} - reached == {"behavioral-group", "family-education"}


def test_a_lag_links_two_visits_by_its_rules():
    lag = catalogue.get_pathway("work-injury").course()[1].lag
    link = lag.link("v1", "v2")
    assert (link.before, link.after, link.min_days, link.max_days) == ("v1", "v2", 0, 0)
    assert (link.together, link.same_location, link.same_provider, link.max_gap_minutes) == (True, True, False, 90)


def test_the_parts_of_one_day_are_a_bundle_and_a_trial_and_its_removal_are_not():
    parts = {Occurrence(step, 1) for step in ("medical", "psychology", "function")}
    assert catalogue.get_pathway("work-injury").bundle(Occurrence("psychology", 1)) == parts
    trial = Occurrence("trial", 1)
    assert catalogue.get_pathway("spinal-cord-stimulation").bundle(trial) == {trial}


def test_the_course_follows_the_hoped_for_outcome_and_leaves_out_what_recurs():
    stages = [str(stage.occurrence) for stage in catalogue.get_pathway("spinal-drug-delivery").course()]
    assert stages == ["consult.1", "trial.1", "check.1", "check.2", "check.3", "implant.1"]
    assert [stage.occurrence.step for stage in catalogue.get_pathway("opioid-consultation").course()] == [
        "risk-assessment",
        "consultation",
    ]


@pytest.mark.parametrize(("relief", "outcome"), [(50, "failure"), (51, "success")])
def test_relief_over_half_is_success(relief, outcome):
    assert catalogue.get_pathway("spinal-drug-delivery").step("check").outcome_of(relief) == outcome


def test_relief_means_nothing_where_it_decides_nothing():
    with pytest.raises(ValueError, match='relief decides nothing after step "implant"'):
        catalogue.get_pathway("spinal-drug-delivery").step("implant").outcome_of(60)


def test_an_unknown_step_is_refused():
    with pytest.raises(UnknownId, match='unknown step "massage"'):
        catalogue.get_pathway("work-injury").step("massage")


def test_a_sound_pathway_has_no_fault():
    steps = (
        {"id": "a", "service": "first", "outcomes": GATE},
        {"id": "b", "service": "second", "times": 3, "every": {"min_days": 1, "max_days": 1, "together": True}}
        | {"follows": after("a", outcome="yes", min_days=7)},
        {"id": "c", "service": "third", "recurs": True, "every": {"min_days": 7}, "follows": after("b")},
    )
    assert faults_of(*steps) == []


A, B = {"id": "a", "service": "first"}, {"id": "b", "service": "second"}


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ((A, A), ("pathways[0].steps[1].id", '"a" is repeated')),
        (({"id": "a", "service": "massage"},), ("pathways[0].steps[0].service", 'unknown service "massage"')),
        ((A, {**B, "follows": after("z")}), ("pathways[0].steps[1].follows[0].step", 'unknown step "z"')),
        (
            (A, {**B, "follows": after("a", min_days=5, max_days=4)}),
            ("pathways[0].steps[1].follows[0].max_days", "is below min_days 5"),
        ),
        (
            (A, {**B, "follows": after("a", max_days=1, max_gap_minutes=30)}),
            ("pathways[0].steps[1].follows[0].max_gap_minutes", "is for visits of one day: max_days is to be 0"),
        ),
        (
            (A, {**B, "follows": after("a", lapses=True)}),
            ("pathways[0].steps[1].follows[0].lapses", "goes with max_days"),
        ),
        (
            ({**A, "follows": after("b")}, {**B, "follows": after("a")}),
            ("pathways[0].steps", "go in a cycle: a, b"),
        ),
        (({**B, "follows": after("a")}, A), ("pathways[0].steps[0]", "stands before a, which it follows")),
        (
            ({**A, "outcomes": GATE}, {**B, "follows": after("a")}),
            ("pathways[0].steps[0].outcomes[0]", "nothing follows it"),
        ),
        (
            ({**A, "outcomes": GATE}, {**B, "follows": after("a", outcome="perhaps")}),
            ("pathways[0].steps[1].follows[0].outcome", "is to be one of no, yes"),
        ),
        (
            ({**A, "outcomes": GATE}, {**B, "follows": [*after("a", outcome="yes"), *after("a", outcome="no")]}),
            ("pathways[0].steps[0].outcomes[1]", "is ended, and yet a step follows it"),
        ),
        (
            ({**A, "outcomes": [{"id": "only"}]}, {**B, "follows": after("a", outcome="only")}),
            ("pathways[0].steps[0].outcomes", "is none, or at least two that differ"),
        ),
        ((A, {**B, "follows": after("a", outcome="yes")}), ("pathways[0].steps[1].follows[0].outcome", '"a" has no outcomes')),
        (({**A, "times": 2},), ("pathways[0].steps[0].every", "goes with times over 1, or with recurs")),
        (({**A, "recurs": True, "every": {}},), ("pathways[0].steps[0].every.min_days", "is at least 1 for what recurs")),
        (({**A, "deadline": "low"},), ("pathways[0].steps[0].lead_days", "goes with deadline")),
        (
            ({**A, "recurs": True, "every": {"min_days": 7}}, {**B, "follows": after("a")}),
            ("pathways[0].steps[1].follows[0].step", '"a" recurs and never ends'),
        ),
        (
            (A, {**B, "follows": after("a"), "same_day": True}),
            ("pathways[0].steps[1].same_day", "is for a step that begins the episode"),
        ),
        # From a weekday, a day later six times over is a weekend at last.
        (
            ({**A, "times": 6, "every": {"min_days": 1, "max_days": 1}},),
            ("pathways[0].steps[0]", "its lags leave it no working day"),
        ),
        # Two ways to the same step that do not meet.
        (
            (
                A,
                {**B, "follows": after("a", min_days=14)},
                {"id": "c", "service": "third", "follows": [*after("a", max_days=7), *after("b")]},
            ),
            ("pathways[0].steps[0]", "its lags leave it no working day"),
        ),
    ],
)
def test_what_is_wrong_with_a_pathway_is_named_by_its_path(steps, fault):
    assert fault in faults_of(*steps)


def test_five_days_in_a_row_fit_a_working_week_and_a_repeated_pathway_is_a_fault():
    five = {**A, "times": 5, "every": {"min_days": 1, "max_days": 1}}
    assert faults_of(five) == []
    twice = list(find_pathway_faults([a_pathway(five), a_pathway(five)], SERVICES))
    assert [(fault.path, fault.message) for fault in twice] == [("pathways[1].id", '"p" is repeated')]
