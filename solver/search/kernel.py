"""Ruin and recreate in compiled code: take out visits that stand near each other, put them back, anneal.

After Schrimpf, Schneider, Stamm-Wilbrandt and Dueck (2000), doi:10.1006/jcph.1999.6413, with the strings and blinks of
Christiaens and Vanden Berghe, Slack induction by string removals (2020), doi:10.1287/trsc.2019.0914.

Numba compiles these functions on their first call (some seconds, kept on disk) and runs them without the interpreter's lock.
They know numbers only; :mod:`solver.search.encoding` makes them from a scenario, and placements from what they find. Every
thing that can be taken is a *resource*: a row of :attr:`SearchState.used` with a capacity, a column for each slot of the
horizon.

All of it stands in one file, and its few arrays are passed around together, on purpose: what Numba keeps on disk is made anew
only when the file itself changes, and each array that is passed costs time at every call (23 arrays: 12,000 ruins a second on
a week; these 7: 66,000).
"""

from __future__ import annotations

from math import exp
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Randoms = NDArray[np.uint64]

compiled = njit(cache=True, nogil=True)

MAX_STRINGS, MAX_STRING_LENGTH = 3, 3
"""Most strings taken out at once, and most visits of one."""

ROOM_STRING_SHARE = 0.3
"""Share of the strings that are neighbours in a room, where one is needed, instead of in a shift."""

TOURNAMENT_SIZE = 3
"""Number of random tasks of which the one with the largest regret is chosen."""

REPAIR_SHARE = 0.2
"""Share of the ruins that repair a task that is left out."""

CHAIN_SHARE = 0.7
"""Share of the ruins of a task that goes with others that make room for all of them about one time."""

RELOCATION_SHARE = 0.02
"""Share of the ruins that send a shift to another location."""

BLINK_RATE, CHAIN_BLINK_RATE = 0.05, 0.2
"""Share of the candidates that an insertion overlooks, and that of visits that go together."""

MOST_CHAINS, MOST_STARTS = 4, 20
"""Most first starts of a chain, and most starts of each of its visits, that are tried beside each other."""

BUDGET_PENALTY = 10**9
"""What a notified patient above the budget counts for: more than any cost."""

COMPACT_SHARE = 0.7
"""Share of the recreations that prefer starts next to other work of the team."""

MAX_SAMPLES = 20
"""Most random tasks that are sampled in search of one that is left out."""

# Columns of Tables.rows. Every thing is a row, and its number is the row's. A name with _END beside it is a range of rows or
# of Tables.lists, which begins with the capacities of the resources.
# Row 0, the settings:
SLOTS, NOON, GRID, EXTRA_TRIP, HALF, SITE_CHANGE, BUDGET, PLACES_COUNT, TRAVEL, SITES = range(10)
TASKS, TASKS_END, MOVABLE, MOVABLE_END, FLEXIBLE, FLEXIBLE_END, WAITING, JOURNEY = range(10, 18)
SETTINGS = 18

# A task (its candidates are sorted by cost):
CANDIDATES, CANDIDATES_END, WORTH, PREFERS, WAS_NOTIFIED, CURRENT_SLOT, PATIENT, LINKS, LINKS_END = range(9)
PARTNERS, PARTNERS_END, MINUTES, STAY_MINUTES, CURRENT_MINUTE, MOST_SAVED = range(9, 15)

# A candidate, one way to place a task; its team's shifts stand in the columns from TEAM on:
DAY, PLACE, COST, MOVE, STAYS, MOVE_PER_HOUR, STARTS, STARTS_END, USES, USES_END, ROOMS, ROOMS_END = range(12)
CLEANED, SUPERVISORS, SUPERVISORS_END, ATTENTION, LENGTH, TEAM_SIZE, TEAM = range(12, 19)

# A shift; where some shift of the day has items beside its location, ROAM is the first of the resources that say where its
# provider is, one for each location, else -1:
PROVIDER, SHIFT_DAY, BEGIN, END, SIBLINGS, SIBLINGS_END, PLACES, PLACES_END, ATTENTION_RESOURCE, PROVIDER_DAY = range(10)
ALSO, ALSO_END, ROAM = range(10, 13)

