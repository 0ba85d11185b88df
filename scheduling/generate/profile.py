"""What synthetic weeks are made of: the records of ``profile.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, get_args

from pydantic import Field

from scheduling.catalogue import parse_toml
from scheduling.catalogue.entries import ClockInterval, Extent
from scheduling.fields import Clock, Count, Half, Id, Minutes, Model, Positive, Priority, Weekday

SizeName = Literal["tiny", "week", "month"]
SIZES: tuple[SizeName, ...] = get_args(SizeName)

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Range = tuple[Count, Count]


class BySize(Model):
    """A number for each size."""

    tiny: Count
    week: Count
    month: Count

    def of(self, size: SizeName) -> int:
        """Return the number for a size."""
        number: int = getattr(self, size)
        return number


class LoadRange(Model):
    """Share of working minutes asked for: the busiest skill's is at least ``floor``, nobody's is over ``ceiling``."""

    floor: Share
    ceiling: Share


class Size(Model):
    """What one size of scenario holds."""

    weeks: Positive
    extent: Extent
    visits: Positive
    load: LoadRange
    workshops: tuple[Id, ...]
    reserves: tuple[Id, ...]
    training: bool


class Holiday(Model):
    """A day of every year: by date, or the ``week``-th such weekday of its month (-1: the last)."""

    name: str
    month: Positive
    day: Positive | None = None
    weekday: Weekday | None = None
    week: int = 1


class Training(Model):
    """An afternoon on which one location is closed."""

    location: Id
    weekday: Weekday
    start: Clock
    end: Clock
    reason: str


class Workplace(Model):
    """Where a day may be spent; with two locations, the plan chooses."""

    locations: tuple[Id, ...]
    weight: Count


class Duty(Model):
    """A half-day of every week that one of a team, or all of it, spends at a place."""

    weekday: Weekday
    half: Half
    locations: tuple[Id, ...]
    who: Literal["one", "all"]


class Team(Model):
    """The providers of one role."""

    role: Id
    count: BySize
    half_days: Range
    places: tuple[Workplace, ...]
    duties: tuple[Duty, ...] = ()


class MeetingMix(Model):
    """Meetings within half-days."""

    share: Share
    minutes: tuple[Minutes, ...]


class Staff(Model):
    """Everybody who works there."""

    other_place_share: Share
    busy: MeetingMix
    teams: tuple[Team, ...]


class SiteWish(Model):
    """Sites that patients come to."""

    allowed: tuple[Id, ...]
    weight: Count
    preferred: Id | None = None


class HalfWish(Model):
    """The half of the day that patients like."""

    weight: Count
    prefers: Half | None = None


class PatientMix(Model):
    """What patients are like."""

    returning_share: Share
    away_share: Share
    away_day_share: Share
    sites: tuple[SiteWish, ...]
    halves: tuple[HalfWish, ...]


class ByPriority(Model):
    """A number for each priority that visits have when it is not for cancer."""

    routine: Count
    soon: Count
    urgent: Count


class VisitMix(Model):
    """How often a service is asked for by itself."""

    service: Id
    weight: Count
    new_onset: Share = 0.0
    required_share: Share = 0.0
    due_in: Range | None = None


class SingleVisitMix(Model):
    """Single visits."""

    first_day_share: Share
    preferred_share: Share
    chronic: ByPriority
    new_onset: ByPriority
    due_days: ByPriority
    mix: tuple[VisitMix, ...]


class CancerVisitMix(Model):
    """A service for patients with cancer, so many a week."""

    service: Id
    per_week: BySize
    same_day: bool


class EpisodeMix(Model):
    """Episodes of one pathway, met at several of its steps."""

    pathway: Id
    entries: tuple[Count, ...]
    count: BySize
    priority: Priority
    due_in: Count


class GroupMix(Model):
    """Who may be given a seat in a group."""

    candidates: Range
    known_share: Share
    soon_share: Share


class ReserveMix(Model):
    """Capacity held on each of some weekdays."""

    id: Id
    service: Id
    weekdays: tuple[Weekday, ...]
    start: Clock
    end: Clock
    site: Id | None = None


class NeedMix(Model):
    """What the second edition of the file format adds to a week, and what of it stands when it has begun."""

    opens: Clock
    minutes_share: Share
    minutes: tuple[int, ...]
    equipment: Id
    equipment_units: Count
    equipment_share: Share
    unscheduled_share: Share
    unscheduled: tuple[Count, ...]
    closed_rooms: Count
    closed_from: Clock
    closed_to: Clock
    welcome: Id
    beside_roles: tuple[Id, ...]
    beside_of: Id
    beside: Id
    any_order: Id
    standing: BySize
    now: Clock


class GenerationProfile(Model):
    """All of ``profile.toml``."""

    sizes: Mapping[SizeName, Size]
    halves: Mapping[Half, ClockInterval]
    holidays: tuple[Holiday, ...]
    training: Training
    staff: Staff
    patients: PatientMix
    visits: SingleVisitMix
    cancer: tuple[CancerVisitMix, ...]
    episodes: tuple[EpisodeMix, ...]
    groups: GroupMix
    reserves: tuple[ReserveMix, ...]
    needs: NeedMix


@cache
def load_profile() -> GenerationProfile:
    """Return the profile of synthetic weeks."""
    text = files("scheduling.generate").joinpath("profile.toml").read_text(encoding="utf-8")
    return parse_toml(GenerationProfile, text, "profile.toml")
