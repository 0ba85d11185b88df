"""Room for who has to be seen: the fewest others give way, and what no arrangement can take is proven so."""

from __future__ import annotations

from itertools import count

import pytest
from support.factories import at, booking, current, link, patient, policy, provider, reserve, scenario, shift, visit
from support.factories import plan as plan_of

from scheduling.check import check
from scheduling.plan import Plan, Unscheduled
from scheduling.requests import Visit
from scheduling.scenario import PriorityWeights, Scenario
from solver import Limits, clock, solve
from solver.change.bump import bump, place_expiring_visits, reoptimise_day
from solver.search.first_come import plan_first_come

LIMITS = Limits(2.0, 1, 0)


def ana(*halves: tuple[str, str], **changes: object):
    return provider("ana", "pain", shifts=[shift(start, end, "wang") for start, end in halves], **changes)


def asked(identifier: str, who: str, **changes: object) -> Visit:
    return visit(identifier, who, service="followup", **changes)


def week(*visits: Visit, now: str | None = None) -> Scenario:
    people = [patient(one) for one in dict.fromkeys(one.patient for one in visits)]
    return scenario(
        *visits,
        providers=[ana(("MO 08:00", "09:00"), ("TU 08:00", "10:00"))],
        patients=people,
        policy=policy(),
        now=None if now is None else at(now),
    )


def pressing(identifier: str, who: str) -> Visit:
    day = {"earliest": "2026-11-30", "target": "2026-11-30", "deadline": "2026-11-30"}
    return asked(identifier, who, priority="cancer", same_day=True, **day)


def full_monday() -> tuple[Scenario, Plan]:
    """Return a week whose Monday others fill, and a plan that leaves who has to be seen on it out."""
    found = plan_first_come(week(asked("a", "pat"), asked("b", "quin"), asked("c", "rae"), asked("d", "sol")))
    monday = [one.visit for one in found.visits if f"{one.start:%a}" == "Mon"]
    assert monday, "somebody is there to give way"
    scenario_ = week(asked("a", "pat"), asked("b", "quin"), asked("c", "rae"), asked("d", "sol"), pressing("now", "tess"))
    plan = plan_first_come(scenario_, found.changed(unscheduled=(*found.unscheduled, *_left("now"))))
    return scenario_, plan


def _left(name: str) -> tuple[Unscheduled, ...]:
    return (Unscheduled(visit=name, reasons=()),)


def test_the_fewest_others_give_way_and_find_another_place():
    week_, plan = full_monday()
    assert "now" not in plan.visits_by_id
    made = bump(week_, plan, "now")
    assert made is not None
    assert not check(week_, made).violations
    assert f"{made.visits_by_id['now'].start:%a}" == "Mon"
    moved = [one for one in plan.visits if made.visits_by_id.get(one.visit) != one]
    assert 1 <= len(moved) <= 2


def test_whoever_has_a_last_day_in_the_horizon_gets_the_place_of_others_who_can_wait():
    week_, plan = full_monday()
    last = asked("last", "tess", deadline="2026-11-30")
    week_ = week(*(one for one in week_.visits if one.id != "now"), last)
    plan = plan.changed(unscheduled=(*(one for one in plan.unscheduled if one.visit != "now"), *_left("last")))
    made = place_expiring_visits(week_, plan, LIMITS)
    assert not check(week_, made).violations
    assert f"{made.visits_by_id['last'].start:%a}" == "Mon"
    assert place_expiring_visits(week_, plan, LIMITS, visits=["a"]) == plan


def test_on_their_last_day_nobody_gives_way_but_to_another_place_in_time():
    """One stands on the Monday, which has no time for another; they may come on the Tuesday, too, or not."""
    monday = {"deadline": "2026-11-30"}
    for deadline, place in (("2026-12-01", "Mon"), ("2026-11-30", None)):
        stands = asked("a", "pat", deadline=deadline)
        plan = plan_first_come(week(stands))
        assert [f"{one.start:%a}" for one in plan.visits] == ["Mon"]
        week_ = week(stands, asked("last", "tess", **monday))
        made = bump(week_, plan.changed(unscheduled=_left("last")), "last")
        assert (made and f"{made.visits_by_id['last'].start:%a}") == place
        assert made is None or len(made.visits) == 2


