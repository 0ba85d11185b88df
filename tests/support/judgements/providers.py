"""Cases of the rules of the people who give care."""

from __future__ import annotations

from typing import Any

from support.factories import at, booking, clinic, people, provider, reserve, scenario, service, shift, visit
from support.judgements.case import Case, case


def place(provider: str, start: str, location: str) -> dict[str, str]:
    """Build the location chosen for a shift."""
    return {"provider": provider, "start": at(start), "location": location}


ROAD: dict[str, Any] = {"travel": [{"between": ["wang", "west"], "minutes": 41}]}

TEAMS: tuple[Case, ...] = (
    case(
        "team",
        "one provider in two seats, though qualified for each",
        scenario(visit("v1", service="evaluation")),
        keeps=[booking("v1", "MO 09:00", team="ana dee")],
        breaks=[booking("v1", "MO 09:00", team="dee dee")],
    ),
    case(
        "team",
        "a seat stays empty",
        scenario(visit("v1", service="evaluation")),
        keeps=[booking("v1", "MO 09:00", team="ana ben")],
        breaks=[booking("v1", "MO 09:00", team="ana")],
    ),
    case(
        "team",
        "one provider too many",
        scenario(reserve("r1", "MO")),
        keeps=[booking("r1", "MO 13:00", team="ana")],
        breaks=[booking("r1", "MO 13:00", team="ana dee")],
    ),
    case(
        "qualified",
        "without the seat's skill",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 09:00", team="dee")],
        breaks=[booking("v1", "MO 09:00", team="ben")],
    ),
    case(
        "qualified",
        "each in the other's seat",
        scenario(visit("v1", service="evaluation")),
        keeps=[booking("v1", "MO 09:00", team="ana dee")],
        breaks=[booking("v1", "MO 09:00", team="dee ana")],
    ),
    case(
        "qualified",
        "one of the seat's skills is enough",
        scenario(visit("v1", service="evaluation")),
        keeps=[booking("v1", "MO 09:00", team="ana ben")],
        breaks=[booking("v1", "MO 09:00", team="ben dee")],
    ),
)

