"""Cases of the rules of what was asked for."""

from __future__ import annotations

from support.factories import booking, group, link, pin, reserve, scenario, session, visit
from support.judgements.case import Case, case

PINS: tuple[Case, ...] = (
    case(
        "pinned",
        "ten minutes late",
        scenario(visit("v1", pinned=pin("MO 09:10"))),
        keeps=[booking("v1", "MO 09:10")],
        breaks=[booking("v1", "MO 09:20")],
    ),
    case(
        "pinned",
        "a day late",
        scenario(visit("v1", pinned=pin("MO 09:10"))),
        keeps=[booking("v1", "MO 09:10")],
        breaks=[booking("v1", "TU 09:10")],
    ),
    case(
        "pinned",
        "in another room",
        scenario(visit("v1", pinned=pin("MO 09:10", "wang-exam-2"))),
        keeps=[booking("v1", "MO 09:10", "wang-exam-2")],
        breaks=[booking("v1", "MO 09:10", "wang-exam-1")],
    ),
    case(
        "pinned",
        "in another building",
        scenario(visit("v1", service="bedside", pinned=pin("MO 13:00", None, location="yawkey"))),
        keeps=[booking("v1", "MO 13:00", None, location="yawkey")],
        breaks=[booking("v1", "MO 13:00", None, location="west")],
    ),
    case(
        "pinned",
        "with another in the second seat",
        scenario(visit("v1", service="evaluation", pinned=pin("MO 09:10", team="ana ben"))),
        keeps=[booking("v1", "MO 09:10", team="ana ben")],
        breaks=[booking("v1", "MO 09:10", team="ana dee")],
    ),
    case(
        "pinned",
        "left out",
        scenario(visit("v1", pinned=pin("MO 09:10", team="cy"))),
        keeps=[booking("v1", "MO 09:10", team="cy", supervisors="dee")],
        breaks=[],
    ),
)

FOLLOWING: tuple[Case, ...] = (
    case(
        "link",
        "the second without the first",
        scenario(visit("v1"), visit("v2"), link("v1", "v2")),
        keeps=[booking("v1", "MO 09:00")],
        breaks=[booking("v2", "MO 09:00")],
    ),
    case(
        "link",
        "the first without the second, when they belong together",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", together=True)),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "FR 09:00")],
        breaks=[booking("v1", "MO 09:00")],
    ),
    case(
        "link",
        "a day too soon",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", 2, 3)),
        keeps=[booking("v1", "MO 15:00"), booking("v2", "WE 08:00")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "TU 16:00")],
    ),
    case(
        "link",
        "a day too late",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", 2, 3)),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "TH 16:00")],
        breaks=[booking("v1", "MO 16:00"), booking("v2", "FR 08:00")],
    ),
    case(
        "link",
        "the day before, when any later day would do",
        scenario(visit("v1"), visit("v2"), link("v1", "v2")),
        keeps=[booking("v1", "TU 09:00"), booking("v2", "TU 09:40")],
        breaks=[booking("v1", "TU 09:00"), booking("v2", "MO 09:40")],
    ),
)

ONE_DAY: tuple[Case, ...] = (
    case(
        "link",
        "on one day, before the first has ended",
        scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2")),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:40", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:30", "wang-exam-2", "dee")],
    ),
    case(
        "link",
        "on one day, a minute too soon",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", min_gap_minutes=21)),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 10:10")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 10:00")],
    ),
    case(
        "link",
        "on one day, a minute too late",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", max_gap_minutes=29)),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 10:00")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 10:10")],
    ),
    case(
        "link",
        "on one day, at the shortest gap and at the longest, and a slot later",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", min_gap_minutes=30, max_gap_minutes=30)),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 10:10")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 10:20")],
    ),
    case(
        "link",
        "gaps count within one day only",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", min_gap_minutes=20, max_gap_minutes=30)),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "TU 09:50")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:50")],
    ),
    case(
        "link",
        "in another building",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", same_location=True)),
        keeps=[booking("v1", "MO 13:00"), booking("v2", "TU 13:00", "wang-exam-2")],
        breaks=[booking("v1", "MO 13:00"), booking("v2", "TU 13:00", "west-exam", location="west")],
    ),
    case(
        "link",
        "with another provider",
        scenario(visit("v1"), visit("v2"), link("v1", "v2", same_provider=True)),
        keeps=[booking("v1", "MO 13:00", team="dee"), booking("v2", "TU 13:00", "west-exam", "dee", "west")],
        breaks=[booking("v1", "MO 13:00", team="dee"), booking("v2", "TU 13:00", "west-exam", "ana", "west")],
    ),
    case(
        "link",
        "with another in one of two seats",
        scenario(visit("v1", service="evaluation"), visit("v2", service="evaluation"), link("v1", "v2", same_provider=True)),
        keeps=[booking("v1", "MO 13:00", team="ana ben"), booking("v2", "TU 13:00", team="ana ben")],
        breaks=[booking("v1", "MO 13:00", team="ana ben"), booking("v2", "TU 13:00", team="ana dee")],
    ),
)

