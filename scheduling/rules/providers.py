"""Rules of the people who give care: seats, shifts, travel, supervision, load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import combinations

from scheduling.people import Provider, Shift
from scheduling.plan import Item, Plan, Violation
from scheduling.rules.sweep import find_overlaps, find_overloads, is_overlapping
from scheduling.scenario import Scenario
from scheduling.timegrid import minute_of_day, stamp, weekday

FULL_ATTENTION = 2
"""A provider's attention: one procedure, or two office visits."""


def list_commitments(scenario: Scenario, plan: Plan) -> Mapping[tuple[str, date], Sequence[Item]]:
    """Return the items that each provider is in the team of, or supervises, by provider and date."""
    return plan.derive(scenario, _group_commitments)


def _group_commitments(scenario: Scenario, plan: Plan) -> Mapping[tuple[str, date], Sequence[Item]]:
    items: dict[tuple[str, date], list[Item]] = defaultdict(list)
    for item in plan.items(scenario):
        for provider in dict.fromkeys(item.commitments):
            items[provider, item.date].append(item)
    return items


def team(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Each seat of a team has a provider of its own."""
    for item in plan.items(scenario):
        members = item.booking.team
        if len(members) != len(item.service.team):
            yield Violation("team", (item.id,), f"has {len(members)} of {len(item.service.team)} providers")
        elif len(set(members)) < len(members):
            yield Violation("team", (item.id,), "has one provider in two seats")


def qualified(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Whoever fills a seat has one of its skills."""
    for item in plan.items(scenario):
        for seat, member in zip(item.service.team, item.booking.team, strict=False):
            if not scenario.providers_by_id[member].can_fill(seat.any_of):
                yield Violation("qualified", (item.id, member), f"lacks {' or '.join(seat.any_of)}")


def shift(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Everybody committed to an item is on one shift that contains it, at the location chosen for it or at one beside it."""
    chosen: dict[tuple[str, datetime], str] = {}
    for place in plan.shifts:
        if place.location not in _shift(scenario.providers_by_id[place.provider], place.start).locations:
            yield Violation("shift", (place.provider,), f"cannot spend the shift of {place.start:%a %H:%M} at {place.location}")
        if chosen.setdefault((place.provider, place.start), place.location) != place.location:
            yield Violation("shift", (place.provider,), f"has two locations for the shift of {place.start:%a %H:%M}")
    used: set[tuple[str, datetime]] = set()
    for item in plan.items(scenario):
        for member in dict.fromkeys(item.commitments):
            on = next((s for s in scenario.providers_by_id[member].shifts if is_within_shift(s, item)), None)
            if on is None:
                yield Violation("shift", (item.id, member), "is not within one shift")
                continue
            used.add((member, on.start))
            if not on.may_attend(item.booking.location, chosen.get((member, on.start))):
                where = chosen.get((member, on.start), "no location")
                yield Violation("shift", (item.id, member), f"spends that shift at {where}, not at {item.booking.location}")
    for provider, start in sorted(chosen.keys() - used):
        yield Violation("shift", (provider,), f"has a location for the shift of {start:%a %H:%M}, which is not used")


def _shift(provider: Provider, start: datetime) -> Shift:
    return next(shift for shift in provider.shifts if shift.start == start)


def is_within_shift(shift: Shift, item: Item) -> bool:
    """Return whether a shift contains an item whole."""
    return shift.start <= item.booking.start and item.booking.end <= shift.end


def busy(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Nobody is committed while busy elsewhere."""
    for item in plan.items(scenario):
        for member in dict.fromkeys(item.commitments):
            for time in scenario.providers_by_id[member].busy:
                if is_overlapping(time, item.booking):
                    until = f"{time.end:%H:%M}" if time.end.date() == time.start.date() else f"{time.end:%a %d %b %H:%M}"
                    yield Violation("busy", (item.id, member), f"is busy from {time.start:%a %H:%M} to {until}")


def provider_overlap(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Nobody is in the team of two items at once."""
    for (provider, _), items in list_commitments(scenario, plan).items():
        own = [item for item in items if provider in item.booking.team]
        for first, second in find_overlaps(own, lambda item: item.end_minute):
            yield Violation("provider-overlap", (first.id, second.id, provider), f"both at {second.booking.start:%a %H:%M}")


def travel(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Between commitments at different locations on one day there is time to travel."""
    for (provider, _), items in list_commitments(scenario, plan).items():
        if len({item.booking.location for item in items}) < 2:
            continue
        for pair in combinations(items, 2):
            first, second = sorted(pair, key=lambda item: item.start_minute)
            needed = scenario.travel_minutes(first.booking.location, second.booking.location)
            apart = second.start_minute - first.end_minute
            if first.booking.location != second.booking.location and apart < needed:
                yield Violation("travel", (first.id, second.id, provider), f"{apart} of {needed} minutes to travel")


def supervision(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A trainee works only under a supervisor with a skill of the trainee's seat; nobody else is supervised."""
    people = scenario.providers_by_id
    for item in plan.items(scenario):
        supervisors = item.booking.supervisors
        seats = [s for s, member in zip(item.service.team, item.booking.team, strict=False) if people[member].trainee]
        for provider in supervisors:
            if people[provider].trainee:
                yield Violation("supervision", (item.id, provider), "is a trainee and cannot supervise")
            if provider in item.booking.team:
                yield Violation("supervision", (item.id, provider), "supervises an item of their own")
            if not any(people[provider].can_fill(seat.any_of) for seat in seats):
                yield Violation("supervision", (item.id, provider), "supervises no trainee whose seat they could fill")
        if len(set(supervisors)) < len(supervisors):
            yield Violation("supervision", (item.id,), "names a supervisor twice")
        for seat in seats:
            if not any(people[provider].can_fill(seat.any_of) for provider in supervisors):
                yield Violation("supervision", (item.id,), f"a trainee has no supervisor with {' or '.join(seat.any_of)}")


def attention(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Nobody attends to more than one procedure or two office visits at a time, own and supervised."""
    for (provider, _), items in list_commitments(scenario, plan).items():
        if scenario.providers_by_id[provider].trainee:
            continue
        uses = [(item.start_minute, item.end_minute, item.service.attention, item) for item in items]
        for running in find_overloads(uses, FULL_ATTENTION):
            yield Violation("attention", (*running, provider), "ask for more attention than one person has")


def daily_limit(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Nobody spends more minutes of a day in teams than their daily limit."""
    for (provider, day), items in list_commitments(scenario, plan).items():
        minutes = sum(item.service.minutes for item in items if provider in item.booking.team)
        limit = scenario.providers_by_id[provider].max_minutes_per_day
        if minutes > limit:
            yield Violation("daily-limit", (provider,), f"{minutes} of {limit} minutes on {day}")


def block_reserved(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """During a special clinic its providers do nothing else but what it welcomes."""
    for item in plan.items(scenario):
        for block in scenario.clinic.blocks:
            if block.admits(item.service.id, item.booking.location) or block.weekday != weekday(item.date):
                continue
            starts, ends = (stamp(item.date, minute_of_day(clock)) for clock in (block.start, block.end))
            if item.booking.start < ends and starts < item.booking.end:
                for provider in sorted(set(item.commitments) & set(block.providers)):
                    yield Violation("block-reserved", (item.id, provider), f"is reserved for {block.id}")
