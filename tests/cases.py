"""Every rule with plans that keep it and break it, and every cost with plans of known amounts.

They judge the checkers, and the solver's encoders a second time: a model fixed to ``keeps`` is optimal, one fixed to
``breaks`` infeasible.
"""

from __future__ import annotations

from judgements.blocks import BLOCKS
from judgements.case import Case, CostCase
from judgements.costs import COSTS
from judgements.patients import PATIENTS
from judgements.places import PLACES
from judgements.providers import PROVIDERS
from judgements.requests import REQUESTS
from judgements.stability import STABILITY

CASES: tuple[Case, ...] = (*PLACES, *BLOCKS, *PROVIDERS, *PATIENTS, *REQUESTS, *STABILITY)
COST_CASES: tuple[CostCase, ...] = COSTS

__all__ = ["CASES", "COST_CASES", "Case", "CostCase"]