# A provider's day:
LIMIT = 0

# A link, as one of its visits sees it:
OTHER, LEADS, MIN_DAYS, MAX_DAYS, MIN_GAP, MAX_GAP, SAME_PLACE, SAME_TEAM, TOGETHER, ANY_ORDER = range(10)

# A patient, with movable visits and with events that stay:
VISITS, VISITS_END, EVENTS, EVENTS_END = range(4)

# An event:
EVENT_DAY, EVENT_BEGIN, EVENT_END, EVENT_PLACE = range(4)

# Columns of SearchState.now: of tasks, of shifts and providers' days.
CANDIDATE, SLOT, ROOM, SUPERVISOR, AT_DAY, AT_PLACE, AT_TEAM = range(7)
COUNT, SPENT_AT, WORKED = range(3)

# Entries of SearchState.totals
CHANGE, NOTIFIED = range(2)

NOT_NEEDED, NONE_FREE, NOT_BLOCKED = -1, -2, -1
NEVER_FREE = 1e18
MORNING, AFTERNOON = 1, 2
QUARTER = 15


class Tables(NamedTuple):
    """A scenario as numbers: what never changes."""

    rows: Ints
    lists: Ints


class SearchState(NamedTuple):
    """Where everything stands, what it takes, the tasks of each shift (column 0: how many), totals, and the random state."""

    now: Ints
    used: NDArray[np.int8]
    lines: Ints
    totals: NDArray[np.int64]
    random: Randoms


