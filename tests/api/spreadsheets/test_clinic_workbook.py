"""A clinic's workbook as a spreadsheet: what is written comes back, notes and lists are there, faults have their cells."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from api.spreadsheets.clinic_workbook import make_scenario, read_workbook, write_workbook
from scheduling import catalogue
from scheduling.catalogue.sources import TWO_ROOMS, find_shipped_workbook
from scheduling.errors import InvalidFile
from scheduling.generate import generate
from scheduling.workbook import load_sheets, write_scenario
from scheduling.workbook.new import create_book
from scheduling.workbook_readers import WORKBOOK_READERS

BOOK = create_book("Two Rooms", "Europe/Berlin", "+49 30 55", ["Main"], date(2026, 11, 30))


def edited(edit: Callable[[Any], None]) -> bytes:
    """Return a new clinic's spreadsheet after somebody's edit."""
    book = load_workbook(io.BytesIO(write_workbook(BOOK)))
    edit(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_scenario_comes_back_the_same() -> None:
    scenario = generate("tiny", 3, with_needs=True)
    assert make_scenario(read_workbook(write_workbook(write_scenario(scenario)), "clinic.xlsx"), "clinic.xlsx") == scenario


def test_a_new_workbook_has_every_sheet_a_note_in_each_heading_and_lists_to_choose_from() -> None:
    book = load_workbook(io.BytesIO(write_workbook(BOOK)))
    assert book.sheetnames == list(load_sheets())
    for sheet in book.worksheets:
        assert all(cell.comment is not None for cell in sheet[1])
    rules = book["requests"].data_validations.dataValidation
    listed = {str(rule.sqref).partition(":")[0]: rule.formula1 for rule in rules}
    assert (listed["B2"], listed["D2"]) == ("'patients'!$A$2:$A$2000", '"routine,soon,urgent,cancer"')


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "path", "says"),
    [
        ("requests", "C2", "treatmant", "requests, row 2, service", 'did you mean "treatment"?'),
        ("requests", "C2", "=A1", "requests, row 2, service", "formula"),
        ("requests", "C1", "servic", "requests, row 1, column C", 'did you mean "service"?'),
        ("requests", "C1", "patient", "requests, row 1, column C", "repeated"),
        ("rooms", "Z2", "x", "rooms, row 2, column Z", "without a heading"),
        ("buildings", "F2", None, "buildings, row 2, closes", "missing"),
    ],
)
def test_each_fault_is_named_by_sheet_row_and_column(sheet: str, cell: str, value: Any, path: str, says: str) -> None:
    def edit(book: Any) -> None:
        book[sheet][cell] = value

    reading = read_workbook(edited(edit), "clinic.xlsx")
    assert [fault.message for fault in reading.faults if fault.path == path and says in fault.message], reading.faults
    with pytest.raises(InvalidFile):
        make_scenario(reading, "clinic.xlsx")


def test_a_renamed_sheet_is_named() -> None:
    def edit(book: Any) -> None:
        book["patients"].title = "patientes"

    reading = read_workbook(edited(edit), "clinic.xlsx")
    assert ("patientes", 'unknown sheet; did you mean "patients"?') in [(f.path, f.message) for f in reading.faults]


def test_what_is_hidden_filtered_or_protected_is_read_as_any_other() -> None:
    def edit(book: Any) -> None:
        book["patients"].sheet_state, book["week"].sheet_state = "hidden", "veryHidden"
        book["services"].column_dimensions["D"].hidden = True
        book["requests"].auto_filter.ref = "A1:F2"
        book["requests"].row_dimensions[2].hidden = True
        book["rooms"].protection.set_password("secret")
        book["rooms"].protection.enable()

    reading = read_workbook(edited(edit), "clinic.xlsx")
    assert (reading.faults, reading.book) == ([], read_workbook(write_workbook(BOOK), "clinic.xlsx").book)


def test_a_hidden_sheet_that_is_unknown_is_named_as_hidden() -> None:
    def edit(book: Any) -> None:
        lists = book.create_sheet("Helper")
        lists["A1"], lists.sheet_state = "x", "hidden"

    (fault,) = read_workbook(edited(edit), "clinic.xlsx").faults
    assert str(fault).startswith("Helper: unknown sheet, which is hidden: show it")


def test_rows_that_only_look_filled_are_none() -> None:
    def edit(book: Any) -> None:
        for column in range(1, 12):
            book["requests"].cell(4, column, "  ")
            book["rooms"].cell(9, column, "\u00a0")
        book["rooms"]["Z1"] = " "
        book["rooms"]["Z2"] = " "
        book.create_sheet("Sheet1")["B2"] = " "

    assert read_workbook(edited(edit), "clinic.xlsx").faults == []


def test_headings_below_a_title_are_found_and_the_title_is_named() -> None:
    def edit(book: Any) -> None:
        book["rooms"].insert_rows(1, 2)
        book["rooms"]["A1"] = "Our rooms"

    reading = read_workbook(edited(edit), "clinic.xlsx")
    assert [str(fault) for fault in reading.faults] == ["rooms, row 1: the headings are in row 3; delete what is above"]
    assert [row.number for row in reading.book.of("rooms")] == [4]


def test_a_column_that_is_renamed_is_named_once_and_one_that_is_moved_is_read() -> None:
    def edit(book: Any) -> None:
        services = book["services"]
        services["D1"], services["A1"], services["B1"] = "Dauer", "name", "id"
        services["A2"], services["B2"] = services["B2"].value, services["A2"].value

    reading = read_workbook(edited(edit), "clinic.xlsx")
    assert [str(fault) for fault in reading.faults] == [
        'services, row 1, column D: unknown column "Dauer"',
        "services, minutes: the column is missing",
    ]


def test_merged_cells_are_named_also_among_the_headings() -> None:
    def edit(book: Any) -> None:
        book["rooms"].merge_cells("D1:E1")
        book["requests"].merge_cells("B2:B3")

    faults = {fault.path: fault.message for fault in read_workbook(edited(edit), "clinic.xlsx").faults}
    assert all("merged" in faults[path] for path in ("rooms, row 1, column D", "requests, row 2, patient"))


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0old", b"PK\x03\x04broken", b"hello"])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidFile):
        read_workbook(content, "clinic.xlsx")


@pytest.mark.heavy
def test_a_workbook_of_a_whole_department_is_read_and_checked_in_three_seconds() -> None:
    scenario = generate("week", 1)
    visits = tuple(visit.changed(id=f"{visit.id}-{turn}") for turn in range(4) for visit in scenario.visits)[:700]
    content = write_workbook(write_scenario(scenario.changed(visits=visits, links=())))
    begun = time.process_time()
    assert len(make_scenario(read_workbook(content, "clinic.xlsx"), "clinic.xlsx").visits) == 700
    assert time.process_time() - begun < 3


def write_two_rooms(file: Path) -> None:
    shipped = find_shipped_workbook(TWO_ROOMS)
    assert shipped is not None
    file.write_bytes(write_workbook(read_workbook(shipped.read_bytes(), "two-rooms.toml").book))


def test_a_spreadsheet_is_the_catalogue_that_its_toml_is(tmp_path: Path) -> None:
    write_two_rooms(tmp_path / "clinic.xlsx")
    with catalogue.use_catalogue(TWO_ROOMS):
        meant = catalogue.build_clinic(), [kind.id for kind in catalogue.list_kinds()], catalogue.get_policy()
    with catalogue.use_catalogue(tmp_path / "clinic.xlsx"):
        assert (catalogue.build_clinic(), [kind.id for kind in catalogue.list_kinds()], catalogue.get_policy()) == meant
        assert catalogue.get_family("treatment") == "therapy"


def test_a_fault_of_a_spreadsheet_that_is_the_catalogue_is_named_by_its_cell(tmp_path: Path) -> None:
    write_two_rooms(tmp_path / "clinic.xlsx")
    book = load_workbook(tmp_path / "clinic.xlsx")
    book["services"]["A2"] = "something"
    book.save(tmp_path / "clinic.xlsx")
    with catalogue.use_catalogue(tmp_path / "clinic.xlsx"), pytest.raises(InvalidFile, match="services") as refused:
        catalogue.build_clinic()
    assert all(" row " in fault.path for fault in refused.value.faults)


def test_where_nothing_reads_spreadsheets_the_other_form_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(WORKBOOK_READERS, ".xlsx")
    with catalogue.use_catalogue(tmp_path / "clinic.xlsx"), pytest.raises(InvalidFile, match="convert makes TOML"):
        catalogue.build_clinic()
