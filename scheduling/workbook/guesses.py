"""What was probably meant by a cell that cannot be read: as people write it elsewhere, written as the sheet wants it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

from scheduling.timegrid import MINUTES_PER_DAY, write_clock
from scheduling.workbook.sheets import Kind

SPREADSHEET_EPOCH = date(1899, 12, 30)
"""The day 0 of spreadsheets, in which a date without its format is a number of days (ECMA-376, part 1, section 18.17.4.1)."""

SPREADSHEET_DAYS = range(36_526, 73_051)
"""Numbers that are taken for days: those of the years 2000 to 2099."""

YES = ("y", "x", "1", "1.0", "ok", "on", "ja", "j", "oui", "si", "sí", "✓", "✔", "wahr", "vrai")
NO = ("n", "0", "0.0", "off", "nein", "non", "none", "not", "✗", "✘", "falsch", "faux")
LEVELS = {
    "low": ("little", "small", "minor", "niedrig", "gering", "wenig"),
    "normal": ("medium", "middle", "mid", "usual", "default", "mittel", "average"),
    "high": ("very", "much", "big", "important", "hoch", "viel", "wichtig", "top"),
}
MONTHS = (
    ("jan", "jän"), ("feb",), ("mar", "mär", "mrz"), ("apr", "avr"), ("may", "mai"), ("jun", "juin"), ("jul", "juil"),
    ("aug", "aou", "aoû"), ("sep",), ("oct", "okt"), ("nov",), ("dec", "dez", "déc"),
)  # fmt: skip
"""How names of months begin, in English, German and French."""

WEEKDAYS = {
    "MO": ("mo",), "TU": ("tu", "di"), "WE": ("we", "mi"), "TH": ("th", "do"), "FR": ("fr",), "SA": ("sa",), "SU": ("su", "so"),
}  # fmt: skip
"""How names of weekdays begin, in English and German; the French ones begin as others do here."""

SPANS = {"weekday": "MO-FR", "workday": "MO-FR", "werktag": "MO-FR", "daily": "MO-SU", "every day": "MO-SU", "täglich": "MO-SU"}


DASHES = "-\u2013\u2014"

MAX_GUESSES = 2
"""More of them are none."""


def guess(kind: Kind, raw: Any) -> tuple[str, ...]:
    """Return how a cell would have to be written for what it may mean; empty: nobody knows, or it may mean too much."""
    offered = tuple(dict.fromkeys(_GUESSES[kind](raw))) if kind in _GUESSES else ()
    return offered if len(offered) <= MAX_GUESSES else ()


def _guess_whole(raw: Any) -> Iterator[str]:
    if isinstance(raw, time | datetime):
        yield str(raw.hour * 60 + raw.minute)
        return
    text = str(raw).strip()
    if hours := re.fullmatch(r"(\d{1,2})\s*(?:h|hr|hrs|hours?|std\.?|stunden?)\s*(?:(\d{1,2})\s*)?(?:m|min)?\.?", text, re.I):
        yield str(int(hours[1]) * 60 + int(hours[2] or 0))
    elif clock := re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?", text):
        yield str(int(clock[1]) * 60 + int(clock[2]))
    elif number := re.fullmatch(r"\D*?-?(\d{1,6})(?:[.,]0+)?(?!\d|[.,]\d)\D*", text):
        yield number[1]


def _guess_yes(raw: Any) -> Iterator[str]:
    word = str(raw).strip().casefold().rstrip(".!")
    if word in YES or word.startswith("yes"):
        yield "yes"
    elif word in NO or word.startswith("no "):
        yield "no"


def _guess_date(raw: Any) -> Iterator[str]:
    if isinstance(raw, datetime):
        yield raw.date().isoformat()
    elif isinstance(raw, int | float) and int(raw) in SPREADSHEET_DAYS:
        yield (SPREADSHEET_EPOCH + timedelta(days=int(raw))).isoformat()
    elif isinstance(raw, str):
        yield from (day.isoformat() for day in _list_days(raw))


def _list_days(text: str) -> Iterator[date]:
    """Yield the dates that a text can mean: of ``5/11/2026`` both."""
    words = re.sub(r"\b(\d{1,2})(?:st|nd|rd|th)\b", r"\1", text.casefold())
    numbers = re.findall(r"\d+", words)
    if any(len(number) > len("20261130") for number in numbers):  # no date, and perhaps more digits than an int may have
        return
    named = _find_months(words)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:]]
    if len(named) == 1 and len(numbers) in (2, 3):
        years = [number for number in numbers if len(number) == 4]
        others = [number for number in numbers if len(number) < 3]
        choices = [(year, named[0], day) for year, day in product(years, others[:1])]
    elif len(numbers) >= 3 and len(numbers[0]) == 4:
        choices = [(numbers[0], int(numbers[1]), numbers[2])]
    elif len(numbers) >= 3 and len(numbers[2]) in (2, 4):
        year = numbers[2] if len(numbers[2]) == 4 else f"20{numbers[2]}"
        first, second = int(numbers[0]), int(numbers[1])
        choices = [(year, second, str(first))] + ([(year, first, str(second))] if "/" in text else [])
    else:
        choices = []
    for year, month, day in choices:
        try:
            yield date(int(year), month, int(day))
        except ValueError:
            continue


def _find_months(words: str) -> list[int]:
    """Return the months that a text names."""
    return [month for month, names in enumerate(MONTHS, 1) if re.search(rf"\b(?:{'|'.join(names)})", words)]


def _guess_clock(raw: Any) -> Iterator[str]:
    if isinstance(raw, float) and 0 < raw < 1:
        minutes = round(raw * MINUTES_PER_DAY)
        yield write_clock(minutes)
        return
    if isinstance(raw, datetime):
        yield f"{raw:%H:%M}"
        return
    yield from _list_clocks(str(raw))


CLOCK = re.compile(
    r"(?<![\d.:,;])(\d{1,2})(?:[:.h,](\d{2})(?!\d))?(?::\d{2})?(?!\d|[:;.,]\d)\s*(?:([ap])\.?\s?m\b\.?)?"
    r"|(?<!\d)(\d{2})(\d{2})(?!\d)",
    re.I,
)
"""A time of day: ``9``, ``9:00``, ``9.30``, ``8h30``, ``5 pm`` or ``0830``."""


def _list_clocks(text: str) -> Iterator[str]:
    """Yield the times that a text names; of ``9-17`` both, and of more than two none."""
    found = list(CLOCK.finditer(re.sub(r"(\d)\s*h\b(?!\d)", r"\1:00", text, flags=re.I)))
    if len(found) > 2:
        return
    for clock in found:
        hours, minutes = int(clock[1] or clock[4]), int(clock[2] or clock[5] or 0)
        if clock[3]:
            hours = hours % 12 + (12 if clock[3].casefold() == "p" else 0)
        if hours == 24 and minutes == 0:
            yield "00:00"
        elif hours < 24 and minutes < 60:
            yield f"{hours:02}:{minutes:02}"


MOMENT = re.compile(
    r"^(\d{4}\D\d{1,2}\D\d{1,2}|.*?\d{4})\D+(\d{1,2}[:.h]\d{2}.*|\d{1,2}\s*(?:[ap]m|uhr|h)\b.*)$",
    re.I | re.S,  # what follows is taken to the end: else every date in a long cell would be tried in its turn
)
"""A date with its year, and a time of day after it."""


def _guess_stamp(raw: Any) -> Iterator[str]:
    if isinstance(raw, float) and not raw.is_integer() and int(raw) in SPREADSHEET_DAYS:
        yield from (f"{day}T{clock}" for day in _guess_date(raw) for clock in _guess_clock(raw % 1))
        return
    if not isinstance(raw, str):
        yield from _guess_date(raw)
        return
    parts = MOMENT.match(raw.strip())
    if parts is None:
        yield from _guess_date(raw) if not re.search(r"\d\s*(?::|h\b|[ap]m|uhr)", raw, re.I) else ()
        return
    clocks = list(_list_clocks(parts[2]))
    yield from (f"{day}T{clock}" for day in _list_days(parts[1]) for clock in clocks[:1])


def _guess_month(raw: Any) -> Iterator[str]:
    if isinstance(raw, int | float) and int(raw) in SPREADSHEET_DAYS:
        yield f"{SPREADSHEET_EPOCH + timedelta(days=int(raw)):%Y-%m}"
        return
    words = str(raw).casefold()
    years = re.findall(r"\b\d{4}\b", words)
    named = _find_months(words)
    numbers = [int(number) for number in re.findall(r"\b\d{1,2}\b", words)]
    months = named or [number for number in numbers[:1] if 1 <= number <= 12]
    if len(numbers) > 1:  # a date: its month
        months = [day.month for day in _list_days(words)]
    yield from (f"{year}-{month:02}" for year in years[:1] for month in months)


def _guess_days(raw: Any) -> Iterator[str]:
    text = str(raw).casefold()
    for word, span in SPANS.items():
        if word in text:
            yield span
            return
    words = re.findall(r"[^\W\d_]+|[-\u2013\u2014]", re.sub(r"\b(?:to|bis|until|à)\b", "-", text))
    written = ""
    for word in words:
        if word in DASHES:
            written += "-"
            continue
        if word in ("and", "und", "et", "u"):
            continue
        day = next((day for day, names in WEEKDAYS.items() if word.startswith(names)), None)
        if day is None:
            return
        written += day if not written or written.endswith("-") else f", {day}"
    if written.strip("-"):
        yield written.strip("-")


def _guess_level(raw: Any) -> Iterator[str]:
    word = str(raw).strip().casefold()
    named = [level for level, others in LEVELS.items() if word.startswith((level, *others))]
    yield from named[:1] or _guess_whole(raw)


def _guess_list(raw: Any) -> Iterator[str]:
    if isinstance(raw, str):
        words = [word.strip() for word in re.split(r"[,;/\n]", raw) if word.strip()]
        yield ", ".join(words)


_GUESSES: Mapping[Kind, Callable[[Any], Iterator[str]]] = {
    "ids": _guess_list,
    "team": _guess_list,
    "whole": _guess_whole,
    "yes": _guess_yes,
    "date": _guess_date,
    "stamp": _guess_stamp,
    "clock": _guess_clock,
    "month": _guess_month,
    "days": _guess_days,
    "level": _guess_level,
}
