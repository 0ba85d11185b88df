"""Where each hard rule is kept: the checker, and the places of the solver that know it.

Whoever adds a rule adds a row here; a test for each cell then says where the rule is still missing. The places:

- ``checker``: :data:`scheduling.rules.RULES`, which judges every plan before it leaves the solver;
- ``domain``: :mod:`solver.state.unary`, as starts that are taken away, for a rule that looks at one task at a time;
- ``constraint``: :mod:`solver.model.constraints`, for one that looks at several;
- ``occupancy``: :mod:`solver.state.occupancy`, which finds free places beside what is placed, by the masks of
  :mod:`solver.state.free_starts`; of a rule between tasks, :data:`solver.search.explain.SHARED` can leave it aside there;
- ``kernel``: :mod:`solver.search.kernel`, which does the same in compiled code for whatever may move, on the numbers of
  :mod:`solver.search.encoding`;
- ``master``: :mod:`solver.bound.master`, whose relaxation may leave a rule out and is then only a weaker bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from scheduling.rules import Rule, patients, places, providers, requests, stability

Place = Literal["checker", "domain", "constraint", "occupancy", "kernel", "master"]

COVERAGE: Mapping[Rule, tuple[Place, ...]] = {
    places.start_grid: ("checker", "domain"),
    places.horizon: ("checker", "domain"),
    places.service_location: ("checker", "domain"),
    places.opens: ("checker", "domain"),
    places.closes: ("checker", "domain"),
    places.recovery_closes: ("checker", "domain"),
    places.closure: ("checker", "domain", "constraint", "occupancy", "kernel"),
    providers.team: ("checker", "constraint", "occupancy", "kernel"),
    providers.qualified: ("checker", "domain"),
    providers.shift: ("checker", "domain", "constraint", "occupancy", "kernel"),
    providers.busy: ("checker", "domain"),
    providers.provider_overlap: ("checker", "constraint", "occupancy", "kernel", "master"),
    providers.travel: ("checker", "constraint", "occupancy", "kernel"),
    providers.supervision: ("checker", "constraint", "occupancy", "kernel"),
    providers.attention: ("checker", "constraint", "occupancy", "kernel"),
    providers.daily_limit: ("checker", "constraint", "occupancy", "kernel", "master"),
    places.room: ("checker", "constraint", "occupancy", "kernel"),
    places.room_overlap: ("checker", "constraint", "occupancy", "kernel"),
    places.equipment: ("checker", "constraint", "occupancy", "kernel", "master"),
    places.recovery: ("checker", "constraint", "occupancy", "kernel", "master"),
    places.block: ("checker", "domain"),
    providers.block_reserved: ("checker", "domain"),
    patients.patient_overlap: ("checker", "constraint", "occupancy", "kernel"),
    patients.patient_travel: ("checker", "constraint", "occupancy", "kernel"),
    patients.patient_available: ("checker", "domain", "constraint", "occupancy", "master"),
    patients.patient_site: ("checker", "domain", "constraint", "occupancy", "master"),
    patients.earliest: ("checker", "domain"),
    patients.deadline: ("checker", "domain"),
    patients.same_day: ("checker", "domain"),
    patients.required_provider: ("checker", "constraint", "occupancy", "kernel", "master"),
    requests.pinned: ("checker", "domain"),
    requests.link: ("checker", "constraint", "occupancy", "kernel", "master"),
    requests.group_size: ("checker", "constraint", "occupancy", "master"),
    requests.group_month: ("checker", "domain"),
    requests.group_cadence: ("checker", "domain"),
    stability.not_past: ("checker", "domain"),
    stability.frozen: ("checker", "domain"),
    stability.begun: ("checker", "domain", "constraint", "occupancy", "kernel"),
    stability.notice: ("checker", "domain", "constraint", "occupancy"),
    stability.notification_budget: ("checker", "constraint", "master"),
    requests.reserve_window: ("checker", "domain"),
}

KEPT_OTHERWISE: Mapping[tuple[Rule, Place], str] = {
    (patients.patient_available, "kernel"): "it moves no group, and a visit's patient is a matter of domains",
    (patients.patient_site, "kernel"): "it moves no group, and a visit's patient is a matter of domains",
    (requests.group_size, "kernel"): "it moves no group",
    (stability.notice, "kernel"): "it moves no group, and when a visit may be is a matter of domains",
    (stability.notification_budget, "occupancy"): "the incumbent compares calls above the budget before costs",
    (stability.notification_budget, "kernel"): "each call above the budget costs a penalty that grows as it cools",
}
"""Why a rule that has a constraint is missing where tasks are placed."""
