"""Content lines, read back by icalendar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Event

from calendars.lines import escape_text, fold, make_instant, make_line, make_local
from calendars.wording import flatten

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\\;,:"'), max_size=200)


def read(content: bytes) -> Event:
    return Event.from_ical(b"BEGIN:VEVENT\r\n" + content + b"END:VEVENT\r\n")


@given(TEXTS)
@example("\\n is no line break\n, this was; one\\")
def test_a_text_is_read_as_it_was_written(value: str) -> None:
    written = make_line("DESCRIPTION", escape_text(value))
    assert str(read(written)["DESCRIPTION"]) == value


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_a_folded_line_has_pieces_of_75_octets_that_are_characters_whole(value: str) -> None:
    content = fold(value.encode())
    pieces = content.removesuffix(b"\r\n").split(b"\r\n ")
    assert max(map(len, content.split(b"\r\n"))) <= 75
    assert "".join(piece.decode() for piece in pieces) == value


@given(st.text(max_size=100).map(flatten))
def test_a_name_in_a_parameter_stays_in_it(name: str) -> None:
    written = make_line("ATTENDEE", "mailto:ada@example.org", CN=name, RSVP="TRUE")
    attendee = read(written)["ATTENDEE"]
    assert attendee == "mailto:ada@example.org"
    assert attendee.params["RSVP"] == "TRUE"
    assert b";RSVP=TRUE:" in written.replace(b"\r\n ", b"")


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 7, 1, 13, tzinfo=UTC), b"DTSTART;TZID=America/New_York:20260701T090000\r\n"),
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), b"DTSTART:20261101T053000Z\r\n"),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), b"DTSTART:20261101T063000Z\r\n"),
        (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), b"DTSTART;TZID=America/New_York:20261101T023000\r\n"),
    ],
)
def test_an_instant_is_written_as_local_time_unless_that_means_another(moment: datetime, written: bytes) -> None:
    assert make_local("DTSTART", moment, "America/New_York") == written


def test_years_have_four_digits_and_seconds_no_fraction() -> None:
    assert make_instant("DTSTAMP", datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)) == b"DTSTAMP:20260102T030405Z\r\n"
