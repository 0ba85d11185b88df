"""Neighbourhoods: some tasks are planned anew, and everything else stays exactly where it is."""

from __future__ import annotations

from itertools import permutations

import pytest
from support.factories import booking, current_group, group, plan, policy, scenario, visit

from scheduling.check import check
from solver.clock import Clock
from solver.search.large_neighbourhoods import SearchLimits, SubproblemSolver
from solver.state.domains import Domains
from solver.state.placements import get_current_placements, get_placements, make_plan
from solver.state.tasks import visit_key

SUITED = ("wang-proc-1", "wang-proc-2")
"""Both suit an injection; only the first has ultrasound too, so they are not alike."""


@pytest.mark.parametrize(("hers", "others"), list(permutations(SUITED)))
def test_what_stays_keeps_its_room_on_a_day_that_is_not_planned_anew(hers: str, others: str) -> None:
    asked = scenario(visit("free", "pat", "injection"), visit("stays", "pat", "injection"), visit("other", "quin", "injection"))
    domains, key = Domains(asked), visit_key("free")
    standing = get_placements(
        asked,
        plan(asked, booking("stays", "WE 09:00", hers), booking("other", "WE 09:00", others, team="dee")),
    )
    monday = [option for option in domains.options[key] if option.day == 0]
    found = SubproblemSolver(domains, Clock(10.0)).solve(standing, {key: monday}, SearchLimits(5.0, 1, 0)).placements
    assert found is not None and found.keys() == standing.keys() | {key}
    assert {name: found[name] for name in standing} == standing
    assert not check(asked, make_plan(domains, found)).violations


@pytest.mark.parametrize(("whose", "is_planned"), [("pat", False), ("quin", True)])
def test_who_attends_a_begun_session_comes_on_its_day_even_if_they_are_no_candidate(whose: str, is_planned: bool) -> None:
    """A second trip costs more than the visit is worth, so only whoever does not come on Monday has it on Tuesday."""
    session = group("g", "rae", current=current_group("MO 09:00", "pat", "rae", supervisors=()))
    asked = scenario(visit("v", whose), session, now="MO 09:30", policy=policy(extra_trip=10**6))
    domains, standing = Domains(asked), get_current_placements(asked)
    tuesday = [option for option in domains.options[visit_key("v")] if option.day == 1]
    assert tuesday and domains.get_begun(domains.by_key["group", "g"])
    answer = SubproblemSolver(domains, Clock(10.0)).solve(standing, {visit_key("v"): tuesday}, SearchLimits(5.0, 1, 0))
    assert answer.placements is not None and (visit_key("v") in answer.placements) == is_planned
