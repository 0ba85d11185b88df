"""Exact times in the master: a shift's work as a path through its slots, and what is taken at each moment.

A booking that stays where it stands cuts its shift in pieces that minutes do not see: 45 minutes of a shift may be free, and
no visit of 30 fit between two patients who were told. So every shift in which something has one start only becomes a
*timeline*: a unit flow from its first slot to its last along arcs, each a piece of work that begins at a slot, or idleness. A
use of the shift (:meth:`Timelines.use`) is spread over the arcs of its *profile*, all work that takes the same at the same
starts. Flows of one unit are the hull of all ways to put such work one after the other, so nothing that minutes could say of
the shift is missing: Valerio de Carvalho, Exact solution of bin-packing problems using column generation and
branch-and-bound (1999), doi:10.1023/A:1018952112615.

Arcs know their time, so rows can bound what is taken at each slot's first minute: rooms with cleaning, devices, bays, and
the attention of supervisors. An arc of a shift stands for its seat alone, so rooms and the like are taken by the arcs of the
first seat. These rows are thousands, of which some hundred matter, so they count only once broken
(:meth:`solver.bound.relaxation.LinearProgram.add_broken_rows`). On a week that people live by the bound was 18,929 by
minutes, is 19,405 by timelines and 19,500 with 157 of 2,664 such rows, and 19,663 with cuts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scheduling.clinic import Service
from scheduling.rules.providers import FULL_ATTENTION
from scheduling.timegrid import iterate_slots, minutes_on
from solver.bound.relaxation import LinearProgram
from solver.bound.windows import Window, find_supervisors, shift_order
from solver.state.domains import Domains, ShiftId

Weighted = list[tuple[int, int]]
"""Columns with their weights."""


@dataclass(frozen=True, slots=True)
class WorkProfile:
    """Work that is alike: its length and starts, and what it takes meanwhile; lengths in slots, begun ones counted whole.

    ``cleaned`` is how long the room is taken, ``recovers`` the first slot after its start in which a bay is taken, and the one
    after the last. ``attention`` is asked of the provider, or of one of ``supervisors`` (None: the provider is no trainee).
    """

    length: int
    starts: int
    attention: int
    rooms: frozenset[str]
    cleaned: int
    devices: tuple[str, ...]
    recovers: tuple[int, int]
    supervisors: frozenset[ShiftId] | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The first minute of a slot of a day at a location."""

    day: int
    location: str
    slot: int


