"""Random scenarios: small, crowded, and with everything that a rule looks at."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from support.factories import (
    PROCEDURE,
    block,
    clinic,
    closure,
    current,
    current_group,
    group,
    link,
    location,
    on,
    patient,
    pin,
    policy,
    provider,
    reserve,
    scenario,
    service,
    shift,
    visit,
)

from scheduling.scenario import Scenario

DAYS = ("MO", "TU")
NAMES = ("pat", "quin", "rae", "sol")
SERVICES = (
    service("selfcare", minutes=25, team=[], room=None),
    service("teaching", minutes=30, team=[{"any_of": ["pain"]}, {"any_of": ["pain"]}], **PROCEDURE),
    service("glance", minutes=35, attention=0, room=None, locations=["wang", "west"]),
    service("workshop", minutes=50, recovery=10, turnover=10, room={"kind": "group", "features": []}, locations=["wang"]),
)
OF_VISITS = ("followup", "evaluation", "injection", "ablation", "bedside", "selfcare", "teaching", "glance")
PATTERNS: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (("08:00", "10:00", "wang"),),
    (("08:00", "11:10", "wang west"),),
    (("08:00", "09:30", "wang"), ("09:40", "10:50", "wang west"), ("11:00", "12:10", "yawkey")),
    (("08:20", "09:40", "west"), ("10:30", "12:30", "wang yawkey")),
)
SKILLS = (("ana", "pain"), ("dee", "pain psychiatry"), ("ben", "psychology"), ("cy", "pain"), ("eli", "pain psychology"))
STARTS = ("MO 08:20", "MO 09:00", "TU 08:40")


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Draw two days of few people and more wishes than they have time for."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    staff = []
    for name, skills in SKILLS:
        beside = pick([], [], ["yawkey"], ["west", "wang"])
        halves = [shift(f"{day} {a}", b, *where.split(), also=beside) for day in DAYS for a, b, where in pick((), *PATTERNS)]
        busy = [("MO 08:40", "MO 09:10")] if pick(False, False, True) else []
        limit = pick(420, 420, 110)
        staff.append(
            provider(name, *skills.split(), trainee=name in ("cy", "eli"), shifts=halves, busy=busy, max_minutes_per_day=limit)
        )
    asked: list[Any] = [visit(f"v{n}", pick(*NAMES), **wishes(pick)) for n in range(draw(st.integers(2, 6)))]
    if pick(True, False):
        asked.append(
            link(
                "v0",
                "v1",
                pick(0, 1),
                pick(None, 1),
                together=pick(True, False),
                same_provider=pick(True, False),
                same_location=pick(True, False),
                min_gap_minutes=pick(0, 15),
                any_order=pick(False, True),
            )
        )
        if len(asked) > 3:
            asked.append(link("v1", "v2", 0, pick(0, 1), together=True, any_order=True, max_gap_minutes=pick(None, 30)))
    if pick(True, False):
        told = (
            current_group(pick("TU 09:00", "MO 08:20"), "pat", team=["ben"], notified=pick(True, False), **known(pick))
            if pick(True, False)
            else None
        )
        asked.append(group("g0", "pat", ("rae", "cancer"), "sol", min_attendees=pick(1, 2), capacity=2, current=told))
    if pick(True, False):
        asked.append(
            reserve("r0", pick(*DAYS), "08:00", "11:00", service=pick("followup", "teaching"), site=pick(None, "waltham"))
        )
    return scenario(
        *asked,
        horizon={"start": on("MO"), "end": on("WE")},
        clinic=clinic(*SERVICES, start_grid_minutes=pick(10, 20), **hours(pick)),
        providers=staff,
        patients=[
            patient("pat", preferred_site="waltham", prefers="afternoon"),
            patient("quin", [("MO 08:00", "MO 09:30")], allowed_sites=["boston"]),
        ],
        now=pick(None, None, "MO 08:30"),
        freeze_minutes=pick(0, 60),
        policy=policy(
            max_notified_moves=pick(None, None, 1),
            waiting=pick(0, 3),
            patient_site_change=pick(0, 13),
            moved_notified_per_hour=pick(0, 5),
            notice_minutes=pick(0, 0, 45, 24 * 60),
        ),
    )


def hours(pick: Any) -> dict[str, Any]:
    """Draw when places are open, and a special clinic."""
    drawn: dict[str, Any] = pick({}, {"closures": [closure("MO 08:40", "MO 09:15", room="wang-exam-1")]})
    drawn |= pick({}, {"locations": [location("wang", opens="08:20"), location("yawkey"), location("west", "waltham")]})
    welcomes = pick([], ["bedside"])
    return drawn | pick({}, {"blocks": [block("cancer", "MO", "08:00", "10:00", welcomes=welcomes, providers=["ana", "dee"])]})


def known(pick: Any) -> dict[str, Any]:
    """Draw whether it is known that nobody supervises."""
    drawn: dict[str, Any] = pick({}, {"supervisors": []})
    return drawn


def wishes(pick: Any) -> dict[str, Any]:
    """Draw what is asked of a visit."""
    found: dict[str, Any] = {"service": pick(*OF_VISITS), "priority": pick("routine", "urgent", "cancer")}
    found |= pick({}, {}, {"target": "MO"}, {"deadline": "MO"}, {"earliest": "TU"}, {"same_day": True})
    found |= pick({}, {"preferred_providers": ["dee"]}, {"preferred_providers": ["ana", "ben"]}, {"required_provider": "dee"})
    team, place = pick("ana", "dee", "ana ben", ""), pick("wang", "west")
    room = None if found["service"] in ("bedside", "selfcare", "glance") else f"{place}-exam" + "-1" * (place == "wang")
    stands = current(pick(*STARTS), room, team, place, pick(True, False), pick(None, "", "dee"))
    found |= pick({}, {}, {"minutes": 15}, {"minutes": 55}) | pick({}, {}, {"unscheduled": 0}, {"unscheduled": 401})
    found |= pick({}, {}, {"equipment": ["generator"]}) if found["service"] != "ablation" else {}
    return found | pick({}, {}, {}, {"current": stands}, {"pinned": pin("MO 08:20", None, "ana"), "service": "bedside"})
