"""Plans by CP-SAT: every rule and every cost, with a proof of how good a plan is.

The exact model (:mod:`solver.model.exact`) gives every task a start, a literal for each way to fill a seat, supervisors, a kind
of room and attendees; one encoder a rule (:mod:`solver.state.unary` for the unary ones, :mod:`solver.model.constraints`), one
a cost (:mod:`solver.model.objectives`). Small scenarios, once bounded by the master, are solved by it whole. Larger ones, and
what it leaves open, are decomposed:

1. :mod:`solver.search.construct` gives a first plan within a second.
2. :mod:`solver.bound.master`: each task goes to a session, location and provider, time being minutes only, but for the shifts
   in which something stands already (:mod:`solver.bound.timelines`). Its linear relaxation bounds every plan (an integer
   Lagrangian bound computed from its multipliers); rows that it breaks, and branch and cut, bound better.
3. A second plan is constructed at the master's reduced costs, shifts being where the relaxation spends them.
4. :mod:`solver.search.ruin` improves it: annealing by ruin and recreate, all workers along one cooling.
   Its inner loop, :mod:`solver.search.kernel`, is compiled by Numba and works on numbers only (:mod:`solver.search.encoding`).
5. :mod:`solver.search.large_neighbourhoods` polishes it: some tasks solved exactly while others stay, chosen at the master's
   reduced costs (:mod:`solver.search.neighbourhoods`). Only these move group sessions.

What was tried and left out, and why, is in ``solver/decisions``; parameters and figures are in ``solver/README.md``.

A plan that people live by is changed in a fraction of a second: :mod:`solver.change.offers` fits in more visits (the places are
those of :mod:`solver.change.openings`), :mod:`solver.change.free_places` finds all places of one visit,
:mod:`solver.change.backfill` fills time that has become free, :mod:`solver.change.moves` says why each move of a new plan pays.

Every plan passes the checker before it leaves this package.

References
----------
- Hooker, Logic-based Benders decomposition for large-scale optimization (2019), doi:10.1007/978-3-030-22788-3_1.
- Geoffrion, Lagrangean relaxation for integer programming (1974), doi:10.1007/BFb0120690.
- Shaw, Using constraint programming and local search methods to solve vehicle routing problems (1998),
  doi:10.1007/3-540-49481-2_30.
- Christiaens and Vanden Berghe, Slack induction by string removals (2020), doi:10.1287/trsc.2019.0914.
"""

import gc

from solver.change.backfill import Backfill, cancel_visit, find_backfills, find_dependent_visits
from solver.change.bump import bump, find_expiring_visits, place_expiring_visits, reoptimise_day
from solver.change.free_places import CostedBooking, CostedStarts, FreePlaceFinder, FreePlaces, RoomStarts
from solver.change.moves import Move, explain_moves
from solver.change.offers import OfferResult, SlotOffer, find_offers, insert_visits
from solver.change.proposals import Proposal
from solver.limits import Limits, Progress
from solver.parameters import SolverParameters
from solver.search.explain import explain
from solver.search.explain_sessions import explain_session
from solver.search.first_come import plan_first_come
from solver.search.ruin import KernelCompilation
from solver.solve import solve

__all__ = [
    "Backfill",
    "CostedBooking",
    "CostedStarts",
    "FreePlaceFinder",
    "FreePlaces",
    "KernelCompilation",
    "Limits",
    "Move",
    "OfferResult",
    "Progress",
    "Proposal",
    "RoomStarts",
    "SlotOffer",
    "SolverParameters",
    "bump",
    "cancel_visit",
    "explain",
    "explain_moves",
    "explain_session",
    "find_backfills",
    "find_dependent_visits",
    "find_expiring_visits",
    "find_offers",
    "insert_visits",
    "place_expiring_visits",
    "plan_first_come",
    "reoptimise_day",
    "solve",
]

gc.freeze()  # what OR-Tools, Numba and numpy made while they were loaded stays: no collection of a search need look at it
