"""How a simulated clinic plans: what both policies owe to patients who are still to come, and to those who have been told."""

from __future__ import annotations

import pytest
from factories import PEOPLE, booking, current, plan, provider, reserve, scenario, visit

from api.simulation.policies import POLICIES, Policy, PolicyName
from scheduling.requests import Reserve, Visit
from scheduling.scenario import Scenario
from solver.first_come import first_come


def narrow(*asked: Visit | Reserve) -> Scenario:
    """Return a week in which ana alone works, for one visit's time on Tuesday."""
    away = [provider(one.id, *one.skills, busy=[("MO 00:00", "SA 00:00")]) for one in PEOPLE if one.id != "ana"]
    ana = provider("ana", "pain", busy=[("MO 00:00", "TU 13:00"), ("TU 13:40", "SA 00:00")])
    return scenario(*asked, providers=[ana, *away])


@pytest.mark.parametrize("name", POLICIES)
def test_time_that_is_held_goes_to_nobody_else(name: PolicyName) -> None:
    asked = narrow(visit("v-1", "pat", "consult"), reserve("hold-1", "TU"))
    made = Policy(name, 1, 0, 1, deterministic=True).plan(asked, None, whole=True)
    assert ([one.reserve for one in made.holds], made.visits) == (["hold-1"], ())
    assert [one.visit for one in first_come(asked).visits] == ["v-1"]


@pytest.mark.parametrize("name", POLICIES)
def test_who_has_been_told_stays_although_another_would_be_worth_more(name: PolicyName) -> None:
    told = current("TU 13:00", "wang-consult", "ana")
    asked = narrow(visit("v-1", "pat", "consult", current=told), visit("v-2", "quin", "consult", priority="urgent"))
    stands = plan(asked, booking("v-1", "TU 13:00", "wang-consult"))
    made = Policy(name, 1, 0, 1, deterministic=True).plan(asked, stands, whole=False)
    assert [one.visit for one in made.visits] == ["v-1"]
