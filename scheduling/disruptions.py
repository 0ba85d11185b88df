"""Disruptions of a week: a room or building that closes, a provider who is away, an extra shift."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from pydantic import model_validator

from scheduling.clinic import Closure
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.fields import ONE_DAY, Id, Interval, Model, Stamp
from scheduling.people import Shift
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp


class _Timed(Model):
    start: Stamp
    end: Stamp

    @model_validator(mode="after")
    def _ordered(self) -> _Timed:
        if not self.start < self.end:
            raise ValueError(f"{self.end.isoformat()} is not after the start {self.start.isoformat()}")
        return self


class PlaceClosure(_Timed):
    """A room, or a whole location, that takes nothing in ``[start, end)``; an id that both have is the room's."""

    place: Id


class ProviderAbsence(_Timed):
    """A provider who is not there in ``[start, end)``."""

    provider: Id


class ExtraShift(_Timed):
    """An extra shift of a provider, at one of some locations."""

    provider: Id
    locations: tuple[Id, ...]


Disruption = PlaceClosure | ProviderAbsence | ExtraShift

MOST_WEEKS = 53
"""Most times that an absence comes again each week: a year's."""


def repeat_weekly(absence: ProviderAbsence, until: date) -> tuple[ProviderAbsence, ...]:
    """Return an absence and the same one of each week after it, at the same hours; the last begins on ``until`` at the latest.

    Raises
    ------
    InvalidFile
        When it lasts longer than a week, ends before it begins, or comes more than :data:`MOST_WEEKS` times.
    """
    times = (until - absence.start.date()).days // 7 + 1
    if not 1 <= times <= MOST_WEEKS:
        raise InvalidFile("absence", [Fault("until", f"is not within {MOST_WEEKS} weeks from the start")])
    if absence.end - absence.start > timedelta(weeks=1):
        raise InvalidFile("absence", [Fault("to", "is more than a week after the start")])
    moved = (timedelta(weeks=number) for number in range(times))
    return tuple(absence.changed(start=absence.start + by, end=absence.end + by) for by in moved)


# --- as text ---------------------------------------------------------------------------------------------------------

_DAY, _STAMP = r"\d{4}-\d{2}-\d{2}", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}"
_INTERVAL = re.compile(rf"(?P<id>.+):(?P<start>{_STAMP}|{_DAY}):(?P<end>{_STAMP}|{_DAY})", re.ASCII)
_SHIFT = re.compile(rf"(?P<id>.+?):(?P<start>{_STAMP}):(?P<end>{_STAMP}):(?P<locations>[^,]+(?:,[^,]+)*)", re.ASCII)


def parse_closure(text: str) -> PlaceClosure:
    """Read ``ROOM:FROM:TO``, each moment a stamp or a date, which stands for the whole day. Raises ``InvalidFile``."""
    place, start, end = _parse_interval(text, "ROOM:FROM:TO")
    return PlaceClosure(place=place, start=start, end=end)


def parse_absence(text: str) -> ProviderAbsence:
    """Read ``PROVIDER:FROM:TO``, as :func:`parse_closure` does. Raises ``InvalidFile``."""
    provider, start, end = _parse_interval(text, "PROVIDER:FROM:TO")
    return ProviderAbsence(provider=provider, start=start, end=end)


def parse_extra_shift(text: str) -> ExtraShift:
    """Read ``PROVIDER:FROM:TO:LOCATION[,LOCATION...]``, both moments stamps of one day. Raises ``InvalidFile``."""
    match = _SHIFT.fullmatch(text)
    if match is None:
        raise _make_syntax_error(
            text, "PROVIDER:FROM:TO:LOCATION[,LOCATION...], like ann:2026-12-01T13:00:2026-12-01T17:00:main"
        )
    start, end = _parse_moment(text, match["start"]), _parse_moment(text, match["end"])
    _expect_ordered(text, start, end)
    return ExtraShift(provider=match["id"], start=start, end=end, locations=tuple(match["locations"].split(",")))


