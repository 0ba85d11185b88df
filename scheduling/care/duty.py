"""Duty: the half-days of the roster on which nobody could see a patient who is referred that day.

Who has to be seen on the day of the referral needs somebody with the skill in whatever half of the day it comes. A roster that
has nobody then is best mended weeks before; on the day, only an extra shift helps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scheduling.care.rolling import ClinicRecords
from scheduling.catalogue.entries import ReserveRule
from scheduling.clinic import Service
from scheduling.fields import ONE_DAY, Half, Interval
from scheduling.people import Provider, Shift
from scheduling.special_clinics import pick_block_staff
from scheduling.timegrid import NOON_MINUTE, WEEKDAYS, stamp, weekday
from scheduling.working_time import list_free_intervals


@dataclass(frozen=True, slots=True)
class UncoveredHalf:
    """A half-day on which people work, and nobody at a site (None: at any) for a service of the same day."""

    date: date
    half: Half
    service: str
    site: str | None


def find_uncovered_halves(records: ClinicRecords, first: date, weeks: int) -> tuple[UncoveredHalf, ...]:
    """Return the half-days of some weeks that lack somebody for a service for which capacity of the same day is held.

    A half-day on which nobody works is none of the roster. Trainees do not count, nor who is busy, or staffs a special clinic,
    for so much of it that the service does not fit.
    """
    services = {service.id: service for service in records.clinic.services}
    rules = [rule for rule in records.held if rule.notice_days == 0 and rule.service in services]
    lacking = []
    for day in (first + n * ONE_DAY for n in range(weeks * len(WEEKDAYS))):
        here = _list_present(records, day)
        for half, hours in _list_halves(day):
            if any(_overlaps(shift, hours) for provider in here for shift in provider.shifts):
                lacking += [
                    UncoveredHalf(day, half, rule.service, rule.site)
                    for rule in rules
                    if weekday(day) in rule.weekdays and not _is_covered(records, rule, services[rule.service], here, hours)
                ]
    return tuple(lacking)


def _list_halves(day: date) -> Iterator[tuple[Half, Interval]]:
    noon = stamp(day, NOON_MINUTE)
    yield "morning", Interval(start=stamp(day, 0), end=noon)
    yield "afternoon", Interval(start=noon, end=stamp(day + ONE_DAY, 0))


def _list_present(records: ClinicRecords, day: date) -> list[Provider]:
    """Return who works on a day, trainees apart, with that day's shifts."""
    here = []
    for provider in records.providers:
        shifts = tuple(shift for shift in provider.shifts if shift.start.date() == day)
        if shifts and not provider.trainee:
            here.append(provider.changed(shifts=shifts))
    return here


def _is_covered(records: ClinicRecords, rule: ReserveRule, service: Service, here: Iterable[Provider], hours: Interval) -> bool:
    """Return whether every seat of a service has somebody, at one place, for as long as it takes."""
    places = [
        place.id for place in records.clinic.locations if place.id in service.locations and rule.site in (None, place.site)
    ]
    needed = timedelta(minutes=service.minutes)
    for place in places:
        there = [
            who for who in _free_for(records, service, place, here, hours) if _has_time(records, who, place, hours, needed)
        ]
        if all(any(provider.can_fill(seat.any_of) for provider in there) for seat in service.team):
            return True
    return False


def _free_for(
    records: ClinicRecords, service: Service, place: str, here: Iterable[Provider], hours: Interval
) -> list[Provider]:
    """Return who works on a day, busy while they staff a special clinic that does not welcome a service at a place."""
    day = hours.start.date()
    taken: dict[str, list[Interval]] = defaultdict(list)
    for block in records.clinic.blocks:
        if block.weekday == weekday(day) and not (service.id in block.welcomes and place == block.location):
            held = Interval(start=datetime.combine(day, block.start), end=datetime.combine(day, block.end))
            for member in pick_block_staff(block, records.clinic, records.providers, day):
                taken[member].append(held)
    return [provider.changed(busy=(*provider.busy, *taken[provider.id])) for provider in here]


def _has_time(records: ClinicRecords, provider: Provider, place: str, hours: Interval, needed: timedelta) -> bool:
    free = (
        (max(left.start, hours.start), min(left.end, hours.end))
        for shift in provider.shifts
        if place in shift.reachable_locations
        for left in list_free_intervals(provider, shift, place, records.clinic.closures)
    )
    return any(end - start >= needed for start, end in free)


def _overlaps(shift: Shift, hours: Interval) -> bool:
    return shift.start < hours.end and hours.start < shift.end
