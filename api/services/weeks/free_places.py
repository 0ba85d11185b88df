"""All places that a visit could have, for a desk that picks it up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from api.runtime.exceptions import Conflict
from api.services.weeks.week import WeekSnapshot
from scheduling.errors import UnknownId
from scheduling.fields import Interval
from scheduling.plan import VisitBooking
from scheduling.timegrid import minute_of_day, stamp

if TYPE_CHECKING:
    from solver import CostedBooking, CostedStarts, FreePlaceFinder, FreePlaces

CHEAPEST = 3
"""Places that are named as the best."""


@dataclass(frozen=True)
class VisitPlaces:
    """Where a visit stands, where else it could, and when its patient cannot come.

    Attributes
    ----------
    called : int or None
        How many other patients have to be called again as it stands; None where what stands against a rule is set aside,
        and the verdict on a place may tell more than its cost.
    """

    visit: str
    week: WeekSnapshot
    current: VisitBooking | None
    places: tuple[FreePlaces, ...]
    best: tuple[CostedBooking, ...]
    called: int | None

    @property
    def minutes(self) -> int:
        """How long the visit lasts."""
        return self.week.scenario.service_of(self.week.scenario.visits_by_id[self.visit]).minutes

    @property
    def patient_busy(self) -> tuple[Interval, ...]:
        """When the patient cannot come, or is elsewhere, recovery included."""
        scenario = self.week.scenario
        patient = scenario.patients_by_id[scenario.visits_by_id[self.visit].patient]
        elsewhere = (
            Interval(start=item.booking.start, end=stamp(item.date, item.recovery_end_minute))
            for item in self.week.upcoming.items(scenario)
            if patient.id in item.patients and (item.kind, item.id) != ("visit", self.visit)
        )
        return (*patient.unavailable, *elsewhere)


def find_free_places(week: WeekSnapshot, visit: str) -> VisitPlaces:
    """Return all places of a visit that has one, or none yet.

    Raises
    ------
    UnknownId
        When the week asks for no such visit.
    Conflict
        When what stands breaks rules, by more than what was overridden: it must be planned anew first.
    """
    finder = _get_finder(week, visit)
    places = finder.find(visit)
    best = tuple(finder.list_cheapest(visit, places, CHEAPEST))
    called = finder.count_called(visit) if week.is_settled else None
    return VisitPlaces(visit, week, week.plan.visits_by_id.get(visit), places, best, called)


def choose_place(
    week: WeekSnapshot, visit: str, start: datetime | None = None, location: str | None = None, provider: str | None = None
) -> VisitBooking:
    """Return the cheapest place of a visit that is free, of those that are at a start, at a location or with a provider.

    Raises
    ------
    UnknownId, Conflict
        As :func:`find_free_places`; and ``Conflict`` when no such place is free.
    """
    finder = _get_finder(week, visit)
    suited = [
        replace(place, starts=starts)
        for place in finder.find(visit)
        if location in (None, place.location) and (provider is None or provider in place.team)
        if (starts := _at_start(place, start))
    ]
    cheapest = finder.list_cheapest(visit, suited, 1)
    if not cheapest:
        stands, now = week.plan.visits_by_id.get(visit), week.scenario.now
        if stands is not None and now is not None and stands.start < now:
            raise Conflict(f'visit "{visit}" began at {stands.start:%Y-%m-%d %H:%M}: it can be cancelled, but moves no more')
        wanted = "" if start is None else f" at {start:%Y-%m-%d %H:%M}"
        raise Conflict(f'no place of visit "{visit}" is free{wanted}; name room and team to see which rules it would break')
    return cheapest[0].booking


def _get_finder(week: WeekSnapshot, visit: str) -> FreePlaceFinder:
    if visit not in week.scenario.visits_by_id:
        raise UnknownId("visit", visit)
    is_aside = visit in week.overridden or visit not in week.settled[0].visits_by_id
    return (_without(week, visit) if is_aside else week).place_finder


def _at_start(place: FreePlaces, start: datetime | None) -> tuple[CostedStarts, ...]:
    """Return the starts of a place that are at a moment; None: all of them."""
    if start is None:
        return place.starts
    if place.day != start.date():
        return ()
    minute = minute_of_day(start.time())
    runs = (run for run in place.starts if run.first_minute <= minute <= run.last_minute)
    return tuple(replace(run, first_minute=minute, last_minute=minute) for run in runs)


def _without(week: WeekSnapshot, visit: str) -> WeekSnapshot:
    """Return a week in which a visit that stands against a rule does not stand: its place is in nobody's way."""
    others = tuple(booking for booking in week.plan.visits if booking.visit != visit)
    statuses = {name: status for name, status in week.statuses.items() if name != visit}
    return replace(week, plan=week.plan.changed(visits=others), statuses=statuses)
