"""The HTTP interface: each route parses, calls one service, and answers.

A module makes its router by :func:`api.http.gate.make_router`, writes whole paths, has a line for each route in
:mod:`api.access.table`, and stands in ``ROUTERS``.
"""

from __future__ import annotations

from api.http.routes import (
    accounts,
    boards,
    bookings,
    changes,
    desk,
    disruptions,
    episodes,
    feeds,
    fhir,
    freed,
    groups,
    intake,
    mail,
    oauth,
    operating,
    outside,
    own_pages,
    patient_pages,
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
    what_ifs,
)

ROUTERS = (
    feeds.router,  # first, as the first that fits answers, and calendar programs ask day and night
    operating.router,
    desk.router,
    patient_pages.router,
    own_pages.router,
    sessions.router,
    scenarios.router,
    boards.router,
    visits.router,
    patients.router,
    plans.router,
    what_ifs.router,
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
    oauth.router,
    fhir.router,
)
