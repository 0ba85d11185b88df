"""Heads and tails: the first and last minute of a day at which each task can start, as links on one day leave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scheduling.requests import Link
from solver.model.variables import Variables
from solver.state.tasks import Key, visit_key


@dataclass(slots=True)
class StartWindow:
    """The first and the last minute of a day at which a task can start."""

    first: int
    last: int


def find_start_windows(x: Variables) -> dict[tuple[Key, int], StartWindow]:
    """Return when each task of a model can start on each of its days.

    A visit that another one has to follow on the same day leaves it time after itself, and needs time before it: heads and
    tails as in Carlier, The one-machine sequencing problem (1982), doi:10.1016/S0377-2217(82)80007-6.
    """
    grid, windows = x.grid.grid_minutes, dict[tuple[Key, int], StartWindow]()
    for task in x.tasks:
        for taken in x.seat(task.key, 0):
            starts, name = taken.option.starts, (task.key, taken.option.day)
            first, last = ((starts & -starts).bit_length() - 1) * grid, (starts.bit_length() - 1) * grid
            known = windows.setdefault(name, StartWindow(first, last))
            known.first, known.last = min(known.first, first), max(known.last, last)
    links = [link for link in x.scenario.links if link.together and link.max_days == 0 and not link.any_order]
    links = [link for link in links if x.has(visit_key(link.before)) and x.has(visit_key(link.after))]
    is_changed = True
    while is_changed:
        is_changed = any([_tighten(x, windows, link, day) for link, day in _list_days(x, links)])
    return windows


def _list_days(x: Variables, links: list[Link]) -> Iterator[tuple[Link, int]]:
    for link in links:
        shared = set(x.days(visit_key(link.before))) & set(x.days(visit_key(link.after)))
        yield from ((link, day) for day in sorted(shared))


def _tighten(x: Variables, windows: dict[tuple[Key, int], StartWindow], link: Link, day: int) -> bool:
    """Narrow the windows of two visits that follow each other on a day; return whether that changed any."""
    before, after = windows[visit_key(link.before), day], windows[visit_key(link.after), day]
    least = x.domains.service(visit_key(link.before)).minutes + link.min_gap_minutes
    values = before.first, before.last, after.first, after.last
    after.first = max(after.first, before.first + least)
    before.last = min(before.last, after.last - least)
    if link.max_gap_minutes is not None:
        most = x.domains.service(visit_key(link.before)).minutes + link.max_gap_minutes
        before.first = max(before.first, after.first - most)
        after.last = min(after.last, before.last + most)
    is_open = before.first <= before.last and after.first <= after.last
    return is_open and values != (before.first, before.last, after.first, after.last)
