"""Time stamps are instants, or say why they are none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from api.hl7.times import InvalidTime, read_date, read_time, write_time

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("20261130093000-0600", datetime(2026, 11, 30, 15, 30, tzinfo=UTC)),
        ("20261130093000", datetime(2026, 11, 30, 15, 30, tzinfo=UTC)),
        ("202611300930", datetime(2026, 11, 30, 15, 30, tzinfo=UTC)),
        ("202611300930+0215", datetime(2026, 11, 30, 7, 15, tzinfo=UTC)),
        ("20261130093000.1234-0600", datetime(2026, 11, 30, 15, 30, tzinfo=UTC)),
        ("20261101013000-0500", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("20261101013000-0600", datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_instants_are_read(text: str, instant: datetime) -> None:
    assert read_time(text, CHICAGO) == instant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("20261101013000", "occurs twice"),
        ("20270314023000", "does not exist"),
        ("20261130", "no time stamp"),
        ("2026113009", "no time stamp"),
        ("", "no time stamp"),
        ("20261330093000", "no moment"),
        ("20261130256000", "no moment"),
        ("202611300930+9900", "no zone has"),
        ("00010101000000+1400", "out of range"),
        ("\u0662026113009300", "no time stamp"),
        ("next Monday", "no time stamp"),
    ],
)
def test_what_is_no_instant_says_why(text: str, why: str) -> None:
    with pytest.raises(InvalidTime, match=why):
        read_time(text, CHICAGO)


def test_a_stamp_is_written_as_its_reader_wants_it() -> None:
    moment = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)
    assert write_time(moment, CHICAGO, with_offset=True) == "20261130093000-0600"
    assert write_time(moment, CHICAGO, with_offset=False) == "20261130093000"


@pytest.mark.parametrize("hour", range(24))
def test_an_instant_with_its_offset_comes_back_even_when_the_clocks_change(hour: int) -> None:
    for day in ((2026, 11, 1), (2027, 3, 14)):
        moment = datetime(*day, hour, 30, tzinfo=UTC)
        assert read_time(write_time(moment, CHICAGO, with_offset=True), CHICAGO) == moment


@pytest.mark.parametrize(
    ("text", "day"),
    [("20220125", date(2022, 1, 25)), ("202201251200", date(2022, 1, 25)), ("20221301", None), ("", None), ("2022", None)],
)
def test_a_date_is_read_where_there_is_one(text: str, day: date | None) -> None:
    assert read_date(text) == day
