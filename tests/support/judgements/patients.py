"""Cases of the rules of the people who receive care."""

from __future__ import annotations

from support.factories import booking, clinic, group, patient, scenario, session, visit
from support.judgements.case import Case, case

OVERLAPS: tuple[Case, ...] = (
    case(
        "patient-overlap",
        "two visits at once with two providers",
        scenario(visit("v1"), visit("v2")),
        keeps=[booking("v1", "MO 09:00"), booking("v2", "MO 09:40", "wang-exam-2", "dee")],
        breaks=[booking("v1", "MO 09:00"), booking("v2", "MO 09:30", "wang-exam-2", "dee")],
    ),
    case(
        "patient-overlap",
        "still a minute in recovery",
        scenario(visit("v1", service="injection"), visit("v2")),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 10:10", team="dee")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 10:00", team="dee")],
    ),
    case(
        "patient-overlap",
        "a visit during a group session that the patient attends",
        scenario(visit("v1"), group("g1", "pat", "quin")),
        keeps=[session("g1", "TU 09:00", "pat quin"), booking("v1", "TU 10:30")],
        breaks=[session("g1", "TU 09:00", "pat quin"), booking("v1", "TU 10:20")],
    ),
    case(
        "patient-overlap",
        "a visit during a group session that others attend",
        scenario(visit("v1"), group("g1", "pat", "quin")),
        keeps=[session("g1", "TU 09:00", "quin"), booking("v1", "TU 10:20")],
        breaks=[session("g1", "TU 09:00", "quin pat"), booking("v1", "TU 10:20")],
    ),
    case(
        "patient-travel",
        "a minute too little after recovery",
        scenario(
            visit("v1", service="injection"),
            visit("v2"),
            clinic=clinic(travel=[{"between": ["west", "wang"], "minutes": 40}]),
        ),
        keeps=[booking("v1", "MO 11:00", "wang-proc-1"), booking("v2", "MO 12:50", "west-exam", "dee", "west")],
        breaks=[booking("v1", "MO 11:00", "wang-proc-1"), booking("v2", "MO 12:40", "west-exam", "dee", "west")],
    ),
    case(
        "patient-travel",
        "back the other way",
        scenario(visit("v1"), visit("v2")),
        keeps=[booking("v1", "MO 14:00"), booking("v2", "MO 12:30", "west-exam", "dee", "west")],
        breaks=[booking("v1", "MO 13:50"), booking("v2", "MO 12:30", "west-exam", "dee", "west")],
    ),
    case(
        "patient-travel",
        "from one's visit to one's group",
        scenario(visit("v1", service="bedside"), group("g1", "pat", "quin")),
        keeps=[booking("v1", "TU 13:00", None, location="yawkey"), session("g1", "TU 13:30", "quin pat")],
        breaks=[booking("v1", "TU 13:00", None, location="yawkey"), session("g1", "TU 13:20", "quin pat")],
    ),
)

LIMITS: tuple[Case, ...] = (
    case(
        "patient-available",
        "recovery until a minute into the patient's absence",
        scenario(visit("v1", service="injection"), patients=[patient("pat", [("MO 10:10", "MO 12:00")])]),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1")],
        breaks=[booking("v1", "MO 09:10", "wang-proc-1")],
    ),
    case(
        "patient-available",
        "a start a minute before the end of an absence of days",
        scenario(visit("v1"), patients=[patient("pat", [("MO 08:00", "WE 09:01")])]),
        keeps=[booking("v1", "WE 09:10")],
        breaks=[booking("v1", "WE 09:00")],
    ),
    case(
        "patient-available",
        "as an absence ends, and a slot before",
        scenario(visit("v1"), patients=[patient("pat", [("TU 08:00", "TU 09:00")])]),
        keeps=[booking("v1", "TU 09:00")],
        breaks=[booking("v1", "TU 08:50")],
    ),
    case(
        "patient-available",
        "the middle of an absence of days",
        scenario(visit("v1"), patients=[patient("pat", [("MO 16:00", "WE 09:00")])]),
        keeps=[booking("v1", "MO 15:20")],
        breaks=[booking("v1", "TU 15:20")],
    ),
    case(
        "patient-available",
        "one attendee of a group is away",
        scenario(group("g1", "pat", "quin"), patients=[patient("quin", [("TU 10:20", "TU 11:00")])]),
        keeps=[session("g1", "TU 09:00", "pat")],
        breaks=[session("g1", "TU 09:00", "pat quin")],
    ),
    case(
        "patient-site",
        "at the site that the patient cannot reach",
        scenario(visit("v1", service="bedside"), patients=[patient("pat", allowed_sites=["boston"])]),
        keeps=[booking("v1", "MO 13:00", None, location="yawkey")],
        breaks=[booking("v1", "MO 13:00", None, location="west")],
    ),
    case(
        "patient-site",
        "one attendee of a group cannot come",
        scenario(group("g1", "pat", "quin"), patients=[patient("pat", allowed_sites=["waltham"])]),
        keeps=[session("g1", "TU 09:00", "quin")],
        breaks=[session("g1", "TU 09:00", "quin pat")],
    ),
    case(
        "earliest",
        "the day before",
        scenario(visit("v1", earliest="TU")),
        keeps=[booking("v1", "TU 08:00")],
        breaks=[booking("v1", "MO 11:00")],
    ),
    case(
        "deadline",
        "the day after",
        scenario(visit("v1", deadline="WE")),
        keeps=[booking("v1", "WE 11:00")],
        breaks=[booking("v1", "TH 08:00")],
    ),
    case(
        "same-day",
        "the day after the referral",
        scenario(visit("v1", earliest="TU", same_day=True, priority="cancer")),
        keeps=[booking("v1", "TU 11:00")],
        breaks=[booking("v1", "WE 08:00")],
    ),
    case(
        "required-provider",
        "another provider",
        scenario(visit("v1", required_provider="dee")),
        keeps=[booking("v1", "MO 09:00", team="dee")],
        breaks=[booking("v1", "MO 09:00", team="ana")],
    ),
    case(
        "required-provider",
        "any seat will do, supervising will not",
        scenario(visit("v1", service="evaluation", required_provider="dee")),
        keeps=[booking("v1", "MO 09:00", team="cy dee", supervisors="ana")],
        breaks=[booking("v1", "MO 09:00", team="cy ben", supervisors="dee")],
    ),
)

PATIENTS: tuple[Case, ...] = (*OVERLAPS, *LIMITS)
