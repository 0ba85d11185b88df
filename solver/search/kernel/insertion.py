"""The insertion of a task at its best free place."""

from __future__ import annotations

from solver.search.kernel.compilation import compiled
from solver.search.kernel.costs import cost_of_day, count_dates, own_cost
from solver.search.kernel.draws import uniform
from solver.search.kernel.fits import find_blocked, find_fit, gaps, is_open
from solver.search.kernel.layout import (
    BUDGET,
    BY_PRICE,
    CANDIDATES,
    CANDIDATES_END,
    COST,
    CURRENT_SLOT,
    DAY,
    EVENTS,
    EVENTS_END,
    EXTRA_TRIP,
    IS_GUIDED,
    JOURNEY,
    LINKS,
    LINKS_END,
    MOST_SAVED,
    NONE_FREE,
    NOT_BLOCKED,
    NOTIFIED,
    PATIENT,
    PLACE,
    PRICE,
    PRICE_SCALE,
    SLOTS,
    STARTS,
    STARTS_END,
    STAYS,
    VISITS,
    VISITS_END,
    WAITING,
    WAS_NOTIFIED,
    WORTH,
    SearchState,
    Tables,
)
from solver.search.kernel.moves import move


@compiled
def insert(
    t: Tables,
    s: SearchState,
    task: int,
    blink: float,
    gap_cost: float,
    forced_shift: int,
    forced_place: int,
    call_penalty: float,
) -> bool:
    """Put a task at its best free place; return whether there is one that is worth it.

    Where the tables have prices, these count instead of costs. While too many are called, another place than the one that
    somebody was told of costs ``call_penalty`` more, as leaving out does.
    """
    if t.rows[task, WAS_NOTIFIED] == 0 or s.totals[NOTIFIED] <= t.rows[0, BUDGET]:
        call_penalty = 0.0
    worth, linked = t.rows[task, WORTH] + call_penalty, t.rows[task, LINKS_END] > t.rows[task, LINKS]
    best, chosen, chosen_slot, chosen_room, chosen_supervisor = 1e18, -1, 0, -1, -1
    patient, slots = t.rows[task, PATIENT], t.rows[0, SLOTS]
    crowded = patient >= 0 and (
        t.rows[patient, VISITS_END] - t.rows[patient, VISITS] > 1 or t.rows[patient, EVENTS_END] > t.rows[patient, EVENTS]
    )
    ordered = crowded and (t.rows[0, WAITING] > 0 or t.rows[0, JOURNEY] > 0)
    saved = t.rows[task, MOST_SAVED] if ordered else 0
    first, is_guided = t.rows[task, CANDIDATES], t.rows[0, IS_GUIDED] != 0
    for number in range(t.rows[task, CANDIDATES_END] - first):
        c = t.lists[t.rows[task, BY_PRICE] + number] if is_guided else first + number
        floor = t.rows[c, PRICE] / PRICE_SCALE if is_guided else float(t.rows[c, COST])
        surcharge = floor - t.rows[c, COST]
        if floor - saved >= best:
            break
        if blink > 0 and uniform(s.random) < blink:
            continue
        if not is_open(t, s, task, c, forced_shift, forced_place):
            continue
        day, company = t.rows[c, DAY], False
        if crowded:
            dates, among = count_dates(t, s, task, day)
            company = ordered and among
            if dates > 0 and not among:
                floor += t.rows[0, EXTRA_TRIP]
        alone_cost = cost_of_day(t, s, task, day, t.rows[c, PLACE], -1) if company else 0
        skip = -1
        for i in range(t.rows[c, STARTS], t.rows[c, STARTS_END]):
            slot = t.lists[i]
            if slot <= skip:
                continue
            cost = floor - t.rows[c, COST] + own_cost(t, task, c, slot)
            if t.rows[c, STAYS] == 0 or slot != t.rows[task, CURRENT_SLOT]:
                cost += call_penalty
            if company:
                cost += cost_of_day(t, s, task, day, t.rows[c, PLACE], slot) - alone_cost
            if cost >= best or (cost - surcharge >= worth and not linked):
                continue
            base = day * slots + slot
            blocked = find_blocked(t, s, c, base)
            if blocked > NOT_BLOCKED:
                skip = blocked - day * slots
                continue
            if gap_cost > 0:
                cost += gap_cost * gaps(t, s, c, base)
                if cost >= best:
                    continue
            room, supervisor = find_fit(t, s, task, c, slot, forced_shift, forced_place, False)
            if room == NONE_FREE:
                continue
            best, chosen, chosen_slot, chosen_room, chosen_supervisor = cost, c, slot, room, supervisor
    if chosen < 0:
        return False
    move(t, s, task, chosen, chosen_slot, chosen_room, chosen_supervisor, 1)
    return True
