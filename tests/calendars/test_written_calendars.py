"""Calendars as programs really write them: each kind of fault, in several forms, is read as it was meant, or counted.

Times are those of New York in November 2026, where a case names no other clinic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from calendars.busy import BusyTimes, read_busy_times
from scheduling.errors import InvalidFile

BEGIN, END = datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2026, 12, 1, 5, tzinfo=UTC)

ATHENS = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T040000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
END:DAYLIGHT
END:VTIMEZONE
"""

SINGLE = """BEGIN:VTIMEZONE
TZID:Ours
BEGIN:STANDARD
{lines}
END:STANDARD
END:VTIMEZONE
"""


@dataclass(frozen=True)
class Case:
    """Events, each its lines separated by ``|``, with what else the calendar says, and when they are busy."""

    events: tuple[str, ...]
    expected: str
    unread: int = 0
    head: str = ""
    clinic: str = "America/New_York"


def of(*events: str, busy: str, unread: int = 0, head: str = "", clinic: str = "America/New_York") -> Case:
    return Case(events, busy, unread, head, clinic)


def written(case: Case) -> bytes:
    parts = ["BEGIN:VCALENDAR", "VERSION:2.0", *case.head.strip().splitlines()]
    for number, event in enumerate(case.events):
        uid = () if event.startswith("UID:") else (f"UID:{number}",)
        parts += ["BEGIN:VEVENT", *uid, *event.split("|"), "END:VEVENT"]
    return "\r\n".join((*parts, "END:VCALENDAR", "")).encode()


def read(case: Case) -> BusyTimes:
    return read_busy_times(written(case), case.clinic, BEGIN, END)


def told(case: Case) -> tuple[str, int]:
    """Return busy times by the clinic's clocks, ``3 03:00-04:00``, with the date of the end where it is another day."""
    busy, zone, texts = read(case), ZoneInfo(case.clinic), []
    for start, end in busy.intervals:
        begins, ends = start.astimezone(zone), end.astimezone(zone)
        day = "" if begins.date() == ends.date() else f"{ends.day} "
        texts.append(f"{begins.day} {begins:%H:%M}-{day}{ends:%H:%M}")
    return ", ".join(texts), busy.unread


def zoned(name: str) -> str:
    return f"DTSTART;TZID={name}:20261103T100000|DURATION:PT1H"


T9 = "DTSTART:20261103T090000|DURATION:PT1H"
DAY = "DTSTART;VALUE=DATE:20261103|DTEND;VALUE=DATE:20261104"
TUESDAYS = "3 09:00-10:00, 10 09:00-10:00, 17 09:00-10:00"
THREE_DAYS = "3 00:00-4 00:00, 10 00:00-11 00:00, 17 00:00-18 00:00"
BERLIN_DAYS = {"clinic": "Europe/Berlin", "busy": THREE_DAYS}

