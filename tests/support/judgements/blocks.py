"""Cases of the rules of special clinics."""

from __future__ import annotations

from support.factories import block, booking, clinic, people, provider, reserve, scenario, shift, visit, week
from support.judgements.case import Case, case

CANCER_WEDNESDAY = clinic(blocks=[block("cancer", "WE", "13:01", "16:59")])
TWO_BLOCKS = clinic(blocks=[block("cancer", "WE", "13:00", "17:00"), block("other", "TU", "13:00", "15:00", location="wang")])
LONG_WEDNESDAY = provider("ana", shifts=week(shift("WE 08:00", "17:30", "wang")))

BLOCKS: tuple[Case, ...] = (
    case(
        "block",
        "a minute before the special clinic opens",
        scenario(visit("v1", service="consult"), clinic=CANCER_WEDNESDAY),
        keeps=[booking("v1", "WE 13:10", "yawkey-consult", location="yawkey")],
        breaks=[booking("v1", "WE 13:00", "yawkey-consult", location="yawkey")],
    ),
    case(
        "block",
        "until a minute after the special clinic",
        scenario(visit("v1", service="consult"), clinic=CANCER_WEDNESDAY),
        keeps=[booking("v1", "WE 16:10", "yawkey-consult", location="yawkey")],
        breaks=[booking("v1", "WE 16:20", "yawkey-consult", location="yawkey")],
    ),
    case(
        "block",
        "on another weekday",
        scenario(visit("v1", service="consult"), clinic=CANCER_WEDNESDAY),
        keeps=[booking("v1", "WE 14:00", "yawkey-consult", location="yawkey")],
        breaks=[booking("v1", "TH 14:00", "yawkey-consult", location="yawkey")],
    ),
    case(
        "block",
        "in another building",
        scenario(visit("v1", service="consult"), clinic=CANCER_WEDNESDAY),
        keeps=[booking("v1", "WE 14:00", "yawkey-consult", location="yawkey")],
        breaks=[booking("v1", "WE 14:00", "wang-consult")],
    ),
    case(
        "block",
        "as a special clinic opens, and a slot before",
        scenario(visit("v1", service="consult"), clinic=TWO_BLOCKS),
        keeps=[booking("v1", "TU 13:00", "wang-consult")],
        breaks=[booking("v1", "TU 12:50", "wang-consult")],
    ),
    case(
        "block",
        "inside either of two, which differ in hours and building",
        scenario(visit("v1", service="consult"), clinic=TWO_BLOCKS),
        keeps=[booking("v1", "TU 14:20", "wang-consult")],
        breaks=[booking("v1", "TU 14:30", "wang-consult")],
    ),
    case(
        "block-reserved",
        "a visit until a minute into the special clinic",
        scenario(visit("v1"), clinic=CANCER_WEDNESDAY, providers=people(LONG_WEDNESDAY)),
        keeps=[booking("v1", "WE 12:20")],
        breaks=[booking("v1", "WE 12:30")],
    ),
    case(
        "block-reserved",
        "a visit from a minute before the special clinic's end",
        scenario(visit("v1"), clinic=clinic(blocks=[block("cancer", "WE", "09:00", "14:01")])),
        keeps=[booking("v1", "WE 14:10")],
        breaks=[booking("v1", "WE 14:00")],
    ),
    case(
        "block-reserved",
        "as a special clinic ends, and a slot before",
        scenario(visit("v1"), clinic=clinic(blocks=[block("cancer", "WE", "09:00", "14:00")])),
        keeps=[booking("v1", "WE 14:00")],
        breaks=[booking("v1", "WE 13:50")],
    ),
    case(
        "block-reserved",
        "until a special clinic opens, and a slot longer",
        scenario(visit("v1"), clinic=clinic(blocks=[block("cancer", "WE", "14:00", "17:00")])),
        keeps=[booking("v1", "WE 13:20")],
        breaks=[booking("v1", "WE 13:30")],
    ),
    case(
        "block-reserved",
        "at the special clinic's hours, on its weekday",
        scenario(visit("v1"), clinic=CANCER_WEDNESDAY),
        keeps=[booking("v1", "TU 14:00")],
        breaks=[booking("v1", "WE 14:00")],
    ),
    case(
        "block-reserved",
        "supervising during the special clinic",
        scenario(visit("v1"), clinic=CANCER_WEDNESDAY),
        keeps=[booking("v1", "WE 13:10", team="cy", supervisors="dee")],
        breaks=[booking("v1", "WE 13:10", team="cy", supervisors="ana")],
    ),
    case(
        "block-reserved",
        "a hold for another service",
        scenario(reserve("r1", "WE", service="injection"), clinic=CANCER_WEDNESDAY),
        keeps=[booking("r1", "WE 14:00", "wang-proc-1", "dee")],
        breaks=[booking("r1", "WE 14:00", "wang-proc-1", "ana")],
    ),
)
