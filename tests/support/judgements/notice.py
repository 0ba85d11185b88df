"""Cases of the rules ``begun`` and ``notice``: what has begun stays as it is, and patients hear early enough."""

from __future__ import annotations

from typing import Any

from support.factories import (
    booking,
    current,
    current_group,
    group,
    people,
    pin,
    policy,
    provider,
    reserve,
    scenario,
    session,
    visit,
)
from support.judgements.case import Case, case

NOTICE: Any = {"now": "MO 08:10", "policy": policy(notice_minutes=190)}
"""Patients hear early enough of what starts at Monday 11:20 or later."""

SUPERVISED = visit("v1", current=current("MO 08:20", team="cy", supervisors="ana"))
SESSION = group("g1", "pat", "quin", current=current_group("TU 09:00", "pat", supervisors=[]))
TWO_ABLE = people(provider("dee", "pain", "psychiatry", "psychology"))

BEGUN: tuple[Case, ...] = (
    case(
        "begun",
        "the room stays",
        scenario(visit("v1", current=current("MO 08:20", supervisors="")), now="MO 08:30"),
        keeps=[booking("v1", "MO 08:20")],
        breaks=[booking("v1", "MO 08:20", "wang-exam-2")],
    ),
    case(
        "begun",
        "the supervisor stays",
        scenario(SUPERVISED, now="MO 08:30"),
        keeps=[booking("v1", "MO 08:20", team="cy", supervisors="ana")],
        breaks=[booking("v1", "MO 08:20", team="cy", supervisors="dee")],
    ),
    case(
        "begun",
        "no other joins the supervisors",
        scenario(SUPERVISED, now="MO 08:30"),
        keeps=[booking("v1", "MO 08:20", team="cy", supervisors="ana")],
        breaks=[booking("v1", "MO 08:20", team="cy", supervisors="ana dee")],
    ),
    case(
        "begun",
        "supervisors in any order",
        scenario(
            visit("v1", service="evaluation", current=current("MO 08:20", team="cy eli", supervisors="ana dee")),
            now="MO 08:30",
        ),
        keeps=[booking("v1", "MO 08:20", team="cy eli", supervisors="dee ana")],
        breaks=[booking("v1", "MO 08:20", "wang-exam-2", team="cy eli", supervisors="dee ana")],
    ),
    case(
        "begun",
        "what starts at now has not begun",
        scenario(
            visit("v1", current=current("MO 08:20", supervisors="")),
            visit("v2", "quin", current=current("MO 08:30", "wang-exam-3", "dee", supervisors="")),
            now="MO 08:30",
        ),
        keeps=[booking("v1", "MO 08:20"), booking("v2", "MO 08:30", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 08:20", "wang-exam-2"), booking("v2", "MO 08:30", "wang-exam-3", "dee")],
    ),
    case(
        "begun",
        "of what is known with supervisors only; it may be left out",
        scenario(
            visit("v1", current=current("MO 08:20")),
            visit("v2", "quin", current=current("MO 08:20", "wang-exam-2", "dee", supervisors="")),
            now="MO 08:30",
        ),
        keeps=[booking("v1", "MO 08:20", "wang-exam-3")],
        breaks=[booking("v1", "MO 08:20", "wang-exam-3"), booking("v2", "MO 08:20", team="dee")],
    ),
    case(
        "begun",
        "in a room that its service does not need any more, it is left out",
        scenario(
            visit("v1", service="bedside", current=current("MO 08:20", "wang-exam-1", supervisors="")),
            visit("v2", "quin", "bedside", current=current("MO 08:20", None, "dee", supervisors="")),
            now="MO 08:30",
        ),
        keeps=[booking("v2", "MO 08:20", None, "dee")],
        breaks=[booking("v1", "MO 08:20", None), booking("v2", "MO 08:20", None, "dee")],
    ),
    case(
        "begun",
        "a session keeps its attendees, in any order",
        scenario(
            group("g1", "pat", "quin", "rae", current=current_group("TU 09:00", "pat", "quin", supervisors=[])), now="TU 09:10"
        ),
        keeps=[session("g1", "TU 09:00", "quin pat")],
        breaks=[session("g1", "TU 09:00", "quin pat rae")],
    ),
    case(
        "begun",
        "who has left its candidates attends a session that has begun all the same",
        scenario(group("g1", "pat", current=current_group("TU 09:00", "pat", "sol", supervisors=[])), now="TU 09:10"),
        keeps=[session("g1", "TU 09:00", "pat sol")],
        breaks=[session("g1", "TU 09:00", "pat")],
    ),
    case(
        "group-size",
        "who attends a session that has not begun is no candidate of it by that",
        scenario(group("g1", "pat", current=current_group("TU 09:00", "pat", "sol", supervisors=[])), now="TU 09:00"),
        keeps=[session("g1", "TU 09:00", "pat")],
        breaks=[session("g1", "TU 09:00", "pat sol")],
    ),
)

NOTIFIED: tuple[Case, ...] = (
    case(
        "notice",
        "a new visit, exactly as the notice ends and a slot before",
        scenario(visit("v1"), **NOTICE),
        keeps=[booking("v1", "MO 11:20")],
        breaks=[booking("v1", "MO 11:10")],
    ),
    case(
        "notice",
        "a visit that stands may stay, told or not, with another team and room; not at another time",
        scenario(
            visit("v1", current=current("MO 10:00", notified=False)),
            visit("v2", "quin", current=current("MO 09:00")),
            **NOTICE,
        ),
        keeps=[booking("v1", "MO 10:00", "wang-exam-2", "dee"), booking("v2", "MO 09:00")],
        breaks=[booking("v1", "MO 10:10", "wang-exam-2", "dee"), booking("v2", "MO 09:00")],
    ),
    case(
        "notice",
        "nor at another building",
        scenario(
            visit("v1", service="bedside", current=current("MO 13:00", None)),
            now="MO 08:10",
            policy=policy(notice_minutes=300),
        ),
        keeps=[booking("v1", "MO 13:00", None)],
        breaks=[booking("v1", "MO 13:00", None, location="yawkey")],
    ),
    case(
        "notice",
        "a same-day visit is free",
        scenario(visit("v1", same_day=True), visit("v2", "quin"), **NOTICE),
        keeps=[booking("v1", "MO 10:00")],
        breaks=[booking("v2", "MO 10:00")],
    ),
    case(
        "notice",
        "a pinned visit is free",
        scenario(visit("v1", pinned=pin("MO 10:00")), visit("v2", "quin"), **NOTICE),
        keeps=[booking("v1", "MO 10:00")],
        breaks=[booking("v1", "MO 10:00"), booking("v2", "MO 10:00", "wang-exam-2", "dee")],
    ),
    case(
        "notice",
        "one whose deadline is on the date on which the notice ends is free, a day later it is not",
        scenario(
            visit("v1", deadline="TU"),
            visit("v2", "quin", deadline="WE"),
            now="MO 08:10",
            policy=policy(notice_minutes=24 * 60),
        ),
        keeps=[booking("v1", "MO 10:00"), booking("v2", "TU 08:10")],
        breaks=[booking("v1", "MO 10:00"), booking("v2", "MO 11:00")],
    ),
    case(
        "notice",
        "a hold is free",
        scenario(reserve("r1", "MO", from_="08:00"), visit("v1"), **NOTICE),
        keeps=[booking("r1", "MO 10:00")],
        breaks=[booking("v1", "MO 10:00")],
    ),
    case(
        "notice",
        "a new session",
        scenario(group("g1", "pat"), now="TU 08:30", policy=policy(notice_minutes=60)),
        keeps=[session("g1", "TU 09:30", "pat")],
        breaks=[session("g1", "TU 09:20", "pat")],
        also=[],
    ),
    case(
        "notice",
        "a session that stands may lose attendees and have another team, and nobody joins it",
        scenario(SESSION, providers=TWO_ABLE, now="TU 08:30", policy=policy(notice_minutes=31)),
        keeps=[session("g1", "TU 09:00", "pat", team="dee")],
        breaks=[session("g1", "TU 09:00", "pat quin", team="dee")],
    ),
    case(
        "notice",
        "whoever joins a session exactly as the notice ends hears early enough; the session does not move to before",
        scenario(SESSION, now="TU 08:30", policy=policy(notice_minutes=30)),
        keeps=[session("g1", "TU 09:00", "pat quin")],
        breaks=[session("g1", "TU 08:50", "pat")],
    ),
)