SHIFTS: tuple[Case, ...] = (
    case(
        "shift",
        "from a minute before the shift",
        scenario(visit("v1"), providers=people(provider("ana", shifts=[shift("MO 08:01", "12:00")]))),
        keeps=[booking("v1", "MO 08:10")],
        breaks=[booking("v1", "MO 08:00")],
    ),
    case(
        "shift",
        "until a minute after the shift",
        scenario(visit("v1"), providers=people(provider("ana", shifts=[shift("MO 08:00", "11:59")]))),
        keeps=[booking("v1", "MO 11:10")],
        breaks=[booking("v1", "MO 11:20")],
    ),
    case(
        "shift",
        "across two shifts that follow each other",
        scenario(
            visit("v1"), providers=people(provider("ana", shifts=[shift("MO 08:00", "10:00"), shift("MO 10:00", "12:00")]))
        ),
        keeps=[booking("v1", "MO 10:00")],
        breaks=[booking("v1", "MO 09:50")],
    ),
    case(
        "shift",
        "at a building where the shift cannot be",
        scenario(visit("v1"), providers=people(provider("ana", shifts=[shift("MO 08:00", "12:00", "west")]))),
        keeps=[booking("v1", "MO 09:00", "west-exam", location="west")],
        breaks=[booking("v1", "MO 09:00")],
    ),
    case(
        "shift",
        "at another building than the one chosen",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 13:00")],
        breaks=[booking("v1", "MO 13:00")],
        breaking={"shifts": [place("ana", "MO 12:30", "west")]},
    ),
    case(
        "shift",
        "no building is chosen",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 13:00")],
        breaks=[booking("v1", "MO 13:00")],
        breaking={"shifts": []},
    ),
    case(
        "shift",
        "one shift in two buildings, though there is time to travel",
        scenario(visit("v1"), visit("v2", "quin")),
        keeps=[booking("v1", "MO 13:00"), booking("v2", "MO 14:30")],
        breaks=[booking("v1", "MO 13:00"), booking("v2", "MO 14:30", "west-exam", location="west")],
    ),
    case(
        "shift",
        "two buildings are chosen for one shift",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 13:00")],
        breaks=[booking("v1", "MO 13:00")],
        breaking={"shifts": [place("ana", "MO 12:30", "wang"), place("ana", "MO 12:30", "west")]},
    ),
    case(
        "shift",
        "the supervisor's shift is over",
        scenario(visit("v1"), providers=people(provider("ana", shifts=[shift("MO 08:00", "11:50")]))),
        keeps=[booking("v1", "MO 11:10", team="cy", supervisors="ana")],
        breaks=[booking("v1", "MO 11:20", team="cy", supervisors="ana")],
    ),
    case(
        "shift",
        "the second seat's shift is over",
        scenario(
            visit("v1", service="evaluation"),
            providers=people(provider("ben", "psychology", shifts=[shift("MO 08:00", "11:50")])),
        ),
        keeps=[booking("v1", "MO 10:50", team="ana ben")],
        breaks=[booking("v1", "MO 11:00", team="ana ben")],
    ),
    case(
        "busy",
        "busy from a minute before the end",
        scenario(visit("v1"), providers=people(provider("ana", busy=[("MO 09:49", "MO 11:00")]))),
        keeps=[booking("v1", "MO 09:00")],
        breaks=[booking("v1", "MO 09:10")],
    ),
    case(
        "busy",
        "busy until a minute after the start",
        scenario(visit("v1"), providers=people(provider("ana", busy=[("MO 08:00", "TU 10:01")]))),
        keeps=[booking("v1", "TU 10:10")],
        breaks=[booking("v1", "TU 10:00")],
    ),
    case(
        "busy",
        "a supervisor is busy",
        scenario(visit("v1"), providers=people(provider("ana", busy=[("MO 09:30", "MO 09:31")]))),
        keeps=[booking("v1", "MO 09:40", team="cy", supervisors="ana")],
        breaks=[booking("v1", "MO 09:30", team="cy", supervisors="ana")],
    ),
    case(
        "busy",
        "the second seat of a hold is busy",
        scenario(
            reserve("r1", "MO", service="evaluation"),
            providers=people(provider("ben", "psychology", busy=[("MO 14:00", "MO 15:00")])),
        ),
        keeps=[booking("r1", "MO 13:00", team="ana ben")],
        breaks=[booking("r1", "MO 13:10", team="ana ben")],
    ),
)

