"""Chains: visits that go together, placed where they cost least together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solver.search.kernel.compilation import compiled
from solver.search.kernel.costs import own_cost
from solver.search.kernel.draws import uniform
from solver.search.kernel.fits import find_blocked, find_fit, gaps, is_open, keeps_links
from solver.search.kernel.layout import (
    ANY_ORDER,
    AT_DAY,
    BUDGET,
    CANDIDATES,
    CANDIDATES_END,
    CURRENT_SLOT,
    DAY,
    GRID,
    LEADS,
    LINKS,
    LINKS_END,
    MAX_DAYS,
    MAX_GAP,
    MIN_DAYS,
    MIN_GAP,
    MINUTES,
    NONE_FREE,
    NOT_BLOCKED,
    NOTIFIED,
    OTHER,
    PATIENT,
    PLACE,
    QUARTER,
    SAME_PLACE,
    SLOT,
    SLOTS,
    STARTS,
    STARTS_END,
    STAY_MINUTES,
    STAYS,
    TOGETHER,
    WAITING,
    WAS_NOTIFIED,
    Ints,
    SearchState,
    Tables,
)
from solver.search.kernel.moves import move, take_out

CHAIN_BLINK_RATE = 0.2
"""Share of the candidates that the insertion of a chain overlooks."""

MOST_CHAINS, MOST_STARTS = 4, 20
"""Most first starts of a chain, and most starts of each of its visits, that are tried beside each other."""

NEVER_FREE = 1e18
"""The price of a start that is not free."""


@compiled
def collect_chain(t: Tables, s: SearchState, task: int, chain: Ints) -> int:
    """List a task with what must come with it, each after what it follows; return how many they are."""
    members = np.empty(len(chain), dtype=np.int32)
    members[0], size, head = task, 1, 0
    while head < size:
        member = members[head]
        head += 1
        for i in range(t.rows[member, LINKS], t.rows[member, LINKS_END]):
            other = t.rows[i, OTHER]
            known = s.now[other, AT_DAY] >= 0 or (t.rows[i, LEADS] == 1 and t.rows[i, TOGETHER] == 0)
            for j in range(size):
                known = known or members[j] == other
            if not known:
                members[size] = other
                size += 1
    listed = 0
    for _ in range(size):
        for j in range(size):
            member, ready = members[j], True
            if member < 0:
                continue
            for i in range(t.rows[member, LINKS], t.rows[member, LINKS_END]):
                for k in range(size):
                    ready = ready and (t.rows[i, LEADS] == 1 or members[k] != t.rows[i, OTHER])
            if ready:
                chain[listed], members[j] = member, -1
                listed += 1
    return size if listed == size else 0


@compiled
def _price_starts(
    t: Tables,
    s: SearchState,
    task: int,
    only_place: int,
    is_open_day: NDArray[np.bool_],
    gap_cost: float,
    forced_shift: int,
    forced_place: int,
    call_penalty: float,
    prices: NDArray[np.float64],
    choices: Ints,
) -> None:
    """Fill in what each free start costs a task at least, and its candidate, whatever is placed with it later."""
    slots = t.rows[0, SLOTS]
    if t.rows[task, WAS_NOTIFIED] == 0 or s.totals[NOTIFIED] <= t.rows[0, BUDGET]:
        call_penalty = 0.0
    prices[:] = NEVER_FREE
    for c in range(t.rows[task, CANDIDATES], t.rows[task, CANDIDATES_END]):
        day, place, skip = t.rows[c, DAY], t.rows[c, PLACE], -1
        if not is_open_day[day] or (only_place >= 0 and place != only_place) or uniform(s.random) < CHAIN_BLINK_RATE:
            continue
        if not is_open(t, s, task, c, forced_shift, forced_place):
            continue
        for i in range(t.rows[c, STARTS], t.rows[c, STARTS_END]):
            slot = t.lists[i]
            base, cost = day * slots + slot, float(own_cost(t, task, c, slot))
            if t.rows[c, STAYS] == 0 or slot != t.rows[task, CURRENT_SLOT]:
                cost += call_penalty
            if slot <= skip or cost >= prices[base]:
                continue
            blocked = find_blocked(t, s, c, base)
            if blocked > NOT_BLOCKED:
                skip = blocked - day * slots
                continue
            if gap_cost > 0:
                cost += gap_cost * gaps(t, s, c, base)
            if cost < prices[base] and find_fit(t, s, task, c, slot, forced_shift, forced_place, True)[0] != NONE_FREE:
                prices[base], choices[base] = cost, c


@compiled
def _open_days(t: Tables, link: int, is_open: NDArray[np.bool_], cheapest: NDArray[np.float64]) -> None:
    """Close the days that leave a link's other visit, which follows, no day."""
    days = len(cheapest)
    for day in range(days):
        can_follow = False
        for later in range(days):
            apart = abs(later - day) if t.rows[link, ANY_ORDER] else later - day
            if t.rows[link, MIN_DAYS] <= apart <= t.rows[link, MAX_DAYS]:
                can_follow = can_follow or cheapest[later] < NEVER_FREE
        is_open[day] = is_open[day] and can_follow


