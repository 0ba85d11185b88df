"""Ruins: what is taken out, about a place that a task prefers."""

from __future__ import annotations

import numpy as np

from solver.search.kernel.compilation import compiled, inlined
from solver.search.kernel.costs import cost_now
from solver.search.kernel.draws import random_below, uniform
from solver.search.kernel.layout import (
    AT_DAY,
    CANDIDATE,
    CANDIDATES,
    CANDIDATES_END,
    CLEANED,
    COST,
    CURRENT_SLOT,
    DAY,
    LENGTH,
    MOVABLE,
    MOVABLE_END,
    PARTNERS,
    PARTNERS_END,
    PATIENT,
    ROOM,
    ROOMS,
    ROOMS_END,
    SHIFT_DAY,
    SLOT,
    SLOTS,
    STARTS,
    STARTS_END,
    STAYS,
    SUPERVISOR,
    TEAM,
    TEAM_SIZE,
    Ints,
    SearchState,
    Tables,
)
from solver.search.kernel.moves import take_out

MAX_STRING_LENGTH = 3
"""Most visits of a string."""

ROOM_STRING_SHARE = 0.3
"""Share of the strings that are neighbours in a room, where one is needed, instead of in a shift."""


@inlined
def ruin(t: Tables, s: SearchState, task: int, removed: Ints, count: int) -> int:
    """Take a task out with its partners; return how many are removed."""
    for i in range(t.rows[task, PARTNERS], t.rows[task, PARTNERS_END]):
        other = t.lists[i]
        if s.now[other, CANDIDATE] >= 0:
            removed[count, 0] = other
            for k in range(4):
                removed[count, k + 1] = s.now[other, k]
            count += 1
            take_out(t, s, other)
    return count


