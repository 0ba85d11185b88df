"""What upsets a week: a room or building that closes, somebody who is away, an extra shift; and the scenario that it leaves.

A file has no way to say that one room is closed. So a closed room is taken, in the scenario that :func:`disturbed` makes, by
pinned visits without people or cost, one a date: every rule then holds for it as for any visit. :func:`reopened` takes them
out of an answer again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any

from pydantic import model_validator

from scheduling.clinic import Closure, Room, RoomNeed, Service
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.fields import ONE_DAY, Id, Interval, Model, Stamp
from scheduling.people import Patient, Shift
from scheduling.plan import Plan
from scheduling.publishing import carried
from scheduling.requests import Current, Pin, Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day, minutes_on, stamp


class _Upset(Model):
    start: Stamp
    end: Stamp

    @model_validator(mode="after")
    def _ordered(self) -> _Upset:
        if not self.start < self.end:
            raise ValueError(f"{self.end.isoformat()} is not after the start {self.start.isoformat()}")
        return self


class Close(_Upset):
    """A room, or a whole location, that takes nothing in ``[start, end)``; an id that both have is the room's."""

    place: Id


class Away(_Upset):
    """A provider who is not there in ``[start, end)``."""

    provider: Id


class Open(_Upset):
    """An extra shift of a provider, at one of some locations."""

    provider: Id
    locations: tuple[Id, ...]


Disturbance = Close | Away | Open


# --- as text ---------------------------------------------------------------------------------------------------------

_DAY, _STAMP = r"\d{4}-\d{2}-\d{2}", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}"
_INTERVAL = re.compile(rf"(?P<id>.+):(?P<start>{_STAMP}|{_DAY}):(?P<end>{_STAMP}|{_DAY})", re.ASCII)
_SHIFT = re.compile(rf"(?P<id>.+?):(?P<start>{_STAMP}):(?P<end>{_STAMP}):(?P<locations>[^,]+(?:,[^,]+)*)", re.ASCII)


def read_close(text: str) -> Close:
    """Read ``ROOM:FROM:TO``, each moment a stamp or a date, which stands for the whole day. Raises ``InvalidFile``."""
    place, start, end = _interval(text, "ROOM:FROM:TO")
    return Close(place=place, start=start, end=end)


def read_away(text: str) -> Away:
    """Read ``PROVIDER:FROM:TO``, as :func:`read_close` does. Raises ``InvalidFile``."""
    provider, start, end = _interval(text, "PROVIDER:FROM:TO")
    return Away(provider=provider, start=start, end=end)


def read_open(text: str) -> Open:
    """Read ``PROVIDER:FROM:TO:LOCATION[,LOCATION...]``, both moments stamps of one day. Raises ``InvalidFile``."""
    found = _SHIFT.fullmatch(text)
    if found is None:
        raise _unreadable(text, "PROVIDER:FROM:TO:LOCATION[,LOCATION...], like ann:2026-12-01T13:00:2026-12-01T17:00:main")
    start, end = _moment(text, found["start"]), _moment(text, found["end"])
    _expect_ordered(text, start, end)
    return Open(provider=found["id"], start=start, end=end, locations=tuple(found["locations"].split(",")))


def _interval(text: str, form: str) -> tuple[str, datetime, datetime]:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise _unreadable(text, f"{form}, with moments like 2026-12-01T13:00 or 2026-12-01")
    start, end = _moment(text, found["start"]), _moment(text, found["end"], ends=True)
    _expect_ordered(text, start, end)
    return found["id"], start, end


def _moment(text: str, moment: str, ends: bool = False) -> datetime:
    """Return a stamp, or the start of a date, or its end."""
    try:
        if "T" in moment:
            return datetime.fromisoformat(moment)
        return datetime.combine(date.fromisoformat(moment), time()) + (ONE_DAY if ends else 0 * ONE_DAY)
    except (ValueError, OverflowError) as error:
        raise InvalidFile(text, [Fault("", f'"{moment}": {error}')]) from None


