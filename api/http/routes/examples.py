"""What the domain's documents look like, for the descriptions of several routes."""

from __future__ import annotations

from typing import Any

from pydantic.config import JsonDict

VISIT: JsonDict = {
    "id": "visit-0181",
    "patient": "patient-0007",
    "service": "followup",
    "priority": "soon",
    "earliest": "2026-11-30",
    "target": "2026-12-02",
    "deadline": None,
    "preferred_providers": ["physician-1"],
    "required_provider": None,
    "same_day": False,
    "pinned": None,
    "current": None,
}

LINK: JsonDict = {"before": "visit-0181", "after": "visit-0182", "min_days": 1, "max_days": 14, "together": False}

PATIENT: JsonDict = {
    "id": "patient-0007",
    "name": "Robin Example",
    "preferred_site": "boston",
    "allowed_sites": ["boston", "waltham"],
    "unavailable": [{"start": "2026-12-01T08:00", "end": "2026-12-01T12:00"}],
    "prefers": "morning",
}

PLACE: JsonDict = {
    "start": "2026-12-01T09:00",
    "end": "2026-12-01T09:30",
    "location": "wang",
    "room": "wang-exam-1",
    "team": ["physician-1"],
    "supervisors": [],
}

BOOKING: JsonDict = {"state": "booked", **PLACE, "notified": True, "version": 1}

_BY_PRIORITY: JsonDict = {"routine": 100, "soon": 200, "urgent": 400, "cancer": 1000}

SCENARIO: JsonDict = {
    "format": "clinicweave-scenario/1",
    "id": "week-7",
    "now": None,
    "freeze_minutes": 120,
    "horizon": {"start": "2026-11-30", "end": "2026-12-07"},
    "clinic": {
        "name": "Pain Centre",
        "timezone": "America/New_York",
        "start_grid_minutes": 5,
        "sites": [{"id": "boston", "name": "Boston"}],
        "locations": [],
        "travel": [],
        "closures": [],
        "rooms": [],
        "equipment": [],
        "recovery": [],
        "services": [],
        "blocks": [],
    },
    "providers": [],
    "patients": [],
    "visits": [],
    "links": [],
    "groups": [],
    "reserves": [],
    "policy": {
        "unscheduled": _BY_PRIORITY,
        "deadline_factor": 3,
        "late_per_day": _BY_PRIORITY,
        "delay_per_day": _BY_PRIORITY,
        "not_preferred_provider": 20,
        "not_preferred_site": 15,
        "not_preferred_half": 5,
        "extra_trip": 30,
        "site_change": 10,
        "max_notified_moves": None,
        "moved": 5,
        "moved_notified": 60,
        "moved_notified_per_day": 10,
        "group_seat": _BY_PRIORITY,
        "group_not_run": 500,
        "reserve_missing": 300,
    },
}

_COSTS: JsonDict = {
    "unscheduled": 0,
    "late": 0,
    "delay": 12,
    "continuity": 0,
    "site": 0,
    "half": 0,
    "trips": 0,
    "moved": 0,
    "group": 0,
    "reserve": 0,
    "site-change": 0,
}

PLAN: JsonDict = {
    "format": "clinicweave-plan/1",
    "scenario": "week-7",
    "status": "feasible",
    "cost": 12,
    "bound": 10,
    "costs": _COSTS,
    "visits": [{"visit": "visit-0181", **PLACE}],
    "groups": [],
    "holds": [],
    "shifts": [{"provider": "physician-1", "start": "2026-12-01T08:00", "location": "wang"}],
    "unscheduled": [],
}

KPIS: JsonDict = {
    "visits": {"part": 655, "whole": 680, "ratio": 0.9632},
    "wait": {"median_days": 1.0, "long_days": 4},
    "notified_moves": 3,
}

COMPARISON: JsonDict = {
    "changes": [
        {
            "kind": "visit",
            "id": "visit-0181",
            "difference": "added",
            "before": None,
            "after": PLACE,
            "joining": [],
            "leaving": [],
            "notify": [],
        }
    ],
    "notify": [],
    "cost": {"before": 24, "after": 12, "difference": -12},
    "costs": {"delay": {"before": 24, "after": 12, "difference": -12}},
}


def show_example(document: JsonDict, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return how an answer is described that looks like a document."""
    return {status: {"content": {"application/json": {"example": document}}}}
