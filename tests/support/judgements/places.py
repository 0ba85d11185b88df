"""Cases of the rules of time and place."""

from __future__ import annotations

from typing import Any

from support.factories import (
    booking,
    clinic,
    closure,
    group,
    location,
    on,
    people,
    provider,
    reserve,
    scenario,
    service,
    session,
    shift,
    visit,
    week,
)
from support.judgements.case import Case, case

from scheduling.clinic import Clinic, Service


def closing(wang: str, *changed: Service) -> Clinic:
    """Build the default clinic with another closing time of wang, and perhaps other services."""
    locations = [location("wang", closes=wang), location("yawkey", closes="18:10"), location("west", "waltham")]
    return clinic(*changed, locations=locations)


def bays(wang: int) -> list[dict[str, Any]]:
    """Build recovery with another number of bays at wang."""
    return [{"location": "wang", "bays": wang}]


def everywhere(day: str) -> Any:
    """Build ana, who works at wang on a date outside the horizon too."""
    return people(provider("ana", shifts=week(shift(f"{day} 08:00", "12:00", "wang"))))


PROGRAMMING = service("programming", room=None, equipment=["generator"], locations=["wang", "yawkey"])
DIZZYING = service("workshop", recovery=20, team=[{"any_of": ["psychology"]}], room={"kind": "group", "features": []})

GRID: tuple[Case, ...] = (
    case(
        "start-grid",
        "a visit starts one minute off the grid",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 09:10")],
        breaks=[booking("v1", "MO 09:11")],
    ),
    case(
        "start-grid",
        "the grid counts from midnight, not from the start of a shift",
        scenario(
            visit("v1"),
            clinic=clinic(start_grid_minutes=25),
            providers=people(provider("ana", shifts=[shift("MO 08:05", "12:00")])),
        ),
        keeps=[booking("v1", "MO 08:20")],
        breaks=[booking("v1", "MO 08:30")],
    ),
    case(
        "start-grid",
        "a hold starts one minute off the grid",
        scenario(reserve("r1", "TU")),
        keeps=[booking("r1", "TU 13:10")],
        breaks=[booking("r1", "TU 13:09")],
    ),
    case(
        "horizon",
        "the day after the last",
        scenario(visit("v1"), providers=everywhere("SA")),
        keeps=[booking("v1", "FR 09:00")],
        breaks=[booking("v1", "SA 09:00")],
    ),
    case(
        "horizon",
        "the day before the first",
        scenario(visit("v1", earliest="SU-"), providers=everywhere("SU-")),
        keeps=[booking("v1", "MO 09:00")],
        breaks=[booking("v1", "SU- 09:00")],
    ),
    case(
        "horizon",
        "across midnight, when no location is open and no shift goes on",
        scenario(
            visit("v1"),
            clinic=closing("23:59"),
            providers=people(provider("ana", shifts=[shift("MO 20:00", f"{on('TU')}T00:00")])),
        ),
        keeps=[booking("v1", "MO 23:10")],
        breaks=[booking("v1", "MO 23:30")],
        also=["closes", "recovery-closes", "shift"],
    ),
)

