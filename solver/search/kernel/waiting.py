"""What waits to be put back: a list of tasks, its order, and their insertion in turn."""

from __future__ import annotations

import numpy as np

from solver.search.kernel.chains import collect_chain, insert_chain
from solver.search.kernel.compilation import compiled
from solver.search.kernel.draws import random_task, uniform
from solver.search.kernel.insertion import insert
from solver.search.kernel.layout import (
    CANDIDATE,
    CANDIDATES,
    CANDIDATES_END,
    MINUTES,
    MOVABLE,
    MOVABLE_END,
    PARTNERS,
    PARTNERS_END,
    PLACE,
    TEAM,
    TEAM_SIZE,
    WORTH,
    Ints,
    SearchState,
    Tables,
)

BLINK_RATE = 0.05
"""Share of the candidates that the insertion of one task overlooks."""

MAX_SAMPLES = 20
"""Most random tasks that are sampled in search of one that is left out."""


@compiled
def _can_use(t: Tables, task: int, shift: int, place: int) -> bool:
    """Return whether a shift at a place can be in the team of a task."""
    for c in range(t.rows[task, CANDIDATES], t.rows[task, CANDIDATES_END]):
        if t.rows[c, PLACE] == place:
            for k in range(t.rows[c, TEAM_SIZE]):
                if t.rows[c, TEAM + k] == shift:
                    return True
    return False


@compiled
def collect_waiting(
    t: Tables, s: SearchState, removed: Ints, count: int, seed: int, shift: int, place: int, waiting: Ints
) -> int:
    """List what waits for a place: what was taken out, the seed, and of what is left out one task.

    When a shift was sent to a place, all those that it can now take on: one of them alone would seldom be worth it.
    """
    size, listed = count, False
    for i in range(count):
        waiting[i] = removed[i, 0]
        listed = listed or removed[i, 0] == seed
    if not listed:
        waiting[size] = seed
        size += 1
    first = t.rows[0, MOVABLE]
    for m in range(first, t.rows[0, MOVABLE_END] if shift >= 0 else first + MAX_SAMPLES):
        other = t.lists[m] if shift >= 0 else random_task(t, s)
        if other == seed or s.now[other, CANDIDATE] >= 0 or (shift >= 0 and not _can_use(t, other, shift, place)):
            continue
        known = False
        for i in range(count):
            known = known or removed[i, 0] == other
        if not known:
            waiting[size] = other
            size += 1
            if shift < 0:
                break
    return size


@compiled
def sort_waiting(t: Tables, s: SearchState, waiting: Ints, size: int, seed: int) -> None:
    """Sort what waits, in an order that changes from time to time; mostly the seed first."""
    rank = np.empty(size)
    order, first = uniform(s.random), uniform(s.random) < 0.7
    for i in range(size):
        task, value, j = waiting[i], uniform(s.random), i
        if first and task == seed:
            value = -1e9
        elif order < 0.4:
            value -= t.rows[task, WORTH]
        elif order < 0.7:
            value += t.rows[task, CANDIDATES_END] - t.rows[task, CANDIDATES] - t.rows[task, WORTH] / 10
        elif order < 0.85:
            value -= t.rows[task, MINUTES]
        while j > 0 and rank[j - 1] > value:
            rank[j], waiting[j] = rank[j - 1], waiting[j - 1]
            j -= 1
        rank[j], waiting[j] = value, task


@compiled
def insert_waiting(
    t: Tables,
    s: SearchState,
    waiting: Ints,
    turn: int,
    inserted: Ints,
    count: int,
    gap_cost: float,
    forced_shift: int,
    forced_place: int,
    call_penalty: float,
) -> int:
    """Insert what waits at a turn with what must come with it, all or none; return how many are inserted now."""
    task = waiting[turn]
    if s.now[task, CANDIDATE] >= 0:
        return count
    bundle = t.rows[task, PARTNERS_END] - t.rows[task, PARTNERS]
    if bundle == 1:
        inserted[count] = task
        return count + insert(t, s, task, BLINK_RATE, gap_cost, forced_shift, forced_place, call_penalty)
    chain = np.empty(bundle, dtype=np.int32)
    size = collect_chain(t, s, task, chain)
    if size == 1:
        is_in = insert(t, s, task, BLINK_RATE, gap_cost, forced_shift, forced_place, call_penalty)
    else:
        for i in range(turn if size == bundle else 0):
            if t.rows[waiting[i], PARTNERS] == t.rows[task, PARTNERS]:
                return count
        is_in = size > 0 and insert_chain(t, s, chain, size, gap_cost, forced_shift, forced_place, call_penalty)
    if is_in:
        inserted[count : count + size] = chain[:size]
    return count + size if is_in else count