@compiled
def _price_followed(
    t: Tables,
    task: int,
    link: int,
    prices: NDArray[np.float64],
    following: NDArray[np.float64],
    cheapest: NDArray[np.float64],
) -> None:
    """Add to the price of each start the least that the visit costs which a link has after it."""
    slots, grid, other = t.rows[0, SLOTS], t.rows[0, GRID], t.rows[link, OTHER]
    least, days = t.rows[task, MINUTES] + t.rows[link, MIN_GAP], len(cheapest)
    same = t.rows[task, PATIENT] >= 0 and t.rows[task, PATIENT] == t.rows[other, PATIENT]
    if same:
        least = max(least, t.rows[task, STAY_MINUTES])
    for base in range(len(prices)):
        if prices[base] == NEVER_FREE:
            continue
        day, minute, best = base // slots, base % slots * grid, NEVER_FREE
        for later in range(days):
            apart = abs(later - day) if t.rows[link, ANY_ORDER] else later - day
            if apart != 0 and t.rows[link, MIN_DAYS] <= apart <= t.rows[link, MAX_DAYS]:
                best = min(best, cheapest[later])
        if t.rows[link, MIN_DAYS] <= 0 and cheapest[day] < best:
            first = (minute + least + grid - 1) // grid
            last = min(slots - 1, (minute + t.rows[task, MINUTES] + t.rows[link, MAX_GAP]) // grid)
            for slot in range(first, last + 1):
                wait = t.rows[0, WAITING] * ((slot * grid - minute - least) // QUARTER) if same else 0
                best = min(best, following[day * slots + slot] + wait)
            if t.rows[link, ANY_ORDER]:
                first = max(0, minute - t.rows[other, MINUTES] - t.rows[link, MAX_GAP] + grid - 1) // grid
                for slot in range(first, (minute - t.rows[other, MINUTES] - t.rows[link, MIN_GAP]) // grid + 1):
                    best = min(best, following[day * slots + slot])
        prices[base] = prices[base] + best if best < NEVER_FREE else NEVER_FREE


@compiled
def _price_chain(
    t: Tables,
    s: SearchState,
    chain: Ints,
    size: int,
    only_place: int,
    gap_cost: float,
    forced_shift: int,
    forced_place: int,
    call_penalty: float,
    prices: NDArray[np.float64],
    choices: Ints,
) -> float:
    """Fill in what each start costs each task of a chain with all that follow it; return the least of the first.

    From the last to the first, as in Bellman, On a routing problem (1958), doi:10.1090/qam/102435. What two tasks of the chain
    take from each other is left to :func:`_place_next`.
    """
    slots = t.rows[0, SLOTS]
    days = prices.shape[1] // slots
    cheapest, is_open = np.full((size, days), NEVER_FREE), np.empty(days, dtype=np.bool_)
    least = NEVER_FREE
    for position in range(size - 1, -1, -1):
        task = chain[position]
        is_open[:] = True
        for i in range(t.rows[task, LINKS], t.rows[task, LINKS_END]):
            for later in range(position + 1, size):
                if chain[later] == t.rows[i, OTHER] and t.rows[i, LEADS] == 1:
                    _open_days(t, i, is_open, cheapest[later])
        mine = prices[position]
        _price_starts(
            t, s, task, only_place, is_open, gap_cost, forced_shift, forced_place, call_penalty, mine, choices[position]
        )
        for i in range(t.rows[task, LINKS], t.rows[task, LINKS_END]):
            for later in range(position + 1, size):
                if chain[later] == t.rows[i, OTHER] and t.rows[i, LEADS] == 1:
                    _price_followed(t, task, i, mine, prices[later], cheapest[later])
        least = NEVER_FREE
        for base in range(len(mine)):
            cheapest[position, base // slots] = min(cheapest[position, base // slots], mine[base])
            least = min(least, mine[base])
        if least == NEVER_FREE:
            return NEVER_FREE
    return least


@compiled
def _choose_place(t: Tables, s: SearchState, chain: Ints, size: int) -> int:
    """Return a place of the first task's candidates when a link asks for one place, mostly of a cheap one; else -1."""
    for position in range(size):
        for i in range(t.rows[chain[position], LINKS], t.rows[chain[position], LINKS_END]):
            if t.rows[i, SAME_PLACE]:
                first, last = t.rows[chain[0], CANDIDATES], t.rows[chain[0], CANDIDATES_END]
                share = uniform(s.random)
                return t.rows[first + int(share * share * (last - first)), PLACE]
    return -1


@compiled
def _place_next(
    t: Tables, s: SearchState, task: int, prices: NDArray[np.float64], choices: Ints, forced_shift: int, forced_place: int
) -> bool:
    """Put a task of a chain at the start with the least price that is free beside those that are placed."""
    slots = t.rows[0, SLOTS]
    for _ in range(MOST_STARTS):
        best, at, room, supervisor = NEVER_FREE, -1, -1, -1
        for base in range(len(prices)):
            if prices[base] < best and keeps_links(t, s, task, choices[base], base % slots, False):
                best, at = prices[base], base
        if at < 0:
            return False
        c = choices[at]
        if is_open(t, s, task, c, forced_shift, forced_place) and find_blocked(t, s, c, at) == NOT_BLOCKED:
            room, supervisor = find_fit(t, s, task, c, at % slots, forced_shift, forced_place, False)
            if room != NONE_FREE:
                move(t, s, task, c, at % slots, room, supervisor, 1)
                return True
        prices[at] = NEVER_FREE
    return False


@compiled
def insert_chain(
    t: Tables,
    s: SearchState,
    chain: Ints,
    size: int,
    gap_cost: float,
    forced_shift: int,
    forced_place: int,
    call_penalty: float,
) -> bool:
    """Put the tasks of a chain where they cost least together; all or none."""
    horizon = s.used.shape[1]
    prices, choices = np.empty((size, horizon)), np.empty((size, horizon), dtype=np.int32)
    place = _choose_place(t, s, chain, size)
    least = _price_chain(t, s, chain, size, place, gap_cost, forced_shift, forced_place, call_penalty, prices, choices)
    for _ in range(MOST_CHAINS if least < NEVER_FREE else 0):
        placed = 0
        while placed < size and _place_next(t, s, chain[placed], prices[placed], choices[placed], forced_shift, forced_place):
            placed += 1
        if placed == size:
            return True
        if placed == 0:
            return False
        prices[0, s.now[chain[0], AT_DAY] * t.rows[0, SLOTS] + s.now[chain[0], SLOT]] = NEVER_FREE
        for i in range(placed - 1, -1, -1):
            take_out(t, s, chain[i])
    return False