KINDS: dict[str, list[Case]] = {
    "a TZID escaped in the definition": [
        of(zoned('"(UTC+02:00) Athens, Bucharest"'), busy="3 03:00-04:00", head=ATHENS.format(name=name))
        for name in ("(UTC+02:00) Athens\\, Bucharest", '"(UTC+02:00) Athens\\, Bucharest"', "(utc+02:00) ATHENS\\, Bucharest ")
    ]
    + [
        of(zoned("(UTC+02:00) Athens"), busy="3 03:00-04:00", head=ATHENS.format(name="(UTC+02:00) Athens")),
        of(zoned('"Ours; theirs"'), busy="3 03:00-04:00", head=ATHENS.format(name="Ours\\; theirs")),
        of(zoned("Ours \\ theirs"), busy="3 03:00-04:00", head=ATHENS.format(name="Ours \\\\ theirs")),
    ],
    "a zone without a definition": [
        of(zoned('"(GMT+10:00) Canberra, Melbourne, Sydney"'), busy="2 19:00-20:00"),
        of(zoned('"(UTC) Coordinated Universal Time"'), busy="3 05:00-06:00"),
        of(zoned("GMT -0500 (Standard) / GMT -0400 (Daylight)"), busy="3 10:00-11:00"),
        of(zoned("Western/Central Europe"), busy="3 10:00-11:00", unread=1),
        of(zoned("Europe/Germany"), zoned("Europe/Germany"), busy="3 10:00-11:00", unread=1),
        of(zoned("w. europe STANDARD time"), busy="3 04:00-05:00"),
        of(zoned("GTB Daylight Time"), busy="3 03:00-04:00"),
        of(zoned("W. Europe Standard Time 1"), busy="3 04:00-05:00"),
        of(zoned("(GMT+01.00) Sarajevo/Warsaw/Zagreb"), busy="3 04:00-05:00"),
        of(zoned("Coordinated Universal Time"), busy="3 05:00-06:00"),
        of(zoned("Z"), busy="3 05:00-06:00"),
        of(zoned("2"), busy="3 10:00-11:00", unread=1),
    ],
    "a zone in another case": [
        of(zoned("europe/berlin"), busy="3 04:00-05:00"),
        of(zoned("utc"), busy="3 05:00-06:00"),
        of(zoned("UTC+2"), busy="3 03:00-04:00"),
        of(zoned("AMERICA/NEW_YORK"), busy="3 10:00-11:00"),
        of(zoned("America/New York"), busy="3 10:00-11:00"),
        of(zoned("gmt-05:30"), busy="3 10:30-11:30"),
        of(zoned("/example.org/20261101/EUROPE/BERLIN"), busy="3 04:00-05:00"),
    ],
    "a definition with a fault": [
        of(zoned("Ours"), busy="2 18:00-19:00", head=SINGLE.format(lines=lines))
        for lines in (
            "DTSTART;VALUE=DATE:20170101\nTZOFFSETFROM:+1100\nTZOFFSETTO:+1100",
            "DTSTART:20170101T000000\nTZOFFSETTO:+1100",
            "DTSTART:20170101T000000\nTZOFFSETFROM:None\nTZOFFSETTO:+11:00",
            "DTSTART:20170101T000000Z\nTZOFFSETFROM:+11\nTZOFFSETTO:+11",
            "DTSTART:20170101T000000\nTZOFFSETFROM:1100\nTZOFFSETTO:1100",
            "DTSTART:20170101T000000\nRRULE:FREQ=NEVER\nTZOFFSETFROM:+1100\nTZOFFSETTO:+1100",
        )
    ]
    + [
        of(zoned("Ours"), busy="3 04:00-05:00", head="BEGIN:VTIMEZONE\nTZID:Ours\nX-LIC-LOCATION:Europe/Berlin\nEND:VTIMEZONE"),
        of(zoned("Ours"), busy="3 10:00-11:00", unread=1, head="BEGIN:VTIMEZONE\nTZID:Ours\nEND:VTIMEZONE"),
    ],
    "blanks in BYDAY": [
        of(f"{T9}|RRULE:{rule}", busy="3 09:00-10:00, 5 09:00-10:00, 10 09:00-10:00, 12 09:00-10:00")
        for rule in (
            "FREQ=DAILY;UNTIL=20261112T150000Z;BYDAY=TU, TH",
            "FREQ=WEEKLY;COUNT=4;BYDAY= TU ,TH ;WKST=SU",
            "FREQ = WEEKLY; COUNT = 4; BYDAY = TU, TH",
            "freq=weekly;count=4;byday=tu,th",
            "FREQ=WEEKLY;COUNT=4;BYDAY=TU,,TH,;",
            'FREQ=WEEKLY;COUNT=4;BYDAY="TU,TH"',
            "FREQ=WEEKLY;COUNT=4;BYDAY=TUE,Thursday",
            "RRULE:FREQ=WEEKLY;COUNT=4;BYDAY=TU,TH",
        )
    ]
    + [
        # UNTIL was reckoned with the offset of summer: the last day is meant.
        of(
            "DTSTART;TZID=America/New_York:20261103T090000|DURATION:PT1H|RRULE:FREQ=WEEKLY;UNTIL=20261117T130000Z;BYDAY= TU",
            busy=TUESDAYS,
        )
    ],
    "a COUNT that is none": [
        of(f"{T9}|RRULE:FREQ=WEEKLY;{parts}", busy=TUESDAYS)
        for parts in (
            "UNTIL=20261117;COUNT=-1;INTERVAL=1;BYDAY=TU",
            "COUNT=0;UNTIL=20261117T235959",
            "COUNT=;UNTIL=20261117T140000Z",
            "UNTIL=20261117T090000;COUNT=-1;INTERVAL=",
            "COUNT=3;INTERVAL=1;COUNT=3",
        )
    ]
    + [of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=many;UNTIL=20261117", busy=TUESDAYS, unread=1)],
    "a rule that says nothing": [
        of(f"{T9}|{line}", busy="3 09:00-10:00", unread=unread)
        for line, unread in (
            ("RRULE:", 0),
            ("RRULE: ", 0),
            ("RRULE:;", 0),
            ("RRULE:|EXDATE:|RDATE:", 0),
            ("RRULE:FREQ=", 1),
            ("RRULE:none", 1),
            ("RRULE:FREQ=FORTNIGHTLY", 1),
        )
    ],
    "several rules": [
        of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=3|RRULE:FREQ=MONTHLY;COUNT=2", busy=TUESDAYS),
        of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=2|RRULE:FREQ=DAILY;INTERVAL=14;COUNT=2", busy=TUESDAYS),
        of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=3|RRULE:FREQ=WEEKLY;COUNT=3", busy=TUESDAYS),
        of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=3|RRULE:garbage", busy=TUESDAYS, unread=1),
        of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=3|RRULE:", busy=TUESDAYS),
        of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=3|RRULE:FREQ=DAILY;COUNT=2|EXDATE:20261104T090000", busy=TUESDAYS),
    ],
    "an empty EXDATE": [
        of(f"{DAY}|RRULE:FREQ=WEEKLY;COUNT={count}|{line}", busy=THREE_DAYS, unread=unread)
        for count, line, unread in (
            (3, "EXDATE;VALUE=DATE:", 0),
            (3, "EXDATE:", 0),
            (3, "EXDATE:,", 0),
            (4, "EXDATE;VALUE=DATE:20261124,", 0),
            (4, "EXDATE;VALUE=DATE:20261124|EXDATE:", 0),
            (5, "EXDATE;VALUE=DATE:20261124;20261201", 0),
            (3, "EXDATE:None", 1),
        )
    ],
    "an override that cannot be read": [
        of(f"UID:a|{T9}|RRULE:FREQ=WEEKLY;COUNT=3", f"UID:a|RECURRENCE-ID:20261110T090000|{lines}", busy=TUESDAYS, unread=1)
        for lines in (
            "DTSTART:TBD",
            "DTSTART:",
            "SUMMARY:no start",
            "DTSTART:20261399T090000|DURATION:PT1H",
            "DTSTART:20261110T090000|DURATION:None",
        )
    ]
    + [
        of(
            f"UID:a|{T9}|RRULE:FREQ=WEEKLY;COUNT=3",
            "UID:a|RECURRENCE-ID:none|DTSTART:20261111T090000|DURATION:PT1H",
            busy="3 09:00-10:00, 10 09:00-10:00, 11 09:00-10:00, 17 09:00-10:00",
            unread=1,
        ),
        of("UID:a|RECURRENCE-ID:20261110T090000|DTSTART:TBD", busy="10 09:00-10:00", unread=1),
        of(
            f"UID:a|{T9}|RRULE:FREQ=WEEKLY;COUNT=4",
            "UID:a|RECURRENCE-ID:20261124T090000|DTSTART:TBD|STATUS:CANCELLED",
            busy=TUESDAYS,
        ),
    ],
    "an end that cannot be read": [
        of("DTSTART;TZID=Europe/Berlin:20261103T180000|DTEND:None", busy="3 12:00-13:00", unread=1),
        of("DTSTART:20261103T120000|DURATION:1 hour", busy="3 12:00-13:00", unread=1),
        of("DTSTART:20261103T120000|DURATION:-PT1H", busy="3 12:00-13:00", unread=1),
        of("DTSTART:20261103T120000|DTEND:20261103T110000", busy="3 12:00-13:00", unread=1),
        of("DTSTART:20261103T120000|DTEND:None|DURATION:PT90M", busy="3 12:00-13:30", unread=1),
        of("DTSTART:20261103|DTEND:None", busy="3 00:00-4 00:00", unread=1),
        of("DTSTART:20251103T120000|DTEND:None", busy=""),
    ],
    "a time of day on one side and a date on the other": [
        of("DTSTART:20261103T200000|DTEND;VALUE=DATE:20261105", busy="3 20:00-5 00:00"),
        of("DTSTART:20261103T200000|DTEND:20261104", busy="3 20:00-4 00:00"),
        of("DTSTART;TZID=Europe/Berlin:20261103T200000|DTEND;VALUE=DATE:20261104", busy="3 14:00-18:00"),
        of("DTSTART;VALUE=DATE:20261103|DTEND:20261103T120000", busy="3 00:00-12:00"),
        of("DTSTART;VALUE=DATE:20261103|DTEND;TZID=Europe/Berlin:20261103T120000", busy="2 18:00-3 06:00"),
        of("DTSTART:20261103T200000|DTEND;VALUE=DATE:20261103", busy="3 20:00-21:00", unread=1),
        of(
            "DTSTART:20261103T200000|DTEND;VALUE=DATE:20261104|RRULE:FREQ=WEEKLY;COUNT=2",
            busy="3 20:00-4 00:00, 10 20:00-11 00:00",
        ),
    ],
    "hours and minutes": [
        of(
            "DTSTART:20261103T080000|DURATION:PT1H|RRULE:FREQ=HOURLY;INTERVAL=3;COUNT=4",
            busy="3 08:00-09:00, 3 11:00-12:00, 3 14:00-15:00, 3 17:00-18:00",
        ),
        of(
            "DTSTART:20261103T080000|DURATION:PT10M|RRULE:FREQ=MINUTELY;INTERVAL=30;COUNT=2",
            busy="3 08:00-08:10, 3 08:30-08:40",
        ),
        of("DTSTART:20261103T080000|DURATION:PT5S|RRULE:FREQ=SECONDLY;INTERVAL=5;COUNT=120", busy="3 08:00-08:10"),
        of(
            "DTSTART:20261103T080000|DURATION:PT20M|RRULE:FREQ=HOURLY;UNTIL=20261103T140000Z",
            busy="3 08:00-08:20, 3 09:00-09:20",
        ),
        of(
            "DTSTART:20201103T080000|DURATION:PT1H|RRULE:FREQ=HOURLY;BYHOUR=8;BYDAY=TU;UNTIL=20261111T000000Z",
            busy="3 08:00-09:00, 10 08:00-09:00",
        ),
        of(
            "DTSTART:20261103T080000|DURATION:PT10M|RRULE:FREQ=HOURLY;BYMINUTE=0,30;COUNT=3",
            busy="3 08:00-08:10, 3 08:30-08:40, 3 09:00-09:10",
        ),
        of("DTSTART:20261103T080000|DURATION:PT1M|RRULE:FREQ=MINUTELY", busy="3 08:00-08:01", unread=1),
    ],
    "a rule of the Gregorian calendar, and of others": [
        of(f"{T9}|RRULE:{rule}", busy=TUESDAYS)
        for rule in (
            "RSCALE=GREGORIAN;FREQ=WEEKLY;COUNT=3",
            "FREQ=WEEKLY;COUNT=3;RSCALE=gregorian",
            "RSCALE=GREGORIAN;FREQ=WEEKLY;COUNT=3;SKIP=OMIT",
            "RSCALE=GREGORIAN;FREQ=DAILY;INTERVAL=7;COUNT=3",
        )
    ]
    + [
        of(f"{T9}|RRULE:RSCALE=GREGORIAN;FREQ=WEEKLY;COUNT=3;SKIP=BACKWARD", busy=TUESDAYS, unread=1),
        of(f"{T9}|RRULE:RSCALE=HEBREW;FREQ=WEEKLY;COUNT=3", busy="3 09:00-10:00", unread=1),
    ],
    "24 o'clock, and other forms of a time": [
        of("DTSTART:20261103T220000|DTEND:20261103T240000", busy="3 22:00-4 00:00"),
        of("DTSTART:20261103T2200|DTEND:20261103T2400", busy="3 22:00-4 00:00"),
        of("DTSTART:20261103T240000|DURATION:PT1H", busy="4 00:00-01:00"),
        of("DTSTART:2026-11-03T22:00:00|DTEND:2026-11-03T24:00:00", busy="3 22:00-4 00:00"),
        of("DTSTART:20261103T220000-0500|DTEND:20261103T240000-0500", busy="3 22:00-4 00:00"),
        of("DTSTART:2026-11-03 22:00:00.000+01:00|DURATION:PT1H", busy="3 16:00-17:00"),
        of("DTSTART:20261103T220000|DTEND:20261103T243000", busy="3 22:00-23:00", unread=1),
    ],
    "a series of whole days named in UTC": [
        of(f"{DAY}|RRULE:FREQ=WEEKLY;UNTIL=20261116T230000Z;INTERVAL=1;BYDAY=TU;WKST=MO", **BERLIN_DAYS),
        of(f"{DAY}|RRULE:FREQ=WEEKLY;COUNT=4|EXDATE:20261123T230000Z", **BERLIN_DAYS),
        of(
            f"UID:a|{DAY}|RRULE:FREQ=WEEKLY;COUNT=4",
            "UID:a|RECURRENCE-ID:20261123T230000Z|DTSTART;VALUE=DATE:20261124|STATUS:CANCELLED",
            **BERLIN_DAYS,
        ),
        of(f"{DAY}|RDATE:20261109T230000Z,20261116T230000Z", **BERLIN_DAYS),
        of(
            f"{DAY}|RRULE:FREQ=WEEKLY;UNTIL=20261116T230000Z",
            busy=THREE_DAYS,
            head="X-WR-TIMEZONE:Europe/Berlin",
        ),
        of(
            f"{DAY}|RRULE:FREQ=WEEKLY;UNTIL=20261116T220000Z",
            busy=THREE_DAYS,
            head=ATHENS.format(name="GTB Standard Time"),
        ),
        of(
            "UID:a|DTSTART;TZID=Europe/Berlin:20261103T150000|DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=4|EXDATE:20261124T140000Z",
            "UID:a|RECURRENCE-ID:20261117T140000Z|DTSTART;TZID=Europe/Berlin:20261118T150000|DURATION:PT1H",
            busy="3 09:00-10:00, 10 09:00-10:00, 18 09:00-10:00",
        ),
    ],
    "a period as RDATE": [
        of(
            f"DTSTART:20261103T100000Z|DTEND:20261103T110000Z|RDATE;VALUE=PERIOD:{period}",
            busy=f"3 05:00-06:00, 4 05:00-{end}",
            unread=unread,
        )
        for period, end, unread in (
            ("20261104T100000Z/PT3H", "08:00", 0),
            ("20261104T100000Z/20261104T130000Z", "08:00", 0),
            ("20261104T100000Z/PT3H,20261104T100000Z/PT2H", "07:00", 0),
            ("20261104T100000Z", "06:00", 0),
            ("20261104T100000Z,never/PT1H", "06:00", 1),
            ("20261104T100000Z/PT2H,20261104T130000Z/-PT1H", "07:00", 1),
        )
    ],
    "one UID with several starts": [
        of(*(f"UID:a|DTSTART:202611{day:02}T100000|DURATION:PT1H{more}" for day in (3, 4, 5)), busy=busy)
        for more, busy in (
            ("", "3 10:00-11:00, 4 10:00-11:00, 5 10:00-11:00"),
            ("|SEQUENCE:2", "3 10:00-11:00, 4 10:00-11:00, 5 10:00-11:00"),
            (
                "|RRULE:FREQ=WEEKLY;COUNT=2",
                "3 10:00-11:00, 4 10:00-11:00, 5 10:00-11:00, 10 10:00-11:00, 11 10:00-11:00, 12 10:00-11:00",
            ),
        )
    ]
    + [
        of(
            "UID:a|DTSTART:20261103T100000|DURATION:PT1H|SEQUENCE:1",
            "UID:a|DTSTART:20261104T100000|DURATION:PT1H|SEQUENCE:2",
            busy="4 10:00-11:00",
        ),
        of(
            "UID:a|DTSTART:20261103T100000|DURATION:PT1H",
            "UID:a|DTSTART:20261103|TRANSP:TRANSPARENT",
            busy="3 10:00-11:00",
        ),
        of(
            "UID:a|DTSTART:20261103T100000|DURATION:PT1H",
            "UID:a|DTSTART:20261104T100000|DURATION:PT1H",
            "UID:a|RECURRENCE-ID:20261104T100000|DTSTART:20261105T100000|DURATION:PT1H",
            busy="3 10:00-11:00, 5 10:00-11:00",
        ),
    ],
    "X-WR-TIMEZONE": [
        of("DTSTART:20261103T210000|DTEND:20261103T224500", busy="3 15:00-16:45", head="X-WR-TIMEZONE:Europe/Brussels"),
        of("DTSTART:20261103T210000|DTEND:20261103T224500", busy="3 15:00-16:45", head="X-WR-TIMEZONE:romance standard time"),
        of("DTSTART:20261103T210000Z|DURATION:PT1H", busy="3 16:00-17:00", head="X-WR-TIMEZONE:Europe/Brussels"),
        of("DTSTART;TZID=UTC:20261103T210000|DURATION:PT1H", busy="3 16:00-17:00", head="X-WR-TIMEZONE:Europe/Brussels"),
        of("DTSTART:20261103T210000|DURATION:PT1H", busy="3 21:00-22:00", unread=1, head="X-WR-TIMEZONE:Atlantis"),
        of("DTSTART;VALUE=DATE:20261103", busy="3 00:00-4 00:00", head="X-WR-TIMEZONE:Europe/Brussels"),
        of("DTSTART:20261103T210000|DTEND:20261103T224500", busy="3 15:00-16:45", head="X-WR-TIMEZONE;X-A=b:Europe/Brussels"),
    ],
    "parts of a rule that say nothing": [
        of(f"{T9}|RRULE:FREQ=WEEKLY;COUNT=3;{parts}", busy=TUESDAYS, unread=1)
        for parts in ("BYDAY=1TU", "BYMONTHDAY=3", "BYDAY=TU,XX", "X-NAME=x", "WKST=XX", "INTERVAL=0")
    ],
    "a start that cannot be read": [
        of(f"UID:a|{lines}", f"UID:b|{T9}", busy="3 09:00-10:00", unread=1)
        for lines in (
            "DURATION:PT1H",
            "DTSTART:TBD",
            "DTSTART:20269999T090000",
            "DTSTART:00010101T090000|RRULE:FREQ=DAILY",
            "DTSTART:|DTEND:20261103T100000",
            "DTSTART;VALUE=DATE:soon",
        )
    ],
}

CASES = [pytest.param(case, id=f"{kind}-{number}") for kind, cases in KINDS.items() for number, case in enumerate(cases)]


@pytest.mark.parametrize("case", CASES)
def test_it_is_read_as_it_was_meant_or_counted(case: Case) -> None:
    assert told(case) == (case.expected, case.unread)


def test_each_kind_has_at_least_six_forms() -> None:
    assert {kind for kind, cases in KINDS.items() if len(cases) < 6} == set()


@pytest.mark.parametrize("minutes", ["1H", "2H", "12H", "24H"])
@pytest.mark.parametrize("end", ["duration", "end"])
def test_a_length_is_exact_over_a_change_of_the_clocks(minutes: str, end: str) -> None:
    start = datetime(2027, 3, 13, 20, tzinfo=ZoneInfo("America/New_York"))
    hours = int(minutes.removesuffix("H"))
    stop = datetime.fromtimestamp(start.timestamp() + hours * 3600, ZoneInfo("America/New_York"))
    line = f"DURATION:PT{minutes}" if end == "duration" else f"DTEND;TZID=America/New_York:{stop:%Y%m%dT%H%M%S}"
    case = of(f"DTSTART;TZID=America/New_York:20270313T200000|{line}", busy="")
    busy_times = read_busy_times(written(case), case.clinic, datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC))
    assert [stop - start for start, stop in busy_times.intervals] == [stop.astimezone(UTC) - start.astimezone(UTC)]


