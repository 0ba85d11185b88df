"""Workbook and scenario, two forms of one thing: each made of the other."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from scheduling.clinic import Seat
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import ONE_DAY, Model, format_stamp
from scheduling.scenario import Scenario
from scheduling.timegrid import weekday
from scheduling.workbook.book import Book, Row, find_origin, place
from scheduling.workbook.sheets import Column, Sheet, load_sheets
from scheduling.workbook.weights import list_weights, read_policy

SECTIONS: Mapping[str, str] = {
    "sites": "clinic.sites",
    "buildings": "clinic.locations",
    "travel": "clinic.travel",
    "rooms": "clinic.rooms",
    "equipment": "clinic.equipment",
    "recovery": "clinic.recovery",
    "services": "clinic.services",
    "special_clinics": "clinic.blocks",
    "closed": "clinic.closures",
    "people": "providers",
    "patients": "patients",
    "requests": "visits",
    "links": "links",
    "groups": "groups",
    "holds": "reserves",
}
"""Sheets, each with the list of a scenario that its rows are."""

NESTED: Mapping[str, tuple[str, str]] = {
    "away": ("people", "busy"),
    "unavailable": ("patients", "unavailable"),
    "members": ("groups", "candidates"),
}
"""Sheets whose rows belong to an entry of another sheet, which their first column names, and the list of it that they are."""

CARE_SHEETS = ("pathways", "kinds", "workshops", "departments", "held_time", "limits")
"""Sheets of care over months, of which no scenario holds anything."""

NAMED = ("sites", "buildings", "services", "groups")
"""Sheets whose entries are called by their id where a name is left out."""

BLANKS: Mapping[str, Mapping[str, Any]] = {
    "buildings": {"address": ""},
    "closed": {"reason": ""},
    "special_clinics": {"providers": []},
    "members": {"priority": "routine"},
}
"""What a scenario file needs and a workbook may leave out."""

DEFAULT_GRID_MINUTES = 15
DEFAULT_ID = "scenario"
FORMAT = "clinicweave-scenario/1"


@dataclass
class _Document:
    """A scenario file in the making, and the row that each of its entries is from."""

    values: dict[str, Any]
    origins: dict[str, tuple[Sheet, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def list_at(self, path: str) -> list[dict[str, Any]]:
        owner = self.values
        *outer, name = path.split(".")
        for key in outer:
            owner = owner[key]
        entries: list[dict[str, Any]] = owner.setdefault(name, [])
        return entries

    def add(self, entries: list[dict[str, Any]], path: str, sheet: Sheet, row: Row, entry: dict[str, Any]) -> None:
        self.origins[f"{path}[{len(entries)}]"] = (sheet, row.number)
        entries.append(entry)

    def find_cell(self, fault: Fault) -> Fault:
        """Return a fault of the file as one of the workbook's cell."""
        path = find_origin(fault.path, self.origins)
        if not path:
            return Fault(place("clinic", 2, CLINIC_PLACES.get(fault.path)), fault.message)
        sheet, number = self.origins[path]
        inner = fault.path.removeprefix(path).lstrip(".")
        column = sheet.by_place.get(inner) or sheet.by_place.get(re.sub(r"\[.*$", "", inner))
        if column is None:  # of a place whose cells are all blank: the first of them
            column = next((candidate for candidate in sheet.columns if candidate.place.startswith(f"{inner}.")), None)
        key = column.key if column else PLACES_OF_ROWS.get((sheet.key, inner), inner)
        return Fault(place(sheet.key, number, key), fault.message)


CLINIC_PLACES = {
    "clinic.timezone": "timezone",
    "clinic.name": "name",
    "clinic.start_grid_minutes": "start_grid_minutes",
    "horizon.start": "first_day",
    "horizon.end": "last_day",
    "freeze_minutes": "freeze_minutes",
    "now": "now",
    "id": "id",
}
"""Where the sheet of the clinic has what a scenario has at its top."""

PLACES_OF_ROWS = {("shifts", "start"): "start", ("shifts", "end"): "end", ("week", "start"): "start", ("week", "end"): "end"}


def read_scenario(book: Book, source: str) -> tuple[Scenario | None, list[Fault]]:
    """Return the scenario that a workbook's cells say, or the faults that it has as a scenario, each by its cell."""
    document = _make_document(book)
    if document.faults:
        return None, document.faults
    try:
        return Scenario.parse(json.dumps(document.values), source), []
    except InvalidFile as error:
        return None, [document.find_cell(fault) for fault in error.faults]


