"""The HTTP interface: each route parses, calls one service, and answers.

A module makes its router by :func:`api.http.gate.make_router`, writes whole paths, has a line for each route in
:mod:`api.access.table`, and stands in ``ROUTERS``.
"""

from __future__ import annotations

from api.http.routes import (
    accounts,
    audit,
    boards,
    bookings,
    changes,
    desk,
    disruptions,
    emergencies,
    episodes,
    feeds,
    freed,
    groups,
    intake,
    mail,
    operating,
    outside,
    patients,
    plans,
    programmes,
    referrals,
    replies,
    scenarios,
    sessions,
    tasks,
    visits,
    weeks,
)

ROUTERS = (
    feeds.router,  # first, as the first that fits answers, and calendar programs ask day and night
    operating.router,
    desk.router,
    sessions.router,
    scenarios.router,
    boards.router,
    visits.router,
    patients.router,
    plans.router,
    bookings.router,
    changes.router,
    freed.router,
    referrals.router,
    intake.router,
    disruptions.router,
    episodes.router,
    programmes.router,
    groups.router,
    weeks.router,
    mail.router,
    replies.router,
    tasks.router,
    outside.router,
    accounts.router,
    audit.router,
    emergencies.router,
)
