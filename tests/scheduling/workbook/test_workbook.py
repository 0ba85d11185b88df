"""A clinic's workbook: as TOML, as cells of a spreadsheet and as a scenario it says the same, and each fault has its cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from support.strategies import scenarios

from scheduling.errors import Fault, InvalidFile
from scheduling.generate import generate
from scheduling.scenario import Policy, Scenario
from scheduling.workbook import Book, Column, Reading, Row, load_sheets, place, read_book, read_scenario, write_scenario
from scheduling.workbook.book import find_origin
from scheduling.workbook.cells import MEANT, UnreadableCell, format_cell, read_cell
from scheduling.workbook.documents import make_documents
from scheduling.workbook.new import create_book
from scheduling.workbook.toml_file import format_book, parse_rows

Raw = dict[str, list[Row]]
at = datetime.fromisoformat


def as_cells(book: Book) -> Raw:
    """Return a workbook's cells as a spreadsheet holds them."""
    return {
        key: [
            Row(row.number, {name: format_cell(sheet.by_key[name], value) for name, value in row.cells.items()})
            for row in book.of(key)
        ]
        for key, sheet in load_sheets().items()
    }


def new_book(**changes: Sequence[Mapping[str, Any]]) -> Raw:
    """Return a new clinic's cells, with some sheets replaced."""
    cells = as_cells(create_book("Two Rooms", "Europe/Berlin", "+49 30 55", ["Main"], date(2026, 11, 30)))
    for sheet, rows in changes.items():
        cells[sheet] = [Row(number, dict(row)) for number, row in enumerate(rows, 2)]
    return cells


def read_sound(raw: Mapping[str, Sequence[Row]]) -> Scenario:
    """Return the scenario of a workbook without a fault."""
    reading = read_book(raw)
    assert reading.faults == []
    scenario, faults = read_scenario(reading.book, "clinic")
    assert faults == []
    assert scenario is not None
    return scenario


def find_all_faults(raw: Mapping[str, Sequence[Row]]) -> list[Fault]:
    reading = read_book(raw)
    _, faults = read_scenario(reading.book, "clinic")
    return [*reading.faults, *reading.doubts, *faults]


def test_a_new_workbook_can_be_planned_as_it_stands() -> None:
    scenario = read_sound(new_book())
    assert (scenario.clinic.name, len(scenario.visits), len(scenario.providers[0].shifts)) == ("Two Rooms", 1, 10)


def test_every_sheet_and_column_says_what_it_holds() -> None:
    for sheet in load_sheets().values():
        assert sheet.note.endswith(".")
        assert all(column.note.endswith(".") for column in sheet.columns)
        assert all(column.of is None or column.of in load_sheets() for column in sheet.columns)


@pytest.mark.parametrize("with_needs", [False, True])
def test_a_scenario_comes_back_the_same_by_toml_and_by_cells(with_needs: bool) -> None:
    scenario = generate("tiny", 3, with_needs=with_needs)
    book = write_scenario(scenario)
    for raw in (parse_rows(format_book(book), "clinic.toml"), as_cells(book)):
        assert read_book(raw).book.contents() == book.contents()
        assert read_sound(raw) == scenario


@settings(max_examples=10, derandomize=True, deadline=None)
@given(scenarios())
def test_every_scenario_comes_back_the_same(scenario: Scenario) -> None:
    book = write_scenario(scenario)
    for raw in (parse_rows(format_book(book), "clinic.toml"), as_cells(book)):
        assert read_sound(raw) == scenario


def test_a_usual_week_gives_shifts_of_its_days_but_those_with_exceptions() -> None:
    raw = new_book(
        week=[{"person": "ada", "days": "MO-WE", "start": "08:00", "end": "12:00", "until_day": "2026-12-01"}],
        shifts=[
            {"person": "ada", "date": "2026-12-01", "start": time(13), "end": "00:00"},
            {"person": "ada", "date": "2026-12-03", "start": "09:00", "end": "10:00"},
        ],
    )
    shifts = [(shift.start, shift.end) for shift in read_sound(raw).providers[0].shifts]
    assert shifts == [
        (at("2026-11-30T08:00"), at("2026-11-30T12:00")),
        (at("2026-12-01T13:00"), at("2026-12-02")),
        (at("2026-12-03T09:00"), at("2026-12-03T10:00")),
    ]


