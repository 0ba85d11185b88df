"""The notification budget: what every plan must break counts as granted, so that all such budgets ask for the same."""

from __future__ import annotations

import pytest
from factories import clinic, current, current_group, group, on, provider, scenario, service, shift, visit
from strategies import NAMES

from scheduling.scenario import Scenario
from solver import Limits, solve
from solver.budget import forced_calls, with_budget
from solver.domains import Domains

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
    assert forced_calls(Domains(away(None))) == 1


def test_a_group_that_cannot_stay_has_to_call_all_its_attendees() -> None:
    told = current_group("MO 10:00", "pat", "quin", team=["ben"])
    asked = scenario(
        group("g0", "pat", "quin", "rae", month="2026-11", current=told),
        group("g1", "pat", "quin", month="2026-11", current=current_group("MO 09:00", "pat", team=["ben"])),
        providers=[provider("ben", "psychology", shifts=[shift("MO 08:00", "11:00")])],
    )
    assert forced_calls(Domains(asked)) == 2


@pytest.mark.parametrize(("budget", "granted"), [(None, None), (0, 1), (1, 1), (2, 2)])
def test_a_budget_is_raised_to_what_every_plan_needs(budget: int | None, granted: int | None) -> None:
    asked = away(budget)
    changed = with_budget(asked, Domains(asked))
    assert changed.policy.max_notified_moves == granted
    assert (changed is asked) == (budget == granted)


def test_budgets_that_cannot_be_kept_have_the_same_plan_and_say_so() -> None:
    none, enough = solve(away(0), LIMITS), solve(away(1), LIMITS)
    assert (none.status, none.bound) == ("unknown", None)
    assert (enough.status, enough.bound) == ("optimal", enough.cost)
    assert (none.visits, none.cost) == (enough.visits, enough.cost)
