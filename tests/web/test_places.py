"""Where a visit is shaded it may stand: the places of a picked-up visit agree with the verdict on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from random import Random

import pytest
from support.browser import planned_week

from api.runtime.exceptions import RulesBroken
from api.services.accounts.accounts import SYSTEM
from api.services.bookings.by_hand import RequestedPlace
from api.services.bookings.change_sets import WantedChanges, decide_changes
from api.services.weeks.free_places import VisitPlaces, find_free_places
from api.services.weeks.week import WeekSnapshot
from scheduling.disruptions import Disruption, PlaceClosure, ProviderAbsence, apply_disruptions
from scheduling.generate import generate
from scheduling.plan import Plan
from scheduling.publishing import publish
from scheduling.rules.stability import list_notified_moves
from scheduling.scenario import Scenario
from scheduling.timegrid import minute_of_day
from solver import FreePlaces, Limits, solve

PAIRS = 1_000
"""Of each week."""
FIRST_MINUTE, LAST_MINUTE = 7 * 60, 18 * 60
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """A visit, a place, whether it is shaded, and the rules that it would break."""

    visit: str
    place: RequestedPlace
    shaded: bool
    broken: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return self.shaded is (self.broken == ())


@pytest.fixture(scope="module", params=["plain", "with needs"])
def week(request: pytest.FixtureRequest) -> WeekSnapshot:
    """Return a planned week; the second one uses every key of a scenario and has begun."""
    if request.param == "plain":
        return WeekSnapshot.of(None, *planned_week(), {})
    asked = generate("tiny", seed=3, with_needs=True)
    return WeekSnapshot.of(None, asked, solve(asked, Limits(seconds=1, workers=1)), {})


def draw_pairs(week: WeekSnapshot, judged_by: WeekSnapshot, count: int) -> Iterator[Pair]:
    """Draw visits, and places of each: such as are shaded, others close to those, and any at all."""
    random = Random(0)
    visits = [visit.id for visit in week.scenario.visits]
    while count > 0:
        places = find_free_places(week, random.choice(visits))
        for _ in range(min(10, count)):
            place = draw_place(random, week.scenario, week.plan, places)
            yield Pair(places.visit, place, is_shaded(places, place), judge(judged_by, places.visit, place))
            count -= 1


def draw_place(random: Random, scenario: Scenario, plan: Plan, places: VisitPlaces) -> RequestedPlace:
    if places.places and random.random() < 2 / 3:
        place = draw_shaded(random, random.choice(places.places))
        return place if random.random() < 1 / 2 else draw_near(random, scenario, place)
    like = random.choice(plan.visits)
    days = [
        scenario.horizon.start + timedelta(days=number)
        for number in range((scenario.horizon.end - scenario.horizon.start).days)
    ]
    start = datetime.combine(random.choice(days), time()) + timedelta(minutes=random.randrange(FIRST_MINUTE, LAST_MINUTE, 5))
    return RequestedPlace(start, like.location, like.room, like.team, like.supervisors)


def draw_shaded(random: Random, place: FreePlaces) -> RequestedPlace:
    """Draw one of the starts, and a room that is free then."""
    run = random.choice(place.starts)
    minute = random.randrange(run.first_minute, run.last_minute + 1, 5)
    rooms = [rooms.room for rooms in place.rooms if any(first <= minute <= last for first, last in rooms.stretches)]
    start = datetime.combine(place.day, time()) + timedelta(minutes=minute)
    return RequestedPlace(start, place.location, random.choice(rooms) if rooms else None, place.team, place.supervisors)


def draw_near(random: Random, scenario: Scenario, place: RequestedPlace) -> RequestedPlace:
    """Change a place in one way."""
    ways = {
        "start": place.start + timedelta(minutes=random.choice([-60, -15, -5, 2, 5, 15, 60, 24 * 60])),
        "room": random.choice([None, *(room.id for room in scenario.clinic.rooms)]),
        "team": (random.choice(scenario.providers).id, *place.team[1:]),
        "supervisors": (random.choice(scenario.providers).id,) if not place.supervisors else (),
    }
    way = random.choice(list(ways))
    kept = {name: getattr(place, name) for name in ("start", "location", "room", "team", "supervisors")}
    return RequestedPlace(**{**kept, way: ways[way]})


def is_shaded(places: VisitPlaces, place: RequestedPlace) -> bool:
    minute = minute_of_day(place.start.time())
    return any(
        (shaded.day, shaded.location, set(shaded.team), set(shaded.supervisors))
        == (place.start.date(), place.location, set(place.team), set(place.supervisors))
        and minute % places.week.scenario.grid.grid_minutes == 0
        and any(run.first_minute <= minute <= run.last_minute for run in shaded.starts)
        and (
            any(
                rooms.room == place.room and any(first <= minute <= last for first, last in rooms.stretches)
                for rooms in shaded.rooms
            )
            if shaded.rooms
            else place.room is None
        )
        for shaded in places.places
    )


def judge(week: WeekSnapshot, visit: str, place: RequestedPlace) -> tuple[str, ...]:
    """Return the rules that the service says a visit would break at a place."""
    wanted = WantedChanges({visit: place}, (), {}, {})
    try:
        decision = decide_changes(week, SYSTEM, wanted, NOW)
    except RulesBroken as refused:
        return tuple(detail.rule or "" for detail in refused.details)
    return tuple(violation.rule for violation in decision.broken)


def test_what_is_shaded_is_judged_clean_and_nothing_else_is(week: WeekSnapshot) -> None:
    pairs = list(draw_pairs(week, week, PAIRS))
    assert [(pair.visit, pair.place, pair.broken) for pair in pairs if not pair.agrees] == []
    shaded = sum(pair.shaded for pair in pairs)
    assert min(shaded, len(pairs) - shaded) > PAIRS / 10


def test_a_shaded_place_tells_the_cost_and_the_calls_that_its_verdict_tells(week: WeekSnapshot) -> None:
    told = WeekSnapshot.of(None, publish(week.scenario, week.plan), week.plan, {})
    random = Random(1)
    calls = []
    for visit in random.sample([*told.plan.visits_by_id], 8):
        places = find_free_places(told, visit)
        for shaded in places.places[:: max(1, len(places.places) // 3)]:
            run = random.choice(shaded.starts)
            place = draw_shaded(random, replace(shaded, starts=(run,)))
            decision = decide_changes(told, SYSTEM, WantedChanges({visit: place}, (), {}, {}), NOW)
            comparison, called = decision.diff.comparison, [*list_notified_moves(told.scenario, decision.diff.after)]
            assert (run.cost, run.calls) == (comparison.cost.difference, bool(comparison.notify)), (visit, place)
            assert places.called is not None and places.called + run.calls == len(called)
            calls.append(run.calls)
    assert True in calls


def upset(week: WeekSnapshot, *disruptions: Disruption) -> WeekSnapshot:
    """Return a week after something was learned that what stands does not keep."""
    return WeekSnapshot.of(None, apply_disruptions(week.scenario, disruptions), week.plan, {})


def dates(week: WeekSnapshot) -> tuple[datetime, datetime]:
    return datetime.combine(week.scenario.horizon.start, time()), datetime.combine(week.scenario.horizon.end, time())


def test_a_shade_that_knows_nothing_of_a_closure_is_found_out(week: WeekSnapshot) -> None:
    first, last = dates(week)
    shut = (PlaceClosure(place=room.id, start=first, end=last) for room in week.scenario.clinic.rooms)
    assert any(not pair.agrees for pair in draw_pairs(week, upset(week, *shut), PAIRS // 10))


def test_visits_of_somebody_who_fell_ill_are_picked_up_and_clean_where_they_are_shaded(week: WeekSnapshot) -> None:
    first, last = dates(week)
    ill = week.plan.visits[0].team[0]
    without = upset(week, ProviderAbsence(provider=ill, start=first, end=last))
    theirs = [booking for booking in without.upcoming.visits if ill in booking.team]
    places = [find_free_places(without, booking.visit) for booking in theirs]
    assert places and not any(ill in shaded.team for found in places for shaded in found.places)
    for booking in theirs:
        stays = RequestedPlace(booking.start, booking.location, booking.room, booking.team, booking.supervisors)
        assert "busy" in judge(without, booking.visit, stays), "it breaks there what it broke before"
