"""VTIMEZONEs, read back by a reader of RFC 5545 that shares no code with their writer."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import StringIO
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil import tz
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event, Timezone

from calendars.timezones import LocalTimeType, YearlyRule, find_yearly_rule, make_vtimezone
from scheduling.errors import UnknownId

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

SEASONAL = (
    "America/New_York",
    "America/Santiago",
    "America/Nuuk",
    "Antarctica/Troll",
    "Asia/Jerusalem",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Auckland",
    "Pacific/Norfolk",
)
STEADY = ("America/Sao_Paulo", "Asia/Kolkata", "Asia/Tehran", "Etc/GMT+5", "Pacific/Kiritimati", "UTC")
IRREGULAR = ("Africa/Cairo", "Africa/Casablanca", "Asia/Gaza")


def text_of(zone: str, first: date, last: date) -> str:
    content: bytes = make_vtimezone(zone, first, last).to_ical()
    return content.decode()


def parsed_offset(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5]), seconds=int(text[5:7] or 0))


def parts(text: str) -> list[dict[str, str]]:
    """Read the sub-components' properties, one dict each; KIND is STANDARD or DAYLIGHT."""
    found: list[dict[str, str]] = []
    for line in text.replace("\r\n ", "").split("\r\n"):
        name, _, value = line.partition(":")
        if line in ("BEGIN:STANDARD", "BEGIN:DAYLIGHT"):
            found.append({"KIND": value})
        elif found:
            found[-1][name.partition(";")[0]] = value
    return found


def onsets(text: str, until: datetime) -> list[tuple[datetime, timedelta]]:
    """Expand a VTIMEZONE to its UTC onsets with the offsets that they bring (RFC 5545, section 3.6.5)."""
    found = []
    for part in parts(text):
        start = datetime.strptime(part["DTSTART"], "%Y%m%dT%H%M%S")  # noqa: DTZ007
        local = [start]
        if "RRULE" in part:
            local = list(rrulestr(f"{part['RRULE']};UNTIL={until:%Y%m%dT%H%M%S}", dtstart=start))
        if "RDATE" in part:
            local += [datetime.strptime(value, "%Y%m%dT%H%M%S") for value in part["RDATE"].split(",")]  # noqa: DTZ007
        found += [(onset - parsed_offset(part["TZOFFSETFROM"]), parsed_offset(part["TZOFFSETTO"])) for onset in local]
    return sorted(found)


