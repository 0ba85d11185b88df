"""How a simulated clinic plans: what policies owe to patients who are still to come, and to those who have been told."""

from __future__ import annotations

import pytest
from support.factories import PEOPLE, booking, current, plan, provider, reserve, scenario, visit

from api.simulation.policies import POLICIES, PlanningPolicy, PolicyName
from scheduling.requests import Reserve, Visit
from scheduling.scenario import Scenario


def narrow(*asked: Visit | Reserve) -> Scenario:
    """Return a week in which ana alone works, for one visit's time on Tuesday."""
    away = [provider(one.id, *one.skills, busy=[("MO 00:00", "SA 00:00")]) for one in PEOPLE if one.id != "ana"]
    ana = provider("ana", "pain", busy=[("MO 00:00", "TU 13:00"), ("TU 13:40", "SA 00:00")])
    return scenario(*asked, providers=[ana, *away])


@pytest.mark.parametrize(
    ("name", "held", "placed"),
    [("optimised", ["hold-1"], []), ("first-come-holding", ["hold-1"], []), ("first-come", [], ["v-1"])],
)
def test_time_for_referrals_to_come_is_held_first_but_what_is_left_when_the_first_to_come_is_served(
    name: PolicyName, held: list[str], placed: list[str]
) -> None:
    asked = narrow(visit("v-1", "pat", "consult"), reserve("hold-1", "TU"))
    made = PlanningPolicy(name, 1, 0, 1, deterministic=True).plan(asked, None, whole=True)
    assert ([hold.reserve for hold in made.holds], [one.visit for one in made.visits]) == (held, placed)


@pytest.mark.parametrize("name", POLICIES)
def test_who_has_been_told_stays_although_another_would_be_worth_more(name: PolicyName) -> None:
    told = current("TU 13:00", "wang-consult", "ana")
    asked = narrow(visit("v-1", "pat", "consult", current=told), visit("v-2", "quin", "consult", priority="urgent"))
    stands = plan(asked, booking("v-1", "TU 13:00", "wang-consult"))
    made = PlanningPolicy(name, 1, 0, 1, deterministic=True).plan(asked, stands, whole=False)
    assert [one.visit for one in made.visits] == ["v-1"]