def _expect_ordered(text: str, start: datetime, end: datetime) -> None:
    if not 1900 <= start.year <= end.year < 9000:
        raise InvalidFile(text, [Fault("", "the year is out of range")])
    if start >= end:
        raise InvalidFile(text, [Fault("", f"{end:%Y-%m-%d %H:%M} is not after the start {start:%Y-%m-%d %H:%M}")])


def _unreadable(text: str, form: str) -> InvalidFile:
    return InvalidFile(text, [Fault("", f"is not {form}")])


# --- what they make of a scenario ------------------------------------------------------------------------------------


def disturbed(scenario: Scenario, disturbances: Iterable[Disturbance]) -> Scenario:
    """Return a scenario after some disturbances; before ``now``, nothing is closed and nobody away any more.

    Raises
    ------
    UnknownId
        A disturbance names something that the scenario does not have.
    InvalidFile
        An extra shift crosses midnight or overlaps another of its provider.
    """
    closed: list[Close] = []
    for one in disturbances:
        if isinstance(one, Open):
            scenario = _opened(scenario, one)
        elif scenario.now is not None and one.end <= scenario.now:
            _expect_known(scenario, one)
        elif isinstance(one, Away):
            scenario = _away(scenario, one)
        elif one.place in scenario.rooms:
            closed.append(one)
        else:
            scenario = _location_closed(scenario, one)
    return _rooms_closed(scenario, closed)


def reopened(scenario: Scenario, before: Scenario, plan: Plan) -> tuple[Scenario, Plan]:
    """Return a disturbed scenario and its plan without what closed rooms stand for; ``before`` is as it was undisturbed."""
    clinic = scenario.clinic.changed(services=before.clinic.services)
    shown = scenario.changed(clinic=clinic, patients=before.patients, visits=before.visits)
    return shown, carried(plan, shown).changed(status=plan.status, bound=plan.bound)


def _from_now(scenario: Scenario, one: Disturbance) -> datetime:
    return one.start if scenario.now is None else max(one.start, scenario.now)


def _expect_known(scenario: Scenario, one: Close | Away) -> None:
    if isinstance(one, Away):
        if one.provider not in scenario.providers_by_id:
            raise UnknownId("provider", one.provider)
    elif one.place not in scenario.rooms and one.place not in scenario.locations:
        raise UnknownId("room or location", one.place)


def _away(scenario: Scenario, one: Away) -> Scenario:
    _expect_known(scenario, one)
    time_away = Interval(start=_from_now(scenario, one), end=one.end)
    return scenario.changed(
        providers=tuple(p.changed(busy=(*p.busy, time_away)) if p.id == one.provider else p for p in scenario.providers)
    )


def _opened(scenario: Scenario, one: Open) -> Scenario:
    provider = scenario.providers_by_id.get(one.provider)
    if provider is None:
        raise UnknownId("provider", one.provider)
    for location in one.locations:
        if location not in scenario.locations:
            raise UnknownId("location", location)
    extra = f"an extra shift of {one.provider}"
    if (one.end - stamp(one.start.date(), 0)) > ONE_DAY:
        raise InvalidFile(extra, [Fault("", "it crosses midnight")])
    if len(set(one.locations)) < len(one.locations):
        raise InvalidFile(extra, [Fault("", "a location is repeated")])
    for shift in provider.shifts:
        if one.start < shift.end and shift.start < one.end:
            raise InvalidFile(extra, [Fault("", f"it overlaps the shift of {shift.start:%a %d %b %H:%M} to {shift.end:%H:%M}")])
    shifts = (*provider.shifts, Shift(start=one.start, end=one.end, locations=one.locations))
    return scenario.changed(
        providers=tuple(p.changed(shifts=shifts) if p.id == one.provider else p for p in scenario.providers)
    )


def _location_closed(scenario: Scenario, one: Close) -> Scenario:
    _expect_known(scenario, one)
    closure = Closure(start=_from_now(scenario, one), end=one.end, location=one.place, reason="closed")
    return scenario.changed(clinic=scenario.clinic.changed(closures=(*scenario.clinic.closures, closure)))


