"""Simulated annealing by ruin and recreate: the compiled search of :mod:`solver.search.kernel`, driven by the time left.

References: Schrimpf, Schneider, Stamm-Wilbrandt and Dueck, Record breaking optimization results using the ruin and recreate
principle (2000), doi:10.1006/jcph.1999.6413; Kirkpatrick, Gelatt and Vecchi, Optimization by simulated annealing (1983),
doi:10.1126/science.220.4598.671.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from math import inf
from statistics import median
from threading import Thread
from time import monotonic

from solver.clock import Clock
from solver.parameters import DEFAULTS, AnnealingParameters
from solver.search.encoding import KernelEncoding
from solver.search.kernel.annealing import BUDGET_PENALTY, anneal, list_kept
from solver.search.kernel.compilation import STAMP
from solver.search.kernel.layout import BUDGET, NOTIFIED, SUPERVISOR, WORTH
from solver.state.domains import Domains, ReducedCosts
from solver.state.placements import Placement
from solver.state.tasks import Key

STEPS = 500
"""Ruins between two looks at the clock: some hundredths of a second."""

TELL_SECONDS = 1.0
"""How often a better plan is told."""


ENDING_SHARE = 0.2
"""Share of a schedule, at its end, in which a call above the budget may cost whatever it takes to avoid it."""


class CoolingSchedule:
    """A schedule of cooling, or of several in a row: some seconds of a clock from now."""

    def __init__(self, clock: Clock, seconds: float, parameters: AnnealingParameters, coolings: int = 1) -> None:
        self.clock = clock
        self.seconds = seconds
        self.parameters = parameters
        self.coolings = coolings
        self._left_at_start = clock.left

    @property
    def progress(self) -> float:
        """How much of it is over, ``0..1``."""
        return min(1.0, (self._left_at_start - self.clock.left) / self.seconds) if self.seconds > 0 else 1.0

    @property
    def temperature(self) -> float:
        """The temperature now, in parts of what leaving out a task costs."""
        first, last = self.parameters.initial_temperature, self.parameters.final_temperature
        progress = self.progress
        return float(first * (last / first) ** (progress if progress >= 1 else progress * self.coolings % 1))

    @property
    def is_ending(self) -> bool:
        """Whether only its last part is left."""
        return self.progress > 1 - ENDING_SHARE


class RuinAndRecreate:
    """A plan under ruin and recreate."""

    def __init__(
        self,
        domains: Domains,
        placements: Mapping[Key, Placement],
        seed: int,
        parameters: AnnealingParameters = DEFAULTS.annealing,
        prices: ReducedCosts | None = None,
    ) -> None:
        self.parameters = parameters
        self.encoding = KernelEncoding(domains, placements, seed, prices)
        first = self.encoding.first_task
        rows = self.encoding.tables.rows[first : first + len(self.encoding.task_rows)]
        self.unit = float(median(rows[:, WORTH].tolist())) or 1.0
        self.call_cost = parameters.call_cost * self.unit
        self.best_rows = self.encoding.state.now[first : first + len(rows), : SUPERVISOR + 1].copy()
        tables, totals = self.encoding.tables, self.encoding.state.totals
        over = max(0, int(totals[NOTIFIED] - tables.rows[0, BUDGET]))
        self.best = self.score_at_start = BUDGET_PENALTY * over

    def run(
        self,
        temperature: Callable[[], float],
        on_better: Callable[[Mapping[Key, Placement]], object],
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        """Search until ``temperature``, asked every ``STEPS`` ruins, is 0.

        The best placements are told to ``on_better``, at most every ``TELL_SECONDS`` and at the end. When it gets warmer,
        calls cost as at first; what they cost is bounded until ``is_ending``.
        """
        encoding, told, best_told, warmth = self.encoding, monotonic(), self.best, inf
        has_movable = encoding.fixed != encoding.task_rows.keys()
        while has_movable and (degrees := temperature() * self.unit) > 0:
            if degrees > warmth:
                self.call_cost = self.parameters.call_cost * self.unit
            warmth = degrees
            gap_cost, call_cost = self.parameters.gap_cost * self.unit, round(self.call_cost)
            self.best = anneal(encoding.tables, encoding.state, self.best_rows, self.best, STEPS, degrees, gap_cost, call_cost)
            self._update_call_cost(BUDGET_PENALTY if is_ending() else self.parameters.most_call_cost * self.unit)
            if self.best < best_told and monotonic() > told + TELL_SECONDS:
                on_better(encoding.read(self.best_rows))
                told, best_told = monotonic(), self.best
        if self.best < best_told:
            on_better(encoding.read(self.best_rows))

    def _update_call_cost(self, most: float) -> None:
        """Let a call above the notification budget cost more, up to a bound, while too many are called, else less."""
        over = self.encoding.state.totals[NOTIFIED] > self.encoding.tables.rows[0, BUDGET]
        growth = self.parameters.call_cost_growth
        self.call_cost = min(most, self.call_cost * growth) if over else max(1.0, self.call_cost / growth)


class KernelCompilation:
    """The compilation of the kernel: some seconds on a machine that has never run it, in a process of its own.

    What it makes is kept on disk beside the package (or in the user's cache directory), for all processes to come. It
    survives the end of this process; until then a thread waits for it, since whoever began it may go on without it.
    """

    def __init__(self) -> None:
        self._waiting: Thread | None = None
        if not self._cached():
            path = os.pathsep.join(entry for entry in sys.path if entry)
            command = [sys.executable, "-c", "from solver.search.kernel.annealing import compile_kernel; compile_kernel()"]
            quiet = subprocess.DEVNULL
            child = subprocess.Popen(
                command, stdin=quiet, stdout=quiet, stderr=quiet, env=os.environ | {"PYTHONPATH": path}, start_new_session=True
            )
            self._waiting = Thread(target=child.wait, name="compilation of the kernel", daemon=True)
            self._waiting.start()

    @property
    def is_done(self) -> bool:
        """Whether the kernel can be used without waiting for it."""
        return self._waiting is None or not self._waiting.is_alive()

    def wait(self) -> None:
        """Wait for it."""
        if self._waiting is not None:
            self._waiting.join()

    @staticmethod
    def _cached() -> bool:
        stamp = STAMP.encode()  # which Numba writes into the index of what it keeps
        return any(stamp in index.read_bytes() for index in list_kept())
