"""Neighbourhoods: some tasks are planned anew, and everything else stays exactly where it is."""

from __future__ import annotations

from itertools import permutations

import pytest
from support.factories import booking, plan, scenario, visit

from scheduling.check import check
from solver.clock import Clock
from solver.search.large_neighbourhoods import SearchLimits, SubproblemSolver
from solver.state.domains import Domains
from solver.state.placements import get_placements, make_plan
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