def wrong_instants(text: str, zone: str, first: date, last: date) -> list[datetime]:
    """Return the instants at which a VTIMEZONE and ``zoneinfo`` differ: every hour, and the seconds at each change."""
    info = ZoneInfo(zone)
    begin = datetime(first.year, first.month, first.day, tzinfo=info).astimezone(UTC)
    end = (datetime(last.year, last.month, last.day, tzinfo=info) + timedelta(days=1)).astimezone(UTC)
    instants = [begin + HOUR * count for count in range((end - begin) // HOUR)]
    for before, after in pairwise(list(instants)):
        if before.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
            instants += [before + timedelta(minutes=minute) for minute in range(60)]
            instants += [before + timedelta(minutes=minute) - SECOND for minute in range(61)]
    known = onsets(text, datetime(last.year + 1, 1, 3))  # noqa: DTZ001
    starts = [start for start, _ in known]
    wrong = []
    for instant in instants:
        place = bisect_right(starts, instant.replace(tzinfo=None)) - 1
        if place < 0 or known[place][1] != instant.astimezone(info).utcoffset():
            wrong.append(instant)
    return wrong


@cache
def every_zone() -> list[str]:
    return sorted(available_timezones())


@settings(max_examples=60, deadline=None)
@given(zone=st.sampled_from(every_zone()), year=st.integers(2024, 2060))
def test_any_zone_has_the_offsets_of_zoneinfo_in_every_hour_of_a_year(zone: str, year: int) -> None:
    first, last = date(year, 1, 1), date(year, 12, 31)
    assert wrong_instants(text_of(zone, first, last), zone, first, last) == []


def wrong_near_changes(zone: str, first_year: int, last_year: int) -> list[datetime]:
    """Return the instants, every half hour around each change of the clocks and the middle of each day, that come out wrong."""
    info = ZoneInfo(zone)
    text = text_of(zone, date(first_year, 1, 1), date(last_year, 12, 31))
    noons = [datetime(first_year, 1, 1, 12, tzinfo=UTC) + DAY * day for day in range((last_year - first_year + 1) * 365)]
    instants = list(noons)
    for before, after in pairwise(noons):
        if before.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
            instants += [before + HOUR / 2 * half for half in range(-26, 74)]
    known = onsets(text, datetime(last_year + 1, 1, 3))  # noqa: DTZ001
    starts = [start for start, _ in known]
    return [
        instant
        for instant in instants
        if known[bisect_right(starts, instant.replace(tzinfo=None)) - 1][1] != instant.astimezone(info).utcoffset()
    ]


@pytest.mark.parametrize("start", "AEP")
def test_zones_of_each_part_of_the_list_are_right_around_every_change(start: str) -> None:
    zones = [zone for zone in every_zone() if zone.startswith(start)][::12]
    assert {zone: wrong for zone in zones if (wrong := wrong_near_changes(zone, 2025, 2028))} == {}
    assert len(zones) > 1


@pytest.mark.heavy
@pytest.mark.parametrize("years", [(2024, 2027), (2026, 2031), (2030, 2040)])
def test_every_zone_of_the_database_is_right_around_every_change(years: tuple[int, int]) -> None:
    assert {zone: wrong for zone in every_zone() if (wrong := wrong_near_changes(zone, *years))} == {}
    assert len(every_zone()) > 400


def test_control_the_search_around_changes_finds_a_wrong_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    right = text_of("America/New_York", date(2026, 1, 1), date(2026, 12, 31))
    monkeypatch.setattr(f"{__name__}.text_of", lambda *_: right.replace("BYDAY=1SU", "BYDAY=2SU"))
    assert {instant.month for instant in wrong_near_changes("America/New_York", 2026, 2026)} == {11}


@pytest.mark.parametrize("zone", [*SEASONAL, *STEADY, *IRREGULAR])
def test_two_years_have_the_offsets_of_zoneinfo_around_every_change(zone: str) -> None:
    first, last = date(2026, 1, 1), date(2027, 12, 31)
    assert wrong_instants(text_of(zone, first, last), zone, first, last) == []


@pytest.mark.parametrize(
    ("zone", "year"),
    [
        ("America/Sao_Paulo", 2018),
        ("Asia/Tehran", 2022),
        ("Europe/Istanbul", 2016),
        ("Europe/Volgograd", 2020),
        ("Pacific/Apia", 2011),
        ("America/New_York", 2006),
        ("Africa/Monrovia", 1971),
    ],
)
def test_years_in_which_the_law_changed_have_the_offsets_of_zoneinfo(zone: str, year: int) -> None:
    first, last = date(year, 1, 1), date(year + 1, 12, 31)
    assert wrong_instants(text_of(zone, first, last), zone, first, last) == []


@pytest.mark.parametrize("zone", [*SEASONAL, *IRREGULAR])
@pytest.mark.parametrize("month", [4, 9])
def test_a_horizon_of_days_is_right_from_its_first_to_its_last(zone: str, month: int) -> None:
    first, last = date(2026, month, 2), date(2026, month, 6)
    assert wrong_instants(text_of(zone, first, last), zone, first, last) == []


@pytest.mark.parametrize("zone", [*SEASONAL, *STEADY, *IRREGULAR])
def test_dateutil_reads_the_same_wall_clock(zone: str) -> None:
    read = tz.tzical(StringIO(text_of(zone, date(2026, 1, 1), date(2026, 12, 31)))).get(zone)
    for day in range(365):
        noon = datetime(2026, 1, 1, 12) + timedelta(days=day)  # noqa: DTZ001
        assert noon.replace(tzinfo=read).utcoffset() == noon.replace(tzinfo=ZoneInfo(zone)).utcoffset()


def test_control_the_check_rejects_the_fourth_sunday_for_the_last() -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    text = text_of("Europe/Dublin", first, last)
    wrong = wrong_instants(text.replace("BYDAY=-1SU", "BYDAY=4SU"), "Europe/Dublin", first, last)
    assert {instant.month for instant in wrong} == {3}


def test_control_the_check_rejects_the_definition_that_icalendar_makes() -> None:
    calendar, event = Calendar(), Event()
    event.add("DTSTART", datetime(2026, 3, 8, 12, tzinfo=ZoneInfo("America/New_York")))
    calendar.add_component(event)
    calendar.add_missing_timezones(first_date=date(2025, 1, 1), last_date=date(2027, 1, 1))
    text = calendar.timezones[0].to_ical().decode()
    assert "RDATE" in text
    wrong = wrong_instants(text, "America/New_York", date(2026, 1, 1), date(2026, 12, 31))
    assert datetime(2026, 3, 8, 7, tzinfo=UTC) in wrong


def test_new_york_is_two_yearly_rules_that_start_in_the_year_before() -> None:
    lines = text_of("America/New_York", date(2026, 11, 30), date(2026, 12, 5)).split("\r\n")
    assert lines[:-1] == [
        "BEGIN:VTIMEZONE",
        "TZID:America/New_York",
        "BEGIN:DAYLIGHT",
        "DTSTART:20250309T020000",
        "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
        "TZNAME:EDT",
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0400",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20251102T020000",
        "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        "TZNAME:EST",
        "TZOFFSETFROM:-0400",
        "TZOFFSETTO:-0500",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


@pytest.mark.parametrize(
    ("zone", "daylight", "standard"),
    [
        ("Europe/Dublin", ("IST", "+0000", "+0100"), ("GMT", "+0100", "+0000")),
        ("Australia/Lord_Howe", ("+11", "+1030", "+1100"), ("+1030", "+1100", "+1030")),
        ("America/Santiago", ("-03", "-0400", "-0300"), ("-04", "-0300", "-0400")),
        ("Antarctica/Troll", ("+02", "+0000", "+0200"), ("+00", "+0200", "+0000")),
    ],
)
def test_the_greater_offset_is_daylight_time(zone: str, daylight: tuple[str, str, str], standard: tuple[str, str, str]) -> None:
    found = {
        part["KIND"]: (part["TZNAME"], part["TZOFFSETFROM"], part["TZOFFSETTO"])
        for part in parts(text_of(zone, date(2026, 1, 1), date(2026, 12, 31)))
    }
    assert found == {"DAYLIGHT": daylight, "STANDARD": standard}


@pytest.mark.parametrize("zone", SEASONAL)
def test_a_zone_with_seasons_has_one_rule_for_each(zone: str) -> None:
    found = parts(text_of(zone, date(2026, 5, 1), date(2026, 5, 2)))
    assert sorted(part["KIND"] for part in found) == ["DAYLIGHT", "STANDARD"]
    assert all(part["RRULE"].startswith("FREQ=YEARLY;") for part in found)


def test_the_friday_before_the_last_sunday_is_told_by_days_of_the_month() -> None:
    rules = [part["RRULE"] for part in parts(text_of("Asia/Jerusalem", date(2026, 1, 1), date(2026, 1, 2)))]
    assert rules[0] == "FREQ=YEARLY;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29;BYMONTH=3"


@pytest.mark.parametrize(
    ("dates", "rule"),
    [
        (("2025-11-02", "2026-11-08", "2027-11-07"), YearlyRule(11, "SU", 2)),
        (("2025-11-02", "2026-11-15", "2027-11-07"), None),
        (("2025-11-02", "2026-11-07", "2027-11-07"), None),
        (("2025-11-02", "2026-11-01", "2027-10-31"), None),
        (("2025-11-02", "2027-11-07"), None),
    ],
)
def test_a_rule_is_one_weekday_in_the_same_seven_days_of_every_year(dates: tuple[str, ...], rule: YearlyRule | None) -> None:
    assert find_yearly_rule([datetime.fromisoformat(f"{day}T02:00") for day in dates], range(2025, 2028)) == rule


def test_an_hour_that_differs_from_year_to_year_is_no_rule() -> None:
    onsets = [datetime.fromisoformat(stamp) for stamp in ("2025-11-02T02:00", "2026-11-08T03:00")]
    assert find_yearly_rule(onsets, range(2025, 2027)) is None


def test_states_are_the_same_whatever_part_of_the_offset_is_guessed_to_be_saving() -> None:
    hours = timedelta(hours=-6)
    assert LocalTimeType(hours, "MDT", 2 * HOUR) == LocalTimeType(hours, "MDT", HOUR) != LocalTimeType(hours, "CST", HOUR)


@pytest.mark.parametrize("zone", STEADY)
def test_a_zone_without_seasons_is_one_standard_part(zone: str) -> None:
    (only,) = parts(text_of(zone, date(2026, 1, 1), date(2026, 12, 31)))
    assert only["KIND"] == "STANDARD"
    assert "RRULE" not in only
    assert only["TZOFFSETFROM"] == only["TZOFFSETTO"]


@pytest.mark.parametrize("zone", IRREGULAR)
def test_changes_without_a_pattern_are_written_one_by_one(zone: str) -> None:
    text = text_of(zone, date(2026, 1, 1), date(2026, 12, 31))
    assert 5 <= len(parts(text)) <= 9, "three years: the one in use and its neighbours"
    assert "RRULE" not in text


@settings(max_examples=20, deadline=None)
@given(zone=st.sampled_from(every_zone()), year=st.integers(1990, 2060))
def test_no_list_of_dates_is_written_and_every_onset_is_a_local_time(zone: str, year: int) -> None:
    text = text_of(zone, date(year, 6, 1), date(year, 6, 2))
    assert "RDATE" not in text
    assert text.isascii()
    for part in parts(text):
        assert len(part["DTSTART"]) == len("20260308T020000")
        assert part["TZNAME"]


@pytest.mark.parametrize("zone", SEASONAL)
def test_every_onset_is_read_by_the_clocks_before_the_change(zone: str) -> None:
    info = ZoneInfo(zone)
    for part in parts(text_of(zone, date(2026, 1, 1), date(2026, 12, 31))):
        local = datetime.strptime(part["DTSTART"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        instant = local - parsed_offset(part["TZOFFSETFROM"])
        assert (instant - SECOND).astimezone(info).utcoffset() == parsed_offset(part["TZOFFSETFROM"])
        assert instant.astimezone(info).utcoffset() == parsed_offset(part["TZOFFSETTO"])


def test_icalendar_reads_the_component_back() -> None:
    zone = Timezone.from_ical(text_of("America/New_York", date(2026, 1, 1), date(2026, 12, 31)))
    assert zone.tz_name == "America/New_York"
    assert [part.name for part in zone.subcomponents] == ["DAYLIGHT", "STANDARD"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "America"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(UnknownId) as caught:
        make_vtimezone(zone, date(2026, 1, 1), date(2026, 1, 2))
    assert (caught.value.kind, caught.value.identifier) == ("time zone", zone)


def test_dates_that_run_backwards_are_refused() -> None:
    with pytest.raises(ValueError, match="before the first"):
        make_vtimezone("UTC", date(2026, 1, 2), date(2026, 1, 1))
