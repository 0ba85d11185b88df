"""Annealing by ruin and recreate: the steps, the score, and which steps are kept."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp
from pathlib import Path

import numpy as np

from solver.search.kernel.compilation import compiled, one_process_at_a_time
from solver.search.kernel.costs import cost_now
from solver.search.kernel.draws import random_below, random_task, uniform
from solver.search.kernel.layout import (
    AT_TEAM,
    BUDGET,
    CANDIDATE,
    CANDIDATES,
    CHANGE,
    COST,
    COUNT,
    CURRENT_SLOT,
    FLEXIBLE,
    FLEXIBLE_END,
    NOTIFIED,
    PARTNERS,
    PARTNERS_END,
    PLACES,
    PLACES_END,
    SETTINGS,
    SLOT,
    SPENT_AT,
    STAYS,
    SUPERVISOR,
    TASKS,
    TASKS_END,
    TEAM,
    WAS_NOTIFIED,
    Ints,
    SearchState,
    Tables,
)
from solver.search.kernel.moves import move, put, take_out
from solver.search.kernel.ruins import (
    find_told,
    preferred_candidate,
    ruin,
    ruin_for_chain,
    ruin_for_told,
    ruin_near,
    ruin_shift,
)
from solver.search.kernel.waiting import MAX_SAMPLES, collect_waiting, insert_waiting, sort_waiting

MAX_STRINGS = 3
"""Most strings taken out at once."""

TOURNAMENT_SIZE = 3
"""Number of random tasks of which the one with the largest regret is chosen."""

REPAIR_SHARE = 0.2
"""Share of the ruins that repair a task that is left out."""

CHAIN_SHARE = 0.7
"""Share of the ruins of a task that goes with others that make room for all of them about one time."""

RECALL_SHARE = 0.2
"""Share of the ruins, while too many are called, that make room where one of them has been told."""

RELOCATION_SHARE = 0.02
"""Share of the ruins that send a shift to another location."""

BUDGET_PENALTY = 10**9
"""What a notified patient above the budget counts for: more than any cost."""

COMPACT_SHARE = 0.7
"""Share of the recreations that prefer starts next to other work of the team."""


@compiled
def _regret(t: Tables, s: SearchState, task: int) -> int:
    return cost_now(t, s, task) - t.rows[t.rows[task, CANDIDATES], COST]


@compiled
def _choose_seed(t: Tables, s: SearchState) -> int:
    """Return a task to start from: one that is left out, or of a few the one with the largest regret."""
    seed = random_task(t, s)
    if uniform(s.random) < REPAIR_SHARE:
        for _ in range(MAX_SAMPLES):
            if s.now[seed, CANDIDATE] < 0:
                break
            seed = random_task(t, s)
        return seed
    for _ in range(TOURNAMENT_SIZE - 1):
        other = random_task(t, s)
        if _regret(t, s, other) > _regret(t, s, seed):
            seed = other
    return seed


@compiled
def _choose_called(t: Tables, s: SearchState) -> int:
    """Return a task that is not where its patient has been told, and could be; -1 mostly, and while not too many are called."""
    if s.totals[NOTIFIED] <= t.rows[0, BUDGET] or uniform(s.random) >= RECALL_SHARE:
        return -1
    for _ in range(MAX_SAMPLES):
        task = random_task(t, s)
        c = s.now[task, CANDIDATE]
        stays = c >= 0 and t.rows[c, STAYS] != 0 and s.now[task, SLOT] == t.rows[task, CURRENT_SLOT]
        if t.rows[task, WAS_NOTIFIED] > 0 and not stays and find_told(t, task) >= 0:
            return task
    return -1


@compiled
def _restore(t: Tables, s: SearchState, inserted: Ints, finished: int, removed: Ints, count: int) -> None:
    """Take out what was inserted, and put back what was taken out."""
    for i in range(finished):
        take_out(t, s, inserted[i])
    for i in range(count):
        move(t, s, removed[i, 0], removed[i, 1], removed[i, 2], removed[i, 3], removed[i, 4], 1)


@compiled
def _score(t: Tables, s: SearchState, call_penalty: int) -> int:
    """Return what the search makes small: the change of cost, and something for each call above the notification budget."""
    return s.totals[CHANGE] + call_penalty * max(0, s.totals[NOTIFIED] - t.rows[0, BUDGET])


@compiled
def anneal(
    t: Tables, s: SearchState, best_rows: Ints, best: int, steps: int, temperature: float, compactness: float, call_penalty: int
) -> int:
    """Ruin and recreate ``steps`` times at a temperature, in points of cost.

    The best placements, columns ``CANDIDATE`` to ``SUPERVISOR`` of the tasks, are kept in ``best_rows``. ``best`` is their
    score: the change of cost since the state was made, and ``BUDGET_PENALTY`` for each notified patient above the budget.
    The new score is returned. ``compactness`` is what a gap beside a start counts for, in points, when places of a task are
    compared; ``call_penalty`` what a call above the budget costs for now, at most ``BUDGET_PENALTY``.
    """
    tasks, n = t.rows[0, TASKS], t.rows[0, TASKS_END] - t.rows[0, TASKS]
    removed, inserted, waiting = np.empty((n, 5), np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    for _ in range(steps):
        before = _score(t, s, call_penalty)
        called, count, shift, place = _choose_called(t, s), 0, -1, -1
        seed = called if called >= 0 else _choose_seed(t, s)
        if t.rows[0, FLEXIBLE_END] > t.rows[0, FLEXIBLE] and uniform(s.random) < RELOCATION_SHARE:
            shift = t.lists[t.rows[0, FLEXIBLE] + random_below(s.random, t.rows[0, FLEXIBLE_END] - t.rows[0, FLEXIBLE])]
            first, last = t.rows[shift, PLACES], t.rows[shift, PLACES_END]
            place = t.lists[first + random_below(s.random, last - first)]
            if s.now[shift, COUNT] > 0 and s.now[shift, SPENT_AT] != place:
                count = ruin_shift(t, s, shift, removed, count)
        if called >= 0:
            count = ruin_for_told(t, s, called, removed, count)
        elif t.rows[seed, PARTNERS_END] - t.rows[seed, PARTNERS] > 1 and uniform(s.random) < CHAIN_SHARE:
            count = ruin_for_chain(t, s, seed, removed, count)
        else:
            for _ in range(1 + random_below(s.random, MAX_STRINGS)):
                count = ruin_near(t, s, preferred_candidate(t, s, seed), -1, removed, count)
        if s.now[seed, CANDIDATE] >= 0:
            count = ruin(t, s, seed, removed, count)
        size = collect_waiting(t, s, removed, count, seed, shift, place, waiting)
        sort_waiting(t, s, waiting, size, seed)
        finished, gap_cost = 0, compactness if uniform(s.random) < COMPACT_SHARE else 0.0
        for i in range(size):
            finished = insert_waiting(t, s, waiting, i, inserted, finished, gap_cost, shift, place, float(call_penalty))
        after = _score(t, s, call_penalty)
        if after > before and uniform(s.random) >= exp(float(before - after) / temperature):
            _restore(t, s, inserted, finished, removed, count)
        elif _score(t, s, BUDGET_PENALTY) < best:
            best = _score(t, s, BUDGET_PENALTY)
            for i in range(n):
                for k in range(SUPERVISOR + 1):
                    best_rows[i, k] = s.now[tasks + i, k]
    return best


def list_kept() -> Iterator[Path]:
    """Yield the index of what is kept on disk of the search, if anything is."""
    return Path(str(anneal.stats.cache_path)).glob("annealing.anneal-*.nbi")


def compile_kernel() -> None:
    """Compile the functions that Python calls, if they have not been on this machine, by calling them on an empty row."""
    tables = Tables(np.zeros((1, max(SETTINGS, TEAM + 1)), np.int32), np.zeros(1, np.int32))
    state = SearchState(
        np.zeros((1, AT_TEAM + 1), np.int32),
        np.zeros((1, 1), np.int8),
        np.zeros((1, 2), np.int32),
        np.zeros(2, np.int64),
        np.zeros(1, np.uint64),
    )
    with one_process_at_a_time(Path(str(anneal.stats.cache_path))):
        put(tables, state, 0, 0, 0, -1, -1)
        anneal(tables, state, np.zeros((0, SUPERVISOR + 1), np.int32), 0, 0, 1.0, 0.0, 0)