@compiled
def _ruin_string(t: Tables, s: SearchState, shift: int, pivot: int, removed: Ints, count: int) -> int:
    """Take out some neighbours of a shift: about a slot, or anywhere (-1)."""
    size = s.lines[shift, 0]
    if size == 0:
        return count
    order = np.empty(size, dtype=np.int32)
    for i in range(size):
        task, j = s.lines[shift, i + 1], i
        while j > 0 and s.now[order[j - 1], SLOT] > s.now[task, SLOT]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = task
    length = min(size, 1 + random_below(s.random, MAX_STRING_LENGTH))
    first = random_below(s.random, size - length + 1)
    if pivot >= 0:
        first = 0
        while first + length < size and s.now[order[first + length // 2], SLOT] < pivot:
            first += 1
    for i in range(first, first + length):
        count = ruin(t, s, order[i], removed, count)
    return count


@compiled
def _ruin_room(t: Tables, s: SearchState, room: int, day: int, pivot: int, removed: Ints, count: int) -> int:
    """Take out some neighbours of a room on a day: about a slot, or anywhere (-1)."""
    if pivot < 0:
        pivot = random_below(s.random, t.rows[0, SLOTS])
    for _ in range(1 + random_below(s.random, MAX_STRING_LENGTH)):
        nearest, distance = -1, t.rows[0, SLOTS]
        for m in range(t.rows[0, MOVABLE], t.rows[0, MOVABLE_END]):
            task = t.lists[m]
            if s.now[task, ROOM] == room and s.now[task, AT_DAY] == day and abs(s.now[task, SLOT] - pivot) < distance:
                nearest, distance = task, abs(s.now[task, SLOT] - pivot)
        if nearest >= 0:
            count = ruin(t, s, nearest, removed, count)
    return count


@compiled
def ruin_shift(t: Tables, s: SearchState, shift: int, removed: Ints, count: int) -> int:
    """Take out everybody's tasks that a shift is in the team of, or supervises."""
    for m in range(t.rows[0, MOVABLE], t.rows[0, MOVABLE_END]):
        task = t.lists[m]
        if s.now[task, CANDIDATE] >= 0 and s.now[task, AT_DAY] == t.rows[shift, SHIFT_DAY]:
            uses = s.now[task, SUPERVISOR] == shift
            for k in range(t.rows[s.now[task, CANDIDATE], TEAM_SIZE]):
                uses = uses or t.rows[s.now[task, CANDIDATE], TEAM + k] == shift
            if uses:
                count = ruin(t, s, task, removed, count)
    return count


@compiled
def preferred_candidate(t: Tables, s: SearchState, task: int) -> int:
    """Return a random candidate that costs a task less than its place now; any candidate if there is none."""
    first, better, now = t.rows[task, CANDIDATES], t.rows[task, CANDIDATES], cost_now(t, s, task)
    while better < t.rows[task, CANDIDATES_END] and t.rows[better, COST] < now:
        better += 1
    if better == first:
        better = t.rows[task, CANDIDATES_END]
    return first + random_below(s.random, better - first)


@compiled
def ruin_near(t: Tables, s: SearchState, candidate: int, pivot: int, removed: Ints, count: int) -> int:
    """Take out what stands in the way of a candidate: neighbours in one of its rooms, or in a shift of its team."""
    first, last, size = t.rows[candidate, ROOMS], t.rows[candidate, ROOMS_END], t.rows[candidate, TEAM_SIZE]
    if last > first and uniform(s.random) < ROOM_STRING_SHARE:
        room = t.lists[first + random_below(s.random, last - first)]
        return _ruin_room(t, s, room, t.rows[candidate, DAY], pivot, removed, count)
    if size > 0:
        return _ruin_string(t, s, t.rows[candidate, TEAM + random_below(s.random, size)], pivot, removed, count)
    return count


@compiled
def ruin_for_chain(t: Tables, s: SearchState, seed: int, removed: Ints, count: int) -> int:
    """Take out what stands in the way of a task and its partners about one time of a day."""
    preferred = preferred_candidate(t, s, seed)
    day, starts = t.rows[preferred, DAY], t.rows[preferred, STARTS_END] - t.rows[preferred, STARTS]
    pivot = t.lists[t.rows[preferred, STARTS] + random_below(s.random, starts)]
    for i in range(t.rows[seed, PARTNERS], t.rows[seed, PARTNERS_END]):
        other, near, met = t.lists[i], -1, 0
        for c in range(t.rows[other, CANDIDATES], t.rows[other, CANDIDATES_END]):
            if t.rows[c, DAY] == day:
                met += 1
                near = c if random_below(s.random, met) == 0 else near
        if near >= 0:
            count = ruin_near(t, s, preferred if other == seed else near, pivot, removed, count)
    return count


@compiled
def find_told(t: Tables, task: int) -> int:
    """Return the candidate at which a task can stay where its patient has been told, -1 if there is none."""
    for c in range(t.rows[task, CANDIDATES], t.rows[task, CANDIDATES_END]):
        if t.rows[c, STAYS] != 0:
            for i in range(t.rows[c, STARTS], t.rows[c, STARTS_END]):
                if t.lists[i] == t.rows[task, CURRENT_SLOT]:
                    return c
    return -1


@compiled
def ruin_for_told(t: Tables, s: SearchState, task: int, removed: Ints, count: int) -> int:
    """Take out what stands where a task's patient has been told: of its team, in one of its rooms, of its patient."""
    told, begin = find_told(t, task), t.rows[task, CURRENT_SLOT]
    end, rooms = begin + t.rows[told, LENGTH], t.rows[told, ROOMS_END] - t.rows[told, ROOMS]
    room = t.lists[t.rows[told, ROOMS] + random_below(s.random, rooms)] if rooms > 0 else -1
    for m in range(t.rows[0, MOVABLE], t.rows[0, MOVABLE_END]):
        other = t.lists[m]
        c = s.now[other, CANDIDATE]
        if c < 0 or s.now[other, AT_DAY] != t.rows[told, DAY] or s.now[other, SLOT] >= end:
            continue
        if begin >= s.now[other, SLOT] + max(t.rows[c, LENGTH], t.rows[c, CLEANED]):
            continue
        meets = t.rows[task, PATIENT] >= 0 and t.rows[other, PATIENT] == t.rows[task, PATIENT]
        meets = meets or (rooms > 0 and s.now[other, ROOM] == room)
        for k in range(t.rows[c, TEAM_SIZE]):
            for j in range(t.rows[told, TEAM_SIZE]):
                meets = meets or t.rows[c, TEAM + k] == t.rows[told, TEAM + j]
        if meets:
            count = ruin(t, s, other, removed, count)
    return count