def _parse_interval(text: str, form: str) -> tuple[str, datetime, datetime]:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise _make_syntax_error(text, f"{form}, with moments like 2026-12-01T13:00 or 2026-12-01")
    start, end = _parse_moment(text, match["start"]), _parse_moment(text, match["end"], ends=True)
    _expect_ordered(text, start, end)
    return match["id"], start, end


def _parse_moment(text: str, moment: str, ends: bool = False) -> datetime:
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


def _make_syntax_error(text: str, form: str) -> InvalidFile:
    return InvalidFile(text, [Fault("", f"is not {form}")])


# --- what they make of a scenario ------------------------------------------------------------------------------------


def apply_disruptions(scenario: Scenario, disruptions: Iterable[Disruption]) -> Scenario:
    """Return a scenario after some disruptions; before ``now``, nothing is closed and nobody away any more.

    Raises
    ------
    UnknownId
        A disruption names something that the scenario does not have.
    InvalidFile
        An extra shift crosses midnight or overlaps another of its provider.
    """
    for disruption in disruptions:
        if isinstance(disruption, ExtraShift):
            scenario = _add_shift(scenario, disruption)
        elif scenario.now is not None and disruption.end <= scenario.now:
            _expect_known(scenario, disruption)
        elif isinstance(disruption, ProviderAbsence):
            scenario = _add_absence(scenario, disruption)
        else:
            scenario = _close_place(scenario, disruption)
    return scenario


def _get_start_from_now(scenario: Scenario, disruption: Disruption) -> datetime:
    return disruption.start if scenario.now is None else max(disruption.start, scenario.now)


def _expect_known(scenario: Scenario, disruption: PlaceClosure | ProviderAbsence) -> None:
    if isinstance(disruption, ProviderAbsence):
        if disruption.provider not in scenario.providers_by_id:
            raise UnknownId("provider", disruption.provider)
    elif disruption.place not in scenario.rooms and disruption.place not in scenario.locations:
        raise UnknownId("room or location", disruption.place)


def _add_absence(scenario: Scenario, absence: ProviderAbsence) -> Scenario:
    _expect_known(scenario, absence)
    away = Interval(start=_get_start_from_now(scenario, absence), end=absence.end)
    return scenario.changed(
        providers=tuple(p.changed(busy=(*p.busy, away)) if p.id == absence.provider else p for p in scenario.providers)
    )


def _add_shift(scenario: Scenario, extra_shift: ExtraShift) -> Scenario:
    provider = scenario.providers_by_id.get(extra_shift.provider)
    if provider is None:
        raise UnknownId("provider", extra_shift.provider)
    for location in extra_shift.locations:
        if location not in scenario.locations:
            raise UnknownId("location", location)
    extra = f"an extra shift of {extra_shift.provider}"
    if (extra_shift.end - stamp(extra_shift.start.date(), 0)) > ONE_DAY:
        raise InvalidFile(extra, [Fault("", "it crosses midnight")])
    if len(set(extra_shift.locations)) < len(extra_shift.locations):
        raise InvalidFile(extra, [Fault("", "a location is repeated")])
    for shift in provider.shifts:
        if extra_shift.start < shift.end and shift.start < extra_shift.end:
            raise InvalidFile(extra, [Fault("", f"it overlaps the shift of {shift.start:%a %d %b %H:%M} to {shift.end:%H:%M}")])
    shifts = (*provider.shifts, Shift(start=extra_shift.start, end=extra_shift.end, locations=extra_shift.locations))
    return scenario.changed(
        providers=tuple(p.changed(shifts=shifts) if p.id == extra_shift.provider else p for p in scenario.providers)
    )


def _close_place(scenario: Scenario, closure: PlaceClosure) -> Scenario:
    _expect_known(scenario, closure)
    room = scenario.rooms.get(closure.place)
    closed = Closure(
        start=_get_start_from_now(scenario, closure),
        end=closure.end,
        location=closure.place if room is None else room.location,
        room=None if room is None else room.id,
        reason="closed",
    )
    return scenario.changed(clinic=scenario.clinic.changed(closures=(*scenario.clinic.closures, closed)))
