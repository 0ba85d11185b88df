"""The world of a clinic of one's own, as its workbook has it: its staff, its weeks, and what patients are referred for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from api.simulation.setting import WEEKS_BEYOND, ReferralMix, Setting, load_mix
from api.spreadsheets.clinic_workbook import make_scenario, read_workbook_file
from scheduling.clinic import Clinic
from scheduling.errors import Fault, InvalidFile
from scheduling.fields import ONE_DAY, Priority
from scheduling.generate.dates import Dates
from scheduling.generate.profile import SiteWish, load_profile
from scheduling.workbook import Book
from scheduling.workbook.documents import read_usual

MAX_WEEKS = 52
"""Most weeks of a clinic's own that are lived through: its roster is that of one scenario."""


def make_own_setting(file: Path, start: date | None, weeks: int) -> Setting:
    """Return the world of a workbook.

    Parameters
    ----------
    start
        The first Monday; None: the first one of its plan.

    Raises
    ------
    InvalidFile
        With every fault of the workbook, each by its cell; also when nobody is referred for anything.
    """
    reading = read_workbook_file(file)
    first = start or _find_monday(reading.book, file)
    last = first + timedelta(weeks=weeks + WEEKS_BEYOND) - ONE_DAY
    scenario = make_scenario(replace(reading, book=reading.book.until(last)), str(file))
    referrals = tuple(_list_referrals(reading.book))
    if not referrals:
        raise InvalidFile(str(file), [Fault("kinds", "has no row: nobody is referred for anything")])
    mix = load_mix().changed(
        pumps=None,
        bedside=None,
        rounds=None,
        outcomes={},
        closing_location=scenario.clinic.locations[0].id,
        group_requests_per_week=len(reading.book.of("workshops")),
        referrals=referrals,
    )
    dates = Dates(first, weeks + WEEKS_BEYOND, (), scenario.clinic.closures)
    return Setting(mix, dates, scenario.providers, _make_wishes(scenario.clinic), load_profile().patients.halves, file)


def _find_monday(book: Book, file: Path) -> date:
    """Return the first Monday on or after the first day of a workbook."""
    day: date | None = next(iter(book.values("clinic", "first_day")), None)
    if day is None:
        raise InvalidFile(str(file), [Fault("clinic, row 2, first_day", "missing")])
    return day + (-day.weekday() % 7) * ONE_DAY


def _list_referrals(book: Book) -> Iterator[ReferralMix]:
    """Yield how many patients a week are referred to each pathway, whatever for."""
    weights: Mapping[str, Counter[Priority]] = defaultdict(Counter)
    for row in book.of("kinds"):
        kind = row.cells
        weights[kind["pathway"]][kind.get("priority", "routine")] += kind.get("per_week", read_usual()["kinds"]["per_week"])
    for pathway, counts in weights.items():
        if counts.total():
            yield ReferralMix(pathway=pathway, per_week=float(counts.total()), priorities=dict(counts))


def _make_wishes(clinic: Clinic) -> tuple[SiteWish, ...]:
    everywhere = tuple(site.id for site in clinic.sites)
    return tuple(SiteWish(allowed=everywhere, weight=1, preferred=site) for site in everywhere)
