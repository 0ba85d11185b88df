"""Plans of known cost, component by component. The amounts are made of the primes of ``factories.policy``."""

from __future__ import annotations

from support.factories import (
    booking,
    current,
    current_group,
    group,
    link,
    patient,
    people,
    provider,
    reserve,
    scenario,
    session,
    shift,
    visit,
    week,
)
from support.judgements.case import CostCase, cost_case

LONG_MONDAY = people(provider("ana", shifts=week(shift("MO 08:00", "17:00"))))

WAITING: tuple[CostCase, ...] = (
    cost_case(
        "unscheduled",
        "one of each priority left out",
        scenario(*(visit(priority, priority=priority) for priority in ("routine", "soon", "urgent", "cancer"))),
        [],
        101 + 211 + 401 + 997,
    ),
    cost_case(
        "unscheduled",
        "threefold for deadlines on the horizon's first and last day, not for those just outside",
        scenario(
            visit("v1", deadline="SU-"),
            visit("v2", deadline="MO"),
            visit("v3", deadline="FR", priority="soon"),
            visit("v4", deadline="SA"),
        ),
        [],
        101 + 3 * 101 + 3 * 211 + 101,
    ),
    cost_case(
        "unscheduled",
        "one left out, one planned",
        scenario(visit("v1", priority="urgent"), visit("v2", "quin", deadline="TU")),
        [booking("v2", "MO 09:00")],
        401,
    ),
    cost_case(
        "late",
        "days after the target, by priority; on it, before it, or left out is not late",
        scenario(
            visit("v1", target="TU"),
            visit("v2", "quin", target="MO", priority="urgent"),
            visit("v3", "rae", target="WE", priority="cancer"),
            visit("v4", "sol", target="FR", priority="soon"),
            visit("v5", "tam", target="MO", priority="cancer"),
            visit("v6", "tam"),
        ),
        [
            booking("v1", "WE 09:00"),
            booking("v2", "TH 09:00"),
            booking("v3", "WE 10:00"),
            booking("v4", "TH 10:00"),
            booking("v6", "FR 10:00"),
        ],
        7 + 3 * 13,
    ),
    cost_case(
        "late",
        "a target before the horizon",
        scenario(visit("v1", target="2026-11-27", priority="soon", earliest="2026-11-20")),
        [booking("v1", "TU 09:00")],
        4 * 11,
    ),
    cost_case(
        "delay",
        "days after the earliest date, but none before the horizon",
        scenario(
            visit("v1", earliest="TU", priority="soon"),
            visit("v2", "quin", earliest="2026-11-20"),
            visit("v3", "rae", earliest="WE", priority="cancer"),
            visit("v4", "sol", priority="urgent"),
        ),
        [booking("v1", "TH 09:00"), booking("v2", "TU 09:00"), booking("v3", "WE 16:00")],
        2 * 3 + 1 * 2,
    ),
)

