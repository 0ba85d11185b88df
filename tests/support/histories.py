"""Small builders of episodes: a history is written as ``("done", "trial", "2026-12-07")`` and the like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from scheduling import catalogue
from scheduling.care.episodes import Episode, Event, record_events
from scheduling.care.windows import OpenStep, list_open_steps
from scheduling.fields import Priority

REFERRED = date(2026, 11, 30)
"""A Monday."""

Told = tuple[Any, ...]


def stamped(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour))


def event(kind: Any, *told: Any, team: Sequence[str] = (), known: str | None = None) -> Event:
    """Write ``("done", "trial", "2026-12-07")``, ``("outcome", "trial", "success")`` or ``("stopped", "2026-12-07")``."""
    if kind in ("stopped", "restarted"):
        (day,) = told
        return Event(kind=kind, known=stamped(date.fromisoformat(day)), date=date.fromisoformat(day))
    if kind == "dated":
        name, day, on = told
        return Event(kind=kind, known=stamped(date.fromisoformat(on)), name=name, date=date.fromisoformat(day))
    if kind == "outcome":
        step, what, on = told
        came = {"relief_percent": what} if isinstance(what, int) else {"outcome": what}
        return Event(kind=kind, known=stamped(date.fromisoformat(on), 17), step=step, **came)
    what, day = told
    step, _, number = what.partition(".")
    seen = date.fromisoformat(known or day)
    on = date.fromisoformat(day)
    return Event(kind=kind, known=stamped(seen), step=step, number=int(number or 1), date=on, team=tuple(team))


PARTS = ("medical", "psychology", "function")


def episode(pathway: str, *told: Told | Event, priority: Priority = "routine", referred: date = REFERRED) -> Episode:
    """Build an episode by recording its events one by one."""
    first = Event(kind="referred", known=stamped(referred), date=referred)
    begun = Episode(id="e", pathway=pathway, patient="pat", priority=priority, history=(first,))
    events = (one if isinstance(one, Event) else event(*one) for one in told)
    return record_events(begun, catalogue.get_pathway(pathway), *events)


def opened(found: Episode, today: str) -> dict[str, OpenStep]:
    """Return what is open, by occurrence."""
    steps = list_open_steps(found, catalogue.get_pathway(found.pathway), date.fromisoformat(today))
    return {str(step.occurrence): step for step in steps}


def window(found: Episode, one: str, today: str) -> tuple[str, str | None]:
    """Return the earliest and latest dates of a visit that is open."""
    step = opened(found, today)[one]
    return (f"{step.earliest}", None if step.latest is None else f"{step.latest}")