def _make_document(book: Book) -> _Document:
    sheets = load_sheets()
    head = read_head(book)
    policy, faults = read_policy(book.of("weights"))
    document = _Document({**head, "policy": policy, "providers": [], "patients": [], "visits": []}, faults=faults)
    for key, path in SECTIONS.items():
        entries = document.list_at(path)
        for row in book.of(key):
            document.add(entries, path, sheets[key], row, _make_entry(sheets[key], row))
    for key, (owner, name) in NESTED.items():
        _add_nested(document, book, sheets[key], owner, name)
    _add_shifts(document, book, head["horizon"])
    return document


def read_sections(book: Book) -> dict[str, list[dict[str, Any]]]:
    """Return the entries of the clinic that a workbook's sheets are, by their names in a scenario's clinic."""
    sheets = load_sheets()
    sections = {key: path.removeprefix("clinic.") for key, path in SECTIONS.items() if path.startswith("clinic.")}
    return {name: [_make_entry(sheets[key], row) for row in book.of(key)] for key, name in sections.items()}


def read_head(book: Book) -> dict[str, Any]:
    """Return what a scenario has at its top, and the clinic's name, zone and grid."""
    cells = book.of("clinic")[0].cells if book.of("clinic") else {}
    last = cells.get("last_day")
    return {
        "format": FORMAT,
        "id": cells.get("id", DEFAULT_ID),
        "now": format_stamp(cells["now"]) if "now" in cells else None,
        "freeze_minutes": cells.get("freeze_minutes", 0),
        "horizon": {"start": _to_json(cells.get("first_day")), "end": _to_json(last + ONE_DAY if last else None)},
        "clinic": {
            "name": cells.get("name"),
            "timezone": cells.get("timezone"),
            "start_grid_minutes": cells.get("start_grid_minutes", DEFAULT_GRID_MINUTES),
        },
    }


def _make_entry(sheet: Sheet, row: Row, left_out: Sequence[str] = ()) -> dict[str, Any]:
    entry: dict[str, Any] = dict(BLANKS.get(sheet.key, {}))
    for column in sheet.columns:
        if column.key in row.cells and not column.beside and column.key not in left_out:
            _put(entry, column, row.cells[column.key])
    for column in sheet.columns:
        owner = column.place.partition(".")[0]
        if column.nullable and owner in entry and column.key not in row.cells:
            entry[owner][column.place.partition(".")[2]] = None
    if sheet.key in NAMED and "id" in entry:
        entry.setdefault("name", entry["id"])
    if "room" in entry and isinstance(entry["room"], dict):
        entry["room"].setdefault("features", [])
    if isinstance(entry.get("current"), dict):
        entry["current"].setdefault("notified", False)
    return entry


def _put(entry: dict[str, Any], column: Column, value: Any) -> None:
    if indexed := re.fullmatch(r"(\w+)\[\d+\]", column.place):
        entry.setdefault(indexed[1], []).append(value)
        return
    *outer, name = column.place.split(".")
    for key in outer:
        entry = entry.setdefault(key, {})
    entry[name] = [{"any_of": list(seat)} for seat in value] if column.kind == "team" else _to_json(value)


def _to_json(value: Any) -> Any:
    match value:
        case datetime():
            return format_stamp(value)
        case date():
            return value.isoformat()
        case time():
            return value.isoformat(timespec="minutes")
        case tuple():
            return [_to_json(element) for element in value]
    return value


def _add_nested(document: _Document, book: Book, sheet: Sheet, owner: str, name: str) -> None:
    path = SECTIONS[owner]
    owners = {entry.get("id"): number for number, entry in enumerate(document.list_at(path))}
    first = sheet.identity.key
    left_out = () if first == "patient" and name == "candidates" else (first,)
    for entry in document.list_at(path):
        entry.setdefault(name, [])
    for row in book.of(sheet.key):
        number = owners.get(row.cells.get(first))
        if number is not None:
            entries = document.list_at(path)[number][name]
            document.add(entries, f"{path}[{number}].{name}", sheet, row, _make_entry(sheet, row, left_out))


# ---- Shifts: a usual week, and what differs from it ----


def _add_shifts(document: _Document, book: Book, horizon: Mapping[str, Any]) -> None:
    sheets, usual, dated = load_sheets(), defaultdict[str, list[Row]](list), defaultdict[str, list[Row]](list)
    for sheet, rows in (("week", usual), ("shifts", dated)):
        for row in book.of(sheet):
            rows[row.cells.get("person", "")].append(row)
    dates = _list_dates(horizon)
    for number, provider in enumerate(document.list_at("providers")):
        person = provider.get("id", "")
        shifts: list[dict[str, Any]] = provider.setdefault("shifts", [])
        apart = {row.cells.get("date") for row in dated[person]}
        days = [(row, day, "week") for row in usual[person] for day in _match_dates(row, dates) if day not in apart]
        days += [(row, row.cells["date"], "shifts") for row in dated[person] if "date" in row.cells]
        if usual[person]:
            days.sort(key=lambda entry: (entry[1], entry[0].cells.get("start", time())))
        for row, day, key in days:
            if key == "week" or not row.cells.keys().isdisjoint({"start", "end"}):
                document.add(shifts, f"providers[{number}].shifts", sheets[key], row, _make_shift(row, day))


