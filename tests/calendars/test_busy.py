"""Busy times of calendars elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars.busy import BusyTimes, merge_intervals, read_busy_times
from calendars.timezones import make_vtimezone
from scheduling.errors import InvalidFile

BOSTON = ZoneInfo("America/New_York")
BEGIN, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 22, tzinfo=UTC)


def calendar(*events: str, head: str = "") -> bytes:
    """Return a calendar of events, each given by its lines; lines are separated by blanks and have none in them."""
    parts = [f"BEGIN:VEVENT\r\n{event.replace(' ', chr(13) + chr(10))}\r\nEND:VEVENT\r\n" for event in events]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{''.join(parts)}END:VCALENDAR\r\n".encode()


def busy(*events: str, head: str = "") -> BusyTimes:
    return read_busy_times(calendar(*events, head=head), "America/New_York", BEGIN, END)


def local(*events: str, head: str = "") -> list[str]:
    """Return the busy times by Boston's clocks: ``06 09:00-10:00``."""
    found = [(start.astimezone(BOSTON), end.astimezone(BOSTON)) for start, end in busy(*events, head=head).intervals]
    return [f"{start:%d %H:%M}-{end:%H:%M}" for start, end in found]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("UID:a DTSTART:20260306T140000Z DTEND:20260306T150000Z", ["06 09:00-10:00"]),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H30M", ["06 09:00-10:30"]),
        ("UID:a DTSTART;TZID=Europe/Berlin:20260306T150000 DURATION:PT1H", ["06 09:00-10:00"]),
        ('UID:a DTSTART;TZID="Europe/Berlin":20260306T150000 DURATION:PT1H', ["06 09:00-10:00"]),
        ("UID:a DTSTART;TZID=/example.org/x/Europe/Berlin:20260306T150000 DURATION:PT1H", ["06 09:00-10:00"]),
        ("UID:a DTSTART;TZID=Nowhere/Atall:20260306T090000 DURATION:PT1H", ["06 09:00-10:00"]),
        ("UID:a DTSTART;VALUE=DATE:20260306", ["06 00:00-00:00"]),
        ("UID:a DTSTART:20260306", ["06 00:00-00:00"]),
        ("UID:a DTSTART;VALUE=DATE:20260306 DTEND;VALUE=DATE:20260306", ["06 00:00-00:00"]),
        ("DTSTART:20260306T090000 DURATION:PT1H", ["06 09:00-10:00"]),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H STATUS:TENTATIVE", ["06 09:00-10:00"]),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H STATUS:CANCELLED", []),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H TRANSP:TRANSPARENT", []),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H X-MICROSOFT-CDO-BUSYSTATUS:FREE", []),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H TRANSP:TRANSPARENT X-MICROSOFT-CDO-BUSYSTATUS:OOF", ["06 09:00-10:00"]),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H TRANSP:TRANSPARENT X-MICROSOFT-CDO-BUSYSTATUS:BUSY", []),
        ("UID:a DTSTART:20260306T090000", []),
        ("UID:a DTSTART:20260228T090000 DURATION:PT1H", []),
        ("UID:a DTSTART:20260322T090000 DURATION:PT1H", []),
    ],
)
def test_one_event(event: str, expected: list[str]) -> None:
    assert local(event) == expected


@pytest.mark.parametrize(("is_elsewhere_busy", "times"), [(True, 4), (False, 0)])
def test_whether_working_elsewhere_takes_time_is_the_clinics_to_say(is_elsewhere_busy: bool, times: int) -> None:
    shown = "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"
    series = f"UID:a DTSTART:20260306T090000 DURATION:PT1H RRULE:FREQ=WEEKLY {shown}"
    moved = f"UID:a RECURRENCE-ID:20260313T090000 DTSTART:20260313T110000 DURATION:PT1H {shown}"
    content = calendar(series, moved, f"UID:b DTSTART;VALUE=DATE:20260310 {shown}")
    busy_times = read_busy_times(content, "America/New_York", BEGIN, END, is_elsewhere_busy=is_elsewhere_busy)
    assert len(busy_times.intervals) == times


