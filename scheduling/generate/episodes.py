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


def ask_episodes(desk: RequestBuilder) -> None:
    """Ask for the visits of every episode, met in turn at the steps that the profile names."""
    for rule in desk.profile.episodes:
        course = get_pathway(rule.pathway).course()
        for number in range(rule.count.of(desk.size)):
            entry = rule.entries[number % len(rule.entries)]
            starts = [day for week in range(desk.dates.weeks) for day in desk.dates.week(week)[:-1]]
            chains = [days for day in starts if (days := chain(desk, course[entry:], day))]
            longest = max(map(len, chains), default=0)
            if longest:
                days = desk.rng.choice([days for days in chains if len(days) == longest])
                _ask(desk, rule, course[entry : entry + longest], days)


def chain(desk: RequestBuilder, stages: Sequence[Stage], first: date) -> tuple[date, ...]:
    """Return the earliest days on which the stages of a pathway could follow each other from a day on.

    Ends at the first stage for which the horizon has no day. Empty when the first step has none, and when visits that
    stand or fall together cannot take place although the horizon reaches far enough.
    """
    days: list[date] = []
    for number, (_, service, lag) in enumerate(stages):
        earliest = days[-1] + timedelta(days=lag.min_days) if number else first
        latest = first if not number else None if lag.max_days is None else days[-1] + timedelta(days=lag.max_days)
        found = desk.openings.days(service, desk.between(earliest, latest))
        if not found:
            within = latest is not None and latest < desk.dates.end
            return () if lag.together and within else tuple(days)
        days.append(found[0])
    return tuple(days)


def _ask(desk: RequestBuilder, rule: EpisodeMix, stages: Sequence[Stage], days: Sequence[date]) -> None:
    patient = _patient(desk, stages, days)
    before: Visit | None = None
    preferred: tuple[str, ...] = ()
    for (_, service, lag), day in zip(stages, days, strict=True):
        if not lag.same_provider:
            preferred = desk.preferred(service, patient, desk.between(day))
        target = None if before else day + timedelta(days=rule.due_in)
        visit = desk.ask(patient, service, VisitWish(rule.priority, day, target, preferred=preferred))
        if before is not None:
            desk.follow(lag, before, visit)
        before = visit


def _patient(desk: RequestBuilder, stages: Sequence[Stage], days: Sequence[date]) -> Patient:
    """Draw a patient who keeps the days of the episode free, and comes to where all of it can take place."""
    patient = desk.patients.draw().changed(unavailable=())
    fits = all(desk.openings.is_open(stage.service, patient, [day]) for stage, day in zip(stages, days, strict=True))
    return desk.patients.admit(patient if fits else desk.patients.flexible(patient))
