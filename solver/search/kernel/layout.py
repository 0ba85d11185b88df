"""How a scenario stands in arrays: the columns of its rows, and where everything stands now.

Every thing that can be taken is a *resource*: a row of :attr:`SearchState.used` with a capacity, a column for each slot of the
horizon.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Randoms = NDArray[np.uint64]

# Columns of Tables.rows. Every thing is a row, and its number is the row's. A name with _END beside it is a range of rows or
# of Tables.lists, which begins with the capacities of the resources.
# Row 0, the settings:
SLOTS, NOON, GRID, EXTRA_TRIP, HALF, SITE_CHANGE, BUDGET, PLACES_COUNT, TRAVEL, SITES = range(10)
TASKS, TASKS_END, MOVABLE, MOVABLE_END, FLEXIBLE, FLEXIBLE_END, WAITING, JOURNEY, IS_GUIDED = range(10, 19)
SETTINGS = 19

# A task (its candidates are sorted by cost):
CANDIDATES, CANDIDATES_END, WORTH, PREFERS, WAS_NOTIFIED, CURRENT_SLOT, PATIENT, LINKS, LINKS_END = range(9)
PARTNERS, PARTNERS_END, MINUTES, STAY_MINUTES, CURRENT_MINUTE, MOST_SAVED, BY_PRICE = range(9, 16)

# A candidate, one way to place a task; its team's shifts stand in the columns from TEAM on:
DAY, PLACE, COST, MOVE, STAYS, MOVE_PER_HOUR, PRICE, STARTS, STARTS_END, USES, USES_END, ROOMS, ROOMS_END = range(13)
CLEANED, SUPERVISORS, SUPERVISORS_END, ATTENTION, LENGTH, TEAM_SIZE, TEAM = range(13, 20)

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
MORNING, AFTERNOON = 1, 2
QUARTER = 15
PRICE_SCALE = 10


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
