"""Single visits: those of patients with cancer, and the many that fill the working hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scheduling.catalogue import Onset, get_limits
from scheduling.fields import Priority
from scheduling.generate.asking import RequestBuilder, VisitWish
from scheduling.generate.profile import CancerVisitMix, VisitMix
from scheduling.people import Patient

DRAWS = 20
"""Times that a visit's dates are drawn before it is asked for from the horizon's first day."""


def ask_cancer(desk: RequestBuilder) -> None:
    """Ask for the visits of patients with cancer: referrals of the day, and the weekly clinic."""
    for rule in desk.profile.cancer:
        for week in range(desk.dates.weeks):
            days = list(desk.openings.days(rule.service, desk.dates.week(week)))
            desk.rng.shuffle(days)
            for number in range(rule.per_week.of(desk.size) if days else 0):
                _ask_cancer(desk, rule, days[number % len(days)], desk.dates.week(week)[0])


def _ask_cancer(desk: RequestBuilder, rule: CancerVisitMix, day: date, monday: date) -> None:
    drawn = desk.patients.draw().changed(unavailable=())
    fits = desk.openings.is_open(rule.service, drawn, [day])
    patient = desk.patients.admit(drawn if fits else desk.patients.flexible(drawn))
    if rule.same_day:
        wish = VisitWish("cancer", day, day, day, desk.preferred(rule.service, patient, [day]), same_day=True)
    else:
        known = desk.rng.choice(desk.between(monday, day))
        wish = VisitWish("cancer", known, day, None, desk.preferred(rule.service, patient, [day]))
    desk.ask(patient, rule.service, wish)


def fill(desk: RequestBuilder) -> None:
    """Ask for every service of the mix once, then by weight, until there is enough to do.

    Enough is the size's number of visits and its floor of the bottleneck's load; a service that would lift a skill's load
    over the ceiling is asked for no more. Patients with cancer, asked for before, ask for nothing else.
    """
    size, mix = desk.profile.sizes[desk.size], desk.profile.visits.mix
    others = desk.without_cancer()
    for rule in mix:
        _ask(desk, rule, others)
    while len(desk.visits) < size.visits or desk.meter.highest() < size.load.floor:
        left = [rule for rule in mix if desk.meter.highest_with(rule.service) <= size.load.ceiling]
        if not left:
            return
        _ask(desk, desk.rng.choices(left, [rule.weight for rule in left])[0], others)


def _ask(desk: RequestBuilder, rule: VisitMix, others: list[Patient]) -> None:
    """Ask for a visit of one of the other patients, or of a new one, who joins them."""
    rng = desk.rng
    onset: Onset = "new-onset" if rng.random() < rule.new_onset else "chronic"
    priority = _priority(desk, onset)
    span = _span(desk, rule, min(get_limits().due_days(onset), getattr(desk.profile.visits.due_days, priority)))
    patient = _returning(desk, rule.service, span.days, others)
    if patient is None:
        patient = desk.newcomer(rule.service, span.days)
        others.append(patient)
    goes_on = rng.random() < rule.required_share
    able = desk.openings.providers(rule.service, patient, span.days) if goes_on else ()
    wish = VisitWish(
        priority=priority,
        earliest=span.earliest,
        target=span.target if span.deadline is None else min(span.target, span.deadline),
        deadline=span.deadline,
        preferred=() if able else desk.preferred(rule.service, patient, span.days),
        required=rng.choice(able) if able else None,
    )
    desk.ask(patient, rule.service, wish)


@dataclass(frozen=True)
class _Span:
    """The dates of a visit, and the days in between on which it could take place."""

    earliest: date
    target: date
    deadline: date | None
    days: tuple[date, ...]


def _span(desk: RequestBuilder, rule: VisitMix, due_days: int) -> _Span:
    """Draw the dates of a visit, so that there is a day for it: from the horizon's first, should none be found."""
    rng = desk.rng
    for _ in range(DRAWS):
        earliest, waited = _known_on(desk, due_days)
        deadline = None if rule.due_in is None else earliest + timedelta(days=rng.randint(*rule.due_in))
        if days := desk.openings.days(rule.service, desk.between(earliest, deadline)):
            return _Span(earliest, earliest + timedelta(days=due_days - waited), deadline, days)
    first = desk.dates.workdays[0]
    return _Span(first, first + timedelta(days=due_days), None, desk.dates.workdays)


def _known_on(desk: RequestBuilder, due_days: int) -> tuple[date, int]:
    """Draw the first day of a visit, and the days that its patient has waited before it."""
    days = desk.dates.week(desk.rng.randrange(desk.dates.weeks))
    if desk.rng.random() < desk.profile.visits.first_day_share or len(days) <= 2:
        return days[0], desk.rng.randrange(due_days)
    return desk.rng.choice(days[1:-1]), 0


def _returning(desk: RequestBuilder, service: str, days: Sequence[date], others: Sequence[Patient]) -> Patient | None:
    """Draw a patient who asks for another visit, or nobody."""
    if not others or desk.rng.random() >= desk.profile.patients.returning_share:
        return None
    patient = desk.rng.choice(others)
    return patient if desk.openings.is_open(service, patient, days) else None


def _priority(desk: RequestBuilder, onset: Onset) -> Priority:
    weights = desk.profile.visits.new_onset if onset == "new-onset" else desk.profile.visits.chronic
    priorities: tuple[Priority, ...] = ("routine", "soon", "urgent")
    return desk.rng.choices(priorities, [getattr(weights, priority) for priority in priorities])[0]
