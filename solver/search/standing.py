"""Supervisors and holds, once all else is decided: whatever can be as it was at the same cost, is.

A search finds any of several plans of one cost. People live by one of them, and a change that pays nothing is one too many.
Rooms have a module of their own (:mod:`.rooms`), since any of them costs the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scheduling.check import check
from solver.state.domains import Domains
from solver.state.placements import Placement, make_plan
from solver.state.tasks import Key

MOST_TRIES = 24
"""Plans that are judged at most; each takes some 0.1 s for a week of 680 visits."""


def keep_standing(
    domains: Domains, placements: Mapping[Key, Placement], before: Mapping[Key, Placement]
) -> Mapping[Key, Placement]:
    """Return placements in which what stays has the supervisors of before, and holds are where they were.

    What has another cost by it, or breaks a rule that was kept, is no such plan: then each half of it is tried alone.
    """
    wanted = {key: was for key, place in placements.items() if (was := _as_before(key, place, before.get(key))) != place}
    if not wanted:
        return placements
    keeper = _Keeper(domains, placements)
    keeper.restore(sorted(wanted), wanted)
    return keeper.placements


def _as_before(key: Key, place: Placement, was: Placement | None) -> Placement:
    """Return a placement as it was, as far as that is anybody's wish."""
    if was is None:
        return place
    if key[0] == "hold":
        return was
    stays = (place.day, place.slot, place.location, place.team) == (was.day, was.slot, was.location, was.team)
    same = set(place.supervisors) == set(was.supervisors)
    return replace(place, supervisors=was.supervisors) if stays and was.supervisors and not same else place


class _Keeper:
    """Puts back what was, all at once where that can be, else by halves."""

    def __init__(self, domains: Domains, placements: Mapping[Key, Placement]) -> None:
        self._domains, self.placements = domains, placements
        self._cost, self._broken = self._judge(placements)
        self._left = MOST_TRIES

    def restore(self, keys: Sequence[Key], wanted: Mapping[Key, Placement]) -> None:
        """Put some tasks back."""
        if not self._left:
            return
        self._left -= 1
        tried = {**self.placements, **{key: wanted[key] for key in keys}}
        cost, broken = self._judge(tried)
        if cost == self._cost and broken <= self._broken:
            self.placements = tried
        elif len(keys) > 1:
            middle = len(keys) // 2
            self.restore(keys[:middle], wanted)
            self.restore(keys[middle:], wanted)

    def _judge(self, placements: Mapping[Key, Placement]) -> tuple[int, set[tuple[str, tuple[str, ...]]]]:
        plan = make_plan(self._domains, placements)
        violations = check(self._domains.scenario, plan).violations
        return plan.cost, {(violation.rule, violation.ids) for violation in violations}
