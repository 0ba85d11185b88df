"""The notification budget: what every plan must break counts as granted, so that all such budgets ask for the same."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import pytest
from support.factories import PROCEDURE, clinic, current, current_group, group, on, provider, scenario, service, shift, visit
from support.strategies import NAMES

from scheduling.check import check
from scheduling.generate import generate
from scheduling.publishing import publish, rebase
from scheduling.scenario import Scenario
from solver import Limits, SolverParameters, solve
from solver.clock import Clock
from solver.search.budget import count_forced_calls, find_staying, raise_budget, restore_current
from solver.search.construct import construct
from solver.search.first_come import plan_first_come
from solver.search.large_neighbourhoods import SearchLimits, SubproblemSolver
from solver.state.domains import Domains
from solver.state.placements import Placement, count_notified_changes, get_current_placements, get_placements, make_plan
from solver.state.tasks import Key
from solver.state.unary import start_mask

decomposition = import_module("solver.decomposition")
"""The module, whose name in the package is taken by its function."""

LIMITS = Limits(seconds=2, workers=1, deterministic=True)


def away(budget: int | None) -> Scenario:
    """Ask for four talks of ana, of which two stand where she is away by now, one of them told, and two at 8 and 9, told."""
    asked = scenario(
        visit("v0", NAMES[0], "talk", current=current("MO 08:00", None)),
        visit("v1", NAMES[1], "talk", current=current("MO 09:00", None)),
        visit("v2", NAMES[2], "talk", current=current("MO 10:00", None)),
        visit("v3", NAMES[3], "talk", current=current("MO 11:00", None, notified=False)),
        clinic=clinic(service("talk", room=None)),
        providers=[provider("ana", shifts=[shift("MO 08:00", "12:00")], busy=[("MO 10:00", "MO 12:00")])],
        horizon={"start": on("MO"), "end": on("TU")},
    )
    return asked.changed(policy=asked.policy.changed(max_notified_moves=budget))


def test_only_notified_people_who_cannot_stay_have_to_be_called() -> None:
    assert count_forced_calls(Domains(away(None))) == 1


def test_a_group_that_cannot_stay_has_to_call_all_its_attendees() -> None:
    told = current_group("MO 10:00", "pat", "quin", team=["ben"])
    asked = scenario(
        group("g0", "pat", "quin", "rae", month="2026-11", current=told),
        group("g1", "pat", "quin", month="2026-11", current=current_group("MO 09:00", "pat", team=["ben"])),
        providers=[provider("ben", "psychology", shifts=[shift("MO 08:00", "11:00")])],
    )
    assert count_forced_calls(Domains(asked)) == 2


@pytest.mark.parametrize(("budget", "granted"), [(None, None), (0, 1), (1, 1), (2, 2)])
def test_a_budget_is_raised_to_what_every_plan_needs(budget: int | None, granted: int | None) -> None:
    asked = away(budget)
    changed = raise_budget(asked, Domains(asked))
    assert changed.policy.max_notified_moves == granted
    assert (changed is asked) == (budget == granted)


def test_budgets_that_cannot_be_kept_have_the_same_plan_and_say_so() -> None:
    none, enough = solve(away(0), LIMITS), solve(away(1), LIMITS)
    assert (none.status, none.bound) == ("unknown", None)
    assert (enough.status, enough.bound) == ("optimal", enough.cost)
    assert (none.visits, none.cost) == (enough.visits, enough.cost)


@pytest.mark.parametrize(("budget", "stay"), [(None, set()), (0, set()), (1, {"v0", "v1"}), (2, set())])
def test_when_nothing_is_left_of_the_budget_who_was_told_and_can_stay_stays(budget: int | None, stay: set[str]) -> None:
    asked = away(budget)
    assert find_staying(asked, Domains(asked)) == {("visit", one) for one in stay}


def test_what_stays_has_no_option_but_where_it_stands() -> None:
    asked = away(1)
    free, tight = Domains(asked), Domains(asked, staying=[("visit", "v0")])
    (there,) = tight.options["visit", "v0"]
    assert there.starts == start_mask(asked, current("MO 08:00", None).start)
    assert sum(option.starts.bit_count() for option in free.options["visit", "v0"]) > 1
    assert tight.options["visit", "v1"] == free.options["visit", "v1"]


def trainees() -> Scenario:
    """Ask for two told procedures at once by trainees: one may be supervised by ana or dee, the other by ana alone."""
    lead = {"any_of": ["neuromodulation"]}
    shifts = [shift("MO 08:00", "12:00", "wang")]
    return scenario(
        visit("v0", NAMES[0], "block", priority="urgent", current=current("MO 09:00", "wang-proc-1", team="cy")),
        visit("v1", NAMES[1], "trial", current=current("MO 09:00", "wang-proc-2", team="eli")),
        clinic=clinic(service("block", **PROCEDURE), service("trial", **{**PROCEDURE, "team": [lead]})),
        providers=[
            provider("ana", "pain", "neuromodulation", shifts=shifts),
            provider("cy", "pain", trainee=True, shifts=shifts),
            provider("dee", "pain", shifts=shifts),
            provider("eli", "neuromodulation", trainee=True, shifts=shifts),
        ],
        horizon={"start": on("MO"), "end": on("TU")},
    )


def test_supervisors_are_chosen_for_all_that_stands_at_once() -> None:
    asked = trainees()
    domains = Domains(asked)

    def calls(placements: Mapping[Key, Placement]) -> int:
        return sum(count_notified_changes(domains, task, placements.get(task.key)) for task in domains.tasks)

    told = construct(domains, restore_current(domains, SubproblemSolver(domains, Clock(10.0)), SearchLimits(5.0, 1, 0)))
    assert (calls(construct(domains, get_current_placements(asked))), calls(told)) == (1, 0)
    assert not check(asked, make_plan(domains, told)).violations


def test_of_those_who_cannot_all_stay_the_others_move_and_none_is_left_out() -> None:
    both = trainees()
    asked = both.changed(
        providers=tuple(one for one in both.providers if one.id != "dee"),
        policy=both.policy.changed(max_notified_moves=0),
    )
    assert len(find_staying(asked, Domains(asked))) == 2
    made = solve(asked, LIMITS)
    assert (made.status, made.unscheduled) == ("unknown", ())
    assert sum(one.start == both.visit(one.visit).current.start for one in made.visits) == 1


def test_what_stays_is_handed_on_in_the_order_of_the_plan_which_is_the_same_in_every_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = generate("tiny", 3)
    linked = {end for link in whole.links for end in (link.before, link.after)}
    told = [one.id for number, one in enumerate(whole.visits) if number % 2 or one.id in linked]
    stands = plan_first_come(whole.restrict_to(told))
    asked = publish(whole, rebase(stands, whole))
    asked = asked.changed(policy=asked.policy.changed(max_notified_moves=0))
    handed: list[list[Key]] = []

    def spy(domains: Domains, start: Mapping[Key, Placement] | None = None, *prices: Any) -> dict[Key, Placement]:
        if prices:
            handed.append(list(start or {}))
        return construct(domains, start, *prices)

    monkeypatch.setattr(decomposition, "construct", spy)
    solve(asked, LIMITS, start=rebase(stands, asked), parameters=SolverParameters(exact_max_options=0))
    (stay,) = handed
    domains = Domains(asked)
    assert stay == [key for key in get_placements(asked, stands) if key in find_staying(asked, domains)] != []
