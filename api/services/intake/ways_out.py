"""What would let a day take a patient that it cannot: somebody who stays longer, or another site, each with its cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from api.services.weeks.offering import find_offers_of
from scheduling.fields import ONE_DAY
from scheduling.people import Provider, Shift
from scheduling.plan import Plan, Reason, VisitBooking
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import SlotOffer

STAY_MINUTES = 120
"""Longest that somebody is asked to stay after the last shift of a day (ours)."""

TRIED = 12
"""Places that are looked at for the one for which somebody stays the shortest."""


def list_ways_out(scenario: Scenario, plan: Plan, visit: str) -> Iterator[Reason]:
    """Yield what would give a visit a place on its day without anybody else giving way, by the rule that it would take.

    Parameters
    ----------
    scenario, plan
        The week, and what stands of it, which keeps every rule; the visit waits.
    """
    asked = scenario.visits_by_id[visit]
    everywhere = _let_come_anywhere(scenario, asked.patient)
    if everywhere is not None and (offers := _list_free(everywhere, plan, visit)):
        place = offers[0].bookings[0]
        yield Reason(rule="patient-site", detail=f"at another site it fits: {_describe(place)}, for {offers[0].cost} points")
    late = _let_stay(scenario, visit, asked.earliest)
    stays = [(_measure_stay(scenario, offer.bookings[0]), offer) for offer in _list_free(late, plan, visit)]
    for (minutes, who), offer in sorted(stays, key=lambda stay: (stay[0][0], stay[1].cost))[:1]:
        place = offer.bookings[0]
        yield Reason(rule="shift", detail=f"if {who} stays {minutes} min longer: {_describe(place)}, for {offer.cost} points")


def _list_free(scenario: Scenario, plan: Plan, visit: str) -> list[SlotOffer]:
    """Return places of a visit for which no other visit moves."""
    offers = find_offers_of(scenario, plan, visit, TRIED).offers
    return [offer for offer in offers if all(change.kind == "hold" for change in offer.moves)]


def _describe(place: VisitBooking) -> str:
    return f"{place.start:%H:%M} at {place.location} with {', '.join(place.team)}"


def _let_come_anywhere(scenario: Scenario, patient: str) -> Scenario | None:
    """Return a week in which a patient may come to every site; None where they may already."""
    sites = tuple(site.id for site in scenario.clinic.sites)
    if set(sites) <= set(scenario.patients_by_id[patient].allowed_sites):
        return None
    people = (known.changed(allowed_sites=sites) if known.id == patient else known for known in scenario.patients)
    return scenario.changed(patients=tuple(people))


def _let_stay(scenario: Scenario, visit: str, day: date) -> Scenario:
    """Return a week in which whoever could give a visit stays longer on its day, and every location stays open."""
    skills = {skill for seat in scenario.service_of(scenario.visits_by_id[visit]).team for skill in seat.any_of}
    people = tuple(_stay(who, day) if skills & set(who.skills) else who for who in scenario.providers)
    places = tuple(
        place.changed(closes=_add_minutes(place.closes, STAY_MINUTES)) if place.closes > time() else place
        for place in scenario.clinic.locations
    )
    return scenario.changed(providers=people, clinic=scenario.clinic.changed(locations=places))


def _stay(provider: Provider, day: date) -> Provider:
    last = _find_last_shift(provider, day)
    if last is None or provider.trainee:
        return provider
    until = min(last.end + timedelta(minutes=STAY_MINUTES), datetime.combine(day, time()) + ONE_DAY)
    return provider.changed(shifts=tuple(shift.changed(end=until) if shift is last else shift for shift in provider.shifts))


def _find_last_shift(provider: Provider, day: date) -> Shift | None:
    return max((shift for shift in provider.shifts if shift.start.date() == day), key=lambda shift: shift.end, default=None)


def _measure_stay(scenario: Scenario, place: VisitBooking) -> tuple[int, str]:
    """Return for how many minutes beyond their shifts people would stay, and who of them the longest."""
    stays = []
    for who in (*place.team, *place.supervisors):
        last = _find_last_shift(scenario.providers_by_id[who], place.start.date())
        assert last is not None
        stays.append((max(0, int((place.end - last.end).total_seconds()) // 60), who))
    return max(stays)


def _add_minutes(clock: time, minutes: int) -> time:
    """Return a time of day later, at most the last minute of the day."""
    later = min(clock.hour * 60 + clock.minute + minutes, 24 * 60 - 1)
    return time(later // 60, later % 60)
