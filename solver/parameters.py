"""What a user may want to set in a search, beside its limits: shares of the time, temperatures, sizes of neighbourhoods.

Every value has a default that was measured on weeks of some 700 visits; ``solver/README.md`` lists them. A TOML file names
only what differs::

    exact_max_options = 4000

    [annealing]
    initial_temperature = 0.1

Constants that describe the problem (minutes of a day, a provider's full attention) or calibrate counted work are no
parameters. Neither are those that Numba compiles into :mod:`solver.search.kernel`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from scheduling.catalogue import parse_toml
from scheduling.fields import Model
from scheduling.files import read_bounded

MAX_BYTES = 100_000
"""Largest file of parameters: a hundred times all of them."""

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class AnnealingParameters(Model):
    """The cooling of ruin and recreate. Temperatures, gaps and calls are in parts of the median cost of leaving out a task.

    Attributes
    ----------
    initial_temperature, final_temperature : float
        Of a week, from the plan at the master's reduced costs, 1.6 million ruins: 13,449 from 0.15 to 0.007, 13,366 from 0.06
        and 13,398 from 0.04 to 0.007, 13,314 from 0.06 to 0.003; 13,520 in two cycles, of which the second begins with 0.03.
    guided_temperature : float
        The initial temperature beside a solution of the master problem in whole numbers, if that is below the other one: of a
        week 1.6 million ruins come to 13,316 from 0.008 and to 13,340 from 0.025 (means of two), without it to 13,360.
    gap_cost : float
        What a gap beside a start counts for when places are compared.
    call_cost, call_cost_growth : float
        What a call above the notification budget costs at first, and the factor by which that grows every 500 ruins while too
        many are called, and shrinks while they are not. Were such calls forbidden, no plan could be found that needs several of
        them at once: Glover, Heuristics for integer programming (1977), doi:10.1111/j.1540-5915.1977.tb01074.x.
    most_call_cost : float
        What a call above the budget costs at most until the last fifth of the cooling. Without a bound a visit that costs more
        is left out for one call, and seldom comes back.
    budget_coolings : int
        Coolings in a row under a notification budget, each of which may end with another choice of who is called. In a trial
        with a bound that rose a little otherwise, 1.2 million ruins of a week with 20 calls came to 23,276 and 20,392 with two
        seeds in three coolings, to 23,414 in one.
    time_share : float
        Share of the time left that the annealing takes; neighbourhoods have the rest.
    brief_seconds, brief_seconds_per_task : float
        A search no longer than this, or than so many seconds for each task, anneals once from its first plan, and does not
        begin anew with the reduced costs: a month with a limit of 60 s comes to 177,022, and anew to 178,163. Where a plan
        stands it does, since they say what is worth more than what stands.
    """

    initial_temperature: Annotated[float, Field(gt=0, le=100)] = 0.06
    final_temperature: Annotated[float, Field(gt=0, le=100)] = 0.003
    guided_temperature: Annotated[float, Field(gt=0, le=100)] = 0.01
    gap_cost: Annotated[float, Field(ge=0, le=100)] = 0.003
    call_cost: Annotated[float, Field(ge=0, le=1_000_000)] = 1.0
    call_cost_growth: Annotated[float, Field(ge=1, le=10)] = 1.01
    most_call_cost: Annotated[float, Field(ge=0, le=1_000_000)] = 8.0
    budget_coolings: Annotated[int, Field(ge=1, le=1_000)] = 3
    time_share: Share = 0.92
    brief_seconds: Seconds = 12.0
    brief_seconds_per_task: Seconds = 0.022

    @model_validator(mode="after")
    def _check_cooling(self) -> Self:
        if self.final_temperature > self.initial_temperature:
            raise ValueError("the final temperature is above the initial one")
        return self


class NeighbourhoodParameters(Model):
    """Large neighbourhoods.

    Attributes
    ----------
    seconds : float
        Most time for one neighbourhood.
    window_days : int
        On longer horizons each neighbourhood lies within as many days in a row.
    max_reduced_cost : float
        Options up to this reduced cost are open to a freed task, and those up to its present one's.
    initial_size, min_size, max_size : float
        Tasks that are freed: at first, at least and at most.
    """

    seconds: Seconds = 3.0
    window_days: Annotated[int, Field(ge=1, le=1_000)] = 7
    max_reduced_cost: Annotated[float, Field(ge=0, le=1_000_000)] = 12.0
    initial_size: Annotated[float, Field(ge=1, le=100_000)] = 45.0
    min_size: Annotated[float, Field(ge=1, le=100_000)] = 10.0
    max_size: Annotated[float, Field(ge=1, le=100_000)] = 400.0

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if not self.min_size <= self.initial_size <= self.max_size:
            raise ValueError("the initial size is not between the least and the largest")
        return self


class BoundParameters(Model):
    """The lower bound, and what the search takes from its linear program.

    Attributes
    ----------
    wait_seconds : float
        Seconds from the beginning after which a first, quick cooling ends, or half as many from when it begins: a week has the
        relaxation after 2 s, a month after 35 s.
    seconds_per_task : float
        Seconds for each task of the longer cooling after it, while the relaxation is not there.
    restart_share : float
        Such a cooling starts again from the reduced costs when it is no further than this as they come.
    guide_weight : float
        Weight of the reduced costs beside an option's own cost, in the plan that is constructed from them.
    simplex_share : float
        Share of the time left after which a relaxation that is not solved is estimated.
    time_share : float
        Most of the time left that one worker takes for a better bound.
    least_solutions : float
        A better bound is not sought where its share of the time is less than this many times what the relaxation took: of a
        month with a limit of 60 s all workers anneal.
    alone_seconds, alone_share : float
        With more seconds left than these one worker alone spends this share of them on a better bound.
    max_rounds : int
        How often the relaxation is solved again with rows that it broke: a third time adds 5 points to 19,500 on a week.
    whole_share, whole_seconds, whole_reach, whole_gap : float
        Share of that time, and most seconds of it, in which a solution of the master problem in whole numbers is searched for
        where more seconds are left than ``alone_seconds``; the reduced cost up to which options are open to it; and the
        relative gap at which it is good enough to follow.
    whole_price : float
        What every option that such a solution does not choose costs more, in points, when visits are inserted beside it: of a
        week 600,000 ruins come to 13,351 with 40, to 13,394 with 8 and to 13,437 with 2.
    small_gap : float
        A relative gap as small as this is left to branch and cut at once, and to its end.
    """

    wait_seconds: Seconds = 1.9
    seconds_per_task: Seconds = 0.01
    restart_share: Share = 0.5
    simplex_share: Share = 0.7
    guide_weight: Annotated[float, Field(ge=0, le=1_000_000)] = 1000.0
    time_share: Share = 0.5
    least_solutions: Annotated[float, Field(ge=0, le=1_000)] = 2.0
    alone_seconds: Seconds = 30.0
    alone_share: Share = 0.2
    max_rounds: Annotated[int, Field(ge=0, le=1_000)] = 2
    whole_share: Share = 0.75
    whole_seconds: Seconds = 40.0
    whole_reach: Annotated[float, Field(ge=0, le=1_000_000)] = 10.0
    whole_gap: Share = 0.012
    whole_price: Annotated[float, Field(ge=0, le=1_000_000)] = 40.0
    small_gap: Share = 0.005


class SolverParameters(Model):
    """What a search may be told beside its :class:`~solver.limits.Limits`.

    Attributes
    ----------
    exact_max_options : int
        Scenarios with no more options than this go to the exact model whole (the tiny example has 566, a week 31,592).
    exact_time_share : float
        Share of the time left that the exact model has; what it leaves open goes on as a larger scenario does.
    network_min_options : int
        Scenarios with fewer options than this are searched whole, also when they fall apart.
    pin_seconds : float
        Time to find out whether pins can be held together, when the first plan could not.
    standing_seconds : float
        Time to find supervisors for all that stands, when a first plan calls more than may be called (0.9 s of a week).
    explain_time_share : float
        Share of the whole time for the reasons of what is left out, at least 1 s and at most 10 s; after a proof all that is
        left.
    """

    exact_max_options: Annotated[int, Field(ge=0, le=10_000_000)] = 2_000
    exact_time_share: Share = 0.5
    network_min_options: Annotated[int, Field(ge=0, le=100_000_000)] = 60_000
    pin_seconds: Seconds = 3.0
    standing_seconds: Seconds = 3.0
    explain_time_share: Share = 0.05
    annealing: AnnealingParameters = AnnealingParameters()
    neighbourhoods: NeighbourhoodParameters = NeighbourhoodParameters()
    bound: BoundParameters = BoundParameters()

    @classmethod
    def read(cls, path: Path) -> SolverParameters:
        """Read a TOML file. Raises ``InvalidFile`` with every fault, each with the parameter's name."""
        return parse_toml(cls, read_bounded(path, MAX_BYTES).decode("utf-8", "replace"), path.name)


DEFAULTS = SolverParameters()
