"""The providers of a synthetic clinic, with their half-days at work and their meetings."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import get_args

from scheduling.catalogue import list_roles
from scheduling.catalogue.entries import ProviderRole
from scheduling.errors import UnknownId
from scheduling.fields import Half, Interval
from scheduling.generate.dates import Dates
from scheduling.generate.profile import GenerationProfile, SizeName, Staff, Team
from scheduling.people import Provider, Shift
from scheduling.timegrid import weekday

HALVES: tuple[Half, ...] = get_args(Half)

HalfDay = tuple[date, Half]
Places = dict[HalfDay, tuple[str, ...]]


def draw_roster(profile: GenerationProfile, size: SizeName, dates: Dates, rng: Random) -> tuple[Provider, ...]:
    """Draw everybody who works at the clinic, role by role."""
    known = {role.id: role for role in list_roles()}
    providers: list[Provider] = []
    for team in profile.staff.teams:
        if team.role not in known:
            raise UnknownId("role", team.role)
        members = team.count.of(size)
        for member in range(members):
            places: Places = {}
            for week in range(dates.weeks):
                places |= _week(profile.staff, team, dates, week, (member, members), rng)
            providers.append(_provider(profile, team, known[team.role], member + 1, places, rng))
    return tuple(providers)


def _week(staff: Staff, team: Team, dates: Dates, week: int, place: tuple[int, int], rng: Random) -> Places:
    """Draw one member's half-days of a week: the duties, then others up to a drawn number."""
    member, members = place
    halves: list[HalfDay] = [(day, half) for day in dates.week(week) for half in HALVES]
    fixed: Places = {}
    for number, duty in enumerate(team.duties):
        if duty.who == "all" or (number + week) % members == member:
            fixed |= {(d, h): duty.locations for d, h in halves if (weekday(d), h) == (duty.weekday, duty.half)}
    free = [half_day for half_day in halves if half_day not in fixed]
    wanted = rng.randint(*team.half_days) - len(fixed)
    chosen = rng.sample(free, min(max(wanted, 0), len(free)))
    by_day = {day: _place(team, rng) for day in dates.week(week)}
    for day, half in sorted(chosen, key=halves.index):
        elsewhere = half == HALVES[-1] and rng.random() < staff.other_place_share
        fixed[day, half] = _place(team, rng) if elsewhere else by_day[day]
    return {half_day: fixed[half_day] for half_day in halves if half_day in fixed}


def _place(team: Team, rng: Random) -> tuple[str, ...]:
    return rng.choices(team.places, [place.weight for place in team.places])[0].locations


def _provider(profile: GenerationProfile, team: Team, role: ProviderRole, number: int, places: Places, rng: Random) -> Provider:
    shared = [(duty.weekday, duty.half) for duty in team.duties if duty.who == "all"]
    shifts, busy = [], []
    for (day, half), locations in places.items():
        hours = profile.halves[half]
        shift = Shift(start=datetime.combine(day, hours.start), end=datetime.combine(day, hours.end), locations=locations)
        shifts.append(shift)
        if rng.random() < profile.staff.busy.share and (weekday(day), half) not in shared:
            busy.append(_meeting(shift, rng.choice(profile.staff.busy.minutes), rng))
    return Provider(
        id=f"{role.id}-{number}",
        name=f"{role.name} {number}",
        role=role.id,
        skills=role.skills,
        trainee=role.trainee,
        max_minutes_per_day=role.max_minutes_per_day,
        shifts=tuple(shifts),
        busy=tuple(busy),
    )


def _meeting(shift: Shift, minutes: int, rng: Random) -> Interval:
    """Draw a meeting within a shift, a whole number of its lengths after the shift's start."""
    length = timedelta(minutes=minutes)
    start = shift.start + rng.randrange((shift.end - shift.start) // length) * length
    return Interval(start=start, end=start + length)
