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
from datetime import date
from pathlib import Path
from statistics import median
from threading import Thread
from time import monotonic

from scheduling.generate import generate
from solver.clock import Clock
from solver.search import kernel
from solver.search.construct import construct
from solver.search.encoding import KernelEncoding
from solver.state.domains import Domains
from solver.state.placements import Placement
from solver.state.tasks import Key

HOT, COLD = 0.06, 0.003
"""Temperatures at the beginning and at the end, in parts of what leaving out a task costs (their median).

Of a week, from the plan at the master's prices, 1.6 million ruins: 13,449 from 0.15 to 0.007, 13,366 from 0.06 and 13,398 from
0.04 to 0.007, 13,314 from 0.06 to 0.003; 13,520 in two cycles, of which the second begins with 0.03.
"""

TIDINESS = 0.003
"""What a gap beside a start counts for when places are compared, in the same parts."""

CALLING, STRICTER = 3.0, 5
"""What a call above the notification budget costs while it is hot, in the same parts, and the power of the cooling by which it
grows.

Were it forbidden from the start, nothing could be found that needs several calls at once, before others are taken back.
"""

STEPS = 500
"""Ruins between two looks at the clock: some hundredths of a second."""

TELL_SECONDS = 1.0
"""How often a better plan is told."""


class CoolingSchedule:
    """A schedule of cooling: some seconds of a clock from now."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self._begin = clock.left

    @property
    def share(self) -> float:
        """How much of it is over, ``0..1``."""
        return min(1.0, (self._begin - self.clock.left) / self.seconds) if self.seconds > 0 else 1.0

    @property
    def temperature(self) -> float:
        """The temperature now, in parts of what leaving out a task costs."""
        return float(HOT * (COLD / HOT) ** self.share)


class RuinAndRecreate:
    """A plan under ruin and recreate."""

    def __init__(self, domains: Domains, placements: Mapping[Key, Placement], seed: int) -> None:
        self.encoding = KernelEncoding(domains, placements, seed)
        first = self.encoding.first_task
        rows = self.encoding.tables.rows[first : first + len(self.encoding.task_rows)]
        self.unit = float(median(rows[:, kernel.WORTH].tolist())) or 1.0
        self.best_rows = self.encoding.state.now[first : first + len(rows), : kernel.SUPERVISOR + 1].copy()
        tables, totals = self.encoding.tables, self.encoding.state.totals
        over = max(0, int(totals[kernel.NOTIFIED] - tables.rows[0, kernel.BUDGET]))
        self.best = self.begin = kernel.BUDGET_PENALTY * over

    def run(self, temperature: Callable[[], float], on_better: Callable[[Mapping[Key, Placement]], object]) -> None:
        """Search until ``temperature``, asked every ``STEPS`` ruins, is 0.

        The best placements are told to ``on_better``, at most every ``TELL_SECONDS`` and at the end.
        """
        encoding, told, best_told = self.encoding, monotonic(), self.best
        movable = encoding.fixed != encoding.task_rows.keys()
        while movable and (warmth := temperature() * self.unit) > 0:
            state, tidiness = encoding.state, TIDINESS * self.unit
            calling = int(min(kernel.BUDGET_PENALTY, CALLING * self.unit * (HOT * self.unit / warmth) ** STRICTER))
            self.best = kernel.anneal(encoding.tables, state, self.best_rows, self.best, STEPS, warmth, tidiness, calling)
            if self.best < best_told and monotonic() > told + TELL_SECONDS:
                on_better(encoding.read(self.best_rows))
                told, best_told = monotonic(), self.best
        if self.best < best_told:
            on_better(encoding.read(self.best_rows))


def compile_kernel() -> None:
    """Compile the kernel, if it has not been on this machine, by using it."""
    domains = Domains(generate("tiny", 0, date(2026, 1, 5)))
    temperatures = iter([HOT])
    RuinAndRecreate(domains, construct(domains), 0).run(lambda: next(temperatures, 0.0), lambda _: None)


class KernelCompilation:
    """The compilation of the kernel: some seconds on a machine that has never run it, in a process of its own.

    What it makes is kept on disk beside the package (or in the user's cache directory), for all processes to come. It
    survives the end of this process; until then a thread waits for it, since whoever began it may go on without it.
    """

    def __init__(self) -> None:
        self._waiting: Thread | None = None
        if not self._cached():
            path = os.pathsep.join(entry for entry in sys.path if entry)
            command = [sys.executable, "-c", "from solver.search.ruin import compile_kernel; compile_kernel()"]
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
        made = Path(str(kernel.anneal.stats.cache_path)).glob("kernel.anneal-*.nbi")
        return any(file.stat().st_mtime >= Path(kernel.__file__).stat().st_mtime for file in made)
