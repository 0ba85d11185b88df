"""A scenario that has something of everything, and what its file may have wrong."""

from __future__ import annotations

from typing import Any

from support.factories import (
    block,
    clinic,
    closure,
    current,
    current_group,
    group,
    link,
    patient,
    people,
    pin,
    policy,
    provider,
    reserve,
    scenario_fields,
    shift,
    visit,
    week,
)

from scheduling.errors import InvalidFile
from scheduling.scenario import Scenario


def full() -> dict[str, Any]:
    """Build the file of a scenario that has something of everything."""
    return scenario_fields(
        now="MO 08:00",
        clinic=clinic(
            closures=[
                closure("TU 09:00", "TU 10:00", "west"),
                closure("WE 09:00", "WE 10:00"),
                closure("TH 09:00", "TH 10:00", "wang", room="wang-exam-2"),
            ],
            blocks=[block("cancer", "WE", "13:00", "17:00", welcomes=["followup"])],
        ),
        providers=people(
            provider("ben", "psychology", busy=[("MO 09:00", "MO 10:00"), ("TU 09:00", "TU 10:00")]),
            provider("dee", "pain", "psychiatry", shifts=week(shift("MO 08:00", "12:00", "wang", also=["yawkey"]))),
        ),
        patients=[
            patient("pat", [("MO 09:00", "MO 10:00")], preferred_site="boston", prefers="morning"),
            *(patient(name) for name in ("quin", "rae", "sol")),
        ],
        visits=[
            visit("v1", target="TU", deadline="FR", preferred_providers=["ana", "dee"], pinned=pin("TU 09:00")),
            visit(
                "v2",
                "quin",
                "evaluation",
                required_provider="ben",
                current=current("WE 09:00", team="ana ben", supervisors="dee"),
            ),
            visit("v3", "rae", same_day=True, priority="cancer"),
            visit("v4", "rae", minutes=45, equipment=["generator"], unscheduled=83),
        ],
        links=[link("v1", "v2", 0, 7), link("v2", "v3", min_gap_minutes=10, max_gap_minutes=90, same_location=True)],
        groups=[
            group("g1", "pat", ("sol", "soon"), last_session="2026-11-10", current=current_group("TU 09:00", "pat", "sol"))
        ],
        reserves=[reserve("r1", "MO", site="boston"), reserve("r2", "TU")],
        policy=policy(notice_minutes=60, waiting=5, patient_site_change=19, moved_notified_per_hour=3),
    )


def faults_of(text: bytes | str) -> list[str]:
    """Return the faults of a scenario's text, none when it is sound."""
    try:
        Scenario.parse(text)
    except InvalidFile as error:
        return [str(fault) for fault in error.faults]
    return []