@compiled
def uniform(state: Randoms) -> float:
    """Return a number in [0, 1): splitmix64, Steele, Lea and Flood (2014), doi:10.1145/2714064.2660195."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def _random_below(state: Randoms, n: int) -> int:
    return int(uniform(state) * n)


@compiled
def _random_task(t: Tables, s: SearchState) -> int:
    return t.lists[t.rows[0, MOVABLE] + _random_below(s.random, t.rows[0, MOVABLE_END] - t.rows[0, MOVABLE])]


@compiled
def _travel_minutes(t: Tables, origin: int, destination: int) -> int:
    return t.lists[t.rows[0, TRAVEL] + origin * t.rows[0, PLACES_COUNT] + destination]


@compiled
def _count_dates(t: Tables, s: SearchState, task: int, day: int) -> tuple[int, bool]:
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


@compiled
def _count_site_changes(t: Tables, s: SearchState, shift: int) -> int:
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


@compiled
def _own_cost(t: Tables, task: int, candidate: int, slot: int) -> int:
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
def _cost_of_day(t: Tables, s: SearchState, task: int, day: int, place: int, slot: int) -> int:
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


@compiled
def _is_beside(t: Tables, shift: int, place: int) -> bool:
    """Return whether items of a shift may be at a place wherever the shift is spent."""
    beside = False
    for i in range(t.rows[shift, ALSO], t.rows[shift, ALSO_END]):
        beside = beside or t.lists[i] == place
    return beside


@compiled
def _cost_now(t: Tables, s: SearchState, task: int) -> int:
    candidate = s.now[task, CANDIDATE]
    return t.rows[task, WORTH] if candidate < 0 else _own_cost(t, task, candidate, s.now[task, SLOT])


@compiled
def _move(t: Tables, s: SearchState, task: int, candidate: int, slot: int, room: int, supervisor: int, sign: int) -> None:
    """Place a task (sign 1) or take it out (-1); nothing is checked."""
    day, place = t.rows[candidate, DAY], t.rows[candidate, PLACE]
    base = day * t.rows[0, SLOTS] + slot
    minutes, size = t.rows[task, MINUTES], t.rows[candidate, TEAM_SIZE]
    dates, among = _count_dates(t, s, task, day)
    change = _own_cost(t, task, candidate, slot) - t.rows[task, WORTH]
    if not among and dates > 0:
        change += t.rows[0, EXTRA_TRIP]
    if among and t.rows[task, PATIENT] >= 0 and (t.rows[0, WAITING] > 0 or t.rows[0, JOURNEY] > 0):
        change += _cost_of_day(t, s, task, day, place, slot) - _cost_of_day(t, s, task, day, place, -1)
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
        before = 0 if alone else _count_site_changes(t, s, shift)
        if not _is_beside(t, shift, place):
            s.now[shift, COUNT] += sign
            s.now[shift, SPENT_AT] = place
        if t.rows[shift, ROAM] >= 0:
            for i in range(base, base + t.rows[candidate, LENGTH]):
                s.used[t.rows[shift, ROAM] + place, i] += sign
        if not alone:
            s.totals[CHANGE] += t.rows[0, SITE_CHANGE] * (_count_site_changes(t, s, shift) - before)
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
    _move(t, s, task, candidate, slot, room, supervisor, 1)


@compiled
def _take_out(t: Tables, s: SearchState, task: int) -> None:
    _move(t, s, task, s.now[task, CANDIDATE], s.now[task, SLOT], s.now[task, ROOM], s.now[task, SUPERVISOR], -1)


# --- finding ---------------------------------------------------------------------------------------------------------


@compiled
def _can_roam(t: Tables, s: SearchState, shift: int, place: int, slot: int, length: int) -> bool:
    """Return whether a provider has time to travel from and to whatever else of the day is at another place."""
    first = t.rows[shift, SHIFT_DAY] * t.rows[0, SLOTS]
    for other in range(t.rows[0, PLACES_COUNT]):
        if other != place:
            way = (_travel_minutes(t, other, place) + t.rows[0, GRID] - 1) // t.rows[0, GRID]
            row = t.rows[shift, ROAM] + other
            for j in range(first + max(0, slot - way), first + min(t.rows[0, SLOTS], slot + length + way)):
                if s.used[row, j] > 0:
                    return False
    return True


@compiled
def _can_reach(t: Tables, s: SearchState, shift: int, place: int, slot: int, length: int) -> bool:
    """Return whether a shift may be spent at a place from a slot on, travel from and to the provider's other shifts included.

    Whatever is done in another shift may fill it: time to travel is left before its beginning, or after its end.
    """
    if s.now[shift, COUNT] > 0 and s.now[shift, SPENT_AT] != place and not _is_beside(t, shift, place):
        return False
    if t.rows[shift, ROAM] >= 0:
        return _can_roam(t, s, shift, place, slot, length)
    begin, end = slot * t.rows[0, GRID], (slot + length) * t.rows[0, GRID]
    for i in range(t.rows[shift, SIBLINGS], t.rows[shift, SIBLINGS_END]):
        other = t.lists[i]
        if other != shift and s.now[other, COUNT] > 0:
            there = s.now[other, SPENT_AT]
            if there != place:
                leads = t.rows[shift, BEGIN] < t.rows[other, BEGIN]
                apart = t.rows[other, BEGIN] - end if leads else begin - t.rows[other, END]
                if apart < _travel_minutes(t, there, place):
                    return False
    return True


@compiled
def _keeps_links(t: Tables, s: SearchState, task: int, candidate: int, slot: int, is_apart: bool) -> bool:
    """Return whether a task's links are kept at a place, as far as their other visits are placed.

    ``is_apart``: what it follows may be placed later.
    """
    minute, day, place = slot * t.rows[0, GRID], t.rows[candidate, DAY], t.rows[candidate, PLACE]
    for i in range(t.rows[task, LINKS], t.rows[task, LINKS_END]):
        other, leads = t.rows[i, OTHER], t.rows[i, LEADS]
        there = s.now[other, AT_DAY]
        if there < 0:
            if leads == 0 and not is_apart:
                return False
            continue
        days = there - day if leads else day - there
        if t.rows[i, ANY_ORDER]:
            days = abs(days)
        if days < t.rows[i, MIN_DAYS] or days > t.rows[i, MAX_DAYS]:
            return False
        if t.rows[i, SAME_PLACE] and place != s.now[other, AT_PLACE]:
            return False
        if t.rows[i, SAME_TEAM]:
            for k in range(s.now.shape[1] - AT_TEAM):
                member = k < t.rows[candidate, TEAM_SIZE]
                mine = t.rows[t.rows[candidate, TEAM + k], PROVIDER] if member else -1
                if mine != s.now[other, AT_TEAM + k]:
                    return False
        if days == 0:
            begin = s.now[other, SLOT] * t.rows[0, GRID]
            if t.rows[i, ANY_ORDER]:
                leads = int(minute < begin)
            gap = begin - minute - t.rows[task, MINUTES] if leads else minute - begin - t.rows[other, MINUTES]
            if gap < t.rows[i, MIN_GAP] or gap > t.rows[i, MAX_GAP]:
                return False
    return True


@compiled
def _is_patient_free(t: Tables, s: SearchState, task: int, candidate: int, slot: int) -> bool:
    patient = t.rows[task, PATIENT]
    day, place, begin = t.rows[candidate, DAY], t.rows[candidate, PLACE], slot * t.rows[0, GRID]
    end = begin + t.rows[task, STAY_MINUTES]
    for i in range(t.rows[patient, EVENTS], t.rows[patient, EVENTS_END]):
        if t.rows[i, EVENT_DAY] == day:
            travel = _travel_minutes(t, place, t.rows[i, EVENT_PLACE])
            if begin < t.rows[i, EVENT_END] + travel and t.rows[i, EVENT_BEGIN] < end + travel:
                return False
    for i in range(t.rows[patient, VISITS], t.rows[patient, VISITS_END]):
        other = t.lists[i]
        if other != task and s.now[other, CANDIDATE] >= 0 and s.now[other, AT_DAY] == day:
            travel, first = _travel_minutes(t, place, s.now[other, AT_PLACE]), s.now[other, SLOT] * t.rows[0, GRID]
            if begin < first + t.rows[other, STAY_MINUTES] + travel and first < end + travel:
                return False
    return True


@compiled
def _find_room(t: Tables, s: SearchState, candidate: int, base: int, last: int) -> int:
    """Return a suitable free room."""
    if t.rows[candidate, ROOMS] == t.rows[candidate, ROOMS_END]:
        return NOT_NEEDED
    for i in range(t.rows[candidate, ROOMS], t.rows[candidate, ROOMS_END]):
        room, free = t.lists[i], True
        for j in range(base, last):
            if s.used[room, j] > 0:
                free = False
                break
        if free:
            return room
    return NONE_FREE


@compiled
def _find_supervisor(t: Tables, s: SearchState, candidate: int, slot: int, base: int) -> int:
    """Return a shift that can supervise."""
    first, last = t.rows[candidate, SUPERVISORS], t.rows[candidate, SUPERVISORS_END]
    if first == last:
        return NOT_NEEDED
    attention, count = t.rows[candidate, ATTENTION], (last - first) // 2
    turn = _random_below(s.random, count)
    for j in range(count):
        i = first + 2 * ((turn + j) % count)
        shift = t.lists[i]
        if t.lists[t.lists[i + 1] + slot] == 0:
            continue
        row, free = t.rows[shift, ATTENTION_RESOURCE], True
        for k in range(base, base + t.rows[candidate, LENGTH]):
            if s.used[row, k] + attention > t.lists[row]:
                free = False
                break
        for k in range(t.rows[candidate, TEAM_SIZE]):
            free = free and t.rows[t.rows[candidate, TEAM + k], PROVIDER] != t.rows[shift, PROVIDER]
        if free and _can_reach(t, s, shift, t.rows[candidate, PLACE], slot, t.rows[candidate, LENGTH]):
            return shift
    return NONE_FREE


@compiled
def _is_open(t: Tables, s: SearchState, task: int, c: int, forced_shift: int, forced_place: int) -> bool:
    """Return whether a team's shifts and days leave a candidate open at all."""
    place, minutes = t.rows[c, PLACE], t.rows[task, MINUTES]
    for k in range(t.rows[c, TEAM_SIZE]):
        shift = t.rows[c, TEAM + k]
        if s.now[shift, WORKED] + minutes > t.rows[shift, END] - t.rows[shift, BEGIN]:
            return False
        if s.now[t.rows[shift, PROVIDER_DAY], WORKED] + minutes > t.rows[t.rows[shift, PROVIDER_DAY], LIMIT]:
            return False
        elsewhere = (s.now[shift, COUNT] > 0 and s.now[shift, SPENT_AT] != place) or (
            shift == forced_shift and place != forced_place
        )
        if elsewhere and not _is_beside(t, shift, place):
            return False
    return True


