"""What a simulated world is about: the mix of what is asked for, the dates, the staff, and what patients would like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random

from pydantic import Field

from scheduling.catalogue import parse_toml
from scheduling.catalogue.entries import ClockInterval
from scheduling.fields import Clock, Count, Id, Model, Priority
from scheduling.generate.dates import WORKING_WEEKDAYS, Dates, make_dates
from scheduling.generate.profile import HalfWish, Range, Share, SiteWish, load_profile
from scheduling.generate.roster import draw_roster
from scheduling.people import Provider, Shift
from scheduling.timegrid import minute_of_day, stamp

HOLIDAY_FREE = "palliative-physician"
"""The role whose one member is never on holiday."""

WEEKS_BEYOND = 2
"""Weeks after the last one that are planned in it."""


class ReferralMix(Model):
    """Referrals to a pathway: how many a week, and the weights of their priorities."""

    pathway: Id
    per_week: float = Field(ge=0)
    priorities: Mapping[Priority, Count]


class Rounds(ClockInterval):
    """Hours at the bedside: where, by which role, and the location that is too far off to be there as well on one day."""

    location: Id
    role: Id
    too_far: Id


class Bedside(Model):
    """Patients who stay in the hospital: the pathway by which they are referred, and the sites at which they are seen."""

    pathway: Id
    sites: tuple[Id, ...]


class Refills(Model):
    """Patients who have a pump at first: how many, their pathway and its service, and days from a refill to a low reservoir."""

    patients: Count
    pathway: Id
    service: Id
    reservoir_days: Range


class Mix(Model):
    """All of ``mix.toml``; None stands for what does not happen."""

    no_show_share: Share
    cancel_share: Share
    cancel_days: Range
    illness_share: Share
    illness_days: Range
    holiday_weeks: Count
    closure_share: Share
    same_day_until: Clock
    group_requests_per_week: Count
    members: Range
    hoped_share: Share
    closing_location: Id
    pumps: Refills | None
    bedside: Bedside | None
    rounds: Rounds | None
    staff: Mapping[str, Count]
    outcomes: Mapping[str, Share]
    referrals: tuple[ReferralMix, ...]


@cache
def load_mix() -> Mix:
    """Return what a simulated clinic is asked for."""
    return parse_toml(Mix, files("api.simulation").joinpath("mix.toml").read_text(encoding="utf-8"), "mix.toml")


@dataclass(frozen=True)
class Setting:
    """What a world is about.

    Attributes
    ----------
    catalogue
        The file of a clinic's own catalogue; None: the pain centre's, with the simulation's weights.
    """

    mix: Mix
    dates: Dates
    providers: tuple[Provider, ...]
    sites: tuple[SiteWish, ...]
    halves: tuple[HalfWish, ...]
    catalogue: Path | None = None

    @property
    def open_days(self) -> range:
        """The days of a week that are lived through, 0 for Monday: to Friday, or as long as anybody works."""
        last = max((shift.start.weekday() for provider in self.providers for shift in provider.shifts), default=0)
        return range(max(len(WORKING_WEEKDAYS), last + 1))


def draw(seed: int, *names: object) -> Random:
    """Return random numbers of their own for what some names decide."""
    return Random(":".join(map(str, (seed, *names))))


def draw_setting(seed: int, start: date, weeks: int) -> Setting:
    """Return the pain centre's world."""
    mix, profile = load_mix(), load_profile()
    dates = make_dates(start, profile.sizes["week"].changed(weeks=weeks + WEEKS_BEYOND, training=False), profile)
    counted = (team.changed(count=team.count.changed(week=mix.staff[team.role])) for team in profile.staff.teams)
    profile = profile.changed(staff=profile.staff.changed(teams=tuple(counted)))
    staff = (_with_holidays(seed, dates, mix, member) for member in draw_roster(profile, "week", dates, draw(seed, "roster")))
    providers = tuple(_with_rounds(dates, mix.rounds, provider) for provider in staff)
    return Setting(mix, dates, providers, profile.patients.sites, profile.patients.halves)


def _with_holidays(seed: int, dates: Dates, mix: Mix, provider: Provider) -> Provider:
    """Return a provider without the shifts of their holidays, drawn once a quarter."""
    if provider.role == HOLIDAY_FREE:
        return provider
    away: set[int] = set()
    for quarter in range(0, dates.weeks, 13):
        for number in range(mix.holiday_weeks):
            away.add(quarter + draw(seed, "holidays", provider.id, quarter, number).randrange(1, 13))
    kept = (shift for shift in provider.shifts if (shift.start.date() - dates.start).days // 7 not in away)
    return provider.changed(shifts=tuple(kept))


def _with_rounds(dates: Dates, rounds: Rounds | None, provider: Provider) -> Provider:
    """Let a physician for cancer pain see inpatients between others on the campus, and on rounds on days spent there."""
    if rounds is None or provider.role != rounds.role:
        return provider
    begin, end = minute_of_day(rounds.start), minute_of_day(rounds.end)
    days = (day for day in dates.workdays if _is_on_campus(rounds, provider, day))
    made = (Shift(start=stamp(day, begin), end=stamp(day, end), locations=(rounds.location,)) for day in days)
    near = (shift if rounds.too_far in shift.locations else shift.changed(also=(rounds.location,)) for shift in provider.shifts)
    return provider.changed(shifts=tuple(sorted((*near, *made), key=lambda shift: shift.start)))


def _is_on_campus(rounds: Rounds, provider: Provider, day: date) -> bool:
    """Return whether a provider is at work on a day, near the bedside all of it."""
    places = {where for shift in provider.shifts if shift.start.date() == day for where in shift.locations}
    return bool(places) and rounds.too_far not in places
