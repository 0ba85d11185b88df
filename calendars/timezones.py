"""VTIMEZONE for any IANA zone: yearly rules where the zone has them, else one observance for each change.

A zone's changes are found by asking ``zoneinfo`` for its offset day by day and halving the day in which it changes. When
28 years of them (the calendar's cycle of weekdays and leap years) are two changes a year, each on the same weekday of the
same part of a month at the same local time, they are written as two RRULEs. Anything else is written out change by change.

No RDATE is written: Thunderbird and ical.js read lists of them, such as icalendar's own, an hour late.

References
----------
RFC 5545, section 3.6.5 (VTIMEZONE: an observance starts at DTSTART, a local time read with TZOFFSETFROM) and section
3.3.10 (RRULE).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

from scheduling.errors import UnknownId
from scheduling.timegrid import weekday

CYCLE_YEARS = 28
"""Years after which the Gregorian calendar repeats its weekdays: a rule that holds so long is no coincidence."""

LAST_YEAR = 9998
"""The last year that can be searched for changes; ``datetime`` ends a year later."""

_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class LocalTimeType:
    """What a zone's clocks show for a while: the offset from UTC, and its name.

    How much of the offset is daylight ``saving`` is ``zoneinfo``'s guess, and not the same one for every year (Inuvik: two
    hours up to 2037, then one), so it makes no difference between states.
    """

    offset: timedelta
    name: str
    saving: timedelta = field(compare=False)


@dataclass(frozen=True, slots=True)
class Transition:
    """The instant at which a zone goes from one state to another."""

    instant: datetime
    before: LocalTimeType
    after: LocalTimeType

    @property
    def onset(self) -> datetime:
        """The local time of the change, by the clocks that are about to be changed (RFC 5545, section 3.6.5)."""
        return (self.instant + self.before.offset).replace(tzinfo=None)

    @property
    def kind(self) -> tuple[LocalTimeType, LocalTimeType]:
        """What is the same each year."""
        return (self.before, self.after)

    @property
    def to_daylight(self) -> bool:
        """Whether the clocks go forward for a season.

        The greater offset counts as daylight time also where the law has it the other way round (Dublin's winter time
        is its exception): readers that look at more than offsets expect it so.
        """
        return self.before.saving != self.after.saving and self.after.offset > self.before.offset


@dataclass(frozen=True, slots=True)
class YearlyRule:
    """A weekday of the month, on or after ``first_day`` of it and at most six days later."""

    month: int
    weekday: str
    first_day: int

    def recurrence(self) -> vRecur:
        """Return the rule as an RRULE: the nth or last weekday of the month where it is one, else by days of the month."""
        nth, rest = divmod(self.first_day - 1, 7)
        parts: dict[str, str | int | list[int]] = {"FREQ": "YEARLY", "BYMONTH": self.month}
        if self.first_day + 6 == monthrange(2027, self.month)[1] and self.month != 2:
            parts["BYDAY"] = f"-1{self.weekday}"
        elif rest == 0 and nth < 4:
            parts["BYDAY"] = f"{nth + 1}{self.weekday}"
        else:
            parts["BYDAY"] = self.weekday
            parts["BYMONTHDAY"] = list(range(self.first_day, self.first_day + 7))
        return vRecur(parts)


@dataclass(frozen=True, slots=True)
class Observance:
    """One STANDARD or DAYLIGHT part of a VTIMEZONE; ``onset`` is local time by ``offset_from``."""

    daylight: bool
    onset: datetime
    offset_from: timedelta
    offset_to: timedelta
    name: str
    rule: YearlyRule | None = None

    def component(self) -> TimezoneStandard | TimezoneDaylight:
        """Return the sub-component."""
        part = TimezoneDaylight() if self.daylight else TimezoneStandard()
        part.add("DTSTART", self.onset)
        part.add("TZOFFSETFROM", self.offset_from)
        part.add("TZOFFSETTO", self.offset_to)
        part.add("TZNAME", self.name)
        if self.rule is not None:
            part.add("RRULE", self.rule.recurrence())
        return part


def make_vtimezone(zone: str, first: date, last: date) -> Timezone:
    """Return the VTIMEZONE of a zone, right for every instant of the years of ``first`` to ``last``.

    Parameters
    ----------
    zone : str
        The IANA name, which becomes the TZID.
    first, last : date
        The first and last local dates in use, both included.

    Raises
    ------
    UnknownId
        When there is no such zone.
    ValueError
        When ``last`` lies before ``first``.

    References
    ----------
    RFC 5545, section 3.6.5.
    """
    if last < first:
        raise ValueError(f"the last date, {last}, lies before the first, {first}")
    component = Timezone()
    component.add("TZID", zone)
    for observance in list_observances(zone, first.year, last.year):
        component.add_component(observance.component())
    return component


@lru_cache(maxsize=256)
def list_observances(zone: str, first_year: int, last_year: int) -> tuple[Observance, ...]:
    """Return what a VTIMEZONE of a zone says, in the order of onset. Raises ``UnknownId``."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownId("time zone", zone) from None
    begin = datetime(first_year - 1, 1, 1, tzinfo=UTC)
    cycle_end = min(max(first_year + CYCLE_YEARS, last_year + 2), LAST_YEAR)
    transitions = tuple(list_transitions(info, begin, datetime(cycle_end, 1, 1, tzinfo=UTC)))
    yearly = _find_yearly(transitions, range(first_year - 1, cycle_end))
    if yearly:
        return yearly
    end = datetime(min(last_year + 2, LAST_YEAR), 1, 1, tzinfo=UTC)
    initial = _get_local_time(info, begin)
    onset = begin.replace(tzinfo=None) - _ONE_DAY
    start = Observance(initial.saving > timedelta(0), onset, initial.offset, initial.offset, initial.name)
    return (start, *(_make_observance(transition) for transition in transitions if transition.instant < end))