@compiled
def _can_team_travel(t: Tables, s: SearchState, c: int, slot: int) -> bool:
    """Return whether everybody of a team has time to travel to a candidate at a slot, and on from it."""
    for k in range(t.rows[c, TEAM_SIZE]):
        if not _can_reach(t, s, t.rows[c, TEAM + k], t.rows[c, PLACE], slot, t.rows[c, LENGTH]):
            return False
    return True


@compiled
def _gaps(t: Tables, s: SearchState, c: int, base: int) -> int:
    """Return how many sides of a start do not touch other work of the team's first member."""
    if t.rows[c, TEAM_SIZE] == 0:
        return 0
    shift, day, row = t.rows[c, TEAM], t.rows[c, DAY], t.lists[t.rows[c, USES]]
    begin = day * t.rows[0, SLOTS] + t.rows[shift, BEGIN] // t.rows[0, GRID]
    end = day * t.rows[0, SLOTS] + t.rows[shift, END] // t.rows[0, GRID]
    last = base + t.rows[c, LENGTH]
    return int(base > begin and s.used[row, base - 1] == 0) + int(last < end and s.used[row, last] == 0)


@compiled
def _find_blocked(t: Tables, s: SearchState, candidate: int, base: int) -> int:
    """Return the last start up to which what a candidate uses is taken, ``NOT_BLOCKED`` if it is free from ``base`` on."""
    for u in range(t.rows[candidate, USES], t.rows[candidate, USES_END], 4):
        row, most = t.lists[u], t.lists[t.lists[u]] - t.lists[u + 3]
        for j in range(base + t.lists[u + 2] - 1, base + t.lists[u + 1] - 1, -1):
            if s.used[row, j] > most:
                return j - t.lists[u + 1]
    return NOT_BLOCKED