HOURS: tuple[Case, ...] = (
    case(
        "service-location",
        "at a building where the service is not offered",
        scenario(visit("v1"), clinic=clinic(service("followup", locations=["wang"]))),
        keeps=[booking("v1", "MO 13:00")],
        breaks=[booking("v1", "MO 13:00", "west-exam", location="west")],
    ),
    case(
        "service-location",
        "a hold at a building where the service is not offered",
        scenario(reserve("r1", "MO"), clinic=clinic(service("followup", locations=["west"]))),
        keeps=[booking("r1", "MO 13:00", "west-exam", location="west")],
        breaks=[booking("r1", "MO 13:00")],
    ),
    case(
        "closes",
        "a minute after closing; whoever stays on would recover after closing too",
        scenario(visit("v1"), clinic=closing("16:59")),
        keeps=[booking("v1", "MO 16:10")],
        breaks=[booking("v1", "MO 16:20")],
        also=["recovery-closes"],
    ),
    case(
        "closes",
        "as the building closes, and a slot later",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 16:20")],
        breaks=[booking("v1", "MO 16:30")],
        also=["recovery-closes"],
    ),
    case(
        "closes",
        "until midnight, which is within the day, but when no building is open",
        scenario(
            visit("v1"),
            clinic=closing("23:59"),
            providers=people(provider("ana", shifts=[shift("MO 20:00", f"{on('TU')}T00:00")])),
        ),
        keeps=[booking("v1", "MO 23:10")],
        breaks=[booking("v1", "MO 23:20")],
        also=["recovery-closes"],
    ),
    case(
        "closes",
        "each building closes at its own time",
        scenario(visit("v1", service="bedside")),
        keeps=[booking("v1", "MO 17:10", None, location="yawkey")],
        breaks=[booking("v1", "MO 17:10", None)],
        also=["recovery-closes"],
    ),
    case(
        "recovery-closes",
        "recovery until a minute after closing",
        scenario(visit("v1", service="injection")),
        keeps=[booking("v1", "MO 15:50", "wang-proc-1")],
        breaks=[booking("v1", "MO 16:00", "wang-proc-1")],
    ),
    case(
        "recovery-closes",
        "recovery as the building closes, and a slot later",
        scenario(visit("v1", service="ablation")),
        keeps=[booking("v1", "MO 15:50", "wang-proc-1")],
        breaks=[booking("v1", "MO 16:00", "wang-proc-1")],
    ),
    case(
        "closure",
        "a closure begins a minute before the end",
        scenario(visit("v1"), clinic=clinic(closures=[closure("TU 10:09", "TU 11:00", "wang")])),
        keeps=[booking("v1", "TU 09:20")],
        breaks=[booking("v1", "TU 09:30")],
    ),
    case(
        "closure",
        "a closure of every location ends a minute after the start",
        scenario(visit("v1"), clinic=clinic(closures=[closure("MO 16:00", "TU 13:11")])),
        keeps=[booking("v1", "TU 13:20", "west-exam", location="west")],
        breaks=[booking("v1", "TU 13:10", "west-exam", location="west")],
    ),
    case(
        "closure",
        "as a closure ends, and a slot before",
        scenario(visit("v1"), clinic=clinic(closures=[closure("TU 09:00", "TU 10:00")])),
        keeps=[booking("v1", "TU 10:00")],
        breaks=[booking("v1", "TU 09:50")],
    ),
    case(
        "closure",
        "recovery may go on in a closure, the item may not",
        scenario(visit("v1", service="injection"), clinic=clinic(closures=[closure("TU 10:30", "TU 11:00", "wang")])),
        keeps=[booking("v1", "TU 10:00", "wang-proc-1")],
        breaks=[booking("v1", "TU 10:10", "wang-proc-1")],
    ),
    case(
        "closure",
        "of this building, not of another",
        scenario(visit("v1"), clinic=clinic(closures=[closure("MO 12:00", "FR 18:00", "west")])),
        keeps=[booking("v1", "TU 14:00")],
        breaks=[booking("v1", "TU 14:00", "west-exam", location="west")],
    ),
)

ROOMS: tuple[Case, ...] = (
    case(
        "room",
        "of another kind",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 09:00", "wang-exam-3")],
        breaks=[booking("v1", "MO 09:00", "wang-consult")],
    ),
    case(
        "room",
        "without one of the features",
        scenario(
            visit("v1", service="injection"),
            clinic=clinic(service("injection", room={"kind": "procedure", "features": ["fluoroscopy", "ultrasound"]})),
        ),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-2")],
    ),
    case(
        "room",
        "in another building",
        scenario(visit("v1")),
        keeps=[booking("v1", "MO 13:00", "west-exam", location="west")],
        breaks=[booking("v1", "MO 13:00", "wang-exam-1", location="west")],
    ),
    case(
        "room",
        "none, where one is needed",
        scenario(reserve("r1", "MO")),
        keeps=[booking("r1", "MO 13:00")],
        breaks=[booking("r1", "MO 13:00", None)],
    ),
    case(
        "room",
        "one, where none is needed",
        scenario(visit("v1", service="bedside")),
        keeps=[booking("v1", "MO 09:00", None)],
        breaks=[booking("v1", "MO 09:00", "wang-exam-1")],
    ),
    case(
        "room-overlap",
        "the next starts a minute before the room is clean",
        scenario(visit("v1", service="injection"), visit("v2", "quin", "injection")),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:50", "wang-proc-1", "dee")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:40", "wang-proc-1", "dee")],
    ),
    case(
        "room-overlap",
        "one within another, with a third between",
        scenario(visit("v1", service="evaluation"), visit("v2", "quin", "bedside"), visit("v3", "rae")),
        keeps=[
            booking("v1", "MO 09:00", team="dee ben"),
            booking("v2", "MO 09:00", None),
            booking("v3", "MO 10:00"),
        ],
        breaks=[
            booking("v1", "MO 09:00", team="dee ben"),
            booking("v2", "MO 09:00", None),
            booking("v3", "MO 09:20"),
        ],
    ),
    case(
        "room-overlap",
        "a hold and a visit",
        scenario(visit("v1"), reserve("r1", "MO")),
        keeps=[booking("v1", "MO 13:00"), booking("r1", "MO 13:40", team="dee")],
        breaks=[booking("v1", "MO 13:00"), booking("r1", "MO 13:30", team="dee")],
    ),
    case(
        "room-overlap",
        "the room is cleaned past midnight",
        scenario(
            visit("v1"),
            visit("v2", "quin"),
            clinic=closing("23:59", service("followup", turnover=30)),
            providers=people(
                provider("ana", shifts=[shift("MO 20:00", f"{on('TU')}T00:00")]),
                provider("dee", shifts=[shift("TU 00:00", "06:00")]),
            ),
        ),
        keeps=[booking("v1", "MO 23:10"), booking("v2", "TU 00:20", team="dee")],
        breaks=[booking("v1", "MO 23:10"), booking("v2", "TU 00:10", team="dee")],
    ),
)

