"""Episodes: what a history leaves open, and between which dates."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from support.histories import PARTS, REFERRED, episode, event, opened, stamped, window

from scheduling import catalogue
from scheduling.care.episodes import Event, find_unready, get_state, record_events
from scheduling.care.windows import is_weekday, list_open_steps, list_void_visits
from scheduling.errors import EventRefused
from scheduling.pathways import Occurrence

ASSESSED = [("planned", "assessment", "2026-12-03"), ("done", "assessment", "2026-12-03")]
POSITIVE = [*ASSESSED, ("outcome", "assessment", "positive", "2026-12-03")]
TRIED = [
    *POSITIVE,
    event("planned", "trial", "2026-12-14", team=["neuro-1"]),
    event("done", "trial", "2026-12-14", team=["neuro-1"]),
]


def state_of(found):
    return get_state(found, catalogue.get_pathway(found.pathway))


def voids(found, today):
    return list_void_visits(found, catalogue.get_pathway(found.pathway), today)


def test_a_referral_opens_the_first_step_and_previews_the_others():
    found = opened(episode("spinal-cord-stimulation"), "2026-11-30")
    assert list(found) == ["assessment.1", "trial.1", "lead-removal.1", "implant.1", "programming.1"]
    assert [step.certain for step in found.values()] == [True, False, False, False, False]
    assert (found["assessment.1"].settled, found["trial.1"].settled) == (True, False)


def test_a_positive_assessment_opens_the_trial_seven_days_after_it():
    assert window(episode("spinal-cord-stimulation", *POSITIVE), "trial.1", "2026-12-03") == ("2026-12-10", "2027-02-01")


def test_without_its_outcome_an_assessment_leads_to_no_trial_yet():
    assert not opened(episode("spinal-cord-stimulation", *ASSESSED), "2026-12-04")["trial.1"].certain


def test_a_negative_assessment_ends_the_pathway():
    ended = episode("spinal-cord-stimulation", *ASSESSED, ("outcome", "assessment", "negative", "2026-12-04"))
    assert (state_of(ended), opened(ended, "2026-12-05")) == ("ended", {})


def test_a_trial_may_be_planned_with_its_assessment_and_is_given_up_when_that_is_negative():
    together = [ASSESSED[0], ("planned", "trial", "2026-12-14")]
    planned = opened(episode("spinal-cord-stimulation", *together), "2026-12-01")
    assert planned["trial.1"].planned is not None and voids(episode("spinal-cord-stimulation", *together), "2026-12-01") == ()
    negative = episode("spinal-cord-stimulation", *together, ASSESSED[1], ("outcome", "assessment", "negative", "2026-12-04"))
    assert state_of(negative) == "ended"
    assert voids(negative, date(2026, 12, 5)) == (f"{negative.id}.trial.1",)


def test_leads_come_out_after_five_to_seven_days_by_who_put_them_in():
    removal = opened(episode("spinal-cord-stimulation", *TRIED), "2026-12-14")["lead-removal.1"]
    assert (f"{removal.earliest}", f"{removal.latest}") == ("2026-12-19", "2026-12-21")
    assert (removal.required_provider, removal.preferred_providers) == (None, ("neuro-1",))


@pytest.mark.parametrize(
    ("told", "wanted", "unready"),
    [
        ([], ["trial", "check"], {"trial": "consult.1", "check": "trial.1"}),
        ([], ["check", "trial", "consult"], {}),
        ([("planned", "consult", "2026-12-01")], ["trial"], {}),
        ([("planned", "consult", "2026-12-01"), ("cancelled", "consult", "2026-12-01")], ["trial"], {"trial": "consult.1"}),
    ],
)
def test_what_follows_a_visit_without_a_place_is_not_ready(told: list[Any], wanted: list[str], unready: dict[str, str]):
    pathway = catalogue.get_pathway("spinal-drug-delivery")
    missing = find_unready(episode("spinal-drug-delivery", *told), pathway, [Occurrence(step, 1) for step in wanted])
    assert {occurrence.step: str(before) for occurrence, before in missing.items()} == unready


@pytest.mark.parametrize(("relief", "comes"), [(50, "ended"), (51, "open")])
def test_relief_of_a_trial_decides(relief, comes):
    found = episode(
        "spinal-cord-stimulation",
        *TRIED,
        ("done", "lead-removal", "2026-12-21"),
        ("outcome", "lead-removal", relief, "2026-12-21"),
    )
    assert state_of(found) == comes
    assert ("implant.1" in opened(found, "2026-12-22")) == (comes == "open")


def test_a_missed_visit_is_open_from_the_next_day_and_its_window_reaches_a_week_beyond_the_miss():
    late = episode(
        "spinal-cord-stimulation", *TRIED, ("planned", "lead-removal", "2026-12-21"), ("no-show", "lead-removal", "2026-12-21")
    )
    assert window(late, "lead-removal.1", "2026-12-21") == ("2026-12-22", "2026-12-28")
    assert opened(late, "2026-12-21")["lead-removal.1"].visit == "e.lead-removal.1.2"


def test_a_cancelled_visit_may_be_on_any_day_left_of_its_window_under_the_same_id():
    found = episode(
        "spinal-cord-stimulation",
        *POSITIVE,
        ("planned", "trial", "2026-12-14"),
        event("cancelled", "trial", "2026-12-14", known="2026-12-11"),
    )
    assert window(found, "trial.1", "2026-12-11") == ("2026-12-11", "2027-02-01")
    assert opened(found, "2026-12-11")["trial.1"].visit == "e.trial.1"


@pytest.mark.parametrize(("kind", "until"), [("cancelled", "2026-12-10"), ("withdrawn", "2026-12-05")])
def test_only_who_calls_off_has_more_days_for_an_acute_evaluation_than_there_were(kind, until):
    found = episode(
        "new-patient-acute",
        ("planned", "evaluation", "2026-12-03"),
        event(kind, "evaluation", "2026-12-03", known="2026-12-02"),
    )
    assert window(found, "evaluation.1", "2026-12-02")[1] == until
    assert opened(found, "2026-12-02")["evaluation.1"].visit == "e.evaluation.1"


def test_what_is_withdrawn_waits_since_it_did_and_has_to_have_been_planned():
    planned = episode("follow-up", ("planned", "visit", "2026-12-07"))
    gone = event("withdrawn", "visit", "2026-12-07", known="2026-12-04")
    pathway = catalogue.get_pathway("follow-up")
    found = record_events(planned, pathway, gone)
    assert opened(found, "2026-12-04")["visit.1"].since == opened(planned, "2026-12-04")["visit.1"].since
    with pytest.raises(EventRefused, match="not planned"):
        record_events(found, pathway, gone)


def test_an_assessment_that_has_lapsed_is_done_again():
    found = opened(episode("spinal-cord-stimulation", *POSITIVE), "2027-02-02")
    assert next(iter(found)) == "assessment.1"
    assert found["assessment.1"].visit == "e.assessment.1.2"
    assert "assessment.1" not in opened(episode("spinal-cord-stimulation", *POSITIVE), "2027-02-01")


def test_a_missed_session_shifts_the_rest_of_a_series_from_the_miss():
    told = [event(kind, "session.1", "2026-12-07", team=["psy-1"]) for kind in ("planned", "done")]
    told += [event(kind, "session.2", "2026-12-14", team=["psy-1"]) for kind in ("planned", "no-show")]
    found = episode("cognitive-therapy", *told)
    assert window(found, "session.2", "2026-12-14") == ("2026-12-15", "2026-12-22")
    assert window(found, "session.3", "2026-12-14") == ("2026-12-21", "2026-12-30")
    assert opened(found, "2026-12-14")["session.2"].required_provider == "psy-1"


def test_a_window_without_a_day_of_care_ends_on_the_next():
    # Three to five days after a Wednesday is a weekend and a Monday; with the Monday closed, the Tuesday is left.
    told = [(kind, "session.1", "2026-12-02") for kind in ("planned", "done")]
    found = episode("physical-therapy", *told)
    assert window(found, "session.2", "2026-12-02") == ("2026-12-05", "2026-12-07")


@pytest.mark.parametrize(
    ("back", "last"), [("2026-12-14", "2026-12-15"), ("2026-12-15", "2026-12-15"), ("2026-12-16", "2026-12-22")]
)
def test_a_series_goes_on_in_the_first_turn_in_which_its_psychologist_is_there(back, last):
    told = [event(kind, "session.1", "2026-11-30", team=["psy-1"]) for kind in ("planned", "done")]
    away = date.fromisoformat("2026-12-04"), date.fromisoformat(back)

    def is_care_day(day, service, provider, patient):
        return is_weekday(day) and not (provider == "psy-1" and away[0] <= day < away[1])

    open_steps = list_open_steps(
        episode("cognitive-therapy", *told), catalogue.get_pathway("cognitive-therapy"), REFERRED, is_care_day
    )
    assert (f"{open_steps[0].earliest}", f"{open_steps[0].latest}") == ("2026-12-06", last)


def test_a_day_of_three_parts_opens_as_a_whole_when_one_was_missed():
    told = [("planned", part, "2026-12-02") for part in PARTS]
    told += [("done", "medical", "2026-12-02"), ("no-show", "psychology", "2026-12-02"), ("no-show", "function", "2026-12-02")]
    found = opened(episode("work-injury", *told), "2026-12-03")
    assert [step.visit for step in found.values()] == ["e.medical.1.2", "e.psychology.1.2", "e.function.1.2"]


def test_a_day_of_three_parts_is_half_way_while_the_others_are_to_come_on_it():
    told = [("planned", part, "2026-12-02") for part in PARTS]
    found = opened(episode("work-injury", *told, ("done", "medical", "2026-12-02")), "2026-12-02")
    assert list(found) == ["psychology.1", "function.1"]


def test_one_part_cancelled_leaves_the_others_void():
    told = [("planned", part, "2026-12-02") for part in PARTS]
    found = episode("work-injury", *told, event("cancelled", "function", "2026-12-02", known="2026-12-01"))
    assert sorted(voids(found, found.referred_on)) == ["e.medical.1", "e.psychology.1"]


def test_refills_recur_before_the_date_that_the_world_sets():
    told = [(kind, "refill", "2026-12-02") for kind in ("planned", "done")]
    found = episode("pump-refills", ("dated", "low-reservoir", "2026-12-04", "2026-11-30"), *told)
    assert opened(found, "2026-12-02")["refill.2"].latest.isoformat() == "2027-01-31", "ours, while the date is not known"
    dated = record_events(
        found, catalogue.get_pathway("pump-refills"), event("dated", "low-reservoir", "2027-01-20", "2026-12-02")
    )
    assert window(dated, "refill.2", "2026-12-02") == ("2027-01-06", "2027-01-20")


def test_a_missed_refill_keeps_its_deadline():
    told = [(kind, "refill", "2026-12-02") for kind in ("planned", "no-show")]
    found = episode("pump-refills", ("dated", "low-reservoir", "2026-12-04", "2026-11-30"), *told)
    assert window(found, "refill.1", "2026-12-02") == ("2026-12-03", "2026-12-04")


def test_a_consult_of_the_day_is_due_on_it():
    found = opened(episode("cancer-consult", priority="cancer"), "2026-11-30")["consult.1"]
    assert (found.same_day, found.earliest, found.latest) == (True, found.since, found.since)


def test_nothing_is_open_after_a_stop_and_what_stands_is_void():
    found = episode("spinal-cord-stimulation", *POSITIVE, ("planned", "trial", "2026-12-14"), ("stopped", "2026-12-10"))
    assert (state_of(found), opened(found, "2026-12-10"), voids(found, found.referred_on)) == ("stopped", {}, ("e.trial.1",))


def test_a_new_start_after_a_stop_goes_on_where_it_stood():
    found = episode("spinal-cord-stimulation", *POSITIVE, ("stopped", "2026-12-10"), ("restarted", "2027-01-11"))
    assert window(found, "trial.1", "2027-01-11") == ("2027-01-11", "2027-02-01")


def test_a_new_start_after_the_end_begins_anew():
    ended = episode("spinal-cord-stimulation", *ASSESSED, ("outcome", "assessment", "negative", "2026-12-04"))
    again = record_events(ended, catalogue.get_pathway(ended.pathway), event("restarted", "2027-03-01"))
    assert opened(again, "2027-03-01")["assessment.1"].visit == "e.assessment.1.2"


def test_a_recommendation_completes_an_opioid_consultation_or_branches():
    told = [(kind, step, "2026-12-02") for step in ("risk-assessment", "consultation") for kind in ("planned", "done")]
    done = episode("opioid-consultation", *told, ("outcome", "consultation", "therapy", "2026-12-02"))
    on = episode("opioid-consultation", *told, ("outcome", "consultation", "transition", "2026-12-02"))
    assert (state_of(done), state_of(on)) == ("completed", "open")
    assert list(opened(on, "2026-12-03")) == ["transition.1"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([("done", "trial", "2026-12-14")], "assessment.1 has not been"),
        ([*ASSESSED, ("planned", "trial", "2026-12-14")], "it needs the outcome positive of assessment"),
        ([("no-show", "assessment", "2026-12-03")], "the visit is not planned"),
        ([("done", "massage", "2026-12-03")], "the pathway has no such visit"),
        ([*ASSESSED, ("done", "assessment", "2026-12-04")], "the visit has been already"),
        ([("outcome", "assessment", "positive", "2026-12-03")], "assessment has not been"),
        ([*ASSESSED, ("outcome", "assessment", "perhaps", "2026-12-03")], "is to be one of positive, negative"),
        ([("dated", "low-reservoir", "2026-12-30", "2026-12-01")], "the pathway waits for no such date"),
        ([("stopped", "2026-12-01"), ("planned", "assessment", "2026-12-03")], "the episode is stopped"),
        ([("restarted", "2026-12-01")], "it goes on already"),
    ],
)
def test_what_cannot_follow_is_refused(told, why):
    with pytest.raises(EventRefused) as refused:
        episode("spinal-cord-stimulation", *told)
    assert refused.value.detail == why


def test_an_assessment_is_planned_again_before_the_old_one_has_lapsed_if_it_has_by_then():
    found = episode("spinal-cord-stimulation", *POSITIVE)
    pathway = catalogue.get_pathway(found.pathway)
    again = record_events(found, pathway, event("planned", "assessment", "2027-02-02", known="2027-01-28"))
    assert opened(again, "2027-02-02")["assessment.1"].planned is not None
    with pytest.raises(EventRefused, match="the visit has been already"):
        record_events(found, pathway, event("planned", "assessment", "2027-02-01", known="2027-01-28"))


def test_what_follows_a_visit_that_still_waits_is_counted_from_today_and_not_from_the_referral():
    waits = episode("radiofrequency-ablation")
    assert window(waits, "injection.2", "2026-12-10")[0] == "2026-12-17"
    stands = episode("radiofrequency-ablation", ("planned", "injection.1", "2026-12-08"))
    assert window(stands, "injection.2", "2026-12-07")[0] == "2026-12-15"


def test_a_check_that_was_called_off_is_made_up_for_on_the_next_day():
    consulted = [("planned", "consult", "2026-11-30"), ("done", "consult", "2026-11-30")]
    tried = [("planned", "trial", "2026-12-01"), ("planned", "check.1", "2026-12-02"), ("done", "trial", "2026-12-01")]
    missed = episode(
        "spinal-drug-delivery", *consulted, *tried, event("cancelled", "check.1", "2026-12-02", known="2026-12-01")
    )
    assert window(missed, "check.1", "2026-12-02") == ("2026-12-02", "2026-12-03")


DAYS = (("trial", "2026-12-14"), ("lead-removal", "2026-12-21"))
REMOVED = [*POSITIVE, *((kind, step, day) for step, day in DAYS for kind in ("planned", "done"))]


@pytest.mark.parametrize(
    ("told", "step", "said"),
    [(ASSESSED, "assessment", {}), (REMOVED, "lead-removal", {}), (ASSESSED, "assessment", {"relief_percent": 80})],
)
def test_an_outcome_that_says_nothing_of_the_step_is_refused(told: list[Any], step: str, said: dict[str, int]):
    before = episode("spinal-cord-stimulation", *told)
    silent = Event(kind="outcome", known=stamped(date(2026, 12, 22)), step=step, **said)
    with pytest.raises(EventRefused, match="what came of it is missing"):
        record_events(before, catalogue.get_pathway(before.pathway), silent)


def test_what_was_told_by_mistake_is_as_if_it_had_not_been_told():
    before = episode("spinal-cord-stimulation", *ASSESSED[:1])
    for mistake in ("done", "no-show"):
        told = [*ASSESSED[:1], (mistake, *ASSESSED[0][1:]), ("retracted", *ASSESSED[0][1:])]
        found = episode("spinal-cord-stimulation", *told)
        assert opened(found, "2026-12-03") == opened(before, "2026-12-03")
        again = episode("spinal-cord-stimulation", *told, ("done", *ASSESSED[0][1:]))
        assert opened(again, "2026-12-03") == opened(episode("spinal-cord-stimulation", *ASSESSED), "2026-12-03")


@pytest.mark.parametrize(
    "told",
    [
        [],
        ASSESSED[:1],
        POSITIVE,
        [*ASSESSED[:1], ("no-show", *ASSESSED[0][1:]), ("planned", "assessment", "2026-12-09")],
        [*ASSESSED, ("retracted", *ASSESSED[0][1:])],
    ],
)
def test_only_the_last_that_is_known_of_a_visit_is_taken_back(told: list[Any]):
    with pytest.raises(EventRefused, match="more is known of the visit by now, or nothing"):
        episode("spinal-cord-stimulation", *told, ("retracted", *ASSESSED[0][1:]))


@pytest.mark.parametrize("order", [PARTS, tuple(reversed(PARTS)), (PARTS[1], PARTS[0], PARTS[2])], ids=str)
def test_the_parts_of_a_work_injury_are_recorded_in_the_order_in_which_they_were(order):
    planned = [event("planned", part, "2026-12-07") for part in PARTS]
    pathway = catalogue.get_pathway("work-injury")
    found = record_events(episode("work-injury"), pathway, *planned)
    for part in order:
        found = record_events(found, pathway, event("done", part, "2026-12-07"))
    assert state_of(found) == "completed"
