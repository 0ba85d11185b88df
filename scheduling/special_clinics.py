"""Who staffs a special clinic: of all who could, one for each seat of its services, in turn from week to week.

Its visits are theirs: whoever sees one of its patients does nothing else in its hours, so that nobody else shall begin to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from scheduling.clinic import Block, Clinic, Service
from scheduling.fields import Interval
from scheduling.people import Provider
from scheduling.requests import Visit
from scheduling.timegrid import weekday

DAYS_OF_WEEK = 7


def pick_block_staff(block: Block, clinic: Clinic, providers: Iterable[Provider], day: date) -> tuple[str, ...]:
    """Return those of a special clinic's providers who staff it on a date: one for each seat of each of its services.

    They take turns week by week; whoever is not at work there for all of it, or is busy, gives the turn to the next, so that it
    stays where it is when others are away. Where a seat has nobody, all are named.
    """
    hours = Interval(start=datetime.combine(day, block.start), end=datetime.combine(day, block.end))
    able = [provider for provider in providers if provider.id in block.providers and not provider.trainee]
    here = {provider.id for provider in able if _is_free(provider, block.location, hours)}
    turn = day.toordinal() // DAYS_OF_WEEK
    staff: dict[str, None] = {}
    for service in clinic.services:
        if service.id in block.services:
            chosen: list[str] = []
            for seat in service.team:
                fitting = sorted(who.id for who in able if who.can_fill(seat.any_of) and who.id not in chosen)
                first = turn % max(len(fitting), 1)
                present = [who for who in (*fitting[first:], *fitting[:first]) if who in here]
                if not present:
                    return block.providers
                chosen.append(present[0])
            staff |= dict.fromkeys(chosen)
    return tuple(provider for provider in block.providers if provider in staff)


def staff_blocks(clinic: Clinic, providers: Sequence[Provider], dates: Sequence[date]) -> Clinic:
    """Return a clinic whose special clinics reserve those alone who staff them on some dates."""
    return clinic.changed(blocks=tuple(_restrict(block, clinic, providers, dates) for block in clinic.blocks))


def assign_visits(
    clinic: Clinic, providers: Sequence[Provider], visits: Sequence[Visit], dates: Sequence[date]
) -> tuple[Clinic, tuple[Visit, ...]]:
    """Return a clinic with its special clinics staffed for some dates, and visits, of which theirs require that staff.

    Where one alone of those who could fill a seat staffs it, that one has to. A visit that stands with another who can keep it
    requires that other, who is reserved too. One for which somebody is required already stays as it is.
    """
    staffed = staff_blocks(clinic, providers, dates)
    blocks, assigned = list[Block](), {visit.id: visit for visit in visits}
    for whole, block in zip(clinic.blocks, staffed.blocks, strict=True):
        staff = set(block.providers)
        for service, fitting, turn in _list_turns(whole, block, clinic, providers):
            for visit in visits:
                if visit.service == service.id and visit.required_provider is None:
                    who = _find_keeper(visit, service, fitting) or turn
                    staff.add(who)
                    assigned[visit.id] = visit.changed(required_provider=who)
        blocks.append(block.changed(providers=tuple(who for who in whole.providers if who in staff)))
    return staffed.changed(blocks=tuple(blocks)), tuple(assigned.values())


def _list_turns(
    whole: Block, block: Block, clinic: Clinic, providers: Iterable[Provider]
) -> Iterator[tuple[Service, list[Provider], str]]:
    """Yield the services of a special clinic of which several could fill a seat, with these, and with whose turn it is."""
    able = [who for who in providers if who.id in whole.providers and not who.trainee]
    for service in (service for service in clinic.services if service.id in block.services):
        for seat in service.team:
            fitting = [who for who in able if who.can_fill(seat.any_of)]
            staff = [who.id for who in fitting if who.id in block.providers]
            if len(staff) == 1 < len(fitting):
                yield service, fitting, staff[0]
                break


def _find_keeper(visit: Visit, service: Service, fitting: Iterable[Provider]) -> str | None:
    """Return who of some providers has a visit where it stands, and can keep it there."""
    if visit.current is None:
        return None
    minutes = timedelta(minutes=visit.minutes or service.minutes)
    hours = Interval(start=visit.current.start, end=visit.current.start + minutes)
    team, where = visit.current.team, visit.current.location
    return next((who.id for who in fitting if who.id in team and _is_free(who, where, hours)), None)


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
