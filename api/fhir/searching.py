"""Searches: one table of what may be looked for of each type of resource, and how its values are read.

Parameters of different names, and one that is given again, all have to hold; values with a comma between them are alternatives.

References
----------
FHIR R4, section 3.1.1 (Search): 3.1.1.4.6 (date), 3.1.1.4.9 (reference), 3.1.1.4.10 (token), 3.1.1.5.4 (_include).
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from api.fhir.ids import read_reference
from api.runtime.cursors import read_cursor
from scheduling.errors import Fault, InvalidFile

MAX_COUNT = 200
USUAL_COUNT = 50
MAX_VALUES = 200
"""Values of all parameters of one search; a comma separates those of one (FHIR R4, section 3.1.1.4.12)."""
MAX_CHARACTERS = 500
MAX_SLOT_DAYS = 31
"""Longest time of which slots are given."""

COUNT, AFTER, INCLUDE, FORMAT, PRETTY = "_count", "_after", "_include", "_format", "_pretty"

ParameterType = Literal["date", "reference", "string", "token"]


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """Something that may be looked for; ``of`` are the types of resource that a reference names."""

    name: str
    type: ParameterType
    documentation: str
    of: tuple[str, ...] = ()


ID = SearchParameter("_id", "token", "the resource's id")
IDENTIFIER = SearchParameter("identifier", "token", "an identifier, as SYSTEM|VALUE or the value alone")
SUBJECT = SearchParameter("patient", "reference", "of which patient", ("Patient",))
SUBJECT_IDENTIFIER = SearchParameter("patient.identifier", "token", "of which patient, by an identifier")
BY_ACTOR = ("Practitioner", "PractitionerRole")

SEARCHES: Mapping[str, tuple[SearchParameter, ...]] = {
    "Appointment": (
        ID,
        IDENTIFIER,
        SUBJECT,
        SUBJECT_IDENTIFIER,
        SearchParameter("date", "date", "when it begins"),
        SearchParameter("status", "token", "what has become of it"),
        SearchParameter("practitioner", "reference", "who is in its team, or supervises it", BY_ACTOR),
        SearchParameter("practitioner.identifier", "token", "who is in its team, or supervises it, by an identifier"),
        SearchParameter("location", "reference", "in which room, building or site", ("Location",)),
        SearchParameter("service-type", "token", "for which service"),
        SearchParameter("based-on", "reference", "of which referral", ("ServiceRequest",)),
        SearchParameter("_lastUpdated", "date", "when it changed last"),
    ),
    "HealthcareService": (ID, IDENTIFIER, SearchParameter("name", "string", "how its name begins")),
    "Location": (
        ID,
        IDENTIFIER,
        SearchParameter("name", "string", "how its name begins"),
        SearchParameter("partof", "reference", "of which building or site it is part", ("Location",)),
    ),
    "Patient": (ID, IDENTIFIER, SearchParameter("name", "string", "words of the name")),
    "Practitioner": (ID, IDENTIFIER, SearchParameter("name", "string", "how the name begins")),
    "PractitionerRole": (ID, IDENTIFIER, SearchParameter("practitioner", "reference", "whose it is", BY_ACTOR)),
    "Schedule": (ID, IDENTIFIER, SearchParameter("actor", "reference", "whose it is", BY_ACTOR)),
    "ServiceRequest": (
        ID,
        IDENTIFIER,
        SUBJECT,
        SUBJECT_IDENTIFIER,
        SearchParameter("status", "token", "active, or completed"),
    ),
    "Slot": (
        SearchParameter("schedule", "reference", "of which schedule; needed", ("Schedule",)),
        SearchParameter("start", "date", "within which time it is; a beginning and an end are needed"),
        SearchParameter("status", "token", "busy, busy-tentative or busy-unavailable; free, for a service"),
        SearchParameter("service-type", "token", "for which service somebody is free; needed with the status free"),
    ),
}
"""What may be looked for, by type. Nothing else is: a search that was ignored would show everybody."""

INCLUDES: Mapping[str, tuple[str, ...]] = {
    "Appointment": ("Appointment:patient", "Appointment:practitioner", "Appointment:location", "Appointment:actor"),
}
"""What may come along with what is found."""

RESULTS = (COUNT, AFTER, FORMAT, PRETTY)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, as it was given: of each parameter, alternatives for each time that it was given."""

    type: str
    values: Mapping[str, tuple[tuple[str, ...], ...]]
    count: int = USUAL_COUNT
    after: str = ""
    includes: tuple[str, ...] = ()

    def get_tokens(self, name: str) -> list[frozenset[str]]:
        """Return the values of a token, without their systems."""
        return [frozenset(value.rpartition("|")[2] for value in values) for values in self.values.get(name, ())]

    def get_references(self, name: str) -> list[frozenset[str]]:
        """Return the ids that references name. Raises ``InvalidFile`` when one names another type."""
        types = next(parameter.of for parameter in SEARCHES[self.type] if parameter.name == name)
        chosen = []
        for values in self.values.get(name, ()):
            ids = [read_reference(value, *types) for value in values]
            if None in ids:
                raise _fault(name, f"must name a {' or '.join(types)}")
            chosen.append(frozenset(identifier for identifier in ids if identifier is not None))
        return chosen

    def get_texts(self, name: str) -> list[tuple[str, ...]]:
        """Return the values of a text."""
        return list(self.values.get(name, ()))


