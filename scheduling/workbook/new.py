"""A new workbook: one example row a sheet, which a clinic writes over; it can be planned as it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

from scheduling.workbook.book import Book, Row, read_book
from scheduling.workbook.sheets import Sheet, load_sheets
from scheduling.workbook.weights import list_normal_weights

DAYS_OF_PLAN = 5
"""A new workbook plans from a day to the fourth after it: from Monday to Friday."""

FIRST_ROW = 2


def create_book(name: str, timezone: str, phone: str, sites: Sequence[str], first_day: date) -> Book:
    """Return the workbook of a new clinic, with a building at each site.

    Parameters
    ----------
    sites : sequence of str
        Names of towns or campuses, at least one.
    first_day : date
        The first day to plan; the five days from it on are planned.
    """
    ids = _name_sites(sites)
    rows = {key: [_make_example(sheet, ids[0])] for key, sheet in load_sheets().items()}
    rows["clinic"] = [
        {
            **rows["clinic"][0],
            "name": name,
            "timezone": timezone,
            "phone": phone or None,
            "first_day": first_day,
            "last_day": first_day + timedelta(days=DAYS_OF_PLAN - 1),
        }
    ]
    rows["sites"] = [{"id": key, "name": site} for key, site in zip(ids, sites, strict=True)]
    rows["buildings"] = [
        {**rows["buildings"][0], "id": key, "site": key, "name": f"{name}, {site}"}
        for key, site in zip(ids, sites, strict=True)
    ]
    rows["week"].append({**rows["week"][0], "start": time(13), "end": time(17)})
    made = {key: [Row(number, cells) for number, cells in enumerate(rows[key], FIRST_ROW) if cells] for key in rows}
    made["weights"] = list(list_normal_weights())
    return read_book(made).book


def _name_sites(sites: Sequence[str]) -> list[str]:
    ids: list[str] = []
    for site in sites:
        plain = re.sub(r"\W+", "-", site.casefold()).strip("-") or "site"
        ids.append(plain if plain not in ids else f"{plain}-{len(ids) + 1}")
    return ids


def _make_example(sheet: Sheet, site: str) -> dict[str, Any]:
    cells = {column.key: column.example for column in sheet.columns if column.example is not None}
    places = {column.key: site for column in sheet.columns if column.of in ("sites", "buildings") and column.key in cells}
    return cells | places
