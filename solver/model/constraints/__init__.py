"""One encoder for each rule that looks at several tasks, people or places at once; ``CONSTRAINTS`` names them.

The modules are those of :mod:`scheduling.rules`. The rules that look at one at a time are in :mod:`solver.state.unary`. Every
encoder asks the variables and adds to the model; their order never matters.
"""

from __future__ import annotations

from solver.model.constraints.patients import (
    patient_available,
    patient_overlap,
    patient_site,
    patient_travel,
    required_provider,
)
from solver.model.constraints.places import closure, equipment, recovery, room, room_overlap
from solver.model.constraints.providers import attention, daily_limit, provider_overlap, shift, supervision, team, travel
from solver.model.constraints.requests import group_size, link
from solver.model.constraints.stability import begun, notice, notification_budget

CONSTRAINTS = (
    team,
    shift,
    provider_overlap,
    travel,
    supervision,
    attention,
    daily_limit,
    room,
    closure,
    room_overlap,
    equipment,
    recovery,
    patient_overlap,
    patient_travel,
    patient_available,
    patient_site,
    required_provider,
    link,
    group_size,
    begun,
    notice,
    notification_budget,
)
