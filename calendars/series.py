"""The occurrences of an event, those that replace some of them among them, within a window.

What cannot be understood costs no more than itself: an end that cannot be read is an hour after the start, a rule that
cannot be read leaves its first occurrence, and an occurrence whose replacement cannot be read takes place as in the series.
Each of these is noted.

References
----------
RFC 5545, sections 3.6.1 (VEVENT: what its end is when it has none), 3.8.2.7 (TRANSP), 3.8.4.4 (RECURRENCE-ID) and 3.8.5
(EXDATE, RDATE, RRULE); RFC 5546, section 2.1.4 (of two revisions the one of the higher SEQUENCE holds).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from calendars.moments import Length, Misread, MomentReader
from calendars.reading import Component, ContentLine
from calendars.recurrence import Rule, Unusable
from calendars.tally import Tally
from scheduling.fields import ONE_DAY

Interval = tuple[datetime, datetime]

USUAL = Length(exact=timedelta(hours=1))
"""How long an event counts as that does not say it in a way that can be understood."""

_SEPARATORS = re.compile("[,;]")
"""What stands between the values of a list; the second is some programs' own."""

_MARGIN = timedelta(days=2)
"""Between a local date and the instants that it may mean, on both sides."""


def takes_time(event: Component, is_elsewhere_busy: bool = True) -> bool:
    """Return whether an event keeps its owner busy.

    X-MICROSOFT-CDO-BUSYSTATUS is what Outlook shows it as: who is out of office is away, whatever TRANSP says; who works
    elsewhere is busy unless ``is_elsewhere_busy`` says otherwise.
    """
    shown = (event.value("X-MICROSOFT-CDO-BUSYSTATUS") or "").upper()
    is_transparent = (event.value("TRANSP") or "").upper() == "TRANSPARENT" and shown != "OOF"
    is_free = shown == "FREE" or (shown == "WORKINGELSEWHERE" and not is_elsewhere_busy)
    return not (is_free or is_transparent or (event.value("STATUS") or "").upper() == "CANCELLED")


@dataclass(frozen=True, slots=True)
class _Replacement:
    """An event with a RECURRENCE-ID: which occurrence it replaces, and by what; without ``start`` by nothing."""

    replaces: date
    start: date | None
    length: Length
    and_later: bool


@dataclass(frozen=True, slots=True)
class _Dates:
    """Occurrences that EXDATE or RECURRENCE-ID name: instants by their instant, dates by their date."""

    instants: frozenset[datetime]
    days: frozenset[date]

    @classmethod
    def of(cls, moments: list[date], times: MomentReader, whole_days: bool) -> _Dates:
        instants = frozenset(moment.astimezone(UTC) for moment in moments if isinstance(moment, datetime))
        dates = (moment for moment in moments if whole_days or not isinstance(moment, datetime))
        return cls(instants, frozenset(map(times.to_day, dates)))

    def __contains__(self, start: date) -> bool:
        if not isinstance(start, datetime):
            return start in self.days
        return start.date() in self.days or start.astimezone(UTC) in self.instants


