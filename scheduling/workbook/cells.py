"""What a cell of the workbook says: read leniently, from Excel's types and from text; written in one way."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Any, get_args

from scheduling.fields import MONTH_PATTERN, ONE_DAY, Weekday, format_stamp, within_years
from scheduling.workbook.guesses import guess
from scheduling.workbook.sheets import Column, Kind

NOTHING = "-"
"""A list that is known to be empty; a blank cell says nothing of it."""

LIKENESS = 0.6
"""How like a word another has to be for it to have been meant, from 0 to 1."""

EMPTY_TEXT = '""'
"""A text that is known to be empty."""

WEEKDAYS: tuple[str, ...] = get_args(Weekday)
WEEKDAY_NAMES = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
LEVELS = ("low", "normal", "high")
ANSWERS = {"yes": True, "no": False, "true": True, "false": False}
OR = re.compile(r"(?<=\s)or(?=\s)|\|")


MEANT = "; did you mean"
"""What comes before a suggestion."""


class UnreadableCell(ValueError):
    """A cell that does not hold what its column is for; says what would be right."""


def suggest(word: str, known: Iterable[str]) -> str:
    """Return what was probably meant, as the end of a sentence; empty: nothing is near."""
    folded = {name.casefold(): name for name in known}
    return offer([folded[near] for near in find_near(word.casefold(), folded)])


def find_near(word: str, known: Iterable[str]) -> list[str]:
    """Return the word that is most like another, if one is like enough."""
    return get_close_matches(word, list(known), 1, LIKENESS)


def offer(words: Sequence[str]) -> str:
    """Return what may have been meant, as the end of a sentence; empty for nothing."""
    named = " or ".join(f'"{word}"' for word in words)
    return f"{MEANT} {named}?" if words else ""


def read_cell(column: Column, raw: Any) -> Any:
    """Return what a cell holds, as the column's kind has it; None: it is blank.

    Raises
    ------
    UnreadableCell
        When it holds something else.
    """
    if isinstance(raw, str):
        raw = raw.strip() if column.kind != "texts" else raw.strip("\n\r ")
    if raw is None or raw == "":
        return None
    try:
        value = _READERS[column.kind](raw) if column.kind != "stamp" else _read_stamp(raw, column.through)
    except UnreadableCell as error:
        near = "" if MEANT in str(error) else offer(guess(column.kind, raw))
        raise UnreadableCell(f"{error}{near}") from None
    if column.choices and value not in column.choices:
        folded = {choice.casefold(): choice for choice in column.choices}
        if str(value).casefold() in folded:
            return folded[str(value).casefold()]
        raise UnreadableCell(f'"{value}" is none of {", ".join(column.choices)}{suggest(str(value), column.choices)}')
    return value


def _shown(raw: Any) -> str:
    return f'"{str(raw)[:40]}"'


def _read_text(raw: Any) -> str:
    match raw:
        case str():
            return "" if raw == EMPTY_TEXT else raw
        case bool():
            raise UnreadableCell(f"is {str(raw).upper()}; write text")
        case int():
            return str(raw)
        case float():
            return str(int(raw)) if raw.is_integer() else str(raw)
    raise UnreadableCell(f"expected text, got {_shown(raw)}")


def _read_whole(raw: Any) -> int:
    if isinstance(raw, bool):
        raise UnreadableCell("expected a whole number, got yes or no")
    if (
        isinstance(raw, int)
        or (isinstance(raw, float) and raw.is_integer())
        or (isinstance(raw, str) and re.fullmatch(r"-?\d{1,12}", raw, re.ASCII))
    ):
        number = int(raw)
    else:
        raise UnreadableCell(f"expected a whole number, got {_shown(raw)}")
    if number < 0:
        raise UnreadableCell(f"{number} is below 0")
    return number


def _read_yes(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    answer = ANSWERS.get(str(raw).casefold())
    if answer is None:
        raise UnreadableCell(f"expected yes or no, got {_shown(raw)}")
    return answer


def _read_date(raw: Any) -> date:
    if isinstance(raw, datetime):
        if raw.time() != time():
            raise UnreadableCell("has a time of day; give the date alone")
        return within_years(raw.date())
    if isinstance(raw, date):
        return within_years(raw)
    try:
        if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw, re.ASCII):
            return within_years(date.fromisoformat(raw))
    except ValueError as error:
        raise UnreadableCell(f"{_shown(raw)}: {error}") from None
    raise UnreadableCell(f'expected a date like "2026-11-30", got {_shown(raw)}')


def _read_stamp(raw: Any, through: bool) -> datetime:
    """Return a moment; a date alone is its first one or, with ``through``, its end."""
    if isinstance(raw, datetime) and raw.time() != time():
        return _expect_minutes(raw)
    if isinstance(raw, str) and (parts := re.fullmatch(r"(\d{4}-\d{2}-\d{2})[T ](\d{1,2}:\d{2})", raw, re.ASCII)):
        return datetime.combine(_read_date(parts[1]), _read_clock(parts[2]))
    try:
        day = _read_date(raw)
    except UnreadableCell:
        raise UnreadableCell(f'expected a date and time like "2026-11-30T09:00", got {_shown(raw)}') from None
    return datetime.combine(day + ONE_DAY if through else day, time())


def _expect_minutes(moment: datetime) -> datetime:
    nearest = (moment + timedelta(milliseconds=500)).replace(microsecond=0)  # Excel keeps times as fractions of a day
    if nearest.second:
        raise UnreadableCell("has seconds; give hours and minutes")
    within_years(nearest)
    return nearest


def _read_clock(raw: Any) -> time:
    if isinstance(raw, datetime):
        raw = raw.time()
    if isinstance(raw, time):
        return _expect_minutes(datetime.combine(date(2000, 1, 1), raw)).time()
    if isinstance(raw, str) and (parts := re.fullmatch(r"(\d{1,2}):(\d{2})", raw, re.ASCII)):
        hours, minutes = int(parts[1]), int(parts[2])
        if hours < 24 and minutes < 60:
            return time(hours, minutes)
    raise UnreadableCell(f'expected a clock time like "09:00", got {_shown(raw)}')


def _read_month(raw: Any) -> str:
    if isinstance(raw, date):
        return f"{raw:%Y-%m}"
    if isinstance(raw, str) and re.fullmatch(MONTH_PATTERN, raw, re.ASCII):
        return raw
    raise UnreadableCell(f'expected a month like "2026-12", got {_shown(raw)}')


def _read_ids(raw: Any) -> tuple[str, ...]:
    if isinstance(raw, list | tuple):
        return tuple(_read_text(element) for element in raw)
    text = _read_text(raw)
    if text == NOTHING:
        return ()
    rows = list(csv.reader([text.replace("\n", ",")], skipinitialspace=True, strict=False))
    words = tuple(word.strip() for word in (rows[0] if rows else []))
    if not all(words):
        raise UnreadableCell(f"has a comma too many: {_shown(raw)}")
    return words


def _read_texts(raw: Any) -> tuple[str, ...]:
    if isinstance(raw, list | tuple):
        return tuple(_read_text(element) for element in raw)
    if raw == NOTHING:
        return ()
    return tuple(line.strip() for line in _read_text(raw).splitlines() if line.strip())


def _read_team(raw: Any) -> tuple[tuple[str, ...], ...]:
    if isinstance(raw, list | tuple) and all(isinstance(seat, list | tuple) for seat in raw):
        return tuple(_read_ids(seat) for seat in raw)
    return tuple(tuple(name.strip() for name in OR.split(seat)) for seat in _read_ids(raw))


def _read_days(raw: Any) -> tuple[str, ...]:
    days: list[str] = []
    for word in _read_ids(raw):
        ends = [_find_weekday(end) for end in word.split("-")]
        if None in ends or len(ends) > 2:
            raise UnreadableCell(f'"{word}" is no weekday; days are {", ".join(WEEKDAYS)}, or like MO-FR')
        first, last = (WEEKDAYS.index(str(end)) for end in (ends[0], ends[-1]))
        if last < first:
            onward = join_words((*WEEKDAYS[first:], *WEEKDAYS[: last + 1]))
            raise UnreadableCell(f'"{word}" goes backwards{offer([onward])}')
        days += WEEKDAYS[first : last + 1]
    return tuple(dict.fromkeys(days))


def _find_weekday(word: str) -> str | None:
    """Return the day that a word means: ``TU``, ``Tue`` and ``Tuesday``; None: no day."""
    start = word.strip(" .").upper()
    named = (day for day, name in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True) if name.startswith(start))
    return next(named, None) if len(start) > 1 else None


def _read_level(raw: Any) -> int | str:
    if isinstance(raw, str) and raw.casefold() in LEVELS:
        return raw.casefold()
    try:
        return _read_whole(raw)
    except UnreadableCell as error:
        raise UnreadableCell(f"{error}; write low, normal, high or a number{suggest(str(raw), LEVELS)}") from None


_READERS: Mapping[Kind, Callable[[Any], Any]] = {
    "text": _read_text,
    "texts": _read_texts,
    "id": _read_text,
    "ids": _read_ids,
    "team": _read_team,
    "whole": _read_whole,
    "yes": _read_yes,
    "date": _read_date,
    "clock": _read_clock,
    "month": _read_month,
    "days": _read_days,
    "level": _read_level,
}


def format_cell(column: Column, value: Any) -> str | int | date | time | None:
    """Return what a spreadsheet's cell holds for a value; the inverse of :func:`read_cell`."""
    match column.kind:
        case _ if value is None:
            return None
        case "text" | "id" | "month":
            return str(value) or EMPTY_TEXT
        case "texts":
            return "\n".join(value) or NOTHING
        case "yes":
            return "yes" if value else "no"
        case "stamp":
            return format_stamp(value)
        case "ids":
            return join_words(value)
        case "days":
            return join_words(shorten_days(value))
        case "team":
            return join_words([" or ".join(seat) for seat in value])
    kept: str | int | date | time = value
    return kept


def join_words(words: Sequence[str]) -> str:
    """Write words as one cell, separated by commas; a word with a comma is quoted."""
    if not words:
        return NOTHING
    if tuple(words) == (NOTHING,):
        return f'"{NOTHING}"'
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue().replace(",", ", ") if not any("," in word for word in words) else line.getvalue()


def shorten_days(days: Sequence[str]) -> tuple[str, ...]:
    """Return weekdays with three or more that follow each other as one span."""
    places = [WEEKDAYS.index(day) for day in days]
    if len(places) > 2 and places == list(range(places[0], places[0] + len(places))):
        return (f"{days[0]}-{days[-1]}",)
    return tuple(days)