WISHES: tuple[CostCase, ...] = (
    cost_case(
        "continuity",
        "none of the preferred ones in the team, though one supervises",
        scenario(
            visit("v1", preferred_providers=["dee"]),
            visit("v2", "quin", preferred_providers=["ana", "dee"]),
            visit("v3", "rae", preferred_providers=["ben", "eli"], service="evaluation"),
            visit("v4", "sol"),
            visit("v5", "tam", preferred_providers=["ana", "ben"]),
        ),
        [
            booking("v1", "MO 09:00", team="cy", supervisors="dee"),
            booking("v2", "MO 10:00", team="dee"),
            booking("v3", "TU 09:00", team="ana ben"),
            booking("v4", "WE 09:00"),
            booking("v5", "TH 09:00", team="dee"),
        ],
        2 * 23,
    ),
    cost_case(
        "site",
        "at the other site; another building of the same one is no matter",
        scenario(
            visit("v1"),
            visit("v2", "quin"),
            visit("v3", "rae", "bedside"),
            visit("v4", "sol"),
            visit("v5", "tam"),
            patients=[
                patient("pat", preferred_site="waltham"),
                patient("quin", preferred_site="waltham"),
                patient("rae", preferred_site="boston"),
                patient("sol", preferred_site="boston"),
            ],
        ),
        [
            booking("v1", "MO 13:00"),
            booking("v2", "TU 13:00", "west-exam", location="west"),
            booking("v3", "WE 13:00", None, location="yawkey"),
            booking("v4", "TU 15:00", "west-exam", location="west"),
            booking("v5", "MO 15:00"),
        ],
        2 * 29,
    ),
    cost_case(
        "half",
        "the afternoon starts at noon, whatever starts before it is morning",
        scenario(
            visit("v1"),
            visit("v2", "quin"),
            visit("v3", "rae"),
            patients=[patient("pat", prefers="afternoon"), patient("quin", prefers="afternoon")],
            providers=LONG_MONDAY,
        ),
        [booking("v1", "MO 11:50"), booking("v2", "MO 12:30", "wang-exam-2"), booking("v3", "MO 11:10", "wang-exam-3")],
        31,
    ),
    cost_case(
        "half",
        "noon is no morning",
        scenario(
            visit("v1"),
            visit("v2", "quin"),
            patients=[patient("pat", prefers="morning"), patient("quin", prefers="afternoon")],
            providers=LONG_MONDAY,
        ),
        [booking("v1", "MO 12:00"), booking("v2", "TU 13:00")],
        31,
    ),
    cost_case(
        "trips",
        "dates, not visits; a group counts, a hold does not",
        scenario(
            visit("v1"),
            visit("v2"),
            visit("v3"),
            visit("v4", "quin"),
            visit("v5", "rae"),
            group("g1", "pat", "quin", "rae"),
            reserve("r1", "FR"),
            link("v1", "v2", max_days=0),
        ),
        [
            booking("v1", "MO 09:00"),
            booking("v2", "MO 09:40"),
            booking("v3", "WE 09:00"),
            booking("v4", "TU 08:00"),
            booking("v5", "TH 09:00"),
            session("g1", "TU 09:00", "pat quin"),
            booking("r1", "FR 13:00"),
        ],
        2 * 37,
    ),
)

TOLD = (
    visit("v1", current=current("MO 09:00")),
    visit("v2", "quin", current=current("WE 10:00")),
    visit("v3", "rae", current=current("TH 11:00", notified=False)),
    visit("v4", "sol"),
)

CHANGES: tuple[CostCase, ...] = (
    cost_case(
        "moved",
        "everything stays but a room",
        scenario(*TOLD),
        [
            booking("v1", "MO 09:00", "wang-exam-3"),
            booking("v2", "WE 10:00"),
            booking("v3", "TH 11:00"),
            booking("v4", "FR 09:00"),
        ],
        0,
    ),
    cost_case(
        "moved",
        "later on the day, two days earlier, and to another provider untold",
        scenario(*TOLD),
        [booking("v1", "MO 09:10"), booking("v2", "MO 10:00"), booking("v3", "TH 11:00", team="dee")],
        47 + (47 + 2 * 53) + 43,
    ),
    cost_case(
        "moved",
        "left out, and three days later untold",
        scenario(*TOLD),
        [booking("v1", "FR 09:00", team="dee"), booking("v3", "MO 11:00")],
        (47 + 4 * 53) + 47 + 43,
    ),
    cost_case(
        "moved",
        "to another building, and left out untold",
        scenario(*TOLD, visit("v5", "tam", current=current("MO 13:00", location="west", room="west-exam"))),
        [booking("v1", "MO 09:00"), booking("v2", "WE 10:00"), booking("v5", "MO 13:00")],
        43 + 47,
    ),
    cost_case(
        "moved",
        "an attendee who no longer attends, and one who is new",
        scenario(group("g1", "pat", "quin", "rae", current=current_group("WE 09:00", "pat", "quin"))),
        [session("g1", "WE 09:00", "rae quin")],
        47,
    ),
    cost_case(
        "moved",
        "a session moves by two days with two attendees, without a third",
        scenario(group("g1", "pat", "quin", "rae", "sol", current=current_group("WE 09:00", "pat", "quin", "sol"))),
        [session("g1", "FR 09:00", "rae quin sol")],
        47 + 2 * (47 + 2 * 53),
    ),
    cost_case(
        "moved",
        "a session's new psychologist moves nobody",
        scenario(
            group("g1", "pat", "quin", current=current_group("WE 09:00", "pat", "quin")),
            providers=people(provider("fay", "psychology")),
        ),
        [session("g1", "WE 09:00", "pat quin", team="fay")],
        0,
    ),
    cost_case(
        "moved",
        "a session left out, and one that moves untold",
        scenario(
            group("g1", "pat", "quin", current=current_group("WE 09:00", "pat", "quin")),
            group("g2", "rae", "sol", current=current_group("TH 09:00", "rae", notified=False)),
        ),
        [session("g2", "TU 09:00", "rae sol")],
        2 * 47 + 43,
    ),
)