@dataclass
class SeriesReader:
    """Reads the events of one calendar for a window ``[begin, end)`` in UTC; ``is_elsewhere_busy`` as in :func:`takes_time`."""

    times: MomentReader
    begin: datetime
    end: datetime
    tally: Tally
    is_elsewhere_busy: bool = True
    _unknown: set[str] = field(default_factory=set)

    def list_busy_times(self, events: list[Component]) -> Iterator[Interval]:
        """Yield when the events of one UID take time; not clipped to the window, and in no order."""
        series = [event for event in events if not event.first("RECURRENCE-ID")]
        if not series:  # what repeats and replaces an occurrence of a series that is not there is a series itself
            series = [event for event in events if event.first("RRULE") or event.first("RDATE")]
        revision = max((event.number("SEQUENCE") or 0 for event in series), default=0)
        replacing = [event for event in events if event not in series and not self._is_withdrawn(event, series, revision)]
        replacements = list(self._read_replacements(replacing))
        for event in series:
            if (event.number("SEQUENCE") or 0) == revision and (
                self._takes_time(event) or any(r.and_later for r in replacements)
            ):
                yield from self._list_series(event, replacements)
        for replacement in replacements:
            if replacement.start is not None:
                yield self._make_interval(replacement.start, replacement.length)
        if not series:
            yield from self._list_unplaced(events)

    def _takes_time(self, event: Component) -> bool:
        return takes_time(event, self.is_elsewhere_busy)

    # --- events that replace others ----------------------------------------------------------------------------------

    def _read_replacements(self, events: list[Component]) -> Iterator[_Replacement]:
        """Yield what replaces an occurrence; of several that replace one, the latest revision."""
        latest: dict[datetime, _Replacement] = {}
        for event in sorted(events, key=lambda event: event.number("SEQUENCE") or 0):
            named = event.first("RECURRENCE-ID")
            assert named is not None
            begins = event.first("DTSTART")
            own_zone = self._find_zone(begins)
            try:
                replaces: date | None = self.times.read(named, own_zone)
            except Misread:
                self.tally.note("RECURRENCE-ID")
                replaces = None
            if not self._takes_time(event):
                if replaces is not None:
                    latest[self.times.to_instant(replaces)] = _Replacement(replaces, None, USUAL, _is_and_later(named))
                continue
            span = self._read_span(event, replaces, repeats=False)
            if span is None:
                continue
            key = span[0] if replaces is None else replaces
            latest[self.times.to_instant(key)] = _Replacement(key, *span, replaces is not None and _is_and_later(named))
        yield from latest.values()

    def _is_withdrawn(self, event: Component, series: list[Component], revision: int) -> bool:
        """Return whether a later revision of the series excludes the occurrence that an event replaces."""
        named = event.first("RECURRENCE-ID")
        if named is None or (event.number("SEQUENCE") or 0) >= revision:
            return False
        excluded = {
            text.strip() for whole in series for line in whole.lines if line.name == "EXDATE" for text in line.value.split(",")
        }
        return named.value.strip() in excluded

    def _list_unplaced(self, events: list[Component]) -> Iterator[Interval]:
        """Yield the places of occurrences whose replacement has no start to be read, when no series has them either."""
        for event in events:
            named = event.first("RECURRENCE-ID")
            if named is None or not self._takes_time(event) or self._find_zone(event.first("DTSTART")) is not None:
                continue
            try:
                yield self._make_interval(self.times.read(named), USUAL)
            except Misread:
                continue

    def _find_zone(self, line: ContentLine | None) -> tzinfo | None:
        """Return the zone in which a property stands, None when it cannot be read."""
        try:
            moment = None if line is None else self.times.read(line)
        except Misread:
            return None
        return moment.tzinfo if isinstance(moment, datetime) else self.times.floating if moment is not None else None

    # --- series ------------------------------------------------------------------------------------------------------

    def _list_series(self, event: Component, replacements: list[_Replacement]) -> Iterator[Interval]:
        rules, faults = self._read_rules(event)
        repeats = bool(rules or event.first("RDATE"))
        span = self._read_span(event, None, repeats)
        if span is None:
            return
        start, length = span
        later = sorted((r for r in replacements if r.and_later), key=lambda r: self.times.to_instant(r.replaces))
        reach = max([length, *(r.length for r in later)], key=lambda each: each.longest).longest
        reach += max((abs(self._get_shift(r)) for r in later), default=timedelta(0))
        first = _go_back(self.begin, reach + _MARGIN)
        starts = self._list_starts(start, rules, faults, first)
        single = self._list_periods(event, start)
        if not starts and not single:
            return
        whole_days = not isinstance(start, datetime)
        gone = _Dates.of(self._list_excluded(event, start), self.times, whole_days)
        replaced = _Dates.of([r.replaces for r in replacements if not r.and_later], self.times, whole_days)
        moved = _Dates.of([r.replaces for r in later], self.times, whole_days)
        lengths = dict.fromkeys(starts, length) | single
        for at, lasts in lengths.items():
            if at in gone or at in replaced or at in moved:
                continue
            changed = next((r for r in reversed(later) if self.times.to_instant(r.replaces) <= self.times.to_instant(at)), None)
            if changed is None:
                if self._takes_time(event):
                    yield self._make_interval(at, lasts)
            elif changed.start is not None:
                yield self._make_interval(at + self._get_shift(changed), changed.length)

    def _get_shift(self, replacement: _Replacement) -> timedelta:
        """Return by how much a replacement of all later occurrences moves them, by the clocks."""
        start, replaces = replacement.start, replacement.replaces
        if start is None:
            return timedelta(0)
        if isinstance(start, datetime) and isinstance(replaces, datetime):
            return start.replace(tzinfo=None) - replaces.astimezone(start.tzinfo).replace(tzinfo=None)
        return self.times.to_day(start) - self.times.to_day(replaces)

    def _read_rules(self, event: Component) -> tuple[list[Rule], list[str]]:
        """Return the rules of an event, and which parts of them cannot be understood; a whole rule is an empty name."""
        rules: list[Rule] = []
        faults: list[str] = []
        for line in event.lines:
            if line.name == "RRULE" and line.value.strip(" ;"):
                try:
                    rules.append(Rule.parse(line.value))
                    faults += rules[-1].misread
                except Unusable:
                    faults.append("")
        return rules, faults

    def _list_starts(self, start: date, rules: list[Rule], faults: list[str], first: datetime) -> list[date]:
        """Return the occurrences of a start and its rules from ``first`` on to the end of the window."""
        starts: set[date] = set()
        goes_on = any(name == "" for name in faults)
        for rule in rules:
            last, is_read = self._find_last(rule, start)
            if not is_read:
                faults.append("UNTIL")
            if self.times.to_instant(last) < first or rule.is_over(_to_date(start), first.date() - ONE_DAY):
                continue
            goes_on = True
            try:
                starts |= set(self._expand(rule, start, first, last))
            except Unusable:
                faults.append("")
        if self.times.to_instant(start) >= first and self.times.to_instant(start) < self.end:
            starts.add(start)
        if goes_on or starts:
            for name in dict.fromkeys(faults):
                self.tally.note(f"RRULE {name}".strip(), self.times.to_instant(start))
        return sorted(starts)

    def _expand(self, rule: Rule, start: date, first: datetime, last: date) -> Iterator[date]:
        """Yield what a rule gives from ``first`` to the window's end, and to ``last``."""
        zone = start.tzinfo if isinstance(start, datetime) else None
        begin = datetime.combine(
            _to_date(start), start.timetz().replace(tzinfo=None) if isinstance(start, datetime) else time()
        )
        until = self.times.to_instant(last)
        final = min(until, self.end).date() + ONE_DAY
        for moment in rule.list_moments(begin, first.date() - ONE_DAY, final, self.tally.spend):
            at: date = moment.date() if zone is None else moment.replace(tzinfo=zone)
            instant = self.times.to_instant(at)
            has_ended = at > last if zone is None else instant > until
            if instant >= self.end or (has_ended and not (rule.is_of_days and _is_other_season(at, until))):
                return
            if instant >= first:
                self.tally.add_occurrence()
                yield at

    def _find_last(self, rule: Rule, start: date) -> tuple[date, bool]:
        """Return the last date or instant of a rule's UNTIL, the window's end for none, and whether it could be read."""
        whole_days = not isinstance(start, datetime)
        endless = self.times.to_day(self.end) + ONE_DAY if whole_days else self.end
        if rule.until is None:
            return endless, True
        zone = start.tzinfo if isinstance(start, datetime) else None
        try:
            last = self.times.read(ContentLine("UNTIL", "", rule.until), zone)
        except Misread:
            return endless, False
        if whole_days:
            return self.times.to_day(last), True
        return last if isinstance(last, datetime) else datetime.combine(last, time(23, 59, 59), zone), True

    def _list_periods(self, event: Component, start: date) -> dict[date, Length]:
        """Return the occurrences that RDATE lists, with the length of each one that has its own."""
        periods: dict[date, Length] = {}
        length = self._read_length(event, start)[0]
        for line, text in self._list_values(event, "RDATE"):
            try:
                at, end = self.times.read_period(line, text, _get_zone(start))
            except Misread:
                self.tally.note("RDATE", self.times.to_instant(start))
                continue
            own = None if end is None else Length(exact=self.times.to_instant(end) - self.times.to_instant(at))
            if own is not None and not isinstance(at, datetime):
                at = datetime.combine(at, time(), self.times.clinic)
            if not isinstance(start, datetime):
                at = self.times.to_day(at) if own is None else at
            elif not isinstance(at, datetime):
                at = datetime.combine(at, start.timetz())
            if self.times.to_instant(at) < self.end:
                periods[at] = own or length
        return periods

    def _list_excluded(self, event: Component, start: date) -> list[date]:
        dates = []
        for line, text in self._list_values(event, "EXDATE"):
            try:
                dates.append(self.times.read_period(line, text, _get_zone(start))[0])
            except Misread:
                self.tally.note("EXDATE", self.times.to_instant(start))
        return dates

    def _list_values(self, event: Component, name: str) -> Iterator[tuple[ContentLine, str]]:
        for line in event.lines:
            if line.name == name:
                for text in filter(None, map(str.strip, _SEPARATORS.split(line.value))):
                    self.tally.add_date()
                    yield line, text

    # --- one event ---------------------------------------------------------------------------------------------------

    def _read_span(self, event: Component, replaces: date | None, repeats: bool) -> tuple[date, Length] | None:
        """Return when an event starts, and how long it is; None, noted, when no start can be read."""
        begins, known = event.first("DTSTART"), None if replaces is None else self.times.to_instant(replaces)
        try:
            start = self.times.read(begins) if begins is not None else None
        except Misread:
            start = None
        if start is None or begins is None:
            self.tally.note("DTSTART", known)
            return None
        ends = event.first("DTEND")
        if not isinstance(start, datetime) and ends is not None and (zone := self._find_timed_zone(ends)) is not None:
            start = datetime.combine(start, time(), zone)
        length, fault = self._read_length(event, start)
        instant = self.times.to_instant(start)
        if repeats or (instant < self.end and self.times.to_instant(length.add_to(start)) > self.begin):
            if fault is not None:
                self.tally.note(fault, instant)
            for line in (begins, ends):
                self._note_zone(line, instant)
        return start, length

    def _find_timed_zone(self, line: ContentLine) -> tzinfo | None:
        """Return the zone of a property that is no date, None when it is one or cannot be read."""
        try:
            moment = self.times.read(line)
        except Misread:
            return None
        return moment.tzinfo if isinstance(moment, datetime) else None

    def _note_zone(self, line: ContentLine | None, instant: datetime) -> None:
        name = self.times.find_unknown_zone(line)
        if name is not None and name not in self._unknown:
            self._unknown.add(name)
            self.tally.note("TZID", instant)

    def _read_length(self, event: Component, start: date) -> tuple[Length, str | None]:
        """Return how long an event is (RFC 5545, section 3.6.1), and the name of the property that does not say it."""
        whole_days = not isinstance(start, datetime)
        ends, lasts, fault = event.first("DTEND"), event.value("DURATION"), None
        if ends is not None and ends.value.strip():
            try:
                return self._measure(start, self.times.read(ends, _get_zone(start))), None
            except Misread:
                fault = "DTEND"
        if lasts:
            try:
                length = Length.parse(lasts)
                length.add_to(start)
                return (Length(days=max(1, (length.add_to(start) - start).days)) if whole_days else length), fault
            except Misread:
                fault = fault or "DURATION"
        usual = Length(days=1) if whole_days else USUAL if fault else Length()
        return usual, fault

    def _measure(self, start: date, end: date) -> Length:
        """Return the length from a start to an end; a date ends a time of day at its midnight."""
        if not isinstance(start, datetime):
            if end < start:
                raise Misread("an end before the start")
            return Length(days=max(1, (end - start).days))
        if not isinstance(end, datetime):
            end = datetime.combine(end, time(), start.tzinfo)
        exact = self.times.to_instant(end) - self.times.to_instant(start)
        if exact < timedelta(0):
            raise Misread("an end before the start")
        return Length(exact=exact)

    def _make_interval(self, start: date, length: Length) -> Interval:
        return self.times.to_instant(start), self.times.to_instant(length.add_to(start))


def _is_and_later(line: ContentLine) -> bool:
    return (line.parameter("RANGE") or "").upper() == "THISANDFUTURE"


def _get_zone(start: date) -> tzinfo | None:
    return start.tzinfo if isinstance(start, datetime) else None


def _to_date(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)


def _is_other_season(at: date, until: datetime) -> bool:
    """Return whether an UNTIL means an occurrence, but was reckoned with the offset of the other half of the year.

    Exchange takes the offset in force when it writes.
    """
    if not isinstance(at, datetime):
        return False
    present, other = at.utcoffset(), (at + timedelta(days=182)).utcoffset()
    return present != other and present is not None and other is not None and at.astimezone(UTC) - until == other - present


def _go_back(moment: datetime, length: timedelta) -> datetime:
    """Return an earlier instant, or the first with which arithmetic is safe."""
    earliest = datetime(1600, 1, 1, tzinfo=UTC)
    return moment - length if moment - earliest > length else earliest
