"""Placing a task and taking it out: what it takes is written down; nothing is checked."""

from __future__ import annotations

from solver.search.kernel.compilation import compiled, inlined
from solver.search.kernel.costs import cost_of_day, count_dates, count_site_changes, is_beside, own_cost
from solver.search.kernel.layout import (
    AT_DAY,
    AT_PLACE,
    AT_TEAM,
    ATTENTION,
    ATTENTION_RESOURCE,
    CANDIDATE,
    CHANGE,
    CLEANED,
    COUNT,
    CURRENT_SLOT,
    DAY,
    EXTRA_TRIP,
    JOURNEY,
    LENGTH,
    MINUTES,
    NOTIFIED,
    PATIENT,
    PLACE,
    PROVIDER,
    PROVIDER_DAY,
    ROAM,
    ROOM,
    SIBLINGS,
    SIBLINGS_END,
    SITE_CHANGE,
    SLOT,
    SLOTS,
    SPENT_AT,
    STAYS,
    SUPERVISOR,
    TEAM,
    TEAM_SIZE,
    USES,
    USES_END,
    WAITING,
    WAS_NOTIFIED,
    WORKED,
    WORTH,
    SearchState,
    Tables,
)


@inlined
def move(t: Tables, s: SearchState, task: int, candidate: int, slot: int, room: int, supervisor: int, sign: int) -> None:
    """Place a task (sign 1) or take it out (-1); nothing is checked."""
    day, place = t.rows[candidate, DAY], t.rows[candidate, PLACE]
    base = day * t.rows[0, SLOTS] + slot
    minutes, size = t.rows[task, MINUTES], t.rows[candidate, TEAM_SIZE]
    dates, among = count_dates(t, s, task, day)
    change = own_cost(t, task, candidate, slot) - t.rows[task, WORTH]
    if not among and dates > 0:
        change += t.rows[0, EXTRA_TRIP]
    if among and t.rows[task, PATIENT] >= 0 and (t.rows[0, WAITING] > 0 or t.rows[0, JOURNEY] > 0):
        change += cost_of_day(t, s, task, day, place, slot) - cost_of_day(t, s, task, day, place, -1)
    s.totals[CHANGE] += sign * change
    stays = t.rows[candidate, STAYS] != 0 and slot == t.rows[task, CURRENT_SLOT]
    s.totals[NOTIFIED] += sign * ((0 if stays else t.rows[task, WAS_NOTIFIED]) - t.rows[task, WAS_NOTIFIED])
    for u in range(t.rows[candidate, USES], t.rows[candidate, USES_END], 4):
        row, demand = t.lists[u], sign * t.lists[u + 3]
        for i in range(base + t.lists[u + 1], base + t.lists[u + 2]):
            s.used[row, i] += demand
    if room >= 0:
        for i in range(base, min(base + t.rows[candidate, CLEANED], (day + 1) * t.rows[0, SLOTS])):
            s.used[room, i] += sign
    if supervisor >= 0:
        row = t.rows[supervisor, ATTENTION_RESOURCE]
        for i in range(base, base + t.rows[candidate, LENGTH]):
            s.used[row, i] += sign * t.rows[candidate, ATTENTION]
    for k in range(size + (supervisor >= 0)):
        shift = t.rows[candidate, TEAM + k] if k < size else supervisor
        alone = t.rows[shift, SIBLINGS] == t.rows[shift, SIBLINGS_END] and t.rows[shift, ROAM] < 0
        before = 0 if alone else count_site_changes(t, s, shift)
        if not is_beside(t, shift, place):
            s.now[shift, COUNT] += sign
            s.now[shift, SPENT_AT] = place
        if t.rows[shift, ROAM] >= 0:
            for i in range(base, base + t.rows[candidate, LENGTH]):
                s.used[t.rows[shift, ROAM] + place, i] += sign
        if not alone:
            s.totals[CHANGE] += t.rows[0, SITE_CHANGE] * (count_site_changes(t, s, shift) - before)
        if k == size:
            break
        s.now[t.rows[shift, PROVIDER_DAY], WORKED] += sign * minutes
        s.now[shift, WORKED] += sign * minutes
        count = s.lines[shift, 0]
        if sign > 0:
            s.lines[shift, count + 1] = task
        else:
            for i in range(1, count + 1):
                if s.lines[shift, i] == task:
                    s.lines[shift, i] = s.lines[shift, count]
                    break
        s.lines[shift, 0] = count + sign
        s.now[task, AT_TEAM + k] = t.rows[shift, PROVIDER]
    for k in range(size, s.now.shape[1] - AT_TEAM):
        s.now[task, AT_TEAM + k] = -1
    s.now[task, CANDIDATE] = candidate if sign > 0 else -1
    s.now[task, SLOT], s.now[task, ROOM], s.now[task, SUPERVISOR] = slot, room, supervisor
    s.now[task, AT_DAY], s.now[task, AT_PLACE] = day if sign > 0 else -1, place


@compiled
def put(t: Tables, s: SearchState, task: int, candidate: int, slot: int, room: int, supervisor: int) -> None:
    """Place a task; nothing is checked."""
    move(t, s, task, candidate, slot, room, supervisor, 1)


@compiled
def take_out(t: Tables, s: SearchState, task: int) -> None:
    move(t, s, task, s.now[task, CANDIDATE], s.now[task, SLOT], s.now[task, ROOM], s.now[task, SUPERVISOR], -1)
