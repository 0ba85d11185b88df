"""Other times that a patient may choose for their visit: nobody else is moved or called for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from api.access.actor import Actor
from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.bookings.by_hand import PlacementDecision, RequestedPlace, apply_placement, decide_move, find_period
from api.services.bookings.decisions import with_retries
from api.services.weeks.free_places import choose_place, find_free_places
from api.services.weeks.week import WeekSnapshot, get_current_week
from scheduling.costs import get_half
from scheduling.fields import Half
from scheduling.timegrid import minute_of_day, stamp

MOST = 5
"""Times that are offered; each is on a half-day of its own."""


@dataclass(frozen=True, slots=True)
class OtherTime:
    """A start, on the clinic's clocks, and the name of the location."""

    start: datetime
    location: str


def list_other_times(context: AppContext, visit: str) -> tuple[OtherTime, ...]:
    """Return times to which a visit may be moved, by start: those that cost the clinic least. Raises ``UnknownId``."""
    week = get_current_week(context, find_period(context.database, visit), context.clock())
    return _choose(week, visit)


def take_other_time(context: AppContext, by: Actor, start: datetime, version: int) -> None:
    """Move a patient's visit to one of the times that they were offered.

    Raises
    ------
    Conflict
        When it is none of them any more.
    UnknownId, StaleVersion
        When the visit has no booking, or another version of it.
    """
    visit, now = by.visit, context.clock()
    assert visit is not None  # as every patient comes by the link of one

    def decide(week: WeekSnapshot) -> PlacementDecision:
        if start not in (time.start for time in _choose(week, visit)):
            raise Conflict("this time is not free any more")
        chosen = choose_place(week, visit, start)
        place = RequestedPlace(chosen.start, chosen.location, chosen.room, chosen.team, chosen.supervisors)
        return decide_move(week, by, visit, place, None, version, now)

    with_retries(context, find_period(context.database, visit), decide, apply_placement, context.database.write)


def _choose(week: WeekSnapshot, visit: str) -> tuple[OtherTime, ...]:
    half_days: dict[tuple[date, Half], OtherTime] = {}
    for _, start, location in sorted(_list_starts(week, visit)):
        half_day = (start.date(), get_half(minute_of_day(start)))
        if len(half_days) < MOST:
            half_days.setdefault(half_day, OtherTime(start, week.scenario.locations[location].name))
    return tuple(sorted(half_days.values(), key=lambda time: time.start))


def _list_starts(week: WeekSnapshot, visit: str) -> Iterator[tuple[int, datetime, str]]:
    """Yield what the first start of each stretch costs, the start, and the location; none of a week with faults."""
    try:
        found = find_free_places(week, visit)
    except Conflict:
        return
    present = None if found.current is None else found.current.start
    for place in found.places:
        for starts in place.starts:
            if (start := stamp(place.day, starts.first_minute)) != present:
                yield starts.cost, start, place.location