def list_transitions(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[Transition]:
    """Yield a zone's changes in ``[begin, end)``, aware datetimes in UTC, in order."""
    at, state = begin, _get_local_time(zone, begin)
    while at < end:
        later = at + _ONE_DAY
        if _get_local_time(zone, later) != state:
            later = _find_transition(zone, at, later)
            if later >= end:
                return
            after = _get_local_time(zone, later)
            yield Transition(later, state, after)
            state = after
        at = later


def _get_local_time(zone: ZoneInfo, instant: datetime) -> LocalTimeType:
    local = instant.astimezone(zone)
    nothing = timedelta(0)
    return LocalTimeType(local.utcoffset() or nothing, local.tzname() or zone.key, local.dst() or nothing)


def _find_transition(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    state = _get_local_time(zone, before)
    while after - before > _ONE_SECOND:
        middle = before + timedelta(seconds=(after - before) // _ONE_SECOND // 2)
        if _get_local_time(zone, middle) == state:
            before = middle
        else:
            after = middle
    return after


def _make_observance(transition: Transition, rule: YearlyRule | None = None) -> Observance:
    before, after = transition.kind
    return Observance(transition.to_daylight, transition.onset, before.offset, after.offset, after.name, rule)


def _find_yearly(transitions: Sequence[Transition], years: range) -> tuple[Observance, ...]:
    """Return two observances with rules when the changes follow rules in all the years, else nothing."""
    kinds = {transition.kind for transition in transitions}
    if len(kinds) != 2:
        return ()
    parts = []
    for kind in kinds:
        same = [transition for transition in transitions if transition.kind == kind]
        rule = find_yearly_rule([transition.onset for transition in same], years)
        if rule is None:
            return ()
        parts.append(_make_observance(same[0], rule))
    return tuple(sorted(parts, key=lambda part: part.onset))


def find_yearly_rule(onsets: Sequence[datetime], years: range) -> YearlyRule | None:
    """Return the rule that local times follow, one in each of the years; None when they follow none."""
    same = {(onset.month, weekday(onset.date()), onset.time()) for onset in onsets}
    days = [onset.day for onset in onsets]
    if [onset.year for onset in onsets] != list(years) or len(same) != 1 or max(days) - min(days) > 6:
        return None
    month, day_of_week, _ = same.pop()
    return YearlyRule(month, day_of_week, min(days))