# --- closed rooms ----------------------------------------------------------------------------------------------------


def _rooms_closed(scenario: Scenario, closed: Iterable[Close]) -> Scenario:
    """Take closed rooms by pinned visits, which stand before all others, so that these are kept when a pin is at odds."""
    services, patients, visits = [], [], []
    taken = {*scenario.services, *scenario.patients_by_id, *scenario.visits_by_id}
    by_room: dict[str, list[Close]] = {}
    for one in closed:
        by_room.setdefault(one.place, []).append(one)
    for room, times in by_room.items():
        for start, end in _closed_times(scenario, scenario.rooms[room], times):
            name = f"closed:{room}:{start:%Y-%m-%dT%H:%M}"
            while name in taken:
                name += "'"
            taken.add(name)
            services.append(_closing(name, scenario.rooms[room], int((end - start).total_seconds()) // 60))
            patients.append(_nobody(name, scenario.site(scenario.rooms[room].location)))
            visits.append(_taking(scenario, name, scenario.rooms[room], start))
    if not visits:
        return scenario
    clinic = scenario.clinic.changed(services=(*scenario.clinic.services, *services))
    return scenario.changed(clinic=clinic, patients=(*scenario.patients, *patients), visits=(*visits, *scenario.visits))


def _closed_times(scenario: Scenario, room: Room, times: Iterable[Close]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times, each of one date, that have to be taken of a closed room.

    They begin on the grid and meet no closure of the location, as every rule has it; whatever is left uncovered between
    two steps of the grid, or after the location closes, nothing can use either.
    """
    closes = minute_of_day(scenario.locations[room.location].closes)
    shut = [closure for closure in scenario.clinic.closures if closure.location in (None, room.location)]
    grid = scenario.grid.grid_minutes
    for day in scenario.grid.dates():
        taken: set[int] = set()
        for one in times:
            past = scenario.now is not None and one.start < scenario.now
            begin, end = minutes_on(_from_now(scenario, one), day), minutes_on(one.end, day)
            first = -(-begin // grid) if past else begin // grid
            taken.update(range(max(0, first * grid), min(end, closes)))
        for closure in shut:
            taken.difference_update(
                range(max(0, minutes_on(closure.start, day)), min(MINUTES_PER_DAY, minutes_on(closure.end, day)))
            )
        for first_minute, last_minute in _runs(taken):
            begin = -(-first_minute // grid) * grid
            if begin < last_minute:
                yield stamp(day, begin), stamp(day, last_minute)


def _runs(minutes: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the stretches ``[first, last)`` of a set of minutes."""
    if not minutes:
        return
    ordered = sorted(minutes)
    first = ordered[0]
    for minute, following in pairwise(ordered):
        if following != minute + 1:
            yield first, minute + 1
            first = following
    yield first, ordered[-1] + 1


def _closing(name: str, room: Room, minutes: int) -> Service:
    return Service(
        id=name,
        name=f"{room.id} is closed",
        minutes=minutes,
        turnover=0,
        recovery=0,
        attention=0,
        team=(),
        room=RoomNeed(kind=room.kind, features=room.features),
        equipment=(),
        locations=(room.location,),
    )


def _nobody(name: str, site: str) -> Patient:
    """Return the patient of a visit that stands for a closed room: one for each, so that none has an extra trip."""
    return Patient(id=name, name="", preferred_site=None, allowed_sites=(site,), unavailable=(), prefers=None)


def _taking(scenario: Scenario, name: str, room: Room, start: datetime) -> Visit:
    """Return a visit that takes a room: pinned, and standing there already where time has begun, so that it is not past."""
    place: dict[str, Any] = {"start": start, "location": room.location, "room": room.id, "team": ()}
    return Visit(
        id=name,
        patient=name,
        service=name,
        priority="routine",
        earliest=start.date(),
        target=None,
        deadline=None,
        preferred_providers=(),
        required_provider=None,
        same_day=False,
        pinned=Pin(**place),
        current=None if scenario.now is None else Current(**place, notified=False),
    )
