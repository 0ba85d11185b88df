"""Neighbourhoods free what belongs together."""

from __future__ import annotations

from support.factories import link, patient, scenario, visit

from solver.parameters import NeighbourhoodParameters
from solver.search.neighbourhoods import MOST_OUT, Neighbourhoods
from solver.state.domains import Domains
from solver.state.placements import Placement

PATIENTS = 20
SMALL = NeighbourhoodParameters(initial_size=4, min_size=1)


def test_what_is_linked_is_freed_together_planned_or_left_out() -> None:
    names = [(f"a{n}", f"b{n}") for n in range(PATIENTS)]
    asked = scenario(
        *(visit(name, f"p{n}") for n, pair in enumerate(names) for name in pair),
        *(link(before, after, 1, 1, together=True) for before, after in names[1:]),
        patients=[patient(f"p{n}") for n in range(PATIENTS)],
    )
    domains = Domains(asked)
    planned = {("visit", name): Placement(0, 50, "wang", ()) for pair in names[:5] for name in pair}
    neighbourhoods, partners, alone = Neighbourhoods(domains, {}, 1, SMALL), dict(names[1:]), 0
    for _ in range(20):
        freed = {name for _, name in neighbourhoods.next(planned)}
        assert all((before in freed) == (after in freed) for before, after in partners.items())
        assert len(freed - {name for _, name in planned}) <= MOST_OUT + 1
        alone += ("a0" in freed) != ("b0" in freed)
    assert alone