def test_a_day_is_a_day_by_the_clocks_whatever_they_do_meanwhile() -> None:
    case = of("DTSTART;TZID=America/New_York:20270313T200000|DURATION:P1DT1H", busy="")
    busy_times = read_busy_times(written(case), case.clinic, datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC))
    assert busy_times.intervals[0][1].astimezone(ZoneInfo(case.clinic)).hour == 21


def test_what_is_free_cancelled_or_over_costs_nothing_of_the_limits() -> None:
    free = "DTSTART;VALUE=DATE:19800101|RRULE:FREQ=DAILY|TRANSP:TRANSPARENT"
    over = "DTSTART:20120102T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY;UNTIL=20250101T000000Z"
    counted = "DTSTART:20120102T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=4000"
    off = "DTSTART:20120102T090000Z|DURATION:PT1H|RRULE:FREQ=HOURLY|STATUS:CANCELLED"
    case = of(*[free, over, counted, off] * 700, T9, busy="3 09:00-10:00")
    assert told(case) == (case.expected, 0)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_a_calendar_is_read_in_the_encoding_that_its_mark_says(encoding: str) -> None:
    case = of(f"SUMMARY:M\u00fcnchen|{T9}", busy="3 09:00-10:00")
    text = written(case).decode().encode(encoding)
    assert read_busy_times(text, case.clinic, BEGIN, END).intervals == read(case).intervals


