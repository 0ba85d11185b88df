"""Plans of known cost of the components of a patient's day, of a visit's own points, and of moves within a date."""

from __future__ import annotations

from support.factories import booking, clinic, current, current_group, group, policy, scenario, service, session, visit
from support.judgements.case import CostCase, cost_case

WEIGHTS = policy(waiting=5, patient_site_change=19, moved_notified_per_hour=3)
TWO = (visit("v1"), visit("v2"))

DAYS: tuple[CostCase, ...] = (
    cost_case(
        "unscheduled",
        "a visit's own points, threefold for its deadline; 0 points are points too",
        scenario(
            visit("v1", unscheduled=83, deadline="FR"),
            visit("v2", unscheduled=89, priority="cancer"),
            visit("v3", unscheduled=0),
            visit("v4"),
        ),
        [],
        3 * 83 + 89 + 0 + 101,
    ),
    cost_case(
        "waiting",
        "full quarters of an hour, and not the last minutes",
        scenario(*TWO, policy=WEIGHTS),
        [booking("v1", "MO 09:00"), booking("v2", "MO 10:20")],
        2 * 5,
    ),
    cost_case(
        "waiting",
        "gaps of a day are added before their quarters are counted",
        scenario(*TWO, visit("v3"), policy=WEIGHTS),
        [booking("v1", "MO 09:00"), booking("v2", "MO 09:50"), booking("v3", "MO 10:50")],
        2 * 5,
    ),
    cost_case(
        "waiting",
        "two days are not added, nor two patients; nobody waits with one item",
        scenario(*TWO, visit("v3"), visit("v4"), visit("v5", "quin"), visit("v6", "quin"), visit("v7", "rae"), policy=WEIGHTS),
        [
            booking("v1", "MO 09:00"),
            booking("v2", "MO 09:50"),
            booking("v3", "TU 09:00"),
            booking("v4", "TU 09:50"),
            booking("v5", "WE 09:00"),
            booking("v6", "WE 09:50"),
            booking("v7", "TH 09:00"),
        ],
        0,
    ),
    cost_case(
        "waiting",
        "recovery is no waiting, travel is",
        scenario(
            visit("v1", service="injection"), visit("v2", service="bedside"), visit("v3", service="bedside"), policy=WEIGHTS
        ),
        [
            booking("v1", "MO 13:00", "wang-proc-1"),
            booking("v2", "MO 14:20", None, "dee", "yawkey"),
            booking("v3", "MO 14:40", None, "dee", "yawkey"),
        ],
        5,
    ),
    cost_case(
        "waiting",
        "before a group session, and after it",
        scenario(visit("v1", "sol"), visit("v2", "sol"), group("g1", "sol"), policy=WEIGHTS),
        [booking("v1", "TU 08:00"), session("g1", "TU 09:00", "sol"), booking("v2", "TU 11:10")],
        (20 + 40) // 15 * 5,
    ),
    cost_case(
        "waiting",
        "nothing where nothing is said",
        scenario(*TWO),
        [booking("v1", "MO 09:00"), booking("v2", "MO 11:00")],
        0,
    ),
    cost_case(
        "journeys",
        "there and back is two; from one building of a site to the other none; overnight none",
        scenario(
            *(visit(f"v{number}") for number in (1, 3, 4)),
            visit("v2", service="bedside"),
            visit("v5", "quin"),
            clinic=clinic(service("bedside", minutes=20, room=None, locations=["yawkey", "wang", "west"])),
            policy=WEIGHTS,
        ),
        [
            booking("v4", "TU 13:00", "west-exam", location="west"),
            booking("v1", "MO 09:00"),
            booking("v2", "MO 13:00", None, location="west"),
            booking("v3", "MO 15:00", "wang-exam-1", "dee"),
            booking("v5", "WE 13:00", "west-exam", location="west"),
        ],
        2 * 19,
    ),
    cost_case(
        "journeys",
        "to a group session in the other town",
        scenario(visit("v1", "sol"), group("g1", "sol", "tam"), policy=WEIGHTS),
        [session("g1", "TU 09:00", "sol tam"), booking("v1", "TU 13:00", "west-exam", location="west")],
        19,
    ),
    cost_case(
        "journeys",
        "from one building of a site to the other",
        scenario(visit("v1"), visit("v2", service="bedside"), policy=WEIGHTS),
        [booking("v1", "MO 12:40"), booking("v2", "MO 13:40", None, "dee", location="yawkey")],
        0,
    ),
    cost_case(
        "moved",
        "within its date by full hours, earlier or later; told only, visits only",
        scenario(
            visit("v1", current=current("MO 09:00")),
            visit("v2", "quin", current=current("TU 11:00")),
            visit("v3", "rae", current=current("WE 09:00", notified=False)),
            visit("v4", "sol", current=current("TH 09:00")),
            group("g1", "tam", current=current_group("TU 09:00", "tam")),
            policy=WEIGHTS,
        ),
        [
            booking("v1", "MO 10:50"),
            booking("v2", "TU 08:50"),
            booking("v3", "WE 11:00"),
            booking("v4", "TH 09:50"),
            session("g1", "TU 13:00", "tam"),
        ],
        (47 + 3) + (47 + 2 * 3) + 43 + 47 + 47,
    ),
    cost_case(
        "moved",
        "to another date by days alone, and to another team by nothing more",
        scenario(visit("v1", current=current("MO 09:00")), visit("v2", "quin", current=current("TU 11:00")), policy=WEIGHTS),
        [booking("v1", "TU 11:00"), booking("v2", "TU 11:00", "wang-exam-2", "dee")],
        (47 + 53) + 47,
    ),
)
