"""Heads and tails: the first and last minute of a day at which each task can start, as links on one day leave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduling.requests import Link
from scheduling.timegrid import get_first_slot
from solver.state.domains import Domains, Option
from solver.state.tasks import Key, visit_key


@dataclass(slots=True)
class StartWindow:
    """The first and the last minute of a day at which a task can start."""

    first: int
    last: int


StartWindows = dict[tuple[Key, int], StartWindow]
"""Windows by task and day."""


def find_start_windows(domains: Domains, options: Mapping[Key, Sequence[Option]]) -> StartWindows:
    """Return when each task can start on each of the days of its options.

    A visit that another one has to follow on the same day leaves it time after itself, and needs time before it: heads and
    tails as in Carlier, The one-machine sequencing problem (1982), doi:10.1016/S0377-2217(82)80007-6.
    """
    grid, windows = domains.scenario.grid.grid_minutes, StartWindows()
    for key, some in options.items():
        for option in some:
            if option.seat == 0:
                starts, name = option.starts, (key, option.day)
                first, last = get_first_slot(starts) * grid, (starts.bit_length() - 1) * grid
                known = windows.setdefault(name, StartWindow(first, last))
                known.first, known.last = min(known.first, first), max(known.last, last)
    links = [link for link in domains.scenario.links if link.together and link.max_days == 0 and not link.any_order]
    pairs = [
        (link, day)
        for link in links
        for day in range(domains.scenario.grid.days)
        if (visit_key(link.before), day) in windows and (visit_key(link.after), day) in windows
    ]
    is_changed = True
    while is_changed:
        is_changed = any([_tighten(domains, windows, link, day) for link, day in pairs])
    return windows


def _tighten(domains: Domains, windows: StartWindows, link: Link, day: int) -> bool:
    """Narrow the windows of two visits that follow each other on a day; return whether that changed any."""
    before, after = windows[visit_key(link.before), day], windows[visit_key(link.after), day]
    minutes = domains.service(visit_key(link.before)).minutes
    least, values = minutes + link.min_gap_minutes, (before.first, before.last, after.first, after.last)
    after.first = max(after.first, before.first + least)
    before.last = min(before.last, after.last - least)
    if link.max_gap_minutes is not None:
        most = minutes + link.max_gap_minutes
        before.first = max(before.first, after.first - most)
        after.last = min(after.last, before.last + most)
    is_open = before.first <= before.last and after.first <= after.last
    return is_open and values != (before.first, before.last, after.first, after.last)
