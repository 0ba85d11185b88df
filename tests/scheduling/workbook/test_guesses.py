"""What people write in cells is offered as the sheet wants it, where it can mean only one or two things."""

from __future__ import annotations

from datetime import datetime, time
from time import process_time
from typing import Any

import pytest

from scheduling.workbook import Column
from scheduling.workbook.cells import UnreadableCell, read_cell
from scheduling.workbook.guesses import guess
from scheduling.workbook.sheets import Kind

MEANT: dict[Kind, dict[Any, str]] = {
    "whole": {
        **{text: "45" for text in ("45 min", "45,0 Minuten", "~45", "45'", "00:45", time(0, 45))},
        **{text: "90" for text in ("1h30", "1 h 30 min", "90 minutes", "1:30")},
        "-5": "5",
        **{text: "" for text in ("1,5", 45.5, "30-45", "ten", "12 345")},
    },
    "yes": {
        **{text: "yes" for text in ("ja", "Y", "x", "1", 1, "oui", "Yes please")},
        **{text: "no" for text in ("nein", "N", 0, "off")},
        **{text: "" for text in ("maybe", "perhaps", "2")},
    },
    "date": {
        **dict.fromkeys(
            ("30.11.2026", "30.11.26", "11/30/2026", "30-11-2026", "2026/11/30", "20261130", 46356, 46356.0), "2026-11-30"
        ),
        **dict.fromkeys(("30 Nov 2026", "Nov 30, 2026", "30. November 2026", "Mo, 30.11.2026"), "2026-11-30"),
        "1. März 2027": "2027-03-01",
        "5/11/2026": "2026-11-05 or 2026-05-11",
        **dict.fromkeys(("30.11.", "next Monday", "2026-11-31", "Monday", 12), ""),
    },
    "stamp": {
        **dict.fromkeys(
            ("30.11.2026 9:00", "30.11.2026, 9.00 Uhr", "2026-11-30 9am", "11/30/2026 9:00 AM"), "2026-11-30T09:00"
        ),
        46356.375: "2026-11-30T09:00",
        "30.11.2026": "2026-11-30",
        "2026-12-01T13:00:00": "2026-12-01T13:00",
        **dict.fromkeys(("tomorrow", "9:00"), ""),
    },
    "clock": {
        **dict.fromkeys(("9", 9, "9 Uhr", "9am", "9.00", "9h", "0900", "09:00:30", 0.375, "9,00"), "09:00"),
        **dict.fromkeys(("5 PM", "5:00 p.m.", "17h00", "17.00 Uhr"), "17:00"),
        "24:00": "00:00",
        "9-17": "09:00 or 17:00",
        "08:00-12:00": "08:00 or 12:00",
        **dict.fromkeys(("25:00", "noon", "8-12 and 13-17", "9:5"), ""),
    },
    "month": {
        **dict.fromkeys(("12/2026", "12.2026", "Dec 2026", "Dezember 2026", "1.12.2026", "2026/12"), "2026-12"),
        **dict.fromkeys(("Dec", "13/2026"), ""),
    },
    "days": {
        **dict.fromkeys(("Monday to Friday", "Mon - Fri", "Mo bis Fr", "weekdays", "MO\u2013FR"), "MO-FR"),
        **dict.fromkeys(("Mon, Wed", "Mo und Mi", "MO/WE", "Mo + Mi"), "MO, WE"),
        "daily": "MO-SU",
        **dict.fromkeys(("XX", "M-F", "-"), ""),
    },
    "level": {"medium": "normal", "hoch": "high", "very high": "high", "5 points": "5", "perhaps": ""},
    "ids": {"a,,b": "a, b", "a; b,": "a, b"},
}

CASES = [(kind, raw, meant) for kind, values in MEANT.items() for raw, meant in values.items()]


@pytest.mark.parametrize(("kind", "raw", "meant"), CASES)
def test_what_is_written_is_offered_as_the_sheet_wants_it(kind: Kind, raw: Any, meant: str) -> None:
    assert " or ".join(guess(kind, raw)) == meant


@pytest.mark.parametrize(("kind", "meant"), [(kind, word) for kind, _, meant in CASES for word in meant.split(" or ") if word])
def test_what_is_offered_can_be_read(kind: Kind, meant: str) -> None:
    assert read_cell(Column(key="cell", kind=kind, note="Any."), meant) is not None


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("whole", "8h" + " " * 32_000 + "x"),
        ("stamp", "2026 10:00 " * 20_000 + "\nx"),
        ("date", "2026-" + "1" * 5_000 + "-1"),
        ("date", "1/" + "1" * 5_000 + "/2026"),
    ],
    ids=["blanks", "moments", "month", "day"],
)
def test_a_very_long_cell_is_judged_at_once(kind: Kind, raw: str) -> None:
    began = process_time()
    with pytest.raises(UnreadableCell):
        read_cell(Column(key="cell", kind=kind, note="Any."), raw)
    assert process_time() - began < 3


def test_a_cell_that_cannot_be_read_says_what_was_probably_meant() -> None:
    column = Column(key="start", kind="clock", note="Any.")
    with pytest.raises(UnreadableCell, match='expected a clock time like "09:00", got "9-17"; did you mean "09:00" or "17:00"'):
        read_cell(column, "9-17")
    with pytest.raises(UnreadableCell, match=r'got "noon"$'):
        read_cell(column, "noon")
    with pytest.raises(UnreadableCell, match=r'"Montag" is no weekday.*; did you mean "MO"'):
        read_cell(Column(key="days", kind="days", note="Any."), "Montag")


def test_a_moment_with_a_time_of_day_is_a_date_by_its_day() -> None:
    assert guess("date", datetime.fromisoformat("2026-11-30T09:00")) == ("2026-11-30",)


@pytest.mark.parametrize(
    ("written", "days"),
    [("Mo, Tue, Thu.", "MO TU TH"), ("Tuesday, Thursday", "TU TH"), ("Mon - wed", "MO TU WE"), ("SU", "SU"), ("thurs", "TH")],
)
def test_weekdays_are_read_however_long_their_english_names_are(written: str, days: str) -> None:
    assert read_cell(Column(key="days", kind="days", note="Any."), written) == tuple(days.split())


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("T", "no weekday"),
        ("MO-WE-FR", "no weekday"),
        ("Mondayish", "no weekday"),
        ("Mo, Die, Thu", 'did you mean "MO, TU, TH"'),
        ("SA-MO", 'goes backwards; did you mean "SA, SU, MO"'),
    ],
)
def test_what_is_no_weekday_is_offered_as_the_whole_cell_should_be(written: str, says: str) -> None:
    with pytest.raises(UnreadableCell, match=says):
        read_cell(Column(key="days", kind="days", note="Any."), written)