POOLS: tuple[Case, ...] = (
    case(
        "equipment",
        "two at once of the only device",
        scenario(visit("v1", service="ablation"), visit("v2", "quin", "ablation")),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:50", "wang-proc-2", "dee")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:40", "wang-proc-2", "dee")],
    ),
    case(
        "equipment",
        "each building has its own pool",
        scenario(visit("v1", service="ablation"), visit("v2", "quin", "ablation")),
        keeps=[booking("v1", "MO 13:00", "wang-proc-1"), booking("v2", "MO 13:10", "west-proc", "dee", "west")],
        breaks=[booking("v1", "MO 13:00", "wang-proc-1"), booking("v2", "MO 13:10", "wang-proc-2", "dee")],
    ),
    case(
        "equipment",
        "where a building has no pool there is no device",
        scenario(visit("v1", service="programming"), clinic=clinic(PROGRAMMING)),
        keeps=[booking("v1", "MO 13:00", None)],
        breaks=[booking("v1", "MO 13:00", None, location="yawkey")],
    ),
    case(
        "equipment",
        "three at once of two devices, though never more than two start within the first",
        scenario(
            visit("v1", service="programming"),
            visit("v2", "quin", "programming"),
            visit("v3", "rae", "programming"),
            clinic=clinic(PROGRAMMING, equipment=[{"id": "generator", "location": "wang", "units": 2}]),
            providers=people(provider("fay")),
        ),
        keeps=[
            booking("v1", "MO 09:00", None),
            booking("v2", "MO 09:20", None, "dee"),
            booking("v3", "MO 09:40", None, "fay"),
        ],
        breaks=[
            booking("v1", "MO 09:00", None),
            booking("v2", "MO 09:20", None, "dee"),
            booking("v3", "MO 09:30", None, "fay"),
        ],
    ),
    case(
        "recovery",
        "the bay is free a minute late",
        scenario(visit("v1", service="injection"), visit("v2", "quin", "injection"), clinic=clinic(recovery=bays(wang=1))),
        keeps=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:40", "wang-proc-2", "dee")],
        breaks=[booking("v1", "MO 09:00", "wang-proc-1"), booking("v2", "MO 09:30", "wang-proc-2", "dee")],
    ),
    case(
        "recovery",
        "where a building has no bays nobody can recover",
        scenario(
            visit("v1", service="procedure"),
            clinic=clinic(service("procedure", recovery=10, room=None, locations=["wang", "yawkey"])),
        ),
        keeps=[booking("v1", "MO 13:00", None)],
        breaks=[booking("v1", "MO 13:00", None, location="yawkey")],
    ),
    case(
        "recovery",
        "a hold needs a bay for its patient to come",
        scenario(
            visit("v1", service="injection"),
            reserve("r1", "MO", service="injection"),
            clinic=clinic(recovery=bays(wang=1)),
        ),
        keeps=[booking("v1", "MO 13:00", "wang-proc-1"), booking("r1", "MO 13:40", "wang-proc-2", "dee")],
        breaks=[booking("v1", "MO 13:00", "wang-proc-1"), booking("r1", "MO 13:30", "wang-proc-2", "dee")],
    ),
    case(
        "recovery",
        "each attendee of a group needs a bay",
        scenario(group("g1", "pat", "quin", "rae"), clinic=clinic(DIZZYING)),
        keeps=[session("g1", "TU 09:00", "pat quin")],
        breaks=[session("g1", "TU 09:00", "pat quin rae")],
    ),
)

PLACES: tuple[Case, ...] = (*GRID, *HOURS, *ROOMS, *POOLS)
