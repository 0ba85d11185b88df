"""Cases of the rules of a plan that people already live by."""

from __future__ import annotations

from support.factories import booking, current, current_group, group, policy, reserve, scenario, session, visit
from support.judgements.case import Case, case

PAST: tuple[Case, ...] = (
    case(
        "not-past",
        "a start a minute before now",
        scenario(visit("v1"), now="MO 09:01"),
        keeps=[booking("v1", "MO 09:10")],
        breaks=[booking("v1", "MO 09:00")],
    ),
    case(
        "not-past",
        "a start at now is not past",
        scenario(visit("v1"), now="TU 09:00"),
        keeps=[booking("v1", "TU 09:00")],
        breaks=[booking("v1", "TU 08:50")],
    ),
    case(
        "not-past",
        "what stands in the past may stay, what stands later may not move there",
        scenario(visit("v1", current=current("MO 08:20")), visit("v2", "quin", current=current("MO 11:00")), now="MO 09:10"),
        keeps=[booking("v1", "MO 08:20", "wang-exam-2"), booking("v2", "MO 09:10")],
        breaks=[booking("v1", "MO 08:20", "wang-exam-2"), booking("v2", "MO 09:00")],
    ),
    case(
        "not-past",
        "a group session",
        scenario(group("g1", "pat"), now="TU 09:01"),
        keeps=[session("g1", "TU 09:10", "pat")],
        breaks=[session("g1", "TU 09:00", "pat")],
    ),
    case(
        "not-past",
        "a hold",
        scenario(reserve("r1", "TU", from_="08:00"), now="TU 09:01"),
        keeps=[booking("r1", "TU 09:10")],
        breaks=[booking("r1", "TU 09:00")],
    ),
)

THREE_SESSIONS = (
    group("g1", "pat", "quin", current=current_group("TU 09:00", "pat")),
    group("g2", "rae", current=current_group("TU 13:00", "rae")),
    group("g3", "sol", current=current_group("TU 15:00", "sol")),
)

IMMINENT: tuple[Case, ...] = (
    case(
        "frozen",
        "what starts a minute before the freeze ends, and what starts as it ends",
        scenario(
            visit("v1", current=current("MO 09:00")),
            visit("v2", "quin", current=current("MO 09:10", "wang-exam-2", "dee")),
            now="MO 08:30",
            freeze_minutes=40,
        ),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:20", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 09:10"), booking("v2", "MO 09:20", "wang-exam-2", "dee")],
    ),
    case(
        "frozen",
        "to another provider",
        scenario(visit("v1", current=current("MO 09:00")), now="MO 08:30", freeze_minutes=31),
        keeps=[booking("v1", "MO 09:00", "wang-exam-2")],
        breaks=[booking("v1", "MO 09:00", team="dee")],
    ),
    case(
        "frozen",
        "to another building",
        scenario(
            visit("v1", service="bedside", current=current("MO 13:00", None, location="yawkey", notified=False)),
            now="MO 08:30",
            freeze_minutes=271,
        ),
        keeps=[booking("v1", "MO 13:00", None, location="yawkey")],
        breaks=[booking("v1", "MO 13:00", None)],
    ),
    case(
        "frozen",
        "it may be left out, not put off",
        scenario(visit("v1", current=current("MO 09:00")), now="MO 10:00"),
        keeps=[],
        breaks=[booking("v1", "TU 09:00")],
    ),
    case(
        "frozen",
        "a group session, though its attendees may change",
        scenario(group("g1", "pat", "quin", current=current_group("TU 09:00", "pat")), now="TU 08:30", freeze_minutes=31),
        keeps=[session("g1", "TU 09:00", "quin")],
        breaks=[session("g1", "TU 09:10", "pat")],
    ),
    case(
        "frozen",
        "a group session may be left out, or moved when it starts as the freeze ends",
        scenario(*THREE_SESSIONS, now="TU 12:40", freeze_minutes=140),
        keeps=[session("g2", "TU 13:00", "rae"), session("g3", "TU 15:10", "sol")],
        breaks=[session("g2", "TU 13:10", "rae"), session("g3", "TU 15:10", "sol")],
    ),
)

TWO_TOLD = (
    visit("v1", current=current("MO 09:00")),
    visit("v2", "quin", current=current("MO 10:00")),
    visit("v3", "rae", current=current("MO 11:00", notified=False)),
    visit("v4", "sol"),
    group("g1", "tam", current=current_group("TU 09:00", "tam", notified=False)),
    group("g2", "tam", required=False),
)

CALLS: tuple[Case, ...] = (
    case(
        "notification-budget",
        "one call too many, where rooms and those who were not told are free",
        scenario(*TWO_TOLD, policy=policy(max_notified_moves=1)),
        keeps=[booking("v1", "MO 09:00", "wang-exam-2"), booking("v2", "MO 10:10"), booking("v3", "MO 11:10")],
        breaks=[booking("v1", "MO 09:10", "wang-exam-2"), booking("v2", "MO 10:10"), booking("v3", "MO 11:10")],
    ),
    case(
        "notification-budget",
        "leaving out is a call too",
        scenario(*TWO_TOLD, policy=policy(max_notified_moves=1)),
        keeps=[booking("v1", "MO 09:00"), booking("v3", "MO 11:00", team="dee")],
        breaks=[booking("v1", "MO 09:00", team="dee"), booking("v3", "MO 11:00")],
    ),
    case(
        "notification-budget",
        "no calls at all",
        scenario(visit("v1", current=current("MO 09:00")), policy=policy(max_notified_moves=0)),
        keeps=[booking("v1", "MO 09:00")],
        breaks=[booking("v1", "MO 09:00", team="dee")],
    ),
    case(
        "notification-budget",
        "each attendee who no longer attends",
        scenario(
            group("g1", "pat", "quin", "rae", "sol", current=current_group("TU 09:00", "pat", "quin", "rae")),
            policy=policy(max_notified_moves=1),
        ),
        keeps=[session("g1", "TU 09:00", "pat sol quin")],
        breaks=[session("g1", "TU 09:00", "pat sol")],
    ),
    case(
        "notification-budget",
        "all attendees of a session that moves, beside a visit",
        scenario(
            visit("v1", "sol", current=current("WE 09:00")),
            group("g1", "pat", "quin", current=current_group("TU 09:00", "pat", "quin")),
            policy=policy(max_notified_moves=2),
        ),
        keeps=[booking("v1", "WE 09:00"), session("g1", "TU 09:10", "pat quin")],
        breaks=[booking("v1", "WE 09:10"), session("g1", "TU 09:10", "pat quin")],
    ),
)

STABILITY: tuple[Case, ...] = (*PAST, *IMMINENT, *CALLS)
