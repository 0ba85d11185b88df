"""A clinic that does not exist, lived through week by week: what a policy of planning does to waits over months.

:mod:`.setting` says what a world is about: the pain centre or, by :mod:`.own_setting`, a clinic of one's own. :mod:`.world`
draws, by seed, who is referred when, who comes, what comes of it, and who falls ill: the same for every policy.
:mod:`.practice` lives through it at a :mod:`.desk`, by the very use cases of the service, planning as its :mod:`.policies`
say. :mod:`.memory` reads from the store what has been, :mod:`.measures` counts, :mod:`.report` shows;
:mod:`scheduling.care.rules` judges whether the pain centre's care was as it has to be.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import as_file, files

from api.simulation.measures import SimulationTally
from api.simulation.policies import PlanningPolicy
from api.simulation.practice import Practice
from api.simulation.world import World
from api.store.columns import numbered_ids
from scheduling import catalogue
from solver import KernelCompilation

__all__ = ["simulate_clinic"]


def simulate_clinic(world: World, policy: PlanningPolicy, tell: Callable[[str], None] = lambda line: None) -> SimulationTally:
    """Live through a world under a policy, telling of each week; return what was counted."""
    KernelCompilation().wait()
    weights = as_file(files(__name__).joinpath("own.toml"))
    with weights as file, catalogue.use_catalogue(world.setting.catalogue or file), numbered_ids():
        practice = Practice(world, policy)
        for number, monday in enumerate(practice.run(), 1):
            tally = practice.tally
            tell(
                f"{policy.name}, seed {world.seed}, week {number} of {world.weeks} ({monday}): "
                f"{tally.visits[monday]} visits, {tally.left_out[monday]} left out, {tally.recontacted[monday]} called again"
            )
    return practice.tally