def test_a_name_of_windows_with_blanks_is_known() -> None:
    content = calendar("UID:a DTSTART;TZID=W.~Europe~Standard~Time:20260306T150000 DURATION:PT1H").replace(b"~", b" ")
    assert read_busy_times(content, "America/New_York", BEGIN, END).intervals[0][0] == datetime(2026, 3, 6, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (
            ["UID:a DTSTART:20260306T090000 DURATION:PT1H RRULE:FREQ=DAILY;COUNT=4"],
            ["06 09:00-10:00", "07 09:00-10:00", "08 09:00-10:00", "09 09:00-10:00"],
        ),
        (
            ["UID:a DTSTART:20100302T090000 DURATION:PT1H RRULE:FREQ=WEEKLY EXDATE:20260310T090000"],
            ["03 09:00-10:00", "17 09:00-10:00"],
        ),
        (
            ["UID:a DTSTART:20100302T090000 DURATION:PT1H RRULE:FREQ=WEEKLY;UNTIL=20260310T130000Z"],
            ["03 09:00-10:00", "10 09:00-10:00"],
        ),
        (
            ["UID:a DTSTART:20100302T090000 DURATION:PT1H RRULE:FREQ=WEEKLY;UNTIL=20260310"],
            ["03 09:00-10:00", "10 09:00-10:00"],
        ),
        (
            [
                "UID:a DTSTART:20100302T090000 DURATION:PT1H RRULE:FREQ=WEEKLY",
                "UID:a RECURRENCE-ID:20260310T090000 DTSTART:20260311T120000 DURATION:PT1H",
                "UID:a RECURRENCE-ID:20260317T090000 DTSTART:20260317T090000 DURATION:PT1H STATUS:CANCELLED",
            ],
            ["03 09:00-10:00", "11 12:00-13:00"],
        ),
        (
            ["UID:a DTSTART:20260303T090000 DURATION:PT1H RDATE:20260305T090000,20260306T110000"],
            ["03 09:00-10:00", "05 09:00-10:00", "06 11:00-12:00"],
        ),
        (["UID:a DTSTART;VALUE=DATE:20200303 RRULE:FREQ=YEARLY"], ["03 00:00-00:00"]),
        (["UID:a DTSTART:20100331T090000 DURATION:PT1H RRULE:FREQ=MONTHLY;BYMONTHDAY=-12"], ["20 09:00-10:00"]),
    ],
)
def test_what_repeats_keeps_its_local_time_across_the_change_of_clocks(events: list[str], expected: list[str]) -> None:
    assert local(*events) == expected


def test_overlapping_and_touching_times_are_one() -> None:
    nine, ten, noon = (
        f"UID:{hour} DTSTART:20260306T{hour}0000 DURATION:PT{length}"
        for hour, length in (("09", "1H"), ("10", "90M"), ("12", "1H"))
    )
    assert local(nine, ten, noon) == ["06 09:00-11:30", "06 12:00-13:00"]


def test_what_reaches_over_the_window_is_cut_at_it() -> None:
    found = busy("UID:a DTSTART:20260101T000000Z DTEND:20270101T000000Z")
    assert found.intervals == ((BEGIN, END),)