GROUPS: tuple[Case, ...] = (
    case(
        "group-size",
        "one more than the group's capacity",
        scenario(group("g1", "pat", "quin", "rae", "sol", capacity=3)),
        keeps=[session("g1", "TU 09:00", "pat quin sol")],
        breaks=[session("g1", "TU 09:00", "pat quin rae sol")],
    ),
    case(
        "group-size",
        "one more than the room's seats",
        scenario(group("g1", "pat", "quin", "rae", "sol", "tam", capacity=5)),
        keeps=[session("g1", "TU 09:00", "pat quin rae sol")],
        breaks=[session("g1", "TU 09:00", "pat quin rae sol tam")],
    ),
    case(
        "group-size",
        "one too few",
        scenario(group("g1", "pat", "quin", "rae", min_attendees=2)),
        keeps=[session("g1", "TU 09:00", "rae quin")],
        breaks=[session("g1", "TU 09:00", "rae")],
    ),
    case(
        "group-size",
        "somebody who is no candidate",
        scenario(group("g1", "pat", "quin")),
        keeps=[session("g1", "TU 09:00", "pat quin")],
        breaks=[session("g1", "TU 09:00", "pat quin sol")],
    ),
    case(
        "group-size",
        "somebody twice",
        scenario(group("g1", "pat", "quin")),
        keeps=[session("g1", "TU 09:00", "pat quin")],
        breaks=[session("g1", "TU 09:00", "pat quin pat")],
    ),
    case(
        "group-month",
        "on the last day of the month before",
        scenario(group("g1", "pat")),
        keeps=[session("g1", "TU 09:00", "pat")],
        breaks=[session("g1", "MO 09:00", "pat")],
    ),
    case(
        "group-month",
        "on the first day of the month after",
        scenario(group("g1", "pat", month="2026-11")),
        keeps=[session("g1", "MO 13:00", "pat")],
        breaks=[session("g1", "TU 09:00", "pat")],
    ),
    case(
        "group-cadence",
        "a day too soon after the last session",
        scenario(group("g1", "pat", last_session="2026-11-11", min_days_between=21)),
        keeps=[session("g1", "WE 09:00", "pat")],
        breaks=[session("g1", "TU 09:00", "pat")],
    ),
    case(
        "group-cadence",
        "a day too late after the last session",
        scenario(group("g1", "pat", last_session="2026-10-22", max_days_between=42)),
        keeps=[session("g1", "TH 09:00", "pat")],
        breaks=[session("g1", "FR 09:00", "pat")],
    ),
)

RESERVES: tuple[Case, ...] = (
    case(
        "reserve-window",
        "on another date",
        scenario(reserve("r1", "TU")),
        keeps=[booking("r1", "TU 13:00")],
        breaks=[booking("r1", "WE 13:00")],
    ),
    case(
        "reserve-window",
        "a minute before its hours",
        scenario(reserve("r1", "TU", from_="13:01")),
        keeps=[booking("r1", "TU 13:10")],
        breaks=[booking("r1", "TU 13:00")],
    ),
    case(
        "reserve-window",
        "until a minute after its hours",
        scenario(reserve("r1", "TU", to="14:39")),
        keeps=[booking("r1", "TU 13:50")],
        breaks=[booking("r1", "TU 14:00")],
    ),
    case(
        "reserve-window",
        "to the end of its hours, and a slot longer",
        scenario(reserve("r1", "TU", to="14:40")),
        keeps=[booking("r1", "TU 14:00")],
        breaks=[booking("r1", "TU 14:10")],
    ),
    case(
        "reserve-window",
        "at another site",
        scenario(reserve("r1", "TU", service="bedside", site="boston")),
        keeps=[booking("r1", "TU 13:00", None, location="yawkey")],
        breaks=[booking("r1", "TU 13:00", None, location="west")],
    ),
)

REQUESTS: tuple[Case, ...] = (*PINS, *FOLLOWING, *ONE_DAY, *GROUPS, *RESERVES)
