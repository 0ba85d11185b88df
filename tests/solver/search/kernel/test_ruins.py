"""What a ruin takes out: what stands in the way, and nothing else."""

from __future__ import annotations

import numpy as np
from support import factories

from scheduling.requests import Current
from scheduling.scenario import Scenario
from solver.search.encoding import KernelEncoding
from solver.search.kernel.layout import CANDIDATE, NOTIFIED
from solver.search.kernel.ruins import find_told, ruin_for_told
from solver.state.domains import Domains
from solver.state.placements import get_current_placements

ROOM = "wang-exam-1"
TOLD = factories.current("MO 09:00", ROOM)
STANDING = {
    "told": ("followup", "p0", "MO 11:00", ROOM, "ana"),
    "of the team": ("bedside", "p1", "MO 09:30", None, "ana"),
    "in the room": ("followup", "p2", "MO 08:30", ROOM, "dee"),
    "of the patient": ("bedside", "p0", "MO 09:00", None, "dee"),
    "before": ("bedside", "p3", "MO 08:40", None, "ana"),
    "after": ("followup", "p4", "MO 09:40", ROOM, "ana"),
    "of another team": ("bedside", "p5", "MO 09:20", None, "dee"),
    "on another day": ("followup", "p6", "TU 09:00", ROOM, "ana"),
}
"""The service, patient, start, room and team of each visit in the plan that the search has in hand."""


def ask(told: Current | None) -> Scenario:
    """Return a scenario of those visits, of which the first has been told a place; without it, each is told where it stands."""
    visits = []
    for name, (service, patient, start, room, team) in STANDING.items():
        standing = factories.current(start, room, team) if told is None else told if name == "told" else None
        visits.append(factories.visit(name, patient, service, current=standing))
    return factories.scenario(
        *visits,
        patients=[factories.patient(f"p{number}") for number in range(7)],
        providers=[factories.provider("ana"), factories.provider("dee")],
        clinic=factories.clinic(
            rooms=[factories.room(ROOM, "wang", "exam")], services=[*factories.SERVICES[:1], factories.SERVICES[4]]
        ),
        policy=factories.policy(max_notified_moves=0),
    )


def test_what_stands_where_somebody_was_told_to_be_is_taken_out() -> None:
    encoding = KernelEncoding(Domains(ask(TOLD)), get_current_placements(ask(None)), 1)
    tables, state = encoding.tables, encoding.state
    assert state.totals[NOTIFIED] == 1
    removed = np.empty((len(STANDING), 5), np.int32)
    count = ruin_for_told(tables, state, encoding.task_rows["visit", "told"], removed, 0)
    names = {row: name for (_, name), row in encoding.task_rows.items()}
    taken = {names[row] for row in removed[:count, 0]}
    assert taken == {"of the team", "in the room", "of the patient"}
    assert {names[row] for row in names if state.now[row, CANDIDATE] < 0} == taken


def test_only_who_has_been_told_and_can_stay_has_a_place_to_return_to() -> None:
    encoding = KernelEncoding(Domains(ask(TOLD)), {}, 1)
    assert find_told(encoding.tables, encoding.task_rows["visit", "told"]) >= 0
    assert find_told(encoding.tables, encoding.task_rows["visit", "before"]) == -1
    closed = KernelEncoding(Domains(ask(factories.current("MO 07:00", ROOM))), {}, 1)
    assert find_told(closed.tables, closed.task_rows["visit", "told"]) == -1
