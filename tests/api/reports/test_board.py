"""The terminal board: legible at every width, complete, and without names of patients."""

from __future__ import annotations

from datetime import date
from time import process_time

import pytest
from rich.text import Text
from support import factories
from support.factories import booking, visit

from api.reports.board import Board, sheets
from api.reports.lanes import By
from api.reports.palette import OTHER_COLOUR
from scheduling.plan import Plan
from scheduling.scenario import Scenario

MONDAY, TUESDAY, THURSDAY, FRIDAY = (date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 3), date(2026, 12, 4))


def lines(asked: Scenario, made: Plan, day: date, by: By = "provider", width: int = 120) -> list[str]:
    return [line.plain for line in Board(asked, made, by, width).day(day)]


def row(board: list[str], label: str) -> tuple[str, str]:
    index = next(index for index, line in enumerate(board) if line.startswith(label))
    return board[index], board[index + 1]


def column(board: list[str], clock: str) -> int:
    return board[1].index(clock)


def test_an_entry_stands_under_its_hour_with_its_service_and_its_room(asked: Scenario, made: Plan) -> None:
    board = lines(asked, made, MONDAY, width=160)
    first, second = row(board, "ana")
    start = column(board, "13:00")
    assert first[start:].startswith("▏E")
    assert second[start:].startswith("▏west-exam")
    assert second.startswith("wang · west")


def test_supervised_and_held_entries_and_groups_are_marked(asked: Scenario, made: Plan) -> None:
    friday, tuesday, thursday = (lines(asked, made, day) for day in (FRIDAY, TUESDAY, THURSDAY))
    assert "◦I" in row(friday, "ana")[0]
    assert "┊F" in row(tuesday, "ana")[0]
    assert "┊hold" in row(tuesday, "ana")[1]
    assert "▏W(2)" in row(thursday, "ben")[0]
    assert any("◦ supervised" in line for line in friday)
    assert any("┊ held" in line for line in tuesday)


def test_by_room_an_entry_names_the_team_and_is_followed_by_its_cleaning(asked: Scenario, made: Plan) -> None:
    board = lines(asked, made, FRIDAY, "room", 200)
    first, second = row(board, "wang-proc-1")
    start = column(board, "13:00")
    assert first[start : start + 11] == "▏I      ░░ "
    assert second[start:].startswith("▏cy")
    assert any(line.startswith("unused:") and "wang-exam-1" in line for line in board)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
@pytest.mark.parametrize("by", ["provider", "room"])
def test_no_line_of_the_grid_is_wider_than_the_terminal(asked: Scenario, made: Plan, by: By, width: int) -> None:
    assert max(len(line.rstrip()) for line in lines(asked, made, MONDAY, by, width)) <= width


@pytest.mark.parametrize(
    ("width", "parts", "per_hour"), [(400, 1, 16), (160, 1, 12), (100, 1, 8), (99, 1, 8), (90, 2, 12), (60, 2, 8), (10, 10, 8)]
)
def test_a_narrow_terminal_parts_the_day_and_never_the_half_hour(width: int, parts: int, per_hour: int) -> None:
    found = sheets(8, 18, width, 20)
    assert (len(found), found[0].per_hour) == (parts, per_hour)
    assert (found[0].first_hour, found[-1].end_hour) == (8, 18)


def test_an_entry_across_the_parts_of_a_narrow_board_stands_in_both(asked: Scenario) -> None:
    asked = factories.scenario(visit("v", service="evaluation"))
    made = factories.plan(asked, booking("v", "MO 12:30", team="ana ben"))
    board = lines(asked, made, MONDAY, width=60)
    assert sum(line.startswith("ana") for line in board) == 2
    drawn = [line for line in Board(asked, made, "provider", 60).day(MONDAY) if line.plain.startswith("ana")]
    assert [any(span.style.bgcolor is not None for span in line.spans) for line in drawn] == [True, True]


def test_a_code_that_just_fits_is_written_without_its_edge() -> None:
    clinic = factories.clinic(factories.service("scs-lead-removal", minutes=30))
    asked = factories.scenario(visit("v", service="scs-lead-removal"), clinic=clinic)
    board = lines(asked, factories.plan(asked, booking("v", "MO 08:00")), MONDAY, width=100)
    start = column(board, "08:00")
    assert row(board, "ana")[0][start : start + 4] == "▏SCS"
    wide = lines(asked, factories.plan(asked, booking("v", "MO 08:00")), MONDAY, width=200)
    assert row(wide, "ana")[0][column(wide, "08:00") :].startswith("▏SCSlr")


def test_a_service_outside_the_catalogue_is_grey_and_in_the_legend(asked: Scenario, made: Plan) -> None:
    board = list(Board(asked, made, "provider", 120).day(MONDAY))
    assert any(line.plain.startswith(" other ") and "E evaluation" in line.plain for line in board)
    assert OTHER_COLOUR in str([span.style for line in board for span in line.spans])


def test_the_legend_names_rooms_without_their_numbers(asked: Scenario, made: Plan) -> None:
    board = lines(asked, made, MONDAY)
    assert any(line.startswith("places: ") and "WE wang-exam  " in line for line in board)


def test_a_name_of_very_many_digits_is_drawn_at_once() -> None:
    odd = "1" * 100_000 + "a"
    rooms = [*factories.clinic().rooms, factories.room(odd, "wang", "exam")]
    asked = factories.scenario(visit("v"), clinic=factories.clinic(rooms=rooms))
    made = factories.plan(asked, booking("v", "MO 08:00", odd))
    began = process_time()
    lines(asked, made, MONDAY)
    assert process_time() - began < 5


def test_no_board_names_a_patient(asked: Scenario, made: Plan) -> None:
    for by in ("provider", "room"):
        board = Text("\n").join(Board(asked, made, by, 160).day(TUESDAY)).plain
        assert asked.patients_by_id["pat"].name not in board
        assert "pat" not in board.split()
