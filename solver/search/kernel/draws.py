"""Random numbers of the kernel."""

from __future__ import annotations

import numpy as np

from solver.search.kernel.compilation import inlined
from solver.search.kernel.layout import MOVABLE, MOVABLE_END, Randoms, SearchState, Tables


@inlined
def uniform(state: Randoms) -> float:
    """Return a number in [0, 1): splitmix64, Steele, Lea and Flood (2014), doi:10.1145/2714064.2660195."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def random_below(state: Randoms, n: int) -> int:
    return int(uniform(state) * n)


@inlined
def random_task(t: Tables, s: SearchState) -> int:
    return t.lists[t.rows[0, MOVABLE] + random_below(s.random, t.rows[0, MOVABLE_END] - t.rows[0, MOVABLE])]
