"""Exact times in the master: what stays cuts its shift in pieces, and bounds hold whatever becomes a timeline."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.factories import clinic, current, current_group, group, on, provider, scenario, service, shift, visit
from support.optima import bounds, optimum
from support.strategies import NAMES, scenarios

from scheduling.scenario import Scenario
from solver.bound.master import Master
from solver.bound.relaxation import LinearProgram
from solver.bound.timelines import Timelines
from solver.state.domains import Domains, ShiftId

FEW = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def always(_: Timelines, shift: ShiftId) -> bool:
    return True


@FEW
@given(scenarios(), st.booleans())
def test_no_bound_is_above_the_optimum_when_every_shift_is_a_timeline(
    monkeypatch: pytest.MonkeyPatch, asked: Scenario, pooled: bool
) -> None:
    monkeypatch.setattr(Timelines, "replaces", always)
    best = optimum(asked)
    if best is not None:
        relaxed, cut = bounds(asked, pooled)
        assert relaxed <= cut <= best


STANDING = current("MO 08:30", room=None)


def day_of_ana(*wanted: str, told: bool = True, ends: str = "10:00") -> Scenario:
    """Ask for forty minutes each of ana from 8 o'clock, one of which stands at 8:30; urgent ones cost more than a call."""
    talk = service("talk", minutes=40, room=None)
    stands = {"current": STANDING} if told else {}
    return scenario(
        visit("v0", NAMES[0], "talk", **stands),
        *(
            visit(f"v{n + 1}", name, "talk", priority=priority)
            for n, (name, priority) in enumerate(zip(NAMES[1:], wanted, strict=False))
        ),
        clinic=clinic(talk),
        providers=[provider("ana", shifts=[shift("MO 08:00", ends)])],
        horizon={"start": on("MO"), "end": on("TU")},
    )


def test_one_who_stays_leaves_room_for_fewer_than_minutes_tell() -> None:
    """Of 2 hours 40 minutes are taken at 8:30: 80 are left, and 30 before it, so that one more visit fits and not two."""
    apart, standing = day_of_ana("urgent", "urgent", told=False), day_of_ana("urgent", "urgent")
    assert optimum(apart) == bounds(apart)[0]
    best = optimum(standing)
    assert best is not None
    assert best > (optimum(apart) or 0)
    assert bounds(standing) == (best, best)


def test_an_arc_that_is_too_long_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = day_of_ana("urgent", ends="09:50")
    best = optimum(asked)
    assert best is not None
    assert bounds(asked)[1] <= best
    longer = Timelines._slots  # noqa: SLF001
    monkeypatch.setattr(Timelines, "_slots", lambda self, minutes: longer(self, minutes) + 1)
    assert bounds(asked)[1] > best


SHARED = {
    "room": (service("shared", room={"kind": "consult", "features": []}), provider("eve", shifts=[shift("MO 08:20", "09:00")])),
    "device": (
        service("shared", room=None, equipment=["generator"]),
        provider("eve", shifts=[shift("MO 08:20", "09:00")]),
    ),
    "bay": (service("shared", room=None, recovery=40), provider("eve", shifts=[shift("MO 08:20", "09:00")])),
    "attention": (
        service("shared", room=None, attention=2),
        provider("eve", trainee=True, shifts=[shift("MO 08:20", "09:00")]),
    ),
}


@pytest.mark.parametrize("shared", SHARED)
def test_what_two_need_at_one_moment_is_bounded_there(shared: str) -> None:
    """Of ana stands one at 8:40, eve has time at 8:20 only; the minutes of the morning are enough for both."""
    wanted, eve = SHARED[shared]
    asked = scenario(
        visit("v0", NAMES[0], "shared", current=current("MO 08:40", "wang-consult" if shared == "room" else None)),
        visit("v1", NAMES[1], "shared", priority="urgent", required_provider="eve"),
        clinic=clinic(wanted, recovery=[{"location": "wang", "bays": 1}]),
        providers=[provider("ana", shifts=[shift("MO 08:00", "10:00")]), eve],
        horizon={"start": on("MO"), "end": on("TU")},
    )
    program = Master(Domains(asked)).program
    relaxed = program.solve_relaxation(60)
    assert relaxed is not None
    assert relaxed.bound == 0
    best = optimum(asked)
    assert best == asked.policy.moved_notified
    rounds = 0
    while program.add_broken_rows(relaxed.values):
        relaxed = program.solve_relaxation(60)
        assert relaxed is not None
        rounds += 1
    assert rounds > 0
    assert program.branch_and_cut(60) == best
    assert 0 < relaxed.bound <= best


def test_later_rows_come_in_only_when_they_are_broken() -> None:
    program = LinearProgram()
    program.add_column()
    program.add_column()
    program.lazy_rows = [([0, 1], [1, 1], 1), ([0], [2], 1)]
    assert program.add_broken_rows(np.array([0.5, 0.5])) == 0
    assert program.add_broken_rows(np.array([0.4, 0.7])) == 1
    assert (program.highs, len(program.lazy_rows)) == ([1], 1)
    assert program.add_broken_rows(np.array([1.0, 0.0])) == 1
    assert (program.highs, program.lazy_rows) == ([1, 1], [])
    assert program.add_broken_rows(np.array([1.0, 1.0])) == 0


def test_a_group_stays_at_its_start_only() -> None:
    """Its session in the one start left costs nothing; were the same column worth any start, a second group could join it."""
    asked = scenario(
        *(
            group(name, "pat", month="2026-11", min_attendees=1, current=current_group("MO 08:00", "pat", team=["ben"]))
            for name in ("g0", "g1")
        ),
        clinic=clinic(),
        providers=[provider("ben", "psychology", shifts=[shift("MO 08:00", "11:00")])],
        horizon={"start": on("MO"), "end": on("TU")},
    )
    best = optimum(asked)
    assert best is not None
    assert best > 0
    assert bounds(asked)[1] == best