def list_names(kind: str) -> frozenset[str]:
    """Return the names of the parameters that a search of a type takes."""
    names = {parameter.name for parameter in SEARCHES[kind]} | set(RESULTS)
    return frozenset(names | ({INCLUDE} if kind in INCLUDES else set()))


def read_search(kind: str, pairs: Iterable[tuple[str, str]]) -> Search:
    """Read what is looked for of a type. Raises ``InvalidFile`` for what nobody looks at, or cannot be read."""
    pairs, known = list(pairs), list_names(kind)
    faults = [
        Fault(f"query.{name[:100]}", f"is an unknown parameter; one of {', '.join(sorted(known))}")
        for name, _ in pairs
        if name not in known
    ]
    faults += [Fault(f"query.{name}", "is too long") for name, value in pairs if name in known and len(value) > MAX_CHARACTERS]
    faults += [Fault(f"query.{name}", "holds a NUL character") for name, value in pairs if name in known and "\0" in value]
    if faults or sum(value.count(",") + 1 for _, value in pairs) > MAX_VALUES:
        raise InvalidFile("query", faults or [Fault("query", f"has more than {MAX_VALUES} values")])
    values: dict[str, tuple[tuple[str, ...], ...]] = {}
    results: dict[str, str] = {}
    includes: list[str] = []
    for name, value in pairs:
        if name == INCLUDE:
            includes.append(value)
        elif name in RESULTS:
            results[name] = value
        elif value:
            values[name] = (*values.get(name, ()), tuple(part for part in value.split(",") if part))
    if unknown := [include for include in includes if include not in INCLUDES[kind]]:
        raise _fault(INCLUDE, f'"{unknown[0][:100]}" is not known; one of {", ".join(INCLUDES[kind])}')
    count = _read_count(results.get(COUNT, ""))
    return Search(kind, values, count, read_cursor(results.get(AFTER, ""), f"query.{AFTER}"), tuple(includes))


DATE = re.compile(
    r"(?P<prefix>eq|ge|gt|le|lt|sa|eb)?(?P<value>[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?)"
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Instants from one to before another; None: from the beginning, or without end."""

    start: datetime | None
    end: datetime | None


def read_dates(search: Search, name: str, zone: ZoneInfo) -> list[Bounds]:
    """Return between which instants a date has to be, for each time that it was given.

    A date is the clinic's day; a time without zone is the clinic's time.
    """
    chosen = []
    for values in search.values.get(name, ()):
        if len(values) != 1:
            raise _fault(name, "takes one value; give it again for another bound")
        match = DATE.fullmatch(values[0].replace(" ", "+"))
        if match is None:
            raise _fault(name, "must be a year, month, date or time, after eq, ge, gt, le, lt, sa or eb")
        first, last = read_moment(name, match["value"], zone)
        chosen.append(
            {
                "ge": Bounds(first, None),
                "gt": Bounds(last, None),
                "sa": Bounds(last, None),
                "eb": Bounds(None, first),
                "le": Bounds(None, last),
                "lt": Bounds(None, first),
            }.get(match["prefix"] or "eq", Bounds(first, last))
        )
    return chosen


def read_window(bounds: list[Bounds]) -> tuple[datetime, datetime]:
    """Return the time of which slots are looked for. Raises ``InvalidFile`` when it has no end, or is too long."""
    starts = [bound.start for bound in bounds if bound.start is not None]
    ends = [bound.end for bound in bounds if bound.end is not None]
    if not starts or not ends:
        raise InvalidFile("query", [Fault("query.start", "a beginning (ge) and an end (lt) are needed, or a date")])
    start, end = max(starts), min(ends)
    if end - start > timedelta(days=MAX_SLOT_DAYS):
        raise InvalidFile("query", [Fault("query.start", f"at most {MAX_SLOT_DAYS} days are shown at once")])
    return start, end


def read_moment(name: str, text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of a year, month, date or time, and the first after it: of a time, a second later."""
    try:
        if "T" not in text:
            begins = date.fromisoformat(f"{text}-01-01"[:10])
            days = {4: 366 if isleap(begins.year) else 365, 7: monthrange(begins.year, begins.month)[1]}.get(len(text), 1)
            ends = begins + timedelta(days=days)
            first, after = (datetime.combine(each, time(), zone) for each in (begins, ends))
        else:
            first = datetime.fromisoformat(text)
            first = first if first.tzinfo is not None else first.replace(tzinfo=zone)
            after = first + timedelta(seconds=1 if text.count(":") > 1 else 60)
        return first.astimezone(UTC), after.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _fault(name, "is no date") from None


def _read_count(text: str) -> int:
    if not text:
        return USUAL_COUNT
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise _fault(COUNT, "must be a number")
    return min(int(text), MAX_COUNT)


def _fault(name: str, message: str) -> InvalidFile:
    return InvalidFile("query", [Fault(f"query.{name}", message)])