def test_control_as_many_series_that_go_on_are_refused() -> None:
    case = of(*["DTSTART:20120102T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY"] * 2_800, busy="")
    with pytest.raises(InvalidFile, match="repetitions"):
        read(case)


def test_the_clinics_own_events_are_no_busy_time_and_those_of_another_clinic_are() -> None:
    case = of(
        *(f"UID:{uid}|DTSTART:202611{day}T090000|DURATION:PT1H" for uid, day in (("ours", "03"), ("theirs", "04"))), busy=""
    )
    busy_times = read_busy_times(written(case), case.clinic, BEGIN, END, find_own=lambda uids: {"ours"} & set(uids))
    assert [start.day for start, _ in busy_times.intervals] == [4]


def test_what_is_unread_is_listed_by_its_property_and_the_start_of_its_event() -> None:
    found = read(of("DTSTART:20261103T120000|DTEND:None", "DTSTART:TBD", busy=""))
    assert [(part.property, part.start) for part in found.unread_parts] == [
        ("DTEND", datetime(2026, 11, 3, 17, tzinfo=UTC)),
        ("DTSTART", None),
    ]


def test_a_list_of_what_is_unread_is_bounded_and_the_count_is_whole() -> None:
    found = read(of(*["DTSTART:TBD"] * 300, busy=""))
    assert (found.unread, len(found.unread_parts)) == (300, 20)


