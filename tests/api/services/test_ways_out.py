"""A day that cannot take a patient: who would have to stay how long, and which other site would do."""

from __future__ import annotations

from support import factories
from support.factories import on, patient, people, provider, shift, visit, week

from api.services.intake.ways_out import list_ways_out
from scheduling.publishing import publish
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp

TODAY = on("TU")
DAY = {"priority": "cancer", "earliest": TODAY, "deadline": TODAY, "same_day": True}
FULL = [("TU 08:00", "TU 17:30")]


def ways(asked: Scenario) -> dict[str, str]:
    """Return what would give v-1 a place at nine, by the rule."""
    nothing = factories.plan(asked)
    now = stamp(asked.visits_by_id["v-1"].earliest, 9 * 60)
    return {reason.rule: reason.detail for reason in list_ways_out(publish(asked, nothing, now), nothing, "v-1")}


def clinic_of(*sites: str, ana: bool = False) -> Scenario:
    """Return a week in which everybody is busy on Tuesday, but for ana at west if that is said."""
    shifts = week(shift("TU 12:30", "17:30", "west")) if ana else week()
    busy = [provider(who, *skills, busy=FULL) for who, skills in (("dee", ("pain",)), ("ben", ("psychology",)))]
    mine = provider("ana", "pain", shifts=shifts, busy=[] if ana else FULL)
    others = [provider(who, "pain", trainee=True, busy=FULL) for who in ("cy", "eli")]
    patients = [patient("pat", allowed_sites=sites)]
    return factories.scenario(visit("v-1", "pat", **DAY), patients=patients, providers=people(mine, *busy, *others))


def test_who_stays_the_shortest_is_named_with_how_long() -> None:
    told = ways(clinic_of("boston"))
    assert set(told) == {"shift"}
    assert "stays 40 min longer: 17:30 at wang" in told["shift"] and "points" in told["shift"]


def test_another_site_that_would_do_is_named() -> None:
    told = ways(clinic_of("boston", ana=True))
    assert "at west with ana" in told["patient-site"]
    assert "patient-site" not in ways(clinic_of("boston", "waltham", ana=True)), "control: they may come there"
