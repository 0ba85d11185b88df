"""Episodes of care: the linked visits of a pathway, as far as the horizon reaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from scheduling.catalogue import get_pathway
from scheduling.generate.asking import RequestBuilder, VisitWish
from scheduling.generate.profile import EpisodeMix
from scheduling.pathways import Stage
from scheduling.people import Patient
from scheduling.requests import Visit


def ask_episodes(builder: RequestBuilder) -> None:
    """Ask for the visits of every episode, met in turn at the steps that the profile names."""
    for rule in builder.profile.episodes:
        course = get_pathway(rule.pathway).course()
        for number in range(rule.count.of(builder.size)):
            entry = rule.entries[number % len(rule.entries)]
            starts = [day for week in range(builder.dates.weeks) for day in builder.dates.week(week)[:-1]]
            chains = [days for day in starts if (days := chain(builder, course[entry:], day))]
            longest = max(map(len, chains), default=0)
            if longest:
                days = builder.rng.choice([days for days in chains if len(days) == longest])
                _ask(builder, rule, course[entry : entry + longest], days)


def chain(builder: RequestBuilder, stages: Sequence[Stage], first: date) -> tuple[date, ...]:
    """Return the earliest days on which the stages of a pathway could follow each other from a day on.

    Ends at the first stage for which the horizon has no day. Empty when the first step has none, and when visits that
    stand or fall together cannot take place although the horizon reaches far enough.
    """
    days: list[date] = []
    for number, (_, service, lag) in enumerate(stages):
        earliest = days[-1] + timedelta(days=lag.min_days) if number else first
        latest = first if not number else None if lag.max_days is None else days[-1] + timedelta(days=lag.max_days)
        open_days = builder.openings.days(service, builder.between(earliest, latest))
        if not open_days:
            within = latest is not None and latest < builder.dates.end
            return () if lag.together and within else tuple(days)
        days.append(open_days[0])
    return tuple(days)


def _ask(builder: RequestBuilder, rule: EpisodeMix, stages: Sequence[Stage], days: Sequence[date]) -> None:
    patient = _patient(builder, stages, days)
    before: Visit | None = None
    preferred: tuple[str, ...] = ()
    for (_, service, lag), day in zip(stages, days, strict=True):
        if not lag.same_provider:
            preferred = builder.preferred(service, patient, builder.between(day))
        target = None if before else day + timedelta(days=rule.due_in)
        visit = builder.ask(patient, service, VisitWish(rule.priority, day, target, preferred=preferred))
        if before is not None:
            builder.follow(lag, before, visit)
        before = visit


def _patient(builder: RequestBuilder, stages: Sequence[Stage], days: Sequence[date]) -> Patient:
    """Draw a patient who keeps the days of the episode free, and comes to where all of it can take place."""
    patient = builder.patients.draw().changed(unavailable=())
    fits = all(builder.openings.is_open(stage.service, patient, [day]) for stage, day in zip(stages, days, strict=True))
    return builder.patients.admit(patient if fits else builder.patients.flexible(patient))