def test_a_date_without_times_is_a_day_off() -> None:
    raw = new_book(shifts=[{"person": "ada", "date": date(2026, 12, 2)}])
    dates = {shift.start.date() for shift in read_sound(raw).providers[0].shifts}
    assert date(2026, 12, 2) not in dates
    assert len(dates) == 4


def test_a_date_alone_at_the_end_of_a_time_means_its_whole_day() -> None:
    raw = new_book(closed=[{"start": date(2026, 12, 2), "end": at("2026-12-02"), "reason": "feast"}])
    (closure,) = read_sound(raw).clinic.closures
    assert (closure.start, closure.end) == (at("2026-12-02"), at("2026-12-03"))


def test_weights_are_low_normal_high_or_numbers() -> None:
    rows = [
        {"weight": "extra_trip", "level": "high"},
        {"weight": "site_change", "level": 7},
        {"weight": "late_per_day", "level": "low", "urgent": 90},
        {"weight": "waiting", "level": "normal"},
        {"weight": "moved", "level": "normal"},
    ]
    policy = read_sound(new_book(weights=rows)).policy
    usual = Policy()
    assert policy.extra_trip == 2 * usual.extra_trip
    assert (policy.site_change, policy.waiting, policy.moved, policy.moved_notified) == (
        7,
        1,
        usual.moved,
        usual.moved_notified,
    )
    late = policy.late_per_day
    assert (late.routine, late.soon, late.urgent, late.cancer) == (2, 6, 90, 60)


VISIT = {"id": "v", "patient": "p-1", "service": "treatment"}
CLINIC = {"name": "A", "timezone": "UTC", "first_day": "2026-11-30", "last_day": "2026-12-01"}


@pytest.mark.parametrize(
    ("sheet", "row", "column", "says"),
    [
        ("services", {"id": "a", "minutes": 30, "team": "fysio"}, "team", 'did you mean "physio"?'),
        ("services", {"id": "a", "minutes": 30, "team": "physio", "room_kind": "treatmnt"}, "room_kind", "treatment"),
        ("requests", {**VISIT, "patient": "p-l"}, "patient", 'did you mean "p-1"?'),
        ("requests", {**VISIT, "priority": "urgend"}, "priority", 'did you mean "urgent"?'),
        ("requests", {**VISIT, "prority": "soon"}, "prority", 'did you mean "priority"?'),
        ("week", {"person": "ada", "days": "MO-FX", "start": "08:00", "end": "12:00"}, "days", "no weekday"),
        ("week", {"person": "ada", "days": "MO", "start": "12:00", "end": "08:00"}, "end", "after"),
        ("weights", {"weight": "waitng", "level": "low"}, "weight", 'did you mean "waiting"?'),
        ("weights", {"weight": "moved", "level": "hihg"}, "level", 'did you mean "high"?'),
        ("clinic", {**CLINIC, "timezone": "Mars"}, "timezone", "Mars"),
        ("clinic", {**CLINIC, "last_day": None}, "last_day", "missing"),
    ],
)
def test_a_fault_names_its_cell_and_what_was_meant(sheet: str, row: dict[str, Any], column: str, says: str) -> None:
    faults = find_all_faults(new_book(**{sheet: [row]}))
    assert any(fault.path == f"{sheet}, row 2, {column}" and says in fault.message for fault in faults), faults