LOAD: tuple[Case, ...] = (
    case(
        "provider-overlap",
        "two visits at once, though attention would do",
        scenario(visit("v1"), visit("v2", "quin")),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:40", "wang-exam-2")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:30", "wang-exam-2")],
    ),
    case(
        "provider-overlap",
        "supervising during a visit of one's own is no overlap",
        scenario(visit("v1"), visit("v2", "quin")),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:00", "wang-exam-2", "cy", supervisors="ana")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:00", "wang-exam-2")],
    ),
    case(
        "provider-overlap",
        "in the second seat of one and the first of the other",
        scenario(visit("v1", service="evaluation"), visit("v2", "quin")),
        keeps=[booking("v1", "MO 09:00", team="ana dee"), booking("v2", "MO 10:00", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 09:00", team="ana dee"), booking("v2", "MO 09:50", "wang-exam-2", "dee")],
    ),
    case(
        "provider-overlap",
        "a fellow in two visits with a supervisor each",
        scenario(visit("v1"), reserve("r1", "MO")),
        keeps=[
            booking("v1", "MO 13:00", team="cy", supervisors="ana"),
            booking("r1", "MO 13:40", "wang-exam-2", "cy", supervisors="dee"),
        ],
        breaks=[
            booking("v1", "MO 13:00", team="cy", supervisors="ana"),
            booking("r1", "MO 13:30", "wang-exam-2", "cy", supervisors="dee"),
        ],
    ),
    case(
        "travel",
        "a minute too little between two buildings",
        scenario(visit("v1"), visit("v2", "quin"), clinic=clinic(**ROAD)),
        keeps=[booking("v1", "MO 11:20"), booking("v2", "MO 12:50", "west-exam", location="west")],
        breaks=[booking("v1", "MO 11:20"), booking("v2", "MO 12:40", "west-exam", location="west")],
    ),
    case(
        "travel",
        "back from the other building, to supervise",
        scenario(
            visit("v1"),
            visit("v2", "quin"),
            clinic=clinic(**ROAD),
            providers=people(provider("fay", shifts=[shift("MO 08:00", "10:00", "west"), shift("MO 10:10", "15:00", "wang")])),
        ),
        keeps=[
            booking("v1", "MO 09:00", "west-exam", "fay", "west"),
            booking("v2", "MO 10:30", team="cy", supervisors="fay"),
        ],
        breaks=[
            booking("v1", "MO 09:00", "west-exam", "fay", "west"),
            booking("v2", "MO 10:20", team="cy", supervisors="fay"),
        ],
    ),
    case(
        "travel",
        "between two buildings of one campus",
        scenario(
            visit("v1", service="bedside"),
            visit("v2", "quin"),
            providers=people(provider("ana", shifts=[shift("MO 08:00", "10:00", "yawkey"), shift("MO 10:00", "12:00")])),
        ),
        keeps=[booking("v1", "MO 09:40", None, location="yawkey"), booking("v2", "MO 10:10")],
        breaks=[booking("v1", "MO 09:40", None, location="yawkey"), booking("v2", "MO 10:00")],
    ),
    case(
        "travel",
        "what overlaps in one building needs no travel, the road from there does",
        scenario(visit("v1"), visit("v2", "quin"), visit("v3", "rae"), clinic=clinic(**ROAD)),
        keeps=[
            booking("v1", "MO 11:20"),
            booking("v2", "MO 11:20", "wang-exam-2", "cy", supervisors="ana"),
            booking("v3", "MO 12:50", "west-exam", location="west"),
        ],
        breaks=[
            booking("v1", "MO 11:10"),
            booking("v2", "MO 11:20", "wang-exam-2", "cy", supervisors="ana"),
            booking("v3", "MO 12:40", "west-exam", location="west"),
        ],
    ),
    case(
        "supervision",
        "a fellow alone",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 09:00", team="cy", supervisors="dee")],
        breaks=[booking("v1", "MO 09:00", team="cy")],
    ),
    case(
        "supervision",
        "a fellow under a fellow",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 09:00", team="cy", supervisors="ana")],
        breaks=[booking("v1", "MO 09:00", team="cy", supervisors="eli")],
    ),
    case(
        "supervision",
        "the supervisor lacks the seat's skill",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 09:00", team="eli", supervisors="ana")],
        breaks=[booking("v1", "MO 09:00", team="eli", supervisors="ben")],
    ),
    case(
        "supervision",
        "a skill of the fellow that the seat does not ask for is not enough",
        scenario(visit("v1", service="evaluation")),
        keeps=[booking("v1", "MO 09:00", team="ana eli", supervisors="dee")],
        breaks=[booking("v1", "MO 09:00", team="dee eli", supervisors="ana")],
    ),
    case(
        "supervision",
        "the supervisor has another seat of the team",
        scenario(visit("v1", service="evaluation")),
        keeps=[booking("v1", "MO 09:00", team="cy dee", supervisors="ana")],
        breaks=[booking("v1", "MO 09:00", team="cy dee", supervisors="dee")],
    ),
    case(
        "supervision",
        "a physician under a physician",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 09:00", team="ana")],
        breaks=[booking("v1", "MO 09:00", team="ana", supervisors="dee")],
    ),
    case(
        "supervision",
        "two fellows whose seats ask for different skills",
        scenario(visit("v1", service="evaluation")),
        keeps=[booking("v1", "MO 09:00", team="cy eli", supervisors="ana ben")],
        breaks=[booking("v1", "MO 09:00", team="cy eli", supervisors="ana")],
    ),
    case(
        "supervision",
        "one supervisor for two fellows, with a skill of each seat",
        scenario(reserve("r1", "MO", service="evaluation")),
        keeps=[booking("r1", "MO 14:00", team="cy eli", supervisors="dee")],
        breaks=[booking("r1", "MO 14:00", team="cy eli", supervisors="ben")],
    ),
    case(
        "attention",
        "three office visits at once, two of them supervised",
        scenario(visit("v1"), visit("v2", "quin"), visit("v3", "rae")),
        keeps=[
            booking("v1", "MO 09:00", "wang-exam-1", "cy", supervisors="ana"),
            booking("v2", "MO 09:20", "wang-exam-2", "eli", supervisors="ana"),
            booking("v3", "MO 09:40", "wang-exam-3"),
        ],
        breaks=[
            booking("v1", "MO 09:00", "wang-exam-1", "cy", supervisors="ana"),
            booking("v2", "MO 09:20", "wang-exam-2", "eli", supervisors="ana"),
            booking("v3", "MO 09:30", "wang-exam-3"),
        ],
    ),
    case(
        "attention",
        "a procedure takes all of it",
        scenario(visit("v1", service="injection"), reserve("r1", "MO")),
        keeps=[booking("v1", "MO 13:00", "wang-proc-1"), booking("r1", "MO 13:30", team="eli", supervisors="ana")],
        breaks=[booking("v1", "MO 13:00", "wang-proc-1"), booking("r1", "MO 13:20", team="eli", supervisors="ana")],
    ),
    case(
        "attention",
        "two fellows in one visit are one visit",
        scenario(visit("v1", service="evaluation"), visit("v2", "quin"), visit("v3", "rae", "injection")),
        keeps=[
            booking("v1", "MO 09:00", team="cy eli", supervisors="dee"),
            booking("v2", "MO 09:30", "wang-exam-2", "dee"),
            booking("v3", "MO 10:10", "wang-proc-1", "dee"),
        ],
        breaks=[
            booking("v1", "MO 09:00", team="cy eli", supervisors="dee"),
            booking("v2", "MO 09:30", "wang-exam-2", "ana"),
            booking("v3", "MO 09:50", "wang-proc-1", "dee"),
        ],
    ),
    case(
        "attention",
        "a service that asks for more than anybody has",
        scenario(visit("v1"), visit("v2", "quin", "surgery"), clinic=clinic(service("surgery", attention=3))),
        keeps=[booking("v1", "MO 09:00")],
        breaks=[booking("v2", "MO 09:00")],
    ),
    case(
        "daily-limit",
        "a minute over the limit",
        scenario(visit("v1"), visit("v2", "quin"), providers=people(provider("ana", max_minutes_per_day=79))),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "TU 09:00")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:40")],
    ),
    case(
        "daily-limit",
        "up to the limit, cleaning and recovery apart",
        scenario(
            visit("v1", service="injection"),
            visit("v2", "quin"),
            visit("v3", "rae", "bedside"),
            providers=people(provider("ana", max_minutes_per_day=70)),
        ),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 10:00"), booking("v3", "MO 11:00", None, "dee")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 10:00"), booking("v3", "MO 11:00", None)],
    ),
    case(
        "daily-limit",
        "supervised minutes do not count, those of a hold do",
        scenario(visit("v1"), reserve("r1", "MO"), providers=people(provider("ana", max_minutes_per_day=40))),
        keeps=[booking("v1", "MO 09:00"), booking("r1", "MO 13:00", team="cy", supervisors="ana")],
        breaks=[booking("v1", "MO 09:00"), booking("r1", "MO 13:00")],
    ),
)

PROVIDERS: tuple[Case, ...] = (*TEAMS, *SHIFTS, *LOAD)
