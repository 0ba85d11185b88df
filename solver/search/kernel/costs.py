"""What a task costs at a place, beside what is placed already."""

from __future__ import annotations

import numpy as np

from solver.search.kernel.compilation import compiled, inlined
from solver.search.kernel.layout import (
    ALSO,
    ALSO_END,
    AT_DAY,
    AT_PLACE,
    CANDIDATE,
    COST,
    COUNT,
    CURRENT_MINUTE,
    CURRENT_SLOT,
    EVENT_BEGIN,
    EVENT_DAY,
    EVENT_END,
    EVENT_PLACE,
    EVENTS,
    EVENTS_END,
    GRID,
    HALF,
    JOURNEY,
    MORNING,
    MOVE,
    MOVE_PER_HOUR,
    NOON,
    PATIENT,
    PLACES_COUNT,
    PREFERS,
    QUARTER,
    ROAM,
    SHIFT_DAY,
    SIBLINGS,
    SIBLINGS_END,
    SITES,
    SLOT,
    SLOTS,
    SPENT_AT,
    STAY_MINUTES,
    STAYS,
    TRAVEL,
    VISITS,
    VISITS_END,
    WAITING,
    WORTH,
    SearchState,
    Tables,
)


@compiled
def travel_minutes(t: Tables, origin: int, destination: int) -> int:
    return t.lists[t.rows[0, TRAVEL] + origin * t.rows[0, PLACES_COUNT] + destination]


@inlined
def count_dates(t: Tables, s: SearchState, task: int, day: int) -> tuple[int, bool]:
    """Return the number of dates of a task's patient without the task, and whether a day is one of them."""
    patient = t.rows[task, PATIENT]
    if patient < 0:
        return 0, True
    dates, among = 0, False
    e0, e1, v0, v1 = t.rows[patient, EVENTS], t.rows[patient, EVENTS_END], t.rows[patient, VISITS], t.rows[patient, VISITS_END]
    for i in range(e0, e1):
        on = t.rows[i, EVENT_DAY]
        among = among or on == day
        new = True
        for j in range(e0, i):
            new = new and t.rows[j, EVENT_DAY] != on
        dates += new
    for i in range(v0, v1):
        other = t.lists[i]
        if other == task or s.now[other, CANDIDATE] < 0:
            continue
        on = s.now[other, AT_DAY]
        among = among or on == day
        new = True
        for j in range(e0, e1):
            new = new and t.rows[j, EVENT_DAY] != on
        for j in range(v0, i):
            earlier = t.lists[j]
            new = new and (earlier == task or s.now[earlier, CANDIDATE] < 0 or s.now[earlier, AT_DAY] != on)
        dates += new
    return dates, among


@inlined
def count_site_changes(t: Tables, s: SearchState, shift: int) -> int:
    """Return how often a shift's provider changes sites on its day."""
    changes, last, roam = 0, -1, t.rows[shift, ROAM]
    if roam >= 0:
        first = t.rows[shift, SHIFT_DAY] * t.rows[0, SLOTS]
        for j in range(first, first + t.rows[0, SLOTS]):
            for place in range(t.rows[0, PLACES_COUNT]):
                if s.used[roam + place, j] > 0:
                    site = t.lists[t.rows[0, SITES] + place]
                    changes += last >= 0 and site != last
                    last = site
        return changes
    for i in range(t.rows[shift, SIBLINGS], t.rows[shift, SIBLINGS_END]):
        other = t.lists[i]
        if s.now[other, COUNT] > 0:
            site = t.lists[t.rows[0, SITES] + s.now[other, SPENT_AT]]
            changes += last >= 0 and site != last
            last = site
    return changes


@inlined
def own_cost(t: Tables, task: int, candidate: int, slot: int) -> int:
    """Return what a task costs at a place, trips and site changes apart."""
    cost = t.rows[candidate, COST]
    prefers = t.rows[task, PREFERS]
    if prefers != 0 and (prefers == MORNING) != (slot < t.rows[0, NOON]):
        cost += t.rows[0, HALF]
    if t.rows[candidate, STAYS] == 0 or slot != t.rows[task, CURRENT_SLOT]:
        cost += t.rows[candidate, MOVE]
        if t.rows[candidate, MOVE_PER_HOUR] > 0:
            cost += t.rows[candidate, MOVE_PER_HOUR] * (abs(slot * t.rows[0, GRID] - t.rows[task, CURRENT_MINUTE]) // 60)
    return cost


@compiled
def cost_of_day(t: Tables, s: SearchState, task: int, day: int, place: int, slot: int) -> int:
    """Return the waiting and journeys of a task's patient on a day, the task itself being at a place and slot (-1: out)."""
    patient, count = t.rows[task, PATIENT], 0
    e0, e1, v0, v1 = t.rows[patient, EVENTS], t.rows[patient, EVENTS_END], t.rows[patient, VISITS], t.rows[patient, VISITS_END]
    begins = np.empty(e1 - e0 + v1 - v0 + 1, dtype=np.int32)
    sites = np.empty(e1 - e0 + v1 - v0 + 1, dtype=np.int32)
    busy, last = 0, 0
    for i in range(e1 - e0 + v1 - v0 + 1):
        if i < e1 - e0:
            if t.rows[e0 + i, EVENT_DAY] != day:
                continue
            begin, end, at = t.rows[e0 + i, EVENT_BEGIN], t.rows[e0 + i, EVENT_END], t.rows[e0 + i, EVENT_PLACE]
        elif i < e1 - e0 + v1 - v0:
            other = t.lists[v0 + i - (e1 - e0)]
            if other == task or s.now[other, CANDIDATE] < 0 or s.now[other, AT_DAY] != day:
                continue
            begin = s.now[other, SLOT] * t.rows[0, GRID]
            end, at = begin + t.rows[other, STAY_MINUTES], s.now[other, AT_PLACE]
        else:
            if slot < 0:
                continue
            begin = slot * t.rows[0, GRID]
            end, at = begin + t.rows[task, STAY_MINUTES], place
        busy += end - begin
        last = max(last, end)
        j = count
        while j > 0 and begins[j - 1] > begin:
            begins[j], sites[j] = begins[j - 1], sites[j - 1]
            j -= 1
        begins[j], sites[j] = begin, t.lists[t.rows[0, SITES] + at]
        count += 1
    if count < 2:
        return 0
    cost = t.rows[0, WAITING] * ((last - begins[0] - busy) // QUARTER)
    for i in range(1, count):
        if sites[i] != sites[i - 1]:
            cost += t.rows[0, JOURNEY]
    return cost


@inlined
def is_beside(t: Tables, shift: int, place: int) -> bool:
    """Return whether items of a shift may be at a place wherever the shift is spent."""
    beside = False
    for i in range(t.rows[shift, ALSO], t.rows[shift, ALSO_END]):
        beside = beside or t.lists[i] == place
    return beside


@inlined
def cost_now(t: Tables, s: SearchState, task: int) -> int:
    candidate = s.now[task, CANDIDATE]
    return t.rows[task, WORTH] if candidate < 0 else own_cost(t, task, candidate, s.now[task, SLOT])
