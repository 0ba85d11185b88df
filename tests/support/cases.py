"""Every rule with plans that keep it and break it, and every cost with plans of known amounts.

They judge the checkers, and the solver's encoders a second time: a model fixed to ``keeps`` is optimal, one fixed to
``breaks`` infeasible.
"""

from __future__ import annotations

from support.judgements.blocks import BLOCKS
from support.judgements.case import Case, CostCase
from support.judgements.costs import COSTS
from support.judgements.days import DAYS
from support.judgements.needs import NEEDS
from support.judgements.notice import BEGUN, NOTIFIED
from support.judgements.patients import PATIENTS
from support.judgements.places import PLACES
from support.judgements.providers import PROVIDERS
from support.judgements.requests import REQUESTS
from support.judgements.stability import STABILITY

CASES: tuple[Case, ...] = (
    *(*PLACES, *BLOCKS, *PROVIDERS, *PATIENTS, *REQUESTS, *STABILITY),
    *(*NEEDS, *BEGUN, *NOTIFIED),
)
COST_CASES: tuple[CostCase, ...] = (*COSTS, *DAYS)

__all__ = ["CASES", "COST_CASES", "Case", "CostCase"]