GROUPS: tuple[CostCase, ...] = (
    cost_case(
        "group",
        "candidates without a seat, by priority",
        scenario(group("g1", "pat", ("quin", "soon"), ("rae", "urgent"), ("sol", "cancer"), "tam")),
        [session("g1", "TU 09:00", "pat rae")],
        61 + 71 + 59,
    ),
    cost_case(
        "group",
        "a required one left out, beside one that is not",
        scenario(group("g1", "pat", ("quin", "soon")), group("g2", ("rae", "urgent"), required=False)),
        [],
        503 + 59 + 61 + 67,
    ),
    cost_case(
        "group",
        "everybody attends",
        scenario(group("g1", "pat", "quin")),
        [session("g1", "TU 09:00", "pat quin")],
        0,
    ),
    cost_case(
        "reserve",
        "two of three left out",
        scenario(reserve("r1", "MO"), reserve("r2", "TU"), reserve("r3", "WE")),
        [booking("r2", "TU 13:00")],
        2 * 307,
    ),
    cost_case(
        "reserve",
        "all held",
        scenario(reserve("r1", "MO"), reserve("r2", "MO")),
        [booking("r1", "MO 13:00"), booking("r2", "MO 13:00", "wang-exam-2", "dee")],
        0,
    ),
)

THREE_PLACES = people(
    provider(
        "fay",
        shifts=[shift("MO 08:00", "10:00", "west"), shift("MO 11:00", "13:00"), shift("MO 14:00", "16:00", "west")],
    )
)

SITES: tuple[CostCase, ...] = (
    cost_case(
        "site-change",
        "there and back is two; from one building of a site to the other none; overnight none",
        scenario(
            visit("v1"),
            visit("v2", "quin"),
            visit("v3", "rae"),
            visit("v4", "sol"),
            visit("v5", "tam", "bedside"),
            visit("v6", "tam"),
            providers=THREE_PLACES,
        ),
        [
            booking("v3", "MO 14:00", "west-exam", "fay", "west"),
            booking("v1", "MO 08:30", "west-exam", "fay", "west"),
            booking("v2", "MO 11:00", team="fay"),
            booking("v4", "TU 11:00"),
            booking("v5", "TU 13:00", None, location="yawkey"),
            booking("v6", "WE 13:00", "west-exam", location="west"),
        ],
        2 * 41,
    ),
    cost_case(
        "site-change",
        "supervising and holds are commitments, each provider's changes count",
        scenario(
            visit("v1", service="evaluation"),
            visit("v2", "quin"),
            reserve("r1", "MO", service="evaluation", site="boston"),
        ),
        [
            booking("v1", "MO 09:00", team="ana dee"),
            booking("v2", "MO 12:50", "west-exam", "cy", "west", supervisors="ana"),
            booking("r1", "MO 13:00", "wang-exam-2", "dee ben"),
        ],
        41,
    ),
    cost_case(
        "site-change",
        "a hold at the other site changes both seats' site",
        scenario(
            visit("v1", service="evaluation"),
            visit("v2", "quin"),
            reserve("r1", "MO", service="evaluation", site="waltham"),
        ),
        [
            booking("v1", "MO 09:00", team="ana dee"),
            booking("v2", "MO 10:00", team="cy", supervisors="ana"),
            booking("r1", "MO 13:00", "west-exam", "ana dee", "west"),
        ],
        2 * 41,
    ),
)

COSTS: tuple[CostCase, ...] = (*WAITING, *WISHES, *CHANGES, *GROUPS, *SITES)