def _list_dates(horizon: Mapping[str, Any]) -> list[date]:
    if None in horizon.values():
        return []
    start, end = (date.fromisoformat(horizon[name]) for name in ("start", "end"))
    return [start + timedelta(days=number) for number in range(min((end - start).days, 400))]


def _match_dates(row: Row, dates: Iterable[date]) -> list[date]:
    cells = row.cells
    first, last = cells.get("from_day", date.min), cells.get("until_day", date.max)
    return [day for day in dates if first <= day <= last and weekday(day) in cells.get("days", ())]


def _make_shift(row: Row, day: date) -> dict[str, Any]:
    cells, shift = row.cells, dict[str, Any]()
    if "start" in cells:
        shift["start"] = format_stamp(datetime.combine(day, cells["start"]))
    if "end" in cells:
        shift["end"] = format_stamp(datetime.combine(day + ONE_DAY if cells["end"] == time() else day, cells["end"]))
    for column, name in (("buildings", "locations"), ("also", "also")):
        if column in cells:
            shift[name] = list(cells[column])
    return shift


# ---- A scenario as a workbook ----


def write_scenario(scenario: Scenario) -> Book:
    """Return the workbook that says what a scenario does: shifts by their dates, weights in numbers."""
    sheets, rows = load_sheets(), dict[str, list[dict[str, Any]]]()
    rows["clinic"] = [_write_head(scenario)]
    everywhere = tuple(location.id for location in scenario.clinic.locations)
    usual = {
        ("services", "buildings"): everywhere,
        ("patients", "sites"): tuple(site.id for site in scenario.clinic.sites),
        ("requests", "earliest"): scenario.horizon.start,
    }
    for key, path in SECTIONS.items():
        owner = scenario.clinic if path.startswith("clinic.") else scenario
        rows[key] = [_write_entry(sheets[key], entry, usual) for entry in getattr(owner, path.split(".")[-1])]
    rows["shifts"] = [_write_shift(p.id, shift, everywhere) for p in scenario.providers for shift in p.shifts]
    rows["away"] = [{"person": p.id, "start": busy.start, "end": busy.end} for p in scenario.providers for busy in p.busy]
    rows["unavailable"] = [{"patient": p.id, "start": o.start, "end": o.end} for p in scenario.patients for o in p.unavailable]
    rows["members"] = [
        {"group": g.id, "patient": c.patient, "priority": c.priority} for g in scenario.groups for c in g.candidates
    ]
    made = {key: [Row(number, cells) for number, cells in enumerate(rows.get(key, ()), 2)] for key in sheets}
    made["weights"] = list(list_weights(scenario.policy))
    return Book(made)


def _write_head(scenario: Scenario) -> dict[str, Any]:
    clinic, now = scenario.clinic, scenario.now
    return {
        "name": clinic.name,
        "id": scenario.id,
        "timezone": clinic.timezone,
        "start_grid_minutes": clinic.start_grid_minutes,
        "first_day": scenario.horizon.start,
        "last_day": scenario.horizon.end - ONE_DAY,
        **({} if now is None else {"now": now}),
        "freeze_minutes": scenario.freeze_minutes,
    }


def _write_entry(sheet: Sheet, entry: Model, usual: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    cells = dict[str, Any]()
    for column in sheet.columns:
        if column.beside:
            continue
        value, default = _get(entry, column)
        if value is not None and value != usual.get((sheet.key, column.key), default):
            cells[column.key] = value
    return cells


def _get(entry: Any, column: Column) -> tuple[Any, Any]:
    """Return the value of a scenario's entry that a column holds, and the one for which the cell is blank."""
    *outer, name = column.place.split(".")
    for key in outer:
        entry = getattr(entry, key)
        if entry is None:
            return None, None
    if indexed := re.fullmatch(r"(\w+)\[(\d)\]", name):
        return getattr(entry, indexed[1])[int(indexed[2])], None
    attribute = next((key for key, info in type(entry).model_fields.items() if info.alias == name), name)
    value = getattr(entry, attribute)
    if column.kind == "team":
        seats: tuple[Seat, ...] = value
        return tuple(seat.any_of for seat in seats), None
    info = type(entry).model_fields[attribute]
    return value, None if info.is_required() or info.default_factory else info.default


def _write_shift(person: str, shift: Any, everywhere: tuple[str, ...]) -> dict[str, Any]:
    where = {} if shift.locations == everywhere else {"buildings": shift.locations}
    also = {"also": shift.also} if shift.also else {}
    times = {"date": shift.start.date(), "start": shift.start.time(), "end": shift.end.time()}
    return {"person": person, **times, **where, **also}
