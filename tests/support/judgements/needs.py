"""Cases of what one visit needs for itself, of shifts with places beside the chosen one, and of when places are open."""

from __future__ import annotations

from support.factories import (
    block,
    booking,
    clinic,
    closure,
    group,
    link,
    location,
    people,
    provider,
    reserve,
    scenario,
    session,
    shift,
    visit,
    week,
)
from support.judgements.case import Case, case

LONG = visit("v1", minutes=65)
BEDSIDE_BETWEEN = provider("ana", shifts=week(shift("MO 08:00", "12:00", "wang", also=["yawkey"])))
WELCOMING = clinic(blocks=[block("cancer", "WE", "13:00", "17:00", welcomes=["bedside"])])
ROOM_CLOSED = clinic(closures=[closure("MO 10:00", "MO 11:00", room="wang-exam-1")])
OPENING = clinic(
    locations=[location("wang", opens="08:40"), location("yawkey", closes="18:10"), location("west", "waltham", "16:20")]
)

OWN: tuple[Case, ...] = (
    case(
        "provider-overlap",
        "until a longer visit's own end, which is off the grid",
        scenario(LONG, visit("v2", "quin")),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 10:10", "wang-exam-2")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 10:00", "wang-exam-2")],
    ),
    case(
        "closes",
        "a longer visit ends later",
        scenario(LONG),
        keeps=[booking("v1", "MO 15:50")],
        breaks=[booking("v1", "MO 16:00")],
        also=["recovery-closes"],
    ),
    case(
        "patient-overlap",
        "a shorter visit leaves its patient earlier, recovery kept",
        scenario(visit("v1", service="injection", minutes=5), visit("v2")),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:40", team="dee")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:30", team="dee")],
    ),
    case(
        "room-overlap",
        "a shorter visit leaves its room earlier, turnover kept",
        scenario(visit("v1", service="injection", minutes=9), visit("v2", "quin", "injection")),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:20", "wang-proc-1", "dee")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:10", "wang-proc-1", "dee")],
    ),
    case(
        "daily-limit",
        "a longer visit counts with its own length",
        scenario(LONG, providers=people(provider("ana", max_minutes_per_day=65), provider("dee", max_minutes_per_day=64))),
        keeps=[booking("v1", "MO 09:00")],
        breaks=[booking("v1", "MO 09:00", team="dee")],
    ),
    case(
        "shift",
        "a longer visit has to be inside the shift",
        scenario(LONG),
        keeps=[booking("v1", "MO 10:50")],
        breaks=[booking("v1", "MO 11:00")],
    ),
    case(
        "block",
        "a longer visit has to be inside the special clinic",
        scenario(visit("v1", service="consult", minutes=61), clinic=clinic(blocks=[block("cancer", "WE", "13:00", "17:00")])),
        keeps=[booking("v1", "WE 15:50", "yawkey-consult", location="yawkey")],
        breaks=[booking("v1", "WE 16:00", "yawkey-consult", location="yawkey")],
    ),
    case(
        "equipment",
        "a visit's own device, of which there is one",
        scenario(visit("v1", equipment=["generator"]), visit("v2", "quin", equipment=["generator"])),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:40", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:30", "wang-exam-2", "dee")],
    ),
    case(
        "equipment",
        "beside a service that needs the same pool",
        scenario(visit("v1", equipment=["generator"]), visit("v2", "quin", "ablation")),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:40", "wang-proc-1", "dee")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:30", "wang-proc-1", "dee")],
    ),
    case(
        "equipment",
        "where there is no such pool",
        scenario(visit("v1", service="bedside", equipment=["generator"])),
        keeps=[booking("v1", "MO 13:00", None)],
        breaks=[booking("v1", "MO 13:00", None, location="yawkey")],
    ),
)

BESIDE: tuple[Case, ...] = (
    case(
        "shift",
        "a bedside visit between two clinic visits, with time to travel; not by whose shift names no such place",
        scenario(visit("v1"), visit("v2", "quin", "bedside"), visit("v3", "rae"), providers=people(BEDSIDE_BETWEEN)),
        keeps=[
            booking("v1", "MO 09:00"),
            booking("v2", "MO 09:50", None, location="yawkey"),
            booking("v3", "MO 10:20"),
        ],
        breaks=[
            booking("v1", "MO 09:00", team="dee"),
            booking("v2", "MO 09:50", None, "dee", "yawkey"),
            booking("v3", "MO 10:20", team="dee"),
        ],
    ),
    case(
        "travel",
        "the way to a place beside the chosen one takes its time",
        scenario(visit("v1"), visit("v2", "quin", "bedside"), providers=people(BEDSIDE_BETWEEN)),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:50", None, location="yawkey")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:40", None, location="yawkey")],
    ),
    case(
        "shift",
        "a shift whose items all lie beside needs no location; beside is no place for the whole of it",
        scenario(visit("v1", service="bedside"), providers=people(BEDSIDE_BETWEEN)),
        keeps=[booking("v1", "MO 09:00", None, location="yawkey")],
        breaks=[booking("v1", "MO 09:00", None, location="yawkey")],
        breaking={"shifts": [{"provider": "ana", "start": "2026-11-30T08:00", "location": "yawkey"}]},
    ),
    case(
        "shift",
        "supervising beside the chosen place is as good",
        scenario(
            visit("v1", service="bedside"),
            providers=people(BEDSIDE_BETWEEN, provider("cy", trainee=True, shifts=[shift("MO 08:00", "12:00", "yawkey")])),
        ),
        keeps=[booking("v1", "MO 09:00", None, "cy", "yawkey", supervisors="ana")],
        breaks=[booking("v1", "MO 09:00", None, "cy", "yawkey", supervisors="dee")],
    ),
    case(
        "block-reserved",
        "a welcome service is free at the special clinic's location, not elsewhere",
        scenario(visit("v1", service="bedside"), clinic=WELCOMING),
        keeps=[booking("v1", "WE 13:30", None, location="yawkey")],
        breaks=[booking("v1", "WE 13:30", None)],
    ),
    case(
        "block-reserved",
        "a welcome service is not bound to the special clinic, and welcomes no other",
        scenario(visit("v1", service="bedside"), visit("v2", "quin"), clinic=WELCOMING),
        keeps=[booking("v1", "TU 13:30", None), booking("v2", "TU 14:30")],
        breaks=[booking("v1", "TU 13:30", None), booking("v2", "WE 14:30")],
    ),
)