@pytest.mark.parametrize("part", [" ", "\t\n", "1", "1 ", "or ", "| ", "; ", "and ", "2026 ", "9:00 ", "mon-"])
def test_a_cell_that_goes_on_and_on_does_not_take_long(part: str) -> None:
    endless = "x" + part * (20_000 // len(part)) + "x"
    kinds = {column.kind: (key, column) for key, sheet in load_sheets().items() for column in sheet.columns}
    rows = {key: [{column.key: endless} for kind, (of, column) in kinds.items() if of == key] for key, _ in kinds.values()}
    begun = process_time()
    assert find_all_faults(new_book(**rows))
    assert process_time() - begun < 3


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ({"after": "first"}, "after", 'unknown step "first"'),
        ({"times": 3}, "every", "goes with times"),
        ({"times": 2, "every_min_days": 9, "every_max_days": 5}, "every_max_days", "is below min_days 9"),
        ({"outcomes": "good"}, "outcomes", "at least two"),
    ],
)
def test_a_fault_of_a_course_of_care_names_its_cell(row: dict[str, Any], column: str, says: str) -> None:
    raw = new_book(pathways=[{"pathway": "course", "step": "visits", "service": "treatment", **row}])
    documents, faults = make_documents(read_book(raw).book, "clinic")
    assert documents["pathways.toml"]["pathways"][0]["id"] == "course"
    assert [fault.path for fault in faults if says in fault.message] == [f"pathways, row 2, {column}"], faults


def test_a_misspelt_limit_is_named() -> None:
    _, faults = make_documents(read_book(new_book(limits=[{"limit": "frieze_minutes", "value": 3}])).book, "clinic")
    assert [(fault.path, "freeze_minutes" in fault.message) for fault in faults] == [("limits, row 2, limit", True)]


def test_a_misspelt_sheet_is_named() -> None:
    faults = read_book({**new_book(), "servces": []}).faults
    assert [(fault.path, fault.message) for fault in faults] == [("servces", 'unknown sheet; did you mean "services"?')]


SPOILT: Mapping[str, Any] = {
    "whole": "many",
    "yes": "perhaps",
    "date": "31.12.2026",
    "stamp": "tomorrow",
    "clock": "25:00",
    "month": "Dec",
    "days": "XX",
    "level": "much",
}


def spoil(raw: Raw, values: Mapping[str, Any]) -> Iterator[tuple[str, Raw]]:
    """Yield the place of a cell, and the workbook with that cell alone spoilt."""
    for key, sheet in load_sheets().items():
        for index, row in enumerate(raw.get(key, ())[:3]):
            for column in sheet.columns:
                wrong = find_wrong_value(column, row, values)
                if wrong is not None:
                    cells = {**row.cells, column.key: wrong[0]}
                    rows = [*raw[key][:index], Row(row.number, cells), *raw[key][index + 1 :]]
                    yield place(key, row.number, column.key), {**raw, key: rows}


def find_wrong_value(column: Column, row: Row, values: Mapping[str, Any]) -> tuple[Any] | None:
    if column.kind in values:
        return (values[column.kind],)
    if column.of is not None or column.choices:
        return ("unheard-of",)
    if column.required and column.key in row.cells:
        return (None,)
    return None


def test_each_of_two_hundred_spoilt_workbooks_has_its_fault_at_its_cell() -> None:
    made_up = as_cells(write_scenario(generate("tiny", 3, with_needs=True)))
    raw = {**new_book(), **{key: rows[:2] for key, rows in made_up.items() if rows}}
    spoilt = list(spoil(raw, SPOILT))
    assert len(spoilt) >= 200
    for path, workbook in spoilt:
        assert path in {fault.path for fault in read_book(workbook).faults}, path


MISTAKEN: Mapping[str, Any] = {
    "whole": "45 min",
    "yes": "ja",
    "date": "30.11.2026",
    "stamp": "30.11.2026 9:00",
    "clock": "9-17",
    "month": "12/2026",
    "days": "Montag bis Freitag",
    "level": "medium",
}
"""What people write by habit, of each kind of cell."""