CUSTOM = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:{summer}
TZOFFSETTO:{winter}
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:{winter}
TZOFFSETTO:{summer}
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
END:VTIMEZONE
"""


def test_a_zone_that_the_file_defines_is_honoured_on_both_sides_of_a_change() -> None:
    head = CUSTOM.format(name="Customized", winter="-0500", summer="-0400")
    found = local("UID:a DTSTART;TZID=Customized:20150306T090000 DURATION:PT1H RRULE:FREQ=DAILY", head=head)
    assert found == [f"{day:02} 09:00-10:00" for day in range(1, 22)]


def test_two_files_may_mean_different_zones_by_one_name() -> None:
    event = "UID:a DTSTART;TZID=Customized:20260306T090000 DURATION:PT1H"
    hours = {
        offset: busy(event, head=CUSTOM.format(name="Customized", winter=f"{offset}00", summer=f"{offset}00"))
        .intervals[0][0]
        .hour
        for offset in ("-05", "+01", "-08")
    }
    assert hours == {"-05": 14, "+01": 8, "-08": 17}


@pytest.mark.parametrize(
    "zone", ["Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata", "America/Sao_Paulo"]
)
def test_our_own_definition_under_another_name_gives_the_same_instants(zone: str) -> None:
    head = make_vtimezone(zone, date(2026, 1, 1), date(2026, 12, 31)).to_ical().decode().replace(f"TZID:{zone}", "TZID:Another")
    for month in range(1, 13):
        begin, end = datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month, 28, tzinfo=UTC)
        daily = f"UID:a DTSTART;TZID=Another:2026{month:02}01T093000 DURATION:PT1H RRULE:FREQ=DAILY"
        busy_times = read_busy_times(calendar(daily, head=head), "America/New_York", begin, end).intervals
        known = read_busy_times(calendar(daily.replace("Another", zone)), "America/New_York", begin, end).intervals
        assert busy_times == known


def test_listed_busy_times_without_events_count() -> None:
    head = (
        "BEGIN:VFREEBUSY\r\nFREEBUSY:20260306T140000Z/PT1H,20260306T160000Z/20260306T170000Z\r\n"
        "FREEBUSY;FBTYPE=FREE:20260306T190000Z/PT1H\r\nEND:VFREEBUSY\r\n"
    )
    assert local(head=head) == ["06 09:00-10:00", "06 11:00-12:00"]


@pytest.mark.parametrize(
    ("event", "busy_times"),
    [
        ("UID:a DURATION:PT1H", 0),
        ("UID:a DTSTART:20269999T090000 DURATION:PT1H", 0),
        ("UID:a DTSTART:00010101T090000 DURATION:PT1H", 0),
        ("UID:a DTSTART:20260306T090000 DURATION:1H", 1),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H RRULE:FREQ=MINUTELY", 1),
        ("UID:a DTSTART:20260306T090000 DURATION:PT1H RRULE:FREQ=DAILY;INTERVAL=99999", 1),
    ],
)
def test_what_cannot_be_understood_is_counted_and_busy_once_where_it_has_a_start(event: str, busy_times: int) -> None:
    found = busy(event, "UID:b DTSTART:20260307T090000 DURATION:PT1H")
    assert (found.unread, len(found.intervals)) == (1, 1 + busy_times)


def test_a_rule_without_dates_has_its_start_alone() -> None:
    found = busy("UID:a DTSTART:20260306T090000 DURATION:PT1H RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    assert (found.unread, len(found.intervals)) == (0, 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no calendar"),
        (b"\xff\xfe\x00", "no calendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "not begun"),
        (b"BEGIN:VCALENDAR\r\n", "does not end"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "outside"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 9, "deeper"),
        (b"x" * 8_000_001, "longer"),
        (calendar(*["UID:a DTSTART:20260306T090000 EXDATE:" + ",".join(["20260306T090000"] * 100)] * 60), "single dates"),
        (calendar(*[f"UID:{n} DTSTART:20260101T090000 RRULE:FREQ=DAILY" for n in range(2_000)]), "repetitions"),
    ],
)
def test_a_file_that_is_none_or_passes_a_limit_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidFile, match=reason) as caught:
        read_busy_times(content, "America/New_York", BEGIN, END, "outside.ics")
    assert caught.value.source == "outside.ics"


def test_control_half_of_the_repetitions_are_within_the_limit() -> None:
    found = busy(*[f"UID:{number} DTSTART:20260101T090000 DURATION:PT1H RRULE:FREQ=DAILY" for number in range(200)])
    assert len(found.intervals) == 21


@pytest.mark.parametrize("length", [timedelta(days=-1), timedelta(days=800)])
def test_a_window_that_is_none_is_refused(length: timedelta) -> None:
    with pytest.raises(ValueError, match="window"):
        read_busy_times(calendar(), "America/New_York", BEGIN, BEGIN + length)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=12))
def test_merged_intervals_cover_the_same_time_and_never_touch(spans: list[tuple[int, int]]) -> None:
    minute = timedelta(minutes=1)
    intervals = [(BEGIN + start * minute, BEGIN + (start + length) * minute) for start, length in spans if length]
    whole = merge_intervals(intervals)
    assert all(one[1] < other[0] for one, other in pairwise(whole))
    for at in range(75):
        moment = BEGIN + at * minute
        assert any(start <= moment < end for start, end in whole) == any(start <= moment < end for start, end in intervals)