OPEN: tuple[Case, ...] = (
    case(
        "opens",
        "as the building opens, and a slot before",
        scenario(visit("v1"), clinic=OPENING),
        keeps=[booking("v1", "MO 08:40")],
        breaks=[booking("v1", "MO 08:30")],
    ),
    case(
        "opens",
        "a session",
        scenario(group("g1", "pat"), clinic=OPENING),
        keeps=[session("g1", "TU 08:40", "pat")],
        breaks=[session("g1", "TU 08:30", "pat")],
    ),
    case(
        "opens",
        "each building opens at its own time, for holds too",
        scenario(
            reserve("r1", "MO", "08:00"),
            clinic=OPENING,
            providers=people(provider("ana", shifts=[shift("MO 08:00", "12:00", "wang", "west")])),
        ),
        keeps=[booking("r1", "MO 08:30", "west-exam", location="west")],
        breaks=[booking("r1", "MO 08:30")],
    ),
    case(
        "closure",
        "of one room, and not of another",
        scenario(visit("v1"), clinic=ROOM_CLOSED),
        keeps=[booking("v1", "MO 10:00", "wang-exam-2")],
        breaks=[booking("v1", "MO 10:00")],
    ),
    case(
        "closure",
        "of one room, from its first moment to its last",
        scenario(visit("v1"), visit("v2", "quin"), clinic=ROOM_CLOSED),
        keeps=[booking("v1", "MO 09:20"), booking("v2", "MO 11:00")],
        breaks=[booking("v1", "MO 09:20"), booking("v2", "MO 10:50")],
    ),
    case(
        "closure",
        "the cleaning of a room meets no closure of the room",
        scenario(
            visit("v1", service="injection"),
            clinic=clinic(closures=[closure("MO 10:00", "MO 11:00", "wang", room="wang-proc-1")]),
        ),
        keeps=[booking("v1", "MO 09:10", "wang-proc-1")],
        breaks=[booking("v1", "MO 09:20", "wang-proc-1")],
    ),
    case(
        "closure",
        "of a session's room",
        scenario(group("g1", "pat"), clinic=clinic(closures=[closure("TU 10:00", "TU 11:00", room="wang-group")])),
        keeps=[session("g1", "TU 08:20", "pat")],
        breaks=[session("g1", "TU 08:30", "pat")],
    ),
)

THREE_PARTS = (
    visit("v1"),
    visit("v2", service="evaluation"),
    link("v1", "v2", 0, 0, together=True, any_order=True, max_gap_minutes=20),
)

ORDERS: tuple[Case, ...] = (
    case(
        "link",
        "in any order, the gap runs from the end of the one that starts first",
        scenario(*THREE_PARTS),
        keeps=[booking("v2", "MO 09:00", team="ana ben"), booking("v1", "MO 10:20")],
        breaks=[booking("v2", "MO 09:00", team="ana ben"), booking("v1", "MO 10:30")],
    ),
    case(
        "link",
        "in any order, the first may come first too",
        scenario(*THREE_PARTS),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 10:00", team="ana ben")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 10:10", team="ana ben")],
    ),
    case(
        "link",
        "in any order, the distance in days counts both ways",
        scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2", 1, 2, any_order=True)),
        keeps=[booking("v1", "WE 09:00"), booking("v2", "MO 09:00")],
        breaks=[booking("v1", "TH 09:00"), booking("v2", "MO 09:00")],
    ),
    case(
        "link",
        "in any order, both on one day when they need days between",
        scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2", 1, 2, any_order=True)),
        keeps=[booking("v1", "TU 09:00"), booking("v2", "MO 09:00")],
        breaks=[booking("v1", "MO 11:00"), booking("v2", "MO 09:00")],
    ),
    case(
        "link",
        "in any order, both at once is never right",
        scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2", any_order=True)),
        keeps=[booking("v1", "MO 09:40"), booking("v2", "MO 09:00", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:00", "wang-exam-2", "dee")],
    ),
    case(
        "link",
        "in any order, one half done is too soon for the other",
        scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2", any_order=True)),
        keeps=[booking("v1", "MO 09:40"), booking("v2", "MO 09:00", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 09:30"), booking("v2", "MO 09:00", "wang-exam-2", "dee")],
    ),
    case(
        "link",
        "in any order, the second still needs the first",
        scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2", any_order=True)),
        keeps=[booking("v1", "MO 09:00")],
        breaks=[booking("v2", "MO 09:00")],
    ),
    case(
        "group-cadence",
        "without a longest time between sessions, from the shortest on",
        scenario(group("g1", "pat", last_session="2026-10-01", min_days_between=62, max_days_between=None)),
        keeps=[session("g1", "WE 09:00", "pat")],
        breaks=[session("g1", "TU 09:00", "pat")],
    ),
)

NEEDS: tuple[Case, ...] = (*OWN, *BESIDE, *OPEN, *ORDERS)