def test_holds_give_way_first_and_of_those_the_ones_that_are_held_for_such_visits():
    """Monday's time is held for a consult, Tuesday's first hour for a follow-up; the visit could be on either."""
    last = asked("last", "tess", deadline="2026-12-01")
    held = reserve("other", "MO", "08:00", "09:00", service="consult"), reserve("own", "TU", "08:00", "09:00")
    told = asked("told", "pat", current=current("TU 09:00", "wang-exam-1", "ana"))
    week_ = week(told, last).changed(reserves=held)
    stands = plan_first_come(week_.restrict_to(["told"]))
    assert len(stands.holds) == 2, "the control: both are there"
    made = bump(week_, stands.changed(unscheduled=_left("last")), "last")
    assert made is not None and not check(week_, made).violations
    assert ([hold.reserve for hold in made.holds], f"{made.visits_by_id['last'].start:%a}") == (["other"], "Tue")
    assert made.visits_by_id["told"] == stands.visits_by_id["told"]


def test_nobody_is_called_again_for_a_better_day():
    """An acute patient stands on the Tuesday; the Monday is free, and has to take two who go together."""
    told = asked("told", "pat", priority="urgent", deadline="2026-12-01", current=current("TU 08:00", "wang-exam-1", "ana"))
    pair = asked("first", "tess", deadline="2026-11-30"), asked("second", "tess", deadline="2026-12-01")
    week_ = week(told, *pair).changed(links=(link("first", "second", together=True, min_days=1, max_days=1),))
    impatient = PriorityWeights(routine=500, soon=500, urgent=500, cancer=500)
    week_ = week_.changed(policy=week_.policy.changed(delay_per_day=impatient))
    stands = plan_of(week_, booking("told", "TU 08:00", "wang-exam-1", "ana"))
    plan = stands.changed(unscheduled=(*_left("first"), *_left("second")))
    made = place_expiring_visits(week_, plan, LIMITS)
    assert len(made.visits) == 3
    assert made.visits_by_id["told"].start == stands.visits_by_id["told"].start


def test_two_that_go_together_get_the_places_of_others_together():
    week_, plan = full_monday()
    pair = asked("first", "tess", deadline="2026-11-30"), asked("second", "tess", deadline="2026-12-01")
    others = tuple(one for one in week_.visits if one.id != "now")
    week_ = week(*others, *pair).changed(links=(link("first", "second", together=True, min_days=1, max_days=1),))
    plan = plan.changed(
        unscheduled=(*(one for one in plan.unscheduled if one.visit != "now"), *_left("first"), *_left("second"))
    )
    assert bump(week_, plan, "first") is None, "the control: one alone is no use"
    made = place_expiring_visits(week_, plan, LIMITS)
    assert not check(week_, made).violations
    assert [f"{made.visits_by_id[one.id].start:%a}" for one in pair] == ["Mon", "Tue"]


def test_nobody_with_cancer_gives_way_and_that_nothing_helps_is_proven():
    crowd = [pressing(f"first-{number}", f"p{number}") for number in range(9)]
    week_ = week(*crowd)
    plan = solve(week_, LIMITS)
    left = plan.unscheduled[0].visit
    assert bump(week_, plan, left) is None
    assert reoptimise_day(week_, plan, left, Limits(5.0, 1)) == (None, True)


@pytest.mark.parametrize("deterministic", [True, False])
def test_where_work_is_counted_the_proof_does_not_depend_on_how_slow_the_machine_is(
    monkeypatch: pytest.MonkeyPatch, deterministic: bool
):
    week_ = week(*(pressing(f"first-{number}", f"p{number}") for number in range(9)))
    plan = solve(week_, LIMITS)
    hours = count(step=3600)
    monkeypatch.setattr(clock, "monotonic", lambda: next(hours))
    _, proven = reoptimise_day(week_, plan, plan.unscheduled[0].visit, Limits(5.0, 1, deterministic=deterministic))
    assert proven == deterministic


def test_what_has_a_place_only_if_others_are_arranged_anew_is_given_one():
    week_, plan = full_monday()
    made, proven = reoptimise_day(week_, plan, "now", Limits(5.0, 1))
    assert made is not None and not proven
    assert not check(week_, made).violations
    assert "now" in made.visits_by_id


def test_first_come_keeps_what_stands_exactly_and_puts_others_at_the_earliest_free_time():
    early = week(asked("a", "pat"))
    stands = solve(early, LIMITS)
    more = week(asked("a", "pat"), asked("b", "quin"))
    made = plan_first_come(more, stands.changed(unscheduled=_left("b")))
    assert made.visits_by_id["a"] == stands.visits_by_id["a"]
    assert f"{made.visits_by_id['a'].start:%a}" == "Mon", "and Monday has time for no other"
    assert f"{made.visits_by_id['b'].start:%a %H:%M}" == "Tue 08:00"