def test_a_replacement_that_a_later_revision_of_the_series_excludes_is_gone_and_one_of_the_same_revision_is_not() -> None:
    series = f"UID:a|{T9}|RRULE:FREQ=WEEKLY;COUNT=3|EXDATE:20261110T090000|SEQUENCE:2"
    replacement = "UID:a|RECURRENCE-ID:20261110T090000|DTSTART:20261111T090000|DURATION:PT1H|SEQUENCE:{0}"
    assert told(of(series, replacement.format(1), busy=""))[0] == "3 09:00-10:00, 17 09:00-10:00"
    assert told(of(series, replacement.format(2), busy=""))[0] == "3 09:00-10:00, 11 09:00-10:00, 17 09:00-10:00"


def test_a_replacement_of_this_and_all_later_occurrences_moves_them() -> None:
    series = f"UID:a|{T9}|RRULE:FREQ=WEEKLY;COUNT=4"
    later = "UID:a|RECURRENCE-ID;RANGE=THISANDFUTURE:20261110T090000|DTSTART:20261111T110000|DURATION:PT2H"
    single = "UID:a|RECURRENCE-ID:20261117T090000|DTSTART:20261117T120000|DURATION:PT1H"
    assert told(of(series, later, single, busy=""))[0] == "3 09:00-10:00, 11 11:00-13:00, 17 12:00-13:00, 25 11:00-13:00"
    assert told(of(series, f"{later}|STATUS:CANCELLED", busy=""))[0] == "3 09:00-10:00"