class Timelines:
    """The uses of shifts, gathered by profile, and their rows."""

    def __init__(
        self,
        domains: Domains,
        program: LinearProgram,
        windows: Mapping[ShiftId, Window],
        shift_at: Mapping[tuple[ShiftId, str], int],
    ) -> None:
        self.domains = domains
        self.scenario = domains.scenario
        self.program = program
        self.windows = windows
        self.shift_at = shift_at
        self._uses: dict[tuple[ShiftId, str], dict[WorkProfile, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._replaced: dict[ShiftId, bool] = {}
        self._groups = {group.service for group in self.scenario.groups}
        self._rooms: dict[Moment, dict[frozenset[str], list[int]]] = defaultdict(lambda: defaultdict(list))
        self._devices: dict[tuple[Moment, str], list[int]] = defaultdict(list)
        self._bays: dict[Moment, list[int]] = defaultdict(list)
        self._own: dict[tuple[Moment, ShiftId], Weighted] = defaultdict(list)
        self._watched: dict[Moment, dict[frozenset[ShiftId], Weighted]] = defaultdict(lambda: defaultdict(list))

    def use(self, column: int, service: Service, seat: int, shift: ShiftId, location: str, starts: int) -> None:
        """Let a column stand for somebody in a seat of a service in a shift at a location, at one of some starts."""
        profile = self._profile(service, seat, shift, location, starts)
        self._uses[shift, location][profile].append(column)

    def replaces(self, shift: ShiftId) -> bool:
        """Return whether a shift is a timeline: something in it has one start only, or a part of it is over."""
        if shift not in self._replaced:
            window = self.windows[shift]
            profiles = (profile for at in window.locations for profile in self._uses.get((shift, at), ()))
            over = window.free_ahead < window.free_minutes
            self._replaced[shift] = over or any(profile.starts.bit_count() == 1 for profile in profiles)
        return self._replaced[shift]

    def rows(self) -> None:
        """Add the arcs and rows of every timeline."""
        for shift, location in self._uses:
            if self.replaces(shift):
                self._path(shift, location)
        for rooms in self._rooms.values():
            for suited in rooms:
                taken = [column for narrower, columns in rooms.items() if narrower <= suited for column in columns]
                self._at_most(taken, len(suited))
        for (moment, device), taken in self._devices.items():
            self._at_most(taken, self.scenario.equipment_units(device, moment.location))
        for moment, taken in self._bays.items():
            self._at_most(taken, self.scenario.bays(moment.location))
        for moment, groups in self._watched.items():
            for group in groups:
                self._attention(moment, group)

    # --- profiles ----------------------------------------------------------------------------------------------------

    def _profile(self, service: Service, seat: int, shift: ShiftId, location: str, starts: int) -> WorkProfile:
        length = self._slots(service.minutes)
        trainee = self.windows[shift].trainee
        rooms = frozenset(self.domains.suitable_rooms(service, location) if seat == 0 else ())
        recovers = (length, self._slots(service.minutes + service.recovery))
        return WorkProfile(
            length,
            starts,
            0 if trainee and len(service.team) > 1 else service.attention,  # one may supervise several seats at once
            rooms,
            self._slots(service.minutes + service.turnover) if rooms else 0,
            tuple(service.equipment) if seat == 0 else (),
            recovers if seat == 0 and service.recovery and service.id not in self._groups else (0, 0),
            find_supervisors(self.domains, self.windows, service, seat, shift, location) if trainee else None,
        )

    def _slots(self, minutes: int) -> int:
        return self.scenario.grid.count_slots(minutes)

    # --- arcs --------------------------------------------------------------------------------------------------------

    def _path(self, shift: ShiftId, location: str) -> None:
        """Add the arcs of a shift at a location: one unit flows through them when the shift is spent there."""
        leaving: dict[int, list[int]] = defaultdict(list)
        entering: dict[int, list[int]] = defaultdict(list)
        for profile, columns in self._uses[shift, location].items():
            arcs = []
            for slot in iterate_slots(profile.starts):
                arcs.append(self.program.add_column())
                leaving[slot].append(arcs[-1])
                entering[slot + profile.length].append(arcs[-1])
                self._take(profile, shift, location, slot, arcs[-1])
            self.program.add_row([*arcs, *columns], [1] * len(arcs) + [-1] * len(columns), 0, 0)
        slots = sorted(leaving.keys() | entering.keys())
        for slot, following in pairwise(slots):
            idle = self.program.add_column()
            leaving[slot].append(idle)
            entering[following].append(idle)
        at = self.shift_at.get((shift, location))
        for slot in slots[:-1]:
            out, inward = leaving[slot], entering[slot]
            if slot != slots[0]:
                self.program.add_row([*out, *inward], [1] * len(out) + [-1] * len(inward), 0, 0)
            elif at is not None:
                self.program.add_row([*out, at], [1] * len(out) + [-1], 0, 0)
            else:
                self.program.add_row(out, [1] * len(out), 1, 1)

    def _take(self, profile: WorkProfile, shift: ShiftId, location: str, slot: int, arc: int) -> None:
        """Note what an arc takes at each moment of its work."""
        moments = [Moment(self.windows[shift].day, location, slot + k) for k in range(max(profile.length, profile.cleaned))]
        for moment in moments[: profile.cleaned]:
            self._rooms[moment][profile.rooms].append(arc)
        for moment in moments[: profile.length]:
            for device in profile.devices:
                self._devices[moment, device].append(arc)
            if profile.attention and profile.supervisors is None:
                self._own[moment, shift].append((arc, profile.attention))
            elif profile.attention and profile.supervisors is not None:
                self._watched[moment][profile.supervisors].append((arc, profile.attention))
        for later in range(*profile.recovers):
            self._bays[Moment(self.windows[shift].day, location, slot + later)].append(arc)

    # --- moments -----------------------------------------------------------------------------------------------------

    def _at_most(self, columns: Sequence[int], most: int) -> None:
        if len(columns) > most:
            self.program.lazy_rows.append((columns, [1] * len(columns), most))

    def _attention(self, moment: Moment, group: frozenset[ShiftId]) -> None:
        """Bound what trainees ask of a group of supervisors by what these leave of their own, at a moment.

        Two rows: attention, at most 2 each; and own work and supervised procedures, beside which there is nothing else, at
        most 1 each.
        """
        watched = [use for subset, uses in self._watched[moment].items() if subset <= group for use in uses]
        own = [use for shift in sorted(group, key=shift_order) for use in self._own.get((moment, shift), ())]
        present = [shift for shift in sorted(group, key=shift_order) if self._present(shift, moment)]
        spent_at = [self.shift_at.get((shift, moment.location)) for shift in present]
        chosen = [column for column in spent_at if column is not None]
        for most, uses in (
            (FULL_ATTENTION, [*watched, *own]),
            (1, [(arc, 1) for arc, attention in watched if attention == FULL_ATTENTION] + [(arc, 1) for arc, _ in own]),
        ):
            columns, weights = [arc for arc, _ in uses], [weight for _, weight in uses]
            capacity = most * (len(present) - len(chosen))
            self.program.lazy_rows.append(([*columns, *chosen], [*weights, *[-most] * len(chosen)], capacity))

    def _present(self, shift: ShiftId, moment: Moment) -> bool:
        """Return whether a shift has begun, and not ended, at a moment."""
        times, minute = self.domains.shift(shift), moment.slot * self.scenario.grid.grid_minutes
        on = times.start.date()
        return minutes_on(times.start, on) <= minute < minutes_on(times.end, on)
