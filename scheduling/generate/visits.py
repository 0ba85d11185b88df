"""Single visits: those of patients with cancer, and the many that fill the working hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scheduling.catalogue import get_limits
from scheduling.catalogue.entries import Onset
from scheduling.fields import Priority
from scheduling.generate.asking import RequestBuilder, VisitWish
from scheduling.generate.profile import CancerVisitMix, VisitMix
from scheduling.people import Patient

DRAWS = 20
"""Times that a visit's dates are drawn before it is asked for from the horizon's first day."""


def ask_cancer(builder: RequestBuilder) -> None:
    """Ask for the visits of patients with cancer: referrals of the day, and the weekly clinic."""
    for rule in builder.profile.cancer:
        for week in range(builder.dates.weeks):
            days = list(builder.openings.days(rule.service, builder.dates.week(week)))
            builder.rng.shuffle(days)
            for number in range(rule.per_week.of(builder.size) if days else 0):
                _ask_cancer(builder, rule, days[number % len(days)], builder.dates.week(week)[0])


def _ask_cancer(builder: RequestBuilder, rule: CancerVisitMix, day: date, monday: date) -> None:
    drawn = builder.patients.draw().changed(unavailable=())
    fits = builder.openings.is_open(rule.service, drawn, [day])
    patient = builder.patients.admit(drawn if fits else builder.patients.flexible(drawn))
    if rule.same_day:
        wish = VisitWish("cancer", day, day, day, builder.preferred(rule.service, patient, [day]), same_day=True)
    else:
        known = builder.rng.choice(builder.between(monday, day))
        wish = VisitWish("cancer", known, day, None, builder.preferred(rule.service, patient, [day]))
    builder.ask(patient, rule.service, wish)


def fill(builder: RequestBuilder) -> None:
    """Ask for every service of the mix once, then by weight, until there is enough to do.

    Enough is the size's number of visits and its floor of the bottleneck's load; a service that would lift a skill's load
    over the ceiling is asked for no more. Patients with cancer, asked for before, ask for nothing else.
    """
    size, mix = builder.profile.sizes[builder.size], builder.profile.visits.mix
    others = builder.without_cancer()
    for rule in mix:
        _ask(builder, rule, others)
    while len(builder.visits) < size.visits or builder.meter.highest() < size.load.floor:
        left = [rule for rule in mix if builder.meter.highest_with(rule.service) <= size.load.ceiling]
        if not left:
            return
        _ask(builder, builder.rng.choices(left, [rule.weight for rule in left])[0], others)


def _ask(builder: RequestBuilder, rule: VisitMix, others: list[Patient]) -> None:
    """Ask for a visit of one of the other patients, or of a new one, who joins them."""
    rng = builder.rng
    onset: Onset = "new-onset" if rng.random() < rule.new_onset else "chronic"
    priority = _priority(builder, onset)
    span = _span(builder, rule, min(get_limits().due_days(onset), getattr(builder.profile.visits.due_days, priority)))
    patient = _returning(builder, rule.service, span.days, others)
    if patient is None:
        patient = builder.newcomer(rule.service, span.days)
        others.append(patient)
    goes_on = rng.random() < rule.required_share
    able = builder.openings.providers(rule.service, patient, span.days) if goes_on else ()
    wish = VisitWish(
        priority=priority,
        earliest=span.earliest,
        target=span.target if span.deadline is None else min(span.target, span.deadline),
        deadline=span.deadline,
        preferred=() if able else builder.preferred(rule.service, patient, span.days),
        required=rng.choice(able) if able else None,
    )
    builder.ask(patient, rule.service, wish)


@dataclass(frozen=True)
class _Span:
    """The dates of a visit, and the days in between on which it could take place."""

    earliest: date
    target: date
    deadline: date | None
    days: tuple[date, ...]


def _span(builder: RequestBuilder, rule: VisitMix, due_days: int) -> _Span:
    """Draw the dates of a visit, so that there is a day for it: from the horizon's first, should none be found."""
    rng = builder.rng
    for _ in range(DRAWS):
        earliest, waited = _known_on(builder, due_days)
        deadline = None if rule.due_in is None else earliest + timedelta(days=rng.randint(*rule.due_in))
        if days := builder.openings.days(rule.service, builder.between(earliest, deadline)):
            return _Span(earliest, earliest + timedelta(days=due_days - waited), deadline, days)
    first = builder.dates.workdays[0]
    return _Span(first, first + timedelta(days=due_days), None, builder.dates.workdays)


def _known_on(builder: RequestBuilder, due_days: int) -> tuple[date, int]:
    """Draw the first day of a visit, and the days that its patient has waited before it."""
    days = builder.dates.week(builder.rng.randrange(builder.dates.weeks))
    if builder.rng.random() < builder.profile.visits.first_day_share or len(days) <= 2:
        return days[0], builder.rng.randrange(due_days)
    return builder.rng.choice(days[1:-1]), 0


def _returning(builder: RequestBuilder, service: str, days: Sequence[date], others: Sequence[Patient]) -> Patient | None:
    """Draw a patient who asks for another visit, or nobody."""
    if not others or builder.rng.random() >= builder.profile.patients.returning_share:
        return None
    patient = builder.rng.choice(others)
    return patient if builder.openings.is_open(service, patient, days) else None


def _priority(builder: RequestBuilder, onset: Onset) -> Priority:
    weights = builder.profile.visits.new_onset if onset == "new-onset" else builder.profile.visits.chronic
    priorities: tuple[Priority, ...] = ("routine", "soon", "urgent")
    return builder.rng.choices(priorities, [getattr(weights, priority) for priority in priorities])[0]