@compiled
def _find_fit(
    t: Tables, s: SearchState, task: int, c: int, slot: int, forced_shift: int, forced_place: int, is_apart: bool
) -> tuple[int, int]:
    """Return a room and a supervisor for a task at a candidate's start, ``NONE_FREE`` twice where it breaks a rule.

    What it uses is free; ``is_apart``: what it follows may be placed later.
    """
    slots = t.rows[0, SLOTS]
    day, place, none = t.rows[c, DAY], t.rows[c, PLACE], (NONE_FREE, NONE_FREE)
    base = day * slots + slot
    room = _find_room(t, s, c, base, min(base + t.rows[c, CLEANED], (day + 1) * slots))
    if room == NONE_FREE or not _keeps_links(t, s, task, c, slot, is_apart) or not _can_team_travel(t, s, c, slot):
        return none
    if t.rows[task, PATIENT] >= 0 and not _is_patient_free(t, s, task, c, slot):
        return none
    supervisor = _find_supervisor(t, s, c, slot, base)
    if supervisor == NONE_FREE or (supervisor >= 0 and supervisor == forced_shift and place != forced_place):
        return none
    return room, supervisor


@compiled
def _insert(
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

    While too many are called, another place than the one that somebody was told of costs
    ``call_penalty`` more, as leaving out does.
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
    for c in range(t.rows[task, CANDIDATES], t.rows[task, CANDIDATES_END]):
        floor = float(t.rows[c, COST])
        if floor - saved >= best:
            break
        if blink > 0 and uniform(s.random) < blink:
            continue
        if not _is_open(t, s, task, c, forced_shift, forced_place):
            continue
        day, company = t.rows[c, DAY], False
        if crowded:
            dates, among = _count_dates(t, s, task, day)
            company = ordered and among
            if dates > 0 and not among:
                floor += t.rows[0, EXTRA_TRIP]
        alone_cost = _cost_of_day(t, s, task, day, t.rows[c, PLACE], -1) if company else 0
        skip = -1
        for i in range(t.rows[c, STARTS], t.rows[c, STARTS_END]):
            slot = t.lists[i]
            if slot <= skip:
                continue
            cost = floor - t.rows[c, COST] + _own_cost(t, task, c, slot)
            if t.rows[c, STAYS] == 0 or slot != t.rows[task, CURRENT_SLOT]:
                cost += call_penalty
            if company:
                cost += _cost_of_day(t, s, task, day, t.rows[c, PLACE], slot) - alone_cost
            if cost >= best or (cost >= worth and not linked):
                continue
            base = day * slots + slot
            blocked = _find_blocked(t, s, c, base)
            if blocked > NOT_BLOCKED:
                skip = blocked - day * slots
                continue
            if gap_cost > 0:
                cost += gap_cost * _gaps(t, s, c, base)
                if cost >= best:
                    continue
            room, supervisor = _find_fit(t, s, task, c, slot, forced_shift, forced_place, False)
            if room == NONE_FREE:
                continue
            best, chosen, chosen_slot, chosen_room, chosen_supervisor = cost, c, slot, room, supervisor
    if chosen < 0:
        return False
    _move(t, s, task, chosen, chosen_slot, chosen_room, chosen_supervisor, 1)
    return True


# --- chains: visits that go together -----------------------------------------------------------------------------------


@compiled
def _collect_chain(t: Tables, s: SearchState, task: int, chain: Ints) -> int:
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
        if not _is_open(t, s, task, c, forced_shift, forced_place):
            continue
        for i in range(t.rows[c, STARTS], t.rows[c, STARTS_END]):
            slot = t.lists[i]
            base, cost = day * slots + slot, float(_own_cost(t, task, c, slot))
            if t.rows[c, STAYS] == 0 or slot != t.rows[task, CURRENT_SLOT]:
                cost += call_penalty
            if slot <= skip or cost >= prices[base]:
                continue
            blocked = _find_blocked(t, s, c, base)
            if blocked > NOT_BLOCKED:
                skip = blocked - day * slots
                continue
            if gap_cost > 0:
                cost += gap_cost * _gaps(t, s, c, base)
            if cost < prices[base] and _find_fit(t, s, task, c, slot, forced_shift, forced_place, True)[0] != NONE_FREE:
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
    take from each other is left to :func:`_place_chain`.
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
def _place_next(
    t: Tables, s: SearchState, task: int, prices: NDArray[np.float64], choices: Ints, forced_shift: int, forced_place: int
) -> bool:
    """Put a task of a chain at the start with the least price that is free beside those that are placed."""
    slots = t.rows[0, SLOTS]
    for _ in range(MOST_STARTS):
        best, at, room, supervisor = NEVER_FREE, -1, -1, -1
        for base in range(len(prices)):
            if prices[base] < best and _keeps_links(t, s, task, choices[base], base % slots, False):
                best, at = prices[base], base
        if at < 0:
            return False
        c = choices[at]
        if _is_open(t, s, task, c, forced_shift, forced_place) and _find_blocked(t, s, c, at) == NOT_BLOCKED:
            room, supervisor = _find_fit(t, s, task, c, at % slots, forced_shift, forced_place, False)
            if room != NONE_FREE:
                _move(t, s, task, c, at % slots, room, supervisor, 1)
                return True
        prices[at] = NEVER_FREE
    return False


@compiled
def _insert_chain(
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
            _take_out(t, s, chain[i])
    return False


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
def _insert_waiting(
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
    chain = np.empty(bundle, dtype=np.int32)
    size = _collect_chain(t, s, task, chain)
    if size == 1:
        is_in = _insert(t, s, task, BLINK_RATE, gap_cost, forced_shift, forced_place, call_penalty)
    else:
        for i in range(turn if size == bundle else 0):
            if t.rows[waiting[i], PARTNERS] == t.rows[task, PARTNERS]:
                return count
        is_in = size > 0 and _insert_chain(t, s, chain, size, gap_cost, forced_shift, forced_place, call_penalty)
    if is_in:
        inserted[count : count + size] = chain[:size]
    return count + size if is_in else count


# --- the search ------------------------------------------------------------------------------------------------------


@compiled
def _ruin(t: Tables, s: SearchState, task: int, removed: Ints, count: int) -> int:
    """Take a task out with its partners; return how many are removed."""
    for i in range(t.rows[task, PARTNERS], t.rows[task, PARTNERS_END]):
        other = t.lists[i]
        if s.now[other, CANDIDATE] >= 0:
            removed[count, 0] = other
            for k in range(4):
                removed[count, k + 1] = s.now[other, k]
            count += 1
            _take_out(t, s, other)
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
    length = min(size, 1 + _random_below(s.random, MAX_STRING_LENGTH))
    first = _random_below(s.random, size - length + 1)
    if pivot >= 0:
        first = 0
        while first + length < size and s.now[order[first + length // 2], SLOT] < pivot:
            first += 1
    for i in range(first, first + length):
        count = _ruin(t, s, order[i], removed, count)
    return count


@compiled
def _ruin_room(t: Tables, s: SearchState, room: int, day: int, pivot: int, removed: Ints, count: int) -> int:
    """Take out some neighbours of a room on a day: about a slot, or anywhere (-1)."""
    if pivot < 0:
        pivot = _random_below(s.random, t.rows[0, SLOTS])
    for _ in range(1 + _random_below(s.random, MAX_STRING_LENGTH)):
        nearest, distance = -1, t.rows[0, SLOTS]
        for m in range(t.rows[0, MOVABLE], t.rows[0, MOVABLE_END]):
            task = t.lists[m]
            if s.now[task, ROOM] == room and s.now[task, AT_DAY] == day and abs(s.now[task, SLOT] - pivot) < distance:
                nearest, distance = task, abs(s.now[task, SLOT] - pivot)
        if nearest >= 0:
            count = _ruin(t, s, nearest, removed, count)
    return count


@compiled
def _ruin_shift(t: Tables, s: SearchState, shift: int, removed: Ints, count: int) -> int:
    """Take out everybody's tasks that a shift is in the team of, or supervises."""
    for m in range(t.rows[0, MOVABLE], t.rows[0, MOVABLE_END]):
        task = t.lists[m]
        if s.now[task, CANDIDATE] >= 0 and s.now[task, AT_DAY] == t.rows[shift, SHIFT_DAY]:
            uses = s.now[task, SUPERVISOR] == shift
            for k in range(t.rows[s.now[task, CANDIDATE], TEAM_SIZE]):
                uses = uses or t.rows[s.now[task, CANDIDATE], TEAM + k] == shift
            if uses:
                count = _ruin(t, s, task, removed, count)
    return count


@compiled
def _regret(t: Tables, s: SearchState, task: int) -> int:
    return _cost_now(t, s, task) - t.rows[t.rows[task, CANDIDATES], COST]


@compiled
def _choose_seed(t: Tables, s: SearchState) -> int:
    """Return a task to start from: one that is left out, or of a few the one with the largest regret."""
    seed = _random_task(t, s)
    if uniform(s.random) < REPAIR_SHARE:
        for _ in range(MAX_SAMPLES):
            if s.now[seed, CANDIDATE] < 0:
                break
            seed = _random_task(t, s)
        return seed
    for _ in range(TOURNAMENT_SIZE - 1):
        other = _random_task(t, s)
        if _regret(t, s, other) > _regret(t, s, seed):
            seed = other
    return seed


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
def _collect_waiting(
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
        other = t.lists[m] if shift >= 0 else _random_task(t, s)
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
def _sort_waiting(t: Tables, s: SearchState, waiting: Ints, size: int, seed: int) -> None:
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
def _preferred_candidate(t: Tables, s: SearchState, task: int) -> int:
    """Return a random candidate that costs a task less than its place now; any candidate if there is none."""
    first, better, now = t.rows[task, CANDIDATES], t.rows[task, CANDIDATES], _cost_now(t, s, task)
    while better < t.rows[task, CANDIDATES_END] and t.rows[better, COST] < now:
        better += 1
    if better == first:
        better = t.rows[task, CANDIDATES_END]
    return first + _random_below(s.random, better - first)


@compiled
def _ruin_near(t: Tables, s: SearchState, candidate: int, pivot: int, removed: Ints, count: int) -> int:
    """Take out what stands in the way of a candidate: neighbours in one of its rooms, or in a shift of its team."""
    first, last, size = t.rows[candidate, ROOMS], t.rows[candidate, ROOMS_END], t.rows[candidate, TEAM_SIZE]
    if last > first and uniform(s.random) < ROOM_STRING_SHARE:
        room = t.lists[first + _random_below(s.random, last - first)]
        return _ruin_room(t, s, room, t.rows[candidate, DAY], pivot, removed, count)
    if size > 0:
        return _ruin_string(t, s, t.rows[candidate, TEAM + _random_below(s.random, size)], pivot, removed, count)
    return count


@compiled
def _ruin_for_chain(t: Tables, s: SearchState, seed: int, removed: Ints, count: int) -> int:
    """Take out what stands in the way of a task and its partners about one time of a day."""
    preferred = _preferred_candidate(t, s, seed)
    day, starts = t.rows[preferred, DAY], t.rows[preferred, STARTS_END] - t.rows[preferred, STARTS]
    pivot = t.lists[t.rows[preferred, STARTS] + _random_below(s.random, starts)]
    for i in range(t.rows[seed, PARTNERS], t.rows[seed, PARTNERS_END]):
        other, near, met = t.lists[i], -1, 0
        for c in range(t.rows[other, CANDIDATES], t.rows[other, CANDIDATES_END]):
            if t.rows[c, DAY] == day:
                met += 1
                near = c if _random_below(s.random, met) == 0 else near
        if near >= 0:
            count = _ruin_near(t, s, preferred if other == seed else near, pivot, removed, count)
    return count


@compiled
def _restore(t: Tables, s: SearchState, inserted: Ints, finished: int, removed: Ints, count: int) -> None:
    """Take out what was inserted, and put back what was taken out."""
    for i in range(finished):
        _take_out(t, s, inserted[i])
    for i in range(count):
        _move(t, s, removed[i, 0], removed[i, 1], removed[i, 2], removed[i, 3], removed[i, 4], 1)


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
        seed, count, shift, place = _choose_seed(t, s), 0, -1, -1
        if t.rows[0, FLEXIBLE_END] > t.rows[0, FLEXIBLE] and uniform(s.random) < RELOCATION_SHARE:
            shift = t.lists[t.rows[0, FLEXIBLE] + _random_below(s.random, t.rows[0, FLEXIBLE_END] - t.rows[0, FLEXIBLE])]
            first, last = t.rows[shift, PLACES], t.rows[shift, PLACES_END]
            place = t.lists[first + _random_below(s.random, last - first)]
            if s.now[shift, COUNT] > 0 and s.now[shift, SPENT_AT] != place:
                count = _ruin_shift(t, s, shift, removed, count)
        if t.rows[seed, PARTNERS_END] - t.rows[seed, PARTNERS] > 1 and uniform(s.random) < CHAIN_SHARE:
            count = _ruin_for_chain(t, s, seed, removed, count)
        else:
            for _ in range(1 + _random_below(s.random, MAX_STRINGS)):
                count = _ruin_near(t, s, _preferred_candidate(t, s, seed), -1, removed, count)
        if s.now[seed, CANDIDATE] >= 0:
            count = _ruin(t, s, seed, removed, count)
        size = _collect_waiting(t, s, removed, count, seed, shift, place, waiting)
        _sort_waiting(t, s, waiting, size, seed)
        finished, gap_cost = 0, compactness if uniform(s.random) < COMPACT_SHARE else 0.0
        for i in range(size):
            finished = _insert_waiting(t, s, waiting, i, inserted, finished, gap_cost, shift, place, float(call_penalty))
        after = _score(t, s, call_penalty)
        if after > before and uniform(s.random) >= exp(float(before - after) / temperature):
            _restore(t, s, inserted, finished, removed, count)
        elif _score(t, s, BUDGET_PENALTY) < best:
            best = _score(t, s, BUDGET_PENALTY)
            for i in range(n):
                for k in range(SUPERVISOR + 1):
                    best_rows[i, k] = s.now[tasks + i, k]
    return best


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
    put(tables, state, 0, 0, 0, -1, -1)
    anneal(tables, state, np.zeros((0, SUPERVISOR + 1), np.int32), 0, 0, 1.0, 0.0, 0)