def test_each_of_a_hundred_cells_filled_by_habit_is_told_what_was_meant() -> None:
    made_up = as_cells(write_scenario(generate("tiny", 3, with_needs=True)))
    raw = {**new_book(), **{key: rows[:2] for key, rows in made_up.items() if rows}}
    columns = {(key, column.key): column.kind for key, sheet in load_sheets().items() for column in sheet.columns}
    told = 0
    for path, workbook in spoil(raw, MISTAKEN):
        if columns[path.partition(",")[0], path.rpartition(", ")[2]] in MISTAKEN:
            (message,) = [fault.message for fault in read_book(workbook).faults if fault.path == path]
            assert MEANT in message, (path, message)
            told += 1
    assert told >= 100


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("ids", 'a, "b, c" ,d', ("a", "b, c", "d")),
        ("ids", "-", ()),
        ("team", "nurse or doctor, doctor", (("nurse", "doctor"), ("doctor",))),
        ("days", "mo-we, FR", ("MO", "TU", "WE", "FR")),
        ("clock", at("1899-12-30T08:30"), time(8, 30)),
        ("clock", time(8, 29, 59, 999_999), time(8, 30)),
        ("stamp", "2026-12-01 9:30", at("2026-12-01T09:30")),
        ("whole", 30.0, 30),
        ("yes", True, True),
        ("month", at("2026-12-01"), "2026-12"),
        ("texts", "One.\n\nTwo.", ("One.", "Two.")),
    ],
)
def test_a_cell_is_read_as_people_write_it(kind: Any, raw: Any, value: Any) -> None:
    assert read_cell(Column(key="cell", kind=kind, note="Any."), raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("whole", True),
        ("whole", 1.5),
        ("whole", -1),
        ("clock", "8"),
        ("clock", time(8, 0, 30)),
        ("ids", "a,,b"),
        ("date", "0001-01-01"),
    ],
)
def test_a_cell_that_holds_something_else_is_refused(kind: Any, raw: Any) -> None:
    with pytest.raises((UnreadableCell, ValueError)):
        read_cell(Column(key="cell", kind=kind, note="Any."), raw)


@pytest.mark.parametrize(
    ("sheet", "row", "column", "meant"),
    [
        ("requests", {**VISIT, "patient": "Robin Example"}, "patient", "p-1"),
        ("requests", {**VISIT, "patient": "robin  example"}, "patient", "p-1"),
        ("requests", {**VISIT, "preferred_people": "ada;ada"}, "preferred_people", "ada, ada"),
        ("requests", {**VISIT, "service": "Treatment "}, "service", "treatment"),
        ("week", {"person": "Ada und ada", "days": "MO", "start": "08:00", "end": "12:00"}, "person", "ada, ada"),
    ],
)
def test_who_is_named_otherwise_in_another_sheet_is_found(sheet: str, row: dict[str, Any], column: str, meant: str) -> None:
    faults = find_all_faults(new_book(**{sheet: [row]}))
    told = [fault.path for fault in faults if f'did you mean "{meant}"?' in fault.message]
    assert told == [f"{sheet}, row 2, {column}"], faults


def test_a_number_is_found_by_its_value_whatever_zeros_it_begins_with() -> None:
    raw = new_book(patients=[{"id": "007"}], requests=[{**VISIT, "patient": 7}])
    assert [fault.message for fault in read_book(raw).faults] == ['"7" is not in the sheet patients; did you mean "007"?']


@pytest.mark.parametrize("text", ["format = 1", "nothing", 'format = "clinicweave-workbook/1"\nsites = 3'])
def test_toml_that_is_no_workbook_is_refused(text: str) -> None:
    with pytest.raises(InvalidFile):
        parse_rows(text, "clinic.toml")


def test_control_a_spoilt_cell_is_not_found_where_nothing_is_spoilt() -> None:
    reading: Reading = read_book(new_book())
    assert (reading.faults, reading.doubts) == ([], [])


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("visits[3].pin.start", "visits[3]"),
        ("visits[3]", "visits[3]"),
        ("visits", ""),
        ("visits[3][one]", "visits[3]"),
        ("a" * 50_000 + "[]", ""),
    ],
    ids=["inside", "itself", "above", "odd", "long"],
)
def test_a_place_of_a_file_has_the_origin_of_the_longest_place_around_it(path: str, origin: str) -> None:
    assert find_origin(path, {"visits[3]": 1, "visits[31]": 2}) == origin
