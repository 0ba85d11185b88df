"""Who staffs a special clinic: of all who could, one for each seat of its services, in turn from week to week."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from scheduling.clinic import Block, Clinic
from scheduling.fields import Interval
from scheduling.people import Provider
from scheduling.timegrid import weekday

DAYS_OF_WEEK = 7


def pick_block_staff(block: Block, clinic: Clinic, providers: Iterable[Provider], day: date) -> tuple[str, ...]:
    """Return those of a special clinic's providers who staff it on a date: one for each seat of each of its services.

    Whoever is at work there for all of it, and not busy, takes turns week by week. Where a seat has nobody, all are named.
    """
    hours = Interval(start=datetime.combine(day, block.start), end=datetime.combine(day, block.end))
    able = [provider for provider in providers if provider.id in block.providers and not provider.trainee]
    here = [provider for provider in able if _is_free(provider, block.location, hours)]
    turn = day.toordinal() // DAYS_OF_WEEK
    staff: dict[str, None] = {}
    for service in clinic.services:
        if service.id in block.services:
            chosen: list[str] = []
            for seat in service.team:
                fitting = sorted(who.id for who in here if who.can_fill(seat.any_of) and who.id not in chosen)
                if not fitting:
                    return block.providers
                chosen.append(fitting[turn % len(fitting)])
            staff |= dict.fromkeys(chosen)
    return tuple(provider for provider in block.providers if provider in staff)


def staff_blocks(clinic: Clinic, providers: Sequence[Provider], dates: Sequence[date]) -> Clinic:
    """Return a clinic whose special clinics reserve those alone who staff them on some dates."""
    return clinic.changed(blocks=tuple(_restrict(block, clinic, providers, dates) for block in clinic.blocks))


def _restrict(block: Block, clinic: Clinic, providers: Sequence[Provider], dates: Sequence[date]) -> Block:
    held = [day for day in dates if weekday(day) == block.weekday]
    staff = {who for day in held for who in pick_block_staff(block, clinic, providers, day)}
    return block.changed(providers=tuple(who for who in block.providers if who in staff)) if held else block


def _is_free(provider: Provider, location: str, hours: Interval) -> bool:
    """Return whether somebody is at work at a location for some hours, and not busy."""
    at_work = any(
        location in shift.reachable_locations and shift.start <= hours.start and hours.end <= shift.end
        for shift in provider.shifts
    )
    return at_work and not any(time.start < hours.end and hours.start < time.end for time in provider.busy)
