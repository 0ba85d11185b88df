"""Whether a task fits at a start beside what is placed: the rules between tasks."""

from __future__ import annotations

from solver.search.kernel.compilation import compiled, inlined
from solver.search.kernel.costs import is_beside, travel_minutes
from solver.search.kernel.draws import random_below
from solver.search.kernel.layout import (
    ANY_ORDER,
    AT_DAY,
    AT_PLACE,
    AT_TEAM,
    ATTENTION,
    ATTENTION_RESOURCE,
    BEGIN,
    CANDIDATE,
    CLEANED,
    COUNT,
    DAY,
    END,
    EVENT_BEGIN,
    EVENT_DAY,
    EVENT_END,
    EVENT_PLACE,
    EVENTS,
    EVENTS_END,
    GRID,
    LEADS,
    LENGTH,
    LIMIT,
    LINKS,
    LINKS_END,
    MAX_DAYS,
    MAX_GAP,
    MIN_DAYS,
    MIN_GAP,
    MINUTES,
    NONE_FREE,
    NOT_BLOCKED,
    NOT_NEEDED,
    OTHER,
    PATIENT,
    PLACE,
    PLACES_COUNT,
    PROVIDER,
    PROVIDER_DAY,
    ROAM,
    ROOMS,
    ROOMS_END,
    SAME_PLACE,
    SAME_TEAM,
    SHIFT_DAY,
    SIBLINGS,
    SIBLINGS_END,
    SLOT,
    SLOTS,
    SPENT_AT,
    STAY_MINUTES,
    SUPERVISORS,
    SUPERVISORS_END,
    TEAM,
    TEAM_SIZE,
    USES,
    USES_END,
    VISITS,
    VISITS_END,
    WORKED,
    SearchState,
    Tables,
)


@compiled
def _can_roam(t: Tables, s: SearchState, shift: int, place: int, slot: int, length: int) -> bool:
    """Return whether a provider has time to travel from and to whatever else of the day is at another place."""
    first = t.rows[shift, SHIFT_DAY] * t.rows[0, SLOTS]
    for other in range(t.rows[0, PLACES_COUNT]):
        if other != place:
            way = (travel_minutes(t, other, place) + t.rows[0, GRID] - 1) // t.rows[0, GRID]
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
    if s.now[shift, COUNT] > 0 and s.now[shift, SPENT_AT] != place and not is_beside(t, shift, place):
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
                if apart < travel_minutes(t, there, place):
                    return False
    return True


@compiled
def keeps_links(t: Tables, s: SearchState, task: int, candidate: int, slot: int, is_apart: bool) -> bool:
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
            travel = travel_minutes(t, place, t.rows[i, EVENT_PLACE])
            if begin < t.rows[i, EVENT_END] + travel and t.rows[i, EVENT_BEGIN] < end + travel:
                return False
    for i in range(t.rows[patient, VISITS], t.rows[patient, VISITS_END]):
        other = t.lists[i]
        if other != task and s.now[other, CANDIDATE] >= 0 and s.now[other, AT_DAY] == day:
            travel, first = travel_minutes(t, place, s.now[other, AT_PLACE]), s.now[other, SLOT] * t.rows[0, GRID]
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
    turn = random_below(s.random, count)
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


@inlined
def is_open(t: Tables, s: SearchState, task: int, c: int, forced_shift: int, forced_place: int) -> bool:
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
        if elsewhere and not is_beside(t, shift, place):
            return False
    return True


@compiled
def _can_team_travel(t: Tables, s: SearchState, c: int, slot: int) -> bool:
    """Return whether everybody of a team has time to travel to a candidate at a slot, and on from it."""
    for k in range(t.rows[c, TEAM_SIZE]):
        if not _can_reach(t, s, t.rows[c, TEAM + k], t.rows[c, PLACE], slot, t.rows[c, LENGTH]):
            return False
    return True


@inlined
def gaps(t: Tables, s: SearchState, c: int, base: int) -> int:
    """Return how many sides of a start do not touch other work of the team's first member."""
    if t.rows[c, TEAM_SIZE] == 0:
        return 0
    shift, day, row = t.rows[c, TEAM], t.rows[c, DAY], t.lists[t.rows[c, USES]]
    begin = day * t.rows[0, SLOTS] + t.rows[shift, BEGIN] // t.rows[0, GRID]
    end = day * t.rows[0, SLOTS] + t.rows[shift, END] // t.rows[0, GRID]
    last = base + t.rows[c, LENGTH]
    return int(base > begin and s.used[row, base - 1] == 0) + int(last < end and s.used[row, last] == 0)


@inlined
def find_blocked(t: Tables, s: SearchState, candidate: int, base: int) -> int:
    """Return the last start up to which what a candidate uses is taken, ``NOT_BLOCKED`` if it is free from ``base`` on."""
    for u in range(t.rows[candidate, USES], t.rows[candidate, USES_END], 4):
        row, most = t.lists[u], t.lists[t.lists[u]] - t.lists[u + 3]
        for j in range(base + t.lists[u + 2] - 1, base + t.lists[u + 1] - 1, -1):
            if s.used[row, j] > most:
                return j - t.lists[u + 1]
    return NOT_BLOCKED


@compiled
def find_fit(
    t: Tables, s: SearchState, task: int, c: int, slot: int, forced_shift: int, forced_place: int, is_apart: bool
) -> tuple[int, int]:
    """Return a room and a supervisor for a task at a candidate's start, ``NONE_FREE`` twice where it breaks a rule.

    What it uses is free; ``is_apart``: what it follows may be placed later.
    """
    slots = t.rows[0, SLOTS]
    day, place, none = t.rows[c, DAY], t.rows[c, PLACE], (NONE_FREE, NONE_FREE)
    base = day * slots + slot
    room = _find_room(t, s, c, base, min(base + t.rows[c, CLEANED], (day + 1) * slots))
    if room == NONE_FREE or not keeps_links(t, s, task, c, slot, is_apart) or not _can_team_travel(t, s, c, slot):
        return none
    if t.rows[task, PATIENT] >= 0 and not _is_patient_free(t, s, task, c, slot):
        return none
    supervisor = _find_supervisor(t, s, c, slot, base)
    if supervisor == NONE_FREE or (supervisor >= 0 and supervisor == forced_shift and place != forced_place):
        return none
    return room, supervisor
